"""train: from a folder of images to a judged model, watched or not."""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from limpide.cli.click_extensions import as_json_object, recipe_options, runs_folder, verb
from limpide.core.errors import Exit, LimpideError
from limpide.core.recipe import Recipe
from limpide.core.run import Run
from limpide.core.run_summary import RunSummary
from limpide.system import interrupts
from limpide.text.messages import N_, message

if TYPE_CHECKING:
    from limpide.report.terminal.progress import Screen

UNREAD = 141  # exit status where the reader of the output is gone, as a shell reports it


@verb(
    N_("train on a folder of images, judge, report"),
    N_("""Train on DATA: a folder of class folders or of train|val|test folders, a table (.csv, .tsv, .parquet) of
file and label, a zip or tar of folders, or one of mnist, fashion_mnist, cifar10, digits.

\b
limpide train photos/               decides everything, and says why
limpide train photos/ --time 5m     better, if you have five minutes
limpide train photos/ --epochs 10 --lr 0.001 --seed 3
The same command continues a run that was interrupted; --new starts another one."""),
)
@click.argument("data")
@recipe_options
@runs_folder
@click.option("--rehash", is_flag=True, help=N_("read every byte of the images again"))
@click.option("--new", is_flag=True, help=N_("start afresh even if an unfinished run could be continued"))
@click.option("--no-images", is_flag=True, help=N_("leave images and file names of mistakes out of the report"))
@click.option("--watch", is_flag=True, help=N_("open the studio during training; it stays open until Ctrl-C"))
@as_json_object
def train(
    data: str, folder: Path, rehash: bool, new: bool, no_images: bool, watch: bool, as_json: bool, **choices: Any
) -> None:
    recipe = Recipe.of(**{name: value for name, value in choices.items() if value is not None})
    from limpide.system import machine

    machine.keep_memory()
    from limpide.report.terminal import progress

    screen = progress.Screen(quiet=as_json)
    with screen.busy(message(N_("starting"))):
        from limpide.workflows.train.training import prepare
        from limpide.workflows.train.training import train as work
    with screen.busy(message(N_("looking for the images of {data}"), data=data)):
        run, dataset, continued = prepare(data, recipe, folder, new=new)
    if continued:
        screen.say(message(N_("continuing {run}, which was not finished (--new starts another)"), run=str(run.path)))
    watcher = _open_studio(run, screen) if watch else None
    with interrupts.ends_well_once(lambda: _is_finished(run)):
        try:
            finished = screen.follow(
                work(run, dataset, started=machine.seconds_since_start(), images=not no_images, rehash=rehash), run
            )
        except BrokenPipeError:  # the reader is gone: the model is saved, but the requested output is missing
            sys.exit(Exit.DONE if _is_finished(run) else UNREAD)
        except LimpideError as error:
            if watcher is None:
                raise
            click.echo(f"limpide: {error}", err=True)
            _stay(watcher)  # to inspect the results so far
            sys.exit(error.exit_status)
        _print_end(run, dataset, screen, finished=finished, as_json=as_json)
        if watcher is not None and finished:
            _stay(watcher)
        sys.exit(Exit.DONE if finished else Exit.STOPPED)


def _print_end(run: Run, dataset: Any, screen: Screen, *, finished: bool, as_json: bool) -> None:
    """Print the result of the training, and the next command."""
    if as_json:
        click.echo(json.dumps(train_summary(RunSummary.of(run))))
    elif finished:
        screen.report(run)
        screen.next("limpide", "predict", run.path, _example_image(run, dataset))
    else:
        screen.next("limpide", *(word for word in sys.argv[1:] if word != "--new"))


def _is_finished(run: Run) -> bool:
    """Asked when a signal arrives: an unreadable record means no."""
    with contextlib.suppress(LimpideError, OSError):
        return bool(run.info().status == "finished")
    return False


def _open_studio(run: Run, screen: Screen) -> Any:
    """Start the studio in a separate process, print its link and open it."""
    import webbrowser

    from limpide.cli.studio import start_beside

    process, url = start_beside(run)
    screen.link(message(N_("the studio, until Ctrl-C:")), url)
    webbrowser.open(url)
    return process


def _stay(watcher: Any) -> None:
    """Keep the studio open until Ctrl-C, which is not an error of the training."""
    try:
        with contextlib.suppress(KeyboardInterrupt):
            watcher.wait()
    finally:
        watcher.terminate()


def train_summary(one: RunSummary) -> dict[str, Any]:
    """The output of `train --json`: the score is null when the run was stopped before it was judged."""
    run, info, accuracy = one.run, one.info, one.accuracy
    return {
        "run": str(run.path),
        "created": info.created,
        "status": one.status,
        "model": str(run.model_file) if run.model_file.exists() else None,
        "report": str(run.report_file) if run.report_file.exists() else None,
        "network": info.recipe.get("model"),
        "kind": info.final and (info.final.kind or None),
        "accuracy": accuracy and accuracy.value,
        "accuracy_low": accuracy and accuracy.low,
        "accuracy_high": accuracy and accuracy.high,
        "n_test": accuracy and accuracy.n,
        **_of_good_parts(run),
        "judged": accuracy and ("cross-fitted" if info.recipe.get("folds") else "held-out"),
        "seconds": info.seconds,
        "training_seconds": info.training_seconds,
        "first_model_seconds": info.first_model_seconds,
        "model_seconds": info.model_seconds,
        "bytes": run.bytes(),
    }


def _of_good_parts(run: Run) -> dict[str, Any]:
    """The numbers that a run on good parts alone has instead of an accuracy; empty for other runs."""
    finding = run.finding("defects")
    if finding is None:
        return {}
    found = {number.name: number for number in finding.numbers}
    return {
        name.replace(" ", "_"): found[name].value if name in found else None for name in ("false alarms", "escapes")
    }


def _example_image(run: Run, dataset: Any) -> Path:
    """A test image to try: its file, or a copy in the run where the data set has no files."""
    import os

    import numpy as np

    from limpide.data.dataset import FileImages

    with np.load(run.predictions / "test.npz") as stored:
        names = stored["files"]
        name = names[0].decode("utf-8", "surrogateescape") if len(names) else dataset.images.names[0]
    if isinstance(dataset.images, FileImages):
        return Path(os.path.relpath(dataset.images.root / name))
    file = run.predictions / "example.png"
    if not file.exists():
        dataset.images.image(list(dataset.images.names).index(name)).save(file)
    return Path(file)
