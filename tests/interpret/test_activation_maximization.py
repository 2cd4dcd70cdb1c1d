"""Pictures made for a channel, on networks whose best picture is known, and what they must leave alone."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from limpide.interpret.activation_maximization import CONTRAST, gradient_ascent, maximize_activation
from limpide.models.cnn import SmallCNN


def random(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def one_convolution(channels: int = 1) -> tuple[nn.Module, Tensor]:
    kernel = torch.randn(2, channels, 5, 5, generator=random(1))
    network = nn.Sequential(nn.Conv2d(channels, 2, 5, padding=2))
    network[0].weight.data.copy_(kernel)
    return network, kernel


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("channel", [0, 1])
def test_what_a_convolution_likes_most_is_its_kernel(channels: int, channel: int) -> None:
    network, kernel = one_convolution(channels)
    found = maximize_activation(network, "0", channel, (channels, 16, 12))
    box = found.box
    patch = found.image[0, :, box.top : box.bottom, box.left : box.right]
    assert patch.shape == kernel[channel].shape
    assert torch.corrcoef(torch.stack([patch.flatten(), kernel[channel].flatten()]))[0, 1] > 0.95
    assert found.after == pytest.approx(float(network(found.image)[0, channel, 8, 6].detach()), rel=1e-5)
    assert int((found.image != 0).sum()) == patch.numel()  # grey where it cannot see


def test_no_random_image_wakes_it_as_much() -> None:
    torch.manual_seed(0)
    model = SmallCNN(classes=10, size=16).eval()
    images = torch.rand(500, 1, 16, 16, generator=random(0)) * 2 - 1
    # nine pixels that all happen to be black or white have more contrast than is allowed
    patches = images[:, :, 7:10, 7:10]
    patches *= (CONTRAST / patches.square().mean((1, 2, 3), keepdim=True).sqrt()).clamp(max=1)
    for key, channel in (("blocks.0.0", 3), ("blocks.1.3", 5), ("head", 7)):  # a convolution, a rectified map, a class
        found = maximize_activation(model, key, channel, (1, 16, 16), steps=64)
        with torch.inference_mode():
            kept: list[Tensor] = []
            hook = model.get_submodule(key).register_forward_hook(lambda _, __, output, kept=kept: kept.append(output))
            model(images)
            hook.remove()
        values = (
            kept[0][:, channel, kept[0].shape[2] // 2, kept[0].shape[3] // 2]
            if kept[0].ndim == 4
            else kept[0][:, channel]
        )
        assert found.after > found.before and found.after > float(values.max()), key
        assert len(found.activations) == 66


def test_pixels_are_what_pixels_can_be() -> None:
    network, _ = one_convolution(3)
    low, high = torch.tensor([-2.0, -1.0, 0.0]), torch.tensor([1.0, 0.5, 3.0])
    image = maximize_activation(network, "0", 0, (3, 9, 9), low=low, high=high).image[0]
    assert (image >= low.view(3, 1, 1)).all() and (image <= high.view(3, 1, 1)).all()
    assert torch.isfinite(image).all() and float(image.std()) > 0.1


def test_the_same_seed_gives_the_same_picture() -> None:
    torch.manual_seed(0)
    model = SmallCNN(classes=10, size=32)
    torch.manual_seed(1)  # the state of torch's own generator does not matter, and is not touched
    before = torch.random.get_rng_state()
    a, b, c = (maximize_activation(model, "head", 1, (1, 32, 32), steps=12, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(before, torch.random.get_rng_state())
    assert torch.equal(a.image, b.image) and a.activations == b.activations and not torch.equal(a.image, c.image)


def test_the_network_is_left_as_it_was() -> None:
    model = SmallCNN(classes=10, size=16)
    model.blocks.train()
    model.blocks[0][2].eval()  # part of it is kept in evaluation mode
    model(torch.randn(4, 1, 16, 16)).sum().backward()
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    slopes = [p.grad.clone() for p in model.parameters() if p.grad is not None]
    modes = [module.training for module in model.modules()]
    wanted = [p.requires_grad for p in model.parameters()]
    climbing = gradient_ascent(model, "blocks.1.0", 2, (1, 16, 16))
    assert [next(climbing)[0] for _ in range(3)] == [1, 2, 3]
    climbing.close()  # whoever iterates may stop
    assert all(torch.equal(value, model.state_dict()[name]) for name, value in weights.items())
    assert all(torch.equal(a, p.grad) for a, p in zip(slopes, model.parameters(), strict=True) if p.grad is not None)
    assert modes == [module.training for module in model.modules()] and wanted == [
        p.requires_grad for p in model.parameters()
    ]
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


class Odd(nn.Module):
    """Gives a number without channels, cuts the slope, and has tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens = nn.Linear(8, 6)
        self.head = nn.Linear(6, 2)

    def forward(self, x: Tensor) -> Tensor:
        found = self.tokens(x[:, 0])  # (1, 8 tokens, 6 channels)
        self.most = found.sum()
        return self.head(found.mean(1).detach())  # type: ignore[no-any-return]


def test_tokens_have_channels_and_numbers_have_none() -> None:
    torch.manual_seed(0)  # some weights leave little to climb
    odd = Odd()
    found = maximize_activation(odd, "tokens", 5, (1, 8, 8), steps=64)
    assert found.after > found.before and found.after == pytest.approx(
        float(odd.tokens(found.image[:, 0])[0, 4, 5].detach()), rel=1e-5
    )
    with pytest.raises(TypeError, match="no channels"):
        maximize_activation(odd, ":sum", 0, (1, 8, 8))
    with pytest.raises(TypeError, match="no gradient"):
        maximize_activation(odd, "head", 0, (1, 8, 8))
    with pytest.raises(IndexError, match="below 6"):
        maximize_activation(odd, "tokens", 6, (1, 8, 8))
    with pytest.raises(KeyError, match="no operation"):
        maximize_activation(odd, "nowhere", 0, (1, 8, 8))
