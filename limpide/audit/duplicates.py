"""Images that occur twice, with the same bytes or nearly the same: also under two labels, or in two of the user's own
parts.

A duplicate on both sides of a split makes every later score too good. Near duplicates are found by a hash
(data/near_duplicates.py).
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from limpide.audit.folder import MAX_ROWS, FolderContents, file_table
from limpide.core.finding import Finding, Number, Table
from limpide.data.dataset import PARTS, TEST, TRAIN, VALIDATION
from limpide.data.near_duplicates import DISTANCE
from limpide.text.messages import N_, Message, message


def duplicates(checked: FolderContents) -> Finding:
    """Images whose bytes are the same."""
    groups = checked.twins()
    extra = sum(len(group) - 1 for group in groups)
    says = message(N_("No image occurs twice."))
    if groups:
        says = message(
            N_("{n:count} image is an exact copy of another; copies stay in one part."),
            N_("{n:count} images are exact copies of others; copies stay in one part."),
            n=extra,
        )
    if groups and checked.parted:  # `leaks` reports images that are in two of the user's parts
        says = message(
            N_("{n:count} image is an exact copy of another."),
            N_("{n:count} images are exact copies of others."),
            n=extra,
        )
    rows = [(checked.name(int(i)), checked.name(int(group[0]))) for group in groups for i in group[1:]]
    return Finding(
        "duplicates",
        "warn" if extra > 0.01 * len(checked.dataset) else "ok",
        says,
        table=file_table(rows, N_("same as")),
    )


def near_duplicates(checked: FolderContents) -> Finding:
    """Images that are nearly the same: resized, recompressed, slightly cropped or brightened."""
    if checked.near is None:
        why = N_("Near-duplicates were not searched for: in images this small, different ones look alike.")
        if not hasattr(checked.dataset.images, "stamp"):
            why = N_("Near-duplicates were not searched for: these images are not in files.")
        if checked.dataset.of_good_parts:
            why = N_("Near-duplicates were not searched for: good parts look alike without belonging together.")
        return Finding("near_duplicates", "unknown", message(why))
    pairs = checked.near_pairs()
    images = len(np.unique(pairs))
    says = message(N_("No two images are nearly the same."))
    if images:
        says = message(
            N_("{n:count} images are nearly the same as another; those that look alike stay in one part."), n=images
        )
        if checked.parted:
            says = message(N_("{n:count} images are nearly the same as another."), n=images)
    method = message(
        N_(
            "Compared by a perceptual hash (256 signs of a cosine transform, a variant of pHash); images that "
            "differ in at most {distance:count} bits count as nearly the same."
        ),
        distance=DISTANCE,
    )
    rows = [(checked.name(int(j)), checked.name(int(i))) for i, j in pairs[:MAX_ROWS]]
    return Finding(
        "near_duplicates",
        "warn" if images > 0.01 * len(checked.dataset) else "ok",
        says,
        table=file_table(rows, N_("nearly the same as")),
        details=[method],
    )


def conflicts(checked: FolderContents) -> Finding:
    """The same image, or nearly the same, under two labels: one of them is probably wrong."""
    labels = checked.dataset.labels
    rows = [
        (checked.name(int(i)), checked.label(int(i)), checked.name(int(group[0])), checked.label(int(group[0])))
        for group in checked.twins()
        for i in group[1:]
        if len(set(labels[group].tolist())) > 1
    ]
    exact = len(rows)
    rows += [
        (checked.name(int(j)), checked.label(int(j)), checked.name(int(i)), checked.label(int(i)))
        for i, j in checked.near_pairs()
        if labels[i] != labels[j]
    ]
    says = message(N_("No image is in two classes."))
    if exact:
        says = message(
            N_("{n:count} image is in two classes: all its copies are left out."),
            N_("{n:count} images are in two classes: all their copies are left out."),
            n=exact,
        )
    elif rows:
        says = message(
            N_("{n:count} image is nearly the same as one of another class: one label may be wrong."),
            N_("{n:count} images are nearly the same as one of another class: one label may be wrong."),
            n=len(rows),
        )
    columns = [(N_("file"), "text"), (N_("class"), "text"), (N_("same as"), "text"), (N_("its class"), "text")]
    return Finding(
        "conflicts",
        "bad" if exact else "warn" if rows else "ok",
        says,
        table=Table(columns, rows[:MAX_ROWS]) if rows else None,
    )


def leaks(checked: FolderContents) -> Finding:
    """Images of one of the user's parts that are in another one, too."""
    if len(np.unique(checked.dataset.given)) < 2:
        return Finding(
            "leaks", "ok", message(N_("limpide chose the parts itself and keeps copies of an image in the same part."))
        )
    exact = _find_exact_leaks(checked)
    rows = [*exact, *_find_near_leaks(checked)]
    cut = _count_cut_groups(checked)
    columns = [(N_("file"), "text"), (N_("part"), "text"), (N_("same as"), "text"), (N_("its part"), "text")]
    return Finding(
        "leaks",
        "bad" if rows or cut else "ok",
        _describe_leaks(len(rows), len(exact), cut),
        table=Table(columns, rows[:MAX_ROWS]) if rows else None,
        numbers=[Number(N_("images"), len(rows), "count")],
    )


def _find_exact_leaks(checked: FolderContents) -> list[tuple[str, str, str, str]]:
    """Of copies in several parts, those outside the part of the kept copy, each with the kept copy."""
    parts, rows = checked.dataset.given, []
    for group in checked.twins():
        if len({int(parts[i]) for i in group}) > 1:
            keeper = group[int(np.argmax([_rank_part(int(parts[i])) for i in group]))]
            rows += [_leak_row(checked, int(i), int(keeper)) for i in group if parts[i] != parts[keeper]]
    return rows


def _find_near_leaks(checked: FolderContents) -> list[tuple[str, str, str, str]]:
    """Of pairs in two parts that are nearly the same, the image farther from the test, with the other one."""
    parts = checked.dataset.given
    return [
        _leak_row(checked, *sorted((int(i), int(j)), key=lambda k: _rank_part(int(parts[k]))))
        for i, j in checked.near_pairs()
        if parts[i] != parts[j]
    ]


def _describe_leaks(images: int, exact: int, cut: int) -> Message:
    """images: the number that are in two parts, `exact` of them byte for byte; cut: the number of groups that are."""
    if images:
        return message(
            N_(
                "{n:count} image is in two of the parts that you gave ({exact:count} byte for byte): only the "
                "copy nearest to the test is kept."
            ),
            N_(
                "{n:count} images are in two of the parts that you gave ({exact:count} byte for byte): of each, "
                "only the copy nearest to the test is kept."
            ),
            n=images,
            exact=exact,
        )
    if cut:
        return message(
            N_(
                "{n:count} group has images in two of the parts that you gave: only those nearest to the test are kept."
            ),
            N_(
                "{n:count} groups have images in two of the parts that you gave: of each, only those nearest to "
                "the test are kept."
            ),
            n=cut,
        )
    return message(N_("No image is in two parts."))


def _rank_part(part: int) -> int:
    """The higher, the nearer to the test."""
    return {TEST: 3, VALIDATION: 2, TRAIN: 1}.get(part, 0)


def _leak_row(checked: FolderContents, i: int, j: int) -> tuple[str, str, str, str]:
    parts = checked.dataset.given
    return checked.name(i), PARTS[parts[i]], checked.name(j), PARTS[parts[j]]


def _count_cut_groups(checked: FolderContents) -> int:
    groups, parts = checked.dataset.groups, checked.dataset.given
    if groups is None:
        return 0
    pairs = {(int(g), int(p)) for g, p in zip(groups, parts, strict=True) if g >= 0}
    return sum(n > 1 for n in Counter(g for g, _ in pairs).values())
