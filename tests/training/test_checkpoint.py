"""Faults 66, 70, 71, 74: a checkpoint is whole or it is not used; a crash at any point of a save leaves one that is."""

from __future__ import annotations

import errno
import json
import os
import random
import re
import shutil
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load, save
from torch import Tensor, nn

from limpide import training
from limpide.core.errors import RunError
from limpide.system import files
from limpide.training.checkpoint import KEPT, digest, load_checkpoint, save_checkpoint
from limpide.training.optim.adamw import AdamW
from limpide.training.optim.groups import parameter_groups
from limpide.training.state import TrainState

SEED = int(os.environ.get("LIMPIDE_TEST_SEED", "0")) or random.SystemRandom().randrange(10**6)


def state_at(step: int, epoch: int = 0) -> TrainState:
    torch.manual_seed(step)
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, 2))
    state = TrainState(model, AdamW(parameter_groups(model, 0.1)), 0.1, 1000, torch.Generator().manual_seed(step))
    state.step, state.position, state.epoch, state.loss_sum = step, step, epoch, 0.1 + step
    state.keep_if_best(0.5, float(step))
    return state


def saved(folder: Path, *steps: int) -> list[Path]:
    return [save_checkpoint(state_at(step), folder, offset=100 * step) for step in steps]


def test_comes_back_bit_for_bit(tmp_path: Path) -> None:
    state = state_at(7)
    tensors, numbers = {k: v.clone() for k, v in state.tensors().items()}, state.numbers()
    save_checkpoint(state, tmp_path, offset=1234)
    found = load_checkpoint(tmp_path)
    assert found is not None and found.offset == 1234 and found.damaged == ()
    assert found.tensors.keys() == tensors.keys() and all(
        torch.equal(found.tensors[k], v) and found.tensors[k].dtype == v.dtype for k, v in tensors.items()
    )
    other = state_at(3)
    other.restore(found.tensors, found.numbers)
    assert other.numbers() == numbers and other.best_score == (0.5, -7.0)


def test_a_checkpoint_of_another_network_or_optimizer_changes_nothing() -> None:
    """Cases 72 and 73."""
    saved_state = state_at(7)
    for other in (
        TrainState(nn.Linear(8, 2), AdamW([]), 0.1, 1000, torch.Generator()),
        TrainState(saved_state.model, AdamW(parameter_groups(saved_state.model, 0.2)), 0.1, 1000, torch.Generator()),
    ):
        before = {k: v.clone() for k, v in other.tensors().items()}
        with pytest.raises(RunError, match=r"another network.*\[L516\]"):
            other.restore(saved_state.tensors(), saved_state.numbers())
        assert all(torch.equal(v, before[k]) for k, v in other.tensors().items()) and other.step == 0


def as_before(state: TrainState) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """(tensors, numbers) of a checkpoint as they were written when AdamW was the only rule."""
    optimizer = state.optimizer
    assert isinstance(optimizer, AdamW)
    tensors = {f"model.{k}": v for k, v in state.model.state_dict().items()}
    tensors |= {f"best.{k}": v for k, v in state.best.items()}
    for g in range(len(optimizer.groups)):
        tensors |= {f"optimiser.{g}.m.{k}": v for k, (v, _) in enumerate(optimizer.memory[g])}
        tensors |= {f"optimiser.{g}.v.{k}": v for k, (_, v) in enumerate(optimizer.memory[g])}
    tensors |= {"random.augment": state.generator.get_state(), "random.torch": torch.get_rng_state()}
    names = ("lr", "steps", "step", "epoch", "position", "loss_sum", "best_score", "best_epoch")
    numbers = {name: getattr(state, name) for name in names}
    groups = [[group.scale, group.weight_decay, len(group.parameters)] for group in optimizer.groups]
    return tensors, numbers | {"t": optimizer.t, "groups": groups}


def learn(state: TrainState, count: int) -> None:
    for _ in range(count):
        state.model(torch.randn(6, 1, 4, 4)).square().mean().backward()
        state.optimizer.step(0.05)
        state.optimizer.zero_grad()


def test_a_checkpoint_of_an_earlier_version_goes_on_bit_for_bit(tmp_path: Path) -> None:
    state = state_at(7)
    learn(state, 3)
    tensors, numbers = as_before(state)
    tensors, text = {k: v.clone() for k, v in tensors.items()}, json.dumps(numbers | {"offset": 55}, sort_keys=True)
    data = save(tensors, metadata={"numbers": text, "sha256": digest(tensors, text)})
    (tmp_path / "step-00000007-000007.safetensors").write_bytes(data)
    found = load_checkpoint(tmp_path)
    assert found is not None and found.offset == 55 and found.damaged == ()
    other = state_at(3)
    learn(other, 1)
    other.restore(found.tensors, found.numbers)
    assert other.schedule_name == "one_cycle" and (other.step, other.position, other.best_score) == (7, 7, (0.5, -7.0))
    torch.set_rng_state(tensors["random.torch"])
    learn(state, 4)
    torch.set_rng_state(tensors["random.torch"])
    learn(other, 4)
    mine, theirs = state.tensors(), other.tensors()
    assert mine.keys() == theirs.keys() and all(torch.equal(v, theirs[k]) for k, v in mine.items())
    assert other.optimizer.numbers() == state.optimizer.numbers() == {"t": 7, "lr": 0.05}
    wrong = TrainState(other.model, AdamW(parameter_groups(other.model, 0.2)), 0.1, 1000, torch.Generator())
    with pytest.raises(RunError, match="L516"):
        wrong.restore(found.tensors, found.numbers)


@pytest.mark.parametrize("name", ["state", "checkpoint", "snapshots", "loop"])
def test_what_keeps_a_state_knows_no_rule(name: str) -> None:
    source = Path(training.__file__).with_name(f"{name}.py").read_text(encoding="utf-8")
    assert not re.search(r"adamw|betas|\.m\b|\.v\b|\.t\b", source, re.IGNORECASE)


def test_nothing_to_load(tmp_path: Path) -> None:
    assert load_checkpoint(tmp_path) is None and load_checkpoint(tmp_path / "never made") is None


def test_keeps_the_two_newest(tmp_path: Path) -> None:
    written = saved(tmp_path, 1, 2, 30, 4000)
    assert KEPT == 2 and sorted(tmp_path.iterdir()) == written[-2:]
    found = load_checkpoint(tmp_path)
    assert found is not None and found.numbers["step"] == 4000


def test_the_end_of_a_pass_is_newer_than_its_last_step(tmp_path: Path) -> None:
    state = state_at(10)
    save_checkpoint(state, tmp_path, 1)
    state.epoch, state.position = 1, 0
    save_checkpoint(state, tmp_path, 2)
    found = load_checkpoint(tmp_path)
    assert found is not None and found.numbers["epoch"] == 1 and found.offset == 2


def test_a_damaged_future_does_not_outlive_the_next_save(tmp_path: Path) -> None:
    saved(tmp_path, 10)
    (tmp_path / "step-00000099-000099.safetensors").write_bytes(b"torn")
    found = load_checkpoint(tmp_path)
    assert found is not None and found.numbers["step"] == 10 and found.damaged == ("step-00000099-000099.safetensors",)
    saved(tmp_path, 11, 12)
    assert len(list(tmp_path.iterdir())) == 2
    found = load_checkpoint(tmp_path)
    assert found is not None and found.damaged == () and found.numbers["step"] == 12


def test_safetensors_and_no_pickle(tmp_path: Path) -> None:
    (file,) = saved(tmp_path, 5)
    data = file.read_bytes()
    assert {"model.0.weight", "best.0.weight", "optimizer.0.m.0", "random.torch", "random.augment"} <= load(data).keys()
    assert data[:2] != b"\x80\x02" and data[:2] != b"PK" and int.from_bytes(data[:8], "little") < len(data)


def test_a_pickle_is_never_executed(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Callable[[str], Any], tuple[str]]:
            return os.mkdir, (str(tmp_path / "boom"),)

    saved(tmp_path, 1)
    torch.save(Bomb(), tmp_path / "step-00000009-000009.safetensors")
    found = load_checkpoint(tmp_path)
    assert found is not None and found.numbers["step"] == 1 and not (tmp_path / "boom").exists()


def mutants(data: bytes, dice: random.Random) -> list[tuple[str, bytes]]:
    """500 damaged copies: a flipped bit in 300 places (half of them in the header), 150 truncations, 50 longer or torn
    ones.
    """
    header = 8 + int.from_bytes(data[:8], "little")
    places = dice.sample(range(8 * header), 150) + dice.sample(range(8 * header, 8 * len(data)), 150)
    found = []
    for place in places:
        changed = bytearray(data)
        changed[place // 8] ^= 1 << place % 8
        found.append((f"bit {place}", bytes(changed)))
    lengths = [*dice.sample(range(1, len(data) - 1), 148), 0, len(data) - 1]
    found += [(f"cut at {length}", data[:length]) for length in lengths]
    for place in dice.sample(range(len(data) - 600), 25):
        found.append(
            (f"512 bytes of something else at {place}", data[:place] + dice.randbytes(512) + data[place + 512 :])
        )
    found += [(f"{n} bytes too many", data + dice.randbytes(n)) for n in range(1, 26)]
    return found


def test_500_of_500_damaged_checkpoints_are_detected(tmp_path: Path, times: int) -> None:
    print(f"replay with LIMPIDE_TEST_SEED={SEED}")
    older, newer = saved(tmp_path, 1, 2)
    whole = newer.read_bytes()
    found = [one for k in range(times) for one in mutants(whole, random.Random(SEED + k))]
    assert len({data for _, data in found[:500]}) == 500
    for what, data in found:
        newer.write_bytes(data)
        restored = load_checkpoint(tmp_path)
        assert restored is not None, f"{what}: the older one is whole"
        assert restored.numbers["step"] == 1 and restored.damaged == (newer.name,), f"{what}: not detected"
    print(f"{len(found)} of {len(found)} damaged checkpoints detected")
    older.write_bytes(b"")
    assert load_checkpoint(tmp_path) is None


class Crash(BaseException):
    """A power cut: nothing of the save runs after it, the clean-up included."""


@pytest.fixture
def fragile(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, BaseException], list[str]]:
    """Makes the k-th call to the system fail; returns what was called. After a Crash every further call fails too."""

    def arm(k: int, error: BaseException) -> list[str]:
        calls: list[str] = []

        def guarded(name: str, real: Callable[..., Any], torn: bool = False) -> Callable[..., Any]:
            def call(*arguments: Any, **named: Any) -> Any:
                calls.append(name)
                if len(calls) - 1 == k or (len(calls) - 1 > k and isinstance(error, Crash)):
                    if torn and len(calls) - 1 == k:
                        real(arguments[0][: len(arguments[0]) // 2])  # half of it reached the disk
                    raise error
                return real(*arguments, **named)

            return call

        real_open = open

        def opened(path: Any, mode: str = "r", *more: Any, **named: Any) -> Any:
            stream = guarded("open", real_open)(path, mode, *more, **named)
            if "w" in mode:

                class Stream:
                    def __enter__(self) -> Stream:
                        return self

                    def __exit__(self, *_: object) -> None:
                        stream.close()

                    def __getattr__(self, name: str) -> Any:
                        return getattr(stream, name)

                    write = staticmethod(guarded("write", stream.write, torn=True))

                return Stream()
            return stream

        monkeypatch.setattr(files, "open", opened, raising=False)
        for name in ("fsync", "replace", "open", "close"):
            monkeypatch.setattr(files.os, name, guarded(f"os.{name}", getattr(os, name)))
        monkeypatch.setattr(Path, "unlink", guarded("unlink", Path.unlink))
        return calls

    return arm


@pytest.mark.parametrize(
    "error",
    [
        Crash(),
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EIO, "Input/output error"),
        OSError(errno.EACCES, "Permission denied"),
    ],
)
def test_a_failure_at_the_kth_call_of_a_save_loses_no_checkpoint(
    tmp_path: Path,
    fragile: Callable[[int, BaseException], list[str]],
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
) -> None:
    wanted = {"open", "write", "os.fsync", "os.replace", "unlink"}
    for k in count():  # a write that fails has written half
        folder = tmp_path / str(k)
        folder.mkdir()
        saved(folder, 1, 2, 3)
        calls = fragile(k, error)
        failed = False
        try:
            save_checkpoint(state_at(4), folder, 400)
        except (Crash, OSError):
            failed = True
        monkeypatch.undo()
        found = load_checkpoint(folder)
        assert found is not None, f"nothing is left after a failure of {calls[k:]}"
        assert found.damaged == () and found.numbers["step"] in (3, 4)
        assert found.offset == 100 * found.numbers["step"]
        if k >= len(calls):
            assert not failed and found.numbers["step"] == 4 and wanted <= set(calls)
            print(f"{k} operations of a save, each failed once: {error!r}")
            break
        assert failed, f"a failed {calls[k]} must be told"
        if not isinstance(error, Crash):
            left = [p.name for p in folder.iterdir() if p.name.startswith(".")]
            assert not left or calls[k] == "unlink", f"{left} stays behind after a failed {calls[k]}"
        saved(folder, 5)  # and saving goes on
        shutil.rmtree(folder)


def test_two_temporary_files_of_a_crash_are_not_taken_for_checkpoints(tmp_path: Path) -> None:
    saved(tmp_path, 1)
    (tmp_path / ".step-00000002-000002.safetensors.123.tmp").write_bytes(b"half")
    found = load_checkpoint(tmp_path)
    assert found is not None and found.damaged == ()
