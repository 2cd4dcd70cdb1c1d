"""The errors that a user can cause, and how they are reported.

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
    """The exit statuses of the command line (docs/reference/errors.md)."""

    DONE = 0
    UNMET = 1  # the result is complete, but a verdict or a requirement is not met
    USAGE = 2
    DATA = 3
    MODEL = 4
    RUN = 5
    TRAINING = 6
    MISTAKE = 70  # an error in limpide; EX_SOFTWARE of sysexits.h
    STOPPED = 130  # by Ctrl-C: 128 + SIGINT, as in shells


class LimpideWarning(UserWarning):
    """A warning for programs, by Python's own warnings; the command line prints it as one line."""


class LimpideError(Exception):
    """An error that is reported in one line. `where` is a path, an option or a name; error_table/ holds the description
    and what to do.
    """

    exit_status = Exit.MISTAKE

    def __init__(self, code: str, *, where: object, what: str = "", todo: str | None = None, **values: Any) -> None:
        """code: an entry of error_table/, which provides `what` and `todo` if they are not given here."""
        entry = ERRORS[code]
        self.code, self.where = code, one_line(str(where))
        self.values = {name: printable_value(value) for name, value in values.items()}
        self.what = what or entry.what
        self.todo = entry.todo if todo is None else todo
        super().__init__(code)

    def __reduce__(self) -> tuple[Any, ...]:
        """Sends the whole error from one process to another: cross-validation in several reports an error in one of
        them.
        """
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
        """The error as sentences without the code, for a page, where the reader does not type commands."""
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
    """An error of the operating system, as a RunError."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return RunError("L514", where=error.filename or "")
    return RunError("L515", where=error.filename or "", reason=error.strerror or str(error))


def sentences(what: str, where: str = "", todo: str = "") -> str:
    """The content of a terminal line as sentences for a page."""
    texts = [f"{what.rstrip('.')} ({where})" if where else what, todo]
    return " ".join(_sentence(text) for text in texts if text)


def _sentence(text: str) -> str:
    # a file name or an option keeps its case
    capital = text[0].upper() + text[1:] if re.match(r"[^\W\d_][\w’-]*,? ", text) else text
    return capital if text.endswith((".", "!", "?", "…")) else capital + "."


SPACES = "\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}"  # between a number and its unit; Python calls them unprintable


def one_line(text: str) -> str:
    """The text without unprintable characters: a file name may hold a newline or an escape sequence, and neither may
    forge a second line of output.
    """
    return "".join(c if c.isprintable() or c in SPACES else f"\\x{ord(c):02x}" for c in text)


def printable_value(value: Any) -> Any:
    return one_line(value) if isinstance(value, str) else value


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that the user most likely meant, or an empty string."""
    known = list(known)
    lowered = {k.lower(): k for k in known}
    matches = difflib.get_close_matches(name.lower(), lowered, n=1, cutoff=0.5)
    return lowered[matches[0]] if matches else ""
