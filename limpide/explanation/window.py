"""The window of an image that decided, for a network that looks window by window (models/windows.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from limpide.core.finding import Finding, Number
from limpide.explanation.record import Window
from limpide.text.messages import N_, message

if TYPE_CHECKING:
    from torch import Tensor, nn

FRAME = (230, 97, 1)


def window_of(model: nn.Module, image: Tensor, label: int) -> Window | None:
    """image: (1, channels, size, size), normalised. None for a network that looks at a whole image at once."""
    from limpide.models.windows import deciding_window

    found = deciding_window(model, image, label)
    return None if found is None else Window((found.top, found.left, found.bottom, found.right), found.share)


def as_finding(window: Window, label: str, size: int) -> Finding:
    """size: pixels a side of the square that the network sees."""
    top, left, bottom, right = (place / size for place in window.box)
    says = N_(
        "One window holds {share:percent} of the local evidence for {label}: from {left:percent} to "
        "{right:percent} of the width and from {top:percent} to {bottom:percent} of the height of what the "
        "network sees."
    )
    return Finding(
        name="window",
        verdict="ok",
        message=message(says, label=label, share=window.share, left=left, right=right, top=top, bottom=bottom),
        numbers=[Number(N_("share of the local evidence in the window"), window.share, unit="share")],
        data={"box": list(window.box), "size": size},
    )


def framed(square: np.ndarray, window: Window) -> np.ndarray:
    """uint8 (height, width, 1 or 3) → (height, width, 3), with a frame around the window."""
    image = Image.fromarray(square[..., 0] if square.shape[-1] == 1 else square).convert("RGB")
    top, left, bottom, right = window.box
    width = max(2, len(square) // 200)
    box = (left - width, top - width, right + width - 1, bottom + width - 1)
    ImageDraw.Draw(image).rectangle(box, outline=FRAME, width=width)
    return np.asarray(image)
