"""The current language: English in the source, other languages in gettext catalogues (limpide/locale/)."""

from __future__ import annotations

import gettext
import locale
import os
from collections.abc import Mapping
from pathlib import Path

LANGUAGES = ("en", "fr")
LOCALE_FOLDER = Path(__file__).parents[1] / "locale"

_catalogue: gettext.NullTranslations = gettext.NullTranslations()
_language = "en"


def wanted_language(environment: Mapping[str, str] = os.environ) -> str:
    """The language that the user wants: LIMPIDE_LANG, then the usual locale variables, else English."""
    for name in ("LIMPIDE_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = environment.get(name, "")
        if value:
            code = (locale.normalize(value) or value)[:2].lower()
            return code if code in LANGUAGES else "en"
    return "en"


def unsupported_language(environment: Mapping[str, str] = os.environ) -> str:
    """The value of LIMPIDE_LANG if this language is not available, else an empty text. The other variables address
    every program, not this one.
    """
    wished = environment.get("LIMPIDE_LANG", "")
    is_plain = wished.split(".")[0] in ("C", "POSIX")
    return "" if is_plain or wished[:2].lower() in LANGUAGES else wished


def use_language(language: str) -> None:
    """Sets the language of all following sentences (one of LANGUAGES)."""
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


def N_(sentence: str) -> str:
    """Marks a sentence for the catalogue without translating it yet."""
    return sentence


def _(sentence: str) -> str:
    return _catalogue.gettext(sentence)


def translate_counted(one: str, many: str, n: int) -> str:
    """The form of the sentence for n, by the rules of the language."""
    return _catalogue.ngettext(one, many, n)
