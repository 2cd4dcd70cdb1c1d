"""ListedAugment: the changes that a user lists, or the strong ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from limpide.text.messages import N_, Message, message
from limpide.training.augment.geometry import random_map, resample
from limpide.training.augment.mixing import cutmix, mixup
from limpide.training.augment.pixels import blur, change_color, erase


@dataclass(frozen=True)
class ListedAugment:
    """Each change as far as its number says, drawn anew for each image, or for each batch if it mixes images; 0 leaves
    it out.
    """

    classes: int  # for targets of mixed images
    flip: bool = False
    crop: float = 0.0  # smallest share of the area that stays
    zoom: float = 0.0  # largest change of scale, share
    rotate: float = 0.0  # largest rotation, degrees
    translate: float = 0.0  # largest shift, share of the side
    color: float = 0.0  # largest change of brightness, contrast and saturation, share
    blur: float = 0.0  # largest standard deviation, pixels
    erase: float = 0.0  # largest share of the area
    mixup: float = 0.0  # both parameters of the beta distribution of the shares
    cutmix: float = 0.0

    def __call__(self, images: Tensor, targets: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        def draw(largest: float) -> Tensor:
            return ((torch.rand(len(images), generator=generator) * 2 - 1) * largest).to(images.device)

        if self.flip or self.crop or self.zoom or self.rotate or self.translate:
            places = random_map(
                draw,
                flip=self.flip,
                crop=self.crop,
                zoom=self.zoom,
                rotate=self.rotate,
                translate=self.translate,
            )
            images = resample(images, places)
        if self.color:
            images = change_color(images, draw, self.color)
        if self.blur:
            images = blur(images, draw, self.blur)
        if self.erase:
            images = erase(images, draw, self.erase)
        mixes = [(mix, alpha) for mix, alpha in ((mixup, self.mixup), (cutmix, self.cutmix)) if alpha]
        if mixes:
            mix, alpha = mixes[int(torch.randint(len(mixes), (), generator=generator))]
            images, targets = mix(images, targets, self.classes, alpha, generator)
        return images, targets

    def describe(self) -> Message:
        parts = [message(says, share=getattr(self, name)) for name, says in WORDS.items() if getattr(self, name)]
        if not parts:
            return message(N_("while training, images are shown as they are (no augmentation)"))
        whole = parts[-1]
        for part in reversed(parts[:-1]):
            whole = message(N_("{first}, {rest}"), first=part.to_json(), rest=whole.to_json())
        says = N_("while training, each image is altered every time it is shown: {changes}")
        return message(says, changes=whole.to_json())


WORDS: Mapping[str, str] = {
    "flip": N_("mirrored at random"),
    "crop": N_("cut to {share:percent} of its area or more"),
    "zoom": N_("zoomed by up to {share:percent}"),
    "rotate": N_("turned by up to {share:number}°"),
    "translate": N_("shifted by up to {share:percent} of its side"),
    "color": N_("brightness, contrast and saturation changed by up to {share:percent}"),
    "blur": N_("blurred by up to {share:number} px"),
    "erase": N_("every other one with a rectangle of up to {share:percent} of the area erased"),
    "mixup": N_("added to another one (mixup, α = {share:number})"),
    "cutmix": N_("with a rectangle of another one in it (CutMix, α = {share:number})"),
}
# How far each change goes where a user lists it.
AMOUNTS: Mapping[str, Any] = {
    "flip": True,
    "crop": 0.5,
    "zoom": 0.15,
    "rotate": 10.0,
    "translate": 0.1,
    "color": 0.3,
    "blur": 1.0,
    "erase": 0.25,
    "mixup": 0.2,
    "cutmix": 1.0,
}
STRONG = ("zoom", "rotate", "translate", "color", "erase")


def listed(names: Sequence[str], classes: int, *, flip: bool) -> ListedAugment:
    """flip: whether to mirror, listed or not."""
    amounts = {name: AMOUNTS[name] for name in names if name != "flip"}
    return ListedAugment(classes, flip=flip, **amounts)
