"""The simpler models that a judging has finished with, kept in the run's cache: one that is cut short goes on with the
next.
"""

from __future__ import annotations

import json
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from limpide.baselines.simple_models import Baseline
from limpide.system.files import write_atomically

NUMBERS = ("n_train", "seconds", "milliseconds", "bytes", "multiply_adds", "drawn")


def save_baseline(folder: Path, rival: Baseline) -> None:
    told = json.dumps({name: getattr(rival, name) for name in NUMBERS})
    write_atomically(
        _file(folder, rival.key),
        lambda stream: np.savez(stream, right=rival.right, rows=rival.rows, numbers=np.array(told)),
    )


def load_baseline(folder: Path, key: str, test: int) -> Baseline | None:
    """The simpler model of this name, as it was kept; None where there is none, or it was asked about other than these
    `test` images.
    """
    try:
        with open(_file(folder, key), "rb") as stream, np.load(stream, allow_pickle=False) as stored:
            rows, right, numbers = stored["rows"], stored["right"].astype(bool), json.loads(str(stored["numbers"]))
        if len(rows) != len(right) or (len(rows) and int(rows.max()) >= test):
            return None
        return Baseline(key, right, rows, **{name: numbers[name] for name in NUMBERS})
    except (OSError, EOFError, KeyError, ValueError, TypeError, BadZipFile):
        return None


def _file(folder: Path, key: str) -> Path:
    return folder / f"rival-{key}.npz"
