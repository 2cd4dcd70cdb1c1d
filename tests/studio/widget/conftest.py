"""What the tests of the widget share: a network, an image, and a widget of them."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from limpide import see
from tests.studio.widget.kernel import Kernel, Net


@pytest.fixture(scope="module")
def network() -> Net:
    torch.manual_seed(0)
    return Net().train()


@pytest.fixture(scope="module")
def image() -> Tensor:
    return torch.randn(1, 3, 16, 20, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def kernel(network: Net, image: Tensor) -> Kernel:
    found = Kernel(lambda: see(network, image).widget())
    found.taken()
    return found
