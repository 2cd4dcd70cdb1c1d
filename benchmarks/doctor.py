"""How often does the diagnosis name a fault that was put into a training, and how often one in a healthy training?

    python -m benchmarks.doctor [--faults 40] [--healthy 1000] [--only FAULT]   (about 40 minutes)

Each training is a small one of about a second, in this process, on the 8 by 8 digits: the loop, the losses and the
optimizers of `limpide train`, then the look inside that it takes, then its diagnosis. A fault is put in at several
severities; the table says the share of trainings in which it is named, and its exact 95 % interval (Clopper & Pearson
1934). Healthy trainings draw network, optimizer, rate (half to twice the usual one), schedule, batch, regularisation
and images at random; healthy is one that names at least 90 % of the validation images rightly. A fault
that is named there is a false alarm.
"""

from __future__ import annotations

import argparse
import contextlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from scipy.stats import binomtest
from torch import Tensor, nn

from limpide.audit.diagnosis import Diagnosis, Rate, TrainingRecord, diagnose
from limpide.audit.diagnosis.answers import easiest_rule, sign_answers
from limpide.core.errors import TrainingError
from limpide.core.events import Epoch, Note, Step
from limpide.core.examination import Examination
from limpide.core.recipe import Recipe
from limpide.data.named_datasets import DATASETS
from limpide.data.preprocessing import Preprocessing
from limpide.data.read_images import Pixels
from limpide.models.cnn import SmallCNN
from limpide.models.mlp import MLP
from limpide.training.batches import Batches
from limpide.training.defaults import usual_rate
from limpide.training.examination import IMAGES, examine_layers
from limpide.training.loop import fit, logits_of
from limpide.training.optim import OPTIMIZERS
from limpide.training.start import start_state

CPU, CLASSES, SIDE = torch.device("cpu"), 10, 8
NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "cnn": lambda: SmallCNN(classes=CLASSES, size=SIDE),
    "mlp": lambda: MLP(classes=CLASSES, size=SIDE, widths=(64,)),
    "deep mlp": lambda: MLP(classes=CLASSES, size=SIDE, widths=(64, 64)),
    "tanh mlp": lambda: MLP(classes=CLASSES, size=SIDE, widths=(100,), activation="tanh"),
}
HEALTHY = 0.9  # share of the validation images


@dataclass(frozen=True)
class Task:
    """A training, before a fault is put into it."""

    squares: np.ndarray  # uint8 (n, SIDE, SIDE, 1)
    labels: np.ndarray  # int (n,)
    train: np.ndarray  # int (m,)
    validation: np.ndarray  # int (k,)
    recipe: Recipe
    network: Callable[[], nn.Module] = NETWORKS["mlp"]
    changed: Callable[[nn.Module], None] = field(default=lambda model: None)  # what is done to the fresh network

    def rated(self, factor: float) -> Task:
        return replace(self, recipe=self.recipe.but(lr=factor * usual_rate(self.recipe)))


def digits() -> tuple[np.ndarray, np.ndarray]:
    dataset = DATASETS["digits"]()
    array = np.stack([np.asarray(dataset.images.image(row)) for row in range(len(dataset))])
    return np.ascontiguousarray(array.reshape(*array.shape[:3], -1)[..., :1]), dataset.labels


def plain_task(seed: int, optimizer: str = "adamw", epochs: int = 8) -> Task:
    squares, labels = digits()
    order = np.random.default_rng(seed).permutation(len(labels))
    choices = dict(model="mlp", device="cpu", precision="fp32", label_smoothing=0.0, weight_decay=0.0)
    recipe = Recipe.of(**choices, batch=32, epochs=epochs, optimizer=optimizer, seed=seed)
    return Task(squares, labels.copy(), order[:1200], order[1200:1500], recipe).rated(1.0)


def train(task: Task) -> TrainingRecord:
    """Train, keep the best weights, look inside, as workflows/train does."""
    recipe = task.recipe
    pixels = Pixels(Preprocessing(SIDE, 1), np.arange(len(task.labels)), task.squares)

    def batches(rows: np.ndarray, batch: int) -> Batches:
        return Batches(pixels, rows, task.labels[rows], batch, CPU)

    learned, validation = batches(task.train, int(recipe.batch or 1)), batches(task.validation, 256)
    torch.manual_seed(recipe.seed)
    model = task.network()
    task.changed(model)
    state = start_state(model, recipe, int(recipe.epochs or 1) * len(learned))
    before = {name: value.clone() for name, value in state.model.state_dict().items()}
    events: list[Step | Epoch | Note] = []
    with contextlib.suppress(TrainingError):  # the loss ran away a fourth time
        for event in fit(state, learned, validation, recipe, sample=batches(task.train[:500], 256)):
            events.append(event)
    state.use_best()
    images, _ = next(iter(batches(task.train[:IMAGES], IMAGES).in_order()))
    rule = easiest_rule(
        task.squares[task.train], task.labels[task.train], task.squares[task.validation], task.labels[task.validation]
    )
    probabilities = logits_of(state.model, validation).softmax(1).numpy()
    signs = sign_answers(probabilities, task.labels[task.validation], rule)
    layers, vary = examine_layers(state.model, before, images)
    return TrainingRecord(
        [event.loss for event in events if isinstance(event, Step)],
        [event for event in events if isinstance(event, Epoch)],
        [str(k) for k in range(CLASSES)],
        kept="trained",
        guess={"cross-entropy": math.log(CLASSES), "hinge": 0.9, "squared": 0.9}[recipe.loss],
        rate=Rate(recipe.optimizer, float(recipe.lr or 0.0), usual_rate(recipe)),
        rollbacks=[int(event.message.values["step"]) for event in events if isinstance(event, Note)],
        examination=Examination(state.best_epoch + 1, IMAGES, layers, vary, signs),
    )


def faults_of(record: TrainingRecord) -> list[Diagnosis]:
    return [one for one in diagnose(record) if one.fault]


# -- faults: name → (severities, the mildest first; a task with the fault; names that are right)


def _any_optimizer(seed: int) -> str:
    return list(OPTIMIZERS)[seed % len(OPTIMIZERS)]


def large_rate(seed: int, times: float) -> Task:
    return plain_task(seed, _any_optimizer(seed)).rated(times)


def small_rate(seed: int, times: float) -> Task:
    return plain_task(seed, _any_optimizer(seed)).rated(times)


def divergence(seed: int, times: float) -> Task:
    task = plain_task(seed, "sgd")
    return replace(task, recipe=task.recipe.but(loss="squared", schedule="constant")).rated(times)


def vanishing(seed: int, depth: float) -> Task:
    widths = (64,) * int(depth)
    return replace(
        plain_task(seed), network=lambda: MLP(classes=CLASSES, size=SIDE, widths=widths, activation="sigmoid")
    )


def exploding(seed: int, std: float) -> Task:
    def scatter(model: nn.Module) -> None:
        for layer in model.modules():
            if isinstance(layer, nn.Linear):
                nn.init.normal_(layer.weight, std=std)

    task = replace(plain_task(seed), network=lambda: MLP(classes=CLASSES, size=SIDE, widths=(64,) * 6))
    return replace(task, changed=scatter)


def dead_units(seed: int, share: float) -> Task:
    def close(model: nn.Module) -> None:
        linear = [layer for layer in model.modules() if isinstance(layer, nn.Linear)]
        with torch.no_grad():
            linear[1].bias[: round(share * len(linear[1].bias))] -= 20

    return replace(plain_task(seed), network=NETWORKS["deep mlp"], changed=close)


class Cut(nn.Module):
    """A network whose first layer is cut off from its gradients, as a stray detach() does."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.rest = nn.Linear(SIDE * SIDE, 64), NETWORKS["mlp"]()

    def forward(self, x: Tensor) -> Tensor:
        y = self.first(x.flatten(1)).relu().detach()
        return self.rest(y.view(-1, 1, SIDE, SIDE))  # type: ignore[no-any-return]


def frozen_layer(seed: int, how: float) -> Task:
    """how: 1, requires_grad; 2, detach()."""

    def freeze(model: nn.Module) -> None:
        layers = [layer for layer in model.modules() if isinstance(layer, nn.Linear)]
        layers[seed % len(layers)].weight.requires_grad = how == 2

    return replace(plain_task(seed), network=Cut if how == 2 else NETWORKS["deep mlp"], changed=freeze)


def collapse(seed: int, images: float) -> Task:
    """images: of one class, in the training part."""
    task = plain_task(seed)
    rare = np.flatnonzero(task.labels[task.train] == seed % CLASSES)[int(images) :]
    return replace(task, train=np.delete(task.train, rare))


def too_good(seed: int, strength: float) -> Task:
    """strength: grey levels between the marks of two classes, in one point."""
    task = plain_task(seed)
    squares = task.squares.copy()
    squares[:, 0, 0, 0] = np.clip(task.labels * strength, 0, 255).astype(np.uint8)
    return replace(task, squares=squares)


def noisy_labels(seed: int, share: float) -> Task:
    task = plain_task(seed)
    random = np.random.default_rng(seed + 1)
    wrong = random.random(len(task.labels)) < share
    labels = np.where(wrong, (task.labels + random.integers(1, CLASSES, len(task.labels))) % CLASSES, task.labels)
    return replace(task, labels=labels)


def overfitting(seed: int, images: float) -> Task:
    task = plain_task(seed, epochs=60)
    return replace(task, train=task.train[: int(images)], recipe=task.recipe.but(batch=16))


def underfitting(seed: int, units: float) -> Task:
    return replace(plain_task(seed), network=lambda: MLP(classes=CLASSES, size=SIDE, widths=(int(units),)))


def little_validation(seed: int, images: float) -> Task:
    task = plain_task(seed)
    return replace(task, validation=task.validation[: int(images)])


@dataclass(frozen=True)
class Fault:
    make: Callable[[int, float], Task]
    severities: tuple[float, ...]  # the mildest first
    unit: str
    accepted: tuple[str, ...]  # the names of record.FAULTS that are right


INJECTED = {
    "divergence": Fault(divergence, (30, 100, 1000), "× the usual rate, squared error", ("divergence", "large rate")),
    "large rate": Fault(large_rate, (30, 100, 300, 1000), "× the usual rate", ("large rate", "divergence")),
    "small rate": Fault(small_rate, (1 / 10, 1 / 30, 1 / 100, 1 / 1000), "× the usual rate", ("small rate",)),
    "vanishing": Fault(vanishing, (2, 3, 4, 6), "sigmoid layers", ("vanishing",)),
    "exploding": Fault(exploding, (0.2, 0.3, 0.5, 1.0), "standard deviation of the weights", ("exploding",)),
    "dead units": Fault(dead_units, (0.5, 0.6, 0.8, 1.0), "share of a layer", ("dead units",)),
    "frozen layer": Fault(frozen_layer, (1, 2), "1: requires_grad, 2: detach()", ("frozen layer",)),
    "collapse": Fault(collapse, (10, 5, 2, 0), "training images of a class", ("collapse",)),
    "too good": Fault(too_good, (3, 6, 12, 25), "grey levels between marks", ("too good",)),
    "noisy labels": Fault(noisy_labels, (0.05, 0.1, 0.15, 0.2, 0.3), "share of the labels", ("noisy labels",)),
    "overfitting": Fault(overfitting, (200, 100, 50, 25), "training images, 60 epochs", ("overfitting",)),
    "underfitting": Fault(underfitting, (5, 4, 3, 2), "hidden units", ("underfitting",)),
    "little validation": Fault(little_validation, (49, 25, 10), "validation images", ("little validation",)),
}


def healthy_task(seed: int) -> Task:
    random = np.random.default_rng(10_000 + seed)
    optimizer, network = str(random.choice(list(OPTIMIZERS))), str(random.choice(list(NETWORKS)))
    task = plain_task(seed, optimizer, epochs=int(random.integers(6, 21)))
    schedule = str(random.choice(["one-cycle", "cosine", "constant", "step", "exponential"]))
    recipe = task.recipe.but(
        schedule=schedule,
        batch=int(random.choice([16, 32, 64])),
        label_smoothing=float(random.choice([0.0, 0.1])),
        weight_decay=float(random.choice([0.0, 0.02 if optimizer == "adamw" else 1e-4])),
    )
    shift = random.normal(0, float(random.choice([0.0, 25.0])), task.squares.shape)  # grey levels: harder images
    squares = np.clip(task.squares + shift, 0, 255).astype(np.uint8)
    task = replace(task, squares=squares, recipe=recipe, network=NETWORKS[network])
    return task.rated(float(2 ** random.uniform(-1, 1)))


def healthy_records(wanted: int) -> Iterator[TrainingRecord]:
    seed = found = 0
    while found < wanted:
        task = healthy_task(seed)
        seed += 1
        record = train(task)
        if max(epoch.validation_accuracy for epoch in record.epochs) >= HEALTHY:
            found += 1
            yield record


def _interval(k: int, n: int) -> str:
    bounds = binomtest(k, n).proportion_ci(0.95)
    return f"{k} of {n} ({bounds.low:.1%} to {bounds.high:.1%})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faults", type=int, default=40, help="trainings of each fault and severity")
    parser.add_argument("--healthy", type=int, default=1000, help="healthy trainings")
    parser.add_argument("--only", choices=INJECTED, help="one fault alone")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    for name, fault in INJECTED.items() if chosen.only is None else [(chosen.only, INJECTED[chosen.only])]:
        for severity in fault.severities:
            named = [{one.fault for one in faults_of(train(fault.make(k, severity)))} for k in range(chosen.faults)]
            hits = sum(bool(names & set(fault.accepted)) for names in named)
            print(f"{name:18} {severity:8.3g} {fault.unit:36} named in {_interval(hits, chosen.faults)}", flush=True)
    alarms = []
    for k, record in enumerate(healthy_records(0 if chosen.only else chosen.healthy)):
        if found := [one for one in faults_of(record) if one.is_fault]:
            alarms.append(k)
            print(
                f"false alarm in healthy training {k}: {'; '.join(f'{one.fault}: {one.message}' for one in found)}",
                flush=True,
            )
    if not chosen.only and chosen.healthy:
        print(f"false alarms in {_interval(len(alarms), chosen.healthy)} healthy trainings")


if __name__ == "__main__":
    main()
