"""Overfitting: the curve nearest to its own points is not the best one for the next points.

Polynomials of degree 1 to 15 fitted to twenty noisy points of a sine: their error (root of the mean square) on these
points, and on a thousand others between them. The noise is 0.2: no curve can do better on others.
"""

import numpy as np

from limpide.text.messages import _

random = np.random.default_rng(0)


def points(n: int) -> tuple[np.ndarray, np.ndarray]:
    x = random.uniform(-1, 1, n)
    return x, np.sin(3 * x) + random.normal(0, 0.2, n)


(x, y), (others, values) = points(20), points(1000)
between = (others > x.min()) & (others < x.max())  # beyond its ends a polynomial of high degree goes anywhere
for degree in (1, 3, 5, 9, 15):
    curve = np.polynomial.Polynomial.fit(x, y, degree)
    own, new = (np.sqrt(np.mean((curve(a) - b) ** 2)) for a, b in ((x, y), (others[between], values[between])))
    says = _("degree {degree:2d}: error {own:.2f} on its own points, {new:8.2f} on others")
    print(says.format(degree=degree, own=own, new=new), "█" * min(40, int(20 * new)))
