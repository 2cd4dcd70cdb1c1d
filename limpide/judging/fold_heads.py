"""The last layers of a run whose images are judged in folds: each image is answered by the one that had not seen it.

They are kept in the run (snapshots/folds.npz), so that later questions about an image are answered by the same layer.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile

import numpy as np

from limpide.core.errors import RunError
from limpide.core.recipe_field import WHOLE
from limpide.core.run import Run
from limpide.data.preprocessing import Preprocessing
from limpide.judging.tuned_folds import TUNED, TunedFolds, network_file
from limpide.system.files import write_atomically

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class FoldHeads:
    """rows: int (n,), the images that are judged, places in the data set · fold: int (n,), the fold of each image ·
    logits: float32 (n, classes), the answer of the head of its fold · names: int (k,), the folds · weight: float32 (k,
    classes, width), of a narrower view the first columns · bias: float32 (k, classes) · temperature: float (k,), what
    the logits of each fold are divided by · view: str (k,), how the head of each fold sees images (training/views.py) ·
    mirrored: bool (k,), whether each learned from mirrored images, too.
    """

    rows: np.ndarray
    fold: np.ndarray
    logits: np.ndarray
    names: np.ndarray
    weight: np.ndarray
    bias: np.ndarray
    temperature: np.ndarray
    view: np.ndarray
    mirrored: np.ndarray

    def probabilities(self) -> np.ndarray:
        """float32 (n, classes), of each image from the head of its fold."""
        scaled = self.logits / self.temperature[np.searchsorted(self.names, self.fold)][:, None]
        powers = np.exp(scaled - scaled.max(1, keepdims=True))
        return np.asarray(powers / powers.sum(1, keepdims=True), np.float32)

    def save(self, run: Run) -> None:
        arrays = {one.name: getattr(self, one.name) for one in fields(self)}
        write_atomically(_file(run), lambda stream: np.savez(stream, **arrays))  # type: ignore[arg-type]

    @classmethod
    def load(cls, run: Run) -> FoldHeads:
        """Raises RunError where the file is missing or damaged."""
        try:
            with open(_file(run), "rb") as stream, np.load(stream, allow_pickle=False) as stored:
                found = {one.name: stored[one.name] for one in fields(cls) if one.name in stored}
                k = len(found["names"])
                return cls(**{"view": np.full(k, WHOLE), "mirrored": np.zeros(k, bool)} | found)
        except (OSError, EOFError, KeyError, TypeError, ValueError, BadZipFile) as error:
            raise RunError("L506", where=_file(run)) from error


def judges_of_folds(run: Run) -> FoldHeads:
    """The heads that judge: where fine-tuning was chosen for a fold, its fine-tuned network (view TUNED) replaces the
    last layer. Raises RunError.
    """
    heads, tuned = FoldHeads.load(run), TunedFolds.load(run)
    if tuned is None:
        return heads
    own = tuned.chosen[np.searchsorted(heads.names, heads.fold)]
    return replace(
        heads,
        logits=np.where(own[:, None], tuned.logits, heads.logits),
        temperature=np.where(tuned.chosen, tuned.temperature, heads.temperature),
        view=np.where(tuned.chosen, TUNED, heads.view),
    )


def network_of_fold(run: Run, heads: FoldHeads, fold: int) -> tuple[nn.Module, Preprocessing]:
    """The network that had not seen the images of this fold, and its preprocessing. Raises ModelError, RunError."""
    from limpide.training.linear_head import Head, set_head
    from limpide.training.weights import frozen_network, tuned_network

    place = int(np.searchsorted(heads.names, fold))
    if heads.view[place] == TUNED:
        return tuned_network(run, network_file(run, fold))
    model, preprocessing = frozen_network(run, str(heads.view[place]))
    width = model.head.in_features  # type: ignore[union-attr]
    set_head(model, Head(heads.weight[place, :, :width], heads.bias[place], 0.0, ()))  # type: ignore[misc]
    return model, preprocessing


def _file(run: Run) -> Path:
    return run.snapshots / "folds.npz"
