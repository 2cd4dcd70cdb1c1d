"""The scores of the baselines that a judging has finished, kept in the run's cache: an interrupted judging goes on with
the next.
"""

from __future__ import annotations

import json
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from limpide.baselines.baseline import Scores
from limpide.system.files import write_atomically

NUMBERS = ("n_train", "seconds", "milliseconds", "bytes", "multiply_adds", "drawn")


def save_scores(folder: Path, key: str, scores: Scores) -> None:
    numbers = json.dumps({name: getattr(scores, name) for name in NUMBERS})
    write_atomically(
        _file(folder, key),
        lambda stream: np.savez(stream, right=scores.right, rows=scores.rows, numbers=np.array(numbers)),
    )


def load_scores(folder: Path, key: str, test: int) -> Scores | None:
    """The kept scores of the baseline with this key; None where there are none, or not of `test` test images."""
    try:
        with open(_file(folder, key), "rb") as stream, np.load(stream, allow_pickle=False) as stored:
            rows, right, numbers = stored["rows"], stored["right"].astype(bool), json.loads(str(stored["numbers"]))
        if len(rows) != len(right) or (len(rows) and int(rows.max()) >= test):
            return None
        return Scores(right, rows, **{name: numbers[name] for name in NUMBERS})
    except (OSError, EOFError, KeyError, ValueError, TypeError, BadZipFile):
        return None


def _file(folder: Path, key: str) -> Path:
    return folder / f"rival-{key}.npz"
