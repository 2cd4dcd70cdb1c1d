"""How every verb ends: 0 done, 1 a verdict is not met, 2 to 6 whose mistake it was, 70 ours; and `runs` where the runs
are named.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from limpide.cli import cli, main
from limpide.cli.click_extensions import verdict
from limpide.cli.train import UNREAD
from limpide.core import errors
from limpide.core.errors import Exit, LimpideError
from limpide.core.finding import VERDICTS, Finding
from limpide.core.run import Run
from limpide.text.messages import message
from tests.make_images import photo_folder

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "errors.md"


def ended(*arguments: object) -> tuple[int, str, str]:
    """(exit status, standard output, standard error) of a command in this process."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        patch.setattr(sys, "argv", ["limpide", *map(str, arguments)])
        patch.setenv("LIMPIDE_LANG", "en")
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
    return code, out.getvalue(), err.getvalue()


def test_a_mistake_of_ours_is_70(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIMPIDE_CACHE", str(tmp_path))

    def broken(*_: Any) -> None:
        raise ZeroDivisionError("never seen")

    monkeypatch.setattr("limpide.core.run_summary.Run.known_in", broken)
    code, out, err = ended("runs", "--runs", tmp_path)
    assert code == Exit.MISTAKE == 70 and out == "" and len(err.splitlines()) == 1 and "a bug in limpide" in err
    assert "never seen" in (tmp_path / "error.log").read_text()


def test_check_json_is_one_object_where_it_refuses_too(tmp_path: Path) -> None:
    code, out, err = ended("check", tmp_path / "nowhere", "--json")
    found = json.loads(out)
    assert (
        code == Exit.DATA
        and found["error"]["code"] == "L202"
        and "no such folder" in found["error"]["says"]
        and "L202" in err
    )


@pytest.mark.parametrize("closed", ["stdout", "stderr"])
def test_a_command_whose_output_is_closed_prints_into_nothing(
    closed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`limpide runs >&-`: Python has no stream there."""
    monkeypatch.setattr(sys, "argv", ["limpide", "runs", "--json", "--runs", str(tmp_path)])
    monkeypatch.setattr(sys, closed, None)
    main()
    getattr(sys, closed).close()


@pytest.mark.parametrize("found", VERDICTS)
def test_only_what_is_bad_is_a_verdict_that_is_not_met(found: Any) -> None:
    findings = {"a": Finding("a", "ok", message("fine")), "b": Finding("b", found, message("so"))}
    assert verdict(findings) == (Exit.UNMET if found == "bad" else Exit.DONE) and verdict({}) == Exit.DONE


def test_check_ends_with_1_where_it_finds_a_problem_and_not_for_a_warning(tmp_path: Path) -> None:
    photos = photo_folder(tmp_path / "photos", per_class=12, classes=("disc", "bars"))
    assert ended("check", photos)[0] == 0
    (photos / "disc" / "copy.png").write_bytes((photos / "disc" / "0003.png").read_bytes())
    code, out, _ = ended("check", photos, "--json")
    assert code == 0 and json.loads(out)["findings"]["duplicates"]["verdict"] == "warn"
    (photos / "bars" / "copy.png").write_bytes((photos / "disc" / "0003.png").read_bytes())
    code, out, _ = ended("check", photos, "--json")
    assert code == 1 and json.loads(out)["findings"]["conflicts"]["verdict"] == "bad", "one image with two labels"
    code, out, _ = ended("check", photos)
    assert code == 1 and "next: limpide" in out, "all is told as before"


def test_a_lesson_that_cannot_use_its_data_ends_as_data_do(tmp_path: Path) -> None:
    code, _, err = ended("lesson", "transfer", tmp_path)
    assert code == Exit.DATA and "no images of two classes" in err


@pytest.mark.parametrize(
    "arguments", [("train", "--no-such-option"), ("nothing",), ("runs", "no/such/folder"), ("runs", "a", "b")]
)
def test_usage_is_2(arguments: tuple[str, ...]) -> None:
    assert ended(*arguments)[0] == 2


def test_the_page_and_the_help_name_every_one() -> None:
    kinds = {
        kind.__name__: kind.exit_status for kind in LimpideError.__subclasses__() if kind.__module__ == errors.__name__
    }
    assert set(kinds.values()) == {2, 3, 4, 5, 6}
    text = PAGE.read_text(encoding="utf-8")
    for name, status in kinds.items():
        assert re.search(rf"\| `{name}` \| {int(status)} \|", text), name
    table = text.split("How every command ends:")[1].split("## ")[0]
    assert re.findall(r"^\| (\S+)", table, re.M)[1:] == ["0", "1", "2", "70", "130", str(UNREAD)]
    told = str(cli.help).split("Exit status:")[1]
    assert [int(number) for number in re.findall(r"\d+", told)] == [int(one) for one in Exit]


def test_runs_takes_a_folder_as_the_studio_does(tmp_path: Path) -> None:
    for name in ("photos", "digits"):
        Run.create(tmp_path, name, {"data": name})
    code, by_option, _ = ended("runs", "--runs", tmp_path, "--json")
    assert code == 0 and len(json.loads(by_option)) == 2
    assert ended("runs", tmp_path, "--json") == (0, by_option, "")
    assert ended("runs", tmp_path, "--runs", tmp_path / "others", "--json")[1] == by_option, "what is named comes first"
    code, beside, _ = ended("runs", tmp_path / "photos-001", "--json")
    assert code == 0 and [Path(row["run"]).name for row in json.loads(beside)] == ["digits-001", "photos-001"], (
        "a run: those beside it"
    )
    code, _, err = ended("runs", tmp_path / "nowhere")
    assert code == 2 and err.strip().endswith("[L126]")
    assert ended("runs", "--runs", tmp_path / "nowhere", "--json")[:2] == (0, "[]\n"), "where none was kept yet"


def test_an_odd_run_costs_one_line_of_the_list_and_of_its_json(tmp_path: Path) -> None:
    Run.create(tmp_path, "good", {})
    odd = Run.create(tmp_path, "odd", {})
    (odd.path / "run.json").write_text('{"created": 5}')
    for words in ((), ("--json",)):
        code, out, err = ended("runs", tmp_path, *words)
        assert code == 0 and "good-001" in out and "odd-001" not in out
        assert (
            len(err.splitlines()) == 1
            and "created must be a text" in err
            and "odd-001" in err
            and err.strip().endswith("[L505]")
        )
    code, out, err = ended("report", odd.path)
    assert code == 5 and len(err.splitlines()) == 1 and "[L505]" in err
    code, out, err = ended("predict", odd.path, "new.png")
    assert code == 5 and len(err.splitlines()) == 1 and "[L505]" in err
