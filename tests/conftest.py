"""What the tests share: a cache of their own, English before and after each test, and how long the
randomised ones run.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from limpide.text.language import use_language

# Workers beside each other: more threads than cores make torch wait for itself. And a number that is set is never
# changed where others are busy (training/threads.py), so that two trainings are alike.
os.environ.setdefault("OMP_NUM_THREADS", "1" if "PYTEST_XDIST_WORKER" in os.environ else str(os.cpu_count() or 1))

# A shell starts what it runs in the background deaf to Ctrl-C, and every process started from here would be so, too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

SOAK = os.environ.get("LIMPIDE_SOAK") == "1"
TIMES = 20 if SOAK else 1  # longer, under make soak

settings.register_profile(
    "test", max_examples=50, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("soak", max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("soak" if SOAK else "test")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The file that takes as long as all others together comes first, so that two workers end at the same time."""
    items.sort(key=lambda item: item.path.name != "test_resume.py")


@pytest.fixture(autouse=True)
def alone(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing of the person who runs the tests is read or written, and a test that speaks French leaves no trace."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    for name in ("LIMPIDE_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    use_language("en")
    yield
    use_language("en")


@pytest.fixture
def times() -> int:
    """How many times as long a randomised test runs."""
    return TIMES


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of coloured shapes, one folder a class, 12 images each. Do not change it: it is shared."""
    from tests.make_images import photo_folder

    return photo_folder(tmp_path_factory.mktemp("shared") / "photos", per_class=12)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless Chromium; where there is none, the tests that want it skip and say so."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed: pip install playwright"
    )
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no chromium on this machine")
    with playwright.sync_playwright() as driver:
        found = driver.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield found
        found.close()
