"""The interactive part of the page: the numbers of the first and the last layer, the modules, the sentences.

Without JavaScript, without the modules from npm or without the numbers, the page shows the picture of one unit instead.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from limpide import browser
from limpide.core.finding import Finding
from limpide.core.run import Run
from limpide.text.formats import visible_text
from limpide.text.page_sentences import page_sentences

PAGE = "pages/inside.js"
MAX_BYTES = 1_600_000  # of all arrays; a training writes at most 1.5 MB (interpret/first_last_layers.py)
SAID = "inside."  # prefix of the keys of its sentences


@dataclass(frozen=True)
class InteractivePart:
    data: str  # JSON that cannot end the element that contains it
    modules: str  # import map, JSON


def interactive_part(run: Run, finding: Finding | None, classes: Sequence[str]) -> InteractivePart | None:
    """None where there is nothing interactive to show."""
    arrays = _read_arrays(run.predictions / "inside.npz") if finding is not None and not browser.missing() else {}
    layers = {name: end for name in ("first", "last") if (end := _arrays_of(name, arrays, len(classes)))}
    if finding is None or not layers:
        return None
    last = layers.get("last")
    data = {
        "start": {name: finding.data.get(name, 0) for name in ("layer", "channel", "y", "x")},
        "mean": arrays["mean"].tolist(),
        "std": arrays["std"].tolist(),
        "names": [visible_text(classes[k]) for k in last["classes"].tolist()] if last else [],
        "sentences": page_sentences(prefix=SAID),
    } | {name: {key: _encode_array(value) for key, value in end.items()} for name, end in layers.items()}
    # "<" occurs only in texts, where JSON may escape it.
    return InteractivePart(
        json.dumps(data).replace("<", "\\u003c"),
        json.dumps({"imports": browser.import_map(PAGE, {"state.js": "static_state.js"})}),
    )


def _encode_array(value: np.ndarray) -> Any:
    """Numbers to draw as their bytes, float32 little-endian; all others as a list."""
    if value.dtype != np.float32:
        return value.tolist()
    return {"shape": value.shape, "values": base64.b64encode(value.astype("<f4").tobytes()).decode()}


def _read_arrays(file: Path) -> dict[str, np.ndarray]:
    """The arrays of the file; empty if it is missing, cut off or not such a file: then the page has no interactive
    part, and all else is unchanged.
    """
    try:
        with open(file, "rb") as stream, np.load(stream) as archive:
            arrays = {name: archive[name] for name in archive.files}
        return (
            arrays
            if {"mean", "std"} <= arrays.keys() and sum(array.nbytes for array in arrays.values()) <= MAX_BYTES
            else {}
        )
    except Exception:  # a damaged file fails in any way
        return {}


def _arrays_of(name: str, arrays: Mapping[str, np.ndarray], classes: int) -> dict[str, np.ndarray]:
    """The arrays of "first" or "last", or none where they do not fit together."""
    end = {key.removeprefix(f"{name}."): array for key, array in arrays.items() if key.startswith(f"{name}.")}
    try:
        fits = _first_fits(end) if name == "first" else _last_fits(end, classes)
    except (KeyError, IndexError, TypeError, ValueError):
        fits = False
    return end if fits and all(np.isfinite(array).all() for array in end.values() if array.dtype == np.float32) else {}


def _first_fits(end: Mapping[str, np.ndarray]) -> bool:
    n, into, _high, _wide = end["weight"].shape
    (channels, _rows, _columns), groups, outputs = end["input"].shape, int(end["groups"]), int(end["outputs"])
    floats = all(end[key].dtype == np.float32 for key in ("input", "weight", "bias", "output"))
    pairs = all(end[key].shape == (2,) for key in ("stride", "padding", "dilation"))
    if "after" in end:  # not in older runs, and not where no operation follows
        steps = (*end["after"].shape, n)
        if end["after_names"].shape != steps[:1] or any(
            end[key].dtype != np.float32 or end[key].shape != steps for key in ("slopes", "shifts")
        ):
            return False
    channels_fit = (
        end["channels"].shape == (n,) and n > 0 and end["channels"].min() >= 0 and end["channels"].max() < outputs
    )
    return (
        floats
        and pairs
        and bool(channels_fit)
        and end["bias"].shape == (n,)
        and end["output"].shape[:1] == (n,)
        and end["output"].ndim == 3
        and channels == into * groups
    )


def _last_fits(end: Mapping[str, np.ndarray], classes: int) -> bool:
    n, features = end["weight"].shape
    floats = all(end[key].dtype == np.float32 for key in ("features", "weight", "bias", "logits"))
    classes_fit = (
        end["classes"].shape == (n,) and n > 0 and end["classes"].min() >= 0 and end["classes"].max() < classes
    )
    return (
        floats
        and bool(classes_fit)
        and end["features"].shape == (features,)
        and end["bias"].shape == end["logits"].shape == (n,)
    )
