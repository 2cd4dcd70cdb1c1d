"""What an ablation varies: `augment=none,light optimizer=sgd,adam`, as a user writes it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from limpide.core.errors import UsageError
from limpide.core.recipe import Recipe, canonical_name

MOST = 24  # combinations: each is trained several times
# What decides which images there are, which of them judge, and for how long is trained.
FIXED = (
    *("seed", "test", "validation", "calibration", "folds", "groups", "parts", "good", "false_alarms", "time"),
    *("file_column", "label_column", "split_column", "images", "suffix", "value_range"),
)


@dataclass(frozen=True)
class Arm:
    """One combination of the values."""

    changes: dict[str, str]  # names of Recipe → values as written
    recipe: Recipe

    @property
    def name(self) -> str:
        return " ".join(f"{name}={value}" for name, value in self.changes.items())


def read_variations(words: Sequence[str], recipe: Recipe) -> list[Arm]:
    """Every combination, the first values first: the others are compared with it. Values are separated by commas, or by
    slashes where a value has commas itself (`augment=none/flip,crop`).

    Raises UsageError for a word that varies nothing, an option that decides which images judge, a value that is not
    legal, and for too many combinations.
    """
    varied: dict[str, list[str]] = {}
    for word in words:
        option, equals, text = word.partition("=")
        values = [value.strip() for value in text.split("/" if "/" in text else ",")]
        if not equals or len(set(values)) < 2 or len(set(values)) < len(values) or not all(values):
            raise UsageError("L181", where=word)
        name = canonical_name(option.lstrip("-"))
        if name in FIXED or name in varied:
            raise UsageError("L182", where=word, name=name)
        if getattr(recipe, name) != getattr(Recipe(), name):
            raise UsageError("L182", where=f"{word} {name}={getattr(recipe, name)}", name=name)
        varied[name] = values
    if not varied:
        raise UsageError("L181", where="limpide ablate")
    combinations = [dict(zip(varied, values, strict=True)) for values in itertools.product(*varied.values())]
    if len(combinations) > MOST:
        raise UsageError("L183", where=" ".join(words), n=len(combinations), most=MOST)
    arms = [Arm(changes, recipe.but(**changes)) for changes in combinations]
    if len({arm.recipe for arm in arms}) < len(arms):  # 0.1 and 0.10
        raise UsageError("L181", where=" ".join(words))
    return arms
