"""Resolve `auto`: fill every blank of a recipe, with the reason for each choice in words."""

from __future__ import annotations

import torch

from limpide.core.errors import UsageError
from limpide.core.recipe import Recipe
from limpide.core.recipe_field import OF_STEPS, WHOLE
from limpide.data.folds import FOLDS
from limpide.data.preprocessing import Preprocessing
from limpide.data.read_images import ImageSample
from limpide.models import GOOD_PARTS, MODELS, Entry, find, is_outside, pretrained
from limpide.models.regularized import BATCH, PLAIN, set_dropout
from limpide.models.weights import weights_file
from limpide.system.files import sha256_of_file
from limpide.text.messages import N_, Message, message
from limpide.training.device import choose_device, has_fast_bf16
from limpide.training.losses import choose_loss
from limpide.training.optim import DEFAULTS, choose_optimizer
from limpide.training.views import JPEG_SIDE, check_view, jpeg_side

STARTS = ("auto", "none")  # values of --weights besides a source
AUTOMATIC = ("cnn", "efficientnet_lite0", "small_color")  # the networks that auto chooses between
SMALL_SIDE = 40  # pixels; grey images up to this side are learned from scratch
# Colour images up to this side are learned from scratch if they are many: with fewer, a pretrained network does better.
SMALL_COLOR_SIDE, MANY_IMAGES = 64, 20_000
FROZEN_IMAGES = 4000  # images that the frozen network processes for the first model; more would delay it
MIN_OF_A_CLASS = 20  # images of each class among them, if it has that many
ASKED = N_("as asked")
# Options of fine-tuning by steps, which have no effect on a last layer on a frozen network.
OF_TUNING = ("image_size", *(name for name in OF_STEPS if name != "flip"))
MAX_DEFAULT_SIZE = 64  # pixels, for networks made for smaller images
# Up to this many images are judged in folds. The number is between the two that were measured (docs/LOG.md): with 250
# images, folds classify more new images correctly than fine-tuning on a part of them; with 1,000, fine-tuning does.
FEW_IMAGES = 300
TUNED_SIZE = 128  # pixels: three times faster than 224, and enough for most photographs
# Detectors of edges and blobs serve every photograph and cost the most to learn: the stem and five of sixteen blocks of
# EfficientNet-Lite0 have 1.2 % of the weights and take a third of the time of a step (docs/LOG.md).
FROZEN_BLOCKS = 5


def decide_recipe(
    recipe: Recipe, images: ImageSample, n: int, parts_given: bool = False
) -> tuple[Recipe, list[Message]]:
    """Fill in model, image size, device, arithmetic, batch size, learning rate and weight decay. n: images in the data
    set · parts_given: whether the data say which images are for the test or for validation.

    `epochs` and `patience` are filled in later, when the size of the training part and the speed are known.
    """
    model, reasons = _choose_model(recipe, images, n)
    named = recipe.but(model=model)
    check_recipe(named)
    named = named.but(model=_normalized(named))
    device, entry, is_pretrained = choose_device(recipe.device), find(named.model), pretrained(named)
    folds = choose_folds(named, parts_given, n)
    if folds:
        check_view(named, images.median_side)
        reasons += _explain_folds(named.but(folds=folds), n if recipe.folds is None else None)
    if folds and not may_tune(named.but(folds=folds)):
        size = entry.size
    else:
        size, why_size = _size(recipe, entry, is_pretrained, images)
        reasons += why_size
    if recipe.weights not in STARTS:
        reasons.append(_explain_weights(recipe.weights))
    freeze = kept_blocks(named)
    if recipe.freeze not in ("auto", "none"):
        reasons.append(_explain_freeze(freeze))
    precision, why_precision = _precision(recipe, device, is_pretrained)
    test, validation = named.but(folds=folds).shares()
    usual = DEFAULTS[choose_optimizer(recipe)]
    filled = named.but(
        folds=folds,
        view=recipe.view if folds else WHOLE,
        test=None if folds else test,
        validation=None if folds else validation,
        image_size=size,
        device=str(device),
        precision=precision,
        freeze=freeze,
        batch=recipe.batch or (32 if is_pretrained else _power_of_two(n // 24, 16, 128)),
        lr=recipe.lr or usual_rate(named),
        weight_decay=usual.weight_decay if recipe.weight_decay is None else recipe.weight_decay,
        label_smoothing=default_smoothing(recipe),
    )
    if not folds or may_tune(filled):
        reasons.append(_explain_steps(recipe, filled, is_pretrained, why_precision))
    return filled, reasons


def usual_rate(recipe: Recipe) -> float:
    """The highest learning rate of this network with this optimizer, where none is asked for."""
    return float(f"{DEFAULTS[choose_optimizer(recipe)].rate * find(recipe.model).lr:.3g}")


def _choose_model(recipe: Recipe, images: ImageSample, n: int) -> tuple[str, list[Message]]:
    """(name, the reason if the user named no model)."""
    if recipe.model != "auto":
        return recipe.model, []
    side = images.median_side
    if 0 < side <= SMALL_SIDE and images.grey:
        model = AUTOMATIC[0]
        why = N_(
            "model {model}: the images are small and grey ({side} px), so a small network learns them from scratch"
        )
    elif 0 < side <= SMALL_COLOR_SIDE and not images.grey and n >= MANY_IMAGES and recipe.weights in STARTS:
        model = AUTOMATIC[2]
        why = N_(
            "model {model}: the images are small ({side} px) and many ({n:count}), so a small network learns them from "
            "scratch"
        )
    else:
        model = AUTOMATIC[1]
        why = N_(
            "model {model}: photographs ({side} px) are learned best with a network that was pretrained on a "
            "million others"
        )
    return model, [message(why, model=model, side=side, n=n)]


def _normalized(recipe: Recipe) -> str:
    """The name of the network with the normalization that was asked for."""
    ending = {"none": PLAIN, "batch": BATCH}.get(recipe.normalization)
    if ending is None:
        return recipe.model
    return recipe.model.removesuffix(PLAIN).removesuffix(BATCH) + ending


def default_smoothing(recipe: Recipe) -> float:
    """Label smoothing, by default: the other losses have no probabilities to smooth."""
    if recipe.label_smoothing is not None:
        return recipe.label_smoothing
    return 0.1 if choose_loss(recipe) == "cross-entropy" else 0.0


def _explain_weights(source: str) -> Message:
    return message(
        N_("starts from the weights of {source} (sha256 {digest}…); the last layer starts from scratch"),
        source=source,
        digest=sha256_of_file(weights_file(source))[:12],
    )


def _explain_steps(recipe: Recipe, filled: Recipe, is_pretrained: bool, why_precision: str) -> Message:
    """Batch size, learning rate and arithmetic of a step, with the reason for each."""
    why_batch = (
        N_("the default for pretrained networks")
        if is_pretrained
        else N_("a 24th of the images, as a power of two from 16 to 128")
    )
    return message(
        N_(
            "batch size {batch} ({why_batch}), highest learning rate {lr:number} ({why_lr}), {precision} on "
            "{device} ({why_precision})"
        ),
        batch=filled.batch,
        why_batch=message(why_batch if recipe.batch is None else ASKED).to_json(),
        lr=filled.lr,
        why_lr=message(
            N_("the default for {model} with {optimizer}") if recipe.lr is None else ASKED,
            model=filled.model,
            optimizer=recipe.optimizer,
        ).to_json(),
        precision=filled.precision,
        device=filled.device,
        why_precision=message(why_precision).to_json(),
    )


def _size(recipe: Recipe, entry: Entry, is_pretrained: bool, images: ImageSample) -> tuple[int, list[Message]]:
    """(side of the squares, the reason if there is one to state)."""
    preferred_size = recipe.image_size or (
        TUNED_SIZE if is_pretrained else max(8, min(images.median_side, max(entry.size, MAX_DEFAULT_SIZE)))
    )
    size = entry.fitting(preferred_size)
    if size != preferred_size:
        says = N_("image size {size} px: this network needs at least {least} px, and a multiple of {multiple}")
    elif recipe.image_size is not None:
        return size, []
    elif is_pretrained:
        says = N_(
            "squares of {size} px for fine-tuning, which is about {times:number} times less work than at {full} "
            "px; the first model sees {full} px"
        )
    elif size < images.median_side:
        says = N_("squares of {size} px, smaller than the images ({side} px), to learn faster")
    elif size == images.median_side:
        says = N_("squares of {size} px, as large as the images")
    else:
        says = N_("squares of {size} px, larger than the images ({side} px): smaller squares are not used")
    times = round((entry.size / size) ** 2, 1)
    return size, [
        message(
            says,
            times=times,
            size=size,
            least=entry.least,
            multiple=entry.multiple,
            full=entry.size,
            side=images.median_side,
        )
    ]


def _precision(recipe: Recipe, device: torch.device, is_pretrained: bool) -> tuple[str, str]:
    """(arithmetic of a training step, msgid of the reason)."""
    if recipe.precision != "auto":
        return recipe.precision, ASKED
    if not has_fast_bf16(device):
        return "fp32", N_("this hardware has no fast bf16")
    if is_pretrained and device.type != "cuda":
        return "fp32", N_("depthwise convolutions are slower in bf16 on processors")  # docs/LOG.md
    return "bf16", N_("this hardware computes it faster than fp32")


def check_recipe(recipe: Recipe) -> None:
    """Check a recipe before anything is written. Raises UsageError for a network or a device that does not exist,
    ModelError for weights that do not exist.
    """
    if recipe.model != "auto":
        find(recipe.model)
        if recipe.folds is not None:
            check_folds(recipe)
    choose_device(recipe.device)
    if recipe.weights not in STARTS:
        weights_file(recipe.weights)
    if recipe.model != "auto" and not is_outside(recipe.model):  # others are made for a size that is not known yet
        check_changes(recipe)
    if recipe.model != "auto" and pretrained(recipe):
        if recipe.average_mirrored == "yes":
            raise UsageError("L187", where=f"model={recipe.model} average_mirrored=yes")
        for name, default in (("normalization", "auto"), ("init", "default")):
            if (value := getattr(recipe, name)) != default:
                raise UsageError("L178", where=f"model={recipe.model} {name}={value}", option=f"--{name}")
    if recipe.freeze not in ("auto", "none") and recipe.model != "auto":
        check_freeze(recipe)


def check_changes(recipe: Recipe) -> None:
    """Raises UsageError if the network has no dropout to set, or no normalization to change."""
    if recipe.dropout is not None or recipe.normalization != "auto":
        entry = find(_normalized(recipe))
        with torch.device("meta"):  # layers without memory for their weights
            network = entry.build(recipe.model, 2, entry.channels, entry.size)
        if recipe.dropout is not None:
            set_dropout(network, recipe.dropout)


def kept_blocks(recipe: Recipe) -> str:
    """`freeze` with auto resolved: a number, head or none."""
    return recipe.freeze if recipe.freeze != "auto" else str(FROZEN_BLOCKS) if pretrained(recipe) else "none"


def check_freeze(recipe: Recipe) -> None:
    """Raises UsageError if the network has nothing that can be frozen, or fewer blocks than asked for."""
    where = f"model={recipe.model} weights={recipe.weights} freeze={recipe.freeze}"
    if recipe.weights in STARTS and not pretrained(recipe):
        raise UsageError("L128", where=where)
    entry = find(recipe.model)
    network = entry.build(recipe.model, 2, entry.channels, entry.size)
    if not hasattr(network, "hold"):
        raise UsageError("L129", where=where)
    if recipe.freeze != "head" and int(recipe.freeze) > len(network.blocks):  # type: ignore[arg-type]
        raise UsageError("L130", where=where, n=len(network.blocks))  # type: ignore[arg-type]


def _explain_freeze(freeze: str) -> Message:
    if freeze == "head":
        return message(N_("all layers but the last stay frozen, as asked"))
    return message(N_("blocks that stay frozen, with all layers before them: {n}, as asked"), n=int(freeze))


def choose_folds(recipe: Recipe, parts_given: bool, n: int) -> int:
    """The number of folds in which images are judged; 0: a test part is set aside. parts_given: whether the data say
    which images are for the test or for validation · n: images. Raises UsageError if folds were asked for and are not
    possible.
    """
    if recipe.folds is None:
        asks_for_part = parts_given or recipe.test is not None or recipe.validation is not None
        few = 0 < n <= FEW_IMAGES and pretrained(recipe) and not _tuning(recipe)
        recipe = recipe.but(folds=FOLDS if few and not asks_for_part else 0)
    elif recipe.folds and parts_given:
        todo = N_("the data say which images are for the test: leave --folds out")
        raise UsageError("L165", where=f"folds={recipe.folds}", todo=todo)
    check_folds(recipe)
    return recipe.folds or 0


def check_folds(recipe: Recipe) -> None:
    """Raises UsageError if other options contradict the folds."""
    if not recipe.folds:
        if recipe.view not in ("auto", WHOLE):
            raise UsageError("L168", where=f"view={recipe.view}")
        return
    if not pretrained(recipe):
        raise UsageError("L166", where=f"folds={recipe.folds} model={recipe.model} weights={recipe.weights}")
    tuning = [] if may_tune(recipe) else _tuning(recipe)
    what = N_("{name} does not apply here: folds judge a last layer on a frozen network")
    if recipe.patience is not None:
        tuning, what = ["patience"], N_("where folds judge, no image is set aside to decide when to stop")
    if tuning:
        todo = N_("leave out one of the two options")
        where = f"folds={recipe.folds} {tuning[0]}={getattr(recipe, tuning[0])}"
        raise UsageError("L166", where=where, what=what, todo=todo, name=tuning[0])


def may_tune(recipe: Recipe) -> bool:
    """Whether the network is fine-tuned in the folds, too. A user who sets the view of a frozen network wants a frozen
    network.
    """
    return bool(recipe.folds) and recipe.freeze != "head" and (recipe.view == "auto" or recipe.epochs is not None)


def _tuning(recipe: Recipe) -> list[str]:
    """The options that the user set and that concern only fine-tuning."""
    asked = [name for name in OF_TUNING if getattr(recipe, name) != getattr(Recipe(), name)]
    return [name for name in asked if name != "freeze" or recipe.freeze != "head"]  # head: nothing is fine-tuned


def _explain_folds(recipe: Recipe, few: int | None) -> list[Message]:
    """few: the number of images, if folds are the default."""
    says = N_(
        "images are judged in {folds:count} folds, each by a model that had not seen it; the model that is kept learns "
        "from all of them"
    )
    if few is not None:
        says = N_(
            "there are few images ({few:count}), so none is set aside: they are judged in {folds:count} folds, "
            "each by a model that had not seen it; the model that is kept learns from all of them (--test 0.2 "
            "sets a part aside)"
        )
    reasons = [message(says, folds=recipe.folds, few=few or 0)]
    if not may_tune(recipe):
        reasons.append(message(N_("the pretrained network stays as it was published, with a new last layer")))
    return reasons


def frozen_size(recipe: Recipe) -> int:
    """The side in pixels that the pretrained network was made for. The first model uses it, whatever the size for
    fine-tuning.
    """
    return MODELS[recipe.model].size


def default_epochs(recipe: Recipe, train_images: int, grey: bool) -> int:
    """Epochs by default: small networks see about 48,000 grey or 800,000 colour images, pretrained ones 5,000 in 4 to
    16 epochs.
    """
    if pretrained(recipe):
        return max(4, min(16, round(5_000 / train_images)))
    return max(1, min(60, -(-(48_000 if grey else 800_000) // train_images)))


def preprocessing_of(recipe: Recipe, images: ImageSample, size: int | None = None) -> Preprocessing:
    """The preprocessing: the published normalisation of a pretrained network, else grey levels centred on zero."""
    size = size or recipe.image_size or 0
    if pretrained(recipe) or recipe.model == GOOD_PARTS:
        return Preprocessing(
            size,
            3,
            recipe.fit,
            "bicubic",
            (127.0,),
            (128.0,),
            jpeg_side(size),
            value_range=recipe.span(),
        )
    channels = 1 if images.grey else 3
    return Preprocessing(
        size, channels, recipe.fit, "bilinear", (127.5,), (63.75,), max(JPEG_SIDE, 2 * size), value_range=recipe.span()
    )


def _power_of_two(value: float, low: int, high: int) -> int:
    return int(min(high, max(low, 2 ** int(torch.tensor(max(value, 1.0)).log2().item()))))
