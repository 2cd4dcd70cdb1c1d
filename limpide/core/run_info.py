"""What run.json says: one typed record. A field is added in one line, with the default that stands for it in older
runs.

docs/reference/run-format.md says what each field means to a reader of the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, TypeVar, get_type_hints

from limpide.core import typed_json
from limpide.core.recipe import OF_STEPS, Recipe

Phase = Literal["read", "check", "split", "quote", "first", "folds", "fit", "seal", "judge", "done"]
FORMAT = 1
T = TypeVar("T")


@dataclass(frozen=True)
class Arrays:
    """How images and labels from a program are to be read (data/inputs.py)."""

    scale: float | None = None  # what turns floats into grey levels
    dtype: str = ""  # of the labels, as numpy writes it
    labels: tuple[Any, ...] | None = None  # the distinct ones, in the order of the classes
    # of one image; null: they came from files · (): an older run did not write it down
    shape: tuple[int, ...] | None = ()


@dataclass(frozen=True)
class Rows:
    """How rows of numbers are to be read (api/flat_classifier.py)."""

    shape: tuple[int, ...]  # (height, width) or (height, width, channels)
    features: int
    low: float  # of the training data
    high: float


@dataclass(frozen=True)
class Quoted:
    """What was said before the training."""

    seconds: float  # of the whole command
    fitting: float  # s, of them
    memory: float  # bytes
    first: float = 0.0  # s, to the first model
    step: float = 0.0  # s, of one gradient step
    look: float = 0.0  # s, of one look at the validation part
    after: float = 0.0  # s, from the last step to the report, without what may be left out
    audits: Mapping[str, float] = field(default_factory=dict)  # s, of each audit that may be left out


@dataclass(frozen=True)
class Plan:
    """From step `at` on, `steps` are to be done in all. It is written down before it is acted upon, so that a resume
    does the same.
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
    milliseconds: float = 0.0  # to name one image


@dataclass(frozen=True)
class Final:
    """The network that was sealed."""

    kind: str = ""  # frozen · fine-tuned · trained; "" of a network that was opened without a training
    preprocessing: Mapping[str, Any] = field(default_factory=dict)
    validation: float | None = None  # share
    network: str = ""  # its name, where it is another than the recipe's: one that looks through windows


@dataclass(frozen=True)
class Learning:
    """The network while it learns, as watchers see it."""

    preprocessing: Mapping[str, Any] = field(default_factory=dict)
    probes: int = 0  # images that were set aside to be followed
    part: str | None = None  # of the data, that they come from


@dataclass(frozen=True)
class Calibrated:
    """What the sealed model divides its logits by (training/temperature.py)."""

    value: float
    n: int = 0
    before: float = 0.0  # nats
    after: float = 0.0  # nats
    how: str = ""


@dataclass(frozen=True)
class Used:
    """Energy, of all sessions so far (energy.py)."""

    joules: float = 0.0
    how: str = ""
    watts: float = 0.0


@dataclass(frozen=True)
class RunInfo:
    format: int = FORMAT
    created: str = ""  # ISO 8601, UTC
    status: str = "started"  # running · stopped · refused · finished · opened
    phase: Phase = "read"  # all before it is done
    offset: int = 0  # bytes of events.jsonl when the phase began
    epoch_id: int = 0  # raised whenever events are taken back
    # -- what was asked for
    location: str = ""
    data: str = ""  # its name
    classes: tuple[str, ...] = ()
    learned: tuple[int, ...] | None = None  # places of `classes` among the labels that were given; None: all of them
    only_tested: tuple[str, ...] = ()  # classes that only the test part has: they are not in `classes`
    fingerprint: str = ""
    wanted: Mapping[str, Any] = field(default_factory=dict)  # a Recipe, with open choices
    machine: Mapping[str, Any] = field(default_factory=dict)
    process: int | None = None
    test_looks: int = 0  # sealed files that were put to the test images
    test_seen_by: tuple[str, ...] = ()  # the first digits of the sha256 of each
    good: str = ""  # the class of good parts, which alone is learned from; "" where classes are told apart
    # -- what was decided
    recipe: Mapping[str, Any] = field(default_factory=dict)  # a Recipe
    seen: Mapping[str, Any] | None = None  # an ImageSample (data/read_images.py)
    grouped_by: str = ""  # the columns whose values the split never cut, with commas
    split_rows: int | None = None  # of split.csv
    views: tuple[str, ...] = ()  # what the folds choose among (training/views.py), the cheapest first
    steps: int | None = None
    epochs: float | None = None
    quote: Quoted | None = None
    # what is done to training images (training/augment/); {} = nothing; None: not known of older runs
    augmentation: Mapping[str, Any] | None = None
    stop_at: int | None = None  # steps, where a watcher ended the training: in runs of earlier versions
    threads: int | None = None  # of a gradient step, where other work kept the processor busy; None: all
    plans: tuple[Plan, ...] = ()  # other numbers of steps than `steps`, in the order in which they were decided
    left_out: tuple[str, ...] = ()  # what there was no time for (msgids), with --time
    paused: int | None = None  # steps after which a watcher made it wait, as long as it waits
    # -- what came of it
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
    scored: bool = False  # the sealed file was put to the test images
    rivals: Mapping[str, int] = field(default_factory=dict)  # images that each simpler model had, with --time
    judged: bool = True  # False: it ended with the sealed model
    # -- from a program, or opened without a training
    arrays: Arrays | None = None
    rows: Rows | None = None
    opened: bool = False
    fresh: bool = False  # its weights were never trained

    @property
    def training_seconds(self) -> float:
        """What the network itself took: frozen features, their head, and the steps."""
        return self.fit_seconds + (self.frozen.seconds if self.frozen else 0.0)

    @property
    def has_rare_class(self) -> bool:
        """Whether a pretrained network tells two balanced classes apart; by itself it balances where one is rare."""
        is_balanced = self.recipe.get("balance") == "yes" and len(self.classes) == 2
        return is_balanced and self.frozen is not None and not self.good

    @property
    def instead(self) -> dict[str, Any]:
        """Choices of the recipe that the model which is kept did not follow, and what it has in their place; None:
        nothing.
        """
        if self.final is None or self.final.kind != "frozen":
            return {}
        return {"image_size": self.final.preprocessing.get("size"), **dict.fromkeys(OF_STEPS)}

    @property
    def model(self) -> str:
        """The name of the network; "" while it is open."""
        return str(self.recipe.get("model") or self.wanted.get("model") or "")

    @property
    def network(self) -> str:
        """The name of the network that was sealed; before, of the one that learns."""
        return (self.final.network if self.final else "") or self.model

    @classmethod
    def from_json(cls, data: Any) -> RunInfo:
        """Raises InvalidJson, which names the field. Fields of a newer version are left aside, and must be finite JSON
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
    """A field that this phase cannot do without. Raises InvalidJson where it is missing."""
    if value is None:
        raise typed_json.invalid_field(name, typed_json.THERE)
    return value
