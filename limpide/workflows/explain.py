"""explain: what the model says of one image, and one unit of its network, product by product."""

from __future__ import annotations

from typing import Any

from PIL import Image

from limpide.core.errors import UsageError
from limpide.core.finding import Finding
from limpide.core.run_info import Arrays
from limpide.data.inputs import FROM_FILES
from limpide.deploy.load import network_of, predictor_of
from limpide.explanation.analyze import TOP, entered, first_or, operation, prediction, the_image, within
from limpide.text.messages import N_


def explain(
    run: str,
    image: Any,
    layer: str | None = None,
    channel: int | None = None,
    y: int = 0,
    x: int = 0,
    *,
    arrays: Arrays = FROM_FILES,
) -> dict[str, Finding]:
    """`run`: a run, or the name of a published network. Without a channel, the unit that matters most
    (interpret/choose_unit.py).

    image: one image in any form (samples.py). arrays: what those were like that the run learned from.

    Raises DataError for an unreadable image, UsageError for a layer or a unit that does not exist.
    """
    from limpide.interpret.choose_unit import most_telling
    from limpide.interpret.trace import trace
    from limpide.interpret.unit import as_finding, unit_of

    model, preprocessing = network_of(run)
    found, file = the_image(image, preprocessing, arrays)
    tensor, _, _ = entered(found, preprocessing)
    seen = trace(model, tensor)
    channel = first_or(channel, y, x)
    if layer is not None:
        op = operation(seen, layer)
        if channel is not None:
            within(op, channel, y, x)
    try:
        unit = (
            most_telling(model, seen, layer)
            if layer is None or channel is None
            else unit_of(seen, layer, channel, y, x)
        )
    except TypeError as error:
        raise UsageError(
            "L110", N_("this unit cannot be opened"), where=layer, todo=N_("name a convolution or a linear layer")
        ) from error
    return {"prediction": _prediction(run, file, found), "inside": as_finding(unit)}


def _prediction(run: str, file: str, image: Image.Image) -> Finding:
    predictor = predictor_of(run)
    row = predictor.probabilities([image])[0]
    return prediction([(predictor.classes[k], float(row[k])) for k in (-row).argsort()[:TOP]], file)
