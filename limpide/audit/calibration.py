"""When it says 90 %, is it right nine times in ten?

What it measures: the expected calibration error, in ten bins of stated probability, less what chance alone shows
(statistics/calibration_error.py). Why it matters: a threshold on the probability is only as good as the probability.
How it can mislead: with few images much is left open; the error says nothing about one class or one image. Sources: Guo
et al. 2017 (arXiv 1706.04599), equation 3; Vaicenavicius et al. 2019 (arXiv 1902.06977), section 5.
"""

from __future__ import annotations

from dataclasses import asdict

from limpide.audit.evidence import Evidence
from limpide.core.finding import Finding, Number, Verdict
from limpide.statistics.calibration_error import TAIL, CalibrationError, calibration_error
from limpide.statistics.intervals import Interval
from limpide.text.messages import N_, Message, message

# share: an error below SMALL does not matter, even if it is real; a verdict "ok" rules out MEANT; "bad" is at least
# LARGE
SMALL, MEANT, LARGE = 0.05, 0.1, 0.1


def calibration(evidence: Evidence) -> Finding:
    is_balanced = evidence.priors is not None
    evidence = evidence.as_frequent  # stated and observed probabilities are compared on images as they come
    error, n = calibration_error(evidence.probabilities.max(1), evidence.right, evidence.groups), len(evidence.truth)
    stated, score = float(evidence.probabilities.max(1).mean()), evidence.score
    verdict = evidence.told(verdict_of(error))
    return Finding(
        name="calibration",
        verdict=verdict,
        message=message(
            _choose_sentence(evidence, verdict, score),
            n=n,
            images=evidence.images().to_json(),
            stated=stated,
            right=score.value,
            error=error.gap,
            high=error.high,
        ),
        numbers=_list_numbers(evidence, error),
        details=_list_details(evidence, error, score),
        source=evidence.source,
        data={"bins": [asdict(b) for b in error.bins], "balanced": is_balanced},
    )


def _choose_sentence(evidence: Evidence, verdict: Verdict, score: Interval) -> str:
    """The msgid of the headline."""
    if verdict == "ok" and score.low <= evidence.baseline:
        return N_(
            "Its probabilities are honest, and show how little it knows: on average it states {stated:percent} "
            "and is right {right:percent} of the time."
        )
    if not evidence.groups_known:
        return N_(
            "{images} cannot tell whether its probabilities can be believed, as nothing says which of them "
            "belong together."
        )
    return {
        "unknown": N_(
            "{images} cannot tell whether its probabilities can be believed: what it states may be off by up to "
            "{high:percent}."
        ),
        "ok": N_(
            "Its probabilities can be believed: on average it states {stated:percent} and is right "
            "{right:percent} of the time."
        ),
        "warn": N_(
            "Be careful with its probabilities: among images of similar confidence, what it states and how often "
            "it is right differ by {error:percent}."
        ),
        "bad": N_(
            "Do not rely on its probabilities: among images of similar confidence, what it states and how often "
            "it is right differ by {error:percent}."
        ),
    }[verdict]


def _list_numbers(evidence: Evidence, error: CalibrationError) -> list[Number]:
    n = len(evidence.truth)
    low, high = (error.low, error.high) if evidence.groups_known else (None, None)
    return [
        Number(N_("calibration error"), error.gap, "share", low, high, n),
        Number(N_("calibration error as measured"), error.error, "share", n=n),
        Number(N_("calibration error by chance alone"), error.expected, "share", n=n),
        Number(N_("temperature"), evidence.temperature, ""),
    ]


def _list_details(evidence: Evidence, error: CalibrationError, score: Interval) -> list[Message]:
    """What the error is, what chance alone would show, how groups were counted, and the temperature."""
    return [
        message(
            N_(
                "Calibration error: the gap between the stated probability and the observed share of right "
                "answers, averaged over ten groups of test images. What chance adds is taken out of each group, "
                "so this is not the difference of the two numbers below it."
            )
        ),
        message(
            N_(
                "A model whose probabilities are exactly right would show {expected:percent} on these images; "
                "this one shows {error:percent}."
            ),
            expected=error.expected,
            error=error.error,
        ),
        *evidence.on_groups(score.effective),
        message(
            N_(
                "Temperature: the logits were divided by this number, which was fitted on images used neither to "
                "train nor to test the network."
            )
            if evidence.temperature != 1.0
            else N_("Temperature: 1, the logits are used as the network outputs them.")
        ),
    ]


def verdict_of(found: CalibrationError) -> Verdict:
    """An accusation only where a model with correct probabilities would show as much in less than 2.5 % of cases, and
    where the error may matter.
    """
    if found.p <= TAIL and found.high >= SMALL:
        return "bad" if found.low >= LARGE else "warn"
    return "ok" if found.high < MEANT else "unknown"
