"""Whether a mirrored image keeps its class, asked of the images themselves: a network from scratch cannot tell yet."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from limpide.text.messages import N_, Message, message

SIDE, LEARNED, ASKED = 16, 2000, 500  # pixels, images that are compared with, images that are named
SIDES = ("left", "right", "gauche", "droite")


def has_sided_classes(classes: Sequence[str]) -> bool:
    """Whether names say that a side matters: digits, letters, left and right."""
    names = [name.casefold() for name in classes]
    if names and all((len(name) <= 2 and name.isdigit()) or (len(name) == 1 and name.isalpha()) for name in names):
        return True
    return any(side in re.split(r"[\W_]+", name) for name in names for side in SIDES)


def mirroring_keeps_class(
    learned: np.ndarray, learned_labels: np.ndarray, asked: np.ndarray, labels: np.ndarray
) -> tuple[bool, Message]:
    """Name each image by the nearest one that was learned (Fix & Hodges 1951), as it is and mirrored. Mirroring keeps
    the class if it costs nothing beyond chance, and the nearest image knows something.

    learned, asked: uint8 (n, side, side, channels) · labels: int (n,).
    """
    points, own = _points(learned), _points(asked)
    mirrored = _points(asked[:, :, ::-1])
    plain, turned = (learned_labels[torch.cdist(one, points).argmin(1).numpy()] == labels for one in (own, mirrored))
    share, other = float(plain.mean()), float(turned.mean())
    chance = float(np.bincount(labels).max() / len(labels))
    lost, gained = int((plain & ~turned).sum()), int((turned & ~plain).sum())
    spread = max(1.0, (lost + gained) ** 0.5)  # of lost − gained, where both are equally likely (McNemar 1947)
    knows = share > chance + 2 * (chance * (1 - chance) / len(labels)) ** 0.5
    keeps = knows and lost - gained <= 1.5 * spread
    if not knows:
        says = N_("images are not mirrored: whether that keeps their class cannot be told beforehand (--flip yes does)")
    elif keeps:
        says = N_(
            "images are mirrored while training: the most similar image names {other:percent} of {n:count} mirrored "
            "ones rightly, {share:percent} as they are (--flip no leaves them)"
        )
    else:
        says = N_(
            "images are not mirrored: the most similar image names {other:percent} of {n:count} mirrored ones rightly, "
            "{share:percent} as they are (--flip yes mirrors them all the same)"
        )
    return keeps, message(says, other=other, share=share, n=len(labels))


def _points(squares: np.ndarray) -> Tensor:
    """float (n, values): small versions, centered, of equal contrast."""
    images = torch.from_numpy(np.ascontiguousarray(squares)).float().permute(0, 3, 1, 2)
    small = torch.nn.functional.adaptive_avg_pool2d(images, min(SIDE, images.shape[-1])).flatten(1)
    small = small - small.mean(1, keepdim=True)
    return small / small.norm(dim=1, keepdim=True).clamp_min(1e-6)
