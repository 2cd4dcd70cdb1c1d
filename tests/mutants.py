"""Is the suite still as sharp? Small faults put into a copy of limpide, each of which certain tests must notice.

    python -m tests.mutants            all of them, some minutes
    python -m tests.mutants resize     those whose name holds the word

Nothing is changed in place: package, tests and documents are copied, and the copy is what runs. A fault that lives was
noticed by no test that is named here; the exit status is how many do.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
NEEDED = ("limpide", "tests", "docs", "benchmarks", "experiments", "pyproject.toml", "README.md", "Makefile")


@dataclass(frozen=True)
class Mutant:
    """`old` becomes `new` in `file`, where it stands once; at least one of `tests` must fail then."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


MUTANTS = (
    Mutant(
        "a checkpoint forgets the state of the generator",
        "limpide/training/state.py",
        'self.generator.set_state(tensors["random.augment"])',
        "pass",
        ("tests/training/test_loop.py", "tests/training/test_checkpoint.py"),
    ),
    Mutant(
        "a training that goes on forgets the steps of its optimizer",
        "limpide/training/optim/base.py",
        'self.t, self.lr = numbers["t"], numbers["lr"]',
        'self.t, self.lr = 0, numbers["lr"]',
        ("tests/workflows/train/test_killed.py",),
    ),
    Mutant(
        "events of a session that was killed stay",
        "limpide/core/run.py",
        "stream.truncate(offset)",
        "pass",
        ("tests/workflows/train/test_killed.py",),
    ),
    Mutant(
        "a split cuts groups",
        "limpide/data/split.py",
        "if groups is None or not (groups >= 0).any():",
        "if True:",
        ("tests/data/test_split_together.py",),
    ),
    Mutant(
        "the square that is kept begins one pixel late",
        "limpide/data/preprocessing.py",
        "left, top = (width - side) // 2, (height - side) // 2",
        "left, top = (width - side + 1) // 2, (height - side) // 2",
        ("tests/data/test_preprocessing.py", "tests/deploy/test_preprocessing_graph.py"),
    ),
    Mutant(
        "gray levels of the sealed file are rounded down",
        "limpide/deploy/preprocessing_graph.py",
        "int32 {{{GRAY_ROUNDING}}}> ()",
        "int32 {{{0}}}> ()",
        ("tests/deploy/test_preprocessing_graph.py",),
    ),
    Mutant(
        "an interval takes images of one group for independent ones",
        "limpide/statistics/intervals.py",
        "counts, sizes = count_by_group(right, groups)",
        "counts, sizes = count_by_group(right, None)",
        ("tests/statistics/test_intervals.py",),
    ),
    Mutant(
        "the sealed file has no temperature",
        "limpide/deploy/export.py",
        "onnx.TensorProto.FLOAT, [], [temperature])",
        "onnx.TensorProto.FLOAT, [], [1.0])",
        ("tests/deploy/test_export.py",),
    ),
    Mutant(
        "a pass leaves out its last batch",
        "limpide/training/batches.py",
        "for k in range(start, len(self)):",
        "for k in range(start, max(1, len(self) - 1)):",
        ("tests/training/test_batches.py",),
    ),
    Mutant(
        "an evaluation leaves out its last batch",
        "limpide/training/batches.py",
        "for start in range(0, len(self.rows), self.batch):",
        "for start in range(0, max(1, len(self.rows) - self.batch), self.batch):",
        ("tests/training/test_batches.py", "tests/training/test_loop.py"),
    ),
    Mutant(
        "the studio lets in a request without a token",
        "limpide/studio/guard.py",
        'if not secrets.compare_digest(request.cookies.get(self.cookie, "").encode(), self.token.encode()):',
        "if request.cookies.get(self.cookie) not in (None, self.token):",
        ("tests/studio/test_guard.py", "tests/studio/test_server.py"),
    ),
    Mutant(
        "an error loses its code",
        "limpide/core/errors.py",
        ' + f" [{self.code}]"',
        "",
        ("tests/core/test_errors.py",),
    ),
    Mutant(
        "a wrong folder ends with the wrong exit status",
        "limpide/cli/__init__.py",
        "sys.exit(error.exit_status)",
        "sys.exit(Exit.UNMET)",
        ("tests/cli/test_mistakes.py",),
    ),
    Mutant(
        "a sentence has no French",
        "limpide/core/error_table/run.py",
        'N_("run.json cannot be read: {reason}")',
        'N_("run.json is not to be read: {reason}")',
        ("tests/text/test_catalogue.py",),
    ),
    Mutant(
        "a file is written in place",
        "limpide/system/files.py",
        'temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")',
        "temporary = path",
        ("tests/system/test_files.py",),
    ),
)


def is_noticed(mutant: Mutant, folder: Path) -> bool:
    """Whether a test fails, in the copy in this folder, which is then as it was."""
    file = folder / mutant.file
    before = file.read_text(encoding="utf-8")
    file.write_text(before.replace(mutant.old, mutant.new), encoding="utf-8")
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-m", "not soak", *mutant.tests],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
        )
    finally:
        file.write_text(before, encoding="utf-8")
    if done.returncode not in (0, 1):  # nothing was run, which says nothing
        raise RuntimeError(done.stdout[-2000:] + done.stderr[-2000:])
    return done.returncode == 1


def main() -> None:
    chosen = [mutant for mutant in MUTANTS if all(word in mutant.name for word in sys.argv[1:])]
    alive = 0
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for name in NEEDED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / name, folder / name)
        for mutant in chosen:
            began = time.monotonic()
            noticed = is_noticed(mutant, folder)
            alive += not noticed
            print(f"{'dies ' if noticed else 'LIVES'} {time.monotonic() - began:5.0f} s  {mutant.name}", flush=True)
    sys.exit(alive)


if __name__ == "__main__":
    main()
