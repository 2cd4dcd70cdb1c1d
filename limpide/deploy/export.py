"""A trained network → `model.onnx`: raw RGB in, probabilities out; the file contains everything that predicting needs.

Input   image          uint8 (batch, height, width, 3), any height and width
Outputs logits         float32 (batch, classes)
        probabilities  float32 (batch, classes), softmax(logits / temperature)
        features       float32 (batch, width), the input of the last linear layer, if there is one
Metadata: deploy/contract.py.
"""

from __future__ import annotations

import io
import json
import os
import sys
import warnings
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import compose, helper
from PIL import Image
from torch import nn

from limpide import __version__
from limpide.core.errors import ModelError
from limpide.core.typed_json import to_plain_json
from limpide.data.preprocessing import Preprocessing
from limpide.deploy.contract import CONTRACT, KEY, SELF_TEST, TRAIN_STATS, Contract, Judged
from limpide.deploy.detection import Detection
from limpide.deploy.preprocessing_graph import IR_VERSION, OPSET, preprocessing_model
from limpide.deploy.self_test import make_self_test
from limpide.deploy.train_stats import TrainStats
from limpide.models.features import WithFeatures, features_width
from limpide.models.mirrored import MirroredMean
from limpide.system.files import write_bytes
from limpide.training.batches import as_tensor


def export(
    model: nn.Module,
    preprocessing: Preprocessing,
    classes: tuple[str, ...],
    file: Path,
    *,
    temperature: float = 1.0,
    name: str = "",
    judged: Judged | None = None,
    priors: tuple[float, ...] | None = None,
    train_stats: TrainStats | None = None,
    detection: Detection | None = None,
    mirrored: bool = False,
) -> None:
    """Write the sealed file atomically. `model` maps normalised (batch, channels, size, size) to logits. mirrored:
    whether the file answers with the mean of the logits of the image and of its mirror image.
    """
    model = _at_rest(MirroredMean(model) if mirrored else model)
    width = features_width(model, preprocessing.channels, preprocessing.size)
    network = _network(model, preprocessing, width)
    before = compose.add_prefix(preprocessing_model(preprocessing), "pre_", rename_inputs=False, rename_outputs=False)
    outputs = [output.name for output in network.graph.output]
    whole = compose.merge_models(before, network, io_map=[("pixels", "network_input")], outputs=outputs)
    _order_outputs(whole.graph, len(classes), temperature, width)
    del whole.metadata_props[:]
    _once(whole.opset_import)
    contract = Contract(
        classes, preprocessing, temperature, name, __version__, CONTRACT, width, judged, priors, mirrored, detection
    )
    self_test = make_self_test(partial(_answer, model, preprocessing, temperature))
    records = {KEY: contract, SELF_TEST: self_test} | ({TRAIN_STATS: train_stats} if train_stats else {})
    helper.set_model_props(whole, {key: json.dumps(to_plain_json(record)) for key, record in records.items()})
    whole.producer_name, whole.producer_version = "limpide", __version__
    onnx.checker.check_model(whole)
    write_bytes(file, whole.SerializeToString())


def check_exportable(model: nn.Module, preprocessing: Preprocessing) -> None:
    """Raises ModelError for a network that could be trained but not shipped. PyTorch's output on the failure is not
    shown.
    """
    sys.stdout.flush()
    saved_stdout = os.dup(1)
    try:
        with open(os.devnull, "wb") as nowhere:  # PyTorch prints the whole graph, not through Python's stdout
            os.dup2(nowhere.fileno(), 1)
        model = _at_rest(model)
        _network(model, preprocessing, features_width(model, preprocessing.channels, preprocessing.size))
    finally:
        os.dup2(saved_stdout, 1)
        os.close(saved_stdout)


def _at_rest(model: nn.Module) -> nn.Module:
    return model.eval().to(device="cpu", memory_format=torch.contiguous_format)  # type: ignore[no-any-return,call-overload]


@torch.inference_mode()
def _answer(model: nn.Module, p: Preprocessing, temperature: float, image: np.ndarray) -> np.ndarray:
    """Probabilities (classes,) of an image uint8 (height, width, 3), by the network in memory."""
    logits = model(as_tensor(p.pixels(Image.fromarray(image))[None], p))
    return np.asarray((logits.float()[0] / temperature).softmax(0).numpy())


def _network(model: nn.Module, p: Preprocessing, width: int | None) -> onnx.ModelProto:
    """The network alone: network_input (batch, channels, size, size) → logits, and features if there is a width. Batch
    normalisation is folded in.
    """
    outputs = ["logits"] if width is None else ["logits", "features"]
    stream: Any = io.BytesIO()
    with warnings.catch_warnings():
        # The TorchScript exporter is eight times faster than its successor and needs no further package.
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        warnings.filterwarnings("ignore", category=torch.jit.TracerWarning)  # type: ignore[attr-defined]
        warnings.filterwarnings("ignore", message=".*legacy TorchScript-based ONNX export.*")
        # of recurrent layers: tests/models runs several sizes
        warnings.filterwarnings("ignore", message=".*batch_size other than 1.*")
        # a pad is not simplified: the file is only a little slower to load
        warnings.filterwarnings("ignore", message="Constant folding.*")
        try:
            torch.onnx.export(
                model if width is None else WithFeatures(model),
                (torch.zeros(2, p.channels, p.size, p.size),),
                stream,
                dynamo=False,
                opset_version=OPSET,
                input_names=["network_input"],
                output_names=outputs,
                dynamic_axes={one: {0: "batch"} for one in ("network_input", *outputs)},
            )
        except Exception as error:  # torch raises many kinds for what ONNX cannot express
            raise ModelError(
                "L426", where=type(model).__name__, error=f"{type(error).__name__}: {error}".splitlines()[0]
            ) from error
    network = onnx.load_from_string(stream.getvalue())
    network.ir_version = IR_VERSION
    return network


def _once(imported: Any) -> None:
    """Keep each set of operators once, in the version that is used: the merged pieces bring their own sets, and strict
    readers refuse a set that is named twice.
    """
    versions: dict[str, int] = {}
    for one in imported:
        domain = "" if one.domain == "ai.onnx" else one.domain  # two names of the default set
        if versions.setdefault(domain, one.version) != one.version:
            raise ValueError(f"two versions of the operator set {domain!r}: {versions[domain]} and {one.version}")
    del imported[:]
    imported.extend(helper.make_opsetid(domain, version) for domain, version in versions.items())


def _order_outputs(graph: onnx.GraphProto, classes: int, temperature: float, width: int | None) -> None:
    """Add the probabilities and declare the width of each output."""
    graph.initializer.append(helper.make_tensor("temperature", onnx.TensorProto.FLOAT, [], [temperature]))
    graph.node.append(helper.make_node("Div", ["logits", "temperature"], ["calibrated_logits"]))
    graph.node.append(helper.make_node("Softmax", ["calibrated_logits"], ["probabilities"], axis=-1))
    del graph.output[1:]
    widths = {"probabilities": classes} | ({} if width is None else {"features": width})
    graph.output.extend(
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["batch", number])
        for name, number in widths.items()
    )
