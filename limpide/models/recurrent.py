"""An image read row by row, from top to bottom, by a recurrent network (Le, Jaitly & Hinton 2015 read MNIST pixel by
pixel).

The cells are written out in ladder/recurrent.py, equal to torch's, which are used here as they are faster. For 28×28
grey images, 128 units and 10 classes: RNN 21,514 parameters, LSTM 82,186, GRU 61,962.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

CELLS: dict[str, Callable[..., nn.RNNBase]] = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


class RowReader(nn.Module):
    """Images (batch, channels, size, size). cell: one of CELLS."""

    def __init__(
        self, *, classes: int, channels: int = 1, size: int = 28, cell: str = "lstm", units: int = 128
    ) -> None:
        super().__init__()
        self.cell = CELLS[cell](channels * size, units, batch_first=True)
        self.head = nn.Linear(units, classes)

    def features(self, x: Tensor) -> Tensor:
        rows = x.transpose(1, 2).flatten(2)  # (batch, channels, rows, columns) → (batch, rows, channels · columns)
        states, _ = self.cell(rows)  # (batch, rows, units)
        return states[:, -1]  # type: ignore[no-any-return]  # the state after the last row

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))  # type: ignore[no-any-return]
