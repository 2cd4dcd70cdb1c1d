"""limpide predict: JSON, tables, folders, bad files, and a reader who leaves."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from limpide.deploy.predictor import BATCH
from tests.cli.place import Place, last
from tests.fork_server import Process
from tests.make_images import photo
from tests.runner import started


def test_predict_json(place: Place) -> None:
    done = place("predict", place.run, "others/disc/0000.png", "others/bars/0001.png", "--top", 2, "--json")
    found = json.loads(done.stdout)
    assert done.stdout.count("\n") == 1 and done.stderr == ""
    assert [item["file"] for item in found] == ["others/disc/0000.png", "others/bars/0001.png"]
    for item in found:
        assert set(item) == {"file", "label", "probability", "abstained", "top", "clipped"} and len(item["top"]) == 2
        assert item["label"] == item["top"][0]["label"] and 0 < item["probability"] <= 1


@pytest.mark.parametrize("what", ["others", "others/*/*.png", "others/**/*.png"])
def test_predict_takes_folders_and_patterns(place: Place, what: str) -> None:
    found = json.loads(place("predict", place.run, what, "--json").stdout)
    assert [item["file"] for item in found] == sorted(
        str(p.relative_to(place.root)) for p in place.others.rglob("*.png")
    )


def test_predict_csv_is_safe_for_spreadsheets(place: Place) -> None:
    photo(place.root / "=cmd().png")
    photo(place.root / 'a,"b".png')
    done = place("predict", place.run, "=cmd().png", 'a,"b".png', "--csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert list(rows[0]) == ["file", "predicted", "probability"]
    assert [row["file"] for row in rows] == ["'=cmd().png", 'a,"b".png']


def test_predict_table_and_next(place: Place) -> None:
    done = place("predict", place.run, "others/disc/0000.png")
    assert "others/disc/0000.png" in done.stdout and "%" in done.stdout
    assert last(done) == f"next: limpide explain {place.run} others/disc/0000.png"


def test_predict_goes_on_after_a_bad_file_and_fails_only_when_all_are_bad(place: Place, tmp_path: Path) -> None:
    (tmp_path / "page.jpg").write_text("<html></html>")
    mixed = place("predict", place.run, tmp_path / "page.jpg", "others/disc/0000.png", tmp_path / "gone.png", "--json")
    assert len(json.loads(mixed.stdout)) == 1
    assert [line[-6:] for line in mixed.stderr.strip().splitlines()] == ["[L207]", "[L208]"]
    assert place("predict", place.run, tmp_path / "page.jpg", "--json", status=3).stdout == "[]\n"


@contextlib.contextmanager
def predicting(place: Place, *arguments: object) -> Iterator[Process]:
    with started(["predict", place.run, *arguments], place.root) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize(("how", "before"), [((), 2), (("--csv",), 1), (("--jsonl",), 0)])
def test_rows_come_as_they_are_known_and_ctrl_c_keeps_them(
    place: Place, tmp_path: Path, how: tuple[str, ...], before: int
) -> None:
    """The last file is a pipe that nothing is written into: all the others are named while it is waited for."""
    os.mkfifo(tmp_path / "never.png")
    with predicting(
        place, *["others/disc/0000.png"] * BATCH, *["others/bars/0000.png"] * BATCH, tmp_path / "never.png", *how
    ) as process:
        assert process.stdout is not None
        rows = [process.stdout.readline() for _ in range(before + 2 * BATCH)]  # a head, and the line below it
        assert all(str(file) in rows[before + k] for k, file in enumerate(["disc"] * BATCH + ["bars"] * BATCH))
        if how == ("--jsonl",):
            assert [set(json.loads(row)) for row in rows] == [
                {"file", "label", "probability", "abstained", "top", "clipped"}
            ] * (2 * BATCH)
        process.send_signal(signal.SIGINT)
        rest, told = process.communicate(timeout=30)
        assert (process.returncode, rest) == (130, "") and "Traceback" not in told


@pytest.mark.parametrize("how", ["--csv", "--jsonl", "--json", "--top=2"])
def test_a_reader_may_leave(place: Place, how: str) -> None:
    """limpide predict … | head -1: quietly, at once, and no failure."""
    with predicting(place, *["others/disc/0000.png"] * (40 * BATCH), how) as process:
        assert process.stdout is not None and process.stderr is not None
        if how != "--json":
            process.stdout.readline()
        process.stdout.close()
        assert process.wait(60) == 0
        assert process.stderr.read() == ""
