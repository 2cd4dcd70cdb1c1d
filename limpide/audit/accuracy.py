"""How often is it right, on images it never saw?

What it measures: the share of test images whose most probable class is the true one, with a 95 % interval.
Why it matters: it is the score people quote, and without interval and baseline it means little.
How it can mislead: uneven classes (balanced accuracy is reported next to it); test images too like the training ones;
images that belong together, where no data say which do. Sources: Wilson 1927 for the interval; statistics/intervals.py
for groups.
"""

from __future__ import annotations

import numpy as np

from limpide.audit.evidence import Evidence
from limpide.core.finding import Finding, Number, Verdict
from limpide.statistics.intervals import CHANCE_LEVEL, Interval
from limpide.statistics.metrics import balanced_accuracy, confusion, macro_f1
from limpide.statistics.paired import compare_paired
from limpide.text.messages import N_, Message, message

KNOWN_CLASSES = N_("accuracy on the classes it knows")
# share of the mistakes of a model that always says the most frequent class: a model that avoids fewer has learned
# nothing of use
WORTH = 0.1
UNEVEN = 3  # the largest class this many times the smallest


def accuracy(evidence: Evidence) -> Finding:
    # a rare class counts as much as a frequent one; the score does, too, where the images were not learned from
    balanced = evidence.priors is not None and evidence.judged is not None and evidence.nearly is not None
    score = evidence.balanced_score if balanced else evidence.score
    counts = confusion(evidence.truth, evidence.predicted, len(evidence.classes))
    known_score = _on_known_classes(evidence)
    uneven = _is_uneven(counts.sum(1))
    if balanced:
        verdict = evidence.told(_against_guessing(evidence, score))
        says = _says_balanced(evidence, verdict)
    else:
        verdict, says = _says(evidence, score, evidence.told(_against(evidence, score)))
    return Finding(
        name="accuracy",
        verdict=verdict,
        message=message(
            says,
            accuracy=score.value,
            n=len(evidence.truth),
            images=evidence.images().to_json(),
            majority=evidence.classes[evidence.majority],
            trained=evidence.trained_on or 0,
        ),
        numbers=_list_numbers(evidence, known_score, counts),
        details=[
            *_beside_strange(evidence, known_score),
            *_how_judged(evidence),
            *_how_seen(evidence),
            *_explain_scores(evidence, uneven),
            *evidence.on_groups(evidence.score.effective),
        ],
        source=evidence.source,
        data={
            "judged": evidence.judged,
            "uneven": uneven,
            "lead": "balanced accuracy" if balanced else "accuracy",
            "strange": list(evidence.classes[evidence.known :]) if known_score else [],
        },
    )


def _is_uneven(met: np.ndarray) -> bool:
    """met: int (classes,), the test images of each; classes without any do not count."""
    return bool(met.any() and met.max() >= UNEVEN * met[met > 0].min())


def _list_numbers(evidence: Evidence, known_score: list[Number], counts: np.ndarray) -> list[Number]:
    """counts: int (classes, classes), how often each true class (row) was given each class (column)."""
    n, score = len(evidence.truth), evidence.score
    majority = float(np.mean(evidence.truth == evidence.majority))
    numbers = [
        Number(N_("accuracy"), score.value, "share", *evidence.ends(score), n),
        *known_score,
        Number(N_("balanced accuracy"), balanced_accuracy(counts), "share", *evidence.ends(evidence.balanced_score), n),
        Number(N_("macro-F1"), macro_f1(counts), "share", n=n),
        Number(N_("chance"), 1 / evidence.known, "share"),
        Number(N_("majority"), majority, "share", n=n),
    ]
    if evidence.trained_on is not None:
        numbers.append(Number(N_("used in training"), evidence.trained_on, "count", n=n))
    if evidence.nearly is not None:
        numbers.append(Number(N_("nearly the same as training images"), evidence.nearly, "count", n=n))
    return numbers


def _explain_scores(evidence: Evidence, uneven: bool) -> list[Message]:
    """How to read the scores: where the classes are uneven, what chance and majority are, what the interval says."""
    details = []
    if evidence.priors is not None:
        says = N_(
            "A rare class counts as much as a frequent one: the model names it as readily, and its probabilities "
            "are those for equally frequent classes (--balance no leaves them unchanged)."
        )
        details.append(message(says))
    if uneven:
        says = N_("The classes are uneven: read balanced accuracy and macro-F1, in which every class counts equally.")
        details.append(message(says))
    details.append(
        message(
            N_(
                "Chance is the score of guessing among {classes:count} classes; majority is the score of "
                "always saying {name}."
            ),
            classes=evidence.known,
            name=evidence.classes[evidence.majority],
        )
    )
    if evidence.groups_known:
        says = N_(
            "The 95 % interval (Wilson) says where the score on very many images like these may lie, "
            "estimated from these {n:count}."
        )
        details.append(message(says, n=len(evidence.truth)))
    return details


def _against_guessing(evidence: Evidence, score: Interval) -> Verdict:
    """As `_against`, for the mean over classes, which is 1 / known for guessing, or for always saying one class."""
    chance = 1 / evidence.known
    if score.low > chance and score.above(chance):
        return "ok"
    return "bad" if score.below(chance + WORTH * (1 - chance)) else "unknown"


def _against(evidence: Evidence, score: Interval) -> Verdict:
    """Compare with a model that learns only the names: "ok" or "bad" where the images rule out the contrary with
    97.5 %, else "unknown".

    "bad" means that the model avoids less than WORTH of the mistakes of always saying the most frequent class. This is
    shown by the interval of the score, or by comparing the two image by image, which is more powerful where the model
    nearly always says that class.
    """
    baseline = evidence.baseline
    if score.low > baseline and score.above(baseline):
        return "ok"
    margin = WORTH * (1 - baseline)
    if score.below(baseline + margin):
        return "bad"
    always = evidence.truth == evidence.majority
    behind = margin + baseline - float(always.mean())
    groups, variance = evidence.groups, evidence.variance
    beside = compare_paired(evidence.right, always, groups, behind, variance) if margin else None
    return "bad" if beside and beside.close <= CHANCE_LEVEL else "unknown"


def _says(evidence: Evidence, score: Interval, verdict: Verdict) -> tuple[Verdict, str]:
    """Return (the verdict, weakened where the images were seen or may have been; its sentence (msgid))."""
    if evidence.folds:
        return _says_of_folds(evidence, score, verdict)
    if evidence.trained_on is None:
        return "unknown", N_(
            "Of {images} it names {accuracy:percent} correctly; a model file alone cannot say whether it learned "
            "from some of them: name its run."
        )
    if evidence.trained_on:
        return "warn", N_(
            "Of {images} it names {accuracy:percent} correctly, but its training used {trained:count} of them, "
            "or nearly the same: this inflates the score."
        )
    if evidence.nearly is None:
        return "unknown" if verdict == "ok" else verdict, N_(
            "Of {images}, none of them an exact copy of a training image, it names {accuracy:percent} correctly; "
            "near-duplicates cannot be recognised, as its run kept no fingerprints."
        )
    if verdict == "unknown" and not evidence.groups_known:
        return verdict, N_(
            "Of {images} it had never seen, it names {accuracy:percent} correctly; the certainty of this score "
            "is not known, as nothing says which of them belong together."
        )
    if verdict == "unknown" and score.value <= evidence.baseline:
        return verdict, N_(
            "Of {images} it had never seen, it names {accuracy:percent} correctly, no more than always saying "
            "{majority} would; that may be bad luck."
        )
    return verdict, {
        "ok": N_("Of {images} it had never seen, it names {accuracy:percent} correctly."),
        "unknown": N_(
            "Of {images} it had never seen, it names {accuracy:percent} correctly; the lead over always saying "
            "{majority} may be luck."
        ),
        "bad": N_(
            "Of {images} it had never seen, it names {accuracy:percent} correctly: no better than always saying "
            "{majority}."
        ),
    }[verdict]


def _says_balanced(evidence: Evidence, verdict: Verdict) -> str:
    """The sentence (msgid) on the mean over the classes, for images that were not learned from."""
    if not evidence.groups_known:
        return N_(
            "Of {images} it had never seen, it names {accuracy:percent} correctly, every class counted equally; "
            "the certainty of this score is not known, as nothing says which of them belong together."
        )
    if evidence.folds:
        return {
            "ok": N_(
                "Of {images}, each judged by a model that had not seen it, {accuracy:percent} are named "
                "correctly, every class counted equally."
            ),
            "unknown": N_(
                "Of {images}, each judged by a model that had not seen it, {accuracy:percent} are named "
                "correctly, every class counted equally; the lead over guessing may be luck."
            ),
            "bad": N_(
                "Of {images}, each judged by a model that had not seen it, {accuracy:percent} are named "
                "correctly, every class counted equally: no better than guessing."
            ),
        }[verdict]
    return {
        "ok": N_("Of {images} it had never seen, it names {accuracy:percent} correctly, every class counted equally."),
        "unknown": N_(
            "Of {images} it had never seen, it names {accuracy:percent} correctly, every class counted equally; "
            "the lead over guessing may be luck."
        ),
        "bad": N_(
            "Of {images} it had never seen, it names {accuracy:percent} correctly, every class counted equally: "
            "no better than guessing."
        ),
    }[verdict]


def _says_of_folds(evidence: Evidence, score: Interval, verdict: Verdict) -> tuple[Verdict, str]:
    if verdict == "unknown" and score.value <= evidence.baseline:
        return verdict, N_(
            "Of {images}, each judged by a model that had not seen it, {accuracy:percent} are named correctly, no more "
            "than always saying {majority} would name; that may be bad luck."
        )
    return verdict, {
        "ok": N_("Of {images}, each judged by a model that had not seen it, {accuracy:percent} are named correctly."),
        "unknown": N_(
            "Of {images}, each judged by a model that had not seen it, {accuracy:percent} are named correctly; "
            "the lead over always saying {majority} may be luck."
        ),
        "bad": N_(
            "Of {images}, each judged by a model that had not seen it, {accuracy:percent} are named correctly: no "
            "better than always saying {majority}."
        ),
    }[verdict]


def _how_judged(evidence: Evidence) -> list[Message]:
    """What was judged and what is shipped, where these differ."""
    if not evidence.folds:
        return []
    says = N_(
        "Judged in {folds:count} folds: each image was judged by a model that learned from the other folds and "
        "was chosen and calibrated on images of the other folds. The model that is shipped learned from all "
        "images, in the same way."
    )
    return [message(says, folds=evidence.folds)]


def _on_known_classes(evidence: Evidence) -> list[Number]:
    """The score without the images that it cannot name, if there are any."""
    score = evidence.share(evidence.right, evidence.truth < evidence.known)
    return (
        [Number(KNOWN_CLASSES, score.value, "share", *evidence.ends(score), score.n)]
        if 0 < score.n < len(evidence.truth)
        else []
    )


def _beside_strange(evidence: Evidence, known_score: list[Number]) -> list[Message]:
    """The line below the headline, where some images are of classes that the model cannot name. Renderers show it first
    (data["strange"]).
    """
    names = ", ".join(evidence.classes[evidence.known :])
    return [
        message(
            N_(
                "{never:count} of these images are of classes that it never learned ({names}), so it can never "
                "name them correctly; of the other {n:count} it names {share:percent} correctly."
            ),
            never=len(evidence.truth) - int(one.n or 0),
            names=names,
            n=one.n,
            share=one.value,
        )
        for one in known_score
    ]


def _how_seen(evidence: Evidence) -> list[Message]:
    """In which way the images are the same as those that the model was trained on."""
    if not evidence.trained_on:
        return []
    if evidence.nearly is None:
        return [
            message(
                N_(
                    "They are the same byte for byte; near-duplicates cannot be recognised, as its run kept no "
                    "fingerprints."
                )
            )
        ]
    return [
        message(
            N_(
                "{same:count} are the same byte for byte, {nearly:count} nearly the same: saved again, smaller, "
                "brighter or slightly cropped."
            ),
            same=evidence.trained_on - evidence.nearly,
            nearly=evidence.nearly,
        )
    ]
