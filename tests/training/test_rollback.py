"""Cases 56 to 58: a loss that is lost changes no weights; training goes back, at most three times, to the bit alike
whenever it is stopped.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from limpide.core.errors import TrainingError
from limpide.core.events import Epoch, Event, Note, Step
from limpide.training.checkpoint import load_checkpoint, save_checkpoint
from limpide.training.loop import fit
from limpide.training.losses import RULES
from limpide.training.optim import DEFAULTS, OPTIMIZERS
from limpide.training.optim.averaged import Averaged
from limpide.training.optim.groups import parameter_groups
from limpide.training.rollback import EXPLODED, GAVE_UP, MAX_ROLLBACKS, is_lost
from limpide.training.state import TrainState
from tests.runner import SOAK
from tests.training.test_loop import AUGMENT, CLASSES, RECIPE, SIZE, Tiny, copied, images, plain

STEPS, AN_EPOCH = 20, 5


def begun(name: str = "adamw", lr: float = 0.02, seed: int = 5, average: bool = False) -> TrainState:
    torch.manual_seed(seed)
    model = Tiny()
    rule = OPTIMIZERS[name](parameter_groups(model, 0.02))
    state = TrainState(model, rule, lr, STEPS, torch.Generator().manual_seed(seed))
    state.schedule_name = "constant"
    state.averaged = Averaged.of(model, 0.8) if average else None
    return state


def spoiling(at: dict[int, float]) -> Callable[[nn.Module, tuple[Tensor, Tensor]], Tensor]:
    """Cross-entropy, which becomes at[k] in the k-th call, from 0; its gradient becomes at[k] times another."""
    calls = iter(range(10**6))

    def loss_fn(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        loss = nn.functional.cross_entropy(model(batch[0]), batch[1])
        return loss * at.get(next(calls), 1.0)

    return loss_fn


def notes(events: list[Event]) -> list[str]:
    return [str(event.message) for event in events if isinstance(event, Note)]


@pytest.mark.parametrize("worth", [math.nan, math.inf, -math.inf, 1e6])
@pytest.mark.parametrize("after", [0, 3, 7, 5])
def test_no_weight_is_changed_by_a_lost_loss(worth: float, after: int) -> None:
    """After `after` steps: the initial weights, or those of the best epoch, and the step is made with half the rate."""
    if worth == 1e6 and not after:
        return  # a loss is compared with the first one
    state, seen = begun(), []
    initial = copied(state.model.state_dict())
    loop = fit(state, images(30), images(30, 1), RECIPE, augment=AUGMENT, loss_fn=spoiling({after: worth}))
    for event in loop:
        seen.append(event)
        if isinstance(event, Note):
            best = copied(state.best)
            now = copied(state.model.state_dict())
            assert all(torch.equal(now[name], best[name]) for name in now)
            assert after >= AN_EPOCH or all(torch.equal(now[name], initial[name]) for name in now)
            assert all(not value.any() for value in state.optimizer.state().values())
            assert state.optimizer.numbers() == begun().optimizer.numbers()
            assert all(p.grad is None for p in state.model.parameters()) and state.step == after
    steps = [event for event in seen if isinstance(event, Step)]
    assert [step.n for step in steps] == list(range(1, STEPS + 1)), "every step is made"
    assert [step.lr for step in steps] == [0.02] * after + [0.01] * (STEPS - after)
    (says,) = notes(seen)
    assert says.startswith(f"step {after + 1}: the loss is ") and says.endswith("half the learning rate (at most 0.01)")
    assert ("not a finite number" in says) == (worth != 1e6)
    assert ("the initial weights" if after < AN_EPOCH else "the best weights so far, those after epoch 1") in says
    assert all(torch.isfinite(value).all() for value in state.model.state_dict().values())


@pytest.mark.parametrize("times", [MAX_ROLLBACKS, MAX_ROLLBACKS + 1])
def test_three_times_and_no_more(times: int) -> None:
    state = begun()
    loop = fit(state, images(30), None, RECIPE, loss_fn=spoiling(dict.fromkeys(range(6, 6 + times), math.nan)))
    seen: list[Event] = []
    if times == MAX_ROLLBACKS:
        seen = list(loop)
        assert state.lr == 0.02 / 8 and state.rollbacks == 3 and state.step == STEPS
    else:
        with pytest.raises(TrainingError, match=r"step 7 .*--clip 1.*\[L601\]") as told:
            for event in loop:
                seen.append(event)
        assert told.value.code == GAVE_UP and state.step == 6, "the state is that of the last step"
        assert all(torch.isfinite(value).all() for value in state.model.state_dict().values())
    assert len(notes(seen)) == 3


@pytest.mark.parametrize("average", [False, True])
@pytest.mark.parametrize("validated", [False, True])
@pytest.mark.parametrize("at", [2, AN_EPOCH - 1, 2 * AN_EPOCH - 1, STEPS - 1])
def test_a_gradient_that_is_infinite_under_a_finite_loss(validated: bool, average: bool, at: int) -> None:
    """The weights are lost, and no one kept them: neither as the best, nor as the last, nor in the mean."""

    def change(_model: nn.Module) -> None:
        if state.step == at and not state.rollbacks:
            next(p for p in state.model.parameters()).grad.fill_(math.inf)  # type: ignore[union-attr]

    state = begun(average=average)
    validation = images(30, 1) if validated else None
    seen: list[Event] = list(fit(state, images(30), validation, RECIPE, changes=[change]))
    assert len(notes(seen)) == 1 and state.rollbacks == 1 and state.step == STEPS
    assert [event.n for event in seen if isinstance(event, Epoch)] == [0, 1, 2, 3]
    for weights in (state.best, state.model.state_dict(), state.averaged.weights if state.averaged else {}):
        assert all(torch.isfinite(value).all() for value in weights.values())
    assert all(math.isfinite(event.validation_loss) for event in seen if isinstance(event, Epoch))
    assert all(map(math.isfinite, (*state.losses, *(state.best_score or ()), *(state.last_score or ()))))


@pytest.mark.parametrize("average", [False, True])
def test_stopped_anywhere_and_resumed_alike_to_the_bit(tmp_path: Path, average: bool) -> None:
    """Stopped around each of three times back (in a soak, after every event): in the first epoch, at the first step of
    the second, and where validation finds the weights lost.
    """

    def run(state: TrainState, stop: int | None = None) -> list[Event]:
        """What happens to a loss and to a gradient is a function of the state alone."""

        def loss_fn(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
            loss = nn.functional.cross_entropy(model(batch[0]), batch[1])
            return loss * {(2, 0): math.nan, (5, 1): 1e6}.get((state.step, state.rollbacks), 1.0)

        def change(model: nn.Module) -> None:
            if (state.step, state.rollbacks) == (9, 2):
                model.head.weight.grad.fill_(math.nan)  # type: ignore[union-attr,operator]

        loop = fit(state, images(30), images(30, 1), RECIPE, augment=AUGMENT, loss_fn=loss_fn, changes=[change])
        return list(islice(loop, stop))

    whole = begun(average=average)
    told = run(whole)
    assert len(notes(told)) == MAX_ROLLBACKS
    expected = [plain(event) for event in told]
    end, numbers = copied(whole.tensors()), whole.numbers()
    back = [k for k, event in enumerate(told) if isinstance(event, Note)]
    stops = [k for k in range(len(expected)) if SOAK or any(-1 <= k - place <= 2 for place in back)]
    for k in stops:
        folder = tmp_path / str(k)
        folder.mkdir()
        first = begun(average=average)
        seen = [plain(event) for event in run(first, k)]
        save_checkpoint(first, folder, 0)
        second = begun(seed=99, average=average)
        initial = begun(average=average)  # as a resumed training builds it: by recipe and seed
        second.model.load_state_dict(initial.model.state_dict())
        found = load_checkpoint(folder)
        assert found is not None
        second.restore(found.tensors, found.numbers)
        seen += [plain(event) for event in run(second)]
        assert seen == expected, f"stopped after {k} events"
        assert second.numbers() == numbers
        assert all(torch.equal(value, second.tensors()[name]) for name, value in end.items())
    print(f"stopped after {len(stops)} of {len(expected)} events, around {len(back)} times back")


def test_a_checkpoint_without_initial_weights_leaves_those_that_were_built() -> None:
    state, other = begun(), begun()
    list(islice(fit(state, images(30), None, RECIPE), 2))
    earlier = {name: value for name, value in copied(state.tensors()).items() if not name.startswith("best.")}
    numbers = {k: v for k, v in state.numbers().items() if k not in ("rollbacks", "first_loss", "parts")}
    initial = copied(other.best)
    other.restore(earlier, numbers)
    assert all(torch.equal(other.best[name], value) for name, value in initial.items())
    assert (other.rollbacks, other.parts) == (0, 1)


@pytest.mark.parametrize("loss", sorted(RULES))
@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_healthy_trainings_meet_nothing_of_this(name: str, loss: str) -> None:
    state = begun(name, lr=2e-3 * DEFAULTS[name].rate)
    recipe = RECIPE.but(loss=loss)
    seen: list[Event] = list(fit(state, images(60), images(30, 1), recipe))
    assert not notes(seen)
    assert max(event.loss for event in seen if isinstance(event, Step)) < 20 * max(1.0, state.first_loss)


class Runaway(nn.Module):
    """One layer on raw pixels: with squares and a rate far too high, every step is larger than the one before."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(SIZE * SIZE * 3, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(x.flatten(1))


def test_a_rate_that_explodes_is_halved_until_it_learns() -> None:
    """Gradient descent on squares runs away beyond 2 / the largest curvature: a known bound, met from above."""
    batch = next(iter(images(30, batch=30).in_order()))[0].flatten(1)
    design = torch.cat([batch, torch.ones(len(batch), 1)], 1)
    bound = 1 / float(torch.linalg.eigvalsh(design.T @ design / len(batch)).max())  # 2 / (twice the largest)
    model = Runaway()
    torch.nn.init.zeros_(model.head.weight)
    state = TrainState(model, OPTIMIZERS["sgd"](parameter_groups(model, 0.0)), 6 * bound, 60, torch.Generator())
    state.schedule_name = "constant"
    recipe = RECIPE.but(loss="squared", label_smoothing=0.0)
    seen: list[Event] = list(fit(state, images(30, batch=30), None, recipe))
    assert len(notes(seen)) == 3 and all("more than 1,000" in says for says in notes(seen)), "6, 3, 1.5; 0.75 holds"
    losses = [event.loss for event in seen if isinstance(event, Step)]
    assert losses[-1] < 0.5 * losses[0] and max(losses) <= EXPLODED * max(1.0, state.first_loss)


def test_what_is_lost() -> None:
    state = begun()
    assert not is_lost(1e30, state), "initial weights may be odd: nothing to compare with"
    assert is_lost(math.nan, state) and is_lost(math.inf, state)
    state.step, state.first_loss = 1, 2.5
    assert not is_lost(2500.0, state) and is_lost(2500.1, state)
    state.first_loss = 1e-9
    assert not is_lost(1000.0, state) and is_lost(1001.0, state)


def test_a_loss_that_is_lost_in_one_part_of_an_update_is_lost() -> None:
    train = images(30, batch=3)
    train.accumulate = 2
    state = begun()
    calls: Iterator[int] = iter(range(10**6))

    def loss_fn(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        loss = nn.functional.cross_entropy(model(batch[0]), batch[1])
        return loss * (math.nan if next(calls) == 1 else 1.0)  # the second part of the first update

    initial, loop = copied(state.model.state_dict()), fit(state, train, None, RECIPE, loss_fn=loss_fn)
    assert isinstance(next(loop), Note)
    assert all(torch.equal(value, initial[name]) for name, value in state.model.state_dict().items())
    assert np.isfinite([event.loss for event in loop if isinstance(event, Step)]).all()


def test_a_mask_that_is_infinite_is_no_lost_weight() -> None:
    state = begun()
    state.model.register_buffer("mask", torch.full((2, 2), -math.inf))
    state.best = {name: value.clone() for name, value in state.model.state_dict().items()}
    state.steps = len(images(18))
    events = list(fit(state, images(18), None, RECIPE))
    assert isinstance(events[-1], Epoch) and not notes(events)


def test_a_validation_loss_that_no_weights_mend_is_told_as_one() -> None:
    class Spread(nn.Module):
        """Divides by the spread of an image, which a single color has not."""

        def __init__(self) -> None:
            super().__init__()
            self.inner = Tiny()

        def forward(self, x: Tensor) -> Tensor:
            return self.inner(x / x.std((1, 2, 3), keepdim=True))  # type: ignore[no-any-return]

    model = Spread()
    state = TrainState(
        model, OPTIMIZERS["adamw"](parameter_groups(model, 0.0)), lr=0.01, steps=3, generator=torch.Generator()
    )
    plain_colors = images(6, seed=9)
    plain_colors.pixels.array[:] = 7  # type: ignore[index]
    with pytest.raises(TrainingError) as error:
        list(fit(state, images(18), plain_colors, RECIPE))
    assert error.value.code == "L603" and "epoch 1" in str(error.value)
