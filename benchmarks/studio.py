"""What does the studio cost, and how fast is it? Against the budgets that were set for it, in a real headless Chromium.

    python -m benchmarks.studio [--pairs 24]

1. One training on MNIST while its Live page, in Chromium on the same processors (which draws without a graphics card here), is hidden and shown
   in turn: how much longer a step takes; and whether the weights are the same.
2. A run of 100,000 events: seconds until its curve stands.
3. A unit: milliseconds from the page through the whole server and back.
4. The occlusion brush at 224 pixels, and the saliency maps with their badges.
5. Passes and pictures a second of the playground with six layers of eight units.
6. Bytes of the first page.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from PIL import Image

from limpide.browser import STATIC
from limpide.events import Step
from limpide.files import sha256_of_file
from limpide.run import Run
from limpide.workflows.open_network import open_network

SETTLE, WINDOW = 2.0, 8.0  # s after the page was hidden or shown, and s that are then measured

# Counts how often the step changes, in the page itself: asking from outside would cost what is measured.
COUNT = """() => {
  window.changes = 0;
  const step = document.querySelectorAll(".figures dd")[1];
  let last = step.textContent;
  new MutationObserver(() => step.textContent !== last && ((last = step.textContent), (window.changes += 1))).observe(step, { subtree: true, childList: true, characterData: true });
}"""


@contextlib.contextmanager
def served(runs: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "limpide", "studio", str(runs), "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "COLUMNS": "300"}) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().split()[-1]
        finally:
            process.terminate()


def hide(page: Any, hidden: bool) -> None:
    """As if somebody went to another tab, or came back: a page that nobody looks at asks for nothing and draws nothing."""
    page.evaluate(
        "hidden => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true }); document.dispatchEvent(new Event('visibilitychange')); }",
        hidden,
    )


def costs(folder: Path, url: str, browser: Any, pairs: int) -> tuple[list[tuple[float, float]], list[float]]:
    """One training on MNIST, its Live page hidden and shown in turn, the order changing: ((s a step hidden, s a step shown) of each pair, changes a second)."""
    known, looks = {run.path.name for run in Run.all_in(folder)}, []
    found = []
    command = [sys.executable, "-m", "limpide", "train", "mnist", "--epochs", "1000", "--patience", "1000", "--runs", str(folder), "--new"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while not (fresh := [run for run in Run.all_in(folder) if run.path.name not in known]):
            time.sleep(0.1)
        run = fresh[0]
        page = opened(browser, url, run.path.name)
        while not steps_of(run, 0) and process.poll() is None:
            time.sleep(0.5)
        time.sleep(SETTLE)
        for k in range(pairs):
            means = {}
            for hidden in (True, False) if k % 2 else (False, True):
                hide(page, hidden)
                time.sleep(SETTLE)
                offset, began, changes = run.events_file.stat().st_size, time.monotonic(), page.evaluate("window.changes")
                time.sleep(WINDOW)
                means[hidden] = statistics.mean(steps_of(run, offset))
                looks += [] if hidden else [(page.evaluate("window.changes") - changes) / (time.monotonic() - began)]
            found.append((means[True], means[False]))
        page.close()
        process.terminate()
    return found, looks


def opened(browser: Any, url: str, name: str) -> Any:
    """The Live page of a run, which counts how often its step changes."""
    page = browser.new_page()
    page.goto(url.split("#")[0] + f"#page=live&run={name}")
    page.wait_for_selector(".figures")
    page.evaluate(COUNT)
    return page


def steps_of(run: Run, offset: int) -> list[float]:
    """Seconds of each whole step after this place of its events."""
    if not run.events_file.exists():
        return []
    with open(run.events_file, "rb") as stream:
        stream.seek(offset)
        lines = stream.read().split(b"\n")[:-1]
    events = [json.loads(line) for line in lines if line.startswith(b"{")]  # the first may be the rest of a line
    return [event["seconds"] for event in events if event["kind"] == "step"]


def same_weights(folder: Path, url: str, browser: Any) -> int:
    """How many different weights come out of one pass alone and one that is watched from the beginning."""
    digests = set()
    for watched in (False, True):
        before = len(Run.all_in(folder))
        with subprocess.Popen(
            [sys.executable, "-m", "limpide", "train", "mnist", "--epochs", "1", "--runs", str(folder), "--new"], stdout=subprocess.DEVNULL
        ) as process:
            while len(Run.all_in(folder)) == before:
                time.sleep(0.1)
            run = Run.all_in(folder)[-1]
            page = opened(browser, url, run.path.name) if watched else None
            process.wait()
            if page is not None:
                page.close()
        digests.add(sha256_of_file(run.snapshots / "best.safetensors"))
    return len(digests)


def main() -> None:
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=24)
    arguments = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as place, sync_playwright() as driver:
        folder = Path(place)
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"])
        long = Run.create(folder, "long", {"wanted": {}, "classes": [], "status": "finished"})
        for n in range(1, 100_001):
            long.append(Step(n, 0, 1 / n, 0.1, 0.01))
        long.sync()
        subprocess.run([sys.executable, "-m", "limpide", "train", "mnist", "--epochs", "1", "--runs", str(folder)], check=True, stdout=subprocess.DEVNULL)
        pictures = folder / "pictures"
        pictures.mkdir()
        for k in range(4):
            Image.fromarray(np.random.default_rng(k).integers(0, 255, (300, 400, 3), np.uint8)).save(pictures / f"{k}.png")
        open_network("efficientnet_lite0", str(pictures), folder)
        with served(folder) as url:
            page = browser.new_page()
            page.goto(url)
            page.wait_for_selector("h1")
            began = time.perf_counter()
            page.evaluate("location.hash = 'page=live&run=long-001'")
            page.wait_for_selector(".u-over")
            print(f"a run of 100,000 events: its curve stands after {time.perf_counter() - began:.2f} s (asked: 1 s)")
            ask = "async url => { const t = performance.now(); const a = await fetch(url); await a.arrayBuffer(); return [a.status, performance.now() - t] }"
            unit = "/api/runs/mnist-001/look/unit?key=blocks.1.0&channel={k}&y=5&x=6"
            waits = [page.evaluate(ask, unit.format(k=k))[1] for k in range(20)]
            print(f"a unit, from the page and back: {statistics.median(waits[5:]):.0f} ms warm, {waits[0]:.0f} the first time (asked: 50)")
            brush = "/api/runs/efficientnet_lite0-001/look/occluded?mask=" + quote(json.dumps([[row, column] for row in range(4, 9) for column in range(4, 9)]))
            waits = [page.evaluate(ask, brush)[1] for _ in range(12)]
            print(f"the occlusion brush at 224 pixels, EfficientNet-Lite0: {statistics.median(waits[2:]):.0f} ms (asked: 250)")
            for network, label in (("mnist", "MNIST"), ("efficientnet_lite0", "EfficientNet-Lite0 at 224 pixels")):
                for what, words in (("saliency", "maps"), ("sanity", "badges")):  # as the page asks: all maps come before the first badge
                    began, first = time.perf_counter(), 0.0
                    for method in ("gradient", "grad_cam", "integrated_gradients", "occlusion"):
                        page.evaluate(ask, f"/api/runs/{network}-001/look/{what}?method={method}&label=3")
                        first = first or time.perf_counter() - began
                    print(f"four saliency {words}, {label}: the first after {first:.1f} s, all after {time.perf_counter() - began:.1f} s")
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
                f"playground, six layers of eight: {passes / (ended - began):.0f} passes and pictures a second (asked: 60), each {ms:.1f} ms of work (room: 16.7)"
            )
            page.close()
            means, looks = costs(folder, url, browser, arguments.pairs)
            different = same_weights(folder, url, browser)
            browser.close()
        ratios = [math.log(shown / hidden) for hidden, shown in means]
        mean, error = statistics.mean(ratios), statistics.stdev(ratios) / len(ratios) ** 0.5
        low, high = (math.exp(mean + side * 1.96 * error) for side in (-1, 1))
        print(f"a step on MNIST with the Live page: {math.exp(mean):.3f} times as long ({low:.3f} to {high:.3f}, {len(means)} pairs; asked: 1.03)")
        print(f"{different} different weights (asked: 1); the page changed {statistics.median(looks):.1f} times a second (asked: 2)")
    first = [
        STATIC / n
        for n in (
            "index.html",
            "studio.css",
            "app.js",
            "html.js",
            "here.js",
            "state.js",
            "words.js",
            "api.js",
            "npy.js",
            "fetched.js",
            "pad.js",
            "paint.js",
            "plot.js",
            "pages/live.js",
        )
    ]
    files = [*first, *(STATIC / "vendor").iterdir(), *(STATIC / "locale").iterdir()]
    print(f"first page: {sum(len(gzip.compress(file.read_bytes())) for file in files) / 1000:.0f} kB compressed (asked: 150)")
    print(json.dumps(means))


if __name__ == "__main__":
    main()
