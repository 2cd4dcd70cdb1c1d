"""Convolution and pooling by hand against torch, forward and backward."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given
from hypothesis import strategies as st

from limpide.core.errors import ModelError
from limpide.ladder import convolution, pooling
from limpide.ladder.convolution import convolve, convolve_backward, output_size

windows = {
    "kernel": st.integers(1, 4),
    "stride": st.integers(1, 3),
    "height": st.integers(1, 9),
    "width": st.integers(1, 9),
    "seed": st.integers(0, 99),
}


@given(**windows, padding=st.integers(0, 3), maps=st.tuples(st.integers(1, 3), st.integers(1, 4)))
def test_convolution(
    kernel: int, stride: int, height: int, width: int, seed: int, padding: int, maps: tuple[int, int]
) -> None:
    assume(min(height, width) + 2 * padding >= kernel)
    random = np.random.default_rng(seed)
    x, w, b = (
        random.normal(size=(maps[0], height, width)),
        random.normal(size=(maps[1], maps[0], kernel, kernel)),
        random.normal(size=maps[1]),
    )
    tx, tw, tb = (torch.tensor(v, requires_grad=True) for v in (x, w, b))
    expected = F.conv2d(tx[None], tw, tb, stride, padding)[0]
    out = convolve(x, w, b, stride, padding)
    assert out.shape == (
        maps[1],
        output_size(height, kernel, stride, padding),
        output_size(width, kernel, stride, padding),
    )
    assert np.abs(out - expected.detach().numpy()).max() < 1e-10
    slope = random.normal(size=out.shape)
    expected.backward(torch.tensor(slope))
    for ours, theirs in zip(convolve_backward(slope, x, w, stride, padding), (tx, tw, tb), strict=True):
        assert np.abs(ours - theirs.grad.numpy()).max() < 1e-10  # type: ignore[union-attr]


@pytest.mark.parametrize("how", ["max", "average"])
@given(**windows, padding=st.integers(0, 2), ties=st.booleans())
def test_pooling(
    how: str, kernel: int, stride: int, height: int, width: int, seed: int, padding: int, ties: bool
) -> None:
    # torch allows no more padding than half
    assume(min(height, width) + 2 * padding >= kernel and 2 * padding <= kernel)
    random = np.random.default_rng(seed)
    x = random.normal(size=(2, height, width)).round(0 if ties else 9)
    tx = torch.tensor(x, requires_grad=True)
    expected = (F.max_pool2d if how == "max" else F.avg_pool2d)(tx[None], kernel, stride, padding)[0]
    slope = random.normal(size=expected.shape)
    expected.backward(torch.tensor(slope))
    if how == "max":
        out, place = pooling.max_pool(x, kernel, stride, padding)
        back = pooling.max_pool_backward(slope, x, place, kernel, stride, padding)
    else:
        out = pooling.average_pool(x, kernel, stride, padding)
        back = pooling.average_pool_backward(slope, x, kernel, stride, padding)
    assert np.abs(out - expected.detach().numpy()).max() < 1e-12 and np.abs(back - tx.grad.numpy()).max() < 1e-12  # type: ignore[union-attr]


def test_weights_of_a_layer() -> None:
    assert [convolution.parameters(*maps) for maps in ((1, 16), (16, 128), (3, 64))] == [160, 18_560, 1_792]


def test_sides_of_the_course_network() -> None:
    sides = [28]
    # convolution, pooling, convolution, pooling, convolution
    for kernel, stride in ((3, 1), (2, 2), (3, 1), (2, 2), (3, 1)):
        sides.append(output_size(sides[-1], kernel, stride))
    assert sides[1:] == [26, 13, 11, 5, 3] and output_size(3, 2, 2) == 1


@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "code", "says"),
    [
        (0, 1, 0, "L406", "kernel=0"),
        (3, 0, 0, "L406", "stride=0"),
        (3, 1, -1, "L406", "padding=-1"),
        (7, 1, 0, "L407", "at least 7 pixels, or a padding of 2"),
        (7, 1, 1, "L407", "at least 5 pixels, or a padding of 2"),
    ],
)
def test_windows_that_do_not_fit(kernel: int, stride: int, padding: int, code: str, says: str) -> None:
    with pytest.raises(ModelError, match=code) as raised:
        output_size(4, kernel, stride, padding)
    assert says in str(raised.value)


def test_a_kernel_for_other_maps() -> None:
    with pytest.raises(ModelError, match="L408"):
        convolve(np.zeros((3, 5, 5)), np.zeros((2, 1, 3, 3)), np.zeros(2))
