"""Would a simpler model do? The network is compared with simpler models, one after the other while there is time.

What it measures, why it matters and how it can mislead: baselines/verdict.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from limpide.baselines.baseline import Baseline, ComparedModel
from limpide.baselines.compare import fit_baselines
from limpide.baselines.compare_in_folds import fit_in_folds
from limpide.baselines.verdict import JudgedImages, LimitsMet, baselines_finding
from limpide.core.events import Event
from limpide.core.finding import Finding
from limpide.core.run import Run
from limpide.core.run_info import RunInfo
from limpide.data.dataset import TRAIN
from limpide.data.folds import NO_FOLD
from limpide.judging.subject import Subject, TrainedRun
from limpide.system import files
from limpide.text.messages import N_, message

NAME = "simpler"
LEAST = 2.0  # s, enough to fit one of them


def run(subject: Subject) -> Iterator[Event | Finding]:
    trained = subject.run()
    train_images = _train_images(trained)
    evidence = yield from subject.evidence()
    rows = (yield from subject.answers()).rows
    ms = yield from subject.milliseconds()
    # simpler models do not balance classes: to compare like with like, the network's answers are counted as images come
    network = _network(trained.run, evidence.as_frequent.right, train_images, ms, subject.network().multiply_adds)
    inputs = yield from subject.baseline_inputs()
    seconds = inputs.budget.seconds

    def allowed(baseline: Baseline) -> bool:
        return trained.has_time(NAME, baseline.name, seconds or 0.0)

    if trained.folds is None:
        comparison = yield from fit_baselines(
            subject.dataset,
            trained.parts,
            rows,
            inputs,
            lambda baseline, n: _keep_decision(trained.run, baseline.key, n),
            allowed,
        )
    else:
        comparison = yield from fit_in_folds(
            subject.dataset,
            trained.parts,
            trained.folds,
            rows,
            inputs,
            lambda key, n: _keep_decision(trained.run, key, n),
            allowed,
        )
    _keep_answers(trained.run, comparison.models, len(rows))
    images = JudgedImages(evidence.groups, evidence.source, evidence.variance)
    limits = LimitsMet(train_images, seconds, comparison.late, comparison.left_out)
    finding = baselines_finding(network, comparison.models, limits, images)
    if evidence.priors is not None:
        says = N_(
            "Simpler models do not balance classes, so the network is counted here as if it did not either: "
            "every image counts equally, and a frequent class is as likely as it was in training."
        )
        finding = replace(finding, details=[message(says), *finding.details])
    yield finding


def _train_images(trained: TrainedRun) -> int:
    """The number of images that a model may learn from; where folds judge, in the fold that leaves the fewest."""
    train = int((trained.parts == TRAIN).sum())
    if trained.folds is None:
        return train
    return train - int(np.bincount(trained.folds[trained.folds != NO_FOLD]).max())


def _network(run: Run, right: np.ndarray, train_images: int, milliseconds: float, work: int) -> ComparedModel:
    """The network itself, as one of the compared models."""
    info = run.info()
    return ComparedModel(
        right,
        np.arange(len(right)),
        _trained_on(info, train_images),
        info.training_seconds,
        milliseconds,
        run.model_file.stat().st_size,
        work,
        key="network",
        name=N_("the network"),
    )


def _trained_on(info: RunInfo, train_images: int) -> int:
    """How many images the final model learned from: of many images, the first model sees a sample."""
    return info.frozen.n if info.frozen and info.final and info.final.kind == "frozen" else train_images


def _keep_answers(run: Run, models: Sequence[ComparedModel], n: int) -> None:
    """Keep whether each simpler model is right on each of the n test images, in the order of test.npz: 1 or 0, and −1
    where it was not asked.
    """
    right = np.full((len(models), n), -1, np.int8)
    for line, model in zip(right, models, strict=True):
        line[model.rows] = model.right
    keys, n_train = np.array([model.key for model in models]), np.array([model.n_train for model in models])
    files.write_atomically(
        run.predictions / "rivals.npz", lambda s: np.savez(s, models=keys, right=right, n_train=n_train)
    )


def _keep_decision(run: Run, key: str, n: int) -> None:
    run.update(rivals={**run.info().rivals, key: n})
