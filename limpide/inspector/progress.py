"""The progress of a question, and whether its answer is still wanted."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

PROGRESS_SECONDS = 0.2  # s between two reports of progress


class Cancelled(Exception):
    """Raised when the answer is no longer wanted."""


class Progress:
    """is_cancelled: whether the answer is no longer wanted · report: called with the progress of this question, (done,
    total, "images" or "passes" through the network).

    A look is one image that is read, or that goes through the network once.
    """

    def __init__(
        self,
        is_cancelled: Callable[[], bool] = lambda: False,
        report: Callable[[int, int, str], object] = lambda done, total, unit: None,
    ) -> None:
        self._is_cancelled, self._report = is_cancelled, report
        self.looks_done = self._looks_total = 0  # looks done for this question, and looks that it needs
        self._looks_per_unit, self._unit = 1, "images"
        self._reported_at = 0.0  # in seconds of `monotonic`

    @contextlib.contextmanager
    def track(self, total: int, *, looks: int = 1, unit: str = "images") -> Iterator[None]:
        """A question of at most `total` images or passes, each of which takes `looks` looks: inside this context,
        progress is reported.
        """
        self.looks_done, self._looks_total, self._reported_at = 0, total * looks, 0.0
        self._looks_per_unit, self._unit = looks, unit
        try:
            yield
        finally:
            self._looks_total = 0

    def advance(self, looks: int) -> None:
        """Call before each pass through a network, and with each image that is read. Raises Cancelled where the answer
        is no longer wanted: results so far are kept.
        """
        if self._is_cancelled():
            raise Cancelled("nobody waits for this any more")
        self.looks_done += looks
        if self._looks_total and time.monotonic() - self._reported_at >= PROGRESS_SECONDS:
            self._reported_at = time.monotonic()
            done = min(self.looks_done, self._looks_total)
            self._report(done // self._looks_per_unit, self._looks_total // self._looks_per_unit, self._unit)
