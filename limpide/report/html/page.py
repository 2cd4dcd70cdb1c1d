"""A run as one self-contained HTML page: it makes no requests, so it can be mailed, archived and printed.

Each finding has its place on the page; a finding that the run does not have leaves no gap, and one that this page does
not know is shown as it is.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from limpide.core.cost import Cost
from limpide.core.finding import VERDICT_MARKS, VERDICT_WORDS, Finding, Picture
from limpide.core.recipe import Recipe
from limpide.core.run import Run
from limpide.judging import registry
from limpide.report import finding_words, unit_grid
from limpide.report.html import charts, confusion, run_data
from limpide.report.html.interactive import interactive_part
from limpide.report.html.pictures import chosen_pictures
from limpide.report.next_steps import next_step
from limpide.system.files import write_bytes
from limpide.text import formats
from limpide.text.language import current_language
from limpide.text.messages import N_, Message, _, message, render

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

FROM_FINDING_WORDS = ("source_words", "number_of", "second_line", "value_of")  # functions that templates call
FROM_FORMATS = ("format_cell", "format_measure", "format_interval", "format_basis", "NOTHING")
TEMPLATES = Path(__file__).with_name("templates")
MAX_FILES = 200  # of those left out, listed by name
WORST_FIRST = ("bad", "warn", "unknown", "ok")
SCORE = "accuracy"  # shown above all sections
FEW_CLASSES = 12  # rows of a table that are shown before "all of them"

LANGUAGE_AND_IMAGES = re.compile(rb'<html lang="(\w+)">.*?<meta name="images" content="(yes|no)">', re.S)

# Facts about the run, besides the audits: finding → (heading, the audit before which it is shown; "": after all of
# them).
FACTS = {
    "training": (N_("How it learned"), "calibration"),
    "data": (N_("The images"), ""),
    "cost": (N_("What it cost"), ""),
    "export": (N_("The exported file"), ""),
}
PLAIN = {
    "left_out": N_("What was left out"),
    "window": N_("What decided the answer"),
}  # headings of findings that have no place of their own
SECONDS = 2.0  # s, about: weighing the evidence, and the page


@dataclass(frozen=True)
class Section:
    name: str
    title: str  # msgid
    template: str
    finding: Finding | None
    todo: Message | None = None  # what to do after reading it


def cost() -> Cost:
    return Cost(SECONDS)


def write_page(run: Run, *, images: bool = True) -> Path:
    """Write `run.report_file` in the current language and return its path.

    `images=False` leaves out every picture and every file name.
    """
    # A file name that is not Unicode contains lone surrogates, which the page escapes.
    write_bytes(run.report_file, html_of(run, images=images).encode("utf-8", "backslashreplace"))
    return run.report_file


def written_as(file: Path) -> tuple[str, bool] | None:
    """Return (language, whether it has pictures and file names) of a page that `write_page` wrote; None for a page that
    does not say.
    """
    with open(file, "rb") as stream:
        match = LANGUAGE_AND_IMAGES.search(stream.read(1000))
    return (match[1].decode(), match[2] == b"yes") if match else None


def html_of(run: Run, *, images: bool = True) -> str:
    info, findings = run.info(), run.findings()
    living = interactive_part(run, findings.get("inside"), info.classes) if images else None
    pictures, lost = chosen_pictures(findings, images, len(living.data) if living else 0)
    events = list(run.events())
    context = {
        "run": run.path.name,
        "info": info,
        "findings": findings,
        "todo": _todo(SCORE, findings, run.path.name),
        "sections": list(_sections(findings, events, run.path.name)),
        "pictures": pictures,
        "lost": lost,
        "images": images,
        "data": run_data.data_of(run.split_file, run.excluded_file),
        "checks": sorted(
            (findings[name] for name in run_data.CHECKS if name in findings), key=lambda f: WORST_FIRST.index(f.verdict)
        ),
        "told": run_data.notes(events),
        "history": run_data.history(events, keeps_last=info.recipe.get("keep") == "last"),
        "matrix": _matrix(findings, pictures),
        "arithmetic": unit_grid.arithmetic_of(findings["inside"]) if "inside" in findings else None,
        "living": living,
        "nonce": "",
        "made_facts": run_data.made_facts(info),
        "meanings": {choice.name: choice.metadata["meaning"] for choice in dataclasses.fields(Recipe)},
        "lang": current_language(),
        "style": asset("report.css") + (asset("living.css") if living else ""),
        "script": asset("report.js"),
        "script_hash": base64.b64encode(hashlib.sha256(asset("report.js").encode()).digest()).decode(),
    }
    template = environment().get_template("report.html")
    page = template.render(context)
    return page if living is None else template.render(context | {"nonce": _nonce(page)})


def _nonce(page: str) -> str:
    """A nonce allows the modules in an import map, and those they import inherit it: `data:` as such stays forbidden.
    It is a hash of the whole page, so the author of a text in the page cannot know it, and the same run still yields
    the same page.
    """
    return hashlib.sha256(page.encode("utf-8", "backslashreplace")).hexdigest()[:32]


def _sections(findings: Mapping[str, Finding], events: Sequence[object], run: str) -> Iterator[Section]:
    known = {"accuracy", "diagnosis", *run_data.CHECKS}  # the diagnosis is shown with the curves of the training
    for name, title in headings().items():
        known.add(name)
        if name in findings or (name == "training" and any(True for e in events if hasattr(e, "loss"))):
            yield Section(name, title, _template(name), findings.get(name), _todo(name, findings, run))
    for name, finding in findings.items():
        if name not in known:
            yield Section(name, PLAIN.get(name, name.replace("_", " ").capitalize()), "other.html", finding)
    yield Section("made", N_("How it was made"), "made.html", None)


def _todo(name: str, findings: Mapping[str, Finding], run: str) -> Message | None:
    """What to do after this section, by the worst of what it shows: the images stand with the checks of the folder, the
    curves with the diagnosis.
    """
    shown = {"data": ("data", *run_data.CHECKS), "training": ("training", "mirroring", "diagnosis")}.get(name, (name,))
    verdicts = [findings[one].verdict for one in shown if one in findings]
    worst = min(verdicts, key=WORST_FIRST.index, default=None)
    return next_step(name, worst, findings.get(name), run) if worst else None


def headings() -> dict[str, str]:
    """Finding → heading (msgid), in the order of the page: the questions of the audits, and between them the facts of
    the run. The score is shown above them; `made` has no finding.
    """
    titles: dict[str, str] = {}
    for audit in registry.AUDITS:
        titles |= _facts_before(audit.name)
        if audit.name != SCORE:
            titles[audit.name] = audit.question
    return titles | _facts_before("")


def _facts_before(audit: str) -> dict[str, str]:
    return {name: title for name, (title, before) in FACTS.items() if before == audit}


def _template(name: str) -> str:
    """The template of this audit, where it has one, or else "other.html"."""
    return f"{name}.html" if (TEMPLATES / f"{name}.html").exists() else "other.html"


def _matrix(findings: Mapping[str, Finding], pictures: Mapping[str, Sequence[Picture]]) -> confusion.Matrix | None:
    return confusion.matrix_of(findings["confusion"], pictures["confusion"]) if "confusion" in findings else None


# -- called by the templates


def render_text(sentence: str) -> str:
    """The sentence in the current language. (gettext answers an empty msgid with the header of its catalogue.)"""
    return _(sentence) if sentence else ""


def say(id: str, plural: str | None = None, **values: Any) -> str:
    """A sentence of the page itself: `say(N_("{n:count} images"), n=3)`."""
    return render(id, values, plural)


def rows_by(finding: Finding | None) -> list[dict[str, Any]]:
    """The rows of a finding's table as {column msgid: value}, so that columns may be added or removed."""
    if finding is None or finding.table is None:
        return []
    names = [name for name, _form in finding.table.columns]
    return [dict(zip(names, row, strict=False)) for row in finding.table.rows]


def weakest_first(finding: Finding) -> list[dict[str, Any]]:
    rows = rows_by(finding)
    return sorted(rows, key=lambda row: (row.get("recall") is None, row.get("recall") or 0.0))


def loss_chart(history: run_data.History, loss: str = "cross-entropy") -> Markup | None:
    all_curves = [
        charts.Curve(_("each batch"), "faint", history.steps),
        charts.Curve(_("training"), "training", history.train_loss if history.by_epoch else []),
        charts.Curve(_("validation"), "validation", history.validation_loss),
    ]
    curves = [curve for curve in all_curves if curve.points]
    if max((len(curve.points) for curve in curves), default=0) < 2:
        return None
    title = _("Loss during training")
    unit = _("loss (nats per image)") if loss == "cross-entropy" else _("loss")
    return charts.learning_curve(curves, title, _horizontal_axis(history), unit, best=history.best)


def accuracy_chart(history: run_data.History) -> Markup | None:
    all_curves = [
        charts.Curve(_("training"), "training", history.train_accuracy),
        charts.Curve(_("validation"), "validation", history.validation_accuracy),
    ]
    curves = [curve for curve in all_curves if curve.points]
    if max((len(curve.points) for curve in curves), default=0) < 2:
        return None
    title = _("Accuracy during training")
    return charts.learning_curve(
        curves, title, _horizontal_axis(history), _("accuracy (%)"), shares=True, best=history.best
    )


def _horizontal_axis(history: run_data.History) -> str:
    return _("epochs (passes over the training images)") if history.by_epoch else _("steps (batches of images)")


def simpler_chart(finding: Finding, accuracy: Finding | None) -> Markup | None:
    rows = [
        (formats.format_cell(row.get("model")), row["accuracy"], row.get("low"), row.get("high"))
        for row in rows_by(finding)
        if isinstance(row.get("accuracy"), (int, float))
    ]
    if not rows:
        return None
    words = {"chance": _("guessing at random:"), "majority": _("always the most frequent class:")}
    values = [(words[name], finding_words.value_of(accuracy, name)) for name in words]
    return charts.interval_bars(rows, [(name, share) for name, share in values if share is not None])


def squares_of(accuracy: float, n: int | None) -> dict[str, Any]:
    """One square an image up to a thousand; beyond, a thousand squares that represent all. Rounding never hides the
    last mistake.
    """
    total = n if n and n <= 1000 else 1000
    wrong = round((1 - accuracy) * total)
    if 0 < accuracy < 1:
        wrong = min(max(wrong, 1), total - 1)
    return {"chart": charts.squares(total - wrong, total), "total": total, "wrong": wrong, "exact": total == n}


@cache
def asset(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


@cache
def environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    def finalize(value: Any) -> Any:
        """Convert every value that enters the page; escaping for HTML comes after this."""
        return value if isinstance(value, Markup) else formats.visible_text(value)

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        finalize=finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # Style and script are our own and must not be escaped; nothing else is ever marked as safe.
    environment.filters["ours"] = Markup
    environment.globals |= {
        "_": render_text,
        "N_": N_,
        "say": say,
        "message": message,
        "rows_by": rows_by,
        "weakest_first": weakest_first,
    }
    environment.globals |= {"loss_chart": loss_chart, "accuracy_chart": accuracy_chart, "simpler_chart": simpler_chart}
    environment.globals |= {
        "squares_of": squares_of,
        "reliability": charts.reliability,
        "small_interval": charts.small_interval,
    }
    environment.globals |= {"MAX_FILES": MAX_FILES, "FEW_CLASSES": FEW_CLASSES, "recipe_of": run_data.recipe_of}
    environment.globals |= {name: getattr(finding_words, name) for name in FROM_FINDING_WORDS}
    environment.globals |= {name: getattr(formats, name) for name in FROM_FORMATS}
    environment.globals |= {"VERDICT_WORDS": VERDICT_WORDS, "VERDICT_MARKS": VERDICT_MARKS}
    return environment
