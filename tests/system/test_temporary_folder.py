"""Temporary folders go with whoever made them, also when he was killed; nothing else goes."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from limpide.system.temporary_folder import LOCK, MIN_ORPHAN_AGE, TemporaryFolder

HOLDS = (
    "import sys, time; from limpide.system.temporary_folder import TemporaryFolder; s = TemporaryFolder(); (s.path / "
    "'weights').write_text('x'); print(s.path, flush=True); time.sleep(60)"
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def holder(folder: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS], stdout=subprocess.PIPE, text=True, env=os.environ | {"TMPDIR": str(folder)}
    ) as process:
        yield process
        process.kill()


def made_by(process: subprocess.Popen[str]) -> Path:
    assert process.stdout
    return Path(process.stdout.readline().strip())


def aged(path: Path) -> None:
    """As if its lock file were older than what is left alone."""
    os.utime(path / LOCK, (time.time() - 2 * MIN_ORPHAN_AGE,) * 2)


def test_it_goes_with_the_object(folder: Path) -> None:
    scratch = TemporaryFolder()
    (scratch.path / "a").write_text("x")
    path = scratch.path
    del scratch
    assert not path.exists() and not list(folder.iterdir())


@pytest.mark.skipif(os.name == "nt", reason="TMPDIR is not asked there")
def test_what_a_killed_process_left_goes_at_the_next_use_and_what_a_living_one_holds_stays(
    folder: Path, holder: subprocess.Popen[str]
) -> None:
    path = made_by(holder)
    aged(path)
    held = TemporaryFolder()
    assert (path / "weights").exists(), "its process lives"
    holder.kill()
    holder.wait()
    assert (path / "weights").exists()
    aged(held.path)
    other = TemporaryFolder()
    assert not path.exists() and held.path.exists() and other.path.exists()


def test_nothing_else_goes(folder: Path) -> None:
    strange, young, linked = folder / "limpide-notes", folder / "limpide-young", folder / "limpide-link"
    target = folder / "photos"
    for place in (strange, young, target):
        place.mkdir()
        (place / "a").write_text("x")
    (young / LOCK).touch()  # somebody is just making it
    (target / LOCK).touch()
    aged(target)
    linked.symlink_to(target)
    kept = TemporaryFolder()
    assert pickle.loads(pickle.dumps(kept)) is None
    path = kept.path
    del kept
    TemporaryFolder()
    assert all((place / "a").exists() for place in (strange, young, target)) and path.exists()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_the_end_of_a_fork_frees_nothing(folder: Path) -> None:
    scratch = TemporaryFolder()
    script = f"""
import os, tempfile
tempfile.tempdir = {str(folder)!r}
from limpide.system.temporary_folder import TemporaryFolder
s = TemporaryFolder()
if os.fork() == 0:
    del s
    os._exit(0)
os.wait()
os.utime(s.path / {LOCK!r}, (1, 1))
import subprocess, sys
subprocess.run([sys.executable, "-c", "from limpide.system.temporary_folder import TemporaryFolder; TemporaryFolder()"], check=True, env=os.environ | {{"TMPDIR": {str(folder)!r}}})
print(s.path.exists())
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True" and scratch.path.exists()
