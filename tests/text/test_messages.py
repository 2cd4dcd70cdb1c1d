"""Numbers and sentences as a person of each language writes them."""

from __future__ import annotations

import json
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limpide.text.language import current_language, unsupported_language, use_language, wanted_language
from limpide.text.messages import Message, message, render
from limpide.text.numbers import format_bytes, format_duration, format_number, format_percent, format_significant

NB, THIN = "\N{NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("environment", "found"),
    [
        ({}, "en"),
        ({"LANG": "fr_FR.UTF-8"}, "fr"),
        ({"LANG": "fr"}, "fr"),
        ({"LANG": "fr_CA"}, "fr"),
        ({"LANG": "french"}, "fr"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "C"}, "en"),
        ({"LANG": "POSIX"}, "en"),
        ({"LANG": "fr_FR", "LC_ALL": "en_GB"}, "en"),
        ({"LANG": "en_GB", "LC_MESSAGES": "fr_FR"}, "fr"),
        ({"LC_ALL": "fr_FR", "LIMPIDE_LANG": "en"}, "en"),
        ({"LIMPIDE_LANG": "fr", "LC_ALL": "C"}, "fr"),
        ({"LIMPIDE_LANG": "", "LANG": "fr_FR"}, "fr"),
        ({"LIMPIDE_LANG": "xx"}, "en"),
        ({"LANG": "\udcff"}, "en"),
    ],
)
def test_the_language_that_was_asked_for(environment: dict[str, str], found: str) -> None:
    assert wanted_language(environment) == found


@pytest.mark.parametrize(
    ("wished", "missing"),
    [
        ("", ""),
        ("fr", ""),
        ("fr_FR.UTF-8", ""),
        ("C", ""),
        ("C.UTF-8", ""),
        ("POSIX", ""),
        ("de", "de"),
        ("xx_YY", "xx_YY"),
    ],
)
def test_a_language_that_is_not_there_is_not_passed_over(wished: str, missing: str) -> None:
    assert unsupported_language({"LIMPIDE_LANG": wished, "LANG": "de_DE"}) == missing


@pytest.mark.parametrize(
    ("share", "english", "french"),
    [
        (0, "0.0 %", "0,0 %"),
        (1, "100.0 %", "100,0 %"),
        (0.5, "50.0 %", "50,0 %"),
        (0.9912, "99.1 %", "99,1 %"),
        (0.99999, "99.9 %", "99,9 %"),
        (0.9995, "99.9 %", "99,9 %"),
        (12.5, "1,250.0 %", "1 250,0 %"),
    ],
)
def test_percent(share: float, english: str, french: str) -> None:
    assert format_percent(share) == english.replace(" %", NB + "%")
    use_language("fr")
    assert format_percent(share) == french.replace(" %", NB + "%").replace(" ", THIN)


def test_a_trace_is_not_nothing() -> None:
    assert format_percent(1e-9) == f"<{NB}0.1{NB}%"
    use_language("fr")
    assert format_percent(1e-9) == f"<{NB}0,1{NB}%"


@given(st.floats(0, 1), st.integers(0, 3))
def test_percent_never_claims_all_or_nothing_falsely(share: float, decimals: int) -> None:
    text = format_percent(share, decimals)
    value = float(text.removeprefix("<" + NB).removesuffix(NB + "%"))
    assert (value == 100) == (share == 1) and (value == 0) == (share == 0)
    assert abs(value - 100 * share) <= 1.001 * 10**-decimals


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (0.44, "0.4 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (74, "1 min 14 s"),
        (3599.4, "59 min 59 s"),
        (3599.7, "1 h"),
        (5400, "1 h 30 min"),
        (7199, "2 h"),
        (360_000, "100 h"),
    ],
)
def test_duration(seconds: float, text: str) -> None:
    assert format_duration(seconds).replace(NB, " ") == text


@given(st.floats(0, 1e6))
def test_a_duration_never_has_sixty_of_anything(seconds: float) -> None:
    text = format_duration(seconds).replace(NB, " ").replace(",", "")
    assert not re.search(r"\b60 (s|min)\b", text)
    assert " 0 " not in text  # "2 h", not "2 h 0 min"
    parts = {unit: float(value) for value, unit in re.findall(r"([\d.]+) (h|min|s)", text)}
    told = parts.get("h", 0) * 3600 + parts.get("min", 0) * 60 + parts.get("s", 0)
    assert abs(told - seconds) <= (0.051 if seconds < 9.95 else 0.51 if seconds < 3599.5 else 30.5)


@pytest.mark.parametrize(
    ("count", "english", "french"),
    [
        (0, "0 B", "0 o"),
        (999, "999 B", "999 o"),
        (999.6, "1 kB", "1 ko"),
        (1000, "1 kB", "1 ko"),
        (18_600_000, "18.6 MB", "18,6 Mo"),
        (999_600, "1 MB", "1 Mo"),
        (1.5e9, "1.5 GB", "1,5 Go"),
        (5e15, "5,000 TB", f"5{THIN}000 To"),
    ],
)
def test_size(count: float, english: str, french: str) -> None:
    assert format_bytes(count).replace(NB, " ") == english
    use_language("fr")
    assert format_bytes(count).replace(NB, " ") == french


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1, "1"),
        (100, "100"),
        (99.96, "100"),
        (1234.6, "1,235"),
        (12.34, "12.3"),
        (1.2345, "1.23"),
        (0.1, "0.1"),
        (0.012345, "0.0123"),
        (0.000123, "0.000123"),
        (0.00001234, "1.2\N{NO-BREAK SPACE}·\N{NO-BREAK SPACE}10⁻⁵"),
        (-12.34, "-12.3"),
        (10, "10"),
        (20.0, "20"),
        (math.inf, "inf"),
        (math.nan, "nan"),
    ],
)
def test_significant(value: float, text: str) -> None:
    assert format_significant(value) == text


@given(st.floats(1e-4, 1e9) | st.floats(-1e9, -1e-4))
def test_three_digits_are_kept(value: float) -> None:
    assert math.isclose(float(format_significant(value).replace(",", "")), value, rel_tol=0.00501)


def test_number_follows_the_language() -> None:
    assert format_number(1234567.891, 2) == "1,234,567.89"
    use_language("fr")
    assert format_number(1234567.891, 2) == f"1{THIN}234{THIN}567,89"
    assert format_significant(0.00001234) == "1,2\N{NO-BREAK SPACE}·\N{NO-BREAK SPACE}10⁻⁵"


def test_formats_inside_a_sentence() -> None:
    sentence = message(
        "{p:percent} {n:count} {d:duration} {b:bytes} {v:number} {x:.3f} {name}",
        p=0.5,
        n=1234,
        d=74,
        b=1e6,
        v=2.5,
        x=1 / 3,
        name="{n}",
    )
    assert str(sentence) == f"50.0{NB}% 1,234 1{NB}min 14{NB}s 1{NB}MB 2.5 0.333 {{n}}"
    use_language("fr")
    assert str(sentence) == f"50,0{NB}% 1{THIN}234 1{NB}min 14{NB}s 1{NB}Mo 2,5 0.333 {{n}}"


def test_a_message_inside_a_message_is_worded_in_the_same_language() -> None:
    inner = message("the network")
    for value in (inner, inner.to_json()):
        outer = message("<{rival}>", rival=value)
        use_language("en")
        assert str(outer) == "<the network>"
        use_language("fr")
        assert str(outer) == "<le réseau>"


def test_plural_forms_of_each_language() -> None:
    def said(n: int) -> str:
        return str(message("{reason}: {n:count} file", "{reason}: {n:count} files", reason="x", n=n))

    assert [said(n) for n in (0, 1, 2)] == ["x: 0 files", "x: 1 file", "x: 2 files"]
    use_language("fr")
    assert [said(n).replace(NB, " ") for n in (0, 1, 2)] == ["x : 0 fichier", "x : 1 fichier", "x : 2 fichiers"]


def test_what_the_catalogue_does_not_know_stays_english() -> None:
    use_language("fr")
    assert str(message("a sentence that nobody translated")) == "a sentence that nobody translated"
    assert render("", {}) == ""  # gettext would answer with the header of the catalogue


names = st.text(st.characters(), max_size=20)


@given(names, names)
def test_values_are_never_taken_for_templates(a: str, b: str) -> None:
    assert str(message("{a}|{b}", a=a, b=b)) == f"{a}|{b}"


@given(st.dictionaries(st.text(min_size=1, max_size=5), st.integers() | names, max_size=3), st.none() | names)
def test_a_message_goes_to_json_and_back(values: dict[str, object], plural: str | None) -> None:
    before = Message("id", values, plural or None)
    assert Message.from_json(json.loads(json.dumps(before.to_json()))) == before


def test_an_unknown_language_is_refused_and_changes_nothing() -> None:
    use_language("fr")
    with pytest.raises(FileNotFoundError):
        use_language("xx")
    assert current_language() == "fr" and str(message("the network")) == "le réseau"
