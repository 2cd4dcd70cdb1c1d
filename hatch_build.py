"""When limpide is built or installed: compiles the message catalogues (.po → .mo), and copies what the studio's pages
are made with.
"""

import shutil
import subprocess
import sys
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


# From npm into the package, as they are: modules that a browser reads without a bundler.
VENDORED = {
    "preact.js": "preact/dist/preact.module.js",
    "hooks.js": "preact/hooks/dist/hooks.module.js",
    "htm.js": "htm/dist/htm.module.js",
    "signals-core.js": "@preact/signals-core/dist/signals-core.module.js",
    "signals.js": "@preact/signals/dist/signals.module.js",
    "uplot.js": "uplot/dist/uPlot.esm.js",
    "uplot.css": "uplot/dist/uPlot.min.css",
}
LICENSES = "licenses.txt"


def copy_modules(root: Path) -> None:
    """Without npm everything but the studio works, and `limpide studio` says what is missing."""
    target, modules = root / "limpide" / "browser" / "static" / "vendor", root / "node_modules"
    if not all((target / name).exists() for name in (*VENDORED, LICENSES)):
        npm = shutil.which("npm")
        if npm is None:
            sys.stderr.write("limpide: npm is not here, so the studio's pages are left out\n")
            return
        subprocess.run(
            [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=root, check=False, stdout=subprocess.DEVNULL
        )
        target.mkdir(parents=True, exist_ok=True)
        for name, source in VENDORED.items():
            if (modules / source).exists():
                text = (modules / source).read_text(encoding="utf-8")
                lines = [line for line in text.splitlines() if not line.startswith("//# sourceMappingURL")]
                (target / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
        (target / LICENSES).write_text(licenses(modules), encoding="utf-8")


def licenses(modules: Path) -> str:
    """What the authors of the modules ask to be kept with every copy."""
    packages = dict.fromkeys(source.split("/dist/")[0] for source in VENDORED.values())
    files = {name: next(iter(sorted((modules / name).glob("LICENSE*"))), None) for name in packages}
    return "\n".join(f"{name}\n\n{file.read_text(encoding='utf-8')}" for name, file in files.items() if file)


class Build(BuildHookInterface):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        compile_catalogues(Path(self.root))
        copy_modules(Path(self.root))
