"""`why` repeats the arithmetic of one unit; torch must have come to the same number, for any convolution."""

from __future__ import annotations

import os
import random

import pytest
import torch
from torch import Tensor, nn

from limpide.interpret.trace import trace
from limpide.interpret.unit import TOLERANCE, as_finding, unit_of, why

SEED = int(os.environ.get("LIMPIDE_TEST_SEED", "0")) or random.SystemRandom().randrange(10**6)
UNITS_A_NETWORK = 20


def drawn(dice: random.Random) -> tuple[nn.Module, Tensor, int, int]:
    """A network of one random convolution among other layers, an image, and the convolution's height and width of
    output.
    """
    groups = dice.choice([1, 1, 2, 4])
    inputs, outputs = groups * dice.randint(1, 3), groups * dice.randint(1, 4)
    kernel, stride, padding, dilation = (
        (dice.randint(low, high), dice.randint(low, high)) for low, high in ((1, 4), (1, 3), (0, 3), (1, 3))
    )
    conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, dilation, groups, bias=dice.random() < 0.5)
    reach = [dilation[k] * (kernel[k] - 1) + 1 for k in range(2)]
    height, width = (max(reach[k], dice.randint(4, 14)) for k in range(2))
    model = nn.Sequential(nn.BatchNorm2d(inputs), conv, nn.ReLU(inplace=True)).eval()
    with torch.no_grad():
        y, x = conv(torch.zeros(1, inputs, height, width)).shape[2:]
    return model, torch.randn(1, inputs, height, width) * dice.choice([0.01, 1, 100]), y, x


def test_random_convolutions_equal_torch(times: int) -> None:
    print(f"replay with LIMPIDE_TEST_SEED={SEED}")
    dice = random.Random(SEED)
    torch.manual_seed(SEED)
    wanted = 2_000 if times == 1 else 10_000
    for _ in range(wanted // UNITS_A_NETWORK):
        model, image, height, width = drawn(dice)
        conv = model[1]
        seen = trace(model, image)
        output = seen.find("1").output
        for _ in range(UNITS_A_NETWORK):
            c, y, x = dice.randrange(conv.out_channels), dice.randrange(height), dice.randrange(width)
            unit = unit_of(seen, "1", c, y, x)
            assert unit.torch_value == float(output[0, c, y, x])
            terms = float(unit.products.abs().sum()) + abs(unit.bias)
            assert unit.agrees and abs(unit.value - unit.torch_value) <= TOLERANCE * terms + 1e-12, (conv, c, y, x)
            assert unit.patch.shape == unit.kernel.shape == conv.weight[c].shape
            assert torch.equal(unit.patch, by_unfold(conv, image, c, y, x)), (conv, c, y, x)


def by_unfold(conv: nn.Conv2d, image: Tensor, channel: int, y: int, x: int) -> Tensor:
    """The patch by another way: index by index, with a zero wherever the index falls outside the image."""
    entered = nn.BatchNorm2d(conv.in_channels).eval()(image)[0].detach().double()
    each = conv.in_channels // conv.groups
    first = channel // (conv.out_channels // conv.groups) * each
    patch = torch.zeros_like(conv.weight[channel]).double()
    for u in range(conv.kernel_size[0]):
        for v in range(conv.kernel_size[1]):
            row = y * conv.stride[0] - conv.padding[0] + u * conv.dilation[0]
            column = x * conv.stride[1] - conv.padding[1] + v * conv.dilation[1]
            if 0 <= row < entered.shape[1] and 0 <= column < entered.shape[2]:
                patch[:, u, v] = entered[first : first + each, row, column]
    return patch.detach()


def test_zeros_exactly_where_padding_was() -> None:
    model = nn.Sequential(nn.Conv2d(2, 3, (3, 2), stride=(2, 1), padding=(2, 1), dilation=(2, 1)))
    image = torch.rand(1, 2, 7, 6) + 1  # nothing in it is 0
    _, height, width = model(image).shape[1:]
    for y in range(height):
        for x in range(width):
            patch = why(model, image, "0", 1, y, x).patch
            inside = torch.tensor(
                [[0 <= 2 * y - 2 + 2 * u < 7 and 0 <= x - 1 + v < 6 for v in range(2)] for u in range(3)]
            )
            assert torch.equal(patch != 0, inside.expand(2, 3, 2))


@pytest.mark.parametrize("bias", [True, False])
def test_linear_layers_equal_torch(bias: bool) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(48, 30, bias=bias), nn.ReLU(), nn.Linear(30, 7, bias=bias)).eval()
    image = torch.randn(1, 3, 4, 4)
    for layer, count in (("1", 30), ("3", 7)):
        for channel in range(count):
            unit = why(model, image, layer, channel)
            assert (
                unit.agrees
                and (unit.bias != 0) == bias == ("bias" in str(unit)) == ("bias" in unit._repr_html_())
                and len(unit.patch) == len(unit.kernel)
            )


def test_only_the_unit_of_this_image_counts() -> None:
    """Another weight of the layer changes nothing; the weight of this unit does."""
    torch.manual_seed(0)
    model, image = nn.Sequential(nn.Conv2d(1, 2, 3)), torch.randn(1, 1, 5, 5)
    before = why(model, image, "0", 0, 1, 1)
    with torch.no_grad():
        model[0].weight[1].add_(5)
    assert why(model, image, "0", 0, 1, 1).value == before.value
    with torch.no_grad():
        model[0].weight[0].add_(5)
    assert why(model, image, "0", 0, 1, 1).value != before.value


def test_a_disagreement_is_noticed() -> None:
    import dataclasses

    model, image = nn.Sequential(nn.Conv2d(1, 1, 3)), torch.randn(1, 1, 5, 5)
    unit = why(model, image, "0", 0, 1, 1)
    wrong = dataclasses.replace(
        unit, explanation=dataclasses.replace(unit.explanation, torch_value=unit.torch_value + 0.01)
    )
    assert unit.agrees and not wrong.agrees and as_finding(wrong).verdict == "bad"


class Shared(nn.Module):
    """Uses inplace activations around its convolution: what is recorded must not be overwritten."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.relu = nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(self.conv(x)).mul_(0)


def test_what_is_recorded_is_a_copy() -> None:
    unit = why(Shared().eval(), torch.randn(1, 3, 6, 6), "conv", 2, 1, 1)
    assert unit.agrees and unit.torch_value != 0


def test_nothing_stays_behind_in_the_model() -> None:
    model = nn.Sequential(nn.Conv2d(1, 1, 3))
    why(model, torch.randn(1, 1, 5, 5), "0", 0)
    with pytest.raises(RuntimeError):
        trace(model, torch.randn(1, 9, 5, 5))
    assert not model[0]._forward_hooks and not model[0]._forward_pre_hooks


NETWORK = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 5))


@pytest.mark.parametrize("unit", [(4, 0, 0), (0, 6, 0), (0, 0, 6), (-1, 0, 0), (0, -1, 0), (0, 0, -1)])
def test_a_unit_that_is_not_there(unit: tuple[int, int, int]) -> None:
    with pytest.raises(IndexError, match="unit must"):
        why(NETWORK, torch.zeros(1, 3, 8, 8), "0", *unit)


@pytest.mark.parametrize("channel", [5, -1, 999])
def test_a_linear_unit_that_is_not_there(channel: int) -> None:
    with pytest.raises(IndexError, match="unit must"):
        why(NETWORK, torch.zeros(1, 3, 8, 8), "3", channel)


def test_a_layer_that_is_not_there() -> None:
    with pytest.raises(KeyError, match="0, 1, 2, 3"):
        why(NETWORK, torch.zeros(1, 3, 8, 8), "4", 0)


@pytest.mark.parametrize(
    "conv",
    [nn.Conv2d(1, 1, kernel, padding="same", dilation=dilation) for kernel in (2, 3, 4) for dilation in (1, 2)]
    + [nn.Conv2d(1, 1, 3, padding=1, padding_mode=mode) for mode in ("circular", "reflect", "replicate")],
)
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
def test_every_kind_of_padding(conv: nn.Conv2d) -> None:
    model, image = nn.Sequential(conv), torch.randn(1, 1, 6, 6)
    seen = trace(model, image)
    assert all(unit_of(seen, "0", 0, y, x).agrees for y in range(6) for x in range(6))


def test_a_function_of_one_number_is_named_as_the_network_names_it() -> None:
    """nn.ReLU6 calls hardtanh; nn.Hardtanh with other bounds stays what it is."""
    image = torch.randn(1, 3, 8, 8)
    for function, name in (
        (nn.ReLU6(), "relu6"),
        (nn.Hardtanh(0.0, 6.0), "relu6"),
        (nn.Hardtanh(-1.0, 6.0), "hardtanh"),
        (nn.ReLU(), "relu"),
    ):
        model = nn.Sequential(nn.Conv2d(3, 2, 3), function)
        unit = why(model, image, "1", 0)
        assert [op.name for op in trace(model, image).ops][-1] == name, "wherever the operation is named"
        assert unit.agrees and f"is {name} of one number" in str(as_finding(unit).message)


def test_as_a_finding_everything_is_plain_and_adds_up() -> None:
    import json

    torch.manual_seed(0)
    for layer in ("0", "3"):
        finding = as_finding(why(NETWORK, torch.randn(1, 3, 8, 8), layer, 1))
        data = json.loads(json.dumps(finding.to_json()))["data"]

        def flat(value: object) -> list[float]:
            return [v for part in value for v in flat(part)] if isinstance(value, list) else [float(value)]

        patch, kernel, products = flat(data["patch"]), flat(data["kernel"]), flat(data["products"])
        assert finding.verdict == "ok" and len(patch) == len(kernel) == len(products) > 1
        assert sum(products) + data["bias"] == pytest.approx(data["sum"], abs=1e-4)
        assert all(p * k == pytest.approx(q, abs=1e-4) for p, k, q in zip(patch, kernel, products, strict=True))
