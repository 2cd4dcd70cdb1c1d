"""Decoded pixels are kept between runs: found again, never wrong, within a quota, and a full disk stops nothing."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from limpide.data import pixel_cache
from limpide.data.dataset import Dataset
from limpide.data.layouts.scan import scan
from limpide.data.preprocessing import Preprocessing
from limpide.data.read_images import Reading, read_pixels, stored_reading
from limpide.workflows.clean import clean, find_freeable
from tests.make_images import photo, photo_folder

SMALL, LARGE = Preprocessing(16, 3), Preprocessing(24, 3)


def wanted_of(dataset: Dataset) -> dict[Preprocessing, np.ndarray]:
    return {SMALL: np.arange(len(dataset)), LARGE: np.arange(0, len(dataset), 2)}


def through(dataset: Dataset, *, rehash: bool = False) -> tuple[Reading, int]:
    """The reading by way of the store, and how many images had to be decoded."""
    wanted = wanted_of(dataset)
    folder = pixel_cache.shared_folder(dataset, wanted)
    assert folder
    decoded = 0
    if pixel_cache.prepare(folder, dataset, wanted, rehash=rehash) and stored_reading(dataset, wanted, folder) is None:
        pixel_cache.prepare(folder, dataset, wanted, rehash=True)
    if stored_reading(dataset, wanted, folder) is None:
        known = np.load(folder / "seen.npy")["read"].sum() if (folder / "seen.npy").exists() else 0
        decoded = len(dataset) - int(known)
        list(read_pixels(dataset, wanted, folder, on_disk=pixel_cache.room_for(wanted, folder)))
    reading = stored_reading(dataset, wanted, folder)
    assert reading
    return reading, decoded


def right(reading: Reading, dataset: Dataset) -> bool:
    return all(
        (pixels.take(np.array([i]))[0] == pixels.preprocessing.pixels(dataset.images.image(int(i)))).all()
        for pixels in reading.pixels.values()
        for i in pixels.rows
    )


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return photo_folder(tmp_path / "photos", per_class=6)


def test_the_second_time_nothing_is_decoded(photos: Path) -> None:
    assert through(scan(photos))[1] == 18
    reading, decoded = through(scan(photos))
    assert decoded == 0 and right(reading, scan(photos))


def test_only_what_changed_is_decoded_again(photos: Path) -> None:
    through(scan(photos))
    photo(photos / "disc" / "0003.png", kind="bars", seed=99)  # changed
    photo(photos / "disc" / "0000a.png", seed=7)  # new, and all places move
    (photos / "square" / "0001.png").unlink()
    reading, decoded = through(scan(photos))
    assert right(reading, scan(photos)) and 2 <= decoded < 18  # those, and what now is in the sample of the larger size


def test_another_time_of_change_is_another_file(photos: Path) -> None:
    through(scan(photos))
    os.utime(photos / "disc" / "0003.png", ns=(5, 5))
    assert through(scan(photos))[1] == 1


def test_a_change_that_leaves_no_trace_is_found_by_rehash(photos: Path) -> None:
    through(scan(photos))
    file = photos / "disc" / "0003.png"
    before, data = file.stat(), bytearray(file.read_bytes())
    with open(file, "r+b") as stream:  # same inode and size; then the old time
        stream.write(photo_bytes(len(data), file))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert through(scan(photos))[1] == 0
    reading, decoded = through(scan(photos), rehash=True)
    assert decoded == 18 and right(reading, scan(photos))


def photo_bytes(length: int, like: Path) -> bytes:
    """Another PNG of the same length: the file that was there, without its picture, padded."""
    smaller = photo(like.with_name("other.png"), kind="square", size=(12, 12), seed=5)
    data = smaller.read_bytes()
    smaller.unlink()
    assert len(data) < length
    return data + b"\0" * (length - len(data))


@pytest.mark.parametrize(
    "name", ["seen.npy", "stamps.npy", "names.npy", "store.json", "reading.json", "pixels-16x3.npy", "rows-24.npy"]
)
@pytest.mark.parametrize("damage", ["gone", "empty", "cut"])
def test_a_damaged_store_is_read_again_and_never_believed(photos: Path, name: str, damage: str) -> None:
    dataset = scan(photos)
    through(dataset)
    folder = pixel_cache.shared_folder(dataset, wanted_of(dataset))
    assert folder
    file = folder / name
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(b"" if damage == "empty" else file.read_bytes()[:-1])
    reading, _ = through(scan(photos))
    assert right(reading, scan(photos))
    os.utime(photos / "disc" / "0000.png", ns=(9, 9))
    reading, decoded = through(scan(photos))
    assert right(reading, scan(photos)) and decoded


def test_an_interrupted_reading_of_another_boot_is_not_believed(
    photos: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    dataset = scan(photos)
    wanted = wanted_of(dataset)
    folder = pixel_cache.shared_folder(dataset, wanted)
    assert folder and not pixel_cache.prepare(folder, dataset, wanted, rehash=False)
    work = read_pixels(dataset, wanted, folder)
    next(work)
    work.close()
    (tmp_path / "boot").write_text("another")
    monkeypatch.setattr(pixel_cache, "BOOT", tmp_path / "boot")
    assert through(dataset)[1] == 18


# -- quota


def test_the_least_recently_used_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = []
    for k in range(3):
        dataset = scan(photo_folder(tmp_path / f"photos{k}", per_class=6, seed=k))
        through(dataset)
        folder = pixel_cache.shared_folder(dataset, wanted_of(dataset))
        assert folder
        os.utime(folder, (k + 1, k + 1))
        folders.append(folder)
    one = pixel_cache.list_cached()[0].bytes
    assert [item.path for item in pixel_cache.list_cached()] == folders
    assert (
        pixel_cache.evict(2 * one, keep=None) == one
        and [item.path for item in pixel_cache.list_cached()] == folders[1:]
    )
    assert (
        pixel_cache.evict(0, keep=folders[1]) == one
        and [item.path for item in pixel_cache.list_cached()] == folders[1:2]
    )


def test_what_exceeds_the_quota_is_decoded_when_needed(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = scan(photos)
    small, large = 18 * 16 * 16 * 3, 9 * 24 * 24 * 3
    for allowed, on_disk in ((10, set()), (small, {SMALL}), (small + large, {SMALL, LARGE})):
        monkeypatch.setenv("LIMPIDE_CACHE_BYTES", str(allowed))
        folder = pixel_cache.shared_folder(dataset, wanted_of(dataset))
        assert folder
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        assert pixel_cache.room_for(wanted_of(dataset), folder) == on_disk
    assert right(through(dataset)[0], dataset)


def test_two_processes_do_not_write_into_one_folder(photos: Path) -> None:
    dataset = scan(photos)
    folder = pixel_cache.shared_folder(dataset, wanted_of(dataset))
    assert folder
    with pixel_cache.is_in_use(folder) as first, pixel_cache.is_in_use(folder) as second:
        assert first and not second
    with pixel_cache.is_in_use(folder) as again:
        assert again


# -- cleaning up


def test_clean_frees_pixels_and_archives_and_nothing_of_the_users(photos: Path) -> None:
    before = {file: file.read_bytes() for file in photos.rglob("*.png")}
    through(scan(photos))
    archives = pixel_cache.files.cache_folder() / "archives"
    archives.mkdir(parents=True)
    (archives / "x.tar").write_bytes(b"x" * 1000)
    networks = pixel_cache.files.cache_folder() / "networks"
    networks.mkdir()
    (networks / "x.onnx").write_bytes(b"x" * 1000)
    kinds = {item.kind for item in find_freeable()}
    total = sum(item.bytes for item in find_freeable())
    assert kinds == {"pixels", "archive", "network"}
    assert clean(older_than=3600.0) == 0 and clean() == total and find_freeable() == []
    assert {file: file.read_bytes() for file in photos.rglob("*.png")} == before


def test_what_is_in_use_is_not_freed(photos: Path) -> None:
    dataset = scan(photos)
    through(dataset)
    folder = pixel_cache.shared_folder(dataset, wanted_of(dataset))
    assert folder
    with pixel_cache.is_in_use(folder):
        assert clean() == 0 and folder.exists()


# -- what an attack found


def test_what_failed_for_a_passing_reason_is_tried_again(photos: Path) -> None:
    from limpide.data.decoding.decoder_process import HANGS, REASONS

    dataset = scan(photos)
    through(dataset)
    folder = pixel_cache.shared_folder(dataset, wanted_of(dataset))
    assert folder
    seen = np.load(folder / "seen.npy", mmap_mode="r+")
    seen["reason"][4] = REASONS.index(HANGS)
    seen.flush()
    reading, decoded = through(scan(photos))
    assert decoded == 1 and reading.failures() == {}


@pytest.mark.parametrize("place", ["file", "nowhere"])
def test_a_cache_that_cannot_be_used_stops_nothing(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("LIMPIDE_CACHE", str(tmp_path / "file" if place == "file" else "/proc/nowhere"))
    dataset = scan(photos)
    folder = pixel_cache.shared_folder(dataset, wanted_of(dataset))
    assert folder
    with pixel_cache.is_in_use(folder) as ours:
        assert not ours


@pytest.mark.parametrize("said", ["inf", "1e400", "nan", "plenty"])
def test_a_quota_that_is_no_number_is_the_usual_one(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    monkeypatch.setenv("LIMPIDE_CACHE_BYTES", said)
    assert pixel_cache.quota() == pixel_cache.QUOTA
