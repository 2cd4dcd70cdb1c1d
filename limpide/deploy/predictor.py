"""A Predictor: a trained model with its classes, its preprocessing and its calibration, from the sealed file, without
torch.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from limpide.core.errors import DataError, ModelError
from limpide.core.typed_json import InvalidJson
from limpide.data.decoding.decode import Remarks, Undecodable
from limpide.deploy.contract import cannot_open, check_outputs, read_metadata
from limpide.deploy.detection import Strangeness
from limpide.deploy.self_test import SelfTestResult, compare
from limpide.text.messages import N_, Message, message

Opened = tuple[Image.Image, Remarks]

BATCH = 32  # images predicted at once
# of the squares that pass through the network together: more would take more memory and no less time
PIXELS = 32 * 128 * 128


@dataclass(frozen=True)
class Prediction:
    file: str
    label: str | None  # None: the model abstains
    probability: float  # calibrated, of the best class
    top: tuple[tuple[str, float], ...]  # classes and probabilities, best first
    clipped: bool = False  # some of its values are beyond the value range of the training images
    # of a model of good parts, which has no probabilities: `probability` only shows the side of the threshold
    strangeness: Strangeness | None = None

    @property
    def abstained(self) -> bool:
        return self.label is None

    def __str__(self) -> str:
        from limpide.text.numbers import format_percent

        sure = strangeness_message(self.strangeness) if self.strangeness else format_percent(self.probability)
        return f"{self.file}: {self.label} ({sure})"

    def _repr_html_(self) -> str:
        from limpide.text import notebook_html
        from limpide.text.messages import _
        from limpide.text.numbers import format_percent

        if self.strangeness is not None:
            return notebook_html.block(notebook_html.heading(str(self)))
        title = f"{self.file}: {self.label or _('none of these')}"
        return notebook_html.block(
            notebook_html.heading(title),
            notebook_html.bars([(name, share, format_percent(share)) for name, share in self.top]),
        )

    def to_json(self) -> dict[str, Any]:
        if self.strangeness is not None:
            plain = {"file": self.file, "label": self.label, "abstained": False, "clipped": self.clipped}
            return {**plain, **self.strangeness.to_json()}
        top = [{"label": name, "probability": p} for name, p in self.top]
        return {
            "file": self.file,
            "label": self.label,
            "probability": self.probability,
            "abstained": self.abstained,
            "top": top,
            "clipped": self.clipped,
        }


def clipped_message(n: int, total: int) -> Message:
    return message(
        N_("{n:count} of {total:count} images holds values beyond the value range of the training: they are clipped"),
        N_("{n:count} of {total:count} images hold values beyond the value range of the training: they are clipped"),
        n=n,
        total=total,
    )


def strangeness_message(found: Strangeness) -> Message:
    """How strange a part is, and how rarely a good part is as strange."""
    says = N_("{score:number} times the threshold; at most {p:percent} of good parts are as strange")
    return message(says, score=found.score, p=found.p_value)


LONG_ENOUGH = 1.0  # s of timing, for networks that are slow


class Predictor:
    """Opens `model.onnx`. Raises ModelError if the file is missing, damaged or not one of ours."""

    def __init__(self, file: str | os.PathLike[str], threads: int = 0) -> None:
        import onnxruntime

        self.file = Path(file)
        if not self.file.is_file():
            raise ModelError("L403", where=file)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = threads, 3
        try:
            self.session = onnxruntime.InferenceSession(str(self.file), options, providers=["CPUExecutionProvider"])
            metadata = read_metadata(self.session.get_modelmeta().custom_metadata_map, file)
            outputs = {output.name: output.shape for output in self.session.get_outputs()}
            check_outputs(metadata.contract, [one.name for one in self.session.get_inputs()], outputs)
        except InvalidJson as error:
            raise cannot_open(file, str(error)) from error
        except ModelError:
            raise
        except Exception as error:  # ONNX Runtime raises its own undocumented kinds
            raise cannot_open(file) from error
        self.classes, self.preprocessing = metadata.contract.classes, metadata.contract.preprocessing
        self.temperature, self.model = metadata.contract.temperature, metadata.contract.model
        self.priors, self.mirrored = metadata.contract.priors, metadata.contract.mirrored
        self.contract: int = metadata.contract.contract  # its version
        self.judged, self.detection = metadata.contract.judged, metadata.contract.detection
        self.train_stats = metadata.train_stats
        self._self_test = metadata.self_test
        self._width = metadata.contract.features

    def probabilities(self, images: Sequence[Image.Image]) -> np.ndarray:
        """RGB images → float32 (n, classes)."""
        return self._run(images, "probabilities")

    def logits(self, images: Sequence[Image.Image]) -> np.ndarray:
        """RGB images → float32 (n, classes), before temperature and softmax."""
        return self._run(images, "logits")

    def features(self, images: Sequence[Image.Image]) -> np.ndarray:
        """RGB images → float32 (n, width): inputs of the last linear layer. Raises ModelError for a file without."""
        if self._width is None:
            raise ModelError("L430", where=self.file)
        return self._run(images, "features")

    def strangeness(self, images: Sequence[Image.Image]) -> list[Strangeness]:
        """How strange each RGB image is, by a model of good parts. Raises ModelError for a classifier."""
        if self.detection is None:
            raise ModelError("L431", where=self.file)
        scores = self.detection.scores_of(self.logits(images))
        p_values = self.detection.p_values_of(scores)
        return [Strangeness(float(score), float(p)) for score, p in zip(scores, p_values, strict=True)]

    def self_test(self) -> SelfTestResult | None:
        """Compare the file's results on this machine with those where it was sealed, its own resize included; None for
        a file of version 1, which has no self test.
        """
        if self._self_test is None:
            return None
        return compare(self._self_test, lambda image: self.session.run(["probabilities"], {"image": image[None]})[0][0])

    def _run(self, images: Sequence[Image.Image], output: str) -> np.ndarray:
        # Squares of the right size pass through the file's own resize untouched, so images of all sizes share a batch.
        squares = np.stack([self.preprocessing.pixels(image) for image in images])
        if squares.shape[-1] == 1:
            squares = np.repeat(squares, 3, axis=-1)
        step = max(1, PIXELS // self.preprocessing.size**2)
        return np.concatenate(
            [self.session.run([output], {"image": squares[k : k + step]})[0] for k in range(0, len(squares), step)]
        )

    def milliseconds(self, image: Image.Image, batch: int = 1) -> float:
        """Median time to classify this decoded image alone, or in a batch of `batch`, ms per image."""
        times: list[float] = []
        while len(times) < 12 and (len(times) < 4 or sum(times) < LONG_ENOUGH):
            began = time.perf_counter()
            self.probabilities([image] * batch)
            times.append(time.perf_counter() - began)
        return float(np.median(times[2:])) * 1000 / batch

    def decode(self, data: bytes) -> Image.Image:
        return self.preprocessing.opened(data)[0]

    def predict(self, files: Iterable[str | os.PathLike[str]], top: int = 5) -> Iterator[Prediction | DataError]:
        """Yield one Prediction per file, in order; for a file that is not a usable image, the DataError, not raised."""
        batch: list[tuple[str, Opened | DataError]] = []
        for file in files:
            batch.append((os.fspath(file), self._opened(os.fspath(file))))
            if len(batch) == BATCH:
                yield from self._predicted(batch, top)
                batch = []
        yield from self._predicted(batch, top)

    def _opened(self, file: str) -> Opened | DataError:
        try:
            return self.preprocessing.opened(Path(file).read_bytes())
        except Undecodable as error:
            return DataError("L207", what=error.reason, where=file)
        except OSError as error:
            return DataError("L208", where=f"{file}: {error.strerror}")

    def _predicted(self, batch: Sequence[tuple[str, Opened | DataError]], top: int) -> Iterator[Prediction | DataError]:
        images = [opened[0] for _, opened in batch if not isinstance(opened, DataError)]
        rows = iter(self.probabilities(images)) if images else iter(())
        strange = iter(self.strangeness(images)) if images and self.detection else None
        for file, opened in batch:
            if isinstance(opened, DataError):
                yield opened
                continue
            row = next(rows)
            best = np.argsort(-row, kind="stable")[: max(1, top)]
            ranked = tuple((self.classes[k], float(row[k])) for k in best)
            found = next(strange) if strange else None
            yield Prediction(file, ranked[0][0], ranked[0][1], ranked, Remarks.CLIPPED in opened[1], found)
