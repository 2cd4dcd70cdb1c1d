"""What can be asked about the network of a run: runs in a process of its own (worker.py).

Every function: (run's path, values of the question) → (JSON, bytes of an .npy file or nothing). A snapshot is a number of steps or "best"; an image is
{"probe": k} of those that the training set aside, or {"bytes": …} of a file that somebody dropped.
"""

from __future__ import annotations

import contextlib
import io
import os
import time
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from limpide.errors import LimpideError

KEPT = 6  # networks, and traces, that are kept for the next question
MOST_MAPS = 512  # of a layer, shown
FAR_INPUTS = 4096  # products of one unit that are sent

Answer = tuple[dict[str, Any], bytes]


def serve(pipe: Any, niceness: int, parent: int) -> None:
    """The process: answers until the pipe is closed."""
    with contextlib.suppress(AttributeError, OSError):
        os.nice(niceness)
    import torch

    torch.set_num_threads(1)
    looker = Looker()
    while True:
        try:
            if not pipe.poll(5):
                if os.getppid() != parent:  # the server was killed
                    return
                continue
            name, values = pipe.recv()
        except (EOFError, OSError):
            return
        try:
            answer: tuple[str, Any, bytes] = ("ok", *ANSWERS[name](looker, **values))
        except Exception as error:  # whatever a stranger's network does, the next question is answered
            told = str(error) if isinstance(error, LimpideError) or not error.args else str(error.args[0])
            answer = ("error", told or type(error).__name__, b"")
        with contextlib.suppress(OSError):
            pipe.send(answer)


class Looker:
    """Networks and traces that were looked at lately."""

    def __init__(self) -> None:
        self.networks: OrderedDict[Any, Any] = OrderedDict()
        self.traces: OrderedDict[Any, Any] = OrderedDict()

    def network(self, path: str, snapshot: str) -> tuple[Any, Any, list[str]]:
        """(network in evaluation mode, preprocessing, classes). "best" is the final model, while there is none the newest weights.

        Raises LookupError where there are no such weights.
        """
        from limpide import models
        from limpide.data.preprocessing import Preprocessing
        from limpide.run import Run
        from limpide.training.network import load_weights

        run = Run.open(path)
        info = run.info()
        if snapshot == "best" and "final" in info and (run.snapshots / "best.safetensors").exists():
            file, kept = run.snapshots / "best.safetensors", info["final"]["preprocessing"]
        else:
            steps = run.kept()
            if not steps or "learning" not in info:
                raise LookupError("no weights were kept yet")
            step = max(steps) if snapshot == "best" else int(snapshot) if snapshot.isdigit() else -1
            if step not in steps:
                raise LookupError(f"the weights after step {snapshot} were not kept; there are those after {', '.join(map(str, steps))}")
            file = steps[step]
            kept = info["learning"]["preprocessing"]
        key = (str(file), file.stat().st_mtime_ns)
        if key not in self.networks:
            preprocessing = Preprocessing.from_json(kept)
            network = models.build(info["recipe"]["model"], len(info["classes"]), preprocessing.channels, preprocessing.size)
            load_weights(network, file)
            _keep(self.networks, key, (network.eval(), preprocessing, list(info["classes"])))
        return self.networks[key]  # type: ignore[no-any-return]

    def temperature(self, path: str, snapshot: str) -> float:
        """What the sealed model divides its logits by; 1 for weights along the way, which nobody calibrated."""
        from limpide.run import Run

        run = Run.open(path)
        found = run.finding("calibration") if snapshot == "best" and run.model_file.exists() else None
        number = found.number("temperature") if found else None
        return number.value if number else 1.0

    def tensor(self, path: str, preprocessing: Any, image: dict[str, Any]) -> Any:
        """(1, channels, size, size), normalised as in training."""
        return self.batch(preprocessing, self.square(path, preprocessing, image)[None])

    def batch(self, preprocessing: Any, squares: np.ndarray) -> Any:
        import torch

        from limpide.data.reading import Pixels
        from limpide.training.batches import normalised

        return normalised(torch.from_numpy(np.ascontiguousarray(squares)), Pixels(preprocessing, np.arange(len(squares)), squares)).contiguous()

    def square(self, path: str, preprocessing: Any, image: dict[str, Any]) -> np.ndarray:
        """uint8 (size, size, channels)."""
        from PIL import Image

        from limpide.data.decode import Undecodable, decode

        if "bytes" in image:
            try:
                found = decode(image["bytes"], preprocessing.jpeg_side)
            except Undecodable as error:
                raise LookupError(error.reason) from error
        else:
            squares = probes(path)["squares"]
            if not 0 <= image["probe"] < len(squares):
                raise LookupError("this run kept no image of this number")
            square = squares[image["probe"]]
            if square.shape[0] == preprocessing.size:
                return square  # type: ignore[no-any-return]
            found = Image.fromarray(square.squeeze(-1) if square.shape[-1] == 1 else square)
        return preprocessing.pixels(found)  # type: ignore[no-any-return]

    def trace(self, path: str, snapshot: str, image: dict[str, Any]) -> tuple[Any, Any, Any, list[str]]:
        """(network, trace, preprocessing, classes)."""
        from limpide.interpret.trace import trace

        network, preprocessing, classes = self.network(path, snapshot)
        key = (id(network), image.get("probe"), hash(image.get("bytes")))
        if key not in self.traces:
            _keep(self.traces, key, (network, trace(network, self.tensor(path, preprocessing, image))))
        return (*self.traces[key], preprocessing, classes)


def probes(path: str) -> Any:
    """What the training set aside: squares uint8 (n, size, size, channels), truth (n,), files (n,). Raises LookupError."""
    try:
        with np.load(Path(path) / "predictions" / "probes.npz") as stored:
            return {name: stored[name] for name in ("squares", "truth", "files")}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise LookupError("this run kept no images to look at") from error


def _keep(store: OrderedDict[Any, Any], key: Any, value: Any) -> None:
    store[key] = value
    while len(store) > KEPT:
        store.popitem(last=False)


# -- answers


def predictions(looker: Looker, path: str, snapshot: str) -> Answer:
    """What the network says of every probe: probabilities (n, classes)."""
    import torch

    network, preprocessing, classes = looker.network(path, snapshot)
    kept = probes(path)
    squares = np.stack([looker.square(path, preprocessing, {"probe": k}) for k in range(len(kept["squares"]))])
    with torch.inference_mode():
        t = looker.temperature(path, snapshot)
        found = torch.cat([(network(looker.batch(preprocessing, squares[k : k + 8])).float() / t).softmax(1) for k in range(0, len(squares), 8)])
    best = found.argmax(1)
    return {"predicted": best.tolist(), "probability": found.amax(1).tolist(), "truth": kept["truth"].tolist(), "classes": classes}, b""


def prediction(looker: Looker, path: str, snapshot: str, image: dict[str, Any]) -> Answer:
    """The five likeliest classes. Of the final model with its calibrated confidence; of weights along the way as they are."""
    _, seen, _, classes = looker.trace(path, snapshot, image)
    t = looker.temperature(path, snapshot)
    row = (seen.output[0].double() / t).softmax(0)
    order = row.argsort(descending=True)[:5].tolist()
    truth = probes(path)["truth"][image["probe"]] if "probe" in image and image["probe"] < len(probes(path)["truth"]) else None
    return {
        "top": [{"class": classes[k], "index": k, "probability": float(row[k])} for k in order],
        "calibrated": t != 1.0,
        "truth": classes[int(truth)] if truth is not None else None,
    }, b""


def _compared(looker: Looker, path: str, snapshot: str, before: Any, after: Any, classes: list[str]) -> Answer:
    """Probabilities of the likeliest classes as it is, and then: on the same scale as `prediction`."""
    t = looker.temperature(path, snapshot)
    before, after = (before / t).softmax(0), (after / t).softmax(0)
    order = before.argsort(descending=True)[:5].tolist() + after.argsort(descending=True)[:2].tolist()
    return {"rows": [{"class": classes[k], "before": float(before[k]), "after": float(after[k])} for k in dict.fromkeys(order)]}, b""


def anatomy(looker: Looker, path: str, snapshot: str, image: dict[str, Any]) -> Answer:
    """Every operation in order: shape, parameters, multiply-adds, milliseconds here, bytes of what it gives, units that no probe wakes."""
    import torch

    from limpide.models.counting import multiply_adds_of

    network, seen, preprocessing, _ = looker.trace(path, snapshot, image)
    modules = dict(network.named_modules())
    times: dict[str, float] = {}
    costs: dict[str, int] = {}
    asleep: dict[str, float] = {}
    kept = probes(path)["squares"]
    some = np.stack([looker.square(path, preprocessing, {"probe": k}) for k in range(min(8, len(kept)))])
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
        hooks = [hook for module in leaves for hook in (module.register_forward_pre_hook(before), module.register_forward_hook(after))]
        network(seen.image)
        for hook in hooks:
            hook.remove()
        hooks = [module.register_forward_hook(woken) for module in leaves if type(module).__name__ in ("ReLU", "ReLU6", "LeakyReLU")]
        network(looker.batch(preprocessing, some))
        for hook in hooks:
            hook.remove()
    rows, told = [], set()
    for op in seen.ops:
        module = modules.get(op.layer)
        first = op.key == op.layer and op.layer not in told
        told.add(op.layer)
        own = [f"{op.layer}.{name}" for name, _ in module.named_parameters(recurse=False)] if module is not None and first else []
        rows.append(
            {
                "key": op.key,
                "name": op.name,
                "layer": op.layer,
                "kind": type(module).__name__ if module is not None and op.key == op.layer else op.name,
                "shape": list(op.output.shape[1:]),
                "inputs": sorted({source.op for source in op.inputs}),
                "parameters": sum(p.numel() for p in module.parameters(recurse=False)) if own and module is not None else 0,
                "weights": own,
                "multiply_adds": costs.get(op.layer, 0) if first else 0,
                "milliseconds": times[op.layer] * 1000 if first and op.layer in times else None,
                "bytes": op.output.numel() * 4,
                "asleep": asleep.get(op.layer) if first else None,
            }
        )
    return {"ops": rows, "network": type(network).__name__, "input": list(seen.image.shape[1:])}, b""


def maps(looker: Looker, path: str, snapshot: str, image: dict[str, Any], key: str) -> Answer:
    """What an operation gives for this image, float32 (channels, height, width); a vector is (1, 1, n)."""
    _, seen, _, _ = looker.trace(path, snapshot, image)
    output = seen.find(key).output
    value = output[0] if output.ndim == 4 else output.reshape(1, -1, output.shape[-1])
    return {"shape": list(output.shape[1:])}, _npy(value[:MOST_MAPS])


def kernels(looker: Looker, path: str, snapshot: str, image: dict[str, Any], key: str) -> Answer:
    """The weights of a convolution (maps out, maps in, height, width), or of a linear layer on an image's pixels as pictures."""
    _, seen, _, _ = looker.trace(path, snapshot, image)
    op = seen.find(key)
    if op.name not in ("conv2d", "linear"):
        raise LookupError("this operation has no filters")
    weight = op.argument(1, "weight")
    if op.name == "linear":
        pixels = seen.image[0]
        weight = weight.reshape(len(weight), *pixels.shape) if weight.shape[1] == pixels.numel() else weight[:, None, None, :]
    return {"shape": list(weight.shape)}, _npy(weight[:MOST_MAPS, :16])


def unit(looker: Looker, path: str, snapshot: str, image: dict[str, Any], key: str, channel: int | None = None, y: int = 0, x: int = 0) -> Answer:
    """One number and everything that made it: what interpret.why gives, for the page to draw. Without a channel the strongest one."""
    from limpide.interpret.effect import votes
    from limpide.interpret.why import index_of, unit_of

    network, seen, _, classes = looker.trace(path, snapshot, image)
    if channel is None:
        output = seen.find(key).output[0]
        at = [int(k) for k in np.unravel_index(int(output.abs().argmax()), tuple(output.shape))]
        channel, y, x = {1: (at[0], 0, 0), 2: (at[-1], at[0], 0), 3: tuple(at)}[len(at)]
    found = unit_of(seen, key, channel, y, x)
    e, box = found.explanation, found.field.box
    place = (0, *index_of(found.op, channel, y, x))
    spoken = votes(network, seen, found.op.index, place)
    shown = slice(0, FAR_INPUTS)
    return {
        "key": found.layer,
        "name": found.op.name,
        "shape": list(found.op.output.shape[1:]),
        "channel": channel,
        "y": y,
        "x": x,
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


def effect(looker: Looker, path: str, snapshot: str, image: dict[str, Any], key: str, channel: int, place: int | None = None, weight: float = 0.0) -> Answer:
    """Probabilities before and after this channel is switched off, or one of its weights is another."""
    from limpide.interpret.effect import with_weight, without

    network, seen, _, classes = looker.trace(path, snapshot, image)
    op = seen.find(key)
    after = without(network, seen, op.index, channel) if place is None else with_weight(network, seen, op.index, channel, place, weight)
    return _compared(looker, path, snapshot, seen.output[0], after, classes)


def strongest(looker: Looker, path: str, snapshot: str, key: str, channel: int) -> Answer:
    """Of the probes, those that wake this channel most: [(probe, value, row, column)]."""
    from limpide.interpret.trace import trace

    network, preprocessing, _ = looker.network(path, snapshot)
    found = []
    for k in range(min(16, len(probes(path)["squares"]))):
        output = trace(network, looker.tensor(path, preprocessing, {"probe": k})).find(key).output
        plane = output[0, channel] if output.ndim == 4 else output[0, ..., channel].reshape(1, -1)
        at = int(plane.argmax())
        found.append({"probe": k, "value": float(plane.flatten()[at]), "y": at // plane.shape[-1], "x": at % plane.shape[-1]})
    return {"top": sorted(found, key=lambda one: -one["value"])[:8]}, b""


def saliency(looker: Looker, path: str, snapshot: str, image: dict[str, Any], method: str, label: int) -> Answer:
    """A map float32 (height, width) and whether it may be believed."""
    from limpide.interpret.saliency import METHODS
    from limpide.interpret.sanity import as_finding, sanity

    network, seen, _, _ = looker.trace(path, snapshot, image)
    try:
        found = METHODS[method](network, seen.image, label)
    except TypeError as error:
        raise LookupError(str(error)) from error
    claim = as_finding(method, sanity(network, seen.image, label, METHODS[method]))
    numbers = [{"name": n.name, "value": n.value, "unit": n.unit} for n in claim.numbers]
    return {"verdict": claim.verdict, "message": claim.message.to_json(), "numbers": numbers}, _npy(found)


def occluded(looker: Looker, path: str, snapshot: str, image: dict[str, Any], mask: list[list[int]]) -> Answer:
    """The answer with these places (row, column in sixteenths of the side) covered with grey."""
    import torch

    network, seen, _, classes = looker.trace(path, snapshot, image)
    changed = seen.image.clone()
    side = changed.shape[-1]
    for row, column in mask[:256]:
        changed[0, :, row * side // 16 : -(-(row + 1) * side // 16), column * side // 16 : -(-(column + 1) * side // 16)] = 0
    with torch.inference_mode():
        after = network(changed)[0]
    return _compared(looker, path, snapshot, seen.output[0], after, classes)


def picture(looker: Looker, path: str, snapshot: str, image: dict[str, Any]) -> Answer:
    """The square that the network sees, as a PNG."""
    from PIL import Image

    _, preprocessing, _ = looker.network(path, snapshot)
    square = looker.square(path, preprocessing, image)
    stream = io.BytesIO()
    Image.fromarray(square.squeeze(-1) if square.shape[-1] == 1 else square).save(stream, "PNG")
    return {}, stream.getvalue()


def _npy(value: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.ascontiguousarray(value.detach().float().numpy()))
    return stream.getvalue()


ANSWERS: dict[str, Callable[..., Answer]] = {
    f.__name__: f for f in (predictions, prediction, anatomy, maps, kernels, unit, effect, strongest, saliency, occluded, picture)
}
