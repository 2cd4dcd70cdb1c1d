"""Would good parts alone do? The patches of the frequent class are learned anew, without the images that are judged.

What it measures, why it matters and how it can mislead: audit/good_parts_alone.py.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from limpide.audit.good_parts_alone import good_parts_alone_finding
from limpide.core.cost import Cost, Facts
from limpide.core.events import Event, Progress
from limpide.core.finding import Finding
from limpide.core.recipe import Recipe
from limpide.data.dataset import TRAIN
from limpide.data.read_images import ImageSample, Pixels, Undecoded
from limpide.judging.subject import Subject, Work
from limpide.text.messages import N_, message

MOST = 400  # frequent images that are learned from, and that are judged; more would take longer and say the same
CHOOSING = 3.0  # s, about, to choose the patches that are kept
LOOKS = 3.0  # for each image, in forward passes of the frozen network: two, and the distances of its patches


def cost(facts: Facts) -> Cost:
    if not facts.has_rare_class or facts.frozen is None:
        return Cost()
    images = min(MOST, facts.train) + min(MOST, facts.test)
    return Cost(images * LOOKS * facts.frozen.seconds + max(1, facts.folds) * CHOOSING)


def run(subject: Subject) -> Iterator[Event | Finding]:
    from limpide.training.class_balance import is_uneven

    trained, evidence = subject.run(), (yield from subject.evidence())
    rows = (yield from subject.answers()).rows
    frequent, rare = (np.flatnonzero(evidence.truth == k) for k in (evidence.majority, 1 - evidence.majority))
    if not is_uneven(subject.dataset.labels[trained.parts == TRAIN]) or not len(frequent) or not len(rare):
        return
    places = np.union1d(rare, _some(frequent))  # an image of a class that was not learned is neither rare nor frequent
    good = np.flatnonzero((trained.parts == TRAIN) & (subject.dataset.labels == evidence.majority))
    strange = np.full(len(places), np.nan)
    if trained.folds is None:
        strange[:] = yield from _strangeness(subject, _some(good), rows[places])
    else:
        own = trained.folds[rows[places]]
        for fold in np.unique(own):
            others = _some(good[trained.folds[good] != fold])
            strange[own == fold] = yield from _strangeness(subject, others, rows[places][own == fold])
    yield good_parts_alone_finding(evidence, places, strange, trained.run.info().location)


def _some(places: np.ndarray) -> np.ndarray:
    """At most MOST of them, spread evenly."""
    return places[np.unique(np.linspace(0, len(places) - 1, min(MOST, len(places))).astype(int))]


def _strangeness(subject: Subject, learned: np.ndarray, asked: np.ndarray) -> Work[np.ndarray]:
    """float (len(asked),): how far each of these images is from those that are learned."""
    from limpide.models import GOOD_PARTS
    from limpide.models.good_parts import GoodParts
    from limpide.training.defaults import preprocessing_of
    from limpide.training.device import choose_device
    from limpide.training.good_parts import SIZE, Describer, describe, keep_patches, patches_an_image, scores_of

    recipe = Recipe.from_json(subject.run().run.info().recipe).but(model=GOOD_PARTS, image_size=SIZE)
    preprocessing = preprocessing_of(recipe, ImageSample(0, False))
    rows = np.arange(len(subject.dataset), dtype=np.int32)
    pixels = Pixels(preprocessing, rows, Undecoded(subject.dataset.images, preprocessing, rows))
    model = GoodParts()
    model.load_imagenet()
    describer = Describer(model, pixels, choose_device("cpu"))
    patches, _ = yield from describe(describer, learned, patches_an_image(len(learned), SIZE))
    keep_patches(model, patches.flatten(0, 1), recipe.seed)
    for event in scores_of(model, describer, asked, message(N_("comparison with good parts alone"))):
        if not isinstance(event, Progress):
            return event
        yield event
    raise ValueError("nothing came after the progress")
