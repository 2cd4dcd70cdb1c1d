"""Looking inside a network: what a unit computed, product by product."""

from limpide.interpret.why import Unit, why

__all__ = ["Unit", "why"]
