"""Claim: an LSTM sums a sequence of numbers, and remembers over longer ones than a plain recurrent network.

    python -m experiments.sums                  (5 minutes)

Two tasks. *all*: the sum of all of 10, then of 25 numbers from 0 to 1, as in the lab; always answering n/2 gives a mean
squared error of n/12. *marked*: the adding problem (Hochreiter & Schmidhuber 1997, section 5.4), the sum of the two of
40 numbers that are marked; always answering 1 gives 1/6 ≈ 0.167. RNN, LSTM and GRU of 32 units, the same steps of AdamW
with one cycle of the rate and clipped slopes; three seeds.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from experiments.common import mean, tell
from limpide.core.finding import Number
from limpide.models.recurrent import CELLS
from limpide.training.optim.schedules import one_cycle

SEEDS, UNITS, STEPS, BATCH, RATE = 3, 32, 800, 64, 1e-2
TASKS = (("all", 10), ("all", 25), ("marked", 40))


def examples(task: str, n: int, length: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """(n, length, 2): a number and a mark; the sum of the marked numbers (n,)."""
    numbers, marks = torch.rand(n, length, generator=generator), torch.zeros(n, length)
    if task == "all":
        return torch.stack([numbers, torch.ones(n, length)], 2), numbers.sum(1)
    first = torch.randint(0, length // 2, (n,), generator=generator)
    second = torch.randint(length // 2, length, (n,), generator=generator)
    rows = torch.arange(n)
    marks[rows, first] = marks[rows, second] = 1.0
    return torch.stack([numbers, marks], 2), numbers[rows, first] + numbers[rows, second]


def error(cell: str, task: str, length: int, seed: int) -> float:
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    reader, head = CELLS[cell](2, UNITS, batch_first=True), nn.Linear(UNITS, 1)
    if cell == "lstm":  # begin by remembering (Jozefowicz et al. 2015, section 2.2)
        with torch.no_grad():
            reader.get_parameter("bias_hh_l0")[UNITS : 2 * UNITS] = 1.0
    parameters = [*reader.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=RATE, weight_decay=0.0)
    for step in range(STEPS):
        x, y = examples(task, BATCH, length, generator)
        loss = (head(reader(x)[0][:, -1])[:, 0] - y).square().mean()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.param_groups[0]["lr"] = RATE * one_cycle(step, STEPS)
        optimizer.step()
    x, y = examples(task, 2000, length, torch.Generator().manual_seed(10_000 + seed))
    with torch.no_grad():
        return float((head(reader(x)[0][:, -1])[:, 0] - y).square().mean())


def in_words(cell: str, task: str, length: int, values: list[float]) -> str:
    middle, low, high = mean(values)
    of = f"{cell.upper()}, {task} of {length}"
    return f"{of}: {middle:.4f} ({max(0.0, low):.4f} to {high:.4f}, {len(values)} repeats)"


def main() -> None:
    found = {
        (cell, task, length): [error(cell, task, length, seed) for seed in range(SEEDS)]
        for task, length in TASKS
        for cell in CELLS
    }
    told = [in_words(*of, values) for of, values in found.items()]
    apart, low, high = mean(list(np.subtract(found["lstm", "all", 25], found["rnn", "all", 25])))
    tell(
        "sums",
        section="Networks named",
        course=(
            "on sums of all of 10 numbers, an LSTM has a squared error of .0187; of 25, the LSTM .0461 (test) and "
            "a plain RNN .0695 (validation)"
        ),
        measured="mean squared error (always answering the mean: 0.83 for all of 10, 2.08 for all of 25, 0.167 for "
        "two marked ones): "
        + "; ".join(told)
        + f"; LSTM less RNN, all of 25: {apart:+.3f} ({low:+.3f} to {high:+.3f})"
        + ("" if low > 0 or high < 0 else ", which three seeds cannot tell"),
        why=(
            "range of the numbers, units and training are not those of the lab, so the errors do not compare. "
            "Summing all, one unit that adds up is enough; where only marked numbers count, the others must be "
            "ignored, which is what gates are for. The LSTM begins with its forget gates open (Jozefowicz et al. "
            "2015)"
        ),
        holds=mean(found["lstm", "marked", 40])[2] < mean(found["rnn", "marked", 40])[1]
        and mean(found["lstm", "all", 10])[2] < 0.83,
        numbers=[
            Number(f"{cell}, {task} of {length} numbers", middle, "squared error", low, high, len(values))
            for (cell, task, length), values in found.items()
            for middle, low, high in (mean(values),)
        ],
    )


if __name__ == "__main__":
    main()
