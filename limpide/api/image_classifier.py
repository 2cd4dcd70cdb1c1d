"""ImageClassifier: all of limpide with scikit-learn's names. Its only state is the path of a Run."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import NotFittedError

from limpide.api.parameters import RENAMED, choices_of, parameter_named, with_choices
from limpide.core.errors import DataError, LimpideError, RunError, UsageError
from limpide.core.events import Event
from limpide.core.finding import Finding
from limpide.core.recipe import Recipe
from limpide.core.run import Run
from limpide.data.inputs import FROM_FILES, decode_inputs, images_in, labeled_images, labels_of, learned_of, paths_in
from limpide.deploy.predictor import BATCH, Prediction, Predictor
from limpide.system.fork_safety import in_new_thread_if_forked
from limpide.system.temporary_folder import TemporaryFolder

MIN_TEST = 0.01  # share held out where it is not reported: the least that a recipe allows


class NotTrained(RunError, NotFittedError):  # type: ignore[misc]
    """Raised by a question before fit; scikit-learn knows it as its own NotFittedError."""


class ImageClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """An image classifier with scikit-learn's methods, trained and judged as `limpide train` does it.

    Five ways to call it::

        clf = ImageClassifier(time="5m").fit("photos/")    # one folder a class; decides what you leave open
        clf.predict(["new.jpg"])                           # ["cat"]
        clf.evaluate()                                     # Finding: accuracy on the test part, with its interval
        clf.export("model.onnx")                           # one sealed file for any language
        ImageClassifier.load("runs/photos-001")            # without training

    `fit(X, y)` takes an array (n, height, width[, 3]) or a list of images, so that
    cross_val_score(ImageClassifier(judge=False, quiet=True), X, y, n_jobs=2) and GridSearchCV work.

    The parameters are the fields of `Recipe` (`resize` is its `fit`), and

    runs
        folder that keeps the runs. None: ./runs for data on the disk; for arrays and lists of paths a temporary
        folder that is deleted with the estimator, or left to the system once the estimator was pickled
    judge
        False ends with the sealed model: no simpler models, no report, and only 1 % of the images are held out. For
        cross-validation and grid search, which judge on their own images
    quiet
        True shows nothing while training

    The names that other libraries give them are accepted: n_epochs, batch_size, imgsz, learning_rate …

    A pickle holds the parameters and the absolute path of the run, never weights. Raises UsageError at once for an
    unknown name and in fit for an invalid value; DataError, ModelError or RunError later. str() is one line.
    """

    if TYPE_CHECKING:
        # fmt: off
        # written by python -m tests.signatures (make signatures)
        def __init__(
            self, *,
            model: str = "auto", weights: str = "auto", freeze: str = "auto", time: str | float | None = None,
            epochs: int | None = None, batch: int | None = None, lr: float | None = None, optimizer: str = "adamw",
            schedule: str = "one-cycle", loss: str = "cross-entropy", image_size: int | None = None,
            resize: str = "squash", value_range: tuple[float, float] | str = "auto", test: float | None = None,
            validation: float | None = None, calibration: float = 0.1, folds: int | None = None, view: str = "auto",
            groups: str = "auto", parts: str = "auto", good: str = "", false_alarms: float | None = None,
            file_column: str = "", label_column: str = "", split_column: str = "", images: str = "", suffix: str = "",
            weight_decay: float | None = None, l1: float = 0.0, dropout: float | None = None,
            normalization: str = "auto", init: str = "default", clip: float | None = None, average: str = "none",
            accumulate: int = 1, keep: str = "best", label_smoothing: float | None = None, balance: str = "auto",
            augment: str = "auto", flip: str = "auto", average_mirrored: str = "auto", patience: int | None = None,
            seed: int = 0, device: str = "auto", precision: str = "auto", runs: str | os.PathLike[str] | None = None,
            judge: bool = True, quiet: bool = False,
        ) -> None: ...
        # fmt: on
    else:

        @with_choices()
        def __init__(
            self, *, runs: str | os.PathLike[str] | None = None, judge: bool = True, quiet: bool = False
        ) -> None:
            self.runs, self.judge, self.quiet = runs, judge, quiet

    def set_params(self, **params: Any) -> Self:
        """As scikit-learn's, also with the other names. Raises UsageError with the nearest name."""
        return super().set_params(**{parameter_named(self, name): value for name, value in params.items()})

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array = tags.input_tags.three_d_array = tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.target_tags.required = False  # a folder says what its images show
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "run_")

    def __repr__(self, N_CHAR_MAX: int = 0) -> str:
        blank = type(self)().get_params()
        changed = {
            k: v for k, v in self.get_params().items() if k not in ("runs", "quiet") and repr(v) != repr(blank[k])
        }
        names = ", ".join(f"{k}={v!r}" for k, v in changed.items())
        return f"{type(self).__name__}({names})" + (f" → {self.run.path}" if self.run else "")

    @property
    def recipe(self) -> Recipe:
        """The parameters as a recipe. Raises UsageError for an invalid value."""
        return Recipe(**choices_of(self.get_params()))

    @property
    def run(self) -> Run | None:
        return Run(Path(self.run_)) if hasattr(self, "run_") else None

    @classmethod
    def load(cls, run: str | os.PathLike[str]) -> Self:
        """A trained classifier from its run directory. Raises RunError when there is none."""
        opened = Run.open(run)
        own = cls._get_param_names()
        info = opened.info()
        wanted = {parameter_named(cls, k): v for k, v in info.wanted.items() if RENAMED.get(k, k) in own}
        clf = cls(**wanted, runs=str(opened.path.parent))
        with opened.reading():
            clf._keep(opened, labels_of(info))
        return clf

    def _keep(self, run: Run, classes: np.ndarray, scratch: TemporaryFolder | None = None) -> None:
        self.run_ = os.path.abspath(run.path)  # noqa: PTH100
        self._classes, self._scratch = classes, scratch

    @in_new_thread_if_forked
    def fit(self, X: Any, y: Any = None, groups: Any = None, *, new: bool = False) -> Self:
        """Train, and judge unless judge=False.

        X: a folder, a table, an archive or the name of a data set; or, with labels y (n,), an array of images (n,
        height, width[, 3]) or a list of n images, each a path, the bytes of a file, a Pillow image or an array
        (data/inputs.py). groups: (n,) names or numbers of groups that no split may cut. An unfinished run on the same
        folder is continued, unless `new`; arrays and lists always begin a new one, as several fits may work side by
        side.
        """
        from limpide.system import machine

        machine.keep_memory()
        from limpide.workflows.train.training import begin, prepare, train

        began, recipe, scratch = monotonic(), self.recipe, None
        if recipe.good or recipe.false_alarms is not None:
            raise UsageError("L172", where=type(self).__name__)
        if not self.judge:
            recipe = recipe.but(test=MIN_TEST)
        if isinstance(X, (str, os.PathLike)):
            if y is not None or groups is not None:
                raise UsageError("L117", where=os.fspath(X))
            run, dataset, _ = prepare(os.fspath(X), recipe, Path(self.runs or "runs"), new=new, classes=True)
            classes = np.array(dataset.classes)
        else:
            held = TemporaryFolder()  # until the training ends
            dataset, known, classes = labeled_images(X, y, held.path, groups, recipe.asked_range())
            scratch = None if self.runs else TemporaryFolder()
            run, dataset, _ = begin(dataset, recipe, scratch.path if scratch else Path(str(self.runs)), new=True)
            run.update(arrays=known)
        self._follow(train(run, dataset, started=monotonic() - began, judge=self.judge), run)
        with run.reading():
            self._keep(run, learned_of(classes, run.info()), scratch)
        return self

    def _follow(self, events: Iterator[Event], run: Run) -> None:
        """Follow the events to their end. Raises KeyboardInterrupt where the training was stopped."""
        from limpide.report.terminal.progress import Screen

        if self.quiet:
            for _event in events:
                pass
        elif not Screen(quiet=not _in_notebook()).follow(events, run):
            raise KeyboardInterrupt

    @property
    def classes_(self) -> np.ndarray:
        """The distinct labels that were learned, sorted, in their own type: the columns of `predict_proba`."""
        self._run()
        return self._classes.copy()

    def predict(self, X: Any) -> np.ndarray:
        """The class of each image, (n,), in the type of the labels. X: as in `predict_proba`."""
        best = self.predict_proba(X).argmax(1)
        return self._classes[best]

    def predict_proba(self, X: Any) -> np.ndarray:
        """Calibrated probabilities, float64 (n, classes), columns as in `classes_`.

        X: one image or several, each a path, the bytes of a file, an opened Pillow image or an array, all by the same
        rule (data/inputs.py); an array of images (n, height, width[, 3]); a folder or a pattern, which yield one row a
        file, sorted by name. Floats are scaled as in training. An empty list returns (0, classes). A large JPEG that is
        loaded or an array is no longer decoded at a reduced size, which may change the last digits. Raises DataError
        for the first unusable image.
        """
        predictor = self.predictor()
        items = images_in(X, self._run().info().arrays or FROM_FILES, predictor.preprocessing.value_range)
        rows = np.zeros((len(items), len(predictor.classes)))
        for k in range(0, len(items), BATCH):
            rows[k : k + BATCH] = predictor.probabilities(decode_inputs(items, predictor.preprocessing, k, k + BATCH))
        return rows / rows.sum(1, keepdims=True)

    def decision_function(self, X: Any) -> np.ndarray:
        """Logarithms of the probabilities in nats, (n, classes); for two classes, the lead of the second one, (n,)."""
        logs = np.log(np.maximum(self.predict_proba(X), np.finfo(np.float32).tiny))
        return logs[:, 1] - logs[:, 0] if logs.shape[1] == 2 else logs

    def predictions(self, files: Any, top: int = 5) -> list[Prediction]:
        """Predictions with their `top` classes for files, folders and patterns. Raises DataError for the first file
        that is not a usable image.
        """
        paths = paths_in(files)
        if paths is None:
            raise UsageError("L112", where=type(self).__name__)
        found = []
        for item in self.predictor().predict(paths, top):
            if isinstance(item, LimpideError):
                raise item
            found.append(item)
        return found

    def predictor(self) -> Predictor:
        file = self._run().model_file
        return _opened(file, file.stat().st_mtime_ns, os.getpid()) if file.exists() else Predictor(file)

    def evaluate(self, data: str | os.PathLike[str] | None = None) -> Finding:
        """Accuracy with its interval: on the test part, judged once after training, or on other labelled images."""
        found = self.audit(data).get("accuracy")
        if found is None:
            raise self._not_judged()
        return found

    def audit(self, data: str | os.PathLike[str] | None = None) -> dict[str, Finding]:
        """Every finding by name: those stored with the run, or new ones on other labelled images."""
        from limpide.judging.registry import in_order

        if data is None:
            return in_order(self._run().findings())
        if not isinstance(data, (str, os.PathLike)):
            raise UsageError("L144", where=type(data).__name__)
        from limpide.core.events import Judged
        from limpide.workflows.evaluate import evaluate

        return {
            e.finding.name: e.finding for e in evaluate(str(self._run().path), os.fspath(data)) if isinstance(e, Judged)
        }

    @in_new_thread_if_forked
    def explain(
        self, file: Any, layer: str | None = None, channel: int | None = None, y: int = 0, x: int = 0
    ) -> Finding:
        """One unit of the network on this image, product by product; without `channel` the unit that matters most,
        without `layer` in the first layer.

        file: one image in any form that `predict` takes.
        """
        from limpide.workflows.explain import explain

        run = self._run()
        return explain(str(run.path), file, layer, channel, y, x, arrays=run.info().arrays or FROM_FILES)["inside"]

    def export(self, file: str | os.PathLike[str]) -> Path:
        """Write the sealed ONNX file and return its path. Raises UsageError where it cannot be written."""
        from limpide.workflows.export import export

        return export(str(self._run().path), Path(file))

    def report(self) -> Path:
        """The path of the HTML report. Raises RunError where there is none."""
        if not (file := self._run().report_file).exists():
            raise self._not_judged()
        return file

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Accuracy as a share: for images with labels y, weighted by `sample_weight`, or for a folder."""
        if y is None:
            return self.evaluate(X).number("accuracy").value
        said, labels = self.predict(X), np.asarray(y).reshape(-1)
        if len(said) != len(labels):
            raise DataError("L232", where="labels", n=len(said), k=len(labels))
        return float(np.average(said == labels, weights=sample_weight))

    def _run(self) -> Run:
        if self.run is None:
            raise NotTrained("L509", where=type(self).__name__)
        if not self.run.path.is_dir():
            raise RunError("L511", where=self.run.path)
        return self.run

    def _not_judged(self) -> RunError:
        return RunError("L512", where=self._run().path)

    def _repr_html_(self) -> str:
        from limpide.text import notebook_html

        code = f"<code>{notebook_html.escape(repr(self))}</code>"
        return notebook_html.block(code, self.run._repr_html_()) if self.run and self.run.path.is_dir() else code

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """The representation in a notebook; scikit-learn's own would hide `_repr_html_`."""
        return {"text/plain": repr(self), "text/html": self._repr_html_()}


@lru_cache(maxsize=4)
def _opened(file: Path, changed: int, process: int) -> Predictor:
    """Open the predictor of a run. A forked process opens it again: the session's threads exist only in the parent."""
    return Predictor(file)


def _in_notebook() -> bool:
    return "ipykernel" in sys.modules
