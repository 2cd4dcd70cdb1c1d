"""Which ways of looking at images are tried, and when they are not worth their time."""

from __future__ import annotations

import pytest

from limpide.core.errors import UsageError
from limpide.core.recipe import Recipe
from limpide.core.recipe_field import VIEWS
from limpide.data.preprocessing import Preprocessing
from limpide.data.read_images import ImageSample
from limpide.training.defaults import decide_recipe
from limpide.training.views import SIDES, affordable, looks_of, seconds_in, view_named, views_for

FOLDS = Recipe(model="efficientnet_lite0", device="cpu", folds=5)


def test_larger_squares_are_tried_where_the_images_are_as_large() -> None:
    tried = {side: [look[0].size for look in looks_of(views_for(FOLDS, side))] for side in (100, 447, 448, 1200, 4000)}
    assert tried == {
        100: [224], 447: [224], 448: [224, 448], 1200: [224, 448, 800, 1120], 4000: [224, 448, 800, 1120],
    }  # fmt: skip
    assert [view.name for view in views_for(FOLDS.but(view="windows"), 900)] == ["windows-448", "windows-800"]
    assert [view.name for view in views_for(FOLDS.but(view="whole"), 900)] == ["whole"]
    networks = [view.network for view in views_for(FOLDS.but(model="efficientnet_lite1"), 500)]
    assert networks == ["efficientnet_lite1", "efficientnet_lite1+quarters", "efficientnet_lite1+windows"]


def test_the_names_of_the_recipe_are_those_of_the_sides() -> None:
    assert ("auto", "whole", "quarters", "windows", *(f"windows-{side}" for side in SIDES)) == VIEWS


@pytest.mark.parametrize(
    ("limit", "kept"),
    [(0, [224]), (80 * 4 * 0.01, [224, 448]), (1e9, [224, 448, 1120]), (80 * (4 + 13) * 0.01, [224, 448, 800])],
)
def test_the_smallest_and_the_largest_that_fit_into_the_time_are_tried(limit: float, kept: list[int]) -> None:
    views = views_for(FOLDS, 4000)
    assert views_for(FOLDS.but(view="windows-1792"), 4000)[0].size == 1792, "where it is asked for"
    looks = looks_of(affordable(views, 0.01, 80, limit))
    assert [look[0].size for look in looks] == kept
    assert [view.name for view in looks[0]] == ["whole", "quarters"], "the quarters cost no further look"
    assert seconds_in(views[2], views[0], 0.01) == pytest.approx(0.04)


def test_a_view_sees_what_the_network_sees_in_larger_squares() -> None:
    p = view_named("windows-1120", "efficientnet_lite0").seen_by(Preprocessing(224, 3, "crop", jpeg_side=336))
    assert p == Preprocessing(1120, 3, "crop", jpeg_side=1680)


@pytest.mark.parametrize(
    ("wishes", "says"),
    [
        ({"view": "windows-1120"}, "a square of 1120 px is larger than the images"),
        ({"view": "windows"}, "a square of 448 px is larger than the images"),
        ({"view": "windows-448", "folds": None, "test": 0.2}, "[L168]"),
        ({"view": "windows-448", "folds": 0}, "[L168]"),
        ({"view": "windows-500"}, "windows-448"),
        ({"view": "windows-448", "model": "cnn"}, "[L166]"),
        ({"view": "whole", "image_size": 448}, "[L166]"),
    ],
)
def test_views_that_cannot_be_are_one_line(wishes: dict[str, object], says: str) -> None:
    with pytest.raises(UsageError) as refused:
        decide_recipe(Recipe(**({"model": "efficientnet_lite0", "folds": 5} | wishes)), ImageSample(300, False), 60)  # type: ignore[arg-type]
    assert says in str(refused.value) and "\n" not in str(refused.value)
