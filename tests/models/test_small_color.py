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


def test_patches_are_cut_row_by_row() -> None:
    image = torch.arange(2 * 4 * 5.0).reshape(1, 2, 4, 5)
    patches = patches_of(image)
    assert patches.shape == (4, 8)  # the fifth column is left out
    assert patches[1].tolist() == image[0, :, :2, 2:4].flatten().tolist()
    assert patches[2].tolist() == image[0, :, 2:4, :2].flatten().tolist()


def test_principal_directions_of_known_patches() -> None:
    """Variances 4.5 along (1, 1), 0.5 along (1, −1)."""
    patches = torch.tensor([[1.0, 2.0], [-1.0, -2.0], [2.0, 1.0], [-2.0, -1.0]]) + 7
    directions, variances = principal_directions(patches.double())
    root = 0.5**0.5
    assert torch.allclose(variances, torch.tensor([4.5, 0.5]).double())
    assert torch.allclose(directions[0], torch.tensor([root, root]).double())
    assert torch.allclose(directions[1].abs(), torch.tensor([root, root]).double()) and directions[1].sum().abs() < 1e-9


@pytest.mark.parametrize("channels", [1, 3])
def test_its_maps_have_no_mean_unit_variance_and_no_correlation(channels: int) -> None:
    layer, images = Whitening(channels), correlated(channels)
    layer.set_from(images)
    values = 4 * channels
    with torch.no_grad():
        maps = layer(images).permute(0, 2, 3, 1).reshape(-1, 2 * values).double()
    plus, minus = maps[:, :values], maps[:, values:]
    covariance = torch.cov(plus.T, correction=0)
    variances = principal_directions(patches_of(images).double())[1]
    assert torch.allclose(plus, -minus, atol=1e-4) and plus.mean(0).abs().max() < 1e-4
    assert torch.allclose(covariance, torch.diag(variances / (variances + NOISE)), atol=1e-3)
    assert torch.allclose(covariance, torch.eye(values).double(), atol=0.03)


def test_images_without_variance_leave_it_finite() -> None:
    layer = Whitening(3)
    layer.set_from(torch.zeros(4, 3, 8, 8))
    assert torch.isfinite(layer.weight).all() and torch.isfinite(layer(torch.randn(2, 3, 8, 8))).all()


def test_no_step_changes_it_and_its_weights_are_kept() -> None:
    model = SmallColorNet(classes=2, widths=(8, 8))
    assert "whiten.weight" in model.state_dict() and "whiten.weight" not in dict(model.named_parameters())
    plain = model.whiten(torch.ones(1, 3, 2, 2)).flatten() - model.whiten.bias
    assert plain.tolist() == pytest.approx([1.0] * 12 + [-1.0] * 12, abs=1e-6)  # each value of the patch, both signs
    model.set_from(correlated(3))
    again = SmallColorNet(classes=2, widths=(8, 8))
    again.load_state_dict(model.state_dict())
    x = torch.randn(2, 3, 16, 16)
    assert torch.equal(again.eval()(x), model.eval()(x))


def test_the_first_learned_convolution_passes_on_what_it_sees() -> None:
    first = SmallColorNet(classes=2).blocks[0][0]
    x = torch.randn(1, 24, 6, 6)
    assert torch.equal(first(x)[:, :24], x)
