"""A baseline: a simpler model that a trained network is compared with. One file and one line of registry.py."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from limpide.core.cost import Facts
from limpide.core.events import Event
from limpide.core.recipe import Recipe
from limpide.data.dataset import Dataset
from limpide.data.read_images import Pixels
from limpide.text.messages import Message, message

MAX_TEST = 2000  # test images that the slow baselines are scored on
MAX_BYTES = 512_000_000  # of float32 pixels of training images handed to a baseline
MAX_WORK = 500_000_000_000  # multiply-adds that one baseline may cost: a few seconds
MIN_IMAGES = 32  # training images; or two of each class
SIDE = 32  # pixels: side of the squares that baselines on pixels see

# The trainings after which a baseline is fitted: any; those from scratch; those that began with a pretrained network,
# whose features are available; or, among the latter, those that fine-tuned it, so that its first head is a different
# model.
Training = Literal["any", "from scratch", "pretrained", "fine-tuned"]


@dataclass(frozen=True)
class Baseline:
    """An entry of the table in registry.py."""

    key: str  # in files and findings: never renamed
    name: str  # in the catalogue of sentences
    fit: Callable[[BaselineData, Allowance], Attempt]
    images: Callable[[Sizes, Budget], float]  # the most training images that the budget allows, decided from counts
    work: Callable[[Facts, Sizes, int], Work]  # the cost of fitting it on that many images, and of scoring it
    after: Training = "any"

    @property
    def title(self) -> Message:
        return message(self.name)

    def compared(self, scores: Scores) -> ComparedModel:
        return ComparedModel(**vars(scores), key=self.key, name=self.name)


@dataclass(frozen=True, eq=False)
class Scores:
    """The results of a model in the comparison. None means not measured, or not meaningful for this model."""

    right: np.ndarray  # bool (m,), whether its answer is right, for the test images it was asked about
    rows: np.ndarray  # int (m,), sorted: which of the test images these are
    n_train: int
    seconds: float  # of training
    milliseconds: float | None = None  # to name one decoded image alone
    bytes: int | None = None  # that have to be kept
    multiply_adds: int | None = None  # for one image
    drawn: int | None = None  # training images drawn for each tree of a forest

    @property
    def n_test(self) -> int:
        return len(self.right)

    @property
    def accuracy(self) -> float:
        return float(self.right.mean())


@dataclass(frozen=True, eq=False, kw_only=True)
class ComparedModel(Scores):
    """A model in the comparison, the network included."""

    key: str
    name: str  # in the catalogue of sentences

    @property
    def title(self) -> Message:
        return message(self.name)


# yields None while its progress is not known; returns None where no fit ended in time
Attempt = Generator[Event | None, None, Scores | None]


@dataclass(frozen=True)
class Budget:
    """What one baseline may cost. Without `seconds`, nothing here depends on a clock."""

    work: float = MAX_WORK  # multiply-adds
    bytes: float = MAX_BYTES
    seconds: float | None = None  # where a time was given; 0: none is left for any baseline


@dataclass(frozen=True)
class Allowance:
    """How many training images a baseline may have: `images` where `seconds` is None, independent of any clock."""

    images: int
    seconds: float | None = None  # where a time was given: as many images as can be learned within it
    decided: int | None = None  # the number that an earlier session found to fit into the seconds; 0: none did
    seed: int = 0


@dataclass(frozen=True)
class Work:
    """The cost of one baseline."""

    multiply_adds: float = 0.0  # of fitting, which the budget bounds
    bytes: float = 0.0  # the most that it holds besides the pixels
    seconds: float = 0.0  # of loading, decoding and scoring, in addition and without a bound


@dataclass(frozen=True)
class Sizes:
    """The sizes of a comparison."""

    train: int  # images
    test: int
    classes: int
    values: int  # of one image: pixels times channels that baselines on pixels see

    @property
    def least(self) -> int:
        """The fewest training images on which a baseline is fitted: MIN_IMAGES, or two a class."""
        return max(MIN_IMAGES, 2 * self.classes)

    @property
    def few(self) -> int:
        """The number of test images that the slow baselines are asked about."""
        return min(self.test, MAX_TEST)

    def images_on_pixels(self, budget: Budget) -> float:
        """The number of training images that fit into the memory as float32."""
        return budget.bytes / (4 * self.values)


@dataclass(frozen=True)
class HeldOut:
    """The images that a baseline is asked about. x: float32 (m, …) · labels: int (m,) · rows: int (m,), sorted, which
    of the test images these are.
    """

    x: np.ndarray
    labels: np.ndarray
    rows: np.ndarray


@dataclass(frozen=True)
class FrozenModel:
    """The results of the first model: a linear head and the features it was fitted on."""

    train: np.ndarray  # float32 (n, width)
    train_rows: np.ndarray
    test: np.ndarray  # float32 (m, width)
    test_rows: np.ndarray
    weight: np.ndarray  # (classes, width)
    bias: np.ndarray
    # float32 (m, classes), where folds judge: for each test image, the answer of the head that had not seen it
    logits: np.ndarray | None
    seconds: float  # of computing the features of the training images and fitting the head
    head_seconds: float  # the second of these two
    milliseconds: float
    bytes: int
    multiply_adds: int
    is_the_network: bool  # nothing was fine-tuned, or it did not help: then it does not count as a baseline of itself


@dataclass(frozen=True)
class BaselineInputs:
    """The inputs of the comparison of one run. `frozen` is None where the network was trained from scratch."""

    pixels: Pixels
    frozen: FrozenModel | None
    budget: Budget
    recipe: Recipe
    # the numbers that an earlier session found to fit into the seconds: key → images
    decided: Mapping[str, int] = field(default_factory=dict)
    # stores the finished baselines, so that an interrupted comparison goes on with the next
    cache: Path | None = None


@dataclass(frozen=True)
class BaselineData:
    """The data from which each baseline selects its inputs. Pixels: float32 (n, values), about −2…2; rows number the
    data set's images.
    """

    dataset: Dataset
    recipe: Recipe
    sizes: Sizes
    train_rows: np.ndarray  # int (n,), the whole training part
    test_rows: np.ndarray  # int (m,), the test images
    pixels: np.ndarray  # of as many training images as the memory allows, all classes in proportion
    labels: np.ndarray  # int, of these
    test: HeldOut  # pixels of all test images
    few: HeldOut  # at most MAX_TEST of them, for slow baselines
    frozen: FrozenModel | None

    def frozen_test(self) -> HeldOut:
        """Features of the test images that the frozen network saw."""
        frozen, rows = self.frozen, self.test_rows
        assert frozen, "it is fitted after trainings that began with a pretrained network"
        places = np.flatnonzero(np.isin(frozen.test_rows, rows))
        images = frozen.test_rows[places]
        return HeldOut(take_rows(frozen.test, places), self.dataset.labels[images], np.searchsorted(rows, images))


def take_rows(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """values[rows] for sorted rows without repetition: not copied where these are all rows."""
    return values if len(rows) == len(values) else values[rows]
