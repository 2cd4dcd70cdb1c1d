"""runs: the runs of a folder, and the command that continues one."""

from __future__ import annotations

import json
from pathlib import Path

import click

from limpide.cli.click_extensions import as_json_list, chosen_runs, runs_folder, verb
from limpide.cli.train import train_summary
from limpide.core.rerun import rerun_command
from limpide.core.run_summary import list_runs
from limpide.text.messages import N_


@verb(
    N_("list the runs kept in a folder"),
    N_("""List the runs kept in a folder, newest last.

\b
limpide runs                        those in runs/
limpide runs elsewhere/             those of another folder"""),
)
@click.argument("runs", required=False, type=click.Path(path_type=Path))
@runs_folder
@as_json_list
def runs(runs: Path | None, folder: Path, as_json: bool) -> None:
    from limpide.report.terminal import progress, tables

    folder, _one = chosen_runs(runs, folder)
    summaries, odd = list_runs(folder)
    for _run, error in odd:
        click.echo(f"limpide: {error}", err=True)
    if as_json:
        click.echo(json.dumps([train_summary(one) for one in summaries]))
        return
    tables.print_runs(summaries)
    screen = progress.Screen()
    if summaries and summaries[-1].status in ("running", "paused"):
        screen.next("limpide", "studio", folder)
    elif summaries and summaries[-1].status != "finished":
        screen.next("limpide", "train", *rerun_command(summaries[-1].info))
    else:
        screen.next(*("limpide", "report", summaries[-1].run.path) if summaries else ("limpide", "train", "digits"))
