"""explain: what the model says of one image, and one unit of its network, product by product."""

from __future__ import annotations

from limpide.errors import UsageError
from limpide.finding import Finding
from limpide.language import N_
from limpide.samples import picture
from limpide.workflows.opening import network_of, predictor_of
from limpide.workflows.see import TOP, entered, first_or, operation, prediction, within


def explain(run: str, file: str, layer: str | None = None, channel: int | None = None, y: int = 0, x: int = 0) -> dict[str, Finding]:
    """`run`: a run, or the name of a published network. Without a channel, the unit that matters most (interpret/telling.py).

    Raises DataError for an unreadable image, UsageError for a layer or a unit that does not exist.
    """
    from limpide.interpret.telling import most_telling
    from limpide.interpret.trace import trace
    from limpide.interpret.why import as_finding, unit_of

    model, preprocessing = network_of(run)
    image = picture(file, preprocessing)
    tensor, _, _ = entered(image, preprocessing)
    seen = trace(model, tensor)
    channel = first_or(channel, y, x)
    if layer is not None:
        op = operation(seen, layer)
        if channel is not None:
            within(op, channel, y, x)
    try:
        unit = most_telling(model, seen, layer) if layer is None or channel is None else unit_of(seen, layer, channel, y, x)
    except TypeError as error:
        raise UsageError("L110", N_("this unit cannot be opened"), where=layer, todo=N_("name a convolution or a linear layer")) from error
    return {"prediction": _prediction(run, file, image), "inside": as_finding(unit)}


def _prediction(run: str, file: str, image: object) -> Finding:
    predictor = predictor_of(run)
    row = predictor.probabilities([image])[0]  # type: ignore[list-item]
    return prediction([(predictor.classes[k], float(row[k])) for k in (-row).argsort()[:TOP]], file)
