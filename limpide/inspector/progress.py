"""How far a question is, and whether anybody still waits for its answer."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

PROGRESS_SECONDS = 0.2  # s between two words on how far a question is


class Cancelled(Exception):
    """Whoever asked has gone."""


class Progress:
    """is_cancelled: whether nobody waits for the answer any more · report: takes how far this question is: so many of
    so many "images" or "passes" through the network.

    A look is one image that is read, or that goes through the network once.
    """

    def __init__(
        self,
        is_cancelled: Callable[[], bool] = lambda: False,
        report: Callable[[int, int, str], object] = lambda done, total, unit: None,
    ) -> None:
        self._is_cancelled, self._report = is_cancelled, report
        self.looks_done = self._looks_total = 0  # of this question, and how many it needs
        self._looks_per_unit, self._unit = 1, "images"
        self._reported_at = 0.0  # on the clock of `monotonic`

    @contextlib.contextmanager
    def track(self, total: int, *, looks: int = 1, unit: str = "images") -> Iterator[None]:
        """A question of so many images, or passes, at most, each of which takes so many looks: while it is entered,
        whoever waits is told how far it is.
        """
        self.looks_done, self._looks_total, self._reported_at = 0, total * looks, 0.0
        self._looks_per_unit, self._unit = looks, unit
        try:
            yield
        finally:
            self._looks_total = 0

    def advance(self, looks: int) -> None:
        """Before each pass through a network, and with each image that is read. Raises Cancelled where nobody waits for
        the answer: what was worked out before is kept.
        """
        if self._is_cancelled():
            raise Cancelled("nobody waits for this any more")
        self.looks_done += looks
        if self._looks_total and time.monotonic() - self._reported_at >= PROGRESS_SECONDS:
            self._reported_at = time.monotonic()
            done = min(self.looks_done, self._looks_total)
            self._report(done // self._looks_per_unit, self._looks_total // self._looks_per_unit, self._unit)
