"""Output on consoles that cannot show every character: a Windows console with code page 1252, a file in Latin-1."""

from __future__ import annotations

import codecs
import io
import sys
import unicodedata

# The same in ASCII.
PLAIN = {
    "●": "*", "○": "o", "▲": "!", "■": "#", "→": "->", "←": "<-", "−": "-", "≤": "<=", "≥": ">=", "≈": "~", "·": "-",
    "█": "#", "▓": "#", "▒": "+", "░": ".", "′": "'", "√": "sqrt", "Σ": "sum", "✓": "yes", "⊙": "*", "⌊": "[", "⌋": "]",
    "\N{NARROW NO-BREAK SPACE}": " ", "’": "'", "…": "...", "—": "-", "–": "-", "“": '"', "”": '"', "×": "x", "œ": "oe",
    "η": "eta", "δ": "delta", "↔": "<->", "↕": "|",
}  # fmt: skip


def make_printable() -> None:
    """From now on, write characters that standard output and error cannot show plainly, or by their numbers; no error
    ends a training. An output in UTF-8 shows everything and stays as it is.
    """
    codecs.register_error("limpide", _plain)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and codecs.lookup(stream.encoding).name != "utf-8":
            stream.reconfigure(errors="limpide")


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    cannot = error.object[error.start : error.end]
    return "".join(PLAIN.get(one) or _without_marks(one) or _escaped(one) for one in cannot), error.end


def _without_marks(character: str) -> str:
    """À → A, ½ → 1/2, ₁ → 1; "" for what has no letters of ASCII in it."""
    parts = unicodedata.normalize("NFKD", character).replace("⁄", "/")
    return parts.encode("ascii", "ignore").decode() if not character.isascii() else ""


def _escaped(character: str) -> str:
    r"""The character as JSON writes it: \u4e2d, and two of these beyond 16 bits. JSON output thus keeps its meaning."""
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[k] << 8 | units[k + 1]:04x}" for k in range(0, len(units), 2))
