"""The history of a run, as short as a screen can show it: at most 2,000 points a series, however long the training
was.
"""

from __future__ import annotations

import contextlib
import json
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from limpide.audit.diagnosis import diagnose_run
from limpide.audit.diagnosis.finding import describe_remedy
from limpide.core.errors import RunError, from_os_error
from limpide.core.events import DAMAGE, Epoch, Note, Step, from_line
from limpide.core.run import Run
from limpide.core.run_info import RunInfo, Used
from limpide.core.run_summary import RunSummary, list_runs
from limpide.core.typed_json import to_plain_json

POINTS = 2000
WINDOW = 10  # steps whose mean loss is drawn; the same as in pages/live/series.js, which continues the series


def summary(run: Run, known: RunSummary | None = None) -> dict[str, Any]:
    """One line of the list of runs. Never fails: a run that is deleted or damaged meanwhile has a status that says
    so.
    """
    try:
        run.check_links()
        return _describe(known or RunSummary.of(run))
    except RunError as error:
        return _unreadable(run, error)
    except OSError as error:
        return _unreadable(run, from_os_error(error))


def summaries(folder: Path) -> list[dict[str, Any]]:
    """The list of runs, newest first; damaged runs at the end."""
    run_summaries, odd = list_runs(folder)
    lines = [(one.run, summary(one.run, one)) for one in reversed(run_summaries)] + [
        (run, _unreadable(run, error)) for run, error in odd
    ]
    return [line | {"spark": [] if line["status"] == "unreadable" else sparkline(run)} for run, line in lines]


def _unreadable(run: Run, error: RunError) -> dict[str, Any]:
    return {"name": run.path.name, "status": "unreadable", "said": error.sentences()}


def _describe(one: RunSummary) -> dict[str, Any]:
    run, info, score = one.run, one.info, one.accuracy
    return {
        "name": one.name,
        "status": one.status,
        "phase": info.phase,
        "paused": info.paused,
        "created": info.created,
        "model": info.network,
        "data": info.data,
        "fingerprint": info.fingerprint[:12],
        "images": info.split_rows,
        "steps": info.steps,
        "seconds": info.seconds,
        "energy": to_plain_json(_energy(run, info)),
        "epoch_id": info.epoch_id,
        "accuracy": {"value": score.value, "low": score.low, "high": score.high, "n": score.n} if score else None,
        "cost": _cost(run),
        "shortcut": _doubted(run),
        "report": run.report_file.exists(),
    }


def _energy(run: Run, info: RunInfo) -> Used | None:
    """The energy used by a run so far; once it is over, the energy in its record and its report."""
    # during fitting, the record contains only the energy of earlier phases
    line = last_line(run) if info.phase == "fit" else None
    joules, before = line.get("joules") if line else None, info.energy.joules if info.energy else 0.0
    return Used(joules, str(line.get("how"))) if line and isinstance(joules, float) and joules > before else info.energy


def last_line(run: Run) -> dict[str, Any] | None:
    """The last line about the machine."""
    with contextlib.suppress(OSError, ValueError), open(run.system_file, "rb") as stream:
        stream.seek(max(0, run.system_file.stat().st_size - 500))
        lines = stream.read().split(b"\n")
        line = json.loads(lines[-2]) if len(lines) > 1 else None
        return line if isinstance(line, dict) else None
    return None


def sparkline(run: Run, points: int = 40) -> list[float]:
    """The loss of some steps, evenly spaced in the file: the cost does not depend on the length of the run."""
    losses: list[float] = []
    try:
        size = run.events_file.stat().st_size
        with open(run.events_file, "rb") as stream:
            for k in range(points):
                stream.seek(k * size // points)
                if k:
                    stream.readline()  # the rest of a line
                line = stream.readline()
                with contextlib.suppress(*DAMAGE):
                    event = from_line(json.loads(line)) if line.endswith(b"\n") else None
                    losses += [event.loss] if isinstance(event, Step) and math.isfinite(event.loss) else []
    except OSError:  # it has not started to learn
        return []
    return losses


def _doubted(run: Run) -> bool:
    """Whether one small place may decide the model's answers: the reader should know this first."""
    try:
        finding = run.finding("shortcut")
    except RunError:  # the Audit page reports it: the run itself is fine
        return False
    return finding is not None and finding.verdict in ("bad", "warn")


def _cost(run: Run) -> dict[str, float]:
    """The cost of a judged model: bytes of its file, ms an image, parameters."""
    try:
        finding = run.finding("cost")
    except RunError:  # the Audit page reports it
        return {}
    names = {"model file": "bytes", "milliseconds an image": "ms", "parameters": "parameters"}
    return {names[number.name]: number.value for number in finding.numbers if number.name in names} if finding else {}


class Events:
    """The events of a run, read up to `offset` of events.jsonl. Each reading continues where the last one ended."""

    def __init__(self, run: Run, offset: int = 0) -> None:
        self.run, self.offset = run, offset
        self.steps: list[tuple[int, float, float, float]] = []  # n, loss, learning rate, seconds
        self.epochs: list[Epoch] = []
        self.notes: list[Note] = []

    def read(self, most: int | None = None) -> Self:
        """Read the complete lines that were added since, or about `most` bytes of them."""
        for event, after in _read(self.run, self.offset, most):
            self.offset = after
            if isinstance(event, tuple):
                self.steps.append(event)
            elif isinstance(event, Step):
                self.steps.append((event.n, event.loss, event.lr, event.seconds))
            elif isinstance(event, Epoch):
                self.epochs.append(event)
            elif isinstance(event, Note):
                self.notes.append(event)
        return self

    def told(self) -> dict[str, Any]:
        """The events for a page, thinned."""
        return {
            "offset": self.offset,
            "total": len(self.steps),
            "steps": thin_series(self.steps),
            "epochs": [vars(epoch) for epoch in self.epochs],
            "notes": [{"topic": note.topic, "text": str(note.message)} for note in self.notes],
        }


class RunHistory(Events):
    """All events of a run so far, kept in memory: a long training is parsed once, however many requests come."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self._whose = _whose(run)
        self._means: list[float] = []  # of the losses, over WINDOW steps: of all losses, not only of those drawn

    def stands(self) -> bool:
        """Whether the events read are still valid: a continued training takes events back, and a new run may have the
        name of a deleted one.
        """
        return size_of(self.run) >= self.offset and _whose(self.run) == self._whose

    def told(self) -> dict[str, Any]:
        """The events for a page, with what else is known of the run; the stream continues at `offset`."""
        for k in range(len(self._means), len(self.steps)):
            window = [loss for _, loss, _, _ in self.steps[max(0, k + 1 - WINDOW) : k + 1] if math.isfinite(loss)]
            self._means.append(sum(window) / len(window) if window else math.nan)
        return super().told() | {
            "about": summary(self.run),
            "steps": thin_series([(*step, mean) for step, mean in zip(self.steps, self._means, strict=True)]),
            "recent": [loss for _, loss, _, _ in self.steps[1 - WINDOW :]],
            "system": thin_series(
                [
                    (line["step"], line["cpu"], line["memory"], line["joules"], line["how"])
                    for line in self.run.lines(self.run.system_file)
                    if {"step", "cpu", "memory", "joules", "how"} <= set(line)
                ]
            ),
            "diagnosis": self.diagnosis(),
        }

    def diagnosis(self) -> list[dict[str, Any]]:
        losses, info = [loss for _, loss, _, _ in self.steps], self.run.info()
        examination = self.run.examination() if info.final else None
        told: list[dict[str, Any]] = []
        for one in diagnose_run(info, losses, self.epochs, self.notes, examination):
            said = {what for earlier in told for what in earlier["todo"]}
            todo = [what for what in map(str, describe_remedy(one, info)) if what not in said]
            told.append({"kind": one.verdict, "text": str(one.message), "todo": todo})
        return told


def _whose(run: Run) -> tuple[Any, ...]:
    """Distinguishes these events from earlier ones under the same name."""
    info = run.info()
    try:
        file = run.events_file.stat().st_ino
    except OSError:
        file = None
    return info.epoch_id, info.created, file


def size_of(run: Run) -> int:
    """Bytes of its events so far."""
    try:
        return run.events_file.stat().st_size
    except OSError:
        return 0


# A step as run.append writes it, if it contains nothing else.
STEP = re.compile(
    rb'\{"kind": "step", "n": (\d+), "epoch": \d+, "loss": (-?[\d.eE+-]+), "lr": ([\d.eE+-]+), "seconds": '
    rb"([\d.eE+-]+)\}\n"
)


def _read(run: Run, offset: int, most: int | None) -> Any:
    """Yield (event, place after it) for every complete line from here on. Damaged lines are skipped.

    A plain step is yielded as (n, loss, learning rate, seconds), which takes a third of the time: a long training has a
    hundred thousand.
    """
    try:
        with open(run.events_file, "rb") as stream:
            stream.seek(offset)
            read = 0
            for line in stream:
                if not line.endswith(b"\n"):
                    return
                offset += len(line)
                read += len(line)
                try:
                    if step := STEP.fullmatch(line):
                        n, loss, lr, seconds = step.groups()
                        event: Any = (int(n), float(loss), float(lr), float(seconds))
                    else:
                        event = from_line(json.loads(line))
                except DAMAGE:
                    continue
                yield event, offset
                if most and read >= most:
                    return
    except FileNotFoundError:
        return


def thin_series(rows: Sequence[tuple[Any, ...]], points: int = POINTS) -> list[list[Any]]:
    """Columns instead of rows; for each stretch, the rows with the lowest and the highest second column are kept, so
    that no peak is lost.
    """
    if len(rows) > points:
        stretch = -(-2 * len(rows) // points)
        thinned: list[tuple[Any, ...]] = []
        for k in range(0, len(rows), stretch):
            places = range(k, min(k + stretch, len(rows)))
            low, high = min(places, key=lambda i: rows[i][1]), max(places, key=lambda i: rows[i][1])
            thinned += [rows[i] for i in sorted({low, high})]
        rows = thinned
    return [list(column) for column in zip(*rows, strict=True)] if rows else []
