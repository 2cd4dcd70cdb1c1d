"""Tables of photos: what is read, what is left out and told, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from limpide.data.layouts.hints import Hints
from limpide.data.layouts.scan import scan
from tests.data.layouts.photo_layouts import (
    move,
    part,
    table,
    told,
)
from tests.make_images import photo_folder


def test_what_a_table_names_and_is_not_there(photos: Path) -> None:
    """Case 41."""
    path = table(photos, "file,label", lambda f, c, k: f"{'gone/' if k == 2 else ''}{f},{c}")
    dataset = scan(path)
    assert len(dataset) == 6 and [name for name, _ in dataset.left_out] == [
        "gone/disc/0002.png",
        "gone/square/0002.png",
    ]


def test_contradictions_are_left_out_on_both_sides(photos: Path) -> None:
    """Case 42."""
    path = table(photos, "file,label", lambda f, c, k: f"{f},{c}")
    with open(path, "a") as stream:
        stream.write("disc/0000.png,square\ndisc/0001.png,disc\n")
    dataset = scan(path)
    assert len(dataset) == 7 and {name for name, _ in dataset.left_out} == {"disc/0000.png"}


def test_rows_that_repeat_a_file_are_counted_and_told(photos: Path) -> None:
    """Case 42: neither a mistake nor a weight goes unnoticed."""
    path = table(photos, "file,label", lambda f, c, k: f"{f},{c}")
    assert not any("repeat" in str(note) for note in scan(path).notes)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines, *lines[1:] * 2, f"./{lines[1]}"]))
    dataset = scan(path)
    assert len(dataset) == 8 and [str(n) for n in dataset.notes if "repeat" in str(n)] == [
        "17 of 25 rows repeat a file that is already listed; each file counts once"
    ]
    path.write_text("\n".join([*lines, lines[1]]))
    assert "1 of 9 rows repeats a file" in " ".join(map(str, scan(path).notes))


def test_latin_1_is_read_and_said(photos: Path) -> None:
    """Case 43."""
    path = table(
        photos, "file,label", lambda f, c, k: f"{f},{'cercle brisé' if c == 'disc' else c}", encoding="latin-1"
    )
    dataset = scan(path)
    assert dataset.classes == ("cercle brisé", "square") and any("cp1252" in str(note) for note in dataset.notes)


@pytest.mark.parametrize("name", ["../../secret.png", "/etc/passwd", "disc/../../secret.png"])
def test_nothing_outside_of_the_folder_is_read(photos: Path, name: str) -> None:
    """Case 45."""
    (photos.parent / "secret.png").write_bytes(b"x")
    path = table(photos, "file,label", lambda f, c, k: f"{name if k == 0 and c == 'disc' else f},{c}")
    dataset = scan(path)
    assert len(dataset) == 7 and [found for found, _ in dataset.left_out] == [name]
    link = photos / "disc" / "0001.png"
    link.unlink()
    link.symlink_to(photos.parent / "secret.png")
    assert len(scan(path)) == 6


@pytest.mark.parametrize(
    ("header", "row", "code", "says"),
    [
        ("", "", "L214", "empty"),
        ("a,label", "{c},{c}", "L225", "no column file; it has a, label"),
        ("file,name", "{f},{c}", "L225", "no column label"),
        ("file,label", "{f},a|b", "L215", "multi-label is not supported"),
        ("file,label,split", "{f},{c},later", "L227", "part that is not known"),
        (
            "file,label",
            "gone{f},{c}",
            "L228",
            "its column file starts with gonedisc/0000.png, and its columns are file, label",
        ),
    ],
)
def test_tables_that_say_something_else(photos: Path, header: str, row: str, code: str, says: str) -> None:
    error = told(table(photos, header, lambda f, c, k: row.format(f=f, c=c)))
    assert error.code == code and says in str(error)


def test_measured_numbers_are_no_classes(tmp_path: Path) -> None:
    root = photo_folder(tmp_path / "photos", per_class=20, classes=("disc", "square"))
    error = told(table(root, "file,label", lambda f, c, k: f"{f},{k + 0.37 + (50 if c == 'disc' else 0)}"))
    assert error.code == "L229" and "regression is not supported" in str(error)


def test_groups_by_any_column_and_what_is_not_used_is_said(photos: Path) -> None:
    path = table(photos, "file,label,weather,patient", lambda f, c, k: f"{f},{c},{'sun' if k % 2 else 'rain'},")
    assert scan(path).groups is None and any("columns not used: weather" in str(note) for note in scan(path).notes)
    found = scan(path, hints=Hints(groups="weather")).groups
    assert found is not None and len(set(found.tolist())) == 2
    assert scan(path, hints=Hints(groups="none")).groups is None
    assert told(path, hints=Hints(groups="whether")).code == "L116" and "did you mean weather?" in str(
        told(path, hints=Hints(groups="whether"))
    )


def test_groups_of_two_columns_join(photos: Path) -> None:
    """Image 0 and 1 share a patient, 1 and 2 a camera: all three are one group."""
    columns = {0: "p1,c1", 1: "p1,c2", 2: "p2,c2", 3: ","}
    path = table(
        photos, "file,label,patient,camera", lambda f, c, k: f"{f},{c},{columns[k] if c == 'disc' else ',x' + str(k)}"
    )
    groups = scan(path).groups
    assert (
        groups is not None
        and len(set(groups[:3].tolist())) == 1
        and groups[3] == -1
        and len(set(groups[4:].tolist())) == 4
    )


def test_two_tables_in_a_folder_are_asked_about(photos: Path) -> None:
    for name in ("labels.csv", "more.csv"):
        (photos / name).write_text("file,label\n")
    assert "the table labels.csv is not read: the table is empty" in str(scan(photos).notes[1]), (
        "its folders name two classes"
    )
    flat = move(photos, lambda c, k: f"{k}{c[0]}.png")
    for name in ("labels.csv", "more.csv"):
        (flat / name).write_text("file,label\n" + "".join(f"{k}{c},{c}\n" for k in range(4) for c in "ds"))
    error = told(flat)
    assert error.code == "L241" and "labels.csv, more.csv" in str(error)
    for name in ("a.parquet", "b.parquet"):
        (photos / name).write_bytes(b"PAR1, not")
    assert len(scan(photos)) == 8


@pytest.mark.parametrize("unknown", ["NA", "nan", "None", "", " n/a "])
def test_an_unknown_group_is_no_group(photos: Path, unknown: str) -> None:
    path = table(photos, "file,label,patient", lambda f, c, k: f"{f},{c},{unknown if k else 'p' + c}")
    groups = scan(path).groups
    assert groups is not None and (groups == -1).sum() == 6


def test_a_file_in_two_parts_is_left_out(photos: Path) -> None:
    path = table(photos, "file,label,split", lambda f, c, k: f"{f},{c},{part(k)}")
    with open(path, "a") as stream:
        stream.write("disc/0000.png,disc,test\n")
    assert [name for name, _ in scan(path).left_out] == ["disc/0000.png"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('file,label\n"disc/0000.png,disc\ndisc/0001.png,disc\n', "L226"),
        ("file,label\ndisc/0000.png,a\0b\n", "L226"),
        ("file,label\n" + "x" * 200_000 + ",disc\n", "L226"),
        ("file,label,label\ndisc/0000.png,disc,square\n", "L237"),
    ],
)
def test_broken_tables(photos: Path, text: str, code: str) -> None:
    (photos / "labels.csv").write_text(text)
    assert told(photos / "labels.csv").code == code
