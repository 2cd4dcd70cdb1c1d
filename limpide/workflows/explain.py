"""explain: what the model says of one image, and one unit of its network, product by product."""

from __future__ import annotations

from limpide.errors import UsageError, nearest
from limpide.finding import Finding
from limpide.language import N_
from limpide.workflows.opening import network_of, predictor_of
from limpide.workflows.see import TOP, decoded, entered, prediction


def explain(run: str, file: str, layer: str | None = None, channel: int | None = None, y: int = 0, x: int = 0) -> dict[str, Finding]:
    """`run`: a run, or the name of a published network. Without a channel, the unit that matters most (interpret/telling.py). Raises DataError for an unreadable image, UsageError for a layer or a unit that does not exist."""
    from limpide.interpret.telling import most_telling
    from limpide.interpret.trace import trace
    from limpide.interpret.why import as_finding, unit_of

    model, preprocessing = network_of(run)
    image = decoded(file, preprocessing)
    tensor, _, _ = entered(image, preprocessing)
    seen = trace(model, tensor)
    try:
        unit = most_telling(model, seen, layer) if layer is None or channel is None else unit_of(seen, layer, channel, y, x)
    except KeyError:
        names = [op.key for op in seen.ops if op.name in ("conv2d", "linear")]
        guess = nearest(layer or "", [op.key for op in seen.ops])
        raise UsageError(
            "L109",
            N_("the network has no layer of this name"),
            where=layer,
            todo=N_("did you mean {guess}? There are {names}"),
            guess=guess or names[0],
            names=", ".join(names[:8]),
        ) from None
    except TypeError as error:
        raise UsageError("L110", N_("this unit cannot be opened"), where=layer, todo=N_("name a convolution or a linear layer")) from error
    except IndexError as error:
        shape = seen.find(layer or "").output.shape
        channels, rows, columns = {2: (*shape[1:], 1, 1), 3: (shape[-1], shape[-2], 1)}.get(len(shape), (*shape[1:], 1, 1)[:3])
        raise UsageError(
            "L110",
            N_("this unit cannot be opened"),
            where=f"{layer} --channel {channel} -y {y} -x {x}",
            todo=N_("the channel must be below {channels}, the row below {rows}, the column below {columns}"),
            channels=channels,
            rows=rows,
            columns=columns,
        ) from error
    return {"prediction": _prediction(run, file, image), "inside": as_finding(unit)}


def _prediction(run: str, file: str, image: object) -> Finding:
    predictor = predictor_of(run)
    row = predictor.probabilities([image])[0]  # type: ignore[list-item]
    return prediction([(predictor.classes[k], float(row[k])) for k in (-row).argsort()[:TOP]], file)
