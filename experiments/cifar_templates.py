"""Claim: one layer on CIFAR-10 has 32·32·3 = 3,072 inputs, and its ten rows are RGB templates of the classes.

    python -m experiments.cifar_templates [FOLDER]      (half a minute)

Linear(3072 → 10), 30,730 parameters, cross-entropy with weight decay, three seeds. The ten rows go to
docs/pictures/cifar_templates.png. FOLDER: CIFAR-10 as images in train/ and test/.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from experiments.common import accuracy, cifar10, percent, share, tell, train
from limpide.models import parameters
from limpide.models.linear import LinearNet
from limpide.training.optim.adamw import AdamW
from limpide.training.optim.groups import parameter_groups

SEEDS, EPOCHS = 3, 3
PICTURE = Path(__file__).parent.parent / "docs" / "pictures" / "cifar_templates.png"


def picture(weight: np.ndarray) -> Image.Image:
    """Ten rows of weights (10, 3·32·32) as pictures side by side: grey is zero, each row on its own scale."""
    cells = []
    for row in weight.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1):
        shade = np.clip(0.5 + row / (6 * row.std()), 0, 1)
        cells.append(np.pad(255 * shade, ((2, 2), (2, 2), (0, 0)), constant_values=255))
    sheet = np.concatenate([np.concatenate(cells[:5], 1), np.concatenate(cells[5:], 1)], 0)
    return Image.fromarray(sheet.astype(np.uint8)).resize((5 * 36 * 4, 2 * 36 * 4), Image.Resampling.NEAREST)


def main(folder: str = "") -> None:
    images = cifar10(folder)
    found = []
    for seed in range(SEEDS):
        torch.manual_seed(seed)
        model = LinearNet(classes=10, channels=3, size=32)
        # one valley: it ends in the same place, and nothing of a random start is left in the picture
        torch.nn.init.zeros_(model.head.weight)
        train(
            model,
            images,
            epochs=EPOCHS,
            lr=1e-3,
            batch=128,
            optimizer=AdamW(parameter_groups(model, 0.1)),
            seed=seed,
            precision="fp32",
        )
        found.append(accuracy(model, images.test, images.test_labels))
    picture(model.head.weight.detach().numpy()).save(PICTURE)
    tell(
        "cifar_templates",
        section="Linear models",
        course="CIFAR-10 linear: 32·32·3 = 3,072 inputs, ten RGB templates",
        measured=(
            f"{model.head.in_features:,} inputs, {parameters(model):,} parameters: {percent(found)} of the test "
            f"images; its ten rows ({', '.join(images.classes)}): docs/pictures/cifar_templates.png"
        ),
        why=(
            "the course gives no score; ten times better than chance is 100 %, and one template a class is about "
            "four times"
        ),
        holds=model.head.in_features == 3072 and min(found) > 0.35,
        numbers=[share("test accuracy", found)],
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
