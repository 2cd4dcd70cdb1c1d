"""The subject of judging: a model and images whose class is known. What the audits ask for is made once, and kept."""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from limpide.audit.evidence import Evidence
from limpide.baselines.baseline import BaselineInputs
from limpide.core.events import Event, Progress
from limpide.core.run import Run
from limpide.data.dataset import Dataset
from limpide.data.preprocessing import Preprocessing
from limpide.judging.answers import Answers, read_image
from limpide.text.messages import N_, message

BATCH = 32  # images at once

T = TypeVar("T")
Work = Generator[Event, None, T]  # yields its progress; its return value is the result


@dataclass(frozen=True)
class Network:
    """The trained network itself, for audits that look inside."""

    model: Any  # a torch.nn.Module in evaluation mode
    preprocessing: Preprocessing
    multiply_adds: int  # of one image
    parameters: int


@dataclass(frozen=True)
class TrainedRun:
    """What only a run that was trained here has, besides its sealed file."""

    run: Run
    parts: np.ndarray  # uint8, of all images: places in PARTS
    network: Callable[[], Network]
    milliseconds: Callable[[], Work[float]]  # that naming one image takes
    baseline_inputs: Callable[[], Work[BaselineInputs]]
    # (audit, a part of it (msgid), s): whether there is time for it, and for what follows
    has_time: Callable[[str, str, float], bool]
    # int8, of all images, as in data/folds.py; None where a part was kept for the test
    folds: np.ndarray | None = None
    fold_network: Callable[[int], Network] | None = None  # the network that had not seen the images of that fold


@dataclass
class Subject:
    """`rows` of `dataset` are judged. Questions that take long are generators: `value = yield from subject.answers()`.

    learned_from: bool (len(dataset),), images that the model learned from or was chosen by; it is never asked about
    them. Raises ValueError where an audit asks for what this subject does not have: its `needs` say too little.
    """

    dataset: Dataset
    rows: np.ndarray
    learned_from: np.ndarray
    ask: Callable[[np.ndarray], Work[Answers]]  # the answers of the sealed file about these rows
    weigh: Callable[[Answers], Work[Evidence]]
    trained: TrainedRun | None = None
    preprocessing: Preprocessing | None = None  # of the sealed file; None: that of the run's network
    close: Callable[[], None] = lambda: None  # releases the sealed file
    promised: float | None = None  # rate of false alarms, of a model of good parts; None: a classifier
    _results: dict[Hashable, Any] = field(default_factory=dict, init=False)

    @property
    def offers(self) -> frozenset[str]:
        """The needs of audits that this subject can meet."""
        if self.promised is not None:
            return frozenset({"good parts"})
        offers = {"answers", "images"}
        if self.trained:
            offers |= {"network", "features", "training data"}
            offers |= {"rare class"} if self.trained.run.info().has_rare_class else set()
        return frozenset(offers)

    def _once(self, key: Hashable, work: Callable[[], Work[T]]) -> Work[T]:
        if key not in self._results:
            self._results[key] = yield from work()
        return self._results[key]  # type: ignore[no-any-return]

    def answers(self) -> Work[Answers]:
        """The answers of the sealed model about these images."""
        if learned := int(self.learned_from[self.rows].sum()):
            raise ValueError(f"A model must not be judged on images that it learned from. Got {learned} of them.")
        return (yield from self._once("answers", lambda: self.ask(self.rows)))

    def evidence(self) -> Work[Evidence]:
        """The answers with the truth, and with what is known of the images."""

        def work() -> Work[Evidence]:
            return (yield from self.weigh((yield from self.answers())))

        return (yield from self._once("evidence", work))

    def run(self) -> TrainedRun:
        """What a trained run has besides its sealed file."""
        if self.trained is None:
            raise ValueError("This needs the run of the model, and there is none: say so in the audit's `needs`.")
        return self.trained

    def network(self) -> Network:
        if "network" not in self._results:
            self._results["network"] = self.run().network()
        return self._results["network"]  # type: ignore[no-any-return]

    def unbiased_network(self) -> Work[tuple[Network, np.ndarray]]:
        """Return (a network, bool (n,), which of the answered images it did not learn from): the network itself, and
        all of them; where folds judge, the network of the largest fold, and the images of that fold.
        """
        rows, trained = (yield from self.answers()).rows, self.run()
        if trained.folds is None or trained.fold_network is None:
            return self.network(), np.ones(len(rows), bool)
        own = trained.folds[rows]
        largest = int(np.bincount(own).argmax())
        return trained.fold_network(largest), own == largest

    def milliseconds(self) -> Work[float]:
        """Milliseconds that the sealed file takes to name one image."""
        return (yield from self._once("milliseconds", self.run().milliseconds))

    def baseline_inputs(self) -> Work[BaselineInputs]:
        """What simpler models learn from: images of the training part."""
        return (yield from self._once("baseline inputs", self.run().baseline_inputs))

    def squares(self, places: np.ndarray) -> Work[tuple[np.ndarray, np.ndarray]]:
        """Images as the network sees them: (those of `places` that can still be read, uint8 (n, size, size, channels)).

        places: int, among the answered images.
        """
        places = np.asarray(places, int)

        def work() -> Work[tuple[np.ndarray, np.ndarray]]:
            rows, p = (yield from self.answers()).rows, self.preprocessing or self.network().preprocessing
            read = {
                k: p.pixels(image)
                for k in places.tolist()
                if (image := read_image(self.dataset, int(rows[k]), p.jpeg_side)) is not None
            }
            empty = np.zeros((0, p.size, p.size, p.channels), np.uint8)
            return np.array(list(read), int), np.stack(list(read.values())) if read else empty

        return (yield from self._once(("squares", places.tobytes()), work))

    def features(self) -> Work[np.ndarray]:
        """The input of the last layer, float32 (n, width), for the answered images; NaN for one that can no longer be
        read.
        """

        def work() -> Work[np.ndarray]:
            from limpide.interpret.embedding import features_of
            from limpide.training.batches import as_tensor

            n, network = len((yield from self.answers()).rows), self.network()
            pieces: list[tuple[np.ndarray, np.ndarray]] = []
            for k in range(0, n, BATCH):
                yield Progress(message(N_("computing the features of the test images")), k, n)
                places, squares = yield from self.squares(np.arange(k, min(k + BATCH, n)))
                self._results.pop(("squares", np.arange(k, min(k + BATCH, n)).tobytes()))
                if len(places):
                    batch = as_tensor(squares, network.preprocessing)
                    pieces.append((places, features_of(network.model, batch)[0].numpy()))
            whole = np.full((n, pieces[0][1].shape[1] if pieces else 0), np.nan, np.float32)
            for places, features in pieces:
                whole[places] = features
            return whole

        return (yield from self._once("features", work))

    def forget(self) -> None:
        """Free everything that was kept."""
        self._results.clear()
        self.close()
