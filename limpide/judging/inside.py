"""A look inside: one unit of the network, opened, for the first test image that it classified correctly and surely."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

from limpide.core.cost import Cost, Facts
from limpide.core.events import Event, Progress
from limpide.core.finding import Finding
from limpide.judging.answers import first_readable
from limpide.judging.deciding_windows import find_deciding_windows
from limpide.judging.subject import Subject
from limpide.system import files
from limpide.text.messages import N_, message

SECONDS = 1.0  # about
TRACED = 3.2  # times the bytes of the outputs of all layers: every operation's result is kept, and a copy of it


def cost(facts: Facts) -> Cost:
    return Cost(SECONDS, TRACED * facts.activation_bytes)


def run(subject: Subject) -> Iterator[Event | Finding]:
    from limpide.interpret.choose_unit import choose_unit
    from limpide.interpret.first_last_layers import first_and_last
    from limpide.interpret.trace import trace
    from limpide.interpret.unit import as_finding
    from limpide.training.batches import as_tensor

    evidence = yield from subject.evidence()
    rows, network = (yield from subject.answers()).rows, subject.network()
    yield Progress(message(N_("opening one unit")))
    p = network.preprocessing
    surest = np.argsort(-evidence.probabilities.max(1) * evidence.right, kind="stable")
    place, image = first_readable(subject.dataset, rows[surest], p.jpeg_side)
    chosen, square = int(surest[place]), p.pixels(image)
    recorded = trace(network.model, as_tensor(square[None], p))
    unit = choose_unit(network.model, recorded)
    # first and last layer with their inputs and outputs, so that the report can compute their sums in front of the
    # reader
    arrays = first_and_last(recorded, unit.channel)
    arrays |= {"mean": np.array(p.mean, np.float32), "std": np.array(p.std, np.float32)}
    files.write_atomically(
        subject.run().run.predictions / "inside.npz",
        lambda s: np.savez(s, **arrays),  # type: ignore[arg-type]
    )
    yield dataclasses.replace(as_finding(unit), pictures=[evidence.picture(chosen)])
    if (windows := (yield from find_deciding_windows(subject))) is not None:
        yield windows
