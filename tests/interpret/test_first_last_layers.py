"""Both ends of a network as arrays: enough to do their sums again, within their bounds, and left out where they are
something else.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limpide.interpret.first_last_layers import MAX_BYTES, MAX_CHANNELS, first_and_last
from limpide.interpret.trace import trace


class Around(nn.Module):
    """A network around any first layer."""

    def __init__(self, first: nn.Module, features: int, classes: int = 5) -> None:
        super().__init__()
        self.first, self.head = first, nn.Linear(features, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.first(x).relu().flatten(1))  # type: ignore[no-any-return]


def again(ends: dict[str, np.ndarray]) -> np.ndarray:
    """The first layer, by torch, from the arrays alone: only channels of whole groups."""
    weight, bias, image = (torch.from_numpy(ends[f"first.{name}"]).double() for name in ("weight", "bias", "input"))
    top, left = ends["first.padding"].tolist()
    reach = [(n - 1) * d + 1 for n, d in zip(weight.shape[2:], ends["first.dilation"].tolist(), strict=True)]
    padded = F.pad(image[None], (left, reach[1], top, reach[0]))  # more than enough below and on the right
    stride, dilation = ends["first.stride"].tolist(), ends["first.dilation"].tolist()
    found = F.conv2d(padded, weight, bias, stride, 0, dilation, int(ends["first.groups"]))
    height, width = ends["first.output"].shape[1:]
    return found[0, :, :height, :width].numpy()


@pytest.mark.parametrize(
    "conv",
    [
        nn.Conv2d(3, 8, 3),
        nn.Conv2d(3, 8, (3, 5), (2, 1), (1, 2), (1, 2), bias=False),
        nn.Conv2d(3, 6, 3, padding=2, groups=3),
        nn.Conv2d(3, 8, (3, 5), padding="same", dilation=(1, 2)),
        nn.Conv2d(3, 8, 3, padding="valid"),
        nn.Conv2d(3, 8, 4, 4),
    ],
    ids=str,
)
def test_a_first_convolution_can_be_done_again(conv: nn.Conv2d) -> None:
    image = torch.randn(1, 3, 12, 16)
    model = Around(conv, conv(image).numel())
    seen = trace(model, image)
    ends = first_and_last(seen, 2)
    assert ends["first.name"] == "first" and ends["first.channels"].tolist() == list(range(conv.out_channels))
    assert np.array_equal(ends["first.input"], image[0]) and np.array_equal(
        ends["first.output"], conv(image)[0].detach()
    )
    assert np.allclose(again(ends), ends["first.output"], atol=1e-4)
    assert np.allclose(
        ends["last.weight"].astype(float) @ ends["last.features"] + ends["last.bias"], ends["last.logits"], atol=1e-4
    )
    assert np.array_equal(ends["last.logits"], seen.output[0]) and ends["last.classes"].tolist() == list(range(5))


def test_what_is_added_around_the_image_first_is_part_of_what_went_in() -> None:
    model = Around(nn.Sequential(nn.ZeroPad2d((1, 2, 0, 1)), nn.Conv2d(3, 4, 3)), 4 * 9 * 13)
    ends = first_and_last(trace(model, torch.randn(1, 3, 10, 12)))
    assert ends["first.input"].shape == (3, 11, 15) and np.allclose(again(ends), ends["first.output"], atol=1e-4)


def test_a_linear_layer_on_the_image_is_a_convolution_as_large_as_the_image() -> None:
    ends = first_and_last(trace(Around(nn.Sequential(nn.Flatten(), nn.Linear(192, 7)), 7), torch.randn(1, 3, 8, 8)))
    assert ends["first.weight"].shape == (7, 3, 8, 8) and ends["first.output"].shape == (7, 1, 1)
    assert np.allclose(again(ends), ends["first.output"], atol=1e-4)


@pytest.mark.parametrize(
    "first, features",
    [
        (nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 4, 3)), 4 * 36),  # the convolution does not see the image
        (nn.Linear(8, 4), 3 * 8 * 4),  # each row by itself
        (nn.AvgPool2d(2), 3 * 16),  # the first linear layer is the last, on something else
    ],
    ids=["normalised", "rows", "pooled"],
)
def test_a_first_layer_that_sees_something_else_is_left_out(first: nn.Module, features: int) -> None:
    ends = first_and_last(trace(Around(first, features), torch.randn(1, 3, 8, 8)))
    assert {name.split(".")[0] for name in ends} == {"last"}


def test_a_network_that_ends_otherwise_has_no_last_layer() -> None:
    ends = first_and_last(
        trace(nn.Sequential(nn.Conv2d(3, 5, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()), torch.randn(1, 3, 8, 8))
    )
    assert {name.split(".")[0] for name in ends} == {"first"}


def test_large_networks_keep_what_is_strongest() -> None:
    model = Around(nn.Sequential(nn.Conv2d(3, 96, 3, 2), nn.AdaptiveAvgPool2d(4)), 96 * 16, classes=1000)
    seen = trace(model, torch.randn(1, 3, 224, 224))
    ends = first_and_last(seen, 95)
    assert sum(array.nbytes for array in ends.values()) <= MAX_BYTES
    kept, strength = ends["first.channels"].tolist(), seen.find("first.0").output[0].abs().amax((1, 2))
    assert 4 < len(kept) <= MAX_CHANNELS and 95 in kept and kept == sorted(kept)
    assert min(strength[k] for k in kept if k != 95) >= max(strength[k] for k in range(96) if k not in kept)
    assert np.array_equal(ends["first.weight"], model.first[0].weight[kept].detach())
    logits, classes = seen.output[0], ends["last.classes"]
    assert 10 < len(classes) < 1000 and set(logits.argsort(descending=True)[: len(classes)].tolist()) == set(
        classes.tolist()
    )
    assert np.array_equal(ends["last.logits"], logits[classes])


def test_what_is_too_large_is_left_out() -> None:
    assert (
        first_and_last(trace(nn.Sequential(nn.Flatten(), nn.Linear(3 * 400 * 400, 3)), torch.randn(1, 3, 400, 400)))
        == {}
    )
