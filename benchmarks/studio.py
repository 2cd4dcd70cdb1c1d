"""What does the studio cost, and how fast is it? Against the budgets that were set for it, in a real headless Chromium.

    python -m benchmarks.studio [--rounds 3]

1. One training on MNIST, its passes in turn alone, with the studio's stream read by a plain client, and with its Live page in Chromium on the
   same processors (which draws without a graphics card here): how much longer a pass takes; and whether the weights are the same. 2. A run of
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
import socket
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
from limpide.events import Epoch, Step
from limpide.files import sha256_of_file
from limpide.run import Run
from limpide.workflows.open_network import open_network

BLOCK = 4  # passes over MNIST in which one thing is done; the page opens in the first

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


@contextlib.contextmanager
def follow(url: str, name: str) -> Iterator[None]:
    """Reads the stream of a run as a page does, and draws nothing."""
    address = urlsplit(url)
    token = parse_qs(address.query)["token"][0]
    connection = http.client.HTTPConnection("127.0.0.1", address.port or 0)
    connection.request("GET", f"/api/runs/{name}/events", headers={"Cookie": f"limpide-{address.port}={token}"})
    answer = connection.getresponse()

    def read() -> None:
        with contextlib.suppress(OSError, ValueError, AttributeError, http.client.HTTPException):
            while answer.readline():
                pass

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        yield
    finally:
        with contextlib.suppress(OSError, AttributeError):
            connection.sock.shutdown(socket.SHUT_RDWR)
        reader.join(5)


@contextlib.contextmanager
def watch(browser: Any, url: str, name: str, looks: list[float]) -> Iterator[None]:
    """The Live page of a run, opened anew in a browser that is there already; how often it changes a second goes into `looks`."""
    page = browser.new_page()
    page.goto(url.split("#")[0] + f"#page=live&run={name}")
    page.wait_for_selector(".figures")
    page.evaluate(COUNT)
    began = time.monotonic()
    try:
        yield
    finally:
        looks.append(page.evaluate("window.changes") / (time.monotonic() - began))
        page.close()


def costs(folder: Path, url: str, browser: Any, rounds: int) -> tuple[dict[str, list[list[float]]], list[float]]:
    """One training; its passes in blocks, in turn alone, with the stream read, and with the Live page open. (seconds of each pass by block, changes a second)."""
    known, looks = {run.path.name for run in Run.all_in(folder)}, []
    found: dict[str, list[list[float]]] = {"alone": [], "followed": [], "watched": []}
    passes = 1 + BLOCK * len(found) * rounds
    command = [sys.executable, "-m", "limpide", "train", "mnist", "--epochs", str(passes), "--patience", str(passes), "--runs", str(folder), "--new"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while not (fresh := [run for run in Run.all_in(folder) if run.path.name not in known]) and process.poll() is None:
            time.sleep(0.1)
        run = fresh[0]
        until(run, process, 1)  # the first pass warms up
        for block in range(rounds):
            for k, (kind, seconds) in enumerate(found.items()):
                done = 1 + BLOCK * (block * len(found) + k)
                beside = {
                    "alone": contextlib.nullcontext,
                    "followed": lambda: follow(url, run.path.name),
                    "watched": lambda: watch(browser, url, run.path.name, looks),
                }
                with beside[kind]():
                    until(run, process, done + BLOCK)
                seconds.append([epoch.seconds for epoch in run.events() if isinstance(epoch, Epoch)][done : done + BLOCK])
    return found, looks


def until(run: Run, process: Any, passes: int) -> None:
    """Waits until so many passes are done."""
    done = read = 0
    while True:
        if run.events_file.exists():
            with open(run.events_file, "rb") as stream:
                stream.seek(read)
                new = stream.read()
            new = new[: new.rfind(b"\n") + 1]
            read, done = read + len(new), done + new.count(b'"kind": "epoch"')
        if done >= passes:
            return
        if process.poll() is not None:
            raise SystemExit("the training ended early")
        time.sleep(0.2)


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
            with watch(browser, url, run.path.name, []) if watched else contextlib.nullcontext():
                process.wait()
        digests.add(sha256_of_file(run.snapshots / "best.safetensors"))
    return len(digests)


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
            page.close()
            seconds, looks = costs(folder, url, browser, arguments.rounds)
            different = same_weights(folder, url, browser)
            browser.close()
        alone = [statistics.median(block[1:]) for block in seconds["alone"]]
        for kind in ("followed", "watched"):
            ratios = [statistics.median(block[1:]) / one for block, one in zip(seconds[kind], alone, strict=True)]
            opening = statistics.median(block[0] - statistics.median(block[1:]) for block in seconds[kind])
            print(
                f"a pass over MNIST, {kind}: {statistics.median(ratios):.3f} times as long as alone ({min(ratios):.3f} to {max(ratios):.3f}), opening {opening:+.2f} s (asked: 1.03)"
            )
        print(f"{different} different weights (asked: 1); the page changed {statistics.median(looks):.1f} times a second (asked: 2)")
    first = [
        STATIC / n
        for n in ("index.html", "studio.css", "app.js", "html.js", "state.js", "words.js", "api.js", "fetched.js", "paint.js", "plot.js", "pages/live.js")
    ]
    files = [*first, *(STATIC / "vendor").iterdir(), *(STATIC / "locale").iterdir()]
    print(f"first page: {sum(len(gzip.compress(file.read_bytes())) for file in files) / 1000:.0f} kB compressed (asked: 150)")
    print(json.dumps(seconds))


if __name__ == "__main__":
    main()
