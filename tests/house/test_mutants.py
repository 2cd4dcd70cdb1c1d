"""The faults of tests/mutants.py can still be put into the source: an old text that is gone would test nothing."""

from __future__ import annotations

import pytest

from tests.mutants import MUTANTS, ROOT, Mutant


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_each_fault_has_its_place_and_its_tests(mutant: Mutant) -> None:
    assert (ROOT / mutant.file).read_text(encoding="utf-8").count(mutant.old) == 1 and mutant.old != mutant.new
    files = [name for name in mutant.tests if name.endswith(".py")]
    assert files and all((ROOT / name).is_file() for name in files)
