"""rich's Console, except where the reader of its output is gone."""

from __future__ import annotations

import rich.console


class Console(rich.console.Console):
    """A broken pipe raises BrokenPipeError, on which the command line ends quietly: rich would end the process with
    status 1.
    """

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError
