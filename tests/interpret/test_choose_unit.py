"""The unit that is opened when nobody names one is the one that matters most for the answer, wherever it is shown."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from limpide.interpret.choose_unit import choose_unit, influence
from limpide.interpret.trace import trace


class Small(nn.Module):
    """A convolution, a maximum, a score: most values of the convolution are thrown away."""

    def __init__(self, padding: int = 1) -> None:
        super().__init__()
        self.first = nn.Conv2d(2, 5, 3, padding=padding)
        self.head = nn.Linear(5 * 16, 3)

    def after(self, maps: Tensor) -> Tensor:
        return self.head(torch.max_pool2d(maps.relu(), maps.shape[-1] // 4).flatten(1))  # type: ignore[no-any-return]

    def forward(self, image: Tensor) -> Tensor:
        return self.after(self.first(image))


@pytest.mark.parametrize("seed", range(3))
def test_no_other_unit_that_sees_something_moves_the_answer_more(seed: int) -> None:
    """By another way: each value is changed by a little in the maps themselves, and the score is asked again."""
    torch.manual_seed(seed)
    model, image = Small().eval(), torch.randn(1, 2, 8, 8)
    unit = choose_unit(model, trace(model, image))
    with torch.no_grad():
        maps = model.first(image)
        label = int(model.after(maps).argmax())
        bumps = 1e-3 * torch.eye(maps.numel()).view(-1, *maps.shape[1:])
        slopes = (model.after(maps + bumps)[:, label] - model.after(maps - bumps)[:, label]) / 2e-3
        moved = (maps[0] * slopes.view_as(maps[0])).abs()
    assert unit.layer == "first" and unit.agrees and 1 <= unit.y < 7 and 1 <= unit.x < 7, (
        "its kernel is not on the padding"
    )
    assert float(moved[unit.channel, unit.y, unit.x]) == pytest.approx(float(moved[:, 1:7, 1:7].max()), rel=1e-2)
    assert torch.allclose(influence(model, trace(model, image), 0), moved, atol=0.02 * float(moved.max()))


def test_what_the_network_throws_away_is_not_opened_however_large() -> None:
    """Channel 0 answers a thousand times as strongly as the others, and the head does not look at it."""
    torch.manual_seed(0)
    model, image = Small(padding=0), torch.randn(1, 2, 10, 10)
    with torch.no_grad():
        model.first.weight[0] *= 1000
        model.head.weight.view(3, 5, 16)[:, 0] = 0
    seen = trace(model, image)
    assert int(seen.ops[0].output.abs().amax((0, 2, 3)).argmax()) == 0 and choose_unit(model, seen).channel != 0


def test_it_sees_more_than_one_shade() -> None:
    """A dark image with one bright stroke, as a digit has it: the network is moved most by the dark, and the stroke is
    opened.
    """
    model, image = Small(padding=0), torch.full((1, 2, 10, 10), -2.0)
    image[:, :, 1, 1] = 0.1
    with torch.no_grad():
        model.first.weight.fill_(-1.0)
        model.head.weight.fill_(1.0)
    unit = choose_unit(model, trace(model, image))
    assert unit.y <= 1 and unit.x <= 1 and float(unit.patch.max()) == pytest.approx(0.1)


def test_any_layer_can_be_asked_and_one_without_a_slope_gives_its_largest_value() -> None:
    torch.manual_seed(0)
    model, image = Small(), torch.randn(1, 2, 8, 8)
    seen = trace(model, image)
    head = choose_unit(model, seen, "head")
    assert (head.layer, head.channel, head.y) == ("head", int(seen.output.argmax()), 0), (
        "of the scores, the answer itself"
    )

    class Deaf(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Conv2d(2, 3, 3)

        def forward(self, image: Tensor) -> Tensor:
            return self.first(image).detach().flatten(1)[:, :4]

    unit = choose_unit(deaf := Deaf(), heard := trace(deaf, image))
    assert influence(deaf, heard, 0).abs().max() == 0 and abs(unit.torch_value) == float(
        heard.ops[0].output.abs().max()
    )
    with pytest.raises(KeyError):
        choose_unit(model, seen, "nowhere")
    with pytest.raises(TypeError, match="no convolution"):
        choose_unit(nn.Flatten(), trace(nn.Flatten(), image))


def test_vectors_and_tokens() -> None:
    torch.manual_seed(0)
    tokens = nn.Sequential(nn.Flatten(2), nn.Linear(64, 6), nn.ReLU(), nn.Flatten(), nn.Linear(12, 3))
    image = torch.randn(1, 2, 8, 8)
    unit = choose_unit(tokens, trace(tokens, image))
    assert unit.layer == "1" and 0 <= unit.y < 2 and 0 <= unit.channel < 6 and unit.agrees
