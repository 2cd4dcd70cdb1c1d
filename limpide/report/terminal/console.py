"""rich's Console, except where nothing reads what it prints any more."""

from __future__ import annotations

import rich.console


class Console(rich.console.Console):
    """A broken pipe is a BrokenPipeError, which the command line ends quietly on: rich would end the process with
    status 1.
    """

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError
