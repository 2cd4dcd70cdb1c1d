"""The command line: one function a verb, each of which parses, calls a workflow and prints.

Nothing heavy is imported before a verb needs it, so that `limpide --help` answers at once.
"""

from __future__ import annotations

import dataclasses
import glob
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from limpide import __version__, language
from limpide.errors import LimpideError, UsageError, nearest
from limpide.language import N_, _, message
from limpide.recipe import Recipe

RUNS = Path("runs")


class Verb(click.Command):
    """A command whose help is worded when it is shown, so that --lang holds for it too."""

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        worded(self)
        super().format_help_text(ctx, formatter)

    def get_short_help_str(self, limit: int = 45) -> str:
        return _(self.short_help or "")


class Verbs(click.Group):
    """Guesses the verb that was meant."""

    command_class = Verb

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)  # in the order in which people need them

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        worded(self)
        super().format_help_text(ctx, formatter)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            guess = nearest(args[0], self.commands)
            todo = N_("did you mean limpide {guess}?") if guess else N_("see limpide --help")
            raise UsageError("L100", N_("there is no such command"), where=args[0], todo=todo, guess=guess)
        return super().resolve_command(ctx, args)


def worded(command: click.Command) -> None:
    """Puts the help of a command and its options into the language in force. The originals are msgids and stay findable."""
    command.help = _(originals.setdefault(command, command.help or ""))
    for option in command.params:
        if isinstance(option, click.Option) and option.help:
            option.help = _(originals.setdefault(option, option.help))


originals: dict[object, str] = {}


class Choice(click.Option):
    """A field of Recipe: shows its first name, meaning, unit and default; its other names are accepted all the same."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        choice = next(c for c in dataclasses.fields(Recipe) if c.name == self.name)
        unit = f" [{choice.metadata['unit']}]" if choice.metadata["unit"] else ""
        default = "" if choice.default is None else f"  ({choice.default})"
        return f"{self.opts[0]} …", _(choice.metadata["meaning"]) + unit + default


def recipe_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """One option for each field of Recipe, under all the names people know."""
    for choice in reversed(dataclasses.fields(Recipe)):
        names = [choice.name, *choice.metadata["also"]]
        flags = dict.fromkeys(flag for name in names for flag in (f"--{name.replace('_', '-')}", f"--{name}"))
        command = click.option(*flags, choice.name, default=None, cls=Choice)(command)
    return command


@click.group(
    cls=Verbs,
    invoke_without_command=True,
    help=N_("""Deep learning for images that you can see through.

\b
A folder with one folder of images a class is all it needs:
  limpide train photos/             train, judge, report, one command
  limpide predict runs/photos-001 new.jpg
  limpide evaluate runs/photos-001 other-photos/
  limpide explain runs/photos-001 new.jpg
\b
No images at hand?
  limpide train digits              8×8 digits, in ten seconds
  limpide train mnist               the classic, in half a minute"""),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="limpide")
@click.option("--lang", metavar="en|fr", help=N_("language of every sentence (or set LIMPIDE_LANG)"))
@click.pass_context
def cli(ctx: click.Context, lang: str | None) -> None:
    speak(lang)
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def speak(lang: str | None) -> None:
    if lang:
        if lang not in language.LANGUAGES:
            raise UsageError("L107", N_("this language is not spoken here"), where=lang, todo=N_("choose one of {names}"), names=", ".join(language.LANGUAGES))
        language.use(lang)


@cli.command(
    short_help=N_("train on a folder of images, judge, report"),
    help=N_("""Train on DATA: a folder of class folders, of train|val|test folders, or mnist, digits.

\b
limpide train photos/               decides everything, and says why
limpide train photos/ --time 5m     better, if you have five minutes
limpide train photos/ --epochs 10 --lr 0.001 --seed 3
The same command continues a run that was interrupted; --new starts another one."""),
)
@click.argument("data")
@recipe_options
@click.option("--runs", type=click.Path(path_type=Path), default=RUNS, show_default=True, help=N_("folder that keeps the runs"))
@click.option("--new", is_flag=True, help=N_("start afresh even if an unfinished run could be continued"))
@click.option("--no-images", is_flag=True, help=N_("leave pictures and file names of mistakes out of the report"))
@click.option("--json", "as_json", is_flag=True, help=N_("print one JSON object on standard output and nothing else"))
def train(data: str, runs: Path, new: bool, no_images: bool, as_json: bool, **choices: Any) -> None:
    recipe = Recipe.of(**{name: value for name, value in choices.items() if value is not None})
    from limpide import machine

    machine.keep_memory()
    from limpide.report import live
    from limpide.workflows.train import prepare
    from limpide.workflows.train import train as work

    run, dataset, continued = prepare(data, recipe, runs, new=new)
    screen = live.Screen(quiet=as_json)
    if continued:
        screen.say(message(N_("continuing {run}, which was not finished (--new starts another)"), run=str(run.path)))
    finished = screen.follow(work(run, dataset, started=machine.seconds_since_start(), images=not no_images), run)
    if as_json:
        click.echo(json.dumps(train_summary(run)))
    elif finished:
        screen.report(run)
        screen.next("limpide", "predict", run.path, _example(run, dataset))
    else:
        screen.next("limpide", *(word for word in sys.argv[1:] if word != "--new"))
    sys.exit(0 if finished else 130)


def train_summary(run: Any) -> dict[str, Any]:
    """What `train --json` prints: the score is null when the run was stopped before it was judged."""
    info, finding = run.info(), run.finding("accuracy")
    accuracy = finding.number("accuracy") if finding else None
    return {
        "run": str(run.path),
        "status": "interrupted" if info["status"] == "running" and not run.working() else info["status"],
        "model": str(run.model_file) if run.model_file.exists() else None,
        "report": str(run.report_file) if run.report_file.exists() else None,
        "network": info.get("recipe", {}).get("model"),
        "kind": info.get("final", {}).get("kind"),
        "accuracy": accuracy and accuracy.value,
        "accuracy_low": accuracy and accuracy.low,
        "accuracy_high": accuracy and accuracy.high,
        "n_test": accuracy and accuracy.n,
        "seconds": info.get("seconds"),
        "training_seconds": info.get("fit_seconds"),
        "first_model_seconds": info.get("first_model_seconds"),
        "model_seconds": info.get("model_seconds"),
    }


def _example(run: Any, dataset: Any) -> Path:
    """A test image to try: its file, or a copy in the run where the data set has no files."""
    import os

    import numpy as np

    with np.load(run.predictions / "test.npz") as stored:
        name = stored["files"][0].decode("utf-8", "surrogateescape")
    root = getattr(dataset.images, "root", None)
    if root:
        return Path(os.path.relpath(root / name))
    file = run.predictions / "example.png"
    if not file.exists():
        dataset.images.image(list(dataset.images.names).index(name)).save(file)
    return Path(file)


@cli.command(
    short_help=N_("name what is on image files"),
    help=N_("""Name what is on FILES (images, folders, patterns) with the model of RUN (a run, or its model.onnx).

\b
limpide predict runs/photos-001 new.jpg
limpide predict runs/photos-001 inbox/ --csv > names.csv"""),
)
@click.argument("run")
@click.argument("files", nargs=-1, required=True)
@click.option("--top", default=3, show_default=True, type=click.IntRange(1), help=N_("how many classes to name"))
@click.option("--csv", "as_csv", is_flag=True, help=N_("print CSV"))
@click.option("--json", "as_json", is_flag=True, help=N_("print a JSON list"))
def predict(run: str, files: Sequence[str], top: int, as_csv: bool, as_json: bool) -> None:
    from limpide.report import live
    from limpide.workflows.predict import predict as work

    found = list(work(run, _expanded(files), top))
    good = [item for item in found if not isinstance(item, LimpideError)]
    for item in found:
        if isinstance(item, LimpideError):
            click.echo(f"limpide: {item}", err=True)
    if as_json:
        click.echo(json.dumps([item.to_json() for item in good]))
    elif as_csv:
        live.print_csv(good)
    else:
        live.print_predictions(good)
        if good:
            live.Screen().next(*("limpide", "explain", run, good[0].file) if Path(run).is_dir() else ("limpide", "evaluate", run, "photos/"))
    sys.exit(0 if good else 3)


def _expanded(patterns: Sequence[str]) -> list[str]:
    """Files as they are, every file of a folder, and what a quoted pattern matches."""
    found: list[str] = []
    for pattern in patterns:
        path = Path(pattern)
        if path.is_dir():
            found += sorted(str(p) for p in path.rglob("*") if p.is_file() and not p.name.startswith("."))
        elif not path.exists() and glob.has_magic(pattern):
            found += sorted(glob.glob(pattern, recursive=True))
        else:
            found.append(pattern)
    if not found:
        raise UsageError("L108", N_("no file matches"), where=" ".join(patterns), todo=N_("name image files, a folder, or a pattern in quotes"))
    return found


@cli.command(
    short_help=N_("score a model on other labelled images"),
    help=N_("""Score the model of RUN on other labelled images: DATA is a folder with the same class names."""),
)
@click.argument("run")
@click.argument("data")
@click.option("--json", "as_json", is_flag=True, help=N_("print one JSON object on standard output and nothing else"))
def evaluate(run: str, data: str, as_json: bool) -> None:
    from limpide.report import live
    from limpide.workflows.evaluate import evaluate as work

    screen = live.Screen(quiet=as_json)
    findings = screen.collect(work(run, data))
    if as_json:
        accuracy = findings["accuracy"].number("accuracy")
        summary = {"run": run, "data": data, "accuracy": accuracy.value, "accuracy_low": accuracy.low, "accuracy_high": accuracy.high, "n": accuracy.n}
        summary["used_in_training"] = int(findings["accuracy"].number("used in training").value)
        click.echo(json.dumps(summary | {"findings": {name: f.to_json() | {"pictures": []} for name, f in findings.items()}}))
    else:
        screen.findings(findings)
        screen.next("limpide", "predict", run, data)


@cli.command(
    short_help=N_("open the network on one image, product by product"),
    help=N_("""Open the network of RUN on IMAGE: what it says, and one unit's value product by product."""),
)
@click.argument("run")
@click.argument("image")
@click.option("--layer", help=N_("a convolution or linear layer; without it, the strongest unit of the first convolution"))
@click.option("--channel", type=int, help=N_("channel of the unit, with --layer"))
@click.option("-y", type=int, help=N_("row of the unit, with --layer"))
@click.option("-x", type=int, help=N_("column of the unit, with --layer"))
@click.option("--json", "as_json", is_flag=True, help=N_("print one JSON object on standard output and nothing else"))
def explain(run: str, image: str, layer: str | None, channel: int | None, y: int | None, x: int | None, as_json: bool) -> None:
    if layer is None and (channel, y, x) != (None, None, None):
        raise UsageError("L114", N_("a unit is named by its layer first"), where="limpide explain", todo=N_("add --layer, or leave --channel, -y and -x out"))
    from limpide.report import live
    from limpide.workflows.explain import explain as work

    findings = work(run, image, layer, channel or 0, y or 0, x or 0)
    if as_json:
        click.echo(json.dumps({name: finding.to_json() for name, finding in findings.items()}))
    else:
        screen = live.Screen()
        screen.findings(findings)
        live.print_unit(findings["inside"])
        screen.next("limpide", "explain", run, image, "--layer", "head", "--channel", (channel or 0) + 1 if layer else 0)


@cli.command(
    short_help=N_("copy the sealed model to where it is needed"),
    help=N_("""Copy the sealed model of RUN to FILE: an ONNX file that needs no limpide and no torch."""),
)
@click.argument("run")
@click.argument("file", type=click.Path(path_type=Path))
def export(run: str, file: Path) -> None:
    from limpide.report import live
    from limpide.workflows.export import export as work

    work(run, file)
    screen = live.Screen()
    screen.say(message(N_("wrote {file}; docs/exported-model.md shows fifteen lines that run it"), file=str(file)))
    screen.next("limpide", "predict", file, "new.jpg")


@cli.command(
    short_help=N_("write the report again, in another language or without images"),
    help=N_("""Write the report of RUN again, in the language of --lang."""),
)
@click.argument("run")
@click.option("--no-images", is_flag=True, help=N_("leave pictures and file names of mistakes out of the report"))
@click.option("--lang", metavar="en|fr", help=N_("language of the report"))
def report(run: str, no_images: bool, lang: str | None) -> None:
    speak(lang)
    from limpide.report import live
    from limpide.report.page import write_page
    from limpide.run import Run

    screen = live.Screen()
    opened = Run.open(run)
    write_page(opened, images=not no_images)
    screen.report(opened)
    screen.next("limpide", "predict", run, "new.jpg")


@cli.command(
    short_help=N_("list the runs kept in a folder"),
    help=N_("""List the runs kept in a folder, newest last."""),
)
@click.option("--runs", "folder", type=click.Path(path_type=Path), default=RUNS, show_default=True)
@click.option("--json", "as_json", is_flag=True, help=N_("print a JSON list"))
def runs(folder: Path, as_json: bool) -> None:
    from limpide.report import live
    from limpide.run import Run

    found = Run.all_in(folder)
    if as_json:
        click.echo(json.dumps([train_summary(run) for run in found]))
        return
    live.print_runs([(run, train_summary(run)) for run in found])
    screen = live.Screen()
    screen.next(*("limpide", "report", found[-1].path) if found else ("limpide", "train", "digits"))


@cli.command(
    short_help=N_("the main job on real data: MNIST"),
    help=N_("""The main job on real data: train on MNIST, judge, report."""),
)
@click.option("--runs", "folder", type=click.Path(path_type=Path), default=RUNS, show_default=True)
@click.pass_context
def demo(ctx: click.Context, folder: Path) -> None:
    ctx.invoke(train, data="mnist", runs=folder, new=False, no_images=False, as_json=False)


def language_first(words: Sequence[str]) -> list[str]:
    """--lang holds for the whole command, wherever it is typed."""
    words = list(words)
    if "--lang" in words[1:-1]:
        place = words.index("--lang")
        return [*words[place : place + 2], *words[:place], *words[place + 2 :]]
    return words


def main() -> None:
    """The `limpide` command. A mistake of the user is told in one line; a mistake of ours is logged."""
    language.use(language.wanted_language())
    try:
        cli.main(args=language_first(sys.argv[1:]), standalone_mode=False)
    except LimpideError as error:
        click.echo(f"limpide: {error}", err=True)
        sys.exit(error.exit_status)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.ClickException as error:
        where = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "limpide"
        click.echo(f"limpide: {error.format_message()} — {where} — " + _("see {command} --help").format(command=where), err=True)
        sys.exit(2)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(0)
    except MemoryError:
        click.echo("limpide: " + _("memory ran out — use a smaller --batch or --image-size"), err=True)
        sys.exit(6)
    except OSError as error:
        click.echo(
            f"limpide: {error.strerror or error} — {error.filename or ''} — " + _("check the path, its permissions and the space left on the disk"), err=True
        )
        sys.exit(5)
    except Exception:
        click.echo("limpide: " + _logged(), err=True)
        sys.exit(1)


def _logged() -> str:
    import traceback

    from limpide.data.datasets import cache_folder

    file = cache_folder() / "error.log"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(traceback.format_exc(), encoding="utf-8")
    return _("this is a mistake in limpide itself — the details are in {file} — please report it with that file").format(file=file)


if __name__ == "__main__":
    main()
