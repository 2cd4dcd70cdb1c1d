"""The explanation of one image in one network, as plain numbers: writers.py makes a picture, a page or JSON of it
(docs/reference/explain-format.md).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from limpide.core.finding import Finding
from limpide.report import color_scale
from limpide.text.messages import N_, Message, message

FORMAT = 1
METHOD_WORDS = {
    "distance": N_("distance from good parts"),
    "gradient": N_("gradient"),
    "integrated_gradients": N_("integrated gradients"),
    "grad_cam": N_("Grad-CAM"),
    "occlusion": N_("occlusion"),
}
# For a saliency map's badge, instead of finding.VERDICT_WORDS: the question about a map is whether to believe it.
BADGE_WORDS = {"ok": N_("may be believed"), "warn": N_("do not believe"), "unknown": N_("not known")}
MADE_TITLE, ALIKE_TITLE = N_("A picture made to activate it as much as possible"), N_("The most similar images")
METHOD_MEANINGS = {
    "distance": N_("how much farther this place is from good parts than half of the image is, in thresholds"),
    "gradient": N_("how much the answer changes with each pixel"),
    "integrated_gradients": N_("what each pixel adds on the way from grey to the image"),
    "grad_cam": N_("the last feature maps, weighted by their effect on this class"),
    "occlusion": N_("how much the probability falls when this place is covered"),
}


def maximized_words(made: MaximizedPicture, unit: Finding) -> tuple[Message, Message]:
    """How the picture was made, and what it means."""
    top, left, bottom, right = made.box
    rose = N_(
        "Made by gradient ascent on channel {channel} of layer {layer} (activation maximisation): its value "
        "rises from {before:number}, for the best of eight pictures of noise, to {after:number}. The contrast of "
        "the picture is limited to that of noise, so an image with more contrast can reach more: the value of "
        "the opened unit is {here:number}."
    )
    means = N_(
        "It is not an image of the data. It shows what this channel looks for in the {height} × {width} pixels "
        "that the unit in the middle of its map sees: the more an image resembles it there, the larger the value."
    )
    values = {
        "channel": made.channel,
        "layer": made.layer,
        "before": made.before,
        "after": made.after,
        "here": unit.data.get("sum", 0.0),
    }
    return message(rose, **values), message(means, height=bottom - top, width=right - left)


def window_words(window: Window, label: str) -> Message:
    says = N_("framed: {share:percent} of the local evidence for {label}")
    return message(says, share=window.share, label=label)


def nearest_words(alike: NearestImages) -> tuple[Message, ...]:
    """What similar means, and how many images were searched; or why there are none."""
    if alike.note is not None:
        return (alike.note,)
    among = (
        N_("Among {n:count} of {of:count} training images, each class in proportion.")
        if alike.learned
        else N_("Among {n:count} of {of:count} images, each folder in proportion.")
    )
    what = N_(
        "Images are similar if the network sees them as similar: the number is the cosine between the features "
        "of two images before its last layer. 1 is the same."
    )
    return message(what), message(among, n=alike.compared, of=alike.of)


@dataclass(frozen=True)
class Maps:
    """The strongest maps of one operation, the strongest first; for vectors and tokens one plane (tokens, channels)."""

    key: str
    kind: str  # Conv2d, ReLU, add …
    shape: tuple[int, ...]  # of its whole output
    channels: tuple[int, ...]  # the channels of these maps; empty for a plane of tokens
    planes: np.ndarray  # float32 (maps, height, width)
    low: float  # over all its maps
    high: float

    @property
    def end(self) -> float:
        """The end of the colour scale that its maps share."""
        return max((color_scale.end_of(plane) for plane in self.planes), default=0.0)


@dataclass(frozen=True)
class SaliencyEvidence:
    """One saliency map, and whether it may be believed."""

    method: str  # a key of METHOD_WORDS
    plane: np.ndarray | None  # float32 (height, width); None where the network has nothing that this method needs
    badge: Finding


@dataclass(frozen=True)
class MaximizedPicture:
    """The picture made to activate the channel of the opened unit most (interpret/activation_maximization.py)."""

    layer: str
    channel: int
    square: np.ndarray  # uint8 (height, width, 1 or 3), grey where the unit cannot see
    box: tuple[int, int, int, int]  # top, left, bottom, right: the part that the unit in the middle of the map sees
    before: float  # its value for the best of some pictures of noise
    after: float  # its value for this picture

    @property
    def seen(self) -> np.ndarray:
        """The part of the picture that the unit sees."""
        top, left, bottom, right = self.box
        return self.square[top:bottom, left:right]


@dataclass(frozen=True)
class NearestImage:
    """A training image that is similar to the network."""

    file: str
    label: str
    cosine: float  # between the features of the two before its last layer
    square: np.ndarray  # uint8 (height, width, 1 or 3): as the network sees it


@dataclass(frozen=True)
class NearestImages:
    images: tuple[NearestImage, ...]  # the most similar first
    compared: int  # the number of images compared
    of: int  # the number of all images
    learned: bool  # these are training images; for a network opened without a training, all the images given to it
    note: Message | None = None  # why there are none


@dataclass(frozen=True)
class Window:
    """The place with the most evidence for a class, in a network that looks window by window."""

    box: tuple[int, int, int, int]  # top, left, bottom, right, in pixels of the square
    share: float  # of the evidence for the class from all single places


@dataclass(frozen=True)
class ImageExplanation:
    network: str
    run: str
    file: str
    square: np.ndarray  # uint8 (height, width, 1 or 3): as the network sees it
    top: Sequence[tuple[str, float]]  # classes and probabilities, best first
    claim: Finding  # the prediction in a sentence
    evidence: Sequence[SaliencyEvidence]  # for the best class
    stages: Sequence[Maps]
    unit: Finding  # of interpret.why
    made: MaximizedPicture | None = None  # None where there is no gradient from the image to this unit
    alike: NearestImages | None = None  # None for a network whose training images are not available
    window: Window | None = None  # None for a network that looks at a whole image at once

    @property
    def sure(self) -> Message:
        """The words below the name of the likeliest class."""
        if "score" in self.claim.data:
            return message(N_("{score:number} times the threshold"), score=self.claim.data["score"])
        return message(N_("with a probability of {p:percent}"), p=self.top[0][1])

    @property
    def bars(self) -> Sequence[tuple[str, float]]:
        """Classes and probabilities; empty for a model of good parts, which has no probabilities."""
        return () if "score" in self.claim.data else self.top


def to_json(sight: ImageExplanation) -> dict[str, Any]:
    """The JSON of docs/reference/explain-format.md. Non-finite numbers become null."""
    return plain(
        {
            "format": FORMAT,
            "network": sight.network,
            "run": sight.run,
            "file": sight.file,
            "square": sight.square,
            "predictions": [{"class": name, "probability": p} for name, p in sight.bars],
            **({"strangeness": dict(sight.claim.data)} if "score" in sight.claim.data else {}),
            "saliency": [{"method": e.method, "map": e.plane, "badge": e.badge.to_json()} for e in sight.evidence],
            "stages": [
                {
                    "layer": m.key,
                    "kind": m.kind,
                    "shape": m.shape,
                    "low": m.low,
                    "high": m.high,
                    "channels": m.channels,
                    "maps": m.planes,
                }
                for m in sight.stages
            ],
            "unit": sight.unit.to_json(),
            "maximised": sight.made and _maximized_values(sight.made),
            "neighbours": sight.alike and _neighbor_values(sight.alike),
            "window": sight.window and {"box": sight.window.box, "share": sight.window.share},
        }
    )  # type: ignore[no-any-return]


def _maximized_values(made: MaximizedPicture) -> dict[str, Any]:
    return {
        "layer": made.layer,
        "channel": made.channel,
        "square": made.square,
        "box": made.box,
        "before": made.before,
        "after": made.after,
    }


def _neighbor_values(alike: NearestImages) -> dict[str, Any]:
    images = [
        {"file": one.file, "class": one.label, "cosine": one.cosine, "square": one.square} for one in alike.images
    ]
    return {"images": images, "compared": alike.compared, "of": alike.of, "note": alike.note and alike.note.to_json()}


def plain(value: Any) -> Any:
    """The value in JSON's own types; floats with seven digits, the precision of 32 bits."""
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, (float, np.floating)):
        return float(f"{value:.7g}") if math.isfinite(value) else None
    return int(value) if isinstance(value, np.integer) else value
