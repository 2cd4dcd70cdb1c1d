"""Try ever higher learning rates, a step each, and watch the loss (Smith 2017, "Cyclical Learning Rates for Training
Neural Networks", arXiv 1506.01186, section 3.3).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from limpide.core.events import ROLLBACK, Note, Step
from limpide.core.recipe import Recipe
from limpide.training.augment.base import Augment
from limpide.training.batches import Batches
from limpide.training.loop import fit
from limpide.training.state import TrainState

LOWEST, HIGHEST = 1e-3, 1e3  # times the usual rate
STEPS = 120  # from the lowest to the highest: 20 a factor of ten
HOPELESS = 4.0  # times the lowest loss so far: higher rates only destroy what is learned


def rates(usual: float) -> list[float]:
    """The learning rates that are tried, the lowest first."""
    return [usual * LOWEST * (HIGHEST / LOWEST) ** (k / (STEPS - 1)) for k in range(STEPS)]


def sweep(
    state: TrainState, train: Batches, recipe: Recipe, usual: float, augment: Augment | None = None
) -> Iterator[tuple[float, float]]:
    """Yield (rate, loss of the batch before the step with that rate) until the loss is hopeless. state: fresh; it is
    used up. The recipe's schedule has no effect.
    """
    tried = rates(usual)
    state.steps, state.schedule_name, state.lr = len(tried), "constant", tried[0]
    lowest, losses = math.inf, []
    for event in fit(state, train, None, recipe, augment=augment):
        if isinstance(event, Note) and event.topic == ROLLBACK:  # the loss ran away
            return
        if not isinstance(event, Step):
            continue
        losses.append(event.loss)
        yield event.lr, event.loss
        recent = losses[-3:]
        lowest = min(lowest, sum(recent) / len(recent))
        if not math.isfinite(event.loss) or min(recent) > HOPELESS * lowest or event.n >= len(tried):
            return
        state.lr = tried[event.n]
