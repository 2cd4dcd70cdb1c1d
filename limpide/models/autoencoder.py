"""Auto-encoders: networks that learn without labels, by reconstructing their input through a narrow middle.

plain        ‖x − x̂‖²                                        Rumelhart, Hinton & Williams 1986
denoising    the same, with noise added to the input x          Vincent et al. 2008
sparse       + λ · mean |h|: most of the middle is inactive     Ranzato et al. 2007; Ng 2011
variational  − E log p(x | h) + KL(q(h | x) ‖ N(0, 1))          Kingma & Welling 2014, arXiv 1312.6114

Each has its `loss_fn` for `fit`, which then gets no validation, as there are no classes to score. `latent` returns the
middle, for inspection or classification; `error` measures how badly an image is reconstructed: images unlike those it
learned from, worse (Sakurada & Yairi 2014). Pixels are normalised as for every network (about −2 to 2), so the last
layer is linear.

For 28×28 grey images, hidden (256,) and latent 16: 410,912 parameters, the variational one 415,024.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

Batch = tuple[Tensor, Tensor]


def _layers(widths: tuple[int, ...]) -> nn.Sequential:
    """Linear layers with ReLU between them, none after the last."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class AutoEncoder(nn.Module):
    """Images (batch, channels, size, size) → the same shape."""

    def __init__(
        self, *, channels: int = 1, size: int = 28, hidden: tuple[int, ...] = (256,), latent: int = 16
    ) -> None:
        super().__init__()
        self.shape, self.codes = (channels, size, size), latent
        inputs = channels * size * size
        self.encoder = _layers((inputs, *hidden, self._codes(latent)))
        self.decoder = _layers((latent, *reversed(hidden), inputs))

    def _codes(self, latent: int) -> int:
        return latent

    def latent(self, x: Tensor) -> Tensor:
        return self.encoder(x.flatten(1))  # type: ignore[no-any-return]  # (batch, latent)

    def decode(self, h: Tensor) -> Tensor:
        # (batch, latent) → (batch, channels, size, size)
        return self.decoder(h).unflatten(1, self.shape)  # type: ignore[no-any-return]

    def forward(self, x: Tensor) -> Tensor:
        return self.decode(self.latent(x))

    def error(self, x: Tensor) -> Tensor:
        """Mean squared difference between each image and its reconstruction, (batch,): an anomaly score."""
        return (self(x) - x).square().flatten(1).mean(1)  # type: ignore[no-any-return]

    def loss_fn(self, model: nn.Module, batch: Batch) -> Tensor:
        images, _ = batch
        return (model(images) - images).square().mean()


class DenoisingAutoEncoder(AutoEncoder):
    """noise: standard deviation of the noise added to each pixel during training, in units of normalised pixels."""

    def __init__(
        self,
        *,
        noise: float = 0.5,
        channels: int = 1,
        size: int = 28,
        hidden: tuple[int, ...] = (256,),
        latent: int = 16,
    ) -> None:
        super().__init__(channels=channels, size=size, hidden=hidden, latent=latent)
        self.noise = noise

    def loss_fn(self, model: nn.Module, batch: Batch) -> Tensor:
        images, _ = batch
        return (model(images + self.noise * torch.randn_like(images)) - images).square().mean()


class SparseAutoEncoder(AutoEncoder):
    """The middle may be wide, as most of it is inactive for each image. sparsity: λ."""

    def __init__(
        self,
        *,
        sparsity: float = 0.05,
        channels: int = 1,
        size: int = 28,
        hidden: tuple[int, ...] = (256,),
        latent: int = 64,
    ) -> None:
        super().__init__(channels=channels, size=size, hidden=hidden, latent=latent)
        self.sparsity = sparsity

    def latent(self, x: Tensor) -> Tensor:
        return super().latent(x).relu()

    def loss_fn(self, model: nn.Module, batch: Batch) -> Tensor:
        images, _ = batch
        h = self.latent(images)
        return (self.decode(h) - images).square().mean() + self.sparsity * h.abs().mean()


class VariationalAutoEncoder(AutoEncoder):
    """The middle is a Gaussian for each image, kept near N(0, 1): samples from N(0, 1) then decode to new images."""

    def _codes(self, latent: int) -> int:
        return 2 * latent  # mean and log-variance

    def gaussian(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(mean, log-variance), both (batch, latent)."""
        mean, log_variance = self.encoder(x.flatten(1)).chunk(2, 1)
        return mean, log_variance

    def latent(self, x: Tensor) -> Tensor:
        return self.gaussian(x)[0]

    def loss_fn(self, model: nn.Module, batch: Batch) -> Tensor:
        """Equation 10, with one draw per image and pixels of variance 1; nats, divided by the number of pixels."""
        images, _ = batch
        mean, log_variance = self.gaussian(images)
        drawn = mean + (0.5 * log_variance).exp() * torch.randn_like(mean)
        rebuilt = 0.5 * (self.decode(drawn) - images).square().flatten(1).sum(1)
        divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1)
        return (rebuilt + divergence).mean() / images[0].numel()

    def draw(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """n new images."""
        return self.decode(torch.randn(n, self.codes, generator=generator).to(next(self.parameters())))


AUTOENCODERS: dict[str, type[AutoEncoder]] = {
    "autoencoder": AutoEncoder,
    "denoising": DenoisingAutoEncoder,
    "sparse": SparseAutoEncoder,
    "variational": VariationalAutoEncoder,
}
