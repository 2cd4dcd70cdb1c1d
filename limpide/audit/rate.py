"""Which learning rate? From the losses of a few steps at ever higher rates (training/rate_finder.py).

The suggestion is the rate at which the smoothed mean of the sweeps is lowest: beyond it, the loss rises. As a sweep
spends only a few steps at each rate, a rate that is this high is still sound as the highest one of a schedule that
begins and ends low (Smith & Topin 2019, "Super-convergence", arXiv 1708.07120, section 3); for a constant one, a third
of it is safer.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from typing import Any

import numpy as np

from limpide.core.finding import Finding, Number, Table
from limpide.core.optimizer_names import optimizer_name
from limpide.text.messages import N_, message

Curve = Sequence[tuple[float, float]]  # (learning rate, loss), the lowest rate first
WIDTH = 3.0  # rates: standard deviation of the smoothing
FALLS = 0.97  # of the first loss: where the lowest one is higher, nothing was learned at any rate
SHOWN = 12  # rows of the table
BAR = 30  # characters: of the highest loss
STEADY = 1 / 3  # of the suggestion, for a constant rate


def suggest_rate(sweeps: Sequence[Curve]) -> tuple[float | None, list[tuple[float, float]]]:
    """(the rate, or None where the loss fell at none; the smoothed mean curve up to the shortest sweep)."""
    n = min(map(len, sweeps))
    rates = [rate for rate, _ in sweeps[0][:n]]
    losses = np.mean([[loss for _, loss in sweep[:n]] for sweep in sweeps], axis=0)
    places = np.flatnonzero(np.isfinite(losses))
    smooth = [float(np.average(losses[places], weights=np.exp(-0.5 * ((places - k) / WIDTH) ** 2))) for k in places]
    curve = [(rates[k], loss) for k, loss in zip(places, smooth, strict=True)]
    lowest = int(np.argmin(smooth)) if smooth else 0
    if not smooth or smooth[lowest] > FALLS * smooth[0]:
        return None, curve
    return float(f"{rates[places[lowest]]:.1e}"), curve


def rate_finding(sweeps: Sequence[Curve], optimizer: str, usual: float, command: Sequence[str]) -> Finding:
    """usual: the rate that limpide takes where none is asked for. command: words of `limpide train` without a rate."""
    best, curve = suggest_rate(sweeps)
    data: dict[str, Any] = {"rates": [rate for rate, _ in curve], "losses": [loss for _, loss in curve]}
    table = _draw(curve, best)
    if best is None:
        says = N_(
            "The loss falls at no learning rate between {low:number} and {high:number}: look at the labels, and at the "
            "network."
        )
        low, high = (curve[0][0], curve[-1][0]) if curve else (usual, usual)
        found = message(says, low=low, high=high)
        return Finding("learning_rate", "warn", found, table=table, data=data | {"next": shlex.join(command)})
    says = N_("Suggested learning rate for {optimizer}: {best:number}. Beyond it, the loss rises.")
    details = [
        message(
            N_(
                "Each of {n:count} sweeps took a step at each of {steps:count} rates, from low to high; the losses are "
                "smoothed means. A few steps tell the scale of the rate, not the best one: a third or three times as "
                "much may be as good."
            ),
            n=len(sweeps),
            steps=len(curve),
        ),
        message(
            N_(
                "It suits a schedule that begins and ends with lower rates, as the usual one does; for --schedule "
                "constant take about {steady:number}. Without --lr, limpide takes {usual:number} for this network."
            ),
            steady=float(f"{STEADY * best:.1e}"),
            usual=usual,
        ),
    ]
    numbers = [Number(N_("suggested learning rate"), best, ""), Number(N_("usual learning rate"), usual, "")]
    data |= {"next": shlex.join([*command, "--lr", f"{best:g}"])}
    found = message(says, optimizer=optimizer_name(optimizer), best=best)
    return Finding("learning_rate", "ok", found, numbers, table, details=details, data=data)


def _draw(curve: Sequence[tuple[float, float]], best: float | None) -> Table | None:
    """Some of the rates, evenly spaced, with a bar as long as the loss."""
    if not curve:
        return None
    ends = np.linspace(0, len(curve) - 1, min(SHOWN, len(curve))).round().astype(int)
    places = sorted({*ends.tolist(), *([_nearest(curve, best)] if best else [])})
    highest = max(curve[0][1], *(curve[k][1] for k in places))
    rows = []
    for k in places:
        rate, loss = curve[k]
        bar = "█" * max(1, round(BAR * loss / highest))
        rows.append([rate, loss, bar + (" ←" if best and k == _nearest(curve, best) else "")])
    return Table([(N_("learning rate"), "number"), (N_("loss"), "number"), ("", "text")], rows)


def _nearest(curve: Sequence[tuple[float, float]], rate: float) -> int:
    return min(range(len(curve)), key=lambda k: abs(math.log(curve[k][0] / rate)))
