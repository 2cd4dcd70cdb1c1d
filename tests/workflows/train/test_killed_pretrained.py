"""Fault 66 where features of a pretrained network are kept: SIGKILL, then the same command, gives the same run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.make_images import photo_folder
from tests.workflows.train.killing import KILLS, PRETRAINED, Job, job_of, kills, uninterrupted


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory: pytest.TempPathFactory) -> Job:
    cwd = tmp_path_factory.mktemp("pretrained")
    folder = photo_folder(cwd / "shapes", per_class=14, size=(48, 40), classes=("disc", "square"))
    uninterrupted(folder, PRETRAINED, cwd)
    return job_of("pretrained", folder, PRETRAINED, cwd)


def test_killed_at_any_moment_pretrained(pretrained: Job, tmp_path: Path) -> None:
    assert {"first", "fit", "judge"} <= set(kills(pretrained, KILLS["pretrained"], tmp_path))
