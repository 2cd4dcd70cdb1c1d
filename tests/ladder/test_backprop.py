"""Backpropagation by hand against autograd, and XOR."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from limpide.ladder.backprop import back_propagate, changes, forward, output_error, start, train

XOR = [((0, 0), (0,)), ((0, 1), (1,)), ((1, 0), (1,)), ((1, 1), (0,))]


@pytest.mark.parametrize("widths", [(2, 2, 1), (3, 4, 2), (5, 7, 6, 3), (1, 1)])
@pytest.mark.parametrize("seed", range(5))
def test_equal_to_autograd(widths: tuple[int, ...], seed: int) -> None:
    random = np.random.default_rng(seed)
    weights = [3 * w for w in start(widths, seed)]
    x, t = random.normal(size=widths[0]), random.random(widths[-1])
    layers = forward(weights, x)
    deltas = back_propagate(weights, layers, output_error(layers[-1], t))

    tensors = [torch.tensor(w, requires_grad=True) for w in weights]
    y, sums = torch.tensor(x), []
    for w in tensors:
        sums.append(w @ torch.cat([torch.ones(1, dtype=torch.float64), y]))
        sums[-1].retain_grad()
        y = torch.sigmoid(sums[-1])
    (0.5 * ((torch.tensor(t) - y) ** 2).sum()).backward()

    assert layers[-1] == pytest.approx(y.detach().numpy(), abs=1e-12)
    for delta, s in zip(deltas, sums, strict=True):
        assert np.abs(delta + s.grad.numpy()).max() < 1e-8  # type: ignore[union-attr]
    for change, w in zip(changes(layers, deltas), tensors, strict=True):
        assert np.abs(change + w.grad.numpy()).max() < 1e-8  # type: ignore[union-attr]


def test_two_hidden_units_learn_xor() -> None:
    *_, last = train(start((2, 2, 1), seed=0), XOR, rate=1.0, epochs=6000)
    weights = [np.array(w) for w in last.values["W_after"]]
    answers = [float(forward(weights, np.array(x, float))[-1][0]) for x, _ in XOR]
    assert [answer > 0.5 for answer in answers] == [False, True, True, False] and np.abs(
        np.array(answers) - [0, 1, 1, 0]
    ).max() < 0.1


def test_a_step_shows_every_delta() -> None:
    step = next(train(start((2, 2, 1)), XOR, rate=0.5, epochs=1))
    assert [len(delta) for delta in step.values["deltas"]] == [2, 1] and [
        len(layer) for layer in step.values["layers"]
    ] == [2, 2, 1]
    (y,) = step.values["layers"][-1]
    assert step.values["deltas"][-1] == [pytest.approx(y * (1 - y) * (0 - y))] and step.loss == pytest.approx(
        0.5 * y**2
    )
    before, after = np.array(step.values["W"][1]), np.array(step.values["W_after"][1])
    assert after - before == pytest.approx(
        0.5 * step.values["deltas"][-1][0] * np.array([[1, *step.values["layers"][1]]])
    )
