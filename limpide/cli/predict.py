"""predict: what is on these images."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from limpide.cli.click_extensions import verb
from limpide.core.errors import Exit
from limpide.text.messages import N_


@verb(
    N_("name what image files show"),
    N_("""Name what FILES (images, folders, patterns) show, with the model of RUN (a run, its model.onnx, or a
published network).

\b
limpide predict runs/photos-001 new.jpg
limpide predict efficientnet_lite0 new.jpg       one of 1,000 things, without any training
limpide predict runs/photos-001 inbox/ --csv > names.csv
A file that cannot be used is reported on standard error and left out; the exit status is 3 when no file could be
used."""),
)
@click.argument("run")
@click.argument("files", nargs=-1, required=True)
@click.option("--top", default=3, show_default=True, type=click.IntRange(1), help=N_("how many classes to name"))
@click.option("--csv", "how", flag_value="csv", help=N_("print CSV, each row as soon as it is known"))
@click.option(
    "--jsonl", "how", flag_value="jsonl", help=N_("print one JSON object per line, each as soon as it is known")
)
@click.option("--json", "how", flag_value="json", help=N_("print a JSON list"))
def predict(run: str, files: Sequence[str], top: int, how: str | None) -> None:
    from limpide.data.inputs import files_in
    from limpide.deploy.imagenet_names import translate_predictions
    from limpide.deploy.load import is_published, unfinished_warning
    from limpide.report.terminal import progress
    from limpide.report.terminal.predictions import write_answers
    from limpide.workflows.predict import predict as work

    if says := unfinished_warning(run):
        click.echo(f"limpide: {says}", err=True)
    answers = work(run, files_in(files), top)
    if how is None and is_published(run):
        answers = translate_predictions(answers)
    named, first = write_answers(answers, how or "table")
    if named and how is None:
        words: tuple[str, ...] = ("evaluate", run, "photos/")
        if is_published(run):
            words = ("train", "photos/")
        elif Path(run).is_dir():
            words = ("explain", run, first)
        progress.Screen().next("limpide", *words)
    sys.exit(Exit.DONE if named else Exit.DATA)
