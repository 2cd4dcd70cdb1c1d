"""The mean of a network's answers about an image and about its mirror image, as the answer of one network.

It costs twice the time and no weight. Logits are averaged (as in airbench: Jordan 2024, arXiv 2404.00498, section 3.5):
where the last layer is linear, that is the answer to the mean of the features.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn


class MirroredMean(nn.Module):
    """Images (batch, channels, height, width) → logits (batch, classes). It shares the weights of the network."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        features, head = getattr(model, "features", None), getattr(model, "head", None)
        if _is_own(model) and callable(features) and isinstance(head, nn.Linear):
            self.head, self.features = head, lambda x: _mean_of_both(features, x)
        self.train(model.training)

    def forward(self, x: Tensor) -> Tensor:
        if hasattr(self, "head"):
            return self.head(self.features(x))
        return _mean_of_both(self.model, x)


def _is_own(model: nn.Module) -> bool:
    """Whether it is a network of limpide, whose answer is `head(features(x))`: another one may do more in between."""
    return type(model).__module__.startswith("limpide.models.")


@torch.inference_mode()
def mean_output(model: nn.Module, image: Tensor, output: Tensor) -> Tensor:
    """(batch, classes): the mean over the images and their mirror images, where `output` is of the images alone."""
    return (output + model(image.flip(3)).to(output)) / 2


def _mean_of_both(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Both pass through together, as one batch: the file then holds each layer once."""
    values = function(torch.cat((x, x.flip(3))))
    return values.reshape(2, -1, values.shape[-1]).mean(0)
