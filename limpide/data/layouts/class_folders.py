"""The class of each picture, from the folders around it or from its name, and its group, where folders give one."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from limpide.core.errors import DataError
from limpide.data.layouts.hints import Hints
from limpide.data.layouts.ignored_files import UNLABELED_IMAGES
from limpide.data.layouts.image_paths import (
    FEW_LOOSE,
    ImagePaths,
    Path,
    folders_inside,
    hold_the_same,
    without_wrapping,
)
from limpide.data.layouts.name_words import (
    listed_names,
    normalized,
    numbers_group,
    part_of,
    parts_and_classes,
    says_group,
    split_words,
)
from limpide.text.messages import N_, Message, message

# Words that cameras and programs put before a number; they say nothing about the content of the image.
NO_CLASS = {
    *split_words("img image dsc dscn dscf pxl photo picture pic frame screenshot scan untitled p sam mvi wa gopr")
}
BEFORE_A_NUMBER = re.compile(r"^(.*?[^\W\d_].*?)[\s._-]*\(?\d+\)?\.\w+$")
AFTER_A_NUMBER = re.compile(r"^\d+[\s._-]+([^\W\d_][^\d]*?)\.\w+$")
NAMED_SHARE = 0.95  # share of the files that must have a class in their name

EXAMPLE = N_("put the images of each class into a separate folder: photos/cat/1.jpg, photos/dog/2.jpg")


def read_classes(rows: ImagePaths, hints: Hints, where: str) -> Message:
    if hints.parts == "auto" and (says := _label_by_names_in_groups(rows, where)):
        return says
    if label_by_folders(rows, flat=hints.parts == "none"):
        outer = len(set(rows.groups.values()))
        if all(rows.groups[i] == rows.inner[i][0] for i in rows.groups):
            outside = N_(
                "layout: {k:count} folders ({names}) with the same subfolders: the subfolders are the classes, "
                "and images of one outer folder are kept together (--parts FOLDER=test makes it a part)"
            )
            return message(outside, k=outer, names=listed_names(sorted(set(rows.groups.values()))))
        inside = N_("layout: one folder per class; images of one subfolder ({names}) are kept together")
        return message(inside, names=listed_names(sorted(set(rows.groups.values())), 3))
    says = message(N_("layout: one folder per class"))
    if rows.skipped:
        says = message(N_("layout: one folder per class, below {folder}"), folder="/".join(rows.skipped))
    return says


def _label_by_names_in_groups(rows: ImagePaths, where: str) -> Message | None:
    """batch1/cat_1.png beside batch2/dog_2.png: the folders only number groups of images."""
    tops = {path[0] for path in rows.inner.values() if len(path) > 1}
    if not all(map(numbers_group, tops)) or any(len(path) != 2 for path in rows.inner.values()):
        return None
    try:
        says = label_by_names(rows, list(rows.inner), where)
    except DataError:
        return None
    rows.groups |= {i: rows.inner[i][0] for i in rows.labels}
    _without_hollow_groups(rows)
    return says


def _without_hollow_groups(rows: ImagePaths) -> None:
    """Drops the groups if each class is in one group and each group holds one class: whole groups would leave nothing
    to test.
    """
    pairs = {(rows.labels[i], group) for i, group in rows.groups.items() if i in rows.labels}  # some have no label yet
    if len(pairs) == len({label for label, _ in pairs}) == len({group for _, group in pairs}):
        says = N_(
            "each class comes from a different folder ({names}): the model may learn the folder instead of the class"
        )
        rows.notes.append(message(says, names=listed_names(sorted(set(rows.groups.values())))))
        rows.groups.clear()


def label_by_folders(rows: ImagePaths, flat: bool = False) -> bool:
    """Sets labels, and groups where the folders give some; returns whether they do. flat: the outer folders are the
    classes, whatever they hold.
    """
    rows.inner = without_wrapping(rows.inner)
    deep = {i: path for i, path in rows.inner.items() if len(path) > 1}
    inside = folders_inside(rows)
    inner = set().union(*inside.values())
    grouped = bool(inner) and all(map(says_group, inner)) and not all(map(says_group, inside))
    flat = flat or _tells_by_outer_folders(rows, deep)
    if not flat and not grouped and _holds_classes(deep, inside, inner):
        for i, path in deep.items():
            if len(path) > 2:
                rows.labels[i], rows.groups[i] = path[1], rows.groups.get(i, path[0])
        _without_hollow_groups(rows)
        return bool(rows.groups)
    again = set() if flat else _find_repeating(inside)
    for i, path in deep.items():
        if path[0] in again and len(path) > 2:  # cat/, dog/, and more/cat, more/dog
            rows.labels[i], rows.groups[i] = path[1], path[0]
            continue
        if path[0] in again:
            continue
        rows.labels[i] = path[0]
        if grouped and not flat and len(path) > 2:
            rows.groups[i] = path[1]
    classes = {top: inner for top, inner in inside.items() if top not in again}
    if any(classes.values()) and not grouped:
        name, folders = max(classes.items(), key=lambda item: len(item[1]))
        says = N_("subfolders are not told apart: {name} contains {names}")
        rows.notes.append(message(says, name=name, names=listed_names(sorted(folders))))
    return bool(rows.groups)


def _tells_by_outer_folders(rows: ImagePaths, deep: Mapping[int, Path]) -> bool:
    """bottle/train/good and cable/train/good: only the outer folders distinguish the training images."""
    trained = [path for i, path in deep.items() if rows.parts.get(i) == "train" and len(path) > 2]
    return len({path[0] for path in trained}) > 1 and len({path[1] for path in trained}) == 1


def _holds_classes(deep: Mapping[int, Path], inside: Mapping[str, set[str]], inner: set[str]) -> bool:
    """Whether the folders in the outer ones are the classes: all outer folders hold the same ones, or are only
    numbered.
    """
    if sum(len(path) == 2 for path in deep.values()) > FEW_LOOSE:
        return False
    numbered = len(inner) > 1 and all(map(numbers_group, inside)) and not any(map(says_group, inner))
    return numbered or hold_the_same(inside)


def _find_repeating(inside: Mapping[str, set[str]]) -> set[str]:
    """Outer folders that hold the others again."""
    return {
        top for top, inner in inside.items() if len(inner) > 1 and len(inner & inside.keys() - {top}) > len(inner) / 2
    }


def label_by_names(rows: ImagePaths, places: Sequence[int], where: str) -> Message:
    """The class of each file from its name: cat_001.jpg, dog.12.png, 12_dog.png. A part in which no name gives a class
    counts as unlabelled.
    """
    for pattern in (BEFORE_A_NUMBER, AFTER_A_NUMBER):
        labels = {
            i: normalized(match.group(1).strip(" ._-")) for i in places if (match := pattern.match(rows.inner[i][-1]))
        }
        by_part: dict[str, list[int]] = defaultdict(list)
        for i in places:
            by_part[rows.parts.get(i, "")].append(i)
        counts = Counter(labels.values())
        repeated = {label for label, n in counts.items() if n >= 2 and label.lower() not in NO_CLASS}
        if all(numbers_group(label) or _says_part(label) for label in repeated):
            continue
        named = {part: [i for i in images if labels.get(i) in repeated] for part, images in by_part.items()}
        telling = {part for part, images in by_part.items() if len(named[part]) >= NAMED_SHARE * len(images)}
        used = [i for part in telling for i in named[part]]
        if (
            len({labels[i] for i in used}) < 2
            or len(repeated) > len(used) / 2
            or ("train" in by_part and "train" not in telling)
        ):
            continue
        rows.labels |= {i: labels[i] for i in used}
        # cat_train_1.jpg and cat_test_1.jpg
        if not rows.parts and (both := parts_and_classes({labels[i] for i in used})):
            rows.labels = {i: both[labels[i]][1] for i in used if labels[i] in both}
            rows.parts |= {i: both[labels[i]][0] for i in rows.labels}
        rows.from_names = True
        rows.left |= {i: UNLABELED_IMAGES for part in by_part.keys() - telling for i in by_part[part]}
        first = min(used)
        return message(
            N_("layout: the class is in the file name: {file} is {label}"),
            file=rows.inner[first][-1],
            label=rows.labels.get(first, labels[first]),
        )
    raise DataError("L203", where=where, todo=EXAMPLE)


def _says_part(label: str) -> bool:
    part = part_of(label)
    return part is not None and not part[1]


def one_form(rows: ImagePaths) -> None:
    """Makes names that look the same one class, whatever their Unicode form in the file system."""
    forms: dict[str, set[str]] = defaultdict(set)
    for label in rows.labels.values():
        forms[normalized(label)].add(label)
    rows.labels = {i: normalized(label) for i, label in rows.labels.items()}
    rows.groups = {i: normalized(group) for i, group in rows.groups.items()}
    if twice := sorted(name for name, spellings in forms.items() if len(spellings) > 1):
        rows.notes.append(
            message(
                N_("folder names that differ only in their Unicode form are one class: {names}"),
                names=listed_names(twice),
            )
        )
