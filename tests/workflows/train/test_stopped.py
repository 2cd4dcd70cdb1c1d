"""The gentler ways to stop a training, and what else may happen to a run between two sessions. The audits that take
long are left to test_killed.py.
"""

from __future__ import annotations

import shutil
import signal
import time
from pathlib import Path

import pytest

from tests.make_images import photo, photo_folder
from tests.runner import QUICKLY, SOAK, essence, info_of, kill, limpide, started, wait_for
from tests.workflows.train.killing import SMALL, Job, job_of, run_in, uninterrupted


@pytest.fixture(scope="module")
def long(small: Job, tmp_path_factory: pytest.TempPathFactory) -> Job:
    """Some seconds of fitting, so that a signal arrives in the middle."""
    cwd = tmp_path_factory.mktemp("long")
    options = (*SMALL[:-6], "--epochs", 40, "--patience", 40, "--precision", "fp32")
    uninterrupted(small.folder, options, cwd, program=QUICKLY)
    return job_of("cnn", small.folder, options, cwd)


def saved_step(runs: Path) -> int:
    """Steps that the newest checkpoint holds."""
    return max((int(file.name[5:13]) for file in run_in(runs).glob("checkpoint/step-*")), default=0)


def fitting(runs: Path) -> bool:
    """Several checkpoints were saved, and many steps are still to be done."""
    return saved_step(runs) > 20


def interrupted(job: Job, runs: Path, *signals: signal.Signals) -> tuple[int, str, float]:
    """Sends the signals once fitting is under way; returns exit status, everything said, and the seconds it took to
    leave.
    """
    before = saved_step(runs)
    process = started(job.command(runs), runs.parent, program=QUICKLY)
    assert wait_for(process, lambda: saved_step(runs) > before + 20), process.communicate()
    began = time.monotonic()
    for number in signals:
        if process.poll() is None:
            process.send_signal(number)
            time.sleep(0.05)
    out, err = process.communicate(timeout=60)
    assert "Traceback" not in out + err
    return process.returncode, out + err, time.monotonic() - began


def finish(job: Job, runs: Path) -> str:
    done = limpide(*job.command(runs), cwd=runs.parent, program=QUICKLY)
    found = essence(run_in(runs))
    assert [name for name, value in job.reference.items() if found[name] != value] == []
    return done.stdout + done.stderr


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    (tmp_path / "runs").mkdir()
    return tmp_path / "runs"


def test_asked_to_stop_saves_and_goes_on_where_it_was(long: Job, runs: Path) -> None:
    status, said, seconds = interrupted(long, runs, signal.SIGTERM)
    assert status == 130 and seconds < 8  # five are promised; the machine may be busy
    assert (
        list(run_in(runs).glob("checkpoint/step-*")) and not (run_in(runs) / "snapshots" / "best.safetensors").exists()
    )
    assert info_of(run_in(runs))["status"] == "stopped" and "stopped and saved" in said
    assert said.splitlines()[-1].startswith("next: limpide train ")
    status, said, _ = interrupted(long, runs, signal.SIGINT)  # Ctrl-C once saves
    assert status == 130 and "stopped and saved" in said and "continuing after step" in said
    status, _, _ = interrupted(long, runs, signal.SIGINT, signal.SIGINT)  # twice leaves
    assert status in (130, -signal.SIGINT)  # the second may come when Python has already closed
    status, said, _ = interrupted(long, runs, signal.SIGHUP)  # a closed terminal changes nothing
    assert status == 0 and "continuing after step" in said
    assert essence(run_in(runs)) == long.reference


def test_two_processes_in_one_run(long: Job, runs: Path) -> None:
    first = started(long.command(runs), runs.parent, program=QUICKLY)
    try:
        assert wait_for(first, lambda: fitting(runs))
        first.send_signal(signal.SIGSTOP)
        second = limpide(*long.command(runs), cwd=runs.parent, program=QUICKLY, status=5)
        assert "[L504]" in second.stderr and "--new" in second.stderr and len(second.stderr.strip().splitlines()) <= 2
    finally:
        first.send_signal(signal.SIGCONT)
        out, err = first.communicate(timeout=60)
    assert first.returncode == 0, out + err
    assert essence(run_in(runs)) == long.reference


@pytest.mark.parametrize("damage", ["flipped", "cut", "empty"] if SOAK else ["flipped"])
def test_a_damaged_checkpoint_is_passed_over_and_this_is_said(long: Job, runs: Path, damage: str) -> None:
    process = started(long.command(runs), runs.parent, program=QUICKLY)
    assert wait_for(process, lambda: fitting(runs) and len(list(run_in(runs).glob("checkpoint/step-*"))) == 2)
    kill(process)
    newest = max(run_in(runs).glob("checkpoint/step-*"))
    data = bytearray(newest.read_bytes())
    data[len(data) * 2 // 3] ^= 4
    newest.write_bytes({"flipped": bytes(data), "cut": bytes(data[:-100]), "empty": b""}[damage])
    said = finish(long, runs)
    assert newest.name in said and "damaged" in said


def test_both_checkpoints_damaged_starts_the_fitting_again(long: Job, runs: Path) -> None:
    process = started(long.command(runs), runs.parent, program=QUICKLY)
    assert wait_for(process, lambda: fitting(runs))
    kill(process)
    for file in run_in(runs).glob("checkpoint/step-*"):
        file.write_bytes(b"gone")
    said = finish(long, runs)
    assert "damaged" in said, "what was lost is said"


def test_new_starts_afresh_and_other_wishes_do_too(small: Job, runs: Path) -> None:
    command = (*small.command(runs), "--epochs", 1)
    process = started(command, runs.parent, program=QUICKLY)
    assert wait_for(process, lambda: (run_in(runs) / "split.csv").exists())
    kill(process)
    limpide(*command, "--new", cwd=runs.parent, program=QUICKLY)
    assert info_of(runs / "shapes-001")["status"] != "finished" and info_of(runs / "shapes-002")["status"] == "finished"
    assert (
        "continuing" in limpide(*command, cwd=runs.parent, program=QUICKLY).stdout
        and info_of(runs / "shapes-001")["status"] == "finished"
    )
    other = limpide(*command, "--seed", 5, cwd=runs.parent, program=QUICKLY)
    assert "continuing" not in other.stdout and info_of(runs / "shapes-003")["status"] == "finished"
    splits = {(runs / f"shapes-00{k}" / "split.csv").read_bytes() for k in (1, 2, 3)}
    assert len(splits) == 1 and "stay in the part they had" in other.stdout


@pytest.mark.parametrize("change", ["added", "removed", "rewritten"])
def test_images_that_changed_between_stop_and_resume(tmp_path: Path, runs: Path, change: str) -> None:
    folder = photo_folder(tmp_path / "shapes", per_class=8, size=(16, 16))
    options = ("--model", "cnn", "--epochs", 1, "--image-size", 16)
    process = started(("train", folder, "--runs", runs, *options), tmp_path, program=QUICKLY)
    assert wait_for(process, lambda: (run_in(runs) / "split.csv").exists())
    kill(process)
    some = folder / "disc" / "0000.png"
    if change == "added":
        photo(folder / "disc" / "new.png", size=(16, 16))
    elif change == "removed":
        some.unlink()
    else:
        photo(some, size=(17, 16), seed=7)
    before = (run_in(runs) / "events.jsonl").read_bytes()
    refused = limpide("train", folder, "--runs", runs, *options, cwd=tmp_path, status=5)
    assert (
        "[L507]" in refused.stderr
        and "--new" in refused.stderr
        and (run_in(runs) / "events.jsonl").read_bytes() == before
    )
    if change != "added":
        return
    kept = {row.split(",")[0]: row for row in (run_in(runs) / "split.csv").read_text().splitlines()}
    limpide("train", folder, "--runs", runs, *options, "--new", cwd=tmp_path, program=QUICKLY)
    rows = {row.split(",")[0]: row for row in (runs / "shapes-002" / "split.csv").read_text().splitlines()}
    assert all(kept[name] == row for name, row in rows.items() if name in kept and "0000" not in name), (
        "earlier images keep their part"
    )


def test_a_finished_run_is_not_continued(small: Job, tmp_path: Path) -> None:
    parent = tmp_path / "runs"
    shutil.copytree(small.folder.parent / "reference", parent)
    before = {p: p.read_bytes() for p in (parent / "shapes-001").rglob("*") if p.is_file()}
    done = limpide(*small.command(parent), cwd=tmp_path, program=QUICKLY)
    assert "continuing" not in done.stdout and "images already in shapes-001 stay in the part they had" in done.stdout
    assert {p: p.read_bytes() for p in before} == before, "what is finished is never touched again"
    found = essence(parent / "shapes-002")
    assert {k: found[k] for k in ("split.csv", "snapshots/best.safetensors", "model.onnx", "predictions")} == {
        k: small.reference[k] for k in ("split.csv", "snapshots/best.safetensors", "model.onnx", "predictions")
    }, "the same seed and split give the same network"


def test_a_copied_run_continues_elsewhere(small: Job, runs: Path, tmp_path: Path) -> None:
    process = started(small.command(runs), runs.parent)
    assert wait_for(process, lambda: any(run_in(runs).glob("checkpoint/step-*")))
    kill(process)
    elsewhere = tmp_path / "elsewhere" / "runs"
    shutil.copytree(runs, elsewhere)
    shutil.rmtree(runs)
    limpide(*small.command(elsewhere), cwd=elsewhere.parent)
    assert essence(run_in(elsewhere)) == small.reference
