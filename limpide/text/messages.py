"""Every sentence shown to a person passes through here: English in the source, other languages in gettext catalogues.

A sentence is kept as a `Message` (an English msgid plus its values) and worded only when it is rendered, so that a run
recorded in English can be read in French. Numbers inside a sentence are formatted by the same rule: `{x:percent}`,
`{n:count}`, `{s:duration}`, `{b:bytes}` or `{v:number}` follow the decimal mark and the thousands mark of the language.
"""

from __future__ import annotations

import gettext
import locale
import os
import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LANGUAGES = ("en", "fr")
LOCALE_FOLDER = Path(__file__).parents[1] / "locale"

_catalogue: gettext.NullTranslations = gettext.NullTranslations()
_language = "en"


def N_(sentence: str) -> str:
    """Marks a sentence for the catalogue without translating it yet."""
    return sentence


def wanted_language(environment: Mapping[str, str] = os.environ) -> str:
    """The language a person asked for: LIMPIDE_LANG, then the usual locale variables, else English."""
    for name in ("LIMPIDE_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = environment.get(name, "")
        if value:
            code = (locale.normalize(value) or value)[:2].lower()
            return code if code in LANGUAGES else "en"
    return "en"


def unsupported_language(environment: Mapping[str, str] = os.environ) -> str:
    """What LIMPIDE_LANG asks for and is not there, or an empty text. The other variables speak to every program, not to
    this one.
    """
    wished = environment.get("LIMPIDE_LANG", "")
    return (
        wished if wished and wished.split(".")[0] not in ("C", "POSIX") and wished[:2].lower() not in LANGUAGES else ""
    )


def use_language(language: str) -> None:
    """From now on sentences are worded in `language` (one of LANGUAGES)."""
    global _catalogue, _language
    _catalogue = catalogue_of(language)
    _language = language


def catalogue_of(language: str | None = None) -> gettext.NullTranslations:
    """The sentences of `language` (one of LANGUAGES), or of the current one."""
    if language is None:
        return _catalogue
    return gettext.translation("limpide", LOCALE_FOLDER, languages=[language], fallback=language == "en")


def current_language() -> str:
    return _language


def _(sentence: str) -> str:
    return _catalogue.gettext(sentence)


@dataclass(frozen=True)
class Message:
    """A sentence that has not been worded yet. `plural` is used when `values["n"]` asks for it."""

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
    sentence = _catalogue.ngettext(id, plural, int(values["n"])) if plural else _catalogue.gettext(id) if id else ""
    return _Formatter().vformat(sentence, (), values)


class _Formatter(string.Formatter):
    """`str.format` whose numbers follow the language; a value that is itself a message is worded first."""

    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, Mapping) and "id" in value:
            value = Message.from_json(value)
        if format_spec in _FORMATS:
            return _FORMATS[format_spec](value)
        return str(value) if not format_spec else super().format_field(value, format_spec)

    def get_value(self, key: int | str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        return kwargs[str(key)]


def format_number(value: float, decimals: int = 0) -> str:
    """1234.5 → "1,234.5" in English, "1 234,5" in French."""
    plain = f"{value:,.{decimals}f}"
    if _language == "fr":
        return plain.replace(",", "\N{NARROW NO-BREAK SPACE}").replace(".", ",")
    return plain


SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def format_significant(value: float) -> str:
    """Three significant digits, never in powers of ten for the sizes people meet."""
    if value == 0 or not abs(value) < 100:  # NaN, too
        return format_number(value)
    if abs(value) < 1e-4:
        mantissa, exponent = f"{value:.1e}".split("e")
        return f"{format_number(float(mantissa), 1)}\N{NO-BREAK SPACE}·\N{NO-BREAK SPACE}10{str(int(exponent)).translate(SUPERSCRIPTS)}"
    decimals = max(0, 2 - int(f"{value:e}".split("e")[1]))
    text = format_number(value, decimals)
    return text.rstrip("0").rstrip(".,") if decimals else text


def format_percent(share: float, decimals: int = 1) -> str:
    """0.9912 → "99.1 %"; a share that is not quite 1 is never rounded up to 100 %, nor one above 0 down to 0 %."""
    value = share * 100
    if value < 100 and round(value, decimals) == 100:
        value = 100 - 10**-decimals
    if value > 0 and round(value, decimals) == 0:
        return f"<\N{NO-BREAK SPACE}{format_number(10**-decimals, decimals)}\N{NO-BREAK SPACE}%"
    return format_number(value, decimals) + "\N{NO-BREAK SPACE}%"


def format_duration(seconds: float) -> str:
    """0.4 → "0.4 s", 74 → "1 min 14 s", 5400 → "1 h 30 min"."""
    if seconds < 9.95:
        return format_number(seconds, 1) + "\N{NO-BREAK SPACE}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}\N{NO-BREAK SPACE}s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}\N{NO-BREAK SPACE}min" + (f" {rest}\N{NO-BREAK SPACE}s" if rest else "")
    hours, minutes = divmod(round(whole / 60), 60)
    return f"{format_number(hours)}\N{NO-BREAK SPACE}h" + (f" {minutes}\N{NO-BREAK SPACE}min" if minutes else "")


def format_bytes(count: float) -> str:
    """Bytes in decimal units, as disks and downloads are sold: 18_600_000 → "18.6 MB" ("18,6 Mo" in French)."""
    letter = "o" if _language == "fr" else "B"
    value, prefix = float(count), ""
    for prefix in ("", "k", "M", "G", "T"):
        if value < 999.5 or prefix == "T":
            break
        value /= 1000
    return f"{format_significant(value)}\N{NO-BREAK SPACE}{prefix}{letter}"


def format_large(count: float) -> str:
    """Counts beyond what people read digit by digit: 385_187_552 → "385 million"."""
    for step, says in ((1e9, _("{n} billion")), (1e6, _("{n} million"))):
        if count >= step:
            return says.format(n=format_significant(count / step))
    return format_number(count)


_FORMATS: dict[str, Callable[[Any], str]] = {
    "percent": format_percent,
    "count": format_number,
    "duration": format_duration,
    "bytes": format_bytes,
    "number": format_significant,
    "large": format_large,
}
