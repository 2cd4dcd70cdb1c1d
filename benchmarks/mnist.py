"""How good and how fast is `limpide train mnist`, and what does it cost beside the bare loop?

    python -m benchmarks.mnist [--seeds 5]

Each seed runs in two fresh processes, one after the other: the command a person types, and the same network and
schedule in plain PyTorch (torch.optim.AdamW, no events, no checkpoints, no validation). Ratios are what travels between
machines.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


def _adamw(model: torch.nn.Module) -> torch.optim.AdamW:
    import torch

    decayed = [p for p in model.parameters() if p.ndim > 1]
    plain = [p for p in model.parameters() if p.ndim <= 1]
    return torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.02}, {"params": plain, "weight_decay": 0.0}], lr=0.01
    )


def bare(seed: int, rows_file: str) -> None:
    """The bare loop: train, then score the test part once; prints one JSON object."""
    from limpide.system import machine

    machine.keep_memory()
    import torch
    import torch.nn.functional as F

    from limpide.data.named_datasets import mnist
    from limpide.models.cnn import SmallCNN
    from limpide.training.optim.schedules import one_cycle

    rows = np.load(rows_file)
    data = mnist()
    array: np.ndarray = data.images.array  # type: ignore[attr-defined]
    images = torch.from_numpy((array.astype(np.float32) - 127.5) / 63.75)[:, None]
    labels = torch.from_numpy(data.labels).long()
    torch.manual_seed(seed)
    model = SmallCNN(classes=10)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = _adamw(model)
    order = np.random.default_rng((seed, 0)).permutation(rows)
    steps = -(-len(rows) // 128)
    began = time.perf_counter()
    model.train()
    for step in range(steps):
        picked = torch.from_numpy(order[step * 128 : (step + 1) * 128])
        for group in optimizer.param_groups:
            group["lr"] = 0.01 * one_cycle(step, steps)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = model(images[picked].contiguous(memory_format=torch.channels_last))
        F.cross_entropy(logits.float(), labels[picked], label_smoothing=0.1).backward()
        optimizer.step()
        optimizer.zero_grad()
    seconds = time.perf_counter() - began
    model.eval()
    with torch.inference_mode():
        right = (model(images[60_000:]).argmax(1) == labels[60_000:]).float().mean().item()
    print(json.dumps({"accuracy": right, "training_seconds": seconds}))


def ours(seed: int, folder: str) -> tuple[dict[str, float], np.ndarray]:
    began = time.monotonic()
    command = [sys.executable, "-m", "limpide", "train", "mnist", "--json", "--new"]
    command += ["--seed", str(seed), "--runs", folder]
    result = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    result["wall"] = time.monotonic() - began
    run = Path(result["run"])
    events = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
    result["steps"] = sum(event["seconds"] for event in events if event["kind"] == "step")
    parts = [line.split(",") for line in (run / "split.csv").read_text().splitlines()[1:]]
    return result, np.array([int(name.split("/")[1]) for name, _, part, *_ in parts if part == "train"])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--bare", nargs=2, metavar=("SEED", "ROWS"))
    arguments = parser.parse_args()
    if arguments.bare:
        bare(int(arguments.bare[0]), arguments.bare[1])
        return
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(arguments.seeds):
            result, rows = ours(seed, folder)
            np.save(Path(folder, "rows.npy"), rows)
            command = [sys.executable, "-m", "benchmarks.mnist", "--bare", str(seed), str(Path(folder, "rows.npy"))]
            plain = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            row = (
                result["accuracy"],
                result["training_seconds"],
                result["model_seconds"],
                result["wall"],
                plain["accuracy"],
                plain["training_seconds"],
                result["steps"] / plain["training_seconds"],
            )
            found.append(row)
            print(
                f"seed {seed}: {row[0]:.4f} · training {row[1]:.2f} s · saved model after {row[2]:.1f} s · whole "
                f"command {row[3]:.1f} s"
                f" · bare loop {row[4]:.4f} in {row[5]:.2f} s · steps take {row[6]:.2f}× the bare loop",
                flush=True,
            )
    mean, median = np.mean(found, axis=0), np.median(found, axis=0)
    print(
        (
            f"mean accuracy {mean[0]:.4f} (bare {mean[4]:.4f}); medians: training {median[1]:.2f} s, saved model "
            f"{median[2]:.1f} s,"
        ),
        end=" ",
    )
    print(f"whole command {median[3]:.1f} s, ratio to the bare loop {median[6]:.2f}")


if __name__ == "__main__":
    main()
