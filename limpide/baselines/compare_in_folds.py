"""The comparison where images are judged in folds: each simpler model is fitted once a fold, and judged on the images
that it did not learn from, as the network is.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace

import numpy as np

from limpide.baselines.baseline import Baseline, BaselineInputs, ComparedModel, FrozenModel
from limpide.baselines.compare import Comparison, fit_baselines
from limpide.core.events import Event
from limpide.data.dataset import TEST, TRAIN, Dataset
from limpide.data.folds import NO_FOLD


def fit_in_folds(
    dataset: Dataset,
    parts: np.ndarray,
    folds: np.ndarray,
    rows: np.ndarray,
    inputs: BaselineInputs,
    keep: Callable[[str, int], None],
    allowed: Callable[[Baseline], bool],
) -> Generator[Event, None, Comparison]:
    """As `fit_baselines`. folds: int (len(dataset),) · rows: the images that are judged · keep: called with the key of
    the baseline and the fold, "forest in fold 2".
    """
    names = sorted(set(folds[rows].tolist()) - {NO_FOLD})
    found: list[Comparison] = []
    for name in names:
        own = rows[folds[rows] == name]
        of_fold = np.where((parts == TRAIN) & (folds != name), TRAIN, 0).astype(np.uint8)
        of_fold[own] = TEST
        comparison = yield from fit_baselines(
            dataset,
            of_fold,
            own,
            _inputs_of(inputs, name, of_fold, len(names)),
            lambda baseline, n, name=name: keep(_key(baseline.key, name), n),  # type: ignore[misc]
            allowed,
        )
        found.append(comparison)
    late = {one.key: one for comparison in found for one in comparison.late}
    left_out = {one.key: one for comparison in found for one in comparison.left_out if one.key not in late}
    whole = [model.key for model in found[0].models if not {model.key} & {*late, *left_out}]
    places = [np.flatnonzero(folds[rows] == name) for name in names]
    models = [_joined([_model(comparison, key) for comparison in found], places) for key in whole]
    return Comparison(models, list(late.values()), list(left_out.values()))


def _key(key: str, fold: int) -> str:
    return f"{key} in fold {fold}"


def _inputs_of(inputs: BaselineInputs, fold: int, parts: np.ndarray, folds: int) -> BaselineInputs:
    """The inputs of the baselines of one fold, with a share of the time."""
    seconds, cache = inputs.budget.seconds, inputs.cache
    if cache is not None:
        cache = cache / f"fold-{fold}"
        cache.mkdir(parents=True, exist_ok=True)
    ending = _key("", fold)
    return replace(
        inputs,
        frozen=inputs.frozen and _frozen_of(inputs.frozen, parts, folds),
        budget=replace(inputs.budget, seconds=None if seconds is None else seconds / folds),
        decided={key.removesuffix(ending): n for key, n in inputs.decided.items() if key.endswith(ending)},
        cache=cache,
    )


def _frozen_of(frozen: FrozenModel, parts: np.ndarray, folds: int) -> FrozenModel:
    """The part of it that belongs to one fold, with its share of the seconds in which all features were computed."""
    train, test = parts[frozen.train_rows] == TRAIN, parts[frozen.test_rows] == TEST
    return replace(
        frozen,
        train=frozen.train[train],
        train_rows=frozen.train_rows[train],
        test=frozen.test[test],
        test_rows=frozen.test_rows[test],
        logits=None if frozen.logits is None else frozen.logits[test],
        seconds=frozen.seconds / folds,
        head_seconds=frozen.head_seconds / folds,
    )


def _model(comparison: Comparison, key: str) -> ComparedModel:
    return next(model for model in comparison.models if model.key == key)


def _joined(models: list[ComparedModel], places: list[np.ndarray]) -> ComparedModel:
    """Join the models of the folds into one model of the comparison. places: of the images of each fold among all
    judged.
    """
    rows = np.concatenate([own[model.rows] for model, own in zip(models, places, strict=True)])
    order, first = np.argsort(rows), models[0]
    return replace(
        first,
        rows=rows[order],
        right=np.concatenate([model.right for model in models])[order],
        n_train=min(model.n_train for model in models),
        seconds=sum(model.seconds for model in models),
        drawn=None if first.drawn is None else min(model.drawn or 0 for model in models),
    )
