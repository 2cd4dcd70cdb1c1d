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
        "": N_(
            "Score the model on defects that you have, in folders beside the good parts: limpide evaluate "
            "runs/{run} parts/"
        )
    },
    "simpler": {
        "ok": N_("Keep the network: no simpler model replaces it."),
        "warn": N_("Compare time and size in the table. If they matter to you, use the simpler model."),
        "bad": N_("Use the simpler model, or give the network more time (--time, --epochs) and compare again."),
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
        "": N_(
            "Look at the images of the most frequent confusion. Correct wrong labels, add images that show the "
            "difference, or merge the two classes."
        )
    },
    "mistakes": {
        "": N_("Correct the labels that are wrong here, and train again. Mistakes that remain show what it lacks.")
    },
    "shortcut": {
        "ok": NOTHING,
        "unknown": N_(
            "Start limpide studio and open its Image page: cover parts of an image and see whether the answer "
            "changes. More test images would tell."
        ),
        "": N_("Cut this area off all images, or collect images without the mark, and train again."),
    },
    "training": {
        "ok": NOTHING,
        "": N_(
            "If the loss rises or jumps, train with a smaller learning rate (--lr). If it falls on training "
            "images alone, add images."
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
    "inside": {"": N_("Nothing. To open any other number of the network: limpide studio")},
    "data": {
        "ok": NOTHING,
        "": N_(
            "Go through the points above and mend the folder. To see the effect without training: limpide check DATA"
        ),
    },
    "cost": {
        "": N_(
            "If it is too slow or too large for you, train with smaller squares (--image-size) or a smaller "
            "network (limpide models lists them)."
        )
    },
    "export": {
        "ok": N_("Copy the file to where it is used: limpide export runs/{run} model.onnx"),
        "": N_("Do not use this file. Train again; if this comes again, please report it."),
    },
}


def next_step(name: str, verdict: Verdict, finding: Finding | None, run: str) -> Message | None:
    """The sentence for a finding of this name; None for one that has none, such as a stranger's.

    verdict: the worst of what its section shows · finding: the finding itself, if the run has it · run: the name of the
    run's folder.
    """
    steps = NEXT.get(name, {})
    says = steps.get(verdict, steps.get(""))
    if says and finding is not None and _shows_no_mistake(finding):
        says = NOTHING
    return message(says, run=run) if says else None


def _shows_no_mistake(finding: Finding) -> bool:
    if finding.name == "mistakes":
        return not finding.pictures
    return finding.name == "confusion" and not (finding.table and finding.table.rows)
