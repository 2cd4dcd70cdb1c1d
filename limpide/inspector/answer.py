"""The answer to a question: JSON, and the bytes of a file or nothing."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from torch import Tensor

Answer = tuple[dict[str, Any], bytes]


def compare_probabilities(before: Tensor, after: Tensor, classes: list[str], temperature: float) -> Answer:
    """Probabilities of the likeliest classes before and after a change, on the same scale as `prediction`. before,
    after: logits (classes,).
    """
    before, after = (before / temperature).softmax(0), (after / temperature).softmax(0)
    order = before.argsort(descending=True)[:5].tolist() + after.argsort(descending=True)[:2].tolist()
    return {
        "rows": [
            {"class": classes[k], "before": float(before[k]), "after": float(after[k])} for k in dict.fromkeys(order)
        ]
    }, b""


def png(square: np.ndarray) -> bytes:
    """uint8 (height, width, channels) as a PNG: in colour if there are three channels, else the first in grey."""
    stream = io.BytesIO()
    Image.fromarray(square if square.shape[-1] == 3 else square[..., 0]).save(stream, "PNG")
    return stream.getvalue()


def npy(value: Any) -> bytes:
    """A tensor or an array as the bytes of a float32 .npy file."""
    stream = io.BytesIO()
    array = value.detach().float().numpy() if hasattr(value, "detach") else value
    np.save(stream, np.ascontiguousarray(array, np.float32))
    return stream.getvalue()
