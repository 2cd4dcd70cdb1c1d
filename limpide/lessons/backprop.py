"""Errors sent backwards: two hidden units learn XOR, and every δ can be read.

The second example step by step, then the error of the passes that follow. From some starts two units end in a valley
that is not the lowest: try seed=1, then three units.
"""

from limpide.ladder.backprop import start, train

XOR = [((0, 0), (0,)), ((0, 1), (1,)), ((1, 0), (1,)), ((1, 1), (0,))]
losses = []
for step in train(start((2, 2, 1), seed=0), XOR, rate=1.0, epochs=6000):
    if step.n == 2:
        (x, hidden, output), (below, above) = step.values["layers"], step.values["deltas"]
        print(
            f"1 forward         x {x} → hidden {[round(v, 3) for v in hidden]} → y {output[0]:.3f}, t "
            f"{step.values['t'][0]}"
        )
        print(f"2 output error    δ = y (1 − y) (t − y) = {above[0]:.4f}")
        print(f"3 back-propagate  δ of the hidden units {[round(v, 4) for v in below]}")
        print(
            f"4 update          weights of the output {[round(v, 3) for v in step.values['W'][1][0]]} → "
            f"{[round(v, 3) for v in step.values['W_after'][1][0]]}"
        )
    losses.append(step.loss)
    if step.n in (4, 800, 1600, 2400, 3200, 24000):
        print(f"pass {step.n // 4:5d}: error {sum(losses[-4:]):.4f} of all four {'█' * int(60 * sum(losses[-4:]))}")
