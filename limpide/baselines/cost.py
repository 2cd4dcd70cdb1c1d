"""What the comparison with simpler models takes: seconds at a speed that was measured, and memory."""

from __future__ import annotations

from limpide.baselines.compare import FROZEN_WORK, WIDTH, Budget, Sizes, budget_of, values_of
from limpide.baselines.simple_models import COUNTED, TREES, logistic_work, max_drawn
from limpide.core.cost import Cost, Facts

LOAD_SECONDS = 1.0  # a pretrained network to compare with
FOREST_WORK = 0.8e11  # multiply-adds that would take as long as a whole forest
FROZEN_RIVAL = 90_000_000  # bytes: a pretrained network to compare with, and a chunk of images in it
NODE = 64  # bytes of a tree for each image that it draws, with the counts of a few classes
CLASS = 16  # and for each further class


def cost(facts: Facts) -> Cost:
    """All of them, one after the other."""
    sizes = Sizes(facts.train, max(1, facts.test), facts.classes, values_of(facts.size, facts.channels))
    return Cost(_seconds(facts, sizes), _bytes(facts, sizes))


def _seconds(facts: Facts, sizes: Sizes) -> float:
    budget = budget_of(facts.asked)
    images = sizes.images(budget)
    works = {
        "logistic": images["logistic"] * logistic_work(sizes.values, sizes.classes),
        "forest": FOREST_WORK * min(1.0, images["forest"] / max_drawn(sizes.values, sizes.classes)),
        "nearest": images["nearest"] * sizes.few * sizes.values,
        "frozen": (images["frozen"] + sizes.few) * FROZEN_WORK,
    }
    if facts.frozen:
        works |= {"nearest": images["nearest_features"] * sizes.few * WIDTH, "frozen": 0}
    each = [work / facts.multiply_adds_a_second for work in works.values()]
    if budget.seconds is not None:
        each = [min(seconds, budget.seconds) for seconds in each]
    known = facts.frozen.test * facts.frozen.seconds if facts.frozen else LOAD_SECONDS
    return sum(each) + known


def _bytes(facts: Facts, sizes: Sizes) -> float:
    """Pixels as float32, and the largest of the models: a forest, or a pretrained network and its features."""
    images = sizes.images(Budget())
    pixels = 4 * sizes.values * (images["forest"] + sizes.test)
    node = NODE + CLASS * max(0, sizes.classes - COUNTED)
    forest = TREES * node * min(images["forest"], max_drawn(sizes.values, sizes.classes))
    features = 0 if facts.frozen else FROZEN_RIVAL + 4 * WIDTH * (images["frozen"] + sizes.few)
    return pixels + max(forest, features)
