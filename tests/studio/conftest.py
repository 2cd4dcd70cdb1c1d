"""What the tests of studio and pages share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Once
from tests.studio.serving import Server, ended, served
from tests.toy import copy_toy, train_toy


@pytest.fixture(scope="module")
def trained(once: Once, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runs of a copy of the toy, which the tests of a module may change; its images are in photos/ beside them."""
    return copy_toy(once("toy", train_toy), tmp_path_factory.mktemp("studio"))


@pytest.fixture(scope="module")
def server(trained: Path) -> Iterator[Server]:
    found = served(trained)
    yield found
    ended(found)
