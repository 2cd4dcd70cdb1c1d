"""The pages Map and Data: points and their images, and copies by their threshold."""

from __future__ import annotations

import re
from typing import Any

from tests.studio.pages.drive import RUN, go


def test_a_line_around_points_shows_their_images(page: Any) -> None:
    go(page, f"page=map&{RUN}", "canvas")
    page.wait_for_selector("text=80 of 80 images")
    box = page.locator("canvas").bounding_box()
    page.mouse.move(box["x"] + 2, box["y"] + 2)
    page.mouse.down()
    for x, y in ((box["width"] - 2, 2), (box["width"] - 2, box["height"] - 2), (2, box["height"] - 2)):
        page.mouse.move(box["x"] + x, box["y"] + y, steps=3)
    page.mouse.up()
    page.wait_for_selector("text=/^80 images, /")
    assert page.locator(".probe img").count() == 60
    page.locator("main select").last.select_option("class-disc")
    page.wait_for_selector("text=/^40 images, /")
    page.get_by_role("button", name="t-SNE: neighbours together").click()
    page.wait_for_selector("text=/large distances .* mean nothing/")


def test_a_long_question_says_how_far_it_is(page: Any) -> None:
    held: list[Any] = []
    done = iter((30, 60, *[90] * 1000))

    def at_work(route: Any) -> None:
        of = re.sub(r"^https?://[^/]+", "", held[0].request.url) if held else ""
        route.fulfill(json=[{"of": of, "done": next(done), "total": 120, "unit": "images", "waits": False}])

    page.route("**/look/embedding**", lambda route: held.append(route))
    page.route("**/api/at-work", at_work)
    page.evaluate("hash => { location.hash = hash }", f"page=map&{RUN}")
    page.wait_for_selector("progress[value='30'][max='120']")
    assert "30 of 120 images" in page.inner_text("main")
    page.wait_for_selector("progress[value='60']")
    assert re.search(r"60 of 120 images · about \d s left", page.inner_text("main"))
    held[0].continue_()
    page.wait_for_selector("canvas")
    assert page.locator("progress").count() == 0


def test_the_threshold_of_copies_moves_what_is_shown(page: Any) -> None:
    go(page, f"page=data&{RUN}")
    page.get_by_role("button", name="Find near-duplicates").click()
    page.wait_for_selector("text=/pairs among 80 of 80 images/")
    slider = page.locator("input[type=range]")
    slider.fill("0")
    page.wait_for_selector("text=/^0 pairs among/")
    slider.fill("64")
    page.wait_for_function("() => !/(^|\\n)0 pairs among/.test(document.querySelector('main').innerText)")
    assert page.locator(".pair").count() > 0
    page.locator("main select").last.select_option("disc")
    page.wait_for_selector("text=1 to 40 of 40")
