"""Folders and tables as people unpack them: what is a class, a part, a group, and what is passed over. Nothing is
decoded.
"""

from __future__ import annotations

import shutil
import unicodedata
from pathlib import Path

import pytest

from limpide.core.errors import LimpideError
from limpide.data.dataset import PARTS, Dataset
from limpide.data.layouts.hints import Hints
from limpide.data.layouts.ignored_files import NOT_NAMED, Ignored
from limpide.data.layouts.name_words import part_of, parts_of, says_group, words
from limpide.data.layouts.scan import scan

JPEG, XML = b"\xff\xd8\xff\xe0 not looked at", b"<annotation>\n</annotation>\n"


def made(root: Path, *names: str, data: bytes = JPEG) -> Path:
    """Names as "cat/{1..4}.jpg"."""
    for name in names:
        head, brace, tail = name.partition("{1..")
        count, _, end = tail.partition("}")
        for each in [f"{head}{k}{end}" for k in range(1, int(count) + 1)] if brace else [name]:
            file = root / each
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
    return root


def summed(dataset: Dataset) -> dict[str, dict[str, int]]:
    """Part → class → images."""
    found: dict[str, dict[str, int]] = {}
    for label, part in zip(dataset.labels, dataset.given, strict=True):
        own = found.setdefault(PARTS[part], {})
        own[dataset.classes[label]] = own.get(dataset.classes[label], 0) + 1
    return found


def grouped(dataset: Dataset) -> dict[str, int]:
    """First folder that differs → its group; names → number."""
    assert dataset.groups is not None
    return {name: int(group) for name, group in zip(dataset.images.names, dataset.groups, strict=True)}


TWO = {"cat": 4, "dog": 4}
FOLDERS: dict[str, tuple[tuple[str, ...], dict[str, dict[str, int]]]] = {
    "train_set": (("train_set/cat/{1..4}.jpg", "train_set/dog/{1..4}.jpg", "test_set/cat/{1..4}.jpg", "test_set/dog/{1..4}.jpg"), {"train": TWO, "test": TWO}),
    "twice": (("seg_train/seg_train/cat/{1..4}.jpg", "seg_train/seg_train/dog/{1..4}.jpg", "seg_test/seg_test/cat/{1..4}.jpg", "seg_test/seg_test/dog/{1..4}.jpg"), {"train": TWO, "test": TWO}),
    "training-data": (("training-data/cat/{1..4}.jpg", "training-data/dog/{1..4}.jpg", "evaluation-data/cat/{1..4}.jpg"), {"train": TWO, "test": {"cat": 4}}),
    "year": (("train2017/cat/{1..4}.jpg", "train2017/dog/{1..4}.jpg", "val2017/cat/{1..4}.jpg", "test2017/dog/{1..4}.jpg"), {"train": TWO, "validation": {"cat": 4}, "test": {"dog": 4}}),
    "hold_out": (("Train/cat/{1..4}.jpg", "Train/dog/{1..4}.jpg", "Hold Out/cat/{1..4}.jpg"), {"train": TWO, "test": {"cat": 4}}),
    "french": (("apprentissage/cat/{1..4}.jpg", "apprentissage/dog/{1..4}.jpg", "évaluation/cat/{1..4}.jpg"), {"train": TWO, "test": {"cat": 4}}),
    "wrapped": (("x/data/train/cat/{1..4}.jpg", "x/data/train/dog/{1..4}.jpg", "x/data/test/cat/{1..4}.jpg", "x/readme.md"), {"train": TWO, "test": {"cat": 4}}),
    "images in parts": (("train/images/cat/{1..4}.jpg", "train/images/dog/{1..4}.jpg", "test/images/cat/{1..4}.jpg"), {"train": TWO, "test": {"cat": 4}}),
    "class and part": (("cat_train/{1..4}.jpg", "dog_train/{1..4}.jpg", "cat_test/{1..4}.jpg", "dog_test/{1..4}.jpg"), {"train": TWO, "test": TWO}),
    "class and part, as written": (("Écureuil 1-train/{1..4}.jpg", "Big Cat-train/{1..4}.jpg", "Écureuil 1-test/{1..4}.jpg", "Big Cat-test/{1..4}.jpg"), {"train": {"Écureuil 1": 4, "Big Cat": 4}, "test": {"Écureuil 1": 4, "Big Cat": 4}}),
    "numbers with parts": (("1_train/{1..4}.jpg", "2_train/{1..4}.jpg", "1_test/{1..4}.jpg", "2_test/{1..4}.jpg"), {"train": {"1": 4, "2": 4}, "test": {"1": 4, "2": 4}}),
    "tests that are classes": (("test1/{1..4}.jpg", "test2/{1..4}.jpg"), {"": {"test1": 4, "test2": 4}}),
    "things in things": (("office/phone/{1..4}.jpg", "office/camera/{1..4}.jpg", "home/person/{1..4}.jpg"), {"": {"office": 8, "home": 4}}),
    "part in class": (("cat/train/{1..4}.jpg", "dog/train/{1..4}.jpg", "cat/test/{1..4}.jpg", "dog/test/{1..4}.jpg"), {"train": TWO, "test": TWO}),
    "class in name, unnamed test": (("train/cat.{1..4}.jpg", "train/dog.{1..4}.jpg", "test1/{1..9}.jpg"), {"train": TWO}),
    "number before the class": (("{1..4}_cat.jpg", "{1..4}_dog.jpg"), {"": TWO}),
    "underscores in names": (("images/big_cat_{1..4}.jpg", "images/dog_{1..4}.jpg", "annotations/trimaps/big_cat_{1..4}.png", "annotations/trimaps/dog_{1..4}.png"), {"": {"big_cat": 4, "dog": 4}}),
    "annotations": (("Images/cat/{1..4}.jpg", "Images/dog/{1..4}.jpg", "Annotation/cat/{1..4}", "Annotation/dog/{1..4}"), {"": TWO}),
    "lists beside": (("images/cat/{1..4}.jpg", "images/dog/{1..4}.jpg", "parts/locs.txt", "attributes/a.txt", "classes.txt"), {"": TWO}),
    "masks beside images": (("images/cat/{1..4}.jpg", "images/dog/{1..4}.jpg", "masks/cat/{1..4}.png", "masks/dog/{1..4}.png"), {"": TWO}),
    "masks in classes": (("cat/images/{1..4}.png", "cat/masks/{1..4}.png", "dog/images/{1..4}.png", "dog/masks/{1..4}.png"), {"": TWO}),
    "masks beside each": (("cat/cat ({1..4}).png", "cat/cat ({1..4})_mask.png", "dog/dog ({1..4}).png", "dog/dog ({1..4})_mask.png"), {"": TWO}),
    "masks of all classes": (("cat/c{1..4}.png", "dog/d{1..4}.png", "masks/c{1..4}.png", "masks/d{1..4}.png"), {"": TWO}),
    "ground truth": (("b/train/good/{1..4}.png", "b/test/good/x{1..4}.png", "b/test/hole/{1..4}.png", "b/ground_truth/hole/{1..4}_mask.png"), {"train": {"good": 4}, "test": {"good": 4, "hole": 4}}),
    "thumbnails": (("cat/c{1..4}.jpg", "dog/d{1..4}.jpg", "thumbnails/c{1..4}.jpg", "thumbnails/d1.jpg"), {"": TWO}),
    "thumbs in classes": (("cat/{1..4}.jpg", "cat/thumbs/{1..4}.jpg", "dog/{1..4}.jpg", "dog/thumbs/{1..4}.jpg"), {"": TWO}),
    "wearing masks": (("mask/{1..4}.jpg", "no mask/{1..4}.jpg"), {"": {"mask": 4, "no mask": 4}}),
    "three with masks": (("mask/{1..4}.jpg", "no mask/{1..4}.jpg", "wrong/{1..4}.jpg"), {"": {"mask": 4, "no mask": 4, "wrong": 4}}),
    "small and large": (("small/{1..4}.jpg", "large/{1..4}.jpg"), {"": {"small": 4, "large": 4}}),
    "valid is a class": (("valid/{1..4}.jpg", "invalid/{1..4}.jpg"), {"": {"valid": 4, "invalid": 4}}),
    "tests are classes": (("test positive/{1..4}.jpg", "test negative/{1..4}.jpg"), {"": {"test positive": 4, "test negative": 4}}),
    "a test tube": (("test tube/{1..4}.jpg", "training shoe/{1..4}.jpg"), {"": {"test tube": 4, "training shoe": 4}}),
    "systems": (("cat/{1..4}.jpg", "dog/{1..4}.jpg", "System Volume Information/a.jpg", "FOUND.000/b.jpg", "@eaDir/c.jpg", "#recycle/d.jpg"), {"": TWO}),
    "waste": (("Trash/{1..4}.jpg", "glass/{1..4}.jpg", "recycled/{1..4}.jpg"), {"": {"Trash": 4, "glass": 4, "recycled": 4}}),
    "an environment": (("cat/{1..4}.jpg", "dog/{1..4}.jpg", "venv/pyvenv.cfg", "venv/lib/back.jpg", ".trash/a.jpg", "$RECYCLE.BIN/b.jpg"), {"": TWO}),
    "classes beside a test": (("cat/c{1..4}.jpg", "dog/d{1..4}.jpg", "test/cat/{1..2}.jpg", "test/dog/{1..2}.jpg"), {"train": TWO, "test": {"cat": 2, "dog": 2}}),
    "classes beside a validation": (("cat/c{1..4}.jpg", "dog/d{1..4}.jpg", "val/dog/{1..2}.jpg"), {"train": TWO, "test": {"dog": 2}}),
    "one folder beside a test": (("animals/cat/c{1..4}.jpg", "animals/dog/d{1..4}.jpg", "test/cat/{1..4}.jpg", "test/dog/{1..4}.jpg"), {"train": TWO, "test": TWO}),
    "classes beside an unnamed test": (("cat/c{1..4}.jpg", "dog/d{1..4}.jpg", "test/{1..6}.jpg"), {"": TWO}),
    "labeled and unlabeled": (("labeled/cat/c{1..4}.jpg", "labeled/dog/d{1..4}.jpg", "unlabeled/{1..9}.jpg"), {"": TWO}),
    "a train is a vehicle": (("train/{1..4}.jpg", "bus/{1..4}.jpg", "car/{1..4}.jpg", "valid/{1..4}.jpg"), {"": {"train": 4, "bus": 4, "car": 4, "valid": 4}}),
    "parts in domains": (("photo/train/cat/{1..4}.jpg", "photo/train/dog/{1..4}.jpg", "sketch/test/cat/{1..4}.jpg", "sketch/test/dog/{1..4}.jpg"), {"train": TWO, "test": TWO}),
    "parts in folds": (("fold1/train/cat/{1..2}.jpg", "fold1/train/dog/{1..2}.jpg", "fold1/test/cat/3.jpg", "fold2/train/cat/{1..2}.jpg", "fold2/train/dog/{1..2}.jpg", "fold2/test/cat/3.jpg"), {"train": TWO, "test": {"cat": 2}}),
    "one class to train on in domains": (("bottle/train/good/{1..4}.jpg", "cable/train/good/{1..4}.jpg", "bottle/test/good/1.jpg", "bottle/test/bad/1.jpg", "cable/test/good/1.jpg", "cable/test/bad/1.jpg"), {"train": {"bottle": 4, "cable": 4}, "test": {"bottle": 2, "cable": 2}}),
    "a deeper test": (("train/cat/{1..4}.jpg", "train/dog/{1..4}.jpg", "test/easy/cat/{1..2}.jpg", "test/easy/dog/{1..4}.jpg", "test/hard/cat/{1..2}.jpg"), {"train": TWO, "test": TWO}),
    "a deeper train": (("train/real/cat/{1..4}.jpg", "train/synthetic/dog/{1..4}.jpg", "test/cat/{1..4}.jpg", "test/dog/{1..4}.jpg"), {"train": TWO, "test": TWO}),
    "a class and part lacks": (("cat_train/{1..4}.jpg", "cat_test/{1..4}.jpg", "dog_train/{1..4}.jpg", "plots/a.jpg"), {"train": TWO, "test": {"cat": 4}}),
    "class and part, deeper": (("cat_train/images/{1..4}.jpg", "cat_test/images/{1..4}.jpg", "dog_train/images/{1..4}.jpg", "dog_test/images/{1..4}.jpg"), {"train": TWO, "test": TWO}),
    "one camera a class": (("cam1/cat/{1..4}.jpg", "cam2/dog/{1..4}.jpg"), {"": TWO}),
    "names in batches": (("batch1/cat_{1..4}.jpg", "batch2/dog_{1..4}.jpg"), {"": TWO}),
    "patients are classes": (("patient1/{1..4}.jpg", "patient2/{1..4}.jpg"), {"": {"patient1": 4, "patient2": 4}}),
    "altered copies": (("cat/c{1..4}.jpg", "dog/d{1..4}.jpg", "augmented/cat/{1..4}.jpg", "augmented/dog/{1..4}.jpg", "cat_aug/{1..9}.jpg"), {"": TWO}),
    "originals and altered copies": (("original/cat/{1..4}.jpg", "original/dog/{1..4}.jpg", "augmented/cat/{1..4}.jpg", "augmented/dog/{1..4}.jpg"), {"": TWO}),
    "more of the same": (("cat/c{1..3}.jpg", "dog/d{1..3}.jpg", "more/cat/e.jpg", "more/dog/f.jpg"), {"": TWO}),
    "work beside classes": (("cat/c{1..4}.jpg", "dog/d{1..4}.jpg", "output/roc{1..9}.png", "figures/{1..2}.png"), {"": TWO}),
    "figures are a class": (("figures/{1..4}.jpg", "tables/{1..4}.jpg", "text/{1..4}.jpg"), {"": {"figures": 4, "tables": 4, "text": 4}}),
    "work beside parts": (("train/cat/{1..4}.jpg", "train/dog/{1..4}.jpg", "test/cat/{1..4}.jpg", "single_prediction/{1..2}.jpg", "to_predict/3.jpg", "demo/{1..8}.jpg"), {"train": TWO, "test": {"cat": 4}}),
    "a part in another word": (("train/cat/{1..4}.jpg", "train/dog/{1..4}.jpg", "valdiation/cat/{1..4}.jpg", "valdiation/dog/{1..4}.jpg"), {"train": TWO, "test": TWO}),
    "parts in each domain": (("photo/train/cat/{1..2}.jpg", "photo/train/dog/{1..4}.jpg", "photo/test/cat/{1..4}.jpg", "sketch/train/cat/{1..2}.jpg", "sketch/test/dog/{1..4}.jpg"), {"train": TWO, "test": TWO}),
    "part and class in names": (("train_cat_{1..4}.jpg", "train_dog_{1..4}.jpg", "test_cat_{1..4}.jpg", "test_dog_{1..4}.jpg"), {"train": TWO, "test": TWO}),
    "class and part in names": (("cat_train_{1..4}.jpg", "dog_train_{1..4}.jpg", "cat_test_{1..4}.jpg", "dog_test_{1..4}.jpg"), {"train": TWO, "test": TWO}),
    "vehicles in names": (("train_{1..4}.jpg", "bus_{1..4}.jpg"), {"": {"train": 4, "bus": 4}}),
    "masks of each class": (("cat/{1..4}.jpg", "dog/{1..4}.jpg", "cat_masks/{1..4}.png", "dog_masks/{1..4}.png"), {"": TWO}),
    "masks in French": (("images/cat/{1..4}.jpg", "images/dog/{1..4}.jpg", "masques/cat/{1..4}.png", "masques/dog/{1..4}.png"), {"": TWO}),
    "masks before names": (("cat/{1..4}.jpg", "cat/mask_{1..4}.jpg", "dog/{1..4}.jpg", "dog/mask_{1..4}.png"), {"": TWO}),
    "depths after names": (("cat/{1..4}.jpg", "cat/{1..4}_depth.jpg", "dog/{1..4}.jpg", "dog/{1..4}_superpixels.png"), {"": TWO}),
    "thumbnails of a size": (("cat/c{1..4}.jpg", "dog/d{1..4}.jpg", "thumbs_100x100/c{1..4}.jpg", "thumbs_100x100/d{1..4}.jpg"), {"": TWO}),
    "segmented is a class": (("segmented/{1..4}.jpg", "whole/w{1..4}.jpg"), {"": {"segmented": 4, "whole": 4}}),
    "other languages": (("Trainingsdaten/cat/{1..4}.jpg", "Trainingsdaten/dog/{1..4}.jpg", "Testdaten/cat/{1..4}.jpg"), {"train": TWO, "test": {"cat": 4}}),
    "Portuguese": (("treinamento/cat/{1..4}.jpg", "treinamento/dog/{1..4}.jpg", "validação/cat/{1..4}.jpg", "teste/dog/{1..4}.jpg"), {"train": TWO, "validation": {"cat": 4}, "test": {"dog": 4}}),
    "Chinese": (("训练集/cat/{1..4}.jpg", "训练集/dog/{1..4}.jpg", "测试集/cat/{1..4}.jpg"), {"train": TWO, "test": {"cat": 4}}),
    "videos beside": (("cat/{1..4}.jpg", "dog/{1..4}.jpg", "videos/a.mp4", "docs/b.pdf"), {"": TWO}),
    "tiny imagenet": (("train/n1/images/a{1..4}.JPEG", "train/n2/images/b{1..4}.JPEG", "val/images/v{1..4}.JPEG", "val/val_annotations.txt", "test/images/t{1..4}.JPEG"), {"train": {"n1": 4, "n2": 4}}),
    "unnamed test in a folder": (("train/cat/{1..4}.jpg", "train/dog/{1..4}.jpg", "test/all/{1..4}.jpg"), {"train": TWO}),
}  # fmt: skip


@pytest.mark.parametrize("name", FOLDERS)
def test_folders_as_they_are_unpacked(tmp_path: Path, name: str) -> None:
    names, expected = FOLDERS[name]
    for each in names:
        made(tmp_path / "data", each, data=XML if each.startswith("Annotation/") else JPEG)
    found = scan(tmp_path / "data")
    assert summed(found) == expected
    assert found.left_out == [] or name == "unnamed"
    hidden = [
        file
        for file in (tmp_path / "data").rglob("*")
        if any(part.startswith(".") for part in file.relative_to(tmp_path / "data").parts)
    ]
    total = sum(file.is_file() for file in (tmp_path / "data").rglob("*") if file not in hidden)
    told = sum(one.n for one in found.ignored)
    assert len(found) + told == total or name == "systems", "what is not used is told"


@pytest.mark.parametrize(
    ("names", "groups"),
    [
        (("camera1/ok/{1..4}.jpg", "camera1/defect/{1..4}.jpg", "camera2/ok/{1..4}.jpg", "camera2/defect/{1..4}.jpg"), ["camera1", "camera2"]),
        (("amazon/images/ok/{1..4}.jpg", "amazon/images/defect/{1..4}.jpg", "dslr/images/ok/{1..4}.jpg", "dslr/images/defect/{1..4}.jpg"), ["amazon", "dslr"]),
        (("line a/ok/{1..4}.jpg", "line a/defect/{1..4}.jpg", "line b/ok/{1..4}.jpg"), ["line a", "line b"]),
        (("ok/patient1/{1..4}.jpg", "ok/patient2/{1..4}.jpg", "defect/patient3/{1..4}.jpg"), ["patient1", "patient2", "patient3"]),
        (("ok/session_1/{1..4}.jpg", "ok/session_2/{1..4}.jpg", "defect/session_1/{1..4}.jpg", "defect/session_2/{1..4}.jpg"), ["session_1", "session_2"]),
        (("patient1/ok/{1..4}.jpg", "patient2/defect/{1..4}.jpg", "patient3/ok/{1..4}.jpg"), ["patient1", "patient2", "patient3"]),
        (("2021-03-01/ok/{1..4}.jpg", "2021-03-02/defect/{1..4}.jpg", "2021-03-03/ok/{1..4}.jpg"), ["2021-03-01", "2021-03-02", "2021-03-03"]),
        (("batch1/ok_{1..4}.jpg", "batch1/defect_{1..4}.jpg", "batch2/ok_{1..4}.jpg"), ["batch1", "batch2"]),
        (("photo/train/ok/{1..4}.jpg", "photo/train/defect/{1..4}.jpg", "print/train/ok/{1..4}.jpg", "sketch/test/ok/{1..4}.jpg", "sketch/test/defect/{1..4}.jpg"), ["photo", "print", "sketch"]),
        (("train/cam1/ok/{1..4}.jpg", "train/cam1/defect/{1..4}.jpg", "train/cam2/ok/{1..4}.jpg", "train/cam2/defect/{1..4}.jpg", "test/cam3/ok/1.jpg", "test/cam3/defect/1.jpg"), ["cam1", "cam2", "cam3"]),
    ],
)  # fmt: skip
def test_folders_that_are_no_parts_are_groups(tmp_path: Path, names: tuple[str, ...], groups: list[str]) -> None:
    found = scan(made(tmp_path / "data", *names))
    assert found.classes == ("defect", "ok") and found.grouped_by == "folder"
    numbers = grouped(found)
    places = {group: {number for name, number in numbers.items() if group in name.split("/")} for group in groups}
    assert all(len(some) == 1 for some in places.values()) and len(set.union(*places.values())) == len(groups)
    assert any("never cut apart" in str(note) for note in found.notes) or "train" in names[0] or "batch" in names[0]


def test_an_archive_tells_what_it_passes_over(tmp_path: Path) -> None:
    root = made(
        tmp_path / "data", "trash/{1..4}.jpg", "glass/{1..4}.jpg", "@eaDir/a.jpg", "@eaDir/b.jpg", "glass/.cache/c.jpg"
    )
    found = scan(shutil.make_archive(str(tmp_path / "packed"), "zip", root))
    assert found.classes == ("glass", "trash")
    assert (
        [(one.what, one.n) for one in found.ignored]
        == [("@eaDir", 2)]
        == [(one.what, one.n) for one in scan(root).ignored]
    )


def test_the_user_overrules_what_folders_are(tmp_path: Path) -> None:
    root = made(
        tmp_path / "data",
        "camera1/ok/{1..4}.jpg",
        "camera1/defect/{1..4}.jpg",
        "camera2/ok/{1..4}.jpg",
        "camera2/defect/{1..4}.jpg",
    )
    assert scan(root, hints=Hints(parts="none")).classes == ("camera1", "camera2")
    parted = scan(root, hints=Hints(parts="camera1=train, camera2=test"))
    assert summed(parted) == {"train": {"ok": 4, "defect": 4}, "test": {"ok": 4, "defect": 4}} and parted.groups is None
    for parts, code in (("camera1", "L146"), ("camera1=exam", "L146"), ("camera3=test", "L147")):
        with pytest.raises(LimpideError) as told:
            scan(root, hints=Hints(parts=parts))
        assert told.value.code == code
    assert "did you mean camera" in str(told.value)
    beside = made(
        tmp_path / "beside",
        "cat/c{1..4}.jpg",
        "dog/d{1..4}.jpg",
        "exam/cat/{1..4}.jpg",
        "exam/dog/{1..4}.jpg",
        "test/{1..4}.jpg",
    )
    assert summed(scan(beside, hints=Hints(parts="exam=test"))) == {"train": TWO | {"test": 4}, "test": TWO}, (
        "what is not named is the training"
    )
    assert scan(beside, hints=Hints(parts="none")).classes == ("cat", "dog", "exam", "test")
    deeper = made(
        tmp_path / "deeper",
        "photo/seen/cat/{1..4}.jpg",
        "photo/seen/dog/{1..4}.jpg",
        "sketch/kept/cat/{1..4}.jpg",
        "sketch/kept/dog/{1..4}.jpg",
    )
    assert summed(scan(deeper, hints=Hints(parts="seen=train,kept=test"))) == {"train": TWO, "test": TWO}


def test_deeper_folders_that_are_no_classes_are_told(tmp_path: Path) -> None:
    found = scan(
        made(
            tmp_path / "data",
            "animals/cat/{1..4}.jpg",
            "animals/dog/{1..4}.jpg",
            "things/car/{1..4}.jpg",
            "things/cup/{1..4}.jpg",
        )
    )
    assert found.classes == ("animals", "things") and any(
        "deeper folders are not told apart: animals holds cat, dog" in str(note) for note in found.notes
    )


def test_two_unicode_forms_of_a_name_are_one_class(tmp_path: Path) -> None:
    forms = [unicodedata.normalize(form, "écureuil") for form in ("NFC", "NFD")]
    found = scan(made(tmp_path / "data", f"{forms[0]}/{{1..4}}.jpg", f"{forms[1]}/b{{1..4}}.jpg", "dog/{1..4}.jpg"))
    assert found.classes == ("dog", forms[0]) and any("two Unicode forms" in str(note) for note in found.notes)


@pytest.mark.parametrize(
    ("names", "texts", "code"),
    [
        (
            ("train/images/a{1..4}.jpg", "valid/images/b{1..4}.jpg"),
            ("train/labels/a{1..4}.txt", "valid/labels/b{1..4}.txt", "data.yaml"),
            "L286",
        ),
        (
            ("images/train/a{1..4}.jpg", "images/val/b{1..4}.jpg"),
            ("labels/train/a{1..4}.txt", "labels/val/b{1..4}.txt"),
            "L286",
        ),
        (("JPEGImages/2007_{1..4}.jpg",), ("Annotations/2007_{1..4}.xml", "ImageSets/Main/train.txt"), "L286"),
        (("train2017/{1..4}.jpg", "val2017/{1..4}.jpg"), ("annotations/instances_train2017.json",), "L286"),
        (("IMG_{1..4}.jpg", "IMG_9.jpg"), ("IMG_{1..4}.xml", "IMG_9.xml"), "L286"),
        ((), ("cat.zip", "dog.zip"), "L287"),
        ((), ("notes.txt", "more/data.mat"), "L288"),
        (("IMG_{1..4}.jpg",), (), "L203"),
        (("video1_frame{1..4}.jpg", "video2_frame{1..4}.jpg"), (), "L203"),
        (("cam1_{1..4}.jpg", "cam2_{1..4}.jpg"), (), "L203"),
        (("train_{1..4}.jpg", "test_{1..4}.jpg"), (), "L203"),
        (("train/{1..8}.jpg", "test/cat/{1..4}.jpg", "test/dog/{1..4}.jpg"), (), "L295"),
    ],
)
def test_what_names_no_class_is_refused_in_one_line(
    tmp_path: Path, names: tuple[str, ...], texts: tuple[str, ...], code: str
) -> None:
    made(tmp_path / "data", *names)
    made(tmp_path / "data", *texts, data=b"0 0.5 0.5 0.1 0.1\n")
    with pytest.raises(LimpideError) as told:
        scan(tmp_path / "data")
    assert told.value.code == code and len(str(told.value).splitlines()) == 1


# -- tables


def tabled(root: Path, header: str, *rows: str, name: str = "labels.csv", encoding: str = "utf-8") -> Path:
    """rows: with {k} from 1 to 4 for each."""
    lines = [*([header] if header else []), *(row.replace("{k}", str(k)) for k in range(1, 5) for row in rows)]
    root.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes("\n".join([*lines, ""]).encode(encoding))
    return root


TABLES: dict[str, tuple[str, tuple[str, ...], str]] = {
    "ids": ("id,breed", ("c{k},cat", "d{k},dog"), "ids are completed"),
    "id_code": ("id_code,diagnosis", ("c{k},cat", "d{k},dog"), ""),
    "an index": (",image,label", ("0,c{k}.jpg,cat", "1,d{k}.jpg,dog"), ""),
    "unnamed index": ("Unnamed: 0,image,label", ("0,c{k}.jpg,cat", "1,d{k}.jpg,dog"), ""),
    "no header": ("", ("c{k}.jpg,cat", "d{k}.jpg,dog"), "does not name its columns"),
    "no header, folders": ("", ("img/c{k}.jpg,cat", "img/d{k}.jpg,dog"), "does not name its columns"),
    "windows": ("file,label", (r"C:\data\img\c{k}.jpg,cat", r"C:\data\img\d{k}.jpg,dog"), "folders in front"),
    "linux": ("file,label", ("/home/x/img/c{k}.jpg,cat", "/home/x/img/d{k}.jpg,dog"), "folders in front"),
    "case": ("file,label", ("IMG/C{k}.JPG,cat", "IMG/D{k}.JPG,dog"), "whatever their case"),
    "other ending": ("file,label", ("c{k}.png,cat", "d{k}.png,dog"), ""),
    "addresses": ("url,label", ("https://x.org/a/c{k}.jpg?s=1,cat", "https://x.org/a/d{k}.jpg,dog"), ""),
    "strange names": ("what I saw,who it was", ("img/c{k}.jpg,cat", "img/d{k}.jpg,dog"), ""),
    "one-hot": ("image_id,cat,dog", ("c{k},1,0", "d{k},0,1"), "a column a class"),
    "one-hot, floats": ("image,cat,dog", ("c{k}.jpg,1.0,0.0", "d{k}.jpg,0.0,1.0"), "a column a class"),
    "one-hot, yes and no": ("image,cat,dog", ("c{k}.jpg,yes,no", "d{k}.jpg,no,yes"), "a column a class"),
    "one-hot, crosses": ("image,cat,dog", ("c{k}.jpg,x,", "d{k}.jpg,,x"), "a column a class"),
    "one-hot, words": ("image,cat,dog", ("c{k}.jpg,True,False", "d{k}.jpg,False,True"), "a column a class"),
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
            "are the folders of the files" in str(note) for note in found.notes
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
    assert any(
        "parts (train, validation, test) are those of" in str(note) for note in found.notes
    ) and found.classes == ("cat", "dog")
    assert summed(scan(root, hints=Hints(split_column="none"))) == {"": {"cat": 8, "dog": 8}}
    if ending == "txt":
        tabled(root, "", *train, "cat/e1.jpg", name="train.txt")
        assert scan(root).left_out == [("cat/e1.jpg", "the table puts it into two parts")]


def test_a_list_of_names_alone_is_no_table(tmp_path: Path) -> None:
    root = tabled(
        made(tmp_path / "data", "cat_{1..4}.jpg", "dog_{1..4}.jpg"), "", "cat_{k}.jpg", "dog_{k}.jpg", name="list.txt"
    )
    assert summed(scan(root)) == {"": TWO}


PLACES: dict[str, tuple[tuple[str, ...], tuple[str, ...], str]] = {
    "masks of the same names": (("images/c{1..4}.png", "images/d{1..4}.png", "masks/c{1..4}.png", "masks/d{1..4}.png"), ("c{k},cat", "d{k},dog"), "images"),
    "thumbs of the same names": (("img/c{1..4}.png", "img/d{1..4}.png", "thumbs/c{1..4}.png", "thumbs/d{1..4}.png"), ("c{k}.png,cat", "d{k}.png,dog"), "img"),
    "masks of a part": (("train/images/c{1..4}.png", "train/images/d{1..4}.png", "train/masks/c{1..4}.png", "train/masks/d{1..4}.png"), ("c{k},cat", "d{k},dog"), "train/images"),
    "a test of the same names": (("images/c{1..4}.png", "images/d{1..4}.png", "test/c{1..4}.png", "test/d{1..4}.png"), ("c{k},cat", "d{k},dog"), "images"),
    "a training of the same names": (("train/c{1..4}.png", "train/d{1..4}.png", "test/c{1..4}.png", "test/d{1..3}.png"), ("c{k},cat", "d{k},dog"), "train"),
    "half are missing": (("img/c{1..4}.png", "img/d{1..4}.png"), ("c{k}.png,cat", "d{k}.png,dog", "x{k}.png,cat", "y{k}.png,dog"), "img"),
    "composed on disk": (("img/é{1..4}.png", "img/ö{1..4}.png"), ("e\u0301{k}.png,cat", "o\u0308{k}.png,dog"), "img"),
    "composed in the table": (("img/e\u0301{1..4}.png", "img/o\u0308{1..4}.png"), ("é{k}.png,cat", "ö{k}.png,dog"), "img"),
    "numbers with a point": (("img/{1..4}.png", "img/1{1..4}.png"), ("{k}.0,cat", "1{k}.0,dog"), "img"),
    "numbers without zeros": (("img/000{1..4}.png", "img/001{1..4}.png"), ("{k},cat", "1{k},dog"), "img"),
}  # fmt: skip


@pytest.mark.parametrize("name", PLACES)
@pytest.mark.parametrize("table", ["labels.csv", "csv/labels.csv"])
def test_which_file_a_cell_means(tmp_path: Path, name: str, table: str) -> None:
    pictures, rows, folder = PLACES[name]
    root = made(tmp_path / "data", *pictures)
    tabled((root / table).parent, "id,label", *rows)
    found = scan(root)
    assert summed(found)[""] == TWO and {str(Path(file).parent) for file in found.images.names} == {folder}


def test_a_list_of_classes_beside_the_table_is_none(tmp_path: Path) -> None:
    root = tabled(made(tmp_path / "data", "img/000{1..4}.jpg", "img/001{1..4}.jpg"), "id,label", "{k},cat", "1{k},dog")
    (root / "classes.csv").write_text("id,label\n1,cat\n2,dog\n")
    assert summed(scan(root)) == {"": TWO}


def test_a_file_that_is_not_found_is_told_as_it_is(tmp_path: Path) -> None:
    root = made(tmp_path / "data", "a/c{1..4}.jpg", "b/c{1..4}.jpg", "a/d1.jpg")
    rows = [f"x{k}.jpg,{label}" for k in range(20) for label in ("cat", "dog")]
    (root / "labels.csv").write_text("\n".join(["file,label", *rows, "d1.jpg,cat"]))
    with pytest.raises(LimpideError) as told:
        scan(root / "labels.csv")
    assert told.value.code == "L297" and "such as a/d1.jpg: its column file says x0.jpg first" in str(told.value)


def test_of_two_files_of_one_name_neither_is_meant(tmp_path: Path) -> None:
    root = tabled(
        made(tmp_path / "data", "a/c{1..4}.jpg", "b/c{1..4}.jpg"), "file,label", "c{k}.jpg,cat", "d{k}.jpg,dog"
    )
    with pytest.raises(LimpideError) as told:
        scan(root / "labels.csv")
    assert (
        told.value.code == "L296"
        and "there are a/c1.jpg, b/c1.jpg" in str(told.value)
        and "file, label" in str(told.value)
    )


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
        "it names 2 of the 8 images",
    ),
    "another property": ("exif.csv", "file,quality", ("cat/c{k}.jpg,low", "dog/d{k}.jpg,high"), "--label-column NAME"),
    "what was predicted": (
        "predictions.csv",
        "file,class,probability",
        ("cat/c{k}.jpg,dog,0.9", "dog/d{k}.jpg,cat,0.8"),
        "name it instead of the folder",
    ),
    "inside a class": ("cat/labels.csv", "file,label", ("c1.jpg,tabby", "c2.jpg,tom"), "it names 2 of the 8 images"),
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


def test_a_group_column_with_one_value_says_nothing(tmp_path: Path) -> None:
    root = tabled(
        made(tmp_path / "data", "c{1..4}.jpg", "d{1..4}.jpg"),
        "file,label,site",
        "c{k}.jpg,cat,here",
        "d{k}.jpg,dog,here",
    )
    found = scan(root)
    assert found.groups is None and any("column site has one value" in str(note) for note in found.notes)


# -- words


def test_words_of_a_name() -> None:
    assert words("TrainImages_2017 Évaluation") == ("train", "images", "2017", "evaluation")
    assert [part_of(name) for name in ("hold-out", "x_train", "trainset", "invalid", "my val")] == [
        ("test", ()),
        ("train", ()),
        ("train", ()),
        None,
        ("validation", ("my",)),
    ]
    assert parts_of(["train", "test"]) and not parts_of(["train", "car"]) and not parts_of([])
    assert (
        says_group("camera2")
        and says_group("2021-03")
        and not says_group("camera")
        and not says_group("cat")
        and not says_group("7")
    )


def test_the_labels_of_a_large_table_are_read_quickly(tmp_path: Path) -> None:
    """Looking for several labels in a cell is about the distinct ones."""
    root = made(tmp_path / "data", "c{1..4}.jpg")
    lines = "\n".join(f"c{k % 4 + 1}.jpg,label {k % 50} of many" for k in range(20_000))
    (root / "labels.csv").write_text(f"file,label\n{lines}\n")
    with pytest.raises(LimpideError) as told:
        scan(root)
    assert told.value.code == "L291", "each file has many labels"
