"""One layer on real images, then a hidden one, then convolutions: what each adds, on the same test images.

limpide lesson linear_images mnist     (without a name: digits, which need no download)
"""

import sys
import tempfile

from limpide import ImageClassifier

data = sys.argv[1] if len(sys.argv) > 1 else "digits"
with tempfile.TemporaryDirectory() as runs:
    for network in ("linear", "mlp", "cnn"):
        clf = ImageClassifier(model=network, epochs=5 if data == "mnist" else 15, runs=runs, quiet=True).fit(data)
        print(f"{network:6s} {clf.evaluate()}")
