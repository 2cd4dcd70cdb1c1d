"""Classes that fall behind, confusions and mistakes, and the pictures that show them."""

from __future__ import annotations

import base64
import dataclasses
import io

import numpy as np
import pytest
from PIL import Image

from limpide.audit.classes import MAX_PICTURES, MISTAKES, PICTURES_A_CELL, PICTURES_RIGHT
from limpide.audit.evidence import THUMB, Evidence
from tests.audit.predictors import AUDITS, NAMES, evidence


def test_one_weak_class_among_many_is_found_and_named() -> None:
    case = evidence("perfect", 400)
    case.probabilities[case.truth == 2] = [0.9, 0.05, 0.04, 0.01]
    finding = AUDITS["classes"](case)
    assert (
        finding.verdict == "warn" and finding.message.values["name"] == "bird" and finding.message.values["recall"] == 0
    )


def test_the_lowest_of_many_classes_is_not_accused_for_bad_luck() -> None:
    """Fifty classes, all equally good (80 %), twenty images each: one in twenty is unlucky, none is to blame."""
    rng = np.random.default_rng(3)
    truth = np.repeat(np.arange(50), 20)
    said = np.where(rng.random(1000) < 0.8, truth, (truth + 1) % 50)
    case = Evidence(tuple(map(str, range(50))), ("x",) * 1000, truth, np.eye(50)[said], 0)
    finding = AUDITS["classes"](case)
    lowest = min(row[5] for row in finding.table.rows)  # type: ignore[union-attr]
    assert lowest < 0.8 and finding.verdict == "unknown", (
        "neither accused nor praised: twenty images cannot rule out a gap"
    )


def test_a_class_falls_behind_by_many_patients_and_not_by_one() -> None:
    """Class b is right on 60 of 100 images, class a on all: one patient's 40 pictures, or 40 of 100 people."""
    truth = np.repeat([0, 1], 100)
    said = np.where((truth == 1) & (np.arange(200) % 100 < 40), 0, truth)
    case = Evidence(("a", "b"), ("x",) * 200, truth, np.eye(2)[said], 0)
    assert AUDITS["classes"](case).verdict == "warn"
    assert AUDITS["classes"](dataclasses.replace(case, groups=np.arange(200) // 40)).verdict == "unknown"


def coloured(i: int) -> Image.Image:
    return Image.new("RGB", (300, 200), (i % 256, 0, 0))


def test_pictures_are_small_jpegs_of_the_image_they_name() -> None:
    finding = AUDITS["mistakes"](evidence("random", image=coloured))
    assert len(finding.pictures) == MISTAKES
    for picture in finding.pictures:
        image = Image.open(io.BytesIO(base64.b64decode(picture.jpeg)))
        assert (
            image.size == (THUMB, 48)
            and picture.label != picture.predicted
            and picture.probability == pytest.approx(0.97)
        )
        assert abs(image.getpixel((30, 20))[0] - int(picture.file.removesuffix(".jpg")) % 256) < 6  # type: ignore[index]


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        ((8, 8), (72, 72)),
        ((28, 28), (56, 56)),
        ((36, 20), (72, 40)),
        ((37, 20), (37, 20)),
        ((720, 72), (72, 7)),
        ((5, 200), (2, 72)),
    ],
)
def test_a_tiny_image_is_enlarged_and_a_large_one_reduced(size: tuple[int, int], shown: tuple[int, int]) -> None:
    finding = AUDITS["mistakes"](evidence("random", 40, image=lambda i: Image.new("RGB", size)))
    assert Image.open(io.BytesIO(base64.b64decode(finding.pictures[0].jpeg))).size == shown


def test_no_pictures_where_none_are_wanted() -> None:
    assert all(p.jpeg == "" for p in AUDITS["confusion"](evidence("random")).pictures)


def test_each_cell_of_the_confusion_shows_its_surest_images() -> None:
    case = evidence("random", 2000)
    case.probabilities[:] += np.random.default_rng(1).random(case.probabilities.shape) * 0.01
    finding = AUDITS["confusion"](case)
    cells: dict[tuple[str, str], list[float]] = {}
    for picture in finding.pictures:
        cells.setdefault((picture.label, picture.predicted), []).append(picture.probability)
    assert len(cells) == 16 and len(finding.pictures) <= MAX_PICTURES
    for (label, predicted), shown in cells.items():
        assert len(shown) == (PICTURES_RIGHT if label == predicted else PICTURES_A_CELL) and shown == sorted(
            shown, reverse=True
        )
        i, j = NAMES.index(label), NAMES.index(predicted)
        inside = case.probabilities[(case.truth == i) & (case.predicted == j)].max(1)
        assert shown[0] == pytest.approx(inside.max())
    wrong = [p.label != p.predicted for p in finding.pictures]
    assert wrong == sorted(wrong, reverse=True)


def test_no_confusion_is_called_the_most_frequent_where_each_came_once() -> None:
    def told(*wrong: tuple[int, int]) -> str:
        case = evidence("perfect", 40)
        for i, said in wrong:
            case.probabilities[i] = np.eye(len(case.classes))[said]
        return str(AUDITS["confusion"](case).message)

    first, second = (next(i for i, truth in enumerate(evidence("perfect", 40).truth) if truth == k) for k in (0, 1))
    assert told().startswith("It confused no two classes")
    assert told((first, 1)).startswith("Its most frequent confusion: 1 of ")
    assert told((first, 1), (second, 0)) == "It gave no class the same wrong name twice, on 40 test images."


def test_the_surest_mistake_comes_first() -> None:
    case = evidence("perfect", 40)
    for i, sure in ((7, 0.6), (20, 0.99), (30, 0.8)):
        case.probabilities[i] = (1 - sure) / 3
        case.probabilities[i, (case.truth[i] + 1) % 4] = sure
    finding = AUDITS["mistakes"](case)
    assert [p.file for p in finding.pictures] == ["20.jpg", "30.jpg", "7.jpg"]
    assert finding.message.values == {"n": 3, "total": 40, "sure": 1} and finding.verdict == "unknown"
