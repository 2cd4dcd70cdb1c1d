"""A path or a name → a Dataset: which files are images, in which class, in which part. Nothing is decoded here."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import numpy as np

from limpide.data.dataset import Dataset, FileImages
from limpide.data.datasets import NAMED
from limpide.errors import DataError, nearest
from limpide.language import N_

# Folder names that mean a part rather than a class.
PART_NAMES = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}
IGNORED = {"__macosx", "thumbs.db", "desktop.ini", "icon\r"}


def scan(location: str | os.PathLike[str], *, fewest_classes: int = 2) -> Dataset:
    """Layouts: `class/image`, `train|val|test/class/image`, or the name of a data set in NAMED.

    Raises DataError when there is nothing to learn from, saying what was expected.
    """
    text = os.fspath(location)
    # Path.expanduser raises for an unknown user, Path.exists for a name that is too long.
    path = Path(os.path.expanduser(text))  # noqa: PTH111
    if not os.path.exists(path):  # noqa: PTH110
        if text in NAMED:
            return NAMED[text]()
        raise _missing(text, path)
    if not path.is_dir():
        raise DataError("L201", N_("this is a file, and a folder of images was expected"), where=text, todo=N_("name the folder that holds one folder a class"))
    found = _listed(path)
    tops = {name.split(os.sep)[0].lower() for name in found if os.sep in name}  # a read-me beside the folders says nothing
    parted = bool(tops) and tops <= PART_NAMES.keys()
    depth = 3 if parted else 2
    rows = [tuple(name.split(os.sep)) for name in found if len(name.split(os.sep)) >= depth]
    if not rows:
        raise _empty(text, bool(found))
    labels = [row[depth - 2] for row in rows]
    classes = tuple(sorted(set(labels)))
    if len(classes) < fewest_classes:
        raise DataError(
            "L204",
            N_("all images are in one class, {name}: there is nothing to tell apart"),
            where=text,
            todo=N_("add a folder with images of another class"),
            name=classes[0],
        )
    index = {name: i for i, name in enumerate(classes)}
    return Dataset(
        name=path.resolve().name,
        location=str(path.resolve()),
        images=FileImages(path.resolve(), [os.sep.join(row) for row in rows]),
        labels=np.array([index[label] for label in labels], dtype=np.int64),
        classes=classes,
        given=_given([PART_NAMES[row[0].lower()] for row in rows] if parted else [""] * len(rows)),
    )


def _given(parts: list[str]) -> np.ndarray:
    """Where the user gives two parts, the held-out one is the untouched test, whatever its folder is called."""
    if "test" not in parts:
        parts = ["test" if part == "validation" else part for part in parts]
    return np.array(parts)


def _listed(root: Path) -> list[str]:
    """Regular files below `root`, sorted, relative. Hidden and system names and our own runs are passed over.

    A link to a folder is followed, once: a loop of links ends where it began.
    """
    found = []
    visited = {os.path.realpath(root)}
    for folder, folders, names in os.walk(root, followlinks=True):
        folders[:] = sorted(name for name in folders if not _ignored(name) and not os.path.exists(os.path.join(folder, name, "run.json")))  # noqa: PTH110
        for name in list(folders):
            real = os.path.realpath(os.path.join(folder, name))
            if real in visited:
                folders.remove(name)
            visited.add(real)
        for name in sorted(names):
            if _ignored(name):
                continue
            path = os.path.join(folder, name)
            try:
                regular = stat.S_ISREG(os.stat(path).st_mode)
            except OSError:  # a dangling link, a file that vanished
                continue
            if regular:
                found.append(os.path.relpath(path, root))
    return found


def _ignored(name: str) -> bool:
    return name.startswith(".") or name.lower() in IGNORED


def _missing(text: str, path: Path) -> DataError:
    neighbours = [p.name for p in path.parent.iterdir() if p.is_dir()] if path.parent.is_dir() else []
    guess = nearest(path.name, [*neighbours, *NAMED])
    todo = N_("did you mean {guess}?") if guess else N_("name a folder of images, or one of the data sets {names}")
    shown = guess if guess in NAMED else str(path.parent / guess)
    return DataError("L202", N_("there is no such folder and no data set of this name"), where=text, todo=todo, guess=shown, names=", ".join(NAMED))


def _empty(text: str, files_without_class: bool) -> DataError:
    what = N_("the files are not in class folders") if files_without_class else N_("there are no files in this folder")
    return DataError("L203", what, where=text, todo=N_("put the images of each class into a folder of its own: photos/cat/1.jpg, photos/dog/2.jpg"))
