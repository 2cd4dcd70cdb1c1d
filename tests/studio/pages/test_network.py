"""The pages Anatomy, Layer and Unit: the network, one layer, one unit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from limpide.core.run import Run
from tests.studio.pages.drive import RUN, go


def test_anatomy_says_why_a_column_is_not_there_and_names_what_is_folded(page: Any) -> None:
    go(page, f"page=anatomy&{RUN}&at=0", "table")
    columns, below = page.locator("thead th").all_inner_texts(), page.locator("main p.small").last.inner_text()
    assert "Output shape" in columns and "Output memory" in columns and "Update / weights" not in columns
    assert "No column for updates: no step has changed these weights." in below and "Dead channels" in columns
    ops = [
        {
            "key": f"a.{k}",
            "name": "silu",
            "layer": f"a.{k % 2}",
            "kind": ("Conv2d", "SiLU")[k % 2],
            "shape": [1],
            "inputs": [k - 1],
            "weights": [],
            "bytes": 4,
        }
        for k in range(60)
    ]
    page.route(
        "**/look/anatomy*", lambda route: route.fulfill(json={"ops": ops, "network": "N", "input": [1], "watched": 1})
    )
    go(page, f"page=anatomy&{RUN}&image=probe-1", "button[aria-expanded]")
    assert page.locator("tbody tr").first.locator("td").nth(1).inner_text() == "Conv2d"
    assert "Dead channels" not in page.locator("thead th").all_inner_texts()
    assert "this network has none" in page.inner_text("main")
    page.unroute("**/look/anatomy*")


def test_a_layer_is_named_and_its_faint_maps_say_so(page: Any) -> None:
    go(page, f"page=layer&{RUN}&key=blocks.0.0", ".map canvas")
    page.wait_for_selector("h1 >> text=blocks.0.0, convolution 1 of 3")
    assert "slides each of its filters over its input" in page.inner_text("main")
    maps = page.evaluate(
        "() => import('/static/api.js').then(({ array }) => array('photos-001', 'maps', { snapshot: 'best', "
        "image: 'probe-0', key: 'blocks.0.3' })).then((f) => [f.shape, [...f.values]])"
    )
    planes = np.reshape(maps[1], maps[0])
    faint = abs(planes).max((1, 2)) < 0.02 * abs(planes).max()
    go(page, f"page=layer&{RUN}&key=blocks.0.3", ".map canvas")
    page.wait_for_selector("h1 >> text=blocks.0.3")
    assert page.locator(".map .faint").count() == faint.sum()
    assert page.locator(".plot .u-legend th").all_inner_texts().count("count") == 0, "the axis says it"
    assert page.evaluate("() => import('/static/i18n.js').then(({ number }) => / /.test(number(1.9e-7)))") is False, (
        "no number breaks"
    )


def test_weights_and_gradients_are_drawn_beside_each_other_for_any_step(page: Any, trained: Path) -> None:
    run = Run.all_in(trained)[0]
    stats = {line["step"]: line["parameters"]["blocks.1.0.weight"] for line in run.lines(run.stats_file)}
    last = max(stats)
    go(page, f"page=layer&{RUN}&key=blocks.1.0&at={last}", ".two .plot")
    pair = page.locator(".two.even").first.locator(".plot")
    assert pair.count() == 2
    assert [pair.nth(k).get_attribute("aria-label") for k in (0, 1)] == ["count · weight", "count · gradient"]
    assert "the layer hardly learns" in page.inner_text("main")
    zeros = stats[last]["gradients"]["zeros"]
    assert ("gradients are exactly 0" in page.inner_text("main")) == bool(zeros)
    go(page, f"page=layer&{RUN}&key=blocks.1.0&at=0", ".two .plot")
    assert page.locator(".two.even").first.locator(".plot").count() == 1
    assert "no step has been done yet" in page.inner_text("main")


def test_a_weight_is_shown_as_it_is_and_what_cannot_be_is_said(page: Any) -> None:
    go(page, f"page=unit&{RUN}", ".written")
    unit = page.evaluate(
        "() => import('/static/api.js').then(({ ask }) => ask('photos-001', 'unit', { snapshot: 'best', image: "
        "'probe-0', key: 'blocks.0.0' }))"
    )
    assert (
        page.inner_text("h1").endswith("and a bias.")
        == ("the constant of the unit" in page.inner_text("main"))
        == (unit["bias"] != 0)
    )
    place, weight, try_ = page.locator("#place"), page.locator("#weight"), page.get_by_role("button", name="Try")
    for k in (0, 5):
        place.fill(str(k))
        assert float(weight.input_value()) == pytest.approx(unit["weights"][k], abs=1e-6)
        assert page.locator("main .error").count() == 0
        with page.expect_response("**/look/effect?*") as asked:
            try_.click()  # as it is
        rows = asked.value.json()["rows"]
        assert rows and all(row["before"] == row["after"] for row in rows), "an untouched form changes nothing"
    place.fill("999")
    assert (
        page.inner_text("main .error") == "The weights of this channel are numbered from 0 to 26."
        and try_.is_disabled()
    )
    place.fill("3")
    weight.fill("")
    assert page.inner_text("main .error") == "Enter a number between −1,000,000 and 1,000,000." and try_.is_disabled()
    weight.fill("40")
    assert f"It is {unit['weights'][3]:.5f}"[:12].replace("-", "−") in page.inner_text("main")
    with page.expect_response("**/look/effect?*") as asked:
        try_.click()
    assert any(row["before"] != row["after"] for row in asked.value.json()["rows"])
    page.wait_for_selector("th:text-is('Changed')")
    page.set_viewport_size({"width": 420, "height": 900})
    sign, products = page.locator(".term").nth(1).locator("> span"), page.locator(".term").nth(1).locator("figure")
    a, b = sign.bounding_box(), products.bounding_box()
    assert b["y"] < a["y"] + a["height"] / 2 < b["y"] + b["height"], "the sign stands beside the products"
