"""Where the evidence for a class is: saliency maps, each with a badge that says whether it may be believed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from limpide.core.events import Progress
from limpide.core.finding import Finding
from limpide.explanation.record import (
    METHOD_WORDS,
    SaliencyEvidence,
)
from limpide.text.messages import N_, message

if TYPE_CHECKING:
    from torch import Tensor, nn


DISTANCE = "distance"


def evidence_of(network: nn.Module, image: Tensor, label: int) -> Iterator[Progress | list[SaliencyEvidence]]:
    """Every saliency map for this class with its badge, which takes seconds: yields progress, then last the list."""
    from limpide.interpret.saliency import is_of_good_parts

    if is_of_good_parts(network):  # its answer is the map itself: there is nothing to estimate
        yield [saliency_of(network, image, label, DISTANCE)]
        return
    evidence: list[SaliencyEvidence] = []
    methods = [method for method in METHOD_WORDS if method != DISTANCE]
    total = len(methods) + 1
    yield Progress(message(N_("searching for the evidence")), 0, total)
    beside = usual_of(network, image, label)
    for k, method in enumerate(methods, 1):
        yield Progress(message(N_("searching for the evidence")), k, total)
        evidence.append(saliency_of(network, image, label, method, beside))
    yield Progress(message(N_("searching for the evidence")), total, total)
    yield evidence


def usual_of(network: nn.Module, image: Tensor, label: int) -> tuple[float, float]:
    """The values with which every badge compares (interpret/saliency_checks.py)."""
    from limpide.interpret.saliency_checks import usual_change
    from limpide.interpret.trace import in_evaluation

    with in_evaluation(network):
        return usual_change(network, image, label)


def saliency_of(
    network: nn.Module, image: Tensor, label: int, method: str, beside: tuple[float, float] | None = None
) -> SaliencyEvidence:
    """One saliency map with its badge. Raises KeyError for a method that does not exist."""
    plane = plane_of(network, image, label, method)
    if plane is None:
        return SaliencyEvidence(method, None, nothing_to_weigh(method))
    return SaliencyEvidence(method, plane, badge_of(network, image, label, method, plane, beside))


def nothing_to_weigh(method: str) -> Finding:
    """The finding in place of a map and its badge."""
    return Finding(
        name=f"sanity-{method}",
        verdict="unknown",
        message=message(N_("This network has no feature maps that this method could weight.")),
    )


def plane_of(network: nn.Module, image: Tensor, label: int, method: str) -> np.ndarray | None:
    """One saliency map, float32 (height, width); None where the network has no maps to weigh. Raises KeyError as
    `saliency_of`.
    """
    from limpide.interpret.saliency import METHODS
    from limpide.interpret.trace import in_evaluation

    with in_evaluation(network):
        try:
            return METHODS[method](network, image, label).detach().float().numpy()  # type: ignore[no-any-return]
        except TypeError:  # no maps to weigh
            return None


def badge_of(
    network: nn.Module,
    image: Tensor,
    label: int,
    method: str,
    plane: np.ndarray,
    beside: tuple[float, float] | None = None,
) -> Finding:
    """Whether this map may be believed: many times the work of the map itself. beside: the result of `usual_of`."""
    import torch

    from limpide.interpret.saliency import METHODS
    from limpide.interpret.saliency_checks import as_finding, check_saliency
    from limpide.interpret.trace import in_evaluation

    if method == DISTANCE:
        says = N_("The answer is computed from this map: from the highest fortieth of its places.")
        return Finding(name=f"sanity-{method}", verdict="ok", message=message(says))
    with in_evaluation(network):
        return as_finding(
            method, check_saliency(network, image, label, METHODS[method], torch.from_numpy(plane), beside)
        )
