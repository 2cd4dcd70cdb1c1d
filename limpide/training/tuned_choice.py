"""Whether the network is fine-tuned or stays frozen, if images are judged in folds. For each fold the other folds
decide, by the logits of their images from networks that had not seen these images. The logits of a fold have no
influence on the choice for it. (The networks that judge the other folds did learn from its images: leaving out pairs of
folds would take ten more trainings.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from limpide.training.class_balance import balanced_weights
from limpide.training.linear_head import log_loss
from limpide.training.temperature import Temperature, best_temperature, fit_temperature


@dataclass(frozen=True)
class TunedChoice:
    """chosen: bool (k,), of each fold · temperatures: float (k,), of each fold's fine-tuned network · is_better:
    whether the model that is shipped is fine-tuned · temperature: of that model.
    """

    chosen: np.ndarray
    temperatures: np.ndarray
    is_better: bool
    temperature: Temperature


def choose_tuned(
    frozen: np.ndarray, tuned: np.ndarray, truth: np.ndarray, fold: np.ndarray, names: np.ndarray, balanced: bool
) -> TunedChoice:
    """frozen, tuned: float (n, classes), logits of images that the model had not seen · truth: int (n,) · fold: int
    (n,), of each · names: int (k,), the folds · balanced: whether a rare class counts as much as a frequent one.
    """
    others = [_compare(frozen, tuned, truth, fold != name, balanced) for name in names]
    is_better, temperature = _compare(frozen, tuned, truth, np.ones(len(truth), bool), balanced)
    return TunedChoice(
        np.array([better for better, _ in others]),
        np.array([own.value for _, own in others]),
        is_better,
        temperature,
    )


def is_no_better(frozen: np.ndarray, tuned: np.ndarray, truth: np.ndarray, balanced: bool) -> bool:
    """Whether fine-tuning neither classifies more of these images correctly nor has better probabilities, each network
    with the temperature that suits it. frozen, tuned: float (n, classes), logits · truth: int (n,) · balanced: as
    above.
    """
    weights = balanced_weights(truth) if balanced else np.ones(len(truth))
    right, losses = [], []
    for logits in (frozen, tuned):
        right.append(float(np.average(logits.argmax(1) == truth, weights=weights)))
        losses.append(log_loss(logits / best_temperature(logits, truth, weights), truth, weights))
    return right[1] <= right[0] and losses[1] >= losses[0]


def _compare(
    frozen: np.ndarray, tuned: np.ndarray, truth: np.ndarray, rows: np.ndarray, balanced: bool
) -> tuple[bool, Temperature]:
    """(whether the fine-tuned network has the lower log-loss on these images (bool (n,)), each network with the
    temperature that suits it there; the temperature of the fine-tuned one).
    """
    truth = truth[rows]
    weights = balanced_weights(truth) if balanced else None
    temperature, losses = None, []
    for logits in (frozen[rows], tuned[rows]):
        temperature = fit_temperature(logits, truth, of="folds", weights=weights)
        losses.append(log_loss(logits / temperature.value, truth, weights))
    assert temperature is not None
    return losses[1] < losses[0], temperature
