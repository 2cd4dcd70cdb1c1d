"""What can be asked of looking/, and how the values of a question stand in a URL. Nothing else reaches the process that
answers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from limpide.text.messages import N_, message

SLOW = (
    "saliency",
    "sanity",
    "neighbors",
    "alike",
    "embedding",
    "groups",
    "maximized",
    "shortcut",
)  # what has a process of its own, so that a unit does not wait for it

DIGITS = 15  # of a number in an address: what is longer fits into no array


def values_of(what: str, query: Mapping[str, str], uploads: Mapping[str, bytes]) -> dict[str, Any]:
    """The values of this question. Raises ValueError or KeyError where they make none, LookupError for an image that is
    no longer kept; what is missing is not in them.
    """
    values: dict[str, Any] = {"snapshot": query.get("snapshot", "best")}
    for name, kind in LOOKS[what].items():
        if name == "image":
            values["image"] = _image(query, uploads)
        elif name in query:
            values[name] = kind(query[name])
    if not values.get("key", "head"):
        raise ValueError("key")
    return values


def _image(query: Mapping[str, str], uploads: Mapping[str, bytes]) -> dict[str, Any]:
    name = query.get("image", "probe-0")
    kind, _, number = name.partition("-")
    if kind == "drop" and name not in uploads:
        raise LookupError(message(N_("this image is no longer kept: choose it again")))
    found: dict[str, Any] = {kind: _natural(number)} if kind in ("probe", "row") else {"bytes": uploads[name]}
    return found | {change: kind_of(query[change]) for change, kind_of in CHANGES.items() if query.get(change)}


def _mask(text: str) -> list[list[int]]:
    found = json.loads(text)
    if not isinstance(found, list) or not all(
        isinstance(cell, list) and len(cell) == 2 and all(isinstance(k, int) and 0 <= k < 16 for k in cell)
        for cell in found
    ):
        raise ValueError(text)
    return found  # type: ignore[no-any-return]


def _within(low: float, high: float) -> Callable[[str], float]:
    def number(text: str) -> float:
        value = float(text)
        if not low <= value <= high:
            raise ValueError(text)
        return value

    return number


def _natural(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= DIGITS):
        raise ValueError(text)
    return int(text)


# of an image, before it is looked at
CHANGES: dict[str, Callable[[str], Any]] = {"noise": _within(0, 128), "turn": _within(-180, 180), "mirror": _natural}
PICTURES = {"picture": "image/png", "augmented": "image/png", "maximized": "image/png", "thumb": "image/jpeg"}
NEEDED = {
    "maps": ("key",),
    "kernels": ("key",),
    "unit": ("key",),
    "effect": ("key", "channel"),
    "maximized": ("key", "channel"),
    "strongest": ("key", "channel"),
    "saliency": ("method", "label"),
    "sanity": ("method", "label"),
    "occluded": ("mask",),
    "thumb": ("row",),
    "alike": ("distance",),
    "cell": ("truth", "said"),
    "groups": ("by",),
}
LOOKS: dict[str, dict[str, Callable[[str], Any]]] = {
    "predictions": {},
    "prediction": {"image": str},
    "anatomy": {"image": str},
    "maps": {"image": str, "key": str},
    "kernels": {"image": str, "key": str},
    "unit": {"image": str, "key": str, "channel": _natural, "y": _natural, "x": _natural},
    "effect": {"image": str, "key": str, "channel": _natural, "place": _natural, "weight": _within(-1e6, 1e6)},
    "maximized": {"key": str, "channel": _natural},
    "strongest": {"key": str, "channel": _natural, "among": _natural},
    "saliency": {"image": str, "method": str, "label": _natural},
    "sanity": {"image": str, "method": str, "label": _natural},
    "occluded": {"image": str, "mask": _mask},
    "picture": {"image": str},
    "ink": {},
    "neighbors": {"image": str},
    "album": {"part": str, "label": str, "start": _natural},
    "thumb": {"row": _natural},
    "alike": {"distance": _natural},
    "augmented": {"image": str, "seed": _natural},
    "embedding": {"method": str},
    "worst": {},
    "cell": {"truth": _natural, "said": _natural},
    "suspects": {},
    "shortcut": {},
    "groups": {"by": str, "lang": str},
}
