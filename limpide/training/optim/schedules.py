"""The learning rate over a training: up, then down (one cycle: Smith & Topin 2018, arXiv 1708.07120)."""

from __future__ import annotations


def one_cycle(step: int, steps: int, warm_up: float = 0.25) -> float:
    """Share of the highest rate used in step `step` (from 0) of `steps`: linear up to 1, then linear to 0.

    The first and the last step have a rate above 0.
    """
    peak = max(1.0, warm_up * steps)
    up = (step + 1) / peak
    down = (steps - step) / (steps - peak + 1)
    return min(up, down, 1.0)
