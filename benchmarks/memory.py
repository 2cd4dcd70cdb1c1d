"""Does memory, and does time, grow with the number of images? Training on images that a function makes.

    python -m benchmarks.memory [--images 10000 1000000] [--judge]

Each size runs in a fresh process: read, check, split, one pass of training the small network, sealing and, with
--judge, judging. Anonymous memory is what counts: pages of memory-mapped files are the system's cache, not the
process's. Prints the peak of each, the ratio, and the seconds an image.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from limpide.data.dataset import Dataset

SIZE, CLASSES = 16, 10


def anonymous() -> int:
    """Bytes of anonymous memory of this process (Linux)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) * 1024
    raise OSError("no RssAnon in /proc/self/status")


class Numbers(Sequence[str]):
    """Names that need no memory."""

    def __init__(self, n: int) -> None:
        self.n = n

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, i: Any) -> Any:
        if not 0 <= i < self.n:
            raise IndexError(i)
        return f"{i:07d}"


def make_dataset(n: int) -> Dataset:
    import numpy as np
    from PIL import Image

    from limpide.data.dataset import Dataset, GeneratedImages

    base = np.random.default_rng(0).integers(0, 256, (CLASSES, SIZE, SIZE, 3), dtype=np.uint8)

    def make(i: int) -> Image.Image:
        square = base[i % CLASSES].copy()
        square.reshape(-1)[:8] = np.frombuffer(i.to_bytes(8, "little"), np.uint8)  # no two are the same
        return Image.fromarray(square)

    labels, given = (np.arange(n) % CLASSES).astype(np.int32), np.zeros(n, np.uint8)
    images = GeneratedImages(make, Numbers(n))
    return Dataset("generated", "generated", images, labels, tuple("0123456789"), given)


def work(n: int, judge: bool) -> None:
    from limpide.core.recipe import Recipe
    from limpide.workflows.train.training import begin, train

    dataset = make_dataset(n)
    peaks: dict[str, int] = {}
    running = True
    phase = ["scan"]

    def watch() -> None:
        while running:
            peaks[phase[0]] = max(peaks.get(phase[0], 0), anonymous())
            time.sleep(0.01)

    threading.Thread(target=watch, daemon=True).start()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        run, dataset, _ = begin(dataset, Recipe(model="cnn", epochs=1, batch=256, precision="fp32"), Path(folder))
        phase[0], enter = "read", run.enter

        def note_phase(name: str, **values: object) -> None:
            enter(name, **values)
            phase[0] = name

        run.enter = note_phase  # type: ignore[method-assign, assignment]
        for _event in train(run, dataset, images=False, judge=judge):
            pass
    running = False
    print(json.dumps({"images": n, "peaks": peaks, "seconds": time.perf_counter() - began}))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, nargs="+", default=[10_000, 1_000_000])
    parser.add_argument("--judge", action="store_true")
    parser.add_argument("--work", type=int)
    arguments = parser.parse_args()
    if arguments.work:
        return work(arguments.work, arguments.judge)
    found = []
    for n in arguments.images:
        command = [sys.executable, "-m", "benchmarks.memory", "--work", str(n)]
        command += ["--judge"] if arguments.judge else []
        found.append(
            json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
        )
        peaks = found[-1]["peaks"]
        phases = " · ".join(f"{phase} {peak / 1e6:.0f}" for phase, peak in peaks.items())
        print(
            f"{n:9,d} images: {max(peaks.values()) / 1e6:.1f} MB of anonymous memory at most ({phases}), "
            f"{found[-1]['seconds'] / n * 1e6:.1f} µs an image",
            flush=True,
        )
    first, last = (max(found[k]["peaks"].values()) for k in (0, -1))
    print(f"memory ×{last / first:.3f}, images ×{found[-1]['images'] / found[0]['images']:.0f}")
    return None


if __name__ == "__main__":
    main()
