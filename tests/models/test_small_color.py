"""The whitening layer: known answers, and what images without variance do to it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from limpide.models.small_color import NOISE, SmallColorNet, Whitening, patches_of, principal_directions


def correlated(channels: int, n: int = 200, size: int = 9) -> Tensor:
    """Neighbours and channels alike, none of mean 0."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(n, 1, size, size, generator=generator).cumsum(3) + 2.0
    return x + 0.3 * torch.randn(n, channels, size, size, generator=generator)


def test_patches_are_those_of_the_convolution() -> None:
    images, layer = correlated(3, n=2), Whitening(3)
    patches = patches_of(images)
    assert patches.shape == (2 * 4 * 4, 27)
    assert torch.equal(patches[5], images[0, :, 2:5, 2:5].flatten())  # the second row's second
    with torch.no_grad():
        assert layer.bias is not None
        maps = (layer(images) - layer.bias[:, None, None]).permute(0, 2, 3, 1).flatten(0, 2)
    assert torch.allclose(maps[:, :16], patches[:, :16], atol=1e-5) and torch.allclose(maps[:, 16:], -maps[:, :16])


def test_principal_directions_of_known_patches() -> None:
    """Variances 4.5 along (1, 1), 0.5 along (1, −1)."""
    patches = torch.tensor([[1.0, 2.0], [-1.0, -2.0], [2.0, 1.0], [-2.0, -1.0]]) + 7
    directions, variances = principal_directions(patches.double())
    root = 0.5**0.5
    assert torch.allclose(variances, torch.tensor([4.5, 0.5]).double())
    assert torch.allclose(directions[0], torch.tensor([root, root]).double())
    assert torch.allclose(directions[1].abs(), torch.tensor([root, root]).double()) and directions[1].sum().abs() < 1e-9


@pytest.mark.parametrize(("channels", "directions"), [(1, 9), (3, 16)])
def test_its_maps_have_no_mean_unit_variance_and_no_correlation(channels: int, directions: int) -> None:
    layer, images = Whitening(channels), correlated(channels)
    layer.set_from(images)
    with torch.no_grad():
        maps = layer(images).permute(0, 2, 3, 1).flatten(0, 2).double()
    plus, minus = maps[:, :directions], maps[:, directions:]
    covariance = torch.cov(plus.T, correction=0)
    variances = principal_directions(patches_of(images).double())[1]
    kept = variances[:directions]
    assert maps.shape[1] == 2 * directions and (variances[:-1] >= variances[1:]).all()
    assert torch.allclose(plus, -minus, atol=1e-4) and plus.mean(0).abs().max() < 1e-4
    assert torch.allclose(covariance, torch.diag(kept / (kept + NOISE)), atol=1e-3)
    assert torch.allclose(covariance, torch.eye(directions).double(), atol=0.03)


def test_images_without_variance_leave_it_finite() -> None:
    layer = Whitening(3)
    layer.set_from(torch.zeros(4, 3, 9, 9))
    assert torch.isfinite(layer.weight).all() and torch.isfinite(layer(torch.randn(2, 3, 9, 9))).all()


def test_no_step_changes_it_and_its_weights_are_kept() -> None:
    model = SmallColorNet(classes=2, widths=(8, 8))
    assert "whiten.weight" in model.state_dict() and "whiten.weight" not in dict(model.named_parameters())
    model.set_from(correlated(3))
    again = SmallColorNet(classes=2, widths=(8, 8))
    again.load_state_dict(model.state_dict())
    x = torch.randn(2, 3, 16, 16)
    assert torch.equal(again.eval()(x), model.eval()(x))


def test_the_first_learned_convolution_passes_on_what_it_sees() -> None:
    first = SmallColorNet(classes=2).blocks[0][0]
    x = torch.randn(1, 32, 6, 6)
    assert torch.equal(first(x)[:, :32], x)
