"""The page Audit: what is fine is folded, and a place that decides is looked for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from limpide.core.run import Run
from tests.studio.pages.drive import RUN, go
from tests.studio.pages.plant import plant


def test_fine_claims_are_folded(page: Any, copied: Path) -> None:
    plant(Run(copied), "calibration", "bad")
    go(page, "page=audit&run=copied-001", ".finding")
    shown = page.locator(".finding:visible .badge").all_inner_texts()
    assert shown and "fine" not in shown and page.locator(".finding").count() > len(shown)
    page.locator("main details:has(.finding) > summary").first.click()
    assert "fine" in page.locator(".finding:visible .badge").all_inner_texts()
    assert "is the sum of" not in page.inner_text("main"), "one unit is no claim about the model"


def test_a_place_that_decides_is_looked_for(page: Any) -> None:
    go(page, f"page=audit&{RUN}")
    page.get_by_role("button", name="Look for such a place").click()
    page.wait_for_selector("canvas.shares")
    assert re.search(r"(One|No) small area decides|whether one small area decides", page.inner_text("main"))
    page.wait_for_selector(".over .box")  # once its picture has come
