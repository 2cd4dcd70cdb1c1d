"""The multilayer perceptron (Rumelhart, Hinton & Williams 1986): linear layers with a non-linearity between them.

For 28×28 grey images, 200 hidden units and 10 classes it has 159,010 parameters. Without the non-linearity the layers
are one matrix, W₂W₁, and can do no more than models/linear.py (experiments/two_linear_layers.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise

from torch import Tensor, nn

ACTIVATIONS: Mapping[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "leaky_relu": nn.LeakyReLU,
    "gelu": nn.GELU,
    "none": nn.Identity,
}


class MLP(nn.Module):
    """Images (batch, channels, size, size).

    widths: units of each hidden layer · activation: one of ACTIVATIONS · dropout: share of the units that are set to
    zero after each hidden layer.
    """

    def __init__(
        self,
        *,
        classes: int,
        channels: int = 1,
        size: int = 28,
        widths: tuple[int, ...] = (200,),
        activation: str = "relu",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        inputs = channels * size * size
        layers: list[nn.Module] = []
        for before, units in pairwise((inputs, *widths)):
            layers += [nn.Linear(before, units), ACTIVATIONS[activation]()]
            if dropout:
                layers.append(nn.Dropout(dropout))
        self.hidden = nn.Sequential(*layers)
        self.head = nn.Linear((inputs, *widths)[-1], classes)

    def features(self, x: Tensor) -> Tensor:
        return self.hidden(x.flatten(1))  # type: ignore[no-any-return]  # → (batch, widths[-1])

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))  # type: ignore[no-any-return]  # (batch, classes)
