"""evaluate: the model on other labelled images."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from limpide.cli.click_extensions import as_json_object, verb, verdict
from limpide.text.messages import N_

# Numbers of the score that are repeated outside of the findings. A model of good parts has the last two instead of an
# accuracy.
IN_SUMMARY = ("accuracy", "false alarms", "escapes")


@verb(
    N_("score a model on other labelled images"),
    N_(
        """Score the model of RUN on other labelled images: DATA is a folder with the same class names.

\b
limpide evaluate runs/photos-001 new-photos/
limpide evaluate runs/photos-001 labels.csv              a table of file and label
limpide evaluate model.onnx new-photos/ --json           the file alone, for a program
The exit status is 1 when a verdict is bad."""
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
        summary: dict[str, Any] = {"run": run, "data": data}
        score = findings.get("accuracy") or findings["defects"]
        for name, number in {one.name: one for one in score.numbers if one.name in IN_SUMMARY}.items():
            key = name.replace(" ", "_")
            summary |= {key: number.value, f"{key}_low": number.low, f"{key}_high": number.high}
        summary["n"] = score.data.get("n") or score.number("accuracy").n
        used = next((number.value for number in score.numbers if number.name == "used in training"), None)
        summary["notes"] = [note.to_json() for note in screen.notes]
        summary["used_in_training"] = None if used is None else int(used)  # null: only the model file is at hand
        click.echo(
            json.dumps(summary | {"findings": {name: f.to_json() | {"pictures": []} for name, f in findings.items()}})
        )
    else:
        screen.findings(findings)
        screen.next(*("limpide", "predict", run, data) if Path(data).is_dir() else ("limpide", "runs"))
    sys.exit(verdict(findings))
