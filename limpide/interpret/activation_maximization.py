"""Which picture wakes this channel most? Not one from the data: one that is made for it, by climbing the slope of its
activation.

Activation maximisation: the unit in the middle of the map, under a bound on the contrast of what it sees (Erhan et al.
2009, Visualizing Higher-Layer Features of a Deep Network, section 3: the largest activation among images of one norm).
What is climbed in is not pixels but spatial frequencies scaled by 1/f, and for RGB decorrelated colours (Olah,
Mordvintsev & Schubert 2017, Feature Visualization, Distill, section "Preconditioning and Parameterization"): this
changes which picture is found first, not which one is best. The picture is shifted a little before each step, so that
no pattern counts that needs its exact place (same paper, "Transformation robustness").
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
STARTS = 8  # pictures of noise; the climb begins at the one that wakes the unit most
NOISE = 0.1  # spread of the frequencies at the start: what no slope touches fades, as the contrast is shared out
RATE = 0.05  # step of Adam
CONTRAST = 0.58  # spread of what the unit sees, of half the range of a pixel: that of white noise
JITTER = 8  # the picture is shifted by at most this part of what the unit sees, along each axis
MIN_GRADIENT = 0.75  # from this share of the steps on it stays where it is

# From decorrelated colours to RGB: square root of the covariance of the pixels of ImageNet (Distill, same section;
# constants of its code).
COLORS = torch.tensor([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]]) / 0.4619


@dataclass(frozen=True)
class MaximizedInput:
    """The picture found, and how far the climb went."""

    image: Tensor  # (1, channels, height, width), normalised; grey where the unit cannot see
    box: Box  # what the unit sees of it
    # of the unit: at the start, then after each step (of the shifted picture), and at the end
    activations: tuple[float, ...]

    @property
    def before(self) -> float:
        """Activation by the best of the pictures of noise."""
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
    """The picture that wakes this channel of this operation most: `climb` to its end."""
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
    """Yields (step, activation) and returns the picture; whoever iterates may stop at any step.

    key: of an operation (interpret/trace.py) or the name of a layer; the channel of the last linear layer is the logit
    of a class. Of a map and of tokens the unit in the middle is taken. shape: (channels, height, width) of the image.
    low, high: what a pixel can be, normalised: (0 − mean) / std and (255 − mean) / std, one number or one a channel.
    The same seed gives the same picture. The network is left as it was. Raises KeyError for an unknown operation,
    IndexError for a channel that is not there, TypeError for an operation without channels.
    """
    low, high = (torch.as_tensor(v, dtype=torch.float32).reshape(-1, 1, 1) for v in (low, high))
    middle, half = (low + high) / 2, (high - low) / 2
    seen = trace(model, middle.expand(1, *shape).clone())
    op = seen.find(key)
    place = middle_unit(op.output, channel)
    box = receptive_field(seen, op, place[1:]).box
    inside = torch.zeros(shape[-2:])
    inside[box.top : box.bottom, box.left : box.right] = 1
    generator = torch.Generator().manual_seed(seed)
    scale = _scale(*shape[-2:])

    def drawn(frequencies: Tensor) -> Tensor:
        """Frequencies (channels, height, frequencies, 2) → picture within the bounds, with the contrast that is
        allowed.
        """
        waves = torch.fft.irfft2(torch.view_as_complex(frequencies) * scale, s=list(shape[-2:]), norm="ortho")
        if shape[0] == 3:
            waves = torch.einsum("rc,chw->rhw", COLORS, waves)
        spread = (waves.square() * inside).sum().div(inside.sum() * shape[0]).sqrt()
        return (middle + half * inside * (CONTRAST * waves / (spread + 1e-8)).clamp(-1, 1))[None]

    def activation(image: Tensor) -> Tensor:
        return _value(model, image, op.index, place)

    with torch.no_grad():
        starts = [
            NOISE * torch.randn(shape[0], shape[1], shape[2] // 2 + 1, 2, generator=generator) for _ in range(STARTS)
        ]
        values = [float(activation(drawn(start))) for start in starts]
    best = max(range(STARTS), key=values.__getitem__)
    frequencies = nn.Parameter(starts[best])
    optimizer = AdamW([ParameterGroup([frequencies])])
    found = [values[best]]
    reach = min(box.bottom - box.top, box.right - box.left) // JITTER
    for step in range(steps):
        shift = (
            torch.randint(-reach, reach + 1, (2,), generator=generator).tolist()
            if step < MIN_GRADIENT * steps
            else [0, 0]
        )
        with torch.enable_grad():
            value = activation(drawn(frequencies).roll(shift, (2, 3)))
            # Of the picture alone: the network's own slopes stay as they are.
            (slope,) = torch.autograd.grad(-value, frequencies, allow_unused=True) if value.requires_grad else (None,)
        if slope is None:
            raise TypeError(message(N_("no slope leads from the image to this operation")))
        frequencies.grad = slope
        optimizer.step(RATE)
        found.append(float(value.detach()))
        yield step + 1, found[-1]
    with torch.no_grad():
        image = drawn(frequencies)
        found.append(float(activation(image)))
    return MaximizedInput(image, box, tuple(found))


def middle_unit(output: Tensor, channel: int) -> tuple[int, ...]:
    """Its place in what an operation gives: (1, channels, height, width), (1, tokens, channels) or (1, channels).

    Raises TypeError where there are no channels, IndexError where there is none of this number.
    """
    if output.ndim not in (2, 3, 4) or len(output) != 1 or not output.is_floating_point():
        raise TypeError(message(N_("this operation has no channels: it gives {shape}"), shape=str(tuple(output.shape))))
    channels = output.shape[1] if output.ndim == 4 else output.shape[-1]
    if not 0 <= channel < channels:
        raise IndexError(f"The channel must be below {channels}. Got {channel} instead.")
    middle = [side // 2 for side in output.shape[1:]]
    return {2: (0, channel), 3: (0, middle[0], channel), 4: (0, channel, *middle[1:])}[output.ndim]


def _scale(height: int, width: int) -> Tensor:
    """1/f, with f in cycles a pixel and no lower than one cycle in the image: natural images have about
    this spectrum.
    """
    f = (torch.fft.fftfreq(height)[:, None].square() + torch.fft.rfftfreq(width)[None].square()).sqrt()
    return 1 / f.clamp(min=1 / max(height, width)) / max(height, width)


class _Reached(Exception):
    """What comes after the unit need not be worked out."""


def _value(model: nn.Module, image: Tensor, index: int, place: Sequence[int]) -> Tensor:
    kept: list[Tensor] = []

    def stop(k: int, output: Tensor) -> Tensor:
        if k == index:
            kept.append(output[tuple(place)])
            raise _Reached
        return output

    with contextlib.suppress(_Reached):
        record_calls(model, image, stop)
    return kept[0]
