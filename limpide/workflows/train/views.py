"""The views that a frozen network has of images, if folds choose among them (training/views.py)."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import torch

from limpide import models
from limpide.core.events import Event
from limpide.core.recipe_field import QUARTERS, WHOLE
from limpide.data.preprocessing import Preprocessing
from limpide.data.read_images import Pixels
from limpide.system import machine
from limpide.text.messages import N_, message
from limpide.training.cross_fit import Features
from limpide.training.linear_head import frozen_features, load_features
from limpide.training.views import SECONDS, SHARE, View, affordable, looks_of, seconds_in, view_named, views_for
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
    """(views for which there is time, s that all but the first look take). seconds: s per image in the first view."""
    views, limit = views_for(job.recipe, job.seen.median_side), SECONDS
    if job.recipe.time is not None:
        limit = SHARE * max(0.0, job.recipe.time - job.deadline.passed())
    kept, images = affordable(views, seconds, len(job.rows("train")), limit), len(job.rows("train"))
    return kept, sum(images * seconds_in(look[0], views[0], seconds) for look in looks_of(kept)[1:])


def planned_looks(job: TrainContext) -> list[list[View]]:
    """The looks that were decided on with the time estimate; a run of an earlier version has one."""
    return looks_of([view_named(name, job.recipe.model) for name in job.info.views] or [job.view()])


def look_through(job: TrainContext, views: list[View], rows: np.ndarray) -> Generator[Event, None, Features]:
    """The features of these images in one look. Larger squares, which take long, are mirrored only if the user asks for
    it.
    """
    plain, mirrored, flip = (yield from _features(job, views[-1], rows)), None, job.recipe.flip
    if flip == "yes" or (flip == "auto" and views[0].name in (WHOLE, QUARTERS)):
        mirrored = yield from _features(job, views[-1], rows, mirrored=True)
    machine.release_memory()
    return Features(plain, mirrored, tuple((view.name, _widths(job, view)) for view in views))


def features_of_view(job: TrainContext, rows: np.ndarray) -> Generator[Event, None, np.ndarray]:
    """float32 (n, width): the features of these images in the view that the folds chose. They are stored since then."""
    view = job.view()
    look = next((look for look in planned_looks(job) if view in look), [view])
    features = yield from _features(job, look[-1], rows)
    return features[:, : sum(_widths(job, view))]


def _features(
    job: TrainContext, view: View, rows: np.ndarray, *, mirrored: bool = False
) -> Generator[Event, None, np.ndarray]:
    pixels, folder = job.pixels_in(view), job.run.cache / (view.name + "-mirrored" * mirrored)
    folder.mkdir(exist_ok=True)
    squares = Mirrored(pixels) if mirrored else pixels
    network = job.network(pixels.preprocessing, view.network)
    yield from frozen_features(network, squares, rows, folder, torch.device(job.recipe.device))
    return load_features(squares, rows, folder)


def _widths(job: TrainContext, view: View) -> tuple[int, ...]:
    """The widths of the kinds of features of this view, in their order."""
    network = models.build(view.network, len(job.dataset.learned_classes), 3, view.size)
    return network.feature_groups  # type: ignore[return-value]


def settle_view(job: TrainContext, chosen: str, tried: int) -> Generator[Event]:
    """Record the chosen view. tried: the number of looks that were compared."""
    view = view_named(chosen, job.recipe.model)
    if job.recipe.view == "auto":
        yield job.say("decision", message(SAYS.get(view.name, WINDOWS), size=view.size))
        if tried > 1 and view.name in SAYS:
            yield job.say("decision", message(N_("larger squares do not help in the folds")))
    job.recipe = job.recipe.but(view=chosen)


SAYS = {
    WHOLE: N_("the network sees the images whole, in squares of {size} px: separate quarters do not help in the folds"),
    QUARTERS: N_(
        "the network sees the images whole and by quarters, in squares of {size} px: it matters where things "
        "are, and this helps in the folds"
    ),
}
WINDOWS = N_(
    "small things count: the network sees the images in squares of {size} px, window by window, which "
    "helps in the folds"
)
