"""How much memory judging will hold, counted from the network and the images: said before training, when fitting has
been measured.

The steps of judging come one after the other, and each gives back what it took. What a step takes is some times what
the layers take and give for the images that go through together; the factors were measured (docs/performance.md,
Memory).
"""

from __future__ import annotations

from torch import nn

from limpide.baselines.compare import WIDTH, Budget
from limpide.baselines.simple_models import COUNTED, TREES, max_drawn
from limpide.deploy.predictor import BATCH, PIXELS
from limpide.models import activations, parameters, pretrained
from limpide.training.defaults import frozen_size
from limpide.workflows.train.context import TrainContext

LIBRARIES = 70_000_000  # ONNX Runtime, scikit-learn and what writes the report, once they are loaded
FROZEN_RIVAL = 90_000_000  # a pretrained network to compare with, and a chunk of images in it
NODE = 64  # bytes of a tree for each image that it draws, with the counts of a few classes
CLASS = 16  # and for each further class

# Times the bytes of the learned values, and of the activations: all of one image, or the largest of a batch.
EXPORTED, TRACED_EXPORT = 7.5, 1.4  # the exporter's copies of the values, and its run
OPENED, NAMED = 3.4, 2.2  # ONNX Runtime: the file and its own layout of it, and what its arena holds for a batch
SCORED = 4.2  # PyTorch, float32
PASTED = 2.2  # PyTorch, layers fused, in its fastest arithmetic
TRACED = 3.2  # every operation's result is kept, and a copy of it


def judging_bytes(job: TrainContext, model: nn.Module) -> int:
    """Bytes beyond what is held when nothing is trained: the most of sealing, naming, comparing, opening a unit,
    pasting.
    """
    p = job.pixels().preprocessing
    size = max(p.size, frozen_size(job.recipe)) if pretrained(job.recipe) else p.size
    values, given = 4 * parameters(model), activations(model, p.channels, size)
    together = max(1, PIXELS // size**2)
    scored, batch = (
        min(together, max(1, len(job.rows("validation")))),
        min(together, BATCH, max(1, len(job.rows("test")))),
    )
    steps = {
        "sealing": max(EXPORTED * values + TRACED_EXPORT * given.all, SCORED * given.largest * scored),
        "naming": LIBRARIES + OPENED * values + NAMED * given.largest * batch,
        "comparing": LIBRARIES + _rivals(job),
        "opening": LIBRARIES + TRACED * given.all,
        "pasting": LIBRARIES + 2 * values + PASTED * given.largest * min(together, BATCH),
    }
    return int(max(steps.values()))


def _rivals(job: TrainContext) -> float:
    """Pixels as float32, and the largest of the models: a forest, or a pretrained network and its features."""
    sizes = job.sizes()
    images = sizes.images(Budget())
    pixels = 4 * sizes.values * (images["forest"] + sizes.test)
    node = NODE + CLASS * max(0, sizes.classes - COUNTED)
    forest = TREES * node * min(images["forest"], max_drawn(sizes.values, sizes.classes))
    features = 0 if pretrained(job.recipe) else FROZEN_RIVAL + 4 * WIDTH * (images["frozen"] + sizes.few)
    return pixels + max(forest, features)
