"""A recipe takes the names people know, refuses everything that cannot be right, and goes to JSON and back."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limpide.core.errors import UsageError
from limpide.core.recipe import Recipe, canonical_name
from limpide.core.recipe_field import GROUPS
from limpide.core.recipe_values import parse_duration

FIELDS = dataclasses.fields(Recipe)


def test_a_recipe_is_flat_frozen_and_documented() -> None:
    for choice in FIELDS:
        assert choice.metadata["meaning"] and choice.metadata["group"] in GROUPS, choice.name
        assert getattr(Recipe(), choice.name) == choice.default
    with pytest.raises(dataclasses.FrozenInstanceError):
        Recipe().epochs = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("lr0", "lr"),
        ("imgsz", "image_size"),
        ("batch-size", "batch"),
        ("val_split", "validation"),
        ("validation-fraction", "validation"),
        ("time_limit", "time"),
        ("random_state", "seed"),
        ("learning-rate-init", "lr"),
        ("max_epochs", "epochs"),
        ("image-size", "image_size"),
    ],
)
def test_names_from_other_libraries(theirs: str, ours: str) -> None:
    assert canonical_name(theirs) == ours


def test_no_name_means_two_things() -> None:
    names = [name for choice in FIELDS for name in (choice.name, *choice.metadata["also"])]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("typed", "guess"), [("epoch", "epochs"), ("lerning_rate", "learning_rate"), ("bach", "batch"), ("LR", "lr")]
)
def test_a_misspelt_name_is_answered_with_the_nearest(typed: str, guess: str) -> None:
    with pytest.raises(UsageError, match=rf"{typed} — did you mean {guess}\? \[L101\]"):
        Recipe.of(**{typed: 1})


def test_a_name_like_no_other_is_refused_too() -> None:
    with pytest.raises(UsageError, match=r"qqqq — see limpide train --help \[L101\]"):
        Recipe().but(qqqq=1)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("epochs", "abc", "epochs must be 1 … 100000 — epochs=abc"),
        ("epochs", 0, "epochs must be 1 … 100000 — epochs=0"),
        ("epochs", 2.5, "epochs=2.5"),
        ("epochs", float("nan"), "epochs=nan"),
        ("epochs", float("inf"), "epochs=inf"),
        ("epochs", [3], r"epochs=\[3\]"),
        ("batch", -1, "batch must be 1 … 65536 — batch=-1"),
        ("patience", 0, "patience must be 1, 2, 3 … — patience=0"),
        ("lr", 0, "lr must be 1e-08 … 100 — lr=0"),
        ("lr", float("nan"), "lr=nan"),
        ("time", 0.5, "time must be ≥ 1 — time=0.5"),
        ("time", float("inf"), "time=inf"),
        ("fit", "stretch", r"fit must be squash \| crop — fit=stretch"),
        ("flip", "maybe", r"flip must be auto \| yes \| no — flip=maybe"),
        ("seed", -1, "seed must be 0 … "),
        ("calibration", None, "calibration=None"),
        ("seed", None, "seed=None"),
        ("model", None, "model=None"),
        ("device", None, "device=None"),
        ("test", 0, "test must be 0.01 … 0.8 — test=0"),
    ],
)
def test_a_value_that_cannot_be_right_is_told_with_what_can(name: str, value: Any, expected: str) -> None:
    with pytest.raises(UsageError, match=expected) as told:
        Recipe.of(**{name: value})
    assert told.value.code == "L102" and len(str(told.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("epochs", "5", 5),
        ("epochs", "5.0", 5),
        ("lr", "1e-3", 0.001),
        ("lr", 1, 1.0),
        ("time", "1h30m", 5400.0),
        ("time", 90, 90),
        ("flip", "True", "yes"),
        ("flip", False, "no"),
        ("fit", "CROP", "crop"),
        ("device", "cuda:1", "cuda:1"),
        ("model", "CNN", "CNN"),
        ("epochs", None, None),
    ],
)
def test_a_value_gets_its_own_type(name: str, value: Any, kept: Any) -> None:
    found = getattr(Recipe.of(**{name: value}), name)
    assert found == kept and type(found) is type(kept)


@pytest.mark.parametrize("choice", [c for c in FIELDS if c.metadata["low"] is not None], ids=lambda c: c.name)
def test_the_ends_of_a_range_are_legal(choice: dataclasses.Field[Any]) -> None:
    """Beside a small share for the other parts, which are checked together, and which folds have no use for."""
    others = {} if choice.name == "folds" else {"test": 0.01, "validation": 0.01, "calibration": 0.0}
    for end in (choice.metadata["low"], choice.metadata["high"]):
        if end is not None:
            assert getattr(Recipe.of(**(others | {choice.name: end})), choice.name) == end


def test_the_parts_must_leave_something_to_train_on() -> None:
    Recipe(test=0.4, validation=0.4, calibration=0.1)
    with pytest.raises(UsageError, match=r"L103"):
        Recipe(test=0.5, validation=0.4, calibration=0.1)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("90", 90),
        ("90s", 90),
        ("5m", 300),
        ("5 min", 300),
        ("1h30m", 5400),
        ("1h 30m 5s", 5405),
        ("1.5h", 5400),
        ("90 SEC", 90),
        (" 2m ", 120),
        (7, 7),
        (None, None),
    ],
)
def test_durations(text: Any, value: Any) -> None:
    assert parse_duration(text) == value


@pytest.mark.parametrize("text", ["", "m", "-5m", "5x", "1h30", "1m5", "five", "5m!", "1,5h", "5 5", "0x10", "1e3"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(UsageError, match=r"write 90s, 5m, 1h30m or 30d \[L104\]"):
        parse_duration(text)


@given(st.text(max_size=12) | st.from_regex(r"\s*\d{1,3}(\.\d)?\s*[smh]?", fullmatch=True))
def test_any_text_is_a_duration_or_told(text: str) -> None:
    try:
        found = parse_duration(text)
    except UsageError as error:
        assert error.code == "L104"
    else:
        assert found is not None and found >= 0


@given(
    st.sampled_from([c.name for c in FIELDS]),
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.lists(st.integers(), max_size=1),
)
def test_any_value_makes_a_recipe_that_goes_to_json_or_is_told(name: str, value: Any) -> None:
    try:
        recipe = Recipe.of(**{name: value})
    except UsageError as error:
        assert error.code in ("L102", "L103", "L104")
    else:
        assert Recipe.from_json(json.loads(json.dumps(recipe.to_json(), allow_nan=False))) == recipe


def test_json_from_a_later_version_is_told() -> None:
    with pytest.raises(UsageError, match="L101"):
        Recipe.from_json(Recipe().to_json() | {"mixup_of_the_future": 1})


def test_but_changes_nothing_else() -> None:
    recipe = Recipe(epochs=3, seed=7)
    assert recipe.but(lr0=0.1) == Recipe(epochs=3, seed=7, lr=0.1) and recipe == Recipe(epochs=3, seed=7)
