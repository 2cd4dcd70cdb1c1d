"""What the tests of the pages share: one browser, a page that was let in, and a second run."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from limpide.core.run import Run
from tests.conftest import open_browser
from tests.studio.pages.drive import open_page
from tests.studio.serving import Server


@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    """One for all tests of the pages that a worker runs."""
    yield from open_browser()


@pytest.fixture
def page(browser: Any, server: Server) -> Iterator[Any]:
    yield from open_page(browser, server)


@pytest.fixture
def copied(trained: Path) -> Iterator[Path]:
    """A second run, to be changed. Named before `page`, it goes after the page does, which would ask for
    what is gone.
    """
    run = trained / "copied-001"
    shutil.copytree(Run.all_in(trained)[0].path, run)
    yield run
    shutil.rmtree(run)
