"""How a test opens a page of the studio and goes from one to another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.studio.serving import Server

AXE = Path(__file__).parents[3] / "node_modules" / "axe-core" / "axe.min.js"
PATIENCE = 60_000  # ms
RUN = "run=photos-001"
PAGES = (
    [
        "page=runs",
        "page=compare&runs=photos-001",
        f"page=live&{RUN}",
        f"page=anatomy&{RUN}",
        f"page=layer&{RUN}",
        f"page=unit&{RUN}",
        f"page=image&{RUN}",
        f"page=errors&{RUN}",
    ]
    + [
        f"page=map&{RUN}",
        f"page=audit&{RUN}&by=brightness",
        f"page=data&{RUN}",
    ]
    + [f"page=learn&part={part}" for part in ("neuron", "descent", "race", "playground", "bench", "digit")]
)


def open_page(browser: Any, server: Server) -> Iterator[Any]:
    """A page that was let in; afterwards: no error, and no request that left the machine."""
    said: list[str] = []
    asked: list[str] = []
    context = browser.new_context(viewport={"width": 1200, "height": 900}, color_scheme="light", locale="en-US")
    found = context.new_page()
    found.set_default_timeout(PATIENCE)
    found.on("console", lambda line: said.append(line.text) if line.type == "error" else None)
    found.on("pageerror", lambda error: said.append(str(error)))
    found.on("request", lambda request: asked.append(request.url))
    found.on("dialog", lambda dialog: said.append("a script of a class name ran"))
    found.goto(f"http://127.0.0.1:{server.port}/?token={server.token}")
    found.wait_for_selector("h1")
    yield found
    context.close()
    assert said == [], said
    assert {re.sub(r"^(https?://[^/]+|data:|blob:).*", r"\1", url, flags=re.S) for url in asked} <= {
        f"http://127.0.0.1:{server.port}",
        "data:",
        "blob:",
    }


def go(page: Any, hash: str, wait: str = "h1") -> None:
    page.evaluate("hash => { location.hash = hash }", hash)
    page.wait_for_selector(wait)
    page.wait_for_function("() => !document.querySelector('[role=status]')?.textContent.includes('Loading')")


def settle(page: Any) -> None:
    """Until nothing has changed for a tenth of a second."""
    page.evaluate(
        """() => new Promise((done) => {
          let rest = setTimeout(done, 100);
          new MutationObserver(() => { clearTimeout(rest); rest = setTimeout(done, 100); })
            .observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
          setTimeout(done, 2000);
        })"""
    )


def serious(page: Any) -> list[Any]:
    """What axe finds on this page."""
    if not AXE.exists():
        pytest.skip("axe-core is not here: npm ci")
    settle(page)
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']}).then(r => r.violations)")
    return [
        (one["id"], [node["html"][:120] for node in one["nodes"]][:3])
        for one in found
        if one["impact"] in ("serious", "critical")
    ]


def hide(page: Any, hidden: bool) -> None:
    """As if somebody went to another tab, or came back."""
    page.evaluate(
        (
            "hidden => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true }); "
            "document.dispatchEvent(new Event('visibilitychange')); }"
        ),
        hidden,
    )
