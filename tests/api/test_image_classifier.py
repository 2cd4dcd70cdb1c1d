"""ImageClassifier: the same work in scikit-learn's words, usable from a notebook without the command line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from limpide import ImageClassifier
from limpide.core.errors import DataError, LimpideError, RunError, UsageError
from limpide.core.finding import Finding
from tests.make_images import photo_folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return photo_folder(tmp_path_factory.mktemp("data") / "photos", per_class=16, size=(20, 20))


@pytest.fixture(scope="module")
def trained(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> ImageClassifier:
    runs = tmp_path_factory.mktemp("runs")
    return ImageClassifier(model="cnn", epochs=2, image_size=16, runs=str(runs), quiet=True).fit(folder)


def files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.png"))[::7]


def test_runs_of_a_folder_lie_where_the_command_line_puts_them(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    clf = ImageClassifier(model="cnn", epochs=1, image_size=16, judge=False, quiet=True).fit(folder)
    assert (
        clf.run is not None and clf.run.path == tmp_path / "runs" / "photos-001" and clf.run.info().status == "finished"
    )


def test_fit_says_nothing_when_quiet(folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    ImageClassifier(model="cnn", epochs=1, image_size=16, runs=str(tmp_path), quiet=True).fit(folder)
    assert capfd.readouterr() == ("", "")


def test_predict(trained: ImageClassifier, folder: Path) -> None:
    labels, probabilities = trained.predict(files(folder)), trained.predict_proba(files(folder))
    assert labels.shape == (len(files(folder)),) and set(labels) <= set(trained.classes_) == {"bars", "disc", "square"}
    assert probabilities.shape == (len(labels), 3) and np.allclose(probabilities.sum(1), 1, atol=1e-5)
    assert (trained.classes_[probabilities.argmax(1)] == labels).all(), "columns are in the order of classes_"
    assert trained.predict(str(files(folder)[0])).tolist() == labels[:1].tolist(), "one path is a list of one"
    first = trained.predictions(files(folder)[0])[0]
    assert str(first).count("\n") == 0 and first.label in str(first) and "%" in str(first)


def test_evaluate_audit_and_score(trained: ImageClassifier, folder: Path) -> None:
    stored = trained.evaluate()
    assert isinstance(stored, Finding) and "%" in str(stored) and stored.number("accuracy").n == 9
    again = trained.evaluate(folder)
    assert again.number("accuracy").n == 48 and trained.score(folder) == again.number("accuracy").value
    assert {"accuracy", "classes", "confusion"} <= set(trained.audit(folder)) < set(trained.audit())
    assert str(stored) in stored._repr_html_() and "%" in trained._repr_html_()


def test_explain_and_export(trained: ImageClassifier, folder: Path, tmp_path: Path) -> None:
    unit = trained.explain(files(folder)[0], layer="head", channel=1)
    assert unit.verdict == "ok" and unit.data["layer"] == "head"
    assert trained.export(tmp_path / "model.onnx").is_file() and trained.report().is_file()


def test_load_gives_the_same_answers(trained: ImageClassifier, folder: Path) -> None:
    assert trained.run is not None
    loaded = ImageClassifier.load(trained.run.path)
    assert np.array_equal(loaded.predict_proba(files(folder)), trained.predict_proba(files(folder)))
    assert (
        loaded.get_params() == trained.get_params() | {"quiet": False}
        and loaded.recipe == trained.recipe
        and repr(loaded) == repr(trained)
        and "model='cnn'" in repr(loaded)
    )


def test_a_second_fit_is_a_second_run_and_the_first_is_free(trained: ImageClassifier, folder: Path) -> None:
    assert trained.run is not None
    other = ImageClassifier(
        model="cnn", epochs=1, image_size=16, runs=str(trained.run.path.parent), judge=False, quiet=True
    ).fit(folder)
    assert other.run is not None and other.run.path != trained.run.path
    with other.run.lock(), trained.run.lock():
        pass
    assert (other.run.split_file).read_bytes() == trained.run.split_file.read_bytes()


def test_not_trained_yet(folder: Path) -> None:
    clf = ImageClassifier()
    for call in (
        lambda: clf.predict("x.png"),
        clf.evaluate,
        clf.audit,
        clf.report,
        lambda: clf.classes_,
        lambda: clf.export("m.onnx"),
    ):
        with pytest.raises(RunError, match="not trained yet"):
            call()
    assert clf.run is None
    assert clf._repr_html_().startswith("<code>")


@pytest.mark.parametrize(
    ("wrong", "hint"), [({"epoch": 3}, "epochs"), ({"learningrate": 1}, "learning_rate"), ({"quite": True}, "quiet")]
)
def test_a_wrong_name_is_told_at_once(wrong: dict[str, object], hint: str) -> None:
    with pytest.raises(UsageError, match=hint):
        ImageClassifier(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [({"epochs": 0}, "epochs"), ({"time": "soon"}, "90s"), ({"resize": "x"}, "squash"), ({"model": "cn"}, "cnn")],
)
def test_a_wrong_value_is_told_before_anything_is_read(wrong: dict[str, object], hint: str, tmp_path: Path) -> None:
    clf = ImageClassifier(**wrong, runs=tmp_path / "runs")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=hint):
        clf.fit(tmp_path / "nowhere")
    assert not (tmp_path / "runs").exists()
    repr(clf)


def test_the_names_of_other_libraries() -> None:
    clf = ImageClassifier(
        n_epochs=3, batch_size=8, imgsz=32, learning_rate=0.1, random_state=7, fit="crop", test_size=0.3
    )  # type: ignore[call-arg]
    assert (clf.epochs, clf.batch, clf.image_size, clf.lr, clf.seed, clf.resize, clf.test) == (
        3,
        8,
        32,
        0.1,
        7,
        "crop",
        0.3,
    )
    with pytest.raises(UsageError, match="given under two names"):
        ImageClassifier(epochs=3, n_epochs=3)  # type: ignore[call-arg]


def test_bad_files_raise(trained: ImageClassifier, tmp_path: Path) -> None:
    (tmp_path / "empty.png").write_bytes(b"")
    for wrong in (tmp_path / "empty.png", [tmp_path / "gone.png"]):
        with pytest.raises(DataError):
            trained.predict(wrong)
    for odd in ([np.zeros((4, 4, 3)), np.zeros((5, 4, 2))], [object()], 7, {"a": 1}, None):
        with pytest.raises(LimpideError):
            trained.predict(odd)
    with pytest.raises(UsageError, match="paths"):
        trained.predictions(np.zeros((4, 4, 3)))
    with pytest.raises(RunError):
        ImageClassifier.load(tmp_path)


def test_unknown_data(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        ImageClassifier(runs=str(tmp_path / "runs")).fit(tmp_path / "nowhere")
    assert not (tmp_path / "runs").exists(), "nothing is made for a mistake"
