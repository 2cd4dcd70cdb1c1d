"""Questions about one unit: the sum behind its number, the answer without it, and the images that activate it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from limpide.explanation.units import check_place, find_operation
from limpide.inspector import parsers
from limpide.inspector.answer import Answer, compare_probabilities, png
from limpide.inspector.image_reference import ImageReference
from limpide.inspector.many_images import readable
from limpide.inspector.network_session import LoadedNetwork, NetworkSession, trace_image
from limpide.inspector.question import Parser, Question
from limpide.inspector.session import Session, batch
from limpide.text.messages import N_, message

if TYPE_CHECKING:
    from limpide.interpret.activation_maximization import MaximizedInput
    from limpide.interpret.arithmetic import Explanation
    from limpide.interpret.trace import Op, Trace

MAX_PROBES = 16  # of the images set aside
MAX_STRONGEST = 200  # training images among which the strongest are searched for
MAX_SHOWN = 8  # of the strongest
MAX_TERMS = 4096  # products of one unit that are sent


def unit(
    session: NetworkSession,
    path: str,
    snapshot: str,
    image: ImageReference,
    key: str,
    channel: int | None = None,
    y: int = 0,
    x: int = 0,
) -> Answer:
    """One number and everything that made it: the result of interpret.unit, for the page to draw. By default the
    channel that matters most.
    """
    from limpide.interpret.ablation import class_votes
    from limpide.interpret.choose_unit import choose_unit
    from limpide.interpret.unit import index_of, unit_of

    traced = trace_image(session, path, snapshot, image)
    trace, op = traced.trace, find_operation(traced.trace, key)
    if channel is not None:
        check_place(op, channel, y, x)
    chosen = choose_unit(traced.network, trace, key) if channel is None else unit_of(trace, key, channel, y, x)
    place, box = (0, *index_of(chosen.op, chosen.channel, chosen.y, chosen.x)), chosen.field.box
    votes = sorted(class_votes(traced.network, trace, chosen.op.index, place), key=lambda pair: -pair[1])
    return {
        "key": chosen.layer,
        "name": chosen.op.name,
        "shape": list(chosen.op.output.shape[1:]),
        "channel": chosen.channel,
        "y": chosen.y,
        "x": chosen.x,
        **_describe_terms(chosen.explanation, trace),
        "box": [box.top, box.left, box.bottom, box.right],
        "status": chosen.field.status,
        "after": [vars(after) for after in chosen.after],
        "votes": [{"class": traced.classes[k], "slope": slope} for k, slope in votes],
    }, b""


def _describe_terms(explanation: Explanation, trace: Trace) -> dict[str, Any]:
    e, shown = explanation, slice(0, MAX_TERMS)
    return {
        "kind": e.kind,
        "rule": e.rule,
        "grid": list(e.shape),
        "values": e.values[shown].tolist(),
        "weights": e.weights[shown].tolist(),
        "sources": e.sources[shown],
        "places": [_unflat(trace, op, place) for op, place in zip(e.sources[shown], e.places[shown], strict=True)],
        "names": {str(op): "" if op < 0 else trace.ops[op].key for op in set(e.sources)},
        "terms": len(e.places),
        "bias": e.bias,
        "parts": e.parts,
        "value": e.value,
        "torch": e.torch_value,
        "residual": e.residual,
        "tolerance": 1e-5 * e.scale + 1e-12,
        "agrees": e.agrees,
    }


def _unflat(trace: Trace, op: int, place: int) -> list[int]:
    """(channel, row, column) of a flat place in the output of an operation; empty for padding."""
    if op < -1 or place < 0:
        return []
    shape = trace.value(op).shape
    index = [int(k) for k in np.unravel_index(place, tuple(shape))]
    if len(shape) == 4:
        return index[1:]
    return [index[-1], int(np.ravel_multi_index(index[1:-1], tuple(shape[1:-1]))) if len(shape) > 2 else 0, 0]


def effect(
    session: NetworkSession,
    path: str,
    snapshot: str,
    image: ImageReference,
    key: str,
    channel: int,
    place: int | None = None,
    weight: float = 0.0,
) -> Answer:
    """Probabilities before and after this channel is switched off, or one of its weights is changed."""
    from limpide.interpret.ablation import with_weight, without_channel

    traced = trace_image(session, path, snapshot, image)
    network, trace = traced.network, traced.trace
    op = find_operation(trace, key)
    _check_channel(op, channel)
    if (
        place is not None
        and op.name in ("conv2d", "linear")
        and place >= (n := op.argument(1, "weight")[channel].numel())
    ):
        raise LookupError(message(N_("the weights of this channel are numbered from 0 to {last:count}"), last=n - 1))
    after = (
        without_channel(network, trace, op.index, channel)
        if place is None
        else with_weight(network, trace, op.index, channel, place, weight)
    )
    return compare_probabilities(trace.output[0], after, traced.classes, session.temperature(path, snapshot))


def _check_channel(op: Op, channel: int) -> None:
    """Raises LookupError for a channel that this operation does not have."""
    n = op.output.shape[1 if op.output.ndim == 4 else -1]
    if not 0 <= channel < n:
        raise LookupError(
            message(N_("the channels of {layer} are numbered from 0 to {last:count}"), layer=op.key, last=n - 1)
        )


def _check_key_and_channel(session: NetworkSession, path: str, snapshot: str, key: str, channel: int) -> None:
    """The checks of the questions about one image, without an image."""
    import torch

    from limpide.interpret.trace import trace

    network = session.load_network(path, snapshot).network
    ran = trace(network, torch.zeros(1, *session.input_shape(path, snapshot)))
    _check_channel(find_operation(ran, key), channel)


def maximized(session: NetworkSession, path: str, snapshot: str, key: str, channel: int) -> Answer:
    """The picture that activates this channel most (interpret/activation_maximization.py), as a PNG, and the activation
    before and after.
    """
    loaded = session.load_network(path, snapshot)
    try:
        picture = session.results.get(
            ("maximized", *session.weights_key(path, snapshot), key, channel),
            lambda: _maximize(session, loaded, key, channel, session.input_shape(path, snapshot)),
        )
    except (KeyError, IndexError):
        _check_key_and_channel(session, path, snapshot, key, channel)
        raise
    mean, std = _grey_levels(loaded)
    pixels = picture.image[0].permute(1, 2, 0).numpy() * std + mean
    box = picture.box
    about = {
        "before": picture.before,
        "after": picture.after,
        "box": [box.top, box.left, box.bottom, box.right],
        "size": loaded.preprocessing.size,
    }
    return about, png(np.clip(np.round(pixels), 0, 255).astype(np.uint8))


def _maximize(
    session: NetworkSession, loaded: LoadedNetwork, key: str, channel: int, shape: tuple[int, int, int]
) -> MaximizedInput:
    import torch

    from limpide.interpret import activation_maximization

    mean, std = _grey_levels(loaded)
    with session.progress.track(activation_maximization.STEPS, unit="passes"):
        return activation_maximization.maximize_activation(
            loaded.network,
            key,
            channel,
            shape,
            low=torch.from_numpy((0 - mean) / std),
            high=torch.from_numpy((255 - mean) / std),
        )


def _grey_levels(loaded: LoadedNetwork) -> tuple[np.ndarray, np.ndarray]:
    """(mean, standard deviation) by which the pixels were normalised."""
    return np.array(loaded.preprocessing.mean, np.float32), np.array(loaded.preprocessing.std, np.float32)


def strongest(session: Session, path: str, snapshot: str, key: str, channel: int, among: int = 0) -> Answer:
    """The images that activate this channel most, among those set aside or, with `among`, among that many training
    images.
    """
    from limpide.interpret.top_activations import strongest_images

    loaded = session.load_network(path, snapshot)
    if among:
        album = session.album(path)
        numbers = album.some(min(among, MAX_STRONGEST), album.learned)
    else:
        numbers = np.arange(min(MAX_PROBES, len(session.probes(path))))
    with session.progress.track(len(numbers), looks=2 if among else 1):
        if among:
            numbers, squares = readable(session, path, loaded.preprocessing, numbers)
        else:
            squares = session.probe_squares(path, loaded.preprocessing, MAX_PROBES)
        try:
            images = (batch(loaded.preprocessing, square[None]) for square in squares)
            activations = strongest_images(loaded.network, images, key, channel)
        except (KeyError, IndexError, RuntimeError):
            _check_key_and_channel(session, path, snapshot, key, channel)
            raise
    kind = "row" if among else "probe"
    return {
        "top": [
            {kind: int(numbers[one.image]), "value": one.value, "y": one.y, "x": one.x}
            for one in activations[:MAX_SHOWN]
        ],
        "among": len(activations),
    }, b""


CHANNEL: dict[str, Parser] = {"key": parsers.operation_key, "channel": parsers.natural}
QUESTIONS = {
    "unit": Question(
        unit, {"image": ImageReference, **CHANNEL, "y": parsers.natural, "x": parsers.natural}, in_notebook=True
    ),
    "effect": Question(
        effect,
        {"image": ImageReference, **CHANNEL, "place": parsers.natural, "weight": parsers.within(-1e6, 1e6)},
        in_notebook=True,
    ),
    "maximized": Question(maximized, CHANNEL, is_slow=True, media_type="image/png", in_notebook=True),
    "strongest": Question(strongest, {**CHANNEL, "among": parsers.natural}),
}
