"""Energy says how it is known; the processor's counters are read whole, and across their wrap."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from limpide.system import energy
from limpide.system.energy import Meter


def counters(folder: Path, **values: int) -> Path:
    for name, value in values.items():
        place = folder / name.replace("_", ":", 1).replace("_", ":").replace("intel:rapl", "intel-rapl")
        place.mkdir(exist_ok=True)
        (place / "energy_uj").write_text(str(value))
        (place / "max_energy_range_uj").write_text("1000000000")
    return folder


def test_measured_where_the_counters_can_be_read(tmp_path: Path) -> None:
    counters(tmp_path, intel_rapl_0=5_000_000, intel_rapl_1=1_000_000, intel_rapl_0_0=900)
    meter = Meter(tmp_path)
    counters(tmp_path, intel_rapl_0=8_000_000, intel_rapl_1=1_500_000, intel_rapl_0_0=10**9)
    found = meter.energy()
    assert (found.joules, found.how) == (pytest.approx(3.5), "measured")  # a part of a processor does not count twice


def test_a_counter_that_began_again(tmp_path: Path) -> None:
    counters(tmp_path, intel_rapl_0=999_000_000)
    meter = Meter(tmp_path)
    counters(tmp_path, intel_rapl_0=2_000_000)
    assert meter.energy().joules == pytest.approx(3.0)


def test_ticks_add_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(energy, "EVERY", 0.0)
    counters(tmp_path, intel_rapl_0=0)
    meter = Meter(tmp_path)
    for value in (900_000_000, 800_000_000, 100_000_000):  # two wraps, which one look at the end would miss
        counters(tmp_path, intel_rapl_0=value)
        meter.tick()
    assert meter.energy().joules == pytest.approx(2100.0)


def busy(seconds: float) -> None:
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


def test_assumed_where_nobody_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(energy.WATTS_VARIABLE, raising=False)
    meter = Meter(tmp_path)
    busy(0.05)
    found = meter.energy()
    assert found.how == "assumed" and found.watts == energy.ASSUMED_WATTS and found.joules >= 0.05 * found.watts


def test_estimated_from_a_power_that_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(energy.WATTS_VARIABLE, "4")
    meter = Meter(tmp_path)
    busy(0.05)
    found = meter.energy()
    assert (found.how, found.watts) == ("estimated", 4.0) and found.joules >= 0.2
    monkeypatch.setenv(energy.WATTS_VARIABLE, "plenty")
    assert meter.energy().how == "assumed"
