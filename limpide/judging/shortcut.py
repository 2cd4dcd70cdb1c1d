"""Is it cheating on a small mark? The network is asked, on test images.

What it measures, why it matters and how it can mislead: interpret/shortcut.py.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

from limpide.core.cost import Cost, Facts
from limpide.core.events import Event, Progress
from limpide.core.finding import Finding
from limpide.judging.subject import Subject
from limpide.text.messages import N_, message


def cost(facts: Facts) -> Cost:
    from limpide.interpret import shortcut

    return shortcut.cost(facts)


def run(subject: Subject) -> Iterator[Event | Finding]:
    from limpide.interpret.shortcut import (
        WORK,
        answers_of,
        as_finding,
        choose_hosts,
        choose_labels,
        places,
        rank_places,
        window,
    )

    evidence = yield from subject.evidence()
    network, unseen = yield from subject.unbiased_network()
    # no place makes the model name a class that it does not know
    truth = np.where(unseen & (evidence.truth < evidence.known), evidence.truth, -1)
    if not (looked_at := choose_labels(truth, network.multiply_adds, WORK)):
        return  # no time for even one class
    yield Progress(asking := message(N_("searching for a small area that decides a class")), 0, len(looked_at))
    host_rows, squares = yield from subject.squares(choose_hosts(truth, looked_at))
    if not len(host_rows):
        return
    groups = None if evidence.groups is None else evidence.groups[host_rows]
    place_list = []
    for place in places(answers_of(network.model, network.preprocessing), squares, truth[host_rows], looked_at, groups):
        place_list.append(place)
        yield Progress(asking, len(place_list), len(looked_at))
    left = len(np.unique(truth[truth >= 0])) - len(looked_at)  # left out for want of time, not of images
    finding = as_finding(place_list, evidence.classes, len(place_list) + left)
    if finding.verdict == "warn":
        place, size = rank_places(place_list)[0], network.preprocessing.size
        box = window(size, place.row), window(size, place.column)
        picture = evidence.framed(int(host_rows[place.donor]), squares[place.donor], box)
        finding = dataclasses.replace(finding, pictures=[picture])
    yield finding
