"""info: the system that limpide runs on, and where it keeps its files."""

from __future__ import annotations

import json
from pathlib import Path

import click

from limpide.cli.click_extensions import as_json_object, runs_folder, verb
from limpide.text.messages import N_


@verb(
    N_("show what limpide runs on and where it stores files"),
    N_("""Show what limpide runs on, what it would choose here, and where it stores files."""),
)
@runs_folder
@as_json_object
def info(folder: Path, as_json: bool) -> None:
    from limpide.report.terminal import progress, tables
    from limpide.workflows.info import info as work

    facts = work(folder)
    if as_json:
        click.echo(json.dumps(facts))
    else:
        tables.print_info(facts)
        progress.Screen().next("limpide", "models")
