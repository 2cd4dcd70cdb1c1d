"""One neuron that learns: OR in twelve presentations, XOR never.

McCulloch and Pitts set the weights by hand; Rosenblatt let mistakes set them.
"""

from limpide.core.events import Step
from limpide.ladder.neuron import truth_table, xor
from limpide.ladder.perceptron import OR, XOR, perceptron
from limpide.text.messages import _

print(_("set by hand:"), *(f"{name} {[y for x, y in truth_table(name)]}" for name in ("AND", "OR", "NAND")))
for name, examples in (("OR", OR), ("XOR", XOR)):
    print(_("{name}, learned:").format(name=name))
    for event in perceptron(examples, start=(0, 1, 0), epochs=8):
        if isinstance(event, Step):
            v = event.values
            print(
                f"  {event.n:2d}  X {v['X']}  W {v['W']}  y {v['y']:.0f}  t {v['t']:.0f}"
                + ("" if v["y"] == v["t"] else f"  → W {v['W_after']}")
            )
        else:
            print(f"  {event.message}")
print(_("XOR of three neurons:"), [xor(a, b) for a in (0, 1) for b in (0, 1)])
