"""The look inside, alive: its sums are those of torch and of the stored arrays, by mouse and by keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from limpide import browser as modules
from tests.report.html.inside_page import claim, click, lines, number, open_pages, status, sums, unit_of
from tests.report.html.inside_run import FIRST, alive, stored, written

pytestmark = pytest.mark.skipif(modules.missing(), reason="the modules from npm are not here: npm ci")


@pytest.fixture
def opened(browser: Any) -> Iterator[Any]:
    yield from open_pages(browser)


@pytest.mark.parametrize("kind", [kind for kind in FIRST if kind != "linear"])
def test_a_click_on_any_map_shows_its_sum(opened: Any, tmp_path: Path, kind: str) -> None:
    run = alive(tmp_path, kind)
    ends, page = stored(run), opened(run)
    channels, height, width = ends["first.output"].shape
    assert not page.locator("#inside-still").is_visible()
    start = run.findings()["inside"].data
    assert status(page).startswith(f"channel {start['channel']}, row {start['y']}, column {start['x']} = ")
    assert claim(page) == str(run.findings()["inside"].message).replace("-", "−"), "the same sentence as Python's"
    for k, y, x in ((0, 0, 0), (channels - 1, height - 1, width - 1), (1, height // 2, 1)):
        click(page.locator("#inside-live .map").nth(k).locator("canvas.place"), y, x, height, width)
        assert status(page).startswith(f"channel {ends['first.channels'][k]}, row {y}, column {x} = ")
        here, torchs = sums(page, 0)
        assert here == pytest.approx(unit_of(ends, int(ends["first.channels"][k]), y, x), abs=1e-6)
        told = claim(page)
        assert told.endswith(
            f"is the sum of {ends['first.weight'][0].size} products (unit {ends['first.channels'][k]} of layer "
            f"{ends['first.name']}, row {y}, column {x})."
        )
        assert number(told.split(", ")[1]) == pytest.approx(here, rel=6e-3)
        assert torchs == pytest.approx(float(ends["first.output"][k, y, x]), abs=1e-6)
        assert sum(lines(page, 0)) == pytest.approx(here, abs=2e-6)
        assert page.locator("#inside-live .agrees").count() == 2
        inside = page.inner_text("#inside-live")
        said = ["bias, the constant of the unit" in inside, "adds a constant" in inside]
        assert said == [bool(ends["first.bias"].any())] * 2
        steps = [number(step.replace("→", "")) for step in page.locator("#inside-live .step td.n").all_inner_texts()]
        output = torch.from_numpy(ends["first.output"])[None]
        expected = []
        for module in [*FIRST[kind][0][1:], nn.ReLU()] if kind == "normalized" else [nn.ReLU()]:  # type: ignore[index]
            output = module.eval()(output)
            expected.append(float(output.detach()[0, k, y, x]))
        assert steps == pytest.approx(expected, abs=2e-6), "every step that follows"
    if kind == "normalized":
        assert (
            "after batch normalization (first.1)" in inside and "after ReLU (:relu): what the next layer sees" in inside
        )
    click(page.locator("#inside-map canvas"), 1, 2, height, width)
    assert "row 1, column 2" in status(page)


def test_the_products_are_those_of_the_patch_and_the_weights(opened: Any, tmp_path: Path) -> None:
    run = alive(tmp_path, "many")
    ends, page = stored(run), opened(run)
    page.locator("#inside-live .map button").nth(2).click()
    click(page.locator("#inside-map canvas"), 0, 5, 12, 16)  # at the border: a row of the patch lies outside
    patch = np.pad(ends["first.input"], ((0, 0), (1, 1), (1, 1)))[:, 0:3, 5:8].astype(float)
    products = patch * ends["first.weight"][2]
    shown = sorted(np.argsort(-np.abs(products.sum((1, 2))))[:3].tolist())
    blocks = page.locator("#inside-live .scroll:has(.sum)")
    assert blocks.count() == 3
    for block, i in zip(blocks.all(), shown, strict=True):
        assert block.get_attribute("aria-label") == f"input channel {i}"
        grids = [[cell.inner_text() for cell in grid.locator("td").all()] for grid in block.locator("table.grid").all()]
        assert grids[0][:3] == ["·"] * 3 and grids[2][:3] == ["·"] * 3 and "·" not in grids[1]
        for texts, values in zip(grids, (patch[i], ends["first.weight"][2][i], products[i]), strict=True):
            for text, value in zip(texts, values.ravel(), strict=True):
                assert text == "·" or number(text) == pytest.approx(value, abs=6e-3)
        assert number(block.locator(".total b").inner_text()) == pytest.approx(products[i].sum(), abs=6e-5)
    assert (
        f": {products.sum() - products[shown].sum():.4f}".replace("-", "−") in page.locator("#inside-live").inner_text()
    )


def test_the_frame_surrounds_what_the_unit_sees(opened: Any, tmp_path: Path) -> None:
    page = opened(alive(tmp_path, "strides"))  # kernel 3 × 2, stride 2 and 1, padding 1 and 3, dilation 1 and 2
    page.locator("#inside-live .map button").nth(1).focus()
    click(page.locator("#inside-map canvas"), 2, 5, 6, 20)
    whole, frame = (
        page.locator(f"#inside-live .looks figure:first-child .over{part}").bounding_box() for part in ("", " .frame")
    )
    found = [(frame[a] - whole[a]) / whole[s] * n for a, s, n in (("y", "height", 12), ("x", "width", 16))]
    assert found == pytest.approx([3, 2], abs=0.05)  # rows 3 to 5, columns 2 to 4
    assert [frame["height"] / whole["height"] * 12, frame["width"] / whole["width"] * 16] == pytest.approx(
        [3, 3], abs=0.05
    )


def test_units_of_a_linear_layer_are_opened_one_by_one(opened: Any, tmp_path: Path) -> None:
    run = alive(tmp_path, "linear")
    ends, page = stored(run), opened(run)
    for k in (0, 5):
        page.locator("#inside-live .map canvas").nth(3 * k).click()
        assert status(page).startswith(f"unit {k} = ") and f"(unit {k} of layer " in claim(page)
        assert sums(page, 0) == pytest.approx((unit_of(ends, k, 0, 0), float(ends["first.output"][k, 0, 0])), abs=1e-6)
    page.locator("#inside-live summary").click()
    first = page.locator("#inside-live details tbody tr").first.locator("td").all_inner_texts()
    products = ends["first.input"].astype(float) * ends["first.weight"][5]
    c, y, x = (int(n) for n in first[0].split(", "))
    assert abs(products[c, y, x]) == np.abs(products).max() and number(first[3]) == pytest.approx(
        products[c, y, x], abs=6e-5
    )


def test_a_value_of_torch_that_is_not_the_sum_is_called_out(opened: Any, tmp_path: Path) -> None:
    run = alive(tmp_path)
    ends = stored(run)
    ends["first.output"][2] += 1e-3
    ends["last.logits"][7] += 1e-3
    written(run, ends)
    page = opened(run)
    page.locator("#inside-live .map button").nth(2).click()
    page.locator("#inside-live .scores button", has_text="7").click()
    assert page.locator("#inside-live .differs").count() == 2 and page.locator("#inside-live .agrees").count() == 0
    assert "difference 1.0\N{NO-BREAK SPACE}·\N{NO-BREAK SPACE}10⁻³" in page.locator("#inside-live").inner_text()


def test_the_arrow_keys_move_the_unit(opened: Any, tmp_path: Path) -> None:
    run = alive(tmp_path)
    ends, page = stored(run), opened(run)
    click(page.locator("#inside-live .map canvas.place").first, 0, 0, 10, 14)
    page.locator("#inside-map").focus()
    for key, place in (
        ("ArrowDown", (0, 1, 0)),
        ("ArrowRight", (0, 1, 1)),
        ("ArrowUp", (0, 0, 1)),
        ("ArrowLeft", (0, 0, 0)),
        ("ArrowLeft", (0, 0, 13)),
        ("PageDown", (1, 0, 13)),
        ("PageUp", (0, 0, 13)),
    ):
        page.keyboard.press(key)
        assert status(page).startswith("channel {}, row {}, column {} = ".format(*place))
        assert sums(page, 0)[0] == pytest.approx(unit_of(ends, *place), abs=1e-6)
    page.get_by_role("button", name="one row down").click()
    assert "row 1, column 13" in status(page)


def test_each_score_is_its_features_times_its_weights(opened: Any, tmp_path: Path) -> None:
    run = alive(tmp_path)
    ends, page = stored(run), opened(run)
    assert status(page, 1).startswith(f"score of “{int(ends['last.logits'].argmax())}” = ")
    for k in (3, 8):
        page.locator("#inside-live .scores button", has_text=str(k)).click()
        products = ends["last.features"].astype(float) * ends["last.weight"][k]
        here, torchs = sums(page, 1)
        assert here == pytest.approx(products.sum() + ends["last.bias"][k], abs=1e-6)
        assert torchs == pytest.approx(float(ends["last.logits"][k]), abs=1e-6)
        assert sum(lines(page, 1)) == pytest.approx(here, abs=3e-6)
        for table, order in ((0, np.argsort(-products)), (1, np.argsort(products))):
            rows = page.locator("#inside-live .sides > div").nth(table).locator("tbody tr")
            assert [row.locator("th").inner_text() for row in rows.all()] == [str(n) for n in order[:12]]
            assert number(rows.first.locator("td.n").last.inner_text()) == pytest.approx(products[order[0]], abs=6e-5)


def test_of_many_classes_any_can_be_chosen(opened: Any, tmp_path: Path) -> None:
    names = tuple(f"species {k}" for k in range(40))
    run = alive(tmp_path, classes=names)
    ends, page = stored(run), opened(run)
    assert page.locator("#inside-live .scores button").count() == 12
    last = int(ends["last.logits"].argmin())
    page.get_by_label("choose a class").select_option(label=f"species {last}")
    assert status(page, 1).startswith(f"score of “species {last}” = ")
    assert sums(page, 1)[1] == pytest.approx(float(ends["last.logits"][last]), abs=1e-6)
