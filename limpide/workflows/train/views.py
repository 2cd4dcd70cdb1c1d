"""The ways in which a frozen network looks at images, where folds choose among them (training/views.py)."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import torch

from limpide.core.events import Event
from limpide.core.recipe import WHOLE
from limpide.data.preprocessing import Preprocessing
from limpide.data.read_images import Pixels
from limpide.system import machine
from limpide.text.messages import N_, message
from limpide.training.cross_fit import Features
from limpide.training.linear_head import frozen_features, load_features
from limpide.training.views import SECONDS, SHARE, View, affordable, seconds_in, view_named, views_for
from limpide.workflows.train.context import TrainContext


@dataclass(frozen=True)
class Mirrored:
    """The same images, left and right exchanged."""

    pixels: Pixels

    @property
    def preprocessing(self) -> Preprocessing:
        return self.pixels.preprocessing

    def take(self, indices: np.ndarray) -> np.ndarray:
        return self.pixels.take(indices)[:, :, ::-1]


def choose_views(job: TrainContext, seconds: float) -> tuple[list[View], float]:
    """(those that there is time for, what all but the first take, s). seconds: an image in the first of them, s."""
    views, limit = views_for(job.recipe, job.seen.median_side), SECONDS
    if job.recipe.time is not None:
        limit = SHARE * max(0.0, job.recipe.time - job.deadline.passed())
    kept = affordable(views, seconds, len(job.rows("train")), limit)
    return kept, sum(len(job.rows("train")) * seconds_in(view, views[0], seconds) for view in kept[1:])


def planned_views(job: TrainContext) -> list[View]:
    """Those that were decided upon when the time was quoted; a run of an earlier version has one."""
    return [view_named(name, job.recipe.model) for name in job.info.views] or [job.view()]


def look_through(job: TrainContext, view: View, rows: np.ndarray) -> Generator[Event, None, Features]:
    """What is seen in these images. In larger squares, which take long, they are mirrored only where that is asked."""
    pixels, device, folder = job.pixels_in(view), torch.device(job.recipe.device), job.run.cache / "mirrored"
    model = job.network(pixels.preprocessing, view.network)
    yield from frozen_features(model, pixels, rows, job.run.cache, device)
    plain, mirrored = load_features(pixels, rows, job.run.cache), None
    if job.recipe.flip == "yes" or (job.recipe.flip == "auto" and view.name == WHOLE):
        folder.mkdir(exist_ok=True)
        yield from frozen_features(model, Mirrored(pixels), rows, folder, device)
        mirrored = load_features(pixels, rows, folder)
    machine.release_memory()
    return Features(plain, mirrored)


def settle_view(job: TrainContext, chosen: str, tried: int) -> Generator[Event]:
    """tried: so many views were compared."""
    view = view_named(chosen, job.recipe.model)
    if tried > 1:
        says = (
            N_("images are looked at whole, in squares of {size} px: larger squares do not name more images well")
            if view.name == WHOLE
            else N_(
                "small things count: images are looked at in squares of {size} px, window by window, which names more "
                "images well in the folds"
            )
        )
        yield job.say("decision", message(says, size=view.size))
    job.recipe = job.recipe.but(view=chosen)
