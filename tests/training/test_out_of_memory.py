"""Cases 60 and 61: where the memory does not suffice, the same images in smaller parts, to the bit as with
--accumulate.
"""

from __future__ import annotations

import dataclasses
from itertools import islice
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from limpide.core.errors import TrainingError
from limpide.core.events import Event, Note, Step
from limpide.training.checkpoint import load_checkpoint, save_checkpoint
from limpide.training.loop import evaluate, fit, logits_of
from limpide.training.optim.adamw import AdamW
from limpide.training.optim.groups import parameter_groups
from limpide.training.out_of_memory import is_out_of_memory
from limpide.training.state import TrainState
from tests.training.test_loop import AUGMENT, CLASSES, RECIPE, copied, images, plain

CPU = RuntimeError(
    "[enforce fail at alloc_cpu.cpp:121] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate "
    "4096 bytes. Error code 12 (Cannot allocate memory)"
)
ERRORS = [MemoryError(), torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB."), CPU]


class Small(nn.Module):
    """A network for which there is memory for `room` images at once; it counts how many there were."""

    def __init__(self, room: int, error: BaseException = CPU) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 4, 3), nn.Linear(4 * 6 * 6, CLASSES)
        self.room, self.error = room, error
        self.seen: list[int] = []

    def forward(self, x: Tensor) -> Tensor:
        hidden = torch.relu(self.conv(x))
        if len(x) > self.room:
            raise self.error
        self.seen.append(len(x))
        return self.head(hidden.flatten(1))


def begun(room: int, error: BaseException = CPU, steps: int = 12) -> TrainState:
    torch.manual_seed(1)
    model = Small(room, error)
    return TrainState(model, AdamW(parameter_groups(model, 0.02)), 0.01, steps, torch.Generator().manual_seed(1))


def notes(events: list[Event]) -> list[str]:
    return [str(event.message) for event in events if isinstance(event, Note)]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize(("room", "parts"), [(8, 1), (7, 2), (4, 2), (3, 4), (2, 4)])
def test_as_with_accumulate_to_the_bit(error: BaseException, room: int, parts: int) -> None:
    """The steps, their losses and the weights are those of a training that was asked for so many parts."""
    state, asked = begun(room, error), begun(99)
    seen: list[Event] = list(fit(state, images(32, batch=8), None, RECIPE))
    train = dataclasses.replace(images(32, batch=8 // parts), accumulate=parts)
    expected = [plain(event) for event in fit(asked, train, None, RECIPE)]
    assert [plain(event) for event in seen if not isinstance(event, Note)] == expected
    wanted, found = asked.tensors(), state.tensors()
    assert all(torch.equal(value, found[name]) for name, value in wanted.items())
    assert state.parts == parts and len(notes(seen)) == {1: 0, 2: 1, 4: 2}[parts]
    assert set(state.model.seen) == {8 // parts}  # type: ignore[arg-type]


def test_what_is_said() -> None:
    (says,) = notes(list(fit(begun(4), images(32, batch=8), None, RECIPE)))
    assert says == (
        "the memory does not suffice for 8 images at once: from step 1 on, the 8 images of a step pass through the "
        "network in 2 parts, and their gradients are added"
    )


def test_the_same_number_of_parts_after_a_resume(tmp_path: Path) -> None:
    """Stopped after every event; afterwards there is memory enough, and the parts stay. Augmentation draws anew where
    an update is tried again, alike whether it was stopped there or not.
    """
    whole = begun(3)
    expected = [plain(event) for event in fit(whole, images(32, batch=8), None, RECIPE, augment=AUGMENT)]
    end = copied(whole.tensors())
    for k in range(2, 6):
        first = begun(3)
        seen = [plain(e) for e in islice(fit(first, images(32, batch=8), None, RECIPE, augment=AUGMENT), k)]
        (tmp_path / str(k)).mkdir()
        save_checkpoint(first, tmp_path / str(k), 0)
        found, second = load_checkpoint(tmp_path / str(k)), begun(99)
        assert found is not None
        second.restore(found.tensors, found.numbers)
        seen += [plain(e) for e in fit(second, images(32, batch=8), None, RECIPE, augment=AUGMENT)]
        assert seen == expected and second.parts == 4
        assert all(torch.equal(value, second.tensors()[name]) for name, value in end.items())


@pytest.mark.parametrize("n", [32, 7])
def test_not_even_two_images(n: int) -> None:
    state = begun(1)
    seen: list[Event] = []
    with pytest.raises(TrainingError, match=r"two images .*step 1 .*--batch or --image-size.*memory.*\[L602\]") as told:
        for event in fit(state, images(n, batch=8), None, RECIPE):
            seen.append(event)
    assert told.value.exit_status == 6
    assert len(notes(seen)) == (2 if n == 32 else 1), "8 images: 4, then 2 at once; 7: 3 or 4, then nothing smaller"
    assert state.step == 0


def test_accumulated_parts_are_halved_too() -> None:
    state = begun(2)
    train = dataclasses.replace(images(32, batch=4), accumulate=2)
    seen: list[Event] = list(fit(state, train, None, RECIPE))
    assert state.parts == 4 and len(notes(seen)) == 1
    assert [event.n for event in seen if isinstance(event, Step)] == list(range(1, 13))


@pytest.mark.parametrize("room", [1, 3, 5])
def test_evaluation_passes_in_halves(room: int) -> None:
    """Each image is answered by itself, so the answers are those of all at once, but for rounding."""
    validation = images(10, batch=6)
    narrow, wide = begun(room).model, begun(99).model
    assert torch.allclose(logits_of(narrow, validation), logits_of(wide, validation), atol=1e-6)
    (loss, share), (wanted, right) = (evaluate(model, validation, RECIPE) for model in (narrow, wide))
    assert share == right and loss == pytest.approx(wanted, rel=1e-6)
    assert max(narrow.seen) <= room and sum(narrow.seen) == 20  # type: ignore[arg-type,operator]


def test_evaluation_that_has_no_room_for_one_image() -> None:
    with pytest.raises(TrainingError, match="L602"):
        logits_of(begun(0).model, images(3))


def test_other_errors_are_other_errors() -> None:
    for error in (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), ValueError("can't allocate memory")):
        assert not is_out_of_memory(error)
        with pytest.raises(type(error)):
            list(fit(begun(1, error), images(32, batch=8), None, RECIPE))
        with pytest.raises(type(error)):
            logits_of(begun(1, error).model, images(3))
    assert all(map(is_out_of_memory, ERRORS))


def test_an_allocation_that_really_fails() -> None:
    """What this PyTorch says: more bytes than any machine has."""
    with pytest.raises(RuntimeError) as told:
        torch.empty(2**60, dtype=torch.uint8)
    assert is_out_of_memory(told.value)
