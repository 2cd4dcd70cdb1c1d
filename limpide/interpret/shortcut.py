"""Does one small place decide? What a class shows there is pasted at the same place of images of other classes: how many become that class?

A shortcut is learned instead of the thing: a mark in a corner, a watermark, the colour of a border (Geirhos et al. 2020, "Shortcut learning in
deep neural networks", arXiv 2004.07780). The place is looked for with some images and then put to the test with others, so that the best of many
places is no luck. How it can mislead: only fixed places are tried; a mark that wanders over the image is not found, and where the thing itself is
as small as the window, and always at the same place, it is the thing that is pasted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from limpide.finding import Finding, Number, Table, Verdict
from limpide.language import N_, message
from limpide.metrics import wilson
from limpide.training.device import fused

BATCH = 32
GRID = 8  # places along each side
SHARE = 5  # the window's side is this part of the image's
HOSTS = 6  # images of other classes while looking
PROOFS = 40  # other images of other classes for the test
DECIDES = 0.5  # share of them, at the lower end of its interval, from which a place is said to decide

Answers = Callable[[Tensor], np.ndarray]  # normalised images (n, channels, size, size) → the class of each, int (n,)


@dataclass(frozen=True)
class Place:
    """The most convincing place of one class."""

    label: int
    row: int  # of the grid, from the top
    column: int
    shares: np.ndarray  # float (GRID, GRID): of the images tried while looking, so many were called this class
    turned: int  # of `n` fresh images of other classes, each with a patch of its own, so many were called this class
    n: int
    donor: int  # one of the images that gave these patches
    z: float = 1.96  # of the interval: the best of several classes is asked for more

    @property
    def interval(self) -> tuple[float, float]:
        """Of the share, so wide that those of all classes hold together with 95 % (Bonferroni)."""
        return wilson(self.turned, self.n, self.z)

    @property
    def decides(self) -> bool:
        return self.n > 0 and self.interval[0] >= DECIDES


def affordable(each: int, work: float) -> int:
    """How many classes can be looked at. each: multiply-adds of one image, work: of all of it."""
    return int(work / (max(1, each) * (GRID * GRID * HOSTS + PROOFS)))


def answers_of(network: nn.Module, dtype: torch.dtype = torch.float32) -> Answers:
    """Asks a copy of the network that is made for inference on the processor: the same numbers but for rounding."""
    quick = fused(network, torch.device("cpu")).to(dtype)

    def answer(images: Tensor) -> np.ndarray:
        with torch.inference_mode():
            return np.concatenate([quick(images[k : k + BATCH].to(dtype)).argmax(1).numpy() for k in range(0, len(images), BATCH)])

    return answer


def window(size: int, k: int) -> tuple[int, int]:
    """First and last + 1 pixel of the k-th of GRID windows along a side."""
    width = max(1, size // SHARE)
    start = round(k * (size - width) / (GRID - 1))
    return start, start + width


def places(answers: Answers, images: Tensor, labels: np.ndarray, wanted: Sequence[int]) -> Iterator[Place]:
    """One Place for each class of `wanted` that has two images and others beside it.

    images: (n, channels, size, size), normalised, in no particular order · labels: int (n,)
    """
    said, z = answers(images), NormalDist().inv_cdf(1 - 0.025 / max(1, len(wanted)))
    for label in wanted:
        own = np.flatnonzero((labels == label) & (said == label))
        others = np.flatnonzero((labels != label) & (said != label))
        if len(own) < 2 or len(others) < 2:
            continue
        # Half of each looks for the place, the other half proves it.
        half = max(1, len(others) // 2)
        hosts, proofs = others[:half][:HOSTS], others[half:][:PROOFS]
        donors, proving = own[: max(1, len(own) // 2)], own[max(1, len(own) // 2) :]
        shares = np.array([[_turned(answers, images, donors, hosts, label, row, column).mean() for column in range(GRID)] for row in range(GRID)])
        row, column = divmod(int(shares.argmax()), GRID)
        pairs = min(len(proving), len(proofs))  # one patch in many images would be one proof, not many
        turned = _turned(answers, images, proving[:pairs], proofs[:pairs], label, row, column)
        yield Place(label, row, column, shares, int(turned.sum()), pairs, int(proving[0]), z)


def pasted(images: Tensor, donors: np.ndarray, hosts: np.ndarray, row: int, column: int) -> Tensor:
    """The hosts, each with what a donor shows in this window."""
    size = images.shape[-1]
    (top, bottom), (left, right) = window(size, row), window(size, column)
    found = images[torch.from_numpy(hosts)].clone()
    given = images[torch.from_numpy(donors[np.arange(len(hosts)) % len(donors)])]
    found[:, :, top:bottom, left:right] = given[:, :, top:bottom, left:right]
    return found


def _turned(answers: Answers, images: Tensor, donors: np.ndarray, hosts: np.ndarray, label: int, row: int, column: int) -> np.ndarray:
    """bool (hosts,): whether each is called this class then."""
    return np.asarray(answers(pasted(images, donors, hosts, row, column)) == label)


DOWN = (N_("at the top"), N_("in the middle"), N_("at the bottom"))
ACROSS = (N_("on the left"), N_("in the middle"), N_("on the right"))


def as_finding(found: Sequence[Place], classes: Sequence[str], of: int | None = None) -> Finding:
    """The claim, with the most convincing place of each class. of: so many classes there are, where not all were looked at."""
    ordered = sorted(found, key=lambda place: -place.interval[0])
    verdict: Verdict = "unknown" if not ordered else "warn" if ordered[0].decides else "ok"
    says = {
        "unknown": N_("There are too few images to say whether one small place decides."),
        "warn": N_(
            "One small place decides: what {label} shows {down}, {across}, pasted into images of other classes, makes {share:percent} of {n:count} of them {label}. Look at that place."
        ),
        "ok": N_("No small place decides: the most convincing one makes {share:percent} of {n:count} images of other classes {label}."),
    }[verdict]
    first = ordered[0] if ordered else None
    values: dict[str, Any] = (
        {
            "label": classes[first.label],
            "share": first.turned / max(1, first.n),
            "n": first.n,
            "down": message(DOWN[first.row * 3 // GRID]).to_json(),
            "across": message(ACROSS[first.column * 3 // GRID]).to_json(),
        }
        if first
        else {}
    )
    rows = [
        [classes[p.label], message(DOWN[p.row * 3 // GRID]), message(ACROSS[p.column * 3 // GRID]), p.turned / max(1, p.n), *p.interval, p.n] for p in ordered
    ]
    columns = [
        (N_("class"), "text"),
        (N_("row"), "text"),
        (N_("column"), "text"),
        (N_("became this class"), "percent"),
        (N_("low"), "percent"),
        (N_("high"), "percent"),
        (N_("images"), "count"),
    ]
    return Finding(
        name="shortcut",
        verdict=verdict,
        message=message(says, **values),
        numbers=[Number(N_("became this class"), first.turned / max(1, first.n), "share", *first.interval, n=first.n)] if first else [],
        table=Table(columns, rows),
        details=[
            *(
                [message(N_("{n:count} of {of:count} classes were looked at; the Audit page of limpide studio looks at more."), n=len(found), of=of)]
                if of and of > len(found)
                else []
            ),
            message(
                N_(
                    "A window of a fifth of the side is cut out of images of a class and pasted at the same place of others; the best of 64 places is then tried on images that did not choose it."
                )
            ),
            message(N_("A mark that wanders over the image is not found. Where the thing itself is as small as the window, it is the thing that was pasted.")),
        ],
        source="Geirhos et al. 2020, arXiv 2004.07780",
        data={"places": [{"label": classes[p.label], "row": p.row, "column": p.column, "shares": p.shares.tolist()} for p in ordered]},
    )
