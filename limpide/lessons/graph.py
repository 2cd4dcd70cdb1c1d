"""A computation graph: every result remembers what made it, and the slope flows back through the same steps.

One image, one linear layer, softmax and cross-entropy; the shapes on the way there, the slopes on the way back.
"""

import torch

x = torch.rand(1, 784)
w, b = torch.randn(10, 784) / 28, torch.zeros(10)
w.requires_grad_(), b.requires_grad_()
scores = x @ w.T + b  # (1, 784) × (784, 10) + (10,) → (1, 10)
p = scores.softmax(1)  # (1, 10), adds up to 1
loss = -p[0, 3].log()  # a number: the true class is 3
node = loss.grad_fn
while node is not None:
    print(f"{node.name():22s} ← {[before.name() for before, _ in node.next_functions if before]}")
    node = next((before for before, _ in node.next_functions if before), None)
loss.backward()
print(f"shapes: x {tuple(x.shape)}, w {tuple(w.shape)}, scores {tuple(scores.shape)}; slope of w {tuple(w.grad.shape)}")
print(f"the slope of the scores is p − t: {torch.allclose(b.grad, p[0].detach() - torch.eye(10)[3])}")
