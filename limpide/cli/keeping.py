"""What there is, and where it is kept: runs, networks, this machine."""

from __future__ import annotations

import json
from pathlib import Path

import click

from limpide.cli.click_extensions import as_json_list, as_json_object, chosen_runs, runs_folder, verb
from limpide.cli.making import train_summary
from limpide.core.errors import UsageError
from limpide.core.recipe import Recipe
from limpide.core.run import Run
from limpide.core.run_summary import list_runs
from limpide.text.messages import N_, message


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
    found, odd = list_runs(folder)
    for _run, error in odd:
        click.echo(f"limpide: {error}", err=True)
    if as_json:
        click.echo(json.dumps([train_summary(one) for one in found]))
        return
    tables.print_runs(found)
    screen = progress.Screen()
    if found and found[-1].status in ("running", "paused"):
        screen.next("limpide", "studio", folder)
    elif found and found[-1].status != "finished":
        screen.next("limpide", "train", *rerun_command(found[-1].run))
    else:
        screen.next(*("limpide", "report", found[-1].run.path) if found else ("limpide", "train", "digits"))


def rerun_command(run: Run) -> list[str]:
    """What was typed after `limpide train`, from what the run remembers of it: the same words continue it."""
    info, usual = run.info(), Recipe().to_json()
    wishes = {name: value for name, value in info.wanted.items() if value != usual.get(name)}
    said = {name: f"{value:g}s" if name == "time" else str(value) for name, value in wishes.items()}
    return [
        info.location or "photos/",
        *(word for name, value in said.items() for word in (f"--{name.replace('_', '-')}", value)),
    ]


@verb(
    N_("free what is kept only to be faster"),
    N_("""Free what is kept only to be faster next time: decoded images, unpacked archives, files of published networks. Runs, models and downloads stay.

\b
limpide clean --dry-run             shows what there is
limpide clean --older 30d           frees what was not used for thirty days
limpide clean                       frees all of it"""),
)
@click.option("--older", metavar=N_("TIME"), help=N_("only what was not used for so long: 12h, 30d"))
@click.option("--dry-run", is_flag=True, help=N_("show what there is, and free nothing"))
@as_json_object
def clean(older: str | None, dry_run: bool, as_json: bool) -> None:
    from limpide.core.recipe import parse_duration
    from limpide.report.terminal import progress, tables
    from limpide.workflows.clean import clean as work
    from limpide.workflows.clean import find_freeable

    if older is not None and older.strip().isdigit():  # 30: days or seconds?
        raise UsageError(
            "L121",
            N_("this time has no unit"),
            where=f"older={older}",
            todo=N_("write {older}d for days or {older}h for hours"),
            older=older,
        )
    limit = parse_duration(older, "older") or 0.0
    found = [item for item in find_freeable() if item.idle >= limit]
    freed = 0 if dry_run else work(limit)
    if as_json:
        click.echo(json.dumps({"freed": freed, "found": [vars(item) | {"path": str(item.path)} for item in found]}))
        return
    tables.print_freeable(found)
    screen = progress.Screen()
    total = sum(item.bytes for item in found)
    screen.say(
        message(N_("{size:bytes} can be freed"), size=total)
        if dry_run
        else message(N_("{size:bytes} freed"), size=freed)
    )
    screen.next(*("limpide", "clean") if dry_run and total else ("limpide", "runs"))


@verb(
    N_("list the networks, or measure one on this machine"),
    N_("""List the networks: what each costs, and how fast it is here. With NAME it is measured, once, and remembered, and every
layer is listed with the formulas of its size and of its parameters. NAME may be timm:NAME, or your own package.module:factory.

\b
limpide models                      all networks
limpide models cnn                  one of them, with milliseconds an image
limpide models cnn --again          the same, measured anew
limpide models cnn --image-size 32  for other squares than it was made for"""),
)
@click.argument("name", required=False)
@click.option("--image-size", type=click.IntRange(1, 4096), help=N_("pixels of the squares that NAME sees"))
@click.option("--again", is_flag=True, help=N_("measure anew what was measured before"))
@click.option("--json", "as_json", is_flag=True, help=N_("print JSON: a list, or one object for NAME"))
def models(name: str | None, image_size: int | None, again: bool, as_json: bool) -> None:
    from limpide.report.terminal import progress, tables
    from limpide.training.defaults import AUTOMATIC
    from limpide.workflows.models import models as work

    screen = progress.Screen(quiet=as_json)
    found = [network.to_json() for network in screen.wait(work(name, again, image_size))]
    if as_json:
        click.echo(json.dumps(found[0] if name else found))
    elif name:
        tables.print_network(found[0])
        tables.print_layers(found[0]["inside"]["layers"])
        screen.next("limpide", "train", "photos/", "--model", name)
    else:
        tables.print_networks(found)
        unmeasured = [network["name"] for network in found if not network["speed"] and network["name"] in AUTOMATIC]
        screen.next(*("limpide", "models", unmeasured[0]) if unmeasured else ("limpide", "train", "photos/"))


@verb(
    N_("say what limpide runs on and where it keeps things"),
    N_("""Say what limpide runs on, what it would choose here, and where it keeps things."""),
)
@runs_folder
@as_json_object
def info(folder: Path, as_json: bool) -> None:
    from limpide.report.terminal import progress, tables
    from limpide.workflows.info import info as work

    found = work(folder)
    if as_json:
        click.echo(json.dumps(found))
    else:
        tables.print_info(found)
        progress.Screen().next("limpide", "models")
