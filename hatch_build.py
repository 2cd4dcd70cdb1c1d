"""Compiles the message catalogues (.po → .mo) when limpide is built or installed."""

from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


def compile_catalogues(root: Path) -> None:
    for source in root.glob("limpide/locale/*/LC_MESSAGES/limpide.po"):
        with open(source, encoding="utf-8") as stream:
            catalogue = read_po(stream, locale=source.parents[1].name)
        with open(source.with_suffix(".mo"), "wb") as target:
            write_mo(target, catalogue)


class CompileCatalogues(BuildHookInterface):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        compile_catalogues(Path(self.root))
