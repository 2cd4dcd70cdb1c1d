"""Overfitting: the curve that goes through every point is not the one that knows the next.

Polynomials of degree 1 to 15 through twenty noisy points of a sine; their error on these points, and on a thousand others.
"""

import numpy as np

random = np.random.default_rng(0)


def points(n: int) -> tuple[np.ndarray, np.ndarray]:
    x = random.uniform(-1, 1, n)
    return x, np.sin(3 * x) + random.normal(0, 0.2, n)


(x, y), (others, truth) = points(20), points(1000)
for degree in (1, 3, 5, 9, 15):
    curve = np.polynomial.Polynomial.fit(x, y, degree)
    own, new = (np.sqrt(np.mean((curve(a) - b) ** 2)) for a, b in ((x, y), (others, truth)))
    print(f"degree {degree:2d}: error {own:.2f} on its own points, {new:8.2f} on others {'█' * min(40, int(20 * new))}")
