"""Every sentence of the package ↔ the message catalogues. `python -m tests.catalogue` (make messages) brings them up to
date.

A sentence is marked in Python by `_("…")` or `N_("…")`, with its plural as `message(N_("one"), N_("many"), n=…)`; in a
template by the same two marks and by `say(N_("one"), N_("many"), n=…)`. What the browser's pages say stands by key in
limpide/locale/pages.json. The docstring of a lesson is its text. Sentences that left the code leave the catalogue.
"""

from __future__ import annotations

import ast
import io
import re
import string
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.catalog import Message as Entry
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from limpide.text.page_sentences import read_sentences

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "limpide"
PAGES = "limpide/locale/pages.json"
QUOTED = r'"((?:[^"\\]|\\.)*)"'


@dataclass
class Sentence:
    id: str
    plural: str | None = None
    places: set[str] = field(default_factory=set)
    context: str | None = None
    keys: list[str] = field(
        default_factory=list
    )  # of the browser's pages, so that a translator knows which one says it

    @property
    def is_of_pages_only(self) -> bool:
        return self.places == {PAGES}


def key_of(id: str, context: str | None = None) -> str:
    """As in a compiled catalogue."""
    return f"{context}\x04{id}" if context else id


def sentences(package: Path = PACKAGE) -> dict[str, Sentence]:
    """All sentences by their msgid, after their context if they have one, in the order of the files that say them."""
    found: dict[str, Sentence] = {}
    for file in sorted(package.rglob("*")):
        if file.suffix not in (".py", ".html"):
            continue
        text = file.read_text(encoding="utf-8")
        of_file = list(_of_python(text) if file.suffix == ".py" else _of_template(text))
        if file.parent.name == "lessons" and file.stem != "__init__":
            of_file.append((str(ast.get_docstring(ast.parse(text))), None))
        for id, plural in of_file:
            sentence = found.setdefault(id, Sentence(id))
            if plural and sentence.plural and plural != sentence.plural:
                raise ValueError(f"“{id}” has two plurals: “{sentence.plural}” and “{plural}”")
            sentence.plural = sentence.plural or plural
            sentence.places.add(str(file.relative_to(package.parent)))
    if (source := package.parent / PAGES).exists():
        for said in read_sentences(source):
            if said.id:
                sentence = found.setdefault(key_of(said.id, said.context), Sentence(said.id, context=said.context))
                sentence.places.add(PAGES)
                sentence.keys.append(said.key)
    only_plural = {s.plural for s in found.values() if s.plural} - {s.id for s in found.values() if s.plural}
    return {key: s for key, s in found.items() if key not in only_plural}


def _of_python(text: str) -> Iterator[tuple[str, str | None]]:
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call):
            continue
        if id := _marked(node):
            yield id, None
        name = (
            node.func.id
            if isinstance(node.func, ast.Name)
            else node.func.attr
            if isinstance(node.func, ast.Attribute)
            else ""
        )
        if (
            name in ("message", "Message", "say")
            and len(node.args) >= 2
            and (id := _marked(node.args[0]))
            and (plural := _marked(node.args[-1]))
        ):
            yield id, plural


def _marked(node: ast.AST) -> str | None:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("_", "N_") and node.args:
        value = node.args[0].value if isinstance(node.args[0], ast.Constant) else None
        return value if isinstance(value, str) and value else None
    return None


def _of_template(text: str) -> Iterator[tuple[str, str | None]]:
    for id, plural in re.findall(rf"say\(N_\({QUOTED}\),\s*N_\({QUOTED}\)", text):
        yield _unquoted(id), _unquoted(plural)
    for id in re.findall(rf"\bN?_\({QUOTED}\)", text):
        yield _unquoted(id), None


def _unquoted(text: str) -> str:
    return str(ast.literal_eval(f'"{text}"'))


def files() -> dict[str, Path]:
    """The catalogue of each language."""
    return {file.parents[1].name: file for file in sorted(PACKAGE.glob("locale/*/LC_MESSAGES/limpide.po"))}


def opened(file: Path, language: str) -> Catalog:
    with open(file, encoding="utf-8") as stream:
        return read_po(stream, locale=language)


def updated(old: Catalog, language: str, said: dict[str, Sentence]) -> Catalog:
    """The catalogue of today's sentences with yesterday's translations; a new sentence stays empty."""
    new = Catalog(locale=language, fuzzy=False)
    for sentence in said.values():
        known = old.get(sentence.id, sentence.context)
        forms = _forms(known) if known else ("",)
        places: list[Any] = [(place, None) for place in sorted(sentence.places)]  # without the line
        more: dict[str, Any] = {
            "locations": places,
            "auto_comments": [" ".join(sentence.keys)] if sentence.keys else (),
            "context": sentence.context,
        }
        if sentence.plural:
            new.add((sentence.id, sentence.plural), forms if len(forms) > 1 else forms * 2, **more)
        else:
            new.add(sentence.id, forms[-1], **more)
    return new


def write(file: Path, catalogue: Catalog) -> None:
    """Without dates and tool versions in the header: the same sentences give the same bytes."""
    text = io.BytesIO()
    write_po(text, catalogue, width=0, omit_header=True)
    header = [
        "Project-Id-Version: limpide",
        f"Language: {catalogue.locale_identifier}",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
        f"Plural-Forms: {catalogue.plural_forms}",
    ]
    lines = ['msgid ""', 'msgstr ""', *(f'"{line}\\n"' for line in header), ""]
    file.write_bytes("\n".join([*lines, ""]).encode() + text.getvalue().rstrip() + b"\n")


def faults(catalogue: Catalog, said: dict[str, Sentence]) -> list[str]:
    """What keeps a catalogue from being complete, one line each."""
    found = []
    for sentence in said.values():
        entry = catalogue.get(sentence.id, sentence.context)
        if entry is None:
            found.append(f"missing: {sentence.id}")
            continue
        strings = _forms(entry)
        if len(strings) != (2 if sentence.plural else 1):
            found.append(f"{len(strings)} forms: {sentence.id}")
        if entry.fuzzy:
            found.append(f"fuzzy: {sentence.id}")
        wanted = placeholders(sentence.plural or sentence.id)
        for k, words in enumerate(strings):
            names = placeholders(words)
            if not words.strip():
                found.append(f"empty: {sentence.id}")
            elif words.count("\b") != sentence.id.count("\b"):  # click joins the lines of a paragraph without it
                found.append(f"other paragraphs: {sentence.id} → {words}")
            elif not choices(words) <= choices(sentence.id) | {name for name, _ in wanted}:
                found.append(f"other choices: {sentence.id} → {words}")
            elif names != wanted and not (sentence.plural and k == 0 and names < wanted):
                # "one image" may leave {n} unsaid
                found.append(f"other placeholders: {sentence.id} → {words}")
    found += [
        f"nobody says it: {entry.id}"
        for entry in catalogue
        if entry.id and key_of(_first(entry.id), entry.context) not in said
    ]
    return found + [f"obsolete: {id}" for id in catalogue.obsolete]


def _forms(entry: Entry) -> tuple[str, ...]:
    """The translation, or those of each number."""
    return tuple(map(str, entry.string)) if isinstance(entry.string, (tuple, list)) else (str(entry.string),)


def _first(id: str | Sequence[str]) -> str:
    return id if isinstance(id, str) else id[0]


def placeholders(text: str) -> set[tuple[str, str]]:
    """{("n", "count"), …} of `{n:count}`."""
    return {(name, form) for name, form in _fields(text) if "|" not in name}


def choices(text: str) -> set[str]:
    """{"n", …} of `{n|one|many}`, which the pages choose by; not every language needs one."""
    return {name.split("|")[0] for name, _ in _fields(text) if "|" in name}


def _fields(text: str) -> list[tuple[str, str]]:
    return [(name, form or "") for _, name, form, _ in string.Formatter().parse(text) if name is not None]


def main() -> int:
    """Rewrites every catalogue and compiles it; the exit status says whether a translation is missing."""
    said, wrong = sentences(), 0
    for language, file in files().items():
        catalogue = updated(opened(file, language), language, said)
        write(file, catalogue)
        for line in faults(catalogue, said):
            print(f"{file.relative_to(ROOT)}: {line}")
            wrong += 1
        with open(file.with_suffix(".mo"), "wb") as target:  # as hatch_build.py does when limpide is installed
            write_mo(target, catalogue)
    print(f"{len(said)} sentences, {wrong} to translate")
    return min(wrong, 1)


if __name__ == "__main__":
    sys.exit(main())
