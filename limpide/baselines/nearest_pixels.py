"""k-nearest neighbours on pixels."""

from __future__ import annotations

from limpide.baselines.baseline import Allowance, BaselineData, Budget, Scores, Sizes, Work
from limpide.baselines.nearest_neighbors import nearest_neighbors
from limpide.core.cost import Facts


def fit(data: BaselineData, allowance: Allowance) -> Scores | None:
    return nearest_neighbors(data.pixels, data.labels, data.few, allowance)


def images(sizes: Sizes, budget: Budget) -> float:
    return min(sizes.images_on_pixels(budget), budget.work / (sizes.few * sizes.values))


def work(facts: Facts, sizes: Sizes, n: int) -> Work:
    return Work(n * sizes.few * sizes.values)
