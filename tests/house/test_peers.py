"""What docs/explanation/performance.md says of other libraries is what benchmarks/peers.csv holds, and the programs of
the same recipe have limpide's.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.peers import results
from benchmarks.peers.results import Pair
from limpide.models.cnn import SmallCNN
from limpide.training.optim.groups import parameter_groups
from limpide.training.optim.schedules import one_cycle

ROOT = Path(__file__).parents[2]
HERE = ROOT / "benchmarks" / "peers"
PAGE = ROOT / "docs" / "explanation" / "performance.md"
PAIRS = [
    Pair("documented", "slow", 1, 0.98, 60.0, None, 0.99, 10.0),
    Pair("documented", "slow", 2, 0.99, 90.0, 45.5, 0.99, 10.0),
    Pair("documented", "slow", 3, 0.991, 80.0, 40.0, 0.993, 20.0),
    Pair("documented", "quick", 1, 0.97, 15.0, None, 0.992, 12.0),
    Pair("same", "slow", 1, 0.99, 9.0, None, 0.99, 10.0),
]


@pytest.fixture
def peers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As when a program of benchmarks/peers runs: it finds its neighbors."""
    known = set(sys.modules)
    monkeypatch.syspath_prepend(str(HERE))
    yield
    for name in set(sys.modules) - known:
        if (HERE / f"{name}.py").exists():
            del sys.modules[name]


def test_the_page_is_that_of_the_file() -> None:
    page, pairs = PAGE.read_text(encoding="utf-8"), results.read()
    for name in results.TABLES:
        assert results.table(pairs, name) in page, f"python -m benchmarks.peers --table prints it: {name}"


def test_what_was_measured_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "peers.csv"
    assert results.read(file) == []
    for pair in PAIRS:
        results.add(pair, file)
    assert results.read(file) == PAIRS
    assert file.read_text().count("limpide_seconds") == 1


def test_a_table_is_the_medians_of_its_own_pairs_the_fastest_first() -> None:
    head, line, quick, slow = results.table(PAIRS, "documented").splitlines()
    assert head.count("|") == line.count("|") == quick.count("|") == slow.count("|")
    assert quick == "| quick | 1 | 97.00 % | 15.0 s | – | 99.20 % | 12.0 s | 1.2× (1.2 to 1.2) | 1.2× |"
    assert slow == "| slow | 3 | 99.00 % | 80.0 s | 42.8 s | 99.00 % | 10.0 s | 6.0× (4.0 to 9.0) | 6.0× |"


@pytest.mark.parametrize("file", sorted(HERE.glob("*.py")), ids=lambda file: file.stem)
def test_a_peer_takes_nothing_of_limpide(file: Path) -> None:
    """Importing limpide tells OpenMP how to wait, and would so change what is measured."""
    names = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
    }
    assert file.stem == "__main__" or not names & {"limpide", "benchmarks"}


def test_the_same_network_is_limpides(peers: None) -> None:
    import small_cnn

    theirs, ours = small_cnn.SmallCNN().eval(), SmallCNN(classes=10).eval()
    theirs.load_state_dict(ours.state_dict())
    images = torch.randn(5, 1, 28, 28)
    assert torch.equal(theirs(images), ours(images))
    decays = {id(p): group["weight_decay"] for group in small_cnn.parameter_groups(ours) for p in group["params"]}
    for group in parameter_groups(ours, small_cnn.WEIGHT_DECAY, ()):
        assert {decays[id(p)] for p in group.parameters} == {group.weight_decay}


def test_the_same_recipe_is_limpides(peers: None) -> None:
    import shared

    shares = [shared.one_cycle(step) for step in range(shared.STEPS)]
    assert shares == [one_cycle(step, shared.STEPS) for step in range(shared.STEPS)]
    learned, validated = shared.learned_and_validated(3)
    assert (len(learned), len(validated)) == (shared.LEARNED, shared.VALIDATED)
    assert len(np.union1d(learned, validated)) == shared.LEARNED + shared.VALIDATED


def test_the_files_are_read_as_the_format_says(peers: None, tmp_path: Path) -> None:
    import shared

    pixels = np.arange(2 * 28 * 28, dtype=np.uint32).astype(np.uint8).reshape(2, 28, 28)
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(bytes(16) + pixels.tobytes())
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(bytes(8) + bytes([7, 2]))
    images, labels = shared.load(tmp_path, "t10k")
    assert np.array_equal(images, pixels) and labels.tolist() == [7, 2]
    assert shared.normalized(np.array([0, 255], np.uint8)).tolist() == [-2.0, 2.0]
