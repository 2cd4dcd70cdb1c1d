"""The order of the phases for good parts: as in every training, with three different phases."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from limpide.core.events import Event
from limpide.workflows.train.check_images import check_images
from limpide.workflows.train.context import TrainContext
from limpide.workflows.train.finish import finish
from limpide.workflows.train.good_parts.estimate import estimate_good_parts
from limpide.workflows.train.good_parts.learn import learn_good_parts
from limpide.workflows.train.good_parts.split import split_good_parts
from limpide.workflows.train.judge import judge_model
from limpide.workflows.train.read import read_images


def good_parts_phases(judge: bool) -> Sequence[Callable[[TrainContext], Iterator[Event]]]:
    """judge: False ends with the sealed model."""
    return (
        read_images,
        check_images,
        split_good_parts,
        estimate_good_parts,
        partial(learn_good_parts, judged=judge),
        judge_model if judge else finish,
    )
