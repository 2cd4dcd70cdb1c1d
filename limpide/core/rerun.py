"""The command that trained a run, from its record."""

from __future__ import annotations

from collections.abc import Iterable

from limpide.core.recipe import Recipe
from limpide.core.run_info import RunInfo


def rerun_command(info: RunInfo, changes: Iterable[tuple[str, str]] = ()) -> list[str]:
    """The arguments of `limpide train`: the same words continue the run. changes: (choice, value) of another one."""
    usual = Recipe().to_json()
    wishes = {name: value for name, value in info.wanted.items() if value != usual.get(name)}
    options = {name: f"{value:g}s" if name == "time" else str(value) for name, value in wishes.items()} | dict(changes)
    return [
        info.location or "photos/",
        *(word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", value)),
    ]
