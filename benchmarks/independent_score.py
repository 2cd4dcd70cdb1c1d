"""Scores a run again without limpide: this file imports nothing of the package, only numpy, onnxruntime and Pillow.

    python benchmarks/independent_score.py runs/photos-001 photos/

Reads the test rows of split.csv, decodes each file as docs/reference/exported-model.md says, runs model.onnx, counts,
and
compares with the score that the run states. Ends with status 1 when they differ.
"""

import csv
import json
import os
import sys
from pathlib import Path

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before the import, as docs/reference/exported-model.md says

import numpy as np
import onnxruntime
from PIL import Image, ImageOps


def main(run: Path, photos: Path) -> int:
    session = onnxruntime.InferenceSession(run / "model.onnx")
    contract = json.loads(session.get_modelmeta().custom_metadata_map["limpide"])
    side = contract["preprocessing"]["jpeg_side"]
    with open(run / "split.csv", newline="", encoding="utf-8") as stream:
        test = [row for row in csv.DictReader(stream) if row["part"] == "test"]
    right = 0
    for row in test:
        image = Image.open(photos / row["file"])
        image.draft(None, (side, side))
        pixels = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))[None]
        probabilities = session.run(["probabilities"], {"image": pixels})[0][0]
        right += contract["classes"][int(probabilities.argmax())] == row["label"]
    finding = json.loads((run / "findings" / "accuracy.json").read_text(encoding="utf-8"))
    stated = next(number["value"] for number in finding["numbers"] if number["name"] == "accuracy")
    print(f"counted here: {right} of {len(test)} right = {right / len(test):.4f}; the run states {stated:.4f}")
    return int(abs(right / len(test) - stated) > 1e-9)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
