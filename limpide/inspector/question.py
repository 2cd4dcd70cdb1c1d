"""One question that a page may ask, as one record next to the function that answers it (docs: CONTRIBUTING, “Where a
newcomer adds”).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from limpide.inspector.answer import Answer
from limpide.inspector.image_reference import ImageReference

Parser = Callable[..., Any]  # (text in an address) → value, raises ValueError; or ImageReference


@dataclass(frozen=True)
class Question:
    """answer: (session, path of a run, snapshot, **parameters) → Answer. A snapshot is a number of steps or "best". The
    function is at the top level of a module that does not load torch: the server knows it by its name, the inspector's
    process calls it.

    parameters: how each value is written in an address; ImageReference: in several (image, noise, turn, mirror).
    is_slow: runs in a separate process, so that a unit does not wait for it · media_type: of the file, if it is not
    numbers · in_notebook: available for a network in memory, too: its session is a NetworkSession.
    """

    answer: Callable[..., Answer]
    parameters: Mapping[str, Parser] = field(default_factory=dict)
    is_slow: bool = False
    media_type: str = "application/octet-stream"
    in_notebook: bool = False

    @property
    def required(self) -> list[str]:
        """The parameters without a default in the function. An image always has a value."""
        arguments = inspect.signature(self.answer).parameters
        return [
            name
            for name, parse in self.parameters.items()
            if parse is not ImageReference and arguments[name].default is inspect.Parameter.empty
        ]

    def values(self, query: Mapping[str, str], uploads: Mapping[str, bytes]) -> dict[str, Any]:
        """Parse the values of an address; missing ones are left out. Raises ValueError or KeyError for invalid values,
        LookupError for an image that is no longer kept.
        """
        values: dict[str, Any] = {"snapshot": query.get("snapshot", "best")}
        for name, parse in self.parameters.items():
            if parse is ImageReference:
                values[name] = ImageReference.from_query(query, uploads)
            elif name in query:
                values[name] = parse(query[name])
        return values

    def missing(self, values: Mapping[str, Any]) -> list[str]:
        return [name for name in self.required if name not in values]
