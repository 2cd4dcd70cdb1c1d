"""The device on which a network runs, and its arithmetic."""

from __future__ import annotations

import contextlib
import platform
from typing import Any

import torch
from torch import Tensor, nn

from limpide.core.errors import UsageError


def choose_device(name: str) -> torch.device:
    """`auto` takes a CUDA card, then Apple's, then the processor. Raises UsageError if the device is not available."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(name)
        if device.type not in ("cpu", "cuda", "mps"):
            raise ValueError(name)
        torch.zeros(1, device=device)
    except Exception as error:  # torch raises many kinds for a device it cannot reach
        raise UsageError("L105", where=name) from error
    return device


def has_fast_bf16(device: torch.device) -> bool:
    """Whether the hardware computes bfloat16 and does not emulate it."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        capabilities: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()  # older versions cannot tell
        return bool(capabilities.get("avx512_bf16", False)) and _onednn_takes_bf16()
    return False


def _onednn_takes_bf16() -> bool:
    """Whether oneDNN, which computes the convolutions, accepts bfloat16: ONEDNN_MAX_CPU_ISA may limit it to less than
    the processor supports.
    """
    is_supported = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", None)
    return bool(is_supported and is_supported())


def autocast(device: torch.device, precision: str) -> contextlib.AbstractContextManager[Any]:
    """bf16: matrix products and convolutions in bfloat16, everything else and the weights in float32."""
    if precision == "bf16":
        return torch.autocast(device.type, dtype=torch.bfloat16)
    return contextlib.nullcontext()


def place_on_device(model: nn.Module, device: torch.device) -> nn.Module:
    """Move a network to the device, channels-last: the layout in which convolutions are fastest on all devices."""
    return model.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def fuse_batch_norm(model: nn.Module, device: torch.device) -> nn.Module:
    """A copy for inference on `device`: each convolution is fused with its batch normalisation, on a processor also
    with its ReLU6.
    """
    import copy

    from torch.nn.utils.fusion import fuse_conv_bn_eval

    model = copy.deepcopy(model).eval()
    for block in model.modules():
        if (
            isinstance(block, nn.Sequential)
            and len(block) > 1
            and isinstance(block[0], nn.Conv2d)
            and isinstance(block[1], nn.BatchNorm2d)
        ):
            block[0], block[1] = fuse_conv_bn_eval(block[0], block[1]), nn.Identity()
            if len(block) > 2 and isinstance(block[2], nn.ReLU6) and device.type == "cpu" and _has_pointwise():
                block[0], block[2] = ConvReLU6(block[0]), nn.Identity()
    return place_on_device(model, device)


class ConvReLU6(nn.Module):
    """A convolution that clips its sums below 0 and above 6 while they are still in the processor's cache: a seventh
    faster, with the same numbers except for rounding. Inference only.
    """

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        self.conv = conv

    def forward(self, x: Tensor) -> Tensor:
        c = self.conv
        return torch.ops.mkldnn._convolution_pointwise(  # type: ignore[no-any-return]
            x, c.weight, c.bias, c.padding, c.stride, c.dilation, c.groups, "hardtanh", [0.0, 6.0], ""
        )


def _has_pointwise() -> bool:
    """Whether this build has oneDNN's fused convolution. torch.compile calls it, but it is not a public interface, so a
    build may lack it.
    """
    return (
        torch.backends.mkldnn.is_available()
        and hasattr(torch.ops.mkldnn, "_convolution_pointwise")
        and platform.machine() in ("x86_64", "AMD64")
    )
