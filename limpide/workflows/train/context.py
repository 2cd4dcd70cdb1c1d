"""The data that the phases of a training pass to each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, get_args

import numpy as np
import torch
from torch import nn

from limpide.core.events import Note
from limpide.core.recipe import Recipe
from limpide.core.recipe_field import WHOLE
from limpide.core.run import Run
from limpide.core.run_info import Phase, Plan, RunInfo
from limpide.data.dataset import PARTS, Dataset
from limpide.data.decoding.value_range import ValueRange
from limpide.data.folds import NO_FOLD
from limpide.data.preprocessing import Preprocessing
from limpide.data.read_images import ImageSample, Pixels, Reading, Undecoded
from limpide.system.energy import Energy, Meter
from limpide.system.machine import MemoryWatch
from limpide.text.messages import Message
from limpide.training.batches import Batches
from limpide.training.build import build_network
from limpide.training.defaults import preprocessing_of
from limpide.training.views import View, view_named, views_for
from limpide.workflows.train.deadline import Deadline, leave_out

PHASES: tuple[str, ...] = get_args(Phase)


@dataclass
class TrainContext:
    """The data that the phases pass to each other, all restored from the files of the run when it is continued."""

    run: Run
    dataset: Dataset
    began: float  # monotonic, s: when the work began, minus the time that earlier sessions spent on it
    images: bool  # whether the report shows pictures
    rehash: bool  # whether to read every byte of the images again
    info: RunInfo
    memory: MemoryWatch = field(default_factory=MemoryWatch)
    meter: Meter = field(default_factory=Meter)
    paused: float = 0.0  # s so far in which a watcher made this session wait: not part of the work
    values: ValueRange | None = None  # the measured range of values of more than 8 bits; None once it is reported
    recipe: Recipe = field(init=False)
    seen: ImageSample = field(init=False)
    reading: Reading = field(init=False)
    # int (m, 2), pairs of nearly identical images; None if they are not searched for
    near: np.ndarray | None = field(init=False)
    parts: np.ndarray = field(init=False)  # uint8 (n,), indices of PARTS
    folds: np.ndarray = field(init=False)  # int8 (n,), as in data/folds.py; all NO_FOLD if there is a test part

    def __post_init__(self) -> None:
        self.earlier_energy = self.info.energy

    def rows(self, part: str) -> np.ndarray:
        return np.flatnonzero(self.parts == PARTS.index(part)).astype(np.int32)

    def judged_rows(self) -> np.ndarray:
        """int32: the images that are scored: the test part, or those that a fold judges."""
        return np.flatnonzero(self.folds != NO_FOLD).astype(np.int32) if self.recipe.folds else self.rows("test")

    def done(self, phase: str) -> bool:
        return PHASES.index(self.info.phase) > PHASES.index(phase)

    def enter(self, phase: str, **values: Any) -> None:
        """Enter a phase: those before it are done, and their time counts in the total time of a continued run."""
        self.run.enter(phase, spent=self.deadline.passed(), energy=self.energy(), **values)
        self.info = self.run.info()

    def keep_spent(self) -> None:
        """Save the time and energy of a stopped phase, so that they count, too, when the run continues."""
        self.run.update(spent=self.deadline.passed(), energy=self.energy())

    def stop(self, seconds: float) -> None:
        """Save the seconds of the steps until they were stopped, so that the finished run reports all of them."""
        self.run.update(status="stopped", fit_seconds=self.info.fit_seconds + seconds, spent=self.deadline.passed())

    @property
    def deadline(self) -> Deadline:
        return Deadline(self.info.wanted.get("time"), self.began + self.paused)

    def plan(self, plan: Plan) -> None:
        """Record a new number of steps before it takes effect."""
        self.run.update(plans=[*self.info.plans, plan])
        self.info = self.run.info()

    def leave_out(self, part: str) -> None:
        """Record that there is no time for this part (msgid)."""
        leave_out(self.run, part)
        self.info = self.run.info()

    def energy(self) -> Energy:
        """The energy of this run so far, with that of earlier sessions from its record."""
        now, before = self.meter.energy(), self.earlier_energy
        return Energy(now.joules + (before.joules if before else 0.0), now.how, now.watts)

    def say(self, topic: str, text: Message) -> Note:
        note = Note(topic, text)
        self.run.append(note)
        return note

    def pixels(self) -> Pixels:
        return self.reading.pixels[int(self.recipe.image_size or 0)]

    def batches(self, part: str, batch: int | None = None) -> Batches:
        return self.batches_of(self.rows(part), batch)

    def batches_of(self, rows: np.ndarray, batch: int | None = None) -> Batches:
        """batch: images at once, for evaluation; None: as a training takes them."""
        accumulate = self.recipe.accumulate if batch is None else 1
        size = batch or int(self.recipe.batch or 1)
        return Batches(self.pixels(), rows, self.dataset.labels[rows], size, self.device, accumulate)

    def validation(self) -> Batches:
        return self.batches("validation", batch=self.judging_batch)

    @property
    def judging_batch(self) -> int:
        """Images at once in evaluation, not in training."""
        return max(64, int(self.recipe.batch or 1))

    @property
    def device(self) -> torch.device:
        return torch.device(self.recipe.device)

    def network(self, preprocessing: Preprocessing, name: str = "") -> nn.Module:
        """A fresh network for squares like these. name: of another view of it (training/views.py)."""
        classes = len(self.dataset.learned_classes)
        return build_network(self.recipe, classes, preprocessing.channels, preprocessing.size, name)

    # -- of the first model, for pretrained networks: a sample of the images, at the size the network was made for

    def view(self) -> View:
        """The view of the frozen network; until the folds have chosen, the cheapest one."""
        if not self.recipe.folds:
            return view_named(WHOLE, self.recipe.model)
        return views_for(self.recipe, self.seen.median_side)[0]

    def pixels_of(self, preprocessing: Preprocessing) -> Pixels:
        """Squares like these, of all images; squares that were not kept are decoded when they are needed."""
        kept = self.reading.pixels.get(preprocessing.size)
        if kept is not None:
            return kept
        rows = np.arange(len(self.dataset), dtype=np.int32)
        return Pixels(preprocessing, rows, Undecoded(self.dataset.images, preprocessing, rows))

    def pixels_in(self, view: View) -> Pixels:
        return self.pixels_of(preprocessing_of(self.recipe, self.seen, view.size))

    def frozen_pixels(self) -> Pixels:
        return self.pixels_in(self.view())

    def frozen_network(self) -> nn.Module:
        return self.network(self.frozen_pixels().preprocessing, self.view().network)

    def frozen_rows(self, part: str) -> np.ndarray:
        return np.intersect1d(self.rows(part), self.frozen_pixels().rows)
