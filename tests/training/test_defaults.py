"""`auto`, decided: what is chosen from a glimpse at the images, and that wishes are respected."""

from __future__ import annotations

import pytest

from limpide.core.errors import UsageError
from limpide.core.recipe import Recipe
from limpide.data.read_images import ImageSample
from limpide.training.defaults import MANY_IMAGES, decide_recipe, default_epochs, preprocessing_of

PHOTOS = ImageSample(median_side=480, grey=False)
DIGITS = ImageSample(median_side=28, grey=True)


def decided(images: ImageSample, n: int = 2000, **wishes: object) -> Recipe:
    return decide_recipe(Recipe.of(device="cpu", **wishes), images, n)[0]


@pytest.mark.parametrize(
    ("images", "model"),
    [
        (DIGITS, "cnn"),
        (ImageSample(8, True), "cnn"),
        (PHOTOS, "efficientnet_lite0"),
        (ImageSample(300, True), "efficientnet_lite0"),
        (ImageSample(0, False), "efficientnet_lite0"),
        (ImageSample(32, False), "efficientnet_lite0"),
    ],
)
def test_network(images: ImageSample, model: str) -> None:
    recipe, reasons = decide_recipe(Recipe(), images, 5000)
    assert recipe.model == model
    assert any(model in str(reason) for reason in reasons), "the choice is said with its reason"


@pytest.mark.parametrize(
    ("side", "grey", "wishes", "model"),
    [
        (32, False, {}, "small_color"),
        (64, False, {}, "small_color"),
        (65, False, {}, "efficientnet_lite0"),
        (32, True, {}, "cnn"),
        (32, False, dict(weights="none"), "small_color"),
    ],
)
def test_network_of_many_images(side: int, grey: bool, wishes: dict[str, str], model: str) -> None:
    recipe, reasons = decide_recipe(Recipe.of(device="cpu", **wishes), ImageSample(side, grey), MANY_IMAGES)
    assert recipe.model == model and any(model in str(reason) for reason in reasons)
    assert recipe.image_size == (128 if model == "efficientnet_lite0" else side)


@pytest.mark.parametrize("images", [PHOTOS, DIGITS])
def test_every_blank_but_the_length_is_filled(images: ImageSample) -> None:
    recipe = decided(images)
    blank = {name for name, value in recipe.to_json().items() if value is None or value == "auto"}
    # the range is decided while reading, the balance when it is known what is learned from
    later = {"epochs", "patience", "flip", "groups", "parts", "weights", "value_range", "balance", "average_mirrored"}
    off = {
        "time",
        "false_alarms",
        "clip",
        "dropout",
        "normalization",
        "augment",
    }  # left as the network and the time say
    assert blank <= {*off, *later}
    assert Recipe.from_json(recipe.to_json()) == recipe


def test_wishes_are_respected() -> None:
    wishes = dict(model="cnn", batch=7, lr=0.5, image_size=20, weight_decay=0.0, precision="fp32", epochs=2, seed=9)
    assert wishes.items() <= decided(PHOTOS, **wishes).to_json().items()


def test_a_wish_needs_no_reason_but_a_change_of_it_does() -> None:
    recipe, reasons = decide_recipe(Recipe(model="vit_tiny", image_size=100, device="cpu"), PHOTOS, 500)
    assert recipe.image_size == 96 and any("96 px" in str(reason) for reason in reasons)
    assert decided(PHOTOS, model="efficientnet_lite0", image_size=8).image_size == 32


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("efficientnet-lite0", "efficientnet_lite0"), ("CNM", "cnn"), ("resnet-50", "resnet50"), ("vgg-16", "vgg16")],
)
def test_an_unknown_network_suggests_the_nearest(typed: str, meant: str) -> None:
    with pytest.raises(UsageError) as caught:
        decided(PHOTOS, model=typed)
    assert caught.value.code == "L106" and meant in str(caught.value) and typed in str(caught.value)


def test_an_unknown_network_without_a_near_one() -> None:
    with pytest.raises(UsageError, match="see limpide models"):
        decided(PHOTOS, model="zzzzzzzz")


@pytest.mark.parametrize("device", ["cuda:99", "nonsense", "xpu"])
def test_a_device_that_is_not_there(device: str) -> None:
    with pytest.raises(UsageError) as caught:
        decide_recipe(Recipe(device=device), PHOTOS, 100)
    assert caught.value.code == "L105"


@pytest.mark.parametrize("n", [2, 100, 1797, 70_000, 10**7])
def test_batches_are_powers_of_two_within_reason(n: int) -> None:
    batch = decided(DIGITS, n).batch
    assert batch in (16, 32, 64, 128)


def test_default_epochs_shrink_with_more_images() -> None:
    for recipe in (decided(DIGITS), decided(PHOTOS)):
        epochs = [default_epochs(recipe, n, True) for n in (1, 50, 500, 5000, 50_000, 10**6)]
        assert epochs == sorted(epochs, reverse=True) and epochs[-1] >= 1 and epochs[0] <= 60
    assert default_epochs(decided(DIGITS), 48_000, True) == 1, "MNIST needs one pass"


def test_preprocessing_matches_the_network() -> None:
    photos = preprocessing_of(decided(PHOTOS), PHOTOS)
    assert (photos.channels, photos.mean, photos.std, photos.filter) == (
        3,
        (127.0,),
        (128.0,),
        "bicubic",
    ) and photos.size % 32 == 0
    digits = preprocessing_of(decided(DIGITS), DIGITS)
    assert (digits.size, digits.channels) == (28, 1)
    assert preprocessing_of(decided(PHOTOS), PHOTOS, 224).size == 224
    assert preprocessing_of(decided(PHOTOS, fit="crop"), PHOTOS).fit == "crop"
    for p in (photos, digits):
        assert p.jpeg_side >= p.size, "a JPEG is never decoded smaller than the square"


def test_a_reason_is_given_for_what_was_decided_and_not_for_what_was_asked() -> None:
    told = str(decide_recipe(Recipe(model="mlp", device="cpu", batch=7, lr=0.5, precision="fp32"), DIGITS, 500)[1][-1])
    assert told == "batch size 7 (as asked), highest learning rate 0.5 (as asked), fp32 on cpu (as asked)"
    told = str(decide_recipe(Recipe(model="mlp", device="cpu"), DIGITS, 500)[1][-1])
    assert told.startswith(
        "batch size 16 (a 24th of the images, as a power of two from 16 to 128), highest learning rate 0.002 (the "
    )
    sizes = [
        str(decide_recipe(Recipe(model=model, device="cpu"), PHOTOS, 500)[1][0])
        for model in ("cnn", "efficientnet_lite0", "resnet18")
    ]
    assert sizes[0] == "squares of 64 px, smaller than the images (480 px), to learn faster"
    assert sizes[1].startswith("squares of 128 px for fine-tuning") and sizes[2].startswith(
        "squares of 224 px, smaller than"
    )
    assert (
        str(decide_recipe(Recipe(model="cnn", device="cpu"), DIGITS, 500)[1][0])
        == "squares of 28 px, as large as the images"
    )
    assert str(decide_recipe(Recipe(model="linear", device="cpu"), ImageSample(6, True), 500)[1][0]).startswith(
        "squares of 8 px, larger than the images (6 px)"
    )
    assert "about 3.1 times less work than at 224 px" in sizes[1]
