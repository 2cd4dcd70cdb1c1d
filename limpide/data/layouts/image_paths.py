"""Pictures during the search for a layout, and what the folders around them have in common."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from limpide.data.layouts.ignored_files import Ignored
from limpide.data.layouts.name_words import WRAPPING, normalized, parts_of, words
from limpide.text.messages import N_, Message

NO_PLACE = N_("neither its folder nor its name says its class")
MAX_DEPTH = 3  # levels of folders that are searched for parts and classes
FEW_LOOSE = 5  # files beside the class folders, at most, for a folder to be only a wrapper
SHARED = 0.5  # share of the folders in an outer one that another one has, too, where all hold the same

Path = tuple[str, ...]


@dataclass
class ImagePaths:
    """Pictures during the search for a layout: index in the names → folders still to be interpreted, and the file."""

    inner: dict[int, Path]
    skipped: Path = ()  # folders around all of them
    parts: dict[int, str] = field(default_factory=dict)
    labels: dict[int, str] = field(default_factory=dict)
    groups: dict[int, str] = field(default_factory=dict)
    left: dict[int, str] = field(default_factory=dict)
    notes: list[Message] = field(default_factory=list)
    ignored: list[Ignored] = field(default_factory=list)
    # outer folders that are not parts, although others are: they hold the training images
    beside: set[str] = field(default_factory=set)
    from_names: bool = False


def unwrap(rows: ImagePaths) -> None:
    """Removes folders that only wrap the others: data/photos/cat/1.jpg beside data/photos/dog/1.jpg, as in many
    archives.
    """
    while True:
        tops = {path[0] for path in rows.inner.values() if len(path) > 1}
        loose = [i for i, path in rows.inner.items() if len(path) == 1]
        if len(tops) != 1 or len(loose) > max(FEW_LOOSE, len(rows.inner) / 2) or parts_of(tops):
            return
        rows.left |= dict.fromkeys(loose, NO_PLACE)
        rows.inner = {i: path[1:] for i, path in rows.inner.items() if len(path) > 1}
        rows.skipped += (*tops,)


def folders_inside(rows: ImagePaths) -> dict[str, set[str]]:
    """Outer folder → the folders in it."""
    inside: dict[str, set[str]] = defaultdict(set)
    for path in rows.inner.values():
        if len(path) > 1:
            inside[path[0]] |= set(path[1:2] if len(path) > 2 else ())
    return dict(inside)


def without_wrapping(inner: Mapping[int, Path]) -> dict[int, Path]:
    """amazon/images/bike/1.jpg: removes a folder that all outer ones contain and whose name says nothing."""
    second = {path[1] if len(path) > 3 else "" for path in inner.values()}
    if len(second) == 1 and "" not in second and set(words(next(iter(second)))) <= WRAPPING:
        return {i: (path[0], *path[2:]) for i, path in inner.items()}
    return dict(inner)


def overlap(some: Iterable[str], others: Iterable[str]) -> float:
    """Share of the smaller set that is also in the other one."""
    names, other_names = set(map(normalized, some)), set(map(normalized, others))
    return len(names & other_names) / min(len(names), len(other_names)) if names and other_names else 0.0


def hold_the_same(inside: Mapping[str, set[str]]) -> bool:
    """Whether every outer folder holds the same inner ones. Some may lack a class, so it is enough if another one also
    has half of them.
    """
    names = Counter(name for inner in inside.values() for name in inner)
    if len(inside) < 2 or len(names) < 2 or not all(inside.values()):
        return False
    shared = {name for name, n in names.items() if n > 1}
    largest = max(inside.values(), key=len)
    return all(len(inner & shared) >= SHARED * len(inner) for inner in inside.values()) and (
        len(shared) > 1 or all(inner <= largest for inner in inside.values())
    )
