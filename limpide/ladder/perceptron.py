"""The perceptron (Rosenblatt 1957, The Perceptron, a perceiving and recognizing automaton): the weights are learned.

Show an example. If the answer is correct, change nothing; if it is wrong, turn the weights towards the example or away
from it:

    y = 1 if w · x > 0 else 0
    w ← w + η (t − y) x                      x₀ = 1, so w₀ is the bias; t is the correct answer, 0 or 1

w is the normal of the plane that separates the answers. If some plane separates the examples, this rule finds one after
finitely many updates, for any η > 0 (Novikoff 1962); an epoch without a mistake proves that it has. If no plane does,
as for XOR, the rule never stops. Then there is a point that cannot be on the correct side of any plane: a mixture of
examples with the answer 1 that is also a mixture of examples with the answer 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from limpide.core.events import Note, Step
from limpide.text.messages import N_, Message, message

OR = (((0, 0), 0), ((0, 1), 1), ((1, 0), 1), ((1, 1), 1))
XOR = (((0, 0), 0), ((0, 1), 1), ((1, 0), 1), ((1, 1), 0))

Examples = Sequence[tuple[Sequence[float], int]]


def with_ones(examples: Examples) -> tuple[np.ndarray, np.ndarray]:
    """(x with the constant x₀ = 1 in front, (n, 1 + inputs); targets, (n,))."""
    x = np.array([[1.0, *inputs] for inputs, _ in examples])
    return x, np.array([float(target) for _, target in examples])


def perceptron(
    examples: Examples, start: Sequence[float], rate: float = 1.0, epochs: int = 100
) -> Iterator[Step | Note]:
    """A Step for each presentation, with X, W, y, t and the new W in `values`; `loss` is the mistake, 0 or 1.

    Ends with a Note: after an epoch without a mistake, or after `epochs` epochs, with the reason if there is one.
    start: (1 + inputs,), the bias first.
    """
    inputs, targets = with_ones(examples)
    w, n, updates = np.array(start, float), 0, 0
    for epoch in range(epochs):
        mistakes = 0
        for x, t in zip(inputs, targets, strict=True):
            y = float(w @ x > 0)
            before, w = w, w + rate * (t - y) * x
            n, mistakes = n + 1, mistakes + int(y != t)
            values = {"X": x.tolist(), "W": before.tolist(), "y": y, "t": t, "W_after": w.tolist()}
            yield Step(n, epoch, abs(t - y), rate, values=values)
        updates += mistakes
        if not mistakes:
            yield _note_learned(n, updates)
            return
    yield _note_unlearned(examples, epochs)


def _note_learned(presentations: int, updates: int) -> Note:
    says = N_("learned: a whole epoch without a mistake, {n:count} presentations and {k:count} updates in all")
    return Note("learned", message(says, n=presentations, k=updates))


def _note_unlearned(examples: Examples, epochs: int) -> Note:
    """The reason for not having learned: no plane separates the examples, or there were too few epochs."""
    mixture = inseparable(examples)
    if mixture is not None:
        return Note("inseparable", mixture.says())
    unfinished = message(
        N_("not learned yet after {n:count} epoch, though a line can separate the examples: continue"),
        N_("not learned yet after {n:count} epochs, though a line can separate the examples: continue"),
        n=epochs,
    )
    return Note("unfinished", unfinished)


@dataclass(frozen=True)
class Mixture:
    """A point that is a mixture of examples with the answer 1 and also one of examples with the answer 0."""

    point: np.ndarray  # (inputs,)
    ones: dict[int, float]  # index of the example → its share in the first mixture; the shares add up to 1
    zeros: dict[int, float]
    examples: Examples

    def says(self) -> Message:
        def listed(shares: dict[int, float]) -> str:
            return " + ".join(
                f"{share:.3g}·({', '.join(f'{v:g}' for v in self.examples[i][0])})" for i, share in shares.items()
            )

        return message(
            N_(
                "not linearly separable: the point ({point}) lies between examples with the answer 1, {ones}, "
                "and between examples with the answer 0, {zeros}; a line leaves it on one side only"
            ),
            point=", ".join(f"{v:g}" for v in self.point),
            ones=listed(self.ones),
            zeros=listed(self.zeros),
        )


def inseparable(examples: Examples) -> Mixture | None:
    """The proof that no plane separates the examples, or None if one does. A linear programme finds the two mixtures.

    A plane exists exactly when the convex hulls of the two answers do not meet (hyperplane separation theorem). Gaps
    smaller than a millionth of the spread of an input count as none.
    """
    from scipy.optimize import linprog

    inputs, targets = with_ones(examples)
    ones, zeros = np.flatnonzero(targets == 1), np.flatnonzero(targets == 0)
    if not len(ones) or not len(zeros):
        return None
    spread = np.ptp(inputs, axis=0)
    even = (inputs - inputs.mean(0)) / np.where(spread > 0, spread, 1.0)
    even[:, 0] = 1.0
    # Shares a ≥ 0 of the ones and b ≥ 0 of the zeros: Σ a x = Σ b x. The constant x₀ = 1 makes both sums of shares
    # equal.
    equal = np.hstack([even[ones].T, -even[zeros].T])
    sums = np.concatenate([np.ones(len(ones)), np.zeros(len(zeros))])
    found = linprog(
        np.zeros(len(sums)), A_eq=np.vstack([equal, sums]), b_eq=[*np.zeros(len(equal)), 1.0], bounds=(0, 1)
    )
    if not found.success:
        return None
    a, b = found.x[: len(ones)], found.x[len(ones) :]
    share = {int(i): float(s) for i, s in zip(ones, a, strict=True) if s > 1e-9}
    return Mixture(
        a @ inputs[ones, 1:], share, {int(i): float(s) for i, s in zip(zeros, b, strict=True) if s > 1e-9}, examples
    )
