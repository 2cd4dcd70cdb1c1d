"""The signatures of the classifiers as text, for editors and type checkers: `python -m tests.signatures` (make
signatures) writes them anew from the fields of Recipe. At run time they are made of the fields themselves
(limpide/api/parameters.py).
"""

from __future__ import annotations

import inspect
import re
import textwrap
from pathlib import Path

from limpide import FlatImageClassifier, ImageClassifier

CLASSES = (ImageClassifier, FlatImageClassifier)
WIDTH = 120
BEGIN = "        # fmt: off\n        # written by python -m tests.signatures (make signatures)\n"
END = "        # fmt: on\n"


def signature_text(estimator: type) -> str:
    """The whole of `def __init__`, as many parameters in a line as fit."""
    parameters = list(inspect.signature(estimator.__init__).parameters.values())[1:]  # type: ignore[misc]
    words = ", ".join(
        f"{parameter.name}:\0{parameter.annotation}\0=\0{_quoted(parameter.default)}".replace(" ", "\0")
        for parameter in parameters
    )
    indent = " " * 12
    # a comma follows the last of them
    lines = textwrap.wrap(
        words,
        WIDTH - 1,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    body = "\n".join(lines).replace("\0", " ")
    return f"        def __init__(\n            self, *,\n{body},\n        ) -> None: ...\n"


def _quoted(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)


def written(estimator: type) -> str:
    """What its file holds."""
    return _block(_file(estimator).read_text(encoding="utf-8"))[1]


def _file(estimator: type) -> Path:
    return Path(inspect.getfile(estimator))


def _block(text: str) -> tuple[str, str, str]:
    """(before, between, after) the marks."""
    found = re.fullmatch(rf"(.*{re.escape(BEGIN)})(.*)({re.escape(END)}.*)", text, re.DOTALL)
    assert found, f"no place for a signature: {BEGIN.strip()} … {END.strip()}"
    return found[1], found[2], found[3]


def main() -> None:
    for estimator in CLASSES:
        before, _, after = _block(_file(estimator).read_text(encoding="utf-8"))
        _file(estimator).write_text(before + signature_text(estimator) + after, encoding="utf-8")


if __name__ == "__main__":
    main()
