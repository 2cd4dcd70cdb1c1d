"""Images are mirrored where that keeps their class, as far as the most similar images tell."""

from __future__ import annotations

import numpy as np
import pytest

from limpide.training.augment.mirroring import has_sided_classes, mirroring_keeps_class


def pictures(n: int, seed: int, sided: bool, noise: float = 30.0) -> tuple[np.ndarray, np.ndarray]:
    """Bars on the left or on the right (sided), or horizontal bars high or low, at places that vary."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, n)
    array = random.normal(100, noise, (n, 24, 24, 3))
    for k, label in enumerate(labels):
        place = 3 + 12 * label + random.integers(0, 4)
        if sided:
            array[k, :, place : place + 3] += 110
        else:
            array[k, place : place + 3, random.integers(0, 8) :] += 110
    return array.clip(0, 255).astype(np.uint8), labels


@pytest.mark.parametrize(("sided", "keeps"), [(True, False), (False, True)])
def test_a_side_that_matters_is_noticed(sided: bool, keeps: bool) -> None:
    learned, asked = pictures(300, 0, sided), pictures(200, 1, sided)
    found, says = mirroring_keeps_class(*learned, *asked)
    assert found is keeps and ("are mirrored while" in str(says)) is keeps and "200" in str(says)


def test_where_nothing_is_recognised_nothing_is_mirrored() -> None:
    random = np.random.default_rng(0)
    noise = random.integers(0, 255, (500, 24, 24, 1), np.uint8)
    found, says = mirroring_keeps_class(noise[:300], np.arange(300) % 2, noise[300:], np.arange(200) % 2)
    assert not found and "cannot be told" in str(says)


def test_where_a_side_matters_it_is_hardly_ever_called_safe() -> None:
    """Two of ten classes are mirror images of each other: of forty draws, none is mirrored."""
    wrong = 0
    for seed in range(40):
        random = np.random.default_rng(seed)
        centers = random.normal(128, 40, (5, 12, 12, 1))
        centers = np.concatenate([centers, centers[:1, :, ::-1]])  # the sixth class is the first, mirrored
        labels = random.integers(0, 6, 900)
        squares = (centers[labels] + random.normal(0, 25, (900, 12, 12, 1))).clip(0, 255).astype(np.uint8)
        wrong += mirroring_keeps_class(squares[:600], labels[:600], squares[600:], labels[600:])[0]
    assert wrong == 0


@pytest.mark.parametrize(
    ("classes", "sided"),
    [
        (["0", "1", "9"], True),
        (["00", "17"], True),
        (["A", "b"], True),
        (["turn left", "stop"], True),
        (["main droite", "main gauche"], True),
        (["cat", "dog"], False),
        (["3 bars", "disc"], False),
        (["upright", "bright spot", "cleft"], False),
        (["turn_left", "ahead"], True),
        ([], False),
    ],
)
def test_names_that_say_that_sides_matter(classes: list[str], sided: bool) -> None:
    assert has_sided_classes(classes) is sided
