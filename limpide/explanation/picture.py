"""The explanation of one image as one picture: drawn with Pillow, from top to bottom, on paper as wide as a large
screen.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from limpide.core.finding import Finding
from limpide.explanation.record import (
    ALIKE_TITLE,
    BADGE_WORDS,
    MADE_TITLE,
    METHOD_MEANINGS,
    METHOD_WORDS,
    ImageExplanation,
    Maps,
    MaximizedPicture,
    NearestImages,
    SaliencyEvidence,
    maximized_words,
    nearest_words,
    window_words,
)
from limpide.explanation.window import framed
from limpide.report import unit_grid
from limpide.report.color_scale import MINUS, PAPER, PLUS, end_of, paint_plane, picture_of
from limpide.text.formats import visible_text
from limpide.text.messages import N_, Message, _, message
from limpide.text.numbers import format_number, format_percent, format_significant

WIDTH, MARGIN, GAP = 1600, 88, 40
INNER = WIDTH - 2 * MARGIN
INK, SOFT, LINE, ACCENT, WARN = (28, 27, 25), (95, 91, 84), (222, 218, 210), (11, 106, 131), (138, 75, 0)
PICTURE = 520  # side of the image
MADE_SIDE = 380  # of the picture that was made
LABELS = 250  # width of the labels next to the maps
CELL = (66, 44)  # of a grid of numbers
NAME = 320  # width of the name of a class, at most
MAX_NAME = 12000  # pixels: the height to which a taller picture is cut

# Pillow's own font has no accents, so the first of these fonts that the system has; all of them have French, Greek and
# Cyrillic.
SANS = (
    "LiberationSans-Regular.ttf",
    "Arial.ttf",
    "arial.ttf",
    "Helvetica.ttc",
    "NotoSans-Regular.ttf",
    "DejaVuSans.ttf",
)
SERIF = (
    "LiberationSerif-Regular.ttf",
    "Georgia.ttf",
    "georgia.ttf",
    "Times.ttc",
    "NotoSerif-Regular.ttf",
    "DejaVuSerif.ttf",
)


@cache
def _font(size: int, serif: bool = False) -> Any:
    for name in SERIF if serif else SANS:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return ImageFont.load_default(size)


def writable_text(text: object, font: Any) -> str:
    """The text with the characters that this font has: narrow spaces become plain ones, and without a system font
    letters lose their accents.
    """
    words = visible_text(text).replace("\N{NARROW NO-BREAK SPACE}", "\N{NO-BREAK SPACE}")
    if font.getname()[0] != "Aileron":
        return words
    plain = words.translate({0xA0: " ", 0x2212: "-", 0xD7: "x", 0x2013: "-", 0x2014: "-", 0x153: "oe", 0x2192: ">"})
    return unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()


def draw_picture(sight: ImageExplanation) -> Image.Image:
    """RGB, 1600 pixels wide and as tall as necessary, in the current language."""
    sheet = _Picture()
    sheet.head(sight)
    sheet.answer(sight)
    if sight.evidence:
        sheet.section(message(N_("Where is the evidence for {label}?"), label=sight.top[0][0]))
        sheet.evidence(sight.evidence)
    if sight.stages:
        sheet.section(message(N_("The feature maps of its layers")))
        sheet.paragraph(_("The strongest feature maps of each size, strongest first, with their channel numbers."))
        for stage in sight.stages:
            sheet.stage(stage)
    sheet.section(message(N_("One unit, number by number")))
    sheet.unit(sight)
    if sight.made is not None:
        sheet.section(message(MADE_TITLE))
        sheet.made(sight.made, sight.unit)
    if sight.alike is not None:
        sheet.section(message(ALIKE_TITLE))
        sheet.alike(sight.alike)
    return sheet.done()


class _Picture:
    """A long piece of paper that is filled from the top; `y` is the top of the next line."""

    def __init__(self) -> None:
        self.paper = Image.new("RGB", (WIDTH, MAX_NAME), PAPER)
        self.pen = ImageDraw.Draw(self.paper)
        self.y = MARGIN

    def done(self) -> Image.Image:
        self.y += 56
        self.pen.line((MARGIN, self.y, WIDTH - MARGIN, self.y), LINE, 2)
        self.y += 20
        self.paragraph(
            _(
                "Orange is above 0, blue below. A value beyond the end of a scale has the colour of that end. "
                "Written by limpide."
            ),
            20,
        )
        return self.paper.crop((0, 0, WIDTH, min(MAX_NAME, self.y + MARGIN // 2)))

    # -- pieces

    def words(
        self,
        x: float,
        y: float,
        text: object,
        size: int = 22,
        color: tuple[int, ...] = INK,
        width: int | None = None,
        serif: bool = False,
        right: bool = False,
    ) -> None:
        """One line whose top is y; cut to `width` with “…”. `right`: x is its right end."""
        font = _font(size, serif)
        says = writable_text(text, font)
        if width is not None and font.getlength(says) > width:
            while says and font.getlength(says + "…") > width:
                says = says[:-1]
            says += "…"
        self.pen.text((x, y), says, color, font, anchor="ra" if right else "la")

    def lines(
        self,
        x: float,
        y: float,
        text: object,
        width: float,
        size: int = 20,
        color: tuple[int, ...] = SOFT,
        serif: bool = False,
    ) -> int:
        """A paragraph; returns the top of the next one."""
        font = _font(size, serif)
        line = ""
        for word in writable_text(text, font).split(" "):
            if line and font.getlength(f"{line} {word}") > width:
                self.pen.text((x, y), line, color, font)
                line, y = word, y + size * 1.35
            else:
                line = f"{line} {word}" if line else word
        self.pen.text((x, y), line, color, font)
        return round(y + size * 1.35)

    def paragraph(self, text: object, size: int = 22) -> None:
        self.y = self.lines(MARGIN, self.y, text, INNER * 0.8, size) + 10

    def scale(self, x: float, y: float, width: int, end: float, both: bool) -> None:
        """The colour scale with the numbers at its ends."""
        strip = np.linspace(-end if both else 0.0, end, width)[None].repeat(12, 0)
        self.paper.paste(paint_plane(strip, end or 1.0), (round(x), round(y)))
        self.pen.rectangle((x, y, x + width - 1, y + 11), outline=LINE)
        self.words(x, y + 17, _signed(-end) if both else "0", 18, SOFT)
        self.words(x + width, y + 17, _signed(end), 18, SOFT, right=True)

    def plane(self, x: float, y: float, plane: np.ndarray, end: float, width: int, height: int) -> None:
        self.paper.paste(
            paint_plane(plane, end).resize((width, height), Image.Resampling.NEAREST), (round(x), round(y))
        )
        self.pen.rectangle((x - 1, y - 1, x + width, y + height), outline=LINE)

    # -- from top to bottom

    def head(self, sight: ImageExplanation) -> None:
        self.words(MARGIN, self.y, "limpide", 26, serif=True)
        self.words(
            WIDTH - MARGIN,
            self.y + 3,
            " · ".join(part for part in (sight.network, sight.run) if part),
            20,
            SOFT,
            INNER - 200,
            right=True,
        )
        self.y += 48
        self.pen.line((MARGIN, self.y, WIDTH - MARGIN, self.y), INK, 2)
        self.y += 40

    def answer(self, sight: ImageExplanation) -> None:
        """The image on the left, the network's answer on the right."""
        side = sight.square.shape[1]
        shown = sight.square if sight.window is None else framed(sight.square, sight.window)
        self.square(MARGIN, self.y, shown, PICTURE)
        x, width = MARGIN + PICTURE + 2 * GAP, INNER - PICTURE - 2 * GAP
        label = sight.top[0][0]
        self.words(x, self.y - 14, label, 84, width=width, serif=True)
        self.words(x, self.y + 96, sight.sure, 30, ACCENT, width)
        self.words(x, self.y + 146, sight.file, 20, SOFT, width)
        y = self.y + 226
        font = _font(24)
        names = min(
            NAME, max(60, *(round(font.getlength(writable_text(name, font))) for name, _share in sight.top)) + 30
        )
        across = width - names - 130
        for k, (name, share) in enumerate(sight.bars):
            self.words(x, y, name, 24, INK if k == 0 else SOFT, names - 20)
            self.pen.rectangle(
                (x + names, y + 4, x + names + max(1, across * share), y + 26),
                fill=ACCENT if k == 0 else (160, 156, 148),
            )
            self.words(x + width, y, format_percent(share), 24, INK if k == 0 else SOFT, right=True)
            y += 46
        side_words = message(N_("{size} × {size} pixels, as the network sees them"), size=side)
        self.words(x, self.y + PICTURE - 26, side_words, 20, SOFT, width)
        if sight.window is not None:
            self.words(x, self.y + PICTURE - 58, window_words(sight.window, label), 20, SOFT, width)
        self.y += PICTURE

    def section(self, title: Message) -> None:
        self.y += 64
        self.pen.line((MARGIN, self.y, WIDTH - MARGIN, self.y), LINE, 2)
        self.y += 30
        self.words(MARGIN, self.y, title, 42, width=INNER, serif=True)
        self.y += 66

    def evidence(self, evidence: Sequence[SaliencyEvidence]) -> None:
        """The methods side by side, each with its scale and whether to believe it."""
        width = min(PICTURE, (INNER - (len(evidence) - 1) * GAP) // len(evidence))
        columns = [(MARGIN + k * (width + GAP), saliency) for k, saliency in enumerate(evidence)]
        for x, saliency in columns:
            self.words(x, self.y, _(METHOD_WORDS[saliency.method]), 26, width=width)
        top = self.y + 38
        below = max(self.lines(x, top, _(METHOD_MEANINGS[saliency.method]), width) for x, saliency in columns) + 10
        ends = []
        for x, saliency in columns:
            if saliency.plane is not None:
                end = end_of(saliency.plane)
                self.plane(x, below, saliency.plane, end, width, width)
                self.scale(x, below + width + 14, width, end, bool(saliency.plane.min() < 0))
            believe = saliency.badge.verdict == "ok"
            y = below + width + 72 if any(e.plane is not None for e in evidence) else below
            self.mark(x + 8, y + 12, believe)
            self.words(x + 26, y, _(BADGE_WORDS[saliency.badge.verdict]), 20, ACCENT if believe else WARN)
            ends.append(self.lines(x, y + 30, saliency.badge.message, width, 19, INK))
        self.y = max(ends)

    def mark(self, x: float, y: float, good: bool) -> None:
        """A disc or a triangle: distinguishable without colour, too."""
        if good:
            self.pen.ellipse((x - 7, y - 7, x + 7, y + 7), fill=ACCENT)
        else:
            self.pen.polygon([(x, y - 8), (x - 9, y + 7), (x + 9, y + 7)], fill=WARN)

    def stage(self, stage: Maps) -> None:
        """One row: name and scale on the left, maps on the right."""
        self.y += 16
        top = self.y
        self.words(MARGIN, top, stage.key, 24, width=LABELS - 30)
        self.words(MARGIN, top + 34, f"{stage.kind}, {' × '.join(map(str, stage.shape))}", 19, SOFT, LABELS - 30)
        self.scale(MARGIN, top + 72, LABELS - 60, stage.end, stage.low < 0)
        room = INNER - LABELS
        if not stage.channels:  # tokens or a vector: one plane, wide
            rows, columns = stage.planes.shape[1:]
            height = max(24, min(300, round(room * rows / columns)))
            self.plane(MARGIN + LABELS, top + 4, stage.planes[0], stage.end, room, height)
            self.y = max(top + 118, top + height + 16)
            return
        side = (room - 7 * 10) // 8
        for k, (channel, plane) in enumerate(zip(stage.channels, stage.planes, strict=True)):
            x = MARGIN + LABELS + k * (side + 10)
            self.plane(x, top + 4, plane, stage.end, side, side)
            self.words(x, top + side + 9, channel, 16, SOFT)
        self.y = top + side + 40

    def unit(self, sight: ImageExplanation) -> None:
        self.y = self.lines(MARGIN, self.y, sight.unit.message, INNER * 0.8, 22, INK) + 14
        arithmetic = unit_grid.arithmetic_of(sight.unit)
        if arithmetic is None:
            return
        for channel in arithmetic.channels:
            if len(arithmetic.channels) > 1 or arithmetic.hidden:
                self.words(MARGIN, self.y, message(N_("input channel {n}"), n=channel.number), 22)
                self.y += 36
            self.channel(channel)
        if arithmetic.hidden and arithmetic.channels:
            says = message(
                N_("The other {n:count} input channel adds {value}."),
                N_("The other {n:count} input channels add {value}."),
                n=arithmetic.hidden,
                value=arithmetic.rest,
            )
            self.paragraph(says)
        self.y += 8
        for line in arithmetic.lines:
            if line.sign == "=":
                self.pen.line((MARGIN, self.y - 4, MARGIN + 190, self.y - 4), INK, 2)
            self.words(MARGIN, self.y, line.sign, 24, SOFT)
            self.words(MARGIN + 190, self.y, line.value, 24, right=True)
            self.words(MARGIN + 220, self.y, line.what, 22, SOFT, INNER - 220)
            self.y += 38

    def made(self, made: MaximizedPicture, unit: Finding) -> None:
        """On the left, the part of the picture that the unit sees; on the right, its description."""
        self.square(MARGIN, self.y, made.seen, MADE_SIDE)
        y = self.y
        for words in maximized_words(made, unit):
            y = self.lines(MARGIN + MADE_SIDE + GAP, y, words, INNER - MADE_SIDE - GAP, 22) + 12
        self.y = max(self.y + MADE_SIDE, y)

    def alike(self, alike: NearestImages) -> None:
        for words in nearest_words(alike):
            self.paragraph(words)
        self.y += 10
        side = (INNER - 7 * 14) // 8
        for k, one in enumerate(alike.images):
            x = MARGIN + k * (side + 14)
            self.square(x, self.y, one.square, side)
            self.words(x, self.y + side + 8, one.label, 20, width=side)
            self.words(x, self.y + side + 34, f"cos {format_number(one.cosine, 3)}", 18, SOFT, side)
        self.y += side + 60 if alike.images else 0

    def square(self, x: float, y: float, square: np.ndarray, side: int) -> None:
        """The network's input, as large as `side`: with visible pixels where they are few; it keeps its shape."""
        picture = picture_of(square).convert("RGB")
        how = Image.Resampling.NEAREST if max(picture.size) < side // 2 else Image.Resampling.BICUBIC
        scale = side / max(picture.size)
        width, height = (max(1, round(scale * length)) for length in picture.size)
        self.paper.paste(picture.resize((width, height), how), (round(x), round(y)))
        self.pen.rectangle((x - 1, y - 1, x + width, y + height), outline=LINE)

    def channel(self, channel: unit_grid.Channel) -> None:
        """patch × kernel = products → their sum."""
        x, height = float(MARGIN), 0
        sizes = [(len(grid.rows[0]), len(grid.rows)) for grid in channel.grids]
        wide = min(CELL[0], (INNER - 3 * 60 - 200) // sum(columns for columns, _rows in sizes))
        size = 19 if wide > 58 else 15
        for grid, sign, (columns, rows) in zip(channel.grids, ("×", "=", "→"), sizes, strict=True):
            self.words(x, self.y, _(grid.title), 19, SOFT, wide * columns)
            top, height = self.y + 32, CELL[1] * rows
            for i, row in enumerate(grid.rows):
                for j, square in enumerate(row):
                    share = 0.85 * square.shade / unit_grid.SHADES
                    color = tuple(
                        round(a + (b - a) * share)
                        for a, b in zip(PAPER, MINUS if square.negative else PLUS, strict=True)
                    )
                    at = (x + j * wide, top + i * CELL[1])
                    self.pen.rectangle((*at, at[0] + wide - 2, at[1] + CELL[1] - 2), fill=color)
                    self.words(at[0] + wide - 8, at[1] + 11, square.words, size, _ink(color), right=True)
            self.words(x + wide * columns + 20, top + height / 2 - 18, sign, 32, SOFT)
            x += wide * columns + 60
        self.words(x, self.y + 32 + height / 2 - 38, _("add up to"), 19, SOFT)
        self.words(x, self.y + 32 + height / 2 - 10, channel.sum, 30)
        self.y += height + 60


def _ink(color: Sequence[int]) -> tuple[int, ...]:
    """Dark or white, whichever is readable on this colour (WCAG 2, relative luminance)."""
    red, green, blue = (v / 12.92 if v <= 0.03928 else ((v + 0.055) / 1.055) ** 2.4 for v in (c / 255 for c in color))
    return INK if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.2 else (255, 255, 255)


def _signed(value: float) -> str:
    return format_significant(value).replace("-", "\N{MINUS SIGN}")
