"""Short functions and short files of the pages, too. Measured without a parser from npm, so that it is measured
wherever the tests run.
"""

from __future__ import annotations

import re

import pytest

from limpide.browser import STATIC
from tests.house.test_sizes import MAX_FILE, MAX_FUNCTION

FILES = [file for file in sorted(STATIC.rglob("*.js")) if "vendor" not in file.parts]
PIECE = re.compile(
    r"""(?P<nothing>\s+|//[^\n]*|/\*.*?\*/)|(?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|(?P<code>[\w$]+|.)""",
    re.DOTALL,
)
REGEX = re.compile(r"/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/\w*")
TEMPLATE = re.compile(r"(?:\\.|(?!\$\{)[^`\\])*(?P<end>`|\$\{)", re.DOTALL)
BEFORE_A_VALUE = {"return", "typeof", "case", "in", "of", "await", "void", "else", "do"}
NO_FUNCTION = {"if", "for", "while", "switch", "catch", "with", "await"}  # words before (…) {…}
OPENING = {")": "(", "]": "[", "}": "{"}


def plain(text: str) -> str:
    """The code alone, line by line: a text or a regular expression is a 0, a template and each ${…} in it stand in
    parentheses.
    """
    found: list[str] = []
    place, before, open_braces = 0, "", [0]  # of the code itself, and of each ${…} in which it stands

    def take(piece: re.Match[str] | None, instead: str) -> None:
        nonlocal place
        assert piece, f"nothing ends what begins at {text[place : place + 40]!r}"
        found.append(instead + "\n" * piece[0].count("\n"))
        place = piece.end()

    while place < len(text):
        piece = PIECE.match(text, place)
        assert piece
        if piece["nothing"]:
            take(piece, " ")
            continue
        sign = piece["code"]
        divides = before in OPENING or (re.match(r"[\w$]", before) and before not in BEFORE_A_VALUE)
        if sign == "/" and not divides:
            piece, sign = REGEX.match(text, place), None
        closes = sign == "}" and open_braces[-1] == 0
        take(piece, "0" if sign is None else {"`": "("}.get(sign, ")" if closes else sign))
        before = sign or "0"
        open_braces[-1] += {"{": 1, "}": -1}.get(before, 0)
        if closes:
            open_braces.pop()
        if closes or sign == "`":
            rest = TEMPLATE.match(text, place)
            opens = rest is not None and rest["end"] == "${"
            take(rest, "")
            found.append("(" if opens else ")")
            before = "(" if opens else ")"
            open_braces += [0] if opens else []
    return "".join(found)


def functions(text: str) -> dict[str, int]:
    """The functions of a module by name and first line → how many lines each has."""
    signs: list[str] = []
    lines: list[int] = []
    mates: dict[int, int] = {}  # of a bracket, where the other one is
    waiting: list[int] = []
    code = plain(text)
    for match in re.finditer(r"[\w$]+|=>|\?\.|\?\?|\S", code):
        if match[0] in OPENING:
            opened = waiting.pop()
            assert signs[opened] == OPENING[match[0]]
            mates[len(signs)], mates[opened] = opened, len(signs)
        elif match[0] in OPENING.values():
            waiting.append(len(signs))
        signs.append(match[0])
        lines.append(1 + code.count("\n", 0, match.start()))
    assert not waiting

    def end(body: int) -> int:
        """The last sign of a body: of an expression, the one before it is over."""
        if signs[body] == "{":
            return mates[body]
        choices = 0
        while body < len(signs) and signs[body] not in {*OPENING, ",", ";"} and (signs[body] != ":" or choices):
            choices += {"?": 1, ":": -1}.get(signs[body], 0)
            body = mates.get(body, body) + 1
        return body - 1

    found = {}
    for k, sign in enumerate(signs):
        if sign == "=>":
            start, body = mates.get(k - 1, k - 1), k + 1
            named = start - 1 - (signs[start - 1] == "async")
            name = signs[named - 1] if signs[named] in {"=", ":"} else signs[named]
        elif sign == "{" and k and signs[k - 1] == ")" and signs[mates[k - 1] - 1] not in NO_FUNCTION:
            start, body, name = mates[k - 1] - 1, k, signs[mates[k - 1] - 1]
        else:
            continue
        found[f"{name}, line {lines[start]}, sign {start}"] = lines[end(body)] - lines[start] + 1
    return found


@pytest.mark.parametrize(
    ("text", "lengths"),
    [
        ("const f = (a) => {\n  b();\n};\nf();", [3]),
        ("const f = async ({\n  a,\n}) =>\n  a +\n  1;\nf();", [5]),
        ("function f(a) {\n  if (a) {\n    b();\n  }\n}\n", [5]),
        ("class C {\n  m() {\n    return 1;\n  }\n}\n", [3]),
        ("all.map((x) =>\n  x ? 1\n  : 2).filter(f)", [3]),
        ("const f = (x) => html`\n  <p>}${x.map((y) => html`{\n    ${y}`)}\n  </p>\n`;\nf();", [5, 2]),
        ("const f = () => {\n  /* } */ // }\n  g('}', \"}\", /[/}]\\/}/g, a / 2, b[0] / `}`);\n};\n", [4]),
        ("const f = a ? (x) => x\n  : (x) =>\n  x?.y ?? {\n};\n", [1, 3]),
    ],
)
def test_the_measure(text: str, lengths: list[int]) -> None:
    assert list(functions(text).values()) == lengths


def test_a_long_function_is_found() -> None:
    long = "const f = () => {\n" + "  g(`${() => 0}`);\n" * MAX_FUNCTION + "};\n"
    assert max(functions(long).values()) == MAX_FUNCTION + 2


def test_functions_of_the_pages_are_short() -> None:
    lengths = {
        f"{file.relative_to(STATIC)}: {name}": lines
        for file in FILES
        for name, lines in functions(file.read_text(encoding="utf-8")).items()
    }
    assert len(lengths) > 1000
    assert {name: lines for name, lines in lengths.items() if lines > MAX_FUNCTION} == {}


def test_files_of_the_pages_are_short() -> None:
    lengths = {str(file.relative_to(STATIC)): file.read_text(encoding="utf-8").count("\n") for file in FILES}
    assert {name: lines for name, lines in lengths.items() if lines > MAX_FILE} == {}
