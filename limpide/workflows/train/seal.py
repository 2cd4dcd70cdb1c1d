"""seal: temperature, statistics, export, and the proof that the file gives the same results as the network."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import nn

from limpide.audit import run_facts
from limpide.core.cost import Cost, Facts
from limpide.core.events import Event, Progress
from limpide.core.finding import Finding
from limpide.core.run_info import require
from limpide.data.preprocessing import Preprocessing
from limpide.deploy.contract import Judged
from limpide.deploy.export import export
from limpide.deploy.predictor import PIXELS, Predictor
from limpide.models.mirrored import MirroredMean
from limpide.system import machine
from limpide.text.messages import N_, Message, message
from limpide.training.batches import Batches
from limpide.training.class_balance import balanced_weights, priors
from limpide.training.device import place_on_device
from limpide.training.frozen_features import batch_of
from limpide.training.loop import logits_of
from limpide.training.temperature import MIN_IMAGES, Part, Temperature, fit_temperature
from limpide.training.weights import trained_network
from limpide.workflows.train.context import TrainContext
from limpide.workflows.train.train_stats import sample_size, train_stats_of

PARITY, LEAST_PARITY = 32, 8  # images that the file and the network are compared on; fewer of larger squares
MAX_BATCH = 256  # images at once, however small they are
MAX_IMAGES = 20_000  # images for the temperature: more would only change its last digits, which are noise
SECONDS = 4.0  # calibrating, exporting and opening the final model, about
# Times the bytes of the learned values, and of the outputs of layers: all for one image, or the largest for a batch.
EXPORTED, TRACED_EXPORT = 7.5, 1.4  # the exporter's copies of the values, and its run
SCORED = 4.2  # PyTorch, float32


def seal_model(job: TrainContext, judged: bool) -> Iterator[Event]:
    """judged: whether the test part will judge the model."""
    if job.done("seal"):
        return
    yield Progress(message(N_("calibrating the probabilities")))
    model, preprocessing = trained_network(job.run)
    place_on_device(model, torch.device("cpu"))
    answering = MirroredMean(model) if job.info.averages_mirrored else model
    rows, logits, temperature = _calibrate(job, answering, preprocessing)
    machine.release_memory()
    yield Progress(message(N_("recording what the training images look like")))
    stats = train_stats_of(job, answering, preprocessing, temperature.value)
    machine.release_memory()
    yield Progress(message(N_("writing the model file")))
    export(
        model,
        preprocessing,
        job.dataset.learned_classes,
        job.run.model_file,
        temperature=temperature.value,
        name=job.info.network,
        judged=_judged_by(job) if judged else None,
        priors=_priors(job),
        train_stats=stats,
        mirrored=job.info.averages_mirrored,
    )
    ready = job.deadline.passed()
    machine.release_memory()
    yield Progress(message(N_("comparing the model file with the network")))
    finding = _parity(job, rows[:PARITY], logits[:PARITY] / temperature.value)
    if finding is not None:
        job.run.add_finding(finding)
    yield job.say("decision", _describe(temperature))
    first = ready if job.info.first_model_seconds is None else job.info.first_model_seconds
    job.enter("judge", temperature=temperature, first_model_seconds=first, model_seconds=ready)


def _priors(job: TrainContext) -> tuple[float, ...] | None:
    """The shares of the classes, if they were subtracted from the logits."""
    if job.recipe.balance != "yes":
        return None
    return tuple(priors(job.dataset.labels[job.rows("train")], len(job.dataset.learned_classes)).tolist())


def _judged_by(job: TrainContext) -> Judged | None:
    if job.recipe.folds:
        return "cross-fitted"
    return "held-out" if len(job.rows("test")) else None


def _calibrate(
    job: TrainContext, model: nn.Module, preprocessing: Preprocessing
) -> tuple[np.ndarray, np.ndarray, Temperature]:
    """(held-out images, their logits, the temperature fitted on them)."""
    if job.recipe.folds:
        images = max(LEAST_PARITY, min(PARITY, batch_of(preprocessing.size)))
        rows, fitted = job.rows("train")[:images], vars(require(job.info.temperature, "temperature"))
        return rows, _logits(job, model, preprocessing, rows), Temperature(**fitted)
    has_own_part = bool(len(job.rows("calibration")))
    rows = job.rows("calibration" if has_own_part else "validation")
    pixels = job.pixels_of(preprocessing)
    if len(pixels.rows) < len(job.dataset):
        rows = np.intersect1d(rows, pixels.rows)
    rows = rows[:: -(-len(rows) // MAX_IMAGES) or 1]  # spread over all of them
    logits = _logits(job, model, preprocessing, rows)
    labels = job.dataset.labels[rows]
    weights = balanced_weights(labels) if job.recipe.balance == "yes" and len(labels) else None
    part: Part = "calibration" if has_own_part else "validation"
    return rows, logits, fit_temperature(logits, labels, of=part, weights=weights)


def _logits(job: TrainContext, model: nn.Module, preprocessing: Preprocessing, rows: np.ndarray) -> np.ndarray:
    """float (len(rows), classes)."""
    if not len(rows):
        return np.zeros((0, 2))
    batch = min(MAX_BATCH, max(1, PIXELS // preprocessing.size**2))
    pixels, labels = job.pixels_of(preprocessing), job.dataset.labels[rows]
    return np.asarray(logits_of(model, Batches(pixels, rows, labels, batch, torch.device("cpu"))).numpy())


def _describe(temperature: Temperature) -> Message:
    if not temperature.n:
        return message(N_("probabilities are left as they are: there is no image to fit a temperature on"))
    if temperature.n < MIN_IMAGES:
        return message(
            N_(
                "probabilities are left as they are: a temperature needs {least:count} images outside training, "
                "and there is {n:count}"
            ),
            N_(
                "probabilities are left as they are: a temperature needs {least:count} images outside training, "
                "and there are {n:count}"
            ),
            least=MIN_IMAGES,
            n=temperature.n,
        )
    says = {
        "calibration": N_("probabilities calibrated on {n:count} images kept for this: temperature {t:number}"),
        "cross-fitted": N_(
            "probabilities calibrated on the {n:count} validation images, cross-fitted: temperature {t:number}"
        ),
        "folds": N_("probabilities calibrated on the {n:count} images judged in folds: temperature {t:number}"),
        "declined": N_("probabilities are left as they are: no better temperature was found on {n:count} images"),
    }[temperature.how]
    return message(says, n=temperature.n, t=temperature.value)


def cost(facts: Facts) -> Cost:
    """The cost of running the network on the images for the temperature and the statistics, of writing the file and of
    opening it.
    """
    noted = min(facts.train + facts.validation, sample_size(facts.asked, facts.multiply_adds))
    looked_at = noted + min(MAX_IMAGES, facts.calibration or facts.validation)
    scored = min(max(1, PIXELS // facts.largest_size**2), max(1, facts.validation))
    return Cost(
        SECONDS + looked_at * facts.slowest_image,
        max(
            EXPORTED * facts.parameter_bytes + TRACED_EXPORT * facts.activation_bytes,
            SCORED * facts.layer_bytes * scored,
        ),
    )


def check_parity(job: TrainContext, model: nn.Module, preprocessing: Preprocessing, rows: np.ndarray) -> Finding | None:
    """Compare the sealed file with this network, whose logits are not calibrated, on these images."""
    return _parity(job, rows, _logits(job, model, preprocessing, rows))


def _parity(job: TrainContext, rows: np.ndarray, logits: np.ndarray) -> Finding | None:
    """Compare the sealed file, given the original images, with the network's probabilities; run its self test, too."""
    predictor, images = Predictor(job.run.model_file), job.dataset.images
    self_test = predictor.self_test()
    if self_test is not None and self_test.difference > run_facts.AGREEMENT:
        return run_facts.export_finding(np.full((self_test.n, 1), self_test.difference), np.zeros((self_test.n, 1)))
    if not len(rows):
        return None
    exported = predictor.probabilities([images.image(int(i), predictor.preprocessing.jpeg_side) for i in rows])
    source = "train" if job.recipe.folds or job.info.good else "validation"
    return run_facts.export_finding(exported, torch.from_numpy(logits).softmax(1).numpy(), source)
