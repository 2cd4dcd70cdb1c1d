"""What was done to the images, by which rule the weights changed and how it went: said, kept, and the same in every
place that tells it.
"""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from limpide.core.recipe import Recipe
from limpide.core.run import Run
from limpide.inspector import data
from limpide.inspector.image_reference import ImageReference
from limpide.inspector.session import Session
from limpide.report.html.page import html_of
from limpide.report.terminal import summary
from limpide.text.language import use_language
from limpide.training.augment import decide_augmentation, describe_augmentation
from limpide.training.augment.light import LightAugment
from tests.workflows.train.test_parts import noise, trained

HARDER = "changed on purpose to make them harder"
AS_THEY_ARE = "Training images were shown as they are"


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, list[str]]:
    """Three passes, at a rate that is far too high."""
    root = tmp_path_factory.mktemp("short")
    return trained(
        noise(root / "data", a=24, b=24), recipe=Recipe.of(model="cnn", epochs=3, batch=4, image_size=16, lr=10.0)
    )


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, list[str]]:
    root = tmp_path_factory.mktemp("long")
    return trained(
        noise(root / "data", a=12, b=12),
        recipe=Recipe.of(model="cnn", epochs=4, image_size=16, flip="yes", label_smoothing=0),
    )


def printed(run: Run) -> str:
    console = Console(width=200, record=True, file=io.StringIO())
    summary.print_report(run, console)
    return console.export_text()


def test_few_passes_alter_no_image_and_say_so(short: tuple[Run, list[str]]) -> None:
    run, notes = short
    assert run.info().augmentation == {}
    assert any("(no augmentation): too few epochs for it to help (3; --augment light" in note for note in notes)
    page = run.report_file.read_text()
    assert HARDER not in page and AS_THEY_ARE in page and "label smoothing" in page


def test_more_passes_do_and_say_how(long: tuple[Run, list[str]]) -> None:
    run, notes = long
    kept = run.info().augmentation
    assert kept and LightAugment(**kept) == decide_augmentation(Recipe.from_json(run.info().recipe), 4, True, 2)
    said = [note for note in notes if note.startswith("while training")]
    assert len(said) == 1 and "zoomed by up to 10.0\N{NO-BREAK SPACE}%" in said[0] and "mirrored at random" in said[0]
    page = run.report_file.read_text()
    assert HARDER in page and AS_THEY_ARE not in page and "(label smoothing)" not in page


def test_the_studio_shows_what_was_done(short: tuple[Run, list[str]], long: tuple[Run, list[str]]) -> None:
    for (run, _), images in ((short, 0), (long, data.CHANGED)):
        assert data.augmented(Session(), str(run.path), "best", ImageReference(probe=0))[0]["images"] == images


def test_a_run_that_did_not_write_it_down_is_told_nothing_of(long: tuple[Run, list[str]]) -> None:
    run, _ = long
    run.update(augmentation=None)
    page = html_of(run)
    run.update(augmentation={"zoom": 0.1, "shift": 0.07, "turn": 0.0, "light": 0.0, "flip": True})
    assert HARDER not in page and AS_THEY_ARE not in page


@pytest.mark.parametrize(("flip", "grey"), [(True, True), (False, False)])
def test_each_change_is_named(flip: bool, grey: bool) -> None:
    recipe = Recipe.of(model="cnn", flip="yes" if flip else "no")
    said = str(describe_augmentation(decide_augmentation(recipe, 10, grey, 2), 10))
    assert (
        ("mirrored" in said) == flip
        and ("turned by up to 5°" in said) == (not grey)
        and ("contrast" in said) == (not grey)
    )
    use_language("fr")
    assert str(describe_augmentation(decide_augmentation(recipe, 10, grey, 2), 10)) != said


def test_a_rate_far_too_high_is_named_everywhere(short: tuple[Run, list[str]]) -> None:
    run, notes = short
    finding = run.finding("diagnosis")
    assert finding is not None and finding.verdict == "bad" and "the learning rate is too high" in str(finding)
    assert str(finding) in notes and str(finding) in printed(run) and str(finding) in run.report_file.read_text()


def test_the_optimizer_is_named(short: tuple[Run, list[str]]) -> None:
    run, notes = short
    rule = (
        "optimizer: AdamW, with a learning rate of at most 10 and the schedule one-cycle, weight decay 0.02 (decoupled"
    )
    assert any(note.startswith(rule) for note in notes)
    assert "AdamW" in run.report_file.read_text()


def test_few_images_are_why_there_is_no_temperature(short: tuple[Run, list[str]]) -> None:
    run, notes = short
    held = sum(",validation," in line for line in run.split_file.read_text().splitlines())
    assert (
        f"probabilities are left as they are: a temperature needs 50 images outside training, and there are {held}"
    ) in notes
    finding = run.finding("calibration")
    assert finding is not None and "Temperature: 1, the logits are used as the network outputs them." in map(
        str, finding.details
    )
