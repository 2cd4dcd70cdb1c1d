"""Findings about the run: its data, its sealed file, how training ended, what it cost."""

from __future__ import annotations

import numpy as np
import pytest

from limpide.audit import run_facts
from limpide.data.decoding.decode import CUT_SHORT, EMPTY
from limpide.data.split import TWO_LABELS
from limpide.system.energy import Energy
from tests.audit.predictors import well_formed


def test_the_data() -> None:
    finding = run_facts.data_finding(
        {"train": 70, "validation": 10, "calibration": 0, "test": 20}, {TWO_LABELS: 2, EMPTY: 1}
    )
    well_formed(finding, "data")
    assert finding.verdict == "warn" and finding.message.values == {"n": 100, "out": 3} and finding.table
    assert [row[1] for row in finding.table.rows] == [70, 10, 20, 1, 2]
    assert str(finding.table.rows[3][0]) == f"left out: {EMPTY}"
    assert (
        run_facts.data_finding({"train": 1000}, {CUT_SHORT: 10}).verdict == "ok"
        and run_facts.data_finding({"train": 100}, {CUT_SHORT: 2}).verdict == "warn"
    )
    nothing = run_facts.data_finding({"train": 1, "test": 1}, {})
    assert nothing.verdict == "ok" and str(nothing) == "All 2 images were used."


def test_the_sealed_file() -> None:
    ours = np.array([[0.7, 0.3], [0.4, 0.6]])
    close, far, other = (
        ours + np.array([1e-5, -1e-5]),
        ours + np.array([2e-4, -2e-4]),
        np.array([[0.49995, 0.50005], [0.4, 0.6]]),
    )
    assert (
        run_facts.export_finding(close, ours).verdict == "ok" and run_facts.export_finding(far, ours).verdict == "bad"
    )
    # another class, however close
    assert run_facts.export_finding(other, np.array([[0.50004, 0.49996], [0.4, 0.6]])).verdict == "bad"
    assert run_facts.export_finding(far, ours).number("largest difference in a probability").value == pytest.approx(
        2e-4
    )
    for finding in (run_facts.export_finding(close, ours), run_facts.export_finding(far, ours)):
        well_formed(finding, "export")


@pytest.mark.parametrize(
    ("kind", "epochs", "planned", "says"),
    [
        ("trained", 3, 3, "After 3 epochs, the weights of epoch 2"),
        ("fine-tuned", 3, 10, "stopped after 3 of 10 epochs"),
        ("frozen", 0, 5, "new last layer"),
    ],
)
def test_how_training_ended(kind: str, epochs: int, planned: float, says: str) -> None:
    finding = run_facts.training_finding(1, epochs, planned, 0.9, 50, kind)
    well_formed(finding, "training")
    assert says in str(finding)


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("measured", "was measured by the processor's own counters"),
        ("estimated", "at 10 W a core"),
        ("assumed", "is assumed, not measured"),
    ],
)
def test_the_cost(how: str, says: str) -> None:
    finding = run_facts.cost_finding(
        parameters=3_500_000,
        multiply_adds=385_000_000,
        file_bytes=13_400_000,
        training=40,
        whole=74,
        quoted=60,
        memory=900_000_000,
        quoted_memory=800_000_000,
        milliseconds=4.2,
        energy=Energy(7200.0, how, 10.0),
    )
    well_formed(finding, "cost")
    assert (
        str(finding).replace("\N{NO-BREAK SPACE}", " ")
        == "The model file takes 13.4 MB and names an image in 4.2 ms on this machine; the work took 1 min 14 s "
        "(estimate: 1 min)."
    )
    assert finding.number("parameters").value == 3_500_000
    assert finding.number(f"energy, {how}").value == 2.0 and says in str(finding.details[0]).replace(
        "\N{NO-BREAK SPACE}", " "
    )
