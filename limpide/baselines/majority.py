"""Always the most frequent class of the training images: the first model to beat, which costs nothing. The verdict
compares with it by name, so it is not an entry in the table of baselines.
"""

from __future__ import annotations

import numpy as np

from limpide.baselines.baseline import ComparedModel
from limpide.text.messages import N_

KEY, NAME = "majority", N_("always the most frequent class")


def always_majority(train_labels: np.ndarray, test_labels: np.ndarray) -> ComparedModel:
    right = test_labels == int(np.bincount(train_labels).argmax())
    return ComparedModel(right, np.arange(len(right)), len(train_labels), 0.0, 0.0, 8, 0, key=KEY, name=NAME)
