"""The studio in a process of its own beside a training: python -m limpide.studio.__main__ SOCKET RUNS.

SOCKET is the number of a socket that it inherits. The token comes on standard input, not among the arguments, which
everybody on the machine can read; when standard input ends, the training is gone, and so is the studio, however it
went.
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
