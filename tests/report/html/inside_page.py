"""The look inside on an open page: what its sums and sentences say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from limpide.core.run import Run
from limpide.report.html.page import write_page


def unit_of(ends: dict[str, np.ndarray], channel: int, y: int, x: int) -> float:
    """The sum by another way: over the image with zeros laid around it."""
    image, weight = (ends[f"first.{name}"].astype(np.float64) for name in ("input", "weight"))
    top, left = ends["first.padding"].tolist()
    image = np.pad(image, ((0, 0), (top, top + 20), (left, left + 20)))
    k = ends["first.channels"].tolist().index(channel)
    per_group = int(ends["first.outputs"]) // int(ends["first.groups"])
    start = channel // per_group * weight.shape[1]
    rows = y * ends["first.stride"][0] + np.arange(weight.shape[2]) * ends["first.dilation"][0]
    columns = x * ends["first.stride"][1] + np.arange(weight.shape[3]) * ends["first.dilation"][1]
    patch = image[start : start + weight.shape[1]][:, rows][:, :, columns]
    return float((patch * weight[k]).sum() + ends["first.bias"][k])


def open_pages(browser: Any) -> Iterator[Any]:
    """A function that opens the page of a run; afterwards: nothing was said on the console, and nothing asked for but
    the file itself.
    """
    said: list[str] = []
    asked: list[str] = []
    contexts = []

    def page_of(run: Run, **context: Any) -> Any:
        contexts.append(
            browser.new_context(**{"viewport": {"width": 1200, "height": 900}, "color_scheme": "light"} | context)
        )
        page = contexts[-1].new_page()
        page.on("console", lambda line: said.append(line.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(write_page(run).as_uri())
        if context.get("java_script_enabled", True):
            page.wait_for_selector("#inside-live:not([hidden])")
        return page

    yield page_of
    for context in contexts:
        context.close()
    assert said == []
    assert len([url for url in asked if not url.startswith("data:")]) == len(contexts)
    assert all(url.startswith(("file:", "data:")) for url in asked)


def number(text: str) -> float:
    return float(re.sub(r"[=+ ]", "", text).replace("−", "-").replace(",", ""))


def sums(page: Any, table: int) -> tuple[float, float]:
    """(the sum worked out on the page, torch's value) of the first or the last layer."""
    rows = page.locator("#inside-live .column-sum").nth(table)
    return number(rows.locator(".rule td.n").inner_text()), number(rows.locator(".rule + tr td.n").inner_text())


def lines(page: Any, table: int) -> list[float]:
    cells = (
        page.locator("#inside-live .column-sum")
        .nth(table)
        .locator("tr:not(.rule):not(.rule + tr):not(.step) td.n")
        .all_inner_texts()
    )
    return [number(cell) for cell in cells]


def status(page: Any, which: int = 0) -> str:
    return str(page.locator("#inside-live [role=status]").nth(which).inner_text())


def claim(page: Any) -> str:
    """The sentence under the heading of the section."""
    return str(page.locator("#inside > .claim").inner_text())


def click(canvas: Any, y: int, x: int, height: int, width: int) -> None:
    box = canvas.bounding_box()
    canvas.click(position={"x": (x + 0.5) * box["width"] / width, "y": (y + 0.5) * box["height"] / height})
