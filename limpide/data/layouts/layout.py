"""File names → classes, parts and groups: the ways in which users arrange images in folders.

Structure decides, names help. Folders without a picture are not classes. Where every outer folder holds the same inner
ones, the inner ones are the classes; the outer ones are parts if their names say so (`data/layouts/name_words.py`),
else they are groups whose images stay in one part. Only files whose names say nothing are opened.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from limpide.core.errors import DataError
from limpide.data.layouts.class_folders import EXAMPLE, label_by_names, one_form, read_classes
from limpide.data.layouts.hints import Hints
from limpide.data.layouts.ignored_files import Ignored, Start, sift_files
from limpide.data.layouts.image_paths import NO_PLACE, ImagePaths, unwrap
from limpide.data.layouts.name_words import ending, listed_names, parts_and_classes, stem
from limpide.data.layouts.part_folders import (
    cut_names,
    lift_parts,
    parts_of_folders,
    read_parts,
    set_aside,
    without_cut_groups,
)
from limpide.text.messages import N_, Message, message

BOX = re.compile(rb"\d+( -?\d*\.\d+){4}")  # class, centre and size, as YOLO writes them
BOXES = 0.5  # share of the pictures that have a file of boxes


@dataclass(frozen=True)
class Layout:
    """Parallel lists over the used pictures, with the notes and the ignored files."""

    files: Sequence[int]  # indices in the given names
    labels: Sequence[str]
    parts: Sequence[str]  # "" where the user gave none
    groups: Sequence[str]  # images of one group belong together; "" in none
    says: Message
    from_names: bool = False  # the classes are in the file names, which are weaker evidence than folders
    notes: Sequence[Message] = ()
    left: Sequence[tuple[int, str]] = ()  # pictures without a class, and the reason (msgid)
    ignored: Sequence[Ignored] = ()


def read_layout(names: Sequence[str], where: str, hints: Hints | None = None, start: Start = lambda _: b"") -> Layout:
    """`names` are paths with "/" between folders. Raises DataError if no layout is recognised, UsageError if a hint
    does not fit.
    """
    hints = hints or Hints()
    paths = [tuple(name.split("/")) for name in names]
    sifted = sift_files(paths, start)
    if not sifted.pictures:
        raise _no_picture(names, where)
    rows = ImagePaths({i: paths[i] for i in sifted.pictures})
    try:
        says = _arrange(rows, hints, where)
    except DataError:
        _refuse_boxes(names, sifted.pictures, where, start)
        raise
    if rows.from_names or len(set(rows.labels.values())) < 2:
        _refuse_boxes(names, sifted.pictures, where, start, sure=rows.from_names)
    if sifted.doubtful and set(sifted.doubtful) & set(rows.labels.values()):
        rows.notes.append(
            message(
                N_("learned as a class, though such a name usually means masks or copies of other images: {names}"),
                names=listed_names(sifted.doubtful),
            )
        )
    files = sorted(rows.labels)
    left = sorted(
        (rows.left | {i: NO_PLACE for i in rows.inner if i not in rows.labels and i not in rows.left}).items()
    )
    return Layout(
        files,
        [rows.labels[i] for i in files],
        [rows.parts.get(i, "") for i in files],
        [rows.groups.get(i, "") for i in files],
        says,
        rows.from_names,
        rows.notes,
        left,
        [*sifted.ignored, *rows.ignored],
    )


def _arrange(rows: ImagePaths, hints: Hints, where: str) -> Message:
    """Fills rows; returns the layout in a sentence."""
    unwrap(rows)
    if hints.parts == "auto":
        set_aside(rows)
        unwrap(rows)
    if hints.parts == "auto" and (
        both := parts_and_classes({path[0] for path in rows.inner.values() if len(path) > 1})
    ):
        says = message(N_("layout: one folder per class and part, as in {name}"), name=min(both))
        cut_names(rows, both)
    elif parts := parts_of_folders(rows, hints, where):
        says = read_parts(rows, parts, where)
    elif (level := lift_parts(rows, hints)) and (parts := parts_of_folders(rows, hints, where)):
        says = read_parts(rows, parts, where)
        without_cut_groups(rows, around=True)
        if level == 1 and all(rows.inner[i][0] == label for i, label in rows.labels.items()):
            says = message(N_("layout: one folder per class, with one subfolder per part"))
    elif any(len(path) > 1 for path in rows.inner.values()):
        says = read_classes(rows, hints, where)
    else:
        says = _read_loose(rows, hints, where)
    one_form(rows)
    return says


def _read_loose(rows: ImagePaths, hints: Hints, where: str) -> Message:
    """The classes are in the file names; else all files have the class of the folder around them, or that of good
    parts.
    """
    try:
        return label_by_names(rows, list(rows.inner), where)
    except DataError:
        if not rows.skipped and not hints.good:
            raise
        rows.labels |= dict.fromkeys(rows.inner, rows.skipped[-1] if rows.skipped else hints.good)
        return message(N_("layout: one folder per class") if rows.skipped else N_("layout: a folder of one class"))


# -- folders that do not hold classes


def _refuse_boxes(
    names: Sequence[str], pictures: Sequence[int], where: str, start: Start, *, sure: bool = False
) -> None:
    """Raises DataError if files give the positions of objects on the pictures, and nothing gives one class per picture.

    sure: only if the files can be nothing else, as the file names do give classes.
    """
    if boxes := _find_boxes(names, pictures, start, sure):
        raise DataError("L286", where=where, file=boxes)


def _find_boxes(names: Sequence[str], pictures: Sequence[int], start: Start, sure: bool) -> str:
    """A file that gives the positions of objects on a picture; "" if there is none."""
    stems = {stem(names[i]) for i in pictures}
    beside = [i for i, name in enumerate(names) if ending(name) in (".txt", ".xml", ".json") and stem(name) in stems]
    if (
        beside
        and len({stem(names[i]) for i in beside}) >= BOXES * len(stems)
        and (not sure or BOX.match(start(beside[0])))
    ):
        return names[beside[0]]
    return "" if sure else next((name for name in names if re.search(r"(instances_|coco).*\.json$", name.lower())), "")


def _no_picture(names: Sequence[str], where: str) -> DataError:
    packed = [name for name in names if ending(name) in (".zip", ".tar", ".tgz", ".gz", ".7z", ".rar")]
    if packed:
        return DataError("L287", where=where, names=listed_names(packed))
    return DataError("L288", where=where, todo=EXAMPLE, names=listed_names(list(names)))
