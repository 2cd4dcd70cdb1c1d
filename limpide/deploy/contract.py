"""The metadata of `model.onnx`, read and checked without torch (docs/reference/exported-model.md).

Version 1 had `classes`, `preprocessing`, `temperature`, `model` and `limpide` (the version that wrote it). Version 2
added the output `features`, `judged`, and two separate texts: the expected results of a self test, and statistics of
the training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from limpide.core.errors import ModelError
from limpide.core.typed_json import InvalidJson, as_record, check_type, invalid_field, parse_json
from limpide.data.preprocessing import Preprocessing
from limpide.deploy.detection import Detection
from limpide.deploy.self_test import SelfTest
from limpide.deploy.train_stats import TrainStats
from limpide.text.messages import N_, message

CONTRACT = 2  # the version that this limpide writes, and the newest that it reads
KEY, SELF_TEST, TRAIN_STATS = "limpide", "limpide.self_test", "limpide.train_stats"  # keys of the metadata
# bytes; a hundred thousand long class names are 10 MB
MAX_BYTES = {KEY: 16_000_000, SELF_TEST: 30_000, TRAIN_STATS: 64_000}
MAX_SIDE = 8192  # pixels
Judged = Literal["held-out", "cross-fitted"]


@dataclass(frozen=True)
class Contract:
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    temperature: float  # logits are divided by it
    model: str  # name of the network
    limpide: str = ""  # version that wrote the file
    contract: int = 1
    features: int | None = None  # width of the output of that name; None: there is none
    # how the training computes its score: on held-out images, or with models that did not see the image that they
    # classify; None: the training does not judge the model
    judged: Judged | None = None
    # the shares of the classes in the training, if they were subtracted from the logits: probabilities are then those
    # for equally frequent classes; None: they were not
    priors: tuple[float, ...] | None = None
    mirrored: bool = False  # whether the logits are means over the image and its mirror image
    detection: Detection | None = None  # of a model of good parts; None: a classifier


@dataclass(frozen=True)
class Metadata:
    contract: Contract
    self_test: SelfTest | None  # None: version 1
    train_stats: TrainStats | None  # None: version 1, a first model, or a published network


def read_metadata(texts: Mapping[str, str], file: object) -> Metadata:
    """Raises ModelError if the file is not ours, has a newer contract, or contains impossible values."""
    if KEY not in texts:
        raise ModelError("L404", where=file)
    try:
        raw = _parsed(texts, KEY)
        _refuse_newer(raw, file)
        contract = _contract(raw)
        if contract.contract == 1:
            return Metadata(contract, None, None)
        self_test = SelfTest.from_json(_parsed(texts, SELF_TEST), len(contract.classes))
        stats = None
        if TRAIN_STATS in texts:
            stats = TrainStats.from_json(_parsed(texts, TRAIN_STATS), len(contract.classes), contract.features)
        return Metadata(contract, self_test, stats)
    except InvalidJson as error:
        raise cannot_open(file, str(error)) from error


def cannot_open(file: object, reason: str = "") -> ModelError:
    where = f"{file}: {reason}" if reason else file
    return ModelError("L405", where=where)


def check_outputs(contract: Contract, inputs: Sequence[str], outputs: Mapping[str, Sequence[Any]]) -> None:
    """Raises InvalidJson if the graph does not match the metadata. outputs: name → shape."""
    if "image" not in inputs or not {"logits", "probabilities"} <= outputs.keys():
        raise InvalidJson(message(N_("the network has inputs or outputs that differ from its metadata")))
    widths = dict.fromkeys(("logits", "probabilities"), len(contract.classes))
    if contract.features is not None:
        widths["features"] = contract.features
    for name, width in widths.items():
        shape = outputs.get(name, ())
        if len(shape) != 2 or (isinstance(shape[1], int) and shape[1] != width):
            raise InvalidJson(message(N_("the network has inputs or outputs that differ from its metadata")))


def _parsed(texts: Mapping[str, str], key: str) -> Any:
    if key not in texts:
        raise invalid_field(key, N_("there"))
    data = texts[key].encode()
    if len(data) > MAX_BYTES[key]:
        raise InvalidJson(message(N_("{field} is larger than {most:bytes}"), field=key, most=MAX_BYTES[key]))
    parsed = parse_json(data)
    if not isinstance(parsed, dict):
        raise invalid_field(key, N_("an object"))
    return parsed


def _refuse_newer(raw: Mapping[str, Any], file: object) -> None:
    version = check_type(int, raw.get("contract", 1), "contract")
    if version < 1:
        raise invalid_field("contract", N_("a whole number"))
    if version > CONTRACT:
        raise ModelError("L429", where=file, version=version, known=CONTRACT)


def _contract(raw: Mapping[str, Any]) -> Contract:
    """Raises InvalidJson, which names the invalid field."""
    contract = as_record(Contract, raw)
    p = Preprocessing.from_json(raw["preprocessing"])  # strict: an unknown field would change the pixels
    one_or_each = (1, p.channels)
    right = {
        "classes": len(contract.classes) > 0,
        "temperature": contract.temperature > 0,
        "priors": contract.priors is None
        or (len(contract.priors) == len(contract.classes) and all(0 < one <= 1 for one in contract.priors)),
        "features": contract.features is None or contract.features > 0,
        "detection": contract.detection is None or len(contract.classes) == 2,
        "preprocessing.size": 1 <= p.size <= MAX_SIDE,
        "preprocessing.channels": p.channels in (1, 3),
        "preprocessing.fit": p.fit in ("squash", "crop"),
        "preprocessing.filter": p.filter in ("bilinear", "bicubic"),
        "preprocessing.mean": len(p.mean) in one_or_each,
        "preprocessing.std": len(p.std) in one_or_each and all(p.std),
        "preprocessing.jpeg_side": p.jpeg_side >= 0,
        "preprocessing.centre": 1 <= p.centre <= 1024,
        "preprocessing.value_range": p.value_range is None or p.value_range[0] < p.value_range[1],
    }
    for field, fits in right.items():
        if not fits:
            raise InvalidJson(message(N_("{field} has an impossible value"), field=field))
    if contract.detection is not None:
        contract.detection.check()
    return contract
