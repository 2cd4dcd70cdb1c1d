"""Which fold judges which image: every image is judged once, by a model that learned from the other folds.

What belongs together stays in one fold, and no class leaves the images that the others learn from. Blocks are placed by
size, then by the hash of their content, so that the same files fall alike on every machine, without a seed.
"""

from __future__ import annotations

import numpy as np

FOLDS = 5
MOST_IMAGES = 0.8  # share of the images whose classes have a block for every fold
NO_FOLD = -1  # it always trains and is never judged


def assign_folds(keys: np.ndarray, labels: np.ndarray, together: np.ndarray, folds: int = FOLDS) -> np.ndarray:
    """int8 (n,): the fold of each image, from 0; NO_FOLD where it cannot be held out, as all images of a class of its
    block belong to that block. All NO_FOLD where fewer than two blocks could be held out.

    keys: uint64 (n,), hash of each image's content · labels: int (n,) · together: int (n,), images with the same number
    stay together · folds: at most; fewer where there are fewer blocks.
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
    """Blocks, two at least, that each class of most images has: with more folds than these, a class would be rarer
    wherever one of its blocks is judged, and be guessed too seldom. counts: int (blocks, classes).
    """
    blocks, images = (counts > 0).sum(0), counts.sum(0)
    order = np.argsort(-blocks, kind="stable")
    reached = np.searchsorted(np.cumsum(images[order]), MOST_IMAGES * images.sum())
    return max(2, int(blocks[order][reached]))


def _deal(counts: np.ndarray, order: list[int], folds: int) -> np.ndarray:
    """int (blocks,): each goes to the fold that has the fewest of its classes; of equals, the smallest, the first."""
    fold, held = np.full(len(counts), NO_FOLD), np.zeros((folds, counts.shape[1]))
    share = np.maximum(1, counts.sum(0))
    for b in order:
        crowded = (held * counts[b] / share).sum(1)
        to = min(range(folds), key=lambda f: (round(crowded[f], 9), held[f].sum(), f))
        fold[b] = to
        held[to] += counts[b]
    return fold


def _keep_classes(counts: np.ndarray, fold: np.ndarray) -> None:
    """A class that only one fold has would be missing where that fold is judged: its smallest block moves on. Changes
    `fold`.
    """
    for label in range(counts.shape[1]):
        blocks = np.flatnonzero(counts[:, label])
        if len(blocks) and len(set(fold[blocks].tolist())) == 1 and fold[blocks[0]] != NO_FOLD:
            fold[blocks[counts[blocks].sum(1).argmin()]] = NO_FOLD
