"""Archives (case 55): nothing in them is trusted, and nothing is unpacked beside them."""

from __future__ import annotations

import errno
import io
import os
import tarfile
import zipfile
from pathlib import Path

import pytest

from limpide.data.decoding.decode import Undecodable
from limpide.data.layouts import archive
from limpide.data.layouts.scan import scan
from tests.data.layouts.photo_layouts import (
    FREE,
    picture,
    pixels,
    rows,
    tarred,
    told,
    zipped,
)


def member(name: str, data: bytes, **attributes: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    for key, value in attributes.items():
        setattr(info, key, value)
    return info


def test_members_that_are_not_to_be_trusted(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for k in range(3):
            made.writestr(f"a/{k}.png", picture(k))
            made.writestr(f"b/{k}.png", picture(k + 9))
        made.writestr("a/../../out.png", picture())
        made.writestr("/etc/out.png", picture())
        made.writestr(member("a/link.png", b"", external_attr=0o120777 << 16), "/etc/passwd")
        made.writestr("b/bomb.png", b"\0" * 50_000_000)
        made.writestr("__MACOSX/a/._1.png", b"x")
    dataset = scan(path)
    assert len(dataset) == 6 and {reason for _, reason in dataset.left_out} == {
        archive.OUTSIDE,
        archive.LINK,
        archive.BOMB,
    }
    assert list(tmp_path.iterdir()) == [path]  # nothing was unpacked


def test_a_table_inside_an_archive_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("labels.csv", "file,label\nimages/1.png,a\n")
        for k in range(3):
            made.writestr(f"images/{k}.png", picture(k))
    assert told(path).code == "L242" and f"{path}: labels.csv" in str(told(path))
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("a/b/labels.csv", "file,label\n")
        for k in range(3):
            made.writestr(f"a/b/{k}.png", picture(k))
    assert told(path).code == "L242"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("labels.csv", "file,label\n")
        for k in range(4):
            made.writestr(f"{'ab'[k % 2]}/{k}.png", picture(k))
    assert "a table inside an archive is not read: labels.csv" in str(scan(path).notes[1]), (
        "its folders name two classes"
    )


def test_a_full_cache_is_not_the_fault_of_the_archive(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tarred(photos, ".tar.gz")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(archive.os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        scan(path)


def test_links_in_a_tar(tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w") as made:
        for k in range(4):
            info = tarfile.TarInfo(f"{'ab'[k % 2]}/{k}.png")
            data = picture(k)
            info.size = len(data)
            made.addfile(info, io.BytesIO(data))
        link = tarfile.TarInfo("a/link.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        made.addfile(link)
    dataset = scan(path)
    assert len(dataset) == 4 and dataset.left_out == [("a/link.png", archive.LINK)]


def test_a_compressed_tar_is_unpacked_once_into_the_cache(photos: Path) -> None:
    path = tarred(photos, ".tar.gz")
    first = scan(path)
    (kept,) = (archive.cache_folder() / "archives").glob("*.tar")
    before = kept.stat().st_mtime_ns
    os.utime(kept, ns=(1, before))
    assert (
        pixels(scan(path)) == pixels(first) and kept.stat().st_mtime_ns == before and kept.stat().st_atime_ns > 10**18
    )


def test_a_tar_that_unpacks_to_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.tar.gz"
    with tarfile.open(path, "w:gz") as made:
        info = tarfile.TarInfo("a/1.png")
        info.size = 60_000_000
        made.addfile(info, io.BytesIO(b"\0" * info.size))
    assert told(path).code == "L213" and not list((archive.cache_folder() / "archives").glob("*tmp*"))


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tar.gz", "x.tar.xz", "x.tar.bz2"])
@pytest.mark.parametrize("data", [b"", b"not an archive" * 50])
def test_no_archive(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    assert told(tmp_path / name).code in ("L212", "L234")


def test_a_member_that_is_cut_off_is_one_unreadable_image(photos: Path) -> None:
    path = tarred(photos, ".tar")
    dataset = scan(path)
    with open(path, "r+b") as stream:
        stream.truncate(int(dataset.images.places[-1, 0]) + 10)  # type: ignore[attr-defined]
    with pytest.raises(Undecodable):
        dataset.images.bytes(len(dataset) - 1)
    assert dataset.images.bytes(0)


def test_backslashes_in_a_zip_are_folders(photos: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as made:
        for file in photos.rglob("*.png"):
            info = zipfile.ZipInfo("x")
            info.filename = f"{file.parent.name}\\{file.name}"  # as some Windows programs write it
            made.writestr(info, file.read_bytes())
    assert rows(scan(tmp_path / "x.zip")) == FREE


def test_of_two_members_of_one_name_the_last_counts(photos: Path) -> None:
    path = zipped(photos)
    with zipfile.ZipFile(path, "a") as made, pytest.warns(UserWarning, match="Duplicate name"):
        made.writestr("disc/0000.png", picture(7))
    dataset = scan(path)
    names = list(dataset.images.names)
    assert len(names) == len(set(names)) == 8 and dataset.images.bytes(names.index("disc/0000.png")) == picture(7)


def test_a_compressed_tar_keeps_its_fingerprint(photos: Path) -> None:
    """So that an interrupted training on it continues."""
    path = tarred(photos, ".tar.gz")
    first = scan(path).fingerprint
    assert scan(path).fingerprint == first


def test_an_archive_of_encrypted_files_says_so(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("a/1.png", picture())
    data = bytearray(path.read_bytes())
    for marker, place in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        data[data.index(marker) + place] |= 1
    path.write_bytes(data)
    assert told(path).code == "L238" and "encrypted" in str(told(path))
