"""What predictors of several kinds say of images, and the audits that are fed with it."""

from __future__ import annotations

import json
from collections.abc import Generator
from functools import partial
from typing import Any

import numpy as np

from limpide.audit.evidence import Evidence
from limpide.core.events import Event
from limpide.core.finding import Finding
from limpide.judging.audit import Audit
from limpide.judging.registry import in_evaluate
from limpide.text.language import LANGUAGES, use_language
from limpide.text.messages import Message

NAMES = ("cat", "dog", "bird", "fish")


HOSTILE = ("<script>alert(1)</script>", "{n:count} {0} {", "[red]x[/red]\x1b[31m", "a\nb\u202e\udcff")


class FromEvidence:
    """A subject of which nothing is known but its evidence."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence

    def evidence(self) -> Generator[Event, None, Evidence]:
        return self._evidence
        yield


def finding_of(audit: Audit, evidence: Evidence) -> Finding:
    (found,) = audit.run(FromEvidence(evidence))  # type: ignore[arg-type]
    assert isinstance(found, Finding)
    return found


AUDITS = {one.name: partial(finding_of, one) for one in in_evaluate(frozenset({"answers", "images"}))}


def evidence(kind: str, n: int = 400, classes: tuple[str, ...] = NAMES, seed: int = 0, **more: Any) -> Evidence:
    """What a predictor of this kind says of n images whose classes take turns."""
    rng = np.random.default_rng(seed)
    k, truth = len(classes), np.arange(n) % len(classes)
    if kind == "perfect":
        said, stated = truth.copy(), 0.999
    elif kind == "random":
        said, stated = rng.integers(0, k, n), 0.97
    elif kind == "one class":
        said, stated = np.ones(n, int), 0.9
    else:  # "good": nine in ten right, and says so
        said, stated = np.where(np.arange(n) // k % 10 == 0, (truth + 1) % k, truth), 0.9
    probabilities = np.full((n, k), (1 - stated) / (k - 1))
    probabilities[np.arange(n), said] = stated
    return Evidence(classes, tuple(f"{i}.jpg" for i in range(n)), truth, probabilities, 0, **more)


KINDS = ("perfect", "random", "one class", "good")


def well_formed(finding: Finding, name: str) -> None:
    """What every finding promises to whoever renders it."""
    assert finding.name == name
    again = Finding.from_json(json.loads(json.dumps(finding.to_json(), allow_nan=False)))
    assert again.to_json() == finding.to_json()
    for spoken in LANGUAGES:
        use_language(spoken)
        for sentence in (again.message, *again.details):
            assert isinstance(sentence, Message) and str(sentence).strip()
        for number in again.numbers:
            assert np.isfinite(number.value) and (
                number.low is None or number.high is None or number.low <= number.value <= number.high
            )
        if again.table:
            assert all(len(row) == len(again.table.columns) for row in again.table.rows)
    use_language("en")
