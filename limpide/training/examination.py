"""Look inside a network before and after its training: do gradients reach every layer, which units are dead, and which
layers have not moved?

A unit is an output of a convolution or a linear layer. Where its gradient is exactly zero for every image, the unit
has no influence on the outputs of any of them and learns no more, as behind a ReLU that is always closed (Maas et al.
2013, "Rectifier nonlinearities improve neural network acoustic models", section 2).
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from limpide.core.examination import LayerSigns
from limpide.models.regularized import CONVOLUTIONS

IMAGES = 128  # images on which the layers are examined, at most


@dataclass(frozen=True)
class _Gradients:
    size: float  # norm over the square root of the number of values
    dead: float  # share of the units


def examine_layers(
    model: nn.Module, before: Mapping[str, Tensor], images: Tensor
) -> tuple[tuple[LayerSigns, ...], bool]:
    """The signs of each convolution and linear layer, from the first to the last; whether the outputs differ from
    image to image, with the initial weights.

    model: as it was kept; it stays as it is. before: its state before the training. images: float (n, channels, size,
    size) on the device of the network.
    """
    twin = copy.deepcopy(model)
    now, _ = _gradients(twin, images)
    twin.load_state_dict(before)
    start, vary = _gradients(twin, images)
    initial = dict(twin.named_parameters())
    signs = tuple(
        LayerSigns(
            name=name,
            gradient_before=start[name].size,
            gradient=now[name].size,
            moved=_moved(weight.detach(), initial[name].detach()),
            dead_before=start[name].dead,
            dead=now[name].dead,
        )
        for name, weight in model.named_parameters()
        if name in now
    )
    return signs, vary


def _gradients(model: nn.Module, images: Tensor) -> tuple[dict[str, _Gradients], bool]:
    """(of the outputs, each with a fixed weight of its own, so that none cancels another; whether the outputs vary)"""
    model.train()
    for module in model.modules():
        if isinstance(module, nn.modules.dropout._DropoutNd):
            module.eval()
    for parameter in model.parameters():
        parameter.grad, parameter.requires_grad = None, True
    outputs = model(images).float()
    weights = torch.randn(outputs.shape, generator=torch.Generator().manual_seed(0)).to(outputs.device)
    if outputs.requires_grad:
        (outputs * weights).mean().backward()
    found = {}
    layers = {id(module.weight) for module in model.modules() if isinstance(module, (nn.Linear, *CONVOLUTIONS))}
    for name, parameter in model.named_parameters():
        if id(parameter) not in layers:
            continue
        gradient = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        dead = (gradient.flatten(1) == 0).all(1).float().mean()
        found[name] = _Gradients(float(gradient.norm()) / math.sqrt(gradient.numel()), float(dead))
    return found, bool((outputs != outputs[:1]).any())


def _moved(now: Tensor, before: Tensor) -> float:
    size = float(before.norm())
    return float((now - before).norm()) / size if size else float((now != before).any())
