"""A model of good parts, judged on images known to be good or not: those of its run, or others. torch is not needed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from limpide.audit.evidence import Evidence
from limpide.audit.good_parts import defects_finding
from limpide.audit.image_groups import groups_as_split
from limpide.core.events import Event, Progress
from limpide.core.finding import Finding
from limpide.core.run import Run
from limpide.data.dataset import NO_PART, TEST, Dataset
from limpide.judging.answers import Answers, first_readable, keep_answers, kept_answers, make_evidence, predict_rows
from limpide.judging.run_subject import SealedFile, count_look, network_of
from limpide.judging.subject import Subject, TrainedRun, Work
from limpide.text.messages import N_, message


def run(subject: Subject) -> Iterator[Event | Finding]:
    """False alarms and escapes."""
    evidence, rows = (yield from subject.evidence()), (yield from subject.answers()).rows
    kinds = [subject.dataset.classes[k] for k in subject.dataset.labels[rows]]
    yield defects_finding(evidence, kinds, subject.promised or 0.0)


def subject_of_good_parts(run: Run, dataset: Dataset, parts: np.ndarray) -> Subject:
    """The good parts that were kept for the test, and every defect. The class of `dataset` with label 0 is the good
    one. parts: uint8 (len(dataset),), places in PARTS.
    """
    file, used = SealedFile(run), np.flatnonzero(parts != NO_PART)

    def ask(rows: np.ndarray) -> Work[Answers]:
        predictor = yield from file.opened()
        answers = kept_answers(run, dataset, rows) if run.info().scored else None
        if answers is None:
            answers = yield from predict_rows(predictor, dataset, rows)
            keep_answers(run, _two_classes(dataset), answers)
            count_look(run, run.info())
            run.update(scored=True)
        return answers

    def weigh(answers: Answers) -> Work[Evidence]:
        predictor = yield from file.opened()
        yield Progress(message(N_("evaluating its answers")))
        truth = (dataset.labels[answers.rows] != 0).astype(int)
        return groups_as_split(make_evidence(predictor, dataset, answers, truth, 0), run)

    def milliseconds() -> Work[float]:
        predictor = yield from file.opened()
        yield Progress(message(N_("timing the model file")))
        return predictor.milliseconds(first_readable(dataset, used, predictor.preprocessing.jpeg_side)[1])

    trained = TrainedRun(run, parts, lambda: network_of(run), milliseconds, _compare, lambda *_: True)  # type: ignore[arg-type]
    return Subject(
        dataset,
        np.flatnonzero(parts == TEST),
        (parts != TEST) & (parts != NO_PART),
        ask,
        weigh,
        trained=trained,
        close=file.close,
        promised=float(run.info().recipe.get("false_alarms") or 0.0),
    )


def _compare() -> Work[object]:
    raise ValueError("A model of good parts is compared with no simpler ones.")
    yield


def _two_classes(dataset: Dataset) -> Dataset:
    """The same images, labelled as good (0) or not (1)."""
    return replace(dataset, labels=(dataset.labels != 0).astype(np.int32))
