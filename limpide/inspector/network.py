"""Questions about the network: its operations, their maps and filters, one unit, and what becomes of the answer without
it.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from limpide.explanation.units import check_place, find_operation
from limpide.inspector.many_images import readable
from limpide.inspector.session import Answer, Session, compare_probabilities, npy, png
from limpide.text.messages import N_, message

MAX_MAPS = 512  # of a layer, shown
WATCHED = 8  # of the images set aside, for units that never wake
MAX_PROBES = 16  # of the images set aside
MAX_STRONGEST = 200  # training images among which the strongest are looked for
FAR_INPUTS = 4096  # products of one unit that are sent


def anatomy(looker: Session, path: str, snapshot: str, image: dict[str, Any]) -> Answer:
    """Every operation in order: shape, parameters, multiply-adds, milliseconds here, bytes of what it gives, units that
    no probe wakes.
    """
    import torch

    from limpide.models.flops import multiply_adds_of

    network, seen, preprocessing, _ = looker.trace(path, snapshot, image)
    modules = dict(network.named_modules())
    times: dict[str, float] = {}
    costs: dict[str, int] = {}
    asleep: dict[str, float] = {}
    some = looker.watched(path, preprocessing, WATCHED)
    began: dict[str, float] = {}
    names = {module: name for name, module in modules.items()}

    def before(module: Any, _: Any) -> None:
        began[names[module]] = time.perf_counter()

    def after(module: Any, inputs: Any, output: Any) -> None:
        name = names[module]
        times[name] = times.get(name, 0.0) + time.perf_counter() - began[name]
        if inputs:
            costs[name] = costs.get(name, 0) + multiply_adds_of(module, inputs[0], output)

    def woken(module: Any, _: Any, output: Any) -> None:
        if isinstance(output, torch.Tensor) and output.ndim in (2, 4):
            asleep[names[module]] = float((output.amax(dim=(0, 2, 3) if output.ndim == 4 else 0) <= 0).float().mean())

    leaves = [module for module in modules.values() if not list(module.children())]
    with torch.inference_mode():
        hooks = [
            hook
            for module in leaves
            for hook in (module.register_forward_pre_hook(before), module.register_forward_hook(after))
        ]
        network(seen.image)
        for hook in hooks:
            hook.remove()
        hooks = [
            module.register_forward_hook(woken)
            for module in leaves
            if type(module).__name__ in ("ReLU", "ReLU6", "LeakyReLU")
        ]
        network(some)
        for hook in hooks:
            hook.remove()
    rows, told = [], set()
    for op in seen.ops:
        module = modules.get(op.layer)
        first = op.key == op.layer and op.layer not in told
        told.add(op.layer)
        own = (
            [f"{op.layer}.{name}" for name, _ in module.named_parameters(recurse=False)]
            if module is not None and first
            else []
        )
        rows.append(
            {
                "key": op.key,
                "name": op.name,
                "layer": op.layer,
                "kind": type(module).__name__ if module is not None and op.key == op.layer else op.name,
                "shape": list(op.output.shape[1:]),
                "inputs": sorted({source.op for source in op.inputs}),
                "parameters": sum(p.numel() for p in module.parameters(recurse=False))
                if own and module is not None
                else 0,
                "weights": own,
                "multiply_adds": costs.get(op.layer, 0) if first else 0,
                "milliseconds": times[op.layer] * 1000 if first and op.layer in times else None,
                "bytes": op.output.numel() * 4,
                "asleep": asleep.get(op.layer) if first else None,
            }
        )
    return {
        "ops": rows,
        "network": type(network).__name__,
        "input": list(seen.image.shape[1:]),
        "watched": len(some),
    }, b""


def maps(looker: Session, path: str, snapshot: str, image: dict[str, Any], key: str) -> Answer:
    """What an operation gives for this image, float32 (channels, height, width); a vector is (1, 1, n)."""
    _, seen, _, _ = looker.trace(path, snapshot, image)
    output = find_operation(seen, key).output
    value = output[0] if output.ndim == 4 else output.reshape(1, -1, output.shape[-1])
    return {"shape": list(output.shape[1:])}, npy(value[:MAX_MAPS])


def kernels(looker: Session, path: str, snapshot: str, image: dict[str, Any], key: str) -> Answer:
    """The weights of a convolution (maps out, maps in, height, width), or of a linear layer on an image's pixels as
    pictures.
    """
    _, seen, _, _ = looker.trace(path, snapshot, image)
    op = find_operation(seen, key)
    if op.name not in ("conv2d", "linear"):
        raise LookupError(message(N_("this operation has no filters")))
    weight = op.argument(1, "weight")
    if op.name == "linear":
        pixels = seen.image[0]
        weight = (
            weight.reshape(len(weight), *pixels.shape)
            if weight.shape[1] == pixels.numel()
            else weight[:, None, None, :]
        )
    return {"shape": list(weight.shape)}, npy(weight[:MAX_MAPS, :16])


def unit(
    looker: Session,
    path: str,
    snapshot: str,
    image: dict[str, Any],
    key: str,
    channel: int | None = None,
    y: int = 0,
    x: int = 0,
) -> Answer:
    """One number and everything that made it: what interpret.why gives, for the page to draw. Without a channel the one
    that matters most.
    """
    from limpide.interpret.ablation import class_votes
    from limpide.interpret.choose_unit import choose_unit
    from limpide.interpret.unit import index_of, unit_of

    network, seen, _, classes = looker.trace(path, snapshot, image)
    op = find_operation(seen, key)
    if channel is not None:
        check_place(op, channel, y, x)
    found = choose_unit(network, seen, key) if channel is None else unit_of(seen, key, channel, y, x)
    e, box = found.explanation, found.field.box
    place = (0, *index_of(found.op, found.channel, found.y, found.x))
    spoken = class_votes(network, seen, found.op.index, place)
    shown = slice(0, FAR_INPUTS)
    return {
        "key": found.layer,
        "name": found.op.name,
        "shape": list(found.op.output.shape[1:]),
        "channel": found.channel,
        "y": found.y,
        "x": found.x,
        "kind": e.kind,
        "rule": e.rule,
        "grid": list(e.shape),
        "values": e.values[shown].tolist(),
        "weights": e.weights[shown].tolist(),
        "sources": e.sources[shown],
        "places": [_unflat(seen, op, place) for op, place in zip(e.sources[shown], e.places[shown], strict=True)],
        "names": {str(op): "" if op < 0 else seen.ops[op].key for op in set(e.sources)},
        "terms": len(e.places),
        "bias": e.bias,
        "parts": e.parts,
        "value": e.value,
        "torch": e.torch_value,
        "residual": e.residual,
        "tolerance": 1e-5 * e.scale + 1e-12,
        "agrees": e.agrees,
        "box": [box.top, box.left, box.bottom, box.right],
        "status": found.field.status,
        "after": [vars(after) for after in found.after],
        "votes": [{"class": classes[k], "slope": slope} for k, slope in sorted(spoken, key=lambda pair: -pair[1])],
    }, b""


def _unflat(seen: Any, op: int, place: int) -> list[int]:
    """(channel, row, column) of a flat place in what an operation gave; empty for padding."""
    if op < -1 or place < 0:
        return []
    shape = seen.value(op).shape
    index = [int(k) for k in np.unravel_index(place, tuple(shape))]
    if len(shape) == 4:
        return index[1:]
    return [index[-1], int(np.ravel_multi_index(index[1:-1], tuple(shape[1:-1]))) if len(shape) > 2 else 0, 0]


def effect(
    looker: Session,
    path: str,
    snapshot: str,
    image: dict[str, Any],
    key: str,
    channel: int,
    place: int | None = None,
    weight: float = 0.0,
) -> Answer:
    """Probabilities before and after this channel is switched off, or one of its weights is another."""
    from limpide.interpret.ablation import with_weight, without_channel

    network, seen, _, classes = looker.trace(path, snapshot, image)
    op = find_operation(seen, key)
    _within_channels(op, channel)
    if (
        place is not None
        and op.name in ("conv2d", "linear")
        and place >= (n := op.argument(1, "weight")[channel].numel())
    ):
        raise LookupError(message(N_("the weights of this channel go from 0 to {last:count}"), last=n - 1))
    after = (
        without_channel(network, seen, op.index, channel)
        if place is None
        else with_weight(network, seen, op.index, channel, place, weight)
    )
    return compare_probabilities(looker, path, snapshot, seen.output[0], after, classes)


def _within_channels(op: Any, channel: int) -> None:
    """Raises LookupError for a channel that this operation does not have."""
    n = op.output.shape[1 if op.output.ndim == 4 else -1]
    if not 0 <= channel < n:
        raise LookupError(message(N_("the channels of {layer} go from 0 to {last:count}"), layer=op.key, last=n - 1))


def _check(looker: Session, path: str, snapshot: str, key: str, channel: int) -> None:
    """As the questions about one image do, where none is at hand."""
    import torch

    from limpide.interpret.trace import trace

    network, _, _ = looker.network(path, snapshot)
    _within_channels(find_operation(trace(network, torch.zeros(1, *looker.shape(path, snapshot))), key), channel)


def maximized(looker: Session, path: str, snapshot: str, key: str, channel: int) -> Answer:
    """The picture that wakes this channel most (interpret/activation_maximization.py), as a PNG, and the activation
    before and after.
    """
    from limpide.interpret import activation_maximization

    network, preprocessing, _ = looker.network(path, snapshot)
    mean, std = np.array(preprocessing.mean, np.float32), np.array(preprocessing.std, np.float32)

    def work() -> Any:
        with looker.counting(activation_maximization.STEPS, unit="passes"):
            return activation_maximization.maximize_activation(
                network,
                key,
                channel,
                looker.shape(path, snapshot),
                low=torch.from_numpy((0 - mean) / std),
                high=torch.from_numpy((255 - mean) / std),
            )

    import torch

    try:
        found = looker.once(("maximized", *looker.key(path, snapshot), key, channel), work)
    except (KeyError, IndexError):
        _check(looker, path, snapshot, key, channel)
        raise
    pixels = found.image[0].permute(1, 2, 0).numpy() * std + mean
    box = found.box
    about = {
        "before": found.before,
        "after": found.after,
        "box": [box.top, box.left, box.bottom, box.right],
        "size": preprocessing.size,
    }
    return about, png(np.clip(np.round(pixels), 0, 255).astype(np.uint8))


def strongest(looker: Session, path: str, snapshot: str, key: str, channel: int, among: int = 0) -> Answer:
    """Those that wake this channel most, of the images set aside; or, of more than those, of so many
    training images.
    """
    from limpide.interpret.top_activations import strongest_images

    network, preprocessing, _ = looker.network(path, snapshot)
    if among:
        album = looker.album(path)
        some = album.some(min(among, MAX_STRONGEST), album.learned)
    else:
        some = np.arange(min(MAX_PROBES, len(looker.probes(path)["squares"])))
    with looker.counting(len(some), looks=2 if among else 1):
        if among:
            some, squares = readable(looker, path, preprocessing, some)
            images = [{"row": int(row)} for row in some]
        else:
            images = [{"probe": int(k)} for k in some]
            squares = np.stack([looker.square(path, preprocessing, image) for image in images])
        try:
            found = strongest_images(
                network, (looker.batch(preprocessing, square[None]) for square in squares), key, channel
            )
        except (KeyError, IndexError, RuntimeError):
            _check(looker, path, snapshot, key, channel)
            raise
    return {
        "top": [{**images[one.image], "value": one.value, "y": one.y, "x": one.x} for one in found[:8]],
        "among": len(found),
    }, b""
