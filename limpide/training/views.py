"""How a frozen network may look at images, where the folds choose (cross_fit.py): the whole of an image in one small
square, or larger squares, in which small things are looked for window by window (models/windows.py).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from limpide.core.errors import UsageError
from limpide.core.recipe import WHOLE, Recipe
from limpide.data.preprocessing import Preprocessing
from limpide.models import MODELS, SUFFIX

SIDES = (448, 800, 1120, 1792)  # of larger squares, px
LARGEST = 1120  # px, where nobody asked: to open one unit there holds 7 GB (docs/LOG.md)
SECONDS = 300.0  # for looking at images in other ways, where nobody said how long it may take
SHARE = 0.5  # of the time that was asked for with --time, at most


@dataclass(frozen=True)
class View:
    name: str  # as in the recipe: whole, or windows-448
    network: str  # in models
    size: int  # pixels a side of the squares that it sees

    def seen_by(self, preprocessing: Preprocessing) -> Preprocessing:
        """The same for squares of this side."""
        return replace(preprocessing, size=self.size, jpeg_side=self.size + self.size // 2)


def view_named(name: str, model: str) -> View:
    """model: the network that looks, with published weights."""
    if name == WHOLE:
        return View(WHOLE, model, MODELS[model].size)
    return View(name, model + SUFFIX, int(name.rpartition("-")[2]))


def views_for(recipe: Recipe, side: int) -> list[View]:
    """In the order in which they are tried: each costs more than the one before. A larger square shows no more than a
    smaller one where the image is no larger. side: px, the shorter one of most images.
    """
    if recipe.view not in ("auto", "windows"):
        return [view_named(recipe.view, recipe.model)]
    larger = [view_named(f"windows-{size}", recipe.model) for size in SIDES if size <= min(side, LARGEST)]
    return larger if recipe.view == "windows" else [view_named(WHOLE, recipe.model), *larger]


def check_view(recipe: Recipe, side: int) -> None:
    """Raises UsageError for squares that are larger than the images. side: px, the shorter one of most of them."""
    size = SIDES[0] if recipe.view == "windows" else max((view.size for view in views_for(recipe, side)), default=0)
    if recipe.view.startswith("windows") and size > side:
        raise UsageError("L169", where=f"view={recipe.view}", size=size, side=side)


def affordable(views: list[View], seconds: float, images: int, limit: float) -> list[View]:
    """The first, the next, and the largest: each that fits into the time that those before leave; the first is always
    one. seconds: an image of the first view, s · limit: s, for all but the first.
    """
    kept, left = views[:1], limit
    for wanted in (views[1:2], views[:1:-1]):  # the largest that fits
        for view in wanted:
            if (cost := images * seconds_in(view, views[0], seconds)) <= left:
                kept, left = [*kept, view], left - cost
                break
    return kept


def seconds_in(view: View, first: View, seconds: float) -> float:
    """An image of this view, where one of the first takes so long: as the areas are."""
    return seconds * (view.size / first.size) ** 2
