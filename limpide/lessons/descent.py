"""Going down: the linear neuron, a parabola, and what happens when the slope is not cleared.

The error of a linear neuron is a bowl: batch descent runs to its bottom, online descent circles near it.
"""

from limpide.ladder.adaline import batch, largest_rate, least_squares, online
from limpide.ladder.descent import descend, parabola
from limpide.ladder.perceptron import OR

print("x² − x + 2 from −2 with rate ¼:")
for step in descend(parabola, -2.0, 0.25, 10):
    print(f"  x {step.values['x']:8.5f}   f {step.values['f']:8.5f}   f′ {step.values['slope']:8.5f}")
print("slope not cleared:", *(f"{s.values['x']:.2f}" for s in descend(parabola, -2.0, 0.25, 12, reset=False)))
print(
    f"OR by least squares {least_squares(OR).round(3).tolist()}, batch descent arrives below η = {largest_rate(OR):.3f}"
)
for name, steps in (
    ("batch, η = 0.30", batch(OR, (0, 0, 0), 0.30, 300)),
    ("batch, η = 0.33", batch(OR, (0, 0, 0), 0.33, 300)),
    ("online, η = 0.10", online(OR, (0, 0, 0), 0.10, 300)),
):
    print(f"  {name}: W {[round(w, 3) for w in list(steps)[-1].values['W_after']]}")
