"""What is shown in a browser: small modules without a bundler, for the studio and for the report.

static/  ours · static/vendor/  preact, htm, signals and uPlot, copied from npm when limpide is built or installed (hatch_build.py)
"""

from __future__ import annotations

from pathlib import Path

STATIC = Path(__file__).with_name("static")
VENDOR = STATIC / "vendor"


def missing() -> bool:
    """Whether the modules from npm were left out when limpide was installed."""
    return not (VENDOR / "preact.js").exists()
