"""Which fold judges which image: every image is judged once, by a model that learned from the other folds.

Images that belong together stay in one fold, and no class is missing from the images that the other folds learn from.
Blocks are assigned by size, then by the hash of their content, so the same files get the same folds on every machine,
without a seed.
"""

from __future__ import annotations

import numpy as np

FOLDS = 5
MOST_IMAGES = 0.8  # share of the images whose classes have a block for every fold
NO_FOLD = -1  # such an image always trains and is never judged


def assign_folds(keys: np.ndarray, labels: np.ndarray, together: np.ndarray, folds: int = FOLDS) -> np.ndarray:
    """int8 (n,): the fold of each image, from 0; NO_FOLD where it cannot be held out, because its block holds all
    images of a class. All NO_FOLD if fewer than two blocks can be held out.

    keys: uint64 (n,), hash of each image's content · labels: int (n,) · together: int (n,), images with the same number
    stay together · folds: the maximum; fewer if there are fewer blocks.
    """
    _, block = np.unique(together, return_inverse=True)
    counts = np.zeros((int(block.max(initial=-1)) + 1, int(labels.max(initial=-1)) + 1), int)  # (blocks, classes)
    np.add.at(counts, (block, labels), 1)
    judged = ~((counts > 0) & (counts == counts.sum(0))).any(1)
    if judged.sum() < 2:
        return np.full(len(keys), NO_FOLD, np.int8)
    first = np.full(len(counts), np.iinfo(np.uint64).max, np.uint64)
    np.minimum.at(first, block, keys)
    order = [b for b in np.lexsort((first, -counts.sum(1))) if judged[b]]
    fold = _deal(counts, order, min(folds, _blocks_of_most(counts[judged])))
    _keep_classes(counts, fold)
    return fold[block].astype(np.int8)


def _blocks_of_most(counts: np.ndarray) -> int:
    """The number of blocks, at least two, that each class of most images (MOST_IMAGES) has. With more folds than these,
    a class would be rarer in training wherever one of its blocks is judged, and be predicted too seldom. counts: int
    (blocks, classes).
    """
    blocks, images = (counts > 0).sum(0), counts.sum(0)
    order = np.argsort(-blocks, kind="stable")
    reached = np.searchsorted(np.cumsum(images[order]), MOST_IMAGES * images.sum())
    return max(2, int(blocks[order][reached]))


def _deal(counts: np.ndarray, order: list[int], folds: int) -> np.ndarray:
    """int (blocks,): each block goes to the fold that has the fewest images of its classes; a tie goes to the smallest
    fold, then to the first.
    """
    fold, held = np.full(len(counts), NO_FOLD), np.zeros((folds, counts.shape[1]))
    share = np.maximum(1, counts.sum(0))
    for b in order:
        crowded = (held * counts[b] / share).sum(1)
        to = min(range(folds), key=lambda f: (round(crowded[f], 9), held[f].sum(), f))
        fold[b] = to
        held[to] += counts[b]
    return fold


def _keep_classes(counts: np.ndarray, fold: np.ndarray) -> None:
    """Takes the smallest block of a class out of the folds if only one fold has the class: it would be missing where
    that fold is judged. Changes `fold`.
    """
    for label in range(counts.shape[1]):
        blocks = np.flatnonzero(counts[:, label])
        if len(blocks) and len(set(fold[blocks].tolist())) == 1 and fold[blocks[0]] != NO_FOLD:
            fold[blocks[counts[blocks].sum(1).argmin()]] = NO_FOLD
