"""What the tests of the inspector share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Once
from tests.toy import copy_toy, train_toy


@pytest.fixture(scope="module")
def trained(once: Once, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runs of a copy of the toy, which the tests of a module may change; its images are in photos/ beside them."""
    return copy_toy(once("toy", train_toy), tmp_path_factory.mktemp("inspector"))
