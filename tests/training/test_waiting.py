"""The helping threads of PyTorch's OpenMP sleep soon when there is nothing to do, so that a busy machine is shared and
not fought for.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from limpide import LOOKS


def told(**environment: str) -> str:
    """What the runtime says of its own settings as PyTorch loads it in a fresh process."""
    kept = {name: value for name, value in os.environ.items() if name not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}
    done = subprocess.run(
        [sys.executable, "-c", "import limpide, torch; torch.ones(2)"],
        env=kept | {"OMP_DISPLAY_ENV": "VERBOSE"} | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    if "GOMP_SPINCOUNT" not in done.stderr:
        pytest.skip("this PyTorch brings another OpenMP than GNU's")
    return done.stderr


def test_threads_sleep_after_some_looks() -> None:
    assert f"GOMP_SPINCOUNT = '{LOOKS}'" in told()


def test_a_wish_how_threads_wait_is_obeyed() -> None:
    assert "GOMP_SPINCOUNT = '5'" in told(GOMP_SPINCOUNT="5")
    assert f"GOMP_SPINCOUNT = '{LOOKS}'" not in told(OMP_WAIT_POLICY="ACTIVE")
