"""The files below a folder, before they are interpreted: what is a file, what is ignored, where links lead."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from limpide.data.decoding.deep_values import START
from limpide.data.layouts.ignored_files import OF_THE_SYSTEM, WITHOUT_PICTURES, Ignored
from limpide.data.layouts.name_words import PICTURES, ending, is_system
from limpide.text.messages import N_, Message, message

Counted = Callable[[int], object]


@dataclass(frozen=True)
class ListedFiles:
    """Regular files below a folder, sorted and relative to it, with "/" between folders; the notes; the ignored system
    files.
    """

    names: Sequence[str]
    notes: Sequence[Message]
    ignored: Sequence[Ignored]


def list_files(root: Path, counted: Counted = lambda _: None) -> ListedFiles:
    """The files below `root`. Hidden and system names and limpide's runs are ignored.

    A link to a folder is followed once: a loop of links ends where it began. Pipes, sockets and devices are never
    opened.
    """
    walk = _Walk(root, counted, os.path.realpath(root))
    for folder, folders, names in os.walk(root, followlinks=True):
        walk.choose_folders(folder, folders)
        before = len(walk.files)
        walk.add_files(folder, names)
        if len(walk.files) == before and not folders and folder != str(root):
            walk.ignored.append(Ignored(os.path.relpath(folder, root), 0, WITHOUT_PICTURES))
    return ListedFiles(sorted(name.replace(os.sep, "/") for name in walk.files), walk.notes(), walk.ignored)


def list_pictures(root: Path) -> list[str]:
    """As `list_files`, but only files that may be pictures."""
    return [name for name in list_files(root).names if ending(name) in PICTURES or not ending(name)]


def read_start(file: Path) -> bytes:
    """The first bytes; empty for a file that cannot be read, which is reported later."""
    with contextlib.suppress(OSError), open(file, "rb") as stream:
        return stream.read(START)
    return b""


def report_skipped(folder: str, files: Sequence[str]) -> list[Ignored]:
    """A folder that was not searched. Hidden folders are never reported: there are dozens of them, and they hold the
    private files of programs.
    """
    name = folder.rsplit("/", 1)[-1]
    if name.startswith("."):
        return []
    is_reported = is_system(name) or any(ending(file) in PICTURES for file in files)
    return [Ignored(folder, len(files), OF_THE_SYSTEM)] if is_reported else []


@dataclass
class _Walk:
    """The files found so far in a walk through a folder."""

    root: Path
    counted: Counted
    home: str  # the path of the folder, with all links resolved
    files: list[str] = field(default_factory=list)
    ignored: list[Ignored] = field(default_factory=list)
    strange: int = 0  # names that are not files
    away: int = 0  # links that lead out of the folder
    visited: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.visited.add(self.home)

    def choose_folders(self, folder: str, folders: list[str]) -> None:
        """Keeps the entries of `folders` that will be walked through, in order."""
        skipped = [name for name in sorted(folders) if _is_skipped(folder, name)]
        for name in skipped:
            inside = [file for _, _, files in os.walk(os.path.join(folder, name)) for file in files]
            shown = os.path.relpath(os.path.join(folder, name), self.root).replace(os.sep, "/")
            self.ignored += report_skipped(shown, inside)
        folders[:] = [name for name in folders if name not in skipped]
        # a class is named by its own folder, not by a link to it
        folders.sort(key=lambda name: (os.path.islink(os.path.join(folder, name)), name))
        for name in list(folders):
            real = os.path.realpath(os.path.join(folder, name))
            if real in self.visited:
                folders.remove(name)
            self.visited.add(real)
            self.away += self._leads_out(real)

    def add_files(self, folder: str, names: Sequence[str]) -> None:
        for name in sorted(names):
            if is_system(name):
                continue
            path = os.path.join(folder, name)
            if not _is_regular(path):
                self.strange += 1
                continue
            self.away += os.path.islink(path) and self._leads_out(os.path.realpath(path))
            self.files.append(os.path.relpath(path, self.root) if folder != str(self.root) else name)
            self.counted(len(self.files))

    def _leads_out(self, real: str) -> bool:
        return not real.startswith(self.home + os.sep)

    def notes(self) -> list[Message]:
        notes = []
        if self.strange:
            notes.append(
                message(
                    N_("{n:count} name is ignored: a broken link, a pipe or a device"),
                    N_("{n:count} names are ignored: broken links, pipes or devices"),
                    n=self.strange,
                )
            )
        if self.away:
            notes.append(
                message(
                    N_("{n:count} link leads out of the folder and is followed"),
                    N_("{n:count} links lead out of the folder and are followed"),
                    n=self.away,
                )
            )
        return notes


def _is_skipped(folder: str, name: str) -> bool:
    """Whether the folder belongs to the system, is one of limpide's runs, or is a Python environment."""
    return is_system(name) or any(
        os.path.exists(os.path.join(folder, name, sign)) for sign in ("run.json", "pyvenv.cfg")
    )


def _is_regular(path: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except OSError:  # a dangling link, a file that vanished
        return False
