"""What does watching a training cost it? MNIST on this machine, its Live page in a headless Chromium on the same
processors.

    python -m benchmarks.watching [--trainings 6] [--pairs 10]

Chromium draws without a graphics card here. Within each training the page is hidden and shown in turn, from the
beginning on:

1. how much longer a step takes while the page is shown;
2. how often the page changes;
3. percent of one processor that the browser, the server and its worker use meanwhile;
4. whether the weights are the same, watched or not.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from limpide.core.run import Run
from limpide.system.files import sha256_of_file

SETTLE, WINDOW = 1.0, 4.0  # s after the page was hidden or shown, and s that are then measured

# Counts how often the step changes, in the page itself: asking from outside would cost what is measured.
COUNT = """(() => {
  window.changes = 0;
  const step = document.querySelectorAll(".figures dd")[1];
  let last = step.textContent;
  const count = () => step.textContent !== last && ((last = step.textContent), (window.changes += 1));
  new MutationObserver(count).observe(step, { subtree: true, childList: true, characterData: true });
})()"""
# As if somebody went to another tab, or came back: a page that nobody looks at asks for nothing and draws nothing.
HIDE = (
    "Object.defineProperty(document, 'hidden', {{ value: {}, configurable: true }}); document.dispatchEvent(new "
    "Event('visibilitychange'))"
)


class Page:
    """A page that no debugger listens to: a page of Playwright's has each message of the network told, which costs more
    than many a page.
    """

    def __init__(self, browser: Any, url: str) -> None:
        self.session = browser.new_browser_cdp_session()
        self.target = self.session.send("Target.createTarget", {"url": url, "width": 1280, "height": 720})["targetId"]
        self.id = self.session.send("Target.attachToTarget", {"targetId": self.target, "flatten": False})["sessionId"]
        self.answers: dict[int, Any] = {}
        self.asked = 0
        self.session.on("Target.receivedMessageFromTarget", lambda event: self._answer(json.loads(event["message"])))

    def _answer(self, message: dict[str, Any]) -> None:
        self.answers[message.get("id", 0)] = message

    def evaluate(self, expression: str) -> Any:
        self.asked += 1
        message = {
            "id": self.asked,
            "method": "Runtime.evaluate",
            "params": {"expression": expression, "returnByValue": True},
        }
        self.session.send("Target.sendMessageToTarget", {"sessionId": self.id, "message": json.dumps(message)})
        while self.asked not in self.answers:
            # Playwright hands over what came only while it is asked for something
            self.session.send("Target.getTargets")
        answer = self.answers.pop(self.asked)["result"]
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def close(self) -> None:
        self.session.send("Target.closeTarget", {"targetId": self.target})


def used() -> Counter[str]:
    """Processor time in ns that each kind of process has used so far."""
    spent: Counter[str] = Counter()
    for process in psutil.process_iter(["pid", "name", "cmdline"]):
        words = " ".join(process.info["cmdline"] or [])
        kind = (
            "Chromium" if "chrom" in process.info["name"]
            else "server" if "limpide studio" in words
            else "worker" if "multiprocessing.spawn" in words
            else "training" if "limpide train" in words
            else ""
        )  # fmt: skip
        if kind:
            with contextlib.suppress(OSError):  # it ended meanwhile
                for file in Path(f"/proc/{process.pid}/task").glob("*/schedstat"):
                    spent[kind] += int(file.read_text().split()[0])
    return spent


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
def launched(driver: Any) -> Iterator[Any]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    browser = driver.chromium.launch(
        executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    )
    yield browser
    browser.close()


def opened(browser: Any, url: str, name: str) -> Page:
    """The Live page of a run, which counts how often its step changes."""
    page = Page(browser, url.split("#")[0] + f"#page=live&run={name}")
    while not page.evaluate("!!document.querySelector('.figures')"):
        time.sleep(0.2)
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


@contextlib.contextmanager
def training(folder: Path, epochs: int) -> Iterator[tuple[Run, subprocess.Popen[bytes]]]:
    before = len(Run.all_in(folder))
    command = [
        sys.executable,
        "-m",
        "limpide",
        "train",
        "mnist",
        "--epochs",
        str(epochs),
        "--patience",
        str(epochs),
        "--runs",
        str(folder),
        "--new",
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while len(Run.all_in(folder)) == before:
            time.sleep(0.1)
        yield Run.all_in(folder)[-1], process
        process.terminate()


def pairs_of(folder: Path, url: str, browser: Any, pairs: int) -> list[dict[str, Any]]:
    """One training, its page hidden and shown in turn, the order changing: s a step either way, changes a second,
    percent of a processor.
    """
    found = []
    with training(folder, 1000) as (run, process):
        page = opened(browser, url, run.path.name)
        while not steps_of(run, 0) and process.poll() is None:
            time.sleep(0.5)
        for k in range(pairs):
            pair: dict[str, Any] = {}
            for hidden in (True, False) if k % 2 else (False, True):
                page.evaluate(HIDE.format(str(hidden).lower()))
                time.sleep(SETTLE)
                offset, began, changes, spent = (
                    run.events_file.stat().st_size,
                    time.monotonic(),
                    page.evaluate("window.changes"),
                    used(),
                )
                time.sleep(WINDOW)
                seconds = time.monotonic() - began
                spent = used() - spent
                pair["hidden" if hidden else "shown"] = statistics.mean(steps_of(run, offset))
                if not hidden:
                    pair["changes"] = (page.evaluate("window.changes") - changes) / seconds
                    pair["percent"] = {
                        kind: 100 * spent[kind] / 1e9 / seconds for kind in ("Chromium", "server", "worker")
                    }
            found.append(pair)
        page.close()
    return found


def same_weights(folder: Path, url: str, browser: Any) -> int:
    """How many different weights come out of one pass alone and one that is watched from the beginning."""
    digests = set()
    for watched in (False, True):
        with training(folder, 1) as (run, process):
            page = opened(browser, url, run.path.name) if watched else None
            process.wait()
            if page is not None:
                page.close()
        digests.add(sha256_of_file(run.snapshots / "best.safetensors"))
    return len(digests)


def told(pairs: list[dict[str, Any]]) -> str:
    ratios = [math.log(pair["shown"] / pair["hidden"]) for pair in pairs]
    mean, error = statistics.mean(ratios), statistics.stdev(ratios) / len(ratios) ** 0.5
    low, high = (math.exp(mean + side * 1.96 * error) for side in (-1, 1))
    return (
        f"{math.exp(mean):.3f} times as long (95 %: {low:.3f} to {high:.3f}; median "
        f"{math.exp(statistics.median(ratios)):.3f}; {len(pairs)} pairs)"
    )


def main() -> None:
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser()
    parser.add_argument("--trainings", type=int, default=6)
    parser.add_argument("--pairs", type=int, default=10)
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as place,
        sync_playwright() as driver,
        launched(driver) as browser,
        served(Path(place)) as url,
    ):
        every = []
        for k in range(arguments.trainings):
            pairs = pairs_of(Path(place), url, browser, arguments.pairs)
            every += pairs
            print(f"training {k + 1}: a step takes {told(pairs)}", flush=True)
        different = same_weights(Path(place), url, browser)
    print(f"a step on MNIST while its Live page is shown takes {told(every)}; asked: 1.03")
    print(f"the page changed {statistics.median(pair['changes'] for pair in every):.1f} times a second (asked: 2)")
    for kind in ("Chromium", "server", "worker"):
        print(f"{kind}: {statistics.median(pair['percent'][kind] for pair in every):.1f} % of a processor")
    print(f"{different} different weights (asked: 1)")


if __name__ == "__main__":
    main()
