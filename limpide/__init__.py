"""limpide: deep learning for images that you can see through."""

import os
from typing import TYPE_CHECKING

__version__ = "0.1.0"
__all__ = ["Features", "FlatImageClassifier", "ImageClassifier", "LimpideError", "Recipe", "Run", "__version__", "see"]

if TYPE_CHECKING:
    from limpide.api.features import Features
    from limpide.api.flat_classifier import FlatImageClassifier
    from limpide.api.image_classifier import ImageClassifier
    from limpide.api.see import see
    from limpide.core.errors import LimpideError
    from limpide.core.recipe import Recipe
    from limpide.core.run import Run

# "Nothing leaves the machine" holds for dependencies, too. They read these before anything else of theirs runs, and
# processes that limpide starts inherit them (docs/dependencies.md says what each would send;
# tests/house/test_nothing_leaves.py watches).
NO_TELEMETRY = {"ORT_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1"}
os.environ.update(NO_TELEMETRY)

# The helping threads of PyTorch's OpenMP look for work for milliseconds before they sleep. Beside other busy processes
# they hold the processor that they wait for, and a step takes ten times its fair share (docs/LOG.md). So they sleep
# after some ten microseconds. The numbers stay the same to the last bit. A wish of the user how threads wait is obeyed.
LOOKS = "10000"
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", LOOKS)

_WHERE = {
    "Features": "api.features",
    "FlatImageClassifier": "api.flat_classifier",
    "ImageClassifier": "api.image_classifier",
    "LimpideError": "core.errors",
    "Recipe": "core.recipe",
    "Run": "core.run",
    "see": "api.see",
}


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def __getattr__(name: str) -> object:
    """Loads the public names on first use, so that `limpide --help` does not wait for what it does not need."""
    if name not in _WHERE:
        raise AttributeError(f"module 'limpide' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"limpide.{_WHERE[name]}"), name)
