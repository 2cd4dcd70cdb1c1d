"""evaluate: the sealed file on other labelled images → findings. Classes are matched by name; torch is not imported."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from limpide.audit import AUDITS
from limpide.audit.image_groups import groups_as_given
from limpide.core.errors import DataError, RunError, UsageError
from limpide.core.events import Event, Judged, Note, Progress
from limpide.core.finding import Finding
from limpide.core.recipe import Recipe
from limpide.core.run import Run
from limpide.core.run_info import RunInfo
from limpide.data.dataset import TEST, Dataset
from limpide.data.decoding.value_range import lies_beyond
from limpide.data.layouts.hints import Hints
from limpide.data.layouts.scan import scan
from limpide.data.near_duplicates import find_known, fingerprint
from limpide.data.read_images import fingerprints_of, sample_images
from limpide.data.split_file import check_split, read_split
from limpide.deploy.load import load_predictor
from limpide.deploy.predictor import clipped_message
from limpide.system.files import sha256
from limpide.text.messages import N_, message
from limpide.workflows.judge import make_evidence, never_predicted, predict_rows


def evaluate(run: str, data: str) -> Iterator[Event]:
    """Yields progress, notes and one Judged for each audit. Raises DataError when no class of `data` is known."""
    predictor = load_predictor(run)
    span = predictor.preprocessing.value_range
    dataset = _scanned(Run(Path(run)), data).read_by(span)
    if (Path(run) / "run.json").is_file():
        check_split(Run(Path(run)))  # before the work: what was trained on is told in the end
    rows = np.flatnonzero(dataset.given == TEST) if np.any(dataset.given == TEST) else np.arange(len(dataset))
    met = {dataset.classes[k] for k in np.unique(dataset.labels[rows])}
    strange = sorted(met - set(predictor.classes))
    place = {name: k for k, name in enumerate((*predictor.classes, *strange))}
    translate = np.array([place.get(name, -1) for name in dataset.classes])
    if len(strange) == len(met):
        raise DataError(
            "L210",
            N_("the model knows none of these classes; it knows {names}"),
            where=data,
            todo=N_("name the class folders as they were named in training"),
            names=", ".join(predictor.classes[:12]),
        )
    if strange:
        yield _never_right(strange, int((translate[dataset.labels[rows]] >= len(predictor.classes)).sum()))
    probabilities = np.zeros((0, len(predictor.classes)), np.float32)
    prints: dict[int, np.ndarray] = {}
    beyond: list[int] = []

    def also(i: int, image: Any) -> None:
        prints[i] = fingerprint(image)
        if lies_beyond(dataset.images, i, span):
            beyond.append(i)

    for item in predict_rows(predictor, dataset, rows, also):
        if isinstance(item, Progress):
            yield item
        else:
            unread, (rows, probabilities) = len(rows), item
            if unread > len(rows):
                yield _unreadable(unread - len(rows))
    if not len(rows):
        raise DataError(
            "L211", N_("none of these images can be read"), where=data, todo=N_("name a folder of readable images")
        )
    if beyond:
        yield Note("warning", clipped_message(len(beyond), len(rows)))
    truth = translate[dataset.labels[rows]]
    if (truth >= len(predictor.classes)).all():
        raise DataError(
            "L284",
            N_("none of the images of classes that the model knows can be read"),
            where=data,
            todo=N_("name a folder of readable images"),
        )
    most = int(np.bincount(truth)[: len(predictor.classes)].argmax())
    probabilities = never_predicted(probabilities, len(strange))
    evidence = make_evidence(
        predictor, dataset, rows, truth, probabilities, most, *_seen(Run(Path(run)), dataset, rows, prints), strange
    )
    evidence = groups_as_given(evidence, Run(Path(run)), dataset, rows, prints)
    for audit in AUDITS.values():
        yield Judged(_unflattered(audit(evidence), evidence.trained_on))


def _unflattered(finding: Finding, trained: int | None) -> Finding:
    """No praise rests on images that the training used: what they hide cannot be told. The score says so itself.
    trained: how many of them.
    """
    if not trained or finding.verdict != "ok" or finding.name == "accuracy":
        return finding
    says = message(
        N_("The training used {trained:count} of these images, or nearly the same, which flatters this: {says}"),
        trained=trained,
        says=finding.message.to_json(),
    )
    return replace(finding, verdict="unknown", message=says)


def _never_right(strange: list[str], n: int) -> Note:
    """n: images of these classes."""
    says = message(
        N_("the model does not know {names}: their {n:count} image can never be right"),
        N_("the model does not know {names}: their {n:count} images can never be right"),
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


def _scanned(run: Run, data: str) -> Dataset:
    """With the group columns of the run's own table, where these data have them, too: they need not have a name that is
    known for that.
    """
    info = run.info() if run.split_file.exists() else RunInfo()
    asked = Hints.of(Recipe.from_json(info.wanted))
    with contextlib.suppress(UsageError):  # no table, or one without these columns
        return scan(data, fewest_classes=1, hints=replace(asked, groups=info.grouped_by or asked.groups))
    return scan(data, fewest_classes=1)


def _seen(run: Run, dataset: Dataset, rows: np.ndarray, prints: dict[int, np.ndarray]) -> tuple[int | None, int | None]:
    """(how many of these images the training used in any way, or nearly the same ones; how many of those are not byte
    for byte the same).

    The first is None when only the sealed file is at hand, the second when the run is of a limpide that kept no prints.
    What is nearly the same is what a split would have kept on one side, and where a split does not look for it, this
    does not, either.
    """
    if not run.split_file.exists():
        return None, None
    used = {row["content"] for row in read_split(run.split_file, "content", "part") if row["part"] != "test"}
    exact = np.array([sha256(dataset.images.bytes(int(i)))[:16] in used for i in rows])
    known = _prints_of(run)
    if known is None:
        return int(exact.sum()), None
    if not len(known) or not fingerprints_of(dataset, sample_images(dataset)):
        return int(exact.sum()), 0
    nearly = find_known(known, np.stack([prints[int(i)] for i in rows])) & ~exact
    return int((exact | nearly).sum()), int(nearly.sum())


def _prints_of(run: Run) -> np.ndarray | None:
    """uint64 (n, 4): of the images that the training used; None where there are none on the disk. Raises RunError for a
    damaged file.
    """
    if not run.prints_file.exists():
        return None
    try:
        known = np.load(run.prints_file)
        if known.dtype != np.uint64 or known.ndim != 2 or known.shape[1] != 4:
            raise ValueError("no prints")
    except (OSError, ValueError, EOFError) as error:
        raise RunError(
            "L561",
            N_("what tells images that were trained on is damaged"),
            where=run.prints_file,
            todo=N_("restore it from a copy of the run, or train again with --new"),
        ) from error
    return np.asarray(known)
