"""What is in a folder of images, before anything is learned from it: one function a question, each returns a Finding.

What they measure: counts of classes, unreadable and odd files, the same image twice, images under two labels, leaks
between the parts that the user gave, and file names that look like groups. Why they matter: a duplicate on both sides
of a split, or one patient on both, makes every later score too good. How they can mislead: near duplicates are found by
a hash (data/near_duplicates.py), which misses some and may join images that only look alike; names only suggest groups.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from limpide.audit.duplicates import conflicts, duplicates, leaks, near_duplicates
from limpide.audit.folder import FolderContents, file_table
from limpide.core.finding import Finding, Number, Table, Verdict
from limpide.data.dataset import TEST, VALIDATION
from limpide.data.decoding.decode import REMARK_WORDS, Remarks
from limpide.data.decoding.value_range import FEW_LEVELS, MANY_FAINT
from limpide.data.layouts.image_paths import NO_PLACE
from limpide.text.messages import N_, Message, message

MAX_NAMES = 12  # classes named in a sentence
UNEVEN = 10  # the largest class this many times the smallest
FEW = 10  # images of a class
MANY_BAD = 0.05  # share of unusable files: above, something is wrong with the folder


def balance(checked: FolderContents) -> Finding:
    """How many usable images each class has."""
    names = checked.dataset.classes
    counts = np.bincount(checked.dataset.labels[checked.usable], minlength=len(names))
    has_few = len(names) > 1 and int(counts.max()) > 0 and int(counts.min()) < FEW
    order = np.argsort(counts if has_few else -counts, kind="stable")  # the classes that deserve attention come first
    verdict, says = _judge_balance(names, counts)
    if checked.dataset.of_good_parts:
        verdict, has_few = "ok", False
        how_many = N_("{good:count} usable images of good parts, and {others:count} others.")
        says = message(how_many, good=int(counts[0]), others=int(counts[1:].sum()))
    if has_few:
        verdict, says = "warn", _describe_few(names, counts)
    return Finding(
        "balance",
        verdict,
        says,
        numbers=[Number(N_("images"), int(counts.sum()), "count")],
        table=Table([(N_("class"), "text"), (N_("images"), "count")], [[names[k], int(counts[k])] for k in order]),
    )


def _judge_balance(classes: Sequence[str], counts: np.ndarray) -> tuple[Verdict, Message]:
    """The verdict and its sentence where every class has enough images, or where there is no class to learn at all."""
    order = np.argsort(-counts, kind="stable")
    large, small = int(counts.max()), int(counts.min())
    verdict: Verdict = "ok"
    if len(classes) == 1:
        verdict = "warn"
        says = N_(
            "All images are in one class, {most}: there are no classes to tell apart. Training treats these "
            "images as good parts and learns to tell good parts from defects."
        )
    elif not large:
        verdict, says = "bad", N_("No image can be used.")
    elif large >= UNEVEN * small:
        verdict = "warn"
        says = N_(
            "The classes are uneven: {most} has {ratio:number} times as many images as {least}; read balanced "
            "accuracy, not accuracy."
        )
    elif small == large:
        says = N_("{n:count} usable images in {k:count} classes, {small:count} a class.")
    else:
        says = N_("{n:count} usable images in {k:count} classes, {small:count} to {large:count} a class.")
    return verdict, message(
        says,
        k=len(classes),
        n=int(counts.sum()),
        large=large,
        small=small,
        most=classes[order[0]],
        least=classes[order[-1]],
        ratio=large / max(1, small),
    )


def _describe_few(classes: Sequence[str], counts: np.ndarray) -> Message:
    """Which classes have too few images, how many the smallest has, and what to do."""
    empty, small = np.flatnonzero(counts == 0), np.flatnonzero(counts < FEW)
    if len(empty):
        return message(
            N_("Class {names} has no usable image, so it cannot be learned: add images, or remove it."),
            N_(
                "{n:count} classes have no usable image, so they cannot be learned: {names}. Add images, or "
                "remove them."
            ),
            n=len(empty),
            names=", ".join(classes[k] for k in empty[:MAX_NAMES]) + (", …" if len(empty) > MAX_NAMES else ""),
        )
    least = int(counts.argmin())
    values: dict[str, Any] = {"least": classes[least], "of": len(classes), "k": len(small), "enough": FEW}
    if len(small) > 1:
        return message(
            N_(
                "{k:count} of {of:count} classes have fewer than {enough:count} usable images; {least} has the "
                "fewest, only {n:count}. Results for these classes will be uncertain: add images, or merge "
                "similar classes."
            ),
            n=int(counts[least]),
            **values,
        )
    return message(
        N_(
            "Class {least} has only {n:count} usable image: results for it will be uncertain. Add images, or "
            "merge it with a similar class."
        ),
        N_(
            "Class {least} has only {n:count} usable images: results for it will be uncertain. Add images, or "
            "merge it with a similar class."
        ),
        n=int(counts[least]),
        **values,
    )


def only_tested(checked: FolderContents) -> Finding:
    """Classes that occur only in the user's own test part: no model can learn them."""
    dataset, usable = checked.dataset, checked.usable
    parts = (usable & ~np.isin(dataset.given, (TEST, VALIDATION)), usable & (dataset.given == TEST))
    counts = [np.bincount(dataset.labels[rows], minlength=len(dataset.classes)) for rows in parts]
    strange = np.flatnonzero((counts[0] == 0) & (counts[1] > 0)).tolist()
    says = message(N_("Every class has images to train on."))
    if strange:
        says = message(
            N_(
                "Class {names} is only in the test part: it cannot be learned, and its images can never be "
                "named correctly."
            ),
            N_(
                "Classes {names} are only in the test part: they cannot be learned, and their images can never "
                "be named correctly."
            ),
            n=len(strange),
            names=", ".join(dataset.classes[k] for k in strange[:MAX_NAMES]),
        )
    rows = [[dataset.classes[k], int(counts[1][k])] for k in strange]
    table = Table([(N_("class"), "text"), (N_("images"), "count")], rows) if strange else None
    return Finding("only_tested", "warn" if strange else "ok", says, table=table)


def class_names(checked: FolderContents) -> Finding:
    """Classes whose names differ only by case or spaces, or are the same number written twice, are probably one."""
    alike: dict[str, list[str]] = defaultdict(list)
    for name in checked.dataset.classes:
        plain = re.sub(r"(?<=\D)[\s_-]+|[\s_-]+(?=\D)", "", name.strip()).casefold()  # 1-0 is not 10, and -1 is not 1
        alike[re.sub(r"^0+(?=\d)|(?<=\d)\.0+$", "", plain)].append(name)  # 1, 01 and 1.0
    pairs = [names for names in alike.values() if len(names) > 1]
    says = message(N_("No two class names differ only in case, spaces or zeros."))
    if pairs:
        says = message(
            N_("{first} and {second} are two classes here: rename one folder if they are meant to be one."),
            first=pairs[0][0],
            second=pairs[0][1],
        )
    return Finding("class_names", "warn" if pairs else "ok", says)


def unusable(checked: FolderContents) -> Finding:
    """Files that are left out, each with its reason."""
    listed = [(checked.name(i), reason) for i, reason in checked.reading.failures().items()] + list(
        checked.dataset.left_out
    )
    total = len(checked.dataset) + len(checked.dataset.left_out)
    says = message(N_("All {n:count} files can be used."), n=total)
    if listed:
        says = message(
            N_("{n:count} of {total:count} files cannot be used and is left out: {reason}."),
            N_(
                "{n:count} of {total:count} files cannot be used and are left out, most of them for this "
                "reason: {reason}."
            ),
            n=len(listed),
            total=total,
            reason=message(Counter(reason for _, reason in listed).most_common(1)[0][0]).to_json(),
        )
    # a picture outside of the classes is not a fault of the files
    broken = sum(reason != NO_PLACE for _, reason in listed)
    verdict: Verdict = "ok" if not listed else "bad" if broken > MANY_BAD * total else "warn"
    return Finding(
        "unusable", verdict, says, table=file_table([(name, message(reason)) for name, reason in listed], N_("reason"))
    )


def odd_files(checked: FolderContents) -> Finding:
    """Files that are used although they have something worth a remark."""
    rows_by_remark = {
        remark: checked.reading.remarked(remark) for remark in REMARK_WORDS if remark is not Remarks.CONSTANT
    }
    suspect = len(rows_by_remark.get(Remarks.SUSPECT, ()))
    rows: list[list[object]] = [
        [message(REMARK_WORDS[remark]), len(rows), checked.name(int(rows[0]))]
        for remark, rows in rows_by_remark.items()
        if len(rows)
    ]
    says = message(N_("Nothing is odd about the files that are used."))
    if suspect:
        says = message(
            N_("{n:count} image decodes but seems damaged; it is used."),
            N_("{n:count} images decode but seem damaged; they are used."),
            n=suspect,
        )
    elif rows:
        what, n, _name = max(rows, key=lambda row: int(str(row[1])))
        says = message(
            N_(
                "Some files are converted when they are read, most of them for this reason: {what} (files: "
                "{n:count}). The model converts images in the same way when it is used."
            ),
            what=what.to_json() if isinstance(what, Message) else str(what),
            n=n,
        )
    columns = [(N_("what"), "text"), (N_("images"), "count"), (N_("for example"), "text")]
    return Finding("odd_files", "warn" if suspect else "ok", says, table=Table(columns, rows) if rows else None)


def depth(checked: FolderContents) -> Finding:
    """How images of more than 8 bits are read, and whether enough of their grey levels are left."""
    values, messages = checked.values, checked.values.says()
    if not messages:
        return Finding("depth", "ok", message(N_("All values are read as they are stored.")))
    faint = values.faint()
    if warned := bool(len(faint)) and len(faint) >= MANY_FAINT * len(values.extremes):
        lost = message(
            N_(
                "in {n:count} image, nine of ten values lie within {few:count} of 256 grey levels; set "
                "--value-range LOW..HIGH to the values that matter"
            ),
            N_(
                "in {n:count} images, nine of ten values lie within {few:count} of 256 grey levels; set "
                "--value-range LOW..HIGH to the values that matter"
            ),
            n=len(faint),
            few=FEW_LEVELS,
        )
        messages = [lost, *messages]
    clipped = len(checked.reading.remarked(Remarks.CLIPPED))
    numbers = [
        Number(N_("images of more than 8 bits"), len(values.extremes), "count"),
        Number(N_("of these, clipped"), clipped, "count"),
    ]
    files = file_table([(checked.name(int(i)), checked.label(int(i))) for i in faint], N_("class")) if warned else None
    return Finding(
        "depth",
        "warn" if warned else "ok",
        message(N_("Depth: {said}."), said=messages[0].to_json()),
        numbers,
        files,
        details=messages[1:],
    )


def sizes(checked: FolderContents) -> Finding:
    image_records, usable = checked.reading.seen, checked.usable
    if not usable.any():
        return Finding("sizes", "bad", message(N_("No image can be used.")))
    both, counts = np.unique(
        image_records["width"][usable].astype(np.uint64) << np.uint64(32) | image_records["height"][usable],
        return_counts=True,
    )
    width, height = (both >> np.uint64(32)).astype(int), (both & np.uint64(2**32 - 1)).astype(int)
    short, kinds = np.minimum(width, height), len(both)
    order = np.argsort(short, kind="stable")
    typical = int(order[np.searchsorted(np.cumsum(counts[order]), counts.sum() // 2, side="right")])
    values: dict[str, Any] = {
        "w": int(width[typical]),
        "h": int(height[typical]),
        "low": int(short.min()),
        "high": int(np.maximum(width, height).max()),
    }
    says = message(N_("All images are {w:count}×{h:count} pixels."), **values)
    if kinds > 1:
        says = message(
            N_(
                "Images come in {kinds:count} sizes, typically {w:count}×{h:count} pixels; the shortest side has "
                "{low:count}, the longest {high:count}."
            ),
            kinds=kinds,
            **values,
        )
    return Finding("sizes", "ok", says)


def constant(checked: FolderContents) -> Finding:
    rows = checked.reading.remarked(Remarks.CONSTANT)
    says = message(N_("No image is of one colour only."))
    if len(rows):
        says = message(
            N_("{n:count} image is of one colour only: it shows nothing."),
            N_("{n:count} images are of one colour only: they show nothing."),
            n=len(rows),
        )
    return Finding(
        "constant",
        "warn" if len(rows) else "ok",
        says,
        table=file_table([(checked.name(int(i)), checked.label(int(i))) for i in rows], N_("class")),
    )


def name_groups(checked: FolderContents) -> Finding:
    """File names that look as if several images came from one person, camera or burst."""
    if checked.dataset.groups is not None:
        n = len(np.unique(checked.dataset.groups[checked.dataset.groups >= 0]))
        says = message(
            N_("{n:count} group was given, and it stays in one part."),
            N_("{n:count} groups were given, and each stays in one part."),
            n=n,
        )
        return Finding("name_groups", "ok", says)
    several = _count_prefixes(checked)
    covered = sum(several.values())
    if len(several) < 3 or covered < 0.5 * len(checked.dataset) or covered > 100 * len(several):
        return Finding("name_groups", "ok", message(N_("The file names do not suggest groups.")))
    rows = [[prefix, n] for prefix, n in sorted(several.items(), key=lambda item: -item[1])[:20]]
    return Finding(
        "name_groups",
        "warn",
        _describe_prefixes(several, checked.parted),
        table=Table([(N_("name begins with"), "text"), (N_("images"), "count")], rows),
    )


def _count_prefixes(checked: FolderContents) -> dict[str, int]:
    """Prefixes that two or more file names share, as `_prefix` finds them, with their counts."""
    if not hasattr(checked.dataset.images, "stamp"):  # images without files have names that limpide made
        return {}
    prefixes = Counter(map(_prefix, checked.dataset.images.names))
    prefixes.pop("", None)
    return {prefix: n for prefix, n in prefixes.items() if n > 1}


def _describe_prefixes(several: dict[str, int], parted: bool) -> Message:
    """several: prefix → images; parted: whether the user gave a test part"""
    example, n = max(several.items(), key=lambda item: item[1])
    return message(
        N_(
            "The file names suggest {groups:count} groups, such as {example}… with {n:count} images. If these "
            "are people, cameras or bursts, a random split inflates the score: give a table with a group column."
        )
        if not parted
        else N_(
            "The file names suggest {groups:count} groups, such as {example}… with {n:count} images. If these "
            "are people, cameras or bursts, make sure that none is in two of your parts, or give a table with a "
            "group column."
        ),
        groups=len(several),
        example=example,
        n=n,
    )


def _prefix(name: str) -> str:
    """The text before the last number of a file name, if it contains a number itself: p012_03.jpg → p012."""
    stem = re.sub(r"\.\w+$", "", name.replace("\\", "/").rsplit("/", 1)[-1])
    match = re.match(r"^(.*\d.*?)[\s_.-]+[A-Za-z]*\d+$", stem)
    return match.group(1) if match else ""


CHECKS: dict[str, Callable[[FolderContents], Finding]] = {
    check.__name__: check
    for check in (
        balance,
        only_tested,
        class_names,
        unusable,
        odd_files,
        depth,
        duplicates,
        near_duplicates,
        conflicts,
        leaks,
        sizes,
        constant,
        name_groups,
    )
}


def run_checks(checked: FolderContents) -> Iterable[Finding]:
    return (check(checked) for check in CHECKS.values())
