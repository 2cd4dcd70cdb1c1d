"""Turn any network and a folder of images into a run that the studio can open: its files are in a temporary folder, and
no training is needed.
"""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import numpy as np

from limpide.core.errors import DataError, ModelError, UsageError
from limpide.core.run import Run
from limpide.core.run_info import Final, Learning
from limpide.data.decoding.decode import Undecodable
from limpide.data.layouts.name_words import PICTURES
from limpide.data.preprocessing import Preprocessing
from limpide.data.split_file import write_rows
from limpide.deploy.load import PUBLISHED
from limpide.text.language import current_language
from limpide.text.messages import N_

MAX_PROBES = 32  # images that the pages offer first
MAX_LETTERS = 100  # letters of an error message of torch
SIZE = 224  # pixels, for a network that does not state its size


def open_network(
    model: str, images: str, parent: Path, *, weights: str = "", classes: int = 0, image_size: int = 0
) -> Run:
    """A run in `parent` whose network is `model` (a name of limpide models, timm:NAME, package.module:factory) and
    whose images are in `images`.

    The number of classes is that of the network's logits, `classes`, or that of the folders in `images`; the names of
    the folders become the classes if the numbers agree. Without `weights` (FILE.safetensors, of all layers) a published
    network has its published weights, any other network its initial ones. Raises UsageError, ModelError or DataError.
    """
    from limpide.models import find

    find(model)
    names = _files(Path(images))
    folders = sorted({name.split("/")[0] for name in names if "/" in name})
    class_count = classes or (len(folders) if len(folders) > 1 else 0)
    network, preprocessing, labels = _network(model, weights, class_count, image_size)
    outputs = labels or [str(k) for k in range(classes_of(network, preprocessing))]
    if not labels and len(folders) == len(outputs):
        outputs = folders
    facts = {"location": str(Path(images).resolve()), "data": Path(images).name, "classes": outputs}
    run = Run.create(parent, model.replace(":", "-"), facts)
    aside = _keep_images(run, Path(images), names, preprocessing, outputs)
    from limpide.training.weights import save_weights

    save_weights(network, run.snapshots / "best.safetensors")
    preprocessing_json = preprocessing.to_json()
    run.update(
        opened=True,
        fresh=not weights and model not in PUBLISHED,
        status="opened",
        split_rows=len(names),
        phase="done",
        recipe={"model": model},
        final=Final(preprocessing=preprocessing_json),
        learning=Learning(preprocessing_json, aside),
    )
    return run


def classes_of(network: Any, preprocessing: Preprocessing) -> int:
    """The number of the network's logits per image."""
    import torch

    with torch.inference_mode():
        return int(network(torch.zeros(1, preprocessing.channels, preprocessing.size, preprocessing.size)).shape[1])


def _files(folder: Path) -> list[str]:
    """Names of the images under `folder`, relative to it."""
    if not folder.is_dir():
        raise DataError("L208", where=folder, todo=N_("give a folder of images"))
    names = sorted(
        str(file.relative_to(folder))
        for file in folder.rglob("*")
        if file.suffix.lower() in PICTURES and file.is_file() and not file.name.startswith(".")
    )
    if not names:
        raise DataError("L211", where=folder, todo=N_("give a folder of images"))
    return names


def _network(model: str, weights: str, classes: int, size: int) -> tuple[Any, Preprocessing, list[str]]:
    """(network in evaluation mode, preprocessing, names of the classes if they are known)."""
    from limpide import models
    from limpide.models.external import width_of
    from limpide.models.weights import read_weights, weights_file
    from limpide.training.build import published_network

    if model in models.PRETRAINED and not weights:
        return *published_network(model), list(models.imagenet_classes(current_language()))
    entry = models.find(model)
    size = entry.fitting(size or (entry.size if not models.is_outside(model) else SIZE))
    if models.is_outside(model):
        channels, outputs = width_of(model, size)
        classes = outputs or classes or 10
    else:
        channels, classes = entry.channels, classes or entry.classes
    if not weights:
        return models.build(model, classes, channels, size).eval(), _own_preprocessing(size, channels), []
    state = read_weights(weights_file(weights), weights)
    classes = len(state.get("head.bias", ())) or classes
    reason = ""
    for tried in (channels, 4 - channels):  # 3 or 1: what the weights were made for
        try:
            network = models.build(model, classes, tried, size).eval()
            network.load_state_dict(state)
            return network, _own_preprocessing(size, tried), []
        except ModelError:  # it does not take such images
            if tried == channels:
                raise
        except RuntimeError as error:
            reason = reason or textwrap.shorten(str(error).splitlines()[-1].strip(), MAX_LETTERS, placeholder="…")
    raise ModelError("L428", where=weights, told=reason)


def _own_preprocessing(size: int, channels: int) -> Preprocessing:
    """The preprocessing of limpide's own networks: grey levels centred on zero."""
    return Preprocessing(size, channels, "squash", "bilinear", (127.5,), (63.75,), 2 * size)


def _keep_images(run: Run, folder: Path, names: list[str], preprocessing: Preprocessing, classes: list[str]) -> int:
    """Write split.csv for all images and keep the pixels of some; return the number of the latter. Raises UsageError if
    no image can be decoded.
    """
    labels = [name.split("/")[0] if "/" in name else "" for name in names]
    write_rows(
        run.split_file,
        ("file", "label", "part", "content", "group"),
        [(name, label, "", "", "") for name, label in zip(names, labels, strict=True)],
    )
    squares, truth, files = [], [], []
    for k in np.random.default_rng(0).permutation(len(names)).tolist():
        try:
            squares.append(preprocessing.pixels(preprocessing.opened((folder / names[k]).read_bytes())[0]))
        except (OSError, Undecodable):
            continue
        truth.append(classes.index(labels[k]) if labels[k] in classes else -1)  # −1: unknown
        files.append(names[k].encode("utf-8", "surrogateescape"))
        if len(squares) == MAX_PROBES:
            break
    if not squares:
        raise UsageError("L140", where=folder)
    np.savez(run.probes_file, squares=np.stack(squares), truth=np.array(truth), files=np.array(files))
    return len(squares)
