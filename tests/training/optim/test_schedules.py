"""Every schedule: one cycle by its shape, the others against torch's own."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.optim import lr_scheduler

from limpide.core.errors import UsageError
from limpide.core.recipe import Recipe
from limpide.training.optim.schedules import SCHEDULES, Moment, one_cycle, parse_schedule

EPOCHS, UPDATES = 12, 5  # updates per epoch


@given(st.integers(1, 5000))
def test_shape(steps: int) -> None:
    rates = [one_cycle(k, steps) for k in range(steps)]
    assert all(0 < rate <= 1 for rate in rates)
    peak = max(range(steps), key=rates.__getitem__)
    assert all(a < b for a, b in itertools.pairwise(rates[: peak + 1])), "rises to the peak"
    rest = rates[peak:]
    assert all(a >= b for a, b in itertools.pairwise(rest)), "then falls"
    assert rates[peak] == pytest.approx(1, abs=1 / max(1.0, 0.25 * steps))


def test_long_ones_peak_after_a_quarter_and_end_near_zero() -> None:
    rates = [one_cycle(k, 400) for k in range(400)]
    assert rates.index(max(rates)) in (98, 99, 100) and max(rates) == 1.0
    assert rates[0] == pytest.approx(0.01) and 0 < rates[-1] < 0.005
    assert rates[199] == pytest.approx(201 / 301)


def test_one_step_runs_at_the_highest_rate() -> None:
    assert one_cycle(0, 1) == 1.0


def test_a_longer_warm_up_peaks_later() -> None:
    rates = [one_cycle(k, 100, 0.5) for k in range(100)]
    assert rates.index(max(rates)) == 49


def rates_of(text: str, losses: list[float] | None = None) -> list[float]:
    """The share of the highest rate in each step of the training."""
    schedule, numbers = parse_schedule(text)
    seen = losses or []
    return [
        schedule(Moment(step, EPOCHS * UPDATES, step / UPDATES, seen[: step // UPDATES]), numbers)
        for step in range(EPOCHS * UPDATES)
    ]


def torch_rates(make: Callable[[Any], Any], losses: list[float] | None = None, each_step: bool = False) -> list[float]:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler, rates = make(optimizer), []
    for step in range(EPOCHS * UPDATES):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if each_step:
            scheduler.step()
        elif (step + 1) % UPDATES == 0:
            scheduler.step(*([losses[step // UPDATES]] if losses else []))
    return rates


@pytest.mark.parametrize(
    ("text", "make"),
    [
        ("constant", lambda o: lr_scheduler.ConstantLR(o, factor=1.0)),
        ("step:5,0.5", lambda o: lr_scheduler.StepLR(o, 5, 0.5)),
        ("step:3", lambda o: lr_scheduler.StepLR(o, 3)),
        ("step", lambda o: lr_scheduler.StepLR(o, EPOCHS // 3)),
        ("multistep:2,7,9", lambda o: lr_scheduler.MultiStepLR(o, [2, 7, 9])),
        ("multistep", lambda o: lr_scheduler.MultiStepLR(o, [EPOCHS // 2, 3 * EPOCHS // 4])),
        ("exponential:0.8", lambda o: lr_scheduler.ExponentialLR(o, 0.8)),
        ("exponential", lambda o: lr_scheduler.ExponentialLR(o, 0.01 ** (1 / (EPOCHS - 1)))),
    ],
)
def test_equals_torch_epoch_by_epoch(text: str, make: Callable[[Any], Any]) -> None:
    assert rates_of(text) == pytest.approx(torch_rates(make), rel=1e-9)


def test_one_cycle_is_asked_for_by_its_share_of_steps_up() -> None:
    assert rates_of("one-cycle:0.5") == [one_cycle(k, EPOCHS * UPDATES, 0.5) for k in range(EPOCHS * UPDATES)]


@given(st.integers(1, 40), st.integers(1, 60))
@pytest.mark.parametrize("text", ["step", "multistep", "exponential"])
def test_the_rate_stays_the_same_within_an_epoch_and_never_rises(text: str, epochs: int, updates: int) -> None:
    schedule, numbers = parse_schedule(text)
    steps = epochs * updates
    shares = [
        schedule(Moment(step, steps, step // updates + (step % updates) / updates), numbers) for step in range(steps)
    ]
    firsts = [shares[epoch * updates] for epoch in range(epochs)]
    assert shares == pytest.approx([firsts[step // updates] for step in range(steps)], rel=1e-5)
    assert all(later <= earlier for earlier, later in itertools.pairwise(firsts))


def test_cosine_equals_torch_step_by_step() -> None:
    theirs = torch_rates(lambda o: lr_scheduler.CosineAnnealingLR(o, EPOCHS * UPDATES), each_step=True)
    assert rates_of("cosine") == pytest.approx(theirs, abs=1e-9)


@given(st.lists(st.floats(0.1, 2.0), min_size=EPOCHS, max_size=EPOCHS))
@pytest.mark.parametrize(("text", "patience", "factor"), [("plateau", 2, 0.1), ("plateau:0,0.5", 0, 0.5)])
def test_plateau_equals_torch_whatever_the_losses(text: str, patience: int, factor: float, losses: list[float]) -> None:
    theirs = torch_rates(lambda o: lr_scheduler.ReduceLROnPlateau(o, factor=factor, patience=patience, eps=0), losses)
    assert rates_of(text, losses) == pytest.approx(theirs, rel=1e-9)


def test_after_ten_epochs_of_the_lab_the_rate_is_that_of_the_lab() -> None:
    schedule, numbers = parse_schedule("exponential:0.8")
    assert 0.01 * schedule(Moment(9 * 5, 50, 9.0), numbers) == pytest.approx(0.00134, abs=5e-6)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "steps",
        "step:",
        "step:a",
        "step:-1",
        "cosine:3",
        "plateau:1,2,3",
        "one-cycle:7",
        "step:0",
        "step:0.5",
        "step:5,3",
        "exponential:5",
    ],
)
def test_another_schedule_is_answered_with_the_legal_ones(text: str) -> None:
    with pytest.raises(UsageError, match=re.escape("constant | step | step:10,0.1")):
        Recipe(schedule=text)


def test_every_schedule_can_be_asked_for_as_earlier_runs_wrote_it_too() -> None:
    for name in SCHEDULES:
        assert Recipe(schedule=name).schedule == name and 0 <= parse_schedule(name)[0](Moment(1, 4, 0.5), ()) <= 1
    assert (
        parse_schedule("one_cycle") == (SCHEDULES["one-cycle"], ())
        and Recipe(schedule="one_cycle").schedule == "one-cycle"
    )
