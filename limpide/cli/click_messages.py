"""What click says of itself, in the language in force: headings of the help, and mistakes in what was typed."""

from __future__ import annotations

import difflib
import gettext
import os

import click

from limpide.core.errors import LimpideError, UsageError
from limpide.text.language import LOCALE_FOLDER, current_language
from limpide.text.messages import N_, message

# Click looks its sentences up in gettext's own domain; in our catalogue they stand because they are marked here.
SAID = (
    N_("Usage:"),
    N_("Options"),
    N_("Commands"),
    N_("default: {default}"),
    N_("Show this message and exit."),
    N_("Show the version and exit."),
    N_("Missing argument"),
    N_("Missing option"),
    N_("Missing parameter"),
    N_("Missing command."),
    N_("Invalid value: {message}"),
    N_("Invalid value for {param_hint}: {message}"),
    N_("Option {name!r} does not take a value."),
    N_("{value!r} is not a valid {number_type}."),
    N_("{value} is not in the range {range}."),
    message(N_("Got unexpected extra argument ({args})"), N_("Got unexpected extra arguments ({args})"), n=1, args=""),
    message(
        N_("Option {name!r} requires an argument."),
        N_("Option {name!r} requires {nargs} arguments."),
        n=1,
        name="",
        nargs=1,
    ),
)

ONE_OPTIMIZER = N_("AdamW is the only optimizer")
ONE_SCHEDULE = N_("the learning rate always follows a one-cycle schedule")
ALTERED_BY_RULE = N_("the number of epochs decides whether images are augmented, and the run reports it")
# What other programs have an option for and this one has not.
WHY_NOT = {
    **dict.fromkeys(("optimizer", "optimiser", "optim", "opt", "momentum", "nesterov"), ONE_OPTIMIZER),
    **dict.fromkeys(("scheduler", "schedule", "lr-scheduler", "lr-schedule", "warmup", "warm-up"), ONE_SCHEDULE),
    **dict.fromkeys(("augment", "no-augment", "augmentation", "no-augmentation"), ALTERED_BY_RULE),
}
MIN_SIMILARITY = 0.7  # of a name, to be the one that was meant
MAX_GUESSES = 3


def in_our_language() -> None:
    """From now on click speaks as the rest does. For the process of a command only: gettext's domain is the whole
    process's.
    """
    gettext.bindtextdomain("limpide", str(LOCALE_FOLDER))
    gettext.textdomain("limpide")
    os.environ["LANGUAGE"] = current_language()


def mistake(error: click.ClickException) -> LimpideError:
    """A mistake that click found: as our own error where we know better what to do, else its sentence with where and
    what to do.
    """
    context = error.ctx if isinstance(error, click.UsageError) else None
    where = context.command_path if context else "limpide"
    if isinstance(error, click.NoSuchOption):
        return _no_such_option(error, where)
    says = error.format_message().rstrip(".")
    return UsageError("L167", where=where, what="{says}", says=says[:1].lower() + says[1:], command=where)


def _no_such_option(error: click.NoSuchOption, where: str) -> LimpideError:
    plain = error.option_name.lstrip("-").replace("_", "-").lower()
    real = {name.lstrip("-").replace("_", "-"): name for name in _names_of(error.ctx)}
    close = dict.fromkeys(
        real[match] for match in difflib.get_close_matches(plain, real, n=MAX_GUESSES, cutoff=MIN_SIMILARITY)
    )
    todo = WHY_NOT.get(plain) or (N_("did you mean {guess}?") if close else N_("see {command} --help"))
    return UsageError("L164", where=where, todo=todo, option=error.option_name, guess=", ".join(close), command=where)


def _names_of(context: click.Context | None) -> list[str]:
    """Every name of an option of this command, the readable ones of several spellings."""
    return [
        name
        for option in (context.command.params if context else ())
        for name in option.opts
        if name.startswith("-") and "_" not in name
    ]
