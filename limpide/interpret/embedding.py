"""What a network sees in images, as numbers before its last layer; which images it takes for alike; and a map of them.

Nearest images by example: Papernot & McDaniel 2018 (arXiv 1803.04765). The map: principal components (Pearson 1901), or
t-SNE (van der Maaten & Hinton 2008), which keeps neighbours together and says nothing of large distances.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from limpide.models.features import features_of, last_linear

PERPLEXITY = 30  # of t-SNE: about so many neighbours count
FIRST_AXES = 50  # principal components that t-SNE starts from

Method = Literal["pca", "tsne"]


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
    coordinates = axes.transform(centered)
    # Which way an axis points is a coin's throw: the largest number shall be positive.
    coordinates = coordinates * np.where(
        coordinates[np.abs(coordinates).argmax(0), np.arange(coordinates.shape[1])] < 0, -1, 1
    )
    explained_variance: float | None = float(axes.explained_variance_ratio_[:2].sum())
    if method == "tsne":
        from sklearn.manifold import TSNE

        explained_variance, perplexity = None, min(PERPLEXITY, (len(coordinates) - 1) / 3)
        coordinates = TSNE(
            2, perplexity=perplexity, init=coordinates[:, :2] / (coordinates[:, 0].std() or 1) * 1e-4, random_state=seed
        ).fit_transform(coordinates)
    places = np.zeros((len(coordinates), 2))
    places[:, : coordinates.shape[1]] = coordinates[:, :2]
    places -= (places.max(0) + places.min(0)) / 2
    return (places / (np.abs(places).max() or 1.0)).astype(np.float32), explained_variance


def align_to(places: np.ndarray, before: np.ndarray) -> np.ndarray:
    """The same map turned and mirrored to lie as much as can be on an earlier one of the same images (orthogonal
    Procrustes, Schönemann 1966).
    """
    left, _, right = np.linalg.svd(places.T @ before)
    return np.asarray(places @ (left @ right), np.float32)


__all__ = ["Method", "features_of", "flat_map", "last_linear", "nearest_rows", "align_to"]
