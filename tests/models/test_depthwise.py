"""The gradients of a depthwise convolution on small maps are those of torch's own."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from limpide.models import depthwise
from limpide.models.depthwise import DepthwiseConv2d
from limpide.models.efficientnet import EfficientNet


@pytest.mark.parametrize("side", [(1, 1), (2, 2), (3, 3), (4, 4), (4, 2), (1, 3)])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_gradients_are_torchs(
    side: tuple[int, int], layout: torch.memory_format, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    ours = DepthwiseConv2d(6, 6, 5, 1, 2, groups=6, bias=False)
    theirs = nn.Conv2d(6, 6, 5, 1, 2, groups=6, bias=False)
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(3, 6, *side).contiguous(memory_format=layout)
    inputs, found, used = [x.clone().requires_grad_(), x.clone().requires_grad_()], [], []
    gradient_of_weight = depthwise._gradient_of_weight
    monkeypatch.setattr(depthwise, "_gradient_of_weight", lambda *a: used.append(1) or gradient_of_weight(*a))
    for module, own in zip((ours, theirs), inputs, strict=True):
        y = module(own)
        (y * torch.arange(y.numel()).view_as(y)).sum().backward()
        found.append((y, own.grad, module.weight.grad))
    assert used == [1]
    for one, other in zip(*found, strict=True):
        assert torch.allclose(one, other, rtol=1e-4, atol=1e-4)  # type: ignore[arg-type]


def test_numbers_are_the_derivatives_of_the_sums() -> None:
    """By differences, in double precision, which torch's checker wants."""
    x, weight = torch.randn(2, 3, 4, 4, dtype=torch.double), torch.randn(3, 1, 5, 5, dtype=torch.double)
    assert torch.autograd.gradcheck(depthwise._Depthwise.apply, (x.requires_grad_(), weight.requires_grad_()))


def test_larger_maps_and_a_network_that_is_asked_go_torchs_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(depthwise._Depthwise, "apply", lambda *_: pytest.fail("not here"))
    module = DepthwiseConv2d(6, 6, 5, 1, 2, groups=6, bias=False)
    module(torch.randn(2, 6, 5, 5)).sum().backward()
    module.eval()(torch.randn(2, 6, 4, 4)).sum().backward()
    module.train().requires_grad_(False)
    module(torch.randn(2, 6, 4, 4))
    with torch.no_grad():
        module.requires_grad_(True)(torch.randn(2, 6, 4, 4))


def test_the_last_blocks_of_efficientnet_learn_by_it() -> None:
    network = EfficientNet("lite0", classes=2)
    kept = [name for name, module in network.named_modules() if isinstance(module, DepthwiseConv2d)]
    assert len(kept) == 7 and all(module.kernel_size == (5, 5) for module in map(network.get_submodule, kept))
