"""A zip or tar → a Dataset: its members are arranged as the files of a folder are. Tables in it are not read."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from limpide.core.errors import DataError
from limpide.data.dataset import Dataset, Names
from limpide.data.decoding.decode import Undecodable
from limpide.data.layouts import archive
from limpide.data.layouts.build_dataset import build_from_layout
from limpide.data.layouts.class_folders import EXAMPLE
from limpide.data.layouts.hints import Hints
from limpide.data.layouts.ignored_files import Ignored
from limpide.data.layouts.layout import Layout, read_layout
from limpide.data.layouts.list_files import report_skipped
from limpide.data.layouts.name_words import ending, is_system
from limpide.text.messages import N_, message

TABLES = (".csv", ".tsv", ".parquet", ".jsonl")


def scan_archive(text: str, path: Path, hints: Hints) -> Dataset:
    names, places, readable, kind, refused = archive.members(path)
    chosen, ignored = _choose_members(names)
    if not chosen and refused:
        raise DataError("L238", where=text, todo=EXAMPLE, reason=message(refused[0][1]).to_json())
    if not chosen:
        raise DataError("L234", where=text, todo=EXAMPLE)
    members = archive.ArchiveImages(readable.resolve(), Names(names[i] for i in chosen), places[chosen], kind)
    unread = ", ".join(names[i] for i in chosen if ending(names[i]) in TABLES)
    layout = _read_members(members, text, hints, unread)
    notes = [*layout.notes]
    if unread:
        notes.append(message(N_("a table inside an archive is not read: {names}"), names=unread))
    rows = [chosen[i] for i in layout.files]
    images = archive.ArchiveImages(readable.resolve(), Names(names[i] for i in rows), places[rows], kind)
    dataset = build_from_layout(path, images, members.names, layout, notes, ignored)
    return replace(dataset, left_out=[*refused, *dataset.left_out])


def _choose_members(names: Sequence[str]) -> tuple[list[int], list[Ignored]]:
    """(indices of the members that are not system files, the ignored system folders)."""
    chosen, skipped = [], defaultdict(list)
    for i, name in enumerate(names):
        place = name.split("/")
        k = next((k for k, part in enumerate(place) if is_system(part)), None)
        if k is None:
            chosen.append(i)
        elif k < len(place) - 1:
            skipped["/".join(place[: k + 1])].append(name)
    return chosen, [one for folder, files in sorted(skipped.items()) for one in report_skipped(folder, files)]


def _read_members(members: archive.ArchiveImages, text: str, hints: Hints, unread: str) -> Layout:
    """unread: the tables among the members. Raises DataError, which names them if the folders give no classes."""
    table = DataError("L242", where=f"{text}: {unread}")
    try:
        layout = read_layout(list(members.names), text, hints, lambda i: _read_start(members, i))
    except DataError:
        if unread:
            raise table from None
        raise
    if unread and len(set(layout.labels)) < 2:
        raise table
    return layout


def _read_start(members: archive.ArchiveImages, i: int) -> bytes:
    with contextlib.suppress(Undecodable):
        return members.start(i)
    return b""
