"""click's own messages, in the current language: headings of the help, and mistakes in the typed command."""

from __future__ import annotations

import difflib
import gettext
import os

import click

from limpide.core.errors import LimpideError, UsageError
from limpide.text.language import LOCALE_FOLDER, current_language
from limpide.text.messages import N_, message

# click looks its sentences up in gettext's own domain; they are in our catalogue because they are marked here.
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

# Options that other programs have, and how limpide says the same.
OTHERWISE = {
    **dict.fromkeys(("momentum", "nesterov"), N_("write --optimizer momentum or --optimizer nesterov")),
    **dict.fromkeys(("warmup", "warm-up"), N_("write --schedule one-cycle:0.25: a quarter of the steps goes up")),
    **dict.fromkeys(("no-augment", "no-augmentation"), N_("write --augment none")),
    **dict.fromkeys(("mixup", "cutmix", "rotate", "zoom", "blur", "erase"), N_("write --augment {plain}")),
}
MIN_SIMILARITY = 0.7  # of a name, to count as the intended one
MAX_GUESSES = 3


def in_our_language() -> None:
    """Make click use the current language. Only for the process of a command: gettext's domain belongs to the whole
    process.
    """
    gettext.bindtextdomain("limpide", str(LOCALE_FOLDER))
    gettext.textdomain("limpide")
    os.environ["LANGUAGE"] = current_language()


def mistake(error: click.ClickException) -> LimpideError:
    """Convert a mistake that click found: into our own error where it has better advice, else into its sentence with
    where and what to do.
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
    todo = OTHERWISE.get(plain) or (N_("did you mean {guess}?") if close else N_("see {command} --help"))
    names = dict(option=error.option_name, guess=", ".join(close), command=where, plain=plain)
    return UsageError("L164", where=where, todo=todo, **names)


def _names_of(context: click.Context | None) -> list[str]:
    """Every name of an option of this command; of several spellings, the readable ones."""
    return [
        name
        for option in (context.command.params if context else ())
        for name in option.opts
        if name.startswith("-") and "_" not in name
    ]
