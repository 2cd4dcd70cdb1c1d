"""The sentences of the browser's pages. English is in locale/pages.json by key, every other language in its catalogue.

A sentence there is a text, or {"context", "sentence"} where the same English words mean two things (gettext's msgctxt).
Its {values} and its choice {n|one|many} are filled in on the page (browser/static/i18n.js).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from limpide.text import language as languages

SOURCE = languages.LOCALE_FOLDER / "pages.json"


@dataclass(frozen=True)
class PageSentence:
    """One sentence of the pages in English, as the catalogues identify it."""

    key: str
    id: str
    context: str | None = None


def read_sentences(source: Path = SOURCE) -> Iterator[PageSentence]:
    """The sentences in the order of the file. Some are empty: the page then shows nothing."""
    for key, entry in json.loads(source.read_text(encoding="utf-8")).items():
        if isinstance(entry, str):
            yield PageSentence(key, entry)
        else:
            yield PageSentence(key, entry["sentence"], entry["context"])


@cache
def _english() -> tuple[PageSentence, ...]:
    return tuple(read_sentences())


def page_sentences(language: str | None = None, prefix: str = "") -> dict[str, str]:
    """Key → sentence, for the keys that begin with `prefix`; language: one of LANGUAGES, or the current one."""
    catalogue = languages.catalogue_of(language)
    sentences = {}
    for sentence in _english():
        if not sentence.key.startswith(prefix):
            continue
        if not sentence.id:  # gettext returns its header for the empty sentence
            sentences[sentence.key] = ""
        elif sentence.context is None:
            sentences[sentence.key] = catalogue.gettext(sentence.id)
        else:
            sentences[sentence.key] = catalogue.pgettext(sentence.context, sentence.id)
    return sentences
