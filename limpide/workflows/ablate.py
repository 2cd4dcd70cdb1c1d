"""ablate: train every combination of some choices several times, on the same split, and compare the answers.

Each training is an ordinary run in a folder of its own below the runs; the same command goes on where it was stopped.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

import numpy as np

from limpide.audit.ablation import Tried, ablation_finding
from limpide.core.errors import RunError, TrainingError
from limpide.core.events import Event, Judged, Note, Progress
from limpide.core.recipe import Recipe
from limpide.core.run import Run
from limpide.core.variation import Arm
from limpide.data.dataset import PARTS, Dataset
from limpide.data.layouts.hints import Hints
from limpide.data.layouts.scan import scan
from limpide.data.split_file import groups_in, read_split
from limpide.judging.answers import Answers
from limpide.judging.run_subject import answers_of_run
from limpide.statistics.intervals import OF_FOLDS
from limpide.text.messages import N_, Message, message
from limpide.training.defaults import check_recipe
from limpide.workflows.train.training import begin, train


def folder_of(location: str, arms: Sequence[Arm], recipe: Recipe, runs: Path) -> Path:
    """Where the runs of these combinations are: the same command finds them again."""
    asked = json.dumps([location, [arm.changes for arm in arms], recipe.to_json()], sort_keys=True)
    return runs / f"ablation-{hashlib.sha256(asked.encode()).hexdigest()[:8]}"


def ablate(location: str, arms: Sequence[Arm], repeats: int, folder: Path) -> Iterator[Event]:
    """Yield progress, a note after each training, and last the finding. The recipe of repeat k has the seed of the
    recipe plus k. Raises what a training raises; nothing is trained before every combination was checked. A training
    whose loss ran away ends that training alone: its network names no image.
    """
    for arm in arms:
        check_recipe(arm.recipe)
    dataset = scan(location, hints=Hints.of(arms[0].recipe))
    right: dict[str, list[np.ndarray | None]] = {arm.name: [] for arm in arms}  # None: the training ran away
    seconds: dict[str, list[float]] = {arm.name: [] for arm in arms}
    judged: np.ndarray | None = None
    groups, variance, done = None, 1.0, 0
    for k in range(repeats):
        for arm in arms:
            recipe = arm.recipe.but(seed=arm.recipe.seed + k)
            says = message(N_("{name}, repeat {k} of {n}"), name=arm.name, k=k + 1, n=repeats)
            done += 1
            run = yield from _trained(dataset, recipe, folder, says, done - 1, repeats * len(arms))
            seconds[arm.name].append(run.info().fit_seconds)
            if run.info().status != "finished":
                right[arm.name].append(None)
                yield Note("ablation", message(N_("{what}: the loss ran away"), what=says.to_json()))
                continue
            answers = yield from _answers(run, dataset)
            judged = answers.rows if judged is None else judged
            if not np.array_equal(judged, answers.rows):
                raise RunError("L520", where=run.path)
            named = answers.probabilities.argmax(1) == dataset.labels[answers.rows]
            right[arm.name].append(named)
            if groups is None and (of_all := groups_in(run.split_file, dataset.images.names)) is not None:
                groups = of_all[judged]
            variance = OF_FOLDS if run.info().recipe.get("folds") else 1.0
            text = N_("{what}: {accuracy:percent} of {n:count} test images")
            yield Note("ablation", message(text, what=says.to_json(), accuracy=float(named.mean()), n=len(named)))
    if judged is None:
        raise TrainingError("L601", where=folder)
    tried = [_tried(name, named, seconds[name], len(judged)) for name, named in right.items()]
    yield Judged(ablation_finding(tried, groups, variance))


def _tried(name: str, right: Sequence[np.ndarray | None], seconds: Sequence[float], n: int) -> Tried:
    """right: of n images, for each training; None where the loss ran away."""
    named = [np.zeros(n, bool) if one is None else one for one in right]
    return Tried(name, np.stack(named), tuple(seconds), sum(one is None for one in right))


def _trained(
    dataset: Dataset, recipe: Recipe, folder: Path, says: Message, done: int, total: int
) -> Generator[Event, None, Run]:
    """The run of this recipe: a finished one that is there, continued, or new; not finished if its loss is no longer a
    number.
    """
    for run, info in Run.known_in(folder)[0]:
        if info.status == "finished" and info.wanted == recipe.to_json() and info.fingerprint == dataset.fingerprint:
            return run
    run, dataset, _ = begin(dataset, recipe, folder)
    yield Progress(says, done, total)
    try:
        with contextlib.closing(train(run, dataset, judge=False)) as events:  # type: ignore[type-var]
            for _ in events:
                yield Progress(says, done, total)
    except TrainingError as error:
        if error.code != "L601":
            raise
    return run


def _answers(run: Run, dataset: Dataset) -> Generator[Event, None, Answers]:
    """Of the sealed model, on the test part; where folds judge, of the models that had not seen an image."""
    place = {name: row for row, name in enumerate(dataset.images.names)}
    parts = np.zeros(len(dataset), np.uint8)
    for row in read_split(run.split_file, "file", "part"):
        if row["file"] in place and row["part"] in PARTS:
            parts[place[row["file"]]] = PARTS.index(row["part"])
    return (yield from answers_of_run(run, dataset, parts))
