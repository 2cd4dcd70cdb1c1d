"""A run is a directory of plain files that survives whatever happens to the process that writes it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limpide.core.errors import RunError
from limpide.core.events import Epoch, Note, Step
from limpide.core.finding import Finding, Number
from limpide.core.run import FORMAT, Run
from limpide.text.messages import message


def step(n: int) -> Step:
    return Step(n, 0, 1 / n, 0.01, 0.1)


def epoch(n: int) -> Epoch:
    return Epoch(n, 10 * n, 0.5, 0.4, 0.9, True, 1.0)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run.create(tmp_path / "runs", "photos", {"location": "here"})


# -- making and finding


def test_runs_are_numbered_from_the_highest(tmp_path: Path) -> None:
    assert [Run.create(tmp_path, "a", {}).path.name for _ in range(2)] == ["a-001", "a-002"]
    (tmp_path / "a-041").mkdir()
    (tmp_path / "a-copy").mkdir()
    (tmp_path / "a-b-099").mkdir()
    assert Run.create(tmp_path, "a", {}).path.name == "a-042"
    assert Run.create(tmp_path, "a-b", {}).path.name == "a-b-100"
    (tmp_path / "b-999").mkdir()
    assert Run.create(tmp_path, "b", {}).path.name == "b-1000"


def test_two_processes_that_create_at_once_get_two_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Run.create(tmp_path, "a", {})
    monkeypatch.setattr(Path, "glob", lambda self, pattern: iter(()))  # the other one came after we had looked
    assert Run.create(tmp_path, "a", {}).path.name == "a-002"


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("photos", "photos"),
        ("Mes photos d’été", "Mes-photos-d-t"),
        ("../../etc", "etc"),
        ("..", "run"),
        ("", "run"),
        ("-rf", "rf"),
        (".hidden", "hidden"),
        ("a/b\\c\0d\ne", "a-b-c-d-e"),
        ("猫", "run"),
        ("\udcff", "run"),
        ("*?[x]", "x"),
        ("x" * 300, "x" * 60),
    ],
)
def test_the_name_of_a_run_is_harmless_whatever_the_folder_was_called(tmp_path: Path, name: str, stem: str) -> None:
    run = Run.create(tmp_path / "runs", name, {})
    assert run.path.name == f"{stem}-001" and run.path.parent == tmp_path / "runs"


@given(st.text(st.characters(), max_size=80))
def test_any_name_makes_one_folder_below(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    parent = tmp_path_factory.mktemp("runs")
    run = Run.create(parent, name, {})
    assert (
        [p.name for p in parent.iterdir()] == [run.path.name]
        and run.path.name.isascii()
        and run.path.name[0] not in ".-"
    )


def test_a_run_cannot_be_kept_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(
        RunError, match=r"cannot be saved here — .*file: (Not a directory|File exists) — use --runs to .* \[L501\]"
    ):
        Run.create(tmp_path / "file", "a", {})


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_run_cannot_be_kept_where_nothing_may_be_written(tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(RunError, match="L501"):
        Run.create(tmp_path / "locked", "a", {})


def test_opening(run: Run, tmp_path: Path) -> None:
    before = sorted((p, p.stat().st_mtime_ns) for p in run.path.rglob("*"))
    opened = Run.open(str(run.path))
    assert opened.info().location == "here" and opened.info().format == FORMAT and opened.info().status == "started"
    assert list(opened.events()) == [] and opened.findings() == {}
    assert sorted((p, p.stat().st_mtime_ns) for p in run.path.rglob("*")) == before
    for nothing in (tmp_path, tmp_path / "nowhere", run.path / "run.json"):
        with pytest.raises(RunError, match=r"not a run of limpide .* \[L502\]"):
            Run.open(nothing)


def test_a_newer_format_is_refused(run: Run) -> None:
    run.update(format=FORMAT + 1)
    with pytest.raises(RunError, match=r"newer limpide .* \[L503\]"):
        Run.open(run.path)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b'{"format": 1'])
def test_a_damaged_run_json_is_told(run: Run, content: bytes) -> None:
    (run.path / "run.json").write_bytes(content)
    with pytest.raises(RunError, match=r"\[L505\]"):
        Run.open(run.path)


def test_all_runs_newest_last_and_a_damaged_one_stops_nobody(tmp_path: Path) -> None:
    times = {
        "a": "2026-03-01T00:00:00+00:00",
        "b": "2026-01-01T00:00:00+00:00",
        "c": "2026-02-01T00:00:00+00:00",
        "d": "2026-02-01T00:00:00+00:00",
    }
    for name, created in times.items():
        Run.create(tmp_path, name, {"created": created})
    damaged = Run.create(tmp_path, "e", {})
    (damaged.path / "run.json").write_bytes(b"{")
    (tmp_path / "no-run").mkdir()
    assert [run.path.name for run in Run.all_in(tmp_path)] == ["b-001", "c-001", "d-001", "a-001"]
    assert Run.all_in(tmp_path / "nowhere") == []


def test_names_in_any_encoding_stand_in_run_json(tmp_path: Path) -> None:
    hostile = os.fsdecode(b"/photos/caf\xe9") + "\n<script>"
    run = Run.create(tmp_path, "a", {"location": hostile, "classes": [hostile]})
    assert Run.open(run.path).info().location == hostile
    assert json.loads((run.path / "run.json").read_bytes())["classes"] == [hostile]


# -- run.json


def test_update_keeps_the_rest(run: Run) -> None:
    run.update(status="finished", seconds=1.5)
    assert run.info().status == "finished" and run.info().location == "here"


def test_entering_a_phase_remembers_how_long_the_events_are(run: Run) -> None:
    run.append(step(1))
    run.enter("fit", steps=9)
    info = run.info()
    assert info.phase == "fit" and info.steps == 9 and info.offset == run.events_file.stat().st_size > 0


# -- events


def test_events_come_back_in_order(run: Run) -> None:
    said = [Note("data", message("x", n="\udcff\n")), step(1), step(2), epoch(0), step(3)]
    for event in said:
        run.append(event)
    run.sync()
    assert list(Run(run.path).events()) == said


def test_steps_wait_in_memory_and_words_do_not(run: Run) -> None:
    for n in range(1, 100):
        run.append(step(n))
    assert not run.events_file.exists()
    run.append(step(100))
    assert len(list(Run(run.path).events())) == 100
    run.append(step(101))
    run.append(Note("saved", message("x")))
    assert len(list(Run(run.path).events())) == 102


def test_sync_forces_to_the_disk_what_it_counts(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda handle: sizes.append(os.fstat(handle).st_size))
    run.append(step(1))
    assert run.sync() == run.events_file.stat().st_size
    assert sizes == [run.events_file.stat().st_size]
    assert run.sync() == sizes[0]  # nothing new


def test_rewinding_forgets_what_will_be_done_again(run: Run) -> None:
    run.append(step(1))
    offset = run.sync()
    run.append(step(2))
    run.sync()
    run.append(step(3))  # not even written
    run.rewind(offset)
    run.append(step(20))
    run.sync()
    assert [event.n for event in run.events() if isinstance(event, Step)] == [1, 20]
    assert run.info().epoch_id == 1
    run.rewind(0)
    assert list(run.events()) == [] and run.info().epoch_id == 2


def test_a_run_without_events_can_be_rewound(run: Run) -> None:
    run.rewind(0)
    assert list(run.events()) == []


def test_a_torn_last_line_is_left_out_wherever_it_was_torn(run: Run) -> None:
    for n in (1, 2):
        run.append(step(n))
    run.sync()
    whole = run.events_file.read_bytes()
    first = whole.index(b"\n") + 1
    for length in range(len(whole)):
        run.events_file.write_bytes(whole[:length])
        assert len(list(run.events())) == (length >= first)


# -- findings


def test_findings_come_back_by_name(run: Run) -> None:
    for name, verdict in (("b", "ok"), ("a", "bad")):
        run.add_finding(Finding(name, verdict, message("{x}", x="\udcff"), [Number("n", 1.0, "share")]))  # type: ignore[arg-type]
    opened = Run(run.path)
    assert list(opened.findings()) == ["a", "b"]
    found = opened.finding("a")
    assert (
        found and found.verdict == "bad" and found.message.values == {"x": "\udcff"} and found.number("n").value == 1.0
    )
    assert opened.finding("c") is None
    run.add_finding(Finding("a", "warn", message("later")))
    assert opened.findings()["a"].verdict == "warn"


# -- one process at a time

HOLD = (
    "import sys\nfrom limpide.core.run import Run\nheld = "
    "Run(__import__('pathlib').Path(sys.argv[1])).lock()\nprint('held', flush=True)\nsys.stdin.read()"
)


def test_the_lock_is_free_after_its_block(run: Run) -> None:
    for _ in range(2):
        with run.lock() as held, pytest.raises(RunError, match="L504"):
            Run(run.path).lock()
        assert held is not None  # kept alive, as a traceback would keep it
    Run(run.path).lock()


def test_the_lock_is_free_after_an_error_in_its_block(run: Run) -> None:
    try:
        with run.lock():
            raise ValueError
    except ValueError as error:
        kept = error
    with run.lock():
        assert kept.__traceback__


def test_another_process_is_told_in_one_line_and_a_killed_one_holds_nothing(run: Run) -> None:
    command = [sys.executable, "-c", HOLD, str(run.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout and holder.stdout.readline() == "held\n"
        with pytest.raises(
            RunError, match=r"^another process is working in this run — .*photos-001 — wait for it.*--new \[L504\]$"
        ):
            run.lock()
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        with run.lock():
            pass


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_run_that_cannot_be_written_to_is_no_traceback(run: Run) -> None:
    run.path.chmod(0o500)
    with pytest.raises(RunError, match="L501"):
        run.lock()
    run.path.chmod(0o700)


def test_a_run_that_vanished_is_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="L501"):
        Run(tmp_path / "file").lock()
