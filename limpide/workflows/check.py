"""check: what is in a folder of images → findings. Nothing is learned, and nothing of the user's is changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from limpide.audit.check import all_checks
from limpide.audit.checked import Checked
from limpide.data import store
from limpide.data.dataset import Dataset
from limpide.data.preprocessing import Preprocessing
from limpide.data.reading import glimpse, near_pairs, read, stored
from limpide.data.scan import scan
from limpide.data.value_range import ValueRange, decided
from limpide.errors import RunError
from limpide.events import Event, Judged, Note
from limpide.language import N_, Message, message
from limpide.recipe import Recipe

SIDE = 64  # pixels of the squares that images are compared on; only what a hash of them needs is kept


def check(location: str, *, groups: str = "auto", value_range: str = "auto", rehash: bool = False) -> Iterator[Event]:
    """Yields progress, notes and one Judged for each check. groups, value_range: as in Recipe. Raises DataError where there is nothing to look at."""
    asked = Recipe(value_range=value_range).asked_range()
    dataset = scan(location, fewest_classes=1, groups=groups)
    yield Note("data", _counted(dataset))
    for note in dataset.notes:
        yield Note("data", note)
    values = yield from decided(dataset, asked, rehash=rehash)
    dataset = dataset.read_by(values.span)
    wanted = {Preprocessing(SIDE, 3, jpeg_side=2 * SIDE, value_range=values.span): np.arange(len(dataset))}
    shared = store.shared_folder(dataset, wanted)
    with TemporaryDirectory() as temporary:
        if shared is None:
            yield from _checked(dataset, values, wanted, Path(temporary))
            return
        with store.working_in(shared) as ours:
            folder = shared if ours else Path(temporary)
            if ours and store.prepare(folder, dataset, wanted, rehash=rehash) and stored(dataset, wanted, folder) is None:  # damaged
                store.prepare(folder, dataset, wanted, rehash=True)
            yield from _checked(dataset, values, wanted, folder)


def _counted(dataset: Dataset) -> Message:
    if len(dataset.classes) == 1:
        return message(N_("{n:count} image in one class"), N_("{n:count} images in one class"), n=len(dataset))
    return message(N_("{n:count} images in {k:count} classes"), n=len(dataset), k=len(dataset.classes))


def _checked(dataset: Dataset, values: ValueRange, wanted: dict[Preprocessing, np.ndarray], folder: Path) -> Iterator[Event]:
    if stored(dataset, wanted, folder) is None:
        yield from read(dataset, wanted, folder, on_disk=frozenset())
    reading = stored(dataset, wanted, folder)
    if reading is None:
        raise RunError("L508", N_("the decoded images could not be kept"), where=folder, todo=N_("free some disk space and run the same command again"))
    for finding in all_checks(Checked(dataset, reading, near_pairs(dataset, reading, grey=glimpse(dataset).grey), values)):
        yield Judged(finding)
