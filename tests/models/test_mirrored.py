"""The mean of the answers about an image and its mirror image."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from limpide import models
from limpide.models.features import features_of, features_width
from limpide.models.mirrored import MirroredMean, mean_output


class Outside(nn.Module):
    """Neither `features` nor `head`."""

    def __init__(self) -> None:
        super().__init__()
        self.last = nn.Linear(3 * 81, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(x.flatten(1))  # type: ignore[no-any-return]


def networks() -> list[nn.Module]:
    torch.manual_seed(0)
    return [models.build("cnn", 4, 3, 9).eval(), models.build("small_color", 4, 3, 9).eval(), Outside()]


@pytest.mark.parametrize("model", networks(), ids=lambda model: type(model).__name__)
def test_logits_are_the_mean_of_both(model: nn.Module) -> None:
    x = torch.randn(5, 3, 9, 9)
    with torch.no_grad():
        both = MirroredMean(model)(x)
        expected = (model(x) + model(x.flip(3))) / 2
        assert torch.allclose(both, expected, atol=1e-6) and not torch.allclose(both, model(x), atol=1e-3)
        assert torch.allclose(mean_output(model, x, model(x)), expected, atol=1e-6)
        assert torch.allclose(MirroredMean(model)(x.flip(3)), both, atol=1e-6)
        upside_down = MirroredMean(model)(x.flip(2))
    assert not torch.allclose(upside_down, both, atol=1e-3)


@pytest.mark.parametrize("model", networks(), ids=lambda model: type(model).__name__)
def test_a_symmetric_image_gets_the_plain_answer(model: nn.Module) -> None:
    half = torch.randn(3, 3, 9, 4)
    x = torch.cat((half, torch.randn(3, 3, 9, 1), half.flip(3)), 3)
    with torch.no_grad():
        assert torch.allclose(MirroredMean(model)(x), model(x), atol=1e-5)


def test_features_are_the_mean_of_both_and_the_head_takes_them() -> None:
    model = networks()[1]
    x = torch.randn(3, 3, 9, 9)
    features, logits = features_of(MirroredMean(model), x)
    mean = (features_of(model, x)[0] + features_of(model, x.flip(3))[0]) / 2
    assert torch.allclose(features, mean, atol=1e-5) and torch.allclose(model.head(mean), logits, atol=1e-5)
    assert features_width(MirroredMean(model), 3, 9) == features_width(model, 3, 9) == 128


class Between(nn.Module):
    """A network of one's own that does something between its features and its head."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.head = nn.Conv2d(3, 4, 3), nn.Linear(4, 2)

    def features(self, x: Tensor) -> Tensor:
        return self.body(x)  # type: ignore[no-any-return]

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.tanh(self.features(x).mean((2, 3))))  # type: ignore[no-any-return]


def test_what_a_network_of_ones_own_does_before_its_head_is_kept() -> None:
    torch.manual_seed(0)
    model, x = Between().eval(), torch.randn(5, 3, 8, 8)
    assert torch.allclose(MirroredMean(model)(x), (model(x) + model(x.flip(3))) / 2, atol=1e-6)
