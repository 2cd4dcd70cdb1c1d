"""How many steps: what was asked for, what fits into the time, or the default. And that timing leaves no trace."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from limpide.core.events import Step
from limpide.core.recipe import Recipe
from limpide.data.preprocessing import Preprocessing
from limpide.data.read_images import Pixels
from limpide.training import timing
from limpide.training.augment.light import LightAugment
from limpide.training.batches import Batches
from limpide.training.build import build_network
from limpide.training.start import start_state
from limpide.training.timing import MAX_DEFAULT, MAX_EPOCHS, StepTime, choose_epochs, steps_for, time_steps

SMALL = Recipe(model="cnn", batch=10, lr=0.01, device="cpu", precision="fp32", weight_decay=0.02, image_size=8)
LARGE = SMALL.but(model="efficientnet_lite0")
SPEED = StepTime(step=0.1, image=0.01)


def batches(n: int, batch: int = 10) -> Batches:
    array = np.random.default_rng(0).integers(0, 256, (max(n, 1), 8, 8, 1), dtype=np.uint8)
    return Batches(
        Pixels(Preprocessing(8, 1), np.arange(max(n, 1)), array),
        np.arange(n),
        np.arange(n) % 2,
        batch,
        torch.device("cpu"),
    )


def steps(
    recipe: Recipe,
    left: float | None,
    speed: StepTime = SPEED,
    train: int = 95,
    validation: int = 20,
    grey: bool = True,
    work: int = 1000,
) -> int:
    return steps_for(recipe, speed, batches(train), batches(validation), grey, left, work)


# One pass: 10 steps of 0.1 s and 20 images of 0.01 s = 1.2 s.


@pytest.mark.parametrize("left", [None, 0.001, 1e6])
def test_epochs_that_were_asked_for_are_done(left: float | None) -> None:
    assert steps(SMALL.but(epochs=7), left) == 70 and steps(LARGE.but(epochs=1), left) == 10


@pytest.mark.parametrize(("left", "passes"), [(1.2, 1), (2.39, 1), (2.41, 2), (12.05, 10)])
def test_as_many_whole_passes_as_fit(left: float, passes: int) -> None:
    assert steps(SMALL, left + 1e-9) == 10 * passes and steps(LARGE, left + 1e-9) == 10 * passes


def test_time_without_end_is_not_used_without_end() -> None:
    assert steps(SMALL, 1e9) == 10 * MAX_EPOCHS["scratch"] and steps(LARGE, 1e9) == 10 * MAX_EPOCHS["pretrained"]


def test_less_than_a_pass() -> None:
    assert steps(SMALL, 0.6 + 1e-9) == 5 and steps(LARGE, 0.6 + 1e-9) == 5
    assert steps(SMALL, 0.24 + 1e-9) == 2
    assert steps(LARGE, 0.24) == 0, "a fifth of a pass harms a pretrained network: the frozen one is kept"


@pytest.mark.parametrize("left", [0.0, -5.0])
def test_no_time_left(left: float) -> None:
    assert steps(SMALL, left) == 1 and steps(LARGE, left) == 0


def test_without_a_wish_work_decides_and_not_the_clock() -> None:
    assert steps(LARGE, None, StepTime(step=1000.0, image=100.0)) == steps(LARGE, None), (
        "a slow machine trains the same network"
    )
    assert steps(SMALL, None) % 10 == 0 and steps(SMALL, None) >= 10
    whole = int(MAX_DEFAULT["cpu"]) // 95
    assert steps(LARGE, None, work=whole) == 10 and steps(LARGE, None, work=100 * whole) == 10, "one pass at least"
    assert steps(LARGE, None, work=whole // 3) == 30
    assert choose_epochs(LARGE, 95, whole // 3, True) == (3, steps(LARGE, None) // 10)
    assert choose_epochs(LARGE.but(device="cuda"), 95, whole // 3, True)[0] == steps(LARGE, None) // 10, (
        "a card does a hundred times as much"
    )


def test_a_busy_moment_and_the_first_step_are_not_the_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The middle of several steps, and an image of a full batch after one that prepared the network."""
    seconds = iter([9.0, 10.0, 11.0, 50.0, 51.0, 60.0, 63.2])
    monkeypatch.setattr(timing, "MIN_TIMED", 4)
    monkeypatch.setattr(timing, "MAX_TIMED", 4)
    monkeypatch.setattr(timing.time, "perf_counter", lambda: next(seconds))
    monkeypatch.setattr(timing, "fit", lambda *_, **__: iter([Step(n, 0, 1.0, 0.1) for n in range(1, 9)]))
    state = start_state(build_network(SMALL, 2, 1, 8), SMALL, 10)
    speed = time_steps(state, batches(95), batches(3), SMALL, None)
    assert speed.step == 1.0 and speed.image == pytest.approx(0.1) and next(seconds, None) is None


@pytest.mark.parametrize("validation", [20, 0])
def test_probe_leaves_no_trace(validation: int) -> None:
    recipe = SMALL.but(epochs=1)
    model = build_network(recipe, 2, 1, 8)
    model.blocks.append(nn.Dropout(0.5))  # draws from torch's own generator
    state = start_state(model, recipe, 10)
    before = {k: v.clone() for k, v in state.tensors().items()}
    numbers = state.numbers()
    speed = time_steps(state, batches(95), batches(validation), recipe, LightAugment())
    assert speed.step > 0 and (speed.image > 0 or not validation)
    assert state.numbers() == numbers and all(torch.equal(before[k], v) for k, v in state.tensors().items())


def test_probe_survives_a_training_part_of_one_batch() -> None:
    recipe = SMALL.but(epochs=1)
    assert (
        time_steps(start_state(build_network(recipe, 2, 1, 8), recipe, 10), batches(4), batches(2), recipe, None).step
        > 0
    )


@pytest.mark.parametrize(
    ("images", "wishes", "left", "passes"),
    [
        (250, {}, None, 8),
        (40, {}, None, 16),
        (1000, {}, None, 4),
        (250, {"epochs": 3}, None, 3),
        (250, {"epochs": 3}, 1.0, 3),
        # 8 steps of 0.1 s a pass, five times over, and 250 looks of 0.004 s: 5 s a pass
        (250, {}, 31.0, 6),
        (250, {}, 11.0, 2),
        (250, {}, 9.0, 0),
        (250, {}, 1000.0, 20),
    ],
)
def test_passes_in_folds_are_those_asked_for_or_that_fit_or_the_usual(
    images: int, wishes: dict[str, int], left: float | None, passes: int
) -> None:
    class Train:
        rows = np.arange(images)

        def __len__(self) -> int:
            return -(-images // 32)

    recipe = Recipe(model="efficientnet_lite0", folds=5, **wishes)  # type: ignore[arg-type]
    steps = timing.steps_in_folds(recipe, timing.StepTime(0.1, 0.004), Train(), left)  # type: ignore[arg-type]
    assert steps == passes * len(Train())
