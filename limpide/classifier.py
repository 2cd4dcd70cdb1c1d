"""ImageClassifier: the whole of limpide in scikit-learn's words. It owns nothing but the path of a Run."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from limpide.errors import LimpideError, RunError, UsageError
from limpide.finding import Finding
from limpide.language import N_, percent
from limpide.predictor import Prediction, Predictor
from limpide.recipe import Recipe
from limpide.run import Run

Files = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


class ImageClassifier:
    """Five ways to call it:

    clf = ImageClassifier(time="5m").fit("photos/")    # one folder a class; decides what you leave open
    clf.predict(["new.jpg"])                           # ["cat"]
    clf.evaluate()                                     # Finding: accuracy on the test part, with its interval
    clf.export("model.onnx")                           # one sealed file for any language
    ImageClassifier.load("runs/photos-001")            # without training

    Every field of `Recipe` is accepted by its name or by the name other libraries give it. Raises UsageError at once for
    a name or a value that cannot be right, and DataError, ModelError or RunError later; str() of each is one line.
    """

    def __init__(
        self,
        *,
        model: str = "auto",
        time: str | float | None = None,
        epochs: int | None = None,
        seed: int = 0,
        runs: str = "runs",
        quiet: bool = False,
        **choices: Any,
    ) -> None:
        self.recipe = Recipe.of(model=model, time=time, epochs=epochs, seed=seed, **choices)
        self.runs, self.quiet = Path(runs), quiet
        self.run: Run | None = None

    def __repr__(self) -> str:
        changed = {k: v for k, v in self.recipe.to_json().items() if v != getattr(Recipe(), k)}
        names = ", ".join(f"{k}={v!r}" for k, v in changed.items())
        return f"ImageClassifier({names})" + (f" → {self.run.path}" if self.run else "")

    @classmethod
    def load(cls, run: str | os.PathLike[str]) -> ImageClassifier:
        """A trained classifier from its run directory. Raises RunError when there is none."""
        opened = Run.open(run)
        clf = cls(runs=str(opened.path.parent))
        clf.recipe = Recipe.from_json(opened.info()["wanted"])
        clf.run = opened
        return clf

    def fit(self, data: str | os.PathLike[str], *, new: bool = False) -> ImageClassifier:
        """Trains on a folder or a named data set, and judges; an unfinished run on the same data is continued."""
        from limpide import machine

        machine.keep_memory()
        from limpide.report.live import Screen
        from limpide.workflows.train import prepare, train

        began = time.monotonic()
        self.run, dataset, _ = prepare(os.fspath(data), self.recipe, self.runs, new=new)
        events = train(self.run, dataset, started=time.monotonic() - began)
        if self.quiet:
            for _event in events:
                pass
        elif not Screen(quiet=not _in_notebook()).follow(events, self.run):
            raise KeyboardInterrupt
        return self

    @property
    def classes_(self) -> np.ndarray:
        return np.array(self._run().info()["classes"])

    def predict(self, files: Files) -> np.ndarray:
        """Class name of each file, str (n,). Raises DataError for the first file that is no usable image."""
        return np.array([prediction.label for prediction in self.predictions(files)])

    def predict_proba(self, files: Files) -> np.ndarray:
        """Calibrated probabilities, float (n, classes), columns as in `classes_`."""
        names = list(self.classes_)
        return np.array([[dict(p.top)[name] for name in names] for p in self.predictions(files, top=len(names))])

    def predictions(self, files: Files, top: int = 5) -> list[Prediction]:
        """Predictions with their `top` classes. Raises DataError for the first file that is no usable image."""
        found = []
        for item in self.predictor().predict(_listed(files), top):
            if isinstance(item, LimpideError):
                raise item
            found.append(item)
        return found

    def predictor(self) -> Predictor:
        return Predictor(self._run().model_file)

    def evaluate(self, data: str | os.PathLike[str] | None = None) -> Finding:
        """Accuracy with its interval: on the test part, judged once after training, or on other labelled images."""
        return self.audit(data)["accuracy"]

    def audit(self, data: str | os.PathLike[str] | None = None) -> dict[str, Finding]:
        """Every finding by name: those stored with the run, or those made now on other labelled images."""
        if data is None:
            return self._run().findings()
        from limpide.events import Judged
        from limpide.workflows.evaluate import evaluate

        return {e.finding.name: e.finding for e in evaluate(str(self._run().path), os.fspath(data)) if isinstance(e, Judged)}

    def explain(self, file: str | os.PathLike[str], layer: str | None = None, channel: int = 0, y: int = 0, x: int = 0) -> Finding:
        """One unit of the network on this image, product by product; without `layer`, the strongest of the first convolution."""
        from limpide.workflows.explain import explain

        return explain(str(self._run().path), os.fspath(file), layer, channel, y, x)["inside"]

    def export(self, file: str | os.PathLike[str]) -> Path:
        """Writes the sealed ONNX file. Raises UsageError where it cannot be written."""
        from limpide.workflows.export import export

        return export(str(self._run().path), Path(file))

    def report(self) -> Path:
        """Path of the HTML report."""
        return self._run().report_file

    def score(self, data: str | os.PathLike[str]) -> float:
        """Accuracy as a share on labelled images in a folder."""
        return self.evaluate(data).number("accuracy").value

    def _run(self) -> Run:
        if self.run is None:
            raise RunError(
                "L509", N_("this classifier is not trained yet"), where="ImageClassifier", todo=N_("call fit(folder) first, or ImageClassifier.load(run)")
            )
        return self.run

    def _repr_html_(self) -> str:
        from html import escape

        if self.run is None or not (finding := self.run.finding("accuracy")):
            return f"<code>{escape(repr(self))}</code>"
        accuracy = finding.number("accuracy")
        return f"<p><b>{percent(accuracy.value)}</b> {escape(str(finding.message))} <code>{escape(str(self.run.path))}</code></p>"


def _listed(files: Files) -> Iterable[str | os.PathLike[str]]:
    if isinstance(files, (str, os.PathLike)):
        return [files]
    if not all(isinstance(file, (str, os.PathLike)) for file in files):
        raise UsageError("L112", N_("predict wants paths of image files"), where="ImageClassifier", todo=N_("give a path or a list of paths"))
    return files


def _in_notebook() -> bool:
    return "ipykernel" in sys.modules
