"""A Recipe: every choice of a training, in one flat frozen object that goes to JSON and back.

`None` means "decide for me": the decision is made once, with its reason, and a run records and replays a recipe without
any None. The names of other libraries are accepted wherever a name is.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from limpide.core.errors import UsageError, nearest
from limpide.core.recipe_values import NUMBER, check_value
from limpide.text.messages import N_

WHOLE, QUARTERS = "whole", "quarters"  # views without extra cost; training/views.py describes the others
VIEWS = ("auto", WHOLE, QUARTERS, "windows", "windows-448", "windows-800", "windows-1120", "windows-1792")


Group = Literal["data", "model", "optimization", "augmentation", "machine"]
# Groups of choices, in the order of the help.
GROUPS: dict[Group, str] = {
    "model": N_("Network"),
    "optimization": N_("Learning"),
    "data": N_("Images"),
    "augmentation": N_("Changes to the images while training"),
    "machine": N_("Machine"),
}


def _choice(
    default: Any,
    group: Group,
    meaning: str,
    *,
    unit: str = "",
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    pattern: str = "",
    also: tuple[str, ...] = (),
    source: str = "",
    accepts: str = "",
) -> Any:
    """accepts: a type that may be given for the value, besides the value's own."""
    rules = dict(unit=unit, low=low, high=high, choices=choices, pattern=pattern)
    metadata = dict(group=group, meaning=meaning, also=also, source=source, accepts=accepts) | rules
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Recipe:
    """One field per choice: default, group, meaning, unit, legal range, other names, source. The command line with its
    help, the parameters of ImageClassifier and run.json are derived from it.
    """

    model: str = _choice(
        "auto",
        "model",
        N_(
            "network to train: auto, a name that limpide models lists, timm:NAME, or your own as package.module:factory"
        ),
        also=("arch", "architecture", "net"),
    )
    weights: str = _choice(
        "auto",
        "model",
        N_(
            "initial weights: auto (published weights, where there are any), none, FILE.safetensors, the folder "
            "of a run, or hf:owner/name/file.safetensors"
        ),
        also=("pretrained_weights",),
    )
    freeze: str = _choice(
        "auto",
        "model",
        N_(
            "pretrained layers that stay frozen: auto, none, a number of blocks counted from the first, or head "
            "for all but the last layer"
        ),
        pattern=r"auto|none|head|\d{1,4}",
        source="Yosinski et al. 2014",
    )
    time: float | None = _choice(
        None,
        "optimization",
        N_("time limit of the whole command: what does not fit is left out and reported; the score is never left out"),
        unit="s",
        low=1,
        also=("time_limit", "max_time", "budget"),
        accepts="str",
    )
    epochs: int | None = _choice(
        None,
        "optimization",
        N_("epochs: passes over the training images"),
        low=1,
        high=100_000,
        also=("n_epochs", "num_epochs", "max_epochs"),
    )
    batch: int | None = _choice(
        None, "optimization", N_("images in one step"), low=1, high=65_536, also=("batch_size", "bs")
    )
    lr: float | None = _choice(
        None,
        "optimization",
        N_("highest learning rate"),
        low=1e-8,
        high=100,
        also=("lr0", "learning_rate", "learning_rate_init"),
    )
    image_size: int | None = _choice(
        None,
        "data",
        N_("side of the square the network sees"),
        unit="px",
        low=8,
        high=1024,
        also=("imgsz", "img_size", "size"),
    )
    fit: str = _choice(
        "squash",
        "data",
        N_("how an image becomes a square: squash keeps all of it, crop keeps the proportions of its centre"),
        choices=("squash", "crop"),
    )
    value_range: str = _choice(
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
    test: float | None = _choice(
        None,
        "data",
        N_("fraction of the images kept for the test, the final score (0.2, none with --folds)"),
        low=0.01,
        high=0.8,
        also=("test_size",),
    )
    validation: float | None = _choice(
        None,
        "data",
        N_("fraction of the images kept for validation, which chooses between models (0.1, none with --folds)"),
        low=0.01,
        high=0.8,
        also=("val_split", "validation_split", "valid_pct", "validation_fraction"),
    )
    calibration: float = _choice(
        0.1,
        "data",
        N_("fraction of the images kept to calibrate probabilities, from 1,000 images on"),
        low=0.0,
        high=0.5,
    )
    folds: int | None = _choice(
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
    view: str = _choice(
        "auto",
        "data",
        N_(
            "how a frozen network looks at images judged in folds: whole (one small square), quarters (also each "
            "quarter of it, by earlier layers), windows (larger squares, where small things count), windows-448 "
            "or another of these sizes in pixels, or auto (the folds choose)"
        ),
        choices=VIEWS,
    )
    groups: str = _choice(
        "auto",
        "data",
        N_(
            "group columns of a table, whose groups stay together in one part (patient, camera): names "
            "separated by commas, auto or none"
        ),
        also=("group", "group_column", "group_columns"),
    )
    parts: str = _choice(
        "auto",
        "data",
        N_(
            "folders that are parts: FOLDER=train,FOLDER=test, none (outer folders are classes), or auto (by "
            "their names)"
        ),
        also=("part_folders",),
    )
    good: str = _choice(
        "",
        "data",
        N_("class of the good parts: limpide learns from it alone, and whatever is far from it is a defect"),
        also=("good_class", "normal_class"),
        source="Roth et al. 2022",
    )
    false_alarms: float | None = _choice(
        None,
        "data",
        N_("with good parts alone: fraction of good ones that may be called a defect (0.05)"),
        low=0.0001,
        high=0.5,
        also=("contamination", "false_positive_rate"),
        source="Vovk et al. 2005",
    )
    file_column: str = _choice(
        "", "data", N_("column of a table that names the files"), also=("image_column", "path_column")
    )
    label_column: str = _choice(
        "", "data", N_("column of a table that holds the classes"), also=("target_column", "class_column")
    )
    split_column: str = _choice(
        "", "data", N_("column of a table that says train, validation or test"), also=("part_column",)
    )
    images: str = _choice(
        "",
        "data",
        N_("folder of a table's files, if it is not the folder of the table itself"),
        also=("image_folder", "image_dir", "images_dir"),
    )
    suffix: str = _choice("", "data", N_("ending that a table leaves out of its file names: .jpg"), also=("extension",))
    weight_decay: float | None = _choice(
        None,
        "optimization",
        N_("weight decay of each step (decoupled, as in AdamW)"),
        low=0,
        high=10,
        also=("wd",),
        source="Loshchilov & Hutter 2019",
    )
    label_smoothing: float = _choice(
        0.1,
        "optimization",
        N_("label smoothing: fraction of the target spread over all classes"),
        low=0,
        high=0.9,
        source="Szegedy et al. 2016, section 7",
    )
    balance: str = _choice(
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
    flip: str = _choice(
        "auto",
        "augmentation",
        N_("mirror images left-right while training"),
        choices=("auto", "yes", "no"),
        also=("fliplr", "horizontal_flip"),
    )
    patience: int | None = _choice(
        None,
        "optimization",
        N_("epochs without improvement before stopping"),
        low=1,
        also=("early_stopping_patience", "n_iter_no_change"),
    )
    seed: int = _choice(0, "optimization", N_("random seed"), low=0, high=2**31 - 1, also=("random_state",))
    device: str = _choice("auto", "machine", N_("auto, cpu, cuda, mps or cuda:1"))
    precision: str = _choice(
        "auto", "machine", N_("numeric precision of a training step"), choices=("auto", "fp32", "bf16")
    )

    def __post_init__(self) -> None:
        for choice in dataclasses.fields(self):
            object.__setattr__(self, choice.name, check_value(choice, getattr(self, choice.name)))
        if (span := self.span()) and not span[0] < span[1] < math.inf:
            where = f"value_range={self.value_range}"
            raise UsageError("L138", where=where)
        test, validation = self.shares()
        if test + validation + self.calibration > 0.9:
            raise UsageError("L103", where=f"test={test} validation={validation} calibration={self.calibration}")
        if self.folds == 1:
            raise UsageError("L102", where="folds=1", name="folds", expected="0, 2 … 20")
        if self.folds and (self.test or self.validation):
            kept = f"test={self.test}" if self.test else f"validation={self.validation}"
            raise UsageError("L165", where=f"folds={self.folds} {kept}")

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


# Choices for training in gradient steps: they do not apply if the first model is kept, a last layer fitted on frozen
# features.
OF_STEPS = ("epochs", "batch", "lr", "weight_decay", "freeze", "label_smoothing", "flip", "patience", "precision")


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
