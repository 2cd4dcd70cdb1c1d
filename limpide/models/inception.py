"""InceptionV3 (Szegedy et al. 2016, arXiv 1512.00567): each module runs several small convolutions in parallel, and
large kernels are made of small ones (7×7 of 1×7 and 7×1, some 5×5 of two 3×3).

For 299×299 photographs and 1,000 classes it has 23,834,568 parameters; with the auxiliary head of the paper's section
4, 27,161,264. `features` returns the 2,048 numbers per image that transfer learning uses.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Pair = tuple[int, int]
AUXILIARY_SHARE = 0.4  # of the loss


class ConvBN(nn.Sequential):
    """Convolution → batch normalisation → ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int | Pair, stride: int = 1, padding: int | Pair = 0) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False),
            nn.BatchNorm2d(outputs, eps=1e-3),
            nn.ReLU(inplace=True),
        )


def _tower(inputs: int, *layers: tuple[int, int | Pair, int, int | Pair]) -> nn.Sequential:
    """layers: maps out, kernel, stride, padding."""
    modules = []
    for outputs, kernel, stride, padding in layers:
        modules.append(ConvBN(inputs, outputs, kernel, stride, padding))
        inputs = outputs
    return nn.Sequential(*modules)


def _pool() -> nn.AvgPool2d:
    return nn.AvgPool2d(3, 1, 1)


class Module(nn.Module):
    """Parallel towers, whose maps are concatenated."""

    def __init__(self, *towers: nn.Module) -> None:
        super().__init__()
        self.towers = nn.ModuleList(towers)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([tower(x) for tower in self.towers], 1)


class Fork(nn.Module):
    """One convolution, then 1×3 and 3×1 in parallel (figure 7)."""

    def __init__(self, before: nn.Module) -> None:
        super().__init__()
        self.before = before
        self.wide, self.tall = ConvBN(384, 384, (1, 3), 1, (0, 1)), ConvBN(384, 384, (3, 1), 1, (1, 0))

    def forward(self, x: Tensor) -> Tensor:
        x = self.before(x)
        return torch.cat([self.wide(x), self.tall(x)], 1)


def _module_35(inputs: int, pooled: int) -> Module:
    """A module for maps of 35 × 35 (figure 5)."""
    return Module(
        _tower(inputs, (64, 1, 1, 0)),
        _tower(inputs, (48, 1, 1, 0), (64, 5, 1, 2)),
        _tower(inputs, (64, 1, 1, 0), (96, 3, 1, 1), (96, 3, 1, 1)),
        nn.Sequential(_pool(), _tower(inputs, (pooled, 1, 1, 0))),
    )


def _to_17() -> Module:
    return Module(
        _tower(288, (384, 3, 2, 0)), _tower(288, (64, 1, 1, 0), (96, 3, 1, 1), (96, 3, 2, 0)), nn.MaxPool2d(3, 2)
    )


def _module_17(width: int) -> Module:
    """A module for maps of 17 × 17 (figure 6)."""
    wide, tall = ((1, 7), 1, (0, 3)), ((7, 1), 1, (3, 0))
    return Module(
        _tower(768, (192, 1, 1, 0)),
        _tower(768, (width, 1, 1, 0), (width, *wide), (192, *tall)),
        _tower(768, (width, 1, 1, 0), (width, *tall), (width, *wide), (width, *tall), (192, *wide)),
        nn.Sequential(_pool(), _tower(768, (192, 1, 1, 0))),
    )


def _to_8() -> Module:
    return Module(
        _tower(768, (192, 1, 1, 0), (320, 3, 2, 0)),
        _tower(768, (192, 1, 1, 0), (192, (1, 7), 1, (0, 3)), (192, (7, 1), 1, (3, 0)), (192, 3, 2, 0)),
        nn.MaxPool2d(3, 2),
    )


def _module_8(inputs: int) -> Module:
    """A module for maps of 8 × 8 (figure 7)."""
    return Module(
        _tower(inputs, (320, 1, 1, 0)),
        Fork(_tower(inputs, (384, 1, 1, 0))),
        Fork(_tower(inputs, (448, 1, 1, 0), (384, 3, 1, 1))),
        nn.Sequential(_pool(), _tower(inputs, (192, 1, 1, 0))),
    )


class Auxiliary(nn.Module):
    """A second head on the maps of 17 × 17, which acts as a regulariser (section 4); it is discarded after training."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.AvgPool2d(5, 3), ConvBN(768, 128, 1), ConvBN(128, 768, 5))
        self.head = nn.Linear(768, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.layers(x).mean((2, 3)))  # type: ignore[no-any-return]


class InceptionV3(nn.Module):
    """Images (batch, channels, size, size), size 75 or more; made for 299, which the auxiliary head needs."""

    def __init__(
        self, *, classes: int = 1000, channels: int = 3, auxiliary: bool = False, dropout: float = 0.5
    ) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            *_tower(channels, (32, 3, 2, 0), (32, 3, 1, 0), (64, 3, 1, 1)),
            nn.MaxPool2d(3, 2),
            *_tower(64, (80, 1, 1, 0), (192, 3, 1, 0)),
            nn.MaxPool2d(3, 2),
        )
        self.fine = nn.Sequential(_module_35(192, 32), _module_35(256, 64), _module_35(288, 64), _to_17())
        self.middle = nn.Sequential(_module_17(128), _module_17(160), _module_17(160), _module_17(192))
        self.coarse = nn.Sequential(_to_8(), _module_8(1280), _module_8(2048))
        self.auxiliary = Auxiliary(classes) if auxiliary else None
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(2048, classes)

    def _to_the_middle(self, x: Tensor) -> Tensor:
        x = self.stem(x)  # (batch, 192, 35, 35) for 299 pixels
        x = self.fine(x)  # (batch, 768, 17, 17)
        return self.middle(x)  # type: ignore[no-any-return]

    def features(self, x: Tensor) -> Tensor:
        x = self.coarse(self._to_the_middle(x))  # (batch, 2048, 8, 8)
        return x.mean((2, 3))  # (batch, 2048)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.dropout(self.features(x)))  # type: ignore[no-any-return]

    def loss_fn(self, _: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        """Cross-entropy of both heads, for `fit`; the auxiliary one is weighted with AUXILIARY_SHARE."""
        images, labels = batch
        middle = self._to_the_middle(images)
        logits = self.head(self.dropout(self.coarse(middle).mean((2, 3))))
        loss = F.cross_entropy(logits, labels)
        return (
            loss if self.auxiliary is None else loss + AUXILIARY_SHARE * F.cross_entropy(self.auxiliary(middle), labels)
        )
