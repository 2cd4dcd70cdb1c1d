"""The words around a finding: its source, its numbers by name. limpide/text/formats.py formats the numbers."""

from __future__ import annotations

from limpide.core.finding import Finding, Number
from limpide.text.formats import visible_text
from limpide.text.messages import N_, Message, _

SOURCES = {
    "folds": N_("the images, each judged by a model that had not seen it"),
    "test": N_("the test images"),
    "validation": N_("the validation images"),
    "train": N_("the training images"),
}


def number_of(finding: Finding | None, name: str) -> Number | None:
    """The number of this name, or None: a run that was stopped early has fewer."""
    return next((number for number in finding.numbers if number.name == name), None) if finding else None


def value_of(finding: Finding | None, name: str) -> float | None:
    number = number_of(finding, name)
    return number.value if number else None


def second_line(finding: Finding) -> Message | None:
    """The line right below the headline: the score without images of classes that the model cannot name."""
    return finding.details[0] if finding.data.get("strange") and finding.details else None


def source_words(source: str) -> str:
    """The words for the source of a finding: a part of the data, or a paper."""
    return _(SOURCES[source]) if source in SOURCES else visible_text(source)
