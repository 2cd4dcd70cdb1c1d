"""What to do after a claim: one sentence for each finding and verdict, the last line of its section."""

from __future__ import annotations

from limpide.core.finding import Finding, Verdict
from limpide.text.messages import N_, Message, message

NOTHING = N_("Nothing: this is as it should be.")

# Finding → verdict → sentence (msgid); "" for every other verdict.
NEXT: dict[str, dict[Verdict | str, str]] = {
    "accuracy": {
        "ok": N_(
            "Ask whether the lower end of the interval is good enough for your use. Then score the model on "
            "images from the place where it will work: limpide evaluate runs/{run} other-photos/"
        ),
        "bad": N_(
            "Do not use this model. Check that the labels are correct and that a person can tell the classes "
            "apart on these images; add images, and train again."
        ),
        "warn": N_("Score the model on images that it did not learn from: limpide evaluate runs/{run} other-photos/"),
        "unknown": N_(
            "Add images, and say which of them belong together (--groups). Until then, rely on the lower end of "
            "the interval, if there is one, and not on the score."
        ),
    },
    "defects": {
        "ok": N_(
            "Score the model on parts of another day, with defects in folders beside the good parts: limpide "
            "evaluate runs/{run} parts/"
        ),
        "warn": N_(
            "Add good parts of the same camera, light and day, look at the defects that it missed, and train again."
        ),
        "bad": N_(
            "Do not use this model: it does not tell defects from good parts. Try larger squares (--image-size "
            "448), or collect defects and train on both."
        ),
        "unknown": N_(
            "Score the model on defects that you have, in folders beside the good parts: limpide evaluate "
            "runs/{run} parts/"
        ),
    },
    "simpler": {
        "ok": N_("Keep the network: no simpler model replaces it."),
        "warn": N_(
            "Compare time and size in the table: if they matter to you, a simpler model does. But where that "
            "model always names the most frequent class, the network has not learned the others: check the "
            "labels, and add images of the rare classes."
        ),
        "bad": N_(
            "Do not use the network as it is: check the labels, add images, or train for more epochs (--epochs), "
            "and compare again. A model that always names the most frequent class is no substitute, as it finds "
            "no other."
        ),
        "unknown": N_(
            "Compare time and size of the network and of the best simpler model in the table: nothing shows that "
            "either names fewer images correctly. More test images would tell."
        ),
    },
    "good_parts_alone": {
        "ok": N_("Keep the network."),
        "unknown": N_("Collect more images of the rare class, and train again."),
        "": N_("Train from good parts alone with the command above, and compare on new parts."),
    },
    "classes": {
        "ok": N_("Nothing for now: no class is shown to be worse than the others."),
        "unknown": N_("Add images of the classes with the widest intervals, and train again."),
        "": N_("Look at the images of the weakest class: correct its labels, add more of its images, and train again."),
    },
    "confusion": {
        "warn": N_(
            "Look at the images of the most frequent confusion. Correct wrong labels, add images that show the "
            "difference, or merge the two classes."
        ),
        "": N_("Look at the images that were confused: none of these confusions is shown to be frequent."),
    },
    "mistakes": {
        "": N_(
            "Look for wrong labels among these images, and among some that it names correctly; then train again. "
            "Labels that are corrected only where the model disagrees make the next score too good."
        ),
    },
    "shortcut": {
        "ok": N_("Nothing for now: no such area was found in the classes that were examined."),
        "unknown": N_(
            "Start limpide studio and open its Image page: cover parts of an image and see whether the answer "
            "changes. More test images would tell."
        ),
        "": N_(
            "Look at this area. If it shows a mark and not the object itself, remove the mark, or collect images "
            "without it, and train again. If it shows the object, nothing is wrong."
        ),
    },
    "training": {
        "ok": NOTHING,
        "": N_(
            "If the loss rises or jumps, train with a smaller learning rate (--lr). If it stays where it began, "
            "check the labels and try another rate. If it falls on training images alone, add images."
        ),
    },
    "calibration": {
        "ok": N_("You may act on its probabilities: for example, hand answers below 90 % to a person."),
        "unknown": N_("Do not act on its probabilities yet. More test images would tell."),
        "": N_(
            "Do not read its probabilities as frequencies. Use the table above: it says how often it was right "
            "at which."
        ),
    },
    "inside": {
        "bad": N_("These numbers do not agree with the network: please report it."),
        "": N_("Nothing. To open any other number of the network: limpide studio"),
    },
    "data": {
        "ok": NOTHING,
        "": N_("Go through the points above and mend the data. To see the effect without training: limpide check DATA"),
    },
    "cost": {
        "": N_(
            "If it is too slow or too large for you, train with smaller squares (--image-size) or a smaller "
            "network (limpide models lists them)."
        ),
    },
    "export": {
        "ok": N_("Copy the file to where it is used: limpide export runs/{run} model.onnx"),
        "": N_("Do not use this file. Train again; if this comes again, please report it."),
    },
}
BALANCED = N_(
    "The model states probabilities as if all classes were equally frequent. Do not read them as frequencies: a "
    "rare class is rarer than they say. Training with --balance no gives those of classes as frequent as in the "
    "folder."
)
INCOMPLETE = N_("Give it more time (--time), so that all simpler models are compared.")


def next_step(name: str, verdict: Verdict, finding: Finding | None, run: str) -> Message | None:
    """The sentence for a finding of this name; None for one that has none, such as a stranger's.

    verdict: the worst of what its section shows · finding: the finding itself, if the run has it · run: the name of the
    run's folder.
    """
    steps = NEXT.get(name, {})
    says = (_of_this_finding(finding, verdict) if finding else "") or steps.get(verdict, steps.get(""))
    return message(says, run=run) if says else None


def _of_this_finding(finding: Finding, verdict: Verdict) -> str:
    """The sentence where more than name and verdict matters; "" where it does not."""
    if verdict == "ok" and _shows_no_mistake(finding):
        return NOTHING
    if finding.name == "calibration" and verdict == "ok" and finding.data.get("balanced"):
        return BALANCED
    if finding.name == "simpler" and verdict == "unknown" and not finding.data.get("is_complete", True):
        return INCOMPLETE
    return ""


def _shows_no_mistake(finding: Finding) -> bool:
    if finding.name == "mistakes":
        return not finding.pictures
    return finding.name == "confusion" and not (finding.table and finding.table.rows)
