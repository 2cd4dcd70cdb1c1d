"""A trained network → `model.onnx`: raw RGB in, probabilities out, with everything that predicting needs in the file.

Input   image          uint8 (batch, height, width, 3), any height and width
Outputs logits         float32 (batch, classes)
        probabilities  float32 (batch, classes), softmax(logits / temperature)
Metadata `limpide` = JSON: classes, preprocessing, temperature, model, version.
"""

from __future__ import annotations

import io
import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any

import onnx
import torch
from onnx import compose, helper
from torch import nn

from limpide import __version__
from limpide.core.errors import ModelError
from limpide.data.preprocessing import Preprocessing
from limpide.deploy.preprocessing_graph import IR_VERSION, OPSET, preprocessing_model
from limpide.system.files import write_bytes
from limpide.text.messages import N_


def export(
    model: nn.Module,
    preprocessing: Preprocessing,
    classes: tuple[str, ...],
    file: Path,
    *,
    temperature: float = 1.0,
    name: str = "",
) -> None:
    """Writes the sealed file atomically. `model` maps normalised (batch, channels, size, size) to logits."""
    network = _network(model, preprocessing)
    before = compose.add_prefix(preprocessing_model(preprocessing), "pre_", rename_inputs=False, rename_outputs=False)
    whole = compose.merge_models(before, network, io_map=[("pixels", "network_input")], outputs=["logits"])
    _add_probabilities(whole.graph, len(classes), temperature)
    contract = {
        "classes": list(classes),
        "preprocessing": preprocessing.to_json(),
        "temperature": temperature,
        "model": name,
        "limpide": __version__,
    }
    del whole.metadata_props[:]
    _once(whole.opset_import)
    helper.set_model_props(whole, {"limpide": json.dumps(contract)})
    whole.producer_name, whole.producer_version = "limpide", __version__
    onnx.checker.check_model(whole)
    write_bytes(file, whole.SerializeToString())


def check_exportable(model: nn.Module, preprocessing: Preprocessing) -> None:
    """Raises ModelError for a network that could be trained and not be shipped. What PyTorch prints of its failure is
    not shown.
    """
    sys.stdout.flush()
    kept = os.dup(1)
    try:
        with open(os.devnull, "wb") as nowhere:  # it prints the whole graph past Python's own stdout
            os.dup2(nowhere.fileno(), 1)
        _network(model, preprocessing)
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def _network(model: nn.Module, p: Preprocessing) -> onnx.ModelProto:
    """The network alone: network_input (batch, channels, size, size) → logits. Batch normalisation is folded in."""
    model = model.eval().to(device="cpu", memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    stream: Any = io.BytesIO()
    with warnings.catch_warnings():
        # The TorchScript exporter is eight times faster than its successor and needs no further package.
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        warnings.filterwarnings("ignore", category=torch.jit.TracerWarning)  # type: ignore[attr-defined]
        warnings.filterwarnings("ignore", message=".*legacy TorchScript-based ONNX export.*")
        # of recurrent layers: tests/models runs several sizes
        warnings.filterwarnings("ignore", message=".*batch_size other than 1.*")
        # a pad is not made smaller: only a little slower to load
        warnings.filterwarnings("ignore", message="Constant folding.*")
        try:
            torch.onnx.export(
                model,
                (torch.zeros(2, p.channels, p.size, p.size),),
                stream,
                dynamo=False,
                opset_version=OPSET,
                input_names=["network_input"],
                output_names=["logits"],
                dynamic_axes={"network_input": {0: "batch"}, "logits": {0: "batch"}},
            )
        except Exception as error:  # torch raises many kinds for what ONNX cannot say
            raise ModelError(
                "L426",
                N_("this network cannot be written as ONNX: {error}"),
                where=type(model).__name__,
                todo=N_("use layers that ONNX knows; a model that cannot be shipped is not trained"),
                error=f"{type(error).__name__}: {error}".splitlines()[0],
            ) from error
    network = onnx.load_from_string(stream.getvalue())
    network.ir_version = IR_VERSION
    return network


def _once(imported: Any) -> None:
    """Each set of operators in the one version that is used: the pieces that were merged bring theirs, and strict
    readers refuse a set that is named twice.
    """
    versions: dict[str, int] = {}
    for one in imported:
        domain = "" if one.domain == "ai.onnx" else one.domain  # two names of the default set
        if versions.setdefault(domain, one.version) != one.version:
            raise ValueError(f"two versions of the operator set {domain!r}: {versions[domain]} and {one.version}")
    del imported[:]
    imported.extend(helper.make_opsetid(domain, version) for domain, version in versions.items())


def _add_probabilities(graph: onnx.GraphProto, classes: int, temperature: float) -> None:
    graph.initializer.append(helper.make_tensor("temperature", onnx.TensorProto.FLOAT, [], [temperature]))
    graph.node.append(helper.make_node("Div", ["logits", "temperature"], ["calibrated_logits"]))
    graph.node.append(helper.make_node("Softmax", ["calibrated_logits"], ["probabilities"], axis=-1))
    graph.output.append(helper.make_tensor_value_info("probabilities", onnx.TensorProto.FLOAT, ["batch", classes]))
