"""Building a network, keeping its weights as safetensors, and getting a trained one back from a run."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import nn

from limpide import models
from limpide.core.errors import ModelError, RunError, UsageError, nearest
from limpide.core.recipe import Recipe
from limpide.core.run import Run
from limpide.data.preprocessing import Preprocessing
from limpide.models import MODELS, PRETRAINED, pretrained
from limpide.models.weights import load_into
from limpide.system.files import write_bytes
from limpide.text.messages import N_, Message, message
from limpide.training.batches import Augment, LightAugment
from limpide.training.defaults import STARTS, kept_blocks
from limpide.training.device import place_on_device
from limpide.training.linear_head import discriminative_scales
from limpide.training.optim.adamw import AdamW, parameter_groups
from limpide.training.state import TrainState


def build_network(recipe: Recipe, classes: int, channels: int, size: int) -> nn.Module:
    """A fresh network: published weights where there are any, the rest drawn from the recipe's seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        model = models.build(recipe.model, classes, channels, size)
    if recipe.weights not in STARTS:
        load_into(model, recipe.weights)
    elif pretrained(recipe):
        PRETRAINED[recipe.model](model)
    return model


def published_network(name: str) -> tuple[nn.Module, Preprocessing]:
    """A network as it was published, for the 1,000 classes of ImageNet, and the preprocessing it was published with.

    Raises UsageError for a name that has no published weights, ModelError when they are not installed.
    """
    if name not in PRETRAINED:
        guess = nearest(name, PRETRAINED)
        todo = N_("did you mean {guess}?") if guess else N_("see limpide models")
        raise UsageError(
            "L122", N_("there is no network with published weights of this name"), where=name, todo=todo, guess=guess
        )
    size = MODELS[name].size
    model = models.build(name, 1000, 3, size)
    PRETRAINED[name](model)
    # Its authors resize the shorter side to `size` + 32 pixels and cut out the middle.
    centre = round(1024 * size / (size + 32))
    return model.eval(), Preprocessing(
        size, 3, "crop", "bicubic", (127.0,), (128.0,), jpeg_side=size + size // 2, centre=centre
    )


def start_state(model: nn.Module, recipe: Recipe, steps: int) -> TrainState:
    """The state before the first step, on the device of a recipe that was decided."""
    device = torch.device(recipe.device)
    model = place_on_device(model, device)
    scales: list[tuple[str, float]] = []
    freeze = kept_blocks(recipe)
    if freeze != "none":
        model.hold(None if freeze == "head" else int(freeze))  # type: ignore[operator]
    if pretrained(recipe):
        scales = discriminative_scales(model)
    torch.manual_seed(recipe.seed)  # dropout
    return TrainState(
        model=model,
        optimizer=AdamW(parameter_groups(model, recipe.weight_decay or 0.0, scales)),
        lr=recipe.lr or 0.0,
        steps=steps,
        generator=torch.Generator().manual_seed(recipe.seed),
    )


def augmentation(recipe: Recipe, epochs: float, grey: bool) -> Augment | None:
    """Pretrained networks and long trainings see each image a little changed every time; two passes need no variety."""
    if pretrained(recipe):
        return LightAugment(flip=recipe.flip == "yes")
    if epochs <= 3:
        return None
    return LightAugment(
        zoom=0.1, shift=0.07, turn=0.0 if grey else 5.0, light=0.0 if grey else 0.1, flip=recipe.flip == "yes"
    )


def describe_augmentation(change: Augment | None, epochs: float) -> Message:
    """What is done to images while training, or why nothing is."""
    if not isinstance(change, LightAugment):
        return message(
            N_(
                "while training, images are shown as they are (no augmentation): too few passes for it to help "
                "({epochs:number})"
            ),
            epochs=epochs,
        )
    says = N_(
        "while training, each image is altered anew: zoomed by up to {zoom:percent}, shifted by up to "
        "{shift:percent} of its side{mirrored}"
    )
    if change.turn or change.light:
        says = N_(
            "while training, each image is altered anew: zoomed by up to {zoom:percent}, shifted by up to "
            "{shift:percent} of its side, turned by up to {turn:number}°, brightness and contrast changed by up "
            "to {light:percent}{mirrored}"
        )
    mirrored = message(N_(", mirrored at random")).to_json() if change.flip else ""
    return message(says, **(asdict(change) | {"mirrored": mirrored}))


def save_weights(model: nn.Module, file: Path) -> None:
    write_bytes(file, save({k: v.detach().cpu().contiguous() for k, v in model.state_dict().items()}))


def load_weights(model: nn.Module, file: Path) -> None:
    """Raises RunError when the file is missing or damaged."""
    try:
        model.load_state_dict(load(file.read_bytes()))
    except (OSError, SafetensorError, RuntimeError) as error:
        raise RunError(
            "L506", N_("the weights cannot be read"), where=file, todo=N_("train again with --new")
        ) from error


def trained_network(run: Run) -> tuple[nn.Module, Preprocessing]:
    """The final network of a run, for looking inside, and the preprocessing it was trained with. Raises ModelError."""
    info = run.info()
    file = run.snapshots / "best.safetensors"
    if not file.exists() or info.final is None:
        raise ModelError(
            "L403",
            N_("there is no exported model yet"),
            where=run.path,
            todo=N_("finish the training: run the same limpide train command again"),
        )
    with run.reading():
        preprocessing = Preprocessing.from_json(info.final.preprocessing)
    model = models.build(info.model, len(info.classes), preprocessing.channels, preprocessing.size)
    load_weights(model, file)
    return model.eval(), preprocessing
