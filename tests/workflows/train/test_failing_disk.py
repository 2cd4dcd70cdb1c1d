"""Cases 62 to 65, 70 and 71: a session of a training, which is continued, saves and is stopped, meets a
disk that fails at its k-th operation (in a soak, for every k and every fault). No checkpoint is lost or wrong, and one
line is said; also where checkpoints are damaged.
"""

from __future__ import annotations

import math
import pickle
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from limpide.core.errors import LimpideError, from_os_error
from limpide.core.events import Note, Step
from limpide.core.recipe import Recipe
from limpide.core.run import Run
from limpide.data.dataset import Dataset
from limpide.training import checkpoint
from limpide.training.checkpoint import digest, load_checkpoint
from limpide.workflows.train import control
from limpide.workflows.train.training import prepare, train
from tests.failing_disk import FAULTS, Crash, FailingDisk
from tests.runner import SOAK
from tests.workflows.train.killing import SEED
from tests.workflows.train.test_parts import noise

RECIPE = Recipe.of(model="linear", epochs=4, batch=4, image_size=16, device="cpu", precision="fp32", patience=9)
STOPPED_AT = 2  # steps
NOWHERE = 10**9
# Files for whoever watches: without them a training goes on, and has the same weights.
MAY_FAIL = ("predictions/probes.npz", "history.csv", "stats.jsonl", ".history", ".stats", "snapshots/step-")


@pytest.fixture(autouse=True, scope="module")
def saving_always() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoint.CheckpointWriter, "save_if_due", checkpoint.CheckpointWriter.save)
        patch.setattr(control, "MACHINE_SECONDS", math.inf)  # no line that a clock decides on
        yield


def some_steps(run: Run, dataset: Dataset, steps: int) -> None:
    """A session of so many steps, then stopped as by Ctrl-C."""
    work = train(run, dataset, images=False, judge=False)
    try:
        for event in work:
            steps -= isinstance(event, Step)
            if steps == 0:
                return
    finally:
        work.close()  # type: ignore[attr-defined]


def states(folder: Path) -> Iterator[tuple[str, str]]:
    """(where it stands, digest of everything in it) of the newest checkpoint that can be used."""
    found = load_checkpoint(folder)
    if found is not None:
        assert not found.damaged, "nothing that was written whole is damaged"
        yield f"{found.numbers['step']}-{found.numbers['position']}", digest(found.tensors, repr(found.numbers))


@pytest.fixture(scope="module")
def stopped(saving_always: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Dataset]:
    """A training that was stopped after some steps."""
    root = tmp_path_factory.mktemp("disk")
    run, dataset, _ = prepare(str(noise(root / "data", a=12, b=12)), RECIPE, root / "runs")
    some_steps(run, dataset, STOPPED_AT)
    return run, dataset


def session(stopped: tuple[Run, Dataset], folder: Path, k: int, fault: str) -> tuple[FailingDisk, BaseException | None]:
    """One more step of a copy of the training, with a disk that fails: (the disk, how the session ended)."""
    shutil.copytree(stopped[0].path, folder)
    with FailingDisk(folder, k, fault).armed() as disk:
        try:
            some_steps(Run(folder), stopped[1], 1)
        except (OSError, LimpideError, Crash) as error:
            return disk, error
    return disk, None


def test_a_disk_that_fails_at_any_operation_loses_no_checkpoint(stopped: tuple[Run, Dataset], tmp_path: Path) -> None:
    whole, _ = session(stopped, tmp_path / "whole", NOWHERE, "EIO")
    known = dict(states(stopped[0].checkpoints))
    known |= dict(states(tmp_path / "whole" / "checkpoint"))
    assert len(known) == 2, "before and after the step"
    ends, said = {}, 0
    places = [(k, fault) for k in range(len(whole.calls)) for fault in FAULTS]
    first = random.Random(SEED).randrange(6)
    if not SOAK:  # all of a save: tests/training/test_checkpoint.py
        places = [(k, FAULTS[(first + k // 3) % len(FAULTS)]) for k in range(first % 3, len(whole.calls), 3)]
    print(f"replay with LIMPIDE_TEST_SEED={SEED}")
    for number, (k, fault) in enumerate(places):
        folder = tmp_path / str(number)
        disk, error = session(stopped, folder, k, fault)
        where = f"{fault} at {disk.calls[k]}"
        assert disk.failed and disk.calls[k] == whole.calls[k], "a session is the same each time"
        run = Run.open(folder)
        ((place, content),) = states(run.checkpoints)
        assert known[place] == content, f"{where}: the checkpoint of {place} is another"
        events = list(run.events())
        assert sum(isinstance(event, Step) for event in events) >= STOPPED_AT, where
        if isinstance(error, (OSError, LimpideError)):
            line = str(error if isinstance(error, LimpideError) else from_os_error(error))
            assert "\n" not in line and "[L5" in line, where
            said += 1
        elif error is None:
            assert file_at(disk.calls, k).startswith(MAY_FAIL), f"{where} was not told"
        if number % 10 == 0:
            assert finished(run, stopped[1]) == finished(Run(tmp_path / "whole"), stopped[1]), where
        ends[fault] = ends.get(fault, 0) + 1
        shutil.rmtree(folder)
    print(f"{sum(ends.values())} faults at {len(whole.calls)} operations, {said} told in one line: {ends}")


def file_at(calls: list[str], k: int) -> str:
    """The file that the k-th operation is about; of a folder, the one that was renamed in it before."""
    names = [call.split()[-1] for call in calls[: k + 1]]
    return next(name for name in reversed(names) if Path(name).suffix)


def finished(run: Run, dataset: Dataset) -> bytes:
    """The final weights, after the same command once more."""
    if run.info().status != "finished":
        list(train(run, dataset, images=False, judge=False))
    return (run.snapshots / "best.safetensors").read_bytes()


def notes_of(run: Run, dataset: Dataset) -> list[str]:
    return [str(event.message) for event in train(run, dataset, images=False, judge=False) if isinstance(event, Note)]


def flipped(data: bytes) -> bytes:
    return data[:-9] + bytes([data[-9] ^ 1]) + data[-8:]


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "a bit": flipped,
    "cut": lambda data: data[: len(data) // 2],
    "empty": lambda data: b"",
    "something else": lambda data: random.Random(1).randbytes(len(data)),
    "a pickle": lambda data: pickle.dumps({"weights": [1.0]}),
}


@pytest.mark.parametrize(
    ("which", "damage"),
    [("the newest", "a bit"), ("the newest", "a pickle"), ("all", "empty")]
    + [("the newest", "cut"), ("the newest", "empty"), ("all", "something else")] * SOAK,
)
def test_a_damaged_checkpoint_costs_steps_and_is_told(
    stopped: tuple[Run, Dataset], tmp_path: Path, damage: str, which: str
) -> None:
    """Case 71: the one before it is used, and it is said which steps are done again; without one, all of them are."""
    shutil.copytree(stopped[0].path, tmp_path / "whole")
    shutil.copytree(stopped[0].path, tmp_path / "damaged")
    run = Run(tmp_path / "damaged")
    saved = sorted(run.checkpoints.glob("step-*"))
    assert [checkpoint.step_of(file.name) for file in saved] == [STOPPED_AT - 1, STOPPED_AT]
    for file in saved if which == "all" else saved[-1:]:
        file.write_bytes(DAMAGES[damage](file.read_bytes()))
    notes = notes_of(run, stopped[1])
    wanted = f"a damaged checkpoint was ignored ({saved[-1].name}): steps {STOPPED_AT} to {STOPPED_AT} are done again"
    if which == "all":
        names = f"{saved[1].name}, {saved[0].name}"
        wanted = f"every checkpoint is damaged ({names}): training begins anew, steps 1 to {STOPPED_AT} are done again"
    assert notes.count(wanted) == 1 and sum("damaged" in says for says in notes) == 1, notes
    assert finished(run, stopped[1]) == finished(Run(tmp_path / "whole"), stopped[1])
