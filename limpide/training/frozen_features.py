"""A frozen network's features, as fast as the device gives them: the one way for the first model, for rivals and for
`limpide.Features`.

The batch normalisation is folded into the convolutions, the layout is channels-last, the arithmetic bfloat16 where the
hardware has it. In bfloat16 a feature is off by about 6 % of its spread (docs/LOG.md), which a linear layer on top does
not notice; the same network, images and device give the same numbers every time.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from limpide.data.preprocessing import Preprocessing
from limpide.training.batches import normalized
from limpide.training.device import fuse_batch_norm, has_fast_bf16

BATCH, SIDE = 32, 320  # images at once of so many pixels a side: more would take more memory and no less time


def batch_of(size: int) -> int:
    """Images at once of squares of this side, px."""
    return max(1, min(BATCH, BATCH * SIDE**2 // size**2))


class Frozen:
    """What `model.features` says of squares of pixels. `model` stays as it is; it is one of the networks with published
    weights.
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
