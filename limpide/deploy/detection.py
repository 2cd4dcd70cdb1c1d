"""The meaning of the outputs of a model of good parts, kept in its file: how strange further good parts were, and thus
how rarely a good part is as strange as a given one. Without torch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from limpide.core.typed_json import InvalidJson
from limpide.statistics.conformal import p_values
from limpide.text.messages import N_, message

GOOD, DEFECT = 0, 1  # indices of the two classes
MAX_SCORES = 1000  # good parts whose scores are kept


@dataclass(frozen=True)
class Detection:
    """A score is how strange a part is, in units of the threshold: above 1, the part is called a defect."""

    steepness: float  # logits per threshold
    false_alarms: float  # share of good parts that are called a defect, at most, as promised
    scores: tuple[float, ...]  # of good parts that nothing was learned from, which set the threshold
    weights: tuple[float, ...] = ()  # of each, where some belong together (statistics/conformal.py); (): one each

    def check(self) -> None:
        """Raises InvalidJson for impossible values."""
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
    """How strange one part is."""

    score: float  # in units of the threshold
    p_value: float  # share of good parts that are as strange, at most

    def to_json(self) -> Mapping[str, float]:
        return {"score": self.score, "p_value": self.p_value}
