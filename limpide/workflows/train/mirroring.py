"""Whether the sealed network answers with the mean over an image and its mirror image: tried on validation."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Generator, Sequence

import torch
from torch import nn

from limpide.audit.run_facts import describe_mirroring, mirroring_finding
from limpide.core.events import Event, Progress
from limpide.core.run_info import Final, Mirroring
from limpide.models import pretrained
from limpide.models.mirrored import MirroredMean
from limpide.text.messages import N_, message
from limpide.training.augment.mirroring import has_sided_classes
from limpide.training.loop import evaluate
from limpide.workflows.train.context import TrainContext

TIMES = 9  # that one image passes through the network


def with_mirroring(job: TrainContext, model: nn.Module, final: Final) -> Generator[Event, None, Final]:
    """The record of the final network with the choice, and the validation score of the answer that is sealed."""
    mirroring = yield from _choose(job, model)
    is_used = mirroring is not None and mirroring.is_used
    job.recipe = job.recipe.but(average_mirrored="yes" if is_used else "no")
    if mirroring is None:
        return final
    scored = mirroring.averaged if is_used and mirroring.n else final.validation
    return dataclasses.replace(final, mirroring=mirroring, validation=scored)


def _choose(job: TrainContext, model: nn.Module) -> Generator[Event, None, Mirroring | None]:
    """Compare both answers of the trained network on validation. None where averaging was not asked for, or could
    change the class of an image. The weights stay as they are.
    """
    asked = job.recipe.average_mirrored
    if asked == "no" or pretrained(job.recipe) or (asked == "auto" and not _may_mirror(job)):
        return None
    yield Progress(message(N_("averaging the answers about images and their mirror images")))
    both, n = MirroredMean(model), len(job.rows("validation"))
    plain, averaged = (evaluate(network, job.validation(), job.recipe)[1] for network in (model, both))
    mirroring = Mirroring(plain, averaged, n, is_used=asked == "yes" or averaged >= plain)
    job.run.add_finding(mirroring_finding(mirroring, *_milliseconds((model, both), job)))
    yield job.say("decision", describe_mirroring(mirroring))
    return mirroring


def _may_mirror(job: TrainContext) -> bool:
    """Whether mirrored images keep their class, as was decided for training, and validation can tell what it gains."""
    sided = has_sided_classes(job.dataset.learned_classes)
    return job.recipe.flip == "yes" and not sided and bool(len(job.rows("validation")))


@torch.inference_mode()
def _milliseconds(networks: Sequence[nn.Module], job: TrainContext) -> list[float]:
    """The least time of one image through each, by turns: other work only adds to it."""
    p = job.pixels().preprocessing
    image = torch.zeros(1, p.channels, p.size, p.size, device=job.device)
    least = [math.inf] * len(networks)
    for _ in range(TIMES):
        for k, network in enumerate(networks):
            began = time.perf_counter()
            network.eval()(image).cpu()
            least[k] = min(least[k], time.perf_counter() - began)
    return [1000 * seconds for seconds in least]
