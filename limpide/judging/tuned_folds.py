"""The answers of the networks that were fine-tuned without one fold each, about the images of that fold.

They are kept in the run (snapshots/tuned-folds.npz, and a fold-K.safetensors for each network).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from limpide.core.errors import RunError
from limpide.core.run import Run
from limpide.system.files import write_atomically

TUNED = "fine-tuned"  # used like the name of a view: the network itself learned, too

TUNED_FILE = "tuned-folds.npz"


@dataclass(frozen=True)
class TunedFolds:
    """logits: float32 (n, classes), of the images that are judged, in the order of FoldHeads · temperature: float (k,),
    what the logits of each fold are divided by · chosen: bool (k,), whether the other folds prefer fine-tuning to the
    frozen network, so that this fold is judged by its fine-tuned network.
    """

    logits: np.ndarray
    temperature: np.ndarray
    chosen: np.ndarray

    def save(self, run: Run) -> None:
        arrays = {one.name: getattr(self, one.name) for one in fields(self)}
        write_atomically(_file(run), lambda stream: np.savez(stream, **arrays))  # type: ignore[arg-type]

    @classmethod
    def load(cls, run: Run) -> TunedFolds | None:
        """None where nothing was fine-tuned in folds. Raises RunError where the file is damaged."""
        try:
            with open(_file(run), "rb") as stream, np.load(stream, allow_pickle=False) as stored:
                return cls(**{one.name: stored[one.name] for one in fields(cls)})
        except FileNotFoundError:
            return None
        except (OSError, EOFError, KeyError, ValueError, BadZipFile) as error:
            raise RunError("L506", where=_file(run)) from error


def network_file(run: Run, fold: int) -> Path:
    return run.snapshots / f"fold-{fold}.safetensors"


def _file(run: Run) -> Path:
    return run.snapshots / TUNED_FILE
