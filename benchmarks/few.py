"""How good with few images a class? Paired draws: each column learns from the same images and names the same new ones.

    python -m benchmarks.few PHOTOS [--groups GROUPS.csv] [--each 5 10 25 50 100] [--draws 10] [--new 400]
                             [--fastai PYTHON]
    python -m benchmarks.few --table [--results benchmarks/few.csv]

PHOTOS holds one folder a class. With GROUPS.csv (columns file, label and one that names the group) a fifth of the
groups is new; otherwise a fifth of the images is. What is measured is added to a file (--results), draw after draw;
what it holds already is not measured again, and --table prints its means. The columns:

    folds          limpide train, judged in folds, no other option
    30 s, 2 min    the same with --time
    a fifth        limpide train --folds 0: a fifth of the images is kept for the score, a tenth chooses
    LogisticCV     scikit-learn's LogisticRegressionCV (5 folds, standardised) on the published features, all images
    fastai         fastai's fine_tune on the same weights (few_fastai.py), where --fastai names a Python that has it

A cell of the table: share of new images that are right, seconds of the whole command, half the width of the interval
that the run tells, in points; means over the draws. The interval of "a fifth" is that before there were folds.
"""

from __future__ import annotations

import argparse
import csv
import functools
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from limpide.api.features import Features
from limpide.deploy.predictor import Predictor

OPTIONS: dict[str, tuple[str, ...]] = {
    "folds": ("--folds", "5"),
    "30 s": ("--folds", "5", "--time", "30"),
    "2 min": ("--folds", "5", "--time", "120"),
    "a fifth": ("--folds", "0"),
}
COLUMNS = (*OPTIONS, "LogisticCV", "fastai")


@dataclass(frozen=True)
class Photo:
    file: Path
    label: str
    group: str  # of one image alone: its own name


@dataclass(frozen=True)
class Score:
    right: float  # share of the new images
    seconds: float  # of the whole command
    width: float  # of the interval that the run tells; NaN where none is told


def read(photos: Path, groups: Path | None) -> list[Photo]:
    if groups is None:
        return [Photo(file, file.parent.name, str(file)) for file in sorted(photos.glob("*/*"))]
    with open(groups, newline="") as stream:
        rows = list(csv.DictReader(stream))
    column = next(name for name in rows[0] if name not in ("file", "label"))
    return [Photo(photos / row["file"], row["label"], row[column]) for row in rows]


def draw(photos: list[Photo], each: int, new: int, seed: int) -> tuple[list[Photo], list[Photo]]:
    """(so many of each class to learn from, new ones): whole groups are new where there are groups."""
    random = np.random.default_rng(seed)
    groups = sorted({photo.group for photo in photos})
    strange = set(random.permutation(groups)[: len(groups) // 5].tolist())
    pool, others = ([p for p in photos if (p.group in strange) == is_new] for is_new in (False, True))
    learned: list[Photo] = []
    for label in sorted({photo.label for photo in photos}):
        own = [photo for photo in pool if photo.label == label]
        learned += [own[k] for k in random.permutation(len(own))[:each]]
    return learned, [others[k] for k in random.permutation(len(others))[:new]]


def train(name: str, learned: list[Photo], new: list[Photo], folder: Path, grouped: bool) -> Score:
    """`limpide train` in a fresh process; its sealed file names the new images."""
    data, runs = folder / "data", folder / "runs"
    for photo in learned:
        target = data / photo.label / photo.file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            os.link(photo.file, target)
    source = data
    if grouped:
        source = data / "labels.csv"
        lines = [f"{photo.label}/{photo.file.name},{photo.label},{photo.group}" for photo in learned]
        source.write_text("file,label,group\n" + "\n".join(lines) + "\n")
    command = [sys.executable, "-m", "limpide", "train", str(source), "--runs", str(runs), "--json", "--new"]
    began = time.monotonic()
    said = subprocess.run([*command, *OPTIONS[name]], check=True, capture_output=True, text=True).stdout
    seconds, result = time.monotonic() - began, json.loads(said)
    found = json.loads(Path(result["run"], "findings", "accuracy.json").read_text())
    number = next(one for one in found["numbers"] if one["name"] == "accuracy")
    if number["low"] is None:
        number["low"], number["high"] = 0.0, 1.0
    predictor = Predictor(Path(result["run"], "model.onnx"))
    answers = predictor.probabilities([predictor.preprocessing.opened(p.file.read_bytes())[0] for p in new]).argmax(1)
    right = np.mean([predictor.classes[k] == photo.label for k, photo in zip(answers, new, strict=True)])
    return Score(float(right), seconds, number["high"] - number["low"])


def logistic(learned: list[Photo], new: list[Photo]) -> Score:
    from sklearn.linear_model import LogisticRegressionCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    began = time.monotonic()
    features = Features("efficientnet_lite0")
    inputs = features.transform([photo.file for photo in learned])
    folds = min(5, min(np.unique([photo.label for photo in learned], return_counts=True)[1]))
    model = make_pipeline(
        StandardScaler(),
        LogisticRegressionCV(
            cv=int(folds), max_iter=1000, l1_ratios=(0.0,), scoring="neg_log_loss", use_legacy_attributes=False
        ),
    )
    model.fit(inputs, [photo.label for photo in learned])
    seconds = time.monotonic() - began
    said = model.predict(features.transform([photo.file for photo in new]))
    right = np.mean(said == np.array([photo.label for photo in new]))
    return Score(float(right), seconds, float("nan"))


def fine_tune(python: Path, learned: list[Photo], new: list[Photo]) -> Score:
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder, name) for name in ("learned.csv", "new.csv")]
        for file, photos in zip(files, (learned, new), strict=True):
            with open(file, "w", newline="") as stream:
                csv.writer(stream).writerows((photo.file, photo.label) for photo in photos)
        command = [str(python), "-m", "benchmarks.few_fastai", *map(str, files)]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    result = json.loads(said.splitlines()[-1])
    return Score(result["right"], result["seconds"], float("nan"))


def column(name: str, grouped: bool, fastai: Path | None) -> Callable[[list[Photo], list[Photo]], Score]:
    if name == "LogisticCV":
        return logistic
    if name == "fastai" and fastai:
        return functools.partial(fine_tune, fastai)

    def score(learned: list[Photo], new: list[Photo]) -> Score:
        with tempfile.TemporaryDirectory(dir=learned[0].file.parent.parent.parent) as folder:
            return train(name, learned, new, Path(folder), grouped)

    return score


@dataclass(frozen=True)
class Results:
    """What was measured: a line of the file each. key: (set, images a class, draw, column)."""

    file: Path
    scores: dict[tuple[str, int, int, str], Score]

    @classmethod
    def read(cls, file: Path) -> Results:
        found: dict[tuple[str, int, int, str], Score] = {}
        if file.exists():
            for row in csv.DictReader(file.read_text().splitlines()):
                key = row["set"], int(row["each"]), int(row["draw"]), row["column"]
                found[key] = Score(*(float(row[one]) for one in ("right", "seconds", "width")))
        return cls(file, found)

    def add(self, key: tuple[str, int, int, str], score: Score) -> None:
        self.scores[key] = score
        is_new = not self.file.exists()
        with open(self.file, "a") as stream:
            if is_new:
                stream.write("set,each,draw,column,right,seconds,width\n")
            stream.write(",".join(map(str, key)) + f",{score.right:.4f},{score.seconds:.1f},{score.width:.4f}\n")

    def table(self) -> str:
        """Markdown: a line for each set and number of images, over the draws that all of its columns have."""
        lines = ["| set | a class | draws | " + " | ".join(COLUMNS) + " |", "|---" * (3 + len(COLUMNS)) + "|"]
        for name, each in dict.fromkeys((key[0], key[1]) for key in self.scores):
            there = [one for one in COLUMNS if any(key[:2] == (name, each) and key[3] == one for key in self.scores)]
            own = [{key[2] for key in self.scores if key[:2] == (name, each) and key[3] == one} for one in there]
            draws = sorted(set.intersection(*own))
            if not draws:
                continue
            cells = [_cell([self.scores[name, each, draw, one] for draw in draws if one in there]) for one in COLUMNS]
            lines.append(f"| {name} | {each} | {len(draws)} | " + " | ".join(cells) + " |")
        return "\n".join(lines)


def _cell(scores: list[Score]) -> str:
    if not scores:
        return ""
    right, seconds, width = (np.mean([getattr(one, key) for one in scores]) for key in ("right", "seconds", "width"))
    told = "" if np.isnan(width) else f" · ±{50 * width:.1f}"
    return f"{right:.1%} · {seconds:.0f} s{told}"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("photos", type=Path, nargs="?")
    parser.add_argument("--groups", type=Path)
    parser.add_argument("--each", type=int, nargs="+", default=[5, 10, 25, 50, 100])
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--new", type=int, default=400)
    parser.add_argument("--columns", nargs="+", choices=COLUMNS, default=COLUMNS)
    parser.add_argument("--fastai", type=Path)
    parser.add_argument("--results", type=Path, default=Path(__file__).with_suffix(".csv"))
    parser.add_argument("--table", action="store_true")
    arguments = parser.parse_args()
    results = Results.read(arguments.results)
    if arguments.table or arguments.photos is None:
        print(results.table())
        return
    photos = read(arguments.photos, arguments.groups)
    for seed, each in itertools.product(range(arguments.draws), arguments.each):
        learned, new = draw(photos, each, arguments.new, seed)
        for name in (one for one in arguments.columns if one != "fastai" or arguments.fastai):
            key = arguments.photos.name, each, seed, name
            if key not in results.scores:
                one = column(name, arguments.groups is not None, arguments.fastai)(learned, new)
                results.add(key, one)
                print(f"{each} a class, draw {seed}, {name}: {one.right:.1%} in {one.seconds:.0f} s", flush=True)
    print(results.table())


if __name__ == "__main__":
    main()
