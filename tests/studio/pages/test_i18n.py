"""Sentences and amounts of the pages: every key has its sentence, and amounts are written as the report writes them."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from limpide.browser import STATIC
from limpide.text.language import use_language
from limpide.text.numbers import (
    format_bytes,
    format_duration,
    format_large,
    format_number,
    format_percent,
    format_significant,
)
from limpide.text.page_sentences import page_sentences


def test_the_pages_use_the_keys_that_there_are_and_no_other() -> None:
    english = page_sentences("en")
    scripts = "".join(file.read_text() for file in STATIC.rglob("*.js") if "vendor" not in file.parts)
    used = set(re.findall(r"\b(?:t|say)\(\s*\"([^\"]+)\"", scripts))
    assert len(used) > 100 and used <= set(english), used - set(english)
    stems = tuple(re.findall(r"\bt\(`([\w.]+)\$", scripts))  # t(`status.${…}`)
    quoted = set(re.findall(r"\"([\w.]+)\"", scripts))  # t(wrong ? "image.wrong" : "image.right")
    assert {key for key in english if key not in used | quoted and not key.startswith(stems)} == set(), "said nowhere"


def amounts_to_write() -> dict[str, list[float]]:
    """Where a unit, a digit or a plural changes; and many at random."""
    dice = np.random.default_rng(0)
    return {
        "duration": [
            0.04,
            7,
            9.96,
            10.5,
            59.4,
            59.7,
            60,
            119.6,
            3599.7,
            3600,
            3630,
            5399,
            86_399,
            400_000,
            *dice.uniform(0, 9000, 300).round(1).tolist(),
        ],
        "bytes": [
            0,
            999,
            999.6,
            1000,
            7665,
            999_700,
            18_612_345,
            2e9,
            3e12,
            *(10 ** dice.uniform(0, 12, 300)).tolist(),
        ],
        "percent": [k / n for n in (7, 16, 40, 2000) for k in range(n + 1)],
        "number": [
            0,
            0.5,
            2.345,
            2.355,
            0.0125,
            99.95,
            100.5,
            1234.5,
            9.9999999,
            1.2e-5,
            *(10 ** dice.uniform(-4, 5, 300)).tolist(),
        ],
        "count": [0, 999, 1000, 1_234_567],
        "large": [999, 1_234_567, 385_187_552, 2.5e9],
    }


def test_pages_write_amounts_as_the_report_does(page: Any) -> None:
    amounts = amounts_to_write()
    theirs = {
        "duration": format_duration,
        "bytes": format_bytes,
        "percent": format_percent,
        "number": format_significant,
        "count": format_number,
    }
    for name in ("en", "fr"):
        use_language(name)
        said = page.evaluate(
            """([name, amounts]) => Promise.all([import('/static/i18n.js'), import('/static/state.js')]).then(([words, { language }]) => {
               language.value = name; return Object.entries(amounts).map(([form, values]) => values.map((value) => words[form](value))); })""",
            [name, amounts],
        )
        for (form, values), texts in zip(amounts.items(), said, strict=True):
            ours = [plain(theirs.get(form, format_large)(value)) for value in values]  # type: ignore[operator]
            assert [plain(text) for text in texts] == ours, (name, form)


def plain(text: str) -> str:
    """With one kind of space."""
    return re.sub(r"\s", " ", text)
