"""The page Compare: points in a frame, the same data, the choices of the model that is kept."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from limpide.core.run import Run
from limpide.core.run_info import Final
from limpide.report.html.page import html_of
from tests.studio.pages.drive import go


def test_a_cost_has_two_ticks_at_least(page: Any) -> None:
    ranges = [(0.19, 0.26), (0.1, 900), (56, 65), (0.5, 0.5)]
    found = page.evaluate(
        (
            "ranges => import('/static/pages/compare/chart.js').then(({ decades }) => ranges.map(([a, b]) => "
            "decades(Math.log10(a), Math.log10(b))))"
        ),
        ranges,
    )
    assert [len(ticks) > 1 for ticks in found] == [True, True, True, False], found
    assert (
        all(
            low * 0.999 <= tick <= high * 1.001
            for ticks, (low, high) in zip(found, ranges, strict=True)
            for tick in ticks
        )
        and len(found[1]) <= 5
    )


def test_runs_are_points_and_a_frame_keeps_some(page: Any) -> None:
    go(page, "page=compare")
    page.wait_for_selector("text=1 of 1 runs")
    page.get_by_role("checkbox", name="photos-001").check()
    page.wait_for_selector(".u-over")
    box = page.locator("svg").bounding_box()
    page.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + 0.1 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.95 * box["width"], box["y"] + 0.2 * box["height"], steps=4)
    page.mouse.up()
    page.wait_for_selector("text=0 of 1 runs")
    least = page.get_by_label("Accuracy, minimum, %")
    assert (
        re.search(r"frame=[\d.e-]+%2C[\d.e-]+%2C[\d.]+%2C[\d.]+", page.url) and 80 < float(least.input_value()) < 100
    ), "what was drawn stands in the inputs"
    page.get_by_role("button", name="Clear").click()
    page.wait_for_selector("text=1 of 1 runs")
    assert "frame=" not in page.url and least.input_value() == "" and page.locator("svg rect").count() == 0
    least.focus()
    page.keyboard.type("0")
    page.keyboard.press("Tab")  # by the keyboard alone
    page.wait_for_selector("svg rect")
    assert (
        page.evaluate("document.activeElement.getAttribute('aria-label')") == "Accuracy, maximum, %"
        and "frame=%2C%2C0%2C" in page.url
    )
    page.keyboard.type("0.5")
    page.keyboard.press("Tab")
    page.wait_for_selector("text=0 of 1 runs")
    page.reload()
    page.wait_for_selector("text=0 of 1 runs")
    page.get_by_label("Accuracy, maximum, %").fill("100")
    page.keyboard.press("Tab")
    page.wait_for_selector("text=1 of 1 runs")
    page.get_by_role("button", name="Size of the model").click()
    page.wait_for_selector("text=1 of 1 runs")
    assert re.fullmatch(r"[\d.]+ kB", page.locator("td.n").nth(1).inner_text())


def test_runs_stand_beside_each_other_only_on_the_same_data(copied: Path, page: Any) -> None:
    run = Run(copied)
    run.update(fingerprint="f" * 64)  # a folder of the same name and size
    page.evaluate("() => { location.hash = 'page=learn' }")
    go(page, "page=runs", "text=copied-001")
    row = page.locator("tr", has=page.get_by_role("link", name="copied-001"))
    assert "photos, 80 images, ffffff" in row.inner_text() and str(date.today().year) in row.inner_text()
    for name in ("copied-001", "photos-001"):
        page.get_by_role("checkbox", name=name).check()
    page.get_by_role("link", name="copied-001").click()
    page.wait_for_selector(".figures")
    page.go_back()
    page.get_by_role("button", name="Compare selected").click()  # both are ticked still
    page.wait_for_selector("text=1 of 1 runs")
    choice = page.get_by_label("Data set")
    assert choice.locator("option").count() == 2
    choice.select_option("f" * 12)
    page.wait_for_selector("tbody >> role=link[name='copied-001']")
    assert page.get_by_text("1 of 1 runs").count() == 1 and page.locator("svg circle").count() == 1
    page.wait_for_function("() => document.querySelectorAll('.plot').length === 4")
    assert {text.split(", ")[-1] for text in page.locator("h3").all_inner_texts()} == {
        "ffffff",
        str(Run(copied.parent / "photos-001").info().fingerprint[:6]),
    }


def test_choices_are_those_of_the_model_that_is_kept(copied: Path, page: Any) -> None:
    run = Run(copied)
    info = run.info()
    run.update(final=replace(info.final or Final(), kind="frozen"), recipe={**info.recipe, "image_size": 128})
    go(page, "page=compare&runs=photos-001,copied-001", "th:has-text('image_size')")
    cells = {
        name: page.locator("tr", has=page.locator("th", has_text=re.compile(f"^\\s*{name}")))
        .locator("td")
        .all_inner_texts()
        for name in ("image_size", "epochs", "freeze")
    }
    assert cells["image_size"] == ["32 px", "32 px\nused for fine-tuning, not for this model: 128 px"]
    assert cells["epochs"][1] == "–\nused for fine-tuning, not for this model: 3" and cells["freeze"][1].startswith(
        "all but the last layer\n"
    )
    assert page.locator(".plot").count() == 2, "one data set, one picture"
    assert "The model that is kept is the first one. It sees squares of 32 px" in html_of(run)
