"""Features of a network, the input of its last layer: for limpide's networks and for external ones."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from limpide.core.errors import ModelError


def last_linear(model: nn.Module) -> nn.Linear:
    """The last linear layer. Raises ModelError if there is none."""
    layers = [module for module in model.modules() if isinstance(module, nn.Linear)]
    if not layers:
        raise ModelError("L427", where=type(model).__name__)
    return layers[-1]


@torch.inference_mode()
def features_of(model: nn.Module, images: Tensor) -> tuple[Tensor, Tensor]:
    """(features (n, width), logits (n, classes)) of normalised images (n, channels, height, width), the network in
    evaluation mode.

    The features are the output of the network's own `features`, which its `head` takes, or the input of the last linear
    layer. Raises ModelError for a network that has neither.
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
    """images → (logits, features (n, width)): the logits of the network, and the features that `features_of` returns.

    Only for networks for which `features_width` returns a width.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.train(model.training)  # the exporter restores the mode of this module in all its layers

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        head_inputs: list[Tensor] = []
        hook = _layer_after(self.model).register_forward_pre_hook(lambda _, inputs: head_inputs.append(inputs[0]))
        try:
            logits = self.model(images)
        finally:
            hook.remove()
        features = head_inputs[-1]
        if features.dim() != 2:
            # not len(): a tracer would treat it as a constant
            features = features.reshape(images.shape[0], -1)
        return logits, features if features.dtype == torch.float32 else features.float()


def _layer_after(model: nn.Module) -> nn.Module:
    """The layer that takes the features. Raises ModelError if there is none."""
    extract, head = getattr(model, "features", None), getattr(model, "head", None)
    return head if callable(extract) and isinstance(head, nn.Module) else last_linear(model)


@torch.inference_mode()
def features_width(model: nn.Module, channels: int, size: int) -> int | None:
    """The number of features per image that `features_of` returns; None for a network without features, or if the
    features of an image depend on other images. The network must be in evaluation mode.
    """
    images = torch.linspace(-1, 1, 2 * channels * size * size).reshape(2, channels, size, size)
    try:
        with_features = WithFeatures(model)
        features, swapped = with_features(images)[1], with_features(images.flip(0))[1].flip(0)
        expected = features_of(model, images)[0].float()
        is_per_image = all(torch.allclose(features, other, rtol=1e-3, atol=1e-4) for other in (swapped, expected))
    except Exception:  # an external network may use its last layer in any way, or not at all
        return None
    return features.shape[1] if is_per_image else None
