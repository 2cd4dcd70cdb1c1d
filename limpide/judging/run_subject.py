"""A run as it is judged after its training: its sealed file, on the test part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from limpide.audit.evidence import Evidence
from limpide.audit.image_groups import groups_as_split
from limpide.baselines.baseline import BaselineInputs
from limpide.core.events import Note, Progress
from limpide.core.run import Run
from limpide.core.run_info import RunInfo
from limpide.data.dataset import TEST, TRAIN, Dataset
from limpide.data.folds import NO_FOLD
from limpide.data.preprocessing import Preprocessing
from limpide.deploy.predictor import Predictor
from limpide.judging.answers import (
    Answers,
    first_readable,
    keep_answers,
    kept_answers,
    make_evidence,
    never_predicted,
    predict_rows,
)
from limpide.judging.fold_heads import FoldHeads, judges_of_folds, network_of_fold
from limpide.judging.subject import Network, Subject, TrainedRun, Work
from limpide.system import files
from limpide.text.messages import N_, message

if TYPE_CHECKING:
    from torch import nn

UNUSED = 0  # in PARTS


def subject_of_run(
    run: Run,
    dataset: Dataset,
    parts: np.ndarray,
    baseline_inputs: Callable[[], Work[BaselineInputs]],
    has_time: Callable[[str, str, float], bool],
) -> Subject:
    """parts: uint8 (len(dataset),), places in PARTS. baseline_inputs: makes the inputs of the simpler models."""
    file, train, heads = SealedFile(run), np.flatnonzero(parts == TRAIN), _heads(run)

    def milliseconds() -> Work[float]:
        rows = (yield from subject.answers()).rows
        predictor = yield from file.opened()
        yield Progress(message(N_("timing the model file")))
        return predictor.milliseconds(first_readable(dataset, rows, predictor.preprocessing.jpeg_side)[1])

    trained = TrainedRun(run, parts, lambda: network_of(run), milliseconds, baseline_inputs, has_time)
    if heads is not None:
        folds = np.full(len(dataset), NO_FOLD, np.int8)
        folds[heads.rows] = heads.fold
        trained = replace(trained, folds=folds, fold_network=lambda fold: _fold_network(run, heads, fold))
    subject = Subject(
        dataset,
        np.flatnonzero(parts == TEST) if heads is None else heads.rows,
        # where folds judge, each image is answered by the model that had not seen it
        learned_from=(parts != TEST) & (parts != UNUSED) if heads is None else np.zeros(len(dataset), bool),
        ask=lambda rows: _answers(file, dataset, rows) if heads is None else _fold_answers(run, dataset, heads),
        weigh=lambda answers: _evidence(file, dataset, train, answers, 0 if heads is None else len(heads.names)),
        trained=trained,
        close=file.close,
    )
    return subject


def answers_of_run(run: Run, dataset: Dataset, parts: np.ndarray) -> Work[Answers]:
    """The answers about the images that judge this run, without anything else of a subject. parts: as above."""
    heads = _heads(run)
    if heads is not None:
        return (yield from _fold_answers(run, dataset, heads))
    return (yield from _answers(SealedFile(run), dataset, np.flatnonzero(parts == TEST)))


def _heads(run: Run) -> FoldHeads | None:
    """What judges where folds do."""
    return judges_of_folds(run) if run.info().recipe.get("folds") else None


class SealedFile:
    """The model file of a run: opened on first use, closed to free its memory."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._predictor: Predictor | None = None

    def opened(self) -> Work[Predictor]:
        if self._predictor is None:
            yield Progress(message(N_("opening the model file")))
            self._predictor = Predictor(self.run.model_file)
        return self._predictor

    def close(self) -> None:
        self._predictor = None


def _answers(file: SealedFile, dataset: Dataset, rows: np.ndarray) -> Work[Answers]:
    """The answers on `rows`. They are kept, so that a judging that was interrupted does not look twice."""
    run, predictor = file.run, (yield from file.opened())
    answers = kept_answers(run, dataset, rows) if run.info().scored else None
    if answers is None:
        answers = yield from predict_rows(predictor, dataset, rows)
        answers = never_predicted(answers, len(_strange(predictor, dataset, answers.rows)))
        keep_answers(run, dataset, answers)
        count_look(run, run.info())
        run.update(scored=True)
    if lost := len(rows) - len(answers.rows):
        yield Note(
            "warning",
            message(
                N_("{n:count} test image can no longer be read and does not count"),
                N_("{n:count} test images can no longer be read and do not count"),
                n=lost,
            ),
        )
    return answers


def _fold_answers(run: Run, dataset: Dataset, heads: FoldHeads) -> Work[Answers]:
    answers = Answers(heads.rows, heads.probabilities())
    keep_answers(run, dataset, answers, heads.fold)
    run.update(scored=True)
    return answers
    yield  # the answers exist already: no progress to report


def _fold_network(run: Run, heads: FoldHeads, fold: int) -> Network:
    return _measured(*network_of_fold(run, heads, fold))


def _evidence(file: SealedFile, dataset: Dataset, train: np.ndarray, answers: Answers, folds: int) -> Work[Evidence]:
    predictor = yield from file.opened()
    yield Progress(message(N_("evaluating its answers")))
    most = int(np.bincount(dataset.labels[train]).argmax())
    strange = _strange(predictor, dataset, answers.rows)
    evidence = make_evidence(predictor, dataset, answers, dataset.labels[answers.rows], most, strange=strange)
    return replace(groups_as_split(evidence, file.run), folds=folds)


def _strange(predictor: Predictor, dataset: Dataset, rows: np.ndarray) -> tuple[str, ...]:
    """Classes of these images that the model does not know."""
    return tuple(dataset.classes[len(predictor.classes) : int(dataset.labels[rows].max()) + 1])


def network_of(run: Run) -> Network:
    from limpide.training.weights import trained_network

    network = _measured(*trained_network(run))
    if run.info().averages_mirrored:  # every image passes twice
        network = replace(network, multiply_adds=2 * network.multiply_adds)
    return network


def _measured(model: nn.Module, preprocessing: Preprocessing) -> Network:
    from limpide.models import multiply_adds, parameters

    work = multiply_adds(model, preprocessing.channels, preprocessing.size)
    return Network(model, preprocessing, work, parameters(model))


def count_look(run: Run, info: RunInfo) -> None:
    """Count a look at the test images: one sealed file that was run on them. To judge the same file again, after a kill
    or in another run, does not count.
    """
    sealed = files.sha256_of_file(run.model_file)[:16]
    if sealed not in info.test_seen_by:
        run.update(test_looks=info.test_looks + 1, test_seen_by=[*info.test_seen_by, sealed])
