"""Which file the cell of a table means, and what is said where none is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from limpide.core.errors import LimpideError
from limpide.data.layouts.scan import scan
from tests.data.layouts.make_layouts import TWO, made, summed, tabled


def test_a_missing_file_is_not_taken_for_its_neighbor(tmp_path: Path) -> None:
    """Most rows are found as they stand: the others are missing, though another folder has a file of that name."""
    root = tabled(
        made(tmp_path / "data", "a/{1..4}.jpg", "b/{1..4}.jpg"),
        "file,label",
        "a/{k}.jpg,cat",
        "b/{k}.jpg,dog",
        "c/{k}.jpg,cow",
    )
    found = scan(root)
    assert found.classes == ("cat", "dog") and len(found.left_out) == 4 and found.left_out[0][0].startswith("c/")


NAMED, COMPLETED = ("c{k}.png,cat", "d{k}.png,dog"), ("c{k},cat", "d{k},dog")
# The pictures, as `made` expands them, the rows of the table, and the folder that those lie in that are meant.
PLACES: dict[str, tuple[tuple[str, ...], tuple[str, ...], str]] = {
    "masks of the same names": (("{images,masks}/{c,d}{1..4}.png",), COMPLETED, "images"),
    "thumbs of the same names": (("{img,thumbs}/{c,d}{1..4}.png",), NAMED, "img"),
    "masks of a part": (("train/{images,masks}/{c,d}{1..4}.png",), COMPLETED, "train/images"),
    "a test of the same names": (("{images,test}/{c,d}{1..4}.png",), COMPLETED, "images"),
    "a training of the same names": (
        ("train/{c,d}{1..4}.png", "test/c{1..4}.png", "test/d{1..3}.png"),
        COMPLETED,
        "train",
    ),
    "half are missing": (("img/{c,d}{1..4}.png",), (*NAMED, "x{k}.png,cat", "y{k}.png,dog"), "img"),
    "composed on disk": (("img/{é,ö}{1..4}.png",), ("e\u0301{k}.png,cat", "o\u0308{k}.png,dog"), "img"),
    "composed in the table": (("img/{e\u0301,o\u0308}{1..4}.png",), ("é{k}.png,cat", "ö{k}.png,dog"), "img"),
    "numbers with a point": (("img/{1..4}.png", "img/1{1..4}.png"), ("{k}.0,cat", "1{k}.0,dog"), "img"),
    "numbers without zeros": (("img/000{1..4}.png", "img/001{1..4}.png"), ("{k},cat", "1{k},dog"), "img"),
}


@pytest.mark.parametrize("name", PLACES)
@pytest.mark.parametrize("table", ["labels.csv", "csv/labels.csv"])
def test_which_file_a_cell_means(tmp_path: Path, name: str, table: str) -> None:
    pictures, rows, folder = PLACES[name]
    root = made(tmp_path / "data", *pictures)
    tabled((root / table).parent, "id,label", *rows)
    found = scan(root)
    assert summed(found)[""] == TWO and {str(Path(file).parent) for file in found.images.names} == {folder}


def test_a_file_that_is_not_found_is_told_as_it_is(tmp_path: Path) -> None:
    root = made(tmp_path / "data", "a/c{1..4}.jpg", "b/c{1..4}.jpg", "a/d1.jpg")
    rows = [f"x{k}.jpg,{label}" for k in range(20) for label in ("cat", "dog")]
    (root / "labels.csv").write_text("\n".join(["file,label", *rows, "d1.jpg,cat"]))
    with pytest.raises(LimpideError) as told:
        scan(root / "labels.csv")
    assert told.value.code == "L297" and "such as a/d1.jpg: its column file starts with x0.jpg" in str(told.value)


def test_of_two_files_of_one_name_neither_is_meant(tmp_path: Path) -> None:
    root = tabled(
        made(tmp_path / "data", "a/c{1..4}.jpg", "b/c{1..4}.jpg"), "file,label", "c{k}.jpg,cat", "d{k}.jpg,dog"
    )
    with pytest.raises(LimpideError) as told:
        scan(root / "labels.csv")
    assert (
        told.value.code == "L296"
        and "the candidates are a/c1.jpg, b/c1.jpg" in str(told.value)
        and "file, label" in str(told.value)
    )
