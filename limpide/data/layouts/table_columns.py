"""Which column of a table says what: the file, the label, the part, and what belongs together. Names that people use,
checked by what the cells hold.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from limpide.core.errors import DataError, UsageError, nearest
from limpide.data.layouts.hints import Hints
from limpide.data.layouts.name_words import PICTURES, UNLABELED, ending, part_of, words
from limpide.data.layouts.table_cells import Cells
from limpide.text.messages import N_, Message, message

Columns = Mapping[str, Sequence[str]]

FILE_COLUMNS = (
    *(
        "file",
        "filename",
        "file_name",
        "path",
        "filepath",
        "file_path",
        "image",
        "image_path",
        "img",
        "img_path",
        "name",
        "image_name",
        "img_name",
    ),
    *(
        "image_file",
        "fname",
        "filenames",
        "images",
        "photo",
        "picture",
        "image_id",
        "imageid",
        "img_id",
        "id_code",
        "isic_id",
        "image_index",
        "id",
        "url",
    ),
    *(
        "fichier",
        "nom_fichier",
        "nom_du_fichier",
        "chemin",
        "datei",
        "dateiname",
        "pfad",
        "bild",
        "bildname",
        "foto",
        "archivo",
        "imagen",
        "arquivo",
        "imagem",
        "immagine",
    ),
)
LABEL_COLUMNS = (
    *(
        "label",
        "class",
        "category",
        "target",
        "y",
        "class_name",
        "label_name",
        "classname",
        "labels",
        "classes",
        "species",
        "diagnosis",
        "breed",
        "dx",
    ),
    *(
        "disease",
        "category_name",
        "variety",
        "cultivar",
        "emotion",
        "expression",
        "condition",
        "defect",
        "quality",
        "type",
        "kind",
        "grade",
        "level",
    ),
    *(
        "finding",
        "material",
        "genus",
        "family",
        "result",
        "outcome",
        "ground_truth",
        "tag",
        "class_id",
        "classid",
        "label_id",
        "category_id",
        "gt",
    ),
    *(
        "classe",
        "etiquette",
        "categorie",
        "espece",
        "klasse",
        "kategorie",
        "clase",
        "etiqueta",
        "categoria",
        "especie",
        "diagnostic",
        "diagnose",
        "diagnostico",
    ),
)
# Said of pictures of any kind: beside class folders they are the label only in a table that calls itself one of labels.
OF_ANYTHING = ("quality", "type", "kind", "level", "grade", "condition", "result", "outcome", "tag", "material")
# in their names
LABEL_TABLES = {
    "label",
    "labels",
    "train",
    "training",
    "class",
    "classes",
    "annotation",
    "annotations",
    "truth",
    "target",
    "targets",
}
SPLIT_COLUMNS = ("split", "subset", "partition", "train_test", "train_or_test", "aufteilung")
# of leaf and stem, A and B, too: then they are no split
AMBIGUOUS = ("part", "set", "phase", "usage", "data_set", "dataset")
# of 1 and 0, or true and false; so are is_train, in_test
FLAGS = ("train", "training", "test", "valid", "val", "validation")
MAX_PARTS = 12  # different words, at most, in a column of parts
# What a row's images have in common and must not be cut by a split.
GROUP_COLUMNS = (
    "group",
    "patient",
    "person",
    "subject",
    "camera",
    "burst",
    "site",
    "session",
    "sequence",
    "video",
    "individual",
    "user",
    "location",
    "date",
)
FOLD_COLUMNS = ("fold", "folds", "kfold", "k_fold", "cv_fold", "cv")
YES, NO = ("1", "1.0", "true", "yes", "y", "t", "x"), ("0", "0.0", "false", "no", "n", "f")
NUMBERS = {"0", "1", "2", "3", "0.0", "1.0", "2.0", "3.0"}  # in a column that could be of parts: it is
SHORT = {"tr": "train", "te": "test", "ts": "test", "va": "validation", "vl": "validation"}  # in such a column, too
# a column split of 0, 1 and 2; where there are 0 and 1 alone, 1 is the test
NUMBERED = {"0": "train", "1": "validation", "2": "test"}
OTHER_TASK = 0.05  # share of the cells
# as programs write that there is no label; none and unknown may be classes
UNKNOWN = {"nan", "<na>", "n/a", "#n/a", "null", "nat"}
SIGNS = (r"\s*[|;]\s*", r"\s*,\s*", r"\s*/\s*", r"\s*\+\s*", r"\s*&\s*")  # that stand between labels
SEPARATORS = (*SIGNS, r"\s+and\s+", r"\s+")
BOX_COLUMNS = {"xmin", "ymin", "xmax", "ymax"}
SEVERAL_LABELS = "\n"  # instead of the label of a row that has several; no cell is one
MAX_UNMARKED = 0.2  # share of the rows of one-hot columns that may have no label


@dataclass(frozen=True)
class ColumnMeaning:
    """Names of columns, "" where there is none. one_hot: columns that are the classes, one of them 1 in each row."""

    file: str
    label: str
    part: str = ""
    groups: Sequence[str] = ()
    one_hot: Sequence[str] = ()
    notes: list[Message] = field(default_factory=list)


def read_columns(cells: Cells, hints: Hints, *, known_only: bool = False, of_parts: bool = False) -> ColumnMeaning:
    """Raises DataError where no column names files or labels, UsageError for a column that is not there.

    known_only: folders say classes, so the label column has to have one of LABEL_COLUMNS' names, where it is not named
    by the user. of_parts: nor does it need one.
    """
    columns = cells.columns
    file = _asked(cells, hints.file_column) or _file_column(columns)
    if not file:
        raise _lacks(cells, "file", "--file-column")
    wanted = "" if hints.split_column == "none" and "none" not in columns else hints.split_column
    part = _asked(cells, wanted) or ("" if hints.split_column else _part_column(cells, file, hints.label_column))
    notes: list[Message] = []
    groups = _groups(cells, hints.groups, {file, part}, notes)
    label = _asked(cells, hints.label_column) or _known_label(
        columns,
        {file, part, *groups},
        OF_ANYTHING if known_only and not LABEL_TABLES & {*words(cells.path.stem)} else (),
    )
    one_hot = [] if label else _one_hot(cells, {file, part, *groups})
    if not label and not one_hot:
        if not known_only:
            label = _only_candidate(columns, {file, part, *groups})
        if not label and not of_parts:
            raise _lacks(cells, "label", "--label-column")
    if {_plain(name).replace("_", "") for name in columns} >= BOX_COLUMNS and not hints.label_column:
        raise DataError(
            "L298",
            N_(
                "these are data for object detection: the table says where things are on a picture, and limpide "
                "gives one class to a whole picture"
            ),
            where=cells.path,
            todo=N_(
                "cut the objects out, or name the column that says one class for each picture: --label-column {label}"
            ),
            label=label or "NAME",
        )
    groups = [name for name in groups if name != label]
    folds = [name for name in columns if _plain(name) in FOLD_COLUMNS and name not in (file, label, part)]
    if folds:
        notes.append(
            message(
                N_(
                    "column {name} holds folds of a cross-validation, which are no parts: --split-column names a "
                    "column of train and test"
                ),
                name=folds[0],
            )
        )
    unused = [name for name in columns if name not in {file, label, part, *groups, *one_hot, *folds}]
    if unused:
        notes.append(
            message(
                N_("columns not used: {names} (--groups NAME keeps images with the same value together)"),
                names=", ".join(unused),
            )
        )
    return ColumnMeaning(file, label, part, groups, one_hot, notes)


def _plain(name: str) -> str:
    return "_".join(words(name))


def _one_of(columns: Columns, known: Sequence[str]) -> list[str]:
    """Those that have one of the known names, in the order in which they are known."""
    found = {_plain(name): name for name in columns}
    return [found[name] for name in known if name in found]


def _asked(cells: Cells, name: str) -> str:
    if name and name not in cells.columns:
        guess = nearest(name, cells.columns)
        raise UsageError(
            "L116",
            N_("the table has no column of this name"),
            where=f"{cells.path}: {name}",
            todo=N_("did you mean {guess}?") if guess else N_("its columns are {names}"),
            guess=guess,
            names=", ".join(cells.columns),
        )
    return name


def _lacks(cells: Cells, meaning: str, option: str) -> DataError:
    return DataError(
        "L225",
        N_("the table has no column {meaning}; it has {names}"),
        where=cells.path,
        todo=N_("name the column: {option} NAME"),
        meaning=meaning,
        names=", ".join(cells.columns),
        option=option,
    )


def _file_column(columns: Columns) -> str:
    """One of a known name, first of those whose cells end like pictures; else one whose cells do."""
    known = _one_of(columns, FILE_COLUMNS)
    like = [
        name
        for name, some in columns.items()
        if sum(ending(cell.strip()) in PICTURES for cell in some) > 0.5 * len(some)
    ]
    return (
        next((name for name in known if name in like), "")
        or next(iter(like), "")
        or next((name for name in known if _told_apart(columns[name])), "")
    )


def _told_apart(some: Sequence[str]) -> bool:
    """Whether nearly every row has another value, as names of files do."""
    return len(set(some)) > 0.5 * len(some)


def _known_label(columns: Columns, taken: set[str], doubtful: Sequence[str]) -> str:
    """The first of a known name that tells rows apart; one that says the same of all of them only where there is no
    other.
    """
    known = [name for name in _one_of(columns, LABEL_COLUMNS) if name not in taken and _plain(name) not in doubtful]
    several = [name for name in known if len({cell.strip() for cell in columns[name] if cell.strip()}) > 1]
    return next(iter(several or known), "")


def _only_candidate(columns: Columns, taken: set[str]) -> str:
    """The one column left that can be classes: several values, each more than once, no measured numbers; "" where
    several can.
    """
    found = []
    for name, some in columns.items():
        counts = Counter(cell.strip() for cell in some if cell.strip())
        plain = _plain(name)
        if (
            name in taken
            or plain in (*FOLD_COLUMNS, *FILE_COLUMNS)
            or len(counts) < 2
            or len(counts) > 0.5 * sum(counts.values())
        ):
            continue
        if not any(re.fullmatch(r"[-+]?\d*\.\d*[1-9]\d*", value) for value in counts):
            found.append(name)
    return found[0] if len(found) == 1 else ""


def _one_hot(cells: Cells, taken: set[str]) -> list[str]:
    """The columns of 0 and 1, or yes and no, of which one is 1 in nearly each row. Raises DataError where several often
    are.
    """
    columns = cells.columns
    held = {name: {cell.strip().lower() for cell in some} for name, some in columns.items() if name not in taken}
    names = [name for name, some in held.items() if some - {""} and some <= {*YES, *NO, ""}]
    if len(names) < 2:
        return []
    sums = [sum(columns[name][i].strip().lower() in YES for name in names) for i in range(len(cells))]
    if sum(n > 1 for n in sums) > OTHER_TASK * len(sums):
        raise _several_labels(f"{cells.path}: {', '.join(names[:5])}")
    return names if sum(n == 0 for n in sums) <= MAX_UNMARKED * len(sums) else []


def _part_column(cells: Cells, file: str, label: str) -> str:
    """One of a known name, unless its cells say something else; else one that marks a part; else one whose cells are
    words for parts, whatever its name.
    """
    values = {
        name: {cell.strip() for cell in some} - {""}
        for name, some in cells.columns.items()
        if name not in (file, label)
    }
    known = [name for name in _one_of(cells.columns, (*SPLIT_COLUMNS, *AMBIGUOUS)) if values.get(name)]
    split = [
        name
        for name in known
        if _plain(name) in SPLIT_COLUMNS
        or values[name] <= NUMBERS
        or any(value.lower() in SHORT for value in values[name])
        or any(map(_part_alone, values[name]))
    ]
    flags = [name for name, some in values.items() if _marks_a_part(name) and _is_flag(some)]
    words_only = [
        name
        for name, some in values.items()
        if len(some) <= MAX_PARTS and len(said := {*map(_part_alone, some)}) > 1 and "" not in said
    ]
    return next(iter((*split, *flags, *words_only)), "")


def _part_alone(name: str) -> str:
    """The part that a word says, where it says nothing else."""
    part = part_of(name)
    return part[0] if part and not part[1] else ""


def _marks_a_part(name: str) -> bool:
    """is_valid, in_test, train: a column of yes and no."""
    part = part_of(name)
    return (
        part is not None
        and part[0] != UNLABELED
        and (_plain(name) in FLAGS or (len(part[1]) == 1 and part[1][0] in ("is", "in")))
    )


def _is_flag(values: set[str]) -> bool:
    return bool(values) and {value.lower() for value in values} <= {*YES, *NO}


def _groups(cells: Cells, wanted: str, taken: set[str], notes: list[Message]) -> list[str]:
    columns = cells.columns
    if wanted == "none":
        return []
    if wanted != "auto":
        return [_asked(cells, name.strip()) for name in wanted.split(",")]
    plain = {name: re.sub(r"_?(id|no|nr|name|number)$", "", _plain(name)) for name in columns}
    found = [name for name in columns if plain[name] in GROUP_COLUMNS and name not in taken]
    alone = [name for name in found if len({cell.strip() for cell in columns[name]}) < 2]
    for name in alone:
        notes.append(
            message(N_("column {name} has one value in all rows: it says nothing of what belongs together"), name=name)
        )
    return [name for name in found if name not in alone]


# -- what the cells say


def labels_of(cells: Cells, meaning: ColumnMeaning) -> list[str]:
    """Raises DataError for several labels an image, and for measured numbers."""
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
    filled = [label for label in labels if label]
    lists = [label for label in filled if any(mark in label for mark in "|;[")]
    if len(lists) > OTHER_TASK * len(filled):
        raise _several_labels(f"{cells.path}: {lists[0]}")
    if several := _joined_labels(filled):
        raise _several_labels(f"{cells.path}: {several}")
    fractions = {label for label in filled if re.fullmatch(r"[-+]?\d*[.,]\d*[1-9]\d*(e[-+]?\d+)?", label.lower())}
    # many, or one for nearly each image
    if len(fractions) > min(max(20, OTHER_TASK * len(filled)), max(4, 0.5 * len(filled))):
        raise DataError(
            "L229",
            N_("the labels are measured numbers, and limpide tells classes apart (regression is not supported)"),
            where=f"{cells.path}: {sorted(fractions)[0]}",
            todo=N_("cut the numbers into classes, such as low, middle and high"),
        )
    return labels


def _joined_labels(filled: Sequence[str]) -> str:
    """A cell that holds several labels, each of which stands alone in other rows, or in another order; "" where there
    is none.
    """
    counts = Counter(filled)
    for separator in SEPARATORS:
        joined = {label: re.split(separator, label) for label in counts if re.search(separator, label)}
        joined = {label: parts for label, parts in joined.items() if len(parts) > 1 and all(parts)}
        sets = Counter(frozenset(parts) for parts in joined.values())
        known = [
            label
            for label, parts in joined.items()
            if all(part in counts for part in parts) or sets[frozenset(parts)] > 1
        ]
        if separator in SIGNS and (some := _among_others(joined, counts)):
            return some
        if sum(counts[label] for label in known) > 0.02 * len(filled) and len(known) >= (
            2 if separator == r"\s+" else 1
        ):
            return known[0]
    return ""


def _among_others(joined: Mapping[str, Sequence[str]], counts: Mapping[str, int]) -> str:
    """Of "cat, dog" and "dog", or "a, b", "b, c" and "a, c", the first; "" of "cat, big" and "dog, big", where each
    part has its place.
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
    moved = any(len(some) > 1 for some in places.values())
    return again[0] if moved and sum(counts[label] for label in again) > 0.5 * sum(counts.values()) else ""


def _several_labels(where: str) -> DataError:
    return DataError(
        "L215",
        N_(
            "images seem to have several labels each, and limpide gives one class to an image (multi-label is "
            "not supported)"
        ),
        where=where,
        todo=N_("keep one label an image, or train one model a label"),
    )


def parts_in_column(cells: Cells, meaning: ColumnMeaning) -> list[str]:
    """The part of each row, "" where none is said, words.UNLABELED of images that wait to be named. Raises
    DataError.
    """
    if not meaning.part:
        return [""] * len(cells)
    some = [cell.strip().lower() for cell in cells.columns[meaning.part]]
    values = set(some) - {""}
    part = part_of(meaning.part)
    if part and _is_flag(values):
        other = "test" if part[0] == "train" else "train"
        marked = not values & {*NO}  # only what is of the part is marked
        return [part[0] if cell in YES else other if cell or marked else "" for cell in some]
    whole = {value.removesuffix(".0") for value in values}
    if "0" in whole <= set(NUMBERED):  # 1 and 2 may be folds, or training and test
        numbered = NUMBERED if "2" in whole else {"0": "train", "1": "test"}
        return ["" if not cell else numbered[cell.removesuffix(".0")] for cell in some]
    known = {
        cell.lower(): part_of(SHORT.get(cell.lower(), cell))
        for cell in map(str.strip, cells.columns[meaning.part])
        if cell
    }
    for value, found in known.items():
        if not found or found[1]:
            raise DataError(
                "L227",
                N_("the table names a part that is not known"),
                where=f"{cells.path}: {meaning.part} = {value}",
                todo=N_(
                    "use train, validation and test, or leave the cell empty; --split-column none reads no parts "
                    "from the table"
                ),
            )
    return ["" if not cell else known[cell][0] for cell in some]  # type: ignore[index]
