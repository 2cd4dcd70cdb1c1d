"""Saliency on networks whose answer is known, laws that the papers state, and the badge that an edge detector must not
get.
"""

from __future__ import annotations

import copy

import pytest
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn

from limpide.interpret import saliency_checks
from limpide.interpret.ablation import class_votes, with_weight, without_channel
from limpide.interpret.saliency import METHODS, edge_map, grad_cam, gradient, integrated_gradients, occlusion
from limpide.interpret.trace import trace
from limpide.models.cnn import SmallCNN


class Corner(nn.Module):
    """Class 1 speaks for light in the upper left quarter, class 0 says nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.look = nn.Conv2d(1, 1, 1, bias=False)
        nn.init.ones_(self.look.weight)

    def forward(self, x: Tensor) -> Tensor:
        found = self.look(x)[:, 0, :8, :8].mean((1, 2))
        return torch.stack([torch.zeros_like(found), 5 * found], 1)


@pytest.fixture(scope="module")
def digits() -> tuple[nn.Module, Tensor, Tensor]:
    """A small network that knows digits, and images that it knows."""
    data = load_digits()
    x = torch.nn.functional.interpolate(
        torch.tensor(data.images, dtype=torch.float32)[:, None] / 8 - 1, size=16, mode="bilinear"
    )
    y = torch.tensor(data.target)
    torch.manual_seed(0)
    model = SmallCNN(classes=10, size=16)
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    for _ in range(3):
        for rows in torch.randperm(1500).split(64):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
            optimizer.step()
    model.eval()
    with torch.no_grad():
        right = model(x[1500:]).argmax(1) == y[1500:]
    assert right.float().mean() > 0.9
    return model, x[1500:][right], y[1500:][right]


@pytest.mark.parametrize("method", ["gradient", "integrated_gradients", "occlusion"])
def test_what_is_known_is_found(method: str) -> None:
    image = torch.rand(1, 1, 16, 16, generator=torch.Generator().manual_seed(0)) + 0.2
    found = METHODS[method](Corner().eval(), image, 1)
    inside, outside = found[:8, :8], found[8:, 8:]
    assert found.shape == (16, 16) and float(inside.mean()) > 0.005 and float(outside.abs().max()) < 1e-6
    if method == "gradient":
        assert torch.allclose(inside, torch.full((8, 8), 5 / 64))
    if method == "integrated_gradients":
        assert torch.allclose(inside, image[0, 0, :8, :8] * 5 / 64, atol=1e-6)


def test_gradient_is_the_slope(digits: tuple[nn.Module, Tensor, Tensor]) -> None:
    model, images, labels = digits
    model, label = copy.deepcopy(model).double(), int(labels[0])
    # a flat ground ties in max pooling
    image = images[:1].double() + 0.01 * torch.randn(1, 1, 16, 16, generator=torch.Generator().manual_seed(0)).double()
    found = gradient(model, image, label)
    for y, x in ((3, 5), (8, 8), (10, 2)):
        step = torch.zeros_like(image).double()
        step[0, 0, y, x] = 1e-6
        with torch.no_grad():
            slope = float(model(image + step)[0, label] - model(image - step)[0, label]) / 2e-6
        assert abs(slope) == pytest.approx(float(found[y, x]), abs=1e-5)


def test_integrated_gradients_are_complete(digits: tuple[nn.Module, Tensor, Tensor]) -> None:
    """Their sum is what the image changes: Sundararajan et al. 2017, proposition 1."""
    model, images, labels = digits
    for image, label in zip(images[:5].split(1), labels[:5].tolist(), strict=True):
        with torch.no_grad():
            change = float(model(image)[0, label] - model(torch.zeros_like(image))[0, label])
        assert float(integrated_gradients(model, image, label).sum()) == pytest.approx(
            change, abs=0.05 * max(1, abs(change))
        )


def test_grad_cam_by_hand() -> None:
    """A network whose logit is the mean of one rectified map: Grad-CAM is that map."""
    model = nn.Sequential(
        nn.Conv2d(1, 2, 1, bias=False), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 2, bias=False)
    ).eval()
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([1.0, -1.0]).view(2, 1, 1, 1))
        model[4].weight.copy_(torch.tensor([[0.0, 1.0], [1.0, 0.0]]))
    image = torch.randn(1, 1, 6, 6)
    assert torch.allclose(grad_cam(model, image, 1), image[0, 0].clamp(min=0) / 36, atol=1e-6)
    with pytest.raises(TypeError, match="no feature maps"):
        grad_cam(nn.Sequential(nn.Flatten(), nn.Linear(36, 2)), image, 0)


def test_the_badge_is_earned_by_explanations_and_not_by_edges(digits: tuple[nn.Module, Tensor, Tensor]) -> None:
    model, images, labels = digits
    pairs = list(zip(images[:12].split(1), labels[:12].tolist(), strict=True))
    for image, label in pairs:
        found = saliency_checks.check_saliency(model, image, label, edge_map)
        assert (
            found.correlation == pytest.approx(1)
            and not found.passed
            and saliency_checks.as_finding("edges", found).verdict == "warn"
        )
    earned = {
        name: sum(saliency_checks.check_saliency(model, image, label, METHODS[name]).passed for image, label in pairs)
        for name in ("integrated_gradients", "occlusion")
    }
    assert all(count >= 8 for count in earned.values()), earned


@pytest.mark.parametrize(
    ("mean", "said"),
    [
        (0.1, "lowers the probability more"),
        (0.25, "no more than deleting at random."),
        (0.35, "no more than deleting at random, or along edges."),
    ],
)
def test_a_map_that_fails_says_against_what(mean: float, said: str) -> None:
    """Lower is better: 0.2 at random and 0.3 along edges, and the other way round."""
    found = saliency_checks.SaliencyCheck(correlation=0.0, deletion=mean, deletion_random=0.2, deletion_edges=0.3)
    assert said in str(saliency_checks.as_finding("gradient", found).message)
    swapped = saliency_checks.SaliencyCheck(correlation=0.0, deletion=mean, deletion_random=0.3, deletion_edges=0.2)
    assert said.replace("at random.", "along edges.") in str(saliency_checks.as_finding("gradient", swapped).message)


def test_a_map_of_noise_gets_no_badge(digits: tuple[nn.Module, Tensor, Tensor]) -> None:
    model, images, labels = digits
    passed = 0
    for k in range(10):
        noise = torch.rand(16, 16, generator=torch.Generator().manual_seed(k + 100))
        passed += saliency_checks.check_saliency(
            model, images[k : k + 1], int(labels[k]), lambda *_, noise=noise: noise
        ).passed
    assert passed == 0


def test_a_random_copy_changes_nothing_of_the_original(digits: tuple[nn.Module, Tensor, Tensor]) -> None:
    model, images, _ = digits
    before = model(images[:4])
    other = saliency_checks.randomize_layers(model)
    assert torch.equal(model(images[:4]), before) and not torch.allclose(other(images[:4]), before)


def test_votes_switching_off_and_another_weight(digits: tuple[nn.Module, Tensor, Tensor]) -> None:
    model, images, _ = digits
    seen = trace(model, images[:1])
    head = seen.find("head")
    source = head.args[0].op
    place = int(seen.value(source)[0].argmax())
    for label, slope in class_votes(model, seen, source, (0, place)):
        assert slope == pytest.approx(float(model.head.weight[label, place].detach()), abs=1e-6)
    convolution = seen.find("blocks.1.0")
    off = without_channel(model, seen, convolution.index, 3)
    kept = model.blocks[1][0].weight.detach().clone()
    with torch.no_grad():
        model.blocks[1][0].weight[3] = 0
        expected = model(images[:1])[0]
        model.blocks[1][0].weight.copy_(kept)
    assert torch.allclose(off, expected, atol=1e-6) and not torch.allclose(off, seen.output[0], atol=1e-6)
    edited = with_weight(model, seen, convolution.index, 3, 7, 2.5)
    with torch.no_grad():
        model.blocks[1][0].weight[3].view(-1)[7] = 2.5
        expected = model(images[:1])[0]
        model.blocks[1][0].weight.copy_(kept)
    assert torch.allclose(edited, expected, atol=1e-6)
    assert torch.equal(model.blocks[1][0].weight, kept) and torch.allclose(
        model(images[:1])[0], seen.output[0], atol=1e-6
    )
    with pytest.raises(TypeError):
        with_weight(model, seen, source, 0, 0, 1.0)
    scaled = nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Conv2d(1, 1, 3)), nn.Flatten())
    image = torch.randn(1, 1, 4, 4)
    seen = trace(scaled, image)
    with pytest.raises(TypeError, match="parameter"):  # a weight that is worked out anew in every pass
        with_weight(scaled, seen, seen.find("0").index, 0, 0, 1.0)


def test_captum_agrees(digits: tuple[nn.Module, Tensor, Tensor]) -> None:
    """The reference, where it is installed: pip install captum."""
    attr = pytest.importorskip("captum.attr", reason="captum is not installed")
    model, images, labels = digits
    image, label = images[:1], int(labels[0])
    theirs = attr.Saliency(model).attribute(image.clone().requires_grad_(True), target=label)[0].amax(0)
    assert torch.allclose(gradient(model, image, label), theirs.detach(), atol=1e-6)
    theirs = (
        attr.IntegratedGradients(model).attribute(image, target=label, n_steps=32, method="riemann_middle")[0].sum(0)
    )
    assert torch.allclose(integrated_gradients(model, image, label), theirs.float(), atol=1e-4)
    layer = model.blocks[2][3]
    theirs = attr.LayerAttribution.interpolate(
        attr.LayerGradCam(model, layer).attribute(image, target=label, relu_attributions=True), (16, 16), "bilinear"
    )
    assert torch.allclose(grad_cam(model, image, label), theirs[0, 0].detach(), atol=1e-5)


def test_occlusion_leaves_the_image_alone() -> None:
    image = torch.rand(1, 1, 16, 16)
    before = image.clone()
    occlusion(Corner().eval(), image, 1)
    assert torch.equal(image, before)


def test_effects_are_those_of_the_unit_that_was_asked_for() -> None:
    """Networks that call torch on constants between what is written down, and whose layers give several tensors at
    once.
    """
    from limpide.models import build

    torch.manual_seed(0)
    for name, key, place in (("vit_tiny", ":cat", (0, 0, 5)), ("lstm", "cell", (0, 27, 3))):
        channels, size = (3, 32) if name == "vit_tiny" else (1, 28)
        model = build(name if name != "vit_tiny" else "vit_tiny_patch4", 4, channels, size).eval()
        image = torch.randn(1, channels, size, size)
        seen = trace(model, image)
        op = seen.find(key) if name == "vit_tiny" else next(one for one in seen.ops if one.key == "cell")
        slopes = dict(class_votes(model, seen, op.index, place))
        step = 1e-2

        def bumped(
            by: float,
            model: nn.Module = model,
            image: Tensor = image,
            index: int = op.index,
            place: tuple[int, ...] = place,
        ) -> Tensor:
            def change(k: int, output: Tensor) -> Tensor:
                if k == index:
                    output = output.clone()
                    output[place] += by
                return output

            return trace(model, image, change).output[0]

        found = (bumped(step) - bumped(-step)) / (2 * step)
        for label, slope in slopes.items():
            assert slope == pytest.approx(float(found[label]), abs=2e-3), (name, label)


class Particular(nn.Module):
    """Finds its layers by their kinds, which a copy with joined layers has no more."""

    def __init__(self) -> None:
        super().__init__()
        self.block = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4))
        self.head = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        kinds = {type(layer).__name__: layer for layer in self.block}
        return self.head(kinds["BatchNorm2d"](kinds["Conv2d"](x)).mean((2, 3)))


def test_a_network_that_cannot_be_copied_is_asked_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    network, image = Particular().eval(), torch.randn(1, 1, 16, 16)
    found = occlusion(network, image, 1), saliency_checks.usual_change(network, image, 1)
    monkeypatch.setattr("limpide.interpret.saliency.fuse_batch_norm", lambda network, _: network)
    monkeypatch.setattr("limpide.interpret.saliency_checks.is_quick", lambda network, _: network)
    assert torch.equal(found[0], occlusion(network, image, 1)) and found[1] == saliency_checks.usual_change(
        network, image, 1
    )


def test_an_unlike_copy_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    network, image = SmallCNN(classes=10).eval(), torch.randn(1, 1, 28, 28)
    expected = occlusion(network, image, 1)
    torch.manual_seed(1)
    monkeypatch.setattr("limpide.interpret.saliency.fuse_batch_norm", lambda *_: SmallCNN(classes=10).eval())
    assert torch.allclose(occlusion(network, image, 1), expected, atol=1e-5)
