"""May this explanation be trusted? Two tests that a mere edge detector fails.

1. It must change when the weights of the network are random: the rank correlation with the map of the same network with
   random weights is below ½ (Adebayo et al. 2018, arXiv 1810.03292, model parameter randomisation).
2. Deleting the marked pixels must hurt: the mean probability while they are deleted, most important first, is lower
   than with pixels in random order and than with those that an edge detector marks (Petsiuk et al. 2018, arXiv
   1806.07421, deletion).
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limpide.core.finding import Finding, Number
from limpide.interpret.saliency import Saliency, edge_map, is_quick
from limpide.text.messages import N_, message

MIN_CHANGE = 0.5  # rank correlation with the map of a random network
CELLS = 14  # pixels are deleted in blocks: this many along a side
DRAWS = 5  # random orders
SHARES = 15  # of the blocks, from none to all
COST = SHARES + 2  # images that a badge runs through the network, besides those of its map with random weights
COST_USUAL = (DRAWS + 1) * SHARES + 2  # and those of the two curves that all maps are compared with


@dataclass(frozen=True)
class SaliencyCheck:
    correlation: float  # rank correlation with the map of the same network with random weights
    deletion: float  # mean probability of the class while it is deleted, 0 … 1; lower is better
    deletion_random: float
    deletion_edges: float
    empty: bool = False  # the map is the same everywhere

    @property
    def changes(self) -> bool:
        return abs(self.correlation) < MIN_CHANGE

    @property
    def hurts(self) -> bool:
        return self.deletion < self.deletion_random and self.deletion < self.deletion_edges

    @property
    def passed(self) -> bool:
        return self.changes and self.hurts


def check_saliency(
    model: nn.Module,
    image: Tensor,
    label: int,
    method: Saliency,
    found: Tensor | None = None,
    beside: tuple[float, float] | None = None,
) -> SaliencyCheck:
    """image: (1, channels, height, width), normalised; 0 is grey. Known results need not be computed again: `found`,
    the map itself, and `beside`, the result of `usual_change`.
    """
    found = method(model, image, label) if found is None else found
    other = method(randomize_layers(model), image, label)
    at_random, along_edges = beside or usual_change(model, image, label)
    return SaliencyCheck(
        # a blank map is no more informative than a random network
        rank_correlation(found.flatten(), other.flatten()) if float(found.std()) > 0 else 1.0,
        deletion_curve(is_quick(model, image), image, label, found),
        at_random,
        along_edges,
        empty=float(found.std()) == 0,
    )


def usual_change(model: nn.Module, image: Tensor, label: int) -> tuple[float, float]:
    """Mean probability while the image is deleted at random, and along its edges: the same for every method."""
    generator = torch.Generator().manual_seed(0)
    model, of_edges = is_quick(model, image), edge_map(model, image, label)
    random = [
        deletion_curve(model, image, label, torch.rand(image.shape[-2:], generator=generator)) for _ in range(DRAWS)
    ]
    return sum(random) / DRAWS, deletion_curve(model, image, label, of_edges)


def randomize_layers(model: nn.Module) -> nn.Module:
    """A copy with newly drawn weights; each tensor keeps its spread."""
    model = copy.deepcopy(model).eval()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for p in model.parameters():
            if p.ndim > 1:
                p.copy_(torch.randn(p.shape, generator=generator) * p.std())
    return model


@torch.inference_mode()
def deletion_curve(model: nn.Module, image: Tensor, label: int, importance: Tensor) -> float:
    """Mean probability of the class while the blocks of the image become grey, the most important first."""
    height, width = image.shape[-2:]
    cells = min(CELLS, height, width)
    order = F.adaptive_avg_pool2d(importance[None, None].float(), cells).flatten().argsort(descending=True)
    rank = torch.empty_like(order)
    rank[order] = torch.arange(len(order))
    at = F.interpolate(rank.view(1, 1, cells, cells).float(), size=(height, width), mode="nearest")
    shares = torch.linspace(0, len(order), SHARES)
    images = torch.cat([torch.where(at < share, torch.zeros_like(image), image) for share in shares])
    return float(torch.cat([model(batch).softmax(1)[:, label] for batch in images.split(8)]).mean())


def rank_correlation(a: Tensor, b: Tensor) -> float:
    """Spearman's rank correlation; 0 where one of them is constant."""
    ranks = torch.stack([a.argsort().argsort(), b.argsort().argsort()]).double()
    if float(a.std()) == 0 or float(b.std()) == 0:
        return 0.0
    return float(torch.corrcoef(ranks)[0, 1])


def as_finding(name: str, found: SaliencyCheck) -> Finding:
    if found.empty:
        says = message(N_("This map is empty: by this method, nothing in the image is evidence for the class."))
    elif found.passed:
        says = message(
            N_(
                "This map depends on what the network learned, and deleting what it points at lowers the "
                "probability more than deleting at random and than deleting along edges."
            )
        )
    elif not found.changes:
        says = message(N_("Do not believe this map: a network with random weights produces nearly the same one."))
    elif found.deletion < found.deletion_random:
        says = message(
            N_(
                "Do not believe this map: deleting what it points at lowers the probability no more than "
                "deleting along edges."
            )
        )
    elif found.deletion < found.deletion_edges:
        says = message(
            N_(
                "Do not believe this map: deleting what it points at lowers the probability no more than "
                "deleting at random."
            )
        )
    else:
        says = message(
            N_(
                "Do not believe this map: deleting what it points at lowers the probability no more than "
                "deleting at random, or along edges."
            )
        )
    return Finding(
        name=f"sanity-{name}",
        verdict="ok" if found.passed else "warn",
        message=says,
        numbers=[
            Number(N_("rank correlation with the map of a random network"), found.correlation, ""),
            Number(N_("mean probability, deleted where the map points"), found.deletion, "share"),
            Number(N_("mean probability, deleted at random"), found.deletion_random, "share"),
            Number(N_("mean probability, deleted along edges"), found.deletion_edges, "share"),
        ],
        source="Adebayo et al. 2018; Petsiuk et al. 2018",
    )
