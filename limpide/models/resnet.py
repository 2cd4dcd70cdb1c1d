"""Residual networks (He et al. 2016, arXiv 1512.03385): each block learns what to add to its input, not what to replace
it with.

The gradient flows back through every shortcut, so that depth helps where plain networks of the same depth get worse;
the twins with `shortcuts=False` show it (experiments/residual_depth.py).

ImageNet form, 224 pixels, 1,000 classes (table 1; as in torchvision, a bottleneck halves the resolution in its 3×3
convolution, not in the first 1×1, which costs 4.1 instead of 3.8 billion multiply-adds in ResNet50 and no parameter):
ResNet18 11,689,512 parameters, 34 21,797,672, 50 25,557,032, 101 44,549,160, 152 60,192,808. CIFAR form, 32 pixels, 10
classes (section 4.2, shortcuts without parameters, 6n + 2 layers): ResNet20 269,722, 32 464,154, 44 658,586, 56
853,018, 110 1,727,962.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

# blocks of each stage
RESNET = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
BOTTLENECK_FROM = 50  # layers


def conv_bn(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(outputs))


class PadShortcut(nn.Module):
    """The input itself, every `stride`-th pixel, padded with maps of zeros: no parameters (option A of the paper)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.more, self.stride = outputs - inputs, stride

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(x, 1, self.stride)
        return F.pad(x, (0, 0, 0, 0, self.more // 2, self.more - self.more // 2))


class Block(nn.Module):
    """Two 3×3 convolutions, or with `bottleneck` 1×1 → 3×3 → 1×1 to four times as many maps; then the shortcut is
    added.
    """

    def __init__(
        self, inputs: int, width: int, stride: int, *, bottleneck: bool, projected: bool, shortcuts: bool
    ) -> None:
        super().__init__()
        outputs = 4 * width if bottleneck else width
        if bottleneck:
            layers = [conv_bn(inputs, width, 1), conv_bn(width, width, 3, stride), conv_bn(width, outputs, 1)]
        else:
            layers = [conv_bn(inputs, width, 3, stride), conv_bn(width, width, 3)]
        self.layers = nn.ModuleList(layers)
        self.relu = nn.ReLU(inplace=True)
        self.shortcut: nn.Module | None = None
        if shortcuts:
            same = stride == 1 and inputs == outputs
            self.shortcut = (
                nn.Identity()
                if same
                else conv_bn(inputs, outputs, 1, stride)
                if projected
                else PadShortcut(inputs, outputs, stride)
            )

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for layer in self.layers[:-1]:
            y = self.relu(layer(y))
        y = self.layers[-1](y)
        if self.shortcut is not None:
            y = y + self.shortcut(x)
        return self.relu(y)  # type: ignore[no-any-return]


class ResNet(nn.Module):
    """Images (batch, channels, size, size).

    depths: blocks of each stage · widths: maps of each stage · cifar: the form for small images, which keeps their
    resolution in the first stage and has no parameters in its shortcuts · shortcuts: False makes the plain twin
    """

    def __init__(
        self,
        *,
        classes: int = 1000,
        channels: int = 3,
        depths: tuple[int, ...] = RESNET[18],
        widths: tuple[int, ...] = (64, 128, 256, 512),
        bottleneck: bool = False,
        cifar: bool = False,
        shortcuts: bool = True,
    ) -> None:
        super().__init__()
        inputs = widths[0]
        stem = [conv_bn(channels, inputs, 3 if cifar else 7, 1 if cifar else 2), nn.ReLU(inplace=True)]
        self.stem = nn.Sequential(*stem, *([] if cifar else [nn.MaxPool2d(3, 2, 1)]))
        stages = []
        for k, (depth, width) in enumerate(zip(depths, widths, strict=True)):
            blocks = []
            for i in range(depth):
                stride = 2 if i == 0 and k > 0 else 1
                blocks.append(
                    Block(inputs, width, stride, bottleneck=bottleneck, projected=not cifar, shortcuts=shortcuts)
                )
                inputs = 4 * width if bottleneck else width
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.Sequential(*stages)
        self.head = nn.Linear(inputs, classes)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")

    def features(self, x: Tensor) -> Tensor:
        x = self.stem(x)  # (batch, widths[0], size / 4, size / 4); the CIFAR form keeps the size
        x = self.stages(x)  # halved by every stage but the first
        return x.mean((2, 3))  # (batch, maps of the last stage)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))  # type: ignore[no-any-return]


def resnet(layers: int, *, classes: int = 1000, channels: int = 3) -> ResNet:
    """The ImageNet form: 18, 34, 50, 101 or 152 layers."""
    return ResNet(classes=classes, channels=channels, depths=RESNET[layers], bottleneck=layers >= BOTTLENECK_FROM)


def resnet_cifar(layers: int, *, classes: int = 10, channels: int = 3, shortcuts: bool = True) -> ResNet:
    """The CIFAR form: 6n + 2 layers."""
    return ResNet(
        classes=classes,
        channels=channels,
        depths=((layers - 2) // 6,) * 3,
        widths=(16, 32, 64),
        cifar=True,
        shortcuts=shortcuts,
    )
