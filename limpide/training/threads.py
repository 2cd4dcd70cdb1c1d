"""How many threads a gradient step takes: all, or half of them where other work keeps the processor busy.

The threads of a step wait for each other after every layer. Beside other busy processes one of them is always late, and
small networks are quicker with fewer (benchmarks/busy.py). The order of sums depends on the number, so a run keeps it:
a resume takes the same.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch

from limpide.training.timing import StepTime

BUSY = 0.4  # share of the processor that others take, from which on fewer threads are tried
MEASURE_SECONDS = 0.1  # s, for how long others are looked at
GAIN = 1.1  # times as fast, that fewer threads have to be
SMALL_WORK = 50_000_000  # multiply-adds an image


@dataclass(frozen=True)
class ThreadChoice:
    """speed: of a step with the number that was chosen · number: None for all · others: share of the processor that
    other work takes · gain: times as fast.
    """

    speed: StepTime
    number: int | None = None
    others: float = 0.0
    gain: float = 1.0


def choose_threads(probe: Callable[[], StepTime], device: torch.device) -> ThreadChoice:
    """Times steps with all threads, and with half of them where the processor is busy: the quicker number, all where
    they are about as quick.

    A number that the user asked for, with OMP_NUM_THREADS, is obeyed.
    """
    every = torch.get_num_threads()
    free = device.type == "cpu" and every > 1 and "OMP_NUM_THREADS" not in os.environ
    others = share_of_others() if free else 0.0
    speed = probe()
    if others < BUSY:
        return ThreadChoice(speed)
    fewer = every // 2
    with limit_threads(fewer):
        alone = probe()
    speed = min(speed, probe(), key=lambda one: one.step)  # what else runs is not alike from one moment to the next
    gain = speed.step / alone.step
    return ThreadChoice(alone, fewer, others, gain) if gain >= GAIN else ThreadChoice(speed)


def share_of_others() -> float:
    """What is used of all processor cores while this process waits, from 0 to 1."""
    import psutil

    return float(psutil.cpu_percent(MEASURE_SECONDS)) / 100


@contextlib.contextmanager
def limit_threads(number: int | None) -> Iterator[None]:
    """This many threads for PyTorch while it is entered; None leaves them as they are."""
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, number or before))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def threads_for(work: int) -> contextlib.AbstractContextManager[None]:
    """One thread for a network that has little to do with an image: several wait for each other longer than they work,
    on a busy machine twenty times as long. work: multiply-adds of one image.
    """
    return limit_threads(1 if work < SMALL_WORK else None)
