"""Errors sent backwards: two hidden units learn XOR, and every δ can be read.

The second example step by step, then the error of the epochs that follow. From some starts two units end in a valley
that is not the lowest: try seed=1, then three units.
"""

from limpide.ladder.backprop import start, train
from limpide.text.messages import _

XOR = [((0, 0), (0,)), ((0, 1), (1,)), ((1, 0), (1,)), ((1, 1), (0,))]
losses = []


def rounded(values, digits=3):
    return [round(value, digits) for value in values]


for step in train(start((2, 2, 1), seed=0), XOR, rate=1.0, epochs=6000):
    if step.n == 2:
        (x, hidden, output), (below, above) = step.values["layers"], step.values["deltas"]
        w, v, t = step.values["W"][1], step.values["W_after"][1], step.values["t"]
        print(
            _("1 forward         x {x} → hidden {h} → y {y:.3f}, t {t}").format(
                x=x, h=rounded(hidden), y=output[0], t=t[0]
            )
        )
        print(_("2 output error    δ = y (1 − y) (t − y) = {d:.4f}").format(d=above[0]))
        print(_("3 back-propagate  δ of the hidden units {d}").format(d=rounded(below, 4)))
        print(_("4 update          weights of the output {w} → {v}").format(w=rounded(w[0]), v=rounded(v[0])))
    losses.append(step.loss)
    if step.n in (4, 800, 1600, 2400, 3200, 24000):
        error = sum(losses[-4:])
        print(_("epoch {n:5d}: error {e:.4f} of all four").format(n=step.n // 4, e=error), "█" * int(60 * error))
