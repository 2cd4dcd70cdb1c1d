"""Claim: an auto-encoder learns without labels to give back what it knows, and gives back worse what it never saw.

    python -m experiments.autoencoders          (1 minute)

Plain, denoising, sparse and variational, each trained on the MNIST digits 0 to 7 without labels. How well the
error tells known digits from their negatives, and from the unseen digits 8 and 9: area under the curve. A linear model
on 16 latent numbers beside one on 16 principal components, with 1,000 labels.
"""

from __future__ import annotations

import numpy as np
import torch

from experiments.common import Images, batches, mnist, tell, train
from limpide.core.finding import Number
from limpide.models import AUTOENCODERS
from limpide.models.autoencoder import AutoEncoder

EPOCHS, LATENT, LABELLED = 6, 16, 1000


@torch.no_grad()
def of(model: AutoEncoder, images: np.ndarray, what: str) -> np.ndarray:
    model.eval()
    return np.concatenate(
        [getattr(model, what)(x).numpy() for x, _ in batches(images, np.zeros(len(images), int), 500).in_order()]
    )


def main() -> None:
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score

    images = mnist()
    known, seen = images.train_labels < 8, images.test_labels < 8
    own = Images(images.train[known], images.train_labels[known], images.test, images.test_labels, images.classes)
    strangers = 255 - images.test[seen]
    auc: dict[str, dict[str, float]] = {}
    linear: dict[str, float] = {}

    def score(features: np.ndarray, test: np.ndarray) -> float:
        model = LogisticRegression(max_iter=2000).fit(features / features.std(), own.train_labels[:LABELLED])
        return float(model.score(test / features.std(), images.test_labels[seen]))

    for name, make in AUTOENCODERS.items():
        torch.manual_seed(0)
        model = make(latent=LATENT)
        train(model, own, epochs=EPOCHS, lr=2e-3, batch=128, loss_fn=model.loss_fn, precision="fp32")
        usual = of(model, images.test[seen], "error")
        auc[name] = {}
        for what, others in (("negatives of digits", strangers), ("the digits 8 and 9", images.test[~seen])):
            error = of(model, others, "error")
            auc[name][what] = float(
                roc_auc_score(np.r_[np.zeros(len(usual)), np.ones(len(error))], np.r_[usual, error])
            )
        linear[name] = score(of(model, own.train[:LABELLED], "latent"), of(model, images.test[seen], "latent"))
    flat = own.train.reshape(len(own.train), -1) / 255
    pca = PCA(LATENT, random_state=0).fit(flat)
    linear["principal components"] = score(
        pca.transform(flat[:LABELLED]), pca.transform(images.test[seen].reshape(-1, 784) / 255)
    )
    tell(
        "autoencoders",
        section="Networks named",
        course=(
            "auto-encoders (plain, variational, denoising, sparse) learn without labels; what they give back "
            "badly is unlike what they learned"
        ),
        measured="area under the curve of the error: "
        + "; ".join(
            (f"{name} {values['negatives of digits']:.3f} on negatives, {values['the digits 8 and 9']:.2f} on 8 and 9")
            for name, values in auc.items()
        )
        + f"; a linear model on {LATENT} numbers with {LABELLED:,} labels: "
        + ", ".join(f"{name} {100 * value:.1f} %" for name, value in linear.items()),
        why=(
            "the course gives no numbers; 8 and 9 are made of the strokes of the other digits, so the error "
            "tells them apart less surely than negatives"
        ),
        holds=all(
            values["negatives of digits"] > 0.95 and values["the digits 8 and 9"] > 0.6 for values in auc.values()
        ),
        numbers=[
            *(
                Number(f"{name}: {what}", value, "area under the curve")
                for name, values in auc.items()
                for what, value in values.items()
            )
        ],
        data={"linear": linear},
    )


if __name__ == "__main__":
    main()
