"""Auto-encoders: each learns by its own loss in the common loop, and what it never saw is given back worse."""

from __future__ import annotations

import functools
from itertools import islice

import numpy as np
import pytest
import torch

from limpide.core.recipe import Recipe
from limpide.data.preprocessing import Preprocessing
from limpide.data.read_images import Pixels
from limpide.models import AUTOENCODERS, parameters
from limpide.models.autoencoder import AutoEncoder, VariationalAutoEncoder
from limpide.training.batches import Batches
from limpide.training.loop import fit
from limpide.training.optim.adamw import AdamW
from limpide.training.optim.groups import parameter_groups
from limpide.training.state import TrainState

SIZE, LATENT = 8, 6
COUNTS = {"autoencoder": 410_912, "denoising": 410_912, "sparse": 435_536, "variational": 415_024}
every = pytest.mark.parametrize("name", AUTOENCODERS)


def network(name: str) -> AutoEncoder:
    torch.manual_seed(0)
    return AUTOENCODERS[name](size=SIZE, hidden=(32,), latent=LATENT)


def bars(n: int, upright: bool, seed: int = 0) -> np.ndarray:
    """One bright bar an image, uint8 (n, SIZE, SIZE, 1)."""
    found = np.zeros((n, SIZE, SIZE, 1), np.uint8)
    for image, place in zip(found, np.random.default_rng(seed).integers(0, SIZE, n), strict=True):
        if upright:
            image[:, place] = 255
        else:
            image[place] = 255
    return found


def batches(array: np.ndarray) -> Batches:
    p = Preprocessing(SIZE, 1, mean=(127.5,), std=(63.75,))
    rows = np.arange(len(array))
    return Batches(Pixels(p, rows, array), rows, np.zeros(len(array), int), 32, torch.device("cpu"))


@functools.cache
def trained(name: str, steps: int = 400) -> tuple[AutoEncoder, list[float]]:
    model = network(name)
    state = TrainState(
        model=model,
        optimizer=AdamW(parameter_groups(model, 0.0)),
        lr=1e-2,
        steps=steps,
        generator=torch.Generator().manual_seed(0),
    )
    events = islice(fit(state, batches(bars(128, upright=True)), None, Recipe(), loss_fn=model.loss_fn), None)
    return model.eval(), [event.loss for event in events if hasattr(event, "loss")]


@every
def test_number_of_parameters(name: str) -> None:
    assert parameters(AUTOENCODERS[name]()) == COUNTS[name]


@every
def test_it_learns_in_the_common_loop_and_an_anomaly_shows(name: str) -> None:
    model, losses = trained(name)
    assert np.mean(losses[-20:]) < 0.5 * np.mean(losses[:5])
    with torch.no_grad():
        (known, _), (unknown, _) = (next(batches(bars(32, upright, seed=1)).in_order()) for upright in (True, False))
        assert (
            model.latent(known).shape == (32, LATENT)
            and model(known).shape == known.shape
            and model.error(known).shape == (32,)
        )
        assert model.error(unknown).min() > model.error(known).max(), "bars that lie down were never seen"


def test_the_sparse_middle_is_mostly_silent() -> None:
    images, _ = next(batches(bars(32, upright=True)).in_order())
    model, _ = trained("sparse")
    codes = model.latent(images)
    assert (codes >= 0).all() and (codes < 1e-3).float().mean() > 0.3


def test_the_divergence_of_the_variational_one_is_torchs() -> None:
    model = network("variational")
    assert isinstance(model, VariationalAutoEncoder)
    images, labels = next(batches(bars(16, upright=True)).in_order())
    mean, log_variance = model.gaussian(images)
    exact = torch.distributions.kl_divergence(
        torch.distributions.Normal(mean, (0.5 * log_variance).exp()), torch.distributions.Normal(0, 1)
    ).sum(1)
    torch.manual_seed(3)
    drawn = mean + (0.5 * log_variance).exp() * torch.randn_like(mean)
    expected = (0.5 * (model.decode(drawn) - images).square().flatten(1).sum(1) + exact).mean() / SIZE**2
    torch.manual_seed(3)
    assert model.loss_fn(model, (images, labels)).item() == pytest.approx(expected.item(), rel=1e-5)


def test_new_images_are_drawn() -> None:
    model, _ = trained("variational")
    assert isinstance(model, VariationalAutoEncoder)
    with torch.no_grad():
        drawn = model.draw(64, torch.Generator().manual_seed(0))
    assert drawn.shape == (64, 1, SIZE, SIZE)
    upright = drawn.mean(2).amax(2) - drawn.mean(2).mean(2)  # one column stands out, no row does
    lying = drawn.mean(3).amax(2) - drawn.mean(3).mean(2)
    assert (upright > lying).float().mean() > 0.9
