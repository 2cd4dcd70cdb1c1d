"""Findings about the run itself: the data it used, the file it sealed, how training ended, what it cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce

import numpy as np

from limpide.core.finding import Finding, Number, Table, Verdict
from limpide.core.run_info import Mirroring
from limpide.data.dataset import PART_NAMES
from limpide.data.layouts.image_paths import NO_PLACE
from limpide.system.energy import JOULES_PER_WH, WATTS_VARIABLE, Energy
from limpide.text.messages import N_, Message, message

AGREEMENT = 1e-4  # largest difference of a probability between the sealed file and torch


def data_finding(counts: Mapping[str, int], excluded: Mapping[str, int]) -> Finding:
    """How many images each part has (part → count), and how many were left out for which reason (reason msgid →
    count).
    """
    left_out = sum(excluded.values())
    broken = left_out - excluded.get(NO_PLACE, 0)  # a picture outside of the classes is not a fault of the data
    rows: list[list[object]] = [[message(PART_NAMES[part]), counts[part]] for part in PART_NAMES if counts.get(part)]
    rows += [
        [message(N_("left out: {reason}"), reason=message(reason).to_json()), n]
        for reason, n in sorted(excluded.items())
    ]
    total = sum(counts.values())
    says = (
        message(N_("All {n:count} images were used."), n=total)
        if not left_out
        else message(N_("{n:count} images were used and {out:count} left out."), n=total, out=left_out)
    )
    return Finding(
        name="data",
        verdict="ok" if broken <= 0.01 * (total + broken) else "warn",
        message=says,
        table=Table([(N_("part"), "text"), (N_("images"), "count")], rows),
        source="split.csv, excluded.csv",
        data={"excluded": left_out},
    )


def export_finding(exported: np.ndarray, torch_probabilities: np.ndarray, source: str = "validation") -> Finding:
    """Whether the sealed file, on the original image files, gives the answers of the network: (n, classes) each."""
    difference = float(np.abs(exported - torch_probabilities).max())
    same = float((exported.argmax(1) == torch_probabilities.argmax(1)).mean())
    verdict: Verdict = "ok" if difference <= AGREEMENT and same == 1.0 else "bad"
    says = {
        "ok": N_("The exported file gives the same answers as the network it came from, on {n:count} images."),
        "bad": N_(
            "The exported file and the network differ by up to {difference:percent} in a probability, on "
            "{n:count} images: do not ship it."
        ),
    }[verdict]
    return Finding(
        name="export",
        verdict=verdict,
        message=message(says, n=len(exported), difference=difference),
        numbers=[Number(N_("largest difference in a probability"), difference, "share", n=len(exported))],
        source=source,
    )


CUT_SAYS = {
    "time": N_(
        "Training stopped when its time was up, in epoch {epochs:count} of {planned:number}; epoch {best:count} "
        "was kept ({accuracy:percent} of {n:count} validation images correct)."
    ),
    "watcher": N_(
        "Training stopped at a watcher's request, in epoch {epochs:count} of {planned:number}; epoch "
        "{best:count} was kept ({accuracy:percent} of {n:count} validation images correct)."
    ),
}


def training_finding(
    best_epoch: int, epochs: int, planned: float, accuracy: float, n: int, kind: str, cut: str = "", folds: int = 0
) -> Finding:
    """How fitting ended. `kind`: "trained" · "fine-tuned" · "frozen" (fine-tuning did not help, or there was no time).
    folds: the number that judged it; 0: a part was kept for validation.

    cut: "time" or "watcher" when there were fewer steps than planned at first, for that reason.
    """
    says = _say_frozen(epochs, n) if kind == "frozen" else _say_fitted(epochs, planned, n, cut)
    if folds:
        says = _say_in_folds(kind)
    return Finding(
        name="training",
        verdict="ok",
        message=message(says, best=best_epoch + 1, epochs=epochs, planned=planned, accuracy=accuracy, n=n, folds=folds),
        source="folds" if folds else "validation",
    )


def _say_in_folds(kind: str) -> str:
    if kind == "frozen":
        return N_(
            "A new last layer learned from all images; the pretrained network below it stayed as published. In "
            "{folds:count} folds, {accuracy:percent} of {n:count} images were named correctly."
        )
    return N_(
        "The network learned from all images, in {epochs:count} epochs. In {folds:count} folds, each image "
        "judged by a model that had learned without it, {accuracy:percent} of {n:count} images were named "
        "correctly."
    )


def _say_frozen(epochs: int, n: int) -> str:
    """The msgid where the first model was kept."""
    if not n:
        return N_(
            "There was no validation image to choose by, so the pretrained network with a new last layer was kept."
        )
    if epochs:
        return N_(
            "The pretrained network with a new last layer was best on validation: {accuracy:percent} of "
            "{n:count} images correct; fine-tuning did no better."
        )
    return N_(
        "The pretrained network with a new last layer was best on validation: {accuracy:percent} of "
        "{n:count} images correct."
    )


def _say_fitted(epochs: int, planned: float, n: int, cut: str) -> str:
    """The msgid where the weights of an epoch were kept."""
    if not n:
        return N_(
            "There was no validation image to choose by, so the weights after the last epoch "
            "({epochs:count}) were kept."
        )
    if cut:
        return CUT_SAYS[cut]
    if epochs == 1:
        return N_("After one epoch, {accuracy:percent} of {n:count} validation images were named correctly.")
    if epochs < planned:
        return N_(
            "Training stopped after {epochs:count} of {planned:number} epochs, as validation no longer improved; "
            "epoch {best:count} was kept ({accuracy:percent} of {n:count} validation images correct)."
        )
    return N_(
        "After {epochs:count} epochs, the weights of epoch {best:count} were kept: {accuracy:percent} of "
        "{n:count} validation images correct."
    )


def left_out_finding(parts: Sequence[str], asked: float) -> Finding:
    """The parts that were left out for want of time. parts: msgids, asked: s."""
    says = N_(
        "Left out for lack of time (time asked for: {asked:duration}): {parts}. A longer --time with --new makes "
        "room for it."
    )
    listed = reduce(
        lambda before, part: message(N_("{before}, {part}"), before=before.to_json(), part=part.to_json()),
        map(message, parts),
    )
    return Finding(name="left_out", verdict="unknown", message=message(says, asked=asked, parts=listed.to_json()))


ENERGY_NAMES = {
    "measured": N_("energy, measured"),
    "estimated": N_("energy, estimated"),
    "assumed": N_("energy, assumed"),
}
ENERGY_SAYS = {
    "measured": N_(
        "The energy was measured by the processor's own counters; it includes everything that ran on the "
        "processor meanwhile."
    ),
    "estimated": N_(
        "The energy is estimated: the time the processor was busy, at {watts:number} W a core as set by {variable}."
    ),
    "assumed": N_(
        "The energy is assumed, not measured: the time the processor was busy, at {watts:number} W a core (set "
        "{variable} if you know a better value)."
    ),
}


def describe_mirroring(found: Mirroring) -> Message:
    """What the mean over an image and its mirror image gains on validation."""
    if not found.n:
        says = N_("the answer is the mean of those about the image and its mirror image, as asked, for twice the time")
    elif found.is_used:
        says = N_(
            "the answer is the mean of those about the image and its mirror image, for twice the time: "
            "{averaged:percent} of {n:count} validation images correct instead of {plain:percent} "
            "({gain:number} points more; --average-mirrored no leaves it out)"
        )
    else:
        says = N_(
            "the answer is not averaged over the image and its mirror image, which is worse on validation: "
            "{averaged:percent} of {n:count} images correct instead of {plain:percent}"
        )
    if found.n and found.is_used and found.averaged < found.plain:
        says = N_(
            "the answer is the mean of those about the image and its mirror image, as asked, for twice the time, "
            "though it is worse on validation: {averaged:percent} of {n:count} images correct instead of "
            "{plain:percent}"
        )
    gain = round(100 * (found.averaged - found.plain), 2)
    return message(says, n=found.n, plain=found.plain, averaged=found.averaged, gain=gain)


def mirroring_finding(found: Mirroring, plain_ms: float, averaged_ms: float) -> Finding:
    """What the mean over an image and its mirror image gains, and what it costs. plain_ms, averaged_ms: of one image
    through the network, without and with it.
    """
    return Finding(
        name="mirroring",
        verdict="ok",
        message=message(
            N_("One image takes {plain:number} ms in the network, {averaged:number} ms with its mirror image: {says}."),
            plain=round(plain_ms, 3),
            averaged=round(averaged_ms, 3),
            says=describe_mirroring(found).to_json(),
        ),
        numbers=[
            Number(N_("correct, of the image alone"), found.plain, "share", n=found.n),
            Number(N_("correct, with the mirror image"), found.averaged, "share", n=found.n),
            Number(N_("milliseconds an image in the network"), plain_ms, "ms"),
            Number(N_("milliseconds with the mirror image"), averaged_ms, "ms"),
        ],
        source="validation" if found.n else "",
    )


def cost_finding(
    *,
    parameters: int,
    multiply_adds: int,
    file_bytes: int,
    training: float,
    whole: float,
    quoted: float,
    memory: int,
    quoted_memory: int,
    milliseconds: float,
    energy: Energy,
) -> Finding:
    return Finding(
        name="cost",
        verdict="ok",
        message=_describe_cost(file_bytes, milliseconds, whole, quoted),
        numbers=[
            Number(N_("parameters"), parameters, "count"),
            Number(N_("model file"), file_bytes, "bytes"),
            Number(N_("training time"), training, "s"),
            Number(N_("total time"), whole, "s"),
            Number(N_("estimated time"), quoted, "s"),
            Number(N_("peak memory"), memory, "bytes"),
            Number(N_("estimated memory"), quoted_memory, "bytes"),
            Number(N_("milliseconds an image"), milliseconds, "ms"),
            Number(N_("multiply-adds an image"), multiply_adds, "large"),
            Number(ENERGY_NAMES[energy.how], energy.joules / JOULES_PER_WH, "Wh"),
        ],
        details=[message(ENERGY_SAYS[energy.how], watts=energy.watts, variable=WATTS_VARIABLE)],
    )


def _describe_cost(file_bytes: int, milliseconds: float, whole: float, quoted: float) -> Message:
    """milliseconds: an image; whole, quoted: s"""
    return message(
        N_(
            "The model file takes {size:bytes} and names an image in {ms:number} ms on this machine; the work "
            "took {whole:duration} (estimate: {quoted:duration})."
        ),
        size=file_bytes,
        ms=milliseconds,
        whole=whole,
        quoted=quoted,
    )
