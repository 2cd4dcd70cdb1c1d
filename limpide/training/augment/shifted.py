"""ShiftedAugment: small images moved by whole pixels, so that they stay as sharp as the new ones."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
from torch import Tensor

from limpide.text.messages import N_, Message, message


@dataclass(frozen=True)
class ShiftedAugment:
    """Each image is moved by up to `pixels` across and down, drawn anew every time; its border is reflected. `flip`
    adds left-right mirroring.
    """

    pixels: int = 2
    flip: bool = False

    def __call__(self, images: Tensor, targets: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        n, _, height, width = images.shape
        down, across = torch.randint(-self.pixels, self.pixels + 1, (2, n, 1), generator=generator)
        rows = _reflected(torch.arange(height) + down, height)  # (n, height): where each row of the result comes from
        columns = _reflected(torch.arange(width) + across, width)
        if self.flip:
            columns = torch.where(torch.rand(n, 1, generator=generator) < 0.5, columns.flip(1), columns)
        rows, columns = rows.to(images.device), columns.to(images.device)
        each = torch.arange(n, device=images.device)
        moved = images[each[:, None, None], :, rows[:, :, None], columns[:, None, :]]
        return moved.permute(0, 3, 1, 2), targets  # channels-last in memory, as it came

    def describe(self) -> Message:
        says = N_(
            "while training, each image is altered every time it is shown: moved by up to {pixels:count} "
            "pixels{mirrored}"
        )
        mirrored = message(N_(", mirrored at random")).to_json() if self.flip else ""
        return message(says, **(asdict(self) | {"mirrored": mirrored}))


def _reflected(places: Tensor, size: int) -> Tensor:
    """Places beyond the border, reflected in it: −1 → 1, size → size − 2."""
    last = size - 1
    return last - (last - places.abs()).abs()
