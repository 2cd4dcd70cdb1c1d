"""What the experiments share: images in memory, the one training loop, repeats with their interval, and the claim that
comes out.

Every experiment has a `main` that measures and calls `tell`: it prints *course | measured here | why they differ* and
keeps the claim as a Finding in experiments/results/, from which `python -m experiments.claims` writes
docs/explanation/claims.md.
"""

from __future__ import annotations

import ast
import datetime
import hashlib
import json
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from limpide.core.events import Epoch, Step
from limpide.core.finding import Finding, Number, Table, Verdict
from limpide.core.recipe import Recipe
from limpide.data.dataset import TEST, Dataset
from limpide.data.layouts.scan import scan
from limpide.data.named_datasets import DATASETS
from limpide.data.preprocessing import Preprocessing
from limpide.data.read_images import Pixels
from limpide.system import machine
from limpide.system.files import cache_folder, write_json
from limpide.text.messages import Message
from limpide.training.augment.base import Augment
from limpide.training.batches import Batches
from limpide.training.loop import evaluate, fit
from limpide.training.losses import LossFn
from limpide.training.optim.adamw import AdamW
from limpide.training.optim.base import Optimizer
from limpide.training.optim.groups import parameter_groups
from limpide.training.state import TrainState

RESULTS = Path(__file__).parent / "results"
ROOT = Path(__file__).parents[1]
BEGAN = time.perf_counter()
machine.keep_memory()


# -- images


@dataclass(frozen=True)
class Images:
    """uint8 (n, side, side, channels) and their labels; the test part is as it was published."""

    train: np.ndarray
    train_labels: np.ndarray
    test: np.ndarray
    test_labels: np.ndarray
    classes: tuple[str, ...]

    def but(self, change: Callable[[np.ndarray], np.ndarray]) -> Images:
        return Images(change(self.train), self.train_labels, change(self.test), self.test_labels, self.classes)

    def some(self, n: int, seed: int = 0) -> Images:
        rows = np.random.default_rng(seed).permutation(len(self.train))[:n]
        return Images(self.train[rows], self.train_labels[rows], self.test, self.test_labels, self.classes)


def mnist() -> Images:
    return _divided(DATASETS["mnist"]())


def cifar10(folder: str = "") -> Images:
    """The named set, or a folder of its images in train/ and test/."""
    if not folder:
        return _divided(DATASETS["cifar10"]())
    dataset = scan(folder)
    kept = cache_folder() / "experiments" / f"{dataset.fingerprint[:16]}.npy"
    if not kept.exists():
        with ThreadPoolExecutor(machine.cores()) as pool:
            array = np.stack(list(pool.map(lambda i: np.asarray(dataset.images.image(i)), range(len(dataset)))))
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.save(kept, array)
    return _divided(dataset, np.load(kept))


def _divided(dataset: Dataset, array: np.ndarray | None = None) -> Images:
    images: Any = dataset.images
    array = images.array if array is None else array
    array = array if array.ndim == 4 else array[..., None]
    test = dataset.given == TEST
    return Images(array[~test], dataset.labels[~test], array[test], dataset.labels[test], dataset.classes)


def batches(images: np.ndarray, labels: np.ndarray, batch: int = 256) -> Batches:
    """Normalised as limpide normalises what it learns from scratch."""
    p = Preprocessing(images.shape[1], images.shape[3], mean=(127.5,), std=(63.75,))
    rows = np.arange(len(images))
    return Batches(Pixels(p, rows, images), rows, labels, batch, torch.device("cpu"))


# -- training


class SGD:
    """Plain descent, with momentum and weight decay for those who ask; the rate comes from the loop's schedule."""

    def __init__(self, model: nn.Module, momentum: float = 0.0, weight_decay: float = 0.0) -> None:
        self.parameters, self.momentum, self.weight_decay = list(model.parameters()), momentum, weight_decay
        self.v = [torch.zeros_like(p) for p in self.parameters]

    @torch.no_grad()
    def step(self, lr: float) -> None:
        for p, v in zip(self.parameters, self.v, strict=True):
            if p.grad is not None:
                v.mul_(self.momentum).add_(p.grad + self.weight_decay * p)
                p.sub_(lr * v)

    def zero_grad(self) -> None:
        for p in self.parameters:
            p.grad = None

    def state(self) -> dict[str, Tensor]:
        return {str(k): v for k, v in enumerate(self.v)}

    def numbers(self) -> dict[str, Any]:
        return {}

    def identity(self) -> dict[str, Any]:
        return {"name": "sgd", "momentum": self.momentum, "weight_decay": self.weight_decay}

    def load(self, tensors: Mapping[str, Tensor], numbers: Mapping[str, Any]) -> None:
        for name, v in self.state().items():
            v.copy_(tensors[name])

    def last_update(self, parameter: nn.Parameter) -> None:
        """The rate is not kept: nobody watches an experiment."""


def train(
    model: nn.Module,
    images: Images,
    *,
    epochs: float,
    lr: float,
    batch: int = 256,
    optimizer: Optimizer | None = None,
    loss_fn: LossFn | None = None,
    augment: Augment | None = None,
    validate: bool = False,
    seed: int = 0,
    precision: str = "bf16",
) -> list[Step | Epoch]:
    """The events of a training with the loop that limpide itself uses: one cycle of the rate, AdamW unless another is
    given.

    validate: score the test part after every pass, to show its course; nothing is chosen by it.
    """
    some = batches(images.train, images.train_labels, batch)
    torch.manual_seed(seed)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    steps = max(1, round(epochs * len(some)))
    state = TrainState(
        model, optimizer or AdamW(parameter_groups(model, 0.0)), lr, steps, torch.Generator().manual_seed(seed)
    )
    held = batches(images.test, images.test_labels, 500) if validate else None
    recipe = Recipe(seed=seed, label_smoothing=0.0, precision=precision)
    # A Note only where a loss is lost, which would be seen; the digest of results covers this line as it stands.
    return list(fit(state, some, held, recipe, augment=augment, loss_fn=loss_fn))  # type: ignore[arg-type]


def accuracy(model: nn.Module, images: np.ndarray, labels: np.ndarray) -> float:
    return evaluate(model, batches(images, labels, 500), Recipe(precision="fp32"))[1]


def hinge(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    """The multiclass hinge of the courses (ladder/losses.py writes it out)."""
    return nn.functional.multi_margin_loss(model(batch[0]).float(), batch[1])


# -- claims


def mean(values: Sequence[float]) -> tuple[float, float, float]:
    """(mean, low, high) of its 95 % interval by Student's t, over repeats."""
    from scipy.stats import t

    n, middle = len(values), float(np.mean(values))
    if n < 2:
        return middle, middle, middle
    half = float(t.ppf(0.975, n - 1) * np.std(values, ddof=1) / n**0.5)
    return middle, middle - half, middle + half


def _of_shares(values: Sequence[float]) -> tuple[float, float, float]:
    middle, low, high = mean(values)
    return middle, max(0.0, low), min(1.0, high)


def share(name: str, values: Sequence[float]) -> Number:
    """A Number for shares measured over repeats."""
    middle, low, high = _of_shares(values)
    return Number(
        name, middle, "share", low if len(values) > 1 else None, high if len(values) > 1 else None, len(values)
    )


def percent(values: Sequence[float]) -> str:
    middle, low, high = _of_shares(values)
    return f"{100 * middle:.2f} %" + (
        f" ({100 * low:.2f} to {100 * high:.2f}, {len(values)} repeats)" if len(values) > 1 else ""
    )


PROSE = ("course", "why")  # of `tell`: what the course says and why figures may differ, which no measurement rests on


def code_of(name: str, folder: Path = Path(__file__).parent) -> str:
    """A digest of what an experiment does, so that a result cannot outlive its program.

    It covers the syntax trees of the experiment, of what it takes from common.py, of the modules of experiments/ and of
    the networks and rungs of limpide that it imports; of their texts all but docstrings and PROSE. It does not cover
    the training loop, which tests of its own hold.
    """
    trees = [ast.parse((folder / f"{name}.py").read_text(encoding="utf-8"))]
    parts: list[ast.AST] = []
    for tree in trees:  # grows: what an experiment imports may import more
        parts.append(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module == "experiments.common":
                parts += _definitions({alias.name for alias in node.names} - {"tell", "code_of"})
            elif isinstance(node, ast.ImportFrom) and node.module == "experiments":
                files = [folder / f"{alias.name}.py" for alias in node.names]
                trees += [ast.parse(file.read_text(encoding="utf-8")) for file in files]
            elif isinstance(node, ast.ImportFrom) and re.match(r"limpide\.(models|ladder)\.", node.module or ""):
                parts.append(ast.parse((ROOT / f"{str(node.module).replace('.', '/')}.py").read_text(encoding="utf-8")))
    return hashlib.sha256("".join(ast.dump(_without_prose(part)) for part in parts).encode()).hexdigest()[:16]


def _definitions(wanted: set[str]) -> list[ast.AST]:
    """The functions and classes of common.py of these names, and those that they use in turn, in the order
    of the file.
    """
    body = ast.parse(Path(__file__).read_text(encoding="utf-8")).body
    known = {node.name: node for node in body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    found: set[str] = set()
    while new := (wanted & known.keys()) - found:
        found |= new
        wanted = {node.id for name in new for node in ast.walk(known[name]) if isinstance(node, ast.Name)} - {"tell"}
    return [node for name, node in known.items() if name in found]


def _without_prose(tree: ast.AST) -> ast.AST:
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if (
            isinstance(body, list)
            and body
            and isinstance(body[0], ast.Expr)
            and isinstance(body[0].value, ast.Constant)
        ):
            body[0].value.value = ""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "tell":
            node.keywords = [keyword for keyword in node.keywords if keyword.arg not in PROSE]
    return tree


def tell(
    name: str,
    *,
    section: str,
    course: str,
    measured: str,
    why: str,
    holds: bool | np.bool_,
    numbers: Sequence[Number] = (),
    data: dict[str, Any] | None = None,
    table: Table | None = None,
    seconds: float | None = None,
) -> Finding:
    """Prints the claim in three lines and keeps it. holds: whether sign, order and mechanism are those of
    the course. seconds: of the measurement, if it was made in other processes.
    """
    if seconds is None:  # beside other work a program waits, which says nothing of it
        seconds = min(time.perf_counter() - BEGAN, time.process_time())
    details = [Message("course: {text}", {"text": course}), Message("why: {text}", {"text": why})]
    verdict: Verdict = "ok" if holds else "warn"
    says = Message("{text}", {"text": measured})
    source = f"python -m experiments.{name}"
    finding = Finding(name, verdict, says, list(numbers), table, details=details, source=source, data=data or {})
    for title, text in (("course", course), ("measured here", measured), ("why they differ", why)):
        print(f"{title:>16} │ {text}")
    outcome = "the claim holds" if holds else "the claim does not hold here"
    print(f"{'':>16} │ {outcome}; {seconds:.0f} s", file=sys.stderr)
    record = {
        "code": code_of(name),
        "cores": machine.cores(),
        "section": section,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "seconds": round(seconds),
        "finding": finding.to_json(),
    }
    RESULTS.mkdir(exist_ok=True)
    write_json(RESULTS / f"{name}.json", json.loads(json.dumps(record)))
    return finding


__all__ = [
    "SGD",
    "Images",
    "accuracy",
    "batches",
    "cifar10",
    "code_of",
    "hinge",
    "mean",
    "mnist",
    "percent",
    "share",
    "tell",
    "train",
]
