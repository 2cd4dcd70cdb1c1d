"""What the answers of a model of good parts mean, kept in its file: how strange further good parts were, and so how
rarely a good one is as strange as this one. Without torch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from limpide.core.typed_json import InvalidJson
from limpide.statistics.conformal import p_values
from limpide.text.messages import N_, message

GOOD, DEFECT = 0, 1  # places of the two classes
MAX_SCORES = 1000  # good parts whose scores are kept


@dataclass(frozen=True)
class Detection:
    """Scores are how strange a part is, in thresholds: above 1 it is called a defect."""

    steepness: float  # logits a threshold
    false_alarms: float  # share of good parts, promised to be called a defect at most
    scores: tuple[float, ...]  # of good parts that nothing was learned from, which gave the threshold
    weights: tuple[float, ...] = ()  # of each, where some belong together (statistics/conformal.py); (): one each

    def check(self) -> None:
        """Raises InvalidJson for what cannot be."""
        fits = (
            self.steepness > 0
            and 0 < self.false_alarms < 1
            and len(self.scores) > 0
            and len(self.weights) in (0, len(self.scores))
            and all(map(math.isfinite, self.scores))
            and all(0 < weight <= 1 for weight in self.weights)
        )
        if not fits:
            raise InvalidJson(message(N_("{field} has an impossible value"), field="detection"))

    def scores_of(self, logits: np.ndarray) -> np.ndarray:
        """float64 (n,) from logits (n, 2)."""
        logits = np.asarray(logits, np.float64)
        return np.asarray(1 + (logits[:, DEFECT] - logits[:, GOOD]) / self.steepness)

    def p_values_of(self, scores: np.ndarray) -> np.ndarray:
        """float64 (n,): how rarely a good part is as strange as each of these."""
        weights = np.array(self.weights) if self.weights else None
        return p_values(scores, np.array(self.scores), weights)


@dataclass(frozen=True)
class Strangeness:
    """Of one part."""

    score: float  # in thresholds
    p_value: float  # share of good parts that are as strange, at most

    def to_json(self) -> Mapping[str, float]:
        return {"score": self.score, "p_value": self.p_value}
