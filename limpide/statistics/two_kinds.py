"""Whether points are of one kind or of two: after the best split in two, an empty stretch between the halves decides.

Any cloud can be cut in two, with little between the halves at the cut. Two signs together show that there is more to
it: the halves are tighter than those of a normal cloud of the same shape (the cluster index of Liu, Hayes, Nobel &
Marron 2008, "Statistical significance of clustering", section 2), and along the line through their centres a stretch of
at least half the way is empty. A few odd points are not a kind: the smaller half must hold a fifth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SIMULATED = 50  # normal clouds
BEYOND = 2.5  # standard deviations by which the index of the points must be below theirs
EMPTY = 0.5  # share of the way from centre to centre
SMALLER = 0.2  # share of the points
FEWEST = 20  # points


@dataclass(frozen=True)
class Halves:
    second: np.ndarray  # bool (n,): which points are in the smaller half
    index: float  # variance within the halves, as a share of the total variance
    expected: float  # mean index of normal clouds of this shape
    spread: float  # standard deviation of their index
    empty: float  # share of the way between the centres that has no point

    @property
    def are_two_kinds(self) -> bool:
        tighter = self.index < self.expected - BEYOND * self.spread
        return len(self.second) >= FEWEST and tighter and self.empty >= EMPTY and self.second.mean() >= SMALLER


def halve(points: np.ndarray, seed: int = 0) -> Halves:
    """points: float (n, width), n ≥ 2."""
    points = points.astype(np.float64) - points.mean(0)
    if len(np.unique(points, axis=0)) < 2:
        return Halves(np.zeros(len(points), bool), 1.0, 1.0, 0.0, 0.0)
    left, singular, _ = np.linalg.svd(points, full_matrices=False)
    cloud = left * singular  # the same points along their principal axes
    index, second = _two_means(cloud, seed)
    random = np.random.default_rng(seed)
    simulated = []
    for k in range(SIMULATED):
        normal = random.normal(size=cloud.shape) * singular / np.sqrt(len(cloud))
        simulated.append(_two_means(normal - normal.mean(0), seed + k, starts=2)[0])
    if second.mean() > 0.5:
        second = ~second
    return Halves(second, index, float(np.mean(simulated)), float(np.std(simulated)), _empty(cloud, second))


def _two_means(cloud: np.ndarray, seed: int, starts: int = 5) -> tuple[float, np.ndarray]:
    """(variance within two halves, as a share of the total; bool (n,): the second half)."""
    from sklearn.cluster import KMeans

    fit = KMeans(2, n_init=starts, random_state=seed).fit(cloud)
    return float(fit.inertia_ / max((cloud**2).sum(), 1e-12)), fit.labels_ == 1


def _empty(cloud: np.ndarray, second: np.ndarray) -> float:
    if not second.any() or second.all():
        return 0.0
    way = cloud[second].mean(0) - cloud[~second].mean(0)
    length = float(np.linalg.norm(way))
    along = cloud @ way / max(length, 1e-12)
    return float((along[second].min() - along[~second].max()) / max(length, 1e-12))
