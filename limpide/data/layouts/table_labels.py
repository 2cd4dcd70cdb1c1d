"""The meaning of the cells in the chosen columns: the label and the part of each row."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from limpide.core.errors import DataError
from limpide.data.layouts.name_words import part_of
from limpide.data.layouts.table_cells import Cells
from limpide.data.layouts.table_columns import NO, OTHER_TASK, SHORT, YES, ColumnMeaning, is_flag, several_labels

# missing labels as programs write them; none and unknown may be classes
UNKNOWN = {"nan", "<na>", "n/a", "#n/a", "null", "nat"}
SIGNS = (r"\s*[|;]\s*", r"\s*,\s*", r"\s*/\s*", r"\s*\+\s*", r"\s*&\s*")  # between labels
SEPARATORS = (*SIGNS, r"\s+and\s+", r"\s+")
SEVERAL_LABELS = "\n"  # in place of the label of a row that has several; no cell has this value
# for a split column of 0, 1 and 2; if it only has 0 and 1, 1 is the test
NUMBERED = {"0": "train", "1": "validation", "2": "test"}


def labels_of(cells: Cells, meaning: ColumnMeaning) -> list[str]:
    """The label of each row. Raises DataError for several labels per image, and for measured numbers."""
    columns = cells.columns
    if meaning.one_hot:
        marked = [
            [name for name in meaning.one_hot if columns[name][i].strip().lower() in YES] for i in range(len(cells))
        ]
        return [names[0] if len(names) == 1 else SEVERAL_LABELS if names else "" for names in marked]
    if not meaning.label:
        return [""] * len(cells)
    labels = [
        "" if label.strip().lower() in UNKNOWN or label.strip() == "NA" else label.strip()
        for label in columns[meaning.label]
    ]
    _refuse_other_tasks(cells, [label for label in labels if label])
    return labels


def _refuse_other_tasks(cells: Cells, filled: Sequence[str]) -> None:
    """Raises DataError for several labels per image, and for measured numbers."""
    lists = [label for label in filled if any(mark in label for mark in "|;[")]
    if len(lists) > OTHER_TASK * len(filled):
        raise several_labels(f"{cells.path}: {lists[0]}")
    if several := _find_joined_labels(filled):
        raise several_labels(f"{cells.path}: {several}")
    fractions = {label for label in filled if re.fullmatch(r"[-+]?\d*[.,]\d*[1-9]\d*(e[-+]?\d+)?", label.lower())}
    # many, or one for nearly each image
    if len(fractions) > min(max(20, OTHER_TASK * len(filled)), max(4, 0.5 * len(filled))):
        raise DataError("L229", where=f"{cells.path}: {sorted(fractions)[0]}")


def _find_joined_labels(filled: Sequence[str]) -> str:
    """A cell that holds several labels, each of which is alone in other rows, or that occurs in another order; "" if
    there is none.
    """
    counts = Counter(filled)
    for separator in SEPARATORS:
        joined = {label: re.split(separator, label) for label in counts if re.search(separator, label)}
        joined = {label: parts for label, parts in joined.items() if len(parts) > 1 and all(parts)}
        sets = Counter(frozenset(parts) for parts in joined.values())
        certain = [
            label
            for label, parts in joined.items()
            if all(part in counts for part in parts) or sets[frozenset(parts)] > 1
        ]
        if separator in SIGNS and (joined_label := _find_among_others(joined, counts)):
            return joined_label
        if sum(counts[label] for label in certain) > 0.02 * len(filled) and len(certain) >= (
            2 if separator == r"\s+" else 1
        ):
            return certain[0]
    return ""


def _find_among_others(joined: Mapping[str, Sequence[str]], counts: Mapping[str, int]) -> str:
    """The first of "cat, dog" and "dog", or of "a, b", "b, c" and "a, c"; "" for "cat, big" and "dog, big", where each
    word has a fixed position.
    """
    alone = [label for label, parts in joined.items() if any(part in counts for part in parts)]
    if sum(counts[label] for label in alone) > OTHER_TASK * sum(counts.values()):
        return alone[0]
    times = Counter(part for parts in joined.values() for part in parts)
    places: dict[str, set[int]] = defaultdict(set)
    for parts in joined.values():
        for place, part in enumerate(parts):
            places[part].add(place)
    again = [label for label, parts in joined.items() if all(times[part] > 1 for part in parts)]
    moved = any(len(positions) > 1 for positions in places.values())
    return again[0] if moved and sum(counts[label] for label in again) > 0.5 * sum(counts.values()) else ""


def parts_in_column(cells: Cells, meaning: ColumnMeaning) -> list[str]:
    """The part of each row, "" if there is none, name_words.UNLABELED for images to be labelled. Raises DataError."""
    if not meaning.part:
        return [""] * len(cells)
    column = [cell.strip().lower() for cell in cells.columns[meaning.part]]
    values = set(column) - {""}
    part = part_of(meaning.part)
    if part and is_flag(values):
        other = "test" if part[0] == "train" else "train"
        marked = not values & {*NO}  # only rows of the part are marked
        return [part[0] if cell in YES else other if cell or marked else "" for cell in column]
    whole = {value.removesuffix(".0") for value in values}
    if "0" in whole <= set(NUMBERED):  # 1 and 2 may be folds, or training and test
        numbered = NUMBERED if "2" in whole else {"0": "train", "1": "test"}
        return ["" if not cell else numbered[cell.removesuffix(".0")] for cell in column]
    parts_by_cell = {
        cell.lower(): part_of(SHORT.get(cell.lower(), cell))
        for cell in map(str.strip, cells.columns[meaning.part])
        if cell
    }
    for value, part_and_rest in parts_by_cell.items():
        if not part_and_rest or part_and_rest[1]:
            raise DataError("L227", where=f"{cells.path}: {meaning.part} = {value}")
    return ["" if not cell else parts_by_cell[cell][0] for cell in column]  # type: ignore[index]
