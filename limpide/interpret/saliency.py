"""Where in the image is the evidence? Four methods, whose answers may differ; interpret/saliency_checks.py says which
of them to trust.

Every function: (model, image (1, channels, height, width), class) → Tensor (height, width), larger is more. The model
is in evaluation mode.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limpide.interpret.trace import trace
from limpide.models.good_parts import GoodParts
from limpide.text.messages import N_, message
from limpide.training.device import fuse_batch_norm

STEPS = 32  # of the path in integrated gradients
WINDOWS = 14  # places of the grey window along a side
BATCH, SIDE = 8, 320  # images of this side at once: gradients of more do not fit into the cache of a processor

# images that each method runs through the network, at most
COST = {"distance": 1, "gradient": 1, "grad_cam": 2, "integrated_gradients": STEPS, "occlusion": WINDOWS**2 + 3}

Saliency = Callable[[nn.Module, Tensor, int], Tensor]


def gradient(model: nn.Module, image: Tensor, label: int) -> Tensor:
    """|∂ logit / ∂ pixel|, the largest over the channels (Simonyan et al. 2013, arXiv 1312.6034, section 3)."""
    return _slope(model, image, label)[0].abs().amax(0)


def integrated_gradients(model: nn.Module, image: Tensor, label: int, baseline: Tensor | None = None) -> Tensor:
    """(x − x₀) · mean gradient on the straight path from x₀ to x (Sundararajan et al. 2017, arXiv 1703.01365, equation
    1), midpoints of 32 steps.

    baseline: x₀; by default grey, the mean of the training. The sum over all pixels is the difference of the logits.
    """
    start = torch.zeros_like(image) if baseline is None else baseline
    total = torch.zeros_like(image)
    places = (torch.arange(STEPS) + 0.5) / STEPS
    for batch in places.split(_batch_of(image)):
        path = start + batch.view(-1, 1, 1, 1) * (image - start)
        total += _slope(model, path, label).sum(0, keepdim=True)
    return ((image - start) * total / STEPS)[0].sum(0)


def grad_cam(model: nn.Module, image: Tensor, label: int) -> Tensor:
    """The last maps, each weighted by its mean gradient, rectified, enlarged (Selvaraju et al. 2017, arXiv 1610.02391,
    equations 1 and 2).

    Raises TypeError for a network without maps.
    """
    layer = last_maps(model, image)
    maps: list[Tensor] = []
    hook = dict(model.named_modules())[layer].register_forward_hook(lambda _, __, output: maps.append(output))
    try:
        with torch.enable_grad():
            logits = model(image.detach().clone().requires_grad_(True))
            (slope,) = torch.autograd.grad(logits[0, label], maps[0])
    finally:
        hook.remove()
    weights = slope.mean((2, 3), keepdim=True)
    small = F.relu((weights * maps[0].detach()).sum(1, keepdim=True))
    return F.interpolate(small, size=image.shape[-2:], mode="bilinear", align_corners=False)[0, 0]


def last_maps(model: nn.Module, image: Tensor) -> str:
    """The name of the last layer that outputs maps of more than one place."""
    names = {name for name, module in model.named_modules() if not list(module.children())}
    maps = [
        op.layer
        for op in trace(model, image).ops
        if op.output.ndim == 4 and op.output.shape[-1] > 1 and op.layer in names and op.name != "pad"
    ]
    if not maps:
        raise TypeError(message(N_("this network has no feature maps: it is not convolutional")))
    return maps[-1]


@torch.inference_mode()
def occlusion(model: nn.Module, image: Tensor, label: int) -> Tensor:
    """How much the class's probability falls when a grey window covers a place (Zeiler & Fergus 2014, arXiv 1311.2901,
    section 4.2).

    The window is an eighth of the side, at 14 × 14 places; a pixel's value is the mean over the windows that cover it.
    """
    model = is_quick(model, image)
    height, width = image.shape[-2:]
    side = max(2, height // 8)
    rows = torch.linspace(0, height - side, WINDOWS).round().long().unique().tolist()
    columns = torch.linspace(0, width - side, WINDOWS).round().long().unique().tolist()
    before = float(model(image).softmax(1)[0, label])
    drops, count = torch.zeros(height, width), torch.zeros(height, width)
    places = [(y, x) for y in rows for x in columns]
    step = _batch_of(image)
    for k in range(0, len(places), step):
        batch = places[k : k + step]
        covered = image.repeat(len(batch), 1, 1, 1)
        for one, (y, x) in zip(covered, batch, strict=True):
            one[:, y : y + side, x : x + side] = 0
        for (y, x), after in zip(batch, model(covered).softmax(1)[:, label].tolist(), strict=True):
            drops[y : y + side, x : x + side] += before - after
            count[y : y + side, x : x + side] += 1
    return drops / count.clamp(min=1)


@torch.inference_mode()
def is_quick(model: nn.Module, image: Tensor) -> nn.Module:
    """A copy for many passes without gradients, twice as fast and the same except for rounding; or the model itself
    where no such copy can be made.

    The layers of an external network may do what a copy does not, so the outputs of both for this image are compared.
    """
    try:
        copy = fuse_batch_norm(model, image.device)
        before, after = model(image), copy(image)
        alike = torch.allclose(before, after, rtol=1e-4, atol=1e-4 * float(before.abs().max()))
    except Exception:  # it cannot be copied, or its copy does not run: external code may raise anything
        return model
    return copy if alike else model


def _batch_of(image: Tensor) -> int:
    """Images at once: fewer where the squares are larger."""
    return max(1, min(BATCH, BATCH * SIDE**2 // (image.shape[-1] * image.shape[-2])))


def edge_map(model: nn.Module, image: Tensor, label: int) -> Tensor:
    """Not an explanation: the edges of the image (Sobel). It looks convincing, so the badge has to refuse it."""
    grey = image.mean(1, keepdim=True)
    sobel = torch.tensor([[1.0, 0, -1], [2, 0, -2], [1, 0, -1]])
    kernels = torch.stack([sobel, sobel.T])[:, None]
    return F.conv2d(F.pad(grey, (1, 1, 1, 1), mode="replicate"), kernels)[0].pow(2).sum(0).sqrt()


@torch.inference_mode()
def distance(model: nn.Module, image: Tensor, label: int) -> Tensor:
    """How much farther each patch is from good ones than half of the patches of this image, in thresholds
    (models/good_parts.py): the answer is made of these distances, for any class.
    """
    if not is_of_good_parts(model):
        raise TypeError(message(N_("this network keeps no good parts: there is nothing to measure a distance to")))
    distances: Tensor = model.features(image)  # type: ignore[operator]
    distances = (distances - distances.median()).clamp(min=0)
    side = round(distances.shape[1] ** 0.5)
    maps = distances.reshape(1, 1, side, side)
    return F.interpolate(maps, size=image.shape[-2:], mode="bilinear", align_corners=False)[0, 0]


def is_of_good_parts(model: nn.Module) -> bool:
    return isinstance(model, GoodParts)


METHODS: dict[str, Saliency] = {
    "distance": distance,
    "gradient": gradient,
    "integrated_gradients": integrated_gradients,
    "grad_cam": grad_cam,
    "occlusion": occlusion,
}


def _slope(model: nn.Module, images: Tensor, label: int) -> Tensor:
    with torch.enable_grad():
        leaf = images.detach().clone().requires_grad_(True)
        (slope,) = torch.autograd.grad(model(leaf)[:, label].sum(), leaf)
    return slope
