"""explain: the model's answer for one image, and why."""

from __future__ import annotations

import json
from pathlib import Path

import click

from limpide.cli.click_extensions import as_json_object, verb
from limpide.core.errors import UsageError
from limpide.text.messages import N_, message


@verb(
    N_("open the network on one image, product by product"),
    N_("""Open the network of RUN on IMAGE: its answer, and one unit's value product by product.

\b
limpide explain runs/photos-001 new.jpg
limpide explain runs/photos-001 new.jpg --layer head --channel 1
limpide explain runs/photos-001 new.jpg --out inside.html   with evidence and feature maps: .png, .html or .json"""),
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
        "write everything, with evidence, feature maps and the most similar training images, to a file: .png, "
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
        raise UsageError("L114", where="limpide explain")
    from limpide.report.terminal import progress, tables

    screen = progress.Screen(quiet=as_json)
    with screen.busy(message(N_("starting"))):
        from limpide.explanation.write_picture import place_of, write_picture
        from limpide.explanation.writers import is_for_programs
        from limpide.workflows.explain import explain as work
    if out is not None:
        place_of(out, image)
    named = 0 if (y, x) != (None, None) else None  # a place without a channel means the first channel
    with screen.busy(message(N_("opening the network"))):
        language = "en" if as_json or (out is not None and is_for_programs(out)) else None
        findings = work(run, image, layer, named if channel is None else channel, y or 0, x or 0, language=language)
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
