"""The views that a frozen network can have of images; the folds choose one (cross_fit.py): the whole image in one small
square; the same and its quarters, with earlier layers, too; or larger squares, in which small things are searched for
window by window (models/windows.py).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

from limpide.core.errors import UsageError
from limpide.core.recipe import Recipe
from limpide.core.recipe_field import QUARTERS, WHOLE
from limpide.data.preprocessing import Preprocessing
from limpide.models import MODELS

SIDES = (448, 800, 1120, 1792)  # of larger squares, px
LARGEST = 1120  # px, by default: inspecting one unit there takes 7 GB of memory (docs/LOG.md)
JPEG_SIDE = 336  # pixels, at least: one and a half times the square that most networks see
SECONDS = 300.0  # for trying other views, without --time
SHARE = 0.5  # for trying other views: at most this share of the time given with --time


@dataclass(frozen=True)
class View:
    name: str  # as in the recipe: whole, quarters, or windows-448
    network: str  # in models
    size: int  # pixels a side of the squares that it sees

    def seen_by(self, preprocessing: Preprocessing) -> Preprocessing:
        """The same preprocessing, for squares of this view's side."""
        return replace(preprocessing, size=self.size, jpeg_side=jpeg_side(self.size))


def jpeg_side(size: int) -> int:
    """The side in pixels to which a larger JPEG is decoded, for a pretrained network with squares of this size."""
    return max(JPEG_SIDE, size + size // 2)


def view_named(name: str, model: str) -> View:
    """The view of this name. model: the name of the network, with published weights."""
    if name == WHOLE:
        return View(WHOLE, model, MODELS[model].size)
    if name == QUARTERS:
        return View(QUARTERS, f"{model}+quarters", MODELS[model].size)
    return View(name, f"{model}+windows", int(name.rpartition("-")[2]))


def views_for(recipe: Recipe, side: int) -> list[View]:
    """The views in the order in which they are tried: each costs no less than the one before. Squares larger than the
    image are left out, as they show no more. side: px, the shorter side of most images.
    """
    if recipe.view not in ("auto", "windows"):
        return [view_named(recipe.view, recipe.model)]
    if recipe.view != "windows":
        first = [view_named(name, recipe.model) for name in (WHOLE, QUARTERS)]
    else:
        first = []
    return first + [view_named(f"windows-{size}", recipe.model) for size in SIDES if size <= min(side, LARGEST)]


def check_view(recipe: Recipe, side: int) -> None:
    """Raises UsageError for squares that are larger than the images. side: px, the shorter side of most images."""
    size = SIDES[0] if recipe.view == "windows" else max((view.size for view in views_for(recipe, side)), default=0)
    if recipe.view.startswith("windows") and size > side:
        raise UsageError("L169", where=f"view={recipe.view}", size=size, side=side)


def looks_of(views: list[View]) -> list[list[View]]:
    """Group the views that see the same squares: they cost one look, as the last one sees all that the others see."""
    return [list(alike) for _, alike in itertools.groupby(views, lambda view: view.size)]


def affordable(views: list[View], seconds: float, images: int, limit: float) -> list[View]:
    """The views of the first look, which are always included, of the next one and of the largest that fits: each if it
    fits into the time that is left. seconds: s, per image of the first look · limit: s, for all but the first look.
    """
    first, *larger = looks_of(views)
    kept, left = first, limit
    for wanted in (larger[:1], larger[:0:-1]):  # the largest that fits
        for look in wanted:
            if (cost := images * seconds_in(look[0], first[0], seconds)) <= left:
                kept, left = kept + look, left - cost
                break
    return kept


def seconds_in(view: View, first: View, seconds: float) -> float:
    """Seconds per image of this view, if an image of the first view takes `seconds`: in proportion to the areas."""
    return seconds * (view.size / first.size) ** 2
