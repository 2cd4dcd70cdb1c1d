"""The network and recipe of `limpide train mnist` in fastai's Learner, with its own data loaders and optimizer."""

from __future__ import annotations

from functools import partial

import torch
from fastai.vision import all as fastai
from pytorch_same import tensors
from shared import (
    BATCH,
    RATE,
    SMOOTHING,
    STEPS,
    WARM_UP,
    WEIGHT_DECAY,
    Arguments,
    learned_and_validated,
    load,
    one_cycle,
    tell,
)
from small_cnn import SmallCNN


def main() -> None:
    given = Arguments.read()
    fastai.set_seed(given.seed)
    images, labels = load(given.files, "train")
    learned, validated = (tensors(images[rows], labels[rows]) for rows in learned_and_validated(given.seed))
    loaders = fastai.DataLoaders.from_dsets(
        learned, validated, bs=BATCH, num_workers=0, drop_last=False, device=torch.device("cpu")
    )
    learner = fastai.Learner(
        loaders,
        SmallCNN(),
        loss_func=fastai.CrossEntropyLossFlat(label_smoothing=SMOOTHING),
        opt_func=partial(fastai.Adam, mom=0.9, sqr_mom=0.999, eps=1e-8, decouple_wd=True),
        metrics=fastai.accuracy,
        wd=WEIGHT_DECAY,
        wd_bn_bias=False,
    )
    up, down = ((RATE * one_cycle(0), RATE), (RATE, RATE * one_cycle(STEPS - 1)))
    cycle = fastai.combine_scheds([WARM_UP, 1 - WARM_UP], [fastai.SchedLin(*up), fastai.SchedLin(*down)])
    with learner.no_bar(), learner.no_logging():
        learner.fit(1, cbs=fastai.ParamScheduler({"lr": cycle}))
    learner.save(given.model)
    seconds = given.seconds()
    tested = loaders.test_dl(tensors(*load(given.files, "t10k")))
    with learner.no_bar():
        _, accuracy = learner.validate(dl=tested)
    tell(seconds, accuracy)


if __name__ == "__main__":
    main()
