"""A training begun from the studio: the same command that the user would type, in a separate process."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

from limpide.core.errors import UsageError, sentences
from limpide.core.recipe import Recipe
from limpide.core.run import Run
from limpide.text.messages import N_, Message, message

START_SECONDS = 60.0  # s until the run must exist: a large folder is scanned first
CHOICES = ("model", "time", "epochs", "image_size", "weights")  # of the recipe, offered by the page
STARTS = ("auto", "none")  # weights to start from: nothing is downloaded from an address that the page names


@dataclass(frozen=True)
class LaunchedTraining:
    run: str | None  # its name
    said: str | Message = ""  # why there is none


@dataclass(frozen=True)
class LaunchRequest:
    """A training that the user asks for, in the words that the user would type; an open choice is not in `choices`."""

    data: str
    choices: Mapping[str, str]

    @classmethod
    def of(cls, asked: Any) -> LaunchRequest:
        """Raises UsageError, with the text of `limpide train`, for an invalid value; ValueError for a malformed
        request.
        """
        if not isinstance(asked, dict) or not all(
            isinstance(value, str) and "\0" not in value for value in asked.values()
        ):
            raise ValueError(f"data and, where wanted, {', '.join(CHOICES)}: texts without a zero byte")
        if unknown := [name for name in asked if name not in ("data", *CHOICES)]:
            raise ValueError(f"{unknown[0]} is no choice: there are {', '.join(CHOICES)}")
        choices = {name: asked[name].strip() for name in CHOICES if asked.get(name, "").strip()}
        if choices.get("weights", "auto") not in STARTS:
            raise UsageError("L102", where=f"weights={choices['weights']}", name="weights", expected=" | ".join(STARTS))
        Recipe.of(**choices)
        return cls(asked.get("data", "").strip(), choices)

    def words(self, folder: Path) -> list[str]:
        """The arguments of `limpide`. No shell reads them: each word reaches the program as it is."""
        options = [word for name, value in self.choices.items() for word in (f"--{name.replace('_', '-')}", value)]
        options += ["--runs", str(folder), "--new"]
        return ["train", *options, "--", self.data] if self.data.startswith("-") else ["train", self.data, *options]

    def command(self, folder: Path) -> str:
        return shlex.join(["limpide", *self.words(folder)])


def start(folder: Path, wish: LaunchRequest, lang: str, closing: Event) -> LaunchedTraining:
    """Start the command and wait until its run exists, until it reports an error, or until the studio is `closing`."""
    before = {run.path.name for run in Run.all_in(folder)}
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "limpide", *wish.words(folder)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # it outlives the studio
            env={**os.environ, "LIMPIDE_LANG": lang, "COLUMNS": "500"},
        )
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            for run, info in Run.known_in(folder)[0]:
                if run.path.name not in before and info.process == process.pid:
                    return LaunchedTraining(run.path.name)
            if process.poll() is not None:
                output.seek(0)
                lines = output.read().decode("utf-8", "replace").strip().splitlines()
                reason = (
                    _on_a_page(lines[-1])
                    if lines
                    else message(N_("limpide train ended with exit status {status}"), status=process.returncode)
                )
                return LaunchedTraining(None, reason)
            if closing.wait(0.1):
                break
    return LaunchedTraining(
        None,
        message(
            N_("no run had started after {seconds} s; limpide runs lists it once it has"),
            seconds=f"{START_SECONDS:.0f}",
        ),
    )


def _on_a_page(line: str) -> str:
    """A refusal as the terminal says it (errors.LimpideError), in sentences and without its code."""
    what, *rest = re.sub(r" \[L\d+\]$", "", line.removeprefix("limpide: ")).split(" — ")
    return sentences(what, " — ".join(rest[:-1]), rest[-1] if rest else "")
