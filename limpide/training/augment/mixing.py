"""Mixtures of two images, whose targets are mixed alike: shares of all classes."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor


def mixup(
    images: Tensor, targets: Tensor, classes: int, alpha: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Add another image of the batch to each: λ of the one, 1 − λ of the other, λ ~ Beta(α, α) (Zhang et al. 2018,
    arXiv 1710.09412).
    """
    share, other = _share(alpha, generator), _others(images, generator)
    return torch.lerp(images[other], images, share), _mixed(targets, other, classes, share)


def cutmix(
    images: Tensor, targets: Tensor, classes: int, alpha: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Put a rectangle of another image of the batch, 1 − λ of the area, into each; targets by the area left (Yun et al.
    2019, arXiv 1905.04899, equation 2).
    """
    share, other = _share(alpha, generator), _others(images, generator)
    height, width = images.shape[2:]
    tall, wide = (round(side * (1 - share) ** 0.5) for side in (height, width))
    middle = torch.rand(2, generator=generator).tolist()
    top, left = (round(place * side - size / 2) for place, side, size in zip(middle, (height, width), (tall, wide)))
    rows, columns = slice(max(0, top), max(0, top + tall)), slice(max(0, left), max(0, left + wide))
    mixed = images.clone()
    mixed[:, :, rows, columns] = images[other][:, :, rows, columns]
    covered = len(range(height)[rows]) * len(range(width)[columns])
    return mixed, _mixed(targets, other, classes, 1 - covered / (height * width))


def _share(alpha: float, generator: torch.Generator) -> float:
    seed = int(torch.randint(2**31, (), generator=generator))  # PyTorch's own Beta takes no generator
    return float(np.random.default_rng(seed).beta(alpha, alpha))


def _others(images: Tensor, generator: torch.Generator) -> Tensor:
    return torch.randperm(len(images), generator=generator).to(images.device)


def _mixed(targets: Tensor, other: Tensor, classes: int, share: float) -> Tensor:
    if not targets.is_floating_point():
        targets = F.one_hot(targets, classes).float()
    return torch.lerp(targets[other], targets, share)
