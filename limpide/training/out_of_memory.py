"""Memory that does not suffice: the same images in smaller parts. An update's gradients are added up part by part, as
with --accumulate; images that are merely evaluated pass in halves.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from limpide.core.errors import TrainingError
from limpide.core.events import Note
from limpide.text.messages import N_, message
from limpide.training.state import TrainState

MIN_IMAGES = 2  # in a part: batch normalisation cannot use a single image
# What PyTorch says where it raises a plain RuntimeError: its allocators of the processor (on Linux, on Windows) and of
# Apple's graphics, NVIDIA's libraries, and C++ in general.
SAYINGS = ("can't allocate memory", "not enough memory", "out of memory", "ALLOC_FAILED", "bad_alloc", "bad allocation")


def is_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(saying in str(error) for saying in SAYINGS)


def halve_parts(state: TrainState, images: int, parts: int) -> Note:
    """Take twice as many parts from now on, and say so. images: of the update; parts: those that were too large. Raises
    TrainingError where they cannot be smaller.
    """
    if images < 2 * MIN_IMAGES * parts:
        raise TrainingError("L602", where=f"step {state.step + 1}")
    state.optimizer.zero_grad()
    state.parts = 2 * parts
    release_cache()
    says = N_(
        "the memory does not suffice for {images:count} images at once: from step {step:count} on, the {batch:count} "
        "images of a step pass through the network in {parts:count} parts, and their gradients are added"
    )
    return Note(
        "warning", message(says, images=-(-images // parts), step=state.step + 1, batch=images, parts=state.parts)
    )


def in_halves(forward: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """`forward` of images, of which each is answered by itself: of all at once, or of halves where the memory does not
    suffice. Raises TrainingError where it does not suffice for one.
    """
    try:
        return forward(images)
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        if len(images) < 2:
            raise TrainingError("L602", where=f"{tuple(images.shape)}") from error
    release_cache()  # not above: while the error is handled, it holds what the forward pass had allocated
    return torch.cat([in_halves(forward, half) for half in images.tensor_split(2)])


def release_cache() -> None:
    """Give what PyTorch keeps of the graphics card's memory back, so that its pieces can be joined."""
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()
