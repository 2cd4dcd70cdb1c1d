"""Fewer threads where other work keeps the processor busy: tried only then, taken only when quicker, kept
by the run.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from limpide.core.events import Step
from limpide.core.recipe import Recipe
from limpide.core.run import Run
from limpide.training import threads
from limpide.training.threads import choose_threads, limit_threads
from limpide.training.timing import StepTime
from limpide.workflows.train.training import prepare, train

CPU = torch.device("cpu")


def load(monkeypatch: pytest.MonkeyPatch, others: float) -> None:
    monkeypatch.setattr(threads, "share_of_others", lambda: others)


class Steps:
    """Takes so many seconds a step with each number of threads, and remembers which were tried."""

    def __init__(self, seconds: dict[int, float]) -> None:
        self.seconds, self.tried = seconds, list[int]()

    def __call__(self) -> StepTime:
        self.tried.append(torch.get_num_threads())
        return StepTime(self.seconds[self.tried[-1]], 0.0)


@pytest.mark.parametrize(
    ("others", "half", "tried", "number"),
    [
        (0.0, 0.1, [4], None),  # quiet: nothing is tried, though it would be quicker
        (0.39, 0.1, [4], None),
        (0.4, 0.6, [4, 2, 4], 2),
        (1.0, 0.95, [4, 2, 4], None),  # hardly quicker
        (1.0, 2.0, [4, 2, 4], None),
    ],
)
def test_half_of_the_threads_where_others_are_busy_and_it_is_quicker(
    monkeypatch: pytest.MonkeyPatch, others: float, half: float, tried: list[int], number: int | None
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS")
    load(monkeypatch, others)
    steps = Steps({4: 1.0, 2: half})
    with limit_threads(4):
        found = choose_threads(steps, CPU)
        assert torch.get_num_threads() == 4, "what was tried is put back"
    assert steps.tried == tried and found.number == number
    assert found.speed.step == (half if number else 1.0)
    assert found.gain == pytest.approx(1 / half if number else 1.0)


def test_a_wish_of_the_user_a_card_and_a_single_thread_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    load(monkeypatch, 1.0)
    steps = Steps({4: 1.0, 2: 0.1, 1: 1.0})
    with limit_threads(4):
        monkeypatch.setenv("OMP_NUM_THREADS", "4")
        assert choose_threads(steps, CPU).number is None
        monkeypatch.delenv("OMP_NUM_THREADS")
        assert choose_threads(steps, torch.device("cuda")).number is None
    with limit_threads(1):
        assert choose_threads(steps, CPU).number is None
    assert steps.tried == [4, 4, 1]


def test_it_is_put_back_after_a_fault() -> None:
    before = torch.get_num_threads()
    with pytest.raises(ValueError, match="broken"), limit_threads(before + 1):
        raise ValueError("broken")
    assert torch.get_num_threads() == before


def test_a_run_keeps_the_number_and_a_resume_takes_it_on_a_quiet_machine(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS")
    load(monkeypatch, 1.0)
    monkeypatch.setattr(
        "limpide.training.timing.time_steps", lambda *_: StepTime(0.01 * torch.get_num_threads(), 0.001)
    )
    recipe = Recipe(model="mlp", image_size=8, epochs=2, batch=8, device="cpu")
    seen = list[int]()

    def until(run: Run, last: int) -> None:
        events = train(run, prepare(str(photos), recipe, tmp_path)[1], judge=False)
        for event in events:
            if isinstance(event, Step):
                seen.append(torch.get_num_threads())
                if event.n == last:
                    break
        events.close()  # type: ignore[attr-defined]

    with limit_threads(4):
        run = prepare(str(photos), recipe, tmp_path)[0]
        until(run, 2)
        assert run.info().threads == 2
        load(monkeypatch, 0.0)
        until(run, 10**9)
        assert torch.get_num_threads() == 4
    assert len(seen) > 2 and set(seen) == {2}
    said = [str(event.message) for event in run.events() if getattr(event, "topic", "") == "decision"]
    assert any("2 of 4 threads" in one and "100" in one for one in said), said
