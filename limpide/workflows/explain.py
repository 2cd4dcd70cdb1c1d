"""explain: what the model says of one image, and one unit of its network, product by product."""

from __future__ import annotations

from pathlib import Path

from limpide.data.decode import Undecodable, decode
from limpide.errors import DataError, UsageError, nearest
from limpide.finding import Finding, Table
from limpide.language import N_, message
from limpide.workflows.opening import network_of, predictor_of


def explain(run: str, file: str, layer: str | None = None, channel: int = 0, y: int = 0, x: int = 0) -> dict[str, Finding]:
    """`run`: a run, or the name of a published network. Raises DataError for an unreadable image, UsageError for a layer or a unit that does not exist."""
    import numpy as np
    import torch

    from limpide.data.reading import Pixels
    from limpide.interpret.trace import trace
    from limpide.interpret.why import as_finding, strongest_of, unit_of
    from limpide.training.batches import normalised

    model, preprocessing = network_of(run)
    try:
        image = decode(Path(file).read_bytes(), preprocessing.jpeg_side)
    except Undecodable as error:
        raise DataError("L207", error.reason, where=file, todo=N_("name a readable image")) from error
    except OSError as error:
        raise DataError("L208", N_("the file cannot be opened"), where=f"{file}: {error.strerror}", todo=N_("name a readable image")) from error
    square = preprocessing.pixels(image)[None]
    tensor = normalised(torch.from_numpy(square.copy()), Pixels(preprocessing, np.arange(1), square))
    seen = trace(model, tensor)
    try:
        unit = strongest_of(seen) if layer is None else unit_of(seen, layer, channel, y, x)
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
    order = (-row).argsort()[:5]
    rows = [[predictor.classes[k], float(row[k])] for k in order]
    return Finding(
        name="prediction",
        verdict="ok",
        message=message(N_("{file}: {label} with a probability of {p:percent}."), file=file, label=rows[0][0], p=rows[0][1]),
        table=Table([(N_("class"), "text"), (N_("probability"), "percent")], rows),
    )
