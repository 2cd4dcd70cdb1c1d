"""What the tests share: a cache of their own, English before and after each test, and how long the
randomised ones run.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import filelock
import pytest
from hypothesis import HealthCheck, settings

from limpide.data.decoding import decoder_pool
from limpide.text.language import use_language
from tests.fork_server import FORKED

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


# The modules and folders that take longest, as `pytest --durations=0` measured them: they come first, so that workers
# that take one module after the other end at about the same time. A folder stays together, for what its tests share.
LONGEST = (
    "studio",
    "workflows/train/test_stopped.py",
    "cli",
    "workflows/train/test_killed.py",
    "workflows/train/test_killed_pretrained.py",
    "lessons/test_lessons.py",
    "workflows/train/test_promptness.py",
    "api/test_sklearn.py",
    "interpret/test_arithmetic.py",
    "house/test_nothing_leaves.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    place = {Path(__file__).parent / name: k for k, name in enumerate(LONGEST)}
    items.sort(key=lambda item: min(place.get(path, len(LONGEST)) for path in (item.path, *item.path.parents)))


Once = Callable[[str, Callable[[Path], object]], Path]


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """`once(name, make)`: a folder of this name that `make` fills, for all tests of all workers: the first who asks
    makes it, the others wait. Do not change what is in it: copy it.
    """
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent

    def made(name: str, make: Callable[[Path], object]) -> Path:
        folder, complete = root / "once" / name, root / "once" / f"{name}.complete"
        folder.parent.mkdir(exist_ok=True)
        with filelock.FileLock(f"{folder}.lock"):
            if not complete.exists():
                shutil.rmtree(folder, ignore_errors=True)  # of a worker that failed
                folder.mkdir()
                make(folder)
                complete.touch()
        return folder

    return made


@pytest.fixture(autouse=True, scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What is made for several tests is made in a home of its own, too."""
    with pytest.MonkeyPatch.context() as patch:
        _at_home(tmp_path_factory.mktemp("home"), patch)
        yield


def _at_home(home: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("HOME", str(home))
    patch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    for name in ("LIMPIDE_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        patch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def alone(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing of the person who runs the tests is read or written, and a test that speaks French leaves no trace."""
    _at_home(tmp_path_factory.mktemp("home"), monkeypatch)
    use_language("en")
    yield
    use_language("en")


@pytest.fixture(autouse=True)
def decoders(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decoders are forked, too, but where they are what is tested, and in a soak."""
    if not SOAK and "decoding" not in request.path.parts:
        monkeypatch.setattr(decoder_pool, "subprocess", FORKED)


@pytest.fixture
def times() -> int:
    """How many times as long a randomised test runs."""
    return TIMES


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of coloured shapes, one folder a class, 12 images each. Do not change it: it is shared."""
    from tests.make_images import photo_folder

    return photo_folder(tmp_path_factory.mktemp("shared") / "photos", per_class=12)


def open_browser() -> Iterator[Any]:
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


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    yield from open_browser()
