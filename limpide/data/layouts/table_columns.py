"""The meaning of the columns of a table: the file, the label, the part, and the groups. Names that people use, checked
against the cells.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from limpide.core.errors import DataError, UsageError, nearest
from limpide.data.layouts.hints import Hints
from limpide.data.layouts.name_words import PICTURES, UNLABELED, ending, part_of, split_words, words
from limpide.data.layouts.table_cells import Cells
from limpide.text.messages import N_, Message, message

Columns = Mapping[str, Sequence[str]]

FILE_COLUMNS = (
    *split_words("file filename file_name path filepath file_path image image_path img img_path name image_name"),
    *split_words("img_name image_file fname filenames images photo picture image_id imageid img_id id_code isic_id"),
    *split_words("image_index id url"),
    *split_words("fichier nom_fichier nom_du_fichier chemin datei dateiname pfad bild bildname foto archivo imagen"),
    *split_words("arquivo imagem immagine"),
)
LABEL_COLUMNS = (
    *split_words("label class category target y class_name label_name classname labels classes species diagnosis"),
    *split_words("breed dx disease category_name variety cultivar emotion expression condition defect quality type"),
    *split_words("kind grade level finding material genus family result outcome ground_truth tag class_id classid"),
    *split_words("label_id category_id gt"),
    *split_words("classe etiquette categorie espece klasse kategorie clase etiqueta categoria especie diagnostic"),
    *split_words("diagnose diagnostico"),
)
# Words for pictures of any kind: beside class folders they are the label only in a table whose name speaks of labels.
OF_ANYTHING = ("quality", "type", "kind", "level", "grade", "condition", "result", "outcome", "tag", "material")
# in the names of such tables
LABEL_TABLES = {*split_words("label labels train training class classes annotation annotations truth target targets")}
SPLIT_COLUMNS = ("split", "subset", "partition", "train_test", "train_or_test", "aufteilung")
# they may also hold leaf and stem, A and B: then they are not a split
AMBIGUOUS = ("part", "set", "phase", "usage", "data_set", "dataset")
# they hold 1 and 0, or true and false; so do is_train, in_test
FLAGS = ("train", "training", "test", "valid", "val", "validation")
MAX_PARTS = 12  # the largest number of different words in a column of parts
# Groups: images with the same value stay in one part.
GROUP_COLUMNS = (
    *split_words("group patient person subject camera burst site session sequence video individual user location date"),
)
FOLD_COLUMNS = ("fold", "folds", "kfold", "k_fold", "cv_fold", "cv")
YES, NO = ("1", "1.0", "true", "yes", "y", "t", "x"), ("0", "0.0", "false", "no", "n", "f")
NUMBERS = {"0", "1", "2", "3", "0.0", "1.0", "2.0", "3.0"}  # a column that may hold parts holds them with these values
SHORT = {"tr": "train", "te": "test", "ts": "test", "va": "validation", "vl": "validation"}  # in such a column
OTHER_TASK = 0.05  # share of the cells
BOX_COLUMNS = {"xmin", "ymin", "xmax", "ymax"}
MAX_UNMARKED = 0.2  # share of the rows of one-hot columns that may have no label


@dataclass(frozen=True)
class ColumnMeaning:
    """Names of columns, "" if there is none. one_hot: columns that are the classes, one of them 1 in each row."""

    file: str
    label: str
    part: str = ""
    groups: Sequence[str] = ()
    one_hot: Sequence[str] = ()
    notes: list[Message] = field(default_factory=list)


def read_columns(cells: Cells, hints: Hints, *, known_only: bool = False, of_parts: bool = False) -> ColumnMeaning:
    """The meaning of the columns. Raises DataError if no column names files or labels, UsageError for a column that
    does not exist.

    known_only: folders give the classes, so the label column must have one of the names in LABEL_COLUMNS, unless the
    user names it. of_parts: a label column is not needed.
    """
    columns = cells.columns
    file = _check_column(cells, hints.file_column) or _find_file(columns)
    if not file:
        raise _lacks(cells, "file", "--file-column")
    part = _find_part(cells, file, hints)
    notes: list[Message] = []
    groups = _find_groups(cells, hints.groups, {file, part}, notes)
    taken = {file, part, *groups}
    label = _check_column(cells, hints.label_column) or _find_known_label(cells, taken, known_only)
    one_hot = [] if label else _find_one_hot(cells, taken)
    if not label and not one_hot:
        if not known_only:
            label = _find_only_candidate(columns, taken)
        if not label and not of_parts:
            raise _lacks(cells, "label", "--label-column")
    if not hints.label_column:
        _refuse_boxes(cells, label)
    groups = [name for name in groups if name != label]
    meaning = ColumnMeaning(file, label, part, groups, one_hot, notes)
    notes += _tell_unused(columns, meaning)
    return meaning


def _refuse_boxes(cells: Cells, label: str) -> None:
    """Raises DataError for a table that gives the positions of objects on a picture."""
    if {_plain_name(name).replace("_", "") for name in cells.columns} >= BOX_COLUMNS:
        raise DataError("L298", where=cells.path, label=label or "NAME")


def _tell_unused(columns: Columns, meaning: ColumnMeaning) -> list[Message]:
    notes = []
    chosen = {meaning.file, meaning.label, meaning.part}
    folds = [name for name in columns if _plain_name(name) in FOLD_COLUMNS and name not in chosen]
    if folds:
        says = N_(
            "column {name} holds cross-validation folds, which are not parts: --split-column names a column of "
            "train and test"
        )
        notes.append(message(says, name=folds[0]))
    unused = [name for name in columns if name not in {*chosen, *meaning.groups, *meaning.one_hot, *folds}]
    if unused:
        says = N_("columns not used: {names} (--groups NAME keeps images with the same value together)")
        notes.append(message(says, names=", ".join(unused)))
    return notes


def _plain_name(name: str) -> str:
    """The name in lower case, with "_" between its words."""
    return "_".join(words(name))


def _find_known(columns: Columns, plain_names: Sequence[str]) -> list[str]:
    """The columns with one of the known names, in the order of these names."""
    names = {_plain_name(name): name for name in columns}
    return [names[name] for name in plain_names if name in names]


def _check_column(cells: Cells, name: str) -> str:
    """The name that the user gave, "" if there is none. Raises UsageError if the table has no such column."""
    if name and name not in cells.columns:
        guess = nearest(name, cells.columns)
        raise UsageError(
            "L116",
            where=f"{cells.path}: {name}",
            todo=N_("did you mean {guess}?") if guess else N_("its columns are {names}"),
            guess=guess,
            names=", ".join(cells.columns),
        )
    return name


def _lacks(cells: Cells, meaning: str, option: str) -> DataError:
    return DataError("L225", where=cells.path, meaning=meaning, names=", ".join(cells.columns), option=option)


def _find_file(columns: Columns) -> str:
    """A column with a known name, preferably one whose cells end like pictures; else any column whose cells do."""
    candidates = _find_known(columns, FILE_COLUMNS)
    like = [
        name
        for name, column in columns.items()
        if sum(ending(cell.strip()) in PICTURES for cell in column) > 0.5 * len(column)
    ]
    return (
        next((name for name in candidates if name in like), "")
        or next(iter(like), "")
        or next((name for name in candidates if _tells_apart(columns[name])), "")
    )


def _tells_apart(column: Sequence[str]) -> bool:
    """Whether nearly every row has a different value, as file names do."""
    return len(set(column)) > 0.5 * len(column)


def _find_known_label(cells: Cells, taken: set[str], known_only: bool) -> str:
    """The first column with a known name that has several values; one with a single value only if there is no other."""
    columns = cells.columns
    doubtful = OF_ANYTHING if known_only and not LABEL_TABLES & {*words(cells.path.stem)} else ()
    candidates = [
        name for name in _find_known(columns, LABEL_COLUMNS) if name not in taken and _plain_name(name) not in doubtful
    ]
    several = [name for name in candidates if len({cell.strip() for cell in columns[name] if cell.strip()}) > 1]
    return next(iter(several or candidates), "")


def _find_only_candidate(columns: Columns, taken: set[str]) -> str:
    """The one remaining column that can hold classes: several values, each more than once on average, no fractions; ""
    if several columns can.
    """
    candidates = []
    for name, column in columns.items():
        counts = Counter(cell.strip() for cell in column if cell.strip())
        plain = _plain_name(name)
        if (
            name in taken
            or plain in (*FOLD_COLUMNS, *FILE_COLUMNS)
            or len(counts) < 2
            or len(counts) > 0.5 * sum(counts.values())
        ):
            continue
        if not any(re.fullmatch(r"[-+]?\d*\.\d*[1-9]\d*", value) for value in counts):
            candidates.append(name)
    return candidates[0] if len(candidates) == 1 else ""


def _find_one_hot(cells: Cells, taken: set[str]) -> list[str]:
    """The columns of 0 and 1, or yes and no, of which one is 1 in nearly each row. Raises DataError if several often
    are.
    """
    columns = cells.columns
    values = {name: {cell.strip().lower() for cell in column} for name, column in columns.items() if name not in taken}
    names = [name for name, distinct in values.items() if distinct - {""} and distinct <= {*YES, *NO, ""}]
    if len(names) < 2:
        return []
    sums = [sum(columns[name][i].strip().lower() in YES for name in names) for i in range(len(cells))]
    if sum(n > 1 for n in sums) > OTHER_TASK * len(sums):
        raise several_labels(f"{cells.path}: {', '.join(names[:5])}")
    return names if sum(n == 0 for n in sums) <= MAX_UNMARKED * len(sums) else []


def _find_part(cells: Cells, file: str, hints: Hints) -> str:
    """The column that the user names, or the one that holds parts; "" if there is none, or the user wants none."""
    column = "" if hints.split_column == "none" and "none" not in cells.columns else hints.split_column
    if hints.split_column:
        return _check_column(cells, column)
    return _find_part_column(cells, file, hints.label_column)


def _find_part_column(cells: Cells, file: str, label: str) -> str:
    """A column with a known name, unless its cells contradict it; else one that marks a part; else one whose cells are
    words for parts, whatever its name.
    """
    values = {
        name: {cell.strip() for cell in column} - {""}
        for name, column in cells.columns.items()
        if name not in (file, label)
    }
    candidates = [name for name in _find_known(cells.columns, (*SPLIT_COLUMNS, *AMBIGUOUS)) if values.get(name)]
    split = [
        name
        for name in candidates
        if _plain_name(name) in SPLIT_COLUMNS
        or values[name] <= NUMBERS
        or any(value.lower() in SHORT for value in values[name])
        or any(map(_part_of_word, values[name]))
    ]
    flags = [name for name, distinct in values.items() if _marks_a_part(name) and is_flag(distinct)]
    words_only = [
        name
        for name, distinct in values.items()
        if len(distinct) <= MAX_PARTS and len(parts := {*map(_part_of_word, distinct)}) > 1 and "" not in parts
    ]
    return next(iter((*split, *flags, *words_only)), "")


def _part_of_word(name: str) -> str:
    """The part that a word names, if it names nothing else."""
    part = part_of(name)
    return part[0] if part and not part[1] else ""


def _marks_a_part(name: str) -> bool:
    """is_valid, in_test, train: a column of yes and no."""
    part = part_of(name)
    return (
        part is not None
        and part[0] != UNLABELED
        and (_plain_name(name) in FLAGS or (len(part[1]) == 1 and part[1][0] in ("is", "in")))
    )


def is_flag(values: set[str]) -> bool:
    return bool(values) and {value.lower() for value in values} <= {*YES, *NO}


def _find_groups(cells: Cells, groups: str, taken: set[str], notes: list[Message]) -> list[str]:
    columns = cells.columns
    if groups == "none":
        return []
    if groups != "auto":
        return [_check_column(cells, name.strip()) for name in groups.split(",")]
    plain = {name: re.sub(r"_?(id|no|nr|name|number)$", "", _plain_name(name)) for name in columns}
    candidates = [name for name in columns if plain[name] in GROUP_COLUMNS and name not in taken]
    alone = [name for name in candidates if len({cell.strip() for cell in columns[name]}) < 2]
    for name in alone:
        notes.append(
            message(
                N_("column {name} has the same value in all rows: it does not say which images belong together"),
                name=name,
            )
        )
    return [name for name in candidates if name not in alone]


def several_labels(where: str) -> DataError:
    return DataError("L215", where=where)
