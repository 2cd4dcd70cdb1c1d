"""What an ablation says: which choice names more images, over repeats and images, or that no difference is seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from limpide.core.finding import Finding, Number, Table
from limpide.statistics.repeated import CrossedMean, crossed_mean, holm, images_for, repeats_for
from limpide.text.messages import N_, Message, message

LEVEL = 0.05
POINT = 0.01  # the difference for which the number of repeats is told


@dataclass(frozen=True)
class Tried:
    """One combination, trained several times. right: bool (repeats, images) · seconds: of each training's steps · lost:
    trainings whose loss ran away, so that no image is named.
    """

    name: str
    right: np.ndarray
    seconds: tuple[float, ...]
    lost: int = 0


def ablation_finding(tried: Sequence[Tried], groups: np.ndarray | None, variance: float = 1.0) -> Finding:
    """Compare each combination with the first one. groups: int (images,) · variance: as in `crossed_mean`."""
    scores = [crossed_mean(one.right, groups, variance) for one in tried]
    against = [crossed_mean(one.right.astype(float) - tried[0].right, groups, variance) for one in tried[1:]]
    adjusted = holm([1.0 if one is None else one.p for one in against])
    rows = [
        _row(one, score, difference) for one, score, difference in zip(tried, scores, [None, *against], strict=True)
    ]
    n = tried[0].right.shape[1]
    numbers = [
        Number(one.name, float(one.right.mean()), "share", *_clipped(score), n=n)
        for one, score in zip(tried, scores, strict=True)
    ]
    seen = [k for k, p in enumerate(adjusted) if p <= LEVEL]
    return Finding(
        name="ablation",
        verdict="ok" if seen else "unknown",
        message=_headline(tried, against, seen, len(tried[0].right), n),
        numbers=numbers,
        table=Table(COLUMNS, rows),
        details=[*_lost(tried), *_details(tried, against, adjusted), *_needs(against)],
        source="test",
        data={
            "names": [one.name for one in tried],
            "p": [None, *adjusted],
            "differences": [None, *(None if one is None else [one.value, one.low, one.high] for one in against)],
            "right": [one.right.mean(1).tolist() for one in tried],
        },
    )


COLUMNS = [
    (N_("choice"), "text"),
    (N_("accuracy"), "percent"),
    (N_("from"), "percent"),
    (N_("to"), "percent"),
    (N_("points more"), "gap"),
    (N_("from"), "gap"),
    (N_("to"), "gap"),
    (N_("training time"), "duration"),
]


def _row(one: Tried, score: CrossedMean | None, difference: CrossedMean | None) -> list[object]:
    gap = [None] * 3 if difference is None else [difference.value, difference.low, difference.high]
    return [one.name, float(one.right.mean()), *_clipped(score), *gap, float(np.median(one.seconds))]


def _clipped(score: CrossedMean | None) -> tuple[float | None, float | None]:
    return (None, None) if score is None else (max(0.0, score.low), min(1.0, score.high))


def _headline(
    tried: Sequence[Tried], against: Sequence[CrossedMean | None], seen: Sequence[int], repeats: int, n: int
) -> Message:
    if repeats < 2:
        says = N_("One repeat compares nothing: another seed may turn the order round. Ask for more (--repeats 5).")
        return message(says)
    if not seen:
        says = N_(
            "No difference seen: over {repeats:count} repeats and {n:count} test images, no choice names more than "
            "{first}, nor fewer, beyond chance."
        )
        return message(says, repeats=repeats, n=n, first=tried[0].name)
    gaps = {k: one for k in seen if (one := against[k]) is not None}
    best = max(gaps, key=lambda k: abs(gaps[k].value))
    gap = gaps[best]
    says = N_(
        "{name} names {points:points} more of the test images than {first} (95 %: {low:gap} to {high:gap}; "
        "{repeats:count} repeats, {n:count} images)."
    )
    low, high = gap.low, gap.high
    if gap.value < 0:
        says = N_(
            "{name} names {points:points} fewer of the test images than {first} (95 %: {low:gap} to {high:gap}; "
            "{repeats:count} repeats, {n:count} images)."
        )
        low, high = -gap.high, -gap.low
    name = tried[best + 1].name
    return message(
        says, name=name, first=tried[0].name, points=abs(gap.value), low=low, high=high, repeats=repeats, n=n
    )


def _lost(tried: Sequence[Tried]) -> list[Message]:
    """One sentence for each choice that ran away: its zeros are no answers."""
    says = N_(
        "{name}: in {lost:count} of {repeats:count} trainings the loss ran away, so the network names "
        "no image: the learning rate is too high for it."
    )
    return [message(says, name=one.name, lost=one.lost, repeats=len(one.right)) for one in tried if one.lost]


def _details(tried: Sequence[Tried], against: Sequence[CrossedMean | None], adjusted: Sequence[float]) -> list[Message]:
    """One sentence for each choice besides the first."""
    found: list[Message] = []
    if len(tried[0].right) < 2:
        return found
    for one, gap, p in zip(tried[1:], against, adjusted, strict=True):
        says = N_("{name}: no difference seen (p = {p:number}).")
        if gap is not None and p <= LEVEL:
            says = N_("{name}: better (p = {p:number}).") if gap.value > 0 else N_("{name}: worse (p = {p:number}).")
        found.append(message(says, name=one.name, p=float(f"{p:.2g}")))
    if len(adjusted) > 1:
        found.append(message(N_("The p-values take into account that several choices are compared (Holm 1979).")))
    found.append(
        message(
            N_(
                "The intervals are over seeds and images: another seed, and other images like these, would move the "
                "scores that far. All choices were judged on the same images."
            )
        )
    )
    found.append(
        message(
            N_("These images have chosen now, and luck flatters the best of several: other images tell how good it is.")
        )
    )
    return found


def _needs(against: Sequence[CrossedMean | None]) -> list[Message]:
    """How many repeats would find a difference of one point, as the widest comparison tells."""
    known = [one.components for one in against if one is not None]
    if not known:
        return []
    widest = max(known, key=lambda one: one.of_mean(5))
    repeats = repeats_for(POINT, widest)
    if repeats is None:
        says = N_(
            "No number of repeats would show a difference of one point on so few test images: about {times:count} "
            "times as many images would be needed."
        )
        return [message(says, times=max(2, images_for(POINT, widest)))]
    says = N_("To show a difference of one point, four times in five, it needs {repeats:count} repeats.")
    return [message(says, repeats=repeats)]
