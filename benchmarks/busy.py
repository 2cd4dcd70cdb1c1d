"""Beside other work: what a training keeps of its speed when every processor core has a busy process beside it.

    python -m benchmarks.busy                  six minutes; nothing else should run
    python -m benchmarks.busy --seconds 120    fewer rounds

Each setting lives in a process of its own, which takes gradient steps for two seconds when it is asked to. Quiet and
busy, and the settings within them, come in turn, so that what else the machine does meets all alike. The fair share
beside one busy process a core is half of the quiet speed of the plain setting. Printed for each network and setting, as
medians over the rounds: quiet, against plain · busy, against the fair share. The goal: at least 0.97 and at least 0.8.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

TURN = 2.0  # s of steps
NETWORKS = {"cnn": (1, 28, 128), "efficientnet_lite0": (3, 128, 32)}  # channels, pixels, batch
# How the helper threads of torch's OpenMP (GOMP) wait: by its default, asleep at once, asleep after a number of spins;
# and with half as many threads.
SETTINGS: dict[str, dict[str, str]] = {
    "plain": {"OMP_WAIT_POLICY": "", "GOMP_SPINCOUNT": ""},
    "passive": {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": ""},
    "1,000 looks": {"OMP_WAIT_POLICY": "", "GOMP_SPINCOUNT": "1000"},
    "10,000 looks": {"OMP_WAIT_POLICY": "", "GOMP_SPINCOUNT": "10000"},
    "half, passive": {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "", "LIMPIDE_BENCH_THREADS": "half"},
}

Found = dict[tuple[str, str, bool], list[float]]  # (network, setting, busy) → steps a second of each round


def work(network: str) -> None:
    """Waits for a line, takes steps for a turn, answers with steps a second."""
    from limpide.system import machine

    machine.keep_memory()
    import torch

    from limpide.core.recipe import Recipe
    from limpide.training.build import build_network
    from limpide.training.losses import loss_function
    from limpide.training.start import start_state

    cores = machine.cores()
    torch.set_num_threads(max(1, cores // 2) if os.environ.get("LIMPIDE_BENCH_THREADS") == "half" else cores)
    channels, size, batch = NETWORKS[network]
    recipe = Recipe(model=network, weights="none", freeze="none", batch=batch, lr=1e-6, device="cpu", image_size=size)
    recipe = recipe.but(precision="fp32", weight_decay=0.0)
    state = start_state(build_network(recipe, 10, channels, size), recipe, 10**6)
    images = torch.randn(batch, channels, size, size).contiguous(memory_format=torch.channels_last)
    labels, loss_fn = torch.arange(batch) % 10, loss_function(recipe)
    state.model.train()

    def step() -> None:
        loss_fn(state.model, (images, labels)).backward()
        state.optimizer.step(1e-6)
        state.optimizer.zero_grad()

    for _ in range(3):
        step()
    print("ready", flush=True)
    for _line in sys.stdin:
        began, done = time.perf_counter(), 0
        while (passed := time.perf_counter() - began) < TURN:
            step()
            done += 1
        print(done / passed, flush=True)


@dataclass
class Worker:
    process: subprocess.Popen[str]

    @classmethod
    def started(cls, network: str, setting: str) -> Worker:
        environment = {
            name: value for name, value in {**os.environ, "OMP_NUM_THREADS": "", **SETTINGS[setting]}.items() if value
        }
        command = [sys.executable, "-m", "benchmarks.busy", "--work", network]
        worker = cls(
            subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        )
        worker.said()
        return worker

    def said(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def turn(self) -> float:
        """Steps a second."""
        assert self.process.stdin
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        return float(self.said())


def spin() -> None:
    x = 0
    while True:
        x = (x * 31 + 7) % 1000003


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=360.0)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument(
        "--settings", nargs="+", choices=SETTINGS, default=list(SETTINGS), help="plain is always among them"
    )
    parser.add_argument("--work", choices=NETWORKS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        return work(options.work)
    settings = ["plain", *(name for name in options.settings if name != "plain")]
    workers = {
        (network, setting): Worker.started(network, setting) for network in options.networks for setting in settings
    }
    try:
        found = take_turns(workers, options.seconds)
    finally:
        for worker in workers.values():
            worker.process.kill()
    rounds = min(map(len, found.values()))
    print(f"{rounds} rounds · {len(os.sched_getaffinity(0))} cores · load average before {os.getloadavg()[2]:.1f}")
    print_table(found)
    return None


def take_turns(workers: dict[tuple[str, str], Worker], seconds: float) -> Found:
    """Rounds of all settings, quiet and busy, as long as there is time for another one."""
    found: Found = defaultdict(list)
    ends, a_round = time.monotonic() + seconds, 2 * len(workers) * TURN + 1
    while not found or time.monotonic() + a_round < ends:
        for busy in (False, True):
            with busy_cores() if busy else contextlib.nullcontext():
                for (network, setting), worker in workers.items():
                    found[network, setting, busy].append(worker.turn())
    return found


@contextlib.contextmanager
def busy_cores() -> Iterator[None]:
    """One busy process a core."""
    others = [multiprocessing.Process(target=spin, daemon=True) for _ in range(len(os.sched_getaffinity(0)))]
    for other in others:
        other.start()
    yield
    for other in others:
        other.terminate()
        other.join()


def print_table(found: Found) -> None:
    print("| network | setting | quiet, steps/s | quiet, against plain | busy, against the fair share |")
    print("|---|---|---|---|---|")
    for network, setting in dict.fromkeys((network, setting) for network, setting, _ in found):
        quiet, busy = found[network, setting, False], found[network, setting, True]
        plain = found[network, "plain", False]
        against = statistics.median(a / b for a, b in zip(quiet, plain, strict=True))
        fair = statistics.median(2 * a / b for a, b in zip(busy, plain, strict=True))
        print(f"| {network} | {setting} | {statistics.median(quiet):.1f} | {against:.2f} | {fair:.2f} |")


if __name__ == "__main__":
    main()
