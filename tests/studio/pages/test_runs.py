"""The page Runs: doubts beside a run, and a training that is started there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from limpide.core.run import Run
from limpide.models import MODELS, PRETRAINED
from limpide.studio.series import summary
from tests.studio.pages.drive import go
from tests.studio.pages.plant import plant


def test_a_place_that_may_decide_is_named_before_other_doubts(copied: Path, page: Any) -> None:
    """Its verdict and the others' are planted: what a network of three passes makes of 16 images depends on the
    processor.
    """
    run = Run(copied)
    for name in ("accuracy", "calibration"):
        plant(run, name, "warn")
    for verdict, named in (("ok", False), ("unknown", False), ("warn", True)):
        plant(run, "shortcut", verdict)
        assert summary(run)["shortcut"] == named
        page.evaluate("() => { location.hash = 'page=learn' }")
        go(page, "page=runs", "text=copied-001")
        row = page.locator("tr", has=page.get_by_role("link", name="copied-001"))
        assert row.get_by_role("link", name="may be cheating on a small mark").count() == named
    row.get_by_role("link", name="may be cheating on a small mark").click()
    page.wait_for_selector(".finding")
    doubts = [line for line in page.locator(".finding").all_inner_texts() if line.startswith("worth a look")]
    assert len(doubts) > 2 and "Is it cheating on a small mark?" in doubts[0]
    assert "copied-001" in page.evaluate("() => location.hash")
    (run.path / "findings" / "shortcut.json").write_text("{}")
    assert summary(run)["status"] == "finished", "a damaged claim takes only the claim away"


def test_the_command_of_a_training_is_shown_and_what_it_would_refuse_is_said(page: Any, trained: Path) -> None:
    go(page, "page=runs")
    folder, start = page.get_by_label("Train on"), page.get_by_role("button", name="Start training")
    assert start.is_disabled() and page.locator(".choices").is_hidden() and page.locator("#command").count() == 0
    folder.fill(str(trained.parent / "photos"))
    page.wait_for_selector("text=80 files in 2 classes.")
    assert start.is_enabled()
    page.get_by_text("More choices").click()
    page.wait_for_selector("option[value=resnet18]", state="attached")
    assert "11.7 million parameters" in page.locator("option[value=resnet18]").inner_text()
    published, scratch = (
        {option.get_attribute("value") for option in group.locator("option").all()}
        for group in page.locator("optgroup").all()
    )
    assert published == set(PRETRAINED) and scratch == set(MODELS) - published
    choices = page.locator(".choices select")
    for k, value in enumerate(("cnn", "epochs", "32", "none")):
        choices.nth(k).select_option(value)
    page.locator(".choices input").fill("2")
    page.wait_for_function("() => document.querySelector('#command')?.innerText.includes('--weights none')")
    words = (
        f"limpide train {trained.parent / 'photos'} --model cnn --epochs 2 --image-size 32 --weights none --runs "
        f"{trained} --new"
    )
    assert page.inner_text("#command") == words
    folder.fill(str(trained.parent / "phtos"))
    page.wait_for_selector("#found >> text=/^There is no such folder/")
    assert page.inner_text("#found") == (
        f"There is no such folder and no data set of this name ({trained.parent / 'phtos'}). Did you mean "
        f"{trained.parent / 'photos'}?"
    )
    assert start.is_disabled() and page.locator("datalist option").count() == 0
    folder.fill(str(trained.parent / "pho"))
    page.wait_for_selector("datalist option", state="attached")
    assert page.locator("datalist option").get_attribute("value") == str(trained.parent / "photos") + "/"


def test_a_list_leaves_what_it_keeps_in_the_address_behind(page: Any) -> None:
    kept = "&find=photos&key=a&by=time&runs=photos-001"
    for where in ("page=runs", "page=compare"):
        go(page, where + kept)
        address = page.get_by_role("link", name="photos-001", exact=True).first.get_attribute("href")
        assert sorted(address.lstrip("#").split("&")) == ["page=live", "run=photos-001"], where
