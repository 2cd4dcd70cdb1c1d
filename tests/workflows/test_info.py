"""`limpide info`: what it says is what the other commands do."""

from __future__ import annotations

import json
import os
import sys
from datetime import datetime
from pathlib import Path

import pytest
import torch

from limpide.core.run import Run
from limpide.report.terminal.tables import print_info
from limpide.system import machine
from limpide.system.files import cache_folder
from limpide.text.language import LANGUAGES
from limpide.training.device import choose_device, has_fast_bf16
from limpide.workflows.info import error_log, info
from tests.runner import limpide


def test_it_says_what_the_others_do(tmp_path: Path) -> None:
    found = info(tmp_path / "runs")
    assert found["machine"] == machine.describe() and found["memory_bytes"] > machine.memory_used()
    assert found["device"] == str(choose_device("auto")) and found["fast_bf16"] == has_fast_bf16(torch.device("cpu"))
    assert found["language"] == "en" and found["languages"] == list(LANGUAGES)
    assert json.loads(json.dumps(found)) == found


def test_it_finds_runs_cache_and_error_log(tmp_path: Path) -> None:
    folders = info(tmp_path / "runs")["folders"]
    assert folders == {
        "runs": str(tmp_path / "runs"),
        "n_runs": 0,
        "cache": str(cache_folder()),
        "cache_bytes": 0,
        "error_log": str(cache_folder() / "error.log"),
        "error_logged": None,
    }
    assert not cache_folder().exists() and not (tmp_path / "runs").exists(), "looking makes nothing"
    Run.create(tmp_path / "runs", "photos", {})
    (cache_folder() / "deeper").mkdir(parents=True)
    (cache_folder() / "deeper" / "file").write_bytes(bytes(1000))
    error_log().write_bytes(bytes(234))
    os.utime(error_log(), (1_700_000_000, 1_700_000_000))
    folders = info(tmp_path / "runs")["folders"]
    assert (folders["n_runs"], folders["cache_bytes"]) == (1, 1234)
    assert datetime.fromisoformat(folders["error_logged"]).timestamp() == 1_700_000_000


def test_a_mistake_of_ours_is_logged_where_it_says(tmp_path: Path) -> None:
    program = "import limpide.core.run, limpide.cli\nlimpide.core.run.Run.known_in = None\nlimpide.cli.main()"
    done = limpide("runs", cwd=tmp_path, status=70, program=("-c", program))
    assert str(error_log()) in done.stderr
    assert "TypeError" in error_log().read_text() and info(tmp_path)["folders"]["error_logged"]


def test_asking_about_the_allocator_changes_nothing_and_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[int, int]] = []
    if machine.can_keep_memory():
        monkeypatch.setattr(machine, "_mallopt", lambda: lambda *setting: calls.append(setting) or 1)
        assert machine.can_keep_memory() and not calls
        assert machine.keep_memory() and len(calls) == 3
    monkeypatch.setattr(machine, "_mallopt", lambda: None)
    assert machine.keep_memory() is machine.can_keep_memory() is False


def test_where_there_is_no_mallopt_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    found = info(tmp_path)
    monkeypatch.undo()
    assert found["allocator"]["kept_by_train"] is found["allocator"]["kept_by_predict"] is False
    monkeypatch.setenv("COLUMNS", "300")
    print_info(found)
    assert "left unchanged" in capsys.readouterr().out


# -- what a person types


def test_words_and_json(tmp_path: Path) -> None:
    said = limpide("info", cwd=tmp_path)
    for part in (
        "processor ",
        "fast bf16",
        f"{tmp_path}/runs, 0 runs",
        "nothing logged yet",
        f"torch {torch.__version__}",
        "en (--lang takes en, fr)",
    ):
        assert part in said.stdout, part
    assert said.stdout.splitlines()[-1] == "next: limpide models"
    assert ("training keeps the memory" in said.stdout) == machine.can_keep_memory()
    done = limpide("info", "--json", "--runs", "elsewhere", cwd=tmp_path)
    found = json.loads(done.stdout)
    assert done.stdout.count("\n") == 1 and found["folders"]["runs"] == str(tmp_path / "elsewhere")


def test_in_french(tmp_path: Path) -> None:
    said = limpide("info", "--lang", "fr", cwd=tmp_path).stdout
    assert "processeur" in said and "ensuite\u00a0: limpide models" in said and "fr (" in said


def test_what_was_held_before_a_mark_is_not_recent(monkeypatch: pytest.MonkeyPatch) -> None:
    held = iter([900, 300, 400, 350])
    monkeypatch.setattr(machine, "memory_own", lambda: next(held))
    watch = machine.MemoryWatch()
    watch.mark()
    assert (watch.peak, watch.recent) == (900, 300)
    watch.look()
    watch.look()
    assert (watch.peak, watch.recent) == (900, 400)
