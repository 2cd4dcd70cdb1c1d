"""limpide.see: one image in one network, opened for inspection. Every layer, every number, and where the evidence
is.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from limpide.core.errors import UsageError, nearest
from limpide.core.events import Progress
from limpide.data.preprocessing import Preprocessing
from limpide.explanation.explain_image import TOP, alike_to, bounds, claim_of, explain_image, probabilities
from limpide.explanation.feature_maps import kind_of, planes_of, stages_of
from limpide.explanation.inputs import OpenedNetwork, enter_image, label_named, open_for_explanation
from limpide.explanation.record import METHOD_WORDS, ImageExplanation, NearestImages, SaliencyEvidence
from limpide.explanation.saliency_evidence import saliency_of
from limpide.explanation.units import find_operation, first_or_named
from limpide.explanation.write_picture import place_of
from limpide.explanation.writers import bytes_of
from limpide.report import color_scale
from limpide.system.files import write_bytes
from limpide.system.fork_safety import in_new_thread_if_forked
from limpide.text import notebook_html
from limpide.text.formats import visible_text
from limpide.text.messages import N_, Message, _, message
from limpide.text.numbers import format_percent, format_significant

if TYPE_CHECKING:
    from torch import nn

    from limpide.interpret.activation_maximization import MaximizedInput
    from limpide.interpret.trace import Op, Trace
    from limpide.interpret.unit import Unit
    from limpide.studio.widget import Instruments

LARGE = 224  # CSS pixels: side of the image in a notebook
SMALL = 72  # of a feature map
Result = TypeVar("Result")


@dataclass(frozen=True)
class Layer:
    """One operation that ran, in the order in which it ran."""

    name: str  # its key: the layer's name, or with :operation where it makes several calls
    kind: str  # Conv2d, ReLU, add …
    shape: tuple[int, ...]  # of its output, without the first axis
    strongest: int  # the channel with the largest absolute value
    low: float  # smallest and largest number of its output
    high: float

    def words(self) -> tuple[str, ...]:
        """Name, kind, shape, strongest channel and range, for a row of a table."""
        return (
            self.name,
            self.kind,
            " × ".join(map(str, self.shape)) or "1",
            str(self.strongest),
            _range(self.low, self.high),
        )

    def __str__(self) -> str:
        return " · ".join(self.words())


@dataclass(frozen=True)
class Strongest:
    """The place of the largest absolute value in the output of an operation."""

    channel: int
    y: int
    x: int
    value: float


@in_new_thread_if_forked
def see(model: Any, image: Any, preprocessing: Preprocessing | None = None) -> Explanation:
    """Open a network on one image, to see what it computed::

        limpide.see("runs/photos-001", "new.jpg")      # a run, or a Run
        limpide.see(clf, array)                        # a fitted ImageClassifier
        limpide.see("efficientnet_lite0", "new.jpg")   # a published network
        limpide.see(module, tensor)                    # any torch module, the tensor normalised as it expects
        limpide.see(module, "new.jpg", preprocessing=p)

    image: a path, the bytes of a file, a Pillow image, an array (height, width[, 3]), or a float tensor (1, channels,
    height, width), already normalised. The network runs in evaluation mode on the processor and is left as it was.
    Raises UsageError, DataError, RunError or ModelError.
    """
    from limpide.interpret.trace import trace

    opened = open_for_explanation(model, preprocessing)
    tensor, square, file = enter_image(image, opened.preprocessing, opened.arrays)
    return Explanation(opened, trace(opened.network, tensor), square, file)


class Explanation:
    """What a network did with one image. str() is a readable text; a notebook shows pictures."""

    def __init__(self, opened: OpenedNetwork, trace: Trace, square: np.ndarray, file: str) -> None:
        self._opened, self.trace, self.square, self.file = opened, trace, square, file
        self._evidence: dict[tuple[str, int], SaliencyEvidence] = {}

    @property
    def network(self) -> nn.Module:
        return self._opened.network

    @cached_property
    def probabilities(self) -> np.ndarray:
        """float64 (classes,), calibrated where the run is."""
        return probabilities(self._opened, self.trace)

    @property
    def label(self) -> int:
        """Index of the likeliest class."""
        return int(self.probabilities.argmax())

    @property
    def top(self) -> list[tuple[str, float]]:
        """The five likeliest classes with their probabilities, best first."""
        order = (-self.probabilities).argsort(kind="stable")[:TOP].tolist()
        return [(label_named(self._opened, k), float(self.probabilities[k])) for k in order]

    @cached_property
    def layers(self) -> list[Layer]:
        return [self._layer(op) for op in self.trace.ops]

    def _layer(self, op: Op) -> Layer:
        planes = planes_of(op)
        strongest = int(np.abs(planes).max((1, 2)).argmax()) if planes.size else 0
        low, high = float(planes.min(initial=np.inf)), float(planes.max(initial=-np.inf))
        return Layer(op.key, kind_of(op, self.network), tuple(op.output.shape[1:]), strongest, low, high)

    def _op(self, layer: str) -> Op:
        return find_operation(self.trace, layer)

    def maps(self, layer: str) -> np.ndarray:
        """The output of a layer as float32 (channels, height, width); a vector as (n, 1, 1), tokens as (channels, 1,
        tokens).
        """
        return planes_of(self._op(layer))

    def strongest(self, layer: str) -> Strongest:
        """The place of the largest absolute value in the output of this layer. For tokens, y is the token."""
        planes = self.maps(layer)
        channel, y, x = (int(k) for k in np.unravel_index(int(np.abs(planes).argmax()), planes.shape))
        value = float(planes[channel, y, x])
        return Strongest(channel, y, x, value) if self._op(layer).output.ndim == 4 else Strongest(channel, x, 0, value)

    @in_new_thread_if_forked
    def why(self, layer: str, channel: int | None = None, y: int = 0, x: int = 0) -> Unit:
        """One number, term by term; without a channel, the unit of the layer that matters most
        (interpret/choose_unit.py).

        Raises IndexError for a unit that does not exist.
        """
        from limpide.interpret.choose_unit import choose_unit
        from limpide.interpret.unit import unit_of

        key, channel = self._op(layer).key, first_or_named(channel, y, x)
        return (
            choose_unit(self.network, self.trace, key) if channel is None else unit_of(self.trace, key, channel, y, x)
        )

    @in_new_thread_if_forked
    def votes(self, layer: str, channel: int | None = None, y: int = 0, x: int = 0) -> list[tuple[str, float]]:
        """(class, gradient of its logit with respect to this unit's value) for the likeliest classes; without a
        channel, for the unit that matters most.
        """
        from limpide.interpret.ablation import class_votes
        from limpide.interpret.unit import index_of

        op, channel = self._op(layer), first_or_named(channel, y, x)
        if channel is None:
            unit = self.why(layer)
            channel, y, x = unit.channel, unit.y, unit.x
        place = (0, *index_of(op, channel, y, x))
        return [
            (label_named(self._opened, k), slope) for k, slope in class_votes(self.network, self.trace, op.index, place)
        ]

    @in_new_thread_if_forked
    def saliency(self, method: str = "integrated_gradients", label: str | int | None = None) -> SaliencyEvidence:
        """Where the evidence for a class is: `.plane` float32 (height, width), and `.badge`, which says whether to
        believe it.

        method: gradient, integrated_gradients, grad_cam or occlusion. label: name or index of a class; None is the
        likeliest. Raises UsageError for a method or a class that does not exist.
        """
        if method not in METHOD_WORDS:
            raise _unknown(method, list(METHOD_WORDS))
        classes = list(self._opened.classes) or [str(k) for k in range(len(self.probabilities))]
        if isinstance(label, str) and label not in classes:
            raise _unknown(label, classes)
        at = self.label if label is None else classes.index(label) if isinstance(label, str) else int(label)
        if not 0 <= at < len(self.probabilities):
            raise _unknown(str(label), [str(k) for k in range(len(self.probabilities))])
        if (method, at) not in self._evidence:
            self._evidence[method, at] = saliency_of(self.network, self.trace.image, at, method)
        return self._evidence[method, at]

    @in_new_thread_if_forked
    def maximized(self, layer: str, channel: int, steps: int | None = None, seed: int = 0) -> MaximizedInput:
        """The picture that activates this channel most, of the size of the image
        (interpret/activation_maximization.py).

        Raises TypeError for an operation without channels, IndexError for a channel that does not exist.
        """
        from limpide.interpret.activation_maximization import STEPS, maximize_activation

        low, high = bounds(self._opened, self.trace)
        return maximize_activation(
            self.network, self._op(layer).key, channel, self.trace.image.shape[1:], steps or STEPS, seed, low, high
        )

    maximised = maximized  # the name before American spelling

    @in_new_thread_if_forked
    def neighbors(self) -> NearestImages:
        """The training images most similar to this one, for the network, or `.note`: why there are none. Raises
        UsageError without a run.
        """
        found = _awaited(alike_to(self._opened, self.trace, self.file))
        if found is None:
            raise UsageError("L141", where=self._opened.name)
        return found

    neighbours = neighbors  # the name before American spelling

    @in_new_thread_if_forked
    def sight(self) -> ImageExplanation:
        """The whole explanation that `save` writes: it takes some seconds."""
        from limpide.interpret.choose_unit import choose_unit
        from limpide.interpret.unit import as_finding

        claim = claim_of(self._opened, self.trace, self.top, self.file)
        unit = as_finding(choose_unit(self.network, self.trace))
        return _awaited(explain_image(self._opened, self.trace, self.square, self.file, claim, unit))

    @in_new_thread_if_forked
    def save(self, file: str | os.PathLike[str]) -> Path:
        """Write the whole explanation as .png, .html or .json and return the path. Raises UsageError for another
        ending.
        """
        out = place_of(Path(file), self.file)
        write_bytes(out, bytes_of(self.sight(), out))
        return out

    def widget(self, layer: str = "", channel: int | None = None, y: int = 0, x: int = 0) -> Instruments:
        """The studio's pages on this image, live in a notebook: from a layer to a unit to one of its products; cover
        the image and see how the answer changes. With `layer` it opens there, with `channel` at that unit.

        Needs `pip install limpide[notebook]`. Raises UsageError without it, and for a place that does not exist.
        """
        from limpide import browser

        if browser.missing():
            raise UsageError("L127", where=str(browser.VENDOR))
        try:
            from limpide.studio.widget import Instruments
        except ImportError as error:
            raise UsageError("L142", where=str(error.name)) from error
        channel = first_or_named(channel, y, x)
        place = {"page": "layer" if channel is None else "unit", "channel": channel, "y": y, "x": x} | (
            {"layer": layer} if layer else {}
        )
        return Instruments(self._opened, self.trace, self.square, self._title(), self._repr_html_(), **place)

    def __str__(self) -> str:
        says = [f"{format_percent(p):>8}  {visible_text(name)}" for name, p in self.top]
        rows = [
            (_("layer"), _("kind"), _("output shape"), _("strongest channel"), _("range")),
            *(layer.words() for layer in self.layers),
        ]
        widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
        table = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        return "\n".join([str(self._title()), *says, "", *table])

    def __repr__(self) -> str:
        return f"Seen({self._opened.name!r}, {self.file!r}: {self.top[0][0]!r}, {len(self.trace.ops)} operations)"

    def _title(self) -> Message:
        if not self.file:
            return message(N_("What {network} sees"), network=self._opened.name)
        return message(N_("What {network} sees in {file}"), network=self._opened.name, file=self.file)

    def _repr_html_(self) -> str:
        pieces = [
            notebook_html.heading(self._title()),
            notebook_html.image(color_scale.square_uri(self.square), self.file or _("the image"), LARGE),
        ]
        pieces.append(notebook_html.bars([(name, p, format_percent(p)) for name, p in self.top]))
        for stage in stages_of(self.trace, self.network):
            scale = _range(-stage.end if stage.low < 0 else 0.0, stage.end)
            facts = message(
                N_("{kind}, {shape}; colours from {scale}"),
                kind=stage.kind,
                shape=" × ".join(map(str, stage.shape)),
                scale=scale,
            )
            pieces += [notebook_html.heading(stage.key), notebook_html.note(facts), '<div style="line-height:0">']
            for k, plane in enumerate(stage.planes):
                words = message(N_("channel {n}"), n=stage.channels[k]) if stage.channels else stage.key
                pieces.append(notebook_html.image(color_scale.plane_uri(plane, stage.end, anywhere=True), words, SMALL))
            pieces.append("</div>")
        return notebook_html.block(*pieces)


def _awaited(events: Iterator[Progress | Result]) -> Result:
    """The result that comes after the progress."""
    return next(event for event in events if not isinstance(event, Progress))


def _range(low: float, high: float) -> str:
    def signed(value: float) -> str:
        return format_significant(value).replace("-", "\N{MINUS SIGN}")

    return str(message(N_("{low} to {high}"), low=signed(low), high=signed(high)))


def _unknown(word: str, known: list[str]) -> UsageError:
    return UsageError("L135", where=word, names=", ".join(known[:12]), guess=nearest(word, known))
