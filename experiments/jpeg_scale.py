"""Claim: decoding a large JPEG at reduced scale changes what a model says only a little.

    python -m experiments.jpeg_scale MODEL.onnx PHOTOS     (a minute for 100 photographs)

Each photograph large enough for a smaller decoding goes through the sealed model twice: decoded at reduced scale, as
declared, and decoded in full. Prints how many answers differ and by how much the probabilities move.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from limpide.data.decoding.decode import Undecodable, decode
from limpide.deploy.predictor import Predictor


def main(model: str, folder: str, most: int = 300) -> None:
    predictor = Predictor(model)
    side = predictor.preprocessing.jpeg_side
    moved, changed = [], 0
    for file in sorted(Path(folder).rglob("*")):
        try:
            data = file.read_bytes() if file.is_file() else b""
            small, full = decode(data, side), decode(data)
        except Undecodable:
            continue
        if small.size == full.size:
            continue
        one, other = (predictor.probabilities([image])[0] for image in (small, full))
        moved.append(float(np.abs(one - other).max()))
        changed += int(one.argmax() != other.argmax())
        if len(moved) == most:
            break
    if not moved:
        print(f"no photograph in {folder} is large enough to be decoded smaller ({2 * side} pixels a side)")
        return
    print(
        f"{len(moved)} photographs: {changed} answers differ; the largest change of a probability is "
        f"{np.median(moved):.4f} in the median, {max(moved):.4f} at most"
    )


if __name__ == "__main__":
    Image.MAX_IMAGE_PIXELS = None
    main(sys.argv[1], sys.argv[2])
