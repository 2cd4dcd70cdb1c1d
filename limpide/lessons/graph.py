"""A computation graph: every result remembers what made it, and the gradient flows back through the same steps.

One image, one linear layer, softmax and cross-entropy; the shapes on the way there, the gradients on the way back.
"""

import torch

from limpide.text.messages import _

x = torch.rand(1, 784)
w, b = torch.randn(10, 784) / 28, torch.zeros(10)
w.requires_grad_(), b.requires_grad_()
scores = x @ w.T + b  # (1, 784) × (784, 10) + (10,) → (1, 10)
p = scores.softmax(1)  # (1, 10), adds up to 1
loss = -p[0, 3].log()  # a number: the true class is 3
node = loss.grad_fn
while node is not None:
    print(f"{node.name():22s} ← {[before.name() for before, place in node.next_functions if before]}")
    node = next((before for before, place in node.next_functions if before), None)
loss.backward()
shapes = {name: tuple(tensor.shape) for name, tensor in dict(x=x, w=w, scores=scores, grad=w.grad).items()}
print(_("shapes: x {x}, w {w}, scores {scores}; gradient of w {grad}").format(**shapes))
same = torch.allclose(b.grad, p[0].detach() - torch.eye(10)[3])
print(_("the gradient of the scores is p − t:"), same)
