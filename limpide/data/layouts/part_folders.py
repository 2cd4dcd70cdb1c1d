"""Outer folders that are parts: train/ and test/, in any words, at any depth, beside folders that are neither a part
nor a class.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set

from limpide.core.errors import DataError, UsageError, nearest
from limpide.data.layouts.class_folders import label_by_folders, label_by_names
from limpide.data.layouts.hints import Hints
from limpide.data.layouts.ignored_files import UNLABELED_IMAGES, Ignored
from limpide.data.layouts.image_paths import (
    FEW_LOOSE,
    MAX_DEPTH,
    NO_PLACE,
    SHARED,
    ImagePaths,
    Path,
    folders_inside,
    hold_the_same,
    overlap,
)
from limpide.data.layouts.name_words import (
    ALTERED,
    NOTHING_SAID,
    OF_WORK,
    PERHAPS_OF_WORK,
    UNLABELED,
    WRAPPING,
    listed_names,
    normalized,
    part_of,
    parts_of,
    says_nothing,
    words,
)
from limpide.text.messages import N_, Message, message

ALTERED_COPIES = N_("altered copies of other images")
OF_THE_WORK = N_("by its name, neither a class nor a part")


def set_aside(rows: ImagePaths) -> None:
    """Removes folders beside class folders that are not classes: a test without classes, altered copies, the plots of a
    project.
    """
    inside = folders_inside(rows)
    counts = Counter(path[0] for path in rows.inner.values() if len(path) > 1)
    meanings = {name: part_of(name) for name in inside}
    altered = {name for name in inside if _is_altered(name, inside)}
    work = _find_work(inside.keys() - altered, counts)
    waiting = {
        name for name in inside.keys() - altered - work if (one := meanings[name]) and _waits(name, one, inside[name])
    }
    others = inside.keys() - altered - work - waiting
    if len(others) < 2 and not any(len(inside[name]) > 1 for name in others):
        return
    parted = any(meanings[name] for name in others)
    if parted:  # the names of parts say which of them have no classes
        waiting = {name for name in waiting if meanings[name][0] == UNLABELED}  # type: ignore[index]
    rows.ignored += [
        Ignored(name, counts[name], why)
        for names, why in ((altered, ALTERED_COPIES), (work, OF_THE_WORK))
        for name in sorted(names)
    ]
    rows.left |= {i: UNLABELED_IMAGES for i, path in rows.inner.items() if len(path) > 1 and path[0] in waiting}
    gone = altered | work | waiting
    rows.inner = {i: path for i, path in rows.inner.items() if len(path) == 1 or path[0] not in gone}
    _tell_set_aside(rows, waiting, altered | work, parted)


def _find_work(names: Set[str], counts: Mapping[str, int]) -> set[str]:
    """Folders that hold the output of a project. Some of these names may also name a class: such a folder is work if it
    is small, or beside parts.
    """
    work = {
        name
        for name in names
        if set(words(name)) <= OF_WORK | PERHAPS_OF_WORK | {"images", "data"} and not says_nothing(name)
    }
    others = names - work
    smallest = min((counts[name] for name in others if not part_of(name)), default=0) or min(
        (counts[name] for name in others), default=0
    )
    return {
        name for name in work if set(words(name)) & OF_WORK or counts[name] <= smallest / 2 or any(map(part_of, others))
    }


def _tell_set_aside(rows: ImagePaths, waiting: set[str], passed_over: set[str], parted: bool) -> None:
    """parted: there are parts among the remaining folders."""
    if waiting and not parted:
        says = N_(
            "by their names, not classes but images still to be labelled: {names} (--parts none makes classes of them)"
        )
        rows.notes.append(message(says, names=listed_names(sorted(waiting))))
    if passed_over:
        says = N_("ignored, as their names are not class names: {names} (--parts none makes classes of them)")
        if parted:
            says = N_(
                "ignored, as their names are not part names: {names} (--parts FOLDER=train trains on one; name "
                "all the others there, too)"
            )
        rows.notes.append(message(says, names=listed_names(sorted(passed_over))))


def _is_altered(name: str, inside: Mapping[str, set[str]]) -> bool:
    """augmented/ beside the classes, cat_aug/ beside cat/."""
    if not set(words(name)) & ALTERED:
        return False
    rest = [word for word in words(name) if word not in ALTERED]
    return set(rest) <= WRAPPING or any(rest == [*words(other)] for other in inside if other != name)


def _waits(name: str, meaning: tuple[str, tuple[str, ...]], inner: set[str]) -> bool:
    """Whether a folder of this name, among class folders, holds images without a class. A train is a vehicle, and valid
    a class.
    """
    flat = not inner or (len(inner) == 1 and set(words(next(iter(inner)))) <= NOTHING_SAID | WRAPPING)
    return flat and (
        meaning[0] == UNLABELED or (not meaning[1] and meaning[0] != "train" and "valid" not in words(name))
    )


def parts_of_folders(rows: ImagePaths, hints: Hints, where: str) -> Mapping[str, str]:
    """Outer folder → part, as given by the user, or else by the names; empty if the folders are not parts."""
    inside = folders_inside(rows)
    if named := hints.named_parts():
        return _follow_user(rows, named, inside)
    if hints.parts == "none" or not inside:
        return {}
    if all_parts := parts_of(inside):
        return all_parts
    each = {name: part_of(name) for name in inside}
    parts = {name: one[0] for name, one in each.items() if one}
    if len(parts) == len(inside) and len(set(parts.values())) > 1 and hold_the_same(inside):
        return parts
    plain = {name: part for name, part in parts.items() if not each[name][1]}  # type: ignore[index]
    strange = inside.keys() - plain.keys()
    labeled = set().union(*(inside[name] for name, part in plain.items() if part != UNLABELED))
    if not strange or not labeled:
        return {}
    if "train" not in plain.values():
        return _take_rest_as_training(rows, plain, strange, inside, labeled)
    if len(set(plain.values()) - {UNLABELED}) > 1:
        raise DataError(
            "L236",
            where=where,
            names=", ".join(sorted(strange)),
            example=min(strange),
            parts=",".join(f"{name}={part}" for name, part in sorted(plain.items()) if part != UNLABELED),
        )
    return _take_alike_as_test(rows, plain, strange, inside, labeled)


def _take_rest_as_training(
    rows: ImagePaths, plain: dict[str, str], strange: Set[str], inside: Mapping[str, set[str]], labeled: set[str]
) -> Mapping[str, str]:
    """cat/, dog/ and test/cat, test/dog: the folders beside the part are for training if they are its classes, or hold
    them.
    """
    deeper = set().union(*(inside[name] for name in strange))
    if max(overlap(strange, labeled), overlap(deeper, labeled)) < SHARED:
        return {}
    rows.beside |= strange
    says = N_(
        "{part} is a part, and the folders beside it are for training (--parts none makes all of them classes or "
        "groups)"
    )
    rows.notes.append(message(says, part=listed_names(sorted(plain))))
    return plain | dict.fromkeys(strange, "train")


def _take_alike_as_test(
    rows: ImagePaths, plain: dict[str, str], strange: Set[str], inside: Mapping[str, set[str]], labeled: set[str]
) -> Mapping[str, str]:
    """train/ beside exam/ with the same classes: exam/ is the test."""
    alike = {name for name in strange if overlap(inside[name], labeled) >= SHARED}
    if not alike:
        return {}
    says = N_(
        "used as the test part, because it is beside {part} and has the same classes: {names} (--parts "
        "{part}=train,{example}=train trains on it, too)"
    )
    rows.notes.append(message(says, names=listed_names(sorted(alike)), part=min(plain), example=min(alike)))
    return plain | dict.fromkeys(alike, "test")


def _follow_user(rows: ImagePaths, named: Mapping[str, str], inside: Mapping[str, set[str]]) -> Mapping[str, str]:
    """If the user names no training part, it is every folder that was not named. Raises UsageError."""
    for folder in named:
        if folder not in inside:
            if _find_level(rows, set(named)):
                return {}
            guess = nearest(folder, inside)
            todo = N_("did you mean {guess}?") if guess else N_("the outer folders are {names}")
            raise UsageError("L147", where=f"parts={folder}", todo=todo, guess=guess, names=listed_names([*inside]))
    if "train" in named.values():
        return named
    rows.beside |= inside.keys() - named.keys()
    return {**dict.fromkeys(rows.beside, "train"), **named}


def _find_level(rows: ImagePaths, named: Iterable[str] = ()) -> int:
    """The depth of the folders that are parts: 1 in photo/train/cat and cat/train; 0 if there are none. named: folders
    that the user names.
    """
    tops = {path[0] for path in rows.inner.values() if len(path) > 1}
    for level in range(1, MAX_DEPTH):
        names = {path[level] for path in rows.inner.values() if len(path) > level + 1}
        shallow = sum(len(path) <= level + 1 for path in rows.inner.values())
        if names and (
            names >= set(named)
            if named
            else len(set(parts_of(names).values())) > 1 and len(tops) > 1 and shallow <= FEW_LOOSE
        ):
            return level
    return 0


def lift_parts(rows: ImagePaths, hints: Hints) -> int:
    """Moves deeper parts to the front: photo/train/cat/1.jpg is read as train/photo/cat/1.jpg. Returns their depth."""
    level = 0 if hints.parts == "none" else _find_level(rows, hints.named_parts())
    if level:
        rows.left |= {i: NO_PLACE for i, path in rows.inner.items() if len(path) <= level + 1}
        rows.inner = {
            i: (path[level], *path[:level], *path[level + 1 :])
            for i, path in rows.inner.items()
            if len(path) > level + 1
        }
    return level


def cut_names(rows: ImagePaths, both: Mapping[str, tuple[str, str]]) -> None:
    """Parts and classes from the names of the outer folders; deeper folders are read as class folders are."""
    strange = Counter(path[0] for path in rows.inner.values() if len(path) > 1 and path[0] not in both)
    rows.ignored += [Ignored(name, n, NO_PLACE) for name, n in sorted(strange.items())]
    rows.left |= {i: NO_PLACE for i, path in rows.inner.items() if len(path) == 1}
    rows.inner = {i: path for i, path in rows.inner.items() if path[0] in both}
    for i, path in rows.inner.items():
        rows.parts[i], label = both[path[0]]
        rows.inner[i] = (label, *path[1:])
    label_by_folders(rows)


def read_parts(rows: ImagePaths, said: Mapping[str, str], where: str) -> Message:
    """train/cat/1.jpg, or train/cat.1.jpg; a part whose images have no class counts as unlabelled."""
    inner: dict[int, Path] = {}
    by_part: dict[str, list[int]] = defaultdict(list)
    for i, path in rows.inner.items():
        part = said.get(path[0], "") if len(path) > 1 else ""
        if part in ("", UNLABELED):
            rows.left[i] = UNLABELED_IMAGES if part else NO_PLACE
        else:
            rows.parts[i], inner[i] = part, path if path[0] in rows.beside else path[1:]
            by_part[part].append(i)
    for part, images in by_part.items():
        for i, path in _unwrap_part({i: inner[i] for i in images}, part).items():
            inner[i] = path
    deep = {part for part, images in by_part.items() if sum(len(inner[i]) > 1 for i in images) > len(images) / 2}
    if deep and "train" in by_part.keys() - deep:
        raise DataError("L295", where=where, part=min(deep))
    rows.inner = {i: path for i, path in inner.items() if rows.parts[i] in deep} if deep else inner
    for i in inner.keys() - rows.inner.keys():
        rows.left[i] = UNLABELED_IMAGES
    if deep:
        _align_classes(rows)
        label_by_folders(rows)
        _set_unlabeled_aside(rows)
        without_cut_groups(rows)
        return message(N_("layout: one folder per part, with one subfolder per class"))
    return label_by_names(rows, list(rows.inner), where)


def _unwrap_part(inner: dict[int, Path], part: str) -> dict[int, Path]:
    """seg_train/seg_train/forest/1.jpg: removes a folder in a part whose name repeats the part, or says nothing."""
    while True:
        tops = {path[0] for path in inner.values() if len(path) > 1}
        if len(tops) != 1 or any(len(path) == 1 for path in inner.values()):
            return inner
        top = next(iter(tops))
        again = part_of(top)
        if not (set(words(top)) <= WRAPPING or (again and again[0] == part)):
            return inner
        inner = {i: path[1:] for i, path in inner.items()}


def _align_classes(rows: ImagePaths) -> None:
    """train/cat beside test/easy/cat and test/hard/cat: the classes are the names that both parts have, at any depth;
    the folders around them are groups.
    """
    by_part: dict[str, list[int]] = defaultdict(list)
    for i in rows.inner:
        by_part[rows.parts[i]].append(i)
    if len(by_part) < 2:
        return
    levels = {part: _names_by_level([rows.inner[i] for i in images]) for part, images in by_part.items()}
    first = "train" if "train" in levels else min(levels)
    others = levels.keys() - {first}
    best, chosen = min(overlap(levels[first][0], levels[part][0]) for part in others), {}
    if best >= SHARED:
        return
    for k, names in enumerate(levels[first]):
        matches = {
            part: max(range(len(levels[part])), key=lambda j: (overlap(names, levels[part][j]), -j)) for part in others
        }
        agree = sum(overlap(names, levels[part][j]) for part, j in matches.items()) / len(matches)
        if agree >= SHARED and agree > best:
            best, chosen = agree, {first: k, **matches}
    if not chosen:
        return
    classes = set().union(*(levels[part][k] for part, k in chosen.items()))
    for i, path in rows.inner.items():
        k = next((k for k in range(len(path) - 1) if path[k] in classes), 0)
        if k:
            rows.groups[i], rows.inner[i] = "/".join(path[:k]), path[k:]
    for images in by_part.values():  # one folder around a whole part distinguishes nothing
        if len({rows.groups.get(i, "") for i in images}) == 1:
            for i in images:
                rows.groups.pop(i, None)
    if rows.groups:
        says = N_(
            "the classes are the folders that the parts have in common; images of one folder around them "
            "({names}) are kept together"
        )
        rows.notes.append(message(says, names=listed_names(sorted(set(rows.groups.values())))))


def _names_by_level(paths: Sequence[Path]) -> list[set[str]]:
    """The folder names at each depth that most of the pictures have."""
    deep = [k for k in range(MAX_DEPTH) if sum(len(path) > k + 1 for path in paths) >= len(paths) / 2]
    return [{path[k] for path in paths if len(path) > k + 1} for k in deep] or [set()]


def without_cut_groups(rows: ImagePaths, around: bool = False) -> None:
    """Drops groups that the user's own parts cut, if whole groups would leave no training: photo/train/cat and
    photo/test/cat.

    around: the parts are inside the groups. Otherwise a patient with a few images in another part stays one group, and
    those images are left out.
    """
    parts: dict[str, set[str]] = defaultdict(set)
    for i, group in rows.groups.items():
        parts[group].add(rows.parts[i])
    cut = {group for group, group_parts in parts.items() if len(group_parts) > 1}
    if cut and (around or all(group in cut for group, group_parts in parts.items() if "train" in group_parts)):
        rows.groups = {i: group for i, group in rows.groups.items() if group not in cut}
        says = N_("in several parts, as you arranged them, and so not kept together: {names}")
        rows.notes.append(message(says, names=listed_names(sorted(cut))))


def _set_unlabeled_aside(rows: ImagePaths) -> None:
    """test/unknown/1.jpg, as some loaders require: a test folder whose name says nothing has no classes."""
    learned = {normalized(rows.labels[i]) for i in rows.labels if rows.parts[i] == "train"}
    for part in ("test", "validation"):
        labels = {i: rows.labels[i] for i in rows.labels if rows.parts[i] == part}
        names = set(map(normalized, labels.values()))
        if (
            learned
            and names
            and not names & learned
            and all(set(words(name)) <= NOTHING_SAID | WRAPPING for name in names)
        ):
            rows.left |= dict.fromkeys(labels, UNLABELED_IMAGES)
            for i in labels:
                del rows.labels[i]
            says = N_(
                "the folder {name} in the {part} part is not a class of the training part: its {n:count} images "
                "are treated as unlabelled"
            )
            rows.notes.append(message(says, name=listed_names(sorted(names)), part=part, n=len(labels)))
