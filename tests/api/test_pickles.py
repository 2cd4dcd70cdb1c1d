"""What a pickled estimator keeps, and when its temporary run goes."""

from __future__ import annotations

import copy
import gc
import os
import pickle
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from limpide import ImageClassifier
from limpide.core.errors import RunError
from tests.api.test_sklearn import QUICK, X, Y

pytestmark = pytest.mark.usefixtures("one_thread", "temporary")


def test_pickle_holds_no_weights(tmp_path: Path) -> None:
    clf = ImageClassifier(**QUICK | dict(epochs=1), runs=tmp_path / "runs").fit(X, Y)
    data = pickle.dumps(clf)
    assert len(data) < 3000 < clf.run.model_file.stat().st_size / 10  # type: ignore[union-attr]
    code = (
        "import pickle, sys, numpy as np; clf = pickle.load(open(sys.argv[1], 'rb')); "
        "print(clf.predict(np.load(sys.argv[2])).tolist(), 'torch' in sys.modules)"
    )
    (tmp_path / "clf.pkl").write_bytes(data)
    np.save(tmp_path / "x.npy", X[:4])
    done = subprocess.run(
        [sys.executable, "-c", code, "../clf.pkl", "../x.npy"],
        cwd=tmp_path / "runs",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == f"{clf.predict(X[:4]).tolist()} False", done.stderr
    again = pickle.loads(data)
    shutil.rmtree(tmp_path / "runs")
    with pytest.raises(RunError, match="is gone") as caught:
        again.predict(X[:4])
    assert str(tmp_path) in str(caught.value) and "\n" not in str(caught.value)


def test_the_path_of_the_run_is_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    clf = ImageClassifier(**QUICK | dict(epochs=1), runs="here").fit(X, Y)
    monkeypatch.chdir("/")
    assert clf.predict(X[:1]).shape == (1,) and os.path.isabs(clf.run_) and clf.get_params()["runs"] == "here"  # noqa: PTH117


def test_a_temporary_run_goes_with_its_estimators_unless_one_was_pickled() -> None:
    clf = ImageClassifier(**QUICK | dict(epochs=1)).fit(X, Y)
    folder = clf.run.path.parent  # type: ignore[union-attr]
    others = copy.copy(clf), copy.deepcopy(clf)
    del clf
    gc.collect()
    assert [len(other.predict(X[:2])) for other in others] == [2, 2]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        del others
        gc.collect()
    assert not folder.exists()

    clf = ImageClassifier(**QUICK | dict(epochs=1)).fit(X, Y)
    folder = clf.run.path.parent  # type: ignore[union-attr]
    first = folder
    clf.fit(X, Y)
    folder = clf.run.path.parent  # type: ignore[union-attr]
    assert not first.exists() and folder.exists(), "a second fit lets go of the first run"
    data = pickle.dumps(clf)
    del clf
    gc.collect()
    assert len(pickle.loads(data).predict(X[:2])) == 2
    shutil.rmtree(folder)
