"""Convolution (Fukushima 1980; LeCun et al. 1989, Backpropagation applied to handwritten zip code recognition).

A unit sees a small window of the image, and all units of a map share one set of weights: what is worth detecting here
is worth detecting there.

    out[o, r, c] = b[o] + Σ over i, u, v of  w[o, i, u, v] · x[i, r·stride + u − padding, c·stride + v − padding]
    side of out = ⌊(side of x + 2·padding − kernel) / stride⌋ + 1

A 3×3 layer from k maps to l maps has 9·k·l weights and l biases, whatever the size of the image. As in every library
the kernel is not flipped, so mathematicians would call this a cross-correlation.

Shapes: x (maps in, height, width) · w (maps out, maps in, kernel, kernel) · b (maps out,) · out (maps out, height',
width').
"""

from __future__ import annotations

import numpy as np

from limpide.core.errors import ModelError


def output_size(length: int, kernel: int, stride: int = 1, padding: int = 0) -> int:
    """The number of positions of a window along one side. Raises ModelError if there is none, or no such window."""
    if kernel < 1 or stride < 1 or padding < 0:
        raise ModelError("L406", where=_list_sizes(kernel, stride, padding))
    if kernel > length + 2 * padding:
        raise ModelError(
            "L407",
            where=_list_sizes(kernel, stride, padding),
            least=kernel - 2 * padding,
            padding=-(-(kernel - length) // 2),
        )
    return (length + 2 * padding - kernel) // stride + 1


def _list_sizes(kernel: int, stride: int, padding: int) -> str:
    return f"kernel={kernel} stride={stride} padding={padding}"


def padded(x: np.ndarray, padding: int, value: float = 0.0) -> np.ndarray:
    return np.pad(x, ((0, 0), (padding, padding), (padding, padding)), constant_values=value)


def under(x: np.ndarray, u: int, v: int, rows: int, columns: int, stride: int) -> np.ndarray:
    """The values under cell (u, v) of the window at all of its positions: a view (maps, rows, columns) of padded x."""
    return x[:, u : u + stride * (rows - 1) + 1 : stride, v : v + stride * (columns - 1) + 1 : stride]


def convolve(x: np.ndarray, w: np.ndarray, b: np.ndarray, stride: int = 1, padding: int = 0) -> np.ndarray:
    """One multiplication for each cell (u, v) of the kernel, at all positions at once."""
    kernel = w.shape[2]
    rows, columns = (output_size(length, kernel, stride, padding) for length in x.shape[1:])
    if x.shape[0] != w.shape[1]:
        raise ModelError("L408", where=f"x {x.shape}, w {w.shape}", expected=w.shape[1], came=x.shape[0])
    x, out = padded(x, padding), np.zeros((len(w), rows, columns)) + b[:, None, None]
    for u in range(kernel):
        for v in range(kernel):
            out += np.einsum("oi,irc->orc", w[:, :, u, v], under(x, u, v, rows, columns, stride))
    return out


def convolve_backward(
    slope: np.ndarray, x: np.ndarray, w: np.ndarray, stride: int = 1, padding: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients of a loss by x, w and b, from its gradient by `out`.

    A weight is used at every position, so its gradient is the sum over all of them; a pixel is seen from several
    positions, so their contributions are added up, too.
    """
    kernel, (_, rows, columns) = w.shape[2], slope.shape
    x = padded(x, padding)
    by_x, by_w = np.zeros_like(x), np.zeros_like(w)
    for u in range(kernel):
        for v in range(kernel):
            by_w[:, :, u, v] = np.einsum("orc,irc->oi", slope, under(x, u, v, rows, columns, stride))
            under(by_x, u, v, rows, columns, stride)[...] += np.einsum("oi,orc->irc", w[:, :, u, v], slope)
    inside = slice(padding, -padding or None)
    return by_x[:, inside, inside], by_w, slope.sum((1, 2))


def parameters(maps_in: int, maps_out: int, kernel: int = 3) -> int:
    """9·k·l + l for a 3×3 kernel."""
    return kernel * kernel * maps_in * maps_out + maps_out
