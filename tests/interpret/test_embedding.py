"""Features, neighbours and maps: against sklearn, and against what must hold of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.metrics.pairwise import cosine_similarity
from torch import nn

from limpide.core.errors import ModelError
from limpide.interpret.embedding import align_to, features_of, flat_map, nearest_rows
from limpide.interpret.top_activations import strongest_images
from limpide.models import build


@pytest.mark.parametrize("name", ["cnn", "resnet20", "rbf"])
def test_features_are_what_the_last_layer_gets(name: str) -> None:
    torch.manual_seed(0)
    model = build(name, 5, 1 if name != "resnet20" else 3, 32).eval()
    images = torch.randn(3, 1 if name != "resnet20" else 3, 32, 32)
    features, logits = features_of(model, images)
    with torch.no_grad():
        assert torch.allclose(logits, model(images), atol=1e-6) and torch.allclose(
            model.head(features), model(images), atol=1e-6
        )


def test_a_strangers_network_is_asked_before_its_last_linear_layer() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 7), nn.ReLU(), nn.Linear(7, 3)).eval()
    images = torch.randn(2, 1, 4, 4)
    features, logits = features_of(model, images)
    assert torch.equal(features, model[:3](images).detach()) and torch.equal(logits, model(images).detach())
    with pytest.raises(ModelError, match="L427"):
        features_of(nn.Sequential(nn.Conv2d(1, 2, 4), nn.Flatten()), images)


def test_the_nearest_are_those_of_scikit_learn() -> None:
    dice = np.random.default_rng(0)
    features, one = dice.normal(size=(50, 8)), dice.normal(size=8)
    alike = cosine_similarity(features, one[None])[:, 0]
    assert nearest_rows(features, one, 5) == [(int(k), pytest.approx(alike[k])) for k in np.argsort(-alike)[:5]]
    assert nearest_rows(features, features[7], 1) == [(7, pytest.approx(1.0))]


@pytest.mark.parametrize("method", ["pca", "tsne"])
def test_a_map_keeps_heaps_apart_and_is_the_same_every_time(method: str) -> None:
    dice = np.random.default_rng(0)
    features = np.concatenate([dice.normal(0, 1, (40, 12)), dice.normal(20, 1, (40, 12))])
    places, kept = flat_map(features, method)  # type: ignore[arg-type]
    again, _ = flat_map(features, method)  # type: ignore[arg-type]
    assert places.shape == (80, 2) and np.abs(places).max() == pytest.approx(1.0) and np.array_equal(places, again)
    middle, other = places[:40].mean(0), places[40:].mean(0)
    assert np.linalg.norm(middle - other) > 3 * max(places[:40].std(), places[40:].std())
    share = PCA(2).fit(features).explained_variance_ratio_.sum()
    assert kept == (pytest.approx(share, rel=1e-6) if method == "pca" else None)


def test_a_map_turned_and_mirrored_is_laid_back() -> None:
    dice = np.random.default_rng(0)
    places = dice.normal(size=(30, 2))
    angle = 1.1
    turned = places @ np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ np.diag([1, -1])
    assert np.allclose(align_to(turned, places), places, atol=1e-5)


def test_three_images_that_are_the_same_have_a_map() -> None:
    assert np.isfinite(flat_map(np.ones((3, 5)))[0]).all()


def test_the_images_that_wake_a_channel_most_are_those_of_its_largest_values() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(48, 2)).eval()
    images = torch.randn(7, 1, 6, 6)
    with torch.no_grad():
        maps = model[0](images)[:, 1]
    found = strongest_images(model, (image[None] for image in images), "0", 1)
    assert [one.image for one in found] == maps.flatten(1).amax(1).argsort(descending=True).tolist()
    for one in found:
        assert (
            one.value
            == pytest.approx(float(maps[one.image].max()), rel=1e-5)
            == pytest.approx(float(maps[one.image, one.y, one.x]), rel=1e-5)
        )
    with pytest.raises(KeyError):
        strongest_images(model, [images[:1]], "nowhere", 0)
    with pytest.raises(IndexError):
        strongest_images(model, [images[:1]], "3", 2)
