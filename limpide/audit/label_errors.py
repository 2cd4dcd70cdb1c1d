"""Which labels look wrong?

What it measures: images that the model, which never learned from them, gives to another class at least as surely as it
gives that class its own. Why it matters: a wrong label in the test part is counted as a mistake of the model, and a
wrong label in the training part teaches it wrong things. How it can mislead: it finds what the model disagrees with.
Where the model is confident and wrong, the label is right: check the image first. Source: Northcutt, Jiang & Chuang
2021, "Confident Learning" (arXiv 1911.00068), section 3.1, the off-diagonal of the confident joint.
"""

from __future__ import annotations

import numpy as np


def find_label_errors(probabilities: np.ndarray, truth: np.ndarray) -> list[tuple[int, int, float]]:
    """Return (image, the class it may be, how much surer the model is of that class than of the label), the surest
    first.

    probabilities: (n, classes) of images that were not learned from · truth: int (n,)
    """
    classes = probabilities.shape[1]
    # The mean probability of a class among the images with its label. No image is suggested for a class without images,
    # or one that is never predicted.
    thresholds = [
        probabilities[truth == k, k].mean() if (truth == k).any() and probabilities[:, k].any() else np.inf
        for k in range(classes)
    ]
    enough = np.where(probabilities >= np.array(thresholds), probabilities, -np.inf)
    suggested = enough.argmax(1)
    suspects = np.flatnonzero(np.isfinite(enough.max(1)) & (suggested != truth))
    margin = probabilities[suspects, suggested[suspects]] - probabilities[suspects, truth[suspects]]
    order = np.argsort(-margin, kind="stable")
    return [(int(suspects[k]), int(suggested[suspects[k]]), float(margin[k])) for k in order]
