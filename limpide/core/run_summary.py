"""The runs of a folder as every list shows them: `limpide runs`, its JSON, the studio's pages, a notebook."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from limpide.core.errors import RunError
from limpide.core.finding import Number
from limpide.core.run import Run
from limpide.core.run_info import RunInfo


@dataclass(frozen=True)
class RunSummary:
    """One line of a list."""

    run: Run
    info: RunInfo
    # as in run.json; "paused" while a watcher pauses it, "interrupted" if the process that worked on it is gone
    status: str
    accuracy: Number | None  # only of a judged run

    @property
    def name(self) -> str:
        return self.run.path.name

    @classmethod
    def of(cls, run: Run, info: RunInfo | None = None) -> RunSummary:
        """Raises RunError, which names the file, if one of the files behind the summary is damaged."""
        info = info or run.info()
        accuracy = run.finding("accuracy")
        score = next((number for number in accuracy.numbers if number.name == "accuracy"), None) if accuracy else None
        return cls(run, info, _status(run, info), score)


def _status(run: Run, info: RunInfo) -> str:
    if info.status != "running":
        return info.status
    if not run.working():
        return "interrupted"
    return "running" if info.paused is None else "paused"


def list_runs(parent: Path) -> tuple[list[RunSummary], list[tuple[Run, RunError]]]:
    """Every run under `parent`, newest last; and each run that cannot be shown, with the error: it does not hide the
    others.
    """
    runs, odd = Run.known_in(parent)
    summaries: list[RunSummary] = []
    for run, info in runs:
        try:
            summaries.append(RunSummary.of(run, info))
        except RunError as error:
            odd.append((run, error))
    return summaries, odd
