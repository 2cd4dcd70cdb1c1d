"""The unit that the user names: a layer, a channel, a row, a column."""

from __future__ import annotations

from typing import TYPE_CHECKING

from limpide.core.errors import UsageError, nearest

if TYPE_CHECKING:
    from limpide.interpret.trace import Op, Trace


def find_operation(seen: Trace, layer: str) -> Op:
    """The operation of this key, or the output of the layer of this name. Raises UsageError with the nearest name."""
    try:
        return seen.find(layer)
    except KeyError:
        keys, weighed = [op.key for op in seen.ops], [op.key for op in seen.ops if op.name in ("conv2d", "linear")]
        raise UsageError(
            "L109",
            where=layer,
            guess=nearest(layer, keys) or (weighed or keys)[0],
            names=", ".join((weighed or keys)[:8]),
        ) from None


def first_or_named(channel: int | None, y: int, x: int) -> int | None:
    """The channel; 0 where only a place is named."""
    return 0 if channel is None and (y or x) else channel


def check_place(op: Op, channel: int, y: int, x: int) -> None:
    """Raises UsageError for a unit that does not exist."""
    from limpide.interpret.unit import index_of

    try:
        index_of(op, channel, y, x)
    except IndexError:
        shape = op.output.shape[1:]
        channels, rows, columns = {1: (*shape, 1, 1), 2: (*shape[::-1], 1)}.get(len(shape), tuple(shape)[:3])
        raise UsageError(
            "L110", where=f"{op.key}, channel={channel}, y={y}, x={x}", channels=channels, rows=rows, columns=columns
        ) from None
