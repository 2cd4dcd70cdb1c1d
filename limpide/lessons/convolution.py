"""Convolution by hand: a kernel slides over a digit, and pooling keeps what was strongest.

The same few weights at every place: a 3×3 layer from k maps to l maps has 9·k·l + l parameters, whatever the size.
"""

import numpy as np
from sklearn.datasets import load_digits

from limpide.ladder.convolution import convolve, output_size, parameters
from limpide.ladder.pooling import max_pool
from limpide.text.messages import _

image = load_digits().images[0][None] / 16  # (1, 8, 8)
# (maps out, maps in, 3, 3): dark to the left, bright to the right
upright = np.array([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])[None, None]
edges = convolve(image, upright, np.zeros(1), padding=1)
pooled = max_pool(np.maximum(edges, 0), 2)[0]
for title, picture in (
    (_("a zero, 8×8"), image[0]),
    (_("where it gets brighter to the right"), np.maximum(edges, 0)[0] / 4),
    (_("the largest of each 2×2"), pooled[0] / 4),
):
    print(title, *("".join(" ░▒▓█"[min(4, int(5 * v))] * 2 for v in row) for row in picture), sep="\n")
print(
    _("28 pixels, 3×3 kernel → {n}; maps and parameters:").format(n=output_size(28, 3)),
    *(f"{k} → {m}: 9·{k}·{m} + {m} = {parameters(k, m):,}" for k, m in ((1, 16), (16, 128), (3, 64))),
    sep="\n  ",
)
