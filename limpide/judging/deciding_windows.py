"""Where the deciding window is, in images of a network that looks window by window (models/windows.py)."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from limpide.audit.evidence import Evidence
from limpide.core.events import Event, Progress
from limpide.core.finding import Finding, Number, Picture
from limpide.judging.answers import read_image
from limpide.judging.subject import Network, Subject
from limpide.text.messages import N_, message

IMAGES = 8  # the number of images shown
WRONG = 3  # the number of these that are wrong answers, at most


@dataclass(frozen=True)
class Windows:
    shares: list[float]
    pictures: list[Picture]


def find_deciding_windows(subject: Subject) -> Generator[Event, None, Finding | None]:
    """None for a network that looks at a whole image at once."""
    network, unseen = yield from subject.unbiased_network()
    if not getattr(network.model, "windows", False):
        return None
    evidence, rows = (yield from subject.evidence()), (yield from subject.answers()).rows
    yield Progress(message(N_("framing the windows that decided")))
    found = _frame(subject, network, evidence, rows, _choose_images(evidence, unseen))
    if not found.pictures:
        return None
    says = N_(
        "Its network examines an image window by window. The frame marks the window that contributed most to the "
        "answer: {share:percent} of the local evidence for it, on average over these {n:count} images."
    )
    share = float(np.mean(found.shares))
    return Finding(
        name="window",
        verdict="ok",
        message=message(says, share=share, n=len(found.shares)),
        numbers=[Number(N_("share of the local evidence in the window"), share, "share", n=len(found.shares))],
        pictures=found.pictures,
        details=[
            message(
                N_(
                    "Each feature has its value from the window where it is strongest, and the last layer "
                    "weights the features. A window contributes the sum over the features that are strongest in "
                    "it, beyond what an average window contributes. The network used what is framed, which does "
                    "not mean that a person would look there."
                )
            )
        ],
    )


def _choose_images(evidence: Evidence, unseen: np.ndarray) -> list[int]:
    """The surest wrong answers, and the surest right ones of each class in turn."""
    sure = np.argsort(-evidence.probabilities.max(1), kind="stable")
    wrong = [int(i) for i in sure if unseen[i] and not evidence.right[i]][:WRONG]
    by_class = [
        [int(i) for i in sure if unseen[i] and evidence.right[i] and evidence.truth[i] == k]
        for k in range(len(evidence.classes))
    ]
    longest = max(map(len, by_class), default=0)
    right = [own[turn] for turn in range(min(longest, IMAGES)) for own in by_class if turn < len(own)]
    return [*wrong, *right][:IMAGES]


def _frame(subject: Subject, network: Network, evidence: Evidence, rows: np.ndarray, chosen: list[int]) -> Windows:
    from limpide.models.windows import deciding_window
    from limpide.training.batches import as_tensor

    p, found = network.preprocessing, Windows([], [])
    for i in chosen:
        image = read_image(subject.dataset, int(rows[i]), p.jpeg_side)
        if image is None:
            continue
        square = p.pixels(image)
        window = deciding_window(network.model, as_tensor(square[None], p), int(evidence.predicted[i]))
        if window is not None:
            box = (window.top, window.bottom), (window.left, window.right)
            found.shares.append(window.share)
            found.pictures.append(evidence.framed(i, square, box))
    return found
