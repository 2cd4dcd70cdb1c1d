"""What a network makes of images before its last layer, its own or a stranger's."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from limpide.core.errors import ModelError


def last_linear(model: nn.Module) -> nn.Linear:
    """The layer that what `features_of` gives enters. Raises ModelError when there is none."""
    layers = [module for module in model.modules() if isinstance(module, nn.Linear)]
    if not layers:
        raise ModelError("L427", where=type(model).__name__)
    return layers[-1]


@torch.inference_mode()
def features_of(model: nn.Module, images: Tensor) -> tuple[Tensor, Tensor]:
    """(features (n, width), logits (n, classes)) of normalised images (n, channels, height, width), the network in
    evaluation mode.

    The features are what the network's own `features` gives to its `head`, or what enters the last linear layer. Raises
    ModelError for a network that has neither.
    """
    extract, head = getattr(model, "features", None), getattr(model, "head", None)
    if callable(extract) and callable(head):
        features = extract(images)
        return features.reshape(len(images), -1), head(features)
    head_inputs: list[Tensor] = []
    hook = last_linear(model).register_forward_pre_hook(lambda _, inputs: head_inputs.append(inputs[0]))
    try:
        logits = model(images)
    finally:
        hook.remove()
    return head_inputs[-1].reshape(len(images), -1), logits


class WithFeatures(nn.Module):
    """images → (logits, features (n, width)): the logits are the network's own, the features what `features_of` gives.

    Only for networks of which `features_width` knows a width.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.train(model.training)  # the exporter puts all of it back into the mode of the whole

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        head_inputs: list[Tensor] = []
        hook = _layer_after(self.model).register_forward_pre_hook(lambda _, inputs: head_inputs.append(inputs[0]))
        try:
            logits = self.model(images)
        finally:
            hook.remove()
        features = head_inputs[-1]
        if features.dim() != 2:
            # not len(): a tracer would take that for the same every time
            features = features.reshape(images.shape[0], -1)
        return logits, features if features.dtype == torch.float32 else features.float()


def _layer_after(model: nn.Module) -> nn.Module:
    """The layer that the features enter. Raises ModelError when there is none."""
    extract, head = getattr(model, "features", None), getattr(model, "head", None)
    return head if callable(extract) and isinstance(head, nn.Module) else last_linear(model)


@torch.inference_mode()
def features_width(model: nn.Module, channels: int, size: int) -> int | None:
    """How many numbers `features_of` gives for an image; None for a network of which there are none, or in which they
    are not an image's own. The network is in evaluation mode.
    """
    images = torch.linspace(-1, 1, 2 * channels * size * size).reshape(2, channels, size, size)
    try:
        with_features = WithFeatures(model)
        features, swapped = with_features(images)[1], with_features(images.flip(0))[1].flip(0)
        expected = features_of(model, images)[0].float()
        is_per_image = all(torch.allclose(features, other, rtol=1e-3, atol=1e-4) for other in (swapped, expected))
    except Exception:  # a stranger's network may use its last layer in any way, or not at all
        return None
    return features.shape[1] if is_per_image else None
