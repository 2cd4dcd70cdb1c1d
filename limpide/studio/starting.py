"""A training begun from the studio: the same command that a person would type, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from limpide.run import Run

PATIENCE = 60.0  # s until the run must be there: a large folder is looked through first


@dataclass(frozen=True)
class Started:
    run: str | None  # its name
    said: str = ""  # why there is none


def start(folder: Path, data: str, limit: str, model: str, lang: str) -> Started:
    """Begins `limpide train DATA` and waits until its run is there, or until it says why not."""
    before = {run.path.name for run in Run.all_in(folder)}
    command = [sys.executable, "-m", "limpide", "train", "--runs", str(folder), "--new"]
    command += [word for name, value in (("--time", limit), ("--model", model)) if value for word in (name, value)]
    with tempfile.TemporaryFile() as told:
        process = subprocess.Popen(
            [*command, "--", data],
            stdin=subprocess.DEVNULL,
            stdout=told,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # it outlives the studio
            env={**os.environ, "LIMPIDE_LANG": lang, "COLUMNS": "500"},
        )
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            for run in Run.all_in(folder):
                if run.path.name not in before and run.info().get("process") == process.pid:
                    return Started(run.path.name)
            if process.poll() is not None:
                told.seek(0)
                lines = told.read().decode("utf-8", "replace").strip().splitlines()
                return Started(None, lines[-1] if lines else f"limpide train ended with {process.returncode}")
            time.sleep(0.1)
    return Started(None, f"after {PATIENCE:.0f} s no run had begun; limpide runs lists it when it has")
