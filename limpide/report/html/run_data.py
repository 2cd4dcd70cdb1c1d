"""The data that the page draws from the plain files of a run: curves from events, counts from split.csv, reasons from
excluded.csv.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from limpide.core.events import ROLLBACK, Epoch, Note, Step
from limpide.core.run_info import RunInfo
from limpide.data.split_file import read_split
from limpide.text.formats import format_cell, visible_text
from limpide.text.messages import N_, Message

MAX_POINTS = 400  # of one curve; more could not be distinguished
# The findings of the check, in the order of the report; a test holds them equal to audit/folder_checks.py.
CHECKS = (
    "balance",
    "only_tested",
    "class_names",
    "unusable",
    "odd_files",
    "depth",
    "duplicates",
    "near_duplicates",
    "conflicts",
    "leaks",
    "sizes",
    "constant",
    "name_groups",
)
PARTS = ("train", "validation", "calibration", "test")
PART_WORDS = {
    "train": N_("training"),
    "validation": N_("validation"),
    "calibration": N_("calibration"),
    "test": N_("test"),
}


@dataclass(frozen=True)
class History:
    """A training as points to draw. x counts epochs, or steps where there was only one epoch."""

    steps: Sequence[tuple[float, float]]  # (x, loss of a batch), thinned
    train_loss: Sequence[tuple[float, float]]
    validation_loss: Sequence[tuple[float, float]]
    train_accuracy: Sequence[tuple[float, float]]
    validation_accuracy: Sequence[tuple[float, float]]
    by_epoch: bool
    best: float | None  # x of the epoch whose weights were kept


@dataclass(frozen=True)
class Told:
    """The notes of a run, by topic."""

    decisions: Sequence[Message] = ()
    warnings: Sequence[Message] = ()


@dataclass(frozen=True)
class Data:
    parts: Sequence[tuple[str, int]] = ()  # msgid of the part, images
    per_class: Sequence[tuple[str, Sequence[int]]] = ()  # class, images in each of `parts`
    reasons: Sequence[tuple[str, int]] = ()  # msgid of the reason, files
    files: Sequence[tuple[str, str]] = field(default=())  # file, msgid of its reason
    in_folds: bool = False  # whether images are judged in folds, not in a separate part


def history(events: Iterable[object], keeps_last: bool = False) -> History:
    """Read Step and Epoch events; non-finite values are left out. keeps_last: whether the last weights are kept, not
    the best ones.
    """
    steps, epochs = [], []
    for event in events:
        if isinstance(event, Step):
            steps.append(event)
        elif isinstance(event, Epoch):
            epochs.append(event)
    by_epoch = len(epochs) > 1
    each = epochs[-1].step / len(epochs) if by_epoch else 1.0
    places = [e.n + 1.0 if by_epoch else float(e.step) for e in epochs]
    best = [x for x, e in zip(places, epochs, strict=True) if e.best]
    trained = [(x, e.train_accuracy) for x, e in zip(places, epochs, strict=True) if e.train_accuracy is not None]
    return History(
        steps=_thin(_finite((s.n / each, s.loss) for s in steps)),
        train_loss=_thin(_finite(zip(places, (e.train_loss for e in epochs), strict=True))),
        validation_loss=_thin(
            _finite((x, e.validation_loss) for x, e in zip(places, epochs, strict=True) if e.validated)
        ),
        train_accuracy=_thin(_finite(trained)),
        validation_accuracy=_thin(
            _finite((x, e.validation_accuracy) for x, e in zip(places, epochs, strict=True) if e.validated)
        ),
        by_epoch=by_epoch,
        best=best[-1] if best and by_epoch and not keeps_last else None,
    )


def _finite(points: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    return [(x, y) for x, y in points if math.isfinite(x) and math.isfinite(y)]


def _thin(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Means of neighbours where there are too many points to distinguish; the last point stays as it is."""
    if len(points) <= MAX_POINTS:
        return list(points)
    width = -(-len(points) // (MAX_POINTS - 1))
    groups = [points[i : i + width] for i in range(0, len(points), width)]
    return [(sum(x for x, _ in g) / len(g), sum(y for _, y in g) / len(g)) for g in groups] + [points[-1]]


def notes(events: Iterable[object]) -> Told:
    note_events = [event for event in events if isinstance(event, Note)]
    return Told(
        [n.message for n in note_events if n.topic == "decision"],
        [n.message for n in note_events if n.topic in ("warning", ROLLBACK)],
    )


def data_of(split_file: Path, excluded_file: Path) -> Data:
    rows = list(read_split(split_file))
    counts = Counter((row.get("label") or "", row.get("part") or "") for row in rows)
    totals: Counter[str] = Counter()
    for (_label, part), n in counts.items():
        totals[part] += n
    parts = [part for part in PARTS if totals[part]] + sorted(part for part in totals if part not in PARTS)
    classes = sorted({label for label, _ in counts})
    out = [
        (row.get("file") or "", row.get("reason") or row.get("reason_code") or N_("no reason recorded"))
        for row in read_split(excluded_file)
    ]
    return Data(
        [(PART_WORDS.get(part, part), totals[part]) for part in parts],
        [(name, [counts[name, part] for part in parts]) for name in classes],
        Counter(reason for _, reason in out).most_common(),
        out,
        any(row.get("fold") for row in rows),
    )


def recipe_of(info: RunInfo) -> list[tuple[str, str]]:
    """(choice, value) of the resolved recipe, in its own order."""
    return [(visible_text(name), _value(value)) for name, value in info.recipe.items() if value != ""]


def made_facts(info: RunInfo) -> list[tuple[str, str]]:
    """The facts needed to make this run again: (msgid, value). Paths are left out: a report is sent to others."""
    recipe, machine, versions = info.recipe, info.machine, info.machine.get("versions")
    facts = [
        (N_("begun"), info.created),
        (N_("data"), info.data),
        (N_("fingerprint of the data"), info.fingerprint),
        (N_("network"), info.network),
        (N_("seed"), recipe.get("seed")),
        (N_("number of evaluations on the test images"), info.test_looks or None),
        (N_("processor"), machine.get("processor")),
        (N_("processor cores"), machine.get("cores")),
        (N_("system"), machine.get("system")),
        ("Python", machine.get("python")),
        *(versions.items() if isinstance(versions, Mapping) else ()),
        (N_("other set-ups that it was continued on"), len(info.machines) or None),
    ]
    return [(name, _value(value)) for name, value in facts if value not in (None, "")]


def _value(value: object) -> str:
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return format_cell(value)
    if isinstance(value, (list, tuple)):
        return ", ".join(_value(inner) for inner in value)
    # Settings are shown as the user would type them: 0.001 and not 1e-03, without thousands separators.
    return (
        f"{value:.10f}".rstrip("0").rstrip(".")
        if isinstance(value, float) and 1e-8 < abs(value) < 1e6
        else format_cell(value)
    )
