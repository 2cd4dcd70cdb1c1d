"""What a terminal shows while something runs."""

from __future__ import annotations

import io
import time

from rich.console import Console

from limpide.core.events import Progress
from limpide.report.terminal.progress import REFRESH, Screen
from limpide.text.language import use_language
from limpide.text.messages import message


def shown(screen: Screen) -> str:
    file = screen.console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def terminal() -> Screen:
    screen = Screen()
    screen.console = Console(file=io.StringIO(), force_terminal=True, width=100, highlight=False)
    return screen


def test_what_cannot_say_how_far_it_is_says_what_it_does_and_how_long_it_has_been_at_it() -> None:
    screen = terminal()
    with screen.busy(message("writing the model file")):
        time.sleep(3 / REFRESH)
    text = shown(screen)
    assert "writing the model file" in text and "0:00:00" in text and "%" not in text
    turning = {sign for sign in text if "\N{BRAILLE PATTERN BLANK}" <= sign <= "\N{BRAILLE PATTERN DOTS-12345678}"}
    assert len(turning) > 1, "a sign of life"


def test_what_can_say_so_says_its_share() -> None:
    screen = terminal()
    assert screen.wait(iter([Progress(message("a")), Progress(message("b"), 1, 4), 7])) == 7
    assert "25 %" in shown(screen) and "0 %" not in shown(screen)


def test_the_words_are_those_of_the_language() -> None:
    use_language("fr")
    screen = terminal()
    screen.collect([Progress(message("evaluating its answers"))])
    assert "évaluation de ses réponses" in shown(screen)


def test_a_line_never_parts_a_number_from_its_unit_nor_a_path() -> None:
    path = "photos/" + "a-long-name-" * 12 + ".jpg"
    for before in range(80, 105):
        screen = terminal()
        screen.say(f"{'x' * before} 99.1\N{NO-BREAK SPACE}% of {path}")
        assert "99.1\N{NO-BREAK SPACE}%" in shown(screen) and path in shown(screen)
