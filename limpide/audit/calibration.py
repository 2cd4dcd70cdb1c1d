"""When it says 90 %, is it right nine times in ten?

What it measures: the expected calibration error, in ten bins of stated probability.
Why it matters: a threshold on the probability is only as good as the probability.
How it can mislead: with few images a bin is noise; the error says nothing about one class or one image.
Sources: Guo et al. 2017 (arXiv 1706.04599), equation 3.
"""

from __future__ import annotations

from dataclasses import asdict

from limpide.audit.evidence import Evidence
from limpide.finding import Finding, Number, Verdict
from limpide.language import N_, message
from limpide.metrics import reliability

WARN, BAD = 0.05, 0.15  # expected calibration error, share
FEWEST = 100  # test images


def calibration(evidence: Evidence) -> Finding:
    bins, error = reliability(evidence.probabilities, evidence.truth)
    n = len(evidence.truth)
    verdict: Verdict = "unknown" if n < FEWEST else "ok" if error < WARN else "warn" if error < BAD else "bad"
    stated = float(evidence.probabilities.max(1).mean())
    says = {
        "unknown": N_("Too few test images ({n:count}) to say whether its probabilities can be believed."),
        "ok": N_("Its probabilities can be believed: on average it states {stated:percent} and is right {right:percent} of the time."),
        "warn": N_(
            "Take its probabilities with a grain of salt: among images of like confidence, what it states and how often it is right differ by {error:percent}."
        ),
        "bad": N_("Do not rely on its probabilities: among images of like confidence, what it states and how often it is right differ by {error:percent}."),
    }[verdict]
    return Finding(
        name="calibration",
        verdict=verdict,
        message=message(says, n=n, stated=stated, right=float(evidence.right.mean()), error=error),
        numbers=[
            Number(N_("calibration error"), error, "share", n=n),
            Number(N_("temperature"), evidence.temperature, ""),
        ],
        details=[
            message(N_("Calibration error: the gap between stated and observed, averaged over ten groups of test images.")),
            message(N_("Temperature: logits were divided by this number, fitted on images that neither trained nor tested the network.")),
        ],
        source="test",
        data={"bins": [asdict(b) for b in bins]},
    )
