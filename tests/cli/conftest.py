"""What the tests of the command line share: one finished run."""

from __future__ import annotations

import pytest

from tests.cli.place import Place, copy_place, train_place
from tests.conftest import Once


@pytest.fixture(scope="session")
def place(once: Once, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A copy for each worker of what was trained once."""
    return copy_place(once("place", train_place), tmp_path_factory.mktemp("place"))
