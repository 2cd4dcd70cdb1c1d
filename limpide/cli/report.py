"""report: the report of a run, written again."""

from __future__ import annotations

import click

from limpide.cli.click_extensions import language_option, verb
from limpide.text.messages import N_


@verb(
    N_("write the report again, in another language or without images"),
    N_("""Write the report of RUN again, in the language of --lang."""),
)
@click.argument("run")
@click.option("--no-images", is_flag=True, help=N_("leave images and file names of mistakes out of the report"))
@language_option(N_("language of the report"))
def report(run: str, no_images: bool) -> None:
    from limpide.core.run import Run
    from limpide.data.split_file import check_split
    from limpide.report.html.page import write_page
    from limpide.report.terminal import progress

    screen = progress.Screen()
    opened = Run.open(run)
    check_split(opened)
    write_page(opened, images=not no_images)
    screen.report(opened)
    screen.next("limpide", "predict", run, "new.jpg")
