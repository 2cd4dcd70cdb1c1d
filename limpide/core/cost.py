"""The cost of a step, and the facts from which it is computed before the step begins.

Each phase of a training and each audit states its own `cost(facts)`; the quote adds them up. A number that a cost
depends on is next to the code that it describes.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cost:
    """seconds: of the whole step · bytes: the peak memory of the step, beyond the memory that is in use anyway."""

    seconds: float = 0.0
    bytes: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        """One step after the other: the first has released its memory."""
        return Cost(self.seconds + other.seconds, max(self.bytes, other.bytes))


@dataclass(frozen=True)
class FrozenFacts:
    """Facts about a pretrained network whose features are computed before anything is fine-tuned."""

    size: int  # pixels per side of the squares that it sees
    seconds: float = 0.0  # s per image through it
    learned: int = 0  # images of the training and validation part that are shown to it
    test: int = 0  # images of the test part
    views: float = 0.0  # s for other views of them, where folds choose among views


@dataclass(frozen=True)
class Facts:
    """Facts about a model and its data that are known before the work: counts, bytes, and seconds measured on this
    machine.
    """

    train: int = 0  # images of each part
    validation: int = 0
    calibration: int = 0
    test: int = 0
    classes: int = 0  # classes that are learned
    classes_tested: int = 0  # classes in the test part
    size: int = 1  # pixels per side of the squares that the network sees
    channels: int = 3
    multiply_adds: int = 0  # for one image
    parameter_bytes: float = 0.0
    activation_bytes: float = 0.0  # outputs of all layers for one image, at the largest size that is used
    layer_bytes: float = 0.0  # input and output of the largest layer for it
    image_seconds: float = 0.0  # s per image through the network
    decoding_seconds: float = 0.0  # s to decode an image, all cores together
    multiply_adds_a_second: float = 1.0  # for matrix products as flat as those of simple models
    asked: float | None = None  # s for the whole command, with --time
    folds: int = 0  # number of folds that judge the images; 0: a part is kept for the test
    has_rare_class: bool = False  # one of two classes is so rare that it is weighted up to the other
    frozen: FrozenFacts | None = None  # None: trained from scratch

    @property
    def slowest_image(self) -> float:
        """s per image through the slower of the network and the frozen one."""
        return max(self.image_seconds, self.frozen.seconds if self.frozen else 0.0)

    @property
    def largest_size(self) -> int:
        """Pixels per side of the largest squares that are used."""
        return max(self.size, self.frozen.size if self.frozen else 0)
