"""One pass over all images: the pixels that are kept are the pixels that decoding gives, and what fails is named."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from limpide.core.errors import DataError
from limpide.data.dataset import ArrayImages, Dataset, FileImages
from limpide.data.decoding import decode as rules
from limpide.data.decoding.decode import Undecodable, decode
from limpide.data.layouts.scan import scan
from limpide.data.preprocessing import Preprocessing
from limpide.data.read_images import (
    CHUNK,
    ImageSample,
    Pixels,
    Reading,
    Undecoded,
    read_pixels,
    sample_images,
    stored_reading,
)
from limpide.system import files
from tests.make_images import photo_folder

SMALL = Preprocessing(16, 3, "squash")
LARGE = Preprocessing(32, 1, "crop", "bicubic", jpeg_side=32)


def everything(dataset: Dataset) -> np.ndarray:
    return np.arange(len(dataset))


def of_arrays(array: np.ndarray) -> Dataset:
    n = len(array)
    return Dataset(
        "x", "x", ArrayImages(array, [str(i) for i in range(n)]), np.arange(n) % 2, ("a", "b"), np.zeros(n, np.uint8)
    )


def test_the_pixels_kept_are_those_of_decoding(tmp_path: Path) -> None:
    dataset = scan(photo_folder(tmp_path / "photos", per_class=30, size=(150, 100), suffix="jpg"))
    sample = np.array([0, 3, 50, 89])
    wanted = {SMALL: everything(dataset), LARGE: sample}
    progress = list(read_pixels(dataset, wanted, tmp_path))
    assert progress[-1].done == progress[-1].total == len(dataset) == 90
    assert [p.done for p in progress] == sorted(p.done for p in progress)
    reading = stored_reading(dataset, wanted, tmp_path)
    assert reading and reading.failures() == {} and set(reading.pixels) == {16, 32}
    for preprocessing, rows in wanted.items():
        pixels = reading.pixels[preprocessing.size]
        assert len(pixels.array) == len(rows)
        for i in rows.tolist():
            data = (dataset.images.root / dataset.images.names[i]).read_bytes()  # type: ignore[union-attr]
            expected = preprocessing.pixels(decode(data, preprocessing.jpeg_side))
            np.testing.assert_array_equal(pixels.take(np.array([i]))[0], expected)
            assert int(reading.seen["hash"][i]) == int(files.sha256(data)[:16], 16)


def test_taking_keeps_the_order_asked_for() -> None:
    rows = np.array([2, 5, 9])
    pixels = Pixels(SMALL, rows, np.array([[20], [50], [90]]))
    np.testing.assert_array_equal(pixels.take(np.array([9, 2, 9]))[:, 0], [90, 20, 90])


def test_what_cannot_be_used_is_named_and_the_rest_is_read(tmp_path: Path) -> None:
    root = photo_folder(tmp_path / "photos", per_class=4)
    png = (root / "disc" / "0000.png").read_bytes()
    bad = {"0001": (b"", rules.EMPTY), "0002": (b"<html>", rules.WEB_PAGE), "0003": (png[:-50], rules.CUT_SHORT)}
    for name, (data, _) in bad.items():
        (root / "disc" / f"{name}.png").write_bytes(data)
    dataset = scan(root)
    gone = dataset.images.names.index("square/0001.png")
    (root / "square" / "0001.png").unlink()
    only = {SMALL: np.array([0, 8, 9])}  # of the unusable ones, none is kept by any network
    for wanted in ({SMALL: everything(dataset)}, only):
        list(read_pixels(dataset, wanted, tmp_path))
        reading = stored_reading(dataset, wanted, tmp_path)
        assert reading
        names = {dataset.images.names[i]: reason for i, reason in reading.failures().items()}
        assert names == {f"disc/{name}.png": reason for name, (_, reason) in bad.items()} | {
            "square/0001.png": rules.UNREADABLE
        }
        assert reading.seen["hash"][gone] == 0 != reading.seen["hash"][0]
        (tmp_path / "seen.npy").unlink()
        np.testing.assert_array_equal(reading.pixels[16].take(np.array([8]))[0], SMALL.pixels(dataset.images.image(8)))


def test_many_more_images_than_a_thread_takes_at_once(tmp_path: Path) -> None:
    array = np.random.default_rng(0).integers(0, 256, (5 * CHUNK + 7, 16, 16), dtype=np.uint8)
    dataset = of_arrays(array)
    grey = Preprocessing(16, 1)
    assert list(read_pixels(dataset, {grey: everything(dataset)}, tmp_path))[-1].done == len(array)
    reading = stored_reading(dataset, {grey: everything(dataset)}, tmp_path)
    assert reading
    np.testing.assert_array_equal(reading.pixels[16].array[..., 0], array)
    assert len(set(reading.seen["hash"].tolist())) == len(array)


@pytest.mark.parametrize("shape", [(6, 8, 8), (6, 8, 8, 3), (6, 16, 16, 3), (6, 16, 16)])
@pytest.mark.parametrize("channels", [1, 3])
def test_arrays_go_the_same_way_as_files(tmp_path: Path, shape: tuple[int, ...], channels: int) -> None:
    """The short cut for grey squares of the right size must not change a pixel."""
    array = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    dataset, preprocessing = of_arrays(array), Preprocessing(16, channels)
    list(read_pixels(dataset, {preprocessing: everything(dataset)}, tmp_path))
    reading = stored_reading(dataset, {preprocessing: everything(dataset)}, tmp_path)
    assert reading
    for i in range(6):
        stream = io.BytesIO()
        Image.fromarray(array[i]).save(stream, "PNG")
        np.testing.assert_array_equal(reading.pixels[16].array[i], preprocessing.pixels(decode(stream.getvalue())))


def test_what_was_not_finished_is_not_used(tmp_path: Path) -> None:
    dataset = scan(photo_folder(tmp_path / "photos", per_class=3))
    wanted = {SMALL: everything(dataset)}
    cache = tmp_path / "cache"
    cache.mkdir()
    assert stored_reading(dataset, wanted, cache) is None
    unfinished = read_pixels(dataset, wanted, cache)
    next(unfinished)
    unfinished.close()
    assert stored_reading(dataset, wanted, cache) is None  # the pixel file is there, the record is not
    list(read_pixels(dataset, wanted, cache))
    assert stored_reading(dataset, wanted, cache) is not None
    assert stored_reading(dataset, {SMALL: everything(dataset)[1:]}, cache) is None
    assert stored_reading(dataset, {SMALL: everything(dataset), LARGE: everything(dataset)}, cache) is None
    for damaged in (b"", b"{", b"\xff"):
        (cache / "reading.json").write_bytes(damaged)
        assert stored_reading(dataset, wanted, cache) is None


def test_a_reading_that_was_cut_short_goes_on_where_it_was(tmp_path: Path) -> None:
    dataset = scan(photo_folder(tmp_path / "photos", per_class=100))
    wanted = {SMALL: everything(dataset)}
    first = read_pixels(dataset, wanted, tmp_path)
    for _ in range(40):
        done = next(first).done
    first.close()
    assert stored_reading(dataset, wanted, tmp_path) is None
    for file in list((tmp_path / "photos").rglob("*.png"))[:5]:
        file.touch()
    again = list(read_pixels(dataset, wanted, tmp_path))
    assert again[0].done > done - 16 and len(again) <= 300 - done + 16  # workers were ahead of what was told
    reading = stored_reading(dataset, wanted, tmp_path)
    assert reading and reading.failures() == {}
    for i in (0, 50, 150, 299):
        np.testing.assert_array_equal(reading.pixels[16].array[i], SMALL.pixels(dataset.images.image(i)))  # type: ignore[index]


def test_without_room_on_the_disk_pixels_are_decoded_when_asked_for(tmp_path: Path) -> None:
    dataset = scan(photo_folder(tmp_path / "photos", per_class=5))
    wanted = {SMALL: everything(dataset), LARGE: np.array([1, 7])}
    list(read_pixels(dataset, wanted, tmp_path, on_disk=frozenset([LARGE])))
    reading = stored_reading(dataset, wanted, tmp_path)
    assert reading and isinstance(reading.pixels[16].array, Undecoded) and not list(tmp_path.glob("pixels-16*"))
    for pixels, rows in ((reading.pixels[16], [3, 11, 3]), (reading.pixels[32], [7, 1])):
        taken = pixels.take(np.array(rows))
        for k, i in enumerate(rows):
            np.testing.assert_array_equal(
                taken[k], pixels.preprocessing.pixels(dataset.images.image(i, pixels.preprocessing.jpeg_side))
            )


def test_an_image_that_vanishes_is_skipped_and_many_stop_the_work(tmp_path: Path) -> None:
    """Case 40."""
    root = photo_folder(tmp_path / "photos", per_class=5)
    dataset = scan(root)
    wanted = {SMALL: everything(dataset)}
    list(read_pixels(dataset, wanted, tmp_path, on_disk=frozenset()))
    pixels = stored_reading(dataset, wanted, tmp_path).pixels[16]  # type: ignore[union-attr]
    (root / "bars" / "0002.png").unlink()
    pixels.take(np.arange(4))
    assert pixels.lost() == {2}
    (root / "bars" / "0003.png").unlink()
    with pytest.raises(DataError) as told:
        pixels.take(np.arange(4))
    assert told.value.code == "L216" and "2 can no longer be read" in str(told.value)


def test_a_disk_that_goes_away_is_no_reason_to_leave_its_images_out(tmp_path: Path) -> None:
    """Case 53."""
    root = photo_folder(tmp_path / "photos", per_class=5)
    dataset, wanted = scan(root), {SMALL: np.arange(15)}
    root.rename(tmp_path / "away")
    cache = tmp_path / "cache"
    cache.mkdir()
    with pytest.raises(DataError) as told:
        list(read_pixels(dataset, wanted, cache))
    assert told.value.code == "L217" and stored_reading(dataset, wanted, cache) is None
    (tmp_path / "away").rename(root)
    list(read_pixels(dataset, wanted, cache))
    reading = stored_reading(dataset, wanted, cache)
    assert isinstance(reading, Reading) and reading.failures() == {}


def test_a_damaged_pixel_file_is_not_used(tmp_path: Path) -> None:
    dataset = scan(photo_folder(tmp_path / "photos", per_class=3))
    wanted = {SMALL: everything(dataset)}
    list(read_pixels(dataset, wanted, tmp_path))
    (file,) = tmp_path.glob("pixels-*.npy")
    whole = file.read_bytes()
    for length in (0, 40, 200, len(whole) - 1):
        file.write_bytes(whole[:length])
        assert stored_reading(dataset, wanted, tmp_path) is None


# -- a glimpse


def test_a_glimpse_of_photographs(tmp_path: Path) -> None:
    assert sample_images(scan(photo_folder(tmp_path, per_class=5, size=(90, 60), suffix="jpg"))) == ImageSample(
        60, False
    )


def test_a_glimpse_of_grey_images() -> None:
    grey = np.random.default_rng(0).integers(0, 256, (30, 8, 10), dtype=np.uint8)
    assert sample_images(of_arrays(grey)) == ImageSample(8, True)
    same = grey[..., None].repeat(3, 3)  # grey stored as RGB, as many small sets are
    assert sample_images(of_arrays(same)) == ImageSample(8, True)
    same[29, 0, 0] = [1, 2, 3]
    assert sample_images(of_arrays(same)) == ImageSample(8, False)


def test_a_glimpse_passes_over_what_cannot_be_opened(tmp_path: Path) -> None:
    root = photo_folder(tmp_path, per_class=3, size=(40, 30))
    for file in root.glob("*/0000.png"):
        file.write_bytes(b"")
    assert sample_images(scan(root)) == ImageSample(30, False)
    for file in root.glob("*/*.png"):
        file.write_bytes(b"nothing")
    assert sample_images(scan(root)) == ImageSample(0, False)


def test_a_glimpse_of_a_large_set_is_a_sample() -> None:
    looked = []

    class Watched(ArrayImages):
        def header(self, index: int) -> tuple[int, int, str]:
            looked.append(index)
            return super().header(index)

    array = np.zeros((5000, 8, 8), np.uint8)
    dataset = Dataset("x", "x", Watched(array, [""] * 5000), np.zeros(5000, int), ("a",), np.zeros(5000, np.uint8))
    sample_images(dataset, 50)
    assert len(looked) == 50 and looked[0] == 0 and looked[-1] == 4999


# -- where images live


def test_files_and_arrays_answer_alike(tmp_path: Path) -> None:
    array = np.random.default_rng(0).integers(0, 256, (2, 12, 20, 3), dtype=np.uint8)
    for i in range(2):
        Image.fromarray(array[i]).save(tmp_path / f"{i}.png")
    for images in (FileImages(tmp_path, ["0.png", "1.png"]), ArrayImages(array, ["0", "1"])):
        assert len(images) == 2 and images.header(1) == (20, 12, "RGB")
        np.testing.assert_array_equal(np.asarray(images.image(1)), array[1])
    assert ArrayImages(array[..., 0], ["0", "1"]).header(0) == (20, 12, "L")


def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for name in ("gone.png", "folder", "x" * 300):
        with pytest.raises(Undecodable) as told:
            FileImages(tmp_path, [name]).bytes(0)
        assert told.value.reason == rules.UNREADABLE
