"""A Run: one training as a directory of plain files. The trainer appends, all others read.

It knows files, not their meaning. A copy of the folder is a complete copy of the run, and a killed process loses no
finished work. docs/reference/run-format.md has the table of files and their writers.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from limpide.core import typed_json
from limpide.core.errors import RunError, nearest
from limpide.core.events import DAMAGE, Epoch, Note, Step, from_line, to_line
from limpide.core.examination import Examination
from limpide.core.finding import Finding
from limpide.core.run_info import FORMAT, KNOWN, RunInfo
from limpide.system import files
from limpide.text.messages import N_, Message, _, message
from limpide.text.numbers import format_number

FLUSH_EVERY = 0.25  # s
STATUS_WORDS = {
    "started": N_("not finished"),
    "running": N_("not finished"),
    "refused": N_("refused"),
    "finished": N_("finished"),
}


class Run:
    """The files of one training, at `path`. Opening one never changes it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.events_file = path / "events.jsonl"
        self.model_file = path / "model.onnx"
        self.report_file = path / "report.html"
        self.split_file = path / "split.csv"
        self.excluded_file = path / "excluded.csv"
        self.prints_file = path / "prints.npy"
        self.snapshots = path / "snapshots"
        self.checkpoints = path / "checkpoint"
        self.predictions = path / "predictions"
        self.probes_file = path / "predictions" / "probes.npz"
        self.stats_file = path / "stats.jsonl"
        self.examination_file = path / "examination.json"
        self.system_file = path / "system.jsonl"
        self.control_file = path / "control.jsonl"
        self.marks_file = path / "marks.csv"
        self.cache = path / "cache"
        self._findings = path / "findings"
        self._pending: list[bytes] = []
        self._flushed = time.monotonic()

    def _repr_html_(self) -> str:
        """For a notebook: name, status, the data, the network and its accuracy."""
        from limpide.text import notebook_html

        try:
            info, accuracy = self.info(), self.finding("accuracy")
        except RunError as error:
            return notebook_html.block(notebook_html.heading(self.path.name), notebook_html.note(error))
        facts = [(_("status"), _(STATUS_WORDS.get(info.status, info.status))), (_("data"), info.data or info.location)]
        facts += [(_("network"), info.network), (_("classes"), format_number(len(info.classes)))]
        facts += [(_("begun"), info.created[:10]), (_("folder"), str(self.path))]
        shown = [(name, value) for name, value in facts if value]
        return notebook_html.block(
            notebook_html.heading(self.path.name),
            accuracy._repr_html_() if accuracy else "",
            notebook_html.table(shown, words=True),
        )

    # -- making and finding runs

    @classmethod
    def create(cls, parent: Path, stem: str, info: Mapping[str, Any]) -> Run:
        """A new directory `stem-001`, `-002` … under `parent`. info: fields of RunInfo. Raises RunError if it cannot be
        written.
        """
        stem = re.sub(r"[^\w.-]+", "-", stem, flags=re.ASCII).strip("-.")[:60] or "run"
        taken = [
            int(m.group(1))
            for p in parent.glob(f"{stem}-*")
            if (m := re.fullmatch(re.escape(stem) + r"-(\d+)", p.name))
        ]
        number = max(taken, default=0)
        while True:
            number += 1
            run = cls(parent / f"{stem}-{number:03d}")
            try:
                run.path.mkdir(parents=True)
                break
            except FileExistsError:
                continue
            except OSError as error:
                raise RunError("L501", where=f"{parent}: {error.strerror}") from error
        for folder in (run.snapshots, run.checkpoints, run.predictions, run.cache, run._findings):
            folder.mkdir()
        now = datetime.now(UTC).isoformat(timespec="seconds")
        run._write(
            {"format": FORMAT, "created": now, "status": "started", "phase": "read", "offset": 0, "epoch_id": 0}, info
        )
        return run

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Run:
        """The run in this directory. Raises RunError when there is none or a newer limpide wrote it."""
        run = cls(Path(path))
        if not (run.path / "run.json").is_file():
            guess = nearest(run.path.name, [other.path.name for other in cls.all_in(run.path.parent)])
            todo = N_("did you mean {guess}?") if guess else N_("list the runs with limpide runs")
            raise RunError("L502", where=str(path), todo=todo, guess=str(run.path.parent / guess))
        if run.info().format > FORMAT:
            raise _newer_version_error(run.path)
        return run

    @staticmethod
    def all_in(parent: Path) -> list[Run]:
        """Every run under `parent`, newest last. A run whose run.json is damaged is left out, so that it does not stop
        the others.
        """
        return [run for run, _info in Run.known_in(parent)[0]]

    @staticmethod
    def known_in(parent: Path) -> tuple[list[tuple[Run, RunInfo]], list[tuple[Run, RunError]]]:
        """Every run under `parent` with its record, newest last; and each run whose run.json is damaged, with the
        error.
        """
        runs: list[tuple[Run, RunInfo]] = []
        odd: list[tuple[Run, RunError]] = []
        for file in sorted(parent.glob("*/run.json")):
            run = Run(file.parent)
            try:
                runs.append((run, run.info()))
            except RunError as error:
                odd += [(run, error)] if file.exists() else []  # it may have been deleted since
        return sorted(runs, key=lambda pair: (pair[1].created, pair[0].path.name)), odd

    def lock(self, patience: float = 0.5) -> Any:
        """A context manager that holds this run for one process; the system frees it however the process ends.

        patience: s to wait for a process that only checks whether the run is held.
        """
        from filelock import FileLock, Timeout

        try:
            # the lock itself would count a `with` as a second acquisition
            return FileLock(self.path / "lock").acquire(timeout=patience, poll_interval=0.05)
        except Timeout:
            raise RunError("L504", where=self.path) from None
        except OSError as error:
            raise RunError("L501", where=f"{self.path}: {error.strerror}") from error

    def working(self) -> bool:
        """Whether a process holds this run now."""
        if not (self.path / "lock").exists():
            return False
        try:
            with self.lock(patience=0):
                return False
        except RunError:
            return True

    def check_links(self) -> None:
        """Raises RunError if a link in this run leads out of it: a server of runs from elsewhere must serve only their
        files, and write nowhere else.
        """
        home, left = self.path.resolve(), [self.path]
        while left:
            try:
                entries = os.scandir(left.pop())
            except FileNotFoundError:
                continue  # a training that cleans up removes folders
            with entries:
                for entry in entries:
                    if entry.is_symlink() and not Path(os.path.realpath(entry.path)).is_relative_to(home):
                        todo = N_("replace the link with the file itself, or delete the link")
                        raise RunError("L519", where=entry.path, todo=todo)
                    if entry.is_dir(follow_symlinks=False):
                        left.append(Path(entry.path))

    # -- run.json

    def info(self) -> RunInfo:
        """The record in run.json. Raises RunError, which names the field, if it is not as limpide writes it."""
        record = self._read()
        with self.reading(record):
            return RunInfo.from_json(record)

    def _read(self) -> Any:
        try:
            return typed_json.read_json_file(self.path / "run.json")
        except typed_json.InvalidJson as error:
            raise self._unreadable_error(error.reason) from error
        except OSError as error:
            raise self._unreadable_error(
                message(N_("the system says: {reason}"), reason=error.strerror or "")
            ) from error

    @contextlib.contextmanager
    def reading(self, found: Any = None) -> Iterator[None]:
        """Turns invalid content of run.json into a RunError."""
        try:
            yield
        except typed_json.InvalidJson as error:
            version = found.get("format") if isinstance(found, Mapping) else None
            if isinstance(version, int) and version > FORMAT:
                raise _newer_version_error(self.path) from error
            raise self._unreadable_error(error.reason) from error

    def _unreadable_error(self, reason: Message) -> RunError:
        todo = N_("restore it from a copy, or start another run with --new")
        return RunError("L505", where=self.path, todo=todo, reason=reason)

    def update(self, **values: Any) -> None:
        """Sets some fields of RunInfo. Other fields that a newer limpide wrote stay."""
        record = self._read()
        with self.reading(record):
            RunInfo.from_json(record)
        self._write(record, values)

    def _write(self, record: Mapping[str, Any], values: Mapping[str, Any]) -> None:
        if unknown := values.keys() - KNOWN:
            raise TypeError(f"RunInfo has no field {sorted(unknown)[0]}")
        whole = {**record, **{name: typed_json.to_plain_json(value) for name, value in values.items()}}
        RunInfo.from_json(whole)
        files.write_json(self.path / "run.json", whole)

    def enter(self, phase: str, **values: Any) -> None:
        """Records that everything before `phase` is on disk: a resume starts here, and later events are produced
        again.
        """
        self.update(phase=phase, offset=self.sync(), **values)

    # -- events.jsonl

    def append(self, event: Step | Epoch | Note) -> None:
        """Adds an event. It stays in memory for at most a quarter of a second while events come, so that a watcher sees
        it soon.
        """
        self._pending.append(_line(to_line(event)))
        if len(self._pending) >= 100 or not isinstance(event, Step) or time.monotonic() - self._flushed > FLUSH_EVERY:
            self._flush()

    def _flush(self) -> None:
        if self._pending:
            with open(self.events_file, "ab") as stream:
                stream.write(b"".join(self._pending))
            self._pending.clear()
        self._flushed = time.monotonic()

    def sync(self) -> int:
        """Forces all events to the disk and returns the length of the file, which a checkpoint records."""
        self._flush()
        with open(self.events_file, "ab") as stream:
            os.fsync(stream.fileno())
            return stream.tell()

    def rewind(self, offset: int) -> None:
        """Removes the events after `offset`; a resumed training produces them again."""
        self._pending.clear()
        with open(self.events_file, "ab") as stream:
            stream.truncate(offset)
        self.update(epoch_id=self.info().epoch_id + 1)

    def events(self) -> Iterator[Step | Epoch | Note]:
        """All complete events; a last line that a crash cut short is left out. Damaged lines are left out, too, and a
        Note reports them at the end.
        """
        if not self.events_file.exists():
            return
        damaged = 0
        with open(self.events_file, "rb") as stream:
            for line in stream:
                if line.endswith(b"\n"):
                    try:
                        event = from_line(json.loads(line))
                    except DAMAGE:
                        damaged += 1
                        continue
                    yield event
        if damaged:
            yield Note(
                "warning",
                message(
                    N_("{n:count} line of events.jsonl is damaged and left out"),
                    N_("{n:count} lines of events.jsonl are damaged and left out"),
                    n=damaged,
                ),
            )

    def bytes(self) -> int:
        """Bytes on the disk of all files of this run."""
        total = 0
        for file in self.path.rglob("*"):
            with contextlib.suppress(OSError):  # a process may be at work here
                total += file.stat().st_size if file.is_file() else 0
        return total

    def kept(self) -> dict[int, Path]:
        """The weights that were kept during training, by the number of steps done, in that order."""
        return {
            int(file.stem[5:]): file
            for file in sorted(self.snapshots.glob("step-*.safetensors"))
            if file.stem[5:].isdigit()
        }

    # -- stats.jsonl, system.jsonl, control.jsonl: for watchers, and from them

    def add_line(self, file: Path, values: dict[str, Any]) -> None:
        """Appends a line to this file; readers see it at once."""
        with open(file, "ab") as stream:
            stream.write(_line(values))

    def lines(self, file: Path) -> Iterator[dict[str, Any]]:
        """The complete lines of one of these files; damaged ones are left out."""
        if file.exists():
            with open(file, "rb") as stream:
                for line in stream:
                    with contextlib.suppress(ValueError):
                        if line.endswith(b"\n") and isinstance(values := json.loads(line), dict):
                            yield values

    def cut(self, file: Path, keep: Callable[[dict[str, Any]], bool]) -> None:
        """Removes the lines for which `keep` is false."""
        if file.exists():
            files.write_bytes(file, b"".join(_line(values) for values in self.lines(file) if keep(values)))

    # -- findings

    # -- what was found

    def examination(self) -> Examination | None:
        """None of a training that is not over, or of an earlier version. Raises RunError if it cannot be read."""
        if not self.examination_file.exists():
            return None
        try:
            return typed_json.as_record(Examination, typed_json.read_json_file(self.examination_file))
        except typed_json.InvalidJson as error:
            raise damaged_file_error(self.examination_file, error.reason) from error

    def keep_examination(self, examination: Examination) -> None:
        files.write_json(self.examination_file, typed_json.to_plain_json(examination))

    def add_finding(self, finding: Finding) -> None:
        files.write_json(self._findings / f"{finding.name}.json", finding.to_json())

    def finding(self, name: str) -> Finding | None:
        """The finding of this name; None if there is none. Raises RunError if it cannot be read."""
        file = self._findings / f"{name}.json"
        return _read_finding(file) if file.exists() else None

    def findings(self) -> dict[str, Finding]:
        """All findings by name. Raises RunError if one of them cannot be read."""
        findings = map(_read_finding, sorted(self._findings.glob("*.json")))
        return {finding.name: finding for finding in findings}


def _read_finding(file: Path) -> Finding:
    try:
        return Finding.from_json(typed_json.read_json_file(file))
    except typed_json.InvalidJson as error:
        raise damaged_file_error(file, error.reason) from error
    except OSError as error:
        raise damaged_file_error(file, message(N_("the system says: {reason}"), reason=error.strerror or "")) from error


def damaged_file_error(file: Path, reason: Message) -> RunError:
    todo = N_("restore it from a copy, or train again with --new")
    return RunError("L518", where=file, todo=todo, reason=reason)


def _newer_version_error(path: Path) -> RunError:
    return RunError("L503", where=path)


def _line(values: dict[str, Any]) -> bytes:
    return (json.dumps(values, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")
