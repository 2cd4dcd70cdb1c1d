"""Which of the tables in a folder say what its images are, and which part each is."""

from __future__ import annotations

from pathlib import Path

import pytest

from limpide.core.errors import LimpideError
from limpide.data.layouts.hints import Hints
from limpide.data.layouts.ignored_files import NOT_NAMED, Ignored
from limpide.data.layouts.scan import scan
from tests.data.layouts.make_layouts import TWO, made, summed, tabled


def test_a_table_for_each_part(tmp_path: Path) -> None:
    root = made(
        tmp_path / "data",
        "images/c{1..4}.jpg",
        "images/d{1..4}.jpg",
        "images/e{1..4}.jpg",
        "images/f{1..4}.jpg",
        "images/g{1..4}.jpg",
    )
    tabled(root, "image,label", "c{k}.jpg,cat", "d{k}.jpg,dog", name="train.csv")
    tabled(root, "image,label", "e{k}.jpg,cat", "f{k}.jpg,dog", name="valid.csv")
    tabled(root, "image", "g{k}.jpg", name="test.csv")
    found = scan(root)
    assert summed(found) == {"train": TWO, "test": TWO}, "what is held out alone is the test"
    assert Ignored("images", 4, NOT_NAMED) in found.ignored
    assert any("train.csv (train), valid.csv (validation)" in str(note) for note in found.notes) and any(
        "test.csv is not read" in str(n) for n in found.notes
    )


@pytest.mark.parametrize(
    ("folders", "cell"),
    [
        (("train", "test"), "{folder}/{file}"),
        (("train", "test"), "{file}"),
        (("data/Training_set", "data/Test"), "C:\\x\\{folder}\\{file}"),
        (("images/cat/train", "images/cat/val"), "{file}"),
        (("line1", "line2"), "{folder}/{file}"),
    ],
)
def test_a_table_without_a_split_column_keeps_the_folders_of_parts(
    tmp_path: Path, folders: tuple[str, str], cell: str
) -> None:
    files = [
        (folder, f"{letter}{{k}}.jpg", label)
        for folder, both in zip(folders, ("cd", "ef"), strict=True)
        for letter, label in zip(both, ("cat", "dog"), strict=True)
    ]
    root = made(tmp_path / "data", *(f"{folder}/{file.replace('{k}', '{1..4}')}" for folder, file, _ in files))
    tabled(root, "file,label", *(f"{cell.format(folder=folder, file=file)},{label}" for folder, file, label in files))
    hints = Hints(parts="line1=train,line2=test") if folders[0] == "line1" else Hints()
    for place in (root, root / "labels.csv"):
        found = scan(place, hints=hints)
        assert summed(found) == {"train": TWO, "test": TWO} and any(
            "come from the folders of the files" in str(note) for note in found.notes
        )
        assert summed(scan(place, hints=Hints(parts="none"))) == {"": {"cat": 8, "dog": 8}}
    with pytest.raises(LimpideError) as told:
        scan(root, hints=Hints(parts="trian=train"))
    assert told.value.code == "L147"


def test_what_a_table_names_in_a_test_folder_is_not_learned(tmp_path: Path) -> None:
    names = ("images/c{k}.jpg,cat", "more/d{k}.jpg,dog", "test/e{k}.jpg,cat", "test/f{k}.jpg,dog", "loose{k}.jpg,cat")
    root = made(tmp_path / "data", *(name.partition(",")[0].replace("{k}", "{1..4}") for name in names))
    assert summed(scan(tabled(root, "file,label", *names))) == {"": {"cat": 8, "dog": 4}, "test": TWO}
    made(tmp_path / "classes", "test/{1..4}.jpg", "tube/{1..4}.jpg")
    assert summed(scan(tabled(tmp_path / "classes", "file,label", "test/{k}.jpg,test", "tube/{k}.jpg,tube"))) == {
        "": {"test": 4, "tube": 4}
    }


@pytest.mark.parametrize(
    ("name", "form"),
    [("metadata.csv", "{file},{label}"), ("metadata.jsonl", '{{"file_name": "{file}", "label": "{label}"}}')],
)
def test_a_table_in_each_part(tmp_path: Path, name: str, form: str) -> None:
    for part, letters in (("train", "cd"), ("test", "ef")):
        root = made(tmp_path / "data" / part, *(f"{letter}{{1..4}}.jpg" for letter in letters))
        rows = [
            form.format(file=f"{letter}{{k}}.jpg", label=label)
            for letter, label in zip(letters, ("cat", "dog"), strict=True)
        ]
        tabled(root, "file_name,label" if name.endswith("csv") else "", *rows, name=name)
    assert summed(scan(tmp_path / "data")) == {"train": TWO, "test": TWO}


def test_lists_of_paths_and_labels(tmp_path: Path) -> None:
    root = made(tmp_path / "data", "img/c{1..4}.jpg", "img/d{1..4}.jpg", "img/e{1..4}.jpg", "img/f{1..4}.jpg")
    tabled(root, "", "img/c{k}.jpg 0", "img/d{k}.jpg 1", name="train.txt")
    tabled(root, "", "img/e{k}.jpg 0", "img/f{k}.jpg 1", name="test.txt")
    assert summed(scan(root)) == {"train": {"0": 4, "1": 4}, "test": {"0": 4, "1": 4}}
    assert summed(scan(root / "train.txt")) == {"": {"0": 4, "1": 4}}


@pytest.mark.parametrize("ending", ["csv", "txt", "test alone"])
def test_a_split_without_labels_beside_class_folders(tmp_path: Path, ending: str) -> None:
    root = made(tmp_path / "data", "cat/c{1..4}.jpg", "cat/e{1..4}.jpg", "dog/d{1..4}.jpg", "dog/f{1..4}.jpg")
    train, test = ("cat/c{k}.jpg", "dog/d{k}.jpg"), ("cat/e{k}.jpg", "dog/f{k}.jpg")
    if ending == "csv":
        tabled(
            root,
            "filename,split",
            *(f"{name},train" for name in train),
            *(f"{name},test" for name in test),
            name="splits.csv",
        )
    if ending == "txt":
        tabled(root, "", *train, name="train.txt")
    if ending != "csv":
        tabled(root, "", *test, name="test.txt")
    found = scan(root)
    assert summed(found) == {"" if ending == "test alone" else "train": TWO, "test": TWO}
    assert any("parts (train, validation, test) come from" in str(note) for note in found.notes) and found.classes == (
        "cat",
        "dog",
    )
    assert summed(scan(root, hints=Hints(split_column="none"))) == {"": {"cat": 8, "dog": 8}}
    if ending == "txt":
        tabled(root, "", *train, "cat/e1.jpg", name="train.txt")
        assert scan(root).left_out == [("cat/e1.jpg", "the table puts it into two parts")]


def test_a_list_of_names_alone_is_no_table(tmp_path: Path) -> None:
    root = tabled(
        made(tmp_path / "data", "cat_{1..4}.jpg", "dog_{1..4}.jpg"), "", "cat_{k}.jpg", "dog_{k}.jpg", name="list.txt"
    )
    assert summed(scan(root)) == {"": TWO}


def test_a_list_of_classes_beside_the_table_is_none(tmp_path: Path) -> None:
    root = tabled(made(tmp_path / "data", "img/000{1..4}.jpg", "img/001{1..4}.jpg"), "id,label", "{k},cat", "1{k},dog")
    (root / "classes.csv").write_text("id,label\n1,cat\n2,dog\n")
    assert summed(scan(root)) == {"": TWO}


def test_a_table_beside_folders_of_classes(tmp_path: Path) -> None:
    root = made(tmp_path / "data", "cat/c{1..4}.jpg", "dog/d{1..4}.jpg")
    tabled(root, "file,width", "cat/c{k}.jpg,{k}", "dog/d{k}.jpg,{k}", name="sizes.csv")
    found = scan(root)
    assert summed(found) == {"": TWO} and any("the table sizes.csv is not read" in str(note) for note in found.notes)
    tabled(root, "file,label", "cat/c{k}.jpg,tabby", "dog/d{k}.jpg,terrier", name="labels.csv")
    assert scan(root).classes == ("tabby", "terrier")


BESIDE: dict[str, tuple[str, str, tuple[str, ...], str]] = {
    "notes of a few": (
        "notes.csv",
        "file,label",
        ("cat/c1.jpg,blurry", "dog/d1.jpg,sharp"),
        "the table names 2 of the 8 images",
    ),
    "another property": ("exif.csv", "file,quality", ("cat/c{k}.jpg,low", "dog/d{k}.jpg,high"), "--label-column NAME"),
    "what was predicted": (
        "predictions.csv",
        "file,class,probability",
        ("cat/c{k}.jpg,dog,0.9", "dog/d{k}.jpg,cat,0.8"),
        "name it instead of the folder",
    ),
    "inside a class": (
        "cat/labels.csv",
        "file,label",
        ("c1.jpg,tabby", "c2.jpg,tom"),
        "the table names 2 of the 8 images",
    ),
    "what is handed in": ("my_submission.csv", "id,label", ("c{k},0", "d{k},1"), "name it instead of the folder"),
}


@pytest.mark.parametrize("name", BESIDE)
def test_a_table_that_is_about_something_else_leaves_class_folders_alone(tmp_path: Path, name: str) -> None:
    file, header, rows, says = BESIDE[name]
    root = made(tmp_path / "data", "cat/c{1..4}.jpg", "dog/d{1..4}.jpg")
    tabled((root / file).parent, header, *rows, name=Path(file).name)
    found = scan(root)
    notes = [str(note) for note in found.notes]
    assert summed(found) == {"": TWO} and any(
        f"the table {file} is not read" in note and says in note for note in notes
    ), notes


@pytest.mark.parametrize("name", ["test.csv", "val.txt", "sample_submission.csv", "test/metadata.csv"])
def test_a_table_of_the_test_alone_does_not_take_the_place_of_the_training(tmp_path: Path, name: str) -> None:
    root = made(
        tmp_path / "data", "train/cat/c{1..4}.jpg", "train/dog/d{1..4}.jpg", "test/e{1..4}.jpg", "test/f{1..4}.jpg"
    )
    rows = ("e{k}.jpg,cat", "f{k}.jpg,dog") if "/" in name else ("test/e{k}.jpg,cat", "test/f{k}.jpg,dog")
    tabled((root / name).parent, "" if name.endswith("txt") else "file,label", *rows, name=Path(name).name)
    found = scan(root)
    assert summed(found) == {"train": TWO} and sum(one.n for one in found.ignored if one.what == "test") == 8
    assert any(
        f"the table {name} is not read" in str(note) and "instead of the folder" in str(note) for note in found.notes
    )
    (tmp_path / "data" / "train").rename(tmp_path / "train")
    if "/" not in name:
        with pytest.raises(LimpideError) as told:
            scan(root)
        assert told.value.code == "L293" and f"name it instead of the folder: {root / name}" in str(told.value)
        assert summed(scan(root / name)) == {"": TWO}


@pytest.mark.parametrize(
    ("tables", "expected"),
    [
        ({"all.csv": "cdef", "train.csv": "cd", "test.csv": "ef"}, {"train": TWO, "test": TWO}),
        ({"trainLabels.csv": "cd", "sampleSubmission.csv": "ef"}, {"train": TWO}),
        ({"labels.csv": "cd", "sampleSubmission.csv": "ef"}, {"": TWO}),
        ({"labels_train.csv": "cd", "labels_test.csv": "ef", "labels.csv": "cd"}, {"train": TWO, "test": TWO}),
        ({"images/labels.csv": "cd"}, {"": TWO}),
    ],
)
def test_of_several_tables_those_of_the_parts_are_meant(
    tmp_path: Path, tables: dict[str, str], expected: dict[str, dict[str, int]]
) -> None:
    root = made(tmp_path / "data", *(f"images/{letter}{{1..4}}.jpg" for letter in "cdef"))
    for name, letters in tables.items():
        tabled(
            (root / name).parent,
            "file,label",
            *(f"{letter}{{k}}.jpg,{'cat' if letter in 'ce' else 'dog'}" for letter in letters),
            name=Path(name).name,
        )
    found = scan(root)
    assert summed(found) == expected
    if "all.csv" in tables:
        assert any(
            "the table all.csv is not read: limpide reads test.csv, train.csv" in str(note) for note in found.notes
        )


def test_the_column_that_the_user_names_may_be_in_one_of_the_tables(tmp_path: Path) -> None:
    root = tabled(
        made(tmp_path / "data", "cat/c{1..4}.jpg", "dog/d{1..4}.jpg"),
        "file,quality",
        "cat/c{k}.jpg,low",
        "dog/d{k}.jpg,high",
        name="exif.csv",
    )
    tabled(root, "file,width", "cat/c{k}.jpg,{k}", "dog/d{k}.jpg,{k}", name="sizes.csv")
    assert scan(root, hints=Hints(label_column="quality")).classes == ("high", "low")


def test_a_table_for_each_image_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Boxes and measurements come as one file an image: thousands of them."""
    root = made(tmp_path / "data", "cat/c{1..30}.jpg", "dog/d{1..30}.jpg")
    made(root, "c{1..30}.txt", "cat/c{1..30}.csv", "dog/d{1..30}.csv", data=b"file,label\nc1.jpg,a\n")
    monkeypatch.setattr(
        "limpide.data.layouts.folder_tables.is_table", lambda path: path.is_file() and pytest.fail(f"{path} was opened")
    )
    assert summed(scan(root)) == {"": {"cat": 30, "dog": 30}}
