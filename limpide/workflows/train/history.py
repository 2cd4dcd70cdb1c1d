"""history.csv: one line an epoch, for a spreadsheet or a program. events.jsonl says the same, and every step."""

from __future__ import annotations

import contextlib
import csv
import io

from limpide.core.events import Epoch, Step
from limpide.core.run import Run
from limpide.system.files import write_bytes

COLUMNS = (
    "epoch",
    "steps",
    "seconds",
    "learning_rate",
    "training_loss",
    "training_accuracy",
    "validation_loss",
    "validation_accuracy",
    "best",
)


class HistoryWriter:
    """Rewrites what the run recorded so far, then adds a line an epoch. A full disk does not stop a training here."""

    def __init__(self, run: Run) -> None:
        self.file, self._rate, self._rows = run.path / "history.csv", 0.0, [",".join(COLUMNS)]
        for event in run.events():
            self._take(event)
        self._write()

    def add(self, event: Step | Epoch) -> None:
        if self._take(event):
            self._write()

    def _take(self, event: object) -> bool:
        """Whether there is a new line."""
        if isinstance(event, Step):
            self._rate = event.lr
        if not isinstance(event, Epoch):
            return False
        loss, accuracy = (event.validation_loss, event.validation_accuracy) if event.validated else ("", "")
        line = io.StringIO()
        values = (event.n + 1, event.step, round(event.seconds, 3), self._rate, event.train_loss)
        trained = "" if event.train_accuracy is None else event.train_accuracy
        csv.writer(line, lineterminator="").writerow((*values, trained, loss, accuracy, int(event.best)))
        self._rows.append(line.getvalue())
        return True

    def _write(self) -> None:
        with contextlib.suppress(OSError):
            write_bytes(self.file, ("\n".join(self._rows) + "\n").encode())
