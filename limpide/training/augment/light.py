"""LightAugment: small changes that alter a photograph but not its content."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
from torch import Tensor

from limpide.text.messages import N_, Message, message


@dataclass(frozen=True)
class LightAugment:
    """Zoom, shift, turn, brightness and contrast, each drawn anew for each image; `flip` adds left-right mirroring."""

    zoom: float = 0.15  # largest change of scale, share
    shift: float = 0.06  # largest shift, share of the side
    turn: float = 8.0  # largest rotation, degrees
    light: float = 0.2  # largest change of brightness and of contrast, share
    flip: bool = False

    def __call__(self, images: Tensor, targets: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        n, device = len(images), images.device

        def draw(largest: float) -> Tensor:
            return ((torch.rand(n, generator=generator) * 2 - 1) * largest).to(device)

        scale, angle = 1 + draw(self.zoom), torch.deg2rad(draw(self.turn))
        mirror = torch.where(draw(1.0) < 0, -1.0, 1.0) if self.flip else torch.ones(n, device=device)
        cos, sin = scale * torch.cos(angle), scale * torch.sin(angle)
        across, down = draw(2 * self.shift), draw(2 * self.shift)
        theta = torch.stack(
            (torch.stack((cos * mirror, -sin, across), 1), torch.stack((sin * mirror, cos, down), 1)), 1
        )
        grid = torch.nn.functional.affine_grid(theta, list(images.shape), align_corners=False)
        images = torch.nn.functional.grid_sample(images, grid, padding_mode="reflection", align_corners=False)
        contrast, brightness = (1 + draw(self.light))[:, None, None, None], draw(self.light)[:, None, None, None]
        return images * contrast + brightness, targets

    def describe(self) -> Message:
        says = N_(
            "while training, each image is altered every time it is shown: zoomed by up to {zoom:percent}, "
            "shifted by up to {shift:percent} of its side{mirrored}"
        )
        if self.turn or self.light:
            says = N_(
                "while training, each image is altered every time it is shown: zoomed by up to {zoom:percent}, "
                "shifted by up to {shift:percent} of its side, turned by up to {turn:number}°, brightness and "
                "contrast changed by up to {light:percent}{mirrored}"
            )
        mirrored = message(N_(", mirrored at random")).to_json() if self.flip else ""
        return message(says, **(asdict(self) | {"mirrored": mirrored}))
