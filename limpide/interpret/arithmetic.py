"""One number of a network, taken apart: its inputs, their weights, and whether the sum is what torch computed.

The rule of each operation is in rules/; an operation without a rule is OPAQUE and says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from limpide.interpret.rules import RULES
from limpide.interpret.rules.terms import Index
from limpide.interpret.trace import Op, Trace

TOLERANCE = 1e-5  # of Σ |x·w|: float32 sums differ by rounding alone


@dataclass
class Explanation:
    """value = Σ values · weights + bias, then `rule` where one is named (relu, max, softmax …).

    kind: products · choice (the largest of them) · function (of one number) · several (a rule of all of them) · moved ·
    opaque
    """

    kind: str
    rule: str
    values: Tensor  # float64 (n,): the inputs
    weights: Tensor  # float64 (n,)
    sources: list[int]  # (n,): the operation that output each of them, −1: the image, −2: padding
    places: list[int]  # (n,): the flat place of each in that output
    bias: float
    value: float  # our result, in 64 bits
    torch_value: float
    shape: Index = ()  # in which the terms are drawn: (channels, height, width) of a convolution
    scale: float = 0.0  # of the tolerance: Σ |x·w| + |bias|
    parts: dict[str, float] = field(default_factory=dict)  # intermediate results of a rule: the gates of an LSTM

    @property
    def products(self) -> Tensor:
        return self.values * self.weights

    @property
    def residual(self) -> float:
        return abs(self.value - self.torch_value)

    @property
    def agrees(self) -> bool:
        return self.kind != "opaque" and self.residual <= TOLERANCE * self.scale + 1e-12


def explain(trace: Trace, op: Op, index: Sequence[int]) -> Explanation:
    """Why output `index` (without the first axis, the image) of this operation has its value. Raises IndexError for a
    place that does not exist.
    """
    place = (0, *index) if op.output.ndim == len(index) + 1 else tuple(index)
    if len(place) != op.output.ndim or any(not 0 <= k < n for k, n in zip(place, op.output.shape, strict=True)):
        raise IndexError(f"The unit must lie within {tuple(op.output.shape[1:])}. Got {tuple(index)} instead.")
    torch_value = float(op.output[place])
    rule = RULES.get(op.name)
    terms = None
    if rule is not None:
        try:
            terms = rule(op, place)
        except Exception:
            # a form of this operation that the rule does not know: an external network may call it in any form
            terms = None
    if terms is None:
        return Explanation("opaque", op.name, torch.zeros(0), torch.zeros(0), [], [], 0.0, torch_value, torch_value)
    sources = [source.op if at >= 0 else -2 for source, places in terms.origins for at in places.tolist()]
    places = [at for _, places in terms.origins for at in places.tolist()]
    total = float((terms.values * terms.weights).sum()) + terms.bias
    scale = (
        terms.scale if terms.scale is not None else float((terms.values * terms.weights).abs().sum()) + abs(terms.bias)
    )
    value = total if terms.value is None else terms.value
    return Explanation(
        terms.kind,
        terms.rule or op.name,
        terms.values,
        terms.weights,
        sources,
        places,
        terms.bias,
        value,
        torch_value,
        terms.shape or (len(places),),
        scale,
        terms.parts,
    )
