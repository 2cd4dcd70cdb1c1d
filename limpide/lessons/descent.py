"""Going down: the linear neuron, a parabola, and what happens when the gradient is not cleared.

The error of a linear neuron is a bowl: batch descent runs to its bottom, online descent circles near it.
"""

from limpide.ladder.adaline import batch, largest_rate, least_squares, online
from limpide.ladder.descent import descend, parabola
from limpide.ladder.perceptron import OR
from limpide.text.messages import _

print(_("x² − x + 2 from −2 with learning rate ¼:"))
for step in descend(parabola, -2.0, 0.25, 10):
    print("  x {x:8.5f}   f {f:8.5f}   f′ {slope:8.5f}".format(**step.values))
print(_("gradient not cleared:"), *(f"{s.values['x']:.2f}" for s in descend(parabola, -2.0, 0.25, 12, reset=False)))
w, rate = least_squares(OR).round(3).tolist(), largest_rate(OR)
print(_("OR by least squares: {w}; batch descent converges below η = {rate:.3f}").format(w=w, rate=rate))
for name, steps in (
    (_("batch, η = 0.30"), batch(OR, (0, 0, 0), 0.30, 300)),
    (_("batch, η = 0.33"), batch(OR, (0, 0, 0), 0.33, 300)),
    (_("online, η = 0.10"), online(OR, (0, 0, 0), 0.10, 300)),
):
    print(f"  {name}: W {[round(w, 3) for w in list(steps)[-1].values['W_after']]}")
