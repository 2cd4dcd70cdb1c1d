"""The cost of the comparison with simpler models: seconds at a measured speed, and memory."""

from __future__ import annotations

from limpide.baselines.baseline import Budget, Sizes
from limpide.baselines.compare import budget_of, images_allowed, values_of
from limpide.baselines.registry import baselines_of
from limpide.core.cost import Cost, Facts


def cost(facts: Facts) -> Cost:
    """The cost of all baselines, one after the other."""
    sizes = Sizes(facts.train, max(1, facts.test), facts.classes, values_of(facts.size, facts.channels))
    return Cost(_seconds(facts, sizes), _bytes(facts, sizes))


def _seconds(facts: Facts, sizes: Sizes) -> float:
    budget, seconds = budget_of(facts.asked), 0.0
    for baseline in baselines_of(facts.frozen is not None):
        work = baseline.work(facts, sizes, images_allowed(baseline, sizes, budget))
        fitting = work.multiply_adds / facts.multiply_adds_a_second
        fitting *= max(1, facts.folds)
        seconds += work.seconds + (fitting if budget.seconds is None else min(fitting, budget.seconds))
    return seconds


def _bytes(facts: Facts, sizes: Sizes) -> float:
    """Pixels as float32, and the largest of the models."""
    budget = Budget()
    pixels = 4 * sizes.values * (min(sizes.train, sizes.images_on_pixels(budget)) + sizes.test)
    baselines = baselines_of(facts.frozen is not None)
    models = [one.work(facts, sizes, images_allowed(one, sizes, budget)).bytes for one in baselines]
    return pixels + max(models, default=0.0)
