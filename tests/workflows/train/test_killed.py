"""Fault 66: SIGKILL at any moment, then the same command, gives the same run bit for bit."""

from __future__ import annotations

from pathlib import Path

from limpide.workflows.train.context import PHASES
from tests.workflows.train.killing import KILLS, Job, kills


def test_killed_at_any_moment(small: Job, tmp_path: Path) -> None:
    assert set(PHASES) - {"done"} <= set(kills(small, KILLS["cnn"], tmp_path))
