"""A Recipe: every choice of a training, in one flat frozen object that goes to JSON and back.

`None` means "decide for me": the decision is made once, with its reason, and a recipe without any None is what a run
records and replays. The names that people know from other libraries are accepted wherever a name is.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from limpide.core.errors import UsageError, nearest
from limpide.text.messages import N_

WHOLE, QUARTERS = "whole", "quarters"  # views that cost nothing more: training/views.py tells the others
VIEWS = ("auto", WHOLE, QUARTERS, "windows", "windows-448", "windows-800", "windows-1120", "windows-1792")
NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?"


Group = Literal["data", "model", "optimization", "augmentation", "machine"]
# What choices are about, in the order in which the help lists them.
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
    """accepts: the type of what may be written in place of the value, besides the value's own."""
    rules = dict(unit=unit, low=low, high=high, choices=choices, pattern=pattern)
    metadata = dict(group=group, meaning=meaning, also=also, source=source, accepts=accepts) | rules
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Recipe:
    """One field a choice: default, group, meaning, unit, legal range, other names, source. The command line with its
    help, the parameters of ImageClassifier and run.json follow.
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
            "what it starts from: auto (published weights, where there are any), none, FILE.safetensors, the "
            "folder of a run, or hf:owner/name/file.safetensors"
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
        N_("how long the whole command may take: what does not fit is left out and said, never the score"),
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
            "folds in which a last layer on a frozen network is judged, each image by one that had not seen it, while "
            "the model learns from every image: 5 of up to 300 photographs (auto); 0 keeps a part for the test instead"
        ),
        low=0,
        high=20,
        also=("cv", "n_splits"),
    )
    view: str = _choice(
        "auto",
        "data",
        N_(
            "how a frozen network looks at images judged in folds: whole (in one small square), quarters (of it "
            "apart, too, by earlier layers), windows (larger squares, in which small things count), windows-448 or "
            "another of these sizes in pixels, or auto (as the folds choose)"
        ),
        choices=VIEWS,
    )
    groups: str = _choice(
        "auto",
        "data",
        N_("group columns of a table, kept together in one part (patient, camera): names with commas, auto or none"),
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
        N_("folder that the files of a table lie in, where it is not the table's own"),
        also=("image_folder", "image_dir", "images_dir"),
    )
    suffix: str = _choice(
        "", "data", N_("what a table leaves away at the end of its file names: .jpg"), also=("extension",)
    )
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
    precision: str = _choice("auto", "machine", N_("arithmetic of a training step"), choices=("auto", "fp32", "bf16"))

    def __post_init__(self) -> None:
        for choice in dataclasses.fields(self):
            object.__setattr__(self, choice.name, _check_value(choice, getattr(self, choice.name)))
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
        """A recipe from names people know; raises UsageError with the nearest name for one nobody knows."""
        choices: dict[str, Any] = {}
        for name, value in names.items():
            if canonical_name(name) in choices:
                raise UsageError("L113", where=f"{name}={value}")
            choices[canonical_name(name)] = value
        return cls(**choices)

    def but(self, **names: Any) -> Recipe:
        return dataclasses.replace(self, **{canonical_name(name): value for name, value in names.items()})

    def shares(self) -> tuple[float, float]:
        """Fractions of the images kept for test and validation; none where folds judge them."""
        if self.folds:
            return 0.0, 0.0
        return 0.2 if self.test is None else self.test, 0.1 if self.validation is None else self.validation

    def span(self) -> tuple[float, float] | None:
        """`value_range` as numbers; None for auto and none."""
        low, dots, high = self.value_range.partition("..")
        return (float(low), float(high)) if dots else None

    def asked_range(self) -> tuple[float, float] | str:
        """`value_range` as it was asked for: auto, none or (low, high)."""
        return self.span() or self.value_range

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Recipe:
        return cls.of(**data)


# Choices of training step by step: a first model that is kept, a last layer fitted on frozen features, followed none of
# them.
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


def parse_duration(text: str | float | None, option: str = "time") -> float | None:
    """A duration as people write it: 90, "90", "90s", "5m", "1h30m", "30d". Raises UsageError."""
    if text is None or isinstance(text, (int, float)):
        return text
    text = str(text)
    units = {"": 1, "s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
    parts = re.findall(r"\s*(\d+(?:\.\d+)?)\s*(min|sec|[smhd]?)", text.strip().lower())
    complete = "".join("".join(part) for part in parts) == re.sub(r"\s", "", text.lower())
    # 1h30: minutes or seconds?
    if not parts or not complete or (len(parts) > 1 and not all(unit for _, unit in parts)):
        raise UsageError("L104", where=f"{option}={text}")
    return sum(float(value) * units[unit] for value, unit in parts)


def _check_value(choice: dataclasses.Field[Any], value: Any) -> Any:
    """The value in its own type, or a UsageError that says what would have been right."""
    rules, kind, came = choice.metadata, str(choice.type), value
    if value is None:
        if "None" in kind:
            return None
    elif choice.name == "time":
        value = parse_duration(value)
    elif choice.name == "value_range" and isinstance(value, (tuple, list)) and len(value) == 2:
        value = range_as_text(value)
    elif "str" in kind:
        value = str(value).lower() if rules["choices"] else str(value)
        if rules["choices"] and value in ("true", "false", "1", "0"):
            value = "yes" if value in ("true", "1") else "no"
    else:
        try:
            number = float(value)
            value = int(number) if "int" in kind and number == int(number) else number if "float" in kind else None
        except (TypeError, ValueError, OverflowError):
            value = None
    legal = value is not None and not (isinstance(value, float) and math.isinf(value))
    if legal and rules["choices"]:
        legal = value in rules["choices"]
    if legal and rules["pattern"]:
        legal = re.fullmatch(rules["pattern"], value) is not None
    if legal and rules["low"] is not None:
        legal = bool(rules["low"] <= value)
    if legal and rules["high"] is not None:
        legal = bool(value <= rules["high"])
    if not legal:
        raise UsageError("L102", where=f"{choice.name}={came}", name=choice.name, expected=_expected(rules, kind))
    return value


def range_as_text(span: Sequence[float] | None) -> str:
    """(0, 4095) → "0..4095", which is read back as the very same numbers; None → "none"."""
    return (
        "none"
        if span is None
        else "..".join(f"{value:.17g}" if _is_whole(value) else repr(float(value)) for value in span)
    )


def _is_whole(value: float) -> bool:
    return math.isfinite(value) and float(value).is_integer()


def _expected(rules: Mapping[str, Any], kind: str) -> str:
    if rules["choices"]:
        return " | ".join(rules["choices"])
    if rules["pattern"]:
        return (
            rules["pattern"]
            .replace(r"\d{1,4}", "0, 1, 2 …")
            .replace(rf"{NUMBER}\.\.{NUMBER}", "LOW..HIGH")
            .replace("|", " | ")
        )
    low, high = rules["low"], rules["high"]
    if low is None:
        return "auto | …"  # a name, checked where the names are known
    whole = "1, 2, 3 …" if "int" in kind and low == 1 and high is None else ""
    return whole or (f"{low:g} … {high:g}" if high is not None else f"≥ {low:g}")
