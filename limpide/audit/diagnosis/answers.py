"""Classes never named, noisy labels, a score too good to be true, and too few validation images, from the answers of
the network that was kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from limpide.audit.diagnosis.record import Changes, Diagnosis, TrainingRecord
from limpide.audit.label_errors import find_label_errors
from limpide.core.examination import ValidationSigns
from limpide.statistics.intervals import interval_of_share
from limpide.text.messages import N_, message

UNEVEN = 3  # times the images of the smallest class: balancing may help
RARE = 8  # validation images of a class: that none of fewer is named may be chance
MOST = 0.9  # share of the answers: a class that is named as often is named for nearly everything
SURE = 0.4  # probability of another class above that of the label: a label that looks wrong
NOISY = 0.08  # share of the validation labels that look wrong
LEARNED = 0.5  # share named rightly: a network that names fewer is no judge of labels
ENOUGH = 50  # validation images: fewer tell too little
EXCELLENT = 0.97  # share named rightly by a rule of a few pixels
TREE_LEAVES = 2  # times the classes
TREE_SIDE = 16  # pixels: side of the images that the rule reads
SHOWN = 3  # classes in a sentence


def sign_answers(
    probabilities: np.ndarray, truth: np.ndarray, rule: tuple[float, int] | None = None
) -> ValidationSigns | None:
    """The signs in the answers about the validation images; None without any.

    probabilities: (n, classes) · truth: int (n,) · rule: of `easiest_rule`
    """
    n, classes = probabilities.shape
    if not n:
        return None
    named = probabilities.argmax(1)
    return ValidationSigns(
        n=n,
        accuracy=float((named == truth).mean()),
        images=tuple(np.bincount(truth, minlength=classes).tolist()),
        named=tuple(np.bincount(named, minlength=classes).tolist()),
        suspects=sum(margin > SURE for _, _, margin in find_label_errors(probabilities, truth)),
        rule=rule[0] if rule else None,
        rule_pixels=rule[1] if rule else 0,
    )


def easiest_rule(
    trained: np.ndarray, trained_truth: np.ndarray, validation: np.ndarray, truth: np.ndarray
) -> tuple[float, int]:
    """(share of the validation images, as the mean over the classes; pixels) that a small decision tree names rightly
    and looks at.

    trained, validation: uint8 (n, size, size, channels), made smaller to 16 by 16 pixels
    """
    from sklearn.metrics import recall_score
    from sklearn.tree import DecisionTreeClassifier

    leaves = max(2, TREE_LEAVES * len(np.unique(trained_truth)))
    tree = DecisionTreeClassifier(max_leaf_nodes=leaves, class_weight="balanced", random_state=0)
    tree.fit(_small(trained), trained_truth)
    read = {int(feature) // trained.shape[3] for feature in tree.tree_.feature if feature >= 0}
    named = tree.predict(_small(validation))
    return float(recall_score(truth, named, labels=np.unique(truth), average="macro", zero_division=0)), len(read)


def _small(squares: np.ndarray) -> np.ndarray:
    """Means over blocks of pixels, (n, values): at most TREE_SIDE a side; borders that fill no block are left out."""
    n, size, _, channels = squares.shape
    block = max(1, size // TREE_SIDE)
    side = size // block
    cut = squares[:, : side * block, : side * block].astype(np.float32)
    return cut.reshape(n, side, block, side, block, channels).mean((2, 4)).reshape(n, -1)


def judge_answers(record: TrainingRecord) -> Iterator[Diagnosis]:
    examination = record.examination
    if examination is None or examination.validation is None:
        return
    signs, epoch = examination.validation, max(1, examination.epoch)
    if signs.n < ENOUGH:
        yield _name_little(signs)
    yield from _judge_classes(signs, record.classes, epoch)
    yield from _judge_ease(signs)
    yield from _judge_labels(signs)


def _name_little(signs: ValidationSigns) -> Diagnosis:
    found = interval_of_share(np.arange(signs.n) < round(signs.accuracy * signs.n))
    says = N_(
        "{n:count} validation images are too few to tell how well it learns: their accuracy of {accuracy:percent} may "
        "be anything from {low:percent} to {high:percent} on others."
    )
    if signs.n == 1:
        says = N_("One validation image does not tell how well it learns.")
    text = message(says, n=signs.n, accuracy=signs.accuracy, low=found.low, high=found.high)
    todo = message(N_("Add images, or set more of them aside."))
    return Diagnosis("unknown", text, "little validation", changes=(("validation", "0.3"),), todo=todo)


def _judge_classes(signs: ValidationSigns, classes: Sequence[str], epoch: int) -> Iterator[Diagnosis]:
    most = int(np.argmax(signs.named))
    missing = [k for k, n in enumerate(signs.images) if n >= RARE and not signs.named[k]]
    share, truth = signs.named[most] / signs.n, signs.images[most] / signs.n
    names = [classes[k] if k < len(classes) else str(k) for k in range(len(signs.images))]
    others = signs.n - signs.images[most]
    if len(signs.images) > 1 and others >= RARE and share > MOST and share > truth + 0.2:
        says = N_(
            "It names nearly every image {name}: {share:percent} of the validation images, of which {truth:percent} "
            "are."
        )
        text = message(says, name=names[most], share=share, truth=truth)
    elif missing:
        says = N_("It never names {names}, though {n:count} of the validation images show it.")
        if len(missing) > 1:
            says = N_("It never names {names}, though {n:count} of the validation images show them.")
        shown = ", ".join(names[k] for k in missing[:SHOWN]) + (" …" if len(missing) > SHOWN else "")
        text = message(says, names=shown, n=sum(signs.images[k] for k in missing))
    else:
        return
    todo = message(N_("Check the labels of these classes, and add images of the rare ones."))
    counts = [n for n in signs.images if n]
    changes: Changes = (("balance", "yes"),) if max(counts) >= UNEVEN * min(counts) else ()
    yield Diagnosis("bad", text, "collapse", epoch, changes, todo)


def _judge_ease(signs: ValidationSigns) -> Iterator[Diagnosis]:
    if signs.rule is None or signs.n < ENOUGH or signs.rule < EXCELLENT:
        return
    says = N_(
        "Too good to be true: a rule that looks at {pixels:count} points of an image and nothing else names "
        "{rule:percent} of the validation images rightly (the mean over the classes). Perhaps a mark, a frame or the "
        "light gives the class away."
    )
    text = message(says, pixels=signs.rule_pixels, rule=signs.rule)
    todo = message(N_("Look at the images, and score the model on images of another day or camera: limpide evaluate."))
    yield Diagnosis("warn", text, "too good", todo=todo)


def _judge_labels(signs: ValidationSigns) -> Iterator[Diagnosis]:
    if signs.n < ENOUGH or signs.suspects < NOISY * signs.n or signs.accuracy < LEARNED:
        return
    says = N_(
        "About {share:percent} of the labels look wrong: the network, which did not learn from them, is surer of "
        "another class for {suspects:count} of {n:count} validation images."
    )
    text = message(says, share=signs.suspects / signs.n, suspects=signs.suspects, n=signs.n)
    todo = message(N_("Look at these images in the studio (limpide studio), correct the labels, and train again."))
    yield Diagnosis("warn", text, "noisy labels", todo=todo)
