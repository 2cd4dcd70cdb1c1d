"""How fast is the studio? Against the budgets that were set for it, in a real headless Chromium. What watching costs a
training: watching.py.

    python -m benchmarks.studio

1. A run of 100,000 events: seconds until its curve stands.
2. A unit: milliseconds from the page through the whole server and back; while nothing else works, and beside a training
    on the same processors.
3. The occlusion brush at 224 pixels, the saliency maps with their badges, the Map of 500 images, and `limpide explain
    --out`.
4. Passes and pictures a second of the playground with six layers of eight units.
5. Bytes of the first page.
"""

from __future__ import annotations

import gzip
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from PIL import Image

from benchmarks.watching import launched, served, training
from limpide.browser import BARE, STATIC, VENDOR, modules
from limpide.core.events import Step
from limpide.core.run import Run
from limpide.text.language import LANGUAGES
from limpide.text.page_sentences import page_sentences
from limpide.workflows.open_network import open_network

ASK = (
    "async url => { const t = performance.now(); const a = await fetch(url); await a.arrayBuffer(); return "
    "[a.status, performance.now() - t] }"
)
TOLD = (
    "async url => { const t = performance.now(); const a = await fetch(url); const told = await a.json(); return "
    "[a.status, told, performance.now() - t] }"
)
UNIT = "/api/runs/{run}/look/unit?key=blocks.1.0&channel={channel}&y=5&x=6&snapshot={snapshot}"


def prepare(folder: Path) -> None:
    """A run of 100,000 events, one pass over MNIST, and a published network at 224 pixels."""
    long = Run.create(folder, "long", {"wanted": {}, "classes": [], "status": "finished"})
    for n in range(1, 100_001):
        long.append(Step(n, 0, 1 / n, 0.1, 0.01))
    long.sync()
    subprocess.run(
        [sys.executable, "-m", "limpide", "train", "mnist", "--epochs", "1", "--runs", str(folder)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    pictures = folder / "pictures"
    pictures.mkdir()
    for k in range(500):
        Image.fromarray(np.random.default_rng(k).integers(0, 255, (300, 400, 3), np.uint8)).save(pictures / f"{k}.png")
    open_network("efficientnet_lite0", str(pictures), folder)


def curve(page: Any) -> None:
    began = time.perf_counter()
    page.evaluate("location.hash = 'page=live&run=long-001'")
    page.wait_for_selector(".u-over")
    print(f"a run of 100,000 events: its curve stands after {time.perf_counter() - began:.2f} s (asked: 1 s)")


def waited(page: Any, url: str) -> float:
    """ms until the answer is there. Raises AssertionError where it is a refusal, which would come sooner."""
    status, ms = page.evaluate(ASK, url)
    assert status == 200, f"{url}: {status}"
    return float(ms)


def unit(page: Any, run: str, snapshot: str, where: str) -> None:
    waits = [waited(page, UNIT.format(run=run, channel=k, snapshot=snapshot)) for k in range(30)]
    print(
        f"a unit {where}, from the page and back: {statistics.median(waits[5:]):.0f} ms warm, {waits[0]:.0f} the "
        f"first time (asked: 50)"
    )


def maps(page: Any) -> None:
    brush = "/api/runs/efficientnet_lite0-001/look/occluded?mask=" + quote(
        json.dumps([[row, column] for row in range(4, 9) for column in range(4, 9)])
    )
    waits = [waited(page, brush) for _ in range(12)]
    print(f"the occlusion brush at 224 pixels, EfficientNet-Lite0: {statistics.median(waits[2:]):.0f} ms (asked: 250)")
    for network, label in (("mnist", "MNIST"), ("efficientnet_lite0", "EfficientNet-Lite0 at 224 pixels")):
        both = 0.0
        # as the page asks: all maps come before the first badge
        for what, words in (("saliency", "maps"), ("sanity", "badges")):
            waits = [
                waited(page, f"/api/runs/{network}-001/look/{what}?method={method}&label=3") / 1000
                for method in ("gradient", "grad_cam", "integrated_gradients", "occlusion")
            ]
            both += sum(waits)
            print(f"four saliency {words}, {label}: the first after {waits[0]:.1f} s, all after {sum(waits):.1f} s")
        print(f"maps and badges, {label}: {both:.1f} s (asked: 20)")
    status, told, ms = page.evaluate(TOLD, "/api/runs/efficientnet_lite0-001/look/embedding")
    assert status == 200
    print(
        f"the Map, EfficientNet-Lite0 at 224 pixels: {len(told['rows'])} of {told['of']} images after "
        f"{ms / 1000:.1f} s (asked: 20)"
    )


def explained(folder: Path) -> None:
    began = time.perf_counter()
    image, out = folder / "pictures" / "0.png", folder / "seen.html"
    command = [
        sys.executable,
        "-m",
        "limpide",
        "explain",
        str(folder / "efficientnet_lite0-001"),
        str(image),
        "--out",
        str(out),
    ]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    print(f"limpide explain --out, EfficientNet-Lite0 at 224 pixels: {time.perf_counter() - began:.1f} s (asked: 30)")


def playground(page: Any) -> None:
    page.evaluate("location.hash = 'page=learn&part=playground&data=spiral&shape=8,8,8,8,8,8'")
    page.get_by_role("button", name="Start").click()
    page.wait_for_timeout(1000)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")

    def worked() -> tuple[int, float, float]:
        """(passes, seconds in which the page's main thread worked, now)"""
        metrics = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
        return int(page.inner_text("#passes").replace(",", "")), metrics["TaskDuration"], time.perf_counter()

    (before, work_before, began), _, (after, work_after, ended) = worked(), page.wait_for_timeout(3000), worked()
    passes, ms = after - before, 1000 * (work_after - work_before) / (after - before)
    print(
        f"playground, six layers of eight: {passes / (ended - began):.0f} passes and pictures a second (asked: "
        f"60), each {ms:.1f} ms of work (room: 16.7)"
    )


def first_page() -> int:
    """Bytes, compressed, of all that the first page loads."""
    needed = [
        name.removeprefix("limpide/")
        for page in ("app.js", "pages/live.js")
        for name in modules(page)
        if name not in BARE
    ]
    files = [STATIC / name for name in dict.fromkeys(["index.html", "studio.css", *needed])] + [*VENDOR.iterdir()]
    sentences = json.dumps({language: page_sentences(language) for language in LANGUAGES})
    return sum(len(gzip.compress(data)) for data in (sentences.encode(), *(file.read_bytes() for file in files)))


def main() -> None:
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as place, sync_playwright() as driver, launched(driver) as browser:
        folder = Path(place)
        prepare(folder)
        with served(folder) as url:
            page = browser.new_page()
            page.goto(url)
            page.wait_for_selector("h1")
            curve(page)
            unit(page, "mnist-001", "best", "alone")
            maps(page)
            explained(folder)
            playground(page)
            page.evaluate("location.hash = 'page=runs'")
            with training(folder, 1000) as (run, _):
                while len(run.kept()) < 6:
                    time.sleep(0.2)
                unit(page, run.path.name, str(max(run.kept())), "beside a training on the same processors")
    print(f"first page: {first_page() / 1000:.0f} kB compressed (asked: 150)")


if __name__ == "__main__":
    main()
