"""What does the studio cost, and how fast is it? Against the budgets that were set for it, in a real headless Chromium.

    python -m benchmarks.studio [--rounds 3]

1. Training on MNIST (three passes) alone, with the studio's stream read by a plain client, and with its Live page in Chromium on the same
   processors (which draws without a graphics card here), in turn: seconds of training, and whether the weights are the same. 2. A run of
   100,000 events: seconds until its curve stands. 3. `why`: milliseconds for a unit, warm, and through the whole server. 4. The occlusion brush at 224 pixels. 5. Frames a second of the playground with six layers of eight units. 6. Bytes of the first page.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import http.client
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import numpy as np
from PIL import Image

from limpide.browser import STATIC
from limpide.events import Step
from limpide.files import sha256_of_file
from limpide.run import Run
from limpide.workflows.open_network import open_network

PASSES = 3  # over MNIST

# Opens this page and counts how often its step changes, in the page itself: asking from outside would cost what is measured.
COUNT = """hash => {
  location.hash = hash;
  window.changes = 0;
  let last = null;
  new MutationObserver(() => {
    const step = document.querySelectorAll(".figures dd")[1]?.innerText;
    if (step && step !== last) (last = step), (window.changes += 1);
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
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


def follow(url: str, name: str) -> None:
    """Reads the stream of a run as a page does, and draws nothing."""
    address = urlsplit(url)
    token = parse_qs(address.query)["token"][0]
    connection = http.client.HTTPConnection("127.0.0.1", address.port or 0)
    connection.request("GET", f"/api/runs/{name}/events", headers={"Cookie": f"limpide-{address.port}={token}"})
    with contextlib.suppress(OSError, http.client.HTTPException):
        answer = connection.getresponse()
        while answer.readline():
            pass


def training(folder: Path, page: Any = None, url: str | None = None) -> tuple[float, str, int]:
    """(seconds of training, digest of the weights, how often the page's step changed). page: its Live page is open; url: its stream is read."""
    with subprocess.Popen(
        [sys.executable, "-m", "limpide", "train", "mnist", "--epochs", str(PASSES), "--runs", str(folder), "--new"], stdout=subprocess.DEVNULL
    ) as process:
        before = len(Run.all_in(folder))
        while len(Run.all_in(folder)) == before and process.poll() is None:
            time.sleep(0.1)
        name = Run.all_in(folder)[-1].path.name
        if page is not None:  # from the beginning, as `limpide train --watch` opens it
            page.evaluate(COUNT, f"page=live&run={name}")
        if url is not None:
            threading.Thread(target=follow, args=(url, name), daemon=True).start()
        process.wait()
    run = Run.all_in(folder)[-1]
    changes = page.evaluate("window.changes ?? 0") if page is not None else 0
    return run.info()["fit_seconds"], sha256_of_file(run.snapshots / "best.safetensors"), changes


def main() -> None:
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
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
            page.evaluate("location.hash = 'page=runs'")  # the playground would go on
            page.wait_for_timeout(1000)
            times: dict[str, list[float]] = {"alone": [], "followed": [], "watched": []}
            digests, looks = set(), []
            for _ in range(arguments.rounds):
                for kind, seconds in times.items():
                    found, digest, changes = training(folder, page if kind == "watched" else None, url if kind == "followed" else None)
                    seconds.append(found)
                    digests.add(digest)
                    looks += [changes / found] if kind == "watched" else []
                    page.evaluate("location.hash = 'page=runs'")
            browser.close()
        median = {kind: statistics.median(seconds) for kind, seconds in times.items()}
        for kind in ("followed", "watched"):
            print(f"training on MNIST, {kind}: {median[kind]:.2f} s, alone {median['alone']:.2f} s: {median[kind] / median['alone']:.3f}× (asked: 1.03)")
        print(f"{len(digests)} different weights (asked: 1); the page changed {statistics.median(looks):.1f} times a second (asked: 2)")
    first = [
        STATIC / n
        for n in ("index.html", "studio.css", "app.js", "html.js", "state.js", "words.js", "api.js", "fetched.js", "paint.js", "plot.js", "pages/live.js")
    ]
    files = [*first, *(STATIC / "vendor").iterdir(), *(STATIC / "locale").iterdir()]
    print(f"first page: {sum(len(gzip.compress(file.read_bytes())) for file in files) / 1000:.0f} kB compressed (asked: 150)")
    print(json.dumps(times))


if __name__ == "__main__":
    main()
