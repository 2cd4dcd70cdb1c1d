"""Lab 5 and the others: the networks, by the parameters that the labs give."""

from __future__ import annotations

import pytest

from limpide.models import build, parameters
from tests.labs.lab import NETWORKS


@pytest.mark.parametrize(
    ("case", "name", "channels", "size", "n"),
    [
        ("H10", "mnistnet", 1, 28, 309_784),
        ("H12", "cifarnet", 3, 32, 168_490),
        ("H28", "wide_tanh", 3, 32, 7_087_010),
        ("H28", "wide_relu", 3, 32, 7_087_010),
        ("H33", "mlp_100", 1, 28, 89_610),
        ("H36", "three", 3, 32, 247_610),
        ("H37", "five", 3, 32, 428_210),
        ("H38", "fifty_one", 3, 32, 4_582_010),
        ("H39", "residual", 3, 32, 4_582_010),
    ],
)
def test_h10_h12_h28_h33_h36_to_h39_networks_have_the_parameters_of_the_labs(
    case: str, name: str, channels: int, size: int, n: int
) -> None:
    assert parameters(build(f"{NETWORKS}:{name}", 10, channels, size)) == n
