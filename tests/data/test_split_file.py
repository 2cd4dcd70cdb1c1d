"""The split as it is written down: there and back, whatever the names, and never inherited in part."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from limpide.core.errors import RunError
from limpide.core.run import Run
from limpide.data.dataset import PARTS
from limpide.data.split import (
    LEAKED,
    Division,
)
from limpide.data.split_file import check_split, earlier_parts, read_split, write_excluded, write_split
from limpide.workflows.train.split import EarlierSplit, find_earlier_split
from tests.data.make_splits import codes, hashes, keys

HOSTILE = [
    "a,b.jpg",
    'say "no".jpg',
    "new\nline\r.jpg",
    "=1+1",
    "猫🐈/x",
    os.fsdecode(b"caf\xe9/\xff.jpg"),
    " space ",
    "",
    "<script>",
    "'",
]


def division(parts: list[str], together: list[int] | None = None) -> Division:
    return Division(
        codes(parts), {}, np.array(together if together is not None else range(len(parts)), np.int64), 0, 0, {}
    )


def test_split_and_excluded_there_and_back(tmp_path: Path) -> None:
    parts = (["train", "test", "", "validation"] * 3)[: len(HOSTILE)]
    content = keys(hashes(len(HOSTILE)))
    write_split(tmp_path / "split.csv", HOSTILE, HOSTILE[::-1], division(parts), content)
    rows = list(read_split(tmp_path / "split.csv"))
    kept = [i for i in range(len(HOSTILE)) if parts[i]]
    assert [(row["file"], row["label"], row["part"], row["content"], row["group"]) for row in rows] == [
        (HOSTILE[i], HOSTILE[::-1][i], parts[i], f"{int(content[i]):016x}", "") for i in kept
    ]
    known, found = earlier_parts(tmp_path / "split.csv")
    assert known.tolist() == sorted(content[kept].tolist()) and {
        int(k): PARTS[p] for k, p in zip(known, found, strict=True)
    } == {int(content[i]): parts[i] for i in kept}
    write_excluded(tmp_path / "excluded.csv", [(name, LEAKED) for name in HOSTILE])
    assert [tuple(row.values()) for row in read_split(tmp_path / "excluded.csv")] == [
        (name, LEAKED) for name in HOSTILE
    ]
    assert list(read_split(tmp_path / "nothing.csv")) == []


def test_what_was_kept_together_has_a_number(tmp_path: Path) -> None:
    write_split(
        tmp_path / "split.csv",
        list("abcd"),
        ["x"] * 4,
        division(["train", "test", "test", ""], [0, 7, 7, 9]),
        keys(hashes(4)),
    )
    assert [row["group"] for row in read_split(tmp_path / "split.csv")] == ["", "7", "7"]


def test_names_stand_in_the_file_as_the_bytes_they_are(tmp_path: Path) -> None:
    write_split(
        tmp_path / "split.csv", [os.fsdecode(b"caf\xe9.jpg")], ["a"], division(["train"]), np.array([10], np.uint64)
    )
    assert b"caf\xe9.jpg,a,train,000000000000000a,,\n" in (tmp_path / "split.csv").read_bytes()


@pytest.mark.parametrize("name", ["=1+1", "+x", "-rf", "@sum", "\tx", "\rx"])
def test_a_spreadsheet_runs_no_name(tmp_path: Path, name: str) -> None:
    """Case 44: a cell that begins like a formula."""
    write_split(tmp_path / "split.csv", [name], [name], division(["train"]), keys(hashes(1)))
    with open(tmp_path / "split.csv", newline="") as stream:
        row = list(csv.reader(stream))[1]
    assert row[0] == row[1] == "'" + name and next(read_split(tmp_path / "split.csv"))["file"] == name


names = st.text(st.characters(exclude_characters="\0"), max_size=12)


@given(st.lists(names, max_size=5))
def test_any_name_comes_back(tmp_path_factory: pytest.TempPathFactory, found: list[str]) -> None:
    file = tmp_path_factory.getbasetemp() / "names.csv"
    usable = [name for name in found if os.fsdecode(name.encode("utf-8", "replace")) == name or name.isascii()]
    write_split(file, usable, usable, division(["train"] * len(usable)), keys(hashes(len(usable))))
    assert [row["file"] for row in read_split(file)] == usable


def test_a_spreadsheet_reads_the_columns(tmp_path: Path) -> None:
    write_split(tmp_path / "split.csv", ["a"], ["b"], division(["test"]), np.array([12], np.uint64))
    with open(tmp_path / "split.csv", newline="") as stream:
        assert list(csv.reader(stream)) == [
            ["file", "label", "part", "content", "group", "fold"],
            ["a", "b", "test", "000000000000000c", "", ""],
        ]


def run_with_split(folder: Path, **kept: object) -> Run:
    run = Run.create(folder, "photos", {"location": "photos"} | kept)
    write_split(run.split_file, HOSTILE, HOSTILE, division(["train", "test"] * 5), keys(hashes(10)))
    return run


def test_a_split_that_lost_rows_is_refused_and_an_old_run_opens(tmp_path: Path) -> None:
    """Cut at any byte: inside the last row, between two rows, and inside a cell with a line end of its own."""
    run = run_with_split(tmp_path, split_rows=10)
    whole = run.split_file.read_bytes()
    check_split(run)
    run.split_file.write_bytes(whole + b'"' + b"a," * 70_000)  # a cell that no reader of tables takes
    with pytest.raises(RunError, match="L517"):
        check_split(run)
    for size in (0, 5, len(whole) // 3, len(whole) // 2, len(whole) - 30, len(whole) - 1):
        run.split_file.write_bytes(whole[:size])
        with pytest.raises(RunError, match="L517") as caught:
            check_split(run)
        assert f"complete rows: {caught.value.values['found']} instead of 10" in str(caught.value) and "--new" in str(
            caught.value
        )
        assert caught.value.values["found"] < 10
    run.split_file.unlink()
    with pytest.raises(RunError, match="L517"):
        check_split(run)
    check_split(run_with_split(tmp_path))  # an older limpide did not write down how many


def test_no_part_is_inherited_from_a_split_that_is_not_whole(tmp_path: Path) -> None:
    older, newer = (run_with_split(tmp_path, split_rows=10) for _ in range(2))
    own = Run.create(tmp_path, "photos", {"location": "photos"})
    job: Any = SimpleNamespace(run=own, dataset=SimpleNamespace(location="photos"))

    def earlier() -> EarlierSplit:
        return find_earlier_split(job)

    assert (earlier().run, earlier().torn) == (newer.path.name, [])
    newer.split_file.write_bytes(newer.split_file.read_bytes()[:-200])
    assert (earlier().run, earlier().torn) == (older.path.name, [newer.path.name])
