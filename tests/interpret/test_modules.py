"""The room hides none of its own modules: a name that is imported from it is the module of that name."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from types import ModuleType

import pytest

from limpide import interpret


@pytest.mark.parametrize("name", [module.name for module in pkgutil.iter_modules(interpret.__path__)])
def test_a_module_is_had_by_its_name(name: str) -> None:
    module = import_module(f"limpide.interpret.{name}")
    assert getattr(interpret, name) is module and isinstance(module, ModuleType)
