"""Save a network's weights as safetensors, and load a trained network from a run."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import nn

from limpide import models
from limpide.core.errors import ModelError, RunError
from limpide.core.run import Run
from limpide.core.run_info import require
from limpide.data.preprocessing import Preprocessing
from limpide.system.files import write_bytes
from limpide.training.views import View, view_named


def save_weights(model: nn.Module, file: Path) -> None:
    write_bytes(file, save({k: v.detach().cpu().contiguous() for k, v in model.state_dict().items()}))


def load_weights(model: nn.Module, file: Path, *, but: str = "") -> None:
    """but: prefix of the weights to leave unchanged. Raises RunError if the file is missing or damaged."""
    try:
        weights = load(file.read_bytes())
        if but:
            weights |= {name: value for name, value in model.state_dict().items() if name.startswith(but)}
        model.load_state_dict(weights)
    except (OSError, SafetensorError, RuntimeError) as error:
        raise RunError("L506", where=file) from error


def trained_network(run: Run) -> tuple[nn.Module, Preprocessing]:
    """The final network of a run, for inspection, and the preprocessing it was trained with. Raises ModelError."""
    preprocessing = _final_preprocessing(run)
    return _opened(run, run.info().network, preprocessing, run.snapshots / "best.safetensors"), preprocessing


def frozen_network(run: Run, view: str) -> tuple[nn.Module, Preprocessing]:
    """The network as it was published, with a head of zeros, and the preprocessing of another view (views.py). Raises
    ModelError.
    """
    other = view_named(view, run.info().model)
    preprocessing = other.seen_by(_final_preprocessing(run))
    return _opened(run, other.network, preprocessing, run.snapshots / "first.safetensors", but="head."), preprocessing


def tuned_network(run: Run, file: Path) -> tuple[nn.Module, Preprocessing]:
    """A network that was fine-tuned without one fold; its weights are in `file`. Raises ModelError, RunError."""
    info = run.info()
    preprocessing = View("", info.model, int(info.recipe["image_size"])).seen_by(_final_preprocessing(run))
    return _opened(run, info.model, preprocessing, file), preprocessing


def network_after(run: Run, step: int) -> tuple[nn.Module, Preprocessing]:
    """The network with the weights that were kept after this step. Raises ModelError, RunError."""
    info = run.info()
    with run.reading():
        preprocessing = Preprocessing.from_json(require(info.learning, "learning").preprocessing)
    return _opened(run, info.model, preprocessing, run.kept()[step]), preprocessing


def _final_preprocessing(run: Run) -> Preprocessing:
    info = run.info()
    if info.final is None or not (run.snapshots / "best.safetensors").exists():
        raise ModelError("L403", where=run.path)
    with run.reading():
        return Preprocessing.from_json(info.final.preprocessing)


def _opened(run: Run, name: str, preprocessing: Preprocessing, file: Path, *, but: str = "") -> nn.Module:
    model = models.build(name, len(run.info().classes), preprocessing.channels, preprocessing.size)
    load_weights(model, file, but=but)
    return model.eval()
