"""How often is it right, on images it never saw?

What it measures: the share of test images whose most probable class is the true one, with a 95 % interval.
Why it matters: it is the score people quote, and without interval and baseline it means little.
How it can mislead: uneven classes (balanced accuracy stands beside it); test images too like the training ones.
Sources: Wilson 1927 for the interval.
"""

from __future__ import annotations

import numpy as np

from limpide.audit.evidence import Evidence
from limpide.finding import Finding, Number, Verdict
from limpide.language import N_, message
from limpide.metrics import balanced_accuracy, confusion, macro_f1, wilson

UNEVEN = 3  # the largest class this many times the smallest


def accuracy(evidence: Evidence) -> Finding:
    n, classes = len(evidence.truth), len(evidence.classes)
    right = int(evidence.right.sum())
    low, high = wilson(right, n)
    counts = confusion(evidence.truth, evidence.predicted, classes)
    balanced, f1, met = balanced_accuracy(counts), macro_f1(counts), counts.sum(1)
    uneven = bool(met.max() >= UNEVEN * met[met > 0].min()) if n else False
    majority = float(np.mean(evidence.truth == evidence.majority))
    baseline = max(majority, 1 / classes)
    verdict: Verdict = "ok" if low > baseline else "warn" if right / n > baseline else "bad"
    says = {
        "ok": N_("Of {n:count} images it had never seen, it names {accuracy:percent} correctly."),
        "warn": N_("Of {n:count} images it had never seen, it names {accuracy:percent} correctly; that it beats always saying {majority} may be luck."),
        "bad": N_("Of {n:count} images it had never seen, it names {accuracy:percent} correctly: no better than always saying {majority}."),
    }[verdict]
    if evidence.trained_on is None:
        verdict, says = (
            "unknown",
            N_("Of {n:count} images it names {accuracy:percent} correctly; a model file alone cannot say whether it learned from some of them: name its run."),
        )
    elif evidence.trained_on:
        verdict, says = (
            "warn",
            N_("Of {n:count} images it names {accuracy:percent} correctly, but its training used {trained:count} of them: this flatters it."),
        )
    return Finding(
        name="accuracy",
        verdict=verdict,
        message=message(says, accuracy=right / n, n=n, majority=evidence.classes[evidence.majority], trained=evidence.trained_on or 0),
        numbers=[
            Number(N_("accuracy"), right / n, "share", low, high, n),
            Number(N_("balanced accuracy"), balanced, "share", n=n),
            Number(N_("macro-F1"), f1, "share", n=n),
            Number(N_("chance"), 1 / classes, "share"),
            Number(N_("majority"), majority, "share", n=n),
            *([Number(N_("used in training"), evidence.trained_on, "count", n=n)] if evidence.trained_on is not None else []),
        ],
        details=[
            *([message(N_("The classes are uneven: read balanced accuracy and macro-F1, in which every class counts alike."))] if uneven else []),
            message(
                N_("Chance is what guessing among {classes:count} classes gives; majority is always saying {name}."),
                classes=classes,
                name=evidence.classes[evidence.majority],
            ),
            message(N_("The 95 % interval (Wilson) says how far chance alone could move the score on another {n:count} images like these."), n=n),
        ],
        source="test",
        data={"uneven": uneven},
    )
