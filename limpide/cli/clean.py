"""clean: free what is kept only to be faster next time."""

from __future__ import annotations

import json

import click

from limpide.cli.click_extensions import as_json_object, verb
from limpide.core.errors import UsageError
from limpide.text.messages import N_, message


@verb(
    N_("free the files that are kept only for speed"),
    N_("""Free the files that are kept only to be faster next time: decoded images, unpacked archives, files of
published networks. Runs, models and downloads stay.

\b
limpide clean --dry-run             shows what there is
limpide clean --older 30d           frees what has not been used for thirty days
limpide clean                       frees all of it"""),
)
@click.option("--older", metavar=N_("TIME"), help=N_("only what has not been used for this long: 12h, 30d"))
@click.option("--dry-run", is_flag=True, help=N_("show what there is, and free nothing"))
@as_json_object
def clean(older: str | None, dry_run: bool, as_json: bool) -> None:
    from limpide.core.recipe_values import parse_duration
    from limpide.report.terminal import progress, tables
    from limpide.workflows.clean import clean as work
    from limpide.workflows.clean import find_freeable

    if older is not None and older.strip().isdigit():  # 30: days or seconds?
        raise UsageError("L121", where=f"older={older}", older=older)
    limit = parse_duration(older, "older") or 0.0
    freeable = [item for item in find_freeable() if item.idle >= limit]
    freed = 0 if dry_run else work(limit)
    if as_json:
        click.echo(json.dumps({"freed": freed, "found": [vars(item) | {"path": str(item.path)} for item in freeable]}))
        return
    tables.print_freeable(freeable)
    screen = progress.Screen()
    total = sum(item.bytes for item in freeable)
    screen.say(
        message(N_("{size:bytes} can be freed"), size=total)
        if dry_run
        else message(N_("{size:bytes} freed"), size=freed)
    )
    screen.next(*("limpide", "clean") if dry_run and total else ("limpide", "runs"))
