"""What a user can have done wrong, and how it is told.

LimpideError            one line: what, where, what to do; a stable code explained in docs/reference/errors.md
├── UsageError          an option or a name that does not exist          exit status 2
├── DataError           the images, their labels or their folders         exit status 3
├── ModelError          a network, its weights or an exported file        exit status 4
├── RunError            the run directory: locked, unreadable, torn       exit status 5
└── TrainingError       training could not go on                          exit status 6
"""

from __future__ import annotations

import difflib
import errno
import re
from collections.abc import Iterable
from enum import IntEnum
from functools import partial
from typing import Any

from limpide.core.error_table import ERRORS
from limpide.text.messages import Message, message, render


class Exit(IntEnum):
    """How every verb of the command line ends (docs/reference/errors.md)."""

    DONE = 0
    UNMET = 1  # what was asked for is there, and a verdict or a requirement is not met
    USAGE = 2
    DATA = 3
    MODEL = 4
    RUN = 5
    TRAINING = 6
    MISTAKE = 70  # of ours; EX_SOFTWARE of sysexits.h
    STOPPED = 130  # by Ctrl-C: 128 + SIGINT, as shells say it


class LimpideWarning(UserWarning):
    """Told to a program by Python's own warnings; the command line writes it as one line."""


class LimpideError(Exception):
    """Told in one line. `where` is a path, an option or a name; what is said and what to do stand in error_table/."""

    exit_status = Exit.MISTAKE

    def __init__(self, code: str, *, where: object, what: str = "", todo: str | None = None, **values: Any) -> None:
        """code: of the table in error_table/, which gives `what` and `todo` where they are not given here."""
        entry = ERRORS[code]
        self.code, self.where = code, one_line(str(where))
        self.values = {name: printable_value(value) for name, value in values.items()}
        self.what = what or entry.what
        self.todo = entry.todo if todo is None else todo
        super().__init__(code)

    def __reduce__(self) -> tuple[Any, ...]:
        """Goes from one process to another whole: cross-validation in several tells what went wrong in one of them."""
        return partial(type(self), self.code, where=self.where, what=self.what, todo=self.todo, **self.values), ()

    def __str__(self) -> str:
        what, todo = render(self.what, self.values), render(self.todo, self.values)
        return " — ".join(part for part in (what, self.where, todo) if part) + f" [{self.code}]"

    def to_json(self) -> dict[str, str]:
        return {
            "code": self.code,
            "says": str(self),
            "what": render(self.what, self.values),
            "where": self.where,
            "todo": render(self.todo, self.values),
        }

    def sentences(self) -> str:
        """For a page, where a person reads it and types nothing: as sentences, without the code."""
        return sentences(render(self.what, self.values), self.where, render(self.todo, self.values))

    def message(self) -> Message:
        return message(self.what, **self.values)


class UsageError(LimpideError, ValueError):
    exit_status = Exit.USAGE


class DataError(LimpideError, ValueError):
    exit_status = Exit.DATA


class ModelError(LimpideError):
    exit_status = Exit.MODEL


class RunError(LimpideError):
    exit_status = Exit.RUN


class TrainingError(LimpideError):
    exit_status = Exit.TRAINING


def from_os_error(error: OSError) -> RunError:
    """What the operating system refused, told like everything else."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return RunError("L514", where=error.filename or "")
    return RunError("L515", where=error.filename or "", reason=error.strerror or str(error))


def sentences(what: str, where: str = "", todo: str = "") -> str:
    """What a line of the terminal says, as a page says it."""
    texts = [f"{what.rstrip('.')} ({where})" if where else what, todo]
    return " ".join(_sentence(text) for text in texts if text)


def _sentence(text: str) -> str:
    # not of a file's name or an option
    capital = text[0].upper() + text[1:] if re.match(r"[^\W\d_][\w’-]*,? ", text) else text
    return capital if text.endswith((".", "!", "?", "…")) else capital + "."


SPACES = "\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}"  # between a number and its unit; Python calls them unprintable


def one_line(text: str) -> str:
    """A file name may hold a newline or an escape sequence: neither may forge a second line of output."""
    return "".join(c if c.isprintable() or c in SPACES else f"\\x{ord(c):02x}" for c in text)


def printable_value(value: Any) -> Any:
    return one_line(value) if isinstance(value, str) else value


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that a person most likely meant, or an empty string."""
    known = list(known)
    lowered = {k.lower(): k for k in known}
    matches = difflib.get_close_matches(name.lower(), lowered, n=1, cutoff=0.5)
    return lowered[matches[0]] if matches else ""
