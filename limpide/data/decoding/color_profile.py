"""Colours of other profiles → sRGB."""

from __future__ import annotations

import functools
import io
from typing import Any

import numpy as np
from PIL import Image


@functools.lru_cache(maxsize=16)
def to_srgb(profile: bytes, mode: str) -> Any:
    """The transform of colours from `profile`; None if none is needed or possible: the profile is broken, of another
    mode, or sRGB under any name.
    """
    from PIL import ImageCms

    if mode not in ("RGB", "CMYK"):
        return None
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
        if mode == "RGB":
            colors = Image.fromarray(
                np.indices((9, 9, 9)).transpose(1, 2, 3, 0).reshape(27, 27, 3).astype(np.uint8) * 31
            )
            after = ImageCms.applyTransform(colors, transform)
            if after is None or np.abs(np.asarray(after).astype(int) - np.asarray(colors)).max() <= 3:  # grey levels
                return None
    except Exception:
        return None
    return transform
