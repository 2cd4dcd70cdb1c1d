"""Files that are not pictures of a class: files of another kind, masks, annotations, thumbnails. They are found before
the classes.

Structure decides, names help: a folder that is called masks is ignored if its pictures match those beside it one by
one, and stays if `mask` and `no mask` are the classes. Nothing is ignored silently.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from limpide.data.layouts.name_words import (
    AFTER_A_NAME,
    BEFORE_A_NAME,
    CERTAIN,
    NO_PICTURE_STARTS,
    NO_PICTURES,
    PICTURES,
    WRAPPING,
    about_another,
    about_pictures,
    ending,
    stem,
    words,
)
from limpide.text.messages import N_

NOT_A_PICTURE = N_("not images")
OF_THE_SYSTEM = N_("left behind by the system or a program")
WITHOUT_PICTURES = N_("it contains no image")
MASKS = N_("masks of other images")
ANNOTATIONS = N_("annotations of other images")
THUMBNAILS = N_("smaller copies of other images")
UNLABELED_IMAGES = N_("images without a class, still to be labelled")
NOT_NAMED = N_("images that are not in the table")
WHY = {"masks": MASKS, "annotations": ANNOTATIONS, "thumbnails": THUMBNAILS}
MIRRORED = 0.5  # share of the pictures beside it that a folder of masks must have, too
ALL = 0.8  # the same share, where the folder is among class folders

Start = Callable[[int], bytes]  # index in the names → first bytes of the file


@dataclass(frozen=True)
class Ignored:
    """Files that were ignored together. what: a folder, or the end of the file names · n: number of files, 0 if not
    counted · why: msgid
    """

    what: str
    n: int
    why: str


@dataclass(frozen=True)
class SiftedFiles:
    pictures: list[int]  # indices in the names, in order
    ignored: list[Ignored]
    doubtful: list[str]  # folders that stay, although their names say masks or thumbnails


def sift_files(paths: Sequence[tuple[str, ...]], start: Start = lambda _: b"") -> SiftedFiles:
    """paths: the parts of each file's name. start: called for files whose ending says nothing."""
    pictures: list[int] = []
    others: list[int] = []
    for i, path in enumerate(paths):
        (pictures if _is_picture(path[-1], i, start) else others).append(i)
    if not pictures:
        return SiftedFiles([], [], [])
    # folders with a picture somewhere below them, and the root
    picture_folders = {paths[i][:k] for i in pictures for k in range(len(paths[i]))}
    kinds = Counter(ending(paths[i][-1]) or paths[i][-1] for i in others if paths[i][:-1] in picture_folders)
    ignored = [Ignored(kind, n, NOT_A_PICTURE) for kind, n in kinds.most_common()]
    without = Counter(
        _first_outside(paths[i][:-1], picture_folders) for i in others if paths[i][:-1] not in picture_folders
    )
    ignored += [Ignored("/".join(folder), n, WITHOUT_PICTURES) for folder, n in sorted(without.items())]
    beside = _find_masks_beside(paths, pictures)
    pictures = [i for i in pictures if i not in beside]
    ignored += [Ignored(looks, n, why) for (looks, why), n in sorted(Counter(beside.values()).items())]
    beside_of = _list_siblings(paths, pictures)
    dropped, doubtful = _choose_folders(paths, pictures, beside_of)
    for folder, rows in dropped.items():
        ignored.append(
            Ignored(
                "/".join(folder),
                len(rows),
                WHY[about_pictures(folder[-1]) or about_another(folder[-1], beside_of[folder[:-1]])],
            )
        )
    gone = {i for rows in dropped.values() for i in rows}
    return SiftedFiles([i for i in pictures if i not in gone], _merge_ignored(ignored), doubtful)


def _is_picture(name: str, place: int, start: Start) -> bool:
    kind = ending(name)
    if kind in PICTURES:
        return True
    return kind not in NO_PICTURES and not start(place).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(NO_PICTURE_STARTS)


def _first_outside(folder: tuple[str, ...], picture_folders: set[tuple[str, ...]]) -> tuple[str, ...]:
    """The outermost folder around this one, or this one, that has no picture."""
    return next(folder[:k] for k in range(1, len(folder) + 1) if folder[:k] not in picture_folders)


def _find_masks_beside(paths: Sequence[tuple[str, ...]], pictures: Iterable[int]) -> dict[int, tuple[str, str]]:
    """cat/1_mask.png or cat/mask_1.png beside cat/1.png → (the pattern of such names, the reason)."""
    names_by_folder: dict[tuple[str, ...], set[str]] = defaultdict(set)
    rows = [(i, stem(paths[i][-1])) for i in pictures]
    for i, name in rows:
        names_by_folder[paths[i][:-1]].add(name)
    masks = {}
    for i, name in rows:
        for pattern, looks in ((AFTER_A_NAME, "*_{word}"), (BEFORE_A_NAME, "{word}_*")):
            match = pattern.match(name)
            if match and match["name"] in names_by_folder[paths[i][:-1]]:
                word = (match[1] if pattern is BEFORE_A_NAME else match[2]).lower()
                masks[i] = (looks.format(word=word), WHY[about_pictures(word) or "masks"])
    return masks


def _list_siblings(paths: Sequence[tuple[str, ...]], pictures: Sequence[int]) -> dict[tuple[str, ...], set[str]]:
    """Folder → the folders in it."""
    subfolders: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for folders in {paths[i][:-1] for i in pictures}:
        for k, name in enumerate(folders):
            subfolders[folders[:k]].add(name)
    return subfolders


def _choose_folders(
    paths: Sequence[tuple[str, ...]], pictures: Sequence[int], beside_of: Mapping[tuple[str, ...], set[str]]
) -> tuple[dict[tuple[str, ...], list[int]], list[str]]:
    """(folders of masks, annotations and thumbnails with their pictures, folders that are only called so)."""
    named: dict[tuple[str, ...], list[int]] = defaultdict(list)
    others = []
    for i in pictures:
        folders = paths[i][:-1]
        k = next(
            (
                k
                for k, name in enumerate(folders)
                if about_pictures(name) or about_another(name, beside_of[folders[:k]])
            ),
            None,
        )
        others.append(i) if k is None else named[folders[: k + 1]].append(i)
    dropped, doubtful = {}, []
    for folder, rows in named.items():
        parent = folder[:-1]
        beside = [i for i in others if paths[i][: len(parent)] == parent]
        if _goes_with(folder, [paths[i] for i in rows], [paths[i] for i in beside]):
            dropped[folder] = rows
        else:
            doubtful.append(folder[-1])
    return dropped, sorted(set(doubtful))


def _goes_with(folder: tuple[str, ...], pictures: Sequence[tuple[str, ...]], beside: Sequence[tuple[str, ...]]) -> bool:
    """Whether the pictures of this folder belong to pictures beside it, one to one."""
    if not beside:
        return False
    depth = len(folder)
    names = {
        (
            match["name"]
            if (match := AFTER_A_NAME.match(stem(path[-1])) or BEFORE_A_NAME.match(stem(path[-1])))
            else stem(path[-1])
        )
        for path in pictures
    }
    other_names = [stem(path[-1]) for path in beside]
    mirrored = sum(name in names for name in other_names) / len(other_names)
    # cat_masks beside cat
    if namesakes := [path for path in beside if len(path) > depth and words(path[depth - 1]) == words(folder[-1])[:-1]]:
        return sum(stem(path[-1]) in names for path in namesakes) / len(namesakes) >= MIRRORED
    tops = {path[depth - 1] for path in beside if len(path) > depth}
    loose = any(len(path) == depth for path in beside)
    certain = "".join(words(folder[-1])) in CERTAIN
    # cat/1.png and cat/masks/1.png · images/ and masks/
    if loose or (len(tops) == 1 and set(words(next(iter(tops)))) <= WRAPPING):
        return certain or mirrored >= MIRRORED
    inside = {path[depth] for path in pictures if len(path) > depth + 1}
    if inside and all(
        inside == {path[depth] for path in beside if path[depth - 1] == top and len(path) > depth + 1} for top in tops
    ):
        return mirrored >= MIRRORED  # scans/cat/1.png and masks/cat/1.png
    return len(tops) > 1 and (certain or (mirrored >= ALL and len(pictures) >= ALL * len(beside)))


def _merge_ignored(ignored: Sequence[Ignored]) -> list[Ignored]:
    """Merges entries of one folder name and reason: a folder of masks in each class is reported once."""
    merged: dict[tuple[str, str], Ignored] = {}
    for one in ignored:
        key = (one.what.rsplit("/", 1)[-1], one.why)
        earlier = merged.get(key)
        merged[key] = Ignored(key[0], earlier.n + one.n, one.why) if earlier else one
    return list(merged.values())
