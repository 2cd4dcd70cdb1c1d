"""judge: the sealed model against the test part → findings → report. Used by train and by evaluate."""

from __future__ import annotations

import dataclasses
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from limpide import files, machine
from limpide.audit import AUDITS, records, simpler
from limpide.audit.evidence import Evidence
from limpide.audit.rivals import Rival
from limpide.data.dataset import TEST, TRAIN, Dataset
from limpide.data.decode import Undecodable
from limpide.data.preprocessing import Preprocessing
from limpide.energy import Energy
from limpide.events import Event, Judged, Note, Progress
from limpide.language import N_, message
from limpide.predictor import BATCH, Predictor
from limpide.recipe import Recipe
from limpide.run import Run
from limpide.run_info import RunInfo, there
from limpide.workflows.belonging import as_split
from limpide.workflows.rivals import Material, compare

PASTED_WORK = 4e11  # multiply-adds that asking for shortcuts may cost: a few seconds


def looked(
    predictor: Predictor, dataset: Dataset, rows: np.ndarray, also: Callable[[int, Any], None] | None = None
) -> Iterator[Progress | tuple[np.ndarray, np.ndarray]]:
    """Progress, then last (the rows that could be read, their probabilities float32 (n, classes)). also: called with each row and its image, in threads."""
    side = predictor.preprocessing.jpeg_side

    kept: list[int] = []
    found: list[np.ndarray] = []
    yield Progress(message(N_("looking at the test images")), 0, len(rows))
    with ThreadPoolExecutor(machine.cores()) as pool:
        for start in range(0, len(rows), BATCH):
            part = rows[start : start + BATCH].tolist()
            pairs = [(i, image) for i, image in zip(part, pool.map(lambda i: _readable(dataset, i, side, also), part), strict=True) if image is not None]
            if pairs:
                found.append(predictor.probabilities([image for _, image in pairs]))
            kept += [i for i, _ in pairs]
            yield Progress(message(N_("looking at the test images")), start + len(part), len(rows))
    yield np.array(kept, dtype=int), np.concatenate(found) if found else np.zeros((0, len(predictor.classes)), np.float32)


def _readable(dataset: Dataset, row: int, at_least: int, also: Callable[[int, Any], None] | None = None) -> Any:
    """The image, or None when it can no longer be read."""
    try:
        image = dataset.images.image(row, at_least)
    except Undecodable:
        return None
    if also is not None:
        also(row, image)
    return image


def evidence_of(
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
    """strange: classes that the model does not know and these images have; `truth` counts on from those that it knows."""
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


def judge(
    run: Run,
    dataset: Dataset,
    parts: np.ndarray,
    material: Material,
    *,
    began: float,
    energy: Callable[[], Energy],
    memory: machine.MemoryWatch,
    images: bool,
) -> Iterator[Event]:
    """Looks at the test part once; then findings, report, and a finished run.

    began: when the work began (monotonic, s) · energy: of the run so far, read once, for the report and for run.json.
    """
    from limpide.models import multiply_adds, parameters
    from limpide.training.network import trained

    yield Progress(message(N_("opening the model file")))
    predictor, info = Predictor(run.model_file), run.info()
    quote = there(info.quote, "quote")
    rows, probabilities = np.zeros(0, int), np.zeros((0, 0))
    for item in looked(predictor, dataset, np.flatnonzero(parts == TEST)):
        if isinstance(item, Progress):
            yield item
        else:
            rows, probabilities = item
    lost = int((parts == TEST).sum()) - len(rows)
    if lost:
        yield Note(
            "warning",
            message(
                N_("{n:count} test image can no longer be read and does not count"), N_("{n:count} test images can no longer be read and do not count"), n=lost
            ),
        )
    yield Progress(message(N_("weighing its answers")))
    truth = dataset.labels[rows]
    strange = dataset.classes[len(predictor.classes) : int(truth.max()) + 1]
    probabilities = never_said(probabilities, len(strange))
    train_labels = dataset.labels[parts == TRAIN]
    _count_look(run, info)
    _keep_predictions(run, dataset, rows, truth, probabilities)
    evidence = as_split(evidence_of(predictor, dataset, rows, truth, probabilities, int(np.bincount(train_labels).argmax()), strange=strange), run)
    for audit in AUDITS.values():
        yield _add(run, audit(evidence))
    model, preprocessing = trained(run)
    work = multiply_adds(model, preprocessing.channels, preprocessing.size)
    yield Progress(message(N_("timing the model file")))
    ms, megabytes = predictor.milliseconds(dataset.images.image(int(rows[0]), preprocessing.jpeg_side)), run.model_file.stat().st_size
    del predictor  # the runtime keeps what it once took for as long as it is there
    machine.release_memory()
    own = Rival("network", evidence.right, np.arange(len(rows)), _trained_on(info, len(train_labels)), training_seconds(info), ms, megabytes, work)
    rivals, late = yield from compare(dataset, parts, rows, material, lambda key, n: _keep_decision(run, key, n))
    _keep_answers(run, rivals, len(rows))
    yield _add(run, simpler.simpler(own, rivals, simpler.Had(len(train_labels), material.budget.seconds, late), evidence.groups))
    machine.release_memory()
    yield from _inside(run, dataset, evidence, rows, model, preprocessing)
    machine.release_memory()
    yield from _shortcut(run, dataset, evidence, rows, model, preprocessing, work)
    whole, used = time.monotonic() - began, energy()
    yield _add(
        run,
        records.cost(
            parameters=parameters(model),
            multiply_adds=work,
            file_bytes=megabytes,
            training=training_seconds(info),
            whole=whole,
            quoted=quote.seconds,
            memory=memory.peak,
            quoted_memory=int(quote.memory),
            milliseconds=ms,
            energy=used,
        ),
    )
    yield Progress(message(N_("writing the report")))
    from limpide.report.page import write_page

    meanings = {choice.name: choice.metadata["meaning"] for choice in dataclasses.fields(Recipe)}
    write_page(run, images=images, meanings=meanings)
    shutil.rmtree(run.cache, ignore_errors=True)
    for old in run.checkpoints.glob("step-*"):
        old.unlink(missing_ok=True)
    run.enter("done", status="finished", seconds=whole, energy=vars(used))  # last: a run that says so has its report and nothing left over


def _count_look(run: Run, info: RunInfo) -> None:
    """A look at the test images is one sealed file that they were put to; judging it again, after a kill or in another run, is none."""
    sealed = files.sha256_of_file(run.model_file)[:16]
    if sealed not in info.test_seen_by:
        run.update(test_looks=info.test_looks + 1, test_seen_by=[*info.test_seen_by, sealed])


def _add(run: Run, finding: Any) -> Judged:
    run.add_finding(finding)
    return Judged(finding)


def never_said(probabilities: np.ndarray, strange: int) -> np.ndarray:
    """float32 (n, classes + strange): a class that the model does not know has the probability 0."""
    return np.pad(probabilities, ((0, 0), (0, strange)))


def _keep_predictions(run: Run, dataset: Dataset, rows: np.ndarray, truth: np.ndarray, probabilities: np.ndarray) -> None:
    names = np.array([dataset.images.names[int(i)].encode("utf-8", "surrogateescape") for i in rows])
    files.write_atomically(run.predictions / "test.npz", lambda s: np.savez(s, files=names, truth=truth, probabilities=probabilities))


def _keep_answers(run: Run, rivals: Sequence[Rival], n: int) -> None:
    """Whether each simpler model is right on each of the n test images, in the order of test.npz: 1 or 0, and −1 where it was not asked."""
    right = np.full((len(rivals), n), -1, np.int8)
    for line, rival in zip(right, rivals, strict=True):
        line[rival.rows] = rival.right
    keys, n_train = np.array([rival.key for rival in rivals]), np.array([rival.n_train for rival in rivals])
    files.write_atomically(run.predictions / "rivals.npz", lambda s: np.savez(s, models=keys, right=right, n_train=n_train))


def _keep_decision(run: Run, key: str, n: int) -> None:
    run.update(rivals={**run.info().rivals, key: n})


def _keep_ends(run: Run, arrays: dict[str, np.ndarray]) -> None:
    """First and last layer with what went in and came out, so that the report can do their sums before the reader's eyes."""
    files.write_atomically(run.predictions / "inside.npz", lambda s: np.savez(s, **arrays))  # type: ignore[arg-type]


def _trained_on(info: RunInfo, train_images: int) -> int:
    """How many images the final model learned from: the first model sees a sample of many."""
    return info.frozen.n if info.frozen and info.final and info.final.kind == "frozen" else train_images


def training_seconds(info: RunInfo) -> float:
    """What the network itself took: frozen features, head and fine-tuning."""
    return info.fit_seconds + (info.frozen.seconds if info.frozen else 0.0)


def _inside(run: Run, dataset: Dataset, evidence: Evidence, rows: np.ndarray, model: Any, preprocessing: Preprocessing) -> Iterator[Event]:
    """One unit of the network, opened, for the first test image it was sure of and right about."""
    from limpide.interpret.ends import ends_of
    from limpide.interpret.telling import most_telling
    from limpide.interpret.trace import trace
    from limpide.interpret.why import as_finding
    from limpide.training.batches import as_tensor

    yield Progress(message(N_("opening one unit")))
    chosen = int(np.argmax(evidence.probabilities.max(1) * evidence.right))
    square = preprocessing.pixels(dataset.images.image(int(rows[chosen]), preprocessing.jpeg_side))
    seen = trace(model, as_tensor(square[None], preprocessing))
    unit = most_telling(model, seen)
    mean, std = np.array(preprocessing.mean, np.float32), np.array(preprocessing.std, np.float32)
    _keep_ends(run, ends_of(seen, unit.channel) | {"mean": mean, "std": std})
    yield _add(run, dataclasses.replace(as_finding(unit), pictures=[evidence.picture(chosen)]))


def _shortcut(run: Run, dataset: Dataset, evidence: Evidence, rows: np.ndarray, model: Any, preprocessing: Preprocessing, each: int) -> Iterator[Event]:
    """Whether one small place decides a class, on test images. each: multiply-adds of one image."""
    from limpide.interpret.shortcut import answers_of, as_finding, chosen, places, ranked, wanted, window

    truth = np.where(evidence.truth < evidence.known, evidence.truth, -1)  # what the model cannot say, no place makes it say
    if not (looked_at := wanted(truth, each, PASTED_WORK)):
        return  # not one class in the time that there is
    yield Progress(asking := message(N_("asking whether one small place decides a class")), 0, len(looked_at))
    side = preprocessing.jpeg_side
    read = {k: preprocessing.pixels(image) for k in chosen(truth, looked_at).tolist() if (image := _readable(dataset, int(rows[k]), side)) is not None}
    if not read:
        return
    some, squares = list(read), np.stack(list(read.values()))
    found = []
    for place in places(answers_of(model, preprocessing), squares, truth[some], looked_at):
        found.append(place)
        yield Progress(asking, len(found), len(looked_at))
    some_left = len(np.unique(truth[truth >= 0])) - len(looked_at)  # for want of time, not of images
    finding = as_finding(found, evidence.classes, len(found) + some_left)
    if finding.verdict == "warn":
        place = ranked(found)[0]
        box = window(preprocessing.size, place.row), window(preprocessing.size, place.column)
        finding = dataclasses.replace(finding, pictures=[evidence.framed(some[place.donor], squares[place.donor], box)])
    yield _add(run, finding)


__all__ = ["Note", "evidence_of", "judge", "looked"]
