"""What uses a model: predict, evaluate, explain, report."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from limpide.cli.click_extensions import as_json_object, language_option, verb, verdict
from limpide.core.errors import Exit, UsageError
from limpide.text.messages import N_, message


@verb(
    N_("name what is on image files"),
    N_("""Name what is on FILES (images, folders, patterns) with the model of RUN (a run, its model.onnx, or a published network).

\b
limpide predict runs/photos-001 new.jpg
limpide predict efficientnet_lite0 new.jpg       one of 1,000 things, with no training at all
limpide predict runs/photos-001 inbox/ --csv > names.csv
A file that cannot be used is named on standard error and left out; the exit status is 3 when no file could be used."""),
)
@click.argument("run")
@click.argument("files", nargs=-1, required=True)
@click.option("--top", default=3, show_default=True, type=click.IntRange(1), help=N_("how many classes to name"))
@click.option("--csv", "how", flag_value="csv", help=N_("print CSV, each row as soon as it is known"))
@click.option(
    "--jsonl", "how", flag_value="jsonl", help=N_("print one JSON object a line, each as soon as it is known")
)
@click.option("--json", "how", flag_value="json", help=N_("print a JSON list"))
def predict(run: str, files: Sequence[str], top: int, how: str | None) -> None:
    from limpide.data.inputs import files_in
    from limpide.deploy.load import is_published, unfinished_warning
    from limpide.report.terminal import progress
    from limpide.report.terminal.predictions import write_answers
    from limpide.workflows.predict import predict as work

    if says := unfinished_warning(run):
        click.echo(f"limpide: {says}", err=True)
    named, first = write_answers(work(run, files_in(files), top), how or "table")
    if named and how is None:
        words: tuple[str, ...] = ("evaluate", run, "photos/")
        if is_published(run):
            words = ("train", "photos/")
        elif Path(run).is_dir():
            words = ("explain", run, first)
        progress.Screen().next("limpide", *words)
    sys.exit(Exit.DONE if named else Exit.DATA)


@verb(
    N_("score a model on other labelled images"),
    N_(
        """Score the model of RUN on other labelled images: DATA is a folder with the same class names. The exit status is 1 when a verdict is bad."""
    ),
)
@click.argument("run")
@click.argument("data")
@as_json_object
def evaluate(run: str, data: str, as_json: bool) -> None:
    from limpide.report.terminal import progress
    from limpide.workflows.evaluate import evaluate as work

    screen = progress.Screen(quiet=as_json)
    findings = screen.collect(work(run, data))
    if as_json:
        accuracy = findings["accuracy"].number("accuracy")
        summary = {
            "run": run,
            "data": data,
            "accuracy": accuracy.value,
            "accuracy_low": accuracy.low,
            "accuracy_high": accuracy.high,
            "n": accuracy.n,
        }
        used = next(
            (number.value for number in findings["accuracy"].numbers if number.name == "used in training"), None
        )
        summary["notes"] = [note.to_json() for note in screen.notes]
        summary["used_in_training"] = None if used is None else int(used)  # null: only the model file is at hand
        click.echo(
            json.dumps(summary | {"findings": {name: f.to_json() | {"pictures": []} for name, f in findings.items()}})
        )
    else:
        screen.findings(findings)
        screen.next(*("limpide", "predict", run, data) if Path(data).is_dir() else ("limpide", "runs"))
    sys.exit(verdict(findings))


@verb(
    N_("open the network on one image, product by product"),
    N_("""Open the network of RUN on IMAGE: what it says, and one unit's value product by product.

\b
limpide explain runs/photos-001 new.jpg
limpide explain runs/photos-001 new.jpg --layer head --channel 1
limpide explain runs/photos-001 new.jpg --out inside.html   evidence and feature maps, too: .png, .html or .json"""),
)
@click.argument("run")
@click.argument("image")
@click.option("--layer", help=N_("a convolution or linear layer; without it, the first convolution"))
@click.option(
    "--channel",
    type=int,
    help=N_("channel of the unit, with --layer; without it, the unit that matters most for the answer"),
)
@click.option("-y", type=int, help=N_("row of the unit, with --layer"))
@click.option("-x", type=int, help=N_("column of the unit, with --layer"))
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help=N_(
        "write all of it, with evidence, feature maps and the training images most like it, into a file: .png, "
        ".html or .json"
    ),
)
@as_json_object
def explain(
    run: str,
    image: str,
    layer: str | None,
    channel: int | None,
    y: int | None,
    x: int | None,
    out: Path | None,
    as_json: bool,
) -> None:
    if layer is None and (channel, y, x) != (None, None, None):
        raise UsageError(
            "L114",
            N_("a unit is named by its layer first"),
            where="limpide explain",
            todo=N_("add --layer, or leave --channel, -y and -x out"),
        )
    from limpide.report.terminal import progress, tables

    screen = progress.Screen(quiet=as_json)
    with screen.busy(message(N_("starting"))):
        from limpide.explanation.analyze import place_of, write_picture
        from limpide.workflows.explain import explain as work
    if out is not None:
        place_of(out, image)
    named = 0 if (y, x) != (None, None) else None  # whoever names a place means the first channel
    with screen.busy(message(N_("opening the network"))):
        findings = work(run, image, layer, named if channel is None else channel, y or 0, x or 0)
    if as_json:
        click.echo(json.dumps({name: finding.to_json() for name, finding in findings.items()}))
    else:
        screen.findings(findings)
        tables.print_unit(findings["inside"])
    if out is not None:
        screen.say(message(N_("written: {file}"), file=str(screen.wait(write_picture(run, image, out, findings)))))
    if not as_json:
        studio = ("studio", run) if Path(run).is_dir() else ("studio", "--model", run, "--images", Path(image).parent)
        screen.next("limpide", *(("explain", run, image, "--out", "explained.html") if out is None else studio))


@verb(
    N_("write the report again, in another language or without images"),
    N_("""Write the report of RUN again, in the language of --lang."""),
)
@click.argument("run")
@click.option("--no-images", is_flag=True, help=N_("leave pictures and file names of mistakes out of the report"))
@language_option(N_("language of the report"))
def report(run: str, no_images: bool) -> None:
    from limpide.core.run import Run
    from limpide.data.split_file import check_split
    from limpide.report.html.page import write_page
    from limpide.report.terminal import progress

    screen = progress.Screen()
    opened = Run.open(run)
    check_split(opened)
    write_page(opened, images=not no_images)
    screen.report(opened)
    screen.next("limpide", "predict", run, "new.jpg")
