"""ablate: what a choice changes, over repeats."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from limpide.cli.click_extensions import as_json_object, recipe_options, runs_folder, verb
from limpide.core.recipe import Recipe
from limpide.text.messages import N_, message


@verb(
    N_("compare choices by training each of them several times"),
    N_("""Train on DATA once for each value of VARIED and each repeat, and tell which value names more test images,
or that no difference is seen. VARIED is an option of limpide train with its values.

\b
limpide ablate photos/ augment=none,light,strong
limpide ablate photos/ optimizer=sgd,adam lr=0.1,0.01 --repeats 5 --epochs 5
limpide ablate photos/ augment=none/flip,crop/mixup        values that have commas
limpide ablate photos/ device=cpu,cuda                     how much faster is the other one?
All other options are those of limpide train. The same images judge every training. The same command goes on where it
was stopped, and with more --repeats it adds to those that are done."""),
)
@click.argument("data")
@click.argument("varied", nargs=-1, required=True)
@click.option(
    "--repeats",
    default=3,
    show_default=True,
    type=click.IntRange(1, 100),
    help=N_("trainings of each value, each with a seed of its own"),
)
@recipe_options
@runs_folder
@as_json_object
def ablate(data: str, varied: tuple[str, ...], repeats: int, folder: Path, as_json: bool, **choices: Any) -> None:
    from limpide.core.variation import read_variations
    from limpide.report.terminal import progress
    from limpide.report.terminal.summary import print_whole_finding

    recipe = Recipe.of(**{name: value for name, value in choices.items() if value is not None})
    arms = read_variations(varied, recipe)
    screen = progress.Screen(quiet=as_json)
    with screen.busy(message(N_("starting"))):
        from limpide.workflows.ablate import ablate as work
        from limpide.workflows.ablate import folder_of
    own = folder_of(data, arms, recipe, folder)
    if not as_json:
        says = N_("{arms:count} choices, {repeats:count} repeats each; the runs are in {folder}")
        screen.say(message(says, arms=len(arms), repeats=repeats, folder=str(own)))
    finding = screen.collect(work(data, arms, repeats, own))["ablation"]
    if as_json:
        click.echo(json.dumps({"data": data, "runs": str(own), "repeats": repeats, "finding": finding.to_json()}))
    else:
        print_whole_finding(finding, screen.console)
        screen.next("limpide", "studio", own)
