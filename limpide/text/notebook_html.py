"""HTML for results in a notebook: small pieces that need no style sheet, no script and no request.

A notebook is light or dark and does not say which: text keeps the colour of the notebook, lines and fills are
translucent. All text from outside is escaped here, and nowhere else.
"""

from __future__ import annotations

import html
from collections.abc import Sequence

from limpide.text.formats import visible_text

MAX_ROWS = 30  # of a table; the object itself has all of them
# orange and blue of limpide/browser/static/color_scale.js, in shades that are visible on black and on white
PLUS, MINUS = "214 124 28", "62 128 205"
TABLE = "border-collapse:collapse;font-variant-numeric:tabular-nums"
SOFT = "opacity:.65"
LINE = "1px solid rgb(128 128 128/.35)"


def escape(text: object) -> str:
    """Text as it is, for a page: neither a tag nor an invisible character comes through."""
    return html.escape(visible_text(text), quote=True)


def block(*pieces: str) -> str:
    return f'<div style="font-family:system-ui,sans-serif;line-height:1.45;max-width:60em">{"".join(pieces)}</div>'


def claim(mark: str, word: str, sentence: str) -> str:
    verdict = f'<span style="{SOFT}">{escape(mark)} {escape(word)}</span> · ' if word else ""
    return f'<p style="margin:.3em 0">{verdict}<b>{escape(sentence)}</b></p>'


def heading(text: object) -> str:
    return f'<p style="margin:1em 0 .2em;font-weight:600">{escape(text)}</p>'


def note(text: object) -> str:
    return f'<p style="margin:.2em 0;font-size:.85em;{SOFT}">{escape(text)}</p>'


def table(rows: Sequence[Sequence[object]], head: Sequence[object] = (), caption: str = "", words: bool = False) -> str:
    """A table whose first column is text; the others are numbers or, with `words`, text, too. Columns that are empty
    everywhere are left out.
    """
    if not rows:
        return ""
    columns = [k for k in range(len(rows[0])) if any(str(row[k]) for row in rows)]

    def line(cells: Sequence[object], tag: str) -> str:
        sides = ["left" if k == 0 or words else "right" for k in columns]
        return (
            "<tr>"
            + "".join(
                f'<{tag} style="text-align:{side};padding:.1em .8em .1em 0">{escape(cells[k])}</{tag}>'
                for k, side in zip(columns, sides, strict=True)
            )
            + "</tr>"
        )

    title = f'<caption style="text-align:left;{SOFT}">{escape(caption)}</caption>' if caption else ""
    top = f"<thead>{line(head, 'th')}</thead>" if head else ""
    more = f'<tr><td style="{SOFT}">… {len(rows) - MAX_ROWS}</td></tr>' if len(rows) > MAX_ROWS else ""
    body = "".join(line(row, "td") for row in rows[:MAX_ROWS])
    return f'<table style="{TABLE};margin:.4em 0">{title}{top}<tbody>{body}{more}</tbody></table>'


def bars(rows: Sequence[tuple[object, float, object]]) -> str:
    """One bar per row: (name, share 0 … 1, the number as text)."""
    lines = "".join(
        f'<tr><td style="text-align:left;padding:.1em .8em .1em 0">{escape(name)}</td><td style="width:12em;padding:0">'
        f'<div style="height:.8em;width:{100 * min(1.0, max(0.0, share)):.1f}%;background:currentColor;'
        f'opacity:{0.75 if k == 0 else 0.35}"></div></td>'
        f'<td style="text-align:right;padding:.1em 0 .1em .8em">{escape(words)}</td></tr>'
        for k, (name, share, words) in enumerate(rows)
    )
    return f'<table style="{TABLE}"><tbody>{lines}</tbody></table>'


def grid(title: object, rows: Sequence[Sequence[tuple[float, object]]]) -> str:
    """Numbers on a coloured ground: orange above 0, blue below, its strength relative to the largest number. Rows of
    (share −1 … 1, text).
    """
    lines = "".join(
        "<tr>"
        + "".join(
            '<td style="text-align:right;min-width:3.4em;padding:.15em .4em;'
            f'background:rgb({MINUS if share < 0 else PLUS}/{0.75 * min(1.0, abs(share)):.2f})">{escape(words)}</td>'
            for share, words in row
        )
        + "</tr>"
        for row in rows
    )
    return (
        '<table style="display:inline-table;vertical-align:bottom;border-collapse:collapse;font-size:.85em;'
        'font-variant-numeric:tabular-nums;margin:.3em .5em .3em 0">'
        f'<caption style="text-align:left;white-space:nowrap;{SOFT}">{escape(title)}</caption>'
        f"<tbody>{lines}</tbody></table>"
    )


def image(uri: str, words: object, side: int) -> str:
    """A picture that is embedded in the page; `side`: its height in CSS pixels. uri: data:image/png;base64,…"""
    if not uri.startswith("data:image/"):
        raise ValueError("A picture in a notebook must not be fetched from anywhere.")
    return (
        f'<img src="{html.escape(uri)}" alt="{escape(words)}" title="{escape(words)}" '
        f'style="height:{side}px;image-rendering:pixelated;border:{LINE};margin:0 4px 4px 0">'
    )
