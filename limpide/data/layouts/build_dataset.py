"""The result of reading folders, an archive or tables → the Dataset, with its name and the images that are left out."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from limpide.core.errors import DataError
from limpide.data.dataset import Dataset, FileImages, Images, Names, parts_given_by_user
from limpide.data.layouts.class_folders import EXAMPLE
from limpide.data.layouts.hints import Hints
from limpide.data.layouts.ignored_files import UNLABELED_IMAGES, Ignored
from limpide.data.layouts.layout import Layout
from limpide.data.layouts.name_words import says_nothing
from limpide.data.layouts.table import Table
from limpide.data.layouts.table_rows import read_tables
from limpide.text.messages import Message, message


def build_from_layout(
    path: Path,
    images: Images,
    names: Sequence[str],
    layout: Layout,
    notes: Sequence[Message],
    ignored: Sequence[Ignored],
) -> Dataset:
    """names: all that the layout was read from; images: those that it uses."""
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
        raise DataError("L203", where=path, todo=EXAMPLE)
    dataset = _build(path, images, layout.labels, layout.parts, groups, left, [layout.says, *notes])
    return replace(
        dataset, grouped_by="" if groups is None else "folder", ignored=[*ignored, *layout.ignored, *unlabeled]
    )


def build_from_tables(
    path: Path,
    tables: Sequence[Table],
    parts: Sequence[str],
    hints: Hints,
    ignored: Sequence[Ignored] = (),
    notes: Sequence[Message] = (),
) -> Dataset:
    """parts: the part of each table itself, where its rows give none."""
    root = tables[0].root if len(tables) == 1 else path.resolve()
    rows = read_tables(tables, parts, root, hints)
    if not rows.files:
        raise DataError(
            "L291",
            where=tables[0].cells.path,
            reason=message(Counter(reason for _, reason in rows.left_out).most_common(1)[0][0]).to_json(),
        )
    unlabeled = sum(reason == UNLABELED_IMAGES for _, reason in rows.left_out)
    left = [(file, reason) for file, reason in rows.left_out if reason != UNLABELED_IMAGES]
    more = [Ignored(tables[0].cells.path.name, unlabeled, UNLABELED_IMAGES)] if unlabeled else []
    images = FileImages(rows.root, Names(rows.files))
    dataset = _build(path, images, rows.labels, rows.parts, rows.groups, left, [*rows.notes, *notes])
    return replace(dataset, grouped_by=rows.grouped_by, ignored=[*ignored, *more])


def _build(
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
        name=_choose_name(path.resolve()),
        location=str(path.resolve()),
        images=images,
        labels=np.fromiter((index[label] for label in labels), np.int32, len(labels)),
        classes=classes,
        given=parts_given_by_user(parts),
        groups=groups,
        left_out=left,
        notes=notes,
    )


def _choose_name(path: Path) -> str:
    """The name of runs on these data: instead of a name that says nothing (train, images, labels.csv), that of the
    folder around it.

    Neither a home folder nor a folder at the top of a disk is named after these images.
    """
    name = stem = path.name if path.is_dir() else path.name.split(".")[0]
    above, home = path.parent, Path(os.path.expanduser("~"))  # noqa: PTH111 (Path.home raises where there is none)
    while says_nothing(stem) and above.parent != above.parent.parent and above not in (home, home.parent):
        stem, above = above.name, above.parent
    return name if says_nothing(stem) else stem
