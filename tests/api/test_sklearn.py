"""scikit-learn's contract: its own checks, and its tools around ImageClassifier on real digits."""

from __future__ import annotations

import copy
import inspect
import pickle
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.base import clone, is_classifier
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import check_is_fitted

from limpide import FlatImageClassifier, ImageClassifier
from limpide.api.image_classifier import RENAMED
from limpide.core.errors import DataError, LimpideError, ModelError, RunError, TrainingError, UsageError
from limpide.core.recipe import Recipe
from limpide.core.run import Run
from tests.make_images import photo_folder

DIGITS = load_digits()
X, Y = np.rint(DIGITS.images[:300] * (255 / 16)).astype(np.uint8), DIGITS.target[:300]
NAMES = np.array(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"])[Y]
QUICK: dict[str, Any] = dict(model="cnn", epochs=6, judge=False, quiet=True)

pytestmark = pytest.mark.usefixtures("one_thread", "temporary")


@pytest.fixture(scope="module")
def trained() -> ImageClassifier:
    return ImageClassifier(**QUICK).fit(X, Y)


@parametrize_with_checks([FlatImageClassifier(epochs=6)])  # type: ignore[untyped-decorator]
def test_check_estimator(estimator: FlatImageClassifier, check: Any) -> None:
    """All of scikit-learn's checks, none expected to fail."""
    check(estimator)


# -- parameters


def test_the_parameters_are_the_recipe_and_three_more() -> None:
    given = inspect.signature(ImageClassifier).parameters
    assert {name: given[RENAMED.get(name, name)].default for name in (f.name for f in fields(Recipe))} == {
        f.name: f.default for f in fields(Recipe)
    }
    assert given.keys() - {RENAMED.get(f.name, f.name) for f in fields(Recipe)} == {"runs", "judge", "quiet"}
    assert all(p.kind is p.KEYWORD_ONLY for p in given.values())
    flat = inspect.signature(FlatImageClassifier).parameters.keys() - {"image_shape"}
    of_files = {
        "resize",
        "value_range",
        "groups",
        "parts",
        "file_column",
        "label_column",
        "split_column",
        "images",
        "suffix",
    }
    assert flat <= given.keys() and given.keys() - flat == of_files | {
        "test",
        "folds",
        "calibration",
        "weights",
        "freeze",
    }


def test_clone() -> None:
    clf = ImageClassifier(n_epochs=3, resize="crop", time="5m", runs=Path("x"), judge=False)  # type: ignore[call-arg]
    other = clone(clf)
    assert other is not clf and other.get_params() == clf.get_params() and other.get_params()["epochs"] == 3
    assert clone(ImageClassifier(time=(odd := "5 parsecs"))).time is odd, "values are stored as they come"


def test_a_clone_of_a_trained_one_is_not_trained(trained: ImageClassifier) -> None:
    assert vars(clone(trained)) == trained.get_params()


def test_get_params_set_params() -> None:
    clf = ImageClassifier()
    assert clf.set_params(lr=0.1, batch_size=8, fit="crop") is clf
    assert (clf.lr, clf.batch, clf.resize) == (0.1, 8, "crop")
    assert (
        clf.recipe == Recipe(lr=0.1, batch=8, fit="crop") and ImageClassifier(**clf.get_params()).recipe == clf.recipe
    )
    with pytest.raises(UsageError, match="did you mean learning_rate"):
        clf.set_params(learningrate=1)
    with pytest.raises(UsageError, match="given under two names"):
        ImageClassifier(lr=1, learning_rate=1)  # type: ignore[call-arg]
    clf.set_params(epochs=-1)
    with pytest.raises(UsageError, match="epochs=-1"):
        clf.fit(X, Y)


def test_tags() -> None:
    image, flat = get_tags(ImageClassifier()), get_tags(FlatImageClassifier())
    assert is_classifier(ImageClassifier()) and not image.input_tags.two_d_array and flat.input_tags.two_d_array
    assert image.input_tags.three_d_array and image.input_tags.string and not flat.input_tags.three_d_array


# -- fit and predict


def test_not_fitted(tmp_path: Path) -> None:
    for clf, row in ((ImageClassifier(), X[:1]), (FlatImageClassifier(), X[:1].reshape(1, -1))):
        for call in (clf.predict, clf.predict_proba, clf.decision_function):
            with pytest.raises(NotFittedError, match="not trained yet") as caught:
                call(row)
            assert (
                isinstance(caught.value, RunError)
                and str(caught.value).count("\n") == 0
                and "L509" in str(caught.value)
            )
        assert not hasattr(clf, "classes_")
        with pytest.raises(NotFittedError):
            check_is_fitted(clf)
        with pytest.raises(NotFittedError):
            pickle.loads(pickle.dumps(clf)).predict(row)


def test_classes_and_string_labels(trained: ImageClassifier, tmp_path: Path) -> None:
    check_is_fitted(trained)
    assert trained.classes_.dtype == Y.dtype and trained.classes_.tolist() == list(range(10))
    assert trained.predict(X).dtype == Y.dtype and trained.score(X, Y) > 0.8
    named = trained.predict(X[:4])
    named[0] = next(name for name in trained.classes_ if name != named[0])
    assert trained.score(X[:4], named) == 0.75 and trained.score(X[:4], named, sample_weight=[3, 1, 1, 1]) == 0.5
    for labels in (NAMES, NAMES.astype(object), Y.astype(float) - 3, Y > 4):
        clf = ImageClassifier(**QUICK | dict(epochs=1), runs=tmp_path).fit(X, labels)
        for one in (clf, ImageClassifier.load(clf.run.path)):  # type: ignore[union-attr]
            assert one.classes_.dtype == labels.dtype and one.classes_.tolist() == np.unique(labels).tolist()
            assert one.predict(X[:5]).dtype == labels.dtype


def test_probabilities_and_decisions(trained: ImageClassifier) -> None:
    probabilities, decisions = trained.predict_proba(X), trained.decision_function(X)
    assert probabilities.shape == decisions.shape == (300, 10) and np.allclose(probabilities.sum(1), 1, atol=1e-12)
    assert (trained.classes_[decisions.argmax(1)] == trained.predict(X)).all()
    assert np.allclose(np.exp(decisions), probabilities)


def test_what_images_may_come_as(trained: ImageClassifier) -> None:
    expected = trained.predict_proba(X[:2])
    pictures = [Image.fromarray(x) for x in X[:2]]
    for same in (X[:2].tolist(), X[:2, ..., None], np.repeat(X[:2, ..., None], 3, -1), pictures, list(X[:2])):
        assert np.allclose(trained.predict_proba(same), expected, atol=1e-6)
    for one in (X[0], np.repeat(X[0, ..., None], 3, -1), pictures[0]):
        assert np.allclose(trained.predict_proba(one), expected[:1], atol=1e-6)


def test_floats_are_measured_as_in_training() -> None:
    """A dark image is dark, even where no other in the array says what white is."""
    once = QUICK | dict(epochs=1)
    share, levels = ImageClassifier(**once).fit(X / 255, Y), ImageClassifier(**once).fit(X.astype(float), Y)
    assert np.array_equal(share.predict_proba(X[:9] / 255), levels.predict_proba(X[:9].astype(float)))
    dark = np.zeros((1, 8, 8)) + np.eye(8)
    assert np.array_equal(levels.predict_proba(dark), levels.predict_proba(dark.astype(np.uint8)))
    assert np.array_equal(share.predict_proba(dark), levels.predict_proba(255 * dark))
    for clf, wrong in ((share, dark * 255), (levels, dark * 300), (levels, dark * np.nan)):
        with pytest.raises(DataError):
            clf.predict(wrong)


def test_paths_with_labels(tmp_path: Path) -> None:
    files = sorted(photo_folder(tmp_path / "photos", per_class=10, size=(16, 16)).rglob("*.png"))
    labels = [file.parent.name for file in files]
    clf = ImageClassifier(**QUICK, image_size=16).fit(files, labels)
    assert clf.classes_.tolist() == ["bars", "disc", "square"] and clf.predict(
        np.array(list(map(str, files)))
    ).shape == (30,)
    assert clf.score(files, labels) == (clf.predict(files) == labels).mean() and clf.predict(str(files[0])).shape == (
        1,
    )
    assert (
        len(
            cross_val_score(
                ImageClassifier(**QUICK | dict(epochs=1), image_size=16), files, labels, cv=2, error_score="raise"
            )
        )
        == 2
    )


def test_groups_are_not_cut(tmp_path: Path) -> None:
    groups = np.arange(300) // 10
    clf = ImageClassifier(**QUICK | dict(epochs=1), runs=tmp_path).fit(X, Y, groups)
    parts = [line.split(",")[:3] for line in clf.run.split_file.read_text().splitlines()[1:]]  # type: ignore[union-attr]
    by_group: dict[int, set[str]] = {}
    for name, _, part in parts:
        by_group.setdefault(int(name) // 10, set()).add(part)
    assert all(len(found) == 1 for found in by_group.values()) and {"train", "validation", "test"} == set.union(
        *by_group.values()
    )


@pytest.mark.parametrize(
    ("images", "labels", "says"),
    [
        (X, None, "no labels"),
        (X, Y[:-1], "300 images and 299 labels"),
        (X, np.zeros(300, int), "one class"),
        (X, Y + 0.5, "regression"),
        (X, np.array([None, "a"] * 150), "several kinds"),
        (X.reshape(300, -1), Y, "FlatImageClassifier"),
        ([X[0].tolist(), X[1, :4].tolist()], [0, 1], "several sizes"),
        (X, np.eye(10)[Y], "one-hot"),
        ([X[0], None], [0, 1], "image 1: NoneType"),
        (np.array([["a", "b"]] * 2, dtype=object), [0, 1], "one column"),
        ("digits", Y, "leave them out"),
        (["gone.png", "away.png"], [0, 1], "missing files"),
    ],
)
def test_what_cannot_be_learned_is_told_in_one_line(images: Any, labels: Any, says: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=says) as caught:
        ImageClassifier(**QUICK, runs=tmp_path / "runs").fit(images, labels)
    assert isinstance(caught.value, LimpideError) and len(str(caught.value).splitlines()) == 1
    assert not (tmp_path / "runs").exists()


# -- scikit-learn's tools


def test_grid_search() -> None:
    search = GridSearchCV(
        ImageClassifier(**QUICK),
        [{"lr": [1e-6, 1e-2], "epochs": [6]}, {"lr": [1e-2], "epochs": [1]}],
        cv=2,
        error_score="raise",
    ).fit(X, NAMES)
    assert search.best_params_ == {"lr": 1e-2, "epochs": 6} and search.best_score_ > 0.7
    assert search.best_estimator_.score(X, NAMES) > search.best_score_ and search.predict(X[:3]).dtype == NAMES.dtype


def test_cross_val_score_two_jobs(tmp_path: Path) -> None:
    """Fits side by side in one folder of runs: as many runs, all finished. (Scores differ a little with the number of
    threads.)
    """
    clf = ImageClassifier(**QUICK, runs=tmp_path / "runs")
    scores = cross_val_score(clf, X, Y, cv=3, n_jobs=2, error_score="raise")
    runs = Run.all_in(tmp_path / "runs")
    assert len(runs) == 3 and all(run.info().status == "finished" for run in runs) and scores.min() > 0.6


def test_the_same_fit_twice_at_once(tmp_path: Path) -> None:
    """Identical data and wishes: neither waits for the other, takes over its run or meets its lock."""
    everything = (np.arange(300), np.arange(300))
    found = cross_validate(
        ImageClassifier(**QUICK, runs=tmp_path),
        X,
        Y,
        cv=[everything] * 4,
        n_jobs=2,
        return_estimator=True,
        return_indices=True,
        error_score="raise",
    )
    runs = [clf.run.path for clf in found["estimator"]]
    assert len(set(runs)) == 4 == len(Run.all_in(tmp_path)) and len(set(found["test_score"])) == 1
    assert [clf.score(X, Y) for clf in found["estimator"]] == found["test_score"].tolist(), (
        "they come back from the other process whole"
    )


def test_estimators_come_back_from_other_processes_with_their_temporary_runs() -> None:
    found = cross_validate(
        ImageClassifier(**QUICK | dict(epochs=1)), X, Y, cv=2, n_jobs=2, return_estimator=True, error_score="raise"
    )
    for clf in found["estimator"]:
        assert clf.predict(X[:2]).shape == (2,)
        shutil.rmtree(clf.run.path.parent)  # pickled, so nobody else would


def test_an_error_in_another_process_is_told_as_it_was() -> None:
    with pytest.raises(UsageError, match="the value of lr must be .* lr=-1 .*L102"):
        cross_val_score(ImageClassifier(**QUICK, lr=-1), X, Y, cv=2, n_jobs=2, error_score="raise")


@pytest.mark.parametrize("kind", [UsageError, DataError, ModelError, RunError, TrainingError])
def test_errors_can_be_pickled(kind: type[LimpideError]) -> None:
    error = kind(
        "L102",
        what="the value of {name} must be {expected}",
        where="a\nb",
        todo="did you mean {guess}?",
        name="n",
        expected=3,
        guess="g",
    )
    again = pickle.loads(pickle.dumps(error))
    assert (
        type(again) is kind
        and str(again) == str(error)
        and again.values == error.values
        and copy.copy(error).code == "L102"
    )


def test_pipeline() -> None:
    bright = FunctionTransformer(lambda images: 255 - images)
    pipe = make_pipeline(bright, ImageClassifier(**QUICK)).fit(255 - X, Y)
    assert (
        pipe.score(255 - X, Y) > 0.8
        and pipe.predict_proba(255 - X[:2]).shape == (2, 10)
        and pipe.classes_.tolist() == list(range(10))
    )
    assert pipe.set_params(imageclassifier__epochs=2).named_steps["imageclassifier"].epochs == 2
    flat = make_pipeline(StandardScaler(), FlatImageClassifier(image_shape=(8, 8), epochs=6)).fit(X.reshape(300, -1), Y)
    assert flat.score(X.reshape(300, -1), Y) > 0.8


# -- what is kept


def test_a_run_that_was_not_judged_says_so(trained: ImageClassifier) -> None:
    assert trained.run is not None and trained.run.info().status == "finished" and trained.run.info().test_looks == 0
    assert "accuracy" not in trained.audit() and not trained.run.cache.exists()
    for call in (trained.evaluate, trained.report):
        with pytest.raises(RunError, match="not judged"):
            call()
    assert (
        trained._repr_html_() == trained._repr_mimebundle_()["text/html"]
        and "ImageClassifier(" in trained._repr_html_()
    )


def test_judged_on_arrays(tmp_path: Path) -> None:
    clf = ImageClassifier(**QUICK | dict(judge=True), runs=tmp_path).fit(X, NAMES)
    assert clf.report().is_file() and 0.5 < clf.evaluate().number("accuracy").value <= 1


# -- what it loads


def test_importing_the_estimator_loads_no_torch() -> None:
    code = (
        "import sys; from limpide import FlatImageClassifier, ImageClassifier; print([m for m in ('torch', "
        "'onnxruntime', 'pandas') if m in sys.modules])"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )
