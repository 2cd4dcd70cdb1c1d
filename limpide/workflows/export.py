"""export: copy the sealed file of a run to where it is needed, or seal the weights after one of its epochs."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from limpide.core.errors import UsageError
from limpide.core.events import Epoch
from limpide.data.split_file import read_split
from limpide.deploy.load import load_predictor, load_run
from limpide.system.files import write_bytes


def export(run: str, file: Path, epoch: int | None = None) -> Path:
    """Return the file; if `file` is a folder, the file in it is named after the run. epoch: from 1; None: the sealed
    model. Raises UsageError if the folder does not exist, the name does not end in .onnx, or the weights after this
    epoch were not kept.
    """
    path = Path(run).resolve()
    name = path.stem if path.is_file() else path.name
    if epoch is not None:
        file = _checked(file / f"{name}-epoch-{epoch}.onnx" if file.is_dir() else file)
        _seal_epoch(run, epoch, file)
        return file
    source = load_predictor(run).file
    if file.is_dir():
        file = file / f"{name}.onnx"
        if file.exists() and file.read_bytes() != source.read_bytes():  # the user did not choose this name
            raise UsageError("L120", where=file, run=run)
    write_bytes(_checked(file), source.read_bytes())
    return file


def _checked(file: Path) -> Path:
    if file.suffix != ".onnx" or not file.parent.is_dir():
        raise UsageError("L111", where=file)
    return file


def _seal_epoch(run: str, epoch: int, file: Path) -> None:
    """Without a temperature: its probabilities are not calibrated."""
    from limpide.deploy.export import export as seal
    from limpide.training.class_balance import balance, priors
    from limpide.training.weights import network_after

    opened = load_run(run)
    done = [event for event in opened.events() if isinstance(event, Epoch)]
    kept = opened.kept()
    known = [k + 1 for k, event in enumerate(done) if event.step in kept]
    if epoch not in known:
        raise UsageError("L180", where=f"{run} --epoch {epoch}", n=epoch, kept=", ".join(map(str, known)) or "–")
    model, preprocessing = network_after(opened, done[epoch - 1].step)
    info, shares = opened.info(), None
    if info.recipe.get("balance") == "yes":  # as the sealed model is
        learned = [row["label"] for row in read_split(opened.split_file, "label", "part") if row["part"] == "train"]
        shares = priors(np.array([info.classes.index(label) for label in learned]), len(info.classes))
        balance(model, shares)
    seal(
        model,
        preprocessing,
        info.classes,
        file,
        name=info.model,
        priors=None if shares is None else tuple(shares),
        mirrored=info.averages_mirrored,
    )
