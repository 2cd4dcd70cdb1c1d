"""What a network sees in images, as numbers before its last layer; which images it takes for alike; and a map of them.

Nearest images by example: Papernot & McDaniel 2018 (arXiv 1803.04765). The map: principal components (Pearson 1901), or
t-SNE (van der Maaten & Hinton 2008), which keeps neighbours together and says nothing of large distances.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from limpide.core.errors import ModelError
from limpide.text.messages import N_

PERPLEXITY = 30  # of t-SNE: about so many neighbours count
FIRST_AXES = 50  # principal components that t-SNE starts from

Method = Literal["pca", "tsne"]


def last_linear(model: nn.Module) -> nn.Linear:
    """The layer that what `features_of` gives enters. Raises ModelError when there is none."""
    layers = [module for module in model.modules() if isinstance(module, nn.Linear)]
    if not layers:
        raise ModelError(
            "L427",
            N_("this network has no linear layer, and so no features before the last one"),
            where=type(model).__name__,
            todo="",
        )
    return layers[-1]


@torch.inference_mode()
def features_of(model: nn.Module, images: Tensor) -> tuple[Tensor, Tensor]:
    """(features (n, width), logits (n, classes)) of normalised images (n, channels, height, width), the network in
    evaluation mode.

    The features are what the network's own `features` gives to its `head`, or what enters the last linear layer. Raises
    ModelError for a network that has neither.
    """
    own, head = getattr(model, "features", None), getattr(model, "head", None)
    if callable(own) and callable(head):
        found = own(images)
        return found.reshape(len(images), -1), head(found)
    seen: list[Tensor] = []
    hook = last_linear(model).register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    try:
        logits = model(images)
    finally:
        hook.remove()
    return seen[-1].reshape(len(images), -1), logits


def nearest_rows(features: np.ndarray, one: np.ndarray, most: int) -> list[tuple[int, float]]:
    """(row, cosine of the angle to `one`), the most alike first. features: float (n, width) · one: float (width,)"""
    lengths = np.linalg.norm(features, axis=1) * np.linalg.norm(one)
    alike = features @ one / np.maximum(lengths, 1e-12)
    order = np.argsort(-alike, kind="stable")[:most]
    return [(int(k), float(alike[k])) for k in order]


def flat_map(features: np.ndarray, method: Method = "pca", seed: int = 0) -> tuple[np.ndarray, float | None]:
    """(places float32 (n, 2) between −1 and 1, share of the variance they keep where that can be said). features: float
    (n, width), n ≥ 3.
    """
    from sklearn.decomposition import PCA

    centered = features - features.mean(0)
    if not np.abs(centered).max() > 0:  # a network that sees all of them alike
        return np.zeros((len(features), 2), np.float32), None
    axes = PCA(min(FIRST_AXES, *centered.shape), svd_solver="randomized", random_state=seed).fit(centered)
    found = axes.transform(centered)
    # Which way an axis points is a coin's throw: the largest number shall be positive.
    found = found * np.where(found[np.abs(found).argmax(0), np.arange(found.shape[1])] < 0, -1, 1)
    kept: float | None = float(axes.explained_variance_ratio_[:2].sum())
    if method == "tsne":
        from sklearn.manifold import TSNE

        kept, perplexity = None, min(PERPLEXITY, (len(found) - 1) / 3)
        found = TSNE(
            2, perplexity=perplexity, init=found[:, :2] / (found[:, 0].std() or 1) * 1e-4, random_state=seed
        ).fit_transform(found)
    places = np.zeros((len(found), 2))
    places[:, : found.shape[1]] = found[:, :2]
    places -= (places.max(0) + places.min(0)) / 2
    return (places / (np.abs(places).max() or 1.0)).astype(np.float32), kept


def align_to(places: np.ndarray, before: np.ndarray) -> np.ndarray:
    """The same map turned and mirrored to lie as much as can be on an earlier one of the same images (orthogonal
    Procrustes, Schönemann 1966).
    """
    left, _, right = np.linalg.svd(places.T @ before)
    return np.asarray(places @ (left @ right), np.float32)


__all__ = ["Method", "features_of", "flat_map", "last_linear", "nearest_rows", "align_to"]
