"""Values of more than 8 bits: one range for a data set, decided from what is there, and the same pixels by every way
in.
"""

from __future__ import annotations

import io
import json
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from limpide.core.typed_json import InvalidJson
from limpide.data import pixel_cache
from limpide.data.dataset import TEST, Dataset, FileImages
from limpide.data.decoding import value_range
from limpide.data.decoding.decode import Remarks, Undecodable, decode, decode_with_remarks
from limpide.data.decoding.deep_values import EXTREMES, Span, measure, scale_to_8_bits
from limpide.data.decoding.value_range import ValueRange, decide_range
from limpide.data.layouts.archive import ArchiveImages
from limpide.data.layouts.scan import scan
from limpide.data.preprocessing import Preprocessing
from limpide.data.read_images import read_pixels, sample_images
from tests.make_images import encoded

RANDOM = np.random.default_rng(0)


def png_of(values: np.ndarray, *, key: bytes = b"", adam7: bool = False) -> bytes:
    """A PNG of 16 bits a value, written chunk by chunk: (height, width[, 2 = grey and alpha, 3 = RGB, 4 = RGB and
    alpha]).
    """

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    height, width = values.shape[:2]
    kind = {2: 4, 3: 2, 4: 6}[values.shape[2]] if values.ndim == 3 else 0
    passes = (
        [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
        if adam7
        else [(0, 0, 1, 1)]
    )
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for y, x, dy, dx in passes for row in values[y::dy, x::dx])
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, adam7))
    return (
        b"\x89PNG\r\n\x1a\n"
        + header
        + (chunk(b"tRNS", key) if key else b"")
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def tiff_of(values: np.ndarray, *, white_is_zero: bool = False, big: bool = False, packed: bool = False) -> bytes:
    """A TIFF of (height, width[, 3 | 4]), written tag by tag: whole numbers with or without a sign, or floats."""
    order = ">" if big else "<"
    height, width = values.shape[:2]
    channels, bits = (values.shape[2] if values.ndim == 3 else 1), 8 * values.itemsize
    data = values.astype(values.dtype.newbyteorder(order)).tobytes()
    data = zlib.compress(data) if packed else data
    place = 8
    body = data + b"\0" * (len(data) % 2)
    depth = bits
    if channels > 1:
        depth = place + len(body)
        body += struct.pack(f"{order}{channels}H", *[bits] * channels)
    photometric = 2 if channels > 1 else 0 if white_is_zero else 1
    tags = [
        (256, 1, width),
        (257, 1, height),
        (258, channels, depth),
        (259, 1, 8 if packed else 1),
        (262, 1, photometric),
        (273, 1, place),
        (277, 1, channels),
    ]
    tags += [
        (278, 1, height),
        (279, 1, len(data)),
        *([(338, 1, 2)] if channels == 4 else []),
        (339, 1, {"u": 1, "i": 2, "f": 3}[values.dtype.kind]),
    ]
    entries = b""
    for tag, count, value in tags:
        short = tag in (258, 339) and count == 1
        entries += struct.pack(f"{order}HHI", tag, 3 if short or tag == 258 else 4, count)
        entries += struct.pack(f"{order}HH", value, 0) if short else struct.pack(f"{order}I", value)
    return (
        (b"MM\0*" if big else b"II*\0")
        + struct.pack(f"{order}I", place + len(body))
        + body
        + struct.pack(f"{order}H", len(tags))
        + entries
        + b"\0\0\0\0"
    )


def by_rule(values: np.ndarray, span: Span) -> np.ndarray:
    """The rule, written once more: low becomes 0, high becomes 255, beyond is clipped."""
    low, high = span
    return np.array([min(255, max(0, round((float(v) - low) / (high - low) * 255))) for v in values.ravel()]).reshape(
        values.shape
    )


def levels(data: bytes, span: Span | None) -> np.ndarray:
    return np.asarray(decode(data, value_range=span)).astype(int)


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
def test_grey_values_are_read_by_the_range(bits: int) -> None:
    values = RANDOM.integers(0, 2**bits, (9, 11)).astype(np.uint16)
    span = 0.0, 2.0**bits - 1
    files = [
        png_of(values),
        png_of(values, adam7=True),
        encoded(values, "TIFF"),
        tiff_of(values, big=True),
        tiff_of(values, packed=True),
    ]
    files += [tiff_of(values.astype(np.int32)), tiff_of(values.astype(np.float32)), tiff_of(values.astype(np.uint32))]
    for data in files:
        np.testing.assert_array_equal(levels(data, span), by_rule(values, span)[..., None].repeat(3, 2))


@pytest.mark.parametrize("channels", [3, 4])
def test_all_sixteen_bits_of_a_colour_are_read(channels: int) -> None:
    """Pillow keeps the first eight: of 12-bit colours, sixteen levels would be left."""
    values = RANDOM.integers(0, 4096, (9, 11, channels)).astype(np.uint16)
    if channels == 4:
        values[..., 3] = 65535
    for data in (
        png_of(values),
        png_of(values, adam7=True),
        tiff_of(values),
        tiff_of(values, big=True),
        tiff_of(values, packed=True),
    ):
        np.testing.assert_array_equal(levels(data, (0, 4095)), by_rule(values[..., :3], (0, 4095)))


def test_transparency_of_sixteen_bits_lies_over_white() -> None:
    values = RANDOM.integers(0, 4096, (9, 11, 2)).astype(np.uint16)
    values[..., 1] = np.where(RANDOM.random((9, 11)) < 0.5, 65535, 0)
    image, remarks = decode_with_remarks(png_of(values), value_range=(0, 4095))
    expected = np.where(values[..., 1] == 0, 255, by_rule(values[..., 0], (0, 4095)))
    np.testing.assert_array_equal(np.asarray(image), expected[..., None].repeat(3, 2))
    assert Remarks.TRANSPARENT in remarks and Remarks.CLIPPED not in remarks
    key = struct.pack(">H", int(values[2, 3, 0]))  # one value declared transparent
    assert (levels(png_of(values[..., 0], key=key), (0, 4095))[values[..., 0] == values[2, 3, 0]] == 255).all()


def test_white_is_zero() -> None:
    values = RANDOM.integers(0, 4096, (9, 11)).astype(np.uint16)
    np.testing.assert_array_equal(
        levels(tiff_of(values, white_is_zero=True), (0, 4095))[..., 0], 255 - by_rule(values, (0, 4095))
    )


def test_values_below_zero() -> None:
    values = RANDOM.integers(-1024, 3072, (9, 11)).astype(np.int16)
    for kind in (np.int16, np.int32, np.float32):
        for big, packed in ((False, False), (False, True), (True, False), (True, True)):
            data = tiff_of(values.astype(kind), big=big, packed=packed)
            np.testing.assert_array_equal(levels(data, (-1024, 3071))[..., 0], by_rule(values, (-1024, 3071)))


@pytest.mark.parametrize("orientation", range(2, 9))
def test_turned_upright_with_all_bits(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    grey = RANDOM.integers(0, 4096, (9, 11)).astype(np.uint16)
    eight = decode(encoded(by_rule(grey, (0, 4095)).astype(np.uint8), "PNG", exif=exif))
    np.testing.assert_array_equal(levels(encoded(grey, "PNG", exif=exif), (0, 4095)), np.asarray(eight))


def test_eight_bits_keep_their_values_whatever_the_range() -> None:
    values = RANDOM.integers(0, 256, (9, 11, 3)).astype(np.uint8)
    for data in (encoded(values), encoded(values[..., 0]), encoded(values, "TIFF"), encoded(values, "JPEG")):
        image, remarks = decode_with_remarks(data, value_range=(0, 4095))
        np.testing.assert_array_equal(np.asarray(image), np.asarray(decode(data)))
        assert not remarks & (Remarks.RESCALED | Remarks.CLIPPED)


def test_what_is_beyond_the_range_is_clipped_and_told() -> None:
    values = np.array([[0, 4095], [4096, 60000]], np.uint16).repeat(4, 0).repeat(4, 1)
    image, remarks = decode_with_remarks(png_of(values), value_range=(0, 4095))
    assert np.asarray(image)[::4, ::4, 0].tolist() == [[0, 255], [255, 255]] and Remarks.CLIPPED in remarks
    assert Remarks.CLIPPED not in decode_with_remarks(png_of(np.minimum(values, 4096)), value_range=(0, 4095))[1], (
        "less than half a grey level is rounding"
    )
    assert Remarks.CLIPPED in decode_with_remarks(png_of(values), value_range=(1000, 65535))[1], "below, too"
    with pytest.raises(Undecodable):
        decode(tiff_of(np.full((8, 8), np.nan, np.float32)), value_range=(0, 1))


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


def folder_of(root: Path, images: dict[str, bytes]) -> Dataset:
    for name, data in images.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return scan(str(root))


def settled(dataset: Dataset, asked: Any = "auto", **options: bool) -> ValueRange:
    work = decide_range(dataset, asked, **options)
    while True:
        try:
            next(work)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]


def noise(bits: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2**bits, (16, 16)).astype(np.uint16)


def twelve(root: Path) -> Dataset:
    return folder_of(
        root, {f"{label}/{k}.png": png_of(noise(12, 10 * k + ord(label))) for label in "ab" for k in range(3)}
    )


def test_the_range_is_decided_from_all_files_and_said(tmp_path: Path) -> None:
    found = settled(twelve(tmp_path))
    assert found.span == (0, 4095) and len(found.extremes) == 6
    (said,) = map(str, found.says())
    assert "12-bit, 0 to 4,095" in said and "6 images" in said


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
