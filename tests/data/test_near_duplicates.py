"""Near-duplicates: copies found, look-alikes and blank pages left alone, the fast search held against comparing every
pair.
"""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageEnhance
from scipy.fft import dctn

from limpide.data import near_duplicates
from limpide.data.near_duplicates import (
    DISTANCE,
    EXACT,
    INFORMATIVE,
    MIN_SIDE,
    SHARE,
    find_pairs,
    fingerprint,
    linked_groups,
)
from tests.make_images import SHAPES, shape

SEEDS = st.integers(0, 2**32 - 1)


def scene(seed: int, side: int = 128) -> Image.Image:
    """A smooth ground with shapes before it: nearer to a photograph than one shape on noise."""
    random = np.random.default_rng(seed)
    image = Image.fromarray(random.integers(0, 256, (5, 5, 3), dtype=np.uint8)).resize(
        (side, side), Image.Resampling.BICUBIC
    )
    for _ in range(6):
        part = shape(SHAPES[int(random.integers(3))], (side // 2, side // 2), random)
        image.paste(
            part.resize((int(random.integers(side // 8, side // 2)),) * 2),
            tuple(int(v) for v in random.integers(0, side * 3 // 4, 2)),
        )
    return image


def saved(image: Image.Image, form: str, quality: int) -> Image.Image:
    data = io.BytesIO()
    image.save(data, form, quality=quality)
    return Image.open(data).convert("RGB")


def random_prints(n: int, random: np.random.Generator) -> np.ndarray:
    return random.integers(0, 2**64, (n, 4), dtype=np.uint64)


def flipped(print_: np.ndarray, bits: int, random: np.random.Generator, among: int = 256) -> np.ndarray:
    """The print with so many different bits of its first `among` changed."""
    row = np.unpackbits(print_.astype("<u8").view(np.uint8), bitorder="little")
    row[random.permutation(among)[:bits]] ^= 1
    return np.packbits(row, bitorder="little").view("<u8").astype(np.uint64)


def ones(prints: np.ndarray) -> np.ndarray:
    return np.unpackbits(np.ascontiguousarray(prints).view(np.uint8), axis=-1).sum(axis=-1, dtype=np.int64)


def every_pair(prints: np.ndarray, distance: int = DISTANCE, skip: np.ndarray | None = None) -> np.ndarray:
    """The definition: all near pairs, by comparing each with each."""
    found = []
    for i in range(len(prints)):
        for j in range(i + 1, len(prints)):
            one, other, far = int(ones(prints[i])), int(ones(prints[j])), int(ones(prints[i] ^ prints[j]))
            left_out = skip is not None and (skip[i] or skip[j])
            if not left_out and min(one, other) >= INFORMATIVE and far <= distance and SHARE * far <= one + other:
                found.append((i, j))
    return np.array(found, dtype=np.int64).reshape(-1, 2)


def groups(n: int, links: np.ndarray) -> list[int]:
    return linked_groups(n, links).tolist()


def planted(seed: int, n: int) -> np.ndarray:
    """Random prints, some poor in bits, some equal, some near an earlier one, some just beyond."""
    random = np.random.default_rng(seed)
    prints = random_prints(n, random)
    for i in range(1, n):
        kind, earlier = random.integers(6), prints[random.integers(i)]
        if kind == 0:
            prints[i] = earlier
        elif kind == 1:
            prints[i] = flipped(earlier, int(random.integers(1, DISTANCE + 6)), random)
        elif kind == 2:
            prints[i] = flipped(np.zeros(4, dtype=np.uint64), int(random.integers(0, 80)), random)
    return prints


# -- the print


def test_the_print_is_the_signs_of_the_lowest_frequencies() -> None:
    image = scene(3)
    thumbnail = np.asarray(image.convert("L").resize((32, 32), Image.Resampling.BILINEAR), dtype=np.float64)
    coefficients = dctn(thumbnail, norm="ortho")
    down, across = np.mgrid[:32, :32]
    lowest = sorted(zip((down**2 + across**2).ravel().tolist(), range(1024), strict=True))[1:257]
    expected = [coefficients.ravel()[place] > 2 for _, place in lowest]
    found = fingerprint(image)
    assert found.shape == (4,) and found.dtype == np.uint64
    bits = [bool(int(found[k // 64]) >> (k % 64) & 1) for k in range(256)]
    assert sum(a != b for a, b in zip(bits, expected, strict=True)) <= 1  # float32 against float64, at the threshold


def test_waves_set_their_own_bit() -> None:
    """A cosine of the first horizontal frequency is the first bit, of the first vertical the second."""
    wave = 128 + 80 * np.cos(np.pi * (np.arange(32) + 0.5) / 32)
    across = Image.fromarray(np.tile(wave, (32, 1)).round().astype(np.uint8)).convert("RGB")
    first, second = int(fingerprint(across)[0]), int(fingerprint(across.transpose(Image.Transpose.TRANSPOSE))[0])
    assert (first & 3, second & 3) == (1, 2)  # rounding to grey levels adds overtones


@pytest.mark.parametrize("count", [near_duplicates._count, near_duplicates._count_by_table])
def test_set_bits_are_counted(count: Callable[[np.ndarray], np.ndarray]) -> None:
    words = random_prints(50, np.random.default_rng(0))
    words[0] = (0, 1, 2**63, 2**64 - 1)
    assert count(words).tolist() == [[int(word).bit_count() for word in row] for row in words.tolist()]
    assert count(words[:, 2]).tolist() == [int(word).bit_count() for word in words[:, 2].tolist()]  # not contiguous


# -- what is found, what is not

COPIES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "itself": lambda image: image,
    "jpeg": lambda image: saved(image, "JPEG", 40),
    "webp": lambda image: saved(image, "WEBP", 60),
    "smaller": lambda image: image.resize((77, 77), Image.Resampling.LANCZOS),
    "other aspect": lambda image: image.resize((150, 100), Image.Resampling.BICUBIC),
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.1),
    "darker": lambda image: ImageEnhance.Brightness(image).enhance(0.9),
    "grey": lambda image: image.convert("L").convert("RGB"),
    "cropped": lambda image: image.crop((1, 1, 126, 126)),
}


def with_text(image: Image.Image) -> Image.Image:
    image = image.copy()
    ImageDraw.Draw(image).text((80, 112), "photo.io", fill="white")
    return image


@pytest.mark.parametrize(("kind", "change"), [*COPIES.items(), ("text", with_text)], ids=[*COPIES, "text"])
def test_copies_are_found_and_nothing_else(kind: str, change: Callable[[Image.Image], Image.Image]) -> None:
    n = 40
    images = [scene(seed) for seed in range(n)]
    prints = np.array([fingerprint(image) for image in images + [change(image) for image in images]])
    found = {tuple(pair) for pair in find_pairs(prints).tolist()}
    right = {(i, n + i) for i in range(n)}
    assert found <= right and len(found) >= 0.95 * n


def test_mirrored_and_turned_pictures_are_others() -> None:
    image = scene(5)
    changed = [
        image.transpose(way)
        for way in (Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.FLIP_TOP_BOTTOM, Image.Transpose.ROTATE_90)
    ]
    assert len(find_pairs(np.array([fingerprint(one) for one in (image, *changed)]))) == 0


def blank(kind: str, random: np.random.Generator) -> Image.Image:
    side = 128
    grey = np.full((side, side, 3), random.integers(20, 236), dtype=np.float64)
    if kind == "noisy":
        grey += random.normal(0, 3, grey.shape)
    elif kind == "gradient":
        grey += (
            np.linspace(0, 60, side)[:, None, None] * random.uniform(-1, 1) + np.linspace(0, 60, side)[None, :, None]
        )
    elif kind == "spot":
        x, y = random.integers(0, side - 4, 2)
        grey[y : y + 4, x : x + 4] = 0
    return saved(Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8)), "JPEG", int(random.integers(40, 96)))


@pytest.mark.parametrize("kind", ["flat", "noisy", "gradient", "spot"])
def test_blank_pages_are_no_copies_of_each_other(kind: str) -> None:
    random = np.random.default_rng(1)
    assert len(find_pairs(np.array([fingerprint(blank(kind, random)) for _ in range(30)]))) == 0


def test_noise_is_no_copy_of_other_noise() -> None:
    random = np.random.default_rng(2)
    noise = [Image.fromarray(random.integers(0, 256, (64, 64, 3), dtype=np.uint8)) for _ in range(200)]
    assert len(find_pairs(np.array([fingerprint(image) for image in noise]))) == 0


def test_the_smallest_side_is_that_of_the_thumbnail() -> None:
    assert MIN_SIDE == near_duplicates.SIDE  # below, the print would be of pixels that interpolation made up


# -- pairs


@given(SEEDS, st.integers(0, 120), st.sampled_from([0, 8, DISTANCE, 60]))
def test_groups_are_those_of_comparing_every_pair(seed: int, n: int, distance: int) -> None:
    prints = planted(seed, n)
    skip = np.random.default_rng(seed).random(n) < 0.1
    for left_out in (None, skip):
        found, expected = find_pairs(prints, distance, left_out), every_pair(prints, distance, left_out)
        assert found.dtype == np.int64 and found.shape[1:] == (2,)
        assert {tuple(p) for p in found.tolist()} <= {tuple(p) for p in expected.tolist()}
        assert groups(n, found) == groups(n, expected)
        assert len(found) == n - len(set(groups(n, found)))  # a forest: nothing is said twice
        assert found.tolist() == sorted(found.tolist())


@given(SEEDS)
def test_the_search_for_many_finds_no_other_pairs_and_nearly_all(seed: int) -> None:
    """Copies as photographs have them: few of the 64 lowest frequencies differ."""
    random = np.random.default_rng(seed)
    prints = random_prints(400, random)
    for i in range(200):
        prints[200 + i] = flipped(
            flipped(prints[i], int(random.integers(0, 7)), random, among=64), int(random.integers(0, 10)), random
        )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(near_duplicates, "EXACT", 0)
        found = {tuple(pair) for pair in find_pairs(prints).tolist()}
    assert found <= {(i, 200 + i) for i in range(200)} and len(found) >= 198


@given(SEEDS, st.integers(0, 120))
def test_the_search_for_many_is_right_about_what_it_finds(seed: int, n: int) -> None:
    prints, skip = planted(seed, n), np.random.default_rng(seed).random(n) < 0.1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(near_duplicates, "EXACT", 0)
        found = find_pairs(prints, DISTANCE, skip)
    assert {tuple(p) for p in found.tolist()} <= {tuple(p) for p in every_pair(prints, DISTANCE, skip).tolist()}
    equal = every_pair(prints, 0, skip)
    label = linked_groups(n, found)
    assert np.array_equal(label[equal[:, 0]], label[equal[:, 1]])  # equal prints are always joined


@given(st.permutations(range(64)), SEEDS)
def test_bits_are_reordered(order: list[int], seed: int) -> None:
    words = random_prints(3, np.random.default_rng(seed)).ravel()
    expected = [sum((int(word) >> k & 1) << order[k] for k in range(64)) for word in words.tolist()]
    assert near_duplicates._reorder(words, np.array(order)).tolist() == expected


def test_a_limit_for_prints_of_few_bits() -> None:
    """Of 60 set bits each, 40 differ: less than DISTANCE, and more than pictures share that have something
    in common.
    """
    random = np.random.default_rng(0)
    row = np.unpackbits(flipped(np.zeros(4, dtype=np.uint64), 60, random).view(np.uint8))
    on, off = np.flatnonzero(row == 1), np.flatnonzero(row == 0)
    for moved, near in ((20, False), (16, False), (15, True), (3, True)):
        other = row.copy()
        other[on[:moved]], other[off[:moved]] = 0, 1
        assert 2 * moved <= DISTANCE
        assert len(find_pairs(np.packbits(np.stack([row, other]), axis=1).view(np.uint64))) == near


def test_many_of_one_kind_stay_few_links() -> None:
    """30,000 equal, 10,000 nearly equal: links to join them, not one for each pair; and a print of their midst is
    joined too.
    """
    random = np.random.default_rng(0)
    prints = np.repeat(random_prints(1, random), 40000, axis=0)
    for k in range(4):
        prints[30000:, k] ^= np.uint64(1) << random.integers(0, 64, 10000, dtype=np.uint64)
    found = find_pairs(prints)
    assert len(found) == 39999 and set(groups(40000, found)) == {0}


def test_prints_may_lie_in_a_file(tmp_path_factory: pytest.TempPathFactory) -> None:
    prints, file = planted(0, 60), tmp_path_factory.mktemp("prints") / "prints.npy"
    np.save(file, prints)
    assert find_pairs(np.load(file, mmap_mode="r")).tolist() == find_pairs(prints).tolist()


def searched(n: int) -> None:
    """Random prints with a copy of each hundredth: all copies found, nothing else, in memory that grows as n."""
    random = np.random.default_rng(0)
    prints = random_prints(n, random)
    copied = np.arange(0, n // 2, 100)
    for i in copied.tolist():
        prints[n // 2 + i] = flipped(flipped(prints[i], 3, random, among=64), 12, random)
    tracemalloc.start()
    try:
        found = find_pairs(prints)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    wanted = {(i, n // 2 + i) for i in copied.tolist()}
    assert {tuple(pair) for pair in found.tolist()} <= wanted and len(found) >= 0.97 * len(wanted)
    assert most < 20e6 + 100 * n  # bytes


def test_fifty_thousand_are_searched() -> None:
    assert EXACT < 50_000
    searched(50_000)


@pytest.mark.soak
def test_a_million_are_searched() -> None:
    searched(1_000_000)


# -- components


def test_a_group_is_called_by_its_first_image() -> None:
    assert groups(6, np.array([[2, 5], [1, 3], [3, 4]])) == [0, 1, 2, 1, 1, 2]
    assert groups(3, np.empty((0, 2), dtype=np.int64)) == [0, 1, 2]
    assert groups(0, np.empty((0, 2), dtype=np.int64)) == []
    assert linked_groups(2, np.array([[0, 1]])).dtype == np.int64
    assert groups(2, np.array([[0, 1]] * 256)) == [0, 0]  # repeated pairs add up, and must not add up to none
