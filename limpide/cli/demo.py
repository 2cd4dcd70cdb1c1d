"""demo: the main job on real data."""

from __future__ import annotations

from pathlib import Path

import click

from limpide.cli.click_extensions import runs_folder, verb
from limpide.cli.train import train
from limpide.text.messages import N_


@verb(
    N_("demo on real data: MNIST"),
    N_("""Demo on real data: train on MNIST, judge, report."""),
)
@runs_folder
@click.pass_context
def demo(ctx: click.Context, folder: Path) -> None:
    ctx.invoke(train, data="mnist", folder=folder, rehash=False, new=False, no_images=False, watch=False, as_json=False)
