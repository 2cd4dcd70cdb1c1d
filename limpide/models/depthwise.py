"""A depthwise convolution that computes the gradient of its weights faster on small maps.

On two cores, oneDNN takes 28 to 50 ms for the gradient of 5 × 5 kernels on maps of 4 × 4 (the last blocks of
EfficientNet, squares of 128 pixels), and 1 ms for the gradient of the maps (docs/LOG.md). As sums over the positions of
the kernel, the former takes 1 to 4 ms.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

SMALL = 4  # pixels, the longer side of a map


class DepthwiseConv2d(nn.Conv2d):
    """One kernel per channel, stride 1, maps of unchanged size; the same numbers as nn.Conv2d."""

    def forward(self, x: Tensor) -> Tensor:
        learns = self.training and torch.is_grad_enabled() and self.weight.requires_grad
        learns = learns and not torch.is_autocast_enabled("cpu")  # which would pass on another type of number
        if learns and x.device.type == "cpu" and x.dtype == torch.float32 and max(x.shape[2:]) <= SMALL:
            return _Depthwise.apply(x, self.weight)  # type: ignore[no-any-return,no-untyped-call]
        return super().forward(x)


class _Depthwise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return F.conv2d(x, weight, padding=weight.shape[-1] // 2, groups=len(weight))

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor]:
        x, weight = ctx.saved_tensors
        # the gradient of the input is the convolution with the kernel turned by 180°
        turned = F.conv2d(gradient, weight.flip(2, 3), padding=weight.shape[-1] // 2, groups=len(weight))
        return turned, _gradient_of_weight(x, gradient, weight.shape[-1])


def _gradient_of_weight(x: Tensor, gradient: Tensor, kernel: int) -> Tensor:
    """x, gradient: (batch, channels, height, width) → (channels, 1, kernel, kernel). Each weight multiplied the input
    pixels at its offset from the output pixels.
    """
    x, gradient = x.permute(0, 2, 3, 1), gradient.permute(0, 2, 3, 1)  # channels last, as in the layout
    height, width = x.shape[1:3]
    sums = []
    for down in range(-(kernel // 2), kernel // 2 + 1):
        for right in range(-(kernel // 2), kernel // 2 + 1):
            top, left = max(0, -down), max(0, -right)
            bottom, end = max(top, min(height, height - down)), max(left, min(width, width - right))
            seen = x[:, top + down : bottom + down, left + right : end + right]
            sums.append((seen * gradient[:, top:bottom, left:end]).sum((0, 1, 2)))
    return torch.stack(sums, 1).view(-1, 1, kernel, kernel)
