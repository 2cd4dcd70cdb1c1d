"""The terminal output during a command, and the next command to type.

All human words go to standard error while --json is on, so that standard output stays machine-readable.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from limpide.core.errors import one_line
from limpide.core.events import Epoch, Event, Judged, Note, Progress, Step
from limpide.core.finding import Finding
from limpide.core.recipe import Recipe
from limpide.core.run import Run
from limpide.data.layouts.summary import DatasetSummary
from limpide.system.interrupts import listening
from limpide.text.messages import N_, Message, _, message
from limpide.text.numbers import format_significant

REFRESH = 5  # times a second
Result = TypeVar("Result")


class Screen:
    """Words and a progress bar with the time left. `quiet` sends everything to standard error."""

    def __init__(self, quiet: bool = False) -> None:
        from limpide.report.terminal.console import Console

        self.console = Console(stderr=quiet, highlight=False)
        self.notes: list[Message] = []  # what `collect` received besides the findings
        self.understood: DatasetSummary | None = None  # what `collect` received about the data

    def say(self, text: Message | str, style: str = "") -> None:
        from rich.text import Text

        # textwrap, unlike rich, never separates a number from its unit at a no-break space; a path stays whole, to be
        # copied.
        for line in textwrap.wrap(
            one_line(str(text)), max(20, self.console.width), break_on_hyphens=False, break_long_words=False
        ) or [""]:
            self.console.print(Text(line, style=style), soft_wrap=True)

    def link(self, text: Message, url: str) -> None:
        """An address on one line, however long: a broken address cannot be clicked."""
        self.console.print(str(text), url, soft_wrap=True, markup=False)

    def next(self, *words: object) -> None:
        """The last line of every command: what to type next, quoted for a shell."""
        from rich.text import Text

        command = list(map(str, words))
        if shutil.which(command[0]) is None and Path(sys.argv[0]).name == command[0]:
            command[0] = os.path.relpath(sys.argv[0])  # the environment is not activated
        self.console.print(Text.assemble((_("next: "), "dim"), (one_line(shlex.join(command)), "bold")), soft_wrap=True)

    def follow(self, events: Iterator[Event], run: Run) -> bool:
        """Show the events of a training until it ends or the user asks to stop; true if it finished."""
        with (
            listening(
                lambda: self.say(message(N_("stopping after this step; Ctrl-C again quits at once")), "yellow")
            ) as wish,
            self._bar() as bar,
            contextlib.closing(events),  # type: ignore[type-var]
        ):
            for event in events:
                self._show(event, bar, run)
                if wish.asked:
                    wish.obeyed()
                    events.close()  # type: ignore[attr-defined]
                    bar.stop()
                    self.say(
                        message(
                            N_("stopped and saved; run the same command again to continue {run}"), run=str(run.path)
                        ),
                        "yellow",
                    )
                    return False
        return True

    def collect(self, events: Iterable[Event | DatasetSummary]) -> dict[str, Finding]:
        """Show progress and return the findings by name."""
        findings = {}
        with self._bar() as bar:
            for event in events:
                if isinstance(event, Judged):
                    findings[event.finding.name] = event.finding
                elif isinstance(event, Note):
                    self.notes.append(event.message)
                    self.say(event.message)
                elif isinstance(event, DatasetSummary):
                    self.understood = event
                    for line in event.says():
                        self.say(line)
                elif isinstance(event, Progress):
                    _advance(bar, str(event.phase), event.done, event.total)
        return findings

    def wait(self, events: Iterable[Progress | Result]) -> Result:
        """Show progress and return what comes after it."""
        with self._bar() as bar:
            for event in events:
                if not isinstance(event, Progress):
                    return event
                _advance(bar, str(event.phase), event.done, event.total)
        raise ValueError("nothing came after the progress")

    def report(self, run: Run) -> None:
        from limpide.report.terminal.summary import print_report

        print_report(run, self.console)
        self.console.print()
        self.say(message(N_("report: {file}"), file=str(run.report_file)))

    def findings(self, findings: Mapping[str, Finding]) -> None:
        from limpide.report.terminal.summary import print_claims

        print_claims(findings, self.console)

    @contextlib.contextmanager
    def busy(self, phase: Message) -> Iterator[None]:
        """Show the phase for as long as it takes."""
        with self._bar() as bar:
            _advance(bar, str(phase), 0, 0)
            yield

    def _bar(self) -> Any:
        """A spinner, the phase, and the progress: the share and the time left, or the elapsed time where that is not
        known.
        """
        from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar
        from rich.text import Text

        class Life(SpinnerColumn):
            def render(self, task: Any) -> Any:
                return self.spinner.render(task.get_time())  # for a full bar, too: work may follow

        class Share(TextColumn):
            def render(self, task: Any) -> Text:
                return super().render(task) if task.total else Text("")

        class Time(TimeRemainingColumn):
            def render(self, task: Any) -> Text:
                return super().render(task) if task.total else passed.render(task)

        class Still(Bar):
            def stop(self) -> None:
                self.live.stop()  # without an empty line after each bar in a pipe or a file

        passed = TimeElapsedColumn()
        columns = (
            Life(),
            TextColumn("{task.description}"),
            BarColumn(),
            Share("{task.percentage:>3.0f} %"),
            Time(compact=True),
            TextColumn("{task.fields[extra]}"),
        )
        return Still(*columns, console=self.console, transient=True, refresh_per_second=REFRESH)

    def _show(self, event: Event, bar: Any, run: Run) -> None:
        if isinstance(event, Note):
            self.say(event.message, "yellow" if event.topic == "warning" else "")
        elif isinstance(event, Progress):
            _advance(bar, str(event.phase), event.done, event.total)
        elif isinstance(event, Step):
            if event.n == 1 or "steps" not in self.__dict__:
                self.steps = run.info().steps or 0
            _advance(
                bar,
                _("training"),
                event.n,
                self.steps,
                extra=_("loss {value}").format(value=format_significant(event.loss)),
            )
        elif isinstance(event, Epoch):
            self.say(_describe_epoch(event, Recipe.from_json(run.info().recipe).loss), "dim")


def _describe_epoch(event: Epoch, loss: str) -> Message:
    says = N_("epoch {n:count}: loss {loss:number}{unit}{best}")
    if event.validated:
        says = N_("epoch {n:count}: loss {loss:number}{unit}, validation accuracy {accuracy:percent}{best}")
    if event.validated and event.train_accuracy is not None:
        says = N_(
            "epoch {n:count}: loss {loss:number}{unit}, accuracy {train:percent} on training images and "
            "{accuracy:percent} on validation{best}"
        )
    return message(
        says,
        None,
        n=event.n + 1,
        loss=event.train_loss,
        unit=_(" nats per image") if loss == "cross-entropy" else "",
        train=event.train_accuracy,
        accuracy=event.validation_accuracy,
        best=_(" (best epoch so far)") if event.best and event.validated else "",
    )


def _advance(bar: Any, phase: str, done: int, total: int, extra: str = "") -> None:
    from rich.markup import escape

    current = next((task for task in bar.tasks if task.description == escape(phase)), None)
    if current is None:
        for task in bar.tasks:
            bar.remove_task(task.id)
        bar.add_task(escape(phase), total=total or None, completed=done, extra=extra)
    else:
        bar.update(current.id, completed=done, total=total or None, extra=extra)
