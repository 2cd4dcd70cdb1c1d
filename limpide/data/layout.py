"""File names → classes and parts: the ways in which people arrange images in folders. Names alone decide; nothing is opened."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from limpide.errors import DataError
from limpide.language import N_, Message, message

# Folder names that mean a part rather than a class.
PART_NAMES = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}
PICTURES = (".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".heic", ".avif")
NO_PLACE = N_("neither its folder nor its name says its class")
IGNORED = {"__macosx", "thumbs.db", "desktop.ini", "icon\r"}
# What cameras and programs put before a number says nothing about what is on the image.
NO_CLASS = {"img", "image", "dsc", "dscn", "dscf", "pxl", "photo", "picture", "pic", "frame", "screenshot", "scan", "untitled", "p", "sam", "mvi", "wa", "gopr"}
FROM_NAME = re.compile(r"^(.*?[^\W\d_].*?)[\s._-]*\(?\d+\)?\.\w+$")
FEW_LOOSE = 5  # files beside the class folders that do not keep a folder from being a mere wrapper
NAMED_SHARE = 0.95  # of the files must carry a class in their name

EXAMPLE = N_("put the images of each class into a folder of its own: photos/cat/1.jpg, photos/dog/2.jpg")


@dataclass(frozen=True)
class Layout:
    """Parallel lists over the files that are used."""

    files: Sequence[int]  # places in the names that were given
    labels: Sequence[str]
    parts: Sequence[str]  # "" where the user said nothing
    says: Message

    def unused(self, names: Sequence[str]) -> list[str]:
        """Pictures whose place says no class: the unlabelled test images of a competition, say. A read-me is not meant."""
        used = set(self.files)
        return [name for i, name in enumerate(names) if i not in used and name.lower().endswith(PICTURES)]


def ignored(name: str) -> bool:
    """Hidden files, and what systems leave behind."""
    return name.startswith(".") or name.lower() in IGNORED


def arranged(names: Sequence[str], where: str) -> Layout:
    """`names` are paths with "/" between folders. Raises DataError when no arrangement is recognised."""
    split = [tuple(name.split("/")) for name in names]
    skip = _wrapping(split)
    inner = [parts[skip:] for parts in split]
    rows = [i for i, parts in enumerate(inner) if len(parts) >= 2]  # a read-me beside the folders says nothing
    tops = {inner[i][0].lower() for i in rows}
    if rows and tops <= PART_NAMES.keys():
        deep = [i for i in rows if len(inner[i]) >= 3]
        if deep:
            parts = [PART_NAMES[inner[i][0].lower()] for i in deep]
            return Layout(deep, [inner[i][1] for i in deep], parts, message(N_("layout: a folder a part, with a folder a class in it")))
        return _by_name(rows, inner, [PART_NAMES[inner[i][0].lower()] for i in rows], where)
    if not rows:
        flat = [i for i, parts in enumerate(inner) if len(parts) == 1]
        return _by_name(flat, inner, [""] * len(flat), where)
    if len(tops & PART_NAMES.keys()) > 1 and any(len(inner[i]) >= 3 and inner[i][0].lower() in PART_NAMES for i in rows):
        strange = sorted({inner[i][0] for i in rows if inner[i][0].lower() not in PART_NAMES})
        raise DataError(
            "L236",
            N_("some folders are parts and others are not: {names}"),
            where=where,
            todo=N_("move those elsewhere, or into the parts"),
            names=", ".join(strange),
        )
    deep = [i for i in rows if len(inner[i]) >= 3]
    second = {inner[i][1].lower() for i in deep}
    if len(second) > 1 and second <= PART_NAMES.keys() and len(rows) - len(deep) <= FEW_LOOSE:
        parts = [PART_NAMES[inner[i][1].lower()] for i in deep]
        return Layout(deep, [inner[i][0] for i in deep], parts, message(N_("layout: a folder a class, with a folder a part in it")))
    says = message(N_("layout: a folder a class"))
    if skip:
        says = message(N_("layout: a folder a class, below {folder}"), folder="/".join(split[rows[0]][:skip]))
    return Layout(rows, [inner[i][0] for i in rows], [""] * len(rows), says)


def _wrapping(split: Sequence[tuple[str, ...]]) -> int:
    """How many folders only wrap the others: 2 for data/photos/cat/1.jpg beside data/photos/dog/1.jpg, as archives often hold them."""
    skip = 0
    while True:
        deep = [parts[skip:] for parts in split if len(parts) > skip + 1]
        tops, loose = {parts[0] for parts in deep}, sum(len(parts) == skip + 1 for parts in split)
        if len(tops) > 1:
            return skip
        if not tops or (skip and loose > FEW_LOOSE) or next(iter(tops)).lower() in PART_NAMES:
            return 0
        skip += 1


def _by_name(rows: Sequence[int], inner: Sequence[tuple[str, ...]], parts: Sequence[str], where: str) -> Layout:
    """The class of each file from its name: cat_001.jpg, dog.12.png."""
    found = [FROM_NAME.match(inner[i][-1]) for i in rows]
    labels = [m.group(1).strip(" ._-") if m else "" for m in found]
    counts = Counter(label for label in labels if label)
    known = {label for label, n in counts.items() if n >= 2 and label.lower() not in NO_CLASS}
    if len(known) < 2 or sum(counts[label] for label in known) < NAMED_SHARE * len(rows) or len(known) > len(rows) / 2:
        raise DataError("L203", N_("the files are not in class folders"), where=where, todo=EXAMPLE)
    kept = [k for k, label in enumerate(labels) if label in known]
    says = message(N_("layout: the class is in the file name: {file} is {label}"), file=inner[rows[kept[0]]][-1], label=labels[kept[0]])
    return Layout([rows[k] for k in kept], [labels[k] for k in kept], [parts[k] for k in kept], says)
