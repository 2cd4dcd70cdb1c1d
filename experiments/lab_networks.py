"""The networks of the labs, for `--model experiments.lab_networks:NAME`: each function takes what limpide gives a
network of one's own.

CIFAR-10: `cifarnet` has 168,490 parameters, `three` 247,610, `five` 428,210, `fifty_one` and `residual` 4,582,010 (the
labs count the means and variances of batch normalization among no parameters, and neither does limpide).
MNIST: `mnistnet` has 309,784 parameters, `mlp_100` (two hidden layers of 100) 89,610. Ten hidden layers of 49 for the
gradients of lab 2: `deep_tanh`, `deep_relu`; five of 1,000 for the initial weights of lab 3: `wide_tanh`, `wide_relu`,
7,087,010 parameters on CIFAR-10.
"""

from __future__ import annotations

from torch import Tensor, nn

from limpide.models.mlp import MLP

NARROW = 16  # maps of the deep nets on two processor cores, in place of 100


class Stack(nn.Module):
    """3×3 convolutions, each with ReLU, some with batch normalization or a halving, then one linear layer.

    widths: maps of each convolution · halved: convolutions after which the side is halved · norm: batch normalization
    """

    def __init__(
        self, classes: int, channels: int, size: int, *, widths: tuple[int, ...], halved: int = 2, norm: bool = False
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for k, width in enumerate(widths):
            layers += [nn.Conv2d(channels, width, 3, padding=1), *([nn.BatchNorm2d(width)] if norm else []), nn.ReLU()]
            if k < halved:
                layers.append(nn.MaxPool2d(2))
                size //= 2
            channels = width
        self.convolutions = nn.Sequential(*layers)
        self.head = nn.Linear(channels * size * size, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.convolutions(x).flatten(1))  # type: ignore[no-any-return]  # (batch, classes)


class Block(nn.Module):
    """Two convolutions with batch normalization, and a shortcut around them."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.norm = nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width)
        self.second, self.second_norm = nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width)
        self.relu, self.last = nn.ReLU(), nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.last(x + self.second_norm(self.second(self.relu(self.norm(self.first(x))))))  # type: ignore[no-any-return]


class Residual(nn.Module):
    """One convolution, then blocks of two, the side halved after the first convolution and after the first block; the
    parameters are those of `Stack` with as many convolutions.
    """

    def __init__(self, classes: int, channels: int, size: int, *, width: int, blocks: int) -> None:
        super().__init__()
        self.first = nn.Sequential(
            nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(2)
        )
        self.blocks = nn.Sequential(Block(width), nn.MaxPool2d(2), *(Block(width) for _ in range(blocks - 1)))
        self.head = nn.Linear(width * (size // 4) ** 2, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.blocks(self.first(x)).flatten(1))  # type: ignore[no-any-return]  # (batch, classes)


def cifarnet(classes: int, channels: int, size: int) -> nn.Module:
    return Stack(classes, channels, size, widths=(10, 50, 150))


def three(classes: int, channels: int, size: int) -> nn.Module:
    return Stack(classes, channels, size, widths=(100,) * 3, norm=True)


def five(classes: int, channels: int, size: int) -> nn.Module:
    return Stack(classes, channels, size, widths=(100,) * 5, norm=True)


def fifty_one(classes: int, channels: int, size: int) -> nn.Module:
    return Stack(classes, channels, size, widths=(100,) * 51, norm=True)


def residual(classes: int, channels: int, size: int) -> nn.Module:
    return Residual(classes, channels, size, width=100, blocks=25)


def narrow_three(classes: int, channels: int, size: int) -> nn.Module:
    return Stack(classes, channels, size, widths=(NARROW,) * 3, norm=True)


def narrow_five(classes: int, channels: int, size: int) -> nn.Module:
    return Stack(classes, channels, size, widths=(NARROW,) * 5, norm=True)


def narrow_fifty_one(classes: int, channels: int, size: int) -> nn.Module:
    return Stack(classes, channels, size, widths=(NARROW,) * 51, norm=True)


def narrow_residual(classes: int, channels: int, size: int) -> nn.Module:
    return Residual(classes, channels, size, width=NARROW, blocks=25)


class MnistNet(nn.Module):
    """The lab's: two convolutions, each halved, and three linear layers."""

    def __init__(self, classes: int, channels: int, size: int) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            *(nn.Conv2d(channels, 10, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(10, 50, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        )
        self.hidden = nn.Sequential(
            *(nn.Linear(50 * (size // 4) ** 2, 120), nn.ReLU()),
            *(nn.Linear(120, 84), nn.ReLU()),
        )
        self.head = nn.Linear(84, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.hidden(self.convolutions(x).flatten(1)))  # type: ignore[no-any-return]


def mnistnet(classes: int, channels: int, size: int) -> nn.Module:
    return MnistNet(classes, channels, size)


def mlp_100(classes: int, channels: int, size: int) -> nn.Module:
    return MLP(classes=classes, channels=channels, size=size, widths=(100, 100))


def deep_tanh(classes: int, channels: int, size: int) -> nn.Module:
    return MLP(classes=classes, channels=channels, size=size, widths=(49,) * 10, activation="tanh")


def deep_relu(classes: int, channels: int, size: int) -> nn.Module:
    return MLP(classes=classes, channels=channels, size=size, widths=(49,) * 10)


def wide_tanh(classes: int, channels: int, size: int) -> nn.Module:
    return MLP(classes=classes, channels=channels, size=size, widths=(1000,) * 5, activation="tanh")


def wide_relu(classes: int, channels: int, size: int) -> nn.Module:
    return MLP(classes=classes, channels=channels, size=size, widths=(1000,) * 5)
