"""The answers of a sealed file about images: asked for in batches, kept in the run, turned into evidence."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from zipfile import BadZipFile

import numpy as np

from limpide.audit.evidence import Evidence
from limpide.core.cost import Cost, Facts
from limpide.core.errors import DataError
from limpide.core.events import Event, Progress
from limpide.core.run import Run
from limpide.data.dataset import Dataset
from limpide.data.decoding.decode import Undecodable
from limpide.deploy.predictor import BATCH, PIXELS, Predictor
from limpide.system import files, machine
from limpide.text.messages import N_, message

SEALED = 1.3  # times the seconds of an image: the sealed file, in float32 and with its own resize
# Memory of ONNX Runtime: the file and its own layout of it, as a multiple of the bytes of the learned values; and its
# arena, as a multiple of the bytes of the largest layer of a batch (docs/explanation/performance.md, Memory)
OPENED, NAMED = 3.4, 2.2


@dataclass(frozen=True)
class Answers:
    """rows: int (n,), readable rows of the data set · probabilities: float32 (n, classes)."""

    rows: np.ndarray
    probabilities: np.ndarray


def cost(facts: Facts) -> Cost:
    """Decoding the test images and running the sealed file on them; 0 with folds, which have answered already."""
    if facts.folds:
        return Cost()
    together = max(1, PIXELS // facts.largest_size**2)
    batch = min(together, BATCH, max(1, facts.test))
    return Cost(
        facts.test * (facts.decoding_seconds + SEALED * facts.slowest_image),
        OPENED * facts.parameter_bytes + NAMED * facts.layer_bytes * batch,
    )


def read_image(dataset: Dataset, row: int, at_least: int, also: Callable[[int, Any], None] | None = None) -> Any:
    """The image, or None when it can no longer be read."""
    try:
        image = dataset.images.image(row, at_least)
    except Undecodable:
        return None
    if also is not None:
        also(row, image)
    return image


def first_readable(dataset: Dataset, rows: np.ndarray, at_least: int) -> tuple[int, Any]:
    """Return (place in `rows`, image) of the first image that can still be read. Raises DataError where none can."""
    for place, row in enumerate(rows.tolist()):
        if (image := read_image(dataset, row, at_least)) is not None:
            return place, image
    raise DataError("L211", where=dataset.location)


def predict_rows(
    predictor: Predictor, dataset: Dataset, rows: np.ndarray, also: Callable[[int, Any], None] | None = None
) -> Generator[Event, None, Answers]:
    """The answers on the rows that can be read. also: called with each row and its image, in threads."""
    side = predictor.preprocessing.jpeg_side

    rows_read: list[int] = []
    probabilities: list[np.ndarray] = []
    yield Progress(message(N_("classifying the test images")), 0, len(rows))
    with ThreadPoolExecutor(machine.cores()) as pool:
        for start in range(0, len(rows), BATCH):
            part = rows[start : start + BATCH].tolist()
            pairs = [
                (i, image)
                for i, image in zip(part, pool.map(lambda i: read_image(dataset, i, side, also), part), strict=True)
                if image is not None
            ]
            if pairs:
                probabilities.append(predictor.probabilities([image for _, image in pairs]))
            rows_read += [i for i, _ in pairs]
            yield Progress(message(N_("classifying the test images")), start + len(part), len(rows))
    nothing = np.zeros((0, len(predictor.classes)), np.float32)
    return Answers(np.array(rows_read, dtype=int), np.concatenate(probabilities) if probabilities else nothing)


def never_predicted(answers: Answers, strange: int) -> Answers:
    """The answers with `strange` further classes that the model does not know: their probability is 0."""
    return Answers(answers.rows, np.pad(answers.probabilities, ((0, 0), (0, strange))))


def make_evidence(
    predictor: Predictor,
    dataset: Dataset,
    answers: Answers,
    truth: np.ndarray,
    most: int,
    trained_on: int | None = 0,
    nearly: int | None = 0,
    strange: Sequence[str] = (),
) -> Evidence:
    """strange: classes of these images that the model does not know; in `truth`, they are counted on from those that it
    knows.
    """
    rows = answers.rows
    return Evidence(
        classes=(*predictor.classes, *strange),
        learned=len(predictor.classes),
        files=tuple(dataset.images.names[int(i)] for i in rows),
        truth=truth,
        probabilities=answers.probabilities,
        majority=most,
        temperature=predictor.temperature,
        priors=predictor.priors,
        trained_on=trained_on,
        nearly=nearly,
        image=lambda k: dataset.images.image(int(rows[k]), 2 * 72),
    )


def keep_answers(run: Run, dataset: Dataset, answers: Answers, fold: np.ndarray | None = None) -> None:
    """fold: int (n,), the fold that judged each image; None where a part was kept for the test."""
    names = np.array([dataset.images.names[int(i)].encode("utf-8", "surrogateescape") for i in answers.rows])
    truth, probabilities = dataset.labels[answers.rows], answers.probabilities
    arrays = {"files": names, "truth": truth, "probabilities": probabilities}
    if fold is not None:
        arrays["fold"] = fold
    files.write_atomically(run.predictions / "test.npz", lambda s: np.savez(s, **arrays))  # type: ignore[arg-type]


def kept_answers(run: Run, dataset: Dataset, test: np.ndarray) -> Answers | None:
    """The answers of an earlier session; None where the file is missing or belongs to other images."""
    place = {dataset.images.names[int(i)].encode("utf-8", "surrogateescape"): int(i) for i in test}
    try:
        with open(run.predictions / "test.npz", "rb") as stream, np.load(stream, allow_pickle=False) as stored:
            rows = np.array([place[name] for name in stored["files"].tolist()], dtype=int)
            return Answers(rows, stored["probabilities"])
    except (OSError, EOFError, KeyError, ValueError, BadZipFile):
        return None
