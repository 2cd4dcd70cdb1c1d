"""Claim: the time to name an image depends on the network, not on how many images it learned from, and hardly on the
classes.

    python -m experiments.inference_time        (under a minute)

EfficientNet-Lite0 for 10, 100 and 1,000 classes, and the small CNN trained on 1,000 and on 20,000 MNIST images:
milliseconds an image of the sealed file, one at a time, the least of five medians, in turn.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from experiments.common import mnist, tell, train
from limpide.core.finding import Number
from limpide.data.preprocessing import Preprocessing
from limpide.deploy.export import export
from limpide.deploy.predictor import Predictor
from limpide.models import build

ROUNDS = 5


def main() -> None:
    images = mnist()
    with tempfile.TemporaryDirectory() as folder:
        sealed: dict[str, Predictor] = {}
        for classes in (10, 100, 1000):
            file = Path(folder) / f"{classes}.onnx"
            export(
                build("efficientnet_lite0", classes, 3, 224),
                Preprocessing(224, 3),
                tuple(map(str, range(classes))),
                file,
            )
            sealed[f"EfficientNet-Lite0, {classes:,} classes"] = Predictor(file)
        for n in (1000, 20_000):
            torch.manual_seed(0)
            model, file = build("cnn", 10, 1, 28), Path(folder) / f"cnn-{n}.onnx"
            train(model, images.some(n), epochs=1, lr=1e-2, batch=128)
            export(model, Preprocessing(28, 1), images.classes, file)
            sealed[f"small CNN, {n:,} training images"] = Predictor(file)
        found: dict[str, list[float]] = {name: [] for name in sealed}
        for _ in range(ROUNDS):
            for name, predictor in sealed.items():
                side = predictor.preprocessing.size
                found[name].append(predictor.milliseconds(Image.fromarray(np.zeros((side, side, 3), np.uint8))))
        del sealed, predictor
    least = {name: min(values) for name, values in found.items()}
    lite, small = [v for k, v in least.items() if "Lite0" in k], [v for k, v in least.items() if "CNN" in k]
    tell(
        "inference_time",
        section="Networks named",
        course=(
            "inference time against number of classes and amount of training data: neither makes it slower to speak of"
        ),
        measured="; ".join(f"{name}: {value:.3g} ms" for name, value in least.items()),
        why="the course gives no numbers; 1,000 classes instead of 10 are 1.3 of 386 million multiply-adds",
        holds=lite[2] < 1.25 * lite[0] and 0.8 < small[1] / small[0] < 1.25,
        numbers=[Number(name, value, "ms an image") for name, value in least.items()],
    )


if __name__ == "__main__":
    main()
