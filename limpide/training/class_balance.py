"""Uneven classes: a rare class counts as much as a frequent one.

A network that learned from 600 good parts and 4 defects calls nearly everything good, and is correct 99 times in 100.
The logarithm of each class's share of the training images is subtracted from its logit (Menon et al. 2021, arXiv
2007.07314, section 4.1): the rest is the evidence of the image, as if all classes were equally frequent. Nothing is
retrained. `audit.evidence` reverses this where probabilities are compared with images at their natural frequencies.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from limpide.models.features import last_linear

UNEVEN = 10  # classes are balanced by default if the largest has this many times the images of the smallest


def is_uneven(labels: np.ndarray) -> bool:
    """Whether the largest class is at least UNEVEN times the smallest. labels: int (n,), of the training images."""
    counts = np.bincount(labels)
    counts = counts[counts > 0]
    return len(counts) > 1 and bool(counts.max() >= UNEVEN * counts.min())


def priors(labels: np.ndarray, classes: int) -> np.ndarray:
    """float64 (classes,): the share of each class; a class without images counts as one image."""
    counts = np.maximum(1, np.bincount(labels, minlength=classes))
    return np.asarray(counts / counts.sum())


def balanced_weights(labels: np.ndarray) -> np.ndarray:
    """float64 (n,), of mean 1: all classes have the same weight in total, and all images of a class the same."""
    counts = np.bincount(labels)
    return np.asarray(len(labels) / ((counts > 0).sum() * counts[labels]))


def has_bias(model: nn.Module) -> bool:
    """Whether the last linear layer has a bias, from which the shares of the classes can be subtracted."""
    layers = [module for module in model.modules() if isinstance(module, nn.Linear)]
    return bool(layers) and layers[-1].bias is not None


@torch.no_grad()
def balance(model: nn.Module, shares: np.ndarray) -> None:
    """Subtract log(share) from the bias of each class. shares: float (classes,), from `priors`. Raises ModelError for a
    network without a last linear layer.
    """
    bias = last_linear(model).bias
    bias.sub_(torch.from_numpy(np.log(shares)).to(bias))
