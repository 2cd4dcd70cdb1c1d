"""The energy that the work took, and its source: measured by the processor, estimated from a given power, or
assumed.
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

COUNTERS = Path("/sys/class/powercap")  # Linux; readable by root only on most machines
ASSUMED_WATTS = 10.0  # of one busy core with its share of memory and power supply, if no power is given
WATTS_VARIABLE = "LIMPIDE_WATTS_PER_CORE"
EVERY = 1.0  # s between two readings of the counters, which start again from zero after some minutes
JOULES_PER_WH = 3600.0


@dataclass(frozen=True)
class Energy:
    joules: float
    how: str  # measured · estimated · assumed
    watts: float = 0.0  # of one busy core, if energy is not measured


class Meter:
    """Counts from its creation on. Call `tick` now and then, at least every few minutes."""

    def __init__(self, counters: Path = COUNTERS) -> None:
        self._began = time.process_time()
        self._joules, self._looked = 0.0, time.monotonic()
        # intel-rapl:0, :1 … are whole processors; intel-rapl:0:1 is a part of one and would count twice.
        self._last = {
            folder: value
            for folder in counters.glob("intel-rapl:*")
            if folder.name.count(":") == 1 and (value := _read(folder / "energy_uj")) is not None
        }

    def tick(self) -> None:
        if time.monotonic() - self._looked >= EVERY:
            self._look()

    def _look(self) -> None:
        self._looked = time.monotonic()
        for folder, before in self._last.items():
            now = _read(folder / "energy_uj")
            if now is not None:
                passed = now - before if now >= before else now - before + (_read(folder / "max_energy_range_uj") or 0)
                self._joules += passed / 1e6
                self._last[folder] = now

    def energy(self) -> Energy:
        if self._last:
            self._look()
            return Energy(self._joules, "measured")
        busy = time.process_time() - self._began  # s, summed over the cores
        with contextlib.suppress(KeyError, ValueError):
            watts = float(os.environ[WATTS_VARIABLE])
            return Energy(busy * watts, "estimated", watts)
        return Energy(busy * ASSUMED_WATTS, "assumed", ASSUMED_WATTS)


def _read(file: Path) -> int | None:
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return None
