"""Images that a program hands in to be learned from, in each form, and what then answers."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from limpide import Features, ImageClassifier
from limpide.core.errors import DataError, UsageError
from limpide.core.run_info import Arrays
from limpide.data.inputs import images_in, labeled_images
from limpide.explanation.inputs import enter_image
from tests.data.make_inputs import FILES, GREY, PIXELS, SIDE, Column, P, rgb
from tests.make_images import photo_folder

# Programs leave images open, and so do these tests.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Of 30 pictures in palette files and photographs that have to be turned."""
    root = photo_folder(tmp_path_factory.mktemp("samples") / "photos", per_class=10, size=(SIDE, 24))
    exif = Image.Exif()
    exif[0x0112] = 6
    for k, file in enumerate(sorted(root.rglob("*.png"))):
        with Image.open(file) as image:
            image.load()
        image.quantize(64).save(file) if k % 2 else image.save(file, exif=exif)
    return sorted(root.rglob("*.png"))


WAYS: dict[str, Callable[[Path], Any]] = {
    "opened": Image.open,
    "loaded": lambda file: (image := Image.open(file), image.load())[0],
    "bytes": Path.read_bytes,
    "from a stream": lambda file: Image.open(io.BytesIO(file.read_bytes())),
    "in memory": lambda file: Image.open(file).copy(),
}


@pytest.mark.parametrize("way", WAYS)
def test_images_are_learned_as_their_files_are(way: str, photos: list[Path], tmp_path: Path) -> None:
    labels = [file.parent.name for file in photos]
    expected = labeled_images(photos, labels, tmp_path)[0]
    found, known, classes = labeled_images([WAYS[way](file) for file in photos], labels, tmp_path)
    assert (
        found.labels.tolist() == expected.labels.tolist()
        and classes.tolist() == ["bars", "disc", "square"]
        and known["shape"] is None
    )
    for k in range(len(photos)):
        np.testing.assert_array_equal(np.asarray(found.images.image(k)), np.asarray(expected.images.image(k)))
        assert way == "in memory" or found.images.bytes(k) == expected.images.bytes(k), (
            "so that the same images fall into the same parts"
        )
    if way in ("opened", "loaded"):
        assert found.fingerprint == expected.fingerprint and not list(tmp_path.iterdir())


def test_mixed_sizes_and_kinds_are_learned(tmp_path: Path) -> None:
    deep = np.arange(120, dtype=np.uint16).reshape(GREY) * 500
    given = [
        PIXELS,
        PIXELS[:20, :20, 0] / 255,
        FILES["png-16"],
        Image.fromarray(deep),
        Image.fromarray(deep.astype(np.float32)),
        Image.fromarray(PIXELS).convert("LAB"),
    ]
    dataset, known, _ = labeled_images(given, list("ababab"), tmp_path)
    assert known["scale"] == 255.0 and dataset.images.image(1).size == (20, 20)
    for k in (0, 2, 3, 4, 5):
        np.testing.assert_array_equal(np.asarray(dataset.images.image(k)), rgb(given[k]))
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(dataset.images.bytes(3)))), deep), (
        "all 16 bits wait for the value range of the data set"
    )
    with pytest.raises(DataError, match=r"image 1.*L207"):
        labeled_images([PIXELS, Image.new("L", (1, 1))], [0, 1], tmp_path)


@pytest.fixture(scope="module")
def trained(photos: list[Path]) -> Iterator[ImageClassifier]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    labels = [file.parent.name for file in photos]
    yield ImageClassifier(model="cnn", epochs=2, image_size=SIDE, judge=False, quiet=True).fit(
        [Image.open(file) for file in photos], labels
    )
    torch.set_num_threads(before)


def test_a_classifier_answers_all_forms_alike(trained: ImageClassifier, photos: list[Path]) -> None:
    expected = trained.predict_proba(photos)
    forms: list[Any] = [
        photos[0].parents[1],
        os.path.join(photos[0].parents[1], "*", "*.png"),
        Column(photos),
        *([way(f) for f in photos] for way in WAYS.values()),
    ]
    for form in forms:
        np.testing.assert_allclose(trained.predict_proba(form), expected, atol=1e-6)
    assert trained.predict(photos[0].read_bytes()).shape == (1,) and [
        p.file for p in trained.predictions(photos[0].parent)
    ] == list(map(str, photos[:10]))
    for none in ([], (), np.zeros((0, 16, 16, 3), np.uint8), Column([])):
        assert trained.predict_proba(none).shape == (0, 3) and trained.predict(none).shape == (0,)
    said = trained.explain(photos[0])
    assert all(trained.explain(way(photos[0])).message == said.message for way in WAYS.values())
    with pytest.raises(UsageError, match="L144"):
        trained.evaluate(photos)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="L232"):
        trained.score(photos[0].parent, ["bars"])
    with pytest.raises(DataError, match="L283"):
        trained.predict(np.zeros((16, 16, 4), np.uint8))


def test_a_network_sees_all_forms_alike(photos: list[Path]) -> None:
    for file in photos[:2]:
        _, expected, name = enter_image(str(file), P)
        assert name == str(file)
        for way in WAYS.values():
            assert np.array_equal(enter_image(way(file), P)[1], expected)
    with pytest.raises(UsageError, match="L118"):
        enter_image(photos[:2], P)
    np.testing.assert_array_equal(
        enter_image(np.full(GREY, 8.0), P, Arrays(255 / 16, shape=GREY))[1], np.full((SIDE, SIDE, 3), 128)
    )


def test_features_take_all_forms_alike(trained: ImageClassifier, photos: list[Path]) -> None:
    features = Features(trained.run_)
    expected = features.transform(photos[:4])
    for way in WAYS.values():
        np.testing.assert_allclose(features.transform([way(file) for file in photos[:4]]), expected, atol=1e-5)
    assert features.transform([]).shape == (0, expected.shape[1])


def test_values_that_were_rescaled_to_1_are_refused_where_a_network_learned_from_thousands() -> None:
    values = np.linspace(0, 4095, 12 * 10).reshape(12, 10)
    for rescaled in (
        values / 4095,
        [values / 4095],
        (values / 4095)[None],
        [np.float32(values / 4095), np.float32(values / 4095)],
    ):
        with pytest.raises(DataError, match="L285") as found:
            images_in(rescaled, value_range=(0.0, 4095.0))
        assert "4,095" in str(found.value)
    for right, span in (
        (values, (0.0, 4095.0)),
        (np.zeros((12, 10)), (0.0, 4095.0)),
        (values / 4095, (0.0, 1.0)),
        (values / 4095, (0.0, 255.0)),
    ):
        images_in(right, value_range=span)
