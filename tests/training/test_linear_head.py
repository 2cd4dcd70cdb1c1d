"""The first half of transfer: features once, then a linear head, against scikit-learn."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

from limpide import models
from limpide.core.errors import UsageError
from limpide.core.recipe import Recipe
from limpide.data.preprocessing import Preprocessing
from limpide.data.read_images import ImageSample, Pixels
from limpide.models.efficientnet import EfficientNet
from limpide.training import device
from limpide.training.defaults import FROZEN_BLOCKS, check_recipe, decide_recipe
from limpide.training.device import ConvReLU6, fuse_batch_norm, has_fast_bf16
from limpide.training.linear_head import CHUNK, STRENGTHS, fit_head, frozen_features, load_features, log_loss, set_head
from limpide.training.start import start_state
from limpide.training.weights import save_weights

CPU = torch.device("cpu")


def blobs(n: int, classes: int, width: int = 20, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Features of different scales and offsets, as pooled activations have."""
    random = np.random.default_rng(seed)
    labels = np.arange(n) % classes
    centers = np.random.default_rng(99).normal(0, 1.0, (classes, width))
    x = centers[labels] + random.normal(0, 1.5, (n, width))
    return (x * np.logspace(-0.5, 0.5, width) + np.linspace(-5, 5, width)).astype(np.float32), labels


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_head_equals_scikit_learn(classes: int) -> None:
    x, y = blobs(300, classes)
    held, held_labels = blobs(120, classes, seed=1)
    head = fit_head(x, y, held, held_labels, classes)
    mean = x.mean(0)
    spread = float(np.sqrt(((x - mean) ** 2).mean()))
    same = LogisticRegression(max_iter=100, tol=1e-3, warm_start=True)
    for strength, _ in head.tried:
        if strength <= head.strength:
            same.set_params(C=strength).fit((x - mean) / spread, y)
    exact = LogisticRegression(C=head.strength, max_iter=5000, tol=1e-8).fit((x - mean) / spread, y)
    p = np.exp(head.logits(held) - head.logits(held).max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    assert np.abs(p - same.predict_proba((held - mean) / spread)).max() < 1e-3, (
        "the same function, on raw features, over all classes"
    )
    assert np.abs(p - exact.predict_proba((held - mean) / spread)).max() < 0.03, "and it was iterated far enough"
    assert head.weight.shape == (classes, 20) and head.weight.dtype == head.bias.dtype == np.float32


def test_validation_chooses_the_penalty() -> None:
    x, y = blobs(60, 3)
    held, held_labels = blobs(200, 3, seed=1)
    head = fit_head(x, y, held, held_labels, 3)
    tried = dict(head.tried)
    assert (
        tried[head.strength] == min(tried.values()) == pytest.approx(log_loss(head.logits(held), held_labels), rel=1e-5)
    )
    assert list(tried) == list(STRENGTHS[: len(tried)])


def test_a_class_without_a_training_image_is_never_said() -> None:
    x, y = blobs(200, 3)
    y = np.where(y == 1, 3, y)  # classes 0, 2, 3 of five
    head = fit_head(x, y, x[:50], y[:50], 5)
    assert head.weight.shape == (5, 20)
    assert set(head.logits(x).argmax(1)) == {0, 2, 3}
    p = np.exp(head.logits(x)) / np.exp(head.logits(x)).sum(1, keepdims=True)
    assert p[:, [1, 4]].max() < 0.01


def test_two_of_several_classes() -> None:
    x, y = blobs(200, 2)
    head = fit_head(x, np.where(y == 0, 1, 4), x[:0], y[:0], 6)
    assert set(head.logits(x).argmax(1)) == {1, 4}
    assert (head.logits(x).argmax(1) == np.where(y == 0, 1, 4)).mean() > 0.8


def test_head_goes_into_the_network() -> None:
    x, y = blobs(100, 3)
    head = fit_head(x, y, x, y, 3)
    model = nn.Sequential()
    model.head = nn.Linear(20, 3)
    set_head(model, head)
    assert np.abs(model.head(torch.from_numpy(x)).detach().numpy() - head.logits(x)).max() < 1e-3


@pytest.mark.parametrize("shift", [0.0, 1e4, -1e4])
def test_log_loss_is_stable(shift: float) -> None:
    logits = np.array([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]])
    expected = float(torch.nn.functional.cross_entropy(torch.from_numpy(logits), torch.tensor([2, 0])))
    assert log_loss(logits + shift, np.array([2, 0])) == pytest.approx(expected, abs=1e-9)


class Counting(nn.Module):
    """A network that counts how many images it has seen; its features are means of the pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 1)

    def features(self, x: Tensor) -> Tensor:
        SEEN.append(len(x))
        return self.stem(x).mean((2, 3))


SEEN: list[int] = []


def squares(n: int) -> Pixels:
    array = np.random.default_rng(0).integers(0, 256, (n, 8, 8, 3), dtype=np.uint8)
    return Pixels(Preprocessing(8, 3), np.arange(n), array)


def test_features_are_computed_once_and_in_order(tmp_path: Path) -> None:
    pixels, model = squares(2 * CHUNK + 10), Counting()
    rows = np.random.default_rng(1).permutation(2 * CHUNK + 10)
    SEEN.clear()
    progress = list(frozen_features(model, pixels, rows, tmp_path, CPU))
    assert sum(SEEN) == len(rows) and progress[-1].done == progress[-1].total == len(rows)
    first = load_features(pixels, rows, tmp_path)
    with torch.no_grad():
        direct = model.features(
            ((torch.from_numpy(pixels.take(rows)).float() - 127.5) / 127.5).permute(0, 3, 1, 2)
        ).numpy()
    assert np.abs(first - direct).max() < (0.05 if has_fast_bf16(CPU) else 1e-5)
    SEEN.clear()
    list(frozen_features(model, pixels, rows, tmp_path, CPU))
    assert SEEN == []
    next(tmp_path.glob("features-*.npy")).unlink()
    list(frozen_features(model, pixels, rows, tmp_path, CPU))
    assert sum(SEEN) in (CHUNK, 10), "only the missing chunk"
    assert np.array_equal(load_features(pixels, rows, tmp_path), first)


def test_a_stopped_computation_keeps_its_chunks(tmp_path: Path) -> None:
    pixels, rows = squares(3 * CHUNK), np.arange(3 * CHUNK)
    next(frozen_features(Counting(), pixels, rows, tmp_path, CPU))
    assert len(list(tmp_path.glob("features-*.npy"))) == 1 and not list(tmp_path.glob(".*"))


@pytest.fixture(scope="module")
def lite() -> EfficientNet:
    model = EfficientNet(classes=1000)
    model.load_imagenet()
    return model.eval()


def test_lite0_has_the_published_number_of_parameters(lite: EfficientNet) -> None:
    assert sum(p.numel() for p in lite.parameters()) == 4_652_008


def test_fused_equals_unfused_and_leaves_the_original_alone(lite: EfficientNet) -> None:
    x = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    before = {k: v.clone() for k, v in lite.state_dict().items()}
    with torch.inference_mode():
        plain, folded = lite.features(x), fuse_batch_norm(lite, CPU).features(x)
    assert (plain - folded).abs().max() <= 1e-4 * max(1.0, float(plain.abs().max()))
    assert not [m for m in fuse_batch_norm(lite, CPU).modules() if isinstance(m, nn.BatchNorm2d)], (
        "every pair was found"
    )
    assert all(torch.equal(before[k], v) for k, v in lite.state_dict().items())


# limpide asks for it only where the hardware has it
@pytest.mark.parametrize("dtype", [torch.float32, *[torch.bfloat16] * has_fast_bf16(CPU)])
def test_the_fused_relu_changes_nothing_but_rounding(
    lite: EfficientNet, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = (
        torch.randn(3, 3, 64, 64, generator=torch.Generator().manual_seed(0))
        .to(dtype)
        .to(memory_format=torch.channels_last)
    )
    one = fuse_batch_norm(lite, CPU).to(dtype)
    has = device._has_pointwise()
    monkeypatch.setattr(device, "_has_pointwise", lambda: False)
    apart = fuse_batch_norm(lite, CPU).to(dtype)
    assert (
        not [m for m in apart.modules() if isinstance(m, ConvReLU6)]
        and bool([m for m in one.modules() if isinstance(m, ConvReLU6)]) == has
    )
    with torch.inference_mode():
        assert (one.features(x) - apart.features(x)).abs().max() <= (1e-4 if dtype == torch.float32 else 0.05)


def test_published_weights_keep_a_head_of_other_classes() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = EfficientNet(classes=3)
        model.load_imagenet()
    assert model.head.weight.shape == (3, 1280) and model.head.weight.abs().sum() == 0
    assert model.stem[0].weight.abs().sum() > 1


def test_padding_is_tensorflows(lite: EfficientNet) -> None:
    """At stride 2 an even side is padded on the right and below only: the second pixel is seen by the first
    unit alone.
    """
    images = torch.zeros(2, 3, 8, 8)
    images[1, :, 1, 1] = 1
    with torch.no_grad():
        nothing, dot = lite.stem(images)
    assert nothing.shape[-2:] == (4, 4)
    assert torch.nonzero((dot - nothing).abs().sum(0)).tolist() == [[0, 0]]


@pytest.mark.parametrize("freeze", ["auto", "0", "3", "head", "none"])
def test_what_is_held_stays_and_the_others_learn(freeze: str) -> None:
    recipe, _ = decide_recipe(Recipe(model="efficientnet_lite0", freeze=freeze), ImageSample(100, False), 100)
    assert recipe.freeze == (str(FROZEN_BLOCKS) if freeze == "auto" else freeze)
    torch.manual_seed(0)
    state = start_state(EfficientNet(classes=2), recipe, 1)
    model = state.model
    before = {name: value.clone() for name, value in model.state_dict().items()}
    torch.nn.init.normal_(model.head.weight)
    before["head.weight"] = model.head.weight.detach().clone()
    model.train()(torch.randn(4, 3, 32, 32)).square().mean().backward()
    state.optimizer.step(0.1)
    blocks = {"auto": FROZEN_BLOCKS, "0": 0, "3": 3, "head": 16, "none": 0}[freeze]
    held = tuple(
        f"{name}."
        for name in (
            *(("stem",) if blocks else ()),
            *(f"blocks.{k}" for k in range(blocks)),
            *(("last",) if freeze == "head" else ()),
        )
    )
    changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert not held or not [name for name in changed if name.startswith(held)], "weights and statistics"
    rest = {name for name, value in before.items() if not held or not name.startswith(held)}
    assert "head.weight" in changed and {name for name in rest if name.endswith("running_mean")} <= changed
    assert (
        model.stem.training == (not held)
        and model.last.training == (freeze != "head")
        and not model.eval().last.training
    )


@pytest.mark.parametrize(
    ("choices", "code"),
    [
        ({"model": "cnn", "freeze": "2"}, "L128"),
        ({"model": "efficientnet_lite0", "weights": "none", "freeze": "head"}, "L128"),
        ({"model": "efficientnet_lite0", "freeze": "17"}, "L130"),
        ({"model": "efficientnet_lite0", "freeze": "some"}, "L102"),
        ({"model": "efficientnet_lite0", "freeze": "-1"}, "L102"),
        ({"model": "cnn", "freeze": "1", "weights": "FILE"}, "L129"),
    ],
)
def test_what_cannot_be_held_is_refused_before_anything_is_written(
    choices: dict[str, str], code: str, tmp_path: Path
) -> None:
    if choices.get("weights") == "FILE":
        file = tmp_path / "w.safetensors"
        save_weights(models.build("cnn", 2, 1, 28), file)
        choices = {**choices, "weights": str(file)}
    with pytest.raises(UsageError) as caught:
        check_recipe(Recipe.of(**choices))
    assert caught.value.code == code
