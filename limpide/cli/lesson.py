"""lesson: the course pages, listed and run."""

from __future__ import annotations

import ast
import runpy
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import click

from limpide.cli.click_extensions import verb
from limpide.core.errors import Exit, UsageError, nearest
from limpide.text.messages import N_, _

# In reading order; each is limpide/lessons/NAME.py.
LESSONS = {
    "if_or_tree": N_("write it with if, or let a tree learn it"),
    "regression_and_classification": N_("a number or a name, and a baseline beside each"),
    "overfitting": N_("the curve that goes through every point does not know the next"),
    "perceptron": N_("one neuron that learns: OR in twelve presentations, XOR never"),
    "descent": N_("gradient descent, and a gradient that was not cleared"),
    "backprop": N_("errors propagated backwards: two hidden units learn XOR"),
    "race": N_("six optimizers going down a long valley and off a saddle point"),
    "graph": N_("a computation graph and its shapes"),
    "convolution": N_("a kernel slides over a digit"),
    "linear_images": N_("on real images: one layer, a hidden layer, convolutions"),
    "transfer": N_("the features of a pretrained network, and a linear model on top"),
    "joined": N_("two published networks side by side, one linear model on top"),
    "where_is_it_stored": N_("where training is stored: the same bytes, other values"),
}

TAKES_DATA = ("linear_images", "transfer", "joined", "where_is_it_stored")


@verb(
    N_("list the course pages, or run one"),
    N_("""List the course pages, or run the one called NAME. Each is a short program to read first: its path is
printed before it runs.

\b
limpide lesson                                all pages
limpide lesson perceptron                     one of them
limpide lesson linear_images mnist            on data other than its own"""),
)
@click.argument("name", required=False)
@click.argument("data", nargs=-1)
def lesson(name: str | None, data: Sequence[str]) -> None:
    from limpide.report.terminal import progress, tables

    screen = progress.Screen()
    if name is None:
        tables.print_lessons(LESSONS)
        return screen.next("limpide", "lesson", next(iter(LESSONS)))
    if name not in LESSONS:
        guess = nearest(name, LESSONS)
        raise UsageError(
            "L123", where=name, todo=N_("did you mean {guess}?") if guess else N_("see limpide lesson"), guess=guess
        )
    module = f"limpide.lessons.{name}"
    spec = find_spec(module)
    file = Path(spec.origin if spec and spec.origin else "")
    screen.say(str(file))
    click.echo(f"\n{_(ast.get_docstring(ast.parse(file.read_text(encoding='utf-8'))) or '')}\n")
    if data and name not in TAKES_DATA:
        raise UsageError("L124", where=" ".join(data))
    before, sys.argv = sys.argv, [name, *data]
    try:
        runpy.run_module(module, run_name="__main__")
    except SystemExit as end:  # a lesson is a complete program, and reports itself what is wrong with its data
        if not isinstance(end.code, str):
            raise
        click.echo(end.code, err=True)
        sys.exit(Exit.DATA)
    finally:
        sys.argv = before
    order = list(LESSONS)
    return screen.next("limpide", "lesson", order[(order.index(name) + 1) % len(order)])
