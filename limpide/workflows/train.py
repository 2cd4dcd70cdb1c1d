"""train: scan → read → split → quote → first model → fit → seal → judge → report, each phase leaving files behind.

Every phase is a generator of events and either does its work or finds it done, so the same call starts a training and
continues one. 400 lines would be too many: what is not order lives in the rooms below.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections import Counter
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from limpide import machine
from limpide.audit import records
from limpide.data.dataset import Dataset
from limpide.data.preprocessing import Preprocessing
from limpide.data.reading import Glimpse, Pixels, Reading, glimpse, read, stored
from limpide.data.scan import scan
from limpide.data.split import read_split, split, stratified, write_excluded, write_split
from limpide.deploy.export import export
from limpide.errors import DataError, RunError, TrainingError
from limpide.events import Epoch, Event, Note
from limpide.language import N_, Message, message
from limpide.models import PRETRAINED
from limpide.predictor import Predictor
from limpide.recipe import Recipe
from limpide.run import Run
from limpide.training import quote
from limpide.training.batches import Batches
from limpide.training.calibration import fit_temperature
from limpide.training.checkpoint import load_checkpoint, save_checkpoint
from limpide.training.decide import FROZEN_IMAGES, FROZEN_SIZE, decide, preprocessing_of
from limpide.training.fit import fit, logits_of, stalled
from limpide.training.network import augmentation, build, load_weights, save_weights, start, trained
from limpide.training.state import TrainState
from limpide.training.transfer import Head, fit_head, frozen_features, load_features, log_loss, set_head
from limpide.workflows.judge import judge

CHECKPOINT_EVERY = 10.0  # s, and at most a thirtieth of the time
PATIENCE = (3, 4)  # passes: at least three, else a quarter of those planned
OVER_QUOTE = 1.5
FLIP_LOSS = 0.02  # share of validation that may be lost on mirrored images for mirroring to count as harmless
PHASES = ("read", "split", "first", "fit", "seal", "judge", "done")


def prepare(location: str, recipe: Recipe, runs: Path, *, new: bool = False) -> tuple[Run, Dataset, bool]:
    """The run to work in, its data, and whether it continues an unfinished one: same data path and same wishes."""
    dataset = scan(location)
    wanted = recipe.to_json()
    for run in reversed(Run.all_in(runs)):
        info = run.info()
        same = info.get("location") == dataset.location and info.get("wanted") == wanted
        if same and not new and info.get("status") != "finished":
            return run, dataset, True
    info = {
        "location": dataset.location,
        "data": dataset.name,
        "classes": list(dataset.classes),
        "fingerprint": dataset.fingerprint(),
        "wanted": wanted,
        "machine": machine.describe(),
        "test_looks": 0,
    }
    return Run.create(runs, dataset.name, info), dataset, False


@dataclass
class Job:
    """What the phases hand to each other, all of it made anew from the files of the run when it is continued."""

    run: Run
    dataset: Dataset
    began: float  # monotonic, s
    images: bool  # whether the report shows pictures
    info: dict[str, Any]
    recipe: Recipe = field(init=False)
    seen: Glimpse = field(init=False)
    reading: Reading = field(init=False)
    parts: np.ndarray = field(init=False)  # str (n,), "" = left out

    def rows(self, part: str) -> np.ndarray:
        return np.flatnonzero(self.parts == part)

    def done(self, phase: str) -> bool:
        return PHASES.index(self.info["phase"]) > PHASES.index(phase)

    def enter(self, phase: str, **values: Any) -> None:
        self.run.enter(phase, **values)
        self.info = self.run.info()

    def say(self, topic: str, text: Message) -> Note:
        note = Note(topic, text)
        self.run.append(note)
        return note

    def pixels(self) -> Pixels:
        return self.reading.pixels[int(self.recipe.image_size or 0)]

    def batches(self, part: str, batch: int | None = None) -> Batches:
        rows = self.rows(part)
        device = torch.device(self.recipe.device)
        return Batches(self.pixels(), rows, self.dataset.labels[rows], batch or int(self.recipe.batch or 1), device)


def train(run: Run, dataset: Dataset, *, started: float = 0.0, images: bool = True) -> Iterator[Event]:
    """Works until the run is finished. Close the generator to stop: a checkpoint is saved and the run can be continued.

    `started`: seconds that had passed since the person pressed Enter. Raises LimpideError for what the user can mend.
    """
    with run.lock():
        info = run.info()
        if info["fingerprint"] != dataset.fingerprint():
            raise RunError("L507", N_("the images changed since this run began"), where=dataset.location, todo=N_("start another run with --new"))
        job = Job(run, dataset, time.monotonic() - started, images, info)
        run.rewind(_offset(job))
        phases = (_read, _split, _quote, _first_model, _fit, _seal, _judge)
        for phase in phases:
            yield from phase(job)


def _offset(job: Job) -> int:
    """Where in events.jsonl this continuation begins: everything after it will be done and said again."""
    restored = load_checkpoint(job.run.checkpoints) if job.info["phase"] == "fit" else None
    return restored.offset if restored else int(job.info["offset"])


# -- read and split


def _read(job: Job) -> Iterator[Event]:
    if job.done("read"):
        job.recipe, job.seen = Recipe.from_json(job.info["recipe"]), Glimpse(**job.info["seen"])
    else:
        job.seen = glimpse(job.dataset)
        job.recipe, reasons = decide(Recipe.from_json(job.info["wanted"]), job.seen, len(job.dataset))
        n = len(job.dataset)
        yield job.say("data", message(N_("{n:count} images in {k:count} classes"), n=n, k=len(job.dataset.classes)))
        for reason in reasons:
            yield job.say("decision", reason)
    wanted = _wanted_pixels(job)
    reading = stored(wanted, job.run.cache)
    if reading is None:
        yield from read(job.dataset, wanted, job.run.cache)
        reading = stored(wanted, job.run.cache)
    if reading is None:
        raise RunError("L508", N_("the decoded images could not be kept"), where=job.run.cache, todo=N_("free some disk space and run the same command again"))
    job.reading = reading
    if not job.done("read"):
        job.enter("split", recipe=job.recipe.to_json(), seen=vars(job.seen))


def _wanted_pixels(job: Job) -> dict[Preprocessing, np.ndarray]:
    """Which squares to keep of which images: all at the size that is trained, a sample at the size of the first model."""
    everything = np.arange(len(job.dataset))
    wanted = {preprocessing_of(job.recipe, job.seen): everything}
    if job.recipe.model in PRETRAINED and job.recipe.image_size != FROZEN_SIZE:
        sample = np.sort(stratified(job.dataset.labels, 0)[:FROZEN_IMAGES])
        wanted[preprocessing_of(job.recipe, job.seen, FROZEN_SIZE)] = sample
    return wanted


def _split(job: Job) -> Iterator[Event]:
    names = list(job.dataset.images.names)
    if job.done("split"):
        by_name = {row["file"]: row["part"] for row in read_split(job.run.split_file)}
        job.parts = np.array([by_name.get(name, "") for name in names])
        return
    out = dict(job.reading.failures)
    kept = np.array([i for i in range(len(names)) if i not in out], dtype=int)
    hashes = [job.reading.hashes[i] for i in kept]
    earlier, inherited = _earlier_split(job)
    shares = {name: getattr(job.recipe, name) for name in ("test", "validation", "calibration")}
    parts, reasons = split(hashes, job.dataset.labels[kept], job.dataset.given[kept], shares, earlier)
    out |= {int(kept[i]): reason for i, reason in reasons.items()}
    job.parts = np.full(len(names), "", dtype="U11")
    job.parts[kept] = parts
    labels = [job.dataset.classes[k] for k in job.dataset.labels]
    write_split(job.run.split_file, names, labels, job.parts.tolist(), [h[:16] for h in job.reading.hashes])
    write_excluded(job.run.excluded_file, [(names[i], out[i]) for i in sorted(out)])
    _refuse_if_hopeless(job, out)
    if out:
        yield job.say("data", message(N_("{n:count} files are left out; the reasons are in excluded.csv"), n=len(out)))
    if inherited:
        yield job.say("split", message(N_("images already in {run} stay in the part they had"), run=inherited))
    counts = {part: int((job.parts == part).sum()) for part in ("train", "validation", "calibration", "test")}
    says = (
        N_("{train:count} images train, {validation:count} choose, {calibration:count} calibrate, {test:count} are kept for the final score")
        if counts["calibration"]
        else N_("{train:count} images train, {validation:count} choose, {test:count} are kept for the final score")
    )
    yield job.say("split", message(says, **counts))
    finding = records.data(job.parts.tolist(), Counter(out.values()))
    job.run.add_finding(finding)
    job.enter("first")


def _earlier_split(job: Job) -> tuple[dict[str, str], str]:
    """Part of each content hash in the newest other run on the same data, and that run's name."""
    short = {h[:16]: h for h in job.reading.hashes}
    for run in reversed(Run.all_in(job.run.path.parent)):
        if run.path != job.run.path and run.info().get("location") == job.dataset.location and run.split_file.exists():
            rows = read_split(run.split_file)
            return {short[row["group"]]: row["part"] for row in rows if row["group"] in short}, run.path.name
    return {}, ""


def _refuse_if_hopeless(job: Job, out: dict[int, str]) -> None:
    for part, needed in (("train", 2), ("test", 1)):
        rows = job.rows(part)
        if len(set(job.dataset.labels[rows].tolist())) < needed:
            raise DataError(
                "L209",
                N_("too few usable images are left: {n} of {total}"),
                where=job.dataset.location,
                todo=N_("give at least two readable images of each of two classes; {file} says what was left out"),
                n=int((job.parts != "").sum()),
                total=len(job.dataset),
                file=str(job.run.excluded_file),
            )


# -- quote


def _quote(job: Job) -> Iterator[Event]:
    """Times a few steps on a copy and writes down, once, how many steps there will be and what they should take."""
    if job.info.get("steps") is not None:
        return
    train_batches, validation = job.batches("train"), _validation(job)
    model = build(job.recipe, len(job.dataset.classes), job.pixels().preprocessing.channels)
    state = start(model, job.recipe, 1)
    speed = quote.probe(state, train_batches, validation, job.recipe, augmentation(job.recipe, 9, job.seen.grey))
    passed = time.monotonic() - job.began
    frozen = _frozen_seconds(job) if job.recipe.model in PRETRAINED else 0.0
    after = 4.0 + len(job.rows("test")) * speed.image
    left = None
    if job.recipe.time is not None:
        left = (job.recipe.time - passed - frozen - after) * 0.85  # the rest is for the simpler models
    steps = quote.steps_for(job.recipe, speed, train_batches, validation, job.seen.grey, left)
    epochs = steps / len(train_batches)
    fitting = steps * speed.step + math.ceil(epochs) * len(validation.rows) * speed.image
    rivals = 2 * min(fitting, _rival_budget(job.recipe))
    total = passed + frozen + fitting + after + rivals
    first = passed + frozen + 2 if frozen else passed + fitting + 2
    quoted = {"seconds": total, "first": first, "fitting": fitting, "memory": speed.memory, "step": speed.step}
    recipe = job.recipe.but(epochs=max(1, math.ceil(epochs)), patience=job.recipe.patience or max(PATIENCE[0], int(epochs) // PATIENCE[1]))
    if recipe.flip == "auto" and recipe.model not in PRETRAINED:
        recipe = recipe.but(flip="no")
    job.recipe = recipe
    job.run.update(steps=steps, epochs=epochs, quote=quoted, recipe=recipe.to_json())
    job.info = job.run.info()
    yield job.say("decision", message(N_("{epochs:number} passes over the training part: {steps:count} steps"), epochs=epochs, steps=steps))
    yield job.say(
        "quote",
        message(
            N_("about {seconds:duration} in all, a first model after {first:duration}, {memory:bytes} of memory"),
            seconds=total,
            first=first,
            memory=speed.memory,
        ),
    )


def _validation(job: Job) -> Batches:
    return job.batches("validation", batch=max(64, int(job.recipe.batch or 1)))


def _rival_budget(recipe: Recipe) -> float:
    """Most seconds a simpler model gets, however long the network took."""
    return 15.0 if recipe.time is None else max(2.0, recipe.time * 0.07)


def _frozen_seconds(job: Job) -> float:
    """Expected time of the first model: one batch through the frozen network, timed."""
    pixels, rows = _frozen_pixels(job), _frozen_rows(job, "train")[:32]
    model = build(job.recipe, len(job.dataset.classes), 3)
    began = time.perf_counter()
    for _ in frozen_features(model, pixels, rows, job.run.cache, torch.device(job.recipe.device)):
        pass
    each = (time.perf_counter() - began) / max(1, len(rows))
    count = sum(len(_frozen_rows(job, part)) for part in ("train", "validation", "test"))
    return each * count + 2.0


# -- first model: frozen features and a linear head


def _frozen_pixels(job: Job) -> Pixels:
    return job.reading.pixels[FROZEN_SIZE]


def _frozen_rows(job: Job, part: str) -> np.ndarray:
    return np.intersect1d(job.rows(part), _frozen_pixels(job).rows)


def _first_model(job: Job) -> Iterator[Event]:
    if job.done("first"):
        return
    if job.recipe.model not in PRETRAINED:
        job.enter("fit")
        return
    began = time.monotonic()
    pixels, labels, cache = _frozen_pixels(job), job.dataset.labels, job.run.cache
    model, device = build(job.recipe, len(job.dataset.classes), 3), torch.device(job.recipe.device)
    rows = {part: _frozen_rows(job, part) for part in ("train", "validation")}
    for part in rows:
        yield from frozen_features(model, pixels, rows[part], cache, device)
    features = {part: load_features(pixels, rows[part], cache) for part in rows if len(rows[part])}
    width = features["train"].shape[1]
    held = features.get("validation", np.zeros((0, width), np.float32))
    head = fit_head(features["train"], labels[rows["train"]], held, labels[rows["validation"]], len(job.dataset.classes))
    seconds = time.monotonic() - began
    logits = head.logits(held)
    accuracy = float((logits.argmax(1) == labels[rows["validation"]]).mean()) if len(held) else 0.0
    loss = log_loss(logits, labels[rows["validation"]]) if len(held) else 0.0
    set_head(model, head)
    save_weights(model, job.run.snapshots / "first.safetensors")
    export(model, pixels.preprocessing, job.dataset.classes, job.run.model_file, name=job.recipe.model)
    ready = time.monotonic() - job.began
    if job.recipe.flip == "auto":
        flip, why = _flip(job, model, head, rows["validation"], accuracy)
        job.recipe = job.recipe.but(flip=flip)
        yield job.say("decision", why)
    yield job.say("saved", message(N_("a first model is ready: {accuracy:percent} of {n:count} validation images right"), accuracy=accuracy, n=len(held)))
    frozen = {"accuracy": accuracy, "loss": loss, "seconds": seconds, "n": len(rows["train"]), "strength": head.strength}
    job.enter("fit", frozen=frozen, first_model_seconds=ready, recipe=job.recipe.to_json())


def _flip(job: Job, model: torch.nn.Module, head: Head, rows: np.ndarray, accuracy: float) -> tuple[str, Message]:
    """Mirroring is harmless when the first model still knows mirrored validation images (letters and digits: it does not)."""
    rows = rows[:256]
    if len(rows) < 20:
        return "no", message(N_("no mirroring while training: too few validation images to know whether it is harmless"))
    pixels = _frozen_pixels(job)
    mirrored = Pixels(pixels.preprocessing, rows, pixels.take(rows)[:, :, ::-1].copy())
    folder = job.run.cache / "mirrored"
    folder.mkdir(exist_ok=True)
    for _ in frozen_features(model, mirrored, rows, folder, torch.device(job.recipe.device)):
        pass
    predicted = head.logits(load_features(mirrored, rows, folder)).argmax(1)
    share = float((predicted == job.dataset.labels[rows]).mean())
    yes = share >= accuracy - FLIP_LOSS
    says = N_("images are mirrored while training: it knows {share:percent} of mirrored images, {accuracy:percent} of the originals")
    if not yes:
        says = N_("no mirroring while training: it knows {share:percent} of mirrored images, {accuracy:percent} of the originals")
    return ("yes" if yes else "no"), message(says, share=share, accuracy=accuracy)


# -- fit


def _fit(job: Job) -> Iterator[Event]:
    if job.done("fit"):
        return
    preprocessing = job.pixels().preprocessing
    # The last layer starts afresh: fitted on frozen features it is so steep that it tears the layers below (docs/LOG.md).
    model = build(job.recipe, len(job.dataset.classes), preprocessing.channels)
    state = start(model, job.recipe, job.info["steps"])
    restored = load_checkpoint(job.run.checkpoints)
    if restored:
        state.restore(restored.tensors, restored.numbers)
        yield Note("resume", message(N_("continuing after step {step:count} of {steps:count}"), step=state.step, steps=state.steps))
        if restored.damaged:
            yield Note("warning", message(N_("a damaged checkpoint was passed over: {names}"), names=", ".join(restored.damaged)))
    began = time.monotonic()
    yield from _steps(job, state)
    seconds = job.info.get("fit_seconds", 0.0) + time.monotonic() - began
    frozen = job.info.get("frozen")
    better = state.best_score is not None and (frozen is None or state.best_score >= (frozen["accuracy"], -frozen["loss"]))
    if better and state.best_score:
        state.use_best()
        kind, accuracy = ("fine-tuned" if frozen else "trained"), state.best_score[0]
    else:
        load_weights(state.model, job.run.snapshots / "first.safetensors")
        kind, accuracy, preprocessing = "frozen", frozen["accuracy"], _frozen_pixels(job).preprocessing
    save_weights(state.model, job.run.snapshots / "best.safetensors")
    job.run.add_finding(records.training(state.best_epoch, state.epoch, job.info["epochs"], accuracy, len(job.rows("validation")), kind))
    job.enter("seal", final={"kind": kind, "preprocessing": preprocessing.to_json(), "validation": accuracy}, fit_seconds=seconds)


def _steps(job: Job, state: TrainState) -> Iterator[Event]:
    """Runs the loop, saves when due, and stops when validation stalls or the quote is far exceeded."""
    run, validation = job.run, _validation(job)
    left = job.info["quote"]["fitting"] * (1 - state.step / max(1, state.steps))
    began = saved = time.monotonic()
    pause = CHECKPOINT_EVERY
    loop = fit(
        state,
        job.batches("train"),
        validation if len(validation.rows) else None,
        job.recipe,
        augment=augmentation(job.recipe, job.info["epochs"], job.seen.grey),
    )
    with contextlib.closing(loop):  # type: ignore[type-var]
        while not (stalled(state, int(job.recipe.patience or 1)) and state.epoch):
            event = next(loop, None)
            if event is None:
                return
            if not isinstance(event, Epoch) and not math.isfinite(event.loss):
                raise TrainingError("L601", N_("the loss is not a number any more"), where=f"step {event.n}", todo=N_("train with a lower --lr and --new"))
            run.append(event)
            now = time.monotonic()
            if now - saved > pause:
                _checkpoint(job, state)
                pause, saved = max(CHECKPOINT_EVERY, 30 * (time.monotonic() - now)), time.monotonic()
            try:
                yield event
            except GeneratorExit:
                _checkpoint(job, state)
                run.update(status="stopped", fit_seconds=job.info.get("fit_seconds", 0.0) + now - began)
                raise
            if job.recipe.time is not None and now - began > OVER_QUOTE * left + 5:
                _checkpoint(job, state)
                run.update(status="stopped")
                raise TrainingError(
                    "L602",
                    N_("the training takes more than one and a half times as long as quoted; it was saved after step {step} of {steps}"),
                    where=run.path,
                    todo=N_("run the same command again to continue, or use --time with a longer time and --new"),
                    step=state.step,
                    steps=state.steps,
                )


def _checkpoint(job: Job, state: TrainState) -> None:
    save_checkpoint(state, job.run.checkpoints, job.run.sync())


# -- seal: temperature, export, parity


def _seal(job: Job) -> Iterator[Event]:
    if job.done("seal"):
        return
    model, preprocessing = trained(job.run)
    own = bool(len(job.rows("calibration")))
    rows = job.rows("calibration" if own else "validation")
    pixels = job.reading.pixels[preprocessing.size]
    rows = np.intersect1d(rows, pixels.rows)
    labels = job.dataset.labels[rows]
    logits = logits_of(model, Batches(pixels, rows, labels, 64, torch.device("cpu"))).numpy() if len(rows) else np.zeros((0, 2))
    temperature = fit_temperature(logits, labels, own_part=own)
    export(model, preprocessing, job.dataset.classes, job.run.model_file, temperature=temperature.value, name=job.recipe.model)
    ready = time.monotonic() - job.began
    finding = _parity(job, rows[:32], logits[:32] / temperature.value)
    if finding is not None:
        job.run.add_finding(finding)
    says = {
        "calibration": N_("probabilities calibrated on {n:count} images of their own: temperature {t:number}"),
        "cross-fitted": N_("probabilities calibrated on the {n:count} validation images, cross-fitted: temperature {t:number}"),
        "declined": N_("probabilities are left as they are: {n:count} images gave no better temperature"),
    }[temperature.how]
    yield job.say("decision", message(says, n=temperature.n, t=temperature.value))
    first = job.info.get("first_model_seconds", ready)
    job.enter("judge", temperature=vars(temperature), first_model_seconds=first, model_seconds=ready)


def _parity(job: Job, rows: np.ndarray, logits: np.ndarray) -> Any:
    """The sealed file, fed the original images, against the network's own probabilities."""
    if not len(rows):
        return None
    predictor, images = Predictor(job.run.model_file), job.dataset.images
    exported = predictor.probabilities([images.image(int(i), predictor.preprocessing.jpeg_side) for i in rows])
    return records.sealed(exported, torch.from_numpy(logits).softmax(1).numpy())


# -- judge


def _judge(job: Job) -> Generator[Event]:
    """Looks at the test part once and writes findings and report."""
    if job.done("judge"):
        return
    material = {"pixels": job.pixels(), "frozen": None}
    if job.recipe.model in PRETRAINED and job.info["final"]["kind"] != "frozen":
        rows = _frozen_rows(job, "test")
        model = build(job.recipe, len(job.dataset.classes), 3)
        load_weights(model, job.run.snapshots / "first.safetensors")
        yield from frozen_features(model, _frozen_pixels(job), rows, job.run.cache, torch.device(job.recipe.device))
        material["frozen"] = (model, load_features(_frozen_pixels(job), rows, job.run.cache), rows)
    budget = min(_net_seconds(job), _rival_budget(job.recipe))
    yield from judge(job.run, job.dataset, job.parts, material, budget, job.recipe, began=job.began, images=job.images)
    job.info = job.run.info()


def _net_seconds(job: Job) -> float:
    return float(job.info.get("fit_seconds", 0.0)) + float((job.info.get("frozen") or {}).get("seconds", 0.0))
