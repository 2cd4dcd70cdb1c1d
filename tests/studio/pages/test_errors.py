"""The page Errors: cells of the matrix, marks, and wrong answers apart from right ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from limpide.core.run import Run
from limpide.data.split_file import read_split
from tests.studio.pages.drive import RUN, go


def test_a_cell_shows_its_images_and_a_mark_is_kept(page: Any, trained: Path) -> None:
    run = Run(trained / "photos-001")
    go(page, f"page=errors&{RUN}")
    button = page.locator(".matrix button").first
    n = int(button.inner_text())
    button.click()
    page.wait_for_selector("h3 + div .probe img")
    assert page.locator("h3 + div .probe img").count() == n
    choice = page.locator("h3 + div .probe select").first
    choice.select_option("?")
    page.wait_for_selector("text=1 marked, kept in")
    (one,) = read_split(run.marks_file)
    assert one["suggested"] == "?" and one["file"] in page.locator("h3 + div .probe select").first.get_attribute(
        "aria-label"
    )
    choice.select_option("")
    page.wait_for_selector("text=What you mark is kept in")
    assert list(read_split(run.marks_file)) == []
    page.locator("h3 + div .probe a").first.click()
    page.wait_for_function("() => location.hash.includes('page=image') && /image=row-\\d+/.test(location.hash)")
    page.wait_for_selector(".crumbs")
    assert page.inner_text(".crumbs") == one["file"]


def test_wrong_answers_stand_first_and_apart(page: Any, trained: Path) -> None:
    for wrong in (False, True):
        if wrong:
            page.route("**/look/worst*", lambda route: route.fulfill(json=_worse(route.fetch().json())))
        page.evaluate("() => { location.hash = 'page=runs' }")
        go(page, f"page=errors&{RUN}", "h2 >> text=Correct answers with the largest loss")
        headings = page.locator("main h2").all_inner_texts()
        assert headings.index("Wrong answers, the largest loss first") < headings.index(
            "Correct answers with the largest loss"
        )
        assert ("test images are classified correctly" in page.inner_text("main")) == page.inner_text("h1").startswith(
            "Wrong on 0 of"
        )
    page.unroute("**/look/worst*")


def _worse(told: dict[str, Any]) -> dict[str, Any]:
    return told | {"wrong": 1, "mistakes": [told["doubtful"][0] | {"predicted": "disc", "loss": 3.0}]}


def test_the_errors_come_by_themselves_when_the_run_is_judged(copied: Path, page: Any) -> None:
    run = Run(copied)
    accuracy, answers = run.path / "findings" / "accuracy.json", run.path / "predictions" / "test.npz"
    kept = accuracy.read_bytes(), answers.read_bytes()
    accuracy.unlink()
    answers.unlink()
    run.update(status="stopped")
    go(page, "page=errors&run=copied-001")
    page.wait_for_selector("text=The errors appear here when the run has been judged")
    go(page, "page=audit&run=copied-001&by=class", "text=The model is judged when the training is finished")
    page.evaluate(
        "() => { window.asked = 0; window.kept = window.fetch; window.fetch = () => (window.asked++, "
        "Promise.reject(new TypeError('Failed to fetch'))) }"
    )
    page.wait_for_function("() => window.asked > 0")  # a look at the run that fails takes nothing away
    page.evaluate("() => { window.fetch = window.kept }")
    assert page.locator("[role=alert]").count() == 0
    accuracy.write_bytes(kept[0])
    answers.write_bytes(kept[1])
    run.update(status="finished")
    page.wait_for_selector(".finding details[open]")
    assert "is judged when the training is finished" not in page.inner_text("main")
    run.update(status="stopped")
    accuracy.unlink()
    page.reload()
    go(page, "page=errors&run=copied-001", "text=The errors appear here when the run has been judged")
    accuracy.write_bytes(kept[0])
    run.update(status="finished")
    page.wait_for_selector(".matrix")
