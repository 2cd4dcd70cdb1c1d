"""The studio's instruments in a notebook: the same pages, with questions and answers as messages between the notebook
and its kernel.

It shows one network and one image, and its place is a handful of traits, which both sides may set. The questions are
those of inspector/, answered one after the other between two cells: nothing else uses the network meanwhile.
"""

from __future__ import annotations

from typing import Any

import anywidget
import numpy as np
import traitlets

from limpide import browser
from limpide.core.errors import UsageError
from limpide.core.finding import Finding
from limpide.explanation.inputs import OpenedNetwork
from limpide.explanation.units import check_place, find_operation
from limpide.inspector.json_encoding import finding_in_words, finite
from limpide.inspector.memory_session import MemorySession
from limpide.inspector.process import answer_question
from limpide.inspector.questions import QUESTIONS
from limpide.interpret.trace import Trace, in_evaluation
from limpide.studio.error_responses import message_of
from limpide.text.formats import visible_text
from limpide.text.language import LANGUAGES, current_language, use_language
from limpide.text.messages import N_, Message
from limpide.text.page_sentences import page_sentences

PAGES = ("image", "anatomy", "layer", "unit")
UPLOADS = {"own": b""}  # the name of the one image


class Instruments(anywidget.AnyWidget):  # type: ignore[misc]
    """One network and one image, to be clicked through: `limpide.see(model, image).widget()`.

    Its place can be read and set from Python, too: `w.page` (image, anatomy, layer or unit), `w.layer`, `w.channel`,
    `w.y`, `w.x` (channel None: the unit that matters most), `w.language`. Raises UsageError for a place that does not
    exist. Without a kernel, a notebook keeps a still picture.
    """

    page = traitlets.Unicode("layer").tag(sync=True)
    layer = traitlets.Unicode().tag(sync=True)
    channel = traitlets.Int(None, allow_none=True).tag(sync=True)
    y = traitlets.Int(0).tag(sync=True)
    x = traitlets.Int(0).tag(sync=True)
    language = traitlets.Unicode("en").tag(sync=True)
    _still = traitlets.Unicode().tag(sync=True)

    def __init__(
        self, opened: OpenedNetwork, seen: Trace, square: np.ndarray, title: Message, still: str, **place: Any
    ) -> None:
        self._trace, self._network, self._title = seen, opened.network, title
        self._session = MemorySession(opened, seen, square)
        super().__init__(
            _esm=browser.widget(),
            _still=still,
            **{"layer": _first(seen), "language": current_language(), **place},
        )
        self.on_msg(self._receive)

    # -- the place

    def _place(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("page", "layer", "channel", "y", "x", "language")}

    def _check_place(self, place: dict[str, Any]) -> dict[str, Any]:
        """Return the same place, its layer by its key. Raises UsageError where it does not exist."""
        for name, choices in (("page", PAGES), ("language", LANGUAGES)):
            if place[name] not in choices:
                raise UsageError("L102", where=place[name], todo="", name=name, expected=", ".join(choices))
        op = find_operation(self._trace, place["layer"])
        if place["channel"] is not None:
            check_place(op, place["channel"], place["y"], place["x"])
        return place | {"layer": op.key}

    @traitlets.validate("page", "layer", "channel", "y", "x", "language")  # type: ignore[untyped-decorator]
    def _valid(self, proposal: Any) -> Any:
        name, place = proposal["trait"].name, self._place() | {proposal["trait"].name: proposal["value"]}
        if name in ("page", "layer", "language"):  # another layer has other units
            place |= {"channel": None}
        return self._check_place(place)[name]

    @traitlets.observe("layer")  # type: ignore[untyped-decorator]
    def _moved(self, _change: Any) -> None:
        try:
            self._check_place(self._place())
        except UsageError:
            self.channel = None
            self.y = self.x = 0

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take the place from the page; if it does not exist, send the page the current place."""
        try:
            self._check_place(
                self._place() | {name: value for name, value in sync_data.items() if name in self._place()}
            )
            super().set_state(sync_data)
        except (UsageError, TypeError, traitlets.TraitError):
            self.send_state(list(self._place()))

    # -- questions

    def _receive(self, _widget: Any, content: Any, _buffers: Any) -> None:
        """A message {id, what, values} → a message {id, about} with its bytes, or {id, error}."""
        if not isinstance(content, dict) or not isinstance(content.get("id"), str):
            return  # there is no page to answer
        before = current_language()
        use_language(self.language)
        try:
            answer, data = self._answer(content.get("what"), content.get("values"))
        finally:
            use_language(before)
        self.send({"id": content["id"], **answer}, buffers=[data] if data else None)

    def _answer(self, what: Any, values: Any) -> tuple[dict[str, Any], bytes]:
        if what == "words" and isinstance(values, dict):
            return self._words(values.get("language")), b""
        question = QUESTIONS.get(what) if isinstance(what, str) else None
        if question is None or not question.in_notebook or not isinstance(values, dict):
            return {"error": message_of(N_("there is nothing of this name to show"))}, b""
        try:
            query = {str(name): str(value) for name, value in values.items() if value is not None}
            arguments = question.values(query, UPLOADS)
        except (ValueError, KeyError, RecursionError):
            return {
                "error": message_of(N_("this address asks for an image, a position or a number that cannot be read"))
            }, b""
        if missing := question.missing(arguments):
            return {"error": f"this question needs {', '.join(missing)}"}, b""
        with in_evaluation(self._network):
            kind, payload, data = answer_question(self._session, question.answer, {"path": "", **arguments})
        if kind == "error":
            return {"error": message_of(payload)}, b""
        if isinstance(payload.get("finding"), dict):
            payload["finding"] = finding_in_words(Finding.from_json(payload["finding"]))
        return {"about": finite(payload)}, data

    def _words(self, language: Any) -> dict[str, Any]:
        """All sentences of the pages, in a language to which the page is about to change."""
        if language not in LANGUAGES:
            return {"error": f"language: {', '.join(LANGUAGES)}"}
        use_language(language)
        return {
            "about": {"language": language, "sentences": page_sentences(language), "title": visible_text(self._title)}
        }

    # -- in the notebook

    def __repr__(self) -> str:
        at = (
            self.layer
            if self.channel is None
            else f"{self.layer}, channel {self.channel}, row {self.y}, column {self.x}"
        )
        return f"Instruments({type(self._network).__name__}: {self.page}, {at})"

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """The widget and a still picture, for viewers without widgets."""
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is not None:
            bundle[0]["text/html"] = self._still
        return bundle


def _first(trace: Trace) -> str:
    """The first convolution, or else the first linear layer, or else the first operation."""
    kinds = {op.name: op.key for op in reversed(trace.ops)}
    return kinds.get("conv2d") or kinds.get("linear") or trace.ops[0].key
