"""The catalogues are complete, and every error code is explained."""

from __future__ import annotations

import ast
import gettext
import re
import shutil
from collections import defaultdict
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog

from limpide.core.error_table import ERRORS
from limpide.core.finding import VERDICT_WORDS, VERDICTS
from limpide.explanation.record import BADGE_WORDS
from limpide.text import messages
from limpide.text.language import LANGUAGES, LOCALE_FOLDER, use_language
from limpide.text.messages import Message
from limpide.text.page_sentences import page_sentences
from tests import catalogue as tool
from tests import errors_page

SAID = tool.sentences()
CODE = re.compile(r"L\d{3}")


def examples(sentence: tool.Sentence) -> dict[str, object]:
    """A value for each placeholder, of the kind its format takes."""
    return {name: 2 if form or name == "n" else "x" for name, form in tool.placeholders(sentence.plural or sentence.id)}


def test_all_languages_but_english_have_a_catalogue() -> None:
    assert set(tool.files()) == set(LANGUAGES) - {"en"}


@pytest.mark.parametrize("spoken", tool.files())
def test_every_sentence_is_translated(spoken: str) -> None:
    wrong = tool.faults(tool.opened(tool.files()[spoken], spoken), SAID)
    assert not wrong, "make messages, then translate:\n" + "\n".join(wrong)


@pytest.mark.parametrize("spoken", tool.files())
def test_the_compiled_catalogue_is_the_one_in_the_source(spoken: str) -> None:
    compiled = gettext.translation("limpide", LOCALE_FOLDER, languages=[spoken])
    for entry in tool.opened(tool.files()[spoken], spoken):
        if entry.id and isinstance(entry.id, str):
            there = compiled.pgettext(entry.context, entry.id) if entry.context else compiled.gettext(entry.id)
            assert there == entry.string, "make install compiles it again"
        elif entry.id:
            assert tuple(compiled.ngettext(*entry.id, n) for n in (1, 2)) == tuple(entry.string)


@pytest.mark.parametrize("spoken", LANGUAGES)
def test_every_sentence_can_be_worded(spoken: str) -> None:
    """A format that does not exist, or a stray brace, would fail only when somebody meets the sentence."""
    use_language(spoken)
    for sentence in SAID.values():
        for n in (1, 2) if not sentence.is_of_pages_only else ():
            words = str(Message(sentence.id, examples(sentence) | {"n": n}, sentence.plural))
            assert words.strip() and "{" not in words, sentence.id


def test_french_keeps_its_signs_with_their_words() -> None:
    """A line may not break before « : » or between guillemets; numbers get their sign from language.percent."""
    for entry in tool.opened(tool.files()["fr"], "fr"):
        for words in [entry.string] if isinstance(entry.string, str) else entry.string:
            if entry.id:
                assert not re.search(r" [:;?!%»]|« ", words), words
                assert "'" not in words, words  # the apostrophe is ’


def test_the_extractor_knows_every_way_to_mark(tmp_path: Path) -> None:
    package = tmp_path / "limpide"
    package.mkdir()
    (package / "a.py").write_text(
        'x = _("one") + N_("two" " halves")\nmessage(N_("{n} cat"), N_("{n} cats"), n=2)\ny = N_("this") if x '
        'else N_("that")\nlanguage.message(N_("a"), N_("b"))\n'
        "message(N_('he says \"no\"'))\nmessage(unmarked)\nN_(variable)\n"
    )
    (package / "b.html").write_text(
        '{{ _("in a \\"template\\"") }} {{ say(N_("{n} dog"),\n N_("{n} dogs"), n=3) }} {{ say(N_("alone"), x=1) }}'
    )
    found = tool.sentences(package)
    plurals = {s.id: s.plural for s in found.values() if s.plural}
    assert plurals == {"{n} cat": "{n} cats", "a": "b", "{n} dog": "{n} dogs"}
    assert set(found) == {
        "one",
        "two halves",
        "{n} cat",
        "this",
        "that",
        "a",
        'he says "no"',
        'in a "template"',
        "{n} dog",
        "alone",
    }
    assert found["one"].places == {"limpide/a.py"}


def test_the_sentences_of_the_pages_are_found_by_their_keys(tmp_path: Path) -> None:
    package = tmp_path / "limpide"
    (package / "locale").mkdir(parents=True)
    (package / "a.py").write_text('x = N_("{n} runs") + N_("training")\n')
    (package / "locale" / "pages.json").write_text(
        '{"runs.n": "{n} runs", "again": "{n} runs", "phase.fit": {"context": "phase", "sentence": "training"}, '
        '"no": ""}'
    )
    found = tool.sentences(package)
    assert set(found) == {"{n} runs", "training", "phase\x04training"}, "one of both, and two of what means two things"
    assert found["{n} runs"].keys == ["runs.n", "again"]
    assert found["{n} runs"].places == {"limpide/a.py", tool.PAGES}
    assert found["phase\x04training"].is_of_pages_only and not found["training"].keys
    new = tool.updated(Catalog(locale="fr"), "fr", found)
    new.get("training", "phase").string = "entraînement en cours"  # type: ignore[union-attr]
    file = tmp_path / "limpide.po"
    tool.write(file, new)
    again = tool.opened(file, "fr")
    assert again.get("training", "phase").string == "entraînement en cours"  # type: ignore[union-attr]
    assert again.get("training").string == ""  # type: ignore[union-attr]
    assert again.get("{n} runs").auto_comments == ["runs.n again"]  # type: ignore[union-attr]


def test_a_choice_may_go_but_not_by_another_value() -> None:
    said = {"{n} {n|run|runs}": tool.Sentence("{n} {n|run|runs}")}
    new = tool.updated(Catalog(locale="fr"), "fr", said)
    for words, wrong in (("{n} {n|fois|fois}", 0), ("{n} fois", 0), ("{n} {m|fois|fois}", 1), ("fois", 1)):
        new.get("{n} {n|run|runs}").string = words  # type: ignore[union-attr]
        assert len(tool.faults(new, said)) == wrong, words


@pytest.mark.parametrize("spoken", LANGUAGES)
def test_the_pages_get_all_their_sentences_in_each_language(spoken: str) -> None:
    english, found = page_sentences("en"), page_sentences(spoken)
    assert list(found) == list(english) and len(found) > 500
    for key, words in found.items():
        assert bool(words) == bool(english[key]) == (key != "energy.undefined"), key
    assert english["phase.fit"] == english["part.train"] == "training"
    assert (found["phase.fit"] == found["part.train"]) == (spoken == "en")
    assert page_sentences(spoken, "inside.").keys() == {key for key in english if key.startswith("inside.")}
    use_language(spoken)
    assert page_sentences() == found


def test_a_wrong_catalogue_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "fr.po"
    file.write_text(
        'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'
        'msgid "same {n:count}"\nmsgstr "pareil {n}"\n\nmsgid "empty"\nmsgstr ""\n\n#, fuzzy\nmsgid '
        '"unsure"\nmsgstr "pas sûr"\n\n'
        'msgid "gone"\nmsgstr "parti"\n\nmsgid "good {x}"\nmsgstr "bon {x}"\n\n#~ msgid "old"\n#~ msgstr "vieux"\n'
    )
    said = {id: tool.Sentence(id) for id in ("same {n:count}", "empty", "unsure", "good {x}", "new")}
    kinds = [line.split(":")[0] for line in tool.faults(tool.opened(file, "fr"), said)]
    assert sorted(kinds) == sorted(["other placeholders", "empty", "fuzzy", "missing", "nobody says it", "obsolete"])


def test_updating_keeps_translations_and_drops_what_nobody_says(tmp_path: Path) -> None:
    file = tmp_path / "limpide.po"
    shutil.copy(tool.files()["fr"], file)
    said = {id: s for id, s in SAID.items() if id != "reading images"} | {"quite new": tool.Sentence("quite new")}
    tool.write(file, tool.updated(tool.opened(file, "fr"), "fr", said))
    again = tool.opened(file, "fr")
    assert again.get("reading images") is None and again.get("quite new").string == ""  # type: ignore[union-attr]
    before = tool.opened(tool.files()["fr"], "fr")
    assert all(again.get(id).string == before.get(id).string for id in said if before.get(id))  # type: ignore[union-attr]
    first = file.read_bytes()
    tool.write(file, tool.updated(again, "fr", said))
    assert file.read_bytes() == first


# -- error codes


def raised() -> dict[str, set[str]]:
    """code → the kinds of error that are raised with it, over the package."""
    found: dict[str, set[str]] = defaultdict(set)
    for file in tool.PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            first = node.args[0] if isinstance(node, ast.Call) and node.args else None
            if isinstance(first, ast.Constant) and CODE.fullmatch(str(first.value)):
                found[first.value].add(node.func.id if isinstance(node.func, ast.Name) else "?")
    return found


KINDS = {
    "UsageError": "1",
    "DataError": "2",
    "ModelError": "4",
    "RunError": "5",
    "NotTrained": "5",
    "TrainingError": "6",
}


def test_every_error_of_the_table_is_raised_and_no_other() -> None:
    uses = raised()
    assert len(uses) > 100 and set(uses) == set(ERRORS)
    for code, kinds in uses.items():
        assert {KINDS[kind] for kind in kinds} == {code[1]}, (code, kinds)


def test_no_code_hides_elsewhere_in_the_source() -> None:
    """What is seen above are constructor calls: a code that is written in any other way would be raised unseen."""
    everywhere = {
        code
        for file in tool.PACKAGE.rglob("*.py")
        if file.parent.name != "error_table"
        for code in re.findall(r"\bL\d{3}\b", file.read_text(encoding="utf-8"))
    }
    assert everywhere == set(raised())


def test_one_code_means_one_thing() -> None:
    whats = [entry.what for entry in ERRORS.values() if entry.what]
    assert len(whats) == len(set(whats)), "two codes for the same sentence"
    for code, entry in ERRORS.items():
        assert entry.what or entry.title, f"{code} has no title"
        assert len(entry.explanation.split()) > 8, f"{code} is not explained"
    assert all(list(entries) == sorted(entries) for entries in errors_page.SECTIONS.values()), "in order of their codes"


def test_the_page_is_written_from_the_table() -> None:
    page = errors_page.PAGE.read_text(encoding="utf-8")
    assert page == errors_page.page_of_errors(page), "python -m tests.errors_page writes it anew"


@pytest.mark.parametrize("spoken", LANGUAGES)
def test_one_verdict_has_the_same_words_in_the_studio_and_in_all_that_is_written(spoken: str) -> None:
    use_language(spoken)
    studio = page_sentences(spoken)

    def there(stem: str) -> dict[str, str]:
        return {verdict: studio[key] for verdict in VERDICTS if (key := f"{stem}.{verdict}") in studio}

    assert there("verdict") == {verdict: messages._(words) for verdict, words in VERDICT_WORDS.items()} and set(
        VERDICT_WORDS
    ) == set(VERDICTS)
    assert there("badge") == {verdict: messages._(words) for verdict, words in BADGE_WORDS.items()}
    assert (studio["unit.agrees"], studio["unit.differs"]) == (messages._("agrees"), messages._("differs"))
