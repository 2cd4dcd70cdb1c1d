"""The inputs of an explanation: a network, with what is known about it, and an image as that network sees it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from limpide.core.errors import UsageError
from limpide.core.run import Run
from limpide.core.run_info import Arrays, RunInfo
from limpide.data.inputs import FROM_FILES, decode_input, images_in
from limpide.data.preprocessing import Preprocessing
from limpide.deploy.load import is_published, load_network, load_run
from limpide.text.language import current_language
from limpide.text.messages import N_

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True)
class OpenedNetwork:
    """A network with what is known about it."""

    network: nn.Module
    name: str
    run: str  # "" for a network in memory
    preprocessing: Preprocessing | None
    classes: tuple[str, ...]
    temperature: float  # by which the sealed file divides its logits
    arrays: Arrays = FROM_FILES  # the form of the arrays from which it learned
    mirrored: bool = False  # whether the sealed file answers with the mean over an image and its mirror image


def open_for_explanation(
    model: Any, preprocessing: Preprocessing | None = None, language: str | None = None
) -> OpenedNetwork:
    """`model`: the path of a run, a Run, a fitted ImageClassifier, the name of a published network, or a torch module.
    language: of the class names of a published network; None: the language in force.

    Raises UsageError for anything else, RunError and ModelError as deploy/load.py does.
    """
    from torch import nn

    if isinstance(model, nn.Module):
        return OpenedNetwork(model, type(model).__name__, "", preprocessing, (), 1.0)
    if hasattr(model, "run_"):
        model = model.run_
    if isinstance(model, Run):
        model = model.path
    if not isinstance(model, (str, os.PathLike)):
        raise UsageError("L132", where=type(model).__name__)
    name = os.fspath(model)
    network, own_preprocessing = load_network(name)
    if is_published(name):
        from limpide.models import imagenet_classes

        classes = imagenet_classes(language or current_language())
        return OpenedNetwork(network, name, name, own_preprocessing, classes, 1.0)
    run = load_run(name)
    info = run.info()
    return OpenedNetwork(
        network,
        info.network,
        name,
        own_preprocessing,
        info.classes,
        temperature_of(info),
        info.arrays or FROM_FILES,
        info.averages_mirrored,
    )


def temperature_of(info: RunInfo) -> float:
    """The temperature by which the sealed model of a run divides its logits, from its run.json; 1 while there is
    none.
    """
    return info.temperature.value if info.temperature else 1.0


def label_named(opened: OpenedNetwork, label: int) -> str:
    return opened.classes[label] if label < len(opened.classes) else str(label)


def enter_image(
    image: Any, preprocessing: Preprocessing | None, arrays: Arrays = FROM_FILES
) -> tuple[Tensor, np.ndarray, str]:
    """Return (tensor (1, channels, size, size), normalised; the square as uint8 (size, size, 1 or 3); file name or "").

    image: one image in any form that data/inputs.py knows, or a normalised float tensor (1, channels, height, width).
    Raises DataError for an unusable image, UsageError where its preprocessing is not known.
    """
    import torch

    from limpide.training.batches import as_tensor

    if isinstance(image, torch.Tensor) and image.is_floating_point():
        if image.ndim != 4 or len(image) != 1:
            raise UsageError(
                "L118", where=tuple(image.shape), todo=N_("give one image: (1, channels, height, width), normalised")
            )
        tensor = image.detach().float().cpu()
        return tensor, square_of(tensor, preprocessing), ""
    if preprocessing is None:
        raise UsageError("L133", where=type(image).__name__)
    decoded, file = decode_image(image, preprocessing, arrays)
    square = preprocessing.pixels(decoded)
    return as_tensor(square[None], preprocessing), square, file


def decode_image(image: Any, preprocessing: Preprocessing, arrays: Arrays = FROM_FILES) -> tuple[Image.Image, str]:
    """Return (RGB, file name or "") of one image in any form. Raises DataError, and UsageError for none or several."""
    items = [image] if isinstance(image, (str, os.PathLike)) else images_in(image, arrays, preprocessing.value_range)
    if len(items) != 1:
        raise UsageError("L118", where=f"{len(items)} images", todo=N_("give one image"))
    return decode_input(items[0], preprocessing, "image 0"), os.fspath(items[0]) if isinstance(
        items[0], (str, os.PathLike)
    ) else ""


def square_of(tensor: Tensor, preprocessing: Preprocessing | None) -> np.ndarray:
    """The pixels of a normalised tensor. If the normalisation is not known, its smallest number becomes black and its
    largest white.
    """
    values = tensor[0].permute(1, 2, 0).numpy().astype(np.float64)
    if preprocessing is not None:
        values = values * preprocessing.std + preprocessing.mean
    else:
        values = (values - values.min()) / (float(np.ptp(values)) or 1.0) * 255
    values = values if values.shape[-1] in (1, 3) else values[..., :1]
    return np.rint(values.clip(0, 255)).astype(np.uint8)
