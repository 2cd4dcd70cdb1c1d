"""Networks from outside limpide: `timm:NAME`, and a user's own as `package.module:factory`.

A factory is a network class, or a function of its module that returns a network. It is called with those of the
arguments classes, channels and size that its signature names (or with the other names below). Its network must turn
images (batch, channels, size, size) into logits (batch, classes).
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from types import FunctionType
from typing import Any

from torch import nn

from limpide.core.errors import ModelError, nearest
from limpide.models.failing_layer import LayerInUse, failing_layer_error, track_layers
from limpide.models.registry import Entry

NAMES = {
    "classes": ("classes", "num_classes", "n_classes", "nclass"),
    "channels": ("channels", "in_channels", "in_chans"),
    "size": ("size", "image_size", "img_size"),
}


def is_outside(name: str) -> bool:
    return ":" in name


def find_external(name: str) -> Entry:
    """The network behind a name with a colon. Raises ModelError, in one line, if it does not exist."""
    where, what = name.split(":", 1)
    if where == "timm":
        return Entry(
            lambda classes, channels, _: _timm().create_model(
                _check_timm_name(what), num_classes=classes, in_chans=channels
            ),
            least=1,
        )
    factory = _factory(name, where, what)
    return Entry(lambda classes, channels, size: _build(name, factory, classes, channels, size), least=1)


def _timm() -> Any:
    try:
        return importlib.import_module("timm")
    except Exception as error:  # not installed, or its torchvision does not fit this torch
        raise ModelError("L412", where=f"{type(error).__name__}: {error}") from error


def _check_timm_name(name: str) -> str:
    names: list[str] = _timm().list_models()
    if name not in names:
        raise ModelError("L413", where=name, guess=nearest(name, names) or names[0])
    return name


def _factory(name: str, module: str, what: str) -> Callable[..., Any]:
    """The factory behind a name. Only network classes and functions written in Python are called, as a run from another
    person names its network, too.
    """
    here = str(Path.cwd())
    if here not in sys.path:  # as with `python -m`
        sys.path.insert(0, here)
    try:
        factory: Any = importlib.import_module(module)
        for part in what.split("."):
            factory = getattr(factory, part)
    except (Exception, SystemExit) as error:  # the module may do anything while it is imported
        where = f"{name} ({type(error).__name__}: {error})".splitlines()[0]
        raise ModelError("L414", where=where) from error
    makes = (isinstance(factory, type) and issubclass(factory, nn.Module)) or (
        isinstance(factory, FunctionType) and _argument_name(factory, "classes")
    )
    if not makes:
        raise ModelError("L415", where=name)
    return factory  # type: ignore[no-any-return]


def _argument_name(factory: Callable[..., Any], what: str) -> str:
    """The name under which the factory takes this argument, or an empty string."""
    parameters = inspect.signature(factory).parameters
    return next((name for name in NAMES[what] if name in parameters), "")


def width_of(name: str, size: int) -> tuple[int, int]:
    """(channels that the network takes: 3 if possible; number of its logits: 0 if the caller sets it). Raises
    ModelError for a network that takes neither colour nor grey images.
    """
    import torch

    where, what = name.split(":", 1)
    if where == "timm":
        return 3, 0
    factory = _factory(name, where, what)
    if _argument_name(factory, "classes"):
        return 3, 0
    failed: Exception | None = None
    for channels in (3, 1):
        values = {"channels": channels, "size": size}
        try:
            with torch.inference_mode():
                model = factory(
                    **{taken: values[which] for which in values if (taken := _argument_name(factory, which))}
                )
                return channels, int(model.eval()(torch.zeros(1, channels, size, size)).shape[1])
        except Exception as error:  # an external network may fail in any way on images that it was not made for
            failed = error
    raise failing_layer_error(name, "3, 1", size, failed) from failed


def _build(name: str, factory: Callable[..., Any], classes: int, channels: int, size: int) -> nn.Module:
    import torch

    values, last = {"classes": classes, "channels": channels, "size": size}, LayerInUse()
    try:
        model = factory(**{taken: values[what] for what in values if (taken := _argument_name(factory, what))})
        with torch.inference_mode(), track_layers(model, last):
            shape = tuple(model.eval()(torch.zeros(2, channels, size, size)).shape)
    except Exception as error:
        raise failing_layer_error(name, str(channels), size, error, last) from error
    if next(model.parameters(), None) is None:
        raise ModelError("L425", where=name)
    if shape != (2, classes):
        raise ModelError("L417", where=name, came=str(shape), expected=str((2, classes)))
    return model.train()
