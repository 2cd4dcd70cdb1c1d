"""Uneven classes: a rare class counts as much as a frequent one.

A network that learned from 600 good parts and 4 defects calls nearly everything good, and is right 99 times in 100. The
logarithm of each class's share of what was learned from is taken off its logit (Menon et al. 2021, arXiv 2007.07314,
section 4.1): what is left is the evidence of the image, as if all classes were equally frequent. Nothing is trained
again. `audit.evidence` turns the probabilities back where they are held against images as frequent as they come.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from limpide.models.features import last_linear

UNEVEN = 10  # the largest class this many times the smallest: from here on by itself


def is_uneven(labels: np.ndarray) -> bool:
    """labels: int (n,), of the images that are learned from."""
    counts = np.bincount(labels)
    counts = counts[counts > 0]
    return len(counts) > 1 and bool(counts.max() >= UNEVEN * counts.min())


def priors(labels: np.ndarray, classes: int) -> np.ndarray:
    """float64 (classes,): the share of each class; of one without an image, as if it had one."""
    counts = np.maximum(1, np.bincount(labels, minlength=classes))
    return np.asarray(counts / counts.sum())


def balanced_weights(labels: np.ndarray) -> np.ndarray:
    """float64 (n,), of mean 1: every class weighs as much as another, its images alike."""
    counts = np.bincount(labels)
    return np.asarray(len(labels) / ((counts > 0).sum() * counts[labels]))


def has_bias(model: nn.Module) -> bool:
    """Whether it ends in a layer that the shares of the classes can be taken off."""
    layers = [module for module in model.modules() if isinstance(module, nn.Linear)]
    return bool(layers) and layers[-1].bias is not None


@torch.no_grad()
def balance(model: nn.Module, shares: np.ndarray) -> None:
    """Takes log(share) off the bias of each class. shares: float (classes,), as `priors` gives them. Raises ModelError
    for a network without a last linear layer.
    """
    bias = last_linear(model).bias
    bias.sub_(torch.from_numpy(np.log(shares)).to(bias))
