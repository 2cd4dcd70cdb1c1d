"""A folder with photos and a finished run, and commands that are typed in it."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from limpide.cli import main
from limpide.system import machine
from tests.make_images import photo_folder
from tests.runner import limpide
from tests.toy import copy_toy

# The names that other libraries give the options.
WISHES = (
    *("--imgsz", 16, "--lr0", 0.02, "--batch_size", 8, "--val_split", 0.2),
    *("--random_state", 3, "--max_epochs", 2, "--arch", "cnn", "--fliplr", "true"),
)
SAID = "said.txt"  # what the training said


class Done(NamedTuple):
    """What a command said and how it ended."""

    stdout: str
    stderr: str
    returncode: int


def here(*arguments: object, cwd: Path) -> Done:
    """The same command line in this process: for mistakes, which are many and quick."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        patch.chdir(cwd)
        patch.setattr(sys, "argv", ["limpide", *map(str, arguments)])
        patch.setenv("LIMPIDE_LANG", "en")
        patch.setattr(machine, "keep_memory", lambda: False)
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
    assert "Traceback" not in out.getvalue() + err.getvalue()
    return Done(out.getvalue(), err.getvalue(), code)


def train_place(root: Path) -> None:
    """Photos, photos of other people, and one finished run."""
    photo_folder(root / "photos", per_class=16, size=(24, 20))
    photo_folder(root / "others", per_class=6, size=(30, 30), seed=5)
    said = limpide("train", "photos", *WISHES, cwd=root).stdout
    (root / SAID).write_text(said, encoding="utf-8")


class Place:
    """A folder with photos, photos of other people, and one finished run."""

    def __init__(self, root: Path) -> None:
        """root: a copy of what train_place left (copy_place)."""
        self.root = root
        self.photos, self.others = root / "photos", root / "others"
        self.run = root / "runs" / "photos-001"
        self.wishes = WISHES
        self.trained = (root / SAID).read_text(encoding="utf-8")

    def mistake(self, *arguments: object, status: int) -> Done:
        done = here(*arguments, cwd=self.root)
        assert done.returncode == status, done
        return done

    def __call__(self, *arguments: object, status: int | None = 0, **changes: str) -> subprocess.CompletedProcess[str]:
        return limpide(*arguments, cwd=self.root, status=status, **changes)  # type: ignore[arg-type]


def copy_place(made: Path, folder: Path) -> Place:
    """What train_place left, at another place. The photos are links: a run knows its images by their inodes, too."""
    copy_toy(made, folder)
    shutil.rmtree(folder / "photos")
    shutil.copytree(made / "photos", folder / "photos", copy_function=os.link)
    return Place(folder)


def one_line(done: Done | subprocess.CompletedProcess[str], code: str = "") -> str:
    """The single line of an error, with its code; nothing on standard output."""
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1 and not done.stdout.strip() and lines[0].startswith("limpide: "), done.stderr
    assert not code or lines[0].endswith(f"[{code}]"), lines[0]
    assert lines[0].count(" — ") >= 2 or code == "L102", "what — where — what to do"
    return lines[0]


def last(done: subprocess.CompletedProcess[str] | str) -> str:
    """The last line of what a command said on standard output."""
    said = done if isinstance(done, str) else done.stdout
    return said.rstrip().splitlines()[-1]
