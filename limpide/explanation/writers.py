"""The explanation of one image as the bytes of a file: a picture (picture.py), a self-contained page, or JSON."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

from limpide.explanation.picture import draw_picture
from limpide.explanation.record import (
    ALIKE_TITLE,
    BADGE_WORDS,
    MADE_TITLE,
    METHOD_MEANINGS,
    METHOD_WORDS,
    ImageExplanation,
    maximized_words,
    nearest_words,
    to_json,
    window_words,
)
from limpide.explanation.window import framed
from limpide.report import color_scale, unit_grid
from limpide.report.html.page import asset, environment
from limpide.text.language import current_language
from limpide.text.numbers import format_number, format_significant


def html_of(sight: ImageExplanation) -> str:
    """A self-contained page in the current language."""
    context = {
        "sight": sight,
        "arithmetic": unit_grid.arithmetic_of(sight.unit),
        "plane_uri": color_scale.plane_uri,
        "end_of": color_scale.end_of,
        "number": format_number,
        "signed": lambda value: format_significant(value).replace("-", "\N{MINUS SIGN}"),
        "square_uri": color_scale.square_uri,
        "shown": sight.square if sight.window is None else framed(sight.square, sight.window),
        "window_words": window_words,
        "MADE_TITLE": MADE_TITLE,
        "ALIKE_TITLE": ALIKE_TITLE,
        "made_words": maximized_words,
        "alike_words": nearest_words,
        "BADGE_WORDS": BADGE_WORDS,
        "METHOD_WORDS": METHOD_WORDS,
        "METHOD_MEANINGS": METHOD_MEANINGS,
        "lang": current_language(),
        "style": asset("report.css") + asset("sight.css"),
    }
    return environment().get_template("sight.html").render(context)


def _page(sight: ImageExplanation) -> bytes:
    return html_of(sight).encode("utf-8", "backslashreplace")


def _json(sight: ImageExplanation) -> bytes:
    return (json.dumps(to_json(sight), ensure_ascii=False, allow_nan=False) + "\n").encode("utf-8", "backslashreplace")


def _png(sight: ImageExplanation) -> bytes:
    stream = io.BytesIO()
    draw_picture(sight).save(stream, "PNG", optimize=True)
    return stream.getvalue()


WRITERS: dict[str, Callable[[ImageExplanation], bytes]] = {".png": _png, ".html": _page, ".json": _json}


def bytes_of(sight: ImageExplanation, file: Path) -> bytes:
    """The bytes in the format of the file's ending, one of WRITERS."""
    return WRITERS[file.suffix.lower()](sight)


def is_for_programs(file: Path) -> bool:
    """The same in every language."""
    return file.suffix.lower() == ".json"
