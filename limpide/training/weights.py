"""Keeping a network's weights as safetensors, and getting a trained network back from a run."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import nn

from limpide import models
from limpide.core.errors import ModelError, RunError
from limpide.core.run import Run
from limpide.data.preprocessing import Preprocessing
from limpide.system.files import write_bytes
from limpide.training.views import view_named


def save_weights(model: nn.Module, file: Path) -> None:
    write_bytes(file, save({k: v.detach().cpu().contiguous() for k, v in model.state_dict().items()}))


def load_weights(model: nn.Module, file: Path, *, but: str = "") -> None:
    """but: prefix of those that are left as they are. Raises RunError when the file is missing or damaged."""
    try:
        weights = load(file.read_bytes())
        if but:
            weights |= {name: value for name, value in model.state_dict().items() if name.startswith(but)}
        model.load_state_dict(weights)
    except (OSError, SafetensorError, RuntimeError) as error:
        raise RunError("L506", where=file) from error


def trained_network(run: Run, view: str = "") -> tuple[nn.Module, Preprocessing]:
    """The final network of a run, for looking inside, and the preprocessing it was trained with. Raises ModelError.

    view: how it is to look at images in place of its own way (views.py): with a head of zeros.
    """
    info = run.info()
    file = run.snapshots / "best.safetensors"
    if not file.exists() or info.final is None:
        raise ModelError("L403", where=run.path)
    with run.reading():
        preprocessing = Preprocessing.from_json(info.final.preprocessing)
    name = info.network
    if view:
        other = view_named(view, info.model)
        name, preprocessing = other.network, other.seen_by(preprocessing)
    model = models.build(name, len(info.classes), preprocessing.channels, preprocessing.size)
    load_weights(model, file, but="head." if view else "")
    return model.eval(), preprocessing
