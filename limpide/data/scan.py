"""A path or a name → a Dataset: which files are images, in which class, in which part. Nothing is decoded here."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from limpide.data import archive
from limpide.data.dataset import Dataset, FileImages, Images, Names, given_parts
from limpide.data.datasets import NAMED
from limpide.data.layout import EXAMPLE, NO_PLACE, PART_NAMES, Layout, arranged, ignored
from limpide.data.table import is_table, read_table, tables_in
from limpide.errors import DataError, UsageError, nearest
from limpide.language import N_, Message, message


def scan(location: str | os.PathLike[str], *, fewest_classes: int = 2, groups: str = "auto", counted: Callable[[int], object] = lambda _: None) -> Dataset:
    """A folder (see data/layout.py), a table (data/table.py), a zip or tar, or the name of a data set in NAMED.

    counted: is told how many files of a folder were found so far. Raises DataError when there is nothing to learn from, saying what was expected.
    """
    text = os.fspath(location)
    if not text:
        raise _missing(text, Path(text))
    # Path.expanduser raises for an unknown user, Path.exists for a name that is too long.
    path = Path(os.path.expanduser(text))  # noqa: PTH111
    if not os.path.exists(path):  # noqa: PTH110
        if text in NAMED:
            return NAMED[text]()
        raise _missing(text, path)
    if groups not in ("auto", "none") and not is_table(path) and not (path.is_dir() and any(is_table(file) for file in path.iterdir())):
        raise UsageError(
            "L119",
            N_("only a table has group columns"),
            where=f"groups={groups}",
            todo=N_("give a table with the columns file, label and {groups}"),
            groups=groups,
        )
    if path.is_dir():
        dataset = _of_folder(text, path, groups, counted)
    elif is_table(path):
        dataset = _of_table(text, path, groups)
    elif archive.is_archive(path):
        dataset = _of_archive(text, path)
    else:
        raise DataError(
            "L201",
            N_("this file is no folder, no table and no archive of images"),
            where=text,
            todo=N_("name a folder with one folder a class, a .csv, a .zip or a .tar"),
        )
    if len(dataset.classes) < fewest_classes:
        raise DataError(
            "L204",
            N_("all images are in one class, {name}: there is nothing to tell apart"),
            where=text,
            todo=N_("add a folder with images of another class"),
            name=dataset.classes[0],
        )
    return dataset


def _of_folder(text: str, path: Path, groups: str, counted: Callable[[int], object]) -> Dataset:
    found, empty, notes = _listed(path, counted)
    tables = tables_in(path, [name for name in found if os.sep not in name])
    if len(tables) == 1:
        return _of_table(text, tables[0], groups)
    if not found:
        raise DataError("L233", N_("there are no files in this folder"), where=text, todo=EXAMPLE)
    unread = ", ".join(table.name for table in tables)
    several = DataError(
        "L241", N_("several tables in this folder could be meant: {names}"), where=text, todo=N_("name the one to use instead of the folder"), names=unread
    )
    layout = _arranged([name.replace(os.sep, "/") for name in found], text, several if tables else None)
    if tables:
        notes.append(message(N_("tables that are not read: {names} (name one instead of the folder to use it)"), names=unread))
    left = [(name, NO_PLACE) for name in layout.unused(found)]
    dropped = sorted({os.path.basename(folder) for folder in empty} - set(layout.labels) - PART_NAMES.keys())  # noqa: PTH119
    if dropped:
        notes.append(message(N_("folders without a file are no classes: {names}"), names=", ".join(dropped)))
    images = FileImages(path.resolve(), Names(found[i] for i in layout.files))
    return _dataset(path, images, layout.labels, layout.parts, None, left, [layout.says, *notes])


def _arranged(names: Sequence[str], where: str, otherwise: DataError | None) -> Layout:
    """As `arranged`; where that finds no two classes, `otherwise` says more than its own error."""
    try:
        layout = arranged(names, where)
    except DataError:
        if otherwise:
            raise otherwise from None
        raise
    if otherwise and len(set(layout.labels)) < 2:
        raise otherwise
    return layout


def _of_table(text: str, path: Path, groups: str) -> Dataset:
    rows = read_table(path, groups)
    if not rows.files:
        raise DataError("L228", N_("no row of the table names an image that is there"), where=text, todo=N_("give paths relative to the folder of the table"))
    images = FileImages(path.parent.resolve(), Names(rows.files))
    found = _dataset(path, images, rows.labels, rows.parts, rows.groups, rows.left_out, rows.notes)
    return replace(found, grouped_by=rows.grouped_by)


def _of_archive(text: str, path: Path) -> Dataset:
    names, places, readable, kind, refused = archive.members(path)
    kept = [i for i, name in enumerate(names) if not any(ignored(part) for part in name.split("/"))]
    if not kept and refused:
        raise DataError("L238", N_("nothing in this archive can be used: {reason}"), where=text, todo=EXAMPLE, reason=message(refused[0][1]).to_json())
    if not kept:
        raise DataError("L234", N_("there are no files in this archive"), where=text, todo=EXAMPLE)
    unread = ", ".join(names[i] for i in kept if is_table(Path(names[i])))
    table = DataError("L242", N_("a table inside an archive is not read"), where=f"{text}: {unread}", todo=N_("unpack the archive and name its folder"))
    layout = _arranged([names[i] for i in kept], text, table if unread else None)
    notes = [message(N_("a table inside an archive is not read: {names}"), names=unread)] if unread else []
    left = [(name, NO_PLACE) for name in layout.unused([names[i] for i in kept])]
    rows = [kept[i] for i in layout.files]
    images = archive.ArchiveImages(readable.resolve(), Names(names[i] for i in rows), places[rows], kind)
    return _dataset(path, images, layout.labels, layout.parts, None, [*refused, *left], [layout.says, *notes])


def _dataset(
    path: Path,
    images: Images,
    labels: Sequence[str],
    parts: Sequence[str],
    groups: np.ndarray | None,
    left: Sequence[tuple[str, str]],
    notes: Sequence[Message],
) -> Dataset:
    classes = tuple(sorted(set(labels)))
    index = {name: i for i, name in enumerate(classes)}
    return Dataset(
        name=_called(path.resolve()),
        location=str(path.resolve()),
        images=images,
        labels=np.fromiter((index[label] for label in labels), np.int32, len(labels)),
        classes=classes,
        given=given_parts(parts),
        groups=groups,
        left_out=left,
        notes=notes,
    )


def _called(path: Path) -> str:
    """How runs on these data are called: a table that is called as they all are goes by its folder."""
    stem = path.name if path.is_dir() else path.name.split(".")[0]
    return path.parent.name if is_table(path) and stem.lower() in ("labels", "train", "data", "metadata", "images", "index", "annotations") else stem


def _listed(root: Path, counted: Callable[[int], object]) -> tuple[list[str], list[str], list[Message]]:
    """(regular files below `root`, sorted and relative; folders without any; what to say). Hidden and system names and our
    own runs are passed over.

    A link to a folder is followed, once: a loop of links ends where it began. Pipes, sockets and devices are never opened.
    """
    found: list[str] = []
    empty: list[str] = []
    strange = away = 0
    home = os.path.realpath(root)
    visited = {home}
    for folder, folders, names in os.walk(root, followlinks=True):
        folders[:] = [name for name in folders if not ignored(name) and not os.path.exists(os.path.join(folder, name, "run.json"))]  # noqa: PTH110
        folders.sort(key=lambda name: (os.path.islink(os.path.join(folder, name)), name))  # noqa: PTH114  # a class is named by its own folder, not by a link to it
        for name in list(folders):
            real = os.path.realpath(os.path.join(folder, name))
            if real in visited:
                folders.remove(name)
            visited.add(real)
            away += not real.startswith(home + os.sep)
        before = len(found)
        for name in sorted(names):
            if ignored(name):
                continue
            path = os.path.join(folder, name)
            try:
                mode = os.stat(path).st_mode
            except OSError:  # a dangling link, a file that vanished
                strange += 1
                continue
            if not stat.S_ISREG(mode):
                strange += 1
                continue
            away += os.path.islink(path) and not os.path.realpath(path).startswith(home + os.sep)  # noqa: PTH114
            found.append(os.path.relpath(path, root) if folder != str(root) else name)
            counted(len(found))
        if len(found) == before and not folders and folder != str(root):
            empty.append(os.path.relpath(folder, root))
    found.sort()
    notes = []
    if strange:
        notes.append(
            message(
                N_("{n:count} name is passed over: a broken link, a pipe or a device"),
                N_("{n:count} names are passed over: broken links, pipes or devices"),
                n=strange,
            )
        )
    if away:
        notes.append(
            message(N_("{n:count} link leads out of the folder and is followed"), N_("{n:count} links lead out of the folder and are followed"), n=away)
        )
    return found, empty, notes


def _missing(text: str, path: Path) -> DataError:
    neighbours = [p.name for p in path.parent.iterdir() if p.is_dir() or is_table(p) or archive.is_archive(p)] if path.parent.is_dir() else []
    guess = nearest(path.name, [*neighbours, *NAMED])
    todo = N_("did you mean {guess}?") if guess else N_("name a folder of images, or one of the data sets {names}")
    shown = guess if guess in NAMED else str(path.parent / guess)
    return DataError("L202", N_("there is no such folder and no data set of this name"), where=text, todo=todo, guess=shown, names=", ".join(NAMED))
