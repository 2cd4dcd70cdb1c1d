"""The input of an audit: the answers of the sealed model about images whose class is known."""

from __future__ import annotations

import base64
import dataclasses
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from PIL import Image, ImageDraw

from limpide.core.finding import Picture, Verdict
from limpide.statistics.intervals import LEVEL, OF_FOLDS, Interval, interval_of_share, mean_of_shares
from limpide.text.messages import N_, Message, message

THUMB = 72  # pixels
FRAMED, WIDEST = 192, 640  # pixels: smallest and largest size of an image with a frame
MOSTLY_ALONE = 0.8  # groups per image: above, the sentence does not mention groups
GROUPS = {  # the most frequent group columns of tables, each with its plural
    "patient": N_("patients"),
    "person": N_("people"),
    "subject": N_("subjects"),
    "camera": N_("cameras"),
    "burst": N_("bursts"),
    "site": N_("sites"),
    "session": N_("sessions"),
    "sequence": N_("sequences"),
    "video": N_("videos"),
    "individual": N_("individuals"),
    "user": N_("users"),
    "location": N_("places"),
    "date": N_("days"),
    "group": N_("groups"),
    "folder": N_("folders"),  # folders of one name that hold several classes (data/layouts/layout.py)
}


@dataclass(frozen=True)
class Evidence:
    classes: tuple[str, ...]  # those that the model knows, then those of images that it cannot name
    files: tuple[str, ...]  # (n,)
    truth: np.ndarray  # int (n,)
    probabilities: np.ndarray  # float (n, classes)
    majority: int  # the most frequent class of the training part
    temperature: float = 1.0
    # how many of these images the training used, or nearly the same ones; None where that is not known
    trained_on: int | None = 0
    # how many of those are not byte for byte the same; None where near duplicates could not be searched for
    nearly: int | None = 0
    learned: int | None = None  # how many of `classes` the model knows, which come first; None = all
    image: Callable[[int], Image.Image] | None = field(default=None, compare=False)  # i-th image in RGB, for pictures
    groups: np.ndarray | None = None  # (n,): images with the same number belong together; None = each is independent
    grouped_by: str = ""  # the user's columns that define the groups; "" = images that are nearly the same
    folds: int = 0  # the folds that judged them, each image by a model without it; 0: a part was kept for the test
    # shares of the classes that the model knows, by which its answers were divided (training/class_balance.py)
    priors: tuple[float, ...] | None = None
    groups_known: bool = True  # False: images may belong together, and no data say which

    @property
    def predicted(self) -> np.ndarray:
        return np.asarray(self.probabilities.argmax(1))

    @property
    def as_frequent(self) -> Evidence:
        """The same with probabilities that hold where the classes are as frequent as in the training: by Bayes,
        multiplied by the shares by which they were divided.
        """
        if self.priors is None:
            return self
        shares = np.ones(self.probabilities.shape[1])
        shares[: len(self.priors)] = self.priors
        weighed = self.probabilities * shares
        return dataclasses.replace(self, probabilities=weighed / weighed.sum(1, keepdims=True), priors=None)

    @property
    def source(self) -> Literal["test", "folds"]:
        """The source that a finding on these answers names."""
        return "folds" if self.folds else "test"

    @property
    def variance(self) -> float:
        """The variance of a share, as a multiple of that of independent images or groups."""
        return OF_FOLDS if self.folds else 1.0

    @property
    def score(self) -> Interval:
        """The share of right answers."""
        return self.share(self.right, np.ones(len(self.truth), bool))

    @property
    def judged(self) -> Literal["cross-fitted", "held-out"] | None:
        """How the images came to be unseen by the model; None where some were learned from, or may have been."""
        if self.folds:
            return "cross-fitted"
        return "held-out" if self.trained_on == 0 else None

    @property
    def right(self) -> np.ndarray:
        return np.asarray(self.predicted == self.truth)

    @property
    def known(self) -> int:
        """How many classes the model knows."""
        return len(self.classes) if self.learned is None else self.learned

    @property
    def baseline(self) -> float:
        """The share that a model gets right if it learned only the names: always the most frequent class, or guessing
        among the known ones.
        """
        known_share = float(np.mean(self.truth < self.known))
        return max(float(np.mean(self.truth == self.majority)), known_share / self.known)

    @property
    def balanced_score(self) -> Interval:
        """The mean over the classes of the share that is right; each class counts the same."""
        classes = [self.truth == k for k in range(len(self.classes)) if (self.truth == k).any()]
        return mean_of_shares([self.share(self.right, rows) for rows in classes])

    def share(self, right: np.ndarray, rows: np.ndarray, level: float = LEVEL) -> Interval:
        """Among `rows`, bool (n,), the share for which `right`, bool (n,), holds, with an interval that accounts for
        the groups.
        """
        groups = None if self.groups is None else self.groups[rows]
        return interval_of_share(right[rows], groups, level, self.variance)

    def ends(self, found: Interval) -> tuple[float | None, float | None]:
        """The ends of an interval; None where images may belong together and were counted as independent."""
        return (found.low, found.high) if self.groups_known else (None, None)

    def told(self, verdict: Verdict) -> Verdict:
        """The verdict, or "unknown" where images may belong together and would be counted as independent."""
        return verdict if self.groups_known else "unknown"

    def images(self) -> Message:
        """How many test images there are, and of how many groups, where most images share a group."""
        n, count = len(self.truth), self.group_count
        if count > MOSTLY_ALONE * n:
            return message(N_("{n:count} image"), N_("{n:count} images"), n=n)
        if count == 1:
            return message(N_("{n:count} images of a single group"), n=n)
        if self.grouped_by in GROUPS:
            return message(
                N_("{n:count} images of {groups:count} {names}"),
                n=n,
                groups=count,
                names=message(GROUPS[self.grouped_by]).to_json(),
            )
        if self.grouped_by:
            return message(
                N_("{n:count} images in {groups:count} groups ({by})"), n=n, groups=count, by=self.grouped_by
            )
        return message(N_("{n:count} images in {groups:count} groups of look-alikes"), n=n, groups=count)

    @property
    def group_count(self) -> int:
        return len(self.truth) if self.groups is None else len(np.unique(self.groups))

    def on_groups(self, effective: float) -> list[Message]:
        """How images that belong together were counted, for the details. effective: the number of independent images
        that carry as much information.
        """
        n, count = len(self.truth), self.group_count
        if not self.groups_known:
            return [
                message(
                    N_(
                        "It is not known here which of these images belong together (of one patient, of one "
                        "burst). Images that belong together tell less than as many independent ones, so no "
                        "verdict is given."
                    )
                )
            ]
        if count == n:
            return []
        return [
            message(
                N_(
                    "Images that belong together are right or wrong together: these {n:count} images, in "
                    "{groups:count} groups, tell as much as {effective:number} independent ones."
                ),
                n=n,
                groups=count,
                effective=effective,
            )
        ]

    def picture(self, i: int) -> Picture:
        label, predicted = int(self.truth[i]), int(self.predicted[i])
        jpeg = base64.b64encode(thumbnail(self.image(i))).decode() if self.image else ""
        return Picture(
            self.files[i], self.classes[label], self.classes[predicted], float(self.probabilities[i].max()), jpeg
        )

    def framed(self, i: int, square: np.ndarray, box: tuple[tuple[int, int], tuple[int, int]]) -> Picture:
        """The i-th image as the network sees it, uint8 (size, size, channels), with a frame around these rows and
        columns.
        """
        (top, bottom), (left, right) = box
        scale = max(1, FRAMED // len(square))  # the frame is drawn on the pixels
        side = len(square) * scale
        image = (
            Image.fromarray(square.squeeze(-1) if square.shape[-1] == 1 else square)
            .convert("RGB")
            .resize((side, side), Image.Resampling.NEAREST)
        )
        ImageDraw.Draw(image).rectangle(
            (left * scale, top * scale, right * scale - 1, bottom * scale - 1),
            outline=(230, 97, 1),
            width=max(2, side // 60),
        )
        jpeg = base64.b64encode(thumbnail(image, min(side, WIDEST))).decode()
        return dataclasses.replace(self.picture(i), jpeg=jpeg)


def thumbnail(image: Image.Image, side: int = THUMB) -> bytes:
    """A small JPEG; a tiny image is enlarged with its pixels visible."""
    if max(image.size) <= side // 2:
        factor = side // max(image.size)
        image = image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
    else:
        image = image.copy()
        image.thumbnail((side, side))
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=80)
    return stream.getvalue()
