"""How fast are the parts that take the time: decoding, frozen features, fine-tuning, and what glibc's allocator costs?

    python -m benchmarks.speed PHOTOS [--rounds 3]

PHOTOS is any folder of JPEG photographs, class folders or not. Each line is measured in fresh processes, ours and the
plain way in turn; the median of the rounds and the ratio are printed. Plain means: Pillow with `draft` in two processes
for decoding; PyTorch as it comes (eager, float32, default layout and allocator) for the network.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from multiprocessing import Pool
from pathlib import Path

import numpy as np

SIZE, BATCH = 224, 32
DRAFT = 336  # pixels, as training asks for


def _features(ours: bool) -> float:
    """Images a second through frozen EfficientNet-Lite0 at 224 pixels."""
    import torch

    from limpide.models import build
    from limpide.training.device import fuse_batch_norm, has_fast_bf16

    model = build("efficientnet_lite0", 10, 3, SIZE).eval()
    x = torch.randn(BATCH, 3, SIZE, SIZE)
    if ours:
        dtype = torch.bfloat16 if has_fast_bf16(torch.device("cpu")) else torch.float32
        model = fuse_batch_norm(model, torch.device("cpu")).to(dtype)
        x = x.to(dtype).to(memory_format=torch.channels_last)
    with torch.inference_mode():
        return _per_second(lambda: model.features(x))  # type: ignore[operator]


def _tuning(ours: bool, size: int, held: bool = False) -> float:
    """Images a second of training EfficientNet-Lite0, one step of AdamW a batch. held: without the layers that limpide
    leaves as they are.
    """
    import torch

    from limpide.models import build
    from limpide.training.defaults import FROZEN_BLOCKS
    from limpide.training.device import place_on_device
    from limpide.training.optim.adamw import AdamW
    from limpide.training.optim.groups import parameter_groups

    model = build("efficientnet_lite0", 10, 3, size)
    if ours and held:
        model.hold(FROZEN_BLOCKS)  # type: ignore[operator]
    model.train()
    x, y = torch.randn(BATCH, 3, size, size), torch.randint(0, 10, (BATCH,))
    if ours:
        model = place_on_device(model, torch.device("cpu"))
        x = x.to(memory_format=torch.channels_last)
    optimizer = AdamW(parameter_groups(model, 0.02, ()))

    def step() -> None:
        torch.nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step(1e-4)
        optimizer.zero_grad()

    return _per_second(step)


def _per_second(step: object) -> float:
    for _ in range(3):  # the allocator and the kernels settle
        step()  # type: ignore[operator]
    times = []
    for _ in range(8):
        began = time.perf_counter()
        step()  # type: ignore[operator]
        times.append(time.perf_counter() - began)
    return BATCH / float(np.median(times))


def _bare(file: str) -> int:
    """Decoding as one would write it: draft, load, one resize."""
    from PIL import Image

    with Image.open(file) as image:
        image.draft("RGB", (DRAFT, DRAFT))
        return np.asarray(image.convert("RGB").resize((SIZE, SIZE), Image.Resampling.BICUBIC)).nbytes


def decoding(files: list[Path], ours: bool) -> float:
    """Images a second from files to squares of 224 pixels on two processors, processes started beforehand."""
    if not ours:
        with Pool(2) as pool:
            pool.map(_bare, [str(files[0])] * 8)
            began = time.perf_counter()
            pool.map(_bare, [str(file) for file in files], chunksize=16)
            return len(files) / (time.perf_counter() - began)
    from limpide.data.dataset import Dataset, FileImages, Names
    from limpide.data.preprocessing import Preprocessing
    from limpide.data.read_images import read_pixels

    n = len(files)
    dataset = Dataset(
        "x",
        "x",
        FileImages(files[0].parent, Names(str(file) for file in files)),
        np.zeros(n, int),
        ("x",),
        np.zeros(n, np.uint8),
    )
    with tempfile.TemporaryDirectory() as folder:
        moments = []
        for event in read_pixels(
            dataset, {Preprocessing(SIZE, 3, filter="bicubic", jpeg_side=DRAFT): np.arange(n)}, Path(folder)
        ):
            moments.append((time.perf_counter(), event.done))
    (first, before), (last, after) = moments[0], moments[-1]  # from the first answer on: the workers have started
    return (after - before) / (last - first)


def _in_a_process(what: str, ours: bool, allocator: bool) -> float:
    code = f"from benchmarks import speed; print(speed.run({what!r}, {ours}, {allocator}))"
    return float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)


def run(what: str, ours: bool, allocator: bool) -> float:
    from limpide.system import machine

    if allocator:
        machine.keep_memory()
    return WORK[what](ours)


WORK = {
    "features": _features,
    "tuning at 224": lambda ours: _tuning(ours, SIZE),
    "tuning at 224, held": lambda ours: _tuning(ours, SIZE, held=True),
    "tuning at 128": lambda ours: _tuning(ours, 128),
    "tuning at 128, held": lambda ours: _tuning(ours, 128, held=True),
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("photos", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    files = sorted(file for file in arguments.photos.rglob("*") if file.suffix.lower() in (".jpg", ".jpeg"))
    found: dict[str, list[float]] = {}
    for _ in range(arguments.rounds):
        for what in WORK:
            for name, ours, allocator in (
                ("plain", False, False),
                ("ours, default allocator", True, False),
                ("ours", True, True),
            ):
                found.setdefault(f"{what}: {name}", []).append(_in_a_process(what, ours, allocator))
        for name, ours in (("plain", False), ("ours", True)):
            found.setdefault(f"decoding: {name}", []).append(decoding(files, ours))
    middle = {name: float(np.median(values)) for name, values in found.items()}
    for name, value in middle.items():
        ratio = value / middle[name.split(":")[0] + ": plain"]
        print(f"{name:40s} {value:7.1f} images/s   {ratio:5.2f}×   ({', '.join(f'{v:.0f}' for v in found[name])})")
    print(json.dumps(middle))


if __name__ == "__main__":
    main()
