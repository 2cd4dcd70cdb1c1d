"""One run, and every place that shows its numbers: studio, report, terminal, JSON, Python. They are equal, or this
fails.

A number of a place is taken for known where the findings of the run, its decisions or its recipe hold it; what no file
of the run holds was worked out by that place alone, and would be another number one day.
"""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

import limpide
from limpide import ImageClassifier
from limpide.core.run import Run
from limpide.data.split_file import read_split
from limpide.deploy.predictor import Predictor
from limpide.report.html import run_data
from limpide.report.html.page import html_of
from limpide.report.terminal.summary import print_report
from limpide.text.formats import format_cell, format_measure
from limpide.text.language import use_language
from tests.runner import limpide as command
from tests.studio.pages.drive import RUN, go, open_page
from tests.studio.serving import Server
from tests.studio.written_numbers import Sections, known_of, numbers, plain


@pytest.fixture(scope="module")
def run(trained: Path) -> Run:
    return Run(trained / "photos-001")


@pytest.fixture
def page(browser: Any, server: Server) -> Iterator[Any]:
    yield from open_page(browser, server)


@pytest.fixture(params=["en", "fr"])
def spoken(request: pytest.FixtureRequest) -> Iterator[str]:
    use_language(request.param)
    yield request.param
    use_language("en")


def test_no_number_of_the_terminal_is_its_own(run: Run, spoken: str) -> None:
    shown = io.StringIO()
    print_report(run, Console(file=shown, width=300))
    assert numbers(shown.getvalue()) - known_of(run) == set()
    assert plain(format_measure(run.finding("accuracy").number("accuracy").value, "share")) in plain(shown.getvalue())  # type: ignore[union-attr]


def test_no_number_of_the_report_is_its_own(run: Run, spoken: str) -> None:
    """But for the sums of one unit, which are compared with torch elsewhere
    (tests/report/html/test_interactive_sums.py).
    """
    texts = Sections(html_of(run)).texts
    sentences = numbers(
        " ".join(
            re.findall(
                r'msg(?:id|str).*?"(.*)"',
                Path(limpide.__file__).with_name("locale").joinpath("fr/LC_MESSAGES/limpide.po").read_text(),
            )
        )
    )  # "the interval (95 %)"
    own = {
        name: numbers(text) - known_of(run) - sentences
        for name, text in texts.items()
        if name not in ("inside", "made", "")
    }
    assert {name: found for name, found in own.items() if found} == {}
    for name in ("accuracy", "training", "calibration", "cost"):
        for number in run.finding(name).numbers:  # type: ignore[union-attr]
            if name != "accuracy" or number.name == "accuracy":
                for value in (number.value, *([] if number.low is None else [number.low, number.high])):
                    assert plain(format_measure(value, number.unit)) in plain(texts[name]), (name, number)


READ = """() => [...document.querySelectorAll('section.finding')].map(section => ({
    says: section.querySelector('p').innerText,
    numbers: [...section.querySelectorAll('dl.figures > div')].map(one => one.innerText),
    heads: [...section.querySelectorAll('th')].map(one => one.innerText),
    rows: [...section.querySelectorAll('tbody tr')].map(row => [...row.children].map(one => one.innerText)),
    details: [...section.querySelectorAll('details > p.small')].map(one => one.innerText),
}))"""


def test_the_studio_shows_every_claim_with_the_numbers_of_the_run(run: Run, page: Any, spoken: str) -> None:
    page.evaluate("lang => localStorage.setItem('limpide.language', lang)", spoken)
    page.reload()
    go(page, f"page=audit&{RUN}", "section.finding")
    page.evaluate("() => document.querySelectorAll('details').forEach(one => (one.open = true))")
    for button in page.locator("section.finding .scroll + button").all():
        button.click()
    shown = page.evaluate(READ)
    # one unit: the page Unit shows it
    findings = {name: one for name, one in run.findings().items() if (name, one.verdict) != ("inside", "ok")}
    assert len(shown) == len(findings)
    for name, finding in findings.items():
        says = " ".join(plain(finding.message).split())
        matching = [one for one in shown if says in " ".join(plain(one["says"]).split())]
        assert len(matching) == 1, (name, says)
        one = matching[0]
        assert len(one["numbers"]) == len(finding.numbers), name
        for text, number in zip(one["numbers"], finding.numbers, strict=True):
            said = plain(text)
            assert plain(format_measure(number.value, number.unit)) in said, (name, number, said)
            for end in (number.low, number.high):
                assert end is None or plain(format_measure(end, number.unit)) in said, (name, number, said)
            assert number.n is None or plain(format_cell(number.n, "count")) in said, (name, number, said)
        if finding.table and finding.table.rows:
            expected = [
                [plain(format_cell(value, form)) for value, (_, form) in zip(row, finding.table.columns, strict=True)]
                for row in finding.table.rows
            ]
            assert [[" ".join(plain(value).split()) for value in row] for row in one["rows"]] == [
                [" ".join(v.split()) for v in row] for row in expected
            ], name


Shown = dict[str, str]  # place → how a quantity is written there


def same(quantity: str, places: Shown) -> None:
    assert len(places) > 1 and len(set(places.values())) == 1, f"{quantity}: {places}"


@pytest.fixture(scope="module")
def listed(run: Run) -> dict[str, Any]:
    return json.loads(command("runs", run.path.parent, "--json", cwd=run.path.parent).stdout)[0]  # type: ignore[no-any-return]


def share(value: float) -> str:
    return plain(format_measure(value, "share"))


def in_lists(page: Any, run: Run) -> dict[str, Shown]:
    """What the rows of the run say on Runs and on Compare."""
    use_language("en")
    return {
        name: _row(page, hash)
        for name, hash in (("Runs", "page=runs"), ("Compare", f"page=compare&runs={run.path.name}&by=energy"))
    }


def asked_anew(run: Run) -> tuple[int, int]:
    """(test images that the sealed file names rightly, test images)."""
    rows = [row for row in read_split(run.split_file) if row["part"] == "test"]
    predictor = Predictor(run.model_file)
    said = predictor.probabilities([opened(run.path.parents[1] / "photos" / row["file"]) for row in rows]).argmax(1)
    return sum(predictor.classes[k] == row["label"] for k, row in zip(said, rows, strict=True)), len(rows)


def check_mistakes(run: Run, server: Server, right: int, n: int) -> None:
    """What Errors shows, against the findings and the sealed file, asked anew."""
    findings = run.findings()
    score, matrix = findings["accuracy"].number("accuracy"), np.array(findings["confusion"].data["matrix"])
    errors = server.json(f"/api/runs/{run.path.name}/look/worst")
    same(
        "mistakes",
        {"asked anew": str(n - right), "Errors": str(errors["wrong"]), "matrix": str(matrix.sum() - np.trace(matrix))},
    )
    assert f"wrong on {n - right} of {n}" in plain(findings["mistakes"].message) and errors[
        "interval"
    ] == pytest.approx([1 - score.high, 1 - score.low])
    believed = [(n.name, n.value, n.low, n.high, n.n) for n in findings["calibration"].numbers]
    assert [(n["name"], n["value"], n["low"], n["high"], n["n"]) for n in errors["finding"]["numbers"]] == believed
    assert (
        errors["finding"]["text"] == str(findings["calibration"].message)
        and errors["bins"] == findings["calibration"].data["bins"]
    )


def test_the_score_is_the_same_everywhere(run: Run, server: Server, page: Any, listed: dict[str, Any]) -> None:
    rows, findings = in_lists(page, run), run.findings()
    score, classes = findings["accuracy"].number("accuracy"), findings["classes"].table
    assert (
        score.low is not None
        and score.high is not None
        and score.low <= score.value <= score.high
        and classes is not None
    )
    text = plain(Sections(html_of(run)).texts["accuracy"])
    right, n = asked_anew(run)
    matrix = np.array(findings["confusion"].data["matrix"])
    column = {name: k for k, (name, _) in enumerate(classes.columns)}
    recalled = sum(row[column["recall"]] * row[column["test images"]] for row in classes.rows)
    same(
        "accuracy",
        {
            "finding": share(score.value),
            "runs --json": share(listed["accuracy"]),
            "the sealed file, asked anew": share(right / n),
            "the matrix": share(np.trace(matrix) / matrix.sum()),
            "all recalls": share(recalled / n),
            "the network among simpler models": share(findings["simpler"].table.rows[0][1]),  # type: ignore[union-attr, arg-type]
            "Runs": rows["Runs"]["accuracy"],
            "Compare": rows["Compare"]["accuracy"],
            "the run's own pages": share(server.json(f"/api/runs/{run.path.name}")["accuracy"]["value"]),
            "report": share(score.value) if share(score.value) in text else text,
        },
    )
    for end, value in (("low", score.low), ("high", score.high)):
        places = {name: row[end] for name, row in rows.items()}
        same(
            f"accuracy, {end}",
            {
                "finding": share(value),
                "runs --json": share(listed[f"accuracy_{end}"]),
                "report": share(value) if share(value) in text else text,
            }
            | places,
        )
    check_mistakes(run, server, right, n)
    final = run.info().final
    assert (
        final is not None
        and final.validation is not None
        and share(final.validation) in plain(findings["training"].message)
    )
    go(page, f"page=live&{RUN}", "dl.figures")
    assert f"Validation accuracy, kept model\n{share(final.validation)}" in plain(page.inner_text("main"))


def test_what_it_cost_is_the_same_everywhere(run: Run, server: Server, page: Any, listed: dict[str, Any]) -> None:
    rows, finding = in_lists(page, run), run.findings()["cost"]
    cost = finding.number

    def seconds(value: float) -> str:
        return plain(format_measure(value, "s"))

    energy = next(number for number in finding.numbers if number.unit == "Wh")
    same(
        "energy",
        {"finding": plain(format_measure(energy.value, "Wh"))} | {name: row["energy"] for name, row in rows.items()},
    )
    times = {"finding": cost("total time").value, "runs --json": listed["seconds"], "run.json": run.info().seconds}
    same("total time", {name: seconds(value) for name, value in times.items()} | {"Runs": rows["Runs"]["time"]})  # type: ignore[arg-type]
    same(
        "training time",
        {"finding": seconds(cost("training time").value), "runs --json": seconds(listed["training_seconds"])},
    )
    same("model file", {"finding": f"{cost('model file').value:.0f}", "disk": str(run.model_file.stat().st_size)})
    anatomy = server.json(f"/api/runs/{run.path.name}/look/anatomy?image=row-0")["ops"]
    same(
        "parameters",
        {"finding": str(int(cost("parameters").value)), "Anatomy": str(sum(op["parameters"] for op in anatomy))},
    )
    same(
        "multiply-adds",
        {
            "finding": str(int(cost("multiply-adds an image").value)),
            "Anatomy": str(sum(op["multiply_adds"] for op in anatomy)),
        },
    )


def test_images_are_counted_alike_everywhere(run: Run, server: Server) -> None:
    counted: Counter[str] = Counter()
    for of_class in server.json(f"/api/runs/{run.path.name}/look/album")["counts"].values():
        counted.update(of_class)
    report = {
        name.replace("training", "train"): n for name, n in run_data.data_of(run.split_file, run.excluded_file).parts
    }
    assert Counter(row["part"] for row in read_split(run.split_file)) == counted == report


def opened(file: Path) -> Image.Image:
    with Image.open(file) as found:
        return found.convert("RGB")


def _row(page: Any, hash: str) -> Shown:
    """Accuracy, its interval, energy and whole time, as the row of the run shows them."""
    go(page, hash, "table tbody tr")
    text = plain(page.locator("table tbody tr").first.inner_text())
    accuracy, low, high = re.findall(r"\d+(?:\.\d+)? ?%", text)[:3]
    energy = re.search(r"[\d.]+ (?:Wh|kWh|mWh|µWh)", text)
    time = re.findall(r"(?:\d+ h )?(?:\d+ min )?[\d.]+ s", text)
    return {
        "accuracy": accuracy,
        "low": low,
        "high": high,
        "energy": energy[0] if energy else "",
        "time": time[0] if time else "",
    }


def test_what_is_said_of_one_image_is_the_same_everywhere(run: Run, server: Server, tmp_path: Path) -> None:
    use_language("en")
    photos = run.path.parents[1] / "photos"
    probes = np.load(run.path / "predictions" / "probes.npz")
    watched = server.json(f"/api/runs/{run.path.name}/look/predictions")
    rows = [row["file"] for row in read_split(run.split_file)]
    model = ImageClassifier.load(run.path)
    test = np.load(run.path / "predictions" / "test.npz")
    for k in (0, len(probes["files"]) - 1):
        file = bytes(probes["files"][k]).decode()
        image = photos / file
        row = rows.index(file)
        top = {
            name: server.json(f"/api/runs/{run.path.name}/look/prediction?image={name}")["top"][0]
            for name in (f"probe-{k}", f"row-{row}")
        }
        told = json.loads(command("predict", run.path, image, "--json", cwd=tmp_path).stdout)[0]
        explained = json.loads(command("explain", run.path, image, "--json", cwd=tmp_path).stdout)
        by_classes = np.asarray(model.predict_proba([str(image)]))[0]
        seen = limpide.see(str(run.path), str(image))
        found = {
            "predict --json": told["probability"],
            "ImageClassifier": float(by_classes.max()),
            "Predictor": float(Predictor(run.model_file).probabilities([opened(image)])[0].max()),
            "studio, watched images": watched["probability"][k],
            "studio, the watched image": top[f"probe-{k}"]["probability"],
            "studio, the row of the data": top[f"row-{row}"]["probability"],
            "explain --json": explained["prediction"]["table"]["rows"][0][1],
            "see()": float(seen.probabilities.max()),
        }
        labels = {
            told["label"],
            str(model.predict([str(image)])[0]),
            watched["classes"][watched["predicted"][k]],
            *(one["class"] for one in top.values()),
        }
        assert len(labels) == 1, labels
        assert max(found.values()) - min(found.values()) < 2e-5, found
        same("its probability", {place: plain(format_measure(value, "share")) for place, value in found.items()})
    stored = {bytes(name).decode(): p.max() for name, p in zip(test["files"], test["probabilities"], strict=True)}
    mapped = server.json(f"/api/runs/{run.path.name}/look/embedding")
    errors = server.json(f"/api/runs/{run.path.name}/look/worst")
    worst = [*errors["mistakes"], *errors["doubtful"]]
    pictures = {
        p.file: p.probability for finding in run.findings().values() for p in finding.pictures if p.file in stored
    }
    of_map = {rows[row]: p for row, p in zip(mapped["rows"], mapped["probability"], strict=True) if rows[row] in stored}
    assert of_map and worst
    for place, some in {
        "Map": of_map,
        "Errors": {one["file"]: one["probability"] for one in worst},
        "pictures of the findings": pictures,
    }.items():
        for file, value in some.items():
            assert value == pytest.approx(float(stored[file]), abs=6e-5), (place, file)
