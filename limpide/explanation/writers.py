"""What was seen of one image, as the bytes of a file: a picture (sheet.py), a page that is complete in
itself, or JSON.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

from limpide.explanation.picture import sheet_of
from limpide.explanation.record import (
    ALIKE_TITLE,
    BADGE_WORDS,
    MADE_TITLE,
    METHOD_MEANINGS,
    METHOD_WORDS,
    Sight,
    alike_words,
    made_words,
    to_json,
)
from limpide.report import color_scale, unit_grid
from limpide.report.html.page import asset, environment
from limpide.text.messages import current, number, significant


def html_of(sight: Sight) -> str:
    """One page that is complete in itself, in the current language."""
    context = {
        "sight": sight,
        "arithmetic": unit_grid.arithmetic_of(sight.unit),
        "plane_uri": color_scale.plane_uri,
        "end_of": color_scale.end_of,
        "number": number,
        "signed": lambda value: significant(value).replace("-", "\N{MINUS SIGN}"),
        "square_uri": color_scale.square_uri,
        "MADE_TITLE": MADE_TITLE,
        "ALIKE_TITLE": ALIKE_TITLE,
        "made_words": made_words,
        "alike_words": alike_words,
        "BADGE_WORDS": BADGE_WORDS,
        "METHOD_WORDS": METHOD_WORDS,
        "METHOD_MEANINGS": METHOD_MEANINGS,
        "lang": current(),
        "style": asset("report.css") + asset("sight.css"),
    }
    return environment().get_template("sight.html").render(context)


def _page(sight: Sight) -> bytes:
    return html_of(sight).encode("utf-8", "backslashreplace")


def _json(sight: Sight) -> bytes:
    return (json.dumps(to_json(sight), ensure_ascii=False, allow_nan=False) + "\n").encode("utf-8", "backslashreplace")


def _png(sight: Sight) -> bytes:
    stream = io.BytesIO()
    sheet_of(sight).save(stream, "PNG", optimize=True)
    return stream.getvalue()


WRITERS: dict[str, Callable[[Sight], bytes]] = {".png": _png, ".html": _page, ".json": _json}


def bytes_of(sight: Sight, file: Path) -> bytes:
    """As the ending of the file says, one of WRITERS."""
    return WRITERS[file.suffix.lower()](sight)
