"""Which image serves for what: train fits, validation chooses, calibration calibrates, test is looked at once.

Whole groups (today: identical bytes) go to one side. Within a class, groups are ordered by the hash of their content and
fill the test part up to its quota, then validation, then calibration; the rest trains. So the split needs no seed, and
the same files fall on the same side on every machine. A later run inherits the earlier split and only places new files.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from limpide.data.dataset import PARTS
from limpide.files import write_bytes
from limpide.language import N_

CALIBRATION_FROM = 1000  # images; below, calibration has no part of its own

TWO_LABELS = N_("the same image is in two classes")
LEAKED = N_("the same image is in the test part")
LEAKED_VALIDATION = N_("the same image is in the validation part")
NOT_TRAINED = N_("its class has no image in the training part")
LEAKS = {"test": LEAKED, "validation": LEAKED_VALIDATION}  # of the user's own parts, the one that keeps an image comes first


def split(
    groups: Sequence[str],
    labels: np.ndarray,
    given: np.ndarray,
    shares: Mapping[str, float],
    earlier: Mapping[str, str] | None = None,
) -> tuple[np.ndarray, dict[int, str]]:
    """Returns the part of each image ("" = left out) and, for those left out, the reason (a msgid).

    groups: content hash of each image, (n,) · labels: int (n,) · given: the user's own parts, "" where free, (n,)
    shares: of "test", "validation" and "calibration" · earlier: part of each group in the run before.
    """
    earlier = earlier or {}
    parts = np.array([""] * len(groups), dtype="U11")
    out: dict[int, str] = {}
    members: dict[str, list[int]] = defaultdict(list)
    for i, group in enumerate(groups):
        members[group].append(i)
    for indices in members.values():
        if len({int(labels[i]) for i in indices}) > 1:
            out.update(dict.fromkeys(indices, TWO_LABELS))
            continue
        keeper = next((part for part in LEAKS if any(given[i] == part for i in indices)), "")
        out.update({i: LEAKS[keeper] for i in indices if keeper and given[i] != keeper})
    quotas = dict(shares)
    if np.any(given == "test"):
        quotas["test"] = 0.0
    if np.any(given == "validation"):
        quotas["validation"] = 0.0
    if len(groups) < CALIBRATION_FROM:
        quotas["calibration"] = 0.0
    for label in np.unique(labels).tolist():
        own = {g: [i for i in ix if i not in out] for g, ix in members.items() if labels[ix[0]] == label}
        _place(own, parts, given, quotas, earlier)
    trained = set(labels[parts == "train"].tolist())
    for i in np.flatnonzero(parts != "").tolist():
        if int(labels[i]) not in trained:
            out[i], parts[i] = NOT_TRAINED, ""
    return parts, out


def _place(own: Mapping[str, list[int]], parts: np.ndarray, given: np.ndarray, shares: Mapping[str, float], earlier: Mapping[str, str]) -> None:
    """Places the groups of one class: the user's parts first, then the earlier split, then by hash up to the quotas."""
    free = []
    for group in sorted(own):
        for i in own[group]:
            parts[i] = given[i] if given[i] in ("test", "validation") else ""
        rest = [i for i in own[group] if parts[i] == ""]
        if rest and earlier.get(group) in PARTS and not _contradicts(earlier[group], shares):
            parts[rest] = earlier[group]
        elif rest:
            free.append(rest)
    ours = [i for indices in own.values() for i in indices if given[i] != "test"]
    for part, smallest in (("test", 2), ("validation", 3), ("calibration", 4)):
        share = shares.get(part, 0.0)
        quota = int(share * len(ours) + 0.5)
        if share > 0 and part != "calibration" and len(ours) >= smallest:
            quota = max(1, quota)
        room = quota - sum(1 for i in ours if parts[i] == part)
        spare = sum(len(rest) for rest in free) + sum(1 for i in ours if parts[i] == "train")
        left = []
        for rest in free:
            if len(rest) <= room and spare > len(rest):  # something must be left to train on
                parts[rest] = part
                room, spare = room - len(rest), spare - len(rest)
            else:
                left.append(rest)
        free = left
    for rest in free:
        parts[rest] = "train"


def _contradicts(part: str, shares: Mapping[str, float]) -> bool:
    """An earlier part that this split has no use for: the user has since given parts of their own."""
    return part != "train" and shares.get(part, 0.0) == 0.0


def stratified(labels: np.ndarray, seed: int) -> np.ndarray:
    """All indices, ordered so that every prefix holds the classes in about their own proportions, and each class early."""
    random = np.random.default_rng(seed)
    rank = np.empty(len(labels))
    for label in np.unique(labels):
        own = random.permutation(np.flatnonzero(labels == label))
        rank[own] = (np.arange(len(own)) + random.random()) / len(own)
        rank[own[0]] = -1  # one of each class comes first: no subset lacks a class
    return np.argsort(rank, kind="stable")


def write_split(file: Path, names: Sequence[str], labels: Sequence[str], parts: Sequence[str], groups: Sequence[str]) -> None:
    rows = ((n, k, p, g) for n, k, p, g in zip(names, labels, parts, groups, strict=True) if p)
    _write(file, ("file", "label", "part", "group"), rows)


def write_excluded(file: Path, rows: Sequence[tuple[str, str]]) -> None:
    _write(file, ("file", "reason"), rows)


def _write(file: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    text = io.StringIO(newline="")
    plain, quoted = csv.writer(text, lineterminator="\n"), csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    plain.writerow(header)
    for row in rows:  # up to Python 3.12 a carriage return in a name is not quoted by itself
        (quoted if any("\r" in value for value in row) else plain).writerow(row)
    write_bytes(file, text.getvalue().encode("utf-8", "surrogateescape"))


def read_split(file: Path) -> list[dict[str, str]]:
    """Rows of a split.csv or an excluded.csv, in order; empty when the file is not there."""
    if not file.exists():
        return []
    with open(file, encoding="utf-8", errors="surrogateescape", newline="") as stream:
        return list(csv.DictReader(stream))
