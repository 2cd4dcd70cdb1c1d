"""What a step takes, and the facts from which it can say so before it begins.

Each phase of a training and each audit states its own `cost(facts)`; the quote adds them up. A number that a cost rests
on lives beside the code that it describes.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cost:
    """seconds: of the whole step · bytes: the most that it holds, beyond what is held anyway."""

    seconds: float = 0.0
    bytes: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        """One step after the other: the first has given back what it held."""
        return Cost(self.seconds + other.seconds, max(self.bytes, other.bytes))


@dataclass(frozen=True)
class FrozenFacts:
    """Of a pretrained network whose features are computed before anything is fine-tuned."""

    size: int  # pixels a side of the squares that it sees
    seconds: float = 0.0  # s an image through it
    learned: int = 0  # images of the training and validation part that are shown to it
    test: int = 0  # of the test part
    views: float = 0.0  # s for looking at them in other ways, where folds choose


@dataclass(frozen=True)
class Facts:
    """What is known of a model and its data before the work: counts, bytes, and seconds that were measured here."""

    train: int = 0  # images of the parts
    validation: int = 0
    calibration: int = 0
    test: int = 0
    classes: int = 0  # that are learned
    classes_tested: int = 0  # that the test part has
    size: int = 1  # pixels a side of the squares that the network sees
    channels: int = 3
    multiply_adds: int = 0  # of one image
    parameter_bytes: float = 0.0
    activation_bytes: float = 0.0  # what all layers give for one image, at the largest size that is used
    layer_bytes: float = 0.0  # what the largest layer takes and gives for it
    image_seconds: float = 0.0  # s an image through the network
    decoding_seconds: float = 0.0  # s to decode an image, all cores together
    multiply_adds_a_second: float = 1.0  # of products as flat as those of simple models
    asked: float | None = None  # s for the whole command, with --time
    folds: int = 0  # in which images are judged; 0: a part is kept for the test
    has_rare_class: bool = False  # one of two classes, so rare that it counts as much as the other
    frozen: FrozenFacts | None = None  # None: trained from scratch

    @property
    def slowest_image(self) -> float:
        """s an image through the slower of the network and the frozen one."""
        return max(self.image_seconds, self.frozen.seconds if self.frozen else 0.0)

    @property
    def largest_size(self) -> int:
        """Pixels a side of the largest squares that are used."""
        return max(self.size, self.frozen.size if self.frozen else 0)
