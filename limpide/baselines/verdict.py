"""Would a simpler model do?

What it measures: always-the-majority, logistic regression, a random forest and k-nearest neighbours on pixels, and a
linear head on frozen features, against the network, image by image, on the test images that both named. Why it matters:
not every question needs a deep network. How it can mislead: a baseline that had fewer training images (n is shown)
might do better with all of them; with several baselines the best one is partly lucky, so each has to pass a stricter
test (Holm 1979).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from limpide.baselines import majority
from limpide.baselines.baseline import Baseline, ComparedModel
from limpide.baselines.forest import TREES
from limpide.core.finding import Finding, Table, Verdict
from limpide.statistics.intervals import interval_of_share
from limpide.statistics.paired import Paired, compare_paired
from limpide.text.messages import N_, Message, message

ALPHA = 0.025  # one-sided: 5 % for both directions together
MARGIN = 0.02  # share of the test images: a baseline that is behind by less is close enough to be worth a thought

COLUMNS = [
    (N_("model"), "text"),
    (N_("accuracy"), "percent"),
    (N_("low"), "percent"),
    (N_("high"), "percent"),
    (N_("test images"), "count"),
    (N_("training images"), "count"),
    (N_("training time"), "duration"),
    (N_("ms an image"), "number"),
    (N_("size"), "bytes"),
    (N_("multiply-adds"), "large"),
]


@dataclass(frozen=True)
class JudgedImages:
    """How the test images are counted."""

    groups: np.ndarray | None = None  # int (n,), images that belong together; None where each is independent
    source: str = "test"  # that the finding names
    variance: float = 1.0  # of a share, as a multiple of that of independent groups

    def groups_of(self, rows: np.ndarray) -> np.ndarray | None:
        return None if self.groups is None else self.groups[rows]


@dataclass(frozen=True)
class LimitsMet:
    """The limits of the simpler models, so that the report can say what they had."""

    images: int  # of the training part
    seconds: float | None = None  # for each, where a time was given
    late: Sequence[Baseline] = ()  # those that did not end in their seconds
    left_out: Sequence[Baseline] = ()  # those that were not tried, as the total time was up


def baselines_finding(
    network: ComparedModel, baselines: Sequence[ComparedModel], had: LimitsMet, images: JudgedImages = JudgedImages()
) -> Finding:
    """The comparison as a Finding: the network first, then its baselines from best to worst, always-the-majority among
    them.
    """
    ranked = sorted(baselines, key=lambda baseline: -baseline.accuracy)
    tests = {baseline.key: compare_with(network, baseline, images) for baseline in ranked}
    verdict, says = _judge(network, ranked, tests, images)
    if (had.left_out or had.late) and verdict == "ok":
        verdict, says = (
            "unknown",
            _about(
                N_(
                    "Not every simpler model could be compared; of those that were, the best, {rival}, names "
                    "{share:percent} of the images correctly."
                ),
                ranked[0],
            ),
        )
    details = [*_what_they_had(ranked, had), *_how(len(ranked), images)]
    if weak := _no_better_than_majority(ranked[0], ranked, images):
        details.insert(0, weak)
    return Finding(
        name="simpler",
        verdict=verdict,
        message=says,
        table=Table(COLUMNS, [_row(model, images) for model in (network, *ranked)]),
        details=details,
        source=images.source,
        data={
            "paired": {key: vars(test) for key, test in tests.items()},
            "is_complete": not (had.left_out or had.late),
        },
    )


def compare_with(first: ComparedModel, second: ComparedModel, images: JudgedImages) -> Paired:
    """Compare two models on the test images that both named."""
    rows, a, b = np.intersect1d(first.rows, second.rows, return_indices=True)
    return compare_paired(first.right[a], second.right[b], images.groups_of(rows), MARGIN, images.variance)


def _judge(
    network: ComparedModel, ranked: Sequence[ComparedModel], tests: dict[str, Paired], images: JudgedImages
) -> tuple[Verdict, Message]:
    """`bad` and `warn` only where a test rejects, corrected for the number of baselines compared with it; `ok` where
    all do.
    """
    strict = ALPHA / len(ranked)
    if better := [baseline for baseline in ranked if tests[baseline.key].worse <= strict]:
        return "bad", _about(
            N_(
                "A simpler model does better: {rival} names {share:percent} of the images correctly. Use it, "
                "or train longer."
            ),
            better[0],
        )
    if all(test.better <= ALPHA for test in tests.values()):
        return "ok", _none_does(network, ranked[0])
    close = [baseline for baseline in ranked if tests[baseline.key].close <= strict]
    if says := _recommend_close(close, ranked, tests, images):
        return "warn", says
    return "unknown", _admit_doubt(network, ranked, tests, images)


def _recommend_close(
    close: Sequence[ComparedModel], ranked: Sequence[ComparedModel], tests: dict[str, Paired], images: JudgedImages
) -> Message | None:
    """A model that may replace the network, among the baselines shown to be close behind it; None if there is none. A
    baseline that is not shown to beat always-the-majority may not.
    """
    proven = [
        baseline
        for baseline in close
        if baseline.key != majority.KEY and not _no_better_than_majority(baseline, ranked, images)
    ]
    if proven:
        says = N_(
            "A simpler model may do: {rival} names {share:percent} of the images correctly and is shown to be "
            "behind the network on less than {margin:percent} of them."
        )
        return _about(says, proven[0])
    most_frequent = _find_majority(close)
    if most_frequent and tests[majority.KEY].better > ALPHA:
        says = N_(
            "Always naming the most frequent class may do: it is right on {share:percent} of the images, and the "
            "network is not shown to be better."
        )
        return _about(says, most_frequent)
    return None


def _admit_doubt(
    network: ComparedModel, ranked: Sequence[ComparedModel], tests: dict[str, Paired], images: JudgedImages
) -> Message:
    """A sentence on what is not known, where no test decides."""
    values: dict[str, Any] = {"n": network.n_test, "rivals": len(ranked), "network": network.accuracy}
    most_frequent = _find_majority(ranked)
    if (
        most_frequent
        and tests[majority.KEY].better > ALPHA
        and all(
            _no_better_than_majority(baseline, ranked, images) for baseline in ranked if baseline is not most_frequent
        )
    ):
        says = N_(
            "These {n:count} test images do not show that the network, or any simpler model, beats always "
            "naming the most frequent class ({share:percent})."
        )
        return _about(says, most_frequent, **values)
    says = N_(
        "These {n:count} test images cannot tell whether a simpler model would do: {rival}, the best of "
        "{rivals:count}, names {share:percent} correctly, the network {network:percent}."
    )
    return _about(says, ranked[0], **values)


def _find_majority(baselines: Sequence[ComparedModel]) -> ComparedModel | None:
    return next((baseline for baseline in baselines if baseline.key == majority.KEY), None)


def _about(says: str, baseline: ComparedModel, **values: Any) -> Message:
    return message(says, rival=baseline.title.to_json(), share=baseline.accuracy, margin=MARGIN, **values)


def _none_does(network: ComparedModel, best: ComparedModel) -> Message:
    """The sentence for a network that none of them replaces. The errors are compared on the images that both named."""
    _rows, a, b = np.intersect1d(network.rows, best.rows, return_indices=True)
    ours, theirs = float((~network.right[a]).mean()), float((~best.right[b]).mean())
    if not ours:
        says = N_(
            "No simpler model does as well: the best of them, {rival}, is wrong on {error:percent} of the "
            "images, the network on none."
        )
        return _about(says, best, error=theirs)
    return _about(
        N_("No simpler model does as well: the best of them, {rival}, is wrong {ratio:number} times as often."),
        best,
        ratio=theirs / ours,
    )


def _no_better_than_majority(
    baseline: ComparedModel, ranked: Sequence[ComparedModel], images: JudgedImages
) -> Message | None:
    """The sentence for a baseline that is not shown to have learned more than which class is most frequent; None if it
    is.
    """
    most_frequent = _find_majority(ranked)
    if (
        most_frequent is None
        or baseline.key == majority.KEY
        or compare_with(baseline, most_frequent, images).better <= ALPHA / max(1, len(ranked) - 1)
    ):
        return None
    return _about(N_("It is not shown that {rival} beats always naming the most frequent class."), baseline)


def _what_they_had(ranked: Sequence[ComparedModel], had: LimitsMet) -> list[Message]:
    few = [baseline for baseline in ranked if baseline.n_train < had.images]
    said = []
    if not (few or had.late or had.left_out):
        said.append(message(N_("Every simpler model learned from all {n:count} training images."), n=had.images))
    for baseline in few:
        says = N_("Training images of {rival}: {n:count} of {all:count}. More could change its answers.")
        said.append(_about(says, baseline, n=baseline.n_train, all=had.images))
    for baseline in ranked:
        if baseline.drawn is not None and baseline.drawn < baseline.n_train:
            says = N_(
                "Each of the {trees:count} trees of the forest drew {n:count} of its {all:count} training images."
            )
            said.append(message(says, trees=TREES, n=baseline.drawn, all=baseline.n_train))
    if had.late:
        says = N_("In {seconds:duration}, {rival} could not be fitted to even a few images.")
        said += [message(says, seconds=had.seconds or 0.0, rival=one.title.to_json()) for one in had.late]
    says = N_("There was no time for {rival}.")
    said += [message(says, rival=one.title.to_json()) for one in had.left_out]
    if had.seconds is not None and (few or had.late):
        said.append(message(N_("Each simpler model had {seconds:duration}, as a time was set."), seconds=had.seconds))
    elif few:
        said.append(
            message(
                N_(
                    "The number of images a simpler model learns from is limited by the work it may cost, which "
                    "is counted, not timed."
                )
            )
        )
    return said


def _how(baselines: int, images: JudgedImages) -> list[Message]:
    said = [
        message(
            N_("The models are compared image by image, on the test images that both named (McNemar's exact test).")
        )
    ]
    if baselines > 1:
        said.append(
            message(
                N_("With {n:count} simpler models to choose from, each has to pass a test {n:count} times as strict."),
                n=baselines,
            )
        )
    if images.groups is not None:
        said.append(
            message(
                N_(
                    "Test images that belong together count together: the answers of a whole group change sides "
                    "at once, not those of a single image."
                )
            )
        )
    said.append(message(N_("Milliseconds are the time to name a single image, once it is decoded.")))
    return said


def _row(baseline: ComparedModel, images: JudgedImages) -> list[object]:
    share = interval_of_share(baseline.right, images.groups_of(baseline.rows), variance=images.variance)
    return [
        baseline.title,
        share.value,
        share.low,
        share.high,
        baseline.n_test,
        baseline.n_train,
        baseline.seconds,
        baseline.milliseconds,
        baseline.bytes,
        baseline.multiply_adds,
    ]
