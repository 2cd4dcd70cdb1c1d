"""Would good parts alone do? Where one of two classes is rare, the distance to the frequent class may be a better sign
of it than what a network learned from a handful of rare images.

What it measures: the area under the ROC curve of both on the same images, none of which either had learned from: how
often a rare image scores above a frequent one. How it can mislead: the frequent class may not have one typical look
(things seen from all sides), and the area says nothing about a threshold.
"""

from __future__ import annotations

import numpy as np

from limpide.audit.evidence import Evidence
from limpide.core.finding import Finding, Number, Verdict
from limpide.statistics.areas import compare_areas, interval_of_area
from limpide.text.messages import N_, message

LEVEL = 0.05
NAME = "good_parts_alone"
HOW = N_(
    "Both were tested on images that they had not learned from. The area is how often an image of {rare} scores above "
    "one of {good}; 50 % is chance. Test that both do equally well: p = {p:number}."
)


def good_parts_alone_finding(evidence: Evidence, places: np.ndarray, strange: np.ndarray, data: str) -> Finding:
    """places: int (m,), among the judged images · strange: float (m,), how far each is from the frequent class · data:
    the location of the images.
    """
    rare = 1 - evidence.majority
    is_rare, groups = evidence.truth[places] == rare, None if evidence.groups is None else evidence.groups[places]
    network = evidence.probabilities[places, rare]
    areas = [interval_of_area(scores, is_rare, groups) for scores in (network, strange)]
    p = compare_areas(network, strange, is_rare, groups)
    verdict, says = _says(areas[0][0], areas[1][0], p)
    names = (N_("area under the ROC curve, the network"), N_("area under the ROC curve, good parts alone"))
    return Finding(
        name=NAME,
        verdict=verdict,
        message=message(
            says,
            rare=evidence.classes[rare],
            good=evidence.classes[evidence.majority],
            network=areas[0][0],
            alone=areas[1][0],
            n=int(is_rare.sum()),
            data=data,
        ),
        numbers=[
            Number(name, area, "share", low, high, len(places))
            for name, (area, low, high) in zip(names, areas, strict=True)
        ],
        details=[
            message(HOW, rare=evidence.classes[rare], good=evidence.classes[evidence.majority], p=round(p, 3)),
        ],
        source=evidence.source,
        data={"p": p},
    )


def _says(network: float, alone: float, p: float) -> tuple[Verdict, str]:
    if p > LEVEL:
        return "unknown", N_(
            "{n:count} images of {rare} cannot tell whether good parts alone would recognise this class as well: "
            "the network scores an image of it above one of {good} in {network:percent} of pairs, the distance "
            "to {good} alone in {alone:percent}."
        )
    if alone > network:
        return "warn", N_(
            "The distance to {good} recognises {rare} better than the network: it scores an image of this class "
            "above one of {good} in {alone:percent} of pairs, the network in {network:percent}. Learn good parts "
            "alone: limpide train {data} --good {good}"
        )
    return "ok", N_(
        "The network recognises {rare} better than the distance to {good} alone: it scores an image of this "
        "class above one of {good} in {network:percent} of pairs, the distance in {alone:percent}."
    )
