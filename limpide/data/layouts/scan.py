"""A path or a name → a Dataset: which files are images, in which class, in which part. Nothing is decoded here."""

from __future__ import annotations

import contextlib
import os
import stat
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from limpide.core.errors import DataError, LimpideError, UsageError, nearest
from limpide.data.dataset import Dataset, FileImages, Images, Names, parts_given_by_user
from limpide.data.decoding.decode import Undecodable
from limpide.data.decoding.deep_values import START
from limpide.data.layouts import archive
from limpide.data.layouts.class_folders import EXAMPLE
from limpide.data.layouts.hints import Hints
from limpide.data.layouts.ignored_files import NOT_NAMED, OF_THE_SYSTEM, UNLABELED_IMAGES, WITHOUT_PICTURES, Ignored
from limpide.data.layouts.layout import Layout, read_layout
from limpide.data.layouts.name_words import PICTURES, ending, is_system, parts_of, says_nothing
from limpide.data.layouts.table import (
    TWO_PARTS,
    Table,
    part_said_by_name,
    parts_of_files,
    parts_of_tables,
    read_meaning,
    read_tables,
)
from limpide.data.layouts.table_cells import LISTS, SUFFIXES, is_table
from limpide.data.layouts.table_paths import MIN_SHARE_AS_WRITTEN
from limpide.data.named_datasets import DATASETS
from limpide.text.messages import N_, Message, message

Counted = Callable[[int], object]
INSTEAD = N_("to use it, name it instead of the folder: {table}")
MAX_TABLES = 20  # of one kind in a folder


def scan(
    location: str | os.PathLike[str],
    *,
    fewest_classes: int = 2,
    hints: Hints | None = None,
    counted: Counted = lambda _: None,
) -> Dataset:
    """A folder (see data/layouts/layout.py), a table (data/layouts/table.py), a zip or tar, or the name of a data set in
    NAMED.

    counted: is told how many files of a folder were found so far. Raises DataError when there is nothing to learn from,
    saying what was expected, and UsageError for hints that do not fit.
    """
    text, hints = os.fspath(location), hints or Hints()
    if not text:
        raise _missing(text, Path(text))
    # Path.expanduser raises for an unknown user, Path.exists for a name that is too long.
    path = Path(os.path.expanduser(text))  # noqa: PTH111
    if not os.path.exists(path):
        if text in DATASETS:
            return DATASETS[text]()
        raise _missing(text, path)
    if path.is_dir():
        dataset = _of_folder(text, path, hints, counted)
    elif is_table(path):
        dataset = _of_tables(path, [read_meaning(path, hints, _pictures_below)], [""], hints, [])
    elif archive.is_archive(path):
        _refuse_columns(hints)
        dataset = _of_archive(text, path, hints)
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


# -- a folder, perhaps with tables in it


@dataclass(frozen=True)
class ListedFiles:
    """Regular files below a folder, sorted and relative to it, with "/" between folders; what to say; what of a system
    was passed over.
    """

    names: Sequence[str]
    notes: Sequence[Message]
    ignored: Sequence[Ignored]


def _of_folder(text: str, path: Path, hints: Hints, counted: Counted) -> Dataset:
    listed = _listed(path, counted)
    if not listed.names:
        raise DataError("L233", N_("there are no files in this folder"), where=text, todo=EXAMPLE)
    layout, refusal = None, None
    try:
        layout = read_layout(listed.names, text, hints, lambda i: _start(path / listed.names[i]))
    except DataError as error:
        refusal = error
    by_folders = layout is not None and len(set(layout.labels)) > 1 and not layout.from_names
    tables, parts, refused = _tables_in(text, path, listed.names, hints, known_only=by_folders)
    if by_folders and layout and not hints.of_a_table and (few := _of_few(path, listed.names, layout, tables)):
        tables, refused = [], {**refused, **few}
    if tables:
        found = _of_tables(path, tables, parts, hints, listed.ignored, refused, listed.notes)
        return replace(found, ignored=[*found.ignored, *_not_named(path, listed.names, tables)])
    refused = {
        name: error
        for name, error in refused.items()
        if by_folders or error.code != "L225" or ending(name) not in LISTS
    }
    if not by_folders and refused:
        # what is no table of these images comes last
        raise min(refused.values(), key=lambda error: (error.code == "L225", error.code == "L293"))
    whole = layout
    if layout and by_folders and not any(layout.parts):
        layout, refused = _with_parts(path, listed.names, layout, hints, refused)
    if layout is whole:
        _refuse_columns(hints)
    if layout is None:
        raise refusal or AssertionError
    notes = [*layout.notes, *_unread(refused), *listed.notes]
    images = FileImages(path.resolve(), Names(listed.names[i] for i in layout.files))
    return _laid_out(path, images, listed.names, layout, notes, listed.ignored)


def _tables_in(
    text: str, path: Path, names: Sequence[str], hints: Hints, *, known_only: bool
) -> tuple[list[Table], list[str], dict[str, LimpideError]]:
    """(the tables to read, what part each is, those that do not fit and why). Raises DataError where several fit and
    nothing says which.
    """
    refused: dict[str, LimpideError] = {}
    lacking: list[UsageError] = []

    def fitting(some: Sequence[str]) -> list[Table]:
        found = []
        for name in some:
            try:
                found.append(
                    read_meaning(
                        path / name, hints, _pictures_below, known_only=known_only, home=path if "/" in name else None
                    )
                )
            except UsageError as error:
                if error.code != "L116":
                    raise
                lacking.append(error)  # the column that the user names may be in another table
            except DataError as error:
                refused[name] = error
        return found

    found = fitting(_candidates(path, [name for name in names if "/" not in name], (*SUFFIXES, *LISTS)))
    if found:
        parts = parts_of_tables(found)
        if not parts:
            raise DataError(
                "L241",
                N_("several tables in this folder could be meant: {names}"),
                where=text,
                todo=N_("name the one to use instead of the folder"),
                names=", ".join(table.cells.path.name for table in found),
            )
        used = [found[k] for k in parts]
        read = ", ".join(table.cells.path.name for table in used)
        for table in found:
            if table not in used:
                file = table.cells.path
                refused[file.name] = DataError(
                    "L292",
                    N_("limpide reads {names} instead of this table"),
                    where=file,
                    todo=INSTEAD,
                    names=read,
                    table=str(file),
                )
        said = [*parts.values()]
    else:
        used = fitting(_candidates(path, [name for name in names if 0 < name.count("/") <= 2], SUFFIXES))
        if lacking and not used:
            raise lacking[0]
        folders = [table.cells.path.parent for table in used]
        if len(set(folders)) < len(used):
            return [], [], refused
        known = parts_of(folder.name for folder in folders) if used else {}
        said = [known.get(folder.name, "") for folder in folders]
    held_out = [
        part_said_by_name(t) if len(used) == 1 and not part else part for t, part in zip(used, said, strict=True)
    ]
    if (
        used
        and not hints.of_a_table
        and all(part not in ("", "train") and "train" not in t.parts for t, part in zip(used, held_out, strict=True))
    ):
        for table in used:
            file = table.cells.path
            refused[os.path.relpath(file, path)] = DataError(
                "L293", N_("by its name, the table is not of the training"), where=file, todo=INSTEAD, table=str(file)
            )
        return [], [], refused
    return used, said, refused


def _of_few(path: Path, names: Sequence[str], layout: Layout, tables: Sequence[Table]) -> dict[str, LimpideError]:
    """Tables that name half or less of the images to which folders give a class: notes, or what is said of a few. Name
    → why it is not used.
    """
    # images/ and more/ are no classes
    told = {label for label in layout.labels if label.isdigit() or not says_nothing(label)}
    if len(told) < 2:
        return {}
    home = path.resolve()
    named = {os.path.normpath(table.root / file) for table in tables for file in table.found.files if file}
    classed = [names[i] for i, label in zip(layout.files, layout.labels, strict=True) if label in told]
    n, total = sum(os.path.normpath(home / name) in named for name in classed), len(classed)
    if n > MIN_SHARE_AS_WRITTEN * total:
        return {}
    found: dict[str, LimpideError] = {}
    for table in tables:
        file = table.cells.path
        found[os.path.relpath(file, path)] = DataError(
            "L294",
            N_("it names {n:count} of the {total:count} images to which folders give a class"),
            where=file,
            todo=INSTEAD,
            n=n,
            total=total,
            table=str(file),
        )
    return found


def _with_parts(
    path: Path, names: Sequence[str], layout: Layout, hints: Hints, refused: dict[str, LimpideError]
) -> tuple[Layout, dict[str, LimpideError]]:
    """Folders say the classes, and tables or lists without labels the parts: splits.csv, or train.txt and test.txt.
    (with them, tables not read).
    """
    tables = []
    for name in [name for name, error in refused.items() if error.code == "L225" and hints.split_column != "none"]:
        with contextlib.suppress(LimpideError):
            table = read_meaning(path / name, hints, _pictures_below, known_only=True, of_parts=True)
            tables += [table] if not table.meaning.label and (table.meaning.part or part_said_by_name(table)) else []
    said = parts_of_files(tables, path)
    parts = [said.get(names[i], "") for i in layout.files]
    if not any(part and part != TWO_PARTS for part in parts):
        return layout, refused
    used = [os.path.relpath(table.cells.path, path) for table in tables]
    kept = [k for k, part in enumerate(parts) if part != TWO_PARTS]
    note = message(N_("parts (train, validation, test) are those of {names}"), names=", ".join(used))
    parted = replace(
        layout,
        files=[layout.files[k] for k in kept],
        labels=[layout.labels[k] for k in kept],
        parts=[parts[k] for k in kept],
        groups=[layout.groups[k] for k in kept],
        notes=[*layout.notes, note],
        left=[
            *layout.left,
            *((i, TWO_PARTS) for i, part in zip(layout.files, parts, strict=True) if part == TWO_PARTS),
        ],
    )
    return parted, {name: error for name, error in refused.items() if name not in used}


def _candidates(path: Path, names: Sequence[str], suffixes: Sequence[str]) -> list[str]:
    """What may be a table of images. Of one kind there are few: a text or a table for each image is something else, and
    is not opened.
    """
    by_kind = {kind: [name for name in names if ending(name) == kind] for kind in suffixes}
    return sorted(
        name for some in by_kind.values() if len(some) <= MAX_TABLES for name in some if is_table(path / name)
    )


def _not_named(path: Path, names: Sequence[str], tables: Sequence[Table]) -> list[Ignored]:
    """Pictures in the folder that its tables say nothing of, by their outermost folder."""
    home = path.resolve()
    used = {os.path.normpath(table.root / file) for table in tables for file in table.found.files if file}
    others = [name for name in names if ending(name) in PICTURES and os.path.normpath(home / name) not in used]
    counts = Counter(name.split("/")[0] if "/" in name else ending(name) for name in others)
    return [Ignored(what, n, NOT_NAMED) for what, n in sorted(counts.items())]


def _refuse_columns(hints: Hints) -> None:
    """Raises UsageError for what only a table can be asked."""
    if hints.groups not in ("auto", "none"):
        raise UsageError(
            "L119",
            N_("only a table has group columns"),
            where=f"groups={hints.groups}",
            todo=N_("give a table with the columns file, label and {groups}"),
            groups=hints.groups,
        )
    if asked := hints.of_a_table:
        raise UsageError(
            "L148",
            N_("these options are for a table, and none is read here"),
            where=", ".join(asked),
            todo=N_("name the table instead of its folder"),
        )


def _unread(refused: dict[str, LimpideError]) -> list[Message]:
    """Why a table that lies there is not used, and what to type to use it."""
    says = N_("the table {name} is not read: {reason} ({todo})")
    return [
        message(says, name=name, reason=e.message().to_json(), todo=message(e.todo, **e.values).to_json())
        for name, e in refused.items()
    ]


def _of_tables(
    path: Path,
    tables: Sequence[Table],
    parts: Sequence[str],
    hints: Hints,
    ignored: Sequence[Ignored],
    refused: dict[str, LimpideError] | None = None,
    said: Sequence[Message] = (),
) -> Dataset:
    root = tables[0].root if len(tables) == 1 else path.resolve()
    rows = read_tables(tables, parts, root, hints)
    if not rows.files:
        raise DataError(
            "L291",
            N_("no row of the table can be used: {reason}"),
            where=tables[0].cells.path,
            todo=N_("give each file a label, and each file once"),
            reason=message(Counter(reason for _, reason in rows.left_out).most_common(1)[0][0]).to_json(),
        )
    notes = [*rows.notes, *_unread(refused or {}), *said]
    unlabeled = [file for file, reason in rows.left_out if reason == UNLABELED_IMAGES]
    left = [(file, reason) for file, reason in rows.left_out if reason != UNLABELED_IMAGES]
    more = [Ignored(tables[0].cells.path.name, len(unlabeled), UNLABELED_IMAGES)] if unlabeled else []
    found = _dataset(path, FileImages(rows.root, Names(rows.files)), rows.labels, rows.parts, rows.groups, left, notes)
    return replace(found, grouped_by=rows.grouped_by, ignored=[*ignored, *more])


def _of_archive(text: str, path: Path, hints: Hints) -> Dataset:
    names, places, readable, kind, refused = archive.members(path)
    kept, passed = [], defaultdict(list)
    for i, name in enumerate(names):
        place = name.split("/")
        k = next((k for k, part in enumerate(place) if is_system(part)), None)
        if k is None:
            kept.append(i)
        elif k < len(place) - 1:
            passed["/".join(place[: k + 1])].append(name)
    ignored = [one for folder, files in sorted(passed.items()) for one in _passed(folder, files)]
    if not kept and refused:
        raise DataError(
            "L238",
            N_("nothing in this archive can be used: {reason}"),
            where=text,
            todo=EXAMPLE,
            reason=message(refused[0][1]).to_json(),
        )
    if not kept:
        raise DataError("L234", N_("there are no files in this archive"), where=text, todo=EXAMPLE)
    members = archive.ArchiveImages(readable.resolve(), Names(names[i] for i in kept), places[kept], kind)
    unread = ", ".join(names[i] for i in kept if ending(names[i]) in (".csv", ".tsv", ".parquet", ".jsonl"))
    table = DataError(
        "L242",
        N_("a table inside an archive is not read"),
        where=f"{text}: {unread}",
        todo=N_("unpack the archive and name its folder"),
    )
    try:
        layout = read_layout(list(members.names), text, hints, lambda i: _member_start(members, i))
    except DataError:
        if unread:
            raise table from None
        raise
    if unread and len(set(layout.labels)) < 2:
        raise table
    notes = [
        *layout.notes,
        *([message(N_("a table inside an archive is not read: {names}"), names=unread)] if unread else []),
    ]
    rows = [kept[i] for i in layout.files]
    images = archive.ArchiveImages(readable.resolve(), Names(names[i] for i in rows), places[rows], kind)
    found = _laid_out(path, images, members.names, layout, notes, ignored)
    return replace(found, left_out=[*refused, *found.left_out])


def _member_start(members: archive.ArchiveImages, i: int) -> bytes:
    with contextlib.suppress(Undecodable):
        return members.start(i)
    return b""


def _start(file: Path) -> bytes:
    """The first bytes; none of a file that cannot be read, which is told later."""
    with contextlib.suppress(OSError), open(file, "rb") as stream:
        return stream.read(START)
    return b""


def _laid_out(
    path: Path,
    images: Images,
    names: Sequence[str],
    layout: Layout,
    notes: Sequence[Message],
    ignored: Sequence[Ignored],
) -> Dataset:
    left = [(names[i], reason) for i, reason in layout.left if reason != UNLABELED_IMAGES]
    waiting = Counter(
        names[i].rpartition("/")[0] or names[i] for i, reason in layout.left if reason == UNLABELED_IMAGES
    )
    unlabeled = [Ignored(folder, n, UNLABELED_IMAGES) for folder, n in sorted(waiting.items())]
    groups = None
    if any(layout.groups):
        groups = np.unique(np.array(layout.groups, dtype=object), return_inverse=True)[1].astype(np.int64)
        groups = np.where([bool(group) for group in layout.groups], groups, -1)
    if not layout.files:
        raise DataError("L203", N_("the files are not in class folders"), where=path, todo=EXAMPLE)
    found = _dataset(path, images, layout.labels, layout.parts, groups, left, [layout.says, *notes])
    return replace(
        found, grouped_by="" if groups is None else "folder", ignored=[*ignored, *layout.ignored, *unlabeled]
    )


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
        given=parts_given_by_user(parts),
        groups=groups,
        left_out=left,
        notes=notes,
    )


def _called(path: Path) -> str:
    """How runs on these data are called: a name that says nothing (train, images, labels.csv) gives way to that of the
    folder around it.

    Neither a home nor a folder at the top of a disk is about these images.
    """
    own = stem = path.name if path.is_dir() else path.name.split(".")[0]
    above, home = path.parent, Path(os.path.expanduser("~"))  # noqa: PTH111 (Path.home raises where there is none)
    while says_nothing(stem) and above.parent != above.parent.parent and above not in (home, home.parent):
        stem, above = above.name, above.parent
    return own if says_nothing(stem) else stem


def _listed(root: Path, counted: Counted = lambda _: None) -> ListedFiles:
    """Hidden and system names and our own runs are passed over.

    A link to a folder is followed, once: a loop of links ends where it began. Pipes, sockets and devices are never
    opened.
    """
    found: list[str] = []
    ignored: list[Ignored] = []
    strange = away = 0
    home = os.path.realpath(root)
    visited = {home}
    for folder, folders, names in os.walk(root, followlinks=True):
        passed = [name for name in sorted(folders) if _is_passed(folder, name)]
        for name in passed:
            inside = [file for _, _, files in os.walk(os.path.join(folder, name)) for file in files]
            ignored += _passed(os.path.relpath(os.path.join(folder, name), root).replace(os.sep, "/"), inside)
        folders[:] = [name for name in folders if name not in passed]
        # a class is named by its own folder, not by a link to it
        folders.sort(key=lambda name: (os.path.islink(os.path.join(folder, name)), name))
        for name in list(folders):
            real = os.path.realpath(os.path.join(folder, name))
            if real in visited:
                folders.remove(name)
            visited.add(real)
            away += not real.startswith(home + os.sep)
        before = len(found)
        for name in sorted(names):
            if is_system(name):
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
            away += os.path.islink(path) and not os.path.realpath(path).startswith(home + os.sep)
            found.append(os.path.relpath(path, root) if folder != str(root) else name)
            counted(len(found))
        if len(found) == before and not folders and folder != str(root):
            ignored.append(Ignored(os.path.relpath(folder, root), 0, WITHOUT_PICTURES))
    found = sorted(name.replace(os.sep, "/") for name in found)
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
            message(
                N_("{n:count} link leads out of the folder and is followed"),
                N_("{n:count} links lead out of the folder and are followed"),
                n=away,
            )
        )
    return ListedFiles(found, notes, ignored)


def _is_passed(folder: str, name: str) -> bool:
    """Of a system, a run of ours, or a Python environment."""
    return is_system(name) or any(
        os.path.exists(os.path.join(folder, name, sign)) for sign in ("run.json", "pyvenv.cfg")
    )


def _passed(folder: str, files: Sequence[str]) -> list[Ignored]:
    """A folder that was not looked into. A hidden one is never told: they come in dozens, and hold what programs keep
    for themselves.
    """
    name = folder.rsplit("/", 1)[-1]
    if name.startswith("."):
        return []
    return (
        [Ignored(folder, len(files), OF_THE_SYSTEM)]
        if is_system(name) or any(ending(file) in PICTURES for file in files)
        else []
    )


def _pictures_below(root: Path) -> list[str]:
    """As `_listed`, of what may be a picture."""
    return [name for name in _listed(root).names if ending(name) in PICTURES or not ending(name)]


def _missing(text: str, path: Path) -> DataError:
    neighbours = (
        [p.name for p in path.parent.iterdir() if p.is_dir() or is_table(p) or archive.is_archive(p)]
        if path.parent.is_dir()
        else []
    )
    guess = nearest(path.name, [*neighbours, *DATASETS])
    todo = N_("did you mean {guess}?") if guess else N_("name a folder of images, or one of the data sets {names}")
    shown = guess if guess in DATASETS else str(path.parent / guess)
    return DataError(
        "L202",
        N_("there is no such folder and no data set of this name"),
        where=text,
        todo=todo,
        guess=shown,
        names=", ".join(DATASETS),
    )
