"""explain: the model's prediction for one image, and one unit of its network, product by product."""

from __future__ import annotations

from typing import Any

from PIL import Image

from limpide.core.errors import UsageError
from limpide.core.finding import Finding
from limpide.core.run_info import Arrays
from limpide.data.inputs import FROM_FILES
from limpide.deploy.load import is_published, load_network, load_predictor
from limpide.explanation.explain_image import TOP, prediction, strange_prediction
from limpide.explanation.inputs import decode_image, enter_image
from limpide.explanation.units import check_place, find_operation, first_or_named
from limpide.explanation.window import as_finding as of_window
from limpide.explanation.window import window_of
from limpide.text.language import current_language
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
    language: str | None = None,
) -> dict[str, Finding]:
    """`run`: a run, or the name of a published network. Without a channel, the unit that matters most is explained
    (interpret/choose_unit.py).

    image: one image in any form (data/inputs.py). arrays: how to read arrays, as in the training of the run.
    language: of the class names of a published network; None: the language in force.

    Raises DataError for an unreadable image, UsageError for a layer or a unit that does not exist.
    """
    from limpide.interpret.choose_unit import choose_unit
    from limpide.interpret.trace import trace
    from limpide.interpret.unit import as_finding, unit_of

    model, preprocessing = load_network(run)
    decoded, file = decode_image(image, preprocessing, arrays)
    tensor, _, _ = enter_image(decoded, preprocessing)
    recorded = trace(model, tensor)
    channel = first_or_named(channel, y, x)
    if layer is not None:
        op = find_operation(recorded, layer)
        if channel is not None:
            check_place(op, channel, y, x)
    try:
        unit = (
            choose_unit(model, recorded, layer)
            if layer is None or channel is None
            else unit_of(recorded, layer, channel, y, x)
        )
    except TypeError as error:
        raise UsageError("L110", where=layer, todo=N_("name a convolution or a linear layer")) from error
    said, label = _prediction(run, file, decoded, language), int(recorded.output[0].argmax())
    window = window_of(model, tensor, label)
    if window is None:
        return {"prediction": said, "inside": as_finding(unit)}
    name = str(said.table.rows[0][0]) if said.table else ""
    return {"prediction": said, "window": of_window(window, name, preprocessing.size), "inside": as_finding(unit)}


def _prediction(run: str, file: str, image: Image.Image, language: str | None) -> Finding:
    from limpide.models import imagenet_classes

    predictor = load_predictor(run)
    classes = imagenet_classes(language or current_language()) if is_published(run) else predictor.classes
    row = predictor.probabilities([image])[0]
    if predictor.detection is not None:
        (found,) = predictor.strangeness([image])
        return strange_prediction(predictor.classes[int(row.argmax())], found.score, found.p_value, file)
    return prediction([(classes[k], float(row[k])) for k in (-row).argsort()[:TOP]], file)
