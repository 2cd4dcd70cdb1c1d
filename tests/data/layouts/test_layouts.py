"""The ways in which people keep images: each is recognised, told in one sentence, and gives the same data set."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from limpide.core.errors import DataError
from limpide.data.layouts.hints import Hints
from limpide.data.layouts.ignored_files import NOT_A_PICTURE, UNLABELED_IMAGES, WITHOUT_PICTURES, Ignored
from limpide.data.layouts.scan import scan
from tests.data.layouts.photo_layouts import (
    FREE,
    PARTED,
    Rows,
    move,
    parquet,
    part,
    picture,
    pixels,
    rows,
    table,
    tarred,
    told,
    zipped,
)

LAYOUTS: dict[str, tuple[Callable[[Path], Path], Rows, str]] = {
    "one folder per class": (lambda p: p, FREE, "layout: one folder per class"),
    "folders in class folders": (
        lambda p: move(p, lambda c, k: f"{c}/day{k % 2}/{k}.png"),
        FREE,
        "layout: one folder per class",
    ),
    "wrapped": (
        lambda p: move(p, lambda c, k: f"download/data/{c}/{k}.png"),
        FREE,
        "layout: one folder per class, below download/data",
    ),
    "parts with classes": (
        lambda p: move(p, lambda c, k: f"{part(k)}/{c}/{k}.png"),
        PARTED,
        "layout: one folder per part, with one subfolder per class",
    ),
    "classes with parts": (
        lambda p: move(p, lambda c, k: f"{c}/{part(k)}/{k}.png"),
        PARTED,
        "layout: one folder per class, with one subfolder per part",
    ),
    "classes in names": (
        lambda p: move(p, lambda c, k: f"{c}_{k:03d}.png"),
        FREE,
        "layout: the class is in the file name: disc_000.png is disc",
    ),
    "parts, classes in names": (
        lambda p: move(p, lambda c, k: f"{part(k)}/{c}.{k}.png"),
        PARTED,
        "layout: the class is in the file name: disc.3.png is disc",
    ),
    "csv": (
        lambda p: table(p, "file,label", lambda f, c, k: f"{f},{c}"),
        FREE,
        "layout: a table with files in column file",
    ),
    "csv with parts": (
        lambda p: table(p, "path,class,split", lambda f, c, k: f"{f},{c},{part(k)}"),
        PARTED,
        "come from column split",
    ),
    "csv with groups": (
        lambda p: table(p, "file,label,patient_id", lambda f, c, k: f"{f},{c},p{k}"),
        FREE,
        "the same patient_id",
    ),
    "a folder with its table": (
        lambda p: table(move(p, lambda c, k: f"{c}{k}x.png"), "file,label", lambda f, c, k: "").parent,
        FREE,
        "",
    ),
    "tsv": (lambda p: table(p, "file\tlabel", lambda f, c, k: f"{f}\t{c}", "labels.tsv"), FREE, "layout: a table"),
    "semicolons": (lambda p: table(p, "file;label", lambda f, c, k: f"{f};{c}"), FREE, "layout: a table"),
    "byte order mark": (
        lambda p: table(p, "file,label", lambda f, c, k: f"{f},{c}", encoding="utf-8-sig"),
        FREE,
        "layout: a table",
    ),
    "UTF-16, as spreadsheets save it": (
        lambda p: table(p, "file\tlabel", lambda f, c, k: f"{f}\t{c}", encoding="utf-16"),
        FREE,
        "layout: a table",
    ),
    "a line that names the separator": (
        lambda p: table(p, "sep=;\nfile;label", lambda f, c, k: f"{f};{c}"),
        FREE,
        "layout: a table",
    ),
    "a tab named as separator": (
        lambda p: table(p, "sep=\t\n\nfile\tlabel", lambda f, c, k: f"{f}\t{c}"),
        FREE,
        "layout: a table",
    ),
    "empty cells before the names": (
        lambda p: table(p, ",,,\nfile;label", lambda f, c, k: f"{f};{c}"),
        FREE,
        "layout: a table",
    ),
    "empty lines before the names": (
        lambda p: table(p, "\n\nfile,label", lambda f, c, k: f"{f},{c}"),
        FREE,
        "layout: a table",
    ),
    "csv with folds": (
        lambda p: table(p, "file,label,fold", lambda f, c, k: f"{f},{c},{k}"),
        FREE,
        "column fold holds cross-validation folds",
    ),
    "parquet": (parquet, FREE, "layout: a table"),
    "zip": (zipped, FREE, "layout: one folder per class"),
    "zip, wrapped": (lambda p: zipped(p, "my photos/"), FREE, "layout: one folder per class, below my photos"),
    **{
        suffix: (lambda p, s=suffix: tarred(p, s), FREE, "layout: one folder per class, below photos")
        for suffix in (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
    },
}
del LAYOUTS["a folder with its table"]


@pytest.mark.parametrize("name", LAYOUTS)
def test_layouts(photos: Path, name: str) -> None:
    arrange, expected, says = LAYOUTS[name]
    before = pixels(scan(photos))
    dataset = scan(arrange(photos))
    assert dataset.classes == ("disc", "square") and rows(dataset) == expected
    assert pixels(dataset) == before and len(dataset.fingerprint) == 64
    assert says in " · ".join(map(str, dataset.notes))


def test_a_folder_with_its_table_beside_the_images(photos: Path) -> None:
    flat = move(photos, lambda c, k: f"{'a' if c == 'disc' else 'b'}{k}x.png")
    lines = [f"{file.name},{'disc' if file.name[0] == 'a' else 'square'}" for file in sorted(flat.glob("*.png"))]
    (flat / "labels.csv").write_text("\n".join(["image,label", *lines]))
    dataset = scan(flat)
    assert rows(dataset) == FREE and "files in column image" in str(dataset.notes[0])


def test_camera_names_are_no_classes(tmp_path: Path) -> None:
    for name in ("IMG_001.jpg", "IMG_002.jpg", "DSC_001.jpg", "DSC_002.jpg"):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(DataError) as told:
        scan(tmp_path)
    assert told.value.code == "L203"


def test_class_folders_without_a_file_are_told(photos: Path) -> None:
    """Case 32."""
    (photos / "bars").mkdir()
    dataset = scan(photos)
    assert dataset.classes == ("disc", "square") and Ignored("bars", 0, WITHOUT_PICTURES) in dataset.ignored


def test_pictures_without_a_class_are_left_out_and_listed(photos: Path) -> None:
    """The way competitions are handed out: train/cat/1.png beside test/1.png."""
    (photos / "train").mkdir()
    for folder in ("disc", "square"):
        (photos / folder).rename(photos / "train" / folder)
    (photos / "test").mkdir()
    (photos / "test" / "1.png").write_bytes(picture(1))
    (photos / "read me.txt").write_text("about these photographs")
    dataset = scan(photos)
    waiting = Ignored("test", 1, UNLABELED_IMAGES)
    assert (
        len(dataset) == 8
        and dataset.left_out == []
        and waiting in dataset.ignored
        and Ignored(".txt", 1, NOT_A_PICTURE) in dataset.ignored
    )
    packed = photos.parent / "packed.zip"
    with zipfile.ZipFile(packed, "w") as made:
        for file in sorted(photos.rglob("*.*")):
            made.write(file, file.relative_to(photos))
    assert scan(packed).left_out == [] and waiting in scan(packed).ignored


def test_a_stray_file_does_not_hide_the_parts_of_the_user(photos: Path) -> None:
    root = move(photos, lambda c, k: f"{c}/{part(k)}/{k}.png")
    (root / "disc" / "readme.txt").write_text("hello")
    assert rows(scan(root)) == PARTED


def test_parts_beside_other_folders_are_refused_and_not_learned_as_classes(photos: Path) -> None:
    root = move(photos, lambda c, k: f"{part(k)}/{c}/{k}.png")
    (root / "more").mkdir()
    (root / "more" / "1.png").write_bytes(b"x")
    assert told(root).code == "L236" and "more" in str(told(root))


def test_group_columns_of_a_folder_are_a_mistake(photos: Path) -> None:
    assert told(photos, hints=Hints(groups="patient")).code == "L119"


def test_a_class_is_named_by_its_folder_and_not_by_a_link_to_it(photos: Path) -> None:
    (photos / "alias").symlink_to(photos / "square", target_is_directory=True)
    assert scan(photos).classes == ("disc", "square")


def test_a_picture_with_a_group_and_no_class_is_left_out(tmp_path: Path) -> None:
    """x/s2/2.jpg lies in a folder that groups, and in none that is a class."""
    for name in ("g2/dog/cat/2.jpg", "g2/exam/s1/7.jpg", "x/dog/s1/3.jpg", "x/s2/2.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"never decoded")
    found = scan(str(tmp_path), hints=Hints(parts="exam=test"))
    assert [name for name, _ in found.left_out] == ["x/s2/2.jpg"] and found.classes == ("cat", "s1")
