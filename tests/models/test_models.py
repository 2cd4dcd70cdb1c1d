"""One suite for every family of networks: a newcomer's is checked by the same lines. Parameters are those that were
published.

Large networks are counted on the meta device, which makes no numbers, and tested as narrow twins of the same code.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import torch
from torch import nn

from limpide.core.errors import ModelError
from limpide.data.preprocessing import Preprocessing
from limpide.deploy.export import export
from limpide.deploy.predictor import Predictor
from limpide.interpret.trace import trace
from limpide.interpret.unit import unit_of, why
from limpide.models import MODELS, PRETRAINED, build, multiply_adds, parameters
from limpide.models.alexnet import LAYERS, AlexNet
from limpide.models.cnn import SmallCNN
from limpide.models.efficientnet import STAGES, EfficientNet
from limpide.models.inception import InceptionV3
from limpide.models.linear import LinearNet
from limpide.models.mlp import MLP
from limpide.models.rbf import RBFNet
from limpide.models.recurrent import RowReader
from limpide.models.resnet import ResNet
from limpide.models.small_color import SmallColorNet
from limpide.models.vgg import PlainNet
from limpide.models.vit import VisionTransformer
from limpide.training.optim.adamw import AdamW
from limpide.training.optim.groups import parameter_groups

CLASSES, SIZE = 5, 32

# As published, or where nobody has published one, as the courses count them.
COUNTS = {
    "linear": 7_850,
    "mlp": 159_010,
    "rbf": 159_010,
    "cnn": 33_658,
    "small_color": 278_570,
    "rnn": 21_514,
    "lstm": 82_186,
    "gru": 61_962,
    "alexnet": 61_100_840,
    "vgg11": 132_863_336,
    "vgg13": 133_047_848,
    "vgg16": 138_357_544,
    "vgg19": 143_667_240,
    "resnet20": 269_722,
    "resnet32": 464_154,
    "resnet44": 658_586,
    "resnet56": 853_018,
    "resnet110": 1_727_962,
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "resnet101": 44_549_160,
    "resnet152": 60_192_808,
    "inception_v3": 23_834_568,
    "efficientnet_b0": 5_288_548,
    "efficientnet_b1": 7_794_184,
    "efficientnet_b2": 9_109_994,
    "efficientnet_b3": 12_233_232,
    "efficientnet_b4": 19_341_616,
    "efficientnet_b5": 30_389_784,
    "efficientnet_b6": 43_040_704,
    "efficientnet_b7": 66_347_960,
    "efficientnet_lite0": 4_652_008,
    "efficientnet_lite1": 5_416_680,
    "efficientnet_lite2": 6_092_072,
    "efficientnet_lite3": 8_197_096,
    "efficientnet_lite4": 13_006_568,
    "vit_tiny": 5_717_416,
    "vit_tiny_patch4": 5_362_762,
}

# Billions of multiply-adds, with the digits that the papers give (He et al. 2016, table 1; Tan & Le 2019, table 2).
PUBLISHED_COST = {
    "resnet18": 1.8,
    "resnet34": 3.6,
    "resnet50": 3.8,
    "resnet101": 7.6,
    "resnet152": 11.3,
    "efficientnet_b0": 0.39,
    "efficientnet_b7": 37.0,
}


def narrow_alexnet(classes: int, channels: int, size: int) -> AlexNet:
    """Half the maps, and few units."""
    with mock.patch("limpide.models.alexnet.LAYERS", tuple((maps // 2, *rest) for maps, *rest in LAYERS)):
        return AlexNet(classes=classes, channels=channels, size=size, width=64, dropout=0.1)


# name → (classes, channels, size) → a narrow twin
FAMILIES: dict[str, Callable[[int, int, int], nn.Module]] = {
    "linear": lambda k, c, s: LinearNet(classes=k, channels=c, size=s),
    "mlp": lambda k, c, s: MLP(classes=k, channels=c, size=s, widths=(40, 30), dropout=0.1),
    "rbf": lambda k, c, s: RBFNet(classes=k, channels=c, size=s, centers=60),
    "cnn": lambda k, c, s: SmallCNN(classes=k, channels=c, size=s),
    "small color": lambda k, c, s: SmallColorNet(classes=k, channels=c, widths=(16, 24)),
    "rnn": lambda k, c, s: RowReader(classes=k, channels=c, size=s, cell="rnn", units=32),
    "lstm": lambda k, c, s: RowReader(classes=k, channels=c, size=s, cell="lstm", units=32),
    "gru": lambda k, c, s: RowReader(classes=k, channels=c, size=s, cell="gru", units=32),
    "alexnet": narrow_alexnet,
    "plain": lambda k, c, s: PlainNet(
        classes=k, channels=c, size=s, depths=(1, 2, 1), widths=(8, 16, 24), hidden=(32,), dropout=0.1
    ),
    "plain with norm": lambda k, c, s: PlainNet(
        classes=k, channels=c, size=s, depths=(1, 2), widths=(8, 16), hidden=(), norm=True
    ),
    "resnet": lambda k, c, s: ResNet(classes=k, channels=c, depths=(1, 1, 2), widths=(8, 12, 16)),
    "resnet bottleneck": lambda k, c, s: ResNet(classes=k, channels=c, depths=(1, 2), widths=(8, 12), bottleneck=True),
    "resnet cifar": lambda k, c, s: ResNet(classes=k, channels=c, depths=(1, 1, 1), widths=(8, 12, 16), cifar=True),
    "plain twin": lambda k, c, s: ResNet(
        classes=k, channels=c, depths=(1, 1, 1), widths=(8, 12, 16), cifar=True, shortcuts=False
    ),
    "inception": lambda k, c, s: InceptionV3(classes=k, channels=c, dropout=0.1),
    "efficientnet": lambda k, c, s: EfficientNet("b0", classes=k, channels=c, stages=STAGES[:3]),
    "efficientnet lite": lambda k, c, s: EfficientNet("lite0", classes=k, channels=c, stages=STAGES[:3]),
    "vit": lambda k, c, s: VisionTransformer(classes=k, channels=c, size=s, patch=8, width=24, depth=2, heads=3),
}
LEAST = {"alexnet": 63, "inception": 75}  # pixels
RATES = {"alexnet": 5e-4, "inception": 1e-3}  # at which a batch is learned soon; 3e-3 for the others
every = pytest.mark.parametrize("name", FAMILIES)


def side(name: str) -> int:
    return max(SIZE, LEAST.get(name, 0))


def network(name: str, channels: int = 3, size: int = 0) -> nn.Module:
    torch.manual_seed(0)
    model = FAMILIES[name](CLASSES, channels, size or side(name))
    if not model.head.weight.any():
        nn.init.normal_(model.head.weight, std=0.1)  # a head of zeros passes nothing on, by intention
    return model


def images(n: int, size: int, channels: int = 3) -> torch.Tensor:
    return torch.randn(n, channels, size, size, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", MODELS)
def test_number_of_parameters(name: str) -> None:
    entry = MODELS[name]
    with torch.device("meta"):
        model = build(name, entry.classes, entry.channels, entry.size)
        assert parameters(model) == COUNTS[name]
        if name in PUBLISHED_COST:
            assert multiply_adds(model, entry.channels, entry.size) / 1e9 == pytest.approx(
                PUBLISHED_COST[name], rel=0.08
            )


def test_inception_with_its_auxiliary_head() -> None:
    with torch.device("meta"):
        assert parameters(InceptionV3(auxiliary=True)) == 27_161_264


def test_perceptrons_of_the_course() -> None:
    found = [parameters(MLP(classes=10, widths=widths)) for widths in ((10,), (30,), (30, 25), (200,))]
    assert found == [7_960, 23_860, 24_585, 159_010]


def test_convolutional_nets_of_the_course() -> None:
    """16-128-128 without padding, pooled twice, then 100 units; and 3, 5 and 51 convolutions of 100 maps on
    CIFAR-10.
    """
    small = PlainNet(classes=10, channels=1, size=28, depths=(1, 1, 1), widths=(16, 128, 128), hidden=(100,), padding=0)
    sides, x = [], torch.zeros(1, 1, 28, 28)
    for layer in small.convolutions:
        x = layer(x)
        if isinstance(layer, (nn.Conv2d, nn.MaxPool2d)):
            sides.append(x.shape[-1])
    assert sides == [26, 13, 11, 5, 3, 1] and parameters(small) == 180_214
    with torch.device("meta"):
        for depths, count in (((1, 1, 1), 247_610), ((1, 2, 2), 428_210), ((1, 25, 25), 4_582_010)):
            assert (
                parameters(
                    PlainNet(
                        classes=10, size=32, depths=depths, widths=(100,) * 3, hidden=(), norm=True, last_pool=False
                    )
                )
                == count
            )


@every
@pytest.mark.parametrize("channels", [1, 3])
def test_shape(name: str, channels: int) -> None:
    for size in {side(name), 96}:
        model, x = network(name, channels, size).eval(), images(2, size, channels)
        with torch.no_grad():
            assert model(x).shape == (2, CLASSES)
            assert model.features(x).shape == (2, model.head.in_features) and model.head.out_features == CLASSES


@every
def test_gradient_reaches_every_parameter(name: str) -> None:
    model = network(name).train()
    nn.functional.cross_entropy(model(images(8, side(name))), torch.arange(8) % CLASSES).backward()
    assert [n for n, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0] == []


@every
def test_overfits_one_batch(name: str) -> None:
    model = network(name).train()
    optimizer, x, y = AdamW(parameter_groups(model, 0.0)), images(8, side(name)), torch.arange(8) % CLASSES
    for _ in range(200):
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step(RATES.get(name, 3e-3))
        optimizer.zero_grad()
        if loss.item() < 0.1:
            return
    raise AssertionError(f"the loss is still {loss.item():.2f}")


@every
def test_in_evaluation_images_do_not_meet(name: str) -> None:
    model, x = network(name).eval(), images(3, side(name))
    with torch.no_grad():
        assert torch.allclose(model(x)[2:3], model(x[2:3]), atol=1e-4)


@every
def test_exports(name: str, tmp_path: Path) -> None:
    model, size = network(name).eval(), side(name)
    p = Preprocessing(size, 3, mean=(127.0,), std=(128.0,))
    export(model, p, tuple("abcde"), tmp_path / "model.onnx", name=name)
    session = Predictor(tmp_path / "model.onnx").session
    for n in (1, 4):
        raw = np.random.default_rng(0).integers(0, 256, (n, size, size, 3), dtype=np.uint8)
        got = session.run(["logits"], {"image": raw})[0]
        with torch.no_grad():
            expected = model(((torch.from_numpy(raw).float() - 127.0) / 128.0).permute(0, 3, 1, 2)).numpy()
        assert np.abs(got - expected).max() <= 1e-4 * max(1, np.abs(expected).max())


@every
def test_can_be_looked_into(name: str) -> None:
    model, x = network(name).eval(), images(1, side(name))
    layers = [n for n, m in model.named_modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    seen = trace(model, x)
    for layer in layers:
        assert unit_of(seen, layer, 3).agrees, layer
    first = next((n for n, m in model.named_modules() if isinstance(m, nn.Conv2d)), "")
    if first:
        assert why(model, x, first, 3, 2, 3).agrees


@every
def test_multiply_adds_are_those_that_torch_counts(name: str) -> None:
    from torch.utils.flop_counter import FlopCounterMode

    if name in ("rnn", "lstm", "gru"):
        pytest.skip("torch does not count inside its recurrent layers")
    model, size = network(name).eval(), side(name)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(images(1, size))
    assert 2 * multiply_adds(model, 3, size) == counter.get_total_flops()


@pytest.mark.parametrize("name", PRETRAINED)
def test_published_weights(name: str) -> None:
    entry = MODELS[name]
    try:
        model = build(name, 1000, 3, entry.size)
        PRETRAINED[name](model)
    except ModelError as error:
        pytest.skip(str(error))
    assert model.head.weight.abs().sum() > 0 and torch.isfinite(model.eval()(images(1, entry.size))).all()


@pytest.mark.parametrize("name", ["cnn", "small color"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [9, 10, 28, 33, 48, 64])
def test_the_small_networks_take_any_size(name: str, channels: int, size: int) -> None:
    assert network(name, channels, size)(images(2, size, channels)).shape == (2, CLASSES)


@pytest.mark.parametrize(
    ("name", "size", "code", "says"),
    [("alexnet", 62, "L410", "63 or more"), ("vit_tiny", 100, "L411", "96: a multiple of 16")],
)
def test_squares_that_a_network_cannot_see(name: str, size: int, code: str, says: str) -> None:
    with pytest.raises(ModelError, match=code) as raised:
        build(name, 2, 3, size)
    assert says in str(raised.value) and len(str(raised.value).splitlines()) == 1


@pytest.mark.parametrize("name", MODELS)
def test_the_least_size_is_enough(name: str) -> None:
    entry = MODELS[name]
    size = entry.fitting(entry.least)
    with torch.device("meta"), torch.no_grad():
        assert build(name, 2, 3, size).eval()(torch.zeros(2, 3, size, size)).shape == (2, 2)


def test_a_transformer_hands_out_who_looked_at_whom() -> None:
    model, x = network("vit").eval(), images(2, SIZE)
    with torch.no_grad():
        found = model.attention(x)
    assert found.shape == (2, 2, 3, 17, 17) and torch.allclose(found.sum(-1), torch.ones(2, 2, 3, 17))
    seen: list[torch.Tensor] = []
    model.layers[1].attention.register_forward_pre_hook(lambda layer, inputs: seen.append(layer.weights(inputs[0])[0]))
    with torch.no_grad():
        model(x)
    assert torch.equal(found[1], seen[0]), "what is shown is what was used"


def test_the_plain_twin_has_the_same_parameters_and_no_shortcut() -> None:
    residual, plain = network("resnet cifar").eval(), network("plain twin").eval()
    assert [(n, p.shape) for n, p in residual.named_parameters()] == [(n, p.shape) for n, p in plain.named_parameters()]
    plain.load_state_dict(residual.state_dict())
    for model in (residual, plain):
        nn.init.zeros_(model.stages[0][0].layers[1][1].weight)  # a block that adds nothing
    x = images(1, SIZE)
    with torch.no_grad():
        assert (
            torch.allclose(residual.stages[0][0](residual.stem(x)), residual.stem(x))
            and not plain.stages[0][0](plain.stem(x)).any()
        )


def test_the_auxiliary_head_learns_only_through_its_loss() -> None:
    torch.manual_seed(0)
    model = InceptionV3(classes=2, auxiliary=True).train()
    model.loss_fn(model, (images(2, 299), torch.tensor([0, 1]))).backward()
    assert model.auxiliary is not None and all(
        p.grad is not None and p.grad.abs().sum() > 0 for p in model.auxiliary.parameters()
    )


def test_the_compound_formula_is_near_the_released_table() -> None:
    from limpide.models.efficientnet import VARIANTS, compound

    assert compound(0) == (1, 1, 224)
    for phi, name in ((0.5, "b1"), (1, "b2"), (2, "b3"), (3, "b4"), (4, "b5"), (5, "b6"), (6, "b7")):
        width, depth, size = compound(phi)
        v = VARIANTS[name]
        assert (
            width == pytest.approx(v.width, rel=0.15)
            and depth == pytest.approx(v.depth, rel=0.15)
            and size == pytest.approx(v.size, rel=0.15)
        )
    assert pytest.approx(2, rel=0.05) == 1.2 * 1.1**2 * 1.15**2
