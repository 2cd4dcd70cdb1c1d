"""The loop is a generator whose state is complete whenever it is suspended."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from limpide.core.errors import RunError
from limpide.core.events import CLOCK_FIELDS, Epoch, Step
from limpide.core.recipe import Recipe
from limpide.data.preprocessing import Preprocessing
from limpide.data.read_images import Pixels
from limpide.training.augment.light import LightAugment
from limpide.training.batches import Batches
from limpide.training.device import place_on_device
from limpide.training.loop import evaluate, fit, has_stalled, logits_of
from limpide.training.losses import loss_function
from limpide.training.optim.adamw import AdamW
from limpide.training.optim.averaged import Averaged
from limpide.training.optim.gradients import clip_norm
from limpide.training.optim.groups import parameter_groups
from limpide.training.optim.schedules import SCHEDULES, Moment
from limpide.training.state import TrainState

SIZE, CLASSES = 8, 3
CPU = torch.device("cpu")
RECIPE = Recipe(seed=3, batch=6, lr=0.02, precision="fp32", device="cpu")
AUGMENT = LightAugment(flip=True)


class Tiny(nn.Module):
    """Convolution, batch normalisation and dropout: everything that has a state or draws at random."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(4)
        )
        self.dropout = nn.Dropout(0.3)
        self.head = nn.Linear(24, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.dropout(self.body(x).flatten(1)))


def images(n: int, seed: int = 0, batch: int = 6) -> Batches:
    """Noise around one colour a class."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, CLASSES, n)
    array = random.integers(0, 90, (n, SIZE, SIZE, 3), dtype=np.uint8)
    array[np.arange(n), :, :, labels] += 120
    pixels = Pixels(Preprocessing(SIZE, 3), np.arange(n), array)
    return Batches(pixels, np.arange(n), labels.astype(np.int64), batch, CPU)


def fresh(steps: int, seed: int = 5) -> TrainState:
    torch.manual_seed(seed)
    model = place_on_device(Tiny(), CPU)
    return TrainState(
        model, AdamW(parameter_groups(model, 0.02)), lr=0.02, steps=steps, generator=torch.Generator().manual_seed(seed)
    )


def copied(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """As a file would hold them: what happens later must not reach into a checkpoint."""
    return {k: v.clone() for k, v in tensors.items()}


def plain(event: Step | Epoch) -> dict[str, Any]:
    return {k: v for k, v in dataclasses.asdict(event).items() if k not in CLOCK_FIELDS} | {
        "kind": type(event).__name__
    }


def test_three_events_and_no_more_work() -> None:
    state = fresh(8)
    events = list(islice(fit(state, images(30), images(9, 1), RECIPE), 3))
    assert [e.n for e in events] == [1, 2, 3] and state.step == state.position == 3
    assert all(isinstance(e, Step) for e in events)


def test_events_of_a_whole_training() -> None:
    state, train = fresh(12), images(30)  # five batches a pass: two passes and two steps
    events = list(fit(state, train, images(9, 1), RECIPE, augment=AUGMENT))
    assert [type(e).__name__[0] for e in events] == list("SSSSSESSSSSESSE")
    steps, epochs = [e for e in events if isinstance(e, Step)], [e for e in events if isinstance(e, Epoch)]
    assert [s.n for s in steps] == list(range(1, 13)) and [e.step for e in epochs] == [5, 10, 12]
    assert [e.n for e in epochs] == [0, 1, 2] and epochs[0].best
    for e, part in zip(epochs, (steps[:5], steps[5:10], steps[10:]), strict=True):
        assert e.train_loss == pytest.approx(np.mean([s.loss for s in part]))
    assert (state.step, state.epoch, state.position, state.loss_sum) == (12, 3, 0, 0.0)
    assert list(fit(state, train, None, RECIPE)) == [], "what is done is not done again"


@pytest.mark.parametrize("steps", [12, 15])
def test_stopped_at_every_suspension_and_resumed_identically(steps: int) -> None:
    train, validation = images(30), images(9, 1)

    def continued(state: TrainState, count: int | None = None) -> list[Step | Epoch]:
        return list(islice(fit(state, train, validation, RECIPE, augment=AUGMENT), count))

    whole = fresh(steps)
    expected = [plain(e) for e in continued(whole)]
    end, numbers = copied(whole.tensors()), whole.numbers()
    for k in range(len(expected) + 1):
        first = fresh(steps)
        seen = continued(first, k)
        saved, saved_numbers = copied(first.tensors()), first.numbers()
        second = fresh(steps, seed=99)  # other weights, other random generators: all must come from what was saved
        second.restore(saved, saved_numbers)
        seen += continued(second)
        assert [plain(e) for e in seen] == expected, f"events after a stop at event {k}"
        assert second.numbers() == numbers
        found = second.tensors()
        assert found.keys() == end.keys()
        assert [name for name in end if not torch.equal(found[name], end[name])] == [], f"after a stop at event {k}"


def test_saved_tensors_do_not_change_when_training_goes_on() -> None:
    state, train = fresh(10), images(30)
    loop = fit(state, train, images(9, 1), RECIPE)
    list(islice(loop, 6))  # one pass and its validation: there is a best
    best = copied(state.best)
    list(loop)
    assert state.best_epoch in (0, 1)
    if state.best_epoch == 0:
        assert all(torch.equal(state.best[k], best[k]) for k in best)


def test_restore_keeps_the_layout_and_copies() -> None:
    state = fresh(4)
    list(fit(state, images(30), images(9, 1), RECIPE))
    other = fresh(4, seed=7)
    tensors = copied(state.tensors())
    other.restore(tensors, state.numbers())
    weight = other.model.body[0].weight
    assert weight.is_contiguous(memory_format=torch.channels_last)
    tensors["model.body.0.weight"].zero_()
    assert weight.abs().sum() > 0


def test_best_weights_are_kept_and_used() -> None:
    state, validation = fresh(25), images(30, 1)
    recipe = RECIPE.but(lr=0.3)
    state.lr = 0.3
    scores = [
        (e.validation_accuracy, -e.validation_loss)
        for e in fit(state, images(30), validation, recipe)
        if isinstance(e, Epoch)
    ]
    assert state.best_score == max(scores) and state.best_epoch == scores.index(max(scores))
    state.use_best()
    loss, accuracy = evaluate(state.model, validation, recipe)
    assert (accuracy, -loss) == pytest.approx(state.best_score)


def test_a_tie_keeps_the_earlier_weights() -> None:
    state = fresh(1)
    assert state.keep_if_best(0.5, 1.0)
    assert not state.keep_if_best(0.5, 1.0)
    assert state.keep_if_best(0.5, 0.9) and state.keep_if_best(0.6, 5.0)


def test_stalled_counts_passes_without_improvement() -> None:
    state = fresh(1)
    assert not has_stalled(state, 1), "nothing has happened yet"
    state.epoch, state.best_epoch = 4, 2  # four passes done, the third (2) was the best
    assert has_stalled(state, 1) and not has_stalled(state, 2)


def test_overfits_one_batch() -> None:
    state, train = fresh(60), images(6)
    state.model.dropout.p = 0.0
    losses = [e.loss for e in fit(state, train, None, RECIPE.but(label_smoothing=0.0)) if isinstance(e, Step)]
    assert losses[-1] < 0.05 < losses[0]
    assert evaluate(state.model, train, RECIPE)[1] == 1.0


def test_a_single_left_over_image_trains() -> None:
    class Whole(nn.Module):
        """Normalises over the batch alone, which one image cannot do."""

        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Linear(SIZE * SIZE * 3, 8)
            self.norm = nn.BatchNorm1d(8)
            self.head = nn.Linear(8, CLASSES)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.norm(self.inner(x.flatten(1))))

    model = Whole()
    state = TrainState(model, AdamW(parameter_groups(model, 0.0)), 0.01, 6, torch.Generator())
    events = list(fit(state, images(5, batch=2), images(7, 1, batch=6), RECIPE))  # 1 + 2 + 2
    assert [e.step for e in events if isinstance(e, Epoch)] == [3, 6]


def test_without_validation_the_training_loss_decides() -> None:
    state = fresh(10)
    epochs = [e for e in fit(state, images(30), None, RECIPE) if isinstance(e, Epoch)]
    assert [e.validation_loss for e in epochs] == [e.train_loss for e in epochs]
    assert state.best_epoch == int(np.argmin([e.train_loss for e in epochs]))


def test_the_rate_may_be_halved_between_two_events() -> None:
    state = fresh(10)
    loop = fit(state, images(30), None, RECIPE)
    first = next(loop)
    state.lr /= 2
    second = next(loop)
    assert isinstance(first, Step) and isinstance(second, Step)
    untouched = fresh(10)
    a, b = islice(fit(untouched, images(30), None, RECIPE), 2)
    assert first.lr == a.lr and second.lr == pytest.approx(b.lr / 2)


def test_the_loss_is_a_plain_function() -> None:
    state = fresh(3)
    losses: list[Callable[..., Tensor]] = []

    def loss_fn(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        losses.append(loss_fn)
        return model(batch[0]).square().mean()

    list(fit(state, images(30), None, RECIPE, loss_fn=loss_fn))
    assert len(losses) == 3


def test_evaluation_leaves_the_state_alone_and_counts_every_image() -> None:
    state, validation = fresh(1), images(10, batch=4)
    before = copied(state.tensors())
    logits = logits_of(state.model, validation)
    assert logits.shape == (10, CLASSES)
    assert all(torch.equal(before[k], v) for k, v in state.tensors().items()), (
        "batch normalisation must not learn from validation"
    )
    loss, accuracy = evaluate(state.model, validation, RECIPE)
    labels = torch.from_numpy(validation.labels)
    assert loss == pytest.approx(float(torch.nn.functional.cross_entropy(logits, labels)))
    assert accuracy == pytest.approx(float((logits.argmax(1) == labels).float().mean()))


class Plain(nn.Module):
    """Without batch normalisation, which knows how many images came together."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 4, 3), nn.Linear(4 * 6 * 6, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.relu(self.conv(x)).flatten(1))


def plain_state(steps: int) -> TrainState:
    torch.manual_seed(1)
    model = Plain()
    return TrainState(model, AdamW(parameter_groups(model, 0.02)), 0.01, steps, torch.Generator().manual_seed(1))


@pytest.mark.parametrize("n", [32, 29])
def test_two_batches_of_four_make_the_update_of_one_of_eight(n: int) -> None:
    whole, parts = plain_state(6), plain_state(6)
    one = list(fit(whole, images(n, batch=8), None, RECIPE, augment=AUGMENT))
    two = list(fit(parts, dataclasses.replace(images(n, batch=4), accumulate=2), None, RECIPE, augment=AUGMENT))
    assert [type(e).__name__[0] for e in one] == [type(e).__name__[0] for e in two] == list("SSSSESSE")
    for a, b in zip(one, two, strict=True):
        if isinstance(a, Step) and isinstance(b, Step):
            assert (a.n, a.lr) == (b.n, b.lr) and a.loss == pytest.approx(b.loss, rel=1e-5), "a Step is a whole update"
    for (name, a), b in zip(whole.model.named_parameters(), parts.model.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-5), name


def test_an_update_of_two_batches_is_resumed_in_the_middle_of_a_pass() -> None:
    train = dataclasses.replace(images(30, batch=3), accumulate=2)
    whole = fresh(8)
    expected = [plain(e) for e in fit(whole, train, None, RECIPE, augment=AUGMENT)]
    first = fresh(8)
    seen = list(islice(fit(first, train, None, RECIPE, augment=AUGMENT), 3))
    saved = copied(first.tensors())  # another fresh one seeds torch's own generator
    second = fresh(8, seed=99)
    second.restore(saved, first.numbers())
    seen += list(fit(second, train, None, RECIPE, augment=AUGMENT))
    assert [plain(e) for e in seen] == expected
    assert all(torch.equal(v, second.tensors()[k]) for k, v in whole.tensors().items())


def test_clipping_comes_after_the_slopes_and_before_the_step() -> None:
    norms: list[float] = []

    def clip(model: nn.Module) -> None:
        clip_norm(0.01)(model)
        norms.append(float(torch.stack([p.grad.norm() for p in model.parameters() if p.grad is not None]).norm()))

    clipped, free = plain_state(3), plain_state(3)
    list(fit(clipped, images(30), None, RECIPE, changes=[clip]))
    list(fit(free, images(30), None, RECIPE))
    assert len(norms) == 3 and max(norms) <= 0.01 + 1e-6
    assert clipped.optimizer.state()["0.m.0"].norm() < 0.1 * free.optimizer.state()["0.m.0"].norm()


def test_averaged_weights_are_judged_and_kept_and_survive_a_checkpoint() -> None:
    train, validation = images(30), images(30, 1)

    def begun(seed: int = 5) -> TrainState:
        state = fresh(15, seed)
        state.averaged = Averaged.of(state.model, 0.8)
        return state

    whole = begun()
    expected = [plain(e) for e in fit(whole, train, validation, RECIPE, augment=AUGMENT)]
    assert whole.averaged is not None
    assert any(not torch.equal(v, whole.averaged.weights[k]) for k, v in whole.model.state_dict().items())
    first = begun()
    seen = list(islice(fit(first, train, validation, RECIPE, augment=AUGMENT), 8))
    saved = copied(first.tensors())
    second = begun(99)
    second.restore(saved, first.numbers())
    seen += list(fit(second, train, validation, RECIPE, augment=AUGMENT))
    assert [plain(e) for e in seen] == expected
    assert all(torch.equal(v, second.tensors()[k]) for k, v in whole.tensors().items())
    whole.use_best()
    loss, accuracy = evaluate(whole.model, validation, RECIPE)
    assert (accuracy, -loss) == pytest.approx(whole.best_score), "the averaged weights were scored and kept"


def test_averaged_weights_of_another_decay_are_refused() -> None:
    first, other, without = fresh(3), fresh(3), fresh(3)
    first.averaged, other.averaged = Averaged.of(first.model, 0.9), Averaged.of(other.model, 0.99)
    for state in (other, without):
        with pytest.raises(RunError, match="L516"):
            state.restore(first.tensors(), first.numbers())


def test_a_schedule_knows_the_steps_and_the_passes_and_is_restored_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, int, float]] = []

    def halves(moment: Moment, numbers: Sequence[float]) -> float:
        seen.append((moment.step, moment.steps, moment.epochs))
        return numbers[0] ** moment.epoch

    monkeypatch.setitem(SCHEDULES, "halves", halves)
    state = fresh(8)
    state.schedule_name = "halves:0.5"
    rates = [e.lr for e in fit(state, images(30), None, RECIPE) if isinstance(e, Step)]
    assert rates == pytest.approx([0.02] * 5 + [0.01] * 3)
    assert [s[:2] for s in seen] == [(k, 8) for k in range(8)]
    assert [s[2] for s in seen] == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4])
    other = fresh(8)
    other.restore(copied(state.tensors()), state.numbers())
    assert other.schedule_name == "halves:0.5"
    monkeypatch.delitem(SCHEDULES, "halves")
    with pytest.raises(RunError, match="L516"):
        fresh(8).restore(state.tensors(), state.numbers())


def test_soft_targets_train() -> None:
    def softened(images: Tensor, targets: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Mixup with the batch turned round."""
        share = torch.rand((), generator=generator)
        exact = torch.nn.functional.one_hot(targets, CLASSES).float()
        return share * images + (1 - share) * images.flip(0), share * exact + (1 - share) * exact.flip(0)

    state, train = fresh(60), images(30)
    steps = [e for e in fit(state, train, None, RECIPE, augment=softened) if isinstance(e, Step)]
    assert np.mean([s.loss for s in steps[-10:]]) < np.mean([s.loss for s in steps[:10]])
    assert evaluate(state.model, train, RECIPE)[1] > 0.9


def test_kept_statistics_are_gone_by_and_do_not_change_while_the_rest_learns() -> None:
    """As if the normalization were a fixed scale: the oracle is the network in evaluation mode, dropout aside."""
    whole = images(12, batch=12)
    for keeps in (True, False):
        model = Tiny()
        model.dropout.p = 0.0
        model.body[1].running_mean.fill_(-0.5)  # type: ignore[operator,union-attr]
        state = TrainState(model, AdamW(parameter_groups(model, 0.02)), 0.02, 10, torch.Generator())
        state.keeps_statistics = keeps
        before = {name: value.clone() for name, value in model.state_dict().items()}
        with torch.no_grad():
            as_judged = float(loss_function(RECIPE)(model.eval(), next(iter(whole.shuffled(RECIPE.seed, 0)))))
        first = next(iter(fit(state, whole, None, RECIPE)))
        assert isinstance(first, Step) and (first.loss == pytest.approx(as_judged, rel=1e-5)) == keeps
        after = model.state_dict()
        for name in ("body.1.running_mean", "body.1.running_var"):
            assert torch.equal(after[name], before[name]) == keeps
        assert not torch.equal(after["body.1.weight"], before["body.1.weight"]), "its scale learns"
        assert model.dropout.training
