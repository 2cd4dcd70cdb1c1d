"""Find the class of the good parts, if the model learns from them alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from limpide.core.errors import UsageError, nearest
from limpide.core.recipe import Recipe
from limpide.data.dataset import TEST, VALIDATION, Dataset
from limpide.data.layouts.hints import LOOSE, Hints
from limpide.data.layouts.scan import scan
from limpide.models import GOOD_PARTS
from limpide.training.good_parts import check_options

# a training part with only a class of such a name is intended, whatever classes the test part has, as in MVTec AD
# (Bergmann et al. 2019); with another name, it may be a mistake
SAYS_GOOD = {"good", "ok", "okay", "normal", "nominal", "pass", "passed", "intact", "bon", "bons", "bonne", "bonnes"}


def scan_to_learn(location: str, recipe: Recipe) -> Dataset:
    """A data set of one class or of several: images outside of folders are good parts. Raises DataError, UsageError."""
    hints = Hints.of(recipe)
    return scan(location, fewest_classes=1, hints=replace(hints, good=hints.good or LOOSE))


def good_class(dataset: Dataset, recipe: Recipe) -> str:
    """The class that the user named, or the only one to learn from; "" if the model learns to tell classes apart.

    Raises UsageError if the class does not exist, is not named but needed, or if other options contradict it.
    """
    names = ", ".join(dataset.classes[:12])
    if recipe.good:
        if recipe.good not in dataset.classes:
            guess = nearest(recipe.good, dataset.classes) or dataset.classes[0]
            raise UsageError("L173", where=f"good={recipe.good}", name=recipe.good, names=names, guess=guess)
        good = recipe.good
    else:
        learned = np.unique(dataset.labels[~np.isin(dataset.given, (TEST, VALIDATION))])
        meant = len(dataset.classes) == 1 or (len(learned) == 1 and _says_good(dataset.classes[int(learned[0])]))
        if not meant:
            if recipe.false_alarms is not None or recipe.model == GOOD_PARTS:
                rate = recipe.false_alarms
                where = f"model={recipe.model}" if rate is None else f"false_alarms={rate}"
                raise UsageError("L174", where=where, names=names, guess=dataset.classes[0])
            return ""
        good = dataset.classes[int(learned[0])]
    check_options(recipe)
    return good


def _says_good(name: str) -> bool:
    return name.casefold() in SAYS_GOOD
