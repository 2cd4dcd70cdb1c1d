"""The command line: one function a verb, each of which parses, calls a workflow and prints.

Nothing heavy is imported before a verb needs it, so that `limpide --help` answers at once.

NAME.py              one verb a file
click_extensions.py  help in the current language, guesses for mistyped words, shared options
click_messages.py    click's own messages, in that language
console.py           characters that a console cannot show
"""

from __future__ import annotations

import os
import sys
import warnings
from typing import Any

import click

from limpide import __version__
from limpide.cli.ablate import ablate
from limpide.cli.check import check
from limpide.cli.clean import clean
from limpide.cli.click_extensions import UnreadFiles, Verbs, choose_language, language_option, not_spoken
from limpide.cli.click_messages import in_our_language, mistake
from limpide.cli.console import make_printable
from limpide.cli.demo import demo
from limpide.cli.doctor import doctor
from limpide.cli.evaluate import evaluate
from limpide.cli.explain import explain
from limpide.cli.export import export
from limpide.cli.info import info
from limpide.cli.lesson import lesson
from limpide.cli.models import models
from limpide.cli.predict import predict
from limpide.cli.report import report
from limpide.cli.runs import runs
from limpide.cli.studio import studio
from limpide.cli.train import train
from limpide.core.errors import Exit, LimpideError, LimpideWarning, from_os_error
from limpide.system import interrupts
from limpide.text.language import unsupported_language, use_language, wanted_language
from limpide.text.messages import N_, _

# in the order in which people need them
VERBS = (
    *(check, train, predict, evaluate, explain, studio, export, report, doctor, ablate),
    *(runs, clean, models, info, lesson, demo),
)


@click.group(
    cls=Verbs,
    commands=VERBS,
    invoke_without_command=True,
    help=N_("""Deep learning for images that you can see through.

\b
All it needs is a folder with one folder of images per class:
  limpide train photos/             train, judge and report in one command
  limpide predict runs/photos-001 new.jpg
  limpide evaluate runs/photos-001 other-photos/
  limpide explain runs/photos-001 new.jpg
  limpide studio                    watch it learn, open it down to one product

\b
No images at hand?
  limpide train digits              8×8 digits, in ten seconds
  limpide train mnist               the classic, in a minute

Exit status: 0 done, 1 a verdict is bad, 2 usage, 3 data, 4 model, 5 run, 6 training, 70 a bug in limpide, 130
Ctrl-C."""),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="limpide")
@language_option(N_("language of all messages (or set LIMPIDE_LANG)"))
@click.pass_context
def cli(ctx: click.Context) -> None:
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main() -> None:
    """The `limpide` command. A mistake of the user is reported in one line; an error in limpide is logged."""
    use_language(wanted_language())
    in_our_language()
    status: Any = None
    _open_missing_outputs()
    make_printable()
    warnings.showwarning = _warn  # type: ignore[assignment]
    with interrupts.Promptness(lambda: "limpide: " + _("stopping; press Ctrl-C again to quit at once")):
        try:
            try:
                _run_verb()
            finally:
                interrupts.end()
        except SystemExit as end:
            status = end.code
        except KeyboardInterrupt:  # a second Ctrl-C, while the first was being obeyed
            status = int(Exit.STOPPED)
        except (BrokenPipeError, UnreadFiles):  # the reader of our output has left: limpide … | head
            pass
        _say_the_rest()
        if status:
            sys.exit(status)


def _open_missing_outputs() -> None:
    """Send output into nothing where the command was started with its output closed, or without a console."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115


def _warn(warning: Warning | str, category: type[Warning], *rest: Any) -> None:
    """Print a warning as a line. Warnings of other libraries are for programmers, so they are shown only where Python
    was asked for warnings (-W, PYTHONWARNINGS).
    """
    if issubclass(category, LimpideWarning):
        click.echo(f"limpide: {warning}", err=True)
    elif sys.warnoptions:
        others(warning, category, *rest)


others = warnings.showwarning


def _say_the_rest() -> None:
    """Flush here and not at the end of Python, which complains where the reader is gone."""
    for stream in filter(None, (sys.stdout, sys.stderr)):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _run_verb() -> None:
    try:
        if (unknown := unsupported_language()) and "--lang" not in sys.argv:
            raise not_spoken(f"LIMPIDE_LANG={unknown}")
        cli.main(args=choose_language(sys.argv[1:]), standalone_mode=False)
    except LimpideError as error:
        click.echo(f"limpide: {error}", err=True)
        sys.exit(error.exit_status)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.ClickException as error:
        click.echo(f"limpide: {mistake(error)}", err=True)
        sys.exit(Exit.USAGE)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(Exit.STOPPED)
    except (BrokenPipeError, UnreadFiles):
        raise
    except MemoryError:
        click.echo("limpide: " + _("out of memory — use a smaller --batch or --image-size"), err=True)
        sys.exit(Exit.TRAINING)
    except OSError as error:
        problem = from_os_error(error)
        click.echo(f"limpide: {problem}", err=True)
        sys.exit(problem.exit_status)
    except Exception as error:
        click.echo("limpide: " + _log_mistake(error), err=True)
        sys.exit(Exit.MISTAKE)


def _log_mistake(error: Exception) -> str:
    from limpide.workflows.info import log_error

    file = log_error(error)
    return _("this is a bug in limpide — the details are in {file} — please report it and attach that file").format(
        file=file
    )
