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


def told_apart(usual: np.ndarray, error: np.ndarray) -> float:
    """Area under the curve of the error: the known on one side, others on the other."""
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(np.r_[np.zeros(len(usual)), np.ones(len(error))], np.r_[usual, error]))


def linear_score(features: np.ndarray, labels: np.ndarray, test: np.ndarray, test_labels: np.ndarray) -> float:
    """Accuracy of a linear model on such features."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(max_iter=2000).fit(features / features.std(), labels)
    return float(model.score(test / features.std(), test_labels))


def measure(images: Images) -> tuple[dict[str, dict[str, float]], dict[str, float]]:
    """(area under the curve of each auto-encoder and kind of strangers, accuracy on the latent numbers of each)."""
    from sklearn.decomposition import PCA

    known, seen = images.train_labels < 8, images.test_labels < 8
    own = Images(images.train[known], images.train_labels[known], images.test, images.test_labels, images.classes)
    strangers = 255 - images.test[seen]
    labels, test_labels = own.train_labels[:LABELLED], images.test_labels[seen]
    auc: dict[str, dict[str, float]] = {}
    linear: dict[str, float] = {}
    for name, make in AUTOENCODERS.items():
        torch.manual_seed(0)
        model = make(latent=LATENT)
        train(model, own, epochs=EPOCHS, lr=2e-3, batch=128, loss_fn=model.loss_fn, precision="fp32")
        usual = of(model, images.test[seen], "error")
        auc[name] = {
            what: told_apart(usual, of(model, others, "error"))
            for what, others in (("negatives of digits", strangers), ("the digits 8 and 9", images.test[~seen]))
        }
        latent, test = of(model, own.train[:LABELLED], "latent"), of(model, images.test[seen], "latent")
        linear[name] = linear_score(latent, labels, test, test_labels)
    flat = own.train.reshape(len(own.train), -1) / 255
    pca = PCA(LATENT, random_state=0).fit(flat)
    test = pca.transform(images.test[seen].reshape(-1, 784) / 255)
    linear["principal components"] = linear_score(pca.transform(flat[:LABELLED]), labels, test, test_labels)
    return auc, linear


def main() -> None:
    auc, linear = measure(mnist())
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
