"""Recurrent cells by hand against torch's, with torch's weights, over a sequence."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from limpide.ladder import recurrent
from limpide.ladder.recurrent import Weights

INPUTS, UNITS, STEPS = 5, 4, 12


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
def test_equal_to_torch(kind: str) -> None:
    torch.manual_seed(0)
    net = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[kind](INPUTS, UNITS).double()
    names = ("weight_ih_l0", "bias_ih_l0", "weight_hh_l0", "bias_hh_l0")
    weights = Weights(*(getattr(net, name).detach().numpy() for name in names))
    x = torch.randn(STEPS, INPUTS, dtype=torch.float64)
    expected = net(x)[0].detach().numpy()
    h, cell = np.zeros(UNITS), np.zeros(UNITS)
    for k in range(STEPS):
        if kind == "lstm":
            h, cell = recurrent.lstm(weights, x[k].numpy(), h, cell)
        else:
            h = getattr(recurrent, kind)(weights, x[k].numpy(), h)
        assert np.abs(h - expected[k]).max() < 1e-7
