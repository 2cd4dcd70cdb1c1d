"""Recently used runs: their networks, traces, and images."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from limpide.core.run import Run
from limpide.core.run_info import RunInfo
from limpide.data.decoding.decode import Remarks, Undecodable
from limpide.data.preprocessing import Preprocessing
from limpide.data.run_images import RunImages, run_stamp
from limpide.explanation.inputs import temperature_of
from limpide.inspector.image_reference import ImageReference
from limpide.inspector.lru_cache import LRUCache
from limpide.inspector.network_session import MAX_BYTES, CacheKey, LoadedNetwork, NetworkSession
from limpide.inspector.progress import Progress
from limpide.system.files import sha256
from limpide.text.messages import N_, message

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class StoredWeights:
    file: Path
    preprocessing: Mapping[str, Any]  # as JSON
    info: RunInfo
    network: str  # its name

    @property
    def key(self) -> tuple[str, int]:
        """The path and the time of the file: an earlier run of the same name had other weights."""
        return str(self.file), self.file.stat().st_mtime_ns


@dataclass(frozen=True)
class Probes:
    """The images that the training set aside. Parallel, read-only."""

    squares: np.ndarray  # uint8 (n, size, size, channels)
    truth: np.ndarray  # (n,); negative: not known
    files: np.ndarray  # (n,)

    def __len__(self) -> int:
        return len(self.squares)

    def file(self, k: int) -> str:
        name = self.files[k]
        return name.decode("utf-8", "surrogateescape") if isinstance(name, bytes) else str(name)


class Session(NetworkSession):
    """Networks, traces, images and results on many of them, kept for the next question."""

    def __init__(self, progress: Progress | None = None) -> None:
        self.progress = progress or Progress()
        self.networks, self.traces, self.albums = LRUCache(MAX_BYTES), LRUCache(MAX_BYTES), LRUCache(MAX_BYTES)
        self.results, self.squares = LRUCache(MAX_BYTES), LRUCache(MAX_BYTES)

    # -- networks

    def weights(self, path: str, snapshot: str) -> StoredWeights:
        """ "best" is the final model or, while there is none, the newest weights. Raises LookupError where these
        weights do not exist.
        """
        run = Run.open(path)
        info = run.info()
        if snapshot == "best" and info.final and (run.snapshots / "best.safetensors").exists():
            return StoredWeights(run.snapshots / "best.safetensors", info.final.preprocessing, info, info.network)
        steps = run.kept()
        if not steps or info.learning is None:
            raise LookupError(message(N_("no weights have been kept yet")))
        step = max(steps) if snapshot == "best" else int(snapshot) if snapshot.isdecimal() else -1
        if step not in steps:
            raise LookupError(
                message(
                    N_("the weights after step {step} were not kept; those after {steps} were"),
                    step=snapshot,
                    steps=", ".join(map(str, steps)),
                )
            )
        return StoredWeights(steps[step], info.learning.preprocessing, info, info.model)

    def weights_key(self, path: str, snapshot: str) -> CacheKey:
        return self.weights(path, snapshot).key

    def load_network(self, path: str, snapshot: str) -> LoadedNetwork:
        stored = self.weights(path, snapshot)
        return self.networks.get(stored.key, lambda: self._read_network(path, stored))

    def _read_network(self, path: str, stored: StoredWeights) -> LoadedNetwork:
        from limpide import models
        from limpide.training.weights import load_weights

        info = stored.info
        with Run(Path(path)).reading():
            preprocessing = Preprocessing.from_json(stored.preprocessing)
        network = models.build(stored.network, len(info.classes), preprocessing.channels, preprocessing.size)
        load_weights(network, stored.file)
        network.register_forward_pre_hook(lambda _, inputs: self.progress.advance(len(inputs[0])))
        return LoadedNetwork(network.eval(), preprocessing, list(info.classes))

    def temperature(self, path: str, snapshot: str) -> float:
        """The temperature by which the sealed model divides its logits; 1 for weights along the way, which are not
        calibrated.
        """
        return temperature_of(Run.open(path).info()) if snapshot == "best" else 1.0

    def averages_mirrored(self, path: str, snapshot: str) -> bool:
        return snapshot == "best" and Run.open(path).info().averages_mirrored

    def input_shape(self, path: str, snapshot: str) -> tuple[int, int, int]:
        preprocessing = self.load_network(path, snapshot).preprocessing
        return preprocessing.channels, preprocessing.size, preprocessing.size

    # -- images

    def album(self, path: str) -> RunImages:
        """Raises LookupError where the run has not split its images yet."""
        return self.albums.get(run_stamp(path), lambda: RunImages(Run.open(path)))

    def probes(self, path: str) -> Probes:
        """Raises LookupError where there are none."""
        file = Path(path) / "predictions" / "probes.npz"
        try:
            return self.squares.get((str(file), file.stat().st_mtime_ns), lambda: _read_probes(file))
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise LookupError(message(N_("this run kept no images to look at"))) from error

    def image_key(self, path: str, snapshot: str, image: ImageReference) -> CacheKey:
        return (*self.weights_key(path, snapshot), *run_stamp(path), *image.key)

    def class_and_file(self, path: str, image: ImageReference, classes: list[str]) -> tuple[str | None, str | None]:
        if image.row is not None:
            album = self.album(path)
            label = album.labels[image.row]
            if album.run.info().good and label not in classes:
                label = classes[-1]  # whatever the user calls this defect
            return label if label in classes else None, album.files[image.row]
        if image.probe is not None:
            probes = self.probes(path)
            truth = int(probes.truth[image.probe])
            return classes[truth] if truth >= 0 else None, probes.file(image.probe)
        return None, None

    def is_clipped(self, preprocessing: Preprocessing, image: ImageReference) -> bool:
        return image.data is not None and self._uploaded_square(preprocessing, image.data)[1]

    def tensor(self, path: str, preprocessing: Preprocessing, image: ImageReference) -> Tensor:
        return batch(preprocessing, self.square(path, preprocessing, image)[None])

    def probe_batch(self, path: str, preprocessing: Preprocessing, most: int) -> Tensor:
        return batch(preprocessing, self.probe_squares(path, preprocessing, most))

    def probe_squares(self, path: str, preprocessing: Preprocessing, most: int | None = None) -> np.ndarray:
        """uint8 (n, size, size, channels) of the first probes, as these weights see them. Raises LookupError."""
        probes = range(len(self.probes(path)))[:most]
        return np.stack([self.square(path, preprocessing, ImageReference(probe=k)) for k in probes])

    def square(self, path: str, preprocessing: Preprocessing, image: ImageReference) -> np.ndarray:
        return image.changed(self._unchanged_square(path, preprocessing, image))

    def _unchanged_square(self, path: str, preprocessing: Preprocessing, image: ImageReference) -> np.ndarray:
        if image.data is not None:
            return self._uploaded_square(preprocessing, image.data)[0]
        if image.probe is not None:
            return self._probe_square(path, preprocessing, image.probe)
        assert image.row is not None
        return preprocessing.pixels(self.album(path).image(image.row, preprocessing.jpeg_side))

    def _probe_square(self, path: str, preprocessing: Preprocessing, k: int) -> np.ndarray:
        probes = self.probes(path)
        if not 0 <= k < len(probes):
            raise LookupError(message(N_("this run kept no image with this number")))
        square: np.ndarray = probes.squares[k]
        if square.shape[0] == preprocessing.size:
            return square
        # These weights see another size than those that were trained, as a frozen first model does: enlarging the
        # square would show another image.
        album = self.album(path)
        if (row := album.row_of.get(probes.file(k))) is None:
            raise LookupError(
                message(
                    N_(
                        "this image was kept in another size than these weights expect, and it is no longer "
                        "among the images of the run"
                    )
                )
            )
        return preprocessing.pixels(album.image(row, preprocessing.jpeg_side))

    def _uploaded_square(self, preprocessing: Preprocessing, data: bytes) -> tuple[np.ndarray, bool]:
        """Return (square, whether values were clipped) of a file that the user gave: decoded once for all pages that
        use it.
        """

        def work() -> tuple[np.ndarray, bool]:
            image, remarks = _decode(preprocessing, data)
            square = preprocessing.pixels(image)
            square.setflags(write=False)
            return square, Remarks.CLIPPED in remarks

        return self.squares.get((sha256(data), preprocessing), work)


def batch(preprocessing: Preprocessing, squares: np.ndarray) -> Tensor:
    """uint8 (n, size, size, channels) → (n, channels, size, size), normalised as in training."""
    from limpide.training.batches import as_tensor

    return as_tensor(squares, preprocessing)


def _read_probes(file: Path) -> Probes:
    with np.load(file) as stored:
        probes = Probes(stored["squares"], stored["truth"], stored["files"])
    for array in (probes.squares, probes.truth, probes.files):
        array.setflags(write=False)  # the next question gets the same arrays
    return probes


def _decode(preprocessing: Preprocessing, data: bytes) -> tuple[Image.Image, Remarks]:
    """Return the image in these bytes, and remarks on it. Raises LookupError."""
    try:
        return preprocessing.opened(data)
    except Undecodable as error:
        raise LookupError(message(error.reason)) from error
