"""What a network learned elsewhere: its features of your images, and a linear model on top.

limpide lesson transfer photos/        (a folder a class; two photographs that come with scikit-learn when nothing is named)
"""

import sys
from pathlib import Path

from sklearn.datasets import load_sample_images
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline

from limpide import Features

if len(sys.argv) > 1:
    files = sorted(path for path in Path(sys.argv[1]).rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    labels = [path.parent.name for path in files]
    print(f"five-fold: {cross_val_score(make_pipeline(Features(), LogisticRegression(max_iter=1000)), files, labels).mean():.1%} right")
else:
    seen = Features().transform(load_sample_images().images)
    print(f"two photographs → {seen.shape}: {(seen > 0.1).mean(1)[0]:.0%} and {(seen > 0.1).mean(1)[1]:.0%} of the numbers are not zero")
