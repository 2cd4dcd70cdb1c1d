"""One value range for a data set of more than 8 bits, decided from what is there, and carried along."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from limpide.core.typed_json import InvalidJson
from limpide.data import pixel_cache
from limpide.data.dataset import TEST, Dataset, FileImages
from limpide.data.decoding import value_range
from limpide.data.decoding.decode import Remarks
from limpide.data.decoding.deep_values import EXTREMES, Span, measure, scale_to_8_bits
from limpide.data.decoding.value_range import ValueRange, decide_range
from limpide.data.layouts.archive import ArchiveImages
from limpide.data.layouts.scan import scan
from limpide.data.preprocessing import Preprocessing
from limpide.data.read_images import read_pixels, sample_images
from tests.data.decoding.deep_files import by_rule, folder_of, levels, noise, png_of, tiff_of, twelve
from tests.make_images import encoded

# -- deciding


def range_of(*images: Any) -> Span:
    found = np.zeros(len(images), EXTREMES)
    for row, values in zip(found, images, strict=True):
        measure(np.asarray(values), row)
    return value_range.range_of(found)


def sixteen(*values: int) -> np.ndarray:
    return np.array([values], np.uint16)


@pytest.mark.parametrize(
    ("images", "span"),
    [
        ([sixteen(0, 900)], (0, 1023)),
        ([sixteen(3, 900), sixteen(2, 1400)], (0, 4095)),
        ([sixteen(0, 4095)], (0, 4095)),
        ([sixteen(0, 4096)], (0, 16383)),
        ([sixteen(0, 60000)], (0, 65535)),
        ([sixteen(0, 200)], (0, 255)),
        ([sixteen(0, 3)], (0, 3)),  # numbered regions: as values of 8 bits they would be black
        ([sixteen(31744, 35839)], (31744, 35839)),  # 12 bits on a pedestal: sixteen grey levels of the full scale
        ([sixteen(7, 7)], (7, 8)),
        ([np.int16([-1024, 3071])], (-1024, 3071)),  # computed tomography
        ([np.float32([0, 0.4, 0.9])], (0, 1)),
        ([np.float32([0, 1])], (0, 1)),
        ([np.float32([0.5, 250.5])], (0, 255)),
        ([np.float32([0, 4000])], (0, 4095)),  # floats that hold whole numbers
        ([np.float32([0.5, 4000])], (0.5, 4000)),
        ([np.float32([-3.5, 2])], (-3.5, 2)),
        ([np.int32([0, 100000])], (0, 100000)),
    ],
)
def test_the_range_of_values(images: list[np.ndarray], span: Span) -> None:
    assert range_of(*images) == span


def test_marks_of_what_was_not_measured_do_not_count() -> None:
    dead = np.append(np.arange(0, 4096, 5), [65535, 65535]).astype(np.uint16)
    assert range_of(dead) == (0, 4095)
    assert range_of(np.append(np.arange(-1024, 3072, 5), [-32768] * 200).astype(np.int16)) == (-1024, 3071)
    assert range_of(np.append(np.linspace(0.1, 0.9, 99), -3.4e38).astype(np.float32)) == (0, 1)
    assert range_of(np.append(np.arange(0, 60000, 7), [65535]).astype(np.uint16)) == (0, 65535), (
        "saturated, and near the others"
    )
    assert range_of(np.full((9, 9), 65535, np.uint16), np.zeros((9, 9), np.uint16)) == (0, 65535), (
        "black and white is no mark"
    )


def settled(dataset: Dataset, asked: Any = "auto", **options: bool) -> ValueRange:
    work = decide_range(dataset, asked, **options)
    while True:
        try:
            next(work)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]


def test_the_range_is_decided_from_all_files_and_said(tmp_path: Path) -> None:
    found = settled(twelve(tmp_path))
    assert found.span == (0, 4095) and len(found.extremes) == 6
    (said,) = map(str, found.says())
    assert "12-bit values, 0 to 4,095" in said and "6 images" in said


def test_eight_bits_pay_only_for_the_first_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = folder_of(
        tmp_path,
        {
            f"{label}/{k}.{form}": encoded(noise(8, k).astype(np.uint8), form)
            for label in "ab"
            for k, form in enumerate(("png", "jpeg"))
        },
    )
    with monkeypatch.context() as patch:
        patch.setattr(value_range, "decode_in_processes", None)
        patch.setattr(value_range, "holds_more_than_8_bits", None)
        found = settled(dataset)
    assert found.span is None and not found.says()


def test_eight_and_more_bits_side_by_side(tmp_path: Path) -> None:
    dataset = folder_of(
        tmp_path,
        {
            "a/0.png": png_of(noise(12)),
            "a/1.jpg": encoded(noise(8).astype(np.uint8), "JPEG"),
            "b/0.jpg": png_of(noise(10)),
            "b/1.png": encoded(noise(8).astype(np.uint8)),
        },
    )
    found = settled(dataset)
    assert found.span == (0, 4095) and len(found.extremes) == 2, "by content, not by name"
    assert "the other 2 images, of 8 bits, keep their values from 0 to 255" in map(str, found.says())


def test_a_given_test_part_is_to_come(tmp_path: Path) -> None:
    images = {
        f"{part}/{label}/{k}.png": png_of(noise(bits, 10 * k + ord(label)))
        for part, bits in (("train", 12), ("test", 14))
        for label in "ab"
        for k in range(2)
    }
    found = settled(folder_of(tmp_path, images))
    assert (scan(str(tmp_path)).given == TEST).sum() == 4
    assert found.span == (0, 4095)
    assert any("clipped" in str(said) for said in found.says())


def test_what_was_asked_for_holds(tmp_path: Path) -> None:
    dataset = twelve(tmp_path)
    found = settled(dataset, (100.0, 3000.0))
    assert found.span == (100, 3000) and "as asked" in str(found.says()[0])
    assert settled(dataset, "none").span is None and "as asked" in str(settled(dataset, "none").says()[0])
    image = dataset.read_by((100, 3000)).images.image(0)
    np.testing.assert_array_equal(np.asarray(image)[..., 0], scale_to_8_bits(noise(12, ord("a")), (100, 3000))[0])


def test_few_grey_levels_are_noticed(tmp_path: Path) -> None:
    assert len(settled(twelve(tmp_path)).faint()) == 0
    assert len(settled(scan(str(tmp_path)), (0.0, 65535.0)).faint()) == 6


def test_measured_once_until_a_file_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = settled(twelve(tmp_path))
    with monkeypatch.context() as patch:
        patch.setattr(value_range, "decode_in_processes", None)
        assert settled(scan(str(tmp_path))).span == first.span
    (tmp_path / "a" / "0.png").write_bytes(png_of(noise(14)))
    assert settled(scan(str(tmp_path))).span == (0, 16383)


def test_a_damaged_file_costs_itself(tmp_path: Path) -> None:
    dataset = twelve(tmp_path)
    whole = (tmp_path / "a" / "0.png").read_bytes()
    (tmp_path / "a" / "0.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "a" / "1.png").write_bytes(b"")
    found = settled(scan(str(tmp_path)))
    assert found.span == (0, 4095) and len(found.extremes) == len(dataset) - 2


def test_inside_an_archive(tmp_path: Path) -> None:
    import shutil

    twelve(tmp_path / "scans")
    for form in ("zip", "tar"):
        dataset = scan(shutil.make_archive(str(tmp_path / "scans"), form, tmp_path / "scans"))
        assert isinstance(dataset.images, ArchiveImages)
        found = settled(dataset)
        assert found.span == (0, 4095)
        seen = dataset.read_by(found.span).images.image(list(dataset.images.names).index("a/0.png"))
        np.testing.assert_array_equal(np.asarray(seen)[..., 0], by_rule(noise(12, ord("a")), (0, 4095)))


# -- kept and carried


def test_the_range_is_part_of_what_tells_pixels_apart(tmp_path: Path) -> None:
    dataset, spans = twelve(tmp_path), (None, (0.0, 4095.0), (0.0, 65535.0))
    folders = {
        pixel_cache.shared_folder(dataset.read_by(span), {Preprocessing(16, 1, value_range=span): np.arange(6)})
        for span in spans
    }
    assert len(folders) == 3
    with pytest.raises(AssertionError, match="another value range"):
        list(read_pixels(dataset, {Preprocessing(16, 1, value_range=(0, 4095)): np.arange(6)}, tmp_path))


def test_pixels_in_worker_processes_are_those_of_the_rule(tmp_path: Path) -> None:
    from limpide.data.read_images import stored_reading

    dataset = twelve(tmp_path / "scans").read_by((0, 4095))
    p = Preprocessing(16, 1, value_range=(0, 4095))
    (tmp_path / "cache").mkdir()
    list(read_pixels(dataset, {p: np.arange(6)}, tmp_path / "cache"))
    reading = stored_reading(dataset, {p: np.arange(6)}, tmp_path / "cache")
    assert reading
    for k in range(6):
        np.testing.assert_array_equal(reading.pixels[16].take(np.array([k]))[0], p.pixels(dataset.images.image(k)))
    np.testing.assert_array_equal(
        reading.pixels[16].take(np.array([0]))[0, ..., 0], by_rule(noise(12, ord("a")), (0, 4095))
    )


def test_preprocessing_of_before_there_were_ranges() -> None:
    """An older sealed file has no such field: each image is read by what its type can hold, as ever."""
    old = {
        "size": 16,
        "channels": 1,
        "fit": "squash",
        "filter": "bilinear",
        "mean": [127.5],
        "std": [63.75],
        "jpeg_side": 32,
        "centre": 1024,
    }
    p = Preprocessing.from_json(old)
    assert p.value_range is None
    image, remarks = p.opened(png_of(noise(12)))
    np.testing.assert_array_equal(np.asarray(image)[..., 0], np.rint(noise(12) / 257))
    assert Remarks.CLIPPED not in remarks
    now = Preprocessing(16, 1, value_range=(0, 4095))
    assert Preprocessing.from_json(json.loads(json.dumps(now.to_json()))) == now
    for odd in ([0], [0, 1, 2], ["0", "1"], 4095):
        with pytest.raises(InvalidJson, match="value_range"):
            Preprocessing.from_json(old | {"value_range": odd})


def test_float_images_are_grey_images(tmp_path: Path) -> None:
    images = {f"{label}/{k}.tif": tiff_of(noise(12, k).astype(np.float32)) for label in "ab" for k in range(2)}
    assert sample_images(folder_of(tmp_path, images)).grey


def test_the_source_of_images_is_told_the_range(tmp_path: Path) -> None:
    dataset = twelve(tmp_path)
    fingerprint = dataset.fingerprint
    other = dataset.read_by((0, 4095))
    assert (
        isinstance(other.images, FileImages)
        and other.images.value_range == (0, 4095)
        and other.fingerprint == fingerprint
    )
    assert dataset.images.value_range is None  # type: ignore[attr-defined]
    stream = io.BytesIO()
    dataset.read_by((0, 4095)).images.image(0).save(stream, "PNG")
    assert levels(stream.getvalue(), None).max() > 200
