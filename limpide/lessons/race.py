"""Six ways down: who crosses the long valley, and who leaves the saddle.

SGD, momentum, Nesterov, Adagrad, RMSprop and Adam on two surfaces, a hundred steps each, each at the best learning rate
of one grid.
"""

import numpy as np

from limpide.ladder.race import SURFACES, best_rate, race
from limpide.text.messages import _

NAMES = {"valley": _("valley"), "saddle": _("saddle")}
for surface in SURFACES:
    print(_("{surface}: how far above the lowest point after 0, 10, 30 and 100 steps").format(surface=NAMES[surface]))
    height = {(s.values["optimiser"], s.n): s.loss - SURFACES[surface].least for s in race(surface, 100)}
    before = SURFACES[surface].f(np.array(SURFACES[surface].start)) - SURFACES[surface].least
    for name in dict.fromkeys(name for name, n in height):
        print(
            f"  {name:10s} η = {best_rate(surface, name):<6g}"
            + "".join(f"{value:10.5f}" for value in (before, *(height[name, n] for n in (10, 30, 100))))
        )
