"""evaluate: run the sealed file on other labelled images → findings. Classes match by name; torch is not imported."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from limpide.core.errors import UsageError
from limpide.core.events import Event, Judged
from limpide.core.finding import Finding
from limpide.core.recipe import Recipe
from limpide.core.run import Run
from limpide.core.run_info import RunInfo
from limpide.data.dataset import Dataset
from limpide.data.layouts.hints import Hints
from limpide.data.layouts.scan import scan
from limpide.data.split_file import check_split
from limpide.deploy.load import load_predictor
from limpide.judging.data_subject import subject_of_data
from limpide.judging.registry import in_evaluate
from limpide.text.messages import N_, message


def evaluate(run: str, data: str) -> Iterator[Event]:
    """Yields progress, notes and one Judged for each audit. Raises DataError when no class of `data` is known."""
    predictor = load_predictor(run)
    dataset = _scanned(Run(Path(run)), data).read_by(predictor.preprocessing.value_range)
    if (Path(run) / "run.json").is_file():
        check_split(Run(Path(run)))  # before the work: the images used in training are reported at the end
    subject = subject_of_data(Run(Path(run)), predictor, dataset, data)
    trained_on = (yield from subject.evidence()).trained_on
    for audit in in_evaluate(subject.offers):
        for event in audit.run(subject):
            yield Judged(_unflattered(event, trained_on)) if isinstance(event, Finding) else event


def _unflattered(finding: Finding, trained: int | None) -> Finding:
    """Replace the verdict "ok" by "unknown" if the training used some of these images: the errors that they hide are
    not known. The score says so itself. trained: the number of these images.
    """
    if not trained or finding.verdict != "ok" or finding.name in ("accuracy", "defects"):
        return finding
    says = message(
        N_(
            "The training used {trained:count} of these images, or nearly the same ones, which makes this "
            "look better than it is: {says}"
        ),
        trained=trained,
        says=finding.message.to_json(),
    )
    return replace(finding, verdict="unknown", message=says)


def _scanned(run: Run, data: str) -> Dataset:
    """The data set, with the group columns of the run's own table if these data have them, too: such columns need not
    have a name that is recognised.
    """
    info = run.info() if run.split_file.exists() else RunInfo()
    hints = Hints.of(Recipe.from_json(info.wanted))
    with contextlib.suppress(UsageError):  # no table, or one without these columns
        return scan(data, fewest_classes=1, hints=replace(hints, groups=info.grouped_by or hints.groups))
    return scan(data, fewest_classes=1)
