"""What was seen of one image in one network, as plain numbers: what written.py makes a picture, a page or JSON of (docs/sight.md)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from limpide.finding import Finding
from limpide.language import N_
from limpide.report import colours

FORMAT = 1
METHOD_WORDS = {
    "gradient": N_("gradient"),
    "integrated_gradients": N_("integrated gradients"),
    "grad_cam": N_("Grad-CAM"),
    "occlusion": N_("occlusion"),
}
METHOD_MEANINGS = {
    "gradient": N_("how much the answer changes with each pixel"),
    "integrated_gradients": N_("what each pixel adds on the way from grey to the image"),
    "grad_cam": N_("the last maps, weighed by what they mean for this class"),
    "occlusion": N_("how much the probability falls when this place is covered"),
}


@dataclass(frozen=True)
class Maps:
    """The strongest maps of one operation, the strongest first; of vectors and tokens one plane (tokens, channels)."""

    key: str
    kind: str  # Conv2d, ReLU, add …
    shape: tuple[int, ...]  # of all that it gives
    channels: tuple[int, ...]  # which maps these are; empty for a plane of tokens
    planes: np.ndarray  # float32 (maps, height, width)
    low: float  # over all its maps
    high: float

    @property
    def end(self) -> float:
        """Of the colour scale that its maps share."""
        return max((colours.end_of(plane) for plane in self.planes), default=0.0)


@dataclass(frozen=True)
class Evidence:
    """One saliency map, and whether it may be believed."""

    method: str  # a key of METHOD_WORDS
    plane: np.ndarray | None  # float32 (height, width); None where the network has nothing that this method needs
    badge: Finding


@dataclass(frozen=True)
class Sight:
    network: str
    run: str
    file: str
    square: np.ndarray  # uint8 (height, width, 1 or 3): what the network sees
    top: Sequence[tuple[str, float]]  # classes and probabilities, best first
    claim: Finding  # the prediction in a sentence
    evidence: Sequence[Evidence]  # for the best class
    stages: Sequence[Maps]
    unit: Finding  # of interpret.why


def to_json(sight: Sight) -> dict[str, Any]:
    """As docs/sight.md says. What is not a finite number is null."""
    return plain(
        {
            "format": FORMAT,
            "network": sight.network,
            "run": sight.run,
            "file": sight.file,
            "square": sight.square,
            "predictions": [{"class": name, "probability": p} for name, p in sight.top],
            "saliency": [{"method": e.method, "map": e.plane, "badge": e.badge.to_json()} for e in sight.evidence],
            "stages": [
                {"layer": m.key, "kind": m.kind, "shape": m.shape, "low": m.low, "high": m.high, "channels": m.channels, "maps": m.planes} for m in sight.stages
            ],
            "unit": sight.unit.to_json(),
        }
    )  # type: ignore[no-any-return]


def plain(value: Any) -> Any:
    """Of JSON's own kinds, floats with seven digits, which is what 32 bits hold."""
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, (float, np.floating)):
        return float(f"{value:.7g}") if math.isfinite(value) else None
    return int(value) if isinstance(value, np.integer) else value
