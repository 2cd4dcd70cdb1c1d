"""Every number of every network is explained, and the explanation is what torch computed; what is not understood says
so.
"""

from __future__ import annotations

import random

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limpide.interpret.arithmetic import explain
from limpide.interpret.receptive_field import receptive_field
from limpide.interpret.trace import trace
from limpide.interpret.unit import unit_of
from limpide.models import MODELS, build

NETWORKS = {
    name: min(MODELS[name].size, 96)
    for name in (
        "cnn",
        "alexnet",
        "resnet20",
        "efficientnet_b0",
        "efficientnet_lite0",
        "vit_tiny",
        "rbf",
        "mlp",
        "lstm",
        "gru",
        "rnn",
    )
}


@pytest.mark.parametrize("name", NETWORKS)
def test_units_drawn_anywhere_equal_torch_and_see_what_moves_them(name: str, times: int) -> None:
    dice = random.Random(name)
    entry, size = MODELS[name], NETWORKS[name]
    torch.manual_seed(0)
    model = build(name, 7, entry.channels, size).eval()
    image = torch.randn(1, entry.channels, size, size)
    seen = trace(model, image)
    with torch.no_grad():
        assert torch.equal(seen.output, model(image)), "watching changes nothing"
    assert [op.key for op in seen.ops] == list(dict.fromkeys(op.key for op in seen.ops)), "keys are unique"
    ops = dice.sample(seen.ops, len(seen.ops))
    for k in range(max(400, 2 * len(ops)) * times):  # each operation twice at least
        op = ops[k % len(ops)]
        index = [dice.randrange(n) for n in (op.output.shape[1:] if op.output.shape[0] == 1 else op.output.shape)]
        found = explain(seen, op, index)
        assert found.kind != "opaque" and found.agrees, (op.key, op.name, index, found)
        for source, place, value in list(zip(found.sources, found.places, found.values.tolist(), strict=True))[:20]:
            if source >= -1:
                assert float(seen.value(source).reshape(-1)[place]) == pytest.approx(value), (
                    "one layer down lies the very number"
                )
        if op.output.ndim == 4 and dice.random() < 0.05:
            _moves(model, image, op.key, index, receptive_field(seen, op, index).box)


def _moves(model: nn.Module, image: Tensor, key: str, index: list[int], box: object) -> None:
    """No pixel outside the box has a slope."""
    leaf = image.clone().requires_grad_(True)
    kept: list[Tensor] = []
    layer = key.split("#")[0]
    module = dict(model.named_modules()).get(layer)
    if module is None or "#" in key:
        return
    hook = module.register_forward_hook(
        lambda _, __, output: kept.append(output if isinstance(output, Tensor) else output[0])
    )
    try:
        model(leaf)
    finally:
        hook.remove()
    kept[0][(0, *index)].backward()
    assert leaf.grad is not None
    moved = leaf.grad[0].abs().sum(0)
    moved[box.top : box.bottom, box.left : box.right] = 0  # type: ignore[attr-defined]
    assert float(moved.abs().max()) == 0, (key, index, box)


class Odd(nn.Module):
    """Operations in forms that the built-in networks do not use, and one that nobody explains."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3, dilation=2, groups=3, padding=2)
        self.pools = nn.ModuleList(
            [
                nn.AdaptiveAvgPool2d(3),
                nn.AdaptiveMaxPool2d((2, 3)),
                nn.AvgPool2d(3, 2, 1, count_include_pad=False),
                nn.MaxPool2d(2, dilation=2),
            ]
        )

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        y = F.leaky_relu(y, 0.2) + 2 * y.clamp(min=0.1) - y / 3
        y = (
            torch.add(input=y, other=F.relu(input=y))
            + torch.clamp(y, min=torch.full((6, 1, 1), -0.2))
            + y.abs() ** torch.tensor(1.5)
        )
        parts = [pool(y).flatten(1) for pool in self.pools]
        parts.append(torch.roll(y, 1, 2).permute(0, 2, 3, 1).flatten(1).softmax(1))
        parts.append(torch.cumsum(y, 2).flatten(1))
        return torch.cat(parts, 1)


def test_a_strangers_network_is_explained_as_far_as_it_is_understood() -> None:
    torch.manual_seed(0)
    seen = trace(Odd(), torch.randn(1, 3, 9, 9))
    dice = random.Random(0)
    for op in seen.ops:
        for _ in range(20):
            found = explain(seen, op, [dice.randrange(n) for n in op.output.shape[1:]])
            assert (found.kind == "opaque") == (op.name == "cumsum") and (found.agrees or op.name == "cumsum"), (
                op.key,
                op.name,
            )
    opaque = next(op for op in seen.ops if op.name == "cumsum")
    assert receptive_field(seen, opaque, (0, 1, 1)).status == "OPAQUE"
    assert receptive_field(seen, seen.find("conv"), (0, 4, 4)).status == "EXACT"
    assert receptive_field(seen, seen.find("conv"), (0, 4, 4)).box.__dict__ == {
        "top": 2,
        "left": 2,
        "bottom": 7,
        "right": 7,
    }


def test_what_follows_a_unit_is_told() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(inplace=True)).eval()
    image = torch.randn(1, 1, 6, 6)
    unit = unit_of(trace(model, image), "0", 1, 2, 3)
    assert [after.name for after in unit.after] == ["batch_norm", "relu"] and unit.after[-1].value == float(
        model(image).detach()[0, 1, 2, 3]
    )
    assert "EXACT" in str(unit) and "difference" in str(unit)


class Behind(nn.Module):
    """Changes what it made through views and assignments, and fills a tensor of its own from the image."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind, self.conv = kind, nn.Conv2d(3, 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        if self.kind == "assigned":
            y[:, :, :1] = x.mean((2, 3), keepdim=True)
            return y + 1
        if self.kind == "view":
            z = y.view(1, -1)
            y.relu_()
            return z * 2
        if self.kind == "filled":
            other = torch.zeros(1, 3, 8, 8)
            other[:, :, 1:] = x[:, :, :-1]
            return x + other
        if self.kind == "circular":
            return F.conv2d(F.pad(x, (1, 1, 1, 1), mode="circular"), self.conv.weight.expand(3, 3, 3, 3) * 1)
        return F.batch_norm(x, None, None, training=True)


@pytest.mark.parametrize("kind", ["assigned", "view", "filled", "circular", "statistics"])
def test_what_changes_behind_its_back_is_never_explained_wrongly(kind: str) -> None:
    torch.manual_seed(0)
    model, image = Behind(kind).eval(), torch.randn(1, 3, 8, 8)
    seen = trace(model, image)
    op, dice = seen.ops[-1], random.Random(0)
    for _ in range(20):
        index = [dice.randrange(n) for n in op.output.shape[1:]]
        found = explain(seen, op, index)
        assert found.agrees or found.kind == "opaque"
        for source, place, value in zip(found.sources, found.places, found.values.tolist(), strict=True):
            if source >= -1:
                assert float(seen.value(source).reshape(-1)[place]) == pytest.approx(value)
        leaf = image.clone().requires_grad_(True)
        model(leaf)[(0, *index)].backward()
        moved, box = leaf.grad[0].abs().sum(0), receptive_field(seen, op, index).box
        moved[box.top : box.bottom, box.left : box.right] = 0
        assert float(moved.max()) == 0, (index, box)
