"""The training that the tests of kills and of gentler ways to stop compare with."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Once
from tests.make_images import photo_folder
from tests.workflows.train.killing import SMALL, Job, job_of, uninterrupted


@pytest.fixture(scope="session")
def small(once: Once) -> Job:
    def train(cwd: Path) -> None:
        uninterrupted(photo_folder(cwd / "shapes", per_class=40, size=(32, 32)), SMALL, cwd, fresh=True)

    cwd = once("small", train)
    return job_of("cnn", cwd / "shapes", SMALL, cwd)
