"""run.json as a record: whatever stands in it is either understood or refused in one line, and hides no other run."""

from __future__ import annotations

import contextlib
import io
import json
import os
from dataclasses import fields
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from limpide.cli.train import train_summary
from limpide.core import typed_json
from limpide.core.errors import RunError
from limpide.core.finding import Finding, Number
from limpide.core.recipe import Recipe
from limpide.core.rerun import rerun_command
from limpide.core.run import Run
from limpide.core.run_info import KNOWN, Final, RunInfo
from limpide.core.run_summary import RunSummary, list_runs
from limpide.report.html.run_data import made_facts
from limpide.report.terminal.tables import print_runs
from limpide.studio.series import summaries
from limpide.text.messages import message

GOOD: dict[str, Any] = {
    "format": 1,
    "created": "2026-01-01T12:00:00+00:00",
    "status": "finished",
    "phase": "done",
    "offset": 7,
    "epoch_id": 1,
    "location": "photos",
    "data": "photos",
    "classes": ["cat", "dog"],
    "learned": [0, 1],
    "only_tested": ["owl"],
    "fingerprint": "a1",
    "good": "good",
    "wanted": {"model": "cnn", "epochs": None, "seed": 0},
    "machine": {"cores": 2, "versions": {"torch": "2.9.1"}},
    "machines": [{"cores": 4}],
    "process": 12,
    "test_looks": 1,
    "test_seen_by": ["0123456789abcdef"],
    "recipe": {"model": "cnn", "epochs": 3, "lr": 0.01},
    "usual_rate": 0.002,
    "seen": {"median_side": 32, "grey": False},
    "grouped_by": "patient",
    "split_rows": 80,
    "views": ["whole"],
    "steps": 30,
    "epochs": 3.0,
    "quote": {
        "seconds": 9.5,
        "fitting": 4,
        "memory": 435000000,
        "first": 3.5,
        "step": 0.01,
        "look": 0.1,
        "after": 3,
        "audits": {"shortcut": 1},
    },
    "augmentation": {"zoom": 0.1},
    "stop_at": 20,
    "threads": 1,
    "plans": [{"at": 10, "steps": 25, "why": "time"}],
    "left_out": ["fine-tuning"],
    "paused": 12,
    "scored": True,
    "learning": {"preprocessing": {"size": 32}, "probes": 3, "part": "validation"},
    "frozen": {"accuracy": 0.5, "loss": 0.7, "n": 60},
    "final": {"kind": "trained", "preprocessing": {"size": 32, "channels": 3}, "validation": 0.5},
    "temperature": {"value": 1.2, "n": 8, "before": 0.7, "after": 0.6, "how": "cross-fitted"},
    "energy": {"joules": 12.5, "how": "assumed", "watts": 10},
    "spent": 7.5,
    "fit_seconds": 0.3,
    "first_model_seconds": 0.2,
    "model_seconds": 0.4,
    "seconds": 7.5,
    "rivals": {"logistic": 60},
    "judged": True,
    "arrays": {"scale": None, "dtype": "<i8", "labels": [0, 1]},
    "rows": {"shape": [4, 4], "features": 16, "low": 0, "high": 16.0},
    "opened": False,
    "fresh": False,
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just(10**400) | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, above: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Where something stands in it, itself included."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [above, *(place for key, inner in inside for place in places(inner, (*above, key)))]


def but(place: tuple[str | int, ...], value: Any) -> Any:
    """GOOD with another value at this place."""
    if not place:
        return value
    changed = json.loads(json.dumps(GOOD))
    within = changed
    for key in place[:-1]:
        within = within[key]
    within[place[-1]] = value
    return changed


def shown(folder: Path) -> bool:
    """All that lists and pages show of these runs can be shown."""
    found, _ = list_runs(folder)
    with contextlib.redirect_stdout(io.StringIO()):
        print_runs(found)
    json.dumps([train_summary(one) for one in found], allow_nan=False)
    json.dumps(summaries(folder), allow_nan=False)
    return all(one.run._repr_html_() and made_facts(one.info) and rerun_command(one.info) for one in found)


def write(folder: Path, text: Any) -> Run:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "run.json").write_bytes(text if isinstance(text, bytes) else json.dumps(text).encode())
    return Run(folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With one good run, whose score is known."""
    folder = tmp_path_factory.mktemp("runs")
    run = write(folder / "good-001", GOOD)
    (run.path / "findings").mkdir()
    run.add_finding(Finding("accuracy", "ok", message("fine"), [Number("accuracy", 0.75, "share", 0.5, 0.9, 20)]))
    return folder


def test_every_field_is_understood_in_its_type() -> None:
    assert set(GOOD) == KNOWN == {f.name for f in fields(RunInfo)}, "a new field belongs into GOOD, too"
    info = RunInfo.from_json(GOOD)
    assert (
        info.classes == ("cat", "dog") and info.rows is not None and info.rows.shape == (4, 4) and info.model == "cnn"
    )
    assert (
        info.final == Final("trained", {"size": 32, "channels": 3}, 0.5)
        and info.quote is not None
        and info.quote.memory == 435_000_000
    )
    back = json.loads(json.dumps(typed_json.to_plain_json(info)))
    for name, value in GOOD.items():
        assert back[name] == (back[name] | value if isinstance(value, dict) else value), (
            "there and back, with defaults beside"
        )


def test_an_older_run_needs_no_field() -> None:
    info = RunInfo.from_json({})
    assert (info.status, info.phase, info.classes, info.judged, info.quote) == (
        "started",
        "read",
        (),
        True,
        None,
    ) and info.model == ""


@settings(max_examples=120, deadline=None)
@given(place=st.sampled_from(places(GOOD)), value=JSON)
@example(place=("created",), value=5)
@example(place=("seconds",), value=float("nan"))
@example(place=("seconds",), value=10**400)
@example(place=("recipe",), value="x")
@example(place=("final",), value=None)
@example(place=("format",), value="x")
@example(place=("machine", "cores"), value=float("inf"))
def test_any_json_in_any_field_is_understood_or_refused(folder: Path, place: tuple[str | int, ...], value: Any) -> None:
    odd = write(folder / "odd-001", but(place, value))
    try:
        info = odd.info()
        for one in fields(RunInfo):
            typed_json.check_type(
                get_type_hints(RunInfo)[one.name], typed_json.to_plain_json(getattr(info, one.name)), one.name
            )
        assert {one.name for one in list_runs(folder)[0]} == {"good-001", "odd-001"} and shown(folder)
    except RunError as error:
        said = str(error)
        assert error.code in ("L503", "L505") and "\n" not in said and len(said) < 700
        named = ".".join(str(key) for key in place if not isinstance(key, int))
        assert error.code == "L503" or not place or named.split(".")[0] in said, "it names the field"
        found, wrong = list_runs(folder)
        assert [(one.name, one.accuracy and one.accuracy.value) for one in found] == [("good-001", 0.75)]
        assert [str(refused) for _run, refused in wrong] == [said], "one line"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"[" * 200_000, "nested"),
        (json.dumps({"later": 0}).replace("0", "[" * 150 + "]" * 150).encode(), "nested"),
        ("{}".encode("utf-16"), "UTF-8"),
        (b"\xff{}", "UTF-8"),
        (b"", "not JSON"),
        (b'{"format": 1', "not JSON"),
        (b"[]", "an object"),
        (b"null", "an object"),
        (b'{"steps": 1e999}', "steps must be a whole number"),
        (b'{"seconds": 1e999}', "seconds must be a finite number"),
        (b'{"seconds": true}', "seconds must be a finite number"),
        (b'{"steps": 9223372036854775808}', "steps must be a whole number"),
        (b'{"later": [{"a": NaN}]}', "later[0].a must be a finite number"),
        (b'{"classes": ["a", 1]}', "classes[1] must be a text"),
        (b'{"phase": "rest"}', "phase must be one of read, check"),
        (b'{"recipe": {"epochs": "3"}}', "recipe.epochs must be a whole number"),
        (b'{"final": {"preprocessing": 3}}', "final.preprocessing must be an object"),
        (b'{"quote": {"seconds": 1, "memory": 2}}', "quote.fitting must be there"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, content: bytes, says: str) -> None:
    with pytest.raises(RunError, match=r"\[L505\]$") as told:
        write(tmp_path / "a-001", content).info()
    assert says in str(told.value)


def test_a_file_that_is_none_or_too_large_is_refused_and_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = write(tmp_path / "a-001", json.dumps(GOOD | {"later": "x" * 3000}).encode())
    monkeypatch.setattr(typed_json, "MAX_BYTES", 3000)
    with pytest.raises(RunError, match=r"larger than 3.kB.*\[L505\]"):
        run.info()
    if hasattr(os, "mkfifo"):
        (tmp_path / "b-001").mkdir()
        os.mkfifo(tmp_path / "b-001" / "run.json")
        with pytest.raises(RunError, match=r"not a plain file.*\[L505\]"):
            Run(tmp_path / "b-001").info()


def test_a_mark_of_the_byte_order_that_an_editor_leaves_is_passed_over(tmp_path: Path) -> None:
    assert write(tmp_path / "a-001", b"\xef\xbb\xbf" + json.dumps(GOOD).encode()).info() == RunInfo.from_json(GOOD)


def test_what_a_newer_version_wrote_stays(tmp_path: Path) -> None:
    newer = GOOD | {"later": {"of": ["us"]}, "recipe": GOOD["recipe"] | {"sparkle": 3}}
    run = write(tmp_path / "a-001", newer)
    run.update(status="stopped")
    run.enter("fit", steps=9)
    kept = json.loads((run.path / "run.json").read_text())
    assert kept == newer | {"status": "stopped", "phase": "fit", "steps": 9, "offset": 0}
    with pytest.raises(TypeError, match="no field"):
        run.update(stpes=9)
    with pytest.raises(ValueError):
        run.update(steps="nine")
    assert json.loads((run.path / "run.json").read_text()) == kept, "a mistake of ours writes nothing"


def test_a_newer_format_is_said_to_be_newer(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"\[L503\]"):
        write(tmp_path / "a-001", GOOD | {"format": 2, "steps": {"of": 3}}).info()


def test_a_run_whose_score_is_damaged_hides_no_other(folder: Path, tmp_path: Path) -> None:
    broken = write(tmp_path / "b-001", GOOD)
    (broken.path / "findings").mkdir()
    write(tmp_path / "a-001", GOOD)
    for content in (
        b"{}",
        b"[",
        b'{"name": "accuracy", "verdict": "ok", "message": {"id": "{x:percent}", "values": {"x": "y"}}}',
    ):
        (broken.path / "findings" / "accuracy.json").write_bytes(content)
        found, wrong = list_runs(tmp_path)
        assert [one.name for one in found] == ["a-001"] and [(run.path.name, error.code) for run, error in wrong] == [
            ("b-001", "L518")
        ]
        assert "accuracy.json" in str(wrong[0][1])


def test_a_run_that_says_it_works_and_does_not_is_interrupted(tmp_path: Path) -> None:
    run = write(tmp_path / "a-001", GOOD | {"status": "running"})
    assert RunSummary.of(run).status == "interrupted"


def test_a_damaged_line_of_events_costs_one_line(tmp_path: Path) -> None:
    run = write(tmp_path / "a-001", GOOD)
    step = b'{"kind": "step", "n": %d, "epoch": 0, "loss": 1.5, "lr": 0.1, "seconds": 0.01}\n'
    for wrong in (
        b"{\n",
        b"[" * 100_000 + b"\n",
        b"5\n",
        b"{}\n",
        b'{"kind": "step"}\n',
        b'{"kind": "rest"}\n',
        step.replace(b"1.5", b'"x"') % 2,
    ):
        run.events_file.write_bytes(step % 1 + wrong + step % 3)
        *steps, note = run.events()
        assert [one.n for one in steps if hasattr(one, "n")] == [1, 3] and "1 line of events.jsonl is damaged" in str(
            getattr(note, "message", "")
        )


def test_the_recipe_is_checked_by_the_types_of_its_choices() -> None:
    whole = Recipe().to_json()
    assert RunInfo.from_json({"wanted": whole, "recipe": whole}).wanted == whole
    for name, value in whole.items():
        with pytest.raises(typed_json.InvalidJson, match=f"recipe.{name} must be"):
            RunInfo.from_json({"recipe": whole | {name: [value]}})


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="this system makes no links")
def test_a_link_that_leaves_the_run_is_found_wherever_it_is(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "runs", "a", {})
    outside = tmp_path / "secret"
    outside.mkdir()
    (outside / "x").write_text("secret")
    (run.path / "inside.html").symlink_to("run.json")
    (run.path / "again").symlink_to(".")
    run.check_links()
    (tmp_path / "by_link").symlink_to(run.path)
    Run(tmp_path / "by_link").check_links()
    for place, target in (
        ("report.html", outside / "x"),
        ("findings/accuracy.json", "../../../secret/x"),
        ("snapshots/deep", outside),
        ("gone", outside / "none"),
    ):
        link = run.path / place
        link.symlink_to(target)
        with pytest.raises(RunError, match=r"\[L519\]$") as told:
            run.check_links()
        assert link.name in str(told.value)
        link.unlink()
    beside = tmp_path / "runs" / "a-0011"  # whose name begins like that of the run
    beside.write_text("")
    (run.path / "x").symlink_to(beside)
    with pytest.raises(RunError, match="L519"):
        run.check_links()


def test_a_folder_that_goes_away_while_links_are_looked_for_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A training that ends deletes its cache, and the page that shows it asks all the time."""
    run, scan = Run.create(tmp_path, "a", {}), os.scandir
    monkeypatch.setattr(
        os,
        "scandir",
        lambda place: (run.cache.exists() and Path(place) == run.cache and run.cache.rmdir()) or scan(place),
    )
    run.check_links()
    assert not run.cache.exists()
    (run.predictions / "x").symlink_to(tmp_path)
    with pytest.raises(RunError, match="L519"):
        run.check_links()


def test_every_place_that_shows_a_damaged_run_says_so(tmp_path: Path) -> None:
    """What a person sees of it: in a notebook, and in the studio's list, beside the others."""
    write(tmp_path / "a-001", GOOD)
    odd = write(tmp_path / "b-001", GOOD | {"created": 5})
    score = write(tmp_path / "c-001", GOOD)
    (score.path / "findings").mkdir()
    (score.path / "findings" / "accuracy.json").write_text("{}")
    assert (
        "L505" in odd._repr_html_()
        and "L518" in score._repr_html_()
        and "photos" in Run(tmp_path / "a-001")._repr_html_()
    )
    told = {line["name"]: (line["status"], line.get("said", "")) for line in summaries(tmp_path)}
    assert told == {
        "a-001": ("finished", ""),
        "b-001": ("unreadable", told["b-001"][1]),
        "c-001": ("unreadable", told["c-001"][1]),
    }
    assert "run.json" in told["b-001"][1] and "accuracy.json" in told["c-001"][1], (
        "sentences of a page, which name the file"
    )


def test_an_earlier_odd_run_stops_no_training_from_finding_its_own(tmp_path: Path) -> None:
    """`begin` continues the run with the same data and wishes, whatever lies beside it."""
    from limpide.data.arrays import from_arrays
    from limpide.workflows.train.training import begin

    dataset, recipe = from_arrays(np.zeros((4, 8, 8), np.uint8), np.array([0, 1, 0, 1])), Recipe(model="cnn")
    write(tmp_path / "odd-001", b"[" * 200_000)
    first, _, continued = begin(dataset, recipe, tmp_path)
    assert not continued
    write(tmp_path / "odd-002", GOOD | {"recipe": "x", "location": dataset.location})
    assert (begin(dataset, recipe, tmp_path)[0].path, begin(dataset, recipe, tmp_path)[2]) == (first.path, True)
    # of a newer limpide, which knows a choice that this one does not
    first.update(wanted=recipe.to_json() | {"sparkle": 1})
    assert begin(dataset, recipe, tmp_path)[0].path != first.path
