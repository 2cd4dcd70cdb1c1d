"""Is it cheating on a small mark? A patch of a class is pasted at the same place of images of other classes: how many
become that class?

A shortcut is learned instead of the thing: a mark in a corner, a watermark, the colour of a border (Geirhos et al.
2020, "Shortcut learning in deep neural networks", arXiv 2004.07780). The place is searched for with some images and
then tested with others, so that the best of many places is not luck. How it can mislead: only fixed places are tried; a
mark that wanders over the image is not found, and where the thing itself is as small as the window, and always at the
same place, the thing itself is pasted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import torch
from torch import nn

from limpide.core.cost import Cost, Facts
from limpide.core.finding import Finding, Number, Table, Verdict
from limpide.data.preprocessing import Preprocessing
from limpide.data.split import sample
from limpide.deploy.predictor import PIXELS
from limpide.statistics.intervals import interval_of_share
from limpide.statistics.metrics import wilson
from limpide.text.messages import N_, Message, message
from limpide.training.batches import normalized
from limpide.training.device import fuse_batch_norm, has_fast_bf16

BATCH = 32
GRID = 8  # places along each side
SHARE = 5  # the window's side is 1 / SHARE of the image's side
HOSTS = 6  # images of other classes in the search
PROOFS = 40  # other images of other classes for the test
LOOKS = GRID * GRID * HOSTS + PROOFS  # images a class costs
WORK = 4e11  # multiply-adds that the search after a training may cost: a few seconds
PASTED = 2.2  # times the bytes of the largest layer: PyTorch, layers fused, in its fastest arithmetic
# images of each class that is examined, and of all classes, from which patches are cut and into which they are pasted
EACH, OTHERS = 2 * PROOFS, 100
HARMLESS = 0.25  # share: where more than this is ruled out, a place does not decide
DECIDES = 0.5  # share of them, at the lower end of its interval: from here on, a place is reported to decide

Answers = Callable[[np.ndarray], np.ndarray]  # squares uint8 (n, size, size, channels) → the class of each, int (n,)


@dataclass(frozen=True)
class Place:
    """The most convincing place of one class."""

    label: int
    row: int  # of the grid, from the top
    column: int
    shares: np.ndarray  # float (GRID, GRID): the share of the images in the search that were called this class
    turned: int  # how many of `n` fresh images of other classes, each with its own patch, were called this class
    n: int
    donor: int  # one of the images that gave these patches
    z: float = 1.96  # of the interval: the best of several classes must meet a stricter bound
    bounds: tuple[float, float] | None = None  # of the share, where images belong together; None: each is independent

    @property
    def share(self) -> float:
        return self.turned / self.n

    @property
    def interval(self) -> tuple[float, float]:
        """The interval of the share, wide enough that those of all classes hold together with 95 % (Bonferroni)."""
        return self.bounds or wilson(self.turned, self.n, self.z)

    @property
    def decides(self) -> bool:
        return self.interval[0] >= DECIDES


def cost(facts: Facts) -> Cost:
    """The cost of the search after a training, on test images."""
    image, frozen = facts.image_seconds, facts.frozen
    if frozen:  # the frozen network was timed, at its own size
        image = frozen.seconds * (facts.size / frozen.size) ** 2
    together = min(max(1, PIXELS // facts.largest_size**2), BATCH)
    return Cost(
        count_labels(facts.classes_tested, facts.multiply_adds, WORK) * LOOKS * image,
        2 * facts.parameter_bytes + PASTED * facts.layer_bytes * together,
    )


def count_labels(classes: int, each: int, work: float) -> int:
    """How many of `classes` can be examined. each: multiply-adds of one image, work: in total."""
    return min(classes, int(work / (max(1, each) * LOOKS)))


def choose_labels(labels: np.ndarray, each: int, work: float) -> list[int]:
    """The classes that can be examined, those with the most images first. each, work: as in `count_labels`."""
    names, counts = np.unique(labels[labels >= 0], return_counts=True)
    most = count_labels(len(names), each, work)
    return [int(k) for k in names[np.argsort(-counts, kind="stable")][:most]]


def choose_hosts(labels: np.ndarray, wanted: Sequence[int]) -> np.ndarray:
    """The images that are used, in random order. labels: int (n,), negative where it is not known."""
    judged, labeled = np.flatnonzero(np.isin(labels, wanted)), np.flatnonzero(labels >= 0)
    rows = np.union1d(judged[sample(labels[judged], 0, EACH)], labeled[sample(labels[labeled], OTHERS)])
    return np.random.default_rng(0).permutation(rows).astype(int)


def answers_of(network: nn.Module, preprocessing: Preprocessing) -> Answers:
    """Return a function that asks a copy of the network, made for inference on the processor in its fastest arithmetic:
    the same except for rounding.
    """
    device = torch.device("cpu")
    dtype = torch.bfloat16 if has_fast_bf16(device) else torch.float32
    quick = fuse_batch_norm(network, device).to(dtype)
    batch = max(1, min(BATCH, PIXELS // preprocessing.size**2))

    def answer(squares: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            parts = (
                normalized(torch.from_numpy(np.array(squares[k : k + batch])), preprocessing).to(dtype)
                for k in range(0, len(squares), batch)
            )
            return np.concatenate([quick(part).argmax(1).numpy() for part in parts])

    return answer


def window(size: int, k: int) -> tuple[int, int]:
    """First and last + 1 pixel of the k-th of GRID windows along a side."""
    width = max(1, size // SHARE)
    start = round(k * (size - width) / (GRID - 1))
    return start, start + width


def places(
    answers: Answers, squares: np.ndarray, labels: np.ndarray, wanted: Sequence[int], groups: np.ndarray | None = None
) -> Iterator[Place]:
    """Yield one Place for each class of `wanted` that has two correctly named images, and two others not called by its
    name.

    squares: uint8 (n, size, size, channels), in no particular order · labels: int (n,) · groups: int (n,), as in
    intervals.py
    """
    predicted = answers(squares)
    for label in wanted:
        if place := place_of(answers, squares, labels, predicted, label, len(wanted), groups):
            yield place


def place_of(
    answers: Answers,
    squares: np.ndarray,
    labels: np.ndarray,
    said: np.ndarray,
    label: int,
    of: int,
    groups: np.ndarray | None = None,
) -> Place | None:
    """The most convincing place of one class; None where it has too few images. of: the number of examined classes ·
    said: the result of `answers` for the squares.
    """
    members = np.flatnonzero((labels == label) & (said == label))
    others = np.flatnonzero((labels != label) & (said != label))
    if len(members) < 2 or len(others) < 2:
        return None
    # Half of each is used to search for the place, the other half to test it.
    hosts, proofs = others[: len(others) // 2][:HOSTS], others[len(others) // 2 :][:PROOFS]
    donors, proving = members[: len(members) // 2], members[len(members) // 2 :]
    tried = (
        np.concatenate([paste_patch(squares, donors, hosts, row, column) for column in range(GRID)])
        for row in range(GRID)
    )
    shares = np.array([(answers(images) == label).reshape(GRID, len(hosts)).mean(1) for images in tried])
    row, column = divmod(int(shares.argmax()), GRID)
    pairs = min(len(proving), len(proofs))  # one patch in many images would be a single test, not many
    turned = answers(paste_patch(squares, proving[:pairs], proofs[:pairs], row, column)) == label
    bounds = None
    if groups is not None:
        bounds = _bounds(turned, groups[proofs[:pairs]], groups[proving[:pairs]], 1 - 0.05 / max(1, of))
    z = NormalDist().inv_cdf(1 - 0.025 / max(1, of))
    return Place(label, row, column, shares, int(turned.sum()), pairs, int(proving[0]), z, bounds)


def _bounds(turned: np.ndarray, hosts: np.ndarray, donors: np.ndarray, level: float) -> tuple[float, float]:
    """The interval of the share: the wider of those for groups of hosts (images pasted into) and of donors (images that
    gave the patches).
    """
    intervals = [interval_of_share(turned, groups, level) for groups in (hosts, donors)]
    return min(one.low for one in intervals), max(one.high for one in intervals)


def paste_patch(squares: np.ndarray, donors: np.ndarray, hosts: np.ndarray, row: int, column: int) -> np.ndarray:
    """The hosts, each with the pixels of a donor in this window."""
    (top, bottom), (left, right) = window(squares.shape[1], row), window(squares.shape[2], column)
    pasted = squares[hosts].copy()
    pasted[:, top:bottom, left:right] = squares[donors[np.arange(len(hosts)) % len(donors)], top:bottom, left:right]
    return pasted


DOWN = (N_("at the top"), N_("in the middle"), N_("at the bottom"))
ACROSS = (N_("on the left"), N_("in the middle"), N_("on the right"))


BECAME = N_("classified as this class")
COLUMNS = [
    (N_("class"), "text"),
    (N_("row"), "text"),
    (N_("column"), "text"),
    (BECAME, "percent"),
    (N_("low"), "percent"),
    (N_("high"), "percent"),
    (N_("images"), "count"),
]
SAYS = {
    "unknown": N_(
        "There are too few images to say whether one small area decides the answer. With the most convincing "
        "area pasted into them, {share:percent} of {n:count} images are classified as {label}, up to "
        "{most:percent} is possible, and 0 % would be best."
    ),
    "warn": N_(
        "One small area decides the answer: what {label} shows {down}, {across}, was pasted into {n:count} "
        "images of other classes, and {share:percent} of them were then classified as {label}. Look at that area."
    ),
    "ok": N_(
        "No small area decides the answer: the most convincing one was pasted into {n:count} images of other "
        "classes, and {share:percent} of them were then classified as {label}."
    ),
}
NOTHING_TO_JUDGE = N_("There are too few images to say whether one small area decides the answer.")
NOT_ALL_CLASSES = N_("{n:count} of {of:count} classes were examined; the Audit page of limpide studio examines more.")
METHOD = N_(
    "A window of a fifth of the side is cut out of images of a class and pasted at the same place into others. "
    "The best of 64 places is then tested on images that were not used to choose it."
)
LIMIT = N_(
    "A mark that moves about from image to image is not found. Where the object itself is as small as the "
    "window, it is the object that was pasted."
)


def rank_places(found: Sequence[Place]) -> list[Place]:
    """Sort, the most convincing place first."""
    return sorted(found, key=lambda place: -place.interval[0])


def as_finding(found: Sequence[Place], classes: Sequence[str], of: int) -> Finding:
    """The claim, with the most convincing place of each class. of: the number of classes."""
    ordered = rank_places(found)
    rows = [_row(place, classes[place.label]) for place in ordered]
    verdict = _verdict(ordered)
    best = ordered[0] if ordered else None
    return Finding(
        name="shortcut",
        verdict=verdict,
        message=_say_of_best(rows[0], verdict, _largest_share(ordered)) if rows else message(NOTHING_TO_JUDGE),
        numbers=[Number(BECAME, best.share, "share", *best.interval, n=best.n)] if best else [],
        table=Table(COLUMNS, rows),
        details=[
            *([message(NOT_ALL_CLASSES, n=len(found), of=of)] if 0 < len(found) < of else []),
            message(METHOD),
            message(LIMIT),
        ],
        source="Geirhos et al. 2020, arXiv 2004.07780",
    )


def _largest_share(ordered: Sequence[Place]) -> float:
    """The largest upper end of all intervals."""
    return max((place.interval[1] for place in ordered), default=1.0)


def _verdict(ordered: Sequence[Place]) -> Verdict:
    if ordered and ordered[0].decides:
        return "warn"
    return "ok" if _largest_share(ordered) < HARMLESS else "unknown"


def _row(place: Place, name: str) -> list[Any]:
    """A line of the table, in the order of COLUMNS."""
    down, across = message(DOWN[place.row * 3 // GRID]), message(ACROSS[place.column * 3 // GRID])
    return [name, down, across, place.share, *place.interval, place.n]


def _say_of_best(row: Sequence[Any], verdict: Verdict, most: float) -> Message:
    """The sentence on the most convincing place. most: the share that is still possible for some place."""
    label, down, across, share, _low, _high, n = row
    return message(
        SAYS[verdict], label=label, down=down.to_json(), across=across.to_json(), share=share, n=n, most=most
    )
