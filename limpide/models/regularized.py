"""What the options of a training change in any network: dropout, batch normalization and the initial weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from limpide.core.errors import UsageError
from limpide.models.mlp import MLP

# Endings of a network's name: `cnn+plain` has no batch normalization, `vgg11+batch` has one after each convolution.
PLAIN, BATCH = "+plain", "+batch"
DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)
CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
NORMS: Mapping[type[nn.Module], Callable[[int], nn.Module]] = {
    nn.Conv1d: nn.BatchNorm1d,
    nn.Conv2d: nn.BatchNorm2d,
    nn.Conv3d: nn.BatchNorm3d,
    nn.Linear: nn.BatchNorm1d,
}


def set_dropout(model: nn.Module, share: float) -> None:
    """Set the share of units that every layer of dropout leaves out. Raises UsageError for a network without one."""
    layers = [module for module in model.modules() if isinstance(module, DROPOUTS)]
    if not layers and isinstance(model, MLP):  # after each hidden layer; the linear ones keep their names
        for k in range(1, len(model.hidden), 2):
            model.hidden[k] = nn.Sequential(model.hidden[k], nn.Dropout(share))
    elif not layers:
        raise UsageError("L179", where=f"dropout={share:g}", name="dropout")
    for layer in layers:
        layer.p = share


def without_normalization(model: nn.Module) -> nn.Module:
    """The network without any batch normalization, and with a bias in each convolution. Raises UsageError for a network
    that has none.
    """
    norms = 0
    for parent in list(model.modules()):
        for name, layer in list(parent.named_children()):
            if isinstance(layer, nn.modules.batchnorm._BatchNorm):
                setattr(parent, name, nn.Identity())
                norms += 1
    if not norms:
        raise UsageError("L179", where="normalization=none", name="normalization")
    for layer in model.modules():
        if isinstance(layer, CONVOLUTIONS) and layer.bias is None:  # the normalization had one
            _add_bias(layer)
    return model


def _add_bias(layer: nn.Module) -> None:
    """Drawn as PyTorch draws it by default: uniform, up to one over the root of the inputs."""
    weight: Tensor = layer.weight  # type: ignore[assignment]
    bound = 1 / math.sqrt(weight[0].numel())
    layer.bias = nn.Parameter(torch.empty(len(weight)).uniform_(-bound, bound))


def with_normalization(model: nn.Module) -> nn.Module:
    """The network with a batch normalization after each convolution, and after each linear layer but the last (Ioffe &
    Szegedy 2015, section 3.2); one that has batch normalization stays as it is. Raises UsageError for a network with
    nothing to normalize, or with layers of another kind.
    """
    if any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in model.modules()):
        return model
    layers = [module for module in model.modules() if isinstance(module, tuple(NORMS))]
    if layers and isinstance(layers[-1], nn.Linear):
        layers.pop()
    others = (nn.LayerNorm, nn.GroupNorm, nn.RNNBase, nn.MultiheadAttention)  # their layers see more than one place
    if not layers or any(isinstance(module, others) for module in model.modules()):
        raise UsageError("L179", where="normalization=batch", name="normalization")
    for parent in list(model.modules()):
        for name, layer in list(parent.named_children()):
            if any(layer is one for one in layers):
                outputs = layer.out_features if isinstance(layer, nn.Linear) else layer.out_channels
                setattr(parent, name, nn.Sequential(layer, NORMS[type(layer)](int(outputs))))  # type: ignore[arg-type]
    return model


def _kaiming(weight: Tensor) -> Tensor:
    return nn.init.kaiming_normal_(weight, nonlinearity="relu")


def _normal(weight: Tensor) -> Tensor:
    return nn.init.normal_(weight, std=0.01)


# xavier: Glorot & Bengio 2010, section 4.2.1 · kaiming: He et al. 2015 (arXiv 1502.01852), section 2.2 · normal:
# Krizhevsky et al. 2012, section 5
INITIALIZATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "xavier": nn.init.xavier_uniform_,
    "kaiming": _kaiming,
    "normal": _normal,
}


def initialize(model: nn.Module, name: str) -> None:
    """Draw the weights of every convolution, linear and recurrent layer anew, with biases of 0. name: in
    INITIALIZATIONS.
    """
    for layer in model.modules():
        if isinstance(layer, tuple(NORMS)):
            INITIALIZATIONS[name](layer.weight)  # type: ignore[arg-type]
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        elif isinstance(layer, nn.RNNBase):
            for weight in layer.parameters():
                INITIALIZATIONS[name](weight) if weight.ndim > 1 else nn.init.zeros_(weight)
