"""Which picture activates this channel most? It is not taken from the data, but made by gradient ascent on the
activation.

Activation maximisation: the unit in the middle of the map, under a bound on the contrast of what it sees (Erhan et al.
2009, Visualizing Higher-Layer Features of a Deep Network, section 3: the largest activation among images of one norm).
The ascent does not change pixels but spatial frequencies scaled by 1/f, and for RGB decorrelated colours (Olah,
Mordvintsev & Schubert 2017, Feature Visualization, Distill, section "Preconditioning and Parameterization"): this
changes which picture is found first, not which one is best. The picture is shifted a little before each step, so that a
pattern that needs its exact place does not count (same paper, "Transformation robustness").
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from limpide.interpret.receptive_field import Box, receptive_field
from limpide.interpret.trace import record_calls, trace
from limpide.text.messages import N_, message
from limpide.training.optim.adamw import AdamW
from limpide.training.optim.groups import ParameterGroup

STEPS = 96
STARTS = 8  # pictures of noise; the ascent begins at the one that activates the unit most
NOISE = 0.1  # spread of the frequencies at the start: those without a gradient fade, as the contrast is shared out
RATE = 0.05  # step of Adam
CONTRAST = 0.58  # spread of what the unit sees, as a share of half the range of a pixel: that of white noise
JITTER = 8  # the picture is shifted by at most 1 / JITTER of what the unit sees, along each axis
MIN_GRADIENT = 0.75  # the share of the steps after which the picture is no longer shifted

# From decorrelated colours to RGB: square root of the covariance of the pixels of ImageNet (Distill, same section;
# constants of its code).
COLORS = torch.tensor([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]]) / 0.4619


@dataclass(frozen=True)
class MaximizedInput:
    """The picture found, and the activations on the way to it."""

    image: Tensor  # (1, channels, height, width), normalised; grey where the unit cannot see
    box: Box  # the part of the image that the unit sees
    # of the unit: at the start, then after each step (for the shifted picture), and at the end
    activations: tuple[float, ...]

    @property
    def before(self) -> float:
        """The activation by the best picture of noise."""
        return self.activations[0]

    @property
    def after(self) -> float:
        return self.activations[-1]


def maximize_activation(
    model: nn.Module,
    key: str,
    channel: int,
    shape: Sequence[int],
    steps: int = STEPS,
    seed: int = 0,
    low: float | Tensor = -1.0,
    high: float | Tensor = 1.0,
) -> MaximizedInput:
    """The picture that activates this channel of this operation most; runs all steps."""
    climbing = gradient_ascent(model, key, channel, shape, steps, seed, low, high)
    while True:
        try:
            next(climbing)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]


def gradient_ascent(
    model: nn.Module,
    key: str,
    channel: int,
    shape: Sequence[int],
    steps: int = STEPS,
    seed: int = 0,
    low: float | Tensor = -1.0,
    high: float | Tensor = 1.0,
) -> Generator[tuple[int, float], None, MaximizedInput]:
    """Yield (step, activation) and return the picture; the caller may stop at any step.

    key: of an operation (interpret/trace.py) or the name of a layer; the channel of the last linear layer is the logit
    of a class. In a map or in tokens, the unit in the middle is used. shape: (channels, height, width) of the image.
    low, high: the range of a pixel, normalised: (0 − mean) / std and (255 − mean) / std, one number or one a channel.
    The same seed gives the same picture. The network is left as it was. Raises KeyError for an unknown operation,
    IndexError for a channel that does not exist, TypeError for an operation without channels.
    """
    ascent = _Ascent(model, key, channel, shape, seed, low, high)
    start, value = ascent.best_start()
    frequencies = nn.Parameter(start)
    optimizer = AdamW([ParameterGroup([frequencies])])
    activations = [value]
    for step in range(steps):
        frequencies.grad, value = ascent.slope(frequencies, ascent.shift() if step < MIN_GRADIENT * steps else [0, 0])
        optimizer.step(RATE)
        activations.append(value)
        yield step + 1, value
    with torch.no_grad():
        image = ascent.picture(frequencies)
        activations.append(float(ascent.activation(image)))
    return MaximizedInput(image, ascent.box, tuple(activations))


class _Ascent:
    """The unit in the middle of one channel, and the pictures that are tried on it."""

    def __init__(
        self,
        model: nn.Module,
        key: str,
        channel: int,
        shape: Sequence[int],
        seed: int,
        low: float | Tensor,
        high: float | Tensor,
    ) -> None:
        low, high = (torch.as_tensor(v, dtype=torch.float32).reshape(-1, 1, 1) for v in (low, high))
        self.model, self.shape = model, tuple(shape)
        self.middle, self.half = (low + high) / 2, (high - low) / 2
        grey_trace = trace(model, self.middle.expand(1, *shape).clone())
        op = grey_trace.find(key)
        self.index, self.place = op.index, middle_unit(op.output, channel)
        self.box = receptive_field(grey_trace, op, self.place[1:]).box
        self.inside = torch.zeros(self.shape[-2:])
        self.inside[self.box.top : self.box.bottom, self.box.left : self.box.right] = 1
        self.generator = torch.Generator().manual_seed(seed)
        self.scale = _scale(*self.shape[-2:])

    def picture(self, frequencies: Tensor) -> Tensor:
        """Turn frequencies (channels, height, frequencies, 2) into a picture within the bounds and with the allowed
        contrast.
        """
        waves = torch.fft.irfft2(torch.view_as_complex(frequencies) * self.scale, s=list(self.shape[-2:]), norm="ortho")
        if self.shape[0] == 3:
            waves = torch.einsum("rc,chw->rhw", COLORS, waves)
        spread = (waves.square() * self.inside).sum().div(self.inside.sum() * self.shape[0]).sqrt()
        return (self.middle + self.half * self.inside * (CONTRAST * waves / (spread + 1e-8)).clamp(-1, 1))[None]

    def activation(self, image: Tensor) -> Tensor:
        return _value(self.model, image, self.index, self.place)

    def best_start(self) -> tuple[Tensor, float]:
        """Among STARTS pictures of noise, the frequencies of the one that activates the unit most, and its
        activation.
        """
        channels, height, width = self.shape
        with torch.no_grad():
            starts = [
                NOISE * torch.randn(channels, height, width // 2 + 1, 2, generator=self.generator)
                for _ in range(STARTS)
            ]
            values = [float(self.activation(self.picture(start))) for start in starts]
        best = max(range(STARTS), key=values.__getitem__)
        return starts[best], values[best]

    def shift(self) -> list[int]:
        """The number of pixels by which the picture is shifted, down and across."""
        reach = min(self.box.bottom - self.box.top, self.box.right - self.box.left) // JITTER
        return torch.randint(-reach, reach + 1, (2,), generator=self.generator).tolist()

    def slope(self, frequencies: nn.Parameter, shift: list[int]) -> tuple[Tensor, float]:
        """Return (gradient of the negative activation with respect to the frequencies, the activation) for the shifted
        picture.
        """
        with torch.enable_grad():
            value = self.activation(self.picture(frequencies).roll(shift, (2, 3)))
            # Only with respect to the picture: the network's own gradients stay as they are.
            (slope,) = torch.autograd.grad(-value, frequencies, allow_unused=True) if value.requires_grad else (None,)
        if slope is None:
            raise TypeError(message(N_("no gradient leads from the image to this operation")))
        return slope, float(value.detach())


def middle_unit(output: Tensor, channel: int) -> tuple[int, ...]:
    """The place of the middle unit in an output (1, channels, height, width), (1, tokens, channels) or (1, channels).

    Raises TypeError where there are no channels, IndexError for a channel that does not exist.
    """
    if output.ndim not in (2, 3, 4) or len(output) != 1 or not output.is_floating_point():
        raise TypeError(
            message(N_("this operation has no channels: its output is {shape}"), shape=str(tuple(output.shape)))
        )
    channels = output.shape[1] if output.ndim == 4 else output.shape[-1]
    if not 0 <= channel < channels:
        raise IndexError(f"The channel must be below {channels}. Got {channel} instead.")
    middle = [side // 2 for side in output.shape[1:]]
    return {2: (0, channel), 3: (0, middle[0], channel), 4: (0, channel, *middle[1:])}[output.ndim]


def _scale(height: int, width: int) -> Tensor:
    """1/f, with f in cycles a pixel and at least one cycle in the image: natural images have about this spectrum."""
    f = (torch.fft.fftfreq(height)[:, None].square() + torch.fft.rfftfreq(width)[None].square()).sqrt()
    return 1 / f.clamp(min=1 / max(height, width)) / max(height, width)


class _Reached(Exception):
    """Raised at the unit: the layers after it need not be computed."""


def _value(model: nn.Module, image: Tensor, index: int, place: Sequence[int]) -> Tensor:
    values: list[Tensor] = []

    def stop(k: int, output: Tensor) -> Tensor:
        if k == index:
            values.append(output[tuple(place)])
            raise _Reached
        return output

    with contextlib.suppress(_Reached):
        record_calls(model, image, stop)
    return values[0]
