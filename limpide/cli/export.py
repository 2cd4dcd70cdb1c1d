"""export: the sealed model of a run, copied to where it is needed."""

from __future__ import annotations

from pathlib import Path

import click

from limpide.cli.click_extensions import verb
from limpide.text.messages import N_, message


@verb(
    N_("copy the exported model to where it is needed"),
    N_("""Copy the sealed model of RUN to FILE, an ONNX file that needs neither limpide nor torch. FILE is a name that
ends in .onnx, or a folder. Without FILE, the file is named after the run and written to the current folder.

\b
limpide export runs/photos-001
limpide export runs/photos-001 app/model.onnx
limpide export runs/photos-001 --epoch 4                 the weights after epoch 4, not calibrated
limpide predict app/model.onnx new.jpg                   the file alone answers as the run does"""),
)
@click.argument("run")
@click.argument("file", type=click.Path(path_type=Path), default=Path())
@click.option("--epoch", type=click.IntRange(1), help=N_("seal the weights after this epoch instead"))
def export(run: str, file: Path, epoch: int | None) -> None:
    from limpide.deploy.load import unfinished_warning
    from limpide.report.terminal import progress
    from limpide.workflows.export import export as work

    file = work(run, file, epoch)
    screen = progress.Screen()
    if says := unfinished_warning(run):
        screen.say(says, "yellow")
    screen.say(
        message(N_("wrote {file}; docs/reference/exported-model.md shows twenty lines that run it"), file=str(file))
    )
    screen.next("limpide", "predict", file, "new.jpg")
