"""What a network learned elsewhere: its features of your images, and a linear model on top.

    limpide lesson transfer photos/        one folder per class; without it, crops of two photographs of scikit-learn

The network has never seen these classes. Its features tell them apart all the same, from very few examples.
Crops of one photograph overlap: were they on both sides, they would be recognized, not named. So the left halves teach
and the right halves are asked, then the other way round. (That shows two photographs told apart, no more; `limpide
check photos/` finds what belongs together in a folder of yours.)
"""

import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_sample_images
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, cross_val_score

from limpide import Features
from limpide.text.messages import _

if len(sys.argv) > 1:
    files = sorted(path for path in Path(sys.argv[1]).rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    images, labels, together = files, [path.parent.name for path in files], list(range(len(files)))
else:  # twenty crops of each photograph, 96 pixels wide, ten of each half
    corners = np.random.default_rng(0).integers(0, (427 - 96, 320 - 96), (20, 2)) + np.repeat(
        [[0, 0], [0, 320]], 10, axis=0
    )
    images = np.stack([photo[y : y + 96, x : x + 96] for photo in load_sample_images().images for y, x in corners])
    labels, together = ["china"] * 20 + ["flower"] * 20, (["left"] * 10 + ["right"] * 10) * 2
if len(set(labels)) < 2:
    says = _("no images of two classes in {folder}: give a folder with one folder of images per class")
    sys.exit(says.format(folder=sys.argv[1]))
features = Features().transform(images)
found = cross_val_score(
    LogisticRegression(max_iter=1000), features, labels, groups=together, cv=StratifiedGroupKFold(2)
)
says = _("{n} images → {width} numbers each; a linear model on them names {right:.1%} of new images correctly")
print(says.format(n=len(features), width=features.shape[1], right=found.mean()))
