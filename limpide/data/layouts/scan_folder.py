"""A folder → a Dataset: the classes come from its folders, from the file names, or from tables in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from limpide.core.errors import DataError
from limpide.data.dataset import Dataset, FileImages, Names
from limpide.data.layouts.build_dataset import build_from_layout, build_from_tables
from limpide.data.layouts.class_folders import EXAMPLE
from limpide.data.layouts.folder_tables import Refused, add_parts, count_not_named, find_tables, refuse_partial
from limpide.data.layouts.hints import Hints
from limpide.data.layouts.layout import Layout, read_layout
from limpide.data.layouts.list_files import Counted, list_files, read_start
from limpide.data.layouts.name_words import ending
from limpide.data.layouts.table_cells import LISTS
from limpide.text.messages import N_, Message, message


def scan_folder(text: str, path: Path, hints: Hints, counted: Counted) -> Dataset:
    listed = list_files(path, counted)
    if not listed.names:
        raise DataError("L233", where=text, todo=EXAMPLE)
    layout, refusal = _try_layout(text, path, listed.names, hints)
    by_folders = layout is not None and len(set(layout.labels)) > 1 and not layout.from_names
    in_folder = find_tables(text, path, listed.names, hints, known_only=by_folders)
    tables, refused = in_folder.tables, in_folder.refused
    if by_folders and layout and not hints.of_a_table:
        partial = refuse_partial(path, listed.names, layout, tables)
        tables, refused = [] if partial else tables, {**refused, **partial}
    if tables:
        notes = [*_tell_unread(refused), *listed.notes]
        dataset = build_from_tables(path, tables, in_folder.parts, hints, listed.ignored, notes)
        return replace(dataset, ignored=[*dataset.ignored, *count_not_named(path, listed.names, tables)])
    refused = _without_other_lists(refused, by_folders)
    if not by_folders and refused:
        # the error of a file that is not a table of these images comes last
        raise min(refused.values(), key=lambda error: (error.code == "L225", error.code == "L293"))
    whole = layout
    if layout and by_folders and not any(layout.parts):
        layout, refused = add_parts(path, listed.names, layout, hints, refused)
    if layout is whole:
        hints.refuse_columns()
    if layout is None:
        raise refusal or AssertionError
    images = FileImages(path.resolve(), Names(listed.names[i] for i in layout.files))
    notes = [*layout.notes, *_tell_unread(refused), *listed.notes]
    return build_from_layout(path, images, listed.names, layout, notes, listed.ignored)


def _try_layout(text: str, path: Path, names: Sequence[str], hints: Hints) -> tuple[Layout | None, DataError | None]:
    """The layout, or the reason why there is none: tables may give what folders do not."""
    try:
        return read_layout(names, text, hints, lambda i: read_start(path / names[i])), None
    except DataError as error:
        return None, error


def _without_other_lists(refused: Refused, by_folders: bool) -> Refused:
    """Drops the errors of texts without labels where folders give no classes: such a text was not meant as a table."""
    return {
        name: error
        for name, error in refused.items()
        if by_folders or error.code != "L225" or ending(name) not in LISTS
    }


def _tell_unread(refused: Refused) -> list[Message]:
    """Why a table in the folder is not used, and what to type to use it."""
    says = N_("the table {name} is not read: {reason} ({todo})")
    return [
        message(says, name=name, reason=e.message().to_json(), todo=message(e.todo, **e.values).to_json())
        for name, e in refused.items()
    ]
