"""The content of run.json: one typed record. A new field takes one line, with the default that applies to older runs.

docs/reference/run-format.md explains each field to a reader of the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, TypeVar, get_type_hints

from limpide.core import typed_json
from limpide.core.recipe import Recipe
from limpide.core.recipe_field import OF_STEPS

Phase = Literal["read", "check", "split", "quote", "first", "folds", "fit", "seal", "judge", "done"]
FORMAT = 1
T = TypeVar("T")


@dataclass(frozen=True)
class Arrays:
    """How to read images and labels from a program (data/inputs.py)."""

    scale: float | None = None  # factor from floats to grey levels
    dtype: str = ""  # of the labels, as numpy writes it
    labels: tuple[Any, ...] | None = None  # the distinct labels, in the order of the classes
    # of one image; null: the images came from files · (): an older run did not record it
    shape: tuple[int, ...] | None = ()


@dataclass(frozen=True)
class Rows:
    """How to read rows of numbers (api/flat_classifier.py)."""

    shape: tuple[int, ...]  # (height, width) or (height, width, channels)
    features: int
    low: float  # of the training data
    high: float


@dataclass(frozen=True)
class Quoted:
    """The estimate given before the training."""

    seconds: float  # of the whole command
    fitting: float  # s of these, for the gradient steps
    memory: float  # bytes
    first: float = 0.0  # s until the first model
    step: float = 0.0  # s for one gradient step
    look: float = 0.0  # s for one evaluation of the validation part
    after: float = 0.0  # s from the last step to the report, without the audits that may be left out
    audits: Mapping[str, float] = field(default_factory=dict)  # s for each audit that may be left out


@dataclass(frozen=True)
class Plan:
    """From step `at` on, the total number of steps is `steps`. The plan is recorded before it takes effect, so that a
    resume follows it, too.
    """

    at: int
    steps: int
    why: str  # time · watcher


@dataclass(frozen=True)
class FrozenHead:
    """The first model of a pretrained network: its last layer, fitted on frozen features."""

    accuracy: float  # share, on validation
    loss: float  # nats, on validation
    n: int  # images it learned from
    n_validation: int = 0
    strength: float = 0.0  # of the penalty on its weights
    seconds: float = 0.0  # features and head
    head_seconds: float = 0.0
    milliseconds: float = 0.0  # to classify one image


@dataclass(frozen=True)
class Mirroring:
    """The mean of the answers about an image and its mirror image, beside the answer about the image alone."""

    plain: float  # share right on validation
    averaged: float
    n: int  # validation images
    is_used: bool  # whether the sealed network answers with the mean


@dataclass(frozen=True)
class Final:
    """The network that was sealed."""

    kind: str = ""  # frozen · fine-tuned · trained; "" for a network that was opened without training
    preprocessing: Mapping[str, Any] = field(default_factory=dict)
    validation: float | None = None  # share
    network: str = ""  # its name, if it differs from the recipe's: a network that reads windows
    mirroring: Mirroring | None = None  # None: not tried


@dataclass(frozen=True)
class Learning:
    """The network while it learns, as watchers see it."""

    preprocessing: Mapping[str, Any] = field(default_factory=dict)
    probes: int = 0  # number of images that are followed
    part: str | None = None  # the part of the data that they come from


@dataclass(frozen=True)
class Calibrated:
    """The divisor of the logits in the sealed model (training/temperature.py)."""

    value: float
    n: int = 0
    before: float = 0.0  # nats
    after: float = 0.0  # nats
    how: str = ""


@dataclass(frozen=True)
class Used:
    """Energy of all sessions so far (system/energy.py)."""

    joules: float = 0.0
    how: str = ""
    watts: float = 0.0


@dataclass(frozen=True)
class RunInfo:
    format: int = FORMAT
    created: str = ""  # ISO 8601, UTC
    status: str = "started"  # running · stopped · refused · finished · opened
    phase: Phase = "read"  # all earlier phases are done
    offset: int = 0  # bytes of events.jsonl when the phase began
    epoch_id: int = 0  # increased whenever events are removed
    # -- the request
    location: str = ""
    data: str = ""  # name of the data set
    classes: tuple[str, ...] = ()
    learned: tuple[int, ...] | None = None  # indices of `classes` in the given labels; None: all of them
    only_tested: tuple[str, ...] = ()  # classes that only the test part has: they are not in `classes`
    fingerprint: str = ""
    wanted: Mapping[str, Any] = field(default_factory=dict)  # a Recipe, with open choices
    machine: Mapping[str, Any] = field(default_factory=dict)
    machines: tuple[Mapping[str, Any], ...] = ()  # other ones on which it was continued: then not bit for bit
    process: int | None = None
    test_looks: int = 0  # number of sealed files that were evaluated on the test images
    test_seen_by: tuple[str, ...] = ()  # the first digits of the sha256 of each
    good: str = ""  # the class of good parts, the only one that is learned from; "" for classification
    # -- the decisions
    recipe: Mapping[str, Any] = field(default_factory=dict)  # a Recipe
    usual_rate: float | None = None  # learning rate where none is asked for; None: not known, in older runs
    seen: Mapping[str, Any] | None = None  # an ImageSample (data/read_images.py)
    grouped_by: str = ""  # the columns whose values stayed in one part, separated by commas
    split_rows: int | None = None  # number of rows of split.csv
    views: tuple[str, ...] = ()  # the views that the folds choose among (training/views.py), the cheapest first
    steps: int | None = None
    epochs: float | None = None
    quote: Quoted | None = None
    # changes to the training images (training/augment/); {} = none; None: not known, in older runs
    augmentation: Mapping[str, Any] | None = None
    stop_at: int | None = None  # steps at which a watcher ended the training; only in runs of earlier versions
    threads: int | None = None  # of a gradient step, if other work kept the processor busy; None: all
    plans: tuple[Plan, ...] = ()  # later numbers of steps than `steps`, in the order of the decisions
    left_out: tuple[str, ...] = ()  # work that was left out for lack of time (msgids), with --time
    paused: int | None = None  # number of steps at which a watcher paused it; only while it is paused
    # -- the results
    learning: Learning | None = None
    frozen: FrozenHead | None = None
    final: Final | None = None
    temperature: Calibrated | None = None
    energy: Used | None = None
    spent: float = 0.0  # s, by earlier sessions
    fit_seconds: float = 0.0
    first_model_seconds: float | None = None
    model_seconds: float | None = None
    seconds: float | None = None  # the whole command
    scored: bool = False  # the sealed file was evaluated on the test images
    rivals: Mapping[str, int] = field(default_factory=dict)  # number of images that each simpler model had, with --time
    judged: bool = True  # False: the run ended with the sealed model
    # -- from a program, or opened without training
    arrays: Arrays | None = None
    rows: Rows | None = None
    opened: bool = False
    fresh: bool = False  # its weights were never trained

    @property
    def training_seconds(self) -> float:
        """Seconds for the network itself: frozen features, their head, and the steps."""
        return self.fit_seconds + (self.frozen.seconds if self.frozen else 0.0)

    @property
    def has_rare_class(self) -> bool:
        """Whether a pretrained network separates two classes with balanced weights; by default it balances if one class
        is rare.
        """
        is_balanced = self.recipe.get("balance") == "yes" and len(self.classes) == 2
        return is_balanced and self.frozen is not None and not self.good

    @property
    def averages_mirrored(self) -> bool:
        """Whether the sealed network answers with the mean over the image and its mirror image."""
        return bool(self.final and self.final.mirroring and self.final.mirroring.is_used)

    @property
    def instead(self) -> dict[str, Any]:
        """Choices of the recipe that the kept model does not follow → its own value; None: no value."""
        if self.final is None or self.final.kind != "frozen":
            return {}
        return {"image_size": self.final.preprocessing.get("size"), **dict.fromkeys(OF_STEPS)}

    @property
    def model(self) -> str:
        """The name of the network; "" until it is chosen."""
        return str(self.recipe.get("model") or self.wanted.get("model") or "")

    @property
    def network(self) -> str:
        """The name of the sealed network; before that, of the one in training."""
        return (self.final.network if self.final else "") or self.model

    @classmethod
    def from_json(cls, data: Any) -> RunInfo:
        """Raises InvalidJson, which names the field. Fields of a newer version are ignored, but must be finite JSON
        like the others.
        """
        info = typed_json.as_record(cls, data)
        typed_json.check_type(Any, data, "")
        for name in ("wanted", "recipe"):
            for choice, value in getattr(info, name).items():
                if choice in CHOICES:
                    typed_json.check_type(CHOICES[choice], value, f"{name}.{choice}")
        return info


CHOICES = get_type_hints(Recipe)
KNOWN = frozenset(one.name for one in fields(RunInfo))


def require(value: T | None, name: str) -> T:
    """A field that this phase needs. Raises InvalidJson if it is missing."""
    if value is None:
        raise typed_json.invalid_field(name, typed_json.THERE)
    return value
