"""limpide's changes to click: help in the current language, guesses for mistyped words, shared options."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click

from limpide.cli.click_messages import in_our_language
from limpide.core.errors import Exit, UsageError, nearest
from limpide.core.finding import Finding
from limpide.core.recipe import Recipe
from limpide.core.recipe_field import GROUPS, Group
from limpide.text.language import LANGUAGES, use_language
from limpide.text.messages import N_, _


class Verb(click.Command):
    """A command whose help is translated when it is shown, so that --lang applies to it, too."""

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        help_in_language(self, ctx)
        super().format_help_text(ctx, formatter)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the choices of a recipe by topic, then the other options."""
        sections: dict[str, list[tuple[str, str]]] = {title: [] for title in (*GROUPS.values(), N_("Options"))}
        for option in self.get_params(ctx):
            if isinstance(option, click.Option) and (record := option.get_help_record(ctx)):
                sections[GROUPS[option.group] if isinstance(option, Choice) else "Options"].append(record)
        for title, records in sections.items():
            if records:
                with formatter.section(_(title)):
                    formatter.write_dl(records)

    def get_short_help_str(self, limit: int = 45) -> str:
        return _(self.short_help or "")


def verb(short: str, help: str) -> Callable[[Callable[..., Any]], Verb]:
    """Turn a function into a verb. `short` is shown in the list of verbs; both are msgids."""
    return click.command(cls=Verb, short_help=short, help=help)


def verdict(findings: Mapping[str, Finding]) -> Exit:
    """The exit status of a verb that only judges: a warning is not a failure."""
    return Exit.UNMET if any(finding.verdict == "bad" for finding in findings.values()) else Exit.DONE


class UnreadFiles(Exception):
    """The reader of the output is gone."""


@contextlib.contextmanager
def report_unread() -> Iterator[None]:
    """Raise a BrokenPipeError under another name: click would end with status 1."""
    try:
        yield
    except BrokenPipeError as error:
        raise UnreadFiles from error


class Verbs(click.Group):
    """Guesses the verb that was meant."""

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        with report_unread():  # help is printed here
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        with report_unread():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)  # in the order of the table, not of the alphabet

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        help_in_language(self, ctx)
        super().format_help_text(ctx, formatter)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            guess = nearest(args[0], self.commands)
            todo = N_("did you mean limpide {guess}?") if guess else N_("see limpide --help")
            raise UsageError("L100", where=args[0], todo=todo, guess=guess)
        return super().resolve_command(ctx, args)


def help_in_language(command: click.Command, ctx: click.Context) -> None:
    """Translate the help of a command and its options into the current language. The originals are msgids and are kept
    for later translations.
    """
    command.help = _(originals.setdefault(command, command.help or ""))
    for option in command.params:
        if isinstance(option, click.Option) and option.help:
            option.help = _(originals.setdefault(option, option.help))
    if help_option := command.get_help_option(ctx):  # click makes it once, in the language of that moment
        help_option.help = _("Show this message and exit.")


originals: dict[object, str] = {}


class Choice(click.Option):
    """A field of Recipe: shows its first name, meaning, unit and default, and accepts its other names."""

    @property
    def choice(self) -> dataclasses.Field[Any]:
        return next(choice for choice in dataclasses.fields(Recipe) if choice.name == self.name)

    @property
    def group(self) -> Group:
        group: Group = self.choice.metadata["group"]
        return group

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        choice = self.choice
        unit = f" [{choice.metadata['unit']}]" if choice.metadata["unit"] else ""
        default = "" if choice.default in (None, "") else f"  ({choice.default})"
        return f"{self.opts[0]} …", _(choice.metadata["meaning"]) + unit + default


def recipe_options(command: Callable[..., Any], only: Container[str] | None = None) -> Callable[..., Any]:
    """Add one option for each field of Recipe, or of `only`, under all its common names."""
    for choice in reversed([choice for choice in dataclasses.fields(Recipe) if only is None or choice.name in only]):
        names = [choice.name, *choice.metadata["also"]]
        flags = dict.fromkeys(flag for name in names for flag in (f"--{name.replace('_', '-')}", f"--{name}"))
        command = click.option(*flags, choice.name, default=None, cls=Choice)(command)
    return command


# Options about the images themselves.
data_options = partial(
    recipe_options,
    only=("groups", "value_range", "parts", "file_column", "label_column", "split_column", "images", "suffix"),
)

runs_folder = click.option(
    "--runs",
    "folder",
    type=click.Path(path_type=Path),
    default=Path("runs"),
    show_default=True,
    help=N_("folder that keeps the runs"),
)


def chosen_runs(named: Path | None, option: Path) -> tuple[Path, Path | None]:
    """Return (folder of runs, the named run in it, if one was named): an argument comes before --runs. Raises
    UsageError for a folder that does not exist.
    """
    if named is None:
        return option, None
    if not named.is_dir():
        raise UsageError("L126", where=str(named))
    if (named / "run.json").is_file():
        return named.resolve().parent, named.resolve()
    return named, None


as_json_object = click.option(
    "--json", "as_json", is_flag=True, help=N_("print one JSON object on standard output and nothing else")
)
as_json_list = click.option("--json", "as_json", is_flag=True, help=N_("print a JSON list"))


def language_option(help: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The option --lang, which applies before anything else is read: also to the help of the same command."""
    return click.option("--lang", metavar="en|fr", is_eager=True, expose_value=False, callback=_speak, help=help)


def _speak(_ctx: click.Context, _option: click.Parameter, lang: str | None) -> None:
    if lang:
        if lang not in LANGUAGES:
            raise not_spoken(lang)
        use_language(lang)
        in_our_language()


def not_spoken(lang: str) -> UsageError:
    return UsageError("L107", where=lang, names=", ".join(LANGUAGES))


def choose_language(words: Sequence[str]) -> list[str]:
    """Move --lang to the front: it applies to the whole command, wherever it is typed."""
    words = list(words)
    if "--lang" in words[1:-1]:
        place = words.index("--lang")
        return [*words[place : place + 2], *words[:place], *words[place + 2 :]]
    return words
