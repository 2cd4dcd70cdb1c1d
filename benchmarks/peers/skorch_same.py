"""The network and recipe of `limpide train mnist` in skorch's NeuralNetClassifier."""

from __future__ import annotations

import torch
from shared import (
    BATCH,
    RATE,
    SMOOTHING,
    WEIGHT_DECAY,
    Arguments,
    learned_and_validated,
    load,
    normalized,
    one_cycle,
    tell,
)
from skorch import NeuralNetClassifier
from skorch.callbacks import LRScheduler
from skorch.dataset import Dataset
from skorch.helper import predefined_split
from small_cnn import SmallCNN

UNDECAYED = [(name, {"weight_decay": 0.0}) for name in ("blocks.*.2.*", "head.bias")]


def main() -> None:
    given = Arguments.read()
    torch.manual_seed(given.seed)
    images, labels = load(given.files, "train")
    learned, validated = learned_and_validated(given.seed)
    cycle = LRScheduler(policy=torch.optim.lr_scheduler.LambdaLR, lr_lambda=one_cycle, step_every="batch")
    net = NeuralNetClassifier(
        SmallCNN,
        criterion=torch.nn.CrossEntropyLoss,
        criterion__label_smoothing=SMOOTHING,
        optimizer=torch.optim.AdamW,
        optimizer__weight_decay=WEIGHT_DECAY,
        optimizer__param_groups=UNDECAYED,
        lr=RATE,
        batch_size=BATCH,
        max_epochs=1,
        iterator_train__shuffle=True,
        train_split=predefined_split(Dataset(normalized(images[validated])[:, None], labels[validated])),
        callbacks=[cycle],
    )
    net.fit(normalized(images[learned])[:, None], labels[learned])
    net.save_params(f_params=given.model)
    seconds = given.seconds()
    images, labels = load(given.files, "t10k")
    tell(seconds, (net.predict(normalized(images)[:, None]) == labels).mean())


if __name__ == "__main__":
    main()
