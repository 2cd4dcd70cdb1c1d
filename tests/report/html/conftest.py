"""What the tests of the report's page share: one browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import open_browser


@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    """One for all tests of this folder that a worker runs."""
    yield from open_browser()
