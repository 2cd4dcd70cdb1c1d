"""see: one image in one network, laid open. What `limpide.see` keeps at hand and `limpide explain --out`
writes down.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from PIL import Image

from limpide.core.errors import UsageError, nearest
from limpide.core.events import Progress
from limpide.core.finding import Finding, Table
from limpide.core.run import Run
from limpide.core.run_info import Arrays, RunInfo
from limpide.data.inputs import FROM_FILES, decode_input, images_in
from limpide.data.preprocessing import Preprocessing
from limpide.deploy.load import is_published, load_network, load_run
from limpide.explanation.nearest_images import find_nearest_images
from limpide.explanation.record import (
    METHOD_WORDS,
    ImageExplanation,
    Maps,
    MaximizedPicture,
    NearestImages,
    SaliencyEvidence,
)
from limpide.explanation.writers import WRITERS, bytes_of
from limpide.system.files import write_bytes
from limpide.text.messages import N_, message

if TYPE_CHECKING:
    from torch import Tensor, nn

    from limpide.interpret.trace import Op, Trace

TOP = 5  # classes named
STAGES = 5  # sizes of maps that are shown
STRONGEST = 8  # maps of each
Found = TypeVar("Found")


@dataclass(frozen=True)
class OpenedNetwork:
    """A network with what is known of it."""

    network: nn.Module
    name: str
    run: str  # "" for a network in memory
    preprocessing: Preprocessing | None
    classes: tuple[str, ...]
    temperature: float  # what the sealed file divides its logits by
    arrays: Arrays = FROM_FILES  # what the arrays were like that it learned from


def open_for_explanation(model: Any, preprocessing: Preprocessing | None = None) -> OpenedNetwork:
    """`model`: the path of a run, a Run, a fitted ImageClassifier, the name of a published network, or a torch module.

    Raises UsageError for anything else, RunError and ModelError as deploy/load.py does.
    """
    from torch import nn

    if isinstance(model, nn.Module):
        return OpenedNetwork(model, type(model).__name__, "", preprocessing, (), 1.0)
    if hasattr(model, "run_"):
        model = model.run_
    if isinstance(model, Run):
        model = model.path
    if not isinstance(model, (str, os.PathLike)):
        raise UsageError(
            "L132",
            N_("this is nothing that can be looked into"),
            where=type(model).__name__,
            todo=N_("give a run, a fitted ImageClassifier, the name of a published network, or a torch module"),
        )
    name = os.fspath(model)
    network, own = load_network(name)
    if is_published(name):
        from limpide.models import imagenet_classes

        return OpenedNetwork(network, name, name, own, tuple(imagenet_classes()), 1.0)
    run = load_run(name)
    info = run.info()
    return OpenedNetwork(network, info.model, name, own, info.classes, temperature_of(info), info.arrays or FROM_FILES)


def temperature_of(info: RunInfo) -> float:
    """What the sealed model of a run divides its logits by, from its run.json; 1 while there is none."""
    return info.temperature.value if info.temperature else 1.0


def enter_image(
    image: Any, preprocessing: Preprocessing | None, arrays: Arrays = FROM_FILES
) -> tuple[Tensor, np.ndarray, str]:
    """(tensor (1, channels, size, size), normalised; the square as uint8 (size, size, 1 or 3); file name or "").

    image: one image in any form that data/inputs.py knows or, normalised already, a float tensor (1, channels, height,
    width). Raises DataError for what is no usable image, UsageError where its preprocessing is not known.
    """
    import torch

    from limpide.training.batches import as_tensor

    if isinstance(image, torch.Tensor) and image.is_floating_point():
        if image.ndim != 4 or len(image) != 1:
            raise UsageError(
                "L118",
                N_("this is no shape of an image"),
                where=tuple(image.shape),
                todo=N_("give one image: (1, channels, height, width), normalised"),
            )
        tensor = image.detach().float().cpu()
        return tensor, _square(tensor, preprocessing), ""
    if preprocessing is None:
        raise UsageError(
            "L133",
            N_("how this network sees images is not known"),
            where=type(image).__name__,
            todo=N_("give a tensor (1, channels, height, width), normalised, or preprocessing="),
        )
    found, file = decode_image(image, preprocessing, arrays)
    square = preprocessing.pixels(found)
    return as_tensor(square[None], preprocessing), square, file


def decode_image(image: Any, preprocessing: Preprocessing, arrays: Arrays = FROM_FILES) -> tuple[Image.Image, str]:
    """(RGB, file name or "") of one image in any form. Raises DataError, and UsageError for none or several."""
    items = [image] if isinstance(image, (str, os.PathLike)) else images_in(image, arrays, preprocessing.value_range)
    if len(items) != 1:
        raise UsageError(
            "L118", N_("this is no shape of an image"), where=f"{len(items)} images", todo=N_("give one image")
        )
    return decode_input(items[0], preprocessing, "image 0"), os.fspath(items[0]) if isinstance(
        items[0], (str, os.PathLike)
    ) else ""


def _square(tensor: Tensor, preprocessing: Preprocessing | None) -> np.ndarray:
    """The pixels of a normalised tensor; where nobody knows how it was normalised, from its smallest number to its
    largest.
    """
    values = tensor[0].permute(1, 2, 0).numpy().astype(np.float64)
    if preprocessing is not None:
        values = values * preprocessing.std + preprocessing.mean
    else:
        values = (values - values.min()) / (float(np.ptp(values)) or 1.0) * 255
    values = values if values.shape[-1] in (1, 3) else values[..., :1]
    return np.rint(values.clip(0, 255)).astype(np.uint8)


def probabilities(opened: OpenedNetwork, seen: Trace) -> np.ndarray:
    """float64 (classes,), calibrated where the run is."""
    return (seen.output[0].double() / opened.temperature).softmax(0).numpy()  # type: ignore[no-any-return]


def label_named(opened: OpenedNetwork, label: int) -> str:
    return opened.classes[label] if label < len(opened.classes) else str(label)


def find_operation(seen: Trace, layer: str) -> Op:
    """The operation of this key, or what the layer of this name gives. Raises UsageError with the nearest name."""
    try:
        return seen.find(layer)
    except KeyError:
        keys, weighed = [op.key for op in seen.ops], [op.key for op in seen.ops if op.name in ("conv2d", "linear")]
        raise UsageError(
            "L109",
            N_("the network has no layer of this name"),
            where=layer,
            todo=N_("did you mean {guess}? There are {names}"),
            guess=nearest(layer, keys) or (weighed or keys)[0],
            names=", ".join((weighed or keys)[:8]),
        ) from None


def first_or_named(channel: int | None, y: int, x: int) -> int | None:
    """Whoever names a place and no channel means the first."""
    return 0 if channel is None and (y or x) else channel


def check_place(op: Op, channel: int, y: int, x: int) -> None:
    """Raises UsageError for a unit that is not there."""
    from limpide.interpret.unit import index_of

    try:
        index_of(op, channel, y, x)
    except IndexError:
        shape = op.output.shape[1:]
        channels, rows, columns = {1: (*shape, 1, 1), 2: (*shape[::-1], 1)}.get(len(shape), tuple(shape)[:3])
        raise UsageError(
            "L110",
            N_("this unit cannot be opened"),
            where=f"{op.key}, channel={channel}, y={y}, x={x}",
            todo=N_("the channel must be below {channels}, the row below {rows}, the column below {columns}"),
            channels=channels,
            rows=rows,
            columns=columns,
        ) from None


def prediction(top: list[tuple[str, float]], file: str) -> Finding:
    """What the model says of the image, best class first."""
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


def stages_of(seen: Trace, network: nn.Module) -> list[Maps]:
    """The last maps of each size, at most STAGES sizes; of a network without maps what its linear layers give."""
    last: dict[tuple[int, ...], Op] = {}
    for op in seen.ops:
        if op.output.ndim == 4 and min(op.output.shape[2:]) > 1 and op.name not in ("getitem", "pad"):
            last[tuple(op.output.shape[2:])] = op
    chosen = list(last.values()) or [op for op in seen.ops if op.name == "linear"]
    return [maps_of(op, network) for op in chosen[-STAGES:]]


def maps_of(op: Op, network: nn.Module, most: int = STRONGEST) -> Maps:
    """The maps of an operation with the largest numbers."""
    planes = planes_of(op)
    shape = tuple(op.output.shape[1:])
    facts = (op.key, kind_of(op, network), shape)
    ends = float(planes.min(initial=0.0)), float(planes.max(initial=0.0))
    if op.output.ndim != 4:
        return Maps(*facts, (), planes[:, 0].T[None], *ends)  # (1, tokens, channels)
    # of several that are cut off at 6, those with most to see
    order = np.lexsort((-planes.std((1, 2)), -np.abs(planes).max((1, 2))))[:most]
    return Maps(*facts, tuple(order.tolist()), planes[order], *ends)


def planes_of(op: Op) -> np.ndarray:
    """What it gives, float32 (channels, height, width); of a vector (n, 1, 1), of tokens (channels, 1, tokens)."""
    value = op.output[0].float().numpy()
    if value.ndim == 3:
        return value  # type: ignore[no-any-return]
    rows = value.reshape(-1, value.shape[-1]) if value.ndim else value.reshape(1, 1)
    return np.ascontiguousarray(rows.T[:, None])


def kind_of(op: Op, network: nn.Module) -> str:
    """The class of the layer, or what the operation is called where no layer made it."""
    module = dict(network.named_modules()).get(op.layer)
    return type(module).__name__ if module is not None and op.key == op.layer else op.name


def evidence_of(network: nn.Module, image: Tensor, label: int) -> Iterator[Progress | list[SaliencyEvidence]]:
    """Every saliency map for this class with its badge: the work of seconds, so a generator of progress that ends with
    them.
    """
    found: list[SaliencyEvidence] = []
    total = len(METHOD_WORDS) + 1
    yield Progress(message(N_("asking where the evidence is")), 0, total)
    beside = usual_of(network, image, label)
    for k, method in enumerate(METHOD_WORDS, 1):
        yield Progress(message(N_("asking where the evidence is")), k, total)
        found.append(saliency_of(network, image, label, method, beside))
    yield Progress(message(N_("asking where the evidence is")), total, total)
    yield found


def usual_of(network: nn.Module, image: Tensor, label: int) -> tuple[float, float]:
    """What every badge compares with (interpret/saliency_checks.py)."""
    from limpide.interpret.saliency_checks import usual_change
    from limpide.interpret.trace import in_evaluation

    with in_evaluation(network):
        return usual_change(network, image, label)


def saliency_of(
    network: nn.Module, image: Tensor, label: int, method: str, beside: tuple[float, float] | None = None
) -> SaliencyEvidence:
    """One saliency map with its badge. Raises KeyError for a method that does not exist."""
    plane = plane_of(network, image, label, method)
    if plane is None:
        return SaliencyEvidence(method, None, nothing_to_weigh(method))
    return SaliencyEvidence(method, plane, badge_of(network, image, label, method, plane, beside))


def nothing_to_weigh(method: str) -> Finding:
    """In place of a map and its badge."""
    return Finding(
        name=f"sanity-{method}",
        verdict="unknown",
        message=message(N_("This network has no maps that this method could weigh.")),
    )


def plane_of(network: nn.Module, image: Tensor, label: int, method: str) -> np.ndarray | None:
    """One saliency map, float32 (height, width); None where the network has no maps to weigh. Raises KeyError as
    `saliency_of`.
    """
    from limpide.interpret.saliency import METHODS
    from limpide.interpret.trace import in_evaluation

    with in_evaluation(network):
        try:
            return METHODS[method](network, image, label).detach().float().numpy()  # type: ignore[no-any-return]
        except TypeError:  # no maps to weigh
            return None


def badge_of(
    network: nn.Module,
    image: Tensor,
    label: int,
    method: str,
    plane: np.ndarray,
    beside: tuple[float, float] | None = None,
) -> Finding:
    """Whether this map may be believed: many times the work of the map itself. beside: what `usual_of` gave."""
    import torch

    from limpide.interpret.saliency import METHODS
    from limpide.interpret.saliency_checks import as_finding, check_saliency
    from limpide.interpret.trace import in_evaluation

    with in_evaluation(network):
        return as_finding(
            method, check_saliency(network, image, label, METHODS[method], torch.from_numpy(plane), beside)
        )


def maximized_for(
    opened: OpenedNetwork, seen: Trace, layer: str, channel: int
) -> Iterator[Progress | MaximizedPicture | None]:
    """Progress, then last the picture that wakes this channel most; None where no slope leads there, or there are no
    channels.
    """
    from limpide.interpret.activation_maximization import STEPS, gradient_ascent

    making = message(
        N_("making the picture that wakes channel {channel} of {layer} most"), channel=channel, layer=layer
    )
    climbing = gradient_ascent(opened.network, layer, channel, seen.image.shape[1:], STEPS, 0, *bounds(opened, seen))
    try:
        while True:
            step, _ = next(climbing)
            yield Progress(making, step, STEPS)
    except StopIteration as end:
        found, box = end.value, end.value.box
        yield MaximizedPicture(
            layer,
            channel,
            _square(found.image, opened.preprocessing),
            (box.top, box.left, box.bottom, box.right),
            found.before,
            found.after,
        )
    except TypeError:
        yield None


def bounds(opened: OpenedNetwork, seen: Trace) -> tuple[Tensor, Tensor]:
    """What a pixel can be, normalised; where nobody knows, what this image has."""
    import torch

    p = opened.preprocessing
    if p is None:
        return seen.image.min(), seen.image.max()
    return tuple((v - torch.tensor(p.mean)) / torch.tensor(p.std) for v in (0.0, 255.0))  # type: ignore[return-value]


def alike_to(opened: OpenedNetwork, seen: Trace, file: str) -> Iterator[Progress | NearestImages | None]:
    """Progress, then last the training images most like this one; None for a network without a run."""
    if not opened.run or is_published(opened.run) or opened.preprocessing is None:
        yield None
        return
    data = b""
    with contextlib.suppress(OSError):  # it may be gone by now; then it is not told from its copy among them
        data = Path(file).read_bytes() if file else b""
    yield from find_nearest_images(load_run(opened.run), opened.network, opened.preprocessing, seen.image, data)


def explain_image(
    opened: OpenedNetwork, seen: Trace, square: np.ndarray, file: str, claim: Finding, unit: Finding
) -> Iterator[Progress | ImageExplanation]:
    """All that is written down of one image: the work of seconds, so a generator of progress that ends with it.

    claim: what the model says (`prediction`) · unit: the one that is opened (interpret/unit.py, as_finding)
    """
    from limpide.training.threads import threads_for

    top = [(str(row[0]), float(row[1])) for row in claim.table.rows] if claim.table else []
    label = int(seen.output[0].argmax())
    with threads_for(_work(seen)):
        evidence = yield from _last(evidence_of(opened.network, seen.image, label))
        made = yield from _last(maximized_for(opened, seen, unit.data["layer"], unit.data["channel"]))
        near = yield from _last(alike_to(opened, seen, file))
    yield ImageExplanation(
        opened.name, opened.run, file, square, top, claim, evidence, stages_of(seen, opened.network), unit, made, near
    )


def _work(seen: Trace) -> int:
    """Multiply-adds of its convolutions and linear layers."""
    products = [(op.output.numel(), op.argument(1, "weight")) for op in seen.ops if op.name in ("conv2d", "linear")]
    return sum(n * weight[0].numel() for n, weight in products if hasattr(weight, "numel"))


def _last(events: Iterator[Progress | Found]) -> Generator[Progress, None, Found]:
    """Hands its progress on and returns what comes after it."""
    for event in events:
        if not isinstance(event, Progress):
            return event
        yield event
    raise ValueError("nothing came after the progress")


def write_picture(run: str, file: str, out: Path, findings: dict[str, Finding]) -> Iterator[Progress | Path]:
    """Writes what `explain` found, with maps, evidence and likenesses, into `out` and yields it last. Call `place_of`
    before.
    """
    from limpide.interpret.trace import trace

    found = open_for_explanation(run)
    tensor, square, _ = enter_image(file, found.preprocessing)
    sight = yield from _last(
        explain_image(found, trace(found.network, tensor), square, file, findings["prediction"], findings["inside"])
    )
    yield Progress(message(N_("drawing what was found")), 0, 0)
    write_bytes(out, bytes_of(sight, out))
    yield out


def place_of(out: Path, image: str = "") -> Path:
    """The file to write, before any work is done. Raises UsageError for another ending, a folder, and for the image
    itself.
    """
    if out.suffix.lower() not in WRITERS or out.is_dir() or not out.parent.is_dir():
        raise UsageError(
            "L131",
            N_("this is no place for a picture of the inside"),
            where=out,
            todo=N_("name a file in a folder that exists, ending in {endings}"),
            endings=", ".join(WRITERS),
        )
    if image and out.exists() and Path(image).exists() and out.samefile(image):
        raise UsageError(
            "L134", N_("the image itself would be replaced"), where=out, todo=N_("name another file with --out")
        )
    return out
