"""Does it find what is not good? The area under the ROC curve of a model of good parts, beside a nearest neighbour of
whole images, and its promise, on made-up plates and on folders of photographs.

    python -m experiments.good_parts FOLDER --good NAME [--learn 60] [--judge 60]
    python -m experiments.good_parts plates

What the score averages (models/good_parts.py, FARTHEST) and how many patches are kept (PATCHES) were chosen on plates
of another seed and on the hand sign 5; the figures in docs/LOG.md are of others.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from limpide.data.preprocessing import Preprocessing
from limpide.models.good_parts import GoodParts, strangeness
from limpide.statistics.conformal import threshold_of
from limpide.statistics.metrics import area_under_roc
from limpide.training.batches import normalized
from limpide.training.device import fuse_batch_norm
from limpide.training.good_parts import keep_patches
from tests.make_parts import DEFECTS, plate

SEEN = Preprocessing(224, 3, "squash", "bicubic", (127.0,), (128.0,), 336)
SEED, BATCH = 2026, 16


def patches_of(images: list[Image.Image], fused: GoodParts) -> torch.Tensor:
    """float32 (n, width, 28, 28)."""
    squares = np.stack([SEEN.pixels(image) for image in images])
    parts = (torch.from_numpy(squares[k : k + BATCH]) for k in range(0, len(squares), BATCH))
    with torch.inference_mode():
        return torch.cat([fused.patches(normalized(part, SEEN)).contiguous() for part in parts])


def compare(name: str, good: torch.Tensor, bad: torch.Tensor, learn: int) -> None:
    """good: patches of good parts, of which the first `learn` are learned from, as many give the threshold, and the
    rest judges with the bad ones.
    """
    model = GoodParts()
    learned, calibration, judged = good[:learn], good[learn : 2 * learn], good[2 * learn :]
    keep_patches(model, learned.flatten(2).transpose(1, 2).flatten(0, 1), seed=0)

    def maps(patches: torch.Tensor) -> torch.Tensor:
        return torch.cat([model.nearest(one[None]).flatten(1) for one in patches])

    of_good, of_bad, of_held = maps(judged), maps(bad), maps(calibration)
    scores = [strangeness(one).numpy() for one in (of_good, of_bad, of_held)]
    threshold = threshold_of(scores[2], 0.05)
    whole = [one.mean((2, 3)) for one in (judged, bad)]
    neighbors = [torch.cdist(one, learned.mean((2, 3))).amin(1).numpy() for one in whole]
    areas = [
        area_under_roc(scores[1], scores[0]),
        area_under_roc(of_bad.amax(1).numpy(), of_good.amax(1).numpy()),
        area_under_roc(neighbors[1], neighbors[0]),
    ]
    print(
        f"{name}: {learn} learned, {len(judged)} good and {len(bad)} others judge; area {areas[0]:.3f}, "
        f"farthest patch alone {areas[1]:.3f}, whole images {areas[2]:.3f}; at 5 %: false alarms "
        f"{(scores[0] > threshold).mean():.3f}, escapes {(scores[1] <= threshold).mean():.3f}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("--good", default="good")
    parser.add_argument("--learn", type=int, default=60)
    parser.add_argument("--judge", type=int, default=60)
    choices = parser.parse_args()
    model = GoodParts()
    model.load_imagenet()
    fused = fuse_batch_norm(model, torch.device("cpu"))
    random, count = np.random.default_rng(SEED), 2 * choices.learn + choices.judge
    if choices.data == "plates":
        good = patches_of([plate("", random) for _ in range(count)], fused)  # type: ignore[arg-type]
        for defect in DEFECTS:
            bad = patches_of([plate(defect, random) for _ in range(choices.judge)], fused)  # type: ignore[arg-type]
            compare(defect, good, bad, choices.learn)
        return
    files = {folder.name: sorted(folder.glob("*")) for folder in Path(choices.data).iterdir() if folder.is_dir()}
    own = [files[choices.good][k] for k in random.permutation(len(files[choices.good]))[:count]]
    others = [file for name in sorted(files.keys() - {choices.good}) for file in files[name]]
    bad_files = [others[k] for k in random.permutation(len(others))[: choices.judge]]
    good, bad = (
        patches_of([Image.open(file).convert("RGB") for file in some], fused)  # type: ignore[arg-type]
        for some in (own, bad_files)
    )
    compare(f"{Path(choices.data).name}/{choices.good}", good, bad, choices.learn)


if __name__ == "__main__":
    main()
