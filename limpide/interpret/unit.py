"""Why does this unit have this value? Its arithmetic, term by term, checked against torch, and the operations after it.

For a convolution (cross-correlation): y[c, i, j] = b[c] + Σ w[c, k, u, v] · x[k, i·stride + u·dilation − padding, …]
For a linear layer: y[c] = b[c] + Σ w[c, k] · x[k]
Other operations: limpide/interpret/rules/.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from limpide.core.finding import Finding, Number
from limpide.interpret.arithmetic import TOLERANCE, Explanation, explain
from limpide.interpret.receptive_field import Field, receptive_field
from limpide.interpret.rules.functions import FUNCTIONS
from limpide.interpret.trace import Op, Trace, trace
from limpide.text.messages import N_, Message, _, message
from limpide.text.numbers import format_number, format_significant

ONE_TO_ONE = ("batch_norm", "dropout", *FUNCTIONS)  # operations after a unit that change it alone
MAX_CHANNELS, MAX_SIDE = 3, 7  # of the grids that a notebook shows


@dataclass(frozen=True)
class After:
    """What the next operation made of the value."""

    layer: str
    name: str
    value: float


@dataclass(frozen=True)
class Unit:
    """One output number and everything that made it."""

    layer: str  # key of the operation (interpret/trace.py)
    channel: int
    y: int
    x: int
    op: Op
    explanation: Explanation
    field: Field
    after: tuple[After, ...]

    @property
    def patch(self) -> Tensor:
        """float64 (channels, height, width) or (features,): what the unit saw, zeros in the padding."""
        return self.explanation.values.reshape(self.explanation.shape)

    @property
    def kernel(self) -> Tensor:
        """The weights, in the same shape."""
        return self.explanation.weights.reshape(self.explanation.shape)

    @property
    def products(self) -> Tensor:
        return self.patch * self.kernel

    @property
    def bias(self) -> float:
        return self.explanation.bias

    @property
    def value(self) -> float:
        """The sum in float64."""
        return self.explanation.value

    @property
    def torch_value(self) -> float:
        return self.explanation.torch_value

    @property
    def residual(self) -> float:
        return self.explanation.residual

    @property
    def agrees(self) -> bool:
        return self.explanation.agrees

    def __str__(self) -> str:
        box, e = self.field.box, self.explanation
        lines = [f"{self.layer} ({self.op.name}), channel {self.channel}, row {self.y}, column {self.x}"]
        lines.append(
            f"sees rows {box.top} to {box.bottom - 1}, columns {box.left} to {box.right - 1} of the image "
            f"({self.field.status})"
        )
        if e.kind == "products":
            lines += [
                f"Σ of {len(e.places)} products {float(e.products.sum()):+.6g}",
                *([f"bias {e.bias:+.6g}"] if e.bias else []),
            ]
        lines.append(
            f"value {e.value:+.6g}, torch {e.torch_value:+.6g}, difference {e.residual:.1e}"
            if e.kind != "opaque"
            else f"OPAQUE: {e.torch_value:+.6g}"
        )
        lines += [f"→ {after.name} {after.value:+.6g}" for after in self.after]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """For a notebook: what it saw × its weights = products, for the channels where these are largest, and the
        sum.
        """
        from limpide.text import notebook_html

        return notebook_html.block(
            notebook_html.claim("", "", str(as_finding(self).message)), *_grids_of(self), *_sum_of(self)
        )


def _grids_of(unit: Unit) -> list[str]:
    """What the unit saw, its weights and the products, for the channels where the products are largest."""
    from limpide.text import notebook_html

    if unit.explanation.kind != "products" or unit.patch.ndim != 3 or max(unit.patch.shape[1:]) > MAX_SIDE:
        return []
    strength = unit.products.abs().amax((1, 2))
    largest = strength.argsort(descending=True, stable=True)[:MAX_CHANNELS].sort().values.tolist()
    rows = []
    for k in largest:
        grids = (
            notebook_html.grid(message(N_("what it sees, channel {n}"), n=k), _shares(unit.patch[k])),
            notebook_html.grid(message(N_("× its weights")), _shares(unit.kernel[k])),
            notebook_html.grid(message(N_("= products")), _shares(unit.products[k])),
        )
        rows.append(f"<div>{''.join(grids)}</div>")
    return rows


def _sum_of(unit: Unit) -> list[str]:
    """A table of the products, the bias, their sum, and what the next operations make of it."""
    from limpide.text import notebook_html

    e = unit.explanation
    if e.kind != "products":
        return []
    return [
        notebook_html.table(
            [
                (message(N_("sum of {n:count} products"), n=len(e.places)), _signed(float(e.products.sum()))),
                *([(_("bias"), _signed(e.bias))] if e.bias else []),
                (_("value of the unit"), _signed(e.value)),
                (_("what the network computed"), _signed(e.torch_value)),
                *((after.name, _signed(after.value)) for after in unit.after),
            ]
        )
    ]


def _shares(plane: Tensor) -> list[list[tuple[float, str]]]:
    end = float(plane.abs().max()) or 1.0
    return [
        [(value / end, format_number(value, 2).replace("-", "\N{MINUS SIGN}")) for value in row]
        for row in plane.tolist()
    ]


def _signed(value: float) -> str:
    return format_significant(value).replace("-", "\N{MINUS SIGN}")


def why(model: nn.Module, image: Tensor, layer: str, channel: int, y: int = 0, x: int = 0) -> Unit:
    """The arithmetic of output `channel` at (y, x) of a layer, for one image (1, channels, size, size).

    layer: as in named_modules, or the key of an operation. A layer that works on several vectors side by side, as on
    the tokens of a transformer, has one at each y. Raises KeyError for an unknown layer, IndexError for a unit that is
    not there.
    """
    return unit_of(trace(model, image), layer, channel, y, x)


def unit_of(seen: Trace, layer: str, channel: int, y: int = 0, x: int = 0) -> Unit:
    """As `why`, for a network that was already traced."""
    try:
        op = seen.find(layer)
    except KeyError:
        raise KeyError(
            f"The layer must be one of {', '.join(op.key for op in seen.ops)}. Got {layer} instead."
        ) from None
    index = index_of(op, channel, y, x)
    explanation = explain(seen, op, index)
    after = tuple(After(step.key, step.name, float(step.output[(0, *index)])) for step in values_after(seen, op))
    return Unit(op.key, channel, y, x, op, explanation, receptive_field(seen, op, index), after)


def index_of(op: Op, channel: int, y: int, x: int) -> tuple[int, ...]:
    """(channel, row, column) as a place in the output without its first axis. Raises IndexError."""
    shape = op.output.shape
    index = {2: (channel,), 3: (y, channel), 4: (channel, y, x)}.get(len(shape))
    beyond = {2: (y, x), 3: (x,)}.get(len(shape), ())
    if index is None or any(beyond) or any(not 0 <= k < n for k, n in zip(index, shape[1:], strict=True)):
        raise IndexError(f"The unit must lie within {tuple(shape[1:])}. Got {(channel, y, x)} instead.")
    return index


def values_after(seen: Trace, op: Op) -> list[Op]:
    """The normalization and activation that follow, as long as the value goes to a single operation."""
    steps: list[Op] = []
    while len(users := seen.users(op.index)) == 1 and users[0].name in ONE_TO_ONE:
        op = users[0]
        steps.append(op)
    return steps


def as_finding(unit: Unit) -> Finding:
    return Finding(
        name="inside",
        verdict="unknown" if unit.explanation.kind == "opaque" else "ok" if unit.agrees else "bad",
        message=_say(unit),
        numbers=[Number(N_("difference from torch"), unit.residual, "")],
        details=[
            message(
                N_(
                    "All products are summed in 64-bit arithmetic, and the sum is compared with the value "
                    "the network computed."
                )
            )
        ],
        data=_data_of(unit),
    )


def _say(unit: Unit) -> Message:
    """The sentence: which unit it is, what made its value, and the value."""
    terms, is_map = len(unit.explanation.places), unit.op.output.ndim != 2
    values: dict[str, Any] = {"channel": unit.channel, "layer": unit.layer, "y": unit.y, "x": unit.x}
    values |= {"terms": terms, "value": unit.value}
    if unit.explanation.kind == "opaque":
        says = N_(
            "One number inside the network, {value:number}, is not explained: it comes from {name} (unit "
            "{channel} of layer {layer})."
        )
        values["name"] = unit.op.name
    elif unit.explanation.kind != "products":
        one = N_(
            "One number inside the network, {value:number}, is {rule} of one number (unit {channel} of layer "
            "{layer}, row {y}, column {x})."
        )
        many = N_(
            "One number inside the network, {value:number}, is {rule} of {terms:count} numbers (unit "
            "{channel} of layer {layer}, row {y}, column {x})."
        )
        says = one if terms == 1 else many
        values["rule"] = unit.explanation.rule
    elif is_map:
        says = N_(
            "One number inside the network, {value:number}, is the sum of {terms:count} products (unit {channel} "
            "of layer {layer}, row {y}, column {x})."
        )
    else:
        says = N_(
            "One number inside the network, {value:number}, is the sum of {terms:count} products (unit "
            "{channel} of layer {layer})."
        )
    return message(says, **values)


def _data_of(unit: Unit) -> dict[str, Any]:
    """Its arithmetic as JSON (docs/reference/run-format.md)."""
    box = unit.field.box
    return {
        "layer": unit.layer,
        "channel": unit.channel,
        "y": unit.y,
        "x": unit.x,
        "patch": _planes_as_lists(unit.patch),
        "kernel": _planes_as_lists(unit.kernel),
        "products": _planes_as_lists(unit.products),
        "bias": unit.bias,
        "sum": unit.value,
        "torch": unit.torch_value,
        "residual": unit.residual,
        "box": [box.top, box.left, box.bottom, box.right],
        "status": unit.field.status,
        "after": [vars(step) for step in unit.after],
    }


def _planes_as_lists(values: Tensor) -> list[list]:
    """(planes, rows, columns), to six digits; a vector has one row."""
    if values.ndim < 2:
        return [[values.tolist()]]
    planes = values.reshape(-1, *values.shape[-2:])
    return [[[round(float(v), 6) for v in row] for row in plane] for plane in planes]


__all__ = ["TOLERANCE", "Unit", "as_finding", "unit_of", "why"]
