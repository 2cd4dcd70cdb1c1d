"""Folders as people unpack them: what is a class, a part, a group, and what is passed over. Nothing is decoded."""

from __future__ import annotations

import shutil
import unicodedata
from pathlib import Path

import pytest

from limpide.core.errors import LimpideError
from limpide.data.layouts.hints import Hints
from limpide.data.layouts.name_words import part_of, parts_of, says_group, words
from limpide.data.layouts.scan import scan
from tests.data.layouts.make_layouts import JPEG, TWO, XML, grouped, made, summed

PARTED, UNPARTED = {"train": TWO, "test": TWO}, {"": TWO}
TESTED_CATS = {"train": TWO, "test": {"cat": 4}}

# How people arrange images: the files, as `made` expands them, and the images of each class in each part.
FOLDERS: dict[str, tuple[tuple[str, ...], dict[str, dict[str, int]]]] = {
    "train_set": (("{train,test}_set/{cat,dog}/{1..4}.jpg",), PARTED),
    "twice": (("seg_train/seg_train/{cat,dog}/{1..4}.jpg", "seg_test/seg_test/{cat,dog}/{1..4}.jpg"), PARTED),
    "training-data": (("{training,evaluation}-data/cat/{1..4}.jpg", "training-data/dog/{1..4}.jpg"), TESTED_CATS),
    "year": (
        ("{train2017,val2017}/cat/{1..4}.jpg", "{train2017,test2017}/dog/{1..4}.jpg"),
        {"train": TWO, "validation": {"cat": 4}, "test": {"dog": 4}},
    ),
    "hold_out": (("Train/{cat,dog}/{1..4}.jpg", "Hold Out/cat/{1..4}.jpg"), TESTED_CATS),
    "french": (("{apprentissage,évaluation}/cat/{1..4}.jpg", "apprentissage/dog/{1..4}.jpg"), TESTED_CATS),
    "wrapped": (("x/data/{train,test}/cat/{1..4}.jpg", "x/data/train/dog/{1..4}.jpg", "x/readme.md"), TESTED_CATS),
    "images in parts": (("{train,test}/images/cat/{1..4}.jpg", "train/images/dog/{1..4}.jpg"), TESTED_CATS),
    "class and part": (("{cat,dog}_{train,test}/{1..4}.jpg",), PARTED),
    "class and part, as written": (
        ("Écureuil 1-{train,test}/{1..4}.jpg", "Big Cat-{train,test}/{1..4}.jpg"),
        {"train": {"Écureuil 1": 4, "Big Cat": 4}, "test": {"Écureuil 1": 4, "Big Cat": 4}},
    ),
    "numbers with parts": (("{1,2}_{train,test}/{1..4}.jpg",), {"train": {"1": 4, "2": 4}, "test": {"1": 4, "2": 4}}),
    "tests that are classes": (("{test1,test2}/{1..4}.jpg",), {"": {"test1": 4, "test2": 4}}),
    "things in things": (
        ("office/{phone,camera}/{1..4}.jpg", "home/person/{1..4}.jpg"),
        {"": {"office": 8, "home": 4}},
    ),
    "part in class": (("{cat,dog}/{train,test}/{1..4}.jpg",), PARTED),
    "class in name, unnamed test": (("train/{cat,dog}.{1..4}.jpg", "test1/{1..9}.jpg"), {"train": TWO}),
    "number before the class": (("{1..4}_{cat,dog}.jpg",), UNPARTED),
    "underscores in names": (
        (
            "images/big_cat_{1..4}.jpg",
            "images/dog_{1..4}.jpg",
            "annotations/trimaps/big_cat_{1..4}.png",
            "annotations/trimaps/dog_{1..4}.png",
        ),
        {"": {"big_cat": 4, "dog": 4}},
    ),
    "annotations": (("Images/{cat,dog}/{1..4}.jpg", "Annotation/{cat,dog}/{1..4}"), UNPARTED),
    "lists beside": (("images/{cat,dog}/{1..4}.jpg", "parts/locs.txt", "attributes/a.txt", "classes.txt"), UNPARTED),
    "masks beside images": (("images/{cat,dog}/{1..4}.jpg", "masks/{cat,dog}/{1..4}.png"), UNPARTED),
    "masks in classes": (("{cat,dog}/{images,masks}/{1..4}.png",), UNPARTED),
    "masks beside each": (
        ("cat/cat ({1..4}).png", "cat/cat ({1..4})_mask.png", "dog/dog ({1..4}).png", "dog/dog ({1..4})_mask.png"),
        UNPARTED,
    ),
    "masks of all classes": (("{cat,masks}/c{1..4}.png", "{dog,masks}/d{1..4}.png"), UNPARTED),
    "ground truth": (
        (
            "b/train/good/{1..4}.png",
            "b/test/good/x{1..4}.png",
            "b/test/hole/{1..4}.png",
            "b/ground_truth/hole/{1..4}_mask.png",
        ),
        {"train": {"good": 4}, "test": {"good": 4, "hole": 4}},
    ),
    "thumbnails": (("{cat,thumbnails}/c{1..4}.jpg", "dog/d{1..4}.jpg", "thumbnails/d1.jpg"), UNPARTED),
    "thumbs in classes": (("{cat,dog}/{1..4}.jpg", "{cat,dog}/thumbs/{1..4}.jpg"), UNPARTED),
    "wearing masks": (("mask/{1..4}.jpg", "no mask/{1..4}.jpg"), {"": {"mask": 4, "no mask": 4}}),
    "three with masks": (
        ("{mask,wrong}/{1..4}.jpg", "no mask/{1..4}.jpg"),
        {"": {"mask": 4, "no mask": 4, "wrong": 4}},
    ),
    "small and large": (("{small,large}/{1..4}.jpg",), {"": {"small": 4, "large": 4}}),
    "valid is a class": (("{valid,invalid}/{1..4}.jpg",), {"": {"valid": 4, "invalid": 4}}),
    "tests are classes": (("test {positive,negative}/{1..4}.jpg",), {"": {"test positive": 4, "test negative": 4}}),
    "a test tube": (("test tube/{1..4}.jpg", "training shoe/{1..4}.jpg"), {"": {"test tube": 4, "training shoe": 4}}),
    "systems": (
        (
            "{cat,dog}/{1..4}.jpg",
            "System Volume Information/a.jpg",
            "FOUND.000/b.jpg",
            "@eaDir/c.jpg",
            "#recycle/d.jpg",
        ),
        UNPARTED,
    ),
    "waste": (("{Trash,glass,recycled}/{1..4}.jpg",), {"": {"Trash": 4, "glass": 4, "recycled": 4}}),
    "an environment": (
        ("{cat,dog}/{1..4}.jpg", "venv/pyvenv.cfg", "venv/lib/back.jpg", ".trash/a.jpg", "$RECYCLE.BIN/b.jpg"),
        UNPARTED,
    ),
    "classes beside a test": (
        ("cat/c{1..4}.jpg", "dog/d{1..4}.jpg", "test/{cat,dog}/{1..2}.jpg"),
        {"train": TWO, "test": {"cat": 2, "dog": 2}},
    ),
    "classes beside a validation": (
        ("cat/c{1..4}.jpg", "dog/d{1..4}.jpg", "val/dog/{1..2}.jpg"),
        {"train": TWO, "test": {"dog": 2}},
    ),
    "one folder beside a test": (
        ("animals/cat/c{1..4}.jpg", "animals/dog/d{1..4}.jpg", "test/{cat,dog}/{1..4}.jpg"),
        PARTED,
    ),
    "classes beside an unnamed test": (("cat/c{1..4}.jpg", "dog/d{1..4}.jpg", "test/{1..6}.jpg"), UNPARTED),
    "labeled and unlabeled": (("labeled/cat/c{1..4}.jpg", "labeled/dog/d{1..4}.jpg", "unlabeled/{1..9}.jpg"), UNPARTED),
    "a train is a vehicle": (("{train,bus,car,valid}/{1..4}.jpg",), {"": {"train": 4, "bus": 4, "car": 4, "valid": 4}}),
    "parts in domains": (("photo/train/{cat,dog}/{1..4}.jpg", "sketch/test/{cat,dog}/{1..4}.jpg"), PARTED),
    "parts in folds": (
        ("{fold1,fold2}/train/{cat,dog}/{1..2}.jpg", "{fold1,fold2}/test/cat/3.jpg"),
        {"train": TWO, "test": {"cat": 2}},
    ),
    "one class to train on in domains": (
        ("{bottle,cable}/train/good/{1..4}.jpg", "{bottle,cable}/test/{good,bad}/1.jpg"),
        {"train": {"bottle": 4, "cable": 4}, "test": {"bottle": 2, "cable": 2}},
    ),
    "a deeper test": (
        ("train/{cat,dog}/{1..4}.jpg", "test/{easy,hard}/cat/{1..2}.jpg", "test/easy/dog/{1..4}.jpg"),
        PARTED,
    ),
    "a deeper train": (
        ("train/real/cat/{1..4}.jpg", "train/synthetic/dog/{1..4}.jpg", "test/{cat,dog}/{1..4}.jpg"),
        PARTED,
    ),
    "a class and part lacks": (("{cat,dog}_train/{1..4}.jpg", "cat_test/{1..4}.jpg", "plots/a.jpg"), TESTED_CATS),
    "class and part, deeper": (("{cat,dog}_{train,test}/images/{1..4}.jpg",), PARTED),
    "one camera a class": (("cam1/cat/{1..4}.jpg", "cam2/dog/{1..4}.jpg"), UNPARTED),
    "names in batches": (("batch1/cat_{1..4}.jpg", "batch2/dog_{1..4}.jpg"), UNPARTED),
    "patients are classes": (("{patient1,patient2}/{1..4}.jpg",), {"": {"patient1": 4, "patient2": 4}}),
    "altered copies": (
        ("cat/c{1..4}.jpg", "dog/d{1..4}.jpg", "augmented/{cat,dog}/{1..4}.jpg", "cat_aug/{1..9}.jpg"),
        UNPARTED,
    ),
    "originals and altered copies": (("{original,augmented}/{cat,dog}/{1..4}.jpg",), UNPARTED),
    "more of the same": (("cat/c{1..3}.jpg", "dog/d{1..3}.jpg", "more/cat/e.jpg", "more/dog/f.jpg"), UNPARTED),
    "work beside classes": (
        ("cat/c{1..4}.jpg", "dog/d{1..4}.jpg", "output/roc{1..9}.png", "figures/{1..2}.png"),
        UNPARTED,
    ),
    "figures are a class": (("{figures,tables,text}/{1..4}.jpg",), {"": {"figures": 4, "tables": 4, "text": 4}}),
    "work beside parts": (
        (
            "{train,test}/cat/{1..4}.jpg",
            "train/dog/{1..4}.jpg",
            "single_prediction/{1..2}.jpg",
            "to_predict/3.jpg",
            "demo/{1..8}.jpg",
        ),
        TESTED_CATS,
    ),
    "a part in another word": (("{train,valdiation}/{cat,dog}/{1..4}.jpg",), PARTED),
    "parts in each domain": (
        (
            "{photo,sketch}/train/cat/{1..2}.jpg",
            "photo/train/dog/{1..4}.jpg",
            "photo/test/cat/{1..4}.jpg",
            "sketch/test/dog/{1..4}.jpg",
        ),
        PARTED,
    ),
    "part and class in names": (("{train,test}_{cat,dog}_{1..4}.jpg",), PARTED),
    "class and part in names": (("{cat,dog}_{train,test}_{1..4}.jpg",), PARTED),
    "vehicles in names": (("{train,bus}_{1..4}.jpg",), {"": {"train": 4, "bus": 4}}),
    "masks of each class": (("{cat,dog}/{1..4}.jpg", "{cat,dog}_masks/{1..4}.png"), UNPARTED),
    "masks in French": (("images/{cat,dog}/{1..4}.jpg", "masques/{cat,dog}/{1..4}.png"), UNPARTED),
    "masks before names": (("{cat,dog}/{1..4}.jpg", "cat/mask_{1..4}.jpg", "dog/mask_{1..4}.png"), UNPARTED),
    "depths after names": (("{cat,dog}/{1..4}.jpg", "cat/{1..4}_depth.jpg", "dog/{1..4}_superpixels.png"), UNPARTED),
    "thumbnails of a size": (("cat/c{1..4}.jpg", "dog/d{1..4}.jpg", "thumbs_100x100/{c,d}{1..4}.jpg"), UNPARTED),
    "segmented is a class": (("segmented/{1..4}.jpg", "whole/w{1..4}.jpg"), {"": {"segmented": 4, "whole": 4}}),
    "other languages": (("{Trainingsdaten,Testdaten}/cat/{1..4}.jpg", "Trainingsdaten/dog/{1..4}.jpg"), TESTED_CATS),
    "Portuguese": (
        ("{treinamento,validação}/cat/{1..4}.jpg", "{treinamento,teste}/dog/{1..4}.jpg"),
        {"train": TWO, "validation": {"cat": 4}, "test": {"dog": 4}},
    ),
    "Chinese": (("{训练集,测试集}/cat/{1..4}.jpg", "训练集/dog/{1..4}.jpg"), TESTED_CATS),
    "videos beside": (("{cat,dog}/{1..4}.jpg", "videos/a.mp4", "docs/b.pdf"), UNPARTED),
    "tiny imagenet": (
        (
            "train/n1/images/a{1..4}.JPEG",
            "train/n2/images/b{1..4}.JPEG",
            "val/images/v{1..4}.JPEG",
            "val/val_annotations.txt",
            "test/images/t{1..4}.JPEG",
        ),
        {"train": {"n1": 4, "n2": 4}},
    ),
    "unnamed test in a folder": (("train/{cat,dog}/{1..4}.jpg", "test/all/{1..4}.jpg"), {"train": TWO}),
}


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
        (("{camera1,camera2}/{ok,defect}/{1..4}.jpg",), ["camera1", "camera2"]),
        (("{amazon,dslr}/images/{ok,defect}/{1..4}.jpg",), ["amazon", "dslr"]),
        (("line {a,b}/ok/{1..4}.jpg", "line a/defect/{1..4}.jpg"), ["line a", "line b"]),
        (("ok/{patient1,patient2}/{1..4}.jpg", "defect/patient3/{1..4}.jpg"), ["patient1", "patient2", "patient3"]),
        (("{ok,defect}/session_{1,2}/{1..4}.jpg",), ["session_1", "session_2"]),
        (("{patient1,patient3}/ok/{1..4}.jpg", "patient2/defect/{1..4}.jpg"), ["patient1", "patient2", "patient3"]),
        (("2021-03-{01,03}/ok/{1..4}.jpg", "2021-03-02/defect/{1..4}.jpg"), ["2021-03-01", "2021-03-02", "2021-03-03"]),
        (("{batch1,batch2}/ok_{1..4}.jpg", "batch1/defect_{1..4}.jpg"), ["batch1", "batch2"]),
        (
            (
                "{photo,print}/train/ok/{1..4}.jpg",
                "photo/train/defect/{1..4}.jpg",
                "sketch/test/{ok,defect}/{1..4}.jpg",
            ),
            ["photo", "print", "sketch"],
        ),
        (("train/{cam1,cam2}/{ok,defect}/{1..4}.jpg", "test/cam3/{ok,defect}/1.jpg"), ["cam1", "cam2", "cam3"]),
    ],
)
def test_folders_that_are_no_parts_are_groups(tmp_path: Path, names: tuple[str, ...], groups: list[str]) -> None:
    found = scan(made(tmp_path / "data", *names))
    assert found.classes == ("defect", "ok") and found.grouped_by == "folder"
    numbers = grouped(found)
    places = {group: {number for name, number in numbers.items() if group in name.split("/")} for group in groups}
    assert all(len(some) == 1 for some in places.values()) and len(set.union(*places.values())) == len(groups)
    assert any("kept together" in str(note) for note in found.notes) or "train" in names[0] or "batch" in names[0]


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
        "subfolders are not told apart: animals contains cat, dog" in str(note) for note in found.notes
    )


def test_two_unicode_forms_of_a_name_are_one_class(tmp_path: Path) -> None:
    forms = [unicodedata.normalize(form, "écureuil") for form in ("NFC", "NFD")]
    found = scan(made(tmp_path / "data", f"{forms[0]}/{{1..4}}.jpg", f"{forms[1]}/b{{1..4}}.jpg", "dog/{1..4}.jpg"))
    assert found.classes == ("dog", forms[0]) and any(
        "differ only in their Unicode form" in str(note) for note in found.notes
    )


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
