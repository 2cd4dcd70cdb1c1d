"""What the tests of studio and pages share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Once
from tests.studio.serving import Server, ended, served
from tests.toy import copy_toy, train_toy


@pytest.fixture(scope="package")
def trained(once: Once, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runs of a copy of the toy; its images are in photos/ beside them. All tests of this folder that a worker runs
    have the same: whoever changes it leaves it as it was.
    """
    return copy_toy(once("toy", train_toy), tmp_path_factory.mktemp("studio"))


@pytest.fixture(scope="package")
def server(trained: Path) -> Iterator[Server]:
    found = served(trained)
    yield found
    ended(found)
