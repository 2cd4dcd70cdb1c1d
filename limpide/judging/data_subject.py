"""Other labelled images, given to a sealed file: classes are matched by name, and the images that the training used are
counted. It does not need torch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from limpide.audit.evidence import Evidence
from limpide.audit.image_groups import groups_as_given, groups_of_table
from limpide.core.errors import DataError, RunError
from limpide.core.events import Note
from limpide.core.run import Run
from limpide.data.dataset import TEST, Dataset
from limpide.data.decoding.value_range import lies_beyond
from limpide.data.near_duplicates import find_known, fingerprint
from limpide.data.read_images import fingerprints_of, sample_images
from limpide.data.split_file import read_split
from limpide.deploy.predictor import Predictor, clipped_message
from limpide.judging.answers import Answers, make_evidence, never_predicted, predict_rows
from limpide.judging.subject import Subject, Work
from limpide.system.files import sha256
from limpide.text.messages import N_, message


def subject_of_data(run: Run, predictor: Predictor, dataset: Dataset, where: str) -> Subject:
    """The images that the data set marks as its test part, or else all of them. where: the location of the images, for
    errors. Raises DataError when the model knows none of their classes, and later when none can be read.
    """
    rows = np.flatnonzero(dataset.given == TEST) if np.any(dataset.given == TEST) else np.arange(len(dataset))
    other_images = OtherImages(run, predictor, dataset, rows, where)
    # images that the training used are counted and reported (`seen_in_training`): none is held back here
    nothing, sees = np.zeros(len(dataset), bool), predictor.preprocessing
    promised = predictor.detection.false_alarms if predictor.detection else None
    return Subject(
        dataset, rows, nothing, other_images.answers, other_images.evidence, preprocessing=sees, promised=promised
    )


@dataclass
class OtherImages:
    """The answers on other images, and the facts noticed while they are read."""

    run: Run
    predictor: Predictor
    dataset: Dataset
    rows: np.ndarray
    where: str
    strange: list[str] = field(init=False)  # classes that the model does not know
    prints: dict[int, np.ndarray] = field(default_factory=dict, init=False)  # by row
    beyond: list[int] = field(default_factory=list, init=False)  # rows with values beyond the range of the training

    def __post_init__(self) -> None:
        dataset, classes = self.dataset, self.predictor.classes
        if self.predictor.detection is not None:
            self.strange = []
            self._translate = _good_or_not(dataset, classes, self.where)
            return
        met = {dataset.classes[k] for k in np.unique(dataset.labels[self.rows])}
        self.strange = sorted(met - set(classes))
        place = {name: k for k, name in enumerate((*classes, *self.strange))}
        self._translate = np.array([place.get(name, -1) for name in dataset.classes])
        if len(self.strange) == len(met):
            raise DataError("L210", where=self.where, names=", ".join(classes[:12]))

    def truth(self, rows: np.ndarray) -> np.ndarray:
        """int (len(rows),): the classes that the model knows, then the strange ones."""
        return np.asarray(self._translate[self.dataset.labels[rows]])

    def answers(self, rows: np.ndarray) -> Work[Answers]:
        n_known = len(self.predictor.classes)
        if self.strange:
            yield _never_right(self.strange, int((self.truth(rows) >= n_known).sum()))
        answers = yield from predict_rows(self.predictor, self.dataset, rows, self._look)
        if lost := len(rows) - len(answers.rows):
            yield _unreadable(lost)
        if not len(answers.rows):
            raise DataError("L211", where=self.where)
        if self.beyond:
            yield Note("warning", clipped_message(len(self.beyond), len(answers.rows)))
        if (self.truth(answers.rows) >= n_known).all():
            raise DataError("L284", where=self.where)
        return never_predicted(answers, len(self.strange))

    def _look(self, row: int, image: Any) -> None:
        self.prints[row] = fingerprint(image)
        if lies_beyond(self.dataset.images, row, self.predictor.preprocessing.value_range):
            self.beyond.append(row)

    def evidence(self, answers: Answers) -> Work[Evidence]:
        rows, truth = answers.rows, self.truth(answers.rows)
        most = int(np.bincount(truth)[: len(self.predictor.classes)].argmax())
        used, nearly = seen_in_training(self.run, self.dataset, rows, self.prints)
        evidence = make_evidence(self.predictor, self.dataset, answers, truth, most, used, nearly, strange=self.strange)
        if self.predictor.detection is not None:
            return groups_of_table(evidence, self.run, self.dataset, rows)
        return groups_as_given(evidence, self.run, self.dataset, rows, self.prints)
        yield  # this is fast: it reports no progress


def _good_or_not(dataset: Dataset, classes: tuple[str, ...], where: str) -> np.ndarray:
    """int (classes of the data,): 0 for the good class, 1 for every other. Raises DataError where no class has the name
    of the good one, as all images would count as defects.
    """
    if not set(classes) & set(dataset.classes):
        raise DataError("L243", where=where, name=classes[0])
    return np.array([int(name != classes[0]) for name in dataset.classes])


def _never_right(strange: list[str], n: int) -> Note:
    """n: the number of images of these classes."""
    says = message(
        N_("the model does not know {names}: their {n:count} image can never be named correctly"),
        N_("the model does not know {names}: their {n:count} images can never be named correctly"),
        names=", ".join(strange),
        n=n,
    )
    return Note("warning", says)


def _unreadable(n: int) -> Note:
    return Note(
        "warning",
        message(
            N_("{n:count} file could not be read and is left out"),
            N_("{n:count} files could not be read and are left out"),
            n=n,
        ),
    )


def seen_in_training(
    run: Run, dataset: Dataset, rows: np.ndarray, prints: dict[int, np.ndarray]
) -> tuple[int | None, int | None]:
    """Return (how many of these images, or nearly the same ones, the training used in any way; how many of those are
    not byte for byte the same).

    The first is None when only the sealed file is at hand, the second when the run was made by a limpide that kept no
    prints. Images are nearly the same if a split would have kept them on one side; where a split does not search for
    near duplicates, this function does not, either.
    """
    if not run.split_file.exists():
        return None, None
    used = {row["content"] for row in read_split(run.split_file, "content", "part") if row["part"] != "test"}
    exact = np.array([sha256(dataset.images.bytes(int(i)))[:16] in used for i in rows])
    used_prints = _prints_of(run)
    if used_prints is None:
        return int(exact.sum()), None
    if not len(used_prints) or not fingerprints_of(dataset, sample_images(dataset)):
        return int(exact.sum()), 0
    nearly = find_known(used_prints, np.stack([prints[int(i)] for i in rows])) & ~exact
    return int((exact | nearly).sum()), int(nearly.sum())


def _prints_of(run: Run) -> np.ndarray | None:
    """uint64 (n, 4): the prints of the images that the training used; None where there are none on the disk. Raises
    RunError for a damaged file.
    """
    if not run.prints_file.exists():
        return None
    try:
        prints = np.load(run.prints_file)
        if prints.dtype != np.uint64 or prints.ndim != 2 or prints.shape[1] != 4:
            raise ValueError("no prints")
    except (OSError, ValueError, EOFError) as error:
        raise RunError("L561", where=run.prints_file) from error
    return np.asarray(prints)
