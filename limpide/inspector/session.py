"""What was looked at lately: networks, what ran in them, and the images that they are shown."""

from __future__ import annotations

import contextlib
import io
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from limpide.core.run import Run
from limpide.core.run_info import RunInfo
from limpide.data.decoding.decode import Remarks, Undecodable
from limpide.data.preprocessing import Preprocessing
from limpide.data.run_images import RunImages, run_stamp
from limpide.explanation.inputs import temperature_of
from limpide.inspector.lru_cache import LRUCache
from limpide.system.files import sha256
from limpide.text.messages import N_, message

MAX_BYTES = 300_000_000  # of each kind that is kept for the next question
PROGRESS_SECONDS = 0.2  # s between two words on how far a question is

Answer = tuple[dict[str, Any], bytes]


class Cancelled(Exception):
    """Whoever asked has gone."""


class Session:
    """Networks, traces, images and what was found in many of them, looked at lately.

    unwanted: whether nobody waits for the answer any more · tell: takes how far this question is: so many of so many
    "images" or "passes" through the network.
    """

    def __init__(
        self,
        unwanted: Callable[[], bool] = lambda: False,
        tell: Callable[[int, int, str], object] = lambda done, total, unit: None,
    ) -> None:
        self._unwanted, self._tell = unwanted, tell
        self.done = self._total = 0  # looks that were taken for this question, and those that it needs
        self._looks, self._unit = 1, "images"
        self._told = 0.0  # on the clock of `monotonic`
        self.networks, self.traces, self.albums = LRUCache(MAX_BYTES), LRUCache(MAX_BYTES), LRUCache(MAX_BYTES)
        self.seen = LRUCache(MAX_BYTES)  # features of many images, fingerprints, maps
        self.squares = LRUCache(MAX_BYTES)

    def weights(self, path: str, snapshot: str) -> tuple[Path, Mapping[str, Any], RunInfo]:
        """(file, preprocessing as JSON, run.json). "best" is the final model, while there is none the newest weights.

        Raises LookupError where there are no such weights.
        """
        run = Run.open(path)
        info = run.info()
        if snapshot == "best" and info.final and (run.snapshots / "best.safetensors").exists():
            return run.snapshots / "best.safetensors", info.final.preprocessing, info
        steps = run.kept()
        if not steps or info.learning is None:
            raise LookupError(message(N_("no weights were kept yet")))
        step = max(steps) if snapshot == "best" else int(snapshot) if snapshot.isdecimal() else -1
        if step not in steps:
            raise LookupError(
                message(
                    N_("the weights after step {step} were not kept; there are those after {steps}"),
                    step=snapshot,
                    steps=", ".join(map(str, steps)),
                )
            )
        return steps[step], info.learning.preprocessing, info

    def key(self, path: str, snapshot: str) -> tuple[str, int]:
        """What tells these weights from all others, those of an earlier run of the same name included."""
        file, _, _ = self.weights(path, snapshot)
        return str(file), file.stat().st_mtime_ns

    def network(self, path: str, snapshot: str) -> tuple[Any, Any, list[str]]:
        """(network in evaluation mode, preprocessing, classes). Raises LookupError as `weights`."""
        file, kept, info = self.weights(path, snapshot)

        def work() -> tuple[Any, Any, list[str]]:
            from limpide import models
            from limpide.training.weights import load_weights

            with Run(Path(path)).reading():
                preprocessing = Preprocessing.from_json(kept)
            network = models.build(info.model, len(info.classes), preprocessing.channels, preprocessing.size)
            load_weights(network, file)
            network.register_forward_pre_hook(lambda _, inputs: self.looked_at(len(inputs[0])))
            return network.eval(), preprocessing, list(info.classes)

        return self.networks.once((str(file), file.stat().st_mtime_ns), work)  # type: ignore[no-any-return]

    @contextlib.contextmanager
    def counting(self, total: int, *, looks: int = 1, unit: str = "images") -> Iterator[None]:
        """A question of so many images, or passes, at most, each of which is looked at so often: while it is entered,
        whoever waits is told how far it is.
        """
        self.done, self._total, self._told = 0, total * looks, 0.0
        self._looks, self._unit = looks, unit
        try:
            yield
        finally:
            self._total = 0

    def looked_at(self, images: int) -> None:
        """Before each pass through a network, and with each image that is read. Raises GivenUp where nobody waits for
        the answer: what was worked out before is kept.
        """
        if self._unwanted():
            raise Cancelled("nobody waits for this any more")
        self.done += images
        if self._total and time.monotonic() - self._told >= PROGRESS_SECONDS:
            self._told = time.monotonic()
            self._tell(min(self.done, self._total) // self._looks, self._total // self._looks, self._unit)

    def temperature(self, path: str, snapshot: str) -> float:
        """What the sealed model divides its logits by; 1 for weights along the way, which nobody calibrated."""
        return temperature_of(Run.open(path).info()) if snapshot == "best" else 1.0

    def tensor(self, path: str, preprocessing: Any, image: dict[str, Any]) -> Any:
        """(1, channels, size, size), normalised as in training."""
        return self.batch(preprocessing, self.square(path, preprocessing, image)[None])

    def batch(self, preprocessing: Any, squares: np.ndarray) -> Any:
        from limpide.training.batches import as_tensor

        return as_tensor(squares, preprocessing)

    def shape(self, path: str, snapshot: str) -> tuple[int, int, int]:
        """(channels, height, width) of what the network takes."""
        _, preprocessing, _ = self.network(path, snapshot)
        return preprocessing.channels, preprocessing.size, preprocessing.size

    def watched(self, path: str, preprocessing: Any, most: int) -> Any:
        """The first of the images that the training set aside: (n, channels, size, size), normalised. Raises
        LookupError where there are none.
        """
        some = range(min(most, len(self.probes(path)["squares"])))
        return self.batch(preprocessing, np.stack([self.square(path, preprocessing, {"probe": k}) for k in some]))

    def album(self, path: str) -> RunImages:
        """Raises LookupError where the run has not split its images yet."""
        return self.albums.once(run_stamp(path), lambda: RunImages(Run.open(path)))  # type: ignore[no-any-return]

    def probes(self, path: str) -> dict[str, np.ndarray]:
        """What the training set aside: squares uint8 (n, size, size, channels), truth (n,), files (n,). Raises
        LookupError.
        """
        file = Path(path) / "predictions" / "probes.npz"

        def work() -> dict[str, np.ndarray]:
            with np.load(file) as stored:
                found = {name: stored[name] for name in ("squares", "truth", "files")}
            for kept in found.values():
                kept.setflags(write=False)  # the next question gets the same arrays
            return found

        try:
            return self.squares.once((str(file), file.stat().st_mtime_ns), work)  # type: ignore[no-any-return]
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise LookupError(message(N_("this run kept no images to look at"))) from error

    def square(self, path: str, preprocessing: Any, image: dict[str, Any]) -> np.ndarray:
        """uint8 (size, size, channels): what the network sees, changed as the question asks. Raises LookupError."""
        return change_square(self._square(path, preprocessing, image), image)

    def _square(self, path: str, preprocessing: Any, image: dict[str, Any]) -> np.ndarray:
        if "bytes" in image:
            return self._handed(preprocessing, image["bytes"])[0]
        if "row" in image:
            found = self.album(path).image(image["row"], preprocessing.jpeg_side)
        else:
            kept = self.probes(path)
            if not 0 <= image["probe"] < len(kept["squares"]):
                raise LookupError(message(N_("this run kept no image of this number")))
            square = kept["squares"][image["probe"]]
            if square.shape[0] == preprocessing.size:
                return square  # type: ignore[no-any-return]
            # These weights see another size than those that were trained, as a frozen first model does: enlarging the
            # square would show another image.
            album, file = self.album(path), kept["files"][image["probe"]]
            name = file.decode("utf-8", "surrogateescape") if isinstance(file, bytes) else str(file)
            if (row := album.row_of.get(name)) is None:
                raise LookupError(
                    message(
                        N_(
                            "this image is kept in another size than these weights see, and it is no longer among the "
                            "images of the run"
                        )
                    )
                )
            found = album.image(row, preprocessing.jpeg_side)
        return preprocessing.pixels(found)  # type: ignore[no-any-return]

    def is_clipped(self, preprocessing: Any, image: dict[str, Any]) -> bool:
        """Whether the image holds values beyond the range that the network was trained on. Raises LookupError."""
        return "bytes" in image and self._handed(preprocessing, image["bytes"])[1]

    def _handed(self, preprocessing: Any, data: bytes) -> tuple[np.ndarray, bool]:
        """(square, whether values were clipped) of a file that somebody handed over: decoded once, however many pages
        look at it.
        """

        def work() -> tuple[np.ndarray, bool]:
            found, remarks = decode_bytes(preprocessing, data)
            square = preprocessing.pixels(found)
            square.setflags(write=False)
            return square, Remarks.CLIPPED in remarks

        return self.squares.once((sha256(data), preprocessing), work)  # type: ignore[no-any-return]

    def once(self, key: Any, work: Callable[[], Any]) -> Any:
        """What takes long is worked out once."""
        return self.seen.once(key, work)

    def trace(self, path: str, snapshot: str, image: dict[str, Any]) -> tuple[Any, Any, Any, list[str]]:
        """(network, trace, preprocessing, classes)."""
        from limpide.interpret.trace import trace

        network, preprocessing, classes = self.network(path, snapshot)
        found = self.traces.once(
            self.trace_key(path, snapshot, image), lambda: trace(network, self.tensor(path, preprocessing, image))
        )
        return network, found, preprocessing, classes

    def trace_key(self, path: str, snapshot: str, image: dict[str, Any]) -> tuple[Any, ...]:
        """What tells this image in these weights from all others."""
        told = [(name, sha256(value) if isinstance(value, bytes) else value) for name, value in sorted(image.items())]
        return (*self.key(path, snapshot), *run_stamp(path), *told)


def decode_bytes(preprocessing: Any, data: bytes) -> tuple[Image.Image, Remarks]:
    """The image in these bytes, and what is worth saying of it. Raises LookupError."""
    try:
        return preprocessing.opened(data)  # type: ignore[no-any-return]
    except Undecodable as error:
        raise LookupError(message(error.reason)) from error


def change_square(square: np.ndarray, image: dict[str, Any]) -> np.ndarray:
    """The square with "turn" (degrees, counter-clockwise; what comes in from outside is the mirrored border), "mirror",
    and "noise" (standard deviation in grey levels, the same noise every time).
    """
    if image.get("mirror"):
        square = square[:, ::-1]
    if image.get("turn"):
        height, width = square.shape[:2]
        border = max(height, width) // 2
        wide = np.pad(square, ((border,) * 2, (border,) * 2, (0, 0)), mode="reflect")
        planes = [
            np.asarray(
                Image.fromarray(np.ascontiguousarray(wide[..., c])).rotate(image["turn"], Image.Resampling.BILINEAR)
            )
            for c in range(wide.shape[-1])
        ]
        square = np.stack(planes, -1)[border : border + height, border : border + width]
    if image.get("noise"):
        noise = np.random.default_rng(0).normal(0, image["noise"], square.shape)
        square = np.clip(np.round(square + noise), 0, 255).astype(np.uint8)
    return np.ascontiguousarray(square)


def compare_probabilities(
    looker: Session, path: str, snapshot: str, before: Any, after: Any, classes: list[str]
) -> Answer:
    """Probabilities of the likeliest classes as it is, and then: on the same scale as `prediction`."""
    t = looker.temperature(path, snapshot)
    before, after = (before / t).softmax(0), (after / t).softmax(0)
    order = before.argsort(descending=True)[:5].tolist() + after.argsort(descending=True)[:2].tolist()
    return {
        "rows": [
            {"class": classes[k], "before": float(before[k]), "after": float(after[k])} for k in dict.fromkeys(order)
        ]
    }, b""


def png(square: np.ndarray) -> bytes:
    """uint8 (height, width, channels) as a PNG: in colour where there are three channels, else the first in grey."""
    stream = io.BytesIO()
    Image.fromarray(square if square.shape[-1] == 3 else square[..., 0]).save(stream, "PNG")
    return stream.getvalue()


def npy(value: Any) -> bytes:
    """A tensor or an array as the bytes of a float32 .npy file."""
    stream = io.BytesIO()
    np.save(
        stream, np.ascontiguousarray(value.detach().float().numpy() if hasattr(value, "detach") else value, np.float32)
    )
    return stream.getvalue()
