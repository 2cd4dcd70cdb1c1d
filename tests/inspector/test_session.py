"""What the process keeps between two questions."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from limpide.core.run import Run
from limpide.inspector.lru_cache import LRUCache
from limpide.inspector.session import Session


def test_a_shelf_keeps_what_was_used_last_within_its_bytes() -> None:
    shelf, made = LRUCache(10_000), []

    def work(k: int) -> np.ndarray:
        made.append(k)
        return np.zeros(500)  # 4,000 bytes

    for k in (1, 2, 1, 3, 1, 2):
        shelf.get(k, lambda k=k: work(k))
    assert made == [1, 2, 3, 2] and len(shelf) == 2
    shelf.get(9, lambda: np.zeros(5_000))
    assert len(shelf) == 1, "the newest stays, however large"
    shelf.get(10, lambda: bytes(9_000))
    shelf.get(11, lambda: bytes(2_000))
    assert len(shelf) == 1, "bytes weigh what they are"


def test_the_images_aside_are_read_once_and_anew_when_they_are_others(
    session: Session, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "predictions").mkdir()
    file = tmp_path / "predictions" / "probes.npz"
    shutil.copy(run.path / "predictions" / "probes.npz", file)
    read = []
    load = np.load
    monkeypatch.setattr(np, "load", lambda *args: read.append(1) or load(*args))
    first = session.probes(str(tmp_path))
    assert session.probes(str(tmp_path)) is first and len(read) == 1
    with pytest.raises(ValueError, match="read-only"):
        first.squares[0] = 0
    np.savez(file, squares=first.squares[:1] // 2, truth=first.truth[:1], files=first.files[:1])
    os.utime(file, ns=(1, 1))
    assert np.array_equal(session.probes(str(tmp_path)).squares, first.squares[:1] // 2)
    file.write_bytes(b"PK damaged")
    with pytest.raises(LookupError, match="kept no images"):
        session.probes(str(tmp_path))
