"""The values that users write for the choices of a recipe, converted to their types, or refused with the expected
values.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from limpide.core.errors import UsageError

NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?"


def parse_duration(text: str | float | None, option: str = "time") -> float | None:
    """A duration as users write it: 90, "90", "90s", "5m", "1h30m", "30d". Raises UsageError."""
    if text is None or isinstance(text, (int, float)):
        return text
    text = str(text)
    units = {"": 1, "s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
    parts = re.findall(r"\s*(\d+(?:\.\d+)?)\s*(min|sec|[smhd]?)", text.strip().lower())
    complete = "".join("".join(part) for part in parts) == re.sub(r"\s", "", text.lower())
    # 1h30: minutes or seconds?
    if not parts or not complete or (len(parts) > 1 and not all(unit for _, unit in parts)):
        raise UsageError("L104", where=f"{option}={text}")
    return sum(float(value) * units[unit] for value, unit in parts)


def check_value(choice: dataclasses.Field[Any], value: Any) -> Any:
    """The value in its own type, or a UsageError that says what was expected."""
    rules, kind, came = choice.metadata, str(choice.type), value
    if value is None:
        if "None" in kind:
            return None
    elif choice.name == "time":
        value = parse_duration(value)
    elif choice.name == "value_range" and isinstance(value, (tuple, list)) and len(value) == 2:
        value = range_as_text(value)
    elif "str" in kind:
        value = str(value).lower() if rules["choices"] else str(value)
        if rules["choices"] and value in ("true", "false", "1", "0"):
            value = "yes" if value in ("true", "1") else "no"
        if rules["legal"] or rules["choices"]:  # one_cycle, "flip, crop"
            value = value.lower().replace("_", "-").replace(" ", "")
    else:
        try:
            number = float(value)
            value = int(number) if "int" in kind and number == int(number) else number if "float" in kind else None
        except (TypeError, ValueError, OverflowError):
            value = None
    legal = value is not None and not (isinstance(value, float) and math.isinf(value))
    if legal and rules["choices"]:
        legal = value in rules["choices"]
    if legal and rules["pattern"]:
        legal = re.fullmatch(rules["pattern"], value) is not None
    if legal and rules["low"] is not None:
        legal = bool(rules["low"] <= value)
    if legal and rules["high"] is not None:
        legal = bool(value <= rules["high"])
    if not legal:
        raise UsageError("L102", where=f"{choice.name}={came}", name=choice.name, expected=_expected(rules, kind))
    return value


def range_as_text(span: Sequence[float] | None) -> str:
    """(0, 4095) → "0..4095", which is read back as exactly the same numbers; None → "none"."""
    return (
        "none"
        if span is None
        else "..".join(f"{value:.17g}" if _is_whole(value) else repr(float(value)) for value in span)
    )


def _is_whole(value: float) -> bool:
    return math.isfinite(value) and float(value).is_integer()


def _expected(rules: Mapping[str, Any], kind: str) -> str:
    if rules["legal"]:
        return str(rules["legal"])
    if rules["choices"]:
        return " | ".join(rules["choices"])
    if rules["pattern"]:
        return (
            rules["pattern"]
            .replace(r"\d{1,4}", "0, 1, 2 …")
            .replace(rf"{NUMBER}\.\.{NUMBER}", "LOW..HIGH")
            .replace("|", " | ")
        )
    low, high = rules["low"], rules["high"]
    if low is None:
        return "auto | …"  # a name, checked where the names are known
    whole = "1, 2, 3 …" if "int" in kind and low == 1 and high is None else ""
    return whole or (f"{low:g} … {high:g}" if high is not None else f"≥ {low:g}")
