"""judge: the sealed model against the test part → findings → report. Used by train and by evaluate."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from zipfile import BadZipFile

import numpy as np

from limpide.audit import AUDITS, run_facts
from limpide.audit.evidence import Evidence
from limpide.audit.image_groups import groups_as_split
from limpide.baselines.compare import BaselineInputs, fit_baselines
from limpide.baselines.finding import LimitsMet, baselines_finding
from limpide.baselines.simple_models import NAMES, Baseline
from limpide.core.events import Event, Judged, Note, Progress
from limpide.core.recipe import Recipe
from limpide.core.run import Run
from limpide.core.run_info import RunInfo, require
from limpide.data.dataset import TEST, TRAIN, Dataset
from limpide.data.decoding.decode import Undecodable
from limpide.data.preprocessing import Preprocessing
from limpide.deploy.predictor import BATCH, Predictor
from limpide.system import files, machine
from limpide.system.energy import Energy
from limpide.text.messages import N_, message
from limpide.workflows.train.deadline import INSIDE, SHORTCUT, SIMPLER, Deadline, affordable

# s that parts of judging take, about. The report: with its evidence weighed and its page written.
REPORT_SECONDS, INSIDE_SECONDS, MIN_SECONDS = 2.0, 1.0, 2.0
PASTED_WORK = 4e11  # multiply-adds that asking for shortcuts may cost: a few seconds


def predict_rows(
    predictor: Predictor, dataset: Dataset, rows: np.ndarray, also: Callable[[int, Any], None] | None = None
) -> Iterator[Progress | tuple[np.ndarray, np.ndarray]]:
    """Progress, then last (the rows that could be read, their probabilities float32 (n, classes)). also: called with
    each row and its image, in threads.
    """
    side = predictor.preprocessing.jpeg_side

    kept: list[int] = []
    found: list[np.ndarray] = []
    yield Progress(message(N_("looking at the test images")), 0, len(rows))
    with ThreadPoolExecutor(machine.cores()) as pool:
        for start in range(0, len(rows), BATCH):
            part = rows[start : start + BATCH].tolist()
            pairs = [
                (i, image)
                for i, image in zip(part, pool.map(lambda i: read_image(dataset, i, side, also), part), strict=True)
                if image is not None
            ]
            if pairs:
                found.append(predictor.probabilities([image for _, image in pairs]))
            kept += [i for i, _ in pairs]
            yield Progress(message(N_("looking at the test images")), start + len(part), len(rows))
    yield (
        np.array(kept, dtype=int),
        np.concatenate(found) if found else np.zeros((0, len(predictor.classes)), np.float32),
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


def make_evidence(
    predictor: Predictor,
    dataset: Dataset,
    rows: np.ndarray,
    truth: np.ndarray,
    probabilities: np.ndarray,
    most: int,
    trained_on: int | None = 0,
    nearly: int | None = 0,
    strange: Sequence[str] = (),
) -> Evidence:
    """strange: classes that the model does not know and these images have; `truth` counts on from those
    that it knows.
    """
    return Evidence(
        classes=(*predictor.classes, *strange),
        learned=len(predictor.classes),
        files=tuple(dataset.images.names[int(i)] for i in rows),
        truth=truth,
        probabilities=probabilities,
        majority=most,
        temperature=predictor.temperature,
        trained_on=trained_on,
        nearly=nearly,
        image=lambda k: dataset.images.image(int(rows[k]), 2 * 72),
    )


@dataclass(frozen=True)
class Score:
    """What the one look at the test part gave."""

    rows: np.ndarray  # int (n,), of the test part, those that could be read
    evidence: Evidence
    milliseconds: float  # to name one image


def judge(
    run: Run,
    dataset: Dataset,
    parts: np.ndarray,
    material: Callable[[], Generator[Event, None, BaselineInputs]],
    *,
    deadline: Deadline,
    energy: Callable[[], Energy],
    memory: machine.MemoryWatch,
    images: bool,
) -> Iterator[Event]:
    """Looks at the test part once; then findings, report, and a finished run.

    material: makes what simpler models learn from · energy: of the run so far, read once, for the report and for
    run.json.

    The score and the report are never left out. Of the rest, what is done already is not done again, and what there is
    no time for is left out and told.
    """
    from limpide.models import multiply_adds
    from limpide.training.weights import trained_network

    score = yield from _scored(run, dataset, parts)
    model, preprocessing = trained_network(run)
    work = multiply_adds(model, preprocessing.channels, preprocessing.size)
    machine.release_memory()  # what the runtime held, and now each part, serves no other
    pasted = require(run.info().quote, "quote").pasted
    if _due(run, "simpler", deadline, SIMPLER, MIN_SECONDS + INSIDE_SECONDS + pasted):
        info, right = run.info(), score.evidence.right
        learned_from, size = _trained_on(info, int((parts == TRAIN).sum())), run.model_file.stat().st_size
        own = Baseline(
            "network", right, np.arange(len(right)), learned_from, info.training_seconds, score.milliseconds, size, work
        )
        yield from _simpler(run, dataset, parts, score, own, material, deadline, INSIDE_SECONDS + pasted)
        machine.release_memory()
    if _due(run, "inside", deadline, INSIDE, INSIDE_SECONDS):
        yield from _inside(run, dataset, score.evidence, score.rows, model, preprocessing)
        machine.release_memory()
    if _due(run, "shortcut", deadline, SHORTCUT, pasted):
        yield from _shortcut(run, dataset, score.evidence, score.rows, model, preprocessing, work)
    yield from _told(
        run, model, work, score.milliseconds, deadline.passed(), energy=energy, memory=memory, images=images
    )


def _due(run: Run, finding: str, deadline: Deadline, part: str, seconds: float) -> bool:
    """Whether this part is still to be done, and there is time for it and for the report. seconds: what it takes,
    about.
    """
    return run.finding(finding) is None and affordable(run, deadline, part, seconds + REPORT_SECONDS)


def _scored(run: Run, dataset: Dataset, parts: np.ndarray) -> Generator[Event, None, Score]:
    """The sealed file on the test part, and what that says of it. Its answers are kept, so that a judging that was cut
    short looks only once.
    """
    yield Progress(message(N_("opening the model file")))
    predictor = Predictor(run.model_file)
    test = np.flatnonzero(parts == TEST)
    kept = _kept_predictions(run, dataset, test) if run.info().scored else None
    if kept is None:
        rows, probabilities = np.zeros(0, int), np.zeros((0, 0))
        for item in predict_rows(predictor, dataset, test):
            if isinstance(item, Progress):
                yield item
            else:
                rows, probabilities = item
        probabilities = never_predicted(probabilities, len(_strange(predictor, dataset, rows)))
        _keep_predictions(run, dataset, rows, dataset.labels[rows], probabilities)
        _count_look(run, run.info())
        run.update(scored=True)
    else:
        rows, probabilities = kept
    if lost := len(test) - len(rows):
        yield Note(
            "warning",
            message(
                N_("{n:count} test image can no longer be read and does not count"),
                N_("{n:count} test images can no longer be read and do not count"),
                n=lost,
            ),
        )
    yield Progress(message(N_("weighing its answers")))
    most = int(np.bincount(dataset.labels[parts == TRAIN]).argmax())
    evidence = groups_as_split(
        make_evidence(
            predictor,
            dataset,
            rows,
            dataset.labels[rows],
            probabilities,
            most,
            strange=_strange(predictor, dataset, rows),
        ),
        run,
    )
    for audit in AUDITS.values():
        yield _add(run, audit(evidence))
    yield Progress(message(N_("timing the model file")))
    return Score(
        rows, evidence, predictor.milliseconds(dataset.images.image(int(rows[0]), predictor.preprocessing.jpeg_side))
    )


def _strange(predictor: Predictor, dataset: Dataset, rows: np.ndarray) -> tuple[str, ...]:
    """Classes of these images that the model does not know."""
    return tuple(dataset.classes[len(predictor.classes) : int(dataset.labels[rows].max()) + 1])


def _simpler(
    run: Run,
    dataset: Dataset,
    parts: np.ndarray,
    score: Score,
    own: Baseline,
    material: Callable[[], Generator[Event, None, BaselineInputs]],
    deadline: Deadline,
    reserve: float,
) -> Iterator[Event]:
    """The network beside simpler models, one after the other while there is time. reserve: s that are kept for what
    follows.
    """
    learned = yield from material()
    budget = learned.budget.seconds
    needed = (budget or 0.0) + reserve + REPORT_SECONDS

    def allowed(key: str) -> bool:
        return affordable(run, deadline, NAMES[key], needed)

    rivals, late, left_out = yield from fit_baselines(
        dataset, parts, score.rows, learned, lambda key, n: _keep_decision(run, key, n), allowed
    )
    _keep_answers(run, rivals, len(score.rows))
    yield _add(
        run,
        baselines_finding(
            own, rivals, LimitsMet(int((parts == TRAIN).sum()), budget, late, left_out), score.evidence.groups
        ),
    )


def _told(
    run: Run,
    model: Any,
    work: int,
    ms: float,
    whole: float,
    *,
    energy: Callable[[], Energy],
    memory: machine.MemoryWatch,
    images: bool,
) -> Iterator[Event]:
    """What it cost, what was left out, and the report; then the run is finished."""
    from limpide.models import parameters
    from limpide.report.html.page import write_page

    info, used = run.info(), energy()
    quote = require(info.quote, "quote")
    yield _add(
        run,
        run_facts.cost_finding(
            parameters=parameters(model),
            multiply_adds=work,
            file_bytes=run.model_file.stat().st_size,
            training=info.training_seconds,
            whole=whole,
            quoted=quote.seconds,
            memory=memory.peak,
            quoted_memory=int(quote.memory),
            milliseconds=ms,
            energy=used,
        ),
    )
    if info.left_out:
        yield _add(run, run_facts.left_out_finding(info.left_out, float(info.recipe["time"])))
    yield Progress(message(N_("writing the report")))
    meanings = {choice.name: choice.metadata["meaning"] for choice in dataclasses.fields(Recipe)}
    write_page(run, images=images, meanings=meanings)
    shutil.rmtree(run.cache, ignore_errors=True)
    for old in run.checkpoints.glob("step-*"):
        old.unlink(missing_ok=True)
    # last: a run that says so has its report and nothing left over
    run.enter("done", status="finished", seconds=whole, energy=vars(used))


def _count_look(run: Run, info: RunInfo) -> None:
    """A look at the test images is one sealed file that they were put to; judging it again, after a kill or in another
    run, is none.
    """
    sealed = files.sha256_of_file(run.model_file)[:16]
    if sealed not in info.test_seen_by:
        run.update(test_looks=info.test_looks + 1, test_seen_by=[*info.test_seen_by, sealed])


def _add(run: Run, finding: Any) -> Judged:
    run.add_finding(finding)
    return Judged(finding)


def never_predicted(probabilities: np.ndarray, strange: int) -> np.ndarray:
    """float32 (n, classes + strange): a class that the model does not know has the probability 0."""
    return np.pad(probabilities, ((0, 0), (0, strange)))


def _keep_predictions(
    run: Run, dataset: Dataset, rows: np.ndarray, truth: np.ndarray, probabilities: np.ndarray
) -> None:
    names = np.array([dataset.images.names[int(i)].encode("utf-8", "surrogateescape") for i in rows])
    files.write_atomically(
        run.predictions / "test.npz", lambda s: np.savez(s, files=names, truth=truth, probabilities=probabilities)
    )


def _keep_answers(run: Run, rivals: Sequence[Baseline], n: int) -> None:
    """Whether each simpler model is right on each of the n test images, in the order of test.npz: 1 or 0, and −1 where
    it was not asked.
    """
    right = np.full((len(rivals), n), -1, np.int8)
    for line, rival in zip(right, rivals, strict=True):
        line[rival.rows] = rival.right
    keys, n_train = np.array([rival.key for rival in rivals]), np.array([rival.n_train for rival in rivals])
    files.write_atomically(
        run.predictions / "rivals.npz", lambda s: np.savez(s, models=keys, right=right, n_train=n_train)
    )


def _keep_decision(run: Run, key: str, n: int) -> None:
    run.update(rivals={**run.info().rivals, key: n})


def _kept_predictions(run: Run, dataset: Dataset, test: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """(rows, probabilities) of an earlier session; None where the file is gone or is of other images."""
    place = {dataset.images.names[int(i)].encode("utf-8", "surrogateescape"): int(i) for i in test}
    try:
        with open(run.predictions / "test.npz", "rb") as stream, np.load(stream, allow_pickle=False) as stored:
            return np.array([place[name] for name in stored["files"].tolist()], dtype=int), stored["probabilities"]
    except (OSError, EOFError, KeyError, ValueError, BadZipFile):
        return None


def _keep_ends(run: Run, arrays: dict[str, np.ndarray]) -> None:
    """First and last layer with what went in and came out, so that the report can do their sums before the reader's
    eyes.
    """
    files.write_atomically(run.predictions / "inside.npz", lambda s: np.savez(s, **arrays))  # type: ignore[arg-type]


def _trained_on(info: RunInfo, train_images: int) -> int:
    """How many images the final model learned from: the first model sees a sample of many."""
    return info.frozen.n if info.frozen and info.final and info.final.kind == "frozen" else train_images


def _inside(
    run: Run, dataset: Dataset, evidence: Evidence, rows: np.ndarray, model: Any, preprocessing: Preprocessing
) -> Iterator[Event]:
    """One unit of the network, opened, for the first test image it was sure of and right about."""
    from limpide.interpret.choose_unit import choose_unit
    from limpide.interpret.first_last_layers import first_and_last
    from limpide.interpret.trace import trace
    from limpide.interpret.unit import as_finding
    from limpide.training.batches import as_tensor

    yield Progress(message(N_("opening one unit")))
    chosen = int(np.argmax(evidence.probabilities.max(1) * evidence.right))
    square = preprocessing.pixels(dataset.images.image(int(rows[chosen]), preprocessing.jpeg_side))
    seen = trace(model, as_tensor(square[None], preprocessing))
    unit = choose_unit(model, seen)
    mean, std = np.array(preprocessing.mean, np.float32), np.array(preprocessing.std, np.float32)
    _keep_ends(run, first_and_last(seen, unit.channel) | {"mean": mean, "std": std})
    yield _add(run, dataclasses.replace(as_finding(unit), pictures=[evidence.picture(chosen)]))


def _shortcut(
    run: Run,
    dataset: Dataset,
    evidence: Evidence,
    rows: np.ndarray,
    model: Any,
    preprocessing: Preprocessing,
    each: int,
) -> Iterator[Event]:
    """Whether one small place decides a class, on test images. each: multiply-adds of one image."""
    from limpide.interpret.shortcut import (
        answers_of,
        as_finding,
        choose_hosts,
        choose_labels,
        places,
        rank_places,
        window,
    )

    # what the model cannot say, no place makes it say
    truth = np.where(evidence.truth < evidence.known, evidence.truth, -1)
    if not (looked_at := choose_labels(truth, each, PASTED_WORK)):
        return  # not one class in the time that there is
    yield Progress(asking := message(N_("asking whether one small place decides a class")), 0, len(looked_at))
    side = preprocessing.jpeg_side
    read = {
        k: preprocessing.pixels(image)
        for k in choose_hosts(truth, looked_at).tolist()
        if (image := read_image(dataset, int(rows[k]), side)) is not None
    }
    if not read:
        return
    some, squares = list(read), np.stack(list(read.values()))
    found = []
    for place in places(
        answers_of(model, preprocessing),
        squares,
        truth[some],
        looked_at,
        None if evidence.groups is None else evidence.groups[some],
    ):
        found.append(place)
        yield Progress(asking, len(found), len(looked_at))
    some_left = len(np.unique(truth[truth >= 0])) - len(looked_at)  # for want of time, not of images
    finding = as_finding(found, evidence.classes, len(found) + some_left)
    if finding.verdict == "warn":
        place = rank_places(found)[0]
        box = window(preprocessing.size, place.row), window(preprocessing.size, place.column)
        finding = dataclasses.replace(finding, pictures=[evidence.framed(some[place.donor], squares[place.donor], box)])
    yield _add(run, finding)


__all__ = ["Note", "make_evidence", "judge", "predict_rows"]
