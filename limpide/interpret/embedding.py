"""What a network sees in images, as numbers before its last layer; the images that are similar to it; and a map of
them.

Nearest images by example: Papernot & McDaniel 2018 (arXiv 1803.04765). The map: principal components (Pearson 1901), or
t-SNE (van der Maaten & Hinton 2008), which keeps neighbours together and says nothing about large distances.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from limpide.models.features import features_of, last_linear

PERPLEXITY = 30  # of t-SNE: about the number of neighbours that count
FIRST_AXES = 50  # principal components that t-SNE starts from

Method = Literal["pca", "tsne"]


def nearest_rows(features: np.ndarray, one: np.ndarray, most: int) -> list[tuple[int, float]]:
    """Return (row, cosine of the angle to `one`), the most similar first. features: float (n, width) · one: float
    (width,)
    """
    lengths = np.linalg.norm(features, axis=1) * np.linalg.norm(one)
    alike = features @ one / np.maximum(lengths, 1e-12)
    order = np.argsort(-alike, kind="stable")[:most]
    return [(int(k), float(alike[k])) for k in order]


def flat_map(features: np.ndarray, method: Method = "pca", seed: int = 0) -> tuple[np.ndarray, float | None]:
    """Return (places float32 (n, 2) between −1 and 1, share of the variance that they keep, or None if not known).
    features: float (n, width), n ≥ 3.
    """
    from sklearn.decomposition import PCA

    centered = features - features.mean(0)
    if not np.abs(centered).max() > 0:  # the network sees no difference between the images
        return np.zeros((len(features), 2), np.float32), None
    axes = PCA(min(FIRST_AXES, *centered.shape), svd_solver="randomized", random_state=seed).fit(centered)
    coordinates = axes.transform(centered)
    # The sign of an axis is arbitrary: make its largest number positive.
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
    """The same map, turned and mirrored to match an earlier one of the same images as well as possible (orthogonal
    Procrustes, Schönemann 1966).
    """
    left, _, right = np.linalg.svd(places.T @ before)
    return np.asarray(places @ (left @ right), np.float32)


__all__ = ["Method", "features_of", "flat_map", "last_linear", "nearest_rows", "align_to"]
