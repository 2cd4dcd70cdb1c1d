"""Features of a frozen network, as fast as the device allows. The first model, the baselines and `limpide.Features` all
use this module.

The batch normalisation is folded into the convolutions, the layout is channels-last, and the arithmetic is bfloat16 if
the hardware supports it. In bfloat16 a feature is off by about 6 % of its spread (docs/LOG.md), which makes no
difference to a linear layer on top. The same network, images and device give the same numbers every time.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from limpide.data.preprocessing import Preprocessing
from limpide.training.batches import normalized
from limpide.training.device import fuse_batch_norm, has_fast_bf16

BATCH, SIDE = 32, 320  # images at once, and their side in pixels: more would take more memory and no less time


def batch_of(size: int) -> int:
    """The number of images to process at once, if their side is `size` pixels."""
    return max(1, min(BATCH, BATCH * SIDE**2 // size**2))


class Frozen:
    """Computes `model.features` of squares of pixels. `model` is one of the networks with published weights; it is not
    changed.
    """

    def __init__(self, model: nn.Module, preprocessing: Preprocessing, device: torch.device) -> None:
        self.preprocessing, self.device = preprocessing, device
        self.dtype = torch.bfloat16 if has_fast_bf16(device) else torch.float32
        self.network = fuse_batch_norm(model, device).to(self.dtype)

    @torch.inference_mode()
    def features(self, squares: np.ndarray) -> np.ndarray:
        """uint8 (n, size, size, channels) → float32 (n, width)."""
        batch = batch_of(self.preprocessing.size)
        chunks = [self._batch(squares[k : k + batch]) for k in range(0, len(squares), batch)]
        return np.concatenate(chunks)

    def _batch(self, squares: np.ndarray) -> np.ndarray:
        raw = torch.from_numpy(np.ascontiguousarray(squares)).to(self.device)
        images = normalized(raw, self.preprocessing).to(self.dtype)
        return np.asarray(self.network.features(images).float().cpu().numpy())  # type: ignore[operator]
