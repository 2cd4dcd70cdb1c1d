"""Questions about the network: its operations, their maps and filters."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from limpide.explanation.units import find_operation
from limpide.inspector import parsers
from limpide.inspector.answer import Answer, npy
from limpide.inspector.image_reference import ImageReference
from limpide.inspector.network_session import NetworkSession, trace_image
from limpide.inspector.question import Parser, Question
from limpide.text.messages import N_, message

if TYPE_CHECKING:
    from torch import Tensor, nn

    from limpide.interpret.trace import Op

MAX_MAPS = 512  # of a layer, shown
ASLEEP_PROBES = 8  # images set aside that are used to find units that never activate
RECTIFIERS = ("ReLU", "ReLU6", "LeakyReLU")


@dataclass
class LayerCosts:
    """Measurements by the name of a layer."""

    seconds: dict[str, float] = field(default_factory=dict)
    multiply_adds: dict[str, int] = field(default_factory=dict)
    asleep: dict[str, float] = field(default_factory=dict)  # share of its channels that no probe activates


def anatomy(session: NetworkSession, path: str, snapshot: str, image: ImageReference) -> Answer:
    """Every operation in order: shape, parameters, multiply-adds, milliseconds here, bytes of its output, units that no
    probe activates.
    """
    traced = trace_image(session, path, snapshot, image)
    probes = session.probe_batch(path, traced.preprocessing, ASLEEP_PROBES)
    costs = _measure_layers(traced.network, traced.trace.image, probes)
    modules = dict(traced.network.named_modules())
    rows, described = [], set()
    for op in traced.trace.ops:
        first = op.key == op.layer and op.layer not in described
        described.add(op.layer)
        rows.append(_describe_operation(op, modules.get(op.layer), costs if first else None))
    return {
        "ops": rows,
        "network": type(traced.network).__name__,
        "input": list(traced.trace.image.shape[1:]),
        "watched": len(probes),
    }, b""


def _measure_layers(network: nn.Module, image: Tensor, probes: Tensor) -> LayerCosts:
    import torch

    from limpide.models.flops import multiply_adds_of

    costs = LayerCosts()
    leaves = {module: name for name, module in network.named_modules() if not list(module.children())}
    began: dict[str, float] = {}

    def before(module: nn.Module, _: Any) -> None:
        began[leaves[module]] = time.perf_counter()

    def after(module: nn.Module, inputs: Any, output: Any) -> None:
        name = leaves[module]
        costs.seconds[name] = costs.seconds.get(name, 0.0) + time.perf_counter() - began[name]
        if inputs:
            costs.multiply_adds[name] = costs.multiply_adds.get(name, 0) + multiply_adds_of(module, inputs[0], output)

    def count_asleep(module: nn.Module, _: Any, output: Any) -> None:
        if isinstance(output, torch.Tensor) and output.ndim in (2, 4):
            largest = output.amax(dim=(0, 2, 3) if output.ndim == 4 else 0)
            costs.asleep[leaves[module]] = float((largest <= 0).float().mean())

    rectifiers = [module for module in leaves if type(module).__name__ in RECTIFIERS]
    with torch.inference_mode():
        with _hooked(
            [m.register_forward_pre_hook(before) for m in leaves], [m.register_forward_hook(after) for m in leaves]
        ):
            network(image)
        with _hooked([m.register_forward_hook(count_asleep) for m in rectifiers]):
            network(probes)
    return costs


@contextlib.contextmanager
def _hooked(*hooks: list[Any]) -> Iterator[None]:
    try:
        yield
    finally:
        for handles in hooks:
            for hook in handles:
                hook.remove()


def _describe_operation(op: Op, module: nn.Module | None, costs: LayerCosts | None) -> dict[str, Any]:
    """costs: of its layer, where this is the layer's first operation; None where they were reported already."""
    weights = [name for name, _ in module.named_parameters(recurse=False)] if module is not None and costs else []
    seconds = costs.seconds.get(op.layer) if costs else None
    return {
        "key": op.key,
        "name": op.name,
        "layer": op.layer,
        "kind": type(module).__name__ if module is not None and op.key == op.layer else op.name,
        "shape": list(op.output.shape[1:]),
        "inputs": sorted({source.op for source in op.inputs}),
        "parameters": sum(p.numel() for p in module.parameters(recurse=False)) if module is not None and weights else 0,
        "weights": [f"{op.layer}.{name}" for name in weights],
        "multiply_adds": costs.multiply_adds.get(op.layer, 0) if costs else 0,
        "milliseconds": None if seconds is None else seconds * 1000,
        "bytes": op.output.numel() * 4,
        "asleep": costs.asleep.get(op.layer) if costs else None,
    }


def maps(session: NetworkSession, path: str, snapshot: str, image: ImageReference, key: str) -> Answer:
    """The output of an operation for this image, float32 (channels, height, width); a vector is (1, 1, n)."""
    output = find_operation(trace_image(session, path, snapshot, image).trace, key).output
    value = output[0] if output.ndim == 4 else output.reshape(1, -1, output.shape[-1])
    return {"shape": list(output.shape[1:])}, npy(value[:MAX_MAPS])


def kernels(session: NetworkSession, path: str, snapshot: str, image: ImageReference, key: str) -> Answer:
    """The weights of a convolution (maps out, maps in, height, width), or those of a linear layer on an image's pixels,
    as pictures.
    """
    trace = trace_image(session, path, snapshot, image).trace
    op = find_operation(trace, key)
    if op.name not in ("conv2d", "linear"):
        raise LookupError(message(N_("this operation has no filters")))
    weight = op.argument(1, "weight")
    if op.name == "linear":
        pixels = trace.image[0]
        weight = (
            weight.reshape(len(weight), *pixels.shape)
            if weight.shape[1] == pixels.numel()
            else weight[:, None, None, :]
        )
    return {"shape": list(weight.shape)}, npy(weight[:MAX_MAPS, :16])


LAYER: dict[str, Parser] = {"image": ImageReference, "key": parsers.operation_key}
QUESTIONS = {
    "anatomy": Question(anatomy, {"image": ImageReference}, in_notebook=True),
    "maps": Question(maps, LAYER, in_notebook=True),
    "kernels": Question(kernels, LAYER, in_notebook=True),
}
