"""check: examine a folder of images → findings. Nothing is learned, and no file of the user is changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from limpide.audit.folder import FolderContents
from limpide.audit.folder_checks import run_checks
from limpide.core.errors import RunError
from limpide.core.events import Event, Judged
from limpide.core.recipe import Recipe
from limpide.data import pixel_cache
from limpide.data.dataset import Dataset
from limpide.data.decoding.value_range import ValueRange, decide_range
from limpide.data.layouts.hints import Hints
from limpide.data.layouts.scan import scan
from limpide.data.layouts.summary import DatasetSummary
from limpide.data.preprocessing import Preprocessing
from limpide.data.read_images import near_pairs, read_pixels, sample_images, stored_reading

SIDE = 64  # pixels of the squares on which images are compared; only the data for a hash of them are kept


def check(
    location: str, *, hints: Hints | None = None, value_range: str = "auto", rehash: bool = False
) -> Iterator[Event | DatasetSummary]:
    """Yield a summary of the data set, then progress and one Judged for each check. value_range: as in Recipe. Raises
    DataError if there is nothing to examine.
    """
    range_choice = Recipe(value_range=value_range).asked_range()
    dataset = scan(location, fewest_classes=1, hints=hints)
    yield DatasetSummary.of(dataset)
    values = yield from decide_range(dataset, range_choice, rehash=rehash)
    dataset = dataset.read_by(values.span)
    rows_by_preprocessing = {
        Preprocessing(SIDE, 3, jpeg_side=2 * SIDE, value_range=values.span): np.arange(len(dataset))
    }
    shared = pixel_cache.shared_folder(dataset, rows_by_preprocessing)
    with TemporaryDirectory() as temporary:
        if shared is None:
            yield from _checked(dataset, values, rows_by_preprocessing, Path(temporary))
            return
        with pixel_cache.is_in_use(shared) as has_lock:
            folder = shared if has_lock else Path(temporary)
            # damaged
            if (
                has_lock
                and pixel_cache.prepare(folder, dataset, rows_by_preprocessing, rehash=rehash)
                and stored_reading(dataset, rows_by_preprocessing, folder) is None
            ):
                pixel_cache.prepare(folder, dataset, rows_by_preprocessing, rehash=True)
            yield from _checked(dataset, values, rows_by_preprocessing, folder)


def _checked(
    dataset: Dataset, values: ValueRange, rows_by_preprocessing: dict[Preprocessing, np.ndarray], folder: Path
) -> Iterator[Event]:
    if stored_reading(dataset, rows_by_preprocessing, folder) is None:
        yield from read_pixels(dataset, rows_by_preprocessing, folder, on_disk=frozenset())
    reading = stored_reading(dataset, rows_by_preprocessing, folder)
    if reading is None:
        raise RunError("L508", where=folder)
    for finding in run_checks(
        FolderContents(dataset, reading, near_pairs(dataset, reading, grey=sample_images(dataset).grey), values)
    ):
        yield Judged(finding)
