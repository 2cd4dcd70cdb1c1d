"""Changes of place: one affine map of each image, so that it is resampled once."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Draw = Callable[[float], Tensor]  # largest → (images,), uniform between −largest and largest
RATIO = 4 / 3  # of the sides of a crop, at most (Szegedy et al. 2015)


def random_map(draw: Draw, *, flip: bool, crop: float, zoom: float, rotate: float, translate: float) -> Tensor:
    """float (images, 2, 3): from places of the changed image to places of the original, both from −1 to 1.

    crop: smallest share of the area that stays · zoom: largest change of scale, share · rotate: degrees · translate:
    share of the side.
    """
    angle, scale = torch.deg2rad(draw(rotate)), 1 + draw(zoom)
    across, down = draw(2 * translate), draw(2 * translate)
    width = height = torch.ones_like(angle)
    if crop:
        area, ratio = 1 - draw((1 - crop) / 2).add((1 - crop) / 2), RATIO ** draw(1.0)
        width, height = (area * ratio).sqrt().clamp_max(1), (area / ratio).sqrt().clamp_max(1)
        across, down = across + (1 - width) * draw(1.0), down + (1 - height) * draw(1.0)
    mirror = torch.where(draw(1.0) < 0, -1.0, 1.0) if flip else torch.ones_like(angle)
    cos, sin = scale * torch.cos(angle), scale * torch.sin(angle)
    rows = (cos * mirror * width, -sin * height, across), (sin * mirror * width, cos * height, down)
    return torch.stack([torch.stack(row, 1) for row in rows], 1)


def resample(images: Tensor, places: Tensor) -> Tensor:
    """images: float (batch, channels, height, width) · places: as random_map returns them. What lies beyond the border
    is its reflection.
    """
    grid = torch.nn.functional.affine_grid(places, list(images.shape), align_corners=False)
    return torch.nn.functional.grid_sample(images, grid, padding_mode="reflection", align_corners=False)
