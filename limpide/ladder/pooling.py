"""Pooling: one value for each window, so that the next layer sees more of the image with the same kernel.

    maximum   out = the largest of the window      the gradient goes back to the largest pixel alone
    average   out = the mean of the window         the gradient is divided equally

Shapes: x (maps, height, width), out (maps, height', width') with the sides of convolution.py. The stride is the
window's own side unless it is given, so that windows do not overlap. Padding adds −∞ to a maximum and zeros to an
average.
"""

from __future__ import annotations

import numpy as np

from limpide.ladder.convolution import output_size, padded, under


def max_pool(x: np.ndarray, kernel: int, stride: int = 0, padding: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(out, index of the largest in each window, counted row by row; the first if several are equal), both (maps,
    height', width').
    """
    windows = _windows(x, kernel, stride or kernel, padding, -np.inf)  # (places, maps, height', width')
    place = windows.argmax(0)
    return np.take_along_axis(windows, place[None], 0)[0], place


def max_pool_backward(
    slope: np.ndarray, x: np.ndarray, place: np.ndarray, kernel: int, stride: int = 0, padding: int = 0
) -> np.ndarray:
    """Gradient of a loss by x, from its gradient by `out`."""
    shares = (np.arange(kernel * kernel)[:, None, None, None] == place) * slope
    return _put_back(shares, x, kernel, stride or kernel, padding)


def average_pool(x: np.ndarray, kernel: int, stride: int = 0, padding: int = 0) -> np.ndarray:
    return np.asarray(_windows(x, kernel, stride or kernel, padding, 0.0).mean(0))


def average_pool_backward(
    slope: np.ndarray, x: np.ndarray, kernel: int, stride: int = 0, padding: int = 0
) -> np.ndarray:
    shares = np.broadcast_to(slope / kernel**2, (kernel * kernel, *slope.shape))
    return _put_back(shares, x, kernel, stride or kernel, padding)


def _windows(x: np.ndarray, kernel: int, stride: int, padding: int, outside: float) -> np.ndarray:
    """The values under each cell of the window: (kernel², maps, height', width')."""
    rows, columns = (output_size(length, kernel, stride, padding) for length in x.shape[1:])
    x = padded(x, padding, outside)
    return np.stack([under(x, u, v, rows, columns, stride) for u in range(kernel) for v in range(kernel)])


def _put_back(shares: np.ndarray, x: np.ndarray, kernel: int, stride: int, padding: int) -> np.ndarray:
    """Add up, at each pixel, the shares of the windows above it. shares: (kernel², maps, height', width')."""
    by_x = np.zeros_like(padded(x, padding))
    _, _, rows, columns = shares.shape
    for k, share in enumerate(shares):
        under(by_x, *divmod(k, kernel), rows, columns, stride)[...] += share
    inside = slice(padding, -padding or None)
    return by_x[:, inside, inside]
