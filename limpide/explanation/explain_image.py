"""The complete explanation of one image in one network, which `limpide.see` and `limpide explain --out` show."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from limpide.core.events import Progress
from limpide.core.finding import Finding, Table
from limpide.deploy.load import is_published, load_run
from limpide.explanation.feature_maps import stages_of
from limpide.explanation.inputs import OpenedNetwork, square_of
from limpide.explanation.nearest_images import find_nearest_images
from limpide.explanation.record import ImageExplanation, MaximizedPicture, NearestImages
from limpide.explanation.saliency_evidence import evidence_of
from limpide.explanation.window import window_of
from limpide.text.messages import N_, message

if TYPE_CHECKING:
    from torch import Tensor

    from limpide.interpret.trace import Trace

TOP = 5  # classes named
Result = TypeVar("Result")


def probabilities(opened: OpenedNetwork, seen: Trace) -> np.ndarray:
    """float64 (classes,), as the sealed file answers."""
    from limpide.models.mirrored import mean_output

    output = mean_output(opened.network, seen.image, seen.output) if opened.mirrored else seen.output
    return (output[0].double() / opened.temperature).softmax(0).numpy()  # type: ignore[no-any-return]


def prediction(top: list[tuple[str, float]], file: str) -> Finding:
    """The model's answer for the image, best class first."""
    says = (
        N_("{file}: {label} with a probability of {p:percent}.")
        if file
        else N_("{label} with a probability of {p:percent}.")
    )
    return Finding(
        name="prediction",
        verdict="ok",
        message=message(says, file=file, label=top[0][0], p=top[0][1]),
        table=Table([(N_("class"), "text"), (N_("probability"), "percent")], [list(row) for row in top]),
    )


def strange_prediction(label: str, score: float, p_value: float | None, file: str) -> Finding:
    """The answer of a model of good parts for the image. score: in thresholds."""
    says = N_("{label}: {score:number} times the threshold.")
    if p_value is not None:
        says = N_("{label}: {score:number} times the threshold; at most {p:percent} of good parts are as strange.")
    if file:
        inner = message(says, label=label, score=score, p=p_value or 0.0)
        whole = message(N_("{file}: {says}"), file=file, says=inner.to_json())
    else:
        whole = message(says, label=label, score=score, p=p_value or 0.0)
    return Finding("prediction", "ok", whole, data={"label": label, "score": score})


def claim_of(opened: OpenedNetwork, seen: Trace, top: list[tuple[str, float]], file: str) -> Finding:
    """The answer of the network in memory for the image. top: as in `prediction`."""
    from limpide.interpret.saliency import is_of_good_parts
    from limpide.models.good_parts import score_of

    if is_of_good_parts(opened.network):
        return strange_prediction(top[0][0], score_of(seen.output[0].tolist()), None, file)
    return prediction(top, file)


def maximized_for(
    opened: OpenedNetwork, seen: Trace, layer: str, channel: int
) -> Iterator[Progress | MaximizedPicture | None]:
    """Yield progress, then last the picture that activates this channel most; None where there is no gradient to the
    image, or where there are no channels.
    """
    from limpide.interpret.activation_maximization import STEPS, gradient_ascent

    making = message(
        N_("making the picture that activates channel {channel} of {layer} most"), channel=channel, layer=layer
    )
    climbing = gradient_ascent(opened.network, layer, channel, seen.image.shape[1:], STEPS, 0, *bounds(opened, seen))
    try:
        while True:
            step, _ = next(climbing)
            yield Progress(making, step, STEPS)
    except StopIteration as end:
        picture, box = end.value, end.value.box
        yield MaximizedPicture(
            layer,
            channel,
            square_of(picture.image, opened.preprocessing),
            (box.top, box.left, box.bottom, box.right),
            picture.before,
            picture.after,
        )
    except TypeError:
        yield None


def bounds(opened: OpenedNetwork, seen: Trace) -> tuple[Tensor, Tensor]:
    """The range of a pixel, normalised; where it is not known, the range of this image."""
    import torch

    p = opened.preprocessing
    if p is None:
        return seen.image.min(), seen.image.max()
    return tuple((v - torch.tensor(p.mean)) / torch.tensor(p.std) for v in (0.0, 255.0))  # type: ignore[return-value]


def alike_to(opened: OpenedNetwork, seen: Trace, file: str) -> Iterator[Progress | NearestImages | None]:
    """Yield progress, then last the training images most like this one; None for a network without a run."""
    if not opened.run or is_published(opened.run) or opened.preprocessing is None:
        yield None
        return
    data = b""
    with contextlib.suppress(OSError):  # the file may be gone; then a copy of it among them cannot be recognised
        data = Path(file).read_bytes() if file else b""
    yield from find_nearest_images(load_run(opened.run), opened.network, opened.preprocessing, seen.image, data)


def explain_image(
    opened: OpenedNetwork, seen: Trace, square: np.ndarray, file: str, claim: Finding, unit: Finding
) -> Iterator[Progress | ImageExplanation]:
    """Compute the whole explanation of one image, which takes seconds; yields progress, then last the explanation.

    claim: the model's answer (`prediction`) · unit: the opened unit (interpret/unit.py, as_finding)
    """
    from limpide.training.threads import threads_for

    top = [(str(row[0]), float(row[1])) for row in claim.table.rows] if claim.table else [(claim.data["label"], 1.0)]
    label = int(seen.output[0].argmax())
    with threads_for(_multiply_adds(seen)):
        evidence = yield from pass_progress(evidence_of(opened.network, seen.image, label))
        made = yield from pass_progress(maximized_for(opened, seen, unit.data["layer"], unit.data["channel"]))
        near = yield from pass_progress(alike_to(opened, seen, file))
    yield ImageExplanation(
        network=opened.name,
        run=opened.run,
        file=file,
        square=square,
        top=top,
        claim=claim,
        evidence=evidence,
        stages=stages_of(seen, opened.network),
        unit=unit,
        made=made,
        alike=near,
        window=window_of(opened.network, seen.image, label),
    )


def _multiply_adds(trace: Trace) -> int:
    """Multiply-adds of its convolutions and linear layers."""
    products = [(op.output.numel(), op.argument(1, "weight")) for op in trace.ops if op.name in ("conv2d", "linear")]
    return sum(n * weight[0].numel() for n, weight in products if hasattr(weight, "numel"))


def pass_progress(events: Iterator[Progress | Result]) -> Generator[Progress, None, Result]:
    """Yield the progress and return what comes after it."""
    for event in events:
        if not isinstance(event, Progress):
            return event
        yield event
    raise ValueError("nothing came after the progress")
