"""A Recipe: every choice of a training, in one flat frozen object that goes to JSON and back.

`None` means "decide for me": the decision is made once, with its reason, and a run records and replays a recipe without
any None. The names of other libraries are accepted wherever a name is.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from limpide.core.errors import UsageError, nearest
from limpide.core.recipe_contradictions import check_together
from limpide.core.recipe_field import CHANGES, OPTIMIZERS, SCHEDULE, VIEWS, recipe_field
from limpide.core.recipe_values import NUMBER, check_value
from limpide.text.messages import N_


@dataclass(frozen=True)
class Recipe:
    """One field per choice: default, group, meaning, unit, legal range, other names, source. The command line with its
    help, the parameters of ImageClassifier and run.json are derived from it.
    """

    model: str = recipe_field(
        "auto",
        "model",
        N_(
            "network to train: auto, a name that limpide models lists, timm:NAME, or your own as package.module:factory"
        ),
        also=("arch", "architecture", "net"),
    )
    weights: str = recipe_field(
        "auto",
        "model",
        N_(
            "initial weights: auto (published weights, where there are any), none, FILE.safetensors, the folder "
            "of a run, or hf:owner/name/file.safetensors"
        ),
        also=("pretrained_weights",),
    )
    freeze: str = recipe_field(
        "auto",
        "model",
        N_(
            "pretrained layers that stay frozen: auto, none, a number of blocks counted from the first, or head "
            "for all but the last layer"
        ),
        pattern=r"auto|none|head|\d{1,4}",
        source="Yosinski et al. 2014",
    )
    time: float | None = recipe_field(
        None,
        "optimization",
        N_("time limit of the whole command: what does not fit is left out and reported; the score is never left out"),
        unit="s",
        low=1,
        also=("time_limit", "max_time", "budget"),
        accepts="str",
    )
    epochs: int | None = recipe_field(
        None,
        "optimization",
        N_("epochs: passes over the training images"),
        low=1,
        high=100_000,
        also=("n_epochs", "num_epochs", "max_epochs"),
    )
    batch: int | None = recipe_field(
        None,
        "optimization",
        N_("images that pass through the network at once: one step, but for --accumulate"),
        low=1,
        high=65_536,
        also=("batch_size", "bs"),
    )
    lr: float | None = recipe_field(
        None,
        "optimization",
        N_("highest learning rate"),
        low=1e-8,
        high=100,
        also=("lr0", "learning_rate", "learning_rate_init"),
    )
    optimizer: str = recipe_field(
        "adamw",
        "optimization",
        N_("rule of a step: sgd, momentum, nesterov, adagrad, rmsprop, adam or adamw"),
        choices=OPTIMIZERS,
        also=("optimiser", "opt", "solver"),
    )
    schedule: str = recipe_field(
        "one-cycle",
        "optimization",
        N_(
            "learning rate over time: constant, step (:EPOCHS,FACTOR), multistep (:EPOCH,EPOCH …), exponential "
            "(:FACTOR), cosine, plateau (:EPOCHS,FACTOR) or one-cycle"
        ),
        pattern=SCHEDULE,
        also=("scheduler", "lr_schedule", "lr_scheduler"),
        legal="constant | step | step:10,0.1 | multistep:30,60 | exponential:0.9 | cosine | plateau:2,0.1 | one-cycle",
    )
    loss: str = recipe_field(
        "cross-entropy",
        "optimization",
        N_("what training minimises: cross-entropy, hinge or squared (error)"),
        choices=("cross-entropy", "hinge", "squared"),
        also=("criterion", "loss_fn"),
    )
    image_size: int | None = recipe_field(
        None,
        "data",
        N_("side of the square the network sees"),
        unit="px",
        low=8,
        high=1024,
        also=("imgsz", "img_size", "size"),
    )
    fit: str = recipe_field(
        "squash",
        "data",
        N_("how an image becomes a square: squash keeps all of it, crop keeps the proportions of its centre"),
        choices=("squash", "crop"),
    )
    value_range: str = recipe_field(
        "auto",
        "data",
        N_(
            "values that become black and white in images of more than 8 bits: auto (decided from the values), "
            "none (what the type of each can hold), or LOW..HIGH"
        ),
        pattern=rf"auto|none|{NUMBER}\.\.{NUMBER}",
        also=("intensity_range", "data_range"),
        accepts="tuple[float, float]",
    )
    test: float | None = recipe_field(
        None,
        "data",
        N_("fraction of the images kept for the test, the final score (0.2, none with --folds)"),
        low=0.01,
        high=0.8,
        also=("test_size",),
    )
    validation: float | None = recipe_field(
        None,
        "data",
        N_("fraction of the images kept for validation, which chooses between models (0.1, none with --folds)"),
        low=0.01,
        high=0.8,
        also=("val_split", "validation_split", "valid_pct", "validation_fraction"),
    )
    calibration: float = recipe_field(
        0.1,
        "data",
        N_("fraction of the images kept to calibrate probabilities, from 1,000 images on"),
        low=0.0,
        high=0.5,
    )
    folds: int | None = recipe_field(
        None,
        "data",
        N_(
            "number of folds in which images are judged: a model that has not seen an image judges it, and the "
            "model that is kept learns from every image; 5 for up to 300 photographs (auto), 0 keeps a part for "
            "the test instead"
        ),
        low=0,
        high=20,
        also=("cv", "n_splits"),
    )
    view: str = recipe_field(
        "auto",
        "data",
        N_(
            "how a frozen network looks at images judged in folds: whole (one small square), quarters (also each "
            "quarter of it, by earlier layers), windows (larger squares, where small things count), windows-448 "
            "or another of these sizes in pixels, or auto (the folds choose)"
        ),
        choices=VIEWS,
    )
    groups: str = recipe_field(
        "auto",
        "data",
        N_(
            "group columns of a table, whose groups stay together in one part (patient, camera): names "
            "separated by commas, auto or none"
        ),
        also=("group", "group_column", "group_columns"),
    )
    parts: str = recipe_field(
        "auto",
        "data",
        N_(
            "folders that are parts: FOLDER=train,FOLDER=test, none (outer folders are classes), or auto (by "
            "their names)"
        ),
        also=("part_folders",),
    )
    good: str = recipe_field(
        "",
        "data",
        N_("class of the good parts: limpide learns from it alone, and whatever is far from it is a defect"),
        also=("good_class", "normal_class"),
        source="Roth et al. 2022",
    )
    false_alarms: float | None = recipe_field(
        None,
        "data",
        N_("with good parts alone: fraction of good ones that may be called a defect (0.05)"),
        low=0.0001,
        high=0.5,
        also=("contamination", "false_positive_rate"),
        source="Vovk et al. 2005",
    )
    file_column: str = recipe_field(
        "", "data", N_("column of a table that names the files"), also=("image_column", "path_column")
    )
    label_column: str = recipe_field(
        "", "data", N_("column of a table that holds the classes"), also=("target_column", "class_column")
    )
    split_column: str = recipe_field(
        "", "data", N_("column of a table that says train, validation or test"), also=("part_column",)
    )
    images: str = recipe_field(
        "",
        "data",
        N_("folder of a table's files, if it is not the folder of the table itself"),
        also=("image_folder", "image_dir", "images_dir"),
    )
    suffix: str = recipe_field(
        "", "data", N_("ending that a table leaves out of its file names: .jpg"), also=("extension",)
    )
    weight_decay: float | None = recipe_field(
        None,
        "optimization",
        N_("weight decay: with adamw it shrinks the weights at each step (0.02), else it is an L2 penalty (0)"),
        low=0,
        high=10,
        also=("wd", "l2"),
        source="Loshchilov & Hutter 2019",
    )
    l1: float = recipe_field(
        0.0,
        "optimization",
        N_("L1 penalty: this times the sum of the weights' absolute values is minimised, too"),
        low=0,
        high=10,
        source="Tibshirani 1996",
    )
    dropout: float | None = recipe_field(
        None,
        "model",
        N_("fraction of the units that are set to zero in training, where the network has dropout"),
        low=0,
        high=0.95,
        also=("drop", "drop_rate"),
        source="Srivastava et al. 2014",
    )
    normalization: str = recipe_field(
        "auto",
        "model",
        N_("batch (after each convolution), none, or auto (as the network has it)"),
        choices=("auto", "batch", "none"),
        also=("norm", "batch_norm"),
        source="Ioffe & Szegedy 2015",
    )
    init: str = recipe_field(
        "default",
        "model",
        N_("initial weights of a network from scratch: default (its own), xavier, kaiming or normal"),
        choices=("default", "xavier", "kaiming", "normal"),
        also=("initialization", "initialisation"),
        source="Glorot & Bengio 2010; He et al. 2015",
    )
    clip: float | None = recipe_field(
        None,
        "optimization",
        N_("largest norm of a step's gradients: larger ones are scaled down to it"),
        low=1e-6,
        high=1e6,
        also=("clip_norm", "gradient_clip", "max_grad_norm"),
        source="Pascanu et al. 2013",
    )
    average: str = recipe_field(
        "none",
        "optimization",
        N_("ema keeps a running mean of the weights over a twentieth of the steps, none the weights themselves"),
        choices=("none", "ema"),
        also=("averaging",),
        source="Polyak & Juditsky 1992",
    )
    accumulate: int = recipe_field(
        1,
        "optimization",
        N_("number of batches whose gradients are added before a step"),
        low=1,
        high=1024,
        also=("accumulate_grad_batches", "accumulation_steps"),
    )
    keep: str = recipe_field(
        "best",
        "optimization",
        N_("weights that are shipped: best (on validation) or last; all ships the best and keeps those of every epoch"),
        choices=("best", "last", "all"),
        also=("keep_weights",),
    )
    label_smoothing: float | None = recipe_field(
        None,
        "optimization",
        N_("label smoothing: fraction of the target spread over all classes (0.1 with cross-entropy, else 0)"),
        low=0,
        high=0.9,
        source="Szegedy et al. 2016, section 7",
    )
    balance: str = recipe_field(
        "auto",
        "optimization",
        N_(
            "whether a rare class counts as much as a frequent one: yes, no, or auto, which does so where the largest "
            "class is ten times the smallest"
        ),
        choices=("auto", "yes", "no"),
        also=("class_weight", "class_weights"),
        source="Menon et al. 2021, section 4.1",
    )
    augment: str = recipe_field(
        "auto",
        "augmentation",
        N_(
            "none, light, strong, auto (light, unless the epochs are few), or a list of flip, crop, zoom, rotate, "
            "translate, color, blur, erase, mixup and cutmix, separated by commas"
        ),
        pattern=rf"none|light|strong|auto|(?:{'|'.join(CHANGES)})(?:,(?:{'|'.join(CHANGES)}))*",
        also=("augmentation", "aug"),
        legal="none | light | strong | auto | " + ",".join(CHANGES),
    )
    flip: str = recipe_field(
        "auto",
        "augmentation",
        N_("mirror images left-right while training"),
        choices=("auto", "yes", "no"),
        also=("fliplr", "horizontal_flip"),
    )
    average_mirrored: str = recipe_field(
        "auto",
        "model",
        N_(
            "whether the answer is the mean of those about the image and its mirror image, for twice the time: yes, "
            "no, or auto, for a network from scratch where mirroring keeps the class and validation does no worse"
        ),
        choices=("auto", "yes", "no"),
        also=("tta", "test_time_augmentation"),
        source="Jordan 2024, section 3.5",
    )
    patience: int | None = recipe_field(
        None,
        "optimization",
        N_("epochs without improvement before stopping"),
        low=1,
        also=("early_stopping_patience", "n_iter_no_change"),
    )
    seed: int = recipe_field(0, "optimization", N_("random seed"), low=0, high=2**31 - 1, also=("random_state",))
    device: str = recipe_field("auto", "machine", N_("auto, cpu, cuda, mps or cuda:1"))
    precision: str = recipe_field(
        "auto", "machine", N_("numeric precision of a training step"), choices=("auto", "fp32", "bf16")
    )

    def __post_init__(self) -> None:
        for choice in dataclasses.fields(self):
            object.__setattr__(self, choice.name, check_value(choice, getattr(self, choice.name)))
        check_together(self)

    @classmethod
    def of(cls, **names: Any) -> Recipe:
        """A recipe from known names; raises UsageError for an unknown one, with the nearest name."""
        choices: dict[str, Any] = {}
        for name, value in names.items():
            if canonical_name(name) in choices:
                raise UsageError("L113", where=f"{name}={value}")
            choices[canonical_name(name)] = value
        return cls(**choices)

    def but(self, **names: Any) -> Recipe:
        return dataclasses.replace(self, **{canonical_name(name): value for name, value in names.items()})

    def shares(self) -> tuple[float, float]:
        """Fractions of the images kept for test and validation; both 0 where folds judge them."""
        if self.folds:
            return 0.0, 0.0
        return 0.2 if self.test is None else self.test, 0.1 if self.validation is None else self.validation

    def span(self) -> tuple[float, float] | None:
        """`value_range` as numbers; None for auto and none."""
        low, dots, high = self.value_range.partition("..")
        return (float(low), float(high)) if dots else None

    def asked_range(self) -> tuple[float, float] | str:
        """`value_range` as the user gave it: auto, none or (low, high)."""
        return self.span() or self.value_range

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Recipe:
        return cls.of(**data)


def canonical_name(name: str) -> str:
    plain = name.replace("-", "_")
    for choice in dataclasses.fields(Recipe):
        if plain == choice.name or plain in choice.metadata["also"]:
            return choice.name
    guess = nearest(
        plain,
        [c.name for c in dataclasses.fields(Recipe)]
        + [a for c in dataclasses.fields(Recipe) for a in c.metadata["also"]],
    )
    raise UsageError(
        "L101", where=name, todo=N_("did you mean {guess}?") if guess else N_("see limpide train --help"), guess=guess
    )
