"""Learn from good parts alone: their patches, the patches to keep, and how strange further good parts are."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from limpide.core.errors import UsageError
from limpide.core.events import Progress
from limpide.core.recipe import Recipe
from limpide.core.recipe_field import OF_STEPS
from limpide.data.read_images import Pixels
from limpide.models import GOOD_PARTS
from limpide.models.good_parts import GoodParts, strangeness
from limpide.text.messages import N_, Message, message
from limpide.training.batches import normalized
from limpide.training.coreset import choose_coreset
from limpide.training.device import choose_device, fuse_batch_norm

BATCH = 16  # images at once: their patches take more memory than the network
FALSE_ALARMS = 0.05  # by default
SIZE = 224  # pixels
CANDIDATES = 20_000  # patches among which the kept ones are chosen; more would take longer and give no better ones
# Options of a training by steps, or of the parts that it needs
NOT_CONCERNED = ("model", "weights", "folds", "validation", "calibration", "init", "normalization", *OF_STEPS)


def check_options(recipe: Recipe) -> None:
    """Raises UsageError for an option that has no effect here."""
    for name in NOT_CONCERNED:
        asked = getattr(recipe, name)
        if asked != getattr(Recipe(), name) and (name, asked) != ("model", GOOD_PARTS):
            raise UsageError("L170", where=f"{name}={asked}", name=name)


def decide_good_parts(recipe: Recipe, good: str) -> tuple[Recipe, list[Message]]:
    """The recipe with its blanks filled, and the reasons. good: the class of good parts."""
    asked_size = recipe.image_size or SIZE
    size = max(64, round(asked_size / 32) * 32)
    reasons = [
        message(
            N_("the model learns what parts of {name} look like, and calls anything far from that a defect"), name=good
        )
    ]
    if size != asked_size:
        says = N_("image size {size} px: this network needs at least {least} px, and a multiple of {multiple}")
        reasons.append(message(says, size=size, least=64, multiple=32))
    filled = recipe.but(
        model=GOOD_PARTS,
        good=good,
        image_size=size,
        device=str(choose_device(recipe.device)),
        precision="fp32",
        test=recipe.shares()[0],
    )
    return filled, reasons


class Describer:
    """Computes patch vectors of squares of pixels with the frozen network, as fast as the device allows."""

    def __init__(self, model: GoodParts, pixels: Pixels, device: torch.device) -> None:
        self.pixels, self.device = pixels, device
        self.model: GoodParts = fuse_batch_norm(model, device)  # type: ignore[assignment]

    @torch.inference_mode()
    def patches(self, rows: np.ndarray) -> Tensor:
        """float32 (n, width, rows, columns), of images of the data set."""
        raw = torch.from_numpy(np.ascontiguousarray(self.pixels.take(rows))).to(self.device)
        return self.model.patches(normalized(raw, self.pixels.preprocessing)).float()


def describe(describer: Describer, rows: np.ndarray, each: int) -> Generator[Progress, None, tuple[Tensor, np.ndarray]]:
    """(patches (n, each, width): `each` of every image, drawn at random, the same ones every time; the mean of all
    patches of each image, float32 (n, width)).
    """
    patches, means = [], []
    for k in range(0, len(rows), BATCH):
        part = rows[k : k + BATCH]
        maps = describer.patches(part).flatten(2).cpu()  # (batch, width, patches)
        for row, one in zip(part.tolist(), maps, strict=True):
            order = torch.randperm(one.shape[1], generator=torch.Generator().manual_seed(row))
            patches.append(one[:, order[:each].sort().values].T)
        means.append(maps.mean(2).numpy())
        yield Progress(message(N_("examining good parts")), k + len(part), len(rows))
    return torch.stack(patches), np.concatenate(means)


@torch.inference_mode()
def keep_patches(model: GoodParts, patches: Tensor, seed: int) -> None:
    """Choose among these patches, (n, width), so that no other is far from the chosen ones; store them in `model`."""
    order = torch.randperm(len(patches), generator=torch.Generator().manual_seed(seed))[:CANDIDATES].sort().values
    candidates = patches[order]
    model.mean.copy_(candidates.mean(0))
    count = len(model.bank)
    chosen = choose_coreset(candidates, count, seed=seed)
    # if there are too few patches, some are stored twice, which changes no distance
    model.bank.copy_(candidates[chosen[torch.arange(count) % len(chosen)]] - model.mean)


def scores_of(model: GoodParts, describer: Describer, rows: np.ndarray, of: Message) -> Iterator[Progress | np.ndarray]:
    """Yield Progress, and last how strange each image is, float64 (n,), as a distance. of: what Progress reports."""
    scores = [np.zeros(0)]
    for k in range(0, len(rows), BATCH):
        part = rows[k : k + BATCH]
        with torch.inference_mode():
            distances = model.nearest(describer.patches(part).cpu())
            scores.append(strangeness(distances.flatten(1)).double().numpy())
        yield Progress(of, k + len(part), len(rows))
    yield np.concatenate(scores)


def patches_an_image(images: int, size: int) -> int:
    """The number of patches to draw from each image, to have about CANDIDATES in total."""
    return max(1, min((size // 8) ** 2, -(-CANDIDATES // max(1, images))))


def some_of(rows: Sequence[int] | np.ndarray, most: int) -> np.ndarray:
    """At most `most` of the rows, spread evenly: int32."""
    rows = np.asarray(rows, np.int32)
    return rows if len(rows) <= most else rows[np.linspace(0, len(rows) - 1, most).astype(int)]
