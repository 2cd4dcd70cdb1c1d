"""Every sentence for a reader passes through here.

A sentence is kept as a `Message` (an English msgid plus its values) and translated only when it is rendered, so that a
run recorded in English can be read in French. Numbers inside a sentence are formatted by the same rule: `{x:percent}`,
`{n:count}`, `{s:duration}`, `{b:bytes}` or `{v:number}` follow the decimal mark and the thousands mark of the language.
"""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from limpide.text.language import N_, _, translate_counted
from limpide.text.numbers import FORMATS

__all__ = ["N_", "_", "Message", "message", "render"]


@dataclass(frozen=True)
class Message:
    """A sentence that is not translated yet. `plural` is used when `values["n"]` requires it."""

    id: str
    values: Mapping[str, Any] = field(default_factory=dict)
    plural: str | None = None

    def __str__(self) -> str:
        return render(self.id, self.values, self.plural)

    def to_json(self) -> dict[str, Any]:
        return {"id": self.id, "values": dict(self.values)} | ({"plural": self.plural} if self.plural else {})

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Message:
        return cls(data["id"], data.get("values", {}), data.get("plural"))


def message(id: str, plural: str | None = None, **values: Any) -> Message:
    return Message(id, values, plural)


def render(id: str, values: Mapping[str, Any], plural: str | None = None) -> str:
    """The sentence in the current language, with its values."""
    sentence = translate_counted(id, plural, int(values["n"])) if plural else _(id) if id else ""
    return _Formatter().vformat(sentence, (), values)


class _Formatter(string.Formatter):
    """`str.format` with numbers in the format of the language; a value that is itself a message is rendered first."""

    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, Mapping) and "id" in value:
            value = Message.from_json(value)
        if format_spec in FORMATS:
            return FORMATS[format_spec](value)
        return str(value) if not format_spec else super().format_field(value, format_spec)

    def get_value(self, key: int | str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        return kwargs[str(key)]
