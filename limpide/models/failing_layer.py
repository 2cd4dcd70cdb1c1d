"""Report where a network from outside limpide fails: the layer, the expected input and the actual input."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from torch import nn

from limpide.core.errors import ModelError
from limpide.text.messages import N_, Message, message

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


@dataclass
class LayerInUse:
    """The layer that a network is running, or ran last, and the shape of its input."""

    name: str = ""
    layer: nn.Module | None = None
    came: tuple[int, ...] = ()
    inside: bool = False  # the layer has not returned


@contextlib.contextmanager
def track_layers(model: Any, last: LayerInUse) -> Iterator[None]:
    """Context manager: `last` follows `model` through the layers that contain no other layers."""
    hooks = []
    for name, layer in model.named_modules() if isinstance(model, nn.Module) else ():
        if next(layer.children(), None) is None:

            def before(layer: nn.Module, inputs: tuple[Any, ...], name: str = name) -> None:
                last.name, last.layer, last.inside = name or type(layer).__name__, layer, True
                last.came = tuple(getattr(inputs[0], "shape", ())) if inputs else ()

            def after(*_: object) -> None:
                last.inside = False

            hooks += [layer.register_forward_pre_hook(before), layer.register_forward_hook(after)]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def failing_layer_error(
    name: str, channels: str, size: int, error: Exception | None, last: LayerInUse | None = None
) -> ModelError:
    """The error that reports the failing layer. name: of the network; channels, size: of the images that it got."""
    where = f"{name}: {last.name} ({type(last.layer).__name__})" if last and last.inside else name
    if last and last.inside and (mismatch := _mismatch(last)):
        expected, came = mismatch
        return ModelError(
            "L464", where=where, expected=expected.to_json(), came=came.to_json(), channels=channels, size=size
        )
    return ModelError(
        "L416", where=where, channels=channels, size=size, error=f"{type(error).__name__}: {error}".splitlines()[0]
    )


def _mismatch(last: LayerInUse) -> tuple[Message, Message] | None:
    """(expected input, actual input) of the layer, if these differ in the number of maps or of values."""
    layer, shape = last.layer, last.came
    if isinstance(layer, nn.Linear) and shape and shape[-1] != layer.in_features:
        return _numbers(layer.in_features), _numbers(shape[-1])
    expected = (
        layer.in_channels
        if isinstance(layer, CONVOLUTIONS)
        else layer.num_features
        if isinstance(layer, NORMS)
        else None
    )
    if expected is not None and len(shape) > 2 and shape[1] != expected:
        return _maps(expected), _maps(shape[1])
    return None


def _maps(n: int) -> Message:
    return message(N_("{n:count} map"), N_("{n:count} maps"), n=n)


def _numbers(n: int) -> Message:
    return message(N_("{n:count} number per image"), N_("{n:count} numbers per image"), n=n)
