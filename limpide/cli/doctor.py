"""doctor: what went wrong in a training, and the learning rate to take."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Any

import click

from limpide.cli.click_extensions import as_json_object, recipe_options, verb, verdict
from limpide.core.errors import UsageError
from limpide.core.recipe import Recipe
from limpide.text.messages import N_


@verb(
    N_("tell what went wrong in a training, or find a learning rate"),
    N_("""Tell what went wrong in the training of the run TARGET, since which epoch, and what to do next; or, with
--rate, find a learning rate for the images in the folder TARGET.

\b
limpide doctor runs/photos-001
limpide doctor photos/ --rate                            for the network that limpide train would take
limpide doctor photos/ --rate --model cnn --optimizer sgd
Other options, with --rate alone, are those of limpide train. A run that still trains can be asked, too."""),
)
@click.argument("target")
@click.option("--rate", is_flag=True, help=N_("find a learning rate: a few steps at ever higher rates, three times"))
@recipe_options
@as_json_object
def doctor(target: str, rate: bool, as_json: bool, **choices: Any) -> None:
    given = {name: value for name, value in choices.items() if value is not None}
    if rate:
        _find_rate(target, given, as_json)
    elif given:
        raise UsageError("L184", where=f"--{next(iter(given)).replace('_', '-')}")
    elif Path(target).is_dir() and not (Path(target) / "run.json").exists():
        raise UsageError("L185", where=target)
    else:
        _diagnose(target, as_json)


def _diagnose(target: str, as_json: bool) -> None:
    from limpide.core.run import Run
    from limpide.report.terminal import progress
    from limpide.report.terminal.summary import print_whole_finding
    from limpide.workflows.doctor import diagnose_recorded

    finding = diagnose_recorded(Run.open(target))
    if as_json:
        click.echo(json.dumps(finding.to_json()))
    else:
        screen = progress.Screen()
        print_whole_finding(finding, screen.console)
        command = str(finding.data.get("next", ""))
        screen.next(*(shlex.split(command) if command else ("limpide", "studio", Path(target).parent)))
    sys.exit(verdict({"diagnosis": finding}))


def _find_rate(target: str, given: dict[str, Any], as_json: bool) -> None:
    from limpide.report.terminal import progress
    from limpide.report.terminal.summary import print_whole_finding

    recipe = Recipe.of(**given)
    screen = progress.Screen(quiet=as_json)
    from limpide.workflows.find_rate import find_rate

    finding = screen.collect(find_rate(target, recipe))["learning_rate"]
    if as_json:
        click.echo(json.dumps(finding.to_json()))
    else:
        print_whole_finding(finding, screen.console)
        screen.next(*shlex.split(str(finding.data["next"])))
