"""Where is a training stored? In the same bytes as before, with other values: which layers moved, and by how much.

    limpide lesson where_is_it_stored mnist        (without a name: digits)

A trained network is not larger than a raw one: 4 bytes a parameter before and after.
"""

import sys
import tempfile

import torch

from limpide import ImageClassifier
from limpide.models import build
from limpide.text.messages import _
from limpide.training.weights import trained_network

data = sys.argv[1] if len(sys.argv) > 1 else "digits"
with tempfile.TemporaryDirectory() as runs:
    clf = ImageClassifier(model="cnn", epochs=3, runs=runs, quiet=True).fit(data)
    after, preprocessing = trained_network(clf.run)
    torch.manual_seed(clf.run.info().recipe["seed"])
    before = build("cnn", len(clf.classes_), preprocessing.channels, preprocessing.size)
    head = _("layer"), _("bytes before"), _("after"), _("how far it moved, relative to its length at the start")
    print("{:16s} {:>12s} {:>8s}   {}".format(*head))
    for (name, old), new in zip(before.named_parameters(), after.parameters(), strict=True):
        moved = float((new - old).detach().norm() / max(1e-9, float(old.detach().norm())))
        how_far = f"{moved:6.2f} {'█' * min(40, int(10 * moved))}" if old.detach().norm() > 0 else _("it began at zero")
        print(f"{name:16s} {4 * old.numel():12,d} {4 * new.numel():8,d}   {how_far}")
