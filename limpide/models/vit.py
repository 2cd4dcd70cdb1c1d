"""Vision Transformer (Dosovitskiy et al. 2021, arXiv 2010.11929), small: squares of the image as words of a sentence.

With squares of 16 pixels, width 192, 12 layers and 3 heads (DeiT's Ti: Touvron et al. 2021, arXiv 2012.12877, table 1),
for 224 pixels and 1,000 classes it has 5,717,416 parameters; with squares of 4 pixels, for 32 pixels and 10 classes,
5,362,762. `attention` returns which tokens attend to which.

B batch · T tokens (one for the class, then the squares row by row) · D width · H heads
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Attention(nn.Module):
    """softmax(Q Kᵀ / √(D/H)) V, in H parallel heads (Vaswani et al. 2017, section 3.2)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def weights(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(attention (B, H, T, T), whose rows add up to 1; values (B, H, T, D/H))."""
        batch, tokens, width = x.shape
        # each (B, H, T, D/H)
        q, k, v = self.qkv(x).reshape(batch, tokens, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        scale = (width // self.heads) ** -0.5
        return ((q * scale) @ k.transpose(-2, -1)).softmax(-1), v

    def forward(self, x: Tensor) -> Tensor:
        weights, v = self.weights(x)
        mixed = (weights @ v).transpose(1, 2).flatten(2)  # (B, H, T, D/H) → (B, T, D)
        return self.out(mixed)  # type: ignore[no-any-return]


class Layer(nn.Module):
    """Attention, then an MLP at every token; each reads a normalised copy and adds to the stream."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm_1, self.attention = nn.LayerNorm(width, eps=1e-6), Attention(width, heads)
        self.norm_2 = nn.LayerNorm(width, eps=1e-6)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.norm_1(x))
        return x + self.mlp(self.norm_2(x))  # type: ignore[no-any-return]


class VisionTransformer(nn.Module):
    """Images (batch, channels, size, size), size a multiple of `patch`."""

    def __init__(
        self,
        *,
        classes: int = 1000,
        channels: int = 3,
        size: int = 224,
        patch: int = 16,
        width: int = 192,
        depth: int = 12,
        heads: int = 3,
    ) -> None:
        super().__init__()
        self.class_token = nn.Parameter(torch.zeros(1, 1, width))
        self.positions = nn.Parameter(0.02 * torch.randn(1, 1 + (size // patch) ** 2, width))
        self.patches = nn.Conv2d(channels, width, patch, patch)  # a linear map of each square
        self.layers = nn.Sequential(*(Layer(width, heads) for _ in range(depth)))
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.head = nn.Linear(width, classes)

    def tokens(self, x: Tensor) -> Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2)  # (B, D, size/patch, size/patch) → (B, T − 1, D)
        return torch.cat([self.class_token.expand(x.shape[0], -1, -1), x], 1) + self.positions  # (B, T, D)

    def features(self, x: Tensor) -> Tensor:
        # (B, D): the class token
        return self.norm(self.layers(self.tokens(x)))[:, 0]  # type: ignore[no-any-return]

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))  # type: ignore[no-any-return]

    def attention(self, x: Tensor) -> Tensor:
        """Attention weights (layers, B, H, T, T); [..., 0, 1:] are those of the class token on the squares."""
        x, weights = self.tokens(x), []
        for layer in self.layers:
            weights.append(layer.attention.weights(layer.norm_1(x))[0])  # type: ignore[union-attr,operator]
            x = layer(x)
        return torch.stack(weights)
