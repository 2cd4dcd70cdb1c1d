"""What the columns of a table mean, and what their cells say: files, labels, parts, groups."""

from __future__ import annotations

from pathlib import Path

import pytest

from limpide.core.errors import LimpideError
from limpide.data.layouts.hints import Hints
from limpide.data.layouts.scan import scan
from tests.data.layouts.make_layouts import TWO, made, summed, tabled

TABLES: dict[str, tuple[str, tuple[str, ...], str]] = {
    "ids": ("id,breed", ("c{k},cat", "d{k},dog"), "ids are completed"),
    "id_code": ("id_code,diagnosis", ("c{k},cat", "d{k},dog"), ""),
    "an index": (",image,label", ("0,c{k}.jpg,cat", "1,d{k}.jpg,dog"), ""),
    "unnamed index": ("Unnamed: 0,image,label", ("0,c{k}.jpg,cat", "1,d{k}.jpg,dog"), ""),
    "no header": ("", ("c{k}.jpg,cat", "d{k}.jpg,dog"), "has no header"),
    "no header, folders": ("", ("img/c{k}.jpg,cat", "img/d{k}.jpg,dog"), "has no header"),
    "windows": (
        "file,label",
        (r"C:\data\img\c{k}.jpg,cat", r"C:\data\img\d{k}.jpg,dog"),
        "the first folders of its paths are ignored",
    ),
    "linux": (
        "file,label",
        ("/home/x/img/c{k}.jpg,cat", "/home/x/img/d{k}.jpg,dog"),
        "the first folders of its paths are ignored",
    ),
    "case": ("file,label", ("IMG/C{k}.JPG,cat", "IMG/D{k}.JPG,dog"), "whatever their case"),
    "other ending": ("file,label", ("c{k}.png,cat", "d{k}.png,dog"), ""),
    "addresses": ("url,label", ("https://x.org/a/c{k}.jpg?s=1,cat", "https://x.org/a/d{k}.jpg,dog"), ""),
    "strange names": ("what I saw,who it was", ("img/c{k}.jpg,cat", "img/d{k}.jpg,dog"), ""),
    "one-hot": ("image_id,cat,dog", ("c{k},1,0", "d{k},0,1"), "one column per class"),
    "one-hot, floats": ("image,cat,dog", ("c{k}.jpg,1.0,0.0", "d{k}.jpg,0.0,1.0"), "one column per class"),
    "one-hot, yes and no": ("image,cat,dog", ("c{k}.jpg,yes,no", "d{k}.jpg,no,yes"), "one column per class"),
    "one-hot, crosses": ("image,cat,dog", ("c{k}.jpg,x,", "d{k}.jpg,,x"), "one column per class"),
    "one-hot, words": ("image,cat,dog", ("c{k}.jpg,True,False", "d{k}.jpg,False,True"), "one column per class"),
    "constant target": ("image,target,diagnosis", ("c{k}.jpg,0,cat", "d{k}.jpg,0,dog"), ""),
    "semicolons": ("image;label", ("c{k}.jpg;cat", "d{k}.jpg;dog"), ""),
    "german": ("Datei,Klasse", ("c{k},cat", "d{k},dog"), "ids are completed"),
    "french": ("fichier,classe,sexe", ("c{k}.jpg,cat,m", "d{k}.jpg,dog,f"), "columns not used: sexe"),
    "spaces in names": ("File Name,Class Name", ("c{k}.jpg,cat", "d{k}.jpg,dog"), ""),
}


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le"])
def test_tables_as_people_have_them(tmp_path: Path, name: str, encoding: str) -> None:
    header, rows, says = TABLES[name]
    root = tabled(made(tmp_path / "data", "img/c{1..4}.jpg", "img/d{1..4}.jpg"), header, *rows, encoding=encoding)
    found = scan(root)
    assert summed(found) == {"": TWO}
    assert {
        (Path(file).name[0], found.classes[k][0]) for file, k in zip(found.images.names, found.labels, strict=True)
    } == {("c", "c"), ("d", "d")}
    assert says.removeprefix("ids are ") in " · ".join(map(str, found.notes))
    assert summed(scan(root / "labels.csv")) == {"": TWO}


@pytest.mark.parametrize(
    ("header", "train", "test"),
    [
        ("file,label,split", "train", "test"),
        ("file,label,Usage", "Training", "PrivateTest"),
        ("file,label,split", "0", "1"),
        ("file,label,is_valid", "False", "True"),
        ("file,label,is_test", "0", "1"),
        ("file,label,is_training_image", "1", "0"),
        ("file,label,subset", "train_set", "hold-out"),
        ("file,label,partition", "0.0", "2.0"),
        ("file,label,dataset", "train", "test"),
        ("file,label,set", "tr", "te"),
        ("file,label,mode", "train", "test"),
        ("file,label,stage", "train", "test"),
        ("file,label,partie", "apprentissage", "test"),
        ("file,label,fold", "train", "test"),
        ("file,label,in_test", "0", "1"),
        ("file,label,test", "", "x"),
        ("file,label,is_test", "no", "yes"),
        ("file,label,set", "0", "1"),
    ],
)
def test_parts_in_a_column(tmp_path: Path, header: str, train: str, test: str) -> None:
    rows = (f"c{{k}}.jpg,cat,{train}", f"d{{k}}.jpg,dog,{train}", f"e{{k}}.jpg,cat,{test}", f"f{{k}}.jpg,dog,{test}")
    hints = Hints(split_column="is_training_image") if "training" in header else Hints()
    found = scan(
        tabled(made(tmp_path / "data", *(f"{letter}{{1..4}}.jpg" for letter in "cdef")), header, *rows), hints=hints
    )
    assert summed(found) == {"train": TWO, "test": TWO}


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("part", "leaf", "stem"),
        ("set", "A", "B"),
        ("phase", "early", "late"),
        ("usage", "indoor", "outdoor"),
        ("evaluation", "1", "0"),
    ],
)
def test_columns_that_could_be_of_parts_and_say_something_else(tmp_path: Path, name: str, one: str, other: str) -> None:
    root = made(tmp_path / "data", "c{1..4}.jpg", "d{1..4}.jpg")
    assert summed(scan(tabled(root, f"file,label,{name}", f"c{{k}}.jpg,cat,{one}", f"d{{k}}.jpg,dog,{other}"))) == {
        "": TWO
    }


@pytest.mark.parametrize(("one", "other"), [("A", "B"), ("1", "2"), ("0", "3"), ("train", "later")])
def test_a_split_that_is_not_understood_is_refused_with_a_way_out(tmp_path: Path, one: str, other: str) -> None:
    root = tabled(
        made(tmp_path / "data", "c{1..4}.jpg", "d{1..4}.jpg"),
        "file,label,split",
        f"c{{k}}.jpg,cat,{one}",
        f"d{{k}}.jpg,dog,{other}",
    )
    with pytest.raises(LimpideError) as told:
        scan(root)
    assert (
        told.value.code == "L227"
        and "--split-column none" in str(told.value)
        and "labels.csv: split = " in str(told.value)
    )
    assert summed(scan(root, hints=Hints(split_column="none"))) == {"": TWO}


def test_the_user_names_columns_folder_and_ending(tmp_path: Path) -> None:
    made(tmp_path / "elsewhere", "c{1..4}.jpg", "d{1..4}.jpg")
    root = tabled(tmp_path / "data", "id,place,what,when", "c{k},x,cat,train", "d{k},y,dog,test")
    hints = Hints(
        file_column="id", label_column="what", split_column="when", images=str(tmp_path / "elsewhere"), suffix=".jpg"
    )
    found = scan(root / "labels.csv", hints=hints)
    assert summed(found) == {"train": {"cat": 4}, "test": {"dog": 4}}
    for wrong, code in (
        (Hints(label_column="wat"), "L116"),
        (Hints(images=str(tmp_path / "nowhere")), "L289"),
        (Hints(), "L225"),
    ):
        with pytest.raises(LimpideError) as told:
            scan(root / "labels.csv", hints=wrong)
        assert told.value.code == code, wrong
    assert "id, place, what, when" in str(told.value), "two columns could be the classes"
    with pytest.raises(LimpideError) as told:
        scan(made(tmp_path / "folders", "cat/{1..4}.jpg", "dog/{1..4}.jpg"), hints=Hints(label_column="what"))
    assert told.value.code == "L148"


@pytest.mark.parametrize("cell", ["cat,dog", "cat|dog", "cat dog", "cat/dog", "cat+dog", "dog & cat", "cat and dog"])
def test_several_labels_whatever_stands_between_them(tmp_path: Path, cell: str) -> None:
    rows = [
        "c{k}.jpg\tcat",
        "d{k}.jpg\tdog",
        f"e{{k}}.jpg\t{cell}",
        "f{k}.jpg\tdog cat" if " " in cell and "d " not in cell else "f{k}.jpg\tcow",
    ]
    root = tabled(
        made(tmp_path / "data", *(f"{letter}{{1..4}}.jpg" for letter in "cdef")),
        "file\tlabel",
        *rows,
        name="labels.tsv",
    )
    with pytest.raises(LimpideError) as told:
        scan(root)
    assert told.value.code == "L215"


@pytest.mark.parametrize(
    "cells",
    [
        ("cat, dog", "dog"),
        ("cat/dog", "dog"),
        ("cat & dog", "dog"),
        ("cat + dog", "cat"),
        ("Action, Drama", "Drama, Comedy", "Action, Comedy"),
    ],
)
def test_several_labels_of_which_few_stand_alone(tmp_path: Path, cells: tuple[str, ...]) -> None:
    root = made(tmp_path / "data", *(f"{letter}{{1..4}}.jpg" for letter in "cde"))
    with pytest.raises(LimpideError) as told:
        scan(
            tabled(
                root,
                "file\tlabel",
                *(f"{letter}{{k}}.jpg\t{cell}" for letter, cell in zip("cde", cells, strict=False)),
                name="labels.tsv",
            )
        )
    assert told.value.code == "L215"


@pytest.mark.parametrize(
    "cells",
    [
        ("cat, big, red", "dog, small, red"),
        ("Tomato, healthy", "Tomato, blight", "Pepper, healthy"),
        ("cat, big", "dog, small"),
    ],
)
def test_labels_with_a_property_are_classes(tmp_path: Path, cells: tuple[str, ...]) -> None:
    root = made(tmp_path / "data", *(f"{letter}{{1..4}}.jpg" for letter in "cde"))
    tabled(
        root,
        "file\tlabel",
        *(f"{letter}{{k}}.jpg\t{cell}" for letter, cell in zip("cde", cells, strict=False)),
        name="labels.tsv",
    )
    assert scan(root).classes == tuple(sorted(cells))


def test_what_programs_write_for_no_label_is_no_class(tmp_path: Path) -> None:
    root = made(tmp_path / "data", *(f"{letter}{{1..4}}.jpg" for letter in "cdefg"))
    found = scan(
        tabled(root, "file,label", "c{k}.jpg,cat", "d{k}.jpg,dog", "e{k}.jpg,NaN", "f{k}.jpg,N/A", "g{k}.jpg,none")
    )
    assert summed(found) == {"": {**TWO, "none": 4}} and {reason for _, reason in found.left_out} == {
        "the table gives it no label"
    }


def test_a_table_of_boxes_is_refused_with_a_way_out(tmp_path: Path) -> None:
    root = made(tmp_path / "data", "c{1..4}.jpg", "d{1..4}.jpg")
    tabled(root, "filename,class,xmin,ymin,xmax,ymax", "c{k}.jpg,cat,1,2,3,4", "d{k}.jpg,dog,1,2,3,4")
    with pytest.raises(LimpideError) as told:
        scan(root)
    assert told.value.code == "L298" and "--label-column class" in str(told.value)
    assert summed(scan(root, hints=Hints(label_column="class"))) == {"": TWO}


def test_a_decimal_for_each_image_is_no_class(tmp_path: Path) -> None:
    root = tabled(
        made(tmp_path / "data", "c{1..4}.jpg", "d{1..4}.jpg", "e{1..4}.jpg"),
        "file,target",
        "c{k}.jpg,0.1{k}",
        "d{k}.jpg,0.2{k}",
        "e{k}.jpg,0.3{k}",
    )
    with pytest.raises(LimpideError) as told:
        scan(root)
    assert told.value.code == "L229"


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        ("e1.jpg,0,0", "the table gives it no label"),
        ("e1.jpg,1,1", "the table gives it several labels"),
        ("e1.jpg,,", "the table gives it no label"),
    ],
)
def test_a_row_of_one_hot_columns_without_one_label_is_left_out(tmp_path: Path, odd: str, reason: str) -> None:
    root = made(tmp_path / "data", "c{1..20}.jpg", "d{1..20}.jpg", "e1.jpg")
    rows = [f"{letter}{k}.jpg,{cells}" for k in range(1, 21) for letter, cells in (("c", "1,0"), ("d", "0,1"))]
    (root / "labels.csv").write_text("\n".join(["image,cat,dog", *rows, odd]))
    found = scan(root)
    assert summed(found) == {"": {"cat": 20, "dog": 20}} and found.left_out == [("e1.jpg", reason)]


def test_names_of_two_words_are_one_label(tmp_path: Path) -> None:
    rows = ("c{k}.jpg,polar bear", "d{k}.jpg,brown bear", "e{k}.jpg,bear and cub", "f{k}.jpg,cat/kitten")
    found = scan(tabled(made(tmp_path / "data", *(f"{letter}{{1..4}}.jpg" for letter in "cdef")), "file,label", *rows))
    assert len(found.classes) == 4


def test_a_group_column_with_one_value_says_nothing(tmp_path: Path) -> None:
    root = tabled(
        made(tmp_path / "data", "c{1..4}.jpg", "d{1..4}.jpg"),
        "file,label,site",
        "c{k}.jpg,cat,here",
        "d{k}.jpg,dog,here",
    )
    found = scan(root)
    assert found.groups is None and any("column site has the same value" in str(note) for note in found.notes)


def test_the_labels_of_a_large_table_are_read_quickly(tmp_path: Path) -> None:
    """Looking for several labels in a cell is about the distinct ones."""
    root = made(tmp_path / "data", "c{1..4}.jpg")
    lines = "\n".join(f"c{k % 4 + 1}.jpg,label {k % 50} of many" for k in range(20_000))
    (root / "labels.csv").write_text(f"file,label\n{lines}\n")
    with pytest.raises(LimpideError) as told:
        scan(root)
    assert told.value.code == "L291", "each file has many labels"
