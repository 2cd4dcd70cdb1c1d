"""What the tests of the inspector share: a finished run, and what the process keeps of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from limpide.core.run import Run
from limpide.inspector.session import Session
from tests.conftest import Once
from tests.toy import copy_toy, train_toy


@pytest.fixture(scope="package")
def trained(once: Once, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runs of a copy of the toy; its images are in photos/ beside them. All tests of this folder that a worker runs
    have the same: whoever changes it leaves it as it was.
    """
    return copy_toy(once("toy", train_toy), tmp_path_factory.mktemp("inspector"))


@pytest.fixture(scope="package")
def session() -> Session:
    return Session()


@pytest.fixture(scope="package")
def run(trained: Path) -> Run:
    return Run(trained / "photos-001")
