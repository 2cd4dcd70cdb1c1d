"""Questions about the test images: from the sealed model's answers for them (predictions/test.npz), and one that asks
the network again.
"""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from limpide.audit.evidence import Evidence
from limpide.audit.image_groups import groups_as_split
from limpide.data.run_images import ImageGone, RunImages, run_stamp
from limpide.data.split_file import groups_in
from limpide.explanation.inputs import temperature_of
from limpide.inspector import parsers
from limpide.inspector.answer import Answer
from limpide.inspector.many_images import cost, pieces_of, readable
from limpide.inspector.network_session import CacheKey, LoadedNetwork
from limpide.inspector.question import Question
from limpide.inspector.session import Session
from limpide.judging.fold_heads import judges_of_folds, network_of_fold
from limpide.text.language import LANGUAGES, current_language, use_language
from limpide.text.messages import N_, message

if TYPE_CHECKING:
    from limpide.interpret.shortcut import Place

MAX_SHOWN = 60  # images sent at once
MAX_PLACES = 3  # that may decide, shown
MAX_WORK = 1.5e12  # multiply-adds: less than a minute of one processor
MAX_GROUPED = 500  # images whose pixels are used to group them
DARK_TO_BRIGHT = (
    N_("dark, grey level {low} to {high}"),
    N_("medium, grey level {low} to {high}"),
    N_("bright, grey level {low} to {high}"),
)
SMALL_TO_LARGE = (N_("small, {low} to {high} px"), N_("medium, {low} to {high} px"), N_("large, {low} to {high} px"))
WAYS = {"class": N_("class"), "folder": N_("folder"), "brightness": N_("brightness"), "size": N_("size in pixels")}


def read_evidence(path: str) -> Evidence:
    from limpide.core.run import Run

    file = Path(path) / "predictions" / "test.npz"
    if not file.exists():
        raise LookupError(message(N_("this run has not been judged yet: there are no answers on test images")))
    try:
        with np.load(file) as stored:
            files = tuple(bytes(name).decode("utf-8", "surrogateescape") for name in stored["files"])
            run = Run.open(path)
            info = run.info()
            names = (*info.classes, *info.only_tested)
            evidence = Evidence(
                names,
                files,
                stored["truth"].astype(int),
                stored["probabilities"],
                0,
                temperature_of(info),
                learned=len(info.classes),
                folds=len(np.unique(stored["fold"])) if "fold" in stored else 0,
            )
            return groups_as_split(evidence, run)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise LookupError(
            message(N_("the answers on test images cannot be read: predictions/test.npz is damaged"))
        ) from error


def _describe(evidence: Evidence, album: RunImages, i: int) -> dict[str, Any]:
    return {
        "row": album.row_of.get(evidence.files[i], -1),
        "file": evidence.files[i],
        "label": evidence.classes[evidence.truth[i]],
        "predicted": evidence.classes[evidence.predicted[i]],
        "probability": float(evidence.probabilities[i].max()),
        "loss": float(-np.log(max(evidence.probabilities[i, evidence.truth[i]], np.finfo(np.float32).tiny))),
    }


def worst(session: Session, path: str, snapshot: str) -> Answer:
    """The test images with the largest loss (nats), wrong and right answers separately, the counts of the confusion
    matrix, and the audit of calibration.
    """
    from limpide.audit.calibration import calibration
    from limpide.statistics.metrics import confusion

    evidence, album = read_evidence(path), session.album(path)
    learned = [
        evidence.classes.index(album.labels[row])
        for row in album.rows("train")
        if album.labels[row] in evidence.classes
    ]
    believed = calibration(replace(evidence, majority=int(np.bincount(learned).argmax()) if learned else 0))
    loss = -np.log(
        np.maximum(evidence.probabilities[np.arange(len(evidence.truth)), evidence.truth], np.finfo(np.float32).tiny)
    )
    order = np.argsort(-loss, kind="stable")
    return {
        "mistakes": [_describe(evidence, album, int(i)) for i in order[~evidence.right[order]][:MAX_SHOWN]],
        "doubtful": [_describe(evidence, album, int(i)) for i in order[evidence.right[order]][:MAX_SHOWN]],
        "total": len(evidence.truth),
        "wrong": int((~evidence.right).sum()),
        "interval": _error_interval(album),
        "mean_loss": float(loss.mean()),
        "classes": list(evidence.classes),
        "matrix": confusion(evidence.truth, evidence.predicted, len(evidence.classes)).tolist(),
        "bins": believed.data["bins"],
        "finding": believed.to_json(),
    }, b""


def _error_interval(album: RunImages) -> list[float] | None:
    """The 95 % interval of the share of mistakes, from the interval of the score."""
    finding = album.run.finding("accuracy")
    score = next((number for number in finding.numbers if number.name == "accuracy"), None) if finding else None
    return None if score is None or score.low is None or score.high is None else [1 - score.high, 1 - score.low]


def cell(session: Session, path: str, snapshot: str, truth: int, said: int) -> Answer:
    """The test images of one class that were called another (or the same), the surest first."""
    evidence, album = read_evidence(path), session.album(path)
    rows = np.flatnonzero((evidence.truth == truth) & (evidence.predicted == said))
    order = rows[np.argsort(-evidence.probabilities[rows].max(1), kind="stable")]
    return {"images": [_describe(evidence, album, int(i)) for i in order[:MAX_SHOWN]], "total": len(order)}, b""


def suspects(session: Session, path: str, snapshot: str) -> Answer:
    """Test images whose label may be wrong (audit/label_errors.py), the surest first."""
    from limpide.audit import label_errors

    evidence, album = read_evidence(path), session.album(path)
    errors = label_errors.find_label_errors(evidence.probabilities, evidence.truth)
    shown = [
        _describe(evidence, album, i) | {"suggested": evidence.classes[k], "margin": margin}
        for i, k, margin in errors[:MAX_SHOWN]
    ]
    return {"images": shown, "total": len(errors), "of": len(evidence.truth)}, b""


def groups(session: Session, path: str, snapshot: str, by: str, lang: str = "en") -> Answer:
    """The audit of groups (audit/groups.py), by class, folder, brightness or size."""
    from limpide.audit.groups import groups as audit

    if by not in WAYS:
        raise LookupError(message(N_("images cannot be grouped in this way, only by {names}"), names=", ".join(WAYS)))
    use_language(lang if lang in LANGUAGES else "en")  # some groups have names that are translated
    evidence, album = read_evidence(path), session.album(path)
    state = (Path(path) / "predictions" / "test.npz").stat().st_mtime_ns
    names = session.results.get(
        ("groups", *run_stamp(path), state, by, current_language()),
        lambda: _group_names(session, evidence, album, by, (*run_stamp(path), state, by)),
    )
    grouped = np.array([k for k, name in enumerate(names) if name is not None], int)
    if not len(grouped):
        raise LookupError(message(N_("none of the test images belongs to such a group")))
    subset = replace(
        evidence,
        files=tuple(evidence.files[k] for k in grouped),
        truth=evidence.truth[grouped],
        probabilities=evidence.probabilities[grouped],
        groups=None if evidence.groups is None else evidence.groups[grouped],
    )
    finding = audit(subset, [names[k] for k in grouped], message(WAYS[by]))
    return {"finding": finding.to_json(), "judged": len(grouped), "of": len(names)}, b""


def shortcut(session: Session, path: str, snapshot: str) -> Answer:
    """The audit of places (interpret/shortcut.py) on test images; of many classes, those with the most images, as far
    as the time allows.
    """
    from limpide.interpret.shortcut import as_finding, choose_hosts, choose_labels, rank_places

    album = session.album(path)
    loaded, rows = _unbiased(session, path, snapshot, album)
    number = {name: k for k, name in enumerate(loaded.classes)}
    labels = np.array([number.get(album.labels[row], -1) for row in rows], int)
    if (labels < 0).all():
        raise LookupError(message(N_("none of these images has a known label among the classes of this network")))
    if not (judged := choose_labels(labels, cost(session, path, snapshot), MAX_WORK)):
        raise LookupError(message(N_("this network takes too long on each image for this question")))
    of = len(np.unique(labels[labels >= 0]))
    rows, places = _try_places(session, path, snapshot, loaded, rows[choose_hosts(labels, judged)], judged)
    return {
        "finding": as_finding(places, loaded.classes, len(places)).to_json(),
        "shown": [_describe_place(place, rows, loaded) for place in rank_places(places)[:MAX_PLACES]],
        "judged": len(judged),
        "of": of,
    }, b""


def _unbiased(session: Session, path: str, snapshot: str, album: RunImages) -> tuple[LoadedNetwork, np.ndarray]:
    """Return (the network, its test images); where folds judge, the model of the fold with the most images, and these
    images; all images where none is known to have been learned from.
    """
    loaded = session.load_network(path, snapshot)
    if not any(album.folds) or album.run.info().good:  # a model of good parts has no layer for each fold
        return loaded, album.rows("test" if "test" in album.parts else "")
    fold, _ = Counter(fold for fold in album.folds if fold).most_common(1)[0]
    heads = session.results.get(("folds", *run_stamp(path)), lambda: judges_of_folds(album.run))
    network, preprocessing = network_of_fold(album.run, heads, int(fold))
    network.register_forward_pre_hook(lambda _, inputs: session.progress.advance(len(inputs[0])))
    return replace(loaded, network=network, preprocessing=preprocessing), np.array(
        [k for k, one in enumerate(album.folds) if one == fold], int
    )


def _try_places(
    session: Session, path: str, snapshot: str, loaded: LoadedNetwork, hosts: np.ndarray, judged: Sequence[int]
) -> tuple[np.ndarray, list[Place]]:
    """Return (rows of the hosts that can be read, the places found for the judged classes)."""
    from limpide.interpret.shortcut import LOOKS, answers_of, place_of

    album = session.album(path)
    number = {name: k for k, name in enumerate(loaded.classes)}
    with session.progress.track(2 * len(hosts) + LOOKS * len(judged), unit="passes"):
        rows, squares = readable(session, path, loaded.preprocessing, hosts)
        labels = np.array([number[album.labels[row]] for row in rows], int)
        together = groups_in(album.run.split_file, [album.files[row] for row in rows])
        answers = answers_of(loaded.network, loaded.preprocessing)
        key = (*session.weights_key(path, snapshot), *run_stamp(path))
        predicted = session.results.get(("said", *key), lambda: answers(squares)) if len(rows) else np.zeros(0, int)
        begun, places = session.progress.looks_done, []
        for k, label in enumerate(judged):  # class by class: a cancelled question continues with the next class
            session.progress.looks_done = begun + k * LOOKS
            places.append(
                session.results.get(
                    ("place", *key, label),
                    lambda: place_of(answers, squares, labels, predicted, label, len(judged), together),  # noqa: B023
                )
            )
    return rows, [place for place in places if place is not None]


def _describe_place(place: Place, rows: np.ndarray, loaded: LoadedNetwork) -> dict[str, Any]:
    from limpide.interpret.shortcut import window

    size = loaded.preprocessing.size
    (top, bottom), (left, right) = window(size, place.row), window(size, place.column)
    return {
        "class": loaded.classes[place.label],
        "row": int(rows[place.donor]),
        "box": [top, left, bottom, right],
        "shares": place.shares.tolist(),
    }


def _group_names(session: Session, evidence: Evidence, album: RunImages, by: str, key: CacheKey) -> list[str | None]:
    """The group of each test image; None where it has none."""
    if by == "class":
        return [evidence.classes[k] for k in evidence.truth]
    if by == "folder":
        return [str(Path(file).parent) for file in evidence.files]
    rows = [album.row_of.get(file, -1) for file in evidence.files]
    values = np.full(len(rows), np.nan)

    def measure(chunk: np.ndarray) -> list[float]:
        measured = []
        for k in chunk.tolist():
            session.progress.advance(1)
            try:
                image = album.image(rows[k], 64 if by == "brightness" else 0)
            except ImageGone:
                raise
            except LookupError:  # this image is gone
                measured.append(np.nan)
                continue
            measured.append(np.asarray(image.convert("L")).mean() if by == "brightness" else min(image.size))
        return measured

    sampled = np.random.default_rng(0).permutation(len(rows))[:MAX_GROUPED]
    with session.progress.track(len(sampled)):
        for piece in pieces_of(session, sampled, 1):
            values[piece] = session.results.get(("measured", *key, piece.tobytes()), lambda: measure(piece))  # noqa: B023
    return _split_into_thirds(values, DARK_TO_BRIGHT if by == "brightness" else SMALL_TO_LARGE)


def _split_into_thirds(values: np.ndarray, words: Sequence[str]) -> list[str | None]:
    """Lower, middle and upper third, each by its range: equal values are never separated, so with few different values
    the groups are uneven.
    """
    finite = values[np.isfinite(values)]
    if not len(finite):
        return [None] * len(values)
    edges = np.quantile(finite, [1 / 3, 2 / 3])
    third = (values > edges[0]).astype(int) + (values > edges[1])
    names = [
        str(message(words[k], low=f"{third_values.min():.0f}", high=f"{third_values.max():.0f}"))
        if len(third_values := values[(third == k) & np.isfinite(values)])
        else ""
        for k in range(3)
    ]
    return [names[third[k]] if np.isfinite(values[k]) else None for k in range(len(values))]


QUESTIONS = {
    "worst": Question(worst),
    "cell": Question(cell, {"truth": parsers.natural, "said": parsers.natural}),
    "suspects": Question(suspects),
    "groups": Question(groups, {"by": str, "lang": str}, is_slow=True),
    "shortcut": Question(shortcut, is_slow=True),
}
