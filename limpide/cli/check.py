"""check: what is in a folder of images, before anything is learned from it."""

from __future__ import annotations

import json
import sys

import click

from limpide.cli.click_extensions import as_json_object, data_options, verb, verdict
from limpide.core.errors import Exit, LimpideError
from limpide.core.recipe import Recipe
from limpide.text.messages import N_


@verb(
    N_("look for problems in a folder of images"),
    N_("""Look for problems in DATA before training: classes, unreadable files, copies, leaks,
contradictions.

\b
limpide check photos/
limpide check scans.csv --groups patient

limpide first shows how it understands the data. It does not change your files. Training makes the same checks. The
exit status is 1 when a check finds a problem, 3 when training on these images is not possible."""),
)
@click.argument("data")
@data_options
@click.option("--rehash", is_flag=True, help=N_("read every byte of the images again"))
@as_json_object
def check(data: str, rehash: bool, as_json: bool, **choices: str | None) -> None:
    from limpide.data.layouts.hints import Hints
    from limpide.report.terminal import progress, summary
    from limpide.workflows.check import check as work

    options = {name: value for name, value in choices.items() if value is not None}
    recipe = Recipe.of(**options)
    screen = progress.Screen(quiet=as_json)
    try:
        findings = screen.collect(work(data, hints=Hints.of(recipe), value_range=recipe.value_range, rehash=rehash))
    except LimpideError as error:
        if as_json:
            click.echo(json.dumps({"data": data, "error": error.to_json()}))
        raise
    refused = findings["balance"].verdict == "bad"  # training would refuse: fix it, then check again
    if as_json:
        understood = screen.understood.to_json() if screen.understood else {}
        usable = int(findings["balance"].number("images").value)
        made = {
            "data": data,
            **understood,
            "usable": usable,
            "findings": {
                name: {"says": str(finding.message), **finding.to_json()} for name, finding in findings.items()
            },
        }
        click.echo(json.dumps(made))
    else:
        summary.print_findings(findings, screen.console)
        screen.next("limpide", "check" if refused else "train", data, *_given_options(options))
    sys.exit(Exit.DATA if refused else verdict(findings))


def _given_options(options: dict[str, str]) -> list[str]:
    """The options that the next command needs, too, to use the same images and groups."""
    return [
        word for name, value in options.items() if value != "auto" for word in (f"--{name.replace('_', '-')}", value)
    ]
