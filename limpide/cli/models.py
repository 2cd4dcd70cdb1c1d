"""models: the networks, what each costs, and how fast it is here."""

from __future__ import annotations

import json

import click

from limpide.cli.click_extensions import verb
from limpide.text.messages import N_


@verb(
    N_("list the networks, or measure one on this machine"),
    N_("""List the networks: what each costs, and how fast it is here. With NAME, limpide measures this
network once, keeps the result, and lists every layer with the formulas of its size and of its parameters. NAME may
be timm:NAME, or your own package.module:factory.

\b
limpide models                      all networks
limpide models cnn                  one of them, with milliseconds per image
limpide models cnn --again          the same, measured again
limpide models cnn --image-size 32  for squares of another size than its own"""),
)
@click.argument("name", required=False)
@click.option("--image-size", type=click.IntRange(1, 4096), help=N_("side of the square that NAME sees (px)"))
@click.option("--again", is_flag=True, help=N_("measure again what was measured before"))
@click.option("--json", "as_json", is_flag=True, help=N_("print JSON: a list, or one object for NAME"))
def models(name: str | None, image_size: int | None, again: bool, as_json: bool) -> None:
    from limpide.report.terminal import progress, tables
    from limpide.training.defaults import AUTOMATIC
    from limpide.workflows.models import models as work

    screen = progress.Screen(quiet=as_json)
    networks = [network.to_json() for network in screen.wait(work(name, again, image_size))]
    if as_json:
        click.echo(json.dumps(networks[0] if name else networks))
    elif name:
        tables.print_network(networks[0])
        tables.print_layers(networks[0]["inside"]["layers"])
        screen.next("limpide", "train", "photos/", "--model", name)
    else:
        tables.print_networks(networks)
        unmeasured = [network["name"] for network in networks if not network["speed"] and network["name"] in AUTOMATIC]
        screen.next(*("limpide", "models", unmeasured[0]) if unmeasured else ("limpide", "train", "photos/"))
