"""A run made up for the tests of the report: files and findings as a real training leaves them, without training."""

from __future__ import annotations

import base64
import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from limpide.core.events import Epoch, Note, Step
from limpide.core.finding import Finding, Number, Picture, Table
from limpide.core.run import Run
from limpide.text.messages import message

HOSTILE = "<img src=x onerror=alert(1)>"
DIGITS = tuple("0123456789")


def jpeg(word: str, seed: int) -> str:
    """A small grey picture of a word, with noise."""
    noise = np.random.default_rng(seed).integers(0, 40, (28, 28), dtype=np.uint8)
    image = Image.fromarray(noise)
    ImageDraw.Draw(image).text((9, 6), word[:2], fill=235)
    stream = io.BytesIO()
    image.resize((56, 56), Image.Resampling.NEAREST).save(stream, "JPEG", quality=80)
    return base64.b64encode(stream.getvalue()).decode()


def counts_of(classes: int, seed: int = 0) -> np.ndarray:
    """A confusion matrix, rows = truth: about a hundred images a class, a few of them wrong."""
    rng = np.random.default_rng(seed)
    counts = np.zeros((classes, classes), int)
    for k in range(classes):
        counts[k, k] = 95 + k % 6
        for other in rng.integers(0, classes, 3):
            if other != k:
                counts[k, other] += int(rng.integers(1, 4))
    return counts


def pictures_of(classes: tuple[str, ...], counts: np.ndarray) -> list[Picture]:
    wrong = [(i, j) for i, j in np.argwhere(counts > 0).tolist() if i != j]
    cells = wrong + [(k, k) for k in range(len(classes))]
    return [
        Picture(f"test/{classes[i]}/{i}-{j}.png", classes[i], classes[j], 0.99 - 0.002 * n % 0.4, jpeg(classes[i], n))
        for n, (i, j) in enumerate(cells)
    ]


def make_run(
    folder: Path, classes: tuple[str, ...] = DIGITS, *, epochs: int = 8, without: tuple[str, ...] = (), **info: Any
) -> Run:
    machine = {
        "processor": "AMD EPYC 7B13",
        "cores": 8,
        "system": "Linux x86_64",
        "python": "3.12.3",
        "versions": {"limpide": "0.1.0", "torch": "2.9.1"},
    }
    recipe = {
        "model": "cnn",
        "time": None,
        "epochs": epochs,
        "batch": 128,
        "lr": 0.01,
        "weight_decay": 0.02,
        "flip": "no",
        "seed": 0,
    }
    run = Run.create(
        folder,
        "digits",
        {"data": "digits", "classes": list(classes), "recipe": recipe, "machine": machine, "test_looks": 1} | info,
    )
    if epochs:
        write_events(run, epochs)
    write_files(run, classes)
    for finding in findings_of(classes):
        if finding.name not in without:
            run.add_finding(finding)
    return run


def write_events(run: Run, epochs: int, each: int = 90) -> None:
    rng = np.random.default_rng(1)
    run.append(
        Note(
            "decision",
            message(
                "model {model}: the images are small ({side} px), so a small network learns them from scratch",
                model="cnn",
                side=28,
            ),
        )
    )
    run.append(
        Note(
            "decision",
            message(
                "batch {batch}, highest rate {lr}, {precision} on {device}",
                batch=128,
                lr=0.01,
                precision="fp32",
                device="cpu",
            ),
        )
    )
    for n in range(1, epochs * each + 1):
        loss = 0.52 + 1.8 * float(np.exp(-n / 60)) + 0.05 * float(rng.normal())
        run.append(Step(n, (n - 1) // each, float("nan") if n == 7 else loss, 0.01, 0.02))
        if n % each == 0:
            e = n // each
            run.append(
                Epoch(e - 1, n, 0.55 + 1.1 / e**1.4, 0.06 + 0.5 / e**1.2, 0.991 - 0.06 / e**1.3, e != epochs, 2.0)
            )
    run.sync()


def write_files(run: Run, classes: tuple[str, ...]) -> None:
    with open(run.split_file, "w", newline="", encoding="utf-8", errors="surrogateescape") as stream:
        writer = csv.writer(stream)
        writer.writerow(("file", "label", "part", "group"))
        for part, n in (("train", 6), ("validation", 1), ("test", 2)):
            writer.writerows((f"{part}/{k}/{i}.png", k, part, "00") for k in classes for i in range(n))
    with open(run.excluded_file, "w", newline="", encoding="utf-8", errors="surrogateescape") as stream:
        writer = csv.writer(stream)
        writer.writerow(("file", "reason_code", "reason"))
        writer.writerow(("secret/a\udcff.png", "broken", "not an image"))
        writer.writerow(("secret/b.png", "twice", "the same image is in two classes"))
        writer.writerow(("secret/c.png", "twice", "the same image is in two classes"))


def findings_of(classes: tuple[str, ...]) -> list[Finding]:
    counts = counts_of(len(classes))
    pictures = pictures_of(classes, counts)
    scores = [accuracy(classes), simpler(), each_class(classes, counts)]
    facts = [calibration(), training(), data(), cost(), exported(), unheard_of()]
    return [*scores, *mistakes(classes, counts, pictures), *facts, inside()]


def accuracy(classes: tuple[str, ...]) -> Finding:
    return Finding(
        "accuracy",
        "ok",
        message(
            "It names {accuracy:percent} of {n:count} images it had never seen correctly.", accuracy=0.9912, n=10_000
        ),
        [
            Number("accuracy", 0.9912, "share", 0.9892, 0.9928, 10_000),
            Number("balanced accuracy", 0.9911, "share", n=10_000),
            Number("chance", 1 / len(classes), "share"),
            Number("majority", 0.1135, "share", n=10_000),
        ],
        details=[
            message(
                "Chance is the score of guessing among {classes:count} classes; majority is the score of "
                "always saying {name}.",
                classes=len(classes),
                name=classes[0],
            )
        ],
        source="test",
    )


def simpler() -> Finding:
    models = [
        [message("the network"), 0.9912, 0.9892, 0.9928, 10_000, 54_000, 74.0],
        [message("a linear head on a frozen network"), 0.9712, 0.9678, 0.9743, 10_000, 54_000, 41.0],
        [message("logistic regression on pixels"), 0.9214, 0.9160, 0.9265, 10_000, 54_000, 15.0],
        [message("always the most frequent class"), 0.1135, 0.1074, 0.1199, 10_000, 54_000, 0.0],
    ]
    columns = [
        ("model", "text"),
        ("accuracy", "percent"),
        ("low", "percent"),
        ("high", "percent"),
        ("test images", "count"),
        ("training images", "count"),
        ("training time", "duration"),
    ]
    return Finding(
        "simpler",
        "ok",
        message(
            "No simpler model does as well: the best of them, {rival}, is wrong {ratio:number} times as often.",
            rival=message("a linear head on a frozen network").to_json(),
            ratio=3.27,
        ),
        table=Table(columns, models),
        details=[message("Every simpler model learned from all {n:count} training images.", n=48_000)],
    )


def each_class(classes: tuple[str, ...], counts: np.ndarray) -> Finding:
    recall, precision = counts.diagonal() / counts.sum(1), counts.diagonal() / counts.sum(0)
    rows = []
    for k, (name, share) in enumerate(zip(classes, recall.tolist(), strict=True)):
        low, high = share - 0.03, min(1.0, share + 0.015)
        rows.append([name, int(counts[k].sum()), float(precision[k]), share, low, high])
    columns = [
        ("class", "text"),
        ("test images", "count"),
        ("precision", "percent"),
        ("recall", "percent"),
        ("recall low", "percent"),
        ("recall high", "percent"),
    ]
    weakest = int(recall.argmin())
    return Finding(
        "classes",
        "warn",
        message(
            "{name} clearly falls behind the other classes: {recall:percent} found (n = {n:count}).",
            name=classes[weakest],
            recall=float(recall[weakest]),
            n=int(counts[weakest].sum()),
        ),
        table=Table(columns, rows),
        source="test",
    )


def mistakes(classes: tuple[str, ...], counts: np.ndarray, pictures: list[Picture]) -> list[Finding]:
    off = counts - np.diag(counts.diagonal())
    i, j = divmod(int(off.argmax()), len(classes))
    order = [divmod(int(k), len(classes)) for k in np.argsort(-off, axis=None, kind="stable")[:8]]
    rows = [[classes[a], classes[b], int(off[a, b]), float(off[a, b] / counts[a].sum())] for a, b in order]
    columns = [
        ("true class", "text"),
        ("predicted class", "text"),
        ("images", "count"),
        ("share of the class", "percent"),
    ]
    said = message(
        "Its most frequent confusion: {n:count} of {total:count} images of {truth} were called {said}.",
        n=int(off[i, j]),
        total=int(counts[i].sum()),
        truth=classes[i],
        said=classes[j],
    )
    wrong = [p for p in pictures if p.label != p.predicted]
    return [
        Finding(
            "confusion",
            "ok",
            said,
            table=Table(columns, rows),
            pictures=pictures,
            data={"classes": list(classes), "matrix": counts.tolist()},
        ),
        Finding(
            "mistakes",
            "ok",
            message(
                (
                    "It was wrong on {n:count} of {total:count} test images, on {sure:count} of them with 90 % "
                    "confidence or more."
                ),
                n=88,
                total=10_000,
                sure=17,
            ),
            pictures=wrong[:24],
            details=[message("A confident mistake is often a wrong label: look at these first.")],
        ),
    ]


def calibration() -> Finding:
    bins = [
        {
            "low": k / 10,
            "high": (k + 1) / 10,
            "confidence": k / 10 + 0.06,
            "accuracy": min(1.0, k / 10 + 0.03 + 0.02 * (k % 3)),
            "n": 8 + k**4,
        }
        for k in range(3, 10)
    ]
    return Finding(
        "calibration",
        "ok",
        message(
            "Its probabilities can be believed: on average it states {stated:percent} and is right "
            "{right:percent} of the time.",
            stated=0.9896,
            right=0.9912,
        ),
        [Number("calibration error", 0.0041, "share", n=10_000), Number("temperature", 0.713, "")],
        data={"bins": bins},
        source="test",
    )


def training() -> Finding:
    return Finding(
        "training",
        "ok",
        message(
            "After {epochs:count} epochs, the weights of epoch {best:count} were kept: {accuracy:percent} of "
            "{n:count} validation images correct.",
            epochs=8,
            best=7,
            accuracy=0.989,
            n=6000,
        ),
    )


def data() -> Finding:
    return Finding(
        "data",
        "warn",
        message("{n:count} images were used and {out:count} left out.", n=70_000, out=3),
        table=Table(
            [("part", "text"), ("images", "count")],
            [
                [message("training"), 54_000],
                [message("validation"), 6000],
                [message("test"), 10_000],
                [message("left out: {reason}", reason=message("not an image").to_json()), 1],
            ],
        ),
        data={"excluded": 3},
    )


def cost() -> Finding:
    return Finding(
        "cost",
        "ok",
        message(
            "The model file takes {size:bytes} and names an image in {ms:number} ms on this machine; the work "
            "took {whole:duration} (estimate: {quoted:duration}).",
            size=1_240_000,
            ms=0.41,
            whole=92.0,
            quoted=88.0,
        ),
        [
            Number("parameters", 303_146, "count"),
            Number("model file", 1_240_000, "bytes"),
            Number("training time", 74.0, "s"),
            Number("total time", 92.0, "s"),
            Number("estimated time", 88.0, "s"),
            Number("milliseconds an image", 0.41, "ms"),
        ],
    )


def exported() -> Finding:
    says = "The exported file gives the same answers as the network it came from, on {n:count} images."
    difference = Number("largest difference in a probability", 2.3e-7, "share", n=32)
    return Finding("export", "ok", message(says, n=32), [difference])


def unheard_of() -> Finding:
    details = [message("A finding that the page has never heard of.")]
    return Finding("robustness", "unknown", message("Not measured."), [Number("images", 5, "count")], details=details)


def inside(channels: int = 5, side: int = 3) -> Finding:
    rng = np.random.default_rng(3)
    patch, kernel = (
        rng.normal(0, 1, (channels, side, side)).round(6),
        rng.normal(0, 0.3, (channels, side, side)).round(6),
    )
    products = patch * kernel
    value = float(products.sum()) + 0.104
    data = {
        "layer": "features.0.conv",
        "channel": 12,
        "y": 9,
        "x": 14,
        "patch": patch.tolist(),
        "kernel": kernel.tolist(),
        "products": products.tolist(),
    }
    data |= {"bias": 0.104, "sum": value, "torch": value + 1e-8, "residual": 1e-8}
    steps = (("features.0.norm", "batch_norm", value / 2), ("features.0.relu", "relu", max(0.0, value / 2)))
    data["after"] = [{"layer": layer, "name": name, "value": one} for layer, name, one in steps]
    says = message(
        "One number inside the network, {value:number}, is the sum of {terms:count} products (unit "
        "{channel} of layer {layer}, row {y}, column {x}).",
        channel=12,
        layer="features.0.conv",
        y=9,
        x=14,
        terms=45,
        value=value,
    )
    return Finding("inside", "ok", says, [Number("difference from torch", 1e-8, "")], data=data)
