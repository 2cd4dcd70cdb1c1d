"""The networks, one family per file. Each has `features(images)` → (batch, width) and ends in `head`, a Linear.

MODELS maps a name to its Entry. `find` also knows timm's networks and a user's own (external.py); `build` makes one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from importlib import resources

from torch import nn

from limpide.core.errors import UsageError, nearest
from limpide.core.recipe import Recipe
from limpide.models.alexnet import AlexNet
from limpide.models.autoencoder import AUTOENCODERS
from limpide.models.cnn import SmallCNN
from limpide.models.efficientnet import PUBLISHED, VARIANTS, EfficientNet, Pooling
from limpide.models.external import find_external, is_outside
from limpide.models.flops import activations, multiply_adds, parameters
from limpide.models.good_parts import GoodParts
from limpide.models.inception import InceptionV3
from limpide.models.linear import LinearNet
from limpide.models.mlp import MLP
from limpide.models.rbf import RBFNet
from limpide.models.recurrent import RowReader
from limpide.models.registry import Entry
from limpide.models.regularized import BATCH, PLAIN, with_normalization, without_normalization
from limpide.models.resnet import resnet, resnet_cifar
from limpide.models.small_color import SmallColorNet
from limpide.models.vgg import VGG, PlainNet
from limpide.models.vit import VisionTransformer
from limpide.text.messages import N_


def _rows(cell: str) -> Entry:
    return Entry(lambda k, c, s: RowReader(classes=k, channels=c, size=s, cell=cell), 10, 1, 28, least=1, lr=3e-3)


def _vgg(layers: int) -> Entry:
    return Entry(lambda k, c, s: PlainNet(classes=k, channels=c, size=s, depths=VGG[layers]), lr=3e-4)


def _resnet_cifar(layers: int) -> Entry:
    return Entry(lambda k, c, _: resnet_cifar(layers, classes=k, channels=c), 10, size=32, least=8, lr=5e-3)


def _resnet(layers: int) -> Entry:
    return Entry(lambda k, c, _: resnet(layers, classes=k, channels=c), lr=3e-3)


def _efficientnet(variant: str, pooling: Pooling = "mean") -> Entry:
    published = EfficientNet.load_imagenet if variant in PUBLISHED else None
    return Entry(
        lambda k, c, _: EfficientNet(variant, classes=k, channels=c, pooling=pooling),
        size=VARIANTS[variant].size,
        lr=2e-3,
        published=published,
    )


# Name → Entry, in the order of the ladder. Classes, channels and pixels are as in its paper.
MODELS: dict[str, Entry] = {
    "linear": Entry(lambda k, c, s: LinearNet(classes=k, channels=c, size=s), 10, 1, 28, least=1, lr=3e-3),
    "mlp": Entry(lambda k, c, s: MLP(classes=k, channels=c, size=s), 10, 1, 28, least=1, lr=2e-3),
    "rbf": Entry(lambda k, c, s: RBFNet(classes=k, channels=c, size=s), 10, 1, 28, least=1, lr=1e-2),
    "rnn": _rows("rnn"),
    "lstm": _rows("lstm"),
    "gru": _rows("gru"),
    "cnn": Entry(lambda k, c, s: SmallCNN(classes=k, channels=c, size=s), 10, 1, 28, least=1, lr=1e-2),
    "small_color": Entry(
        lambda k, c, _: SmallColorNet(classes=k, channels=c), 10, size=32, least=9, lr=7e-3, augment="shifted"
    ),
    "alexnet": Entry(lambda k, c, s: AlexNet(classes=k, channels=c, size=s), least=63, lr=3e-4),
    "vgg11": _vgg(11),
    "vgg13": _vgg(13),
    "vgg16": _vgg(16),
    "vgg19": _vgg(19),
    "inception_v3": Entry(lambda k, c, _: InceptionV3(classes=k, channels=c), size=299, least=75, lr=2e-3),
    "resnet20": _resnet_cifar(20),
    "resnet32": _resnet_cifar(32),
    "resnet44": _resnet_cifar(44),
    "resnet56": _resnet_cifar(56),
    "resnet110": _resnet_cifar(110),
    "resnet18": _resnet(18),
    "resnet34": _resnet(34),
    "resnet50": _resnet(50),
    "resnet101": _resnet(101),
    "resnet152": _resnet(152),
    "efficientnet_b0": _efficientnet("b0"),
    "efficientnet_b1": _efficientnet("b1"),
    "efficientnet_b2": _efficientnet("b2"),
    "efficientnet_b3": _efficientnet("b3"),
    "efficientnet_b4": _efficientnet("b4"),
    "efficientnet_b5": _efficientnet("b5"),
    "efficientnet_b6": _efficientnet("b6"),
    "efficientnet_b7": _efficientnet("b7"),
    "efficientnet_lite0": _efficientnet("lite0"),
    "efficientnet_lite1": _efficientnet("lite1"),
    "efficientnet_lite2": _efficientnet("lite2"),
    "efficientnet_lite3": _efficientnet("lite3"),
    "efficientnet_lite4": _efficientnet("lite4"),
    "vit_tiny": Entry(lambda k, c, s: VisionTransformer(classes=k, channels=c, size=s), multiple=16, lr=1e-3),
    "vit_tiny_patch4": Entry(
        lambda k, c, s: VisionTransformer(classes=k, channels=c, size=s, patch=4),
        10,
        size=32,
        least=8,
        multiple=4,
        lr=1e-3,
    ),
}

GOOD_PARTS = "good_parts"  # the model trained on good parts alone; it learns no classes and is not in MODELS
DETECTORS: dict[str, Entry] = {GOOD_PARTS: Entry(lambda _k, _c, _s: GoodParts(), 2, least=64, multiple=32)}

# Networks with published weights, and the function that loads them into a fresh one.
PRETRAINED = {name: entry.published for name, entry in MODELS.items() if entry.published}

# The same networks with another pooling (training/views.py); none was published in this form.
POOLINGS: tuple[Pooling, ...] = ("quarters", "windows")
POOLED = {
    f"efficientnet_{variant}+{pooling}": _efficientnet(variant, pooling)
    for variant in PUBLISHED
    for pooling in POOLINGS
}


def find(name: str) -> Entry:
    """A network by its name in MODELS, `timm:NAME`, or `package.module:factory`; with `+plain` at its end, without
    batch normalization, with `+batch`, with it. Raises UsageError or ModelError.
    """
    for ending, changed in ((PLAIN, without_normalization), (BATCH, with_normalization)):
        if name.endswith(ending):
            return _changed(find(name.removesuffix(ending)), changed)
    if is_outside(name):
        return find_external(name)
    if name in POOLED:
        return POOLED[name]
    if name in DETECTORS:
        return DETECTORS[name]
    if name not in MODELS:
        guess = nearest(name, MODELS)
        todo = N_("did you mean {guess}?") if guess else N_("see limpide models")
        raise UsageError("L106", where=name, todo=todo, guess=guess)
    return MODELS[name]


def _changed(entry: Entry, change: Callable[[nn.Module], nn.Module]) -> Entry:
    return dataclasses.replace(entry, make=lambda k, c, s: change(entry.make(k, c, s)), published=None)


def pretrained(recipe: Recipe) -> bool:
    """Whether a training starts from a network pretrained on photographs: frozen features first, then careful
    fine-tuning.
    """
    return recipe.model in PRETRAINED and recipe.weights != "none"


def build(name: str, classes: int, channels: int, size: int) -> nn.Module:
    """A fresh network for `classes` classes and squares (channels, size, size). Raises ModelError for a size that the
    network does not accept.
    """
    return find(name).build(name, classes, channels, size)


def imagenet_classes(language: str = "en") -> tuple[str, ...]:
    """The 1,000 classes of ImageNet (Russakovsky et al. 2015) in the order of the published networks' logits: WordNet's
    words, or their French names for "fr". Files keep the English ones.
    """
    file = resources.files(__name__).joinpath("imagenet.fr.txt" if language == "fr" else "imagenet.txt")
    return tuple(file.read_text(encoding="utf-8").splitlines())


__all__ = [
    "AUTOENCODERS",
    "GOOD_PARTS",
    "MODELS",
    "POOLED",
    "PRETRAINED",
    "Entry",
    "activations",
    "build",
    "find",
    "imagenet_classes",
    "is_outside",
    "multiply_adds",
    "parameters",
    "pretrained",
]
