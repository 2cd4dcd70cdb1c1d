"""What click says stands in our catalogue, and an option that is not there is answered with what is."""

from __future__ import annotations

import ast
from pathlib import Path

import click
import pytest

from limpide import cli
from limpide.cli import click_messages
from limpide.text.language import use_language
from tests.catalogue import sentences


def answer(*arguments: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr("sys.argv", ["limpide", *arguments])
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert left.value.code == 2
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1 and said.startswith("limpide: ")
    return said


@pytest.fixture(autouse=True)
def _own_domain(monkeypatch: pytest.MonkeyPatch) -> None:
    """gettext's domain and LANGUAGE are the whole process's: afterwards they are as they were."""
    monkeypatch.setattr("gettext._current_domain", "messages")
    monkeypatch.setenv("LANGUAGE", "en")
    monkeypatch.setattr("limpide.system.interrupts.end", lambda: None)  # these tests go on after it


def options(said: str) -> set[str]:
    return {word.strip(",?.") for word in said.split() if word.startswith("--")}


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("--momentum", "write --optimizer momentum"),
        ("--warm_up", "write --schedule one-cycle:0.25"),
        ("--no-augment", "write --augment none"),
        ("--cutmix", "write --augment cutmix"),
        ("--epohs", "did you mean --epochs"),
        ("--bacth", "did you mean --batch"),
        ("--xyzzy", "limpide train --help"),
    ],
)
def test_an_option_that_is_not_there(
    typed: str, hint: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = answer("train", "digits", typed, "1", capsys=capsys, monkeypatch=monkeypatch)
    assert f"there is no option {typed}" in said and hint in said and said.rstrip().endswith("[L164]")
    real = {name for option in cli.train.params for name in option.opts} | {"--help"}
    assert options(said) - {typed} <= real, "only what is there is offered"


def test_the_help_option_speaks_french_too(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    french = ("--lang", "fr")  # first: what a command's help says stays until it is asked for in another language
    for words in ((*french, "--help"), (*french, "train", "--help"), ("--help",), ("train", "--help")):
        monkeypatch.setattr("sys.argv", ["limpide", *words])
        use_language("en")
        cli.main()
        shown = capsys.readouterr().out
        assert ("Afficher cette aide et s’arrêter." in shown) == ("fr" in words) == ("Show this message" not in shown)


def test_no_reason_is_given_for_an_option_that_is_there() -> None:
    names = {name.lstrip("-") for verb in cli.VERBS for option in verb.params for name in option.opts}
    assert not names & set(click_messages.OTHERWISE)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("train", "digits", "--momentum", "0.9"), "il n’y a pas d’option --momentum"),
        (("train",), "il manque l’argument 'DATA'"),
        (("predict", "r", "f", "--top", "many"), "n’est pas un nombre valable"),
        (("predict", "r", "f", "--top", "0"), "n’est pas dans l’intervalle"),
        (("train", "digits", "more"), "argument en trop (more)"),
        (("train", "digits", "--lr"), "l’option '--lr' demande une valeur —"),
        (("train", "digits", "--new=1"), "l’option '--new' ne prend pas de valeur —"),
    ],
)
@pytest.mark.parametrize("before", [True, False])
def test_mistakes_are_told_in_french(
    arguments: tuple[str, ...],
    words: str,
    before: bool,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if before:
        said = answer("--lang", "fr", *arguments, capsys=capsys, monkeypatch=monkeypatch)
    else:
        monkeypatch.setenv("LIMPIDE_LANG", "fr")
        said = answer(*arguments, capsys=capsys, monkeypatch=monkeypatch)
    assert words in said.replace("\N{NO-BREAK SPACE}", " ")
    assert "No such" not in said and "Invalid" not in said and "Missing" not in said


def test_headings_of_the_help_are_french(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    predict = cli.cli.commands["predict"]
    monkeypatch.setattr(predict, "_help_option", None)  # click keeps it in the language of the first help in a process
    monkeypatch.setattr("sys.argv", ["limpide", "--lang", "fr", "predict", "--help"])
    cli.main()
    shown = capsys.readouterr().out
    assert (
        "Usage\N{NO-BREAK SPACE}:" in shown
        and "Afficher cette aide" in shown
        and "par défaut" in shown
        and "Show this message" not in shown
    )
    use_language("en")


def test_all_that_click_may_say_of_a_mistake_is_in_the_catalogue() -> None:
    """What it says of a command or option that is not there is said by us, and files are opened by us."""
    ours = {
        "No such option",
        "No such command",
        "Could not open file",
        "unknown error",
        "Error: ",
        "Try '",
        "Missing {",
        "Missing parameter: ",
        "Did you mean",
    }
    said: set[str] = set()
    for name in ("exceptions.py", "parser.py"):
        for node in ast.walk(ast.parse((Path(click.__file__).parent / name).read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("_", "ngettext"):
                said |= {node.args[0].value} if isinstance(node.args[0], ast.Constant) else set()
    unsaid = {sentence for sentence in said if not any(sentence.startswith(begin) for begin in ours)} - set(sentences())
    assert unsaid <= {"Invalid start character for option ({option})", "Argument {name!r} takes {nargs} values."}, (
        "declarations, not what is typed"
    )
