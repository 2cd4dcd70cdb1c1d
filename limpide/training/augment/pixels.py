"""Changes of values: color, blur, and a rectangle that is erased."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from limpide.training.augment.geometry import Draw


def change_color(images: Tensor, draw: Draw, most: float) -> Tensor:
    """Contrast, brightness and, in colour images, saturation, each by up to this share."""
    if images.shape[1] == 3:
        grey = images.mean(1, keepdim=True)
        images = grey + (images - grey) * (1 + draw(most))[:, None, None, None]
    return images * (1 + draw(most))[:, None, None, None] + draw(most)[:, None, None, None]


def blur(images: Tensor, draw: Draw, most: float) -> Tensor:
    """A Gaussian of up to this standard deviation in pixels, another one for each image."""
    n, channels = images.shape[:2]
    sigma, radius = draw(most).abs().clamp_min(1e-3), max(1, math.ceil(2 * most))
    away = torch.arange(-radius, radius + 1, device=images.device)
    kernel = torch.exp(-0.5 * (away / sigma[:, None]) ** 2)
    kernel = (kernel / kernel.sum(1, keepdim=True)).repeat_interleave(channels, 0)[:, None, :]  # a kernel a map
    maps = images.reshape(1, n * channels, *images.shape[2:])
    for across in (True, False):
        pad = (radius, radius, 0, 0) if across else (0, 0, radius, radius)
        maps = torch.nn.functional.pad(maps, pad, mode="replicate")
        weight = kernel[:, :, None, :] if across else kernel[:, :, :, None]
        maps = torch.nn.functional.conv2d(maps, weight, groups=n * channels)
    return maps.reshape(images.shape)


def erase(images: Tensor, draw: Draw, most: float) -> Tensor:
    """In every other image, fill a rectangle of up to this share of the area with the mean (Zhong et al. 2020, arXiv
    1708.04896).
    """
    height, width = images.shape[2:]
    area, ratio = draw(most / 2) + most / 2, 3 ** draw(1.0)
    tall, wide = (area * ratio).sqrt().clamp_max(1) * height, (area / ratio).sqrt().clamp_max(1) * width
    top, left = (0.5 + 0.5 * draw(1.0)) * (height - tall), (0.5 + 0.5 * draw(1.0)) * (width - wide)
    rows, columns = (torch.arange(n, device=images.device)[None] for n in (height, width))
    inside_rows = (rows >= top[:, None]) & (rows < (top + tall)[:, None])
    inside_columns = (columns >= left[:, None]) & (columns < (left + wide)[:, None])
    inside = inside_rows[:, None, :, None] & inside_columns[:, None, None, :] & (draw(1.0) < 0)[:, None, None, None]
    return images.masked_fill(inside, 0.0)
