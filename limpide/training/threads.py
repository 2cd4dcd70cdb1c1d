"""The number of threads of a gradient step: all, or half of them if other work keeps the processor busy.

The threads of a step wait for each other after every layer. While other processes are busy, one thread is always late,
and small networks are quicker with fewer (benchmarks/busy.py). The order of sums depends on the number, so a run keeps
it, and a resume uses the same.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch

from limpide.training.timing import StepTime

BUSY = 0.4  # fewer threads are tried if others use at least this share of the processor
MEASURE_SECONDS = 0.1  # s, for how long the share of others is measured
GAIN = 1.1  # fewer threads have to be this many times as fast
SMALL_WORK = 50_000_000  # multiply-adds an image


@dataclass(frozen=True)
class ThreadChoice:
    """speed: of a step with the chosen number · number: None for all · others: share of the processor that other work
    uses · gain: how many times as fast as with all threads.
    """

    speed: StepTime
    number: int | None = None
    others: float = 0.0
    gain: float = 1.0


def choose_threads(probe: Callable[[], StepTime], device: torch.device) -> ThreadChoice:
    """Time steps with all threads, and with half of them if the processor is busy. Return the quicker number, or all if
    both are about as quick.

    If the user set a number with OMP_NUM_THREADS, it is obeyed.
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
    speed = min(speed, probe(), key=lambda one: one.step)  # other work varies from one moment to the next
    gain = speed.step / alone.step
    return ThreadChoice(alone, fewer, others, gain) if gain >= GAIN else ThreadChoice(speed)


def share_of_others() -> float:
    """The share of all processor cores that is in use while this process waits, from 0 to 1."""
    import psutil

    return float(psutil.cpu_percent(MEASURE_SECONDS)) / 100


@contextlib.contextmanager
def limit_threads(number: int | None) -> Iterator[None]:
    """Context manager: PyTorch uses this many threads inside it; None leaves the number as it is."""
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, number or before))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def threads_for(work: int) -> contextlib.AbstractContextManager[None]:
    """One thread for a network with little work per image: several threads would wait for each other longer than they
    work, on a busy machine twenty times as long. work: multiply-adds of one image.
    """
    return limit_threads(1 if work < SMALL_WORK else None)
