"""The page Live: a training that is watched, and what it says of a run that is judged or finished."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from limpide.core.events import Epoch, to_line
from limpide.core.run import Run
from limpide.core.run_info import Final
from limpide.studio.series import summary
from tests.studio.pages.drive import RUN, go, hide, open_page
from tests.studio.pages.plant import plant
from tests.studio.serving import Server, begun, ended, learning, served


def watch_the_curve(page: Any) -> None:
    """It moves while somebody looks, and rests while nobody does."""
    step = page.locator(".figures dd").nth(1)
    seen = []
    for _ in range(8):
        seen.append(step.inner_text())
        time.sleep(0.5)
    assert len(set(seen)) >= 7, f"at least twice a second: {seen}"
    hide(page, True)
    page.wait_for_timeout(600)  # what was under way
    before = step.inner_text()
    page.wait_for_timeout(1500)
    assert step.inner_text() == before, "nobody looks: nothing is drawn"
    hide(page, False)
    page.wait_for_function("before => document.querySelectorAll('.figures dd')[1].innerText !== before", arg=before)


def keep_weights(page: Any, run: Run) -> None:
    page.get_by_role("button", name="Keep the weights now").click()
    page.wait_for_function(
        "() => [...document.querySelectorAll('main li')].some((line) => /as a watcher asked/.test(line.innerText))"
    )
    kept = max(run.kept())
    page.wait_for_selector(f".bar option[value='{kept}']", state="attached")


def pause(page: Any) -> None:
    """What stands in the run stands in every page of it."""
    page.click("text=Pause")
    page.wait_for_selector(".figures >> text=/^paused after step [\\d,]+$/")
    paused = page.inner_text("h1")
    assert re.fullmatch(r"Paused after step [\d,]+\.", paused)
    page.reload()
    page.wait_for_selector(f"h1 >> text={paused}")
    assert (
        page.get_by_role("button", name="Resume").is_visible() and page.get_by_role("button", name="Pause").count() == 0
    )
    tab = page.context.new_page()
    tab.goto(page.url.split("#")[0] + "#page=runs")
    tab.wait_for_selector("td >> text=/^paused after step [\\d,]+$/")
    tab.close()


def go_down_to_one_product(page: Any) -> None:
    """Network, layer, unit, one product of its sum, and the unit that the product's value comes from."""
    page.get_by_role("link", name="Anatomy").click()
    page.wait_for_selector("table")
    page.get_by_role("link", name="blocks.1.0", exact=True).click()
    page.wait_for_selector(".map canvas")
    page.locator(".map canvas").nth(2).click()
    page.wait_for_selector(".written")
    agrees(page)
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(300)
    agrees(page)
    cell = page.locator("a.cell").first
    cell.hover()
    value, weight, product = (
        float(part.replace("\u2212", "-"))
        for part in re.split(r"[×=]", page.locator(".sum ~ p[role=status]").inner_text())
    )
    assert value * weight == pytest.approx(product, abs=2e-6)
    cell.click()
    page.wait_for_function(
        "() => !location.hash.includes('key=blocks.1.0&') && !location.hash.endsWith('key=blocks.1.0')"
    )
    page.wait_for_selector(".written .badge.ok")


def test_from_the_curve_to_one_product_while_it_trains(browser: Any, tmp_path: Path) -> None:
    process = begun(tmp_path, "--epochs", "2000", "--model", "cnn", "--patience", "2000", "--batch", "32")
    try:
        run = learning(tmp_path)
        server = served(tmp_path)
        try:
            for page in open_page(browser, server):
                go(page, f"page=live&run={run.path.name}")
                watch_the_curve(page)
                keep_weights(page, run)
                pause(page)
                page.locator(".u-over").first.click(position={"x": 60, "y": 60})
                page.wait_for_function("() => /at=\\d+/.test(location.hash)")
                assert int(re.search(r"at=(\d+)", page.url).group(1)) in run.kept()  # type: ignore[union-attr]
                go_down_to_one_product(page)
                go(page, f"page=live&run={run.path.name}")
                page.click("text=Finish with what it has learned")
                assert process.wait(120) == 0
        finally:
            ended(server)
    finally:
        process.kill()
    assert run.info().status == "finished"


def agrees(page: Any) -> None:
    page.wait_for_selector(".written .badge.ok")
    rows = {
        row.locator("td").nth(2).inner_text(): row.locator("td").nth(1).inner_text()
        for row in page.locator(".written tr").all()
    }
    ours, torchs = (
        float(
            next(value for name, value in rows.items() if name.startswith(start))
            .replace(",", "")
            .replace("\u2212", "-")
        )
        for start in ("value,", "the same value")
    )
    assert ours == pytest.approx(torchs, abs=1e-4)


def test_the_weights_that_are_kept_are_named(page: Any, trained: Path) -> None:
    go(page, f"page=live&{RUN}", ".probe")
    events = [json.loads(line) for line in (Run.all_in(trained)[0].events_file).read_text().splitlines()]
    best = [event for event in events if event["kind"] == "epoch" and event["best"]][-1]
    shown = page.inner_text("main")
    assert (
        f"Kept: the weights after epoch {best['n'] + 1}, with the highest validation accuracy: "
        f"{100 * best['validation_accuracy']:.1f}"
    ) in shown
    assert f"{page.locator('.probe').count()} validation images, watched during training" in shown


def test_live_says_what_of_a_judged_run_is_worth_a_look(copied: Path, page: Any) -> None:
    run = Run(copied)
    plant(run, "accuracy", "warn")
    plant(run, "calibration", "bad")
    expected = [
        str(one.message) for verdict in ("bad", "warn") for one in run.findings().values() if one.verdict == verdict
    ]
    go(page, "page=live&run=copied-001", "text=What to know before you use it")
    shown = page.locator("li:has(.badge)").all_inner_texts()
    assert len(shown) == len(expected) >= 2 and all(any(sentence in line for line in shown) for sentence in expected)
    page.get_by_role("link", name="All claims, with their evidence").click()
    page.wait_for_selector(".finding")


def test_a_click_on_the_curve_that_is_answered_late_moves_nothing_else(copied: Path, page: Any) -> None:
    go(page, f"page=live&run={copied.name}")
    page.wait_for_selector(".u-over")
    page.evaluate(
        "() => { window.kept = window.fetch; window.fetch = (...all) => new Promise((done) => setTimeout(() => "
        "done(window.kept(...all)), 700)) }"
    )
    page.locator(".u-over").first.click(position={"x": 30, "y": 60})
    page.evaluate(f"() => {{ location.hash = 'page=anatomy&run={copied.name}' }}")
    page.wait_for_timeout(1200)
    assert page.evaluate("() => location.hash") == f"#page=anatomy&run={copied.name}", (
        "somebody went elsewhere meanwhile"
    )
    page.evaluate("() => { window.fetch = window.kept }")
    go(page, f"page=live&run={copied.name}")
    page.wait_for_selector(".u-over")
    steps = sorted(Run(copied).kept())
    page.evaluate(
        "() => { window.fetch = (url, ...all) => (/[/]runs[/][^/]+[?]/.test(url) ? Promise.reject(new "
        "TypeError('gone')) : window.kept(url, ...all)) }"
    )
    page.locator(".u-over").first.click(position={"x": 30, "y": 60})
    page.wait_for_function("() => location.hash.includes('at=')")
    assert int(page.evaluate("() => new URLSearchParams(location.hash.slice(1)).get('at')")) in steps, (
        "without an answer, of those that were known"
    )
    page.evaluate("() => { window.fetch = window.kept }")


@pytest.mark.parametrize(
    ("over", "kind", "first", "told"),
    [
        (True, "frozen", 0.5, "Kept: the first model"),
        (False, None, 1.01, "Highest validation accuracy so far: 101.0\N{NO-BREAK SPACE}%, of the first model"),
        (False, None, 0.0, "Highest validation accuracy so far: "),
    ],
)
def test_the_first_model_counts_among_what_is_kept(
    copied: Path, page: Any, over: bool, kind: str | None, first: float, told: str
) -> None:
    info = json.loads((copied / "run.json").read_text())
    final = info.pop("final")
    info |= {"frozen": {"accuracy": first, "loss": 1.0, "n": 40}} | (
        {"final": final | {"kind": kind}} if over else {"status": "stopped"}
    )
    (copied / "run.json").write_text(json.dumps(info))
    go(page, "page=live&run=copied-001", f"text={told}")
    assert ("after epoch" in page.inner_text("main")) == (first == 0.0)


def test_while_it_is_judged_live_speaks_of_the_model_that_is_kept(copied: Path, page: Any, server: Server) -> None:
    run = Run(copied)
    steps = [line for line in run.events_file.read_text().splitlines() if json.loads(line)["kind"] == "step"]
    for n in range(5):  # from the third pass on it overfits
        steps.append(
            json.dumps(to_line(Epoch(n, len(steps), 1 / (n + 1), 0.5 + 0.1 * abs(n - 1), 0.8 - n / 100, n == 0, 1.0)))
        )
    run.events_file.write_text("\n".join(steps) + "\n")
    info = run.info()
    run.update(
        final=replace(info.final or Final(), kind="frozen", validation=1.0),
        frozen={"accuracy": 1.0, "loss": 0.1, "n": 40},
    )
    for status, phase, said in (
        ("running", "judge", "judging the model on the test images"),
        ("finished", "done", "finished"),
    ):
        run.update(status=status, phase=phase)
        with run.lock():
            page.evaluate("() => { location.hash = 'page=learn' }")
            go(page, "page=runs", f"tr:has-text('copied-001') >> text={said}")
            go(page, "page=live&run=copied-001", f".figures >> text={said}")
            assert server.ask("/api/runs/copied-001/control", "POST", b'{"do": "pause"}')[0] == 409, (
                "what no longer does anything is refused"
            )
        assert (
            page.inner_text("h1")
            == "Fine-tuning did no better on validation than the first model, so the first model is kept."
        )
        figures = page.inner_text(".figures")
        assert (
            "Validation accuracy, kept model\n100.0\N{NO-BREAK SPACE}% first model" in figures
            and "Validation accuracy, last epoch\n76.0\N{NO-BREAK SPACE}% epoch 5" in figures
        )
        assert f"Step\n{info.steps}\n" in figures and "Machine" not in figures
        assert page.get_by_role("button", name="Pause").count() == 0 and "overfits" not in page.inner_text("main")


def test_a_network_that_was_fitted_at_once_has_no_curve_but_its_share(copied: Path, page: Any) -> None:
    (copied / "events.jsonl").write_text("")
    go(page, "page=live&run=copied-001", ".figures")
    page.wait_for_function("() => document.querySelector('.figures').innerText.includes('%')")
    figures = page.inner_text(".figures")
    assert f"{100 * Run.open(copied).info().final.validation:.1f}\N{NO-BREAK SPACE}%" in figures
    assert not any(word in figures for word in ("Step", "Loss", "Learning rate", "Speed", "Machine")), (
        "nothing that it has not"
    )
    assert "No curve" in page.inner_text("main")


def test_energy_is_the_same_on_every_page(copied: Path, page: Any) -> None:
    run = Run(copied)
    run.system_file.unlink(missing_ok=True)  # a short training writes nothing there
    used = run.info().energy
    assert used is not None
    said = page.evaluate(
        "joules => import('/static/i18n.js').then((words) => words.number(joules / 3600))", used.joules
    )
    go(page, "page=live&run=copied-001", f".figures >> text='{said}'")
    go(page, "page=compare&runs=copied-001", f"td >> text=/^{re.escape(said)} Wh/")
    run.add_line(run.system_file, {"step": 3, "joules": used.joules + 7.5, "how": "assumed"})
    assert summary(run)["energy"]["joules"] == used.joules, "what its record and its report say"
    run.update(phase="fit", status="stopped")
    assert summary(run)["energy"]["joules"] == used.joules + 7.5, "as far as it is known while it trains"
