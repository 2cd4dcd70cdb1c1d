"""What a look inside a trained network found: the signs that a diagnosis (limpide/audit/diagnosis) reads.

It is kept as `examination.json` in the folder of the run, so that a diagnosis needs neither the images nor the network.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LayerSigns:
    """One layer, on the same images before the training and with the weights that were kept. The gradients are those of
    the outputs, not of the loss, which tells nothing where it is minimal.
    """

    name: str  # of the parameter
    gradient_before: float  # norm of its gradients over the square root of their number, with the initial weights
    gradient: float  # the same with the weights that were kept
    moved: float  # norm of the change since the start over the norm at the start; 0: it is frozen
    dead_before: float  # share of its units that no image gives a gradient, with the initial weights
    dead: float  # the same with the weights that were kept


@dataclass(frozen=True)
class ValidationSigns:
    """The answers of the network that was kept about the validation images."""

    n: int  # images
    accuracy: float  # share
    images: tuple[int, ...]  # of each class
    named: tuple[int, ...]  # times that each class was named
    suspects: int  # images whose label looks wrong (audit/label_errors.py)
    rule: float | None = None  # share that a decision tree with a few pixels names rightly; None: not tried
    rule_pixels: int = 0  # the pixels that it looks at


@dataclass(frozen=True)
class Examination:
    epoch: int  # epochs that the weights had learned
    images: int  # on which the layers were examined
    layers: tuple[LayerSigns, ...] = ()  # from the first to the last; none of a pretrained network
    outputs_vary: bool = True  # from image to image, with the initial weights
    validation: ValidationSigns | None = None  # None: no images were set aside
