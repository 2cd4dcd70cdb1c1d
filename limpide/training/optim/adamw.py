"""AdamW: Adam whose weight decay does not pass through the moments."""

from __future__ import annotations

from limpide.training.optim.adam import Adam


class AdamW(Adam):
    """Loshchilov & Hutter 2019 (arXiv 1711.05101), algorithm 2: before each step of Adam, p = p − lr · decay · p."""

    name = "adamw"
    decoupled = True
