"""File names → classes, parts and groups: the ways in which people arrange images in folders.

Structure decides, names help. Folders without a picture are no classes. Where every outer folder holds the same inner ones, the
inner ones are the classes; the outer ones are parts if their names say which (`data/words.py`), else images of one of them
belong together and are never cut apart. Nothing is opened but files whose names say nothing.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from limpide.data.hints import Hints
from limpide.data.sift import UNLABELED_IMAGES, Ignored, Start, sifted
from limpide.data.words import (
    ALTERED,
    NOTHING_SAID,
    OF_WORK,
    PERHAPS_OF_WORK,
    UNLABELED,
    WRAPPING,
    ending,
    listed_names,
    normalized,
    numbers_group,
    part_of,
    parts_of,
    says_group,
    says_nothing,
    stem,
    words,
)
from limpide.errors import DataError, UsageError, nearest
from limpide.language import N_, Message, message

ALTERED_COPIES = N_("altered copies of other pictures")
OF_THE_WORK = N_("neither a class nor a part by its name")
NO_PLACE = N_("neither its folder nor its name says its class")
# What cameras and programs put before a number says nothing about what is on the image.
NO_CLASS = {"img", "image", "dsc", "dscn", "dscf", "pxl", "photo", "picture", "pic", "frame", "screenshot", "scan", "untitled", "p", "sam", "mvi", "wa", "gopr"}
BEFORE_A_NUMBER = re.compile(r"^(.*?[^\W\d_].*?)[\s._-]*\(?\d+\)?\.\w+$")
AFTER_A_NUMBER = re.compile(r"^\d+[\s._-]+([^\W\d_][^\d]*?)\.\w+$")
DEEPEST = 3  # levels of folders among which parts and classes are looked for
FEW_LOOSE = 5  # files beside the class folders that do not keep a folder from being a mere wrapper
NAMED_SHARE = 0.95  # of the files must carry a class in their name
SHARED = 0.5  # of the folders in an outer one are in another one, too, where all hold the same
BOX = re.compile(rb"\d+( -?\d*\.\d+){4}")  # class, centre and size, as YOLO writes them
BOXES = 0.5  # share of the pictures that have a file of boxes

EXAMPLE = N_("put the images of each class into a folder of its own: photos/cat/1.jpg, photos/dog/2.jpg")

Path = tuple[str, ...]


@dataclass(frozen=True)
class Layout:
    """Parallel lists over the pictures that are used, and what was said and passed over."""

    files: Sequence[int]  # places in the names that were given
    labels: Sequence[str]
    parts: Sequence[str]  # "" where the user said nothing
    groups: Sequence[str]  # images of one group belong together; "" in none
    says: Message
    from_names: bool = False  # classes are in the names of the files, which say less than folders
    notes: Sequence[Message] = ()
    left: Sequence[tuple[int, str]] = ()  # pictures without a class, and why (msgid)
    ignored: Sequence[Ignored] = ()


@dataclass
class Rows:
    """Pictures while they are being arranged: place in the names → folders that still have to be read, and the file."""

    inner: dict[int, Path]
    skipped: Path = ()  # folders around all of them
    parts: dict[int, str] = field(default_factory=dict)
    labels: dict[int, str] = field(default_factory=dict)
    groups: dict[int, str] = field(default_factory=dict)
    left: dict[int, str] = field(default_factory=dict)
    notes: list[Message] = field(default_factory=list)
    ignored: list[Ignored] = field(default_factory=list)
    beside: set[str] = field(default_factory=set)  # outer folders that are no part, though others are: the training is in them
    from_names: bool = False


def arranged(names: Sequence[str], where: str, hints: Hints | None = None, start: Start = lambda _: b"") -> Layout:
    """`names` are paths with "/" between folders. Raises DataError when no arrangement is recognised, UsageError where a hint does not fit."""
    hints = hints or Hints()
    paths = [tuple(name.split("/")) for name in names]
    found = sifted(paths, start)
    if not found.pictures:
        raise _nothing(names, where)
    rows = Rows({i: paths[i] for i in found.pictures})
    try:
        says = _arrange(rows, hints, where)
    except DataError:
        _refuse_boxes(names, found.pictures, where, start)
        raise
    if rows.from_names or len(set(rows.labels.values())) < 2:
        _refuse_boxes(names, found.pictures, where, start, sure=rows.from_names)
    if found.doubtful and set(found.doubtful) & set(rows.labels.values()):
        rows.notes.append(
            message(N_("{names} is learned as a class, though such a name mostly means masks or copies of other pictures"), names=listed_names(found.doubtful))
        )
    files = sorted(rows.labels)
    left = sorted((rows.left | {i: NO_PLACE for i in rows.inner if i not in rows.labels and i not in rows.left}).items())
    return Layout(
        files,
        [rows.labels[i] for i in files],
        [rows.parts.get(i, "") for i in files],
        [rows.groups.get(i, "") for i in files],
        says,
        rows.from_names,
        rows.notes,
        left,
        [*found.ignored, *rows.ignored],
    )


def _arrange(rows: Rows, hints: Hints, where: str) -> Message:
    """Fills rows; returns the layout in a sentence."""
    _unwrap(rows)
    if hints.parts == "auto":
        _set_aside(rows)
        _unwrap(rows)
    if hints.parts == "auto" and (both := _part_and_class({path[0] for path in rows.inner.values() if len(path) > 1})):
        says = message(N_("layout: a folder a class and part, as in {name}"), name=min(both))
        _by_both(rows, both)
    elif said := _parts(rows, hints, where):
        says = _in_parts(rows, said, where)
    elif (level := _lifted(rows, hints)) and (said := _parts(rows, hints, where)):
        says = _in_parts(rows, said, where)
        _without_cut_groups(rows, around=True)
        if level == 1 and all(rows.inner[i][0] == label for i, label in rows.labels.items()):
            says = message(N_("layout: a folder a class, with a folder a part in it"))
    elif any(len(path) > 1 for path in rows.inner.values()):
        says = _in_folders(rows, hints, where)
    else:
        says = _loose(rows, where)
    _one_form(rows)
    return says


def _loose(rows: Rows, where: str) -> Message:
    """The classes are in the names of the files, or all of them are what the folder around them is called."""
    try:
        return _by_name(rows, list(rows.inner), where)
    except DataError:
        if not rows.skipped:
            raise
        rows.labels |= dict.fromkeys(rows.inner, rows.skipped[-1])
        return message(N_("layout: a folder a class"))


# -- parts


def _unwrap(rows: Rows) -> None:
    """Takes away folders that only wrap the others: data/photos/cat/1.jpg beside data/photos/dog/1.jpg, as archives often hold them."""
    while True:
        tops = {path[0] for path in rows.inner.values() if len(path) > 1}
        loose = [i for i, path in rows.inner.items() if len(path) == 1]
        if len(tops) != 1 or len(loose) > max(FEW_LOOSE, len(rows.inner) / 2) or parts_of(tops):
            return
        rows.left |= dict.fromkeys(loose, NO_PLACE)
        rows.inner = {i: path[1:] for i, path in rows.inner.items() if len(path) > 1}
        rows.skipped += (*tops,)


def _inside(rows: Rows) -> dict[str, set[str]]:
    """Outer folder → the folders in it."""
    inside: dict[str, set[str]] = defaultdict(set)
    for path in rows.inner.values():
        if len(path) > 1:
            inside[path[0]] |= set(path[1:2] if len(path) > 2 else ())
    return dict(inside)


def _set_aside(rows: Rows) -> None:
    """What stands beside folders of classes and is none: a test without classes, altered copies, the plots of a project."""
    inside = _inside(rows)
    counts = Counter(path[0] for path in rows.inner.values() if len(path) > 1)
    said = {name: part_of(name) for name in inside}
    altered = {name for name in inside if _is_altered(name, inside)}
    work = {name for name in inside.keys() - altered if set(words(name)) <= OF_WORK | PERHAPS_OF_WORK | {"images", "data"} and not says_nothing(name)}
    others = inside.keys() - altered - work
    smallest = min((counts[name] for name in others if not said[name]), default=0) or min((counts[name] for name in others), default=0)
    work = {name for name in work if set(words(name)) & OF_WORK or counts[name] <= smallest / 2 or any(map(part_of, others))}
    waiting = {name for name in inside.keys() - altered - work if (one := said[name]) and _waits(name, one, inside[name])}
    others = inside.keys() - altered - work - waiting
    if len(others) < 2 and not any(len(inside[name]) > 1 for name in others):
        return
    if any(said[name] for name in others):  # parts know themselves which of them have no classes
        waiting = {name for name in waiting if said[name][0] == UNLABELED}  # type: ignore[index]
    rows.ignored += [Ignored(name, counts[name], why) for some, why in ((altered, ALTERED_COPIES), (work, OF_THE_WORK)) for name in sorted(some)]
    rows.left |= {i: UNLABELED_IMAGES for i, path in rows.inner.items() if len(path) > 1 and path[0] in waiting}
    rows.inner = {i: path for i, path in rows.inner.items() if len(path) == 1 or path[0] not in altered | work | waiting}
    if waiting and not any(said[name] for name in others):
        says = N_("no classes, but images that wait to be named, by their names: {names} (--parts none makes classes of them)")
        rows.notes.append(message(says, names=listed_names(sorted(waiting))))
    if altered | work:
        says = N_("passed over, as their names say no class: {names} (--parts none makes classes of them)")
        if any(said[name] for name in others):
            says = N_("passed over, as their names say no part: {names} (--parts FOLDER=train learns from one, and names all the others, too)")
        rows.notes.append(message(says, names=listed_names(sorted(altered | work))))


def _is_altered(name: str, inside: Mapping[str, set[str]]) -> bool:
    """augmented/ beside the classes, cat_aug/ beside cat/."""
    if not set(words(name)) & ALTERED:
        return False
    rest = [word for word in words(name) if word not in ALTERED]
    return set(rest) <= WRAPPING or any(rest == [*words(other)] for other in inside if other != name)


def _waits(name: str, said: tuple[str, tuple[str, ...]], inner: set[str]) -> bool:
    """Whether a folder of this name, among folders of classes, holds images without a class. A train is a vehicle, and valid a class."""
    flat = not inner or (len(inner) == 1 and set(words(next(iter(inner)))) <= NOTHING_SAID | WRAPPING)
    return flat and (said[0] == UNLABELED or (not said[1] and said[0] != "train" and "valid" not in words(name)))


def _without_wrapping(inner: Mapping[int, Path]) -> dict[int, Path]:
    """amazon/images/bike/1.jpg: a folder in all outer ones whose name says nothing is passed over."""
    second = {path[1] if len(path) > 3 else "" for path in inner.values()}
    if len(second) == 1 and "" not in second and set(words(next(iter(second)))) <= WRAPPING:
        return {i: (path[0], *path[2:]) for i, path in inner.items()}
    return dict(inner)


def _parts(rows: Rows, hints: Hints, where: str) -> Mapping[str, str]:
    """Outer folder → part, as the user says, or as their names do; empty where they are no parts."""
    inside = _inside(rows)
    if named := hints.named_parts():
        return _as_said(rows, named, inside)
    if hints.parts == "none" or not inside:
        return {}
    if said := parts_of(inside):
        return said
    each = {name: part_of(name) for name in inside}
    some = {name: one[0] for name, one in each.items() if one}
    if len(some) == len(inside) and len(set(some.values())) > 1 and _same(inside):
        return some
    plain = {name: part for name, part in some.items() if not each[name][1]}  # type: ignore[index]
    strange = inside.keys() - plain.keys()
    labelled = set().union(*(inside[name] for name, part in plain.items() if part != UNLABELED))
    if not strange or not labelled:
        return {}
    if "train" not in plain.values():
        deeper = set().union(*(inside[name] for name in strange))
        if max(_overlap(strange, labelled), _overlap(deeper, labelled)) < SHARED:
            return {}
        rows.beside |= strange
        says = N_("{part} is a part, and the folders beside it are the training (--parts none makes all of them classes or groups)")
        rows.notes.append(message(says, part=listed_names(sorted(plain))))
        return plain | dict.fromkeys(strange, "train")
    if len(set(plain.values()) - {UNLABELED}) > 1:
        raise DataError(
            "L236",
            N_("some folders are parts and others are not: {names}"),
            where=where,
            todo=N_("say what each is, --parts {example}=train, or leave out those that you do not name: --parts {parts}"),
            names=", ".join(sorted(strange)),
            example=min(strange),
            parts=",".join(f"{name}={part}" for name, part in sorted(plain.items()) if part != UNLABELED),
        )
    alike = {name for name in strange if _overlap(inside[name], labelled) >= SHARED}
    if not alike:
        return {}
    says = N_("{names} is taken as the test, as it stands beside {part} with the same classes (--parts {part}=train,{example}=train learns from it)")
    rows.notes.append(message(says, names=listed_names(sorted(alike)), part=min(plain), example=min(alike)))
    return plain | dict.fromkeys(alike, "test")


def _as_said(rows: Rows, named: Mapping[str, str], inside: Mapping[str, set[str]]) -> Mapping[str, str]:
    """Where nobody named the training, it is all that was not named. Raises UsageError."""
    for folder in named:
        if folder not in inside:
            if _level(rows, set(named)):
                return {}
            guess = nearest(folder, inside)
            todo = N_("did you mean {guess}?") if guess else N_("the outer folders are {names}")
            raise UsageError(
                "L147", N_("none of the outer folders has this name"), where=f"parts={folder}", todo=todo, guess=guess, names=listed_names([*inside])
            )
    if "train" in named.values():
        return named
    rows.beside |= inside.keys() - named.keys()
    return {**dict.fromkeys(rows.beside, "train"), **named}


def _overlap(some: Iterable[str], others: Iterable[str]) -> float:
    """Share of the smaller set that is in the other one, too."""
    mine, theirs = set(map(normalized, some)), set(map(normalized, others))
    return len(mine & theirs) / min(len(mine), len(theirs)) if mine and theirs else 0.0


def _level(rows: Rows, named: Iterable[str] = ()) -> int:
    """How deep the folders lie that are parts: 1 in photo/train/cat and cat/train. 0 where none do. named: those that the user names."""
    tops = {path[0] for path in rows.inner.values() if len(path) > 1}
    for level in range(1, DEEPEST):
        names = {path[level] for path in rows.inner.values() if len(path) > level + 1}
        shallow = sum(len(path) <= level + 1 for path in rows.inner.values())
        if names and (names >= set(named) if named else len(set(parts_of(names).values())) > 1 and len(tops) > 1 and shallow <= FEW_LOOSE):
            return level
    return 0


def _lifted(rows: Rows, hints: Hints) -> int:
    """Brings parts to the front where they lie deeper: photo/train/cat/1.jpg is read as train/photo/cat/1.jpg. Returns how deep they were."""
    level = 0 if hints.parts == "none" else _level(rows, hints.named_parts())
    if level:
        rows.left |= {i: NO_PLACE for i, path in rows.inner.items() if len(path) <= level + 1}
        rows.inner = {i: (path[level], *path[:level], *path[level + 1 :]) for i, path in rows.inner.items() if len(path) > level + 1}
    return level


def _part_and_class(names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """cat_train, cat_test, dog_train, dog_test → the part and the class of each; empty where the names are no such.

    A class may lack a part, and a folder may lie beside them.
    """
    names = set(names)
    found = {name: both for name in names if (both := _cut(name))}
    by_label: dict[str, set[str]] = defaultdict(set)
    for part, label in found.values():
        by_label[label].add(part)
    twice = sum(len(parts) > 1 for parts in by_label.values())
    return found if len(by_label) > 1 and twice >= SHARED * len(by_label) and len(found) > len(names) / 2 else {}


def _by_both(rows: Rows, both: Mapping[str, tuple[str, str]]) -> None:
    """Parts and classes from the names of the outer folders; what lies deeper is as in class folders."""
    strange = Counter(path[0] for path in rows.inner.values() if len(path) > 1 and path[0] not in both)
    rows.ignored += [Ignored(name, n, NO_PLACE) for name, n in sorted(strange.items())]
    rows.left |= {i: NO_PLACE for i, path in rows.inner.items() if len(path) == 1}
    rows.inner = {i: path for i, path in rows.inner.items() if path[0] in both}
    for i, path in rows.inner.items():
        rows.parts[i], label = both[path[0]]
        rows.inner[i] = (label, *path[1:])
    _below(rows)


def _cut(name: str) -> tuple[str, str] | None:
    """(part, the rest of the name as it is written) where one of its words says a part."""
    for word in re.finditer(r"[^\s._-]+", name):
        part = part_of(word.group())
        label = (name[: word.start()] + name[word.end() :]).strip(" ._-")
        if part and not part[1] and part[0] != UNLABELED and label:
            return part[0], label
    return None


def _in_parts(rows: Rows, said: Mapping[str, str], where: str) -> Message:
    """train/cat/1.jpg, or train/cat.1.jpg; a part whose images have no class waits to be named."""
    inner: dict[int, Path] = {}
    by_part: dict[str, list[int]] = defaultdict(list)
    for i, path in rows.inner.items():
        part = said.get(path[0], "") if len(path) > 1 else ""
        if part in ("", UNLABELED):
            rows.left[i] = UNLABELED_IMAGES if part else NO_PLACE
        else:
            rows.parts[i], inner[i] = part, path if path[0] in rows.beside else path[1:]
            by_part[part].append(i)
    for part, some in by_part.items():
        for i, path in _unwrapped({i: inner[i] for i in some}, part).items():
            inner[i] = path
    deep = {part for part, some in by_part.items() if sum(len(inner[i]) > 1 for i in some) > len(some) / 2}
    if deep and "train" in by_part.keys() - deep:
        raise DataError(
            "L295",
            N_("the training part names no classes"),
            where=where,
            todo=N_("put its images into a folder a class, as those of the {part} part are, or say with --parts which folder is which"),
            part=min(deep),
        )
    rows.inner = {i: path for i, path in inner.items() if rows.parts[i] in deep} if deep else inner
    for i in inner.keys() - rows.inner.keys():
        rows.left[i] = UNLABELED_IMAGES
    if deep:
        _align(rows)
        _below(rows)
        _without_class(rows)
        _without_cut_groups(rows)
        return message(N_("layout: a folder a part, with a folder a class in it"))
    return _by_name(rows, list(rows.inner), where)


def _align(rows: Rows) -> None:
    """train/cat beside test/easy/cat and test/hard/cat: the classes are what both parts name, at whichever depth; what lies around them are groups."""
    by_part: dict[str, list[int]] = defaultdict(list)
    for i in rows.inner:
        by_part[rows.parts[i]].append(i)
    if len(by_part) < 2:
        return
    levels = {part: _names_by_level([rows.inner[i] for i in some]) for part, some in by_part.items()}
    first = "train" if "train" in levels else min(levels)
    others = levels.keys() - {first}
    best, chosen = min(_overlap(levels[first][0], levels[part][0]) for part in others), {}
    if best >= SHARED:
        return
    for k, names in enumerate(levels[first]):
        found = {part: max(range(len(levels[part])), key=lambda j: (_overlap(names, levels[part][j]), -j)) for part in others}
        agree = sum(_overlap(names, levels[part][j]) for part, j in found.items()) / len(found)
        if agree >= SHARED and agree > best:
            best, chosen = agree, {first: k, **found}
    if not chosen:
        return
    classes = set().union(*(levels[part][k] for part, k in chosen.items()))
    for i, path in rows.inner.items():
        k = next((k for k in range(len(path) - 1) if path[k] in classes), 0)
        if k:
            rows.groups[i], rows.inner[i] = "/".join(path[:k]), path[k:]
    for some in by_part.values():  # one folder around a whole part tells nothing apart
        if len({rows.groups.get(i, "") for i in some}) == 1:
            for i in some:
                rows.groups.pop(i, None)
    if rows.groups:
        says = N_("classes are the folders that the parts have in common; images of one folder around them ({names}) are never cut apart")
        rows.notes.append(message(says, names=listed_names(sorted(set(rows.groups.values())))))


def _without_cut_groups(rows: Rows, around: bool = False) -> None:
    """Groups that the user's own parts cut, where keeping them whole would leave no training: photo/train/cat and photo/test/cat.

    around: the parts lie in the groups. Else a patient of whom a few images are in another part stays one, and those are left out.
    """
    parts: dict[str, set[str]] = defaultdict(set)
    for i, group in rows.groups.items():
        parts[group].add(rows.parts[i])
    cut = {group for group, some in parts.items() if len(some) > 1}
    if cut and (around or all(group in cut for group, some in parts.items() if "train" in some)):
        rows.groups = {i: group for i, group in rows.groups.items() if group not in cut}
        says = N_("{names} are in several parts, as you arranged them: their images are not kept together")
        rows.notes.append(message(says, names=listed_names(sorted(cut))))


def _names_by_level(paths: Sequence[Path]) -> list[set[str]]:
    """The folders at each depth that most of the pictures have."""
    deep = [k for k in range(DEEPEST) if sum(len(path) > k + 1 for path in paths) >= len(paths) / 2]
    return [{path[k] for path in paths if len(path) > k + 1} for k in deep] or [set()]


def _unwrapped(inner: dict[int, Path], part: str) -> dict[int, Path]:
    """seg_train/seg_train/forest/1.jpg: a folder in a part that says the part once more, or nothing."""
    while True:
        tops = {path[0] for path in inner.values() if len(path) > 1}
        if len(tops) != 1 or any(len(path) == 1 for path in inner.values()):
            return inner
        top = next(iter(tops))
        again = part_of(top)
        if not (set(words(top)) <= WRAPPING or (again and again[0] == part)):
            return inner
        inner = {i: path[1:] for i, path in inner.items()}


def _without_class(rows: Rows) -> None:
    """test/unknown/1.jpg, as some loaders want it: a test folder whose name says nothing has no classes."""
    learned = {normalized(rows.labels[i]) for i in rows.labels if rows.parts[i] == "train"}
    for part in ("test", "validation"):
        some = {i: rows.labels[i] for i in rows.labels if rows.parts[i] == part}
        names = set(map(normalized, some.values()))
        if learned and names and not names & learned and all(set(words(name)) <= NOTHING_SAID | WRAPPING for name in names):
            rows.left |= dict.fromkeys(some, UNLABELED_IMAGES)
            for i in some:
                del rows.labels[i]
            says = N_("the folder {name} in the {part} part names no class of the training: its {n:count} images are taken as unlabeled")
            rows.notes.append(message(says, name=listed_names(sorted(names)), part=part, n=len(some)))


# -- classes


def _in_folders(rows: Rows, hints: Hints, where: str) -> Message:
    if hints.parts == "auto" and (says := _names_in_groups(rows, where)):
        return says
    if _below(rows, flat=hints.parts == "none"):
        outer = len(set(rows.groups.values()))
        if all(rows.groups[i] == rows.inner[i][0] for i in rows.groups):
            outside = N_(
                "layout: {k:count} folders that hold the same folders ({names}): the inner ones are the classes, and images of one outer folder are never cut apart (--parts FOLDER=test makes it a part)"
            )
            return message(outside, k=outer, names=listed_names(sorted(set(rows.groups.values()))))
        inside = N_("layout: a folder a class; images of one folder in it ({names}) are never cut apart")
        return message(inside, names=listed_names(sorted(set(rows.groups.values())), 3))
    says = message(N_("layout: a folder a class"))
    if rows.skipped:
        says = message(N_("layout: a folder a class, below {folder}"), folder="/".join(rows.skipped))
    return says


def _names_in_groups(rows: Rows, where: str) -> Message | None:
    """batch1/cat_1.png beside batch2/dog_2.png: the folders only number what the images have in common."""
    tops = {path[0] for path in rows.inner.values() if len(path) > 1}
    if not all(map(numbers_group, tops)) or any(len(path) != 2 for path in rows.inner.values()):
        return None
    try:
        says = _by_name(rows, list(rows.inner), where)
    except DataError:
        return None
    rows.groups |= {i: rows.inner[i][0] for i in rows.labels}
    _without_hollow_groups(rows)
    return says


def _without_hollow_groups(rows: Rows) -> None:
    """Where a class is in one group and a group holds one class, keeping groups whole would leave nothing to test."""
    pairs = {(rows.labels[i], group) for i, group in rows.groups.items()}
    if len(pairs) == len({label for label, _ in pairs}) == len({group for _, group in pairs}):
        says = N_("each class lies in one folder of its own ({names}): what is learned may be the folder and not the class")
        rows.notes.append(message(says, names=listed_names(sorted(set(rows.groups.values())))))
        rows.groups.clear()


def _below(rows: Rows, flat: bool = False) -> bool:
    """Gives labels, and groups where the folders say some: whether they do. flat: the outer folders are the classes, whatever they hold."""
    rows.inner = _without_wrapping(rows.inner)
    deep = {i: path for i, path in rows.inner.items() if len(path) > 1}
    inside: dict[str, set[str]] = defaultdict(set)
    for path in deep.values():
        inside[path[0]] |= set(path[1:2] if len(path) > 2 else ())
    direct = sum(len(path) == 2 for path in deep.values())
    inner = set().union(*inside.values())
    grouped = bool(inner) and all(map(says_group, inner)) and not all(map(says_group, inside))
    trained = [path for i, path in deep.items() if rows.parts.get(i) == "train" and len(path) > 2]
    if len({path[0] for path in trained}) > 1 and len({path[1] for path in trained}) == 1:
        flat = True  # bottle/train/good and cable/train/good: only the outer folders tell the training apart
    numbered = len(inner) > 1 and all(map(numbers_group, inside)) and not any(map(says_group, inner))
    if not flat and not grouped and direct <= FEW_LOOSE and (numbered or _same(inside)):
        for i, path in deep.items():
            if len(path) > 2:
                rows.labels[i], rows.groups[i] = path[1], rows.groups.get(i, path[0])
        _without_hollow_groups(rows)
        return bool(rows.groups)
    again = set() if flat else {top for top, some in inside.items() if len(some) > 1 and len(some & inside.keys() - {top}) > len(some) / 2}
    for i, path in deep.items():
        if path[0] in again and len(path) > 2:  # cat/, dog/, and more/cat, more/dog
            rows.labels[i], rows.groups[i] = path[1], path[0]
            continue
        if path[0] in again:
            continue
        rows.labels[i] = path[0]
        if grouped and not flat and len(path) > 2:
            rows.groups[i] = path[1]
    inner = set().union(*(inside[top] for top in inside.keys() - again)) if again else inner
    if inner and not grouped:
        name, some = max(((top, some) for top, some in inside.items() if top not in again), key=lambda item: len(item[1]))
        says = N_("deeper folders are not told apart: {name} holds {names}")
        rows.notes.append(message(says, name=name, names=listed_names(sorted(some))))
    return bool(rows.groups)


def _same(inside: Mapping[str, set[str]]) -> bool:
    """Whether every outer folder holds the same inner ones. A class may be missing in some, so half of them in another one, too, are enough."""
    names = Counter(name for some in inside.values() for name in some)
    if len(inside) < 2 or len(names) < 2 or not all(inside.values()):
        return False
    shared = {name for name, n in names.items() if n > 1}
    largest = max(inside.values(), key=len)
    return all(len(some & shared) >= SHARED * len(some) for some in inside.values()) and (len(shared) > 1 or all(some <= largest for some in inside.values()))


def _by_name(rows: Rows, places: Sequence[int], where: str) -> Message:
    """The class of each file from its name: cat_001.jpg, dog.12.png, 12_dog.png. A part in which no name says one waits to be named."""
    for pattern in (BEFORE_A_NUMBER, AFTER_A_NUMBER):
        found = {i: normalized(match.group(1).strip(" ._-")) for i in places if (match := pattern.match(rows.inner[i][-1]))}
        by_part: dict[str, list[int]] = defaultdict(list)
        for i in places:
            by_part[rows.parts.get(i, "")].append(i)
        counts = Counter(found.values())
        known = {label for label, n in counts.items() if n >= 2 and label.lower() not in NO_CLASS}
        if all(numbers_group(label) or _is_part(label) for label in known):
            continue
        named = {part: [i for i in some if found.get(i) in known] for part, some in by_part.items()}
        told = {part for part, some in by_part.items() if len(named[part]) >= NAMED_SHARE * len(some)}
        used = [i for part in told for i in named[part]]
        if len({found[i] for i in used}) < 2 or len(known) > len(used) / 2 or ("train" in by_part and "train" not in told):
            continue
        rows.labels |= {i: found[i] for i in used}
        if not rows.parts and (both := _part_and_class({found[i] for i in used})):  # cat_train_1.jpg and cat_test_1.jpg
            rows.labels = {i: both[found[i]][1] for i in used if found[i] in both}
            rows.parts |= {i: both[found[i]][0] for i in rows.labels}
        rows.from_names = True
        rows.left |= {i: UNLABELED_IMAGES for part in by_part.keys() - told for i in by_part[part]}
        first = min(used)
        return message(N_("layout: the class is in the file name: {file} is {label}"), file=rows.inner[first][-1], label=rows.labels.get(first, found[first]))
    raise DataError("L203", N_("the files are not in class folders"), where=where, todo=EXAMPLE)


def _is_part(label: str) -> bool:
    part = part_of(label)
    return part is not None and not part[1]


def _one_form(rows: Rows) -> None:
    """Names that look the same are one class, in whichever Unicode form a system wrote them."""
    forms: dict[str, set[str]] = defaultdict(set)
    for label in rows.labels.values():
        forms[normalized(label)].add(label)
    rows.labels = {i: normalized(label) for i, label in rows.labels.items()}
    rows.groups = {i: normalized(group) for i, group in rows.groups.items()}
    if twice := sorted(name for name, some in forms.items() if len(some) > 1):
        rows.notes.append(message(N_("one class, though its folders are written in two Unicode forms: {names}"), names=listed_names(twice)))


# -- what is no folder of classes


def _refuse_boxes(names: Sequence[str], pictures: Sequence[int], where: str, start: Start, *, sure: bool = False) -> None:
    """Raises DataError where what lies there says where things are on a picture, and nothing says one class for each.

    sure: only where it can be nothing else, as the names of the files do say classes.
    """
    if boxes := _boxes(names, pictures, start, sure):
        raise DataError(
            "L286",
            N_("these are data for object detection: {file} says where things are on a picture, and limpide gives one class to a whole picture"),
            where=where,
            todo=N_("cut the objects out, and put those of each class into a folder of its own"),
            file=boxes,
        )


def _boxes(names: Sequence[str], pictures: Sequence[int], start: Start, sure: bool) -> str:
    """A file that says where things are on a picture; "" where there is none."""
    stems = {stem(names[i]) for i in pictures}
    beside = [i for i, name in enumerate(names) if ending(name) in (".txt", ".xml", ".json") and stem(name) in stems]
    if beside and len({stem(names[i]) for i in beside}) >= BOXES * len(stems) and (not sure or BOX.match(start(beside[0]))):
        return names[beside[0]]
    return "" if sure else next((name for name in names if re.search(r"(instances_|coco).*\.json$", name.lower())), "")


def _nothing(names: Sequence[str], where: str) -> DataError:
    packed = [name for name in names if ending(name) in (".zip", ".tar", ".tgz", ".gz", ".7z", ".rar")]
    if packed:
        return DataError(
            "L287",
            N_("there are only archives in this folder: {names}"),
            where=where,
            todo=N_("unpack each into a folder that is called as its class, or name one of them"),
            names=listed_names(packed),
        )
    return DataError("L288", N_("this folder holds no picture, only {names}"), where=where, todo=EXAMPLE, names=listed_names(list(names)))
