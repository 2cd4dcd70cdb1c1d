"""Claim: fine-tuning should start with a fresh last layer, and batch normalization should go by the published means and
variances, not by those of each batch.

    python -m experiments.fresh_head PHOTOS [GROUPS.csv] [EACH]     (7 minutes on 2 cores for 2,000 photographs)

A fifth of the groups (people, sites; without GROUPS.csv, of the images) is held out. From the rest, or from EACH images
of each class, the network is fine-tuned at 128 pixels from the same pretrained weights in four ways: with the head that
was fitted on frozen features or with one of zeros, with the published statistics or with those of each batch. It is
scored on what was held out after about each quarter of the passes: as many as see 5,000 images, from 4 to 16.
"""

from __future__ import annotations

import csv
import itertools
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

from limpide.core.events import Epoch
from limpide.core.recipe import Recipe
from limpide.data.dataset import Dataset
from limpide.data.layouts.scan import scan
from limpide.data.read_images import ImageSample, Reading, read_pixels, stored_reading
from limpide.system import machine
from limpide.training.augment.light import LightAugment
from limpide.training.batches import Batches
from limpide.training.build import build_network
from limpide.training.defaults import default_epochs, preprocessing_of
from limpide.training.linear_head import fit_head, frozen_features, load_features, set_head
from limpide.training.loop import fit
from limpide.training.start import start_state

SIZE, FROZEN = 128, 224
RECIPE = Recipe(
    model="efficientnet_lite0", lr=2e-3, batch=32, weight_decay=0.02, device="cpu", precision="fp32", image_size=SIZE
)


def prepared(photos: str, cache: Path) -> tuple[Dataset, Reading]:
    dataset, seen = scan(photos), ImageSample(0, False)
    wanted = {preprocessing_of(RECIPE, seen, size): np.arange(len(dataset)) for size in (SIZE, FROZEN)}
    for _ in read_pixels(dataset, wanted, cache):
        pass
    reading = stored_reading(dataset, wanted, cache)
    assert reading is not None
    return dataset, reading


def scores(
    dataset: Dataset, reading: Reading, train: np.ndarray, test: np.ndarray, cache: Path, fitted: bool, published: bool
) -> list[float]:
    device, labels = torch.device("cpu"), dataset.labels
    model = build_network(RECIPE, len(dataset.classes), 3, SIZE)
    if fitted:
        pixels = reading.pixels[FROZEN]
        for _ in frozen_features(model, pixels, train, cache, device):
            pass
        features, held = load_features(pixels, train, cache), np.arange(len(train)) % 10 == 9
        set_head(
            model,
            fit_head(features[~held], labels[train[~held]], features[held], labels[train[held]], len(dataset.classes)),
        )
    batches = Batches(reading.pixels[SIZE], train, labels[train], 32, device)
    epochs = default_epochs(RECIPE, len(train), grey=False)
    state = start_state(model, RECIPE, epochs * len(batches))
    state.keeps_statistics = published
    events = fit(
        state,
        batches,
        Batches(reading.pixels[SIZE], test, labels[test], 64, device),
        RECIPE,
        augment=LightAugment(flip=True),
    )
    after_each = [event.validation_accuracy for event in events if isinstance(event, Epoch)]
    return after_each[epochs // 4 - 1 :: epochs // 4]


def read_groups(groups: str) -> dict[str, str]:
    with open(groups, newline="") as stream:
        rows = list(csv.DictReader(stream))
    column = next(name for name in rows[0] if name not in ("file", "label"))
    return {row["file"]: row[column] for row in rows}


def main(photos: str, groups: str = "", each: str = "") -> None:
    machine.keep_memory()
    group_of = read_groups(groups) if groups.endswith(".csv") else {}
    each = each or ("" if group_of else groups)
    with tempfile.TemporaryDirectory() as folder:
        dataset, reading = prepared(photos, Path(folder))
        group = np.array([group_of.get(name, name) for name in dataset.images.names])
        names, random = np.unique(group), np.random.default_rng(0)
        test = np.isin(group, random.permutation(names)[: len(names) // 5])
        train = random.permutation(np.flatnonzero(~test))
        if each:
            labels = dataset.labels[train]
            train = np.concatenate([train[labels == k][: int(each)] for k in np.unique(labels)])
        for fitted, published in itertools.product((True, False), (False, True)):
            found = scores(dataset, reading, np.sort(train), np.flatnonzero(test), Path(folder), fitted, published)
            head = "head fitted on frozen features" if fitted else "fresh head"
            statistics = "published statistics" if published else "statistics of each batch"
            print(f"{head}, {statistics}: " + " ".join(f"{value:.3f}" for value in found), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
