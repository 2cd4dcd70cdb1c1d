"""Which judged images belong together: as the run's split kept them, or as the table and prints of other data show."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from limpide.audit.evidence import Evidence
from limpide.core.run import Run
from limpide.data.dataset import Dataset
from limpide.data.near_duplicates import find_pairs, linked_groups
from limpide.data.read_images import fingerprints_of, sample_images
from limpide.data.split_file import groups_in


def groups_as_split(evidence: Evidence, run: Run) -> Evidence:
    """The test images of a run, with the groups that its split.csv kept together."""
    groups = groups_in(run.split_file, evidence.files)
    return dataclasses.replace(
        evidence, groups=_several(groups), grouped_by=run.info().grouped_by, groups_known=groups is not None
    )


def groups_as_given(
    evidence: Evidence, run: Run, dataset: Dataset, rows: np.ndarray, prints: Mapping[int, Any]
) -> Evidence:
    """Other images, with the groups of their own table, and with near duplicates found by their prints, uint64 (4,) by
    row, where a split would search for them.

    Where the run's own data had group columns and these have none, or where there is no run, no data say which images
    belong together.
    """
    table_groups = np.full(len(rows), -1) if dataset.groups is None else dataset.groups[rows]
    is_known = dataset.groups is not None or (run.split_file.exists() and not run.info().grouped_by)
    n = len(rows)
    grouped = np.flatnonzero(table_groups >= 0)
    links = [np.stack([grouped, n + table_groups[grouped]], axis=1)]
    if n > 1 and fingerprints_of(dataset, sample_images(dataset)):
        links.append(find_pairs(np.stack([prints[int(i)] for i in rows])))
    groups = linked_groups(n + int(table_groups.max(initial=-1)) + 1, np.concatenate(links).astype(np.int64))[:n]
    return dataclasses.replace(evidence, groups=_several(groups), grouped_by=dataset.grouped_by, groups_known=is_known)


def groups_of_table(evidence: Evidence, run: Run, dataset: Dataset, rows: np.ndarray) -> Evidence:
    """As `groups_as_given`, without near duplicates: good parts look alike without belonging together."""
    groups = None
    if dataset.groups is not None:
        own = dataset.groups[rows]
        groups = np.where(own >= 0, own, int(own.max(initial=-1)) + 1 + np.arange(len(rows)))
    is_known = groups is not None or (run.split_file.exists() and not run.info().grouped_by)
    return dataclasses.replace(evidence, groups=_several(groups), grouped_by=dataset.grouped_by, groups_known=is_known)


def _several(groups: np.ndarray | None) -> np.ndarray | None:
    """None where each image is independent."""
    return None if groups is None or len(np.unique(groups)) == len(groups) else groups
