"""An image in each form that a program may hand in: the same pixels as its file gives, or one line that
says why not.
"""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from limpide.core.errors import DataError, LimpideError, UsageError
from limpide.core.run_info import Arrays
from limpide.data.dataset import ArrayImages
from limpide.data.decoding.decode import Remarks, decode
from limpide.data.decoding.pillow_images import decode_opened, file_of
from limpide.data.inputs import FROM_FILES, decode_input, files_in, images_in, labeled_images, paths_in
from limpide.data.preprocessing import Preprocessing
from tests.data.make_inputs import COLOUR, FILES, GREY, PIXELS, SIDE, Column, P, rgb
from tests.make_images import encoded

# Programs leave images open, and so do these tests.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    (tmp_path / "x").write_bytes(FILES[request.param])
    return tmp_path / "x"


every_file = pytest.mark.parametrize("file", FILES, indirect=True)


# -- files, bytes and Pillow's images


@every_file
def test_one_rule_whichever_way_a_file_comes(file: Path) -> None:
    data = file.read_bytes()
    expected = np.asarray(decode(data, P.jpeg_side))

    def shown() -> Image.Image:
        image = Image.open(file)
        np.asarray(image)  # as a notebook does to show it
        return image

    with open(file, "rb") as stream:
        forms = [
            str(file),
            file,
            data,
            bytearray(data),
            memoryview(data),
            io.BytesIO(data),
            stream,
            Image.open(file),
            Image.open(io.BytesIO(data)),
            shown(),
        ]
        for form in forms:
            for given in (form, [form], (form,), Column([form]), iter([form])):
                if form in (forms[5], stream):
                    form.seek(0)  # type: ignore[union-attr]
                np.testing.assert_array_equal(rgb(given), expected)
    mixed = images_in([Image.open(file), str(file), data, expected])
    assert all(np.array_equal(decode_input(one, P), expected) for one in mixed) and len(mixed) == 4


@every_file
def test_an_image_in_memory_goes_through_the_same_steps(file: Path) -> None:
    """What Pillow makes of the file, without it: only the fraction at which a JPEG is decoded is lost."""
    image = Image.open(file).copy()
    assert file_of(image) is None
    np.testing.assert_array_equal(np.asarray(decode_opened(image)[0]), np.asarray(decode(file.read_bytes())))


@every_file
def test_the_rule_twice_is_the_rule(file: Path) -> None:
    once = decode(file.read_bytes())
    np.testing.assert_array_equal(np.asarray(decode_opened(once)[0]), np.asarray(once))


@every_file
def test_the_image_of_the_caller_stays_as_it_was(file: Path) -> None:
    plain = Image.open(file)
    kept = (plain.mode, plain.size, plain.tell(), dict(plain.info), plain.tobytes())
    for image in (Image.open(file), plain, plain.copy()):
        before = dict(image.info)
        rgb(image)
        assert before == dict(image.info) and (image.mode, image.size, image.tell(), image.tobytes()) == (
            *kept[:3],
            kept[4],
        )


def test_a_changed_image_is_no_longer_its_file(tmp_path: Path) -> None:
    Image.fromarray(PIXELS).save(tmp_path / "x.png")
    image = Image.open(tmp_path / "x.png")
    ImageDraw.Draw(image).rectangle((0, 0, 9, 9), fill=(255, 0, 0))
    assert file_of(image) is None and rgb(image)[:10, :10].reshape(-1, 3).tolist() == [[255, 0, 0]] * 100
    palette = Image.open(io.BytesIO(FILES["bmp-palette"]))
    palette.putpalette(bytes(768))
    assert rgb(palette).max() == 0
    opaque = Image.open(io.BytesIO(FILES["png-palette"]))
    del opaque.info["transparency"]
    assert not np.array_equal(rgb(opaque), rgb(FILES["png-palette"]))
    (tmp_path / "y").write_bytes(FILES["jpeg-large"])
    smaller = Image.open(tmp_path / "y")
    smaller.draft("L", (80, 60))
    assert file_of(smaller) is None and rgb(smaller).shape == (60, 80, 3)
    (tmp_path / "y").write_bytes(FILES["jpeg"])
    assert file_of(smaller) is None, "another file stands there now"


def test_the_frame_that_was_chosen_is_meant() -> None:
    for name in ("gif-animated", "webp-animated", "tiff-pages", "png-animated"):
        image = Image.open(io.BytesIO(FILES[name]))
        image.seek(1)
        second = image.copy()
        np.testing.assert_array_equal(rgb(image), np.asarray(decode_opened(second)[0]))
        assert not np.array_equal(rgb(image), np.asarray(decode(FILES[name]))) and image.tell() == 1


def test_threads_may_share_an_image(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(FILES["jpeg-large"])
    image, expected = Image.open(tmp_path / "x"), np.asarray(decode(FILES["jpeg-large"], P.jpeg_side))
    with ThreadPoolExecutor(4) as pool:
        assert all(np.array_equal(found, expected) for found in pool.map(rgb, [image] * 40))
        for _ in range(10):
            page = Image.open(io.BytesIO(FILES["tiff-pages"]))
            page.seek(1)
            first, *others = pool.map(rgb, [page] * 4)
            assert all(np.array_equal(found, first) for found in others)


def test_what_cannot_be_used_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "empty.png").write_bytes(b"")
    with Image.open(io.BytesIO(FILES["png"])) as closed:
        pass
    bad: list[tuple[Any, str]] = [
        (tmp_path / "gone.png", "L208.*|.*gone.png"),
        (tmp_path / "empty.png", "empty.png.*L207"),
        ([FILES["png"], FILES["png"][:50]], "image 1.*L207"),
        ([closed], "image 0.*L207"),
        (Image.new("RGB", (2, 2)), "too small.*L207"),
        (None, "NoneType.*L281"),
        (["a.png", None], "image 1: NoneType.*L281"),
        ({"a": 1}, "dict.*L281"),
        (7, "int.*L281"),
        (io.StringIO("text"), "empty.*L207"),
        (np.array([["a.png", "cat"]], object), "one column.*L219"),
        (str(tmp_path / "*.jpg"), "no file matches.*L108"),
        ([[[1, 2], [3]]], "several sizes.*L223"),
    ]
    for given, says in bad:
        with pytest.raises(LimpideError, match=says) as told:
            for k, item in enumerate(images_in(given)):
                decode_input(item, P, f"image {k}")
        assert "\n" not in str(told.value)


# -- arrays


@pytest.mark.parametrize(
    ("given", "learned", "answers"),
    [
        (GREY, None, 1),
        ((12, 10, 1), None, 1),
        (COLOUR, None, 1),
        ((1, *GREY), None, 1),
        ((3, *GREY), None, 1),  # channels first, as torch has it
        ((12, 10, 4), None, "L283"),
        ((12, 10, 2), None, "L283"),
        ((2, *GREY), None, "L282"),
        ((4, *GREY), None, "L282"),
        ((5, *GREY), None, 5),
        ((2, *COLOUR), None, 2),
        ((2, *GREY, 1), None, 2),
        ((2, 3, *GREY), None, 2),
        ((2, 1, *GREY), None, 2),
        ((2, *GREY, 4), None, "L283"),
        ((2, *GREY, 2), None, "L283"),
        ((2, 4, *GREY), None, "L219"),
        ((2, 2, *COLOUR), None, "L219"),
        ((12,), None, "L219"),
        ((), None, "L219"),
        ((12, 10, 0), None, "L219"),
        ((3, *GREY), GREY, 3),  # as many as the rows that scikit-learn hands over
        ((2, *GREY), GREY, 2),
        ((3, 14, 14), GREY, "L282"),
        ((3, *GREY), (), "L282"),  # an older run
        ((3, *GREY), COLOUR, 1),
        ((3, 12, 3), (12, 3), 3),
        (COLOUR, (12, 3), "L283 or 12"),
        ((0, *COLOUR), None, 0),
        ((0, *GREY), GREY, 0),
        ((0,), None, 0),
    ],
)
def test_an_array_is_one_image_or_several_or_refused(
    given: tuple[int, ...], learned: tuple[int, ...] | None, answers: int | str
) -> None:
    array = np.random.default_rng(0).integers(0, 256, given, dtype=np.uint8)
    if answers == "L283 or 12":
        answers = 1  # twelve rows of ten by three pixels are another shape than was learned
    if isinstance(answers, str):
        with pytest.raises(DataError) as told:
            images_in(array, Arrays(None, shape=learned))
        assert told.value.code == answers and "\n" not in str(told.value)
        return
    found = images_in(array, Arrays(None, shape=learned))
    assert len(found) == answers
    for item in found:
        assert isinstance(item, np.ndarray) and item.dtype == np.uint8 and item.shape[2:] in ((), (3,))
    if given == (3, *GREY) and answers == 1:
        np.testing.assert_array_equal(found[0], array.transpose(1, 2, 0))


@pytest.mark.parametrize("given", [GREY, (12, 10, 1), COLOUR, (1, *GREY), (3, *GREY)])
def test_an_array_in_a_list_is_one_image(given: tuple[int, ...]) -> None:
    array = np.random.default_rng(0).integers(0, 256, given, dtype=np.uint8)
    for learned in (FROM_FILES, Arrays(None, shape=GREY), Arrays(None, shape=())):
        assert [np.shape(item)[:2] for item in images_in([array, torch.from_numpy(array)], learned)] == [GREY, GREY]
    other = np.zeros((9, 9), np.uint8)
    assert len(images_in([array, other])) == 2, "of any sizes"
    for wrong in ((12, 10, 4), (2, *GREY), (2, 2, *COLOUR), (12,), ()):
        with pytest.raises(DataError):
            images_in([array, np.zeros(wrong)])


def test_what_the_values_of_an_array_mean() -> None:
    grey = np.arange(0, 120, dtype=np.uint8).reshape(GREY)
    for same in (
        grey,
        grey.astype(np.int64),
        grey.astype(float),
        grey / 255,
        (grey / 255).astype(np.float32),
        grey.tolist(),
        torch.from_numpy(grey),
    ):
        np.testing.assert_array_equal(images_in(same)[0], grey)
    np.testing.assert_array_equal(images_in(grey > 9)[0], (grey > 9) * 255)
    dark = np.full(GREY, 0.5)
    # one scale for all floats that come together
    for given in ([dark, grey.astype(float)], np.stack([dark, grey.astype(float)])):
        assert images_in(given, Arrays(None, shape=GREY))[0].max() == 0  # type: ignore[union-attr]
    assert images_in([dark, grey])[0].max() == images_in(dark)[0].max() == 128, "whole numbers say nothing of floats"  # type: ignore[union-attr]
    assert (
        images_in(dark, Arrays(1.0, shape=GREY))[0].max() == 0
        and images_in(dark / 100, Arrays(255.0, shape=GREY))[0].max() == 1
    )  # type: ignore[union-attr]
    for wrong, code in (
        (-dark, "L231"),
        (dark * np.nan, "L230"),
        (grey.astype(np.uint16) * 257, "L231"),
        (dark * 1j, "L219"),
        (dark * 600, "L231"),
    ):
        for given in (wrong, [wrong], [grey, wrong]):
            with pytest.raises(DataError, match=code):
                images_in(given)


DEEP = Preprocessing(SIDE, 3, jpeg_side=2 * SIDE, value_range=(0.0, 4095.0))


@pytest.mark.filterwarnings("ignore:images hold values outside")
@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.float32])
@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_more_than_8_bits_are_read_by_the_value_range_of_the_network(dtype: type, form: str, tmp_path: Path) -> None:
    values = (np.arange(120).reshape(GREY) * 40).astype(dtype)
    if form == "PNG" and dtype != np.uint16:
        pytest.skip("PNG holds 16 bits at most")
    (tmp_path / "x").write_bytes(encoded(Image.fromarray(values), form))
    image = Image.open(tmp_path / "x")
    seen = [
        decode_input(one, DEEP)
        for given in (tmp_path / "x", image, image.copy(), values, [values], np.asarray(image))
        for one in images_in(given, value_range=(0.0, 4095.0))
    ]
    assert np.asarray(seen[0])[..., 0].tolist() == np.rint(values.astype(float) * 255 / 4095).clip(0, 255).tolist()
    assert len(seen) == 6 and all(np.array_equal(one, seen[0]) for one in seen)
    assert all(
        Remarks.CLIPPED in DEEP.opened(given)[1] for given in (image, image.copy(), (tmp_path / "x").read_bytes())
    )


@pytest.mark.parametrize("dtype", [np.int16, np.uint16, np.int32, np.int64, np.float32, float])
def test_the_type_of_an_array_says_whether_the_range_holds(dtype: type) -> None:
    """Not what values happen to be there: a dark part of a scan is dark."""
    dark = np.arange(120).reshape(GREY).astype(dtype)
    np.testing.assert_array_equal(
        images_in(dark, value_range=(-1024.0, 3071.0))[0], np.rint((dark.astype(float) + 1024) * 255 / 4095)
    )
    np.testing.assert_array_equal(images_in(dark.astype(np.uint8), value_range=(-1024.0, 3071.0))[0], dark)
    with pytest.warns(UserWarning, match="outside the value range"):
        assert images_in(dark * 50, value_range=(-1024.0, 3071.0))[0].max() == 255  # type: ignore[union-attr]


def test_a_file_beyond_the_range_warns_a_program() -> None:
    with pytest.warns(UserWarning, match="outside the value range"):
        decode_input(encoded(np.full(GREY, 60000, np.uint16)), DEEP)


@pytest.mark.parametrize(
    ("dtype", "low", "high", "span"),
    [(np.uint16, 0, 1400, (0, 4095)), (np.int16, -1000, 3000, (-1000, 3000)), (float, 0.5, 900, (0.5, 900))],
)
def test_arrays_of_more_than_8_bits_have_their_range_decided(
    dtype: type, low: float, high: float, span: tuple[float, float], tmp_path: Path
) -> None:
    values = np.linspace(low, high, 6 * 120).reshape(6, *GREY).astype(dtype)
    dataset, _, _ = labeled_images(values, list("ababab"), tmp_path)
    assert isinstance(dataset.images, ArrayImages) and dataset.images.value_range == span
    np.testing.assert_array_equal(
        dataset.images.array, np.rint((values.astype(float) - span[0]) * (255 / (span[1] - span[0])))
    )
    asked, _, _ = labeled_images(values, list("ababab"), tmp_path, value_range=(0.0, 100.0))
    assert asked.images.value_range == (0, 100)  # type: ignore[attr-defined]
    with pytest.raises(DataError, match="L231"):
        labeled_images(values, list("ababab"), tmp_path, value_range="none")


def test_a_float_file_and_its_array_agree() -> None:
    levels = (np.arange(120).reshape(GREY) / 200).astype(np.float32)
    data = encoded(levels, "TIFF")
    np.testing.assert_array_equal(rgb(levels), rgb(data))
    np.testing.assert_array_equal(rgb(np.asarray(Image.open(io.BytesIO(data)))), rgb(data))


# -- folders and patterns


def test_names_are_taken_as_the_command_line_takes_them(tmp_path: Path) -> None:
    names = [tmp_path / "in" / name for name in ("a.png", "b/c.png", "[x].png", ".hidden")]
    for name in names:
        name.parent.mkdir(parents=True, exist_ok=True)
        name.write_bytes(FILES["png"])
    seen = sorted(map(str, names[:3]))
    assert (
        images_in(str(tmp_path / "in"))
        == images_in(tmp_path / "in")
        == paths_in([tmp_path / "in"])
        == files_in([str(tmp_path / "in")])
        == seen
    )
    assert images_in(str(tmp_path / "in" / "*.png")) == [str(tmp_path / "in" / name) for name in ("[x].png", "a.png")]
    assert images_in([names[2], tmp_path / "in" / "b"]) == [str(names[2]), str(names[1])]
    assert paths_in(np.array([[str(names[0])]], object)) == [str(names[0])] and paths_in([]) == []
    assert (
        paths_in(FILES["png"]) is None
        and paths_in([names[0], FILES["png"]]) is None
        and paths_in(np.zeros((8, 8))) is None
    )
    with pytest.raises(UsageError, match="L108"):
        images_in(str(tmp_path / "in" / "*.jpg"))
