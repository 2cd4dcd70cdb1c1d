"""The preprocessing in the exported file equals the one that training uses, bit for bit."""

from __future__ import annotations

import functools

import numpy as np
import onnxruntime
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from limpide.data.preprocessing import Preprocessing
from limpide.deploy.preprocessing_graph import preprocessing_model


@functools.cache
def session(p: Preprocessing) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(
        preprocessing_model(p).SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def run(p: Preprocessing, images: np.ndarray) -> np.ndarray:
    return np.asarray(session(p).run(None, {"image": images})[0])


def declared(p: Preprocessing, image: np.ndarray) -> np.ndarray:
    """Pillow's resize, and the normalisation in float32 as NumPy does it: float (channels, size, size)."""
    pixels = p.pixels(Image.fromarray(image)).astype(np.float32)
    return ((pixels - np.array(p.mean, np.float32)) / np.array(p.std, np.float32)).transpose(2, 0, 1)


KINDS = ("noise", "extremes", "ramp", "dots")


def picture(width: int, height: int, kind: str, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    if kind == "noise":
        return random.integers(0, 256, (height, width, 3), dtype=np.uint8)
    if kind == "extremes":  # overshoot of the bicubic filter must be clipped alike
        return (random.integers(0, 2, (height, width, 3)) * 255).astype(np.uint8)
    if kind == "ramp":
        return (np.add.outer(np.arange(height), np.arange(width))[..., None] * np.array([1, 2, 3]) % 256).astype(
            np.uint8
        )
    dots = np.zeros((height, width, 3), np.uint8)
    dots[random.integers(0, height, 9), random.integers(0, width, 9)] = 255
    return dots


def within_the_longest_ratio(sizes: tuple[int, int]) -> bool:
    return max(sizes) <= 50 * min(sizes)


sides = st.tuples(st.integers(4, 600), st.integers(4, 600)).filter(within_the_longest_ratio)


@settings(max_examples=settings().max_examples * 4)
@given(
    sides=sides,
    size=st.sampled_from([8, 28, 32, 33, 64, 96, 128, 224]),
    channels=st.sampled_from([1, 3]),
    fit=st.sampled_from(["squash", "crop"]),
    centre=st.sampled_from([1024, 896, 500]),
    filter=st.sampled_from(["bilinear", "bicubic"]),
    kind=st.sampled_from(KINDS),
    seed=st.integers(0, 10**6),
)
@example(sides=(600, 12), size=224, channels=3, fit="squash", centre=896, filter="bicubic", kind="extremes", seed=0)
@example(sides=(12, 600), size=224, channels=3, fit="squash", centre=896, filter="bicubic", kind="extremes", seed=0)
@example(sides=(4, 200), size=8, channels=1, fit="crop", centre=896, filter="bilinear", kind="noise", seed=0)
@example(sides=(200, 4), size=8, channels=3, fit="crop", centre=896, filter="bicubic", kind="noise", seed=0)
@example(sides=(64, 64), size=64, channels=3, fit="squash", centre=896, filter="bicubic", kind="noise", seed=0)
@example(sides=(64, 63), size=64, channels=3, fit="squash", centre=896, filter="bicubic", kind="noise", seed=0)
@example(sides=(63, 64), size=64, channels=1, fit="crop", centre=896, filter="bilinear", kind="noise", seed=0)
@example(sides=(4, 4), size=224, channels=3, fit="squash", centre=896, filter="bicubic", kind="extremes", seed=0)
def test_equals_the_declared_preprocessing_bit_for_bit(
    sides: tuple[int, int], size: int, channels: int, fit: str, centre: int, filter: str, kind: str, seed: int
) -> None:
    p = Preprocessing(size, channels, fit, filter, mean=(127.0,), std=(128.0,), centre=centre)
    image = picture(*sides, kind, seed)
    got, expected = run(p, image[None])[0], declared(p, image)
    assert got.shape == expected.shape == (channels, size, size) and got.dtype == np.float32
    assert np.array_equal(got, expected), (
        f"{np.count_nonzero(got != expected)} values differ by up to {np.abs(got - expected).max()}"
    )


@pytest.mark.parametrize("sides", [(3000, 60), (60, 3000), (1999, 1501)])
def test_large_images(sides: tuple[int, int]) -> None:
    p = Preprocessing(64, 3, "squash", "bicubic", mean=(127.0,), std=(128.0,))
    image = picture(*sides, "noise", 1)
    assert np.array_equal(run(p, image[None])[0], declared(p, image))


@pytest.mark.parametrize("filter", ["bilinear", "bicubic"])
def test_a_square_of_the_right_size_passes_through(filter: str) -> None:
    p = Preprocessing(32, 3, "crop", filter, mean=(0.0,), std=(1.0,))
    image = picture(32, 32, "noise", 0)
    assert np.array_equal(run(p, image[None])[0].transpose(1, 2, 0), image)


def test_a_batch_equals_its_images() -> None:
    p = Preprocessing(24, 3)
    batch = np.stack([picture(70, 41, kind, 3) for kind in KINDS])
    assert np.array_equal(run(p, batch), np.stack([run(p, image[None])[0] for image in batch]))


def test_each_channel_has_its_own_normalisation() -> None:
    p = Preprocessing(16, 3, mean=(1.0, 2.0, 3.0), std=(4.0, 5.0, 6.0))
    image = picture(30, 20, "noise", 0)
    assert np.array_equal(run(p, image[None])[0], declared(p, image))


def test_grey_is_unchanged_by_the_way_over_rgb() -> None:
    p = Preprocessing(16, 1, mean=(0.0,), std=(1.0,))
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    rgb = np.repeat(levels[..., None], 3, axis=-1)
    assert np.array_equal(run(p, rgb[None])[0, 0], levels) and np.array_equal(
        p.pixels(Image.fromarray(rgb))[..., 0], levels
    )


def test_grey_is_pillows() -> None:
    image = Image.fromarray(picture(64, 64, "noise", 5))
    assert np.array_equal(Preprocessing.grey(np.asarray(image))[..., 0], np.asarray(image.convert("L")))
