"""Which of these images activate a channel most, and where? (Zeiler & Fergus 2014, section 4: the strongest activations
of a feature map.)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from torch import Tensor, nn

from limpide.interpret.trace import trace


@dataclass(frozen=True)
class TopActivation:
    image: int  # its number among the given images
    value: float  # the largest of the channel
    y: int  # its place in the map; in tokens y is 0 and x the token, in a vector both are 0
    x: int


def strongest_images(model: nn.Module, images: Iterable[Tensor], key: str, channel: int) -> list[TopActivation]:
    """All the images, the strongest first. images: each (1, channels, size, size), normalised; key: of an operation, or
    the name of a layer.

    Raises KeyError for an unknown operation and IndexError for a channel that does not exist.
    """
    activations = []
    for k, image in enumerate(images):
        output = trace(model, image).find(key).output
        plane = output[0, channel] if output.ndim == 4 else output[0, ..., channel].reshape(1, -1)
        at = int(plane.argmax())
        activations.append(TopActivation(k, float(plane.flatten()[at]), at // plane.shape[-1], at % plane.shape[-1]))
    return sorted(activations, key=lambda one: -one.value)
