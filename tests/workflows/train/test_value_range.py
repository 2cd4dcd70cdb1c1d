"""A model of 12-bit images: one value range from the first look at the files to the exported program."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from limpide import ImageClassifier
from limpide.core.errors import DataError
from limpide.core.events import Judged, Note
from limpide.core.recipe import Recipe
from limpide.core.run import Run
from limpide.core.run_info import Arrays
from limpide.data.arrays import CLIPPED
from limpide.data.inputs import decode_input, images_in, labeled_images
from limpide.data.preprocessing import Preprocessing
from limpide.data.run_images import RunImages
from limpide.deploy.predictor import Prediction, Predictor
from limpide.explanation.inputs import enter_image
from limpide.text.messages import message
from limpide.workflows.check import check
from limpide.workflows.evaluate import evaluate
from limpide.workflows.train.training import prepare, train
from tests.data.decoding.test_value_range import settled
from tests.runner import limpide

SPAN = 0, 4095


def scan_of(kind: str, seed: int, brightest: int = 1500) -> np.ndarray:
    """12 bits in uint16 (24, 24): a square at the top or at the bottom of a dim, uneven ground."""
    random = np.random.default_rng(seed)
    values = random.integers(100, 400, (24, 24))
    top = int(random.integers(1, 4)) + (0 if kind == "high" else 12)
    left = int(random.integers(1, 14))
    values[top : top + 8, left : left + 8] = brightest
    return values.astype(np.uint16)


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("scans") / "scans"
    for kind in ("high", "low"):
        (root / kind).mkdir(parents=True)
        for k in range(24):
            Image.fromarray(scan_of(kind, 2 * k + (kind == "low"))).save(root / kind / f"{k:02d}.png")
    return root


@pytest.fixture(scope="module")
def clf(scans: Path, tmp_path_factory: pytest.TempPathFactory) -> ImageClassifier:
    return ImageClassifier(
        model="cnn", epochs=2, image_size=16, seed=1, runs=str(tmp_path_factory.mktemp("runs")), judge=False, quiet=True
    ).fit(str(scans))


def run_of(clf: ImageClassifier) -> Run:
    assert clf.run
    return clf.run


def test_the_decision_is_said_and_recorded(clf: ImageClassifier) -> None:
    info = run_of(clf).info()
    assert info.wanted["value_range"] == "auto" and info.recipe["value_range"] == "0..4095"
    said = [str(event.message) for event in run_of(clf).events() if isinstance(event, Note)]
    assert sum("12-bit values, 0 to 4,095" in sentence for sentence in said) == 1
    finding = run_of(clf).finding("depth")
    assert finding and finding.verdict == "ok" and "12-bit values, 0 to 4,095" in str(finding)


def test_the_sealed_file_carries_it(clf: ImageClassifier) -> None:
    p = Predictor(run_of(clf).model_file).preprocessing
    final = run_of(clf).info().final
    assert p.value_range == SPAN and final and Preprocessing.from_json(final.preprocessing) == p


def test_every_way_in_sees_the_same_square(clf: ImageClassifier, scans: Path) -> None:
    predictor, file = Predictor(run_of(clf).model_file), scans / "low" / "03.png"
    p = predictor.preprocessing
    grey = np.rint(np.asarray(Image.open(file)).astype(float) * 255 / 4095).astype(np.uint8)
    square = p.pixels(Image.fromarray(grey).convert("RGB"))
    assert np.ptp(square) > 60, "of the full scale of 16 bits, six levels would be left"
    np.testing.assert_array_equal(p.pixels(predictor.decode(file.read_bytes())), square)
    np.testing.assert_array_equal(enter_image(str(file), p)[1], square)
    album = RunImages(run_of(clf))
    np.testing.assert_array_equal(p.pixels(album.image(album.row_of["low/03.png"], p.jpeg_side)), square)
    from limpide.inspector.image_reference import ImageReference
    from limpide.inspector.session import Session

    upload = ImageReference(data=file.read_bytes())
    np.testing.assert_array_equal(Session().square(str(run_of(clf).path), p, upload), square)


def test_what_is_evaluated_is_read_by_the_range_of_the_training(clf: ImageClassifier, tmp_path: Path) -> None:
    """Brighter images alone would be read as 14 bit; to this model they are clipped."""
    for kind in ("high", "low"):
        (tmp_path / kind).mkdir()
        for k in range(4):
            Image.fromarray(scan_of(kind, 500 + k, 9000)).save(tmp_path / kind / f"{k}.png")
    Image.fromarray(scan_of("low", 600, 1200)).save(tmp_path / "low" / "within.png")
    events = list(evaluate(str(run_of(clf).path), str(tmp_path)))
    assert [
        str(event.message)[:12] for event in events if isinstance(event, Note) and "clipped" in str(event.message)
    ] == ["8 of 9 image"]
    (accuracy,) = [event.finding for event in events if isinstance(event, Judged) and event.finding.name == "accuracy"]
    found = [
        item
        for item in Predictor(run_of(clf).model_file).predict(sorted(tmp_path.rglob("*.png")))
        if isinstance(item, Prediction)
    ]
    assert [Path(item.file).name for item in found if not item.clipped] == ["within.png"]
    assert accuracy.number("accuracy").value == np.mean([Path(item.file).parent.name == item.label for item in found])


def test_predict_tells_what_was_clipped(clf: ImageClassifier, scans: Path, tmp_path: Path) -> None:
    Image.fromarray(scan_of("high", 7, 60000)).save(tmp_path / "bright.png")
    names = [tmp_path / "bright.png", scans / "low" / "03.png"]
    done = limpide("predict", run_of(clf).path, *names, "--json", cwd=tmp_path)
    assert [item["clipped"] for item in json.loads(done.stdout)] == [True, False]
    (line,) = [line for line in done.stderr.splitlines() if "clipped" in line]
    assert "1 of 2 images" in line


def test_the_studio_and_explain_tell_it_too(clf: ImageClassifier, tmp_path: Path) -> None:
    from limpide.inspector.image import prediction
    from limpide.inspector.image_reference import ImageReference
    from limpide.inspector.session import Session

    path, bright = str(run_of(clf).path), tmp_path / "bright.png"
    for most, clipped in ((60000, True), (4000, False)):
        Image.fromarray(scan_of("high", 7, most)).save(bright)
        answer, _ = prediction(Session(), path, "best", ImageReference(data=bright.read_bytes()))
        assert answer["clipped"] is clipped
        done = limpide("explain", path, bright, cwd=tmp_path)
        assert [line for line in done.stderr.splitlines() if "clipped" in line] == [
            f"limpide: {message(CLIPPED)}"
        ] * clipped


def test_the_program_of_the_page_gives_the_same_answer(clf: ImageClassifier, scans: Path) -> None:
    """With the lines for more than 8 bits put where the page says."""
    page = (Path(__file__).parents[3] / "docs" / "reference" / "exported-model.md").read_text(encoding="utf-8")
    (program, _), (deep,) = (
        re.findall(r"```python\n(.*?)```", page, re.DOTALL),
        re.findall(r"```py\n(.*?)```", page, re.DOTALL),
    )
    file, model = scans / "high" / "05.png", run_of(clf).model_file
    lines = [deep if "exif_transpose" in line else line for line in program.splitlines()[1:]]
    program = "\n".join(
        [f"MODEL, IMAGE = {str(model)!r}, {str(file)!r}", *lines, "print(json.dumps(probabilities.tolist()))"]
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    predictor = Predictor(model)
    ours = predictor.probabilities([predictor.decode(file.read_bytes())])[0]
    np.testing.assert_allclose(json.loads(done.stdout.splitlines()[-1]), ours, atol=1e-6)


def test_a_sealed_file_without_a_range_is_used_as_before(clf: ImageClassifier, scans: Path, tmp_path: Path) -> None:
    import onnx

    model = onnx.load(str(run_of(clf).model_file))
    (kept,) = [one for one in model.metadata_props if one.key == "limpide"]
    contract = json.loads(kept.value)
    del contract["preprocessing"]["value_range"]
    kept.value = json.dumps(contract)
    onnx.save(model, str(tmp_path / "old.onnx"))
    old, data = Predictor(tmp_path / "old.onnx"), (scans / "low" / "03.png").read_bytes()
    np.testing.assert_array_equal(
        np.asarray(old.decode(data))[..., 0], np.rint(np.asarray(Image.open(io.BytesIO(data))) / 257)
    )


def test_a_range_that_was_asked_for(scans: Path, tmp_path: Path) -> None:
    p = ImageClassifier(
        model="cnn", epochs=1, image_size=16, value_range=(0, 2000), runs=str(tmp_path), judge=False, quiet=True
    )
    predictor = p.fit(str(scans)).predictor()
    assert predictor.preprocessing.value_range == (0, 2000)
    assert p.recipe.value_range == ImageClassifier.load(run_of(p).path).recipe.value_range == "0..2000"


def test_arrays_are_learned_and_answered_by_one_range(tmp_path: Path) -> None:
    values = np.stack([scan_of(kind, k) for k in range(16) for kind in ("high", "low")])
    clf = ImageClassifier(model="cnn", epochs=1, image_size=16, runs=str(tmp_path), judge=False, quiet=True).fit(
        values, ["high", "low"] * 16
    )
    assert clf.predictor().preprocessing.value_range == SPAN
    Image.fromarray(values[3]).save(tmp_path / "x.png")
    with Image.open(tmp_path / "x.png") as opened:
        answers = [
            clf.predict_proba(given) for given in (values[3], values[3].astype(float), tmp_path / "x.png", opened)
        ]
    for answer in answers:
        np.testing.assert_allclose(answer, answers[0], atol=1e-6)
    assert ImageClassifier.load(run_of(clf).path).value_range == "auto"
    assert "value range 0 to 4,095" in str(run_of(clf).finding("depth"))


@pytest.mark.parametrize("kind", [np.uint16, np.int64, np.float64])
def test_arrays_of_several_sizes_are_learned_by_it_too(kind: type, tmp_path: Path) -> None:
    values = [scan_of("high" if k % 2 else "low", k).astype(kind)[: 24 - k % 3] for k in range(12)]
    dataset, known, _ = labeled_images(values, [k % 2 for k in range(12)], tmp_path)
    span = settled(dataset).span
    assert span == SPAN
    read = dataset.read_by(span).images
    items = images_in(values, Arrays(scale=known["scale"]), span)
    for k, item in enumerate(items):
        np.testing.assert_array_equal(
            np.asarray(read.image(k)), np.asarray(decode_input(item, Preprocessing(16, 1, value_range=SPAN)))
        )


def test_of_several_sizes_what_no_file_holds_is_refused(tmp_path: Path) -> None:
    grey = [np.full((8, 8 + k), 3000.0) for k in range(4)]
    for odd, code in ((np.full((8, 8, 3), 3000, np.uint16), "L223"), (np.full((8, 9), np.nan), "L230")):
        with pytest.raises(DataError) as error:
            labeled_images([*grey, odd], [0, 1, 0, 1, 0], tmp_path)
        assert error.value.code == code and "image 4" in str(error.value)


@pytest.mark.parametrize("phase", ["check", "split", "fit"])
def test_a_continued_run_keeps_its_range(scans: Path, tmp_path: Path, phase: str) -> None:
    recipe = Recipe(model="cnn", epochs=1, image_size=16)
    run, dataset, _ = prepare(str(scans), recipe, tmp_path)
    events = train(run, dataset, judge=False)
    while run.info().phase != phase:
        next(events)
    events.close()  # type: ignore[attr-defined]
    again, dataset, continued = prepare(str(scans), recipe, tmp_path)
    assert continued and again.path == run.path
    list(train(again, dataset, judge=False))
    finding = run.finding("depth")
    assert Predictor(run.model_file).preprocessing.value_range == SPAN and finding and "12-bit" in str(finding)


def test_check_says_the_range_and_takes_another(scans: Path) -> None:
    def depth(**options: Any) -> Any:
        return next(
            event.finding
            for event in check(str(scans), **options)
            if isinstance(event, Judged) and event.finding.name == "depth"
        )

    assert depth().verdict == "ok" and "12-bit values, 0 to 4,095" in str(depth())
    faint = depth(value_range="0..65535")
    assert faint.verdict == "warn" and "grey levels" in str(faint) and len(faint.table.rows) == 48
    assert "the full range of their type" in str(depth(value_range="none"))
