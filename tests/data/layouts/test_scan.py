"""A folder as people have it → which files, which class, which part."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from limpide.core.errors import DataError
from limpide.data.dataset import PARTS, FileImages
from limpide.data.decoding.decode import Undecodable
from limpide.data.layouts.scan import scan


def folder(root: Path, *names: str) -> Path:
    for name in names:
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"not looked at")
    return root


def seen(root: Path) -> list[tuple[str, str, str]]:
    dataset = scan(str(root))
    return [
        (dataset.images.names[i], dataset.classes[dataset.labels[i]], PARTS[dataset.given[i]])
        for i in range(len(dataset))
    ]


def told(location: str | Path) -> DataError:
    with pytest.raises(DataError) as error:
        scan(location)
    assert len(str(error.value).splitlines()) == 1
    return error.value


def test_a_folder_a_class(tmp_path: Path) -> None:
    root = folder(tmp_path / "pets", "dog/2.jpg", "cat/b/3.PNG", "cat/1", "dog/10.jpg")
    assert seen(root) == [
        ("cat/1", "cat", ""),
        ("cat/b/3.PNG", "cat", ""),
        ("dog/10.jpg", "dog", ""),
        ("dog/2.jpg", "dog", ""),
    ]
    dataset = scan(root)
    assert (dataset.name, dataset.location, dataset.classes, dataset.labels.dtype) == (
        "pets",
        str(root.resolve()),
        ("cat", "dog"),
        np.int32,
    )


@pytest.mark.parametrize(
    ("given", "called"),
    [
        ("ants_bees/train", "ants_bees"),
        ("ants_bees/images/Train_2024", "ants_bees"),
        ("ants_bees/data", "ants_bees"),
        ("pets/training shoes", "training shoes"),
        ("pets/photos", "photos"),
        ("me/dataset", "dataset"),  # a home is about nothing
        ("ants_bees/data/labels.csv", "ants_bees"),
        ("ants_bees/bees.csv", "bees"),
    ],
)
def test_a_name_that_says_nothing_gives_way_to_the_folder_around_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, called: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    place = tmp_path / given
    root = folder(place.parent if place.suffix else place, "cat/1.jpg", "dog/2.jpg")
    if place.suffix:
        place.write_text("file,label\ncat/1.jpg,cat\ndog/2.jpg,dog\n")
    assert scan(place).name == called and root.exists()


@pytest.mark.parametrize(
    ("train", "validation", "test"),
    [("train", "val", "test"), ("Training", "VALID", "testing"), ("train", "validation", "Test")],
)
def test_parts(tmp_path: Path, train: str, validation: str, test: str) -> None:
    root = folder(tmp_path, f"{train}/cat/1", f"{train}/dog/1", f"{validation}/cat/2", f"{test}/dog/x/3")
    assert {(label, part) for _, label, part in seen(root)} == {
        ("cat", "train"),
        ("dog", "train"),
        ("cat", "validation"),
        ("dog", "test"),
    }


@pytest.mark.parametrize("held_out", ["val", "validation", "test", "valid"])
def test_of_two_parts_the_one_held_out_is_the_test(tmp_path: Path, held_out: str) -> None:
    root = folder(tmp_path, "train/cat/1", "train/dog/1", f"{held_out}/cat/2", f"{held_out}/dog/2")
    assert {part for _, _, part in seen(root)} == {"train", "test"}


@pytest.mark.parametrize("beside", ["README.md", "labels.csv", "data.yaml", "LICENSE"])
def test_a_file_beside_the_parts_changes_nothing(tmp_path: Path, beside: str) -> None:
    root = folder(tmp_path, beside, "train/cat/1", "train/dog/1", "test/cat/2", "test/dog/2")
    assert scan(root).classes == ("cat", "dog") and {part for _, _, part in seen(root)} == {"train", "test"}


def test_a_class_that_only_looks_like_a_part(tmp_path: Path) -> None:
    """Toy trains, and no other part: the folders are classes."""
    root = folder(tmp_path, "train/1", "car/1", "plane/2")
    assert scan(root).classes == ("car", "plane", "train")


def test_a_file_beside_the_classes_is_passed_over(tmp_path: Path) -> None:
    assert [name for name, _, _ in seen(folder(tmp_path, "README.txt", "cat/1", "dog/1"))] == ["cat/1", "dog/1"]


@pytest.mark.parametrize(
    "junk",
    [
        ".ipynb_checkpoints/1.jpg",
        "__MACOSX/cat/1.jpg",
        "cat/.DS_Store",
        "cat/._1.jpg",
        "cat/Thumbs.db",
        "dog/desktop.ini",
        ".git/x/y",
    ],
)
def test_what_systems_leave_behind_is_ignored(tmp_path: Path, junk: str) -> None:
    root = folder(tmp_path, "cat/1", "dog/1", junk)
    assert [name for name, _, _ in seen(root)] == ["cat/1", "dog/1"]


def test_upper_and_lower_case_are_two_classes(tmp_path: Path) -> None:
    assert scan(folder(tmp_path, "Cat/1", "cat/1")).classes == ("Cat", "cat")


def test_the_order_is_the_same_on_every_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = folder(tmp_path, *(f"{label}/{k}" for label in "abc" for k in range(9)))
    before, walk = seen(root), os.walk

    def backwards(top: Path, **options: Any) -> Any:
        for where, folders, names in walk(top, **options):
            folders.sort(reverse=True)
            yield where, folders, sorted(names, reverse=True)

    monkeypatch.setattr(os, "walk", backwards)
    assert seen(root) == before


# -- nothing to learn from


def test_empty_and_flat(tmp_path: Path) -> None:
    assert told(tmp_path).code == "L233" and "no files" in str(told(tmp_path))
    folder(tmp_path, "1.jpg", "2.jpg")
    assert told(tmp_path).code == "L203" and "class folders" in str(told(tmp_path))
    folder(tmp_path / "parted", "train/1.jpg", "val/2.jpg")
    assert told(tmp_path / "parted").code == "L203"
    (tmp_path / "folders" / "cat").mkdir(parents=True)
    assert told(tmp_path / "folders").code == "L233"


def test_one_class(tmp_path: Path) -> None:
    error = told(folder(tmp_path, "cat/1", "cat/2"))
    assert error.code == "L204" and "cat" in str(error)


def test_a_file(tmp_path: Path) -> None:
    assert told(folder(tmp_path, "1.jpg") / "1.jpg").code == "L201"


def test_a_missing_path_is_answered_with_the_nearest(tmp_path: Path) -> None:
    folder(tmp_path, "photos/cat/1")
    error = told(tmp_path / "photo")
    assert error.code == "L202" and f"did you mean {tmp_path / 'photos'}?" in str(error)
    assert "did you mean mnist?" in str(told("minst"))
    assert "did you mean digits?" in str(told("Digits"))
    assert "one of the data sets mnist, fashion_mnist, cifar10, digits" in str(told("/nowhere/at/all"))


@pytest.mark.parametrize("name", ["a" * 5000, "a\0b", "", "~nobody-of-this-name/x", "\n\x1b[31m"])
def test_no_path_is_a_traceback(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert told(name).code in ("L202", "L203", "L233")


def test_a_home_folder_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder(tmp_path, "photos/cat/1", "photos/dog/1")))
    assert scan("~/photos").location == str(tmp_path / "photos")


# -- hostile folders


def test_a_loop_of_links_ends(tmp_path: Path) -> None:
    root = folder(tmp_path, "cat/1", "dog/1")
    (root / "cat" / "up").symlink_to(root, target_is_directory=True)
    (root / "cat" / "self").symlink_to("self")
    assert [name for name, _, _ in seen(root)] == ["cat/1", "dog/1"]


def test_a_class_may_be_a_link_to_a_folder_elsewhere(tmp_path: Path) -> None:
    folder(tmp_path / "elsewhere", "1", "deep/2")
    root = folder(tmp_path / "root", "dog/1")
    (root / "cat").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert [name for name, _, _ in seen(root)] == ["cat/1", "cat/deep/2", "dog/1"]


def test_runs_kept_beside_the_images_are_no_class(tmp_path: Path) -> None:
    root = folder(tmp_path, "cat/1", "dog/1", "runs/photos-001/run.json", "runs/photos-001/report.html")
    assert [name for name, _, _ in seen(root)] == ["cat/1", "dog/1"]


def test_a_link_to_a_file_counts_and_a_dangling_one_does_not(tmp_path: Path) -> None:
    root = folder(tmp_path / "root", "cat/1", "dog/1")
    folder(tmp_path, "elsewhere.jpg")
    (root / "cat" / "2").symlink_to(tmp_path / "elsewhere.jpg")
    (root / "cat" / "3").symlink_to(tmp_path / "gone.jpg")
    assert [name for name, _, _ in seen(root)] == ["cat/1", "cat/2", "dog/1"]


def test_pipes_sockets_and_devices_are_not_opened(tmp_path: Path) -> None:
    root = folder(tmp_path, "cat/1", "dog/1")
    os.mkfifo(root / "cat" / "pipe.jpg")
    (root / "cat" / "zero.jpg").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(root / "dog" / "s.jpg"))
        assert [name for name, _, _ in seen(root)] == ["cat/1", "dog/1"]


def test_a_file_that_became_a_pipe_since_is_unreadable_not_endless(tmp_path: Path) -> None:
    root = folder(tmp_path, "cat/1", "dog/1")
    images = scan(root).images
    (root / "cat" / "1").unlink()
    (root / "cat" / "1").mkdir()
    with pytest.raises(Undecodable):
        images.bytes(0)
    (root / "dog" / "1").unlink()
    with pytest.raises(Undecodable):
        images.bytes(1)


@pytest.mark.parametrize("name", ["a\nb", "<script>", "{n:count}", "猫🐈", "'; DROP", " ", "-rf", 'a,b"c', "[red]"])
def test_names_are_only_names(tmp_path: Path, name: str) -> None:
    root = folder(tmp_path, f"{name}/{name}.jpg", "dog/1")
    assert (f"{name}/{name}.jpg", name, "") in seen(root)


def test_names_that_are_not_utf_8(tmp_path: Path) -> None:
    raw = os.fsencode(tmp_path) + b"/caf\xe9"
    Path(os.fsdecode(raw)).mkdir()
    with open(raw + b"/\xff\xfe.jpg", "wb") as stream:
        stream.write(b"x")
    root = folder(tmp_path, "dog/1")
    dataset = scan(root)
    assert dataset.classes == (os.fsdecode(b"caf\xe9"), "dog") and dataset.images.bytes(0) == b"x"
    assert len(dataset.fingerprint) == 64


def test_the_fingerprint_changes_with_every_change(tmp_path: Path) -> None:
    root = folder(tmp_path, "cat/1", "cat/2", "dog/1")
    prints = [scan(root).fingerprint]
    assert scan(root).fingerprint == prints[0]
    (root / "cat" / "1").write_bytes(b"another length")
    prints.append(scan(root).fingerprint)
    os.utime(root / "cat" / "1", ns=(1, 1))
    prints.append(scan(root).fingerprint)
    (root / "cat" / "2").rename(root / "cat" / "3")
    prints.append(scan(root).fingerprint)
    (root / "cat" / "3").rename(root / "dog" / "3")
    prints.append(scan(root).fingerprint)
    (root / "dog" / "3").unlink()
    prints.append(scan(root).fingerprint)
    assert len(set(prints)) == len(prints)


def test_a_data_set_by_name_comes_after_a_folder_of_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert scan("digits").location == "digits"
    folder(tmp_path, "digits/cat/1", "digits/dog/1")
    dataset = scan("digits")
    assert dataset.classes == ("cat", "dog") and isinstance(dataset.images, FileImages)
