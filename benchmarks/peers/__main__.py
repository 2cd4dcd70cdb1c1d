"""How long do other libraries take for what `limpide train mnist` does?

    python -m benchmarks.peers PYTHON [--rounds 3] [--only same] [--peers fastai keras]
    python -m benchmarks.peers --table

PYTHON is that of an environment with the peers (README.md). Every program is a fresh process from its start to a saved
model, and is paired with a `limpide train mnist` of the same moment, in odd rounds before it, in even ones after it.
limpide's command is ended when its model is saved and the time noted: what it does then, others do not do. Its file is
scored by `limpide.deploy.predictor`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

import limpide
from benchmarks.peers import results
from limpide.data.named_datasets import mnist
from limpide.deploy.predictor import Predictor
from limpide.system.files import cache_folder

HERE = Path(__file__).parent
PEERS = ("fastai", "skorch", "keras", "pytorch")
OF_LIMPIDE = (*limpide.NO_TELEMETRY, "GOMP_SPINCOUNT")  # what importing limpide set: peers run as they come
PATIENCE = 3600.0  # s


def program_of(table: str, peer: str) -> Path:
    name = "pytorch_example" if (table, peer) == ("documented", "pytorch") else f"{peer}_{table}"
    return HERE / f"{name}.py"


def run_peer(python: Path, program: Path, seed: int) -> dict[str, float | None]:
    env = {name: value for name, value in os.environ.items() if name not in OF_LIMPIDE}
    with tempfile.TemporaryDirectory() as folder:
        command = [str(python), str(program), str(cache_folder() / "mnist"), str(Path(folder, "model.pth")), str(seed)]
        command.append(str(time.monotonic()))
        done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=PATIENCE)
    if done.returncode:
        raise SystemExit(f"{program.name}:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]


def run_limpide(seed: int) -> tuple[float, float]:
    """(share of the test images that the saved model names, s from process start to the saved model)."""
    env = {name: value for name, value in os.environ.items() if name not in OF_LIMPIDE}
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "limpide", "train", "mnist", "--json", "--new"]
        command += ["--seed", str(seed), "--runs", folder]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env)
        seconds = None
        while seconds is None and process.poll() is None:
            time.sleep(0.2)
            seconds = _model_seconds(Path(folder))
        process.kill()
        process.wait()
        if seconds is None:
            raise SystemExit("limpide train ended without a model")
        predictor = Predictor(next(Path(folder).glob("*/model.onnx")))
        data = mnist()
        images = data.images.array[60_000:]  # type: ignore[attr-defined]
        answers = predictor.probabilities([Image.fromarray(image).convert("RGB") for image in images]).argmax(1)
        return float((answers == data.labels[60_000:]).mean()), seconds


def _model_seconds(runs: Path) -> float | None:
    for file in runs.glob("*/run.json"):
        return json.loads(file.read_text()).get("model_seconds")  # type: ignore[no-any-return]
    return None


def measure(python: Path, table: str, peer: str, number: int) -> results.Pair:
    limpide_first = number % 2 == 1
    if limpide_first:
        accuracy, seconds = run_limpide(number)
    found = run_peer(python, program_of(table, peer), number)
    if not limpide_first:
        accuracy, seconds = run_limpide(number)
    its = round(float(found["accuracy"] or 0.0), 4), round(float(found["seconds"] or 0.0), 2)
    reached = None if found["reached"] is None else round(found["reached"], 2)
    return results.Pair(table, peer, number, *its, reached, round(accuracy, 4), round(seconds, 2))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("python", type=Path, nargs="?")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=results.TABLES)
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=PEERS)
    parser.add_argument("--results", type=Path, default=results.FILE)
    parser.add_argument("--table", action="store_true")
    arguments = parser.parse_args()
    tables = [arguments.only] if arguments.only else list(results.TABLES)
    if arguments.python and not arguments.table:
        known = {(one.table, one.peer): one.round for one in results.read(arguments.results)}
        for _ in range(arguments.rounds):
            for name in tables:
                for peer in arguments.peers:
                    number = known[name, peer] = known.get((name, peer), 0) + 1
                    pair = measure(arguments.python, name, peer, number)
                    results.add(pair, arguments.results)
                    print(pair, f"{pair.ratio:.1f}×", flush=True)
    for name in tables:
        print(f"\n{results.TABLES[name]}\n\n{results.table(results.read(arguments.results), name)}")


if __name__ == "__main__":
    main()
