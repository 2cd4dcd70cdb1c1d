"""The studio in a separate process next to a training: python -m limpide.studio.__main__ SOCKET RUNS.

SOCKET is the number of a socket that it inherits. The token comes on standard input, not among the arguments, which
every user of the machine can read. When standard input ends, the training has ended, in whatever way, and the studio
ends, too.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from pathlib import Path

from limpide.studio.server import serve


def main() -> None:
    sock = socket.socket(fileno=int(sys.argv[1]))
    token = sys.stdin.readline().strip()

    def leave() -> None:
        sys.stdin.read()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=leave, daemon=True).start()
    serve(Path(sys.argv[2]), sock, token, rest=0.0)  # at once, while the training only reads its images


if __name__ == "__main__":
    main()
