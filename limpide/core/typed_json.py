"""JSON from a file, as the dataclass that the program works with: every field is checked once, on input.

A file may have been edited by hand, cut short, or written by another version or another program. A field that does not
fit raises `InvalidJson`, which names it; fields that this version does not know are ignored.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import os
import stat
import sys
import types
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from limpide.core.errors import one_line
from limpide.text.messages import N_, Message, message

T = TypeVar("T")
MAX_BYTES = 64_000_000  # bytes of a file that is read at once; a hundred thousand long class names are 10 MB
MAX_DEPTH = 100  # of nested lists and objects; files of limpide stay below ten
MAX_WHOLE_NUMBER = 2**63  # larger whole numbers are accepted neither by numpy nor by torch
TEXT, NUMBER, WHOLE, YES_NO = N_("a text"), N_("a finite number"), N_("a whole number"), N_("true or false")
LIST, OBJECT, ONE_OF, THERE = N_("a list"), N_("an object"), N_("one of {names}"), N_("there")
LIST_OF_LENGTH = N_("a list of {n} values")
TOO_DEEP = N_("it is nested too deeply")


class InvalidJson(ValueError):
    """The reason why JSON is invalid, not translated yet."""

    def __init__(self, reason: Message) -> None:
        self.reason = reason
        super().__init__(reason.id)

    def __str__(self) -> str:
        return str(self.reason)


def invalid_field(field: str, expected: str, **values: str) -> InvalidJson:
    """The error for a `field` (its path, as `final.preprocessing.size`; "" for the whole) with an unexpected value."""
    if not field:
        return InvalidJson(message(N_("it must be {expected}"), expected=message(expected, **values)))
    return InvalidJson(
        message(N_("{field} must be {expected}"), field=one_line(field)[:200], expected=message(expected, **values))
    )


def read_json_file(file: Path) -> Any:
    """The JSON in this file, UTF-8. Raises InvalidJson for anything else, OSError if it cannot be read."""
    # do not wait for a pipe
    with open(os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)), "rb") as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise InvalidJson(message(N_("it is not a plain file")))
        data = stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise InvalidJson(message(N_("it is larger than {most:bytes}"), most=MAX_BYTES))
    return parse_json(data)


def parse_json(data: bytes) -> Any:
    """UTF-8 JSON. Raises InvalidJson."""
    try:
        return json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InvalidJson(message(N_("it is not UTF-8 text"))) from error
    except RecursionError as error:
        raise InvalidJson(message(TOO_DEEP)) from error
    except ValueError as error:
        raise InvalidJson(message(N_("it is not JSON"))) from error


def as_record(kind: type[T], data: Any, field: str = "", *, strict: bool = False) -> T:
    """`data`, a JSON object, as the dataclass `kind`, whose defaults replace missing fields. Raises InvalidJson.

    strict: fields that this version does not know are refused, as ignoring them would change results.

    It supports str, bool, int, float, None, Any (any JSON whose numbers are all finite), Literal, `X | None`, `tuple[X,
    ...]`, `tuple[X, X]`, `Sequence[X]`, `Mapping[str, X]` and dataclasses of these.
    """
    if not isinstance(data, Mapping):
        raise invalid_field(field, OBJECT)
    values: dict[str, Any] = {}
    for name, hint, required in _fields(cast(Any, kind)):
        if name in data:
            values[name] = check_type(hint, data[name], _path_of(field, name))
        elif required:
            raise invalid_field(_path_of(field, name), THERE)
    if strict and (unknown := sorted(data.keys() - {name for name, *_ in _fields(cast(Any, kind))})):
        raise InvalidJson(
            message(N_("{field} comes from a newer limpide"), field=one_line(_path_of(field, unknown[0]))[:200])
        )
    return kind(**values)


@functools.cache
def _fields(kind: Any) -> list[tuple[str, Any, bool]]:
    """(name, type, whether it has no default)."""
    hints, none = get_type_hints(kind), dataclasses.MISSING
    made = [f for f in dataclasses.fields(cast(Any, kind)) if f.init]
    return [(f.name, hints[f.name], f.default is none and f.default_factory is none) for f in made]


def _path_of(field: str, name: str) -> str:
    return f"{field}.{name}" if field else name


def check_type(hint: Any, value: Any, field: str) -> Any:
    """`value` as the type `hint`. Raises InvalidJson."""
    if hint is Any:
        return _finite(value, field)
    if dataclasses.is_dataclass(hint):
        return as_record(cast(type, hint), value, field)
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        if value is None and type(None) in inner:
            return None
        (one,) = [kind for kind in inner if kind is not type(None)]
        return check_type(one, value, field)
    if origin is Literal:
        if value in inner and isinstance(value, str):
            return value
        raise invalid_field(field, ONE_OF, names=", ".join(inner))
    if origin in (tuple, Sequence):
        if not isinstance(value, (list, tuple)):
            raise invalid_field(field, LIST)
        if origin is tuple and Ellipsis not in inner and len(value) != len(inner):
            raise invalid_field(field, LIST_OF_LENGTH, n=str(len(inner)))
        return tuple(check_type(inner[0], one, f"{field}[{k}]") for k, one in enumerate(value))
    if origin is Mapping:
        if not isinstance(value, Mapping):
            raise invalid_field(field, OBJECT)
        return {name: check_type(inner[1], one, _path_of(field, name)) for name, one in value.items()}
    return _check_plain(hint, value, field)


def _check_plain(kind: type, value: Any, field: str) -> Any:
    if kind is str:
        if isinstance(value, str):
            return value
        raise invalid_field(field, TEXT)
    if kind is bool:
        if isinstance(value, bool):
            return value
        raise invalid_field(field, YES_NO)
    right = isinstance(value, (int, float) if kind is float else int) and not isinstance(value, bool)
    if not right or not abs(value) < (MAX_WHOLE_NUMBER if kind is int else math.inf):
        raise invalid_field(field, WHOLE if kind is int else NUMBER)
    if abs(value) >= sys.float_info.max:  # a whole number too large for a float
        raise invalid_field(field, NUMBER)
    return value


def _finite(value: Any, field: str) -> Any:
    """Any JSON without NaN and infinity: neither is JSON, and both spoil every sum that they enter."""
    left = [(value, field, 0)]
    while left:
        one, place, depth = left.pop()
        if depth > MAX_DEPTH:
            raise InvalidJson(message(TOO_DEEP))
        if isinstance(one, float) and not math.isfinite(one):
            raise invalid_field(place, NUMBER)
        if isinstance(one, Mapping):
            left += [(inner, _path_of(place, name), depth + 1) for name, inner in one.items()]
        elif isinstance(one, (list, tuple)):
            left += [(inner, f"{place}[{k}]", depth + 1) for k, inner in enumerate(one) if not isinstance(inner, str)]
    return value


def to_plain_json(value: Any) -> Any:
    """A record, or a list of records, as JSON; other values unchanged."""
    if isinstance(value, (list, tuple)):
        return [to_plain_json(one) for one in value]
    return dataclasses.asdict(value) if dataclasses.is_dataclass(value) and not isinstance(value, type) else value
