"""Vanishing and exploding gradients, dead units and frozen layers, from what a look inside the network found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from limpide.audit.diagnosis.curves import LARGE_START, lower_rate
from limpide.audit.diagnosis.record import Diagnosis, TrainingRecord
from limpide.core.examination import LayerSigns
from limpide.text.messages import N_, message

VANISHES = 1 / 500  # gradients of the first layer as a share of those of the last one
EXPLODES = 100.0  # times
GOOD = 0.9  # share of the training images: a network that names as many rightly has had gradients enough
DEAD = 0.5  # share of the units of a layer


def judge_layers(record: TrainingRecord) -> Iterator[Diagnosis]:
    if record.examination is None or record.is_pretrained:
        return
    layers, epoch = record.examination.layers, max(1, record.examination.epoch)
    yield from _judge_gradients(record, layers)
    # behind a dead layer all outputs are the same; behind a cut they are not
    cut = record.examination.outputs_vary
    yield from _judge_units(
        record, [layer for layer in layers if not (cut and _is_cut(layer))], epoch, record.examination.images
    )
    if cut or not any(_is_cut(layer) for layer in layers):
        yield from _judge_frozen(layers)


def _judge_gradients(record: TrainingRecord, layers: tuple[LayerSigns, ...]) -> Iterator[Diagnosis]:
    """Compare the gradients of the first layer with those of the last one, before the training (Glorot & Bengio 2010,
    section 4.2): they are products of as many factors as there are layers between them.
    """
    if len(layers) < 3 or not layers[-1].gradient_before:
        return
    first, last = layers[0], layers[-1]
    ratio = first.gradient_before / last.gradient_before
    values: dict[str, Any] = {"first": first.name, "last": last.name, "layers": len(layers)}
    if ratio < VANISHES and not _fits(record):
        says = N_(
            "The gradients vanish: before the training, those of the first of {layers:count} layers ({first}) were "
            "{times:number} times smaller than those of the last one ({last})."
        )
        text = message(says, times=1 / ratio if ratio else float("1e38"), **values)
        todo = message(N_("ReLU in place of sigmoid, fewer layers, or residual connections also keep gradients large."))
        changes = (("normalization", "batch"), ("init", "kaiming"))
        yield Diagnosis("warn", text, "vanishing", 1, changes, todo)
    if record.losses and record.losses[0] > LARGE_START * record.guess:
        says = N_(
            "The gradients explode: the loss began at {loss:number}, where guessing has {guess:number}. The initial "
            "weights are too large: each of {layers:count} layers makes its inputs larger."
        )
        text = message(says, loss=record.losses[0], guess=record.guess, **values)
        yield Diagnosis("warn", text, "exploding", 1, (("init", "kaiming"), ("clip", "1")))
    elif ratio > EXPLODES:
        says = N_(
            "The gradients explode: before the training, those of the first of {layers:count} layers ({first}) were "
            "{times:number} times larger than those of the last one ({last})."
        )
        changes = (("init", "kaiming"), ("clip", "1"))
        yield Diagnosis("warn", message(says, times=ratio, **values), "exploding", 1, changes)


def _fits(record: TrainingRecord) -> bool:
    kept = record.kept_epoch
    if kept is None or not record.epochs:
        return False
    trained = record.epochs[kept].train_accuracy
    return trained is not None and trained >= GOOD


def _judge_units(record: TrainingRecord, layers: Sequence[LayerSigns], epoch: int, images: int) -> Iterator[Diagnosis]:
    """The layer with the most dead units, the last of several: behind a dead layer, all earlier ones look dead, and so
    does the layer after it, whose inputs are all zero.
    """
    hidden = [layer for layer in layers[:-1] if layer.dead > DEAD] or [layer for layer in layers if layer.dead > DEAD]
    if not hidden:
        return
    worst = max(reversed(hidden), key=lambda layer: layer.dead)
    says = N_(
        "{dead:percent} of the units of the layer {layer} are dead: none of {images:count} training images gives them "
        "a gradient. Before the training it was {before:percent}."
    )
    text = message(says, dead=worst.dead, layer=worst.name, images=images, before=worst.dead_before)
    todo = message(
        N_("A lower learning rate keeps units alive; so does a batch normalization (--normalization batch).")
    )
    changes = lower_rate(record.rate) if worst.dead > worst.dead_before else ()
    yield Diagnosis("bad" if worst.dead == 1 else "warn", text, "dead units", epoch, changes, todo)


def _judge_frozen(layers: tuple[LayerSigns, ...]) -> Iterator[Diagnosis]:
    frozen = [layer for layer in layers if layer.moved == 0 and not _is_cut(layer)]
    cut = [layer for layer in layers if _is_cut(layer)]
    if not (frozen or cut) or all(layer.moved == 0 for layer in layers):
        return
    todo = message(
        N_("If this is not on purpose, look for requires_grad, detach() and torch.no_grad() in your network.")
    )
    if frozen:
        says = N_("The layer {layer} is frozen: its weights are exactly those before the training.")
        yield Diagnosis("warn", message(says, layer=frozen[0].name), "frozen layer", 1, todo=todo)
    else:
        says = N_(
            "The layer {layer} is frozen: its weights are exactly those before the training, as it has no influence "
            "on the outputs, or no gradient reaches it."
        )
        yield Diagnosis("warn", message(says, layer=cut[0].name), "frozen layer", 1, todo=todo)


def _is_cut(layer: LayerSigns) -> bool:
    """Whether no gradient ever reached this layer."""
    return layer.moved == 0 and layer.dead_before == 1
