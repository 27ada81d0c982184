"""Measures groups and their captions before they are placed."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

from xlsxattn.builder import theme
from xlsxattn.builder.graph import Block
from xlsxattn.builder.layout.printing import PIXELS_A_CHARACTER, PIXELS_A_COLUMN

if TYPE_CHECKING:
    from xlsxattn.builder.graph import Band, Group

HEAD_ROWS, FIRST_BAND = 4, 5
"""Number of frozen rows, and the first row of the first band."""
MARGIN, GAP = 1, 1
"""Empty columns at the left edge and between lanes."""
BAND_GAP, MAX_WIDTH = 1, 28.0
"""Empty rows after a band; maximum width of a column in characters."""
MAX_CAPTION_LENGTH = 92
BREAKS = re.compile(r"(?:[^-+*/,(=<>E]|(?<!\d)E)(?=[-+*/,])|,(?!$)")
"""Where a formula may be wrapped: before an operator, but not inside 1E-24; after a comma."""
ANY_BREAK = re.compile(r"\((?=\w)|\w(?==)|\}(?= \|)")
"""Where else: after a bracket, before an equals sign, between formulas."""
WIDE = "\u2e80-\u9fff\uff00-\uffef"
PIECE = re.compile(rf"\s*[（“]*(?:[{WIDE}]|[^\s{WIDE}]+)[，。；：、！？）”…]*")
"""An unbreakable part of a text with wide characters: one of them or a word, with its punctuation."""
SCREEN = 1040
"""Visible part of a sheet in a window of 1280 × 800, in XlsxWriter's pixels, without the outline buttons."""
NARROW, NARROW_LABEL, NARROW_GAP, NARROW_MARGIN = 6.7, 11.3, 1.3, 0.5
"""Widths in characters with which two lanes of six words and two sums fit the screen."""
PIXELS_A_FORMULA_CHARACTER, WIDE_FORMULA_CHARACTER = theme.PIXELS["formula"], 7.4
"""Width of a character of a formula, and its width if another font replaces Consolas."""


def wrapped(text: str, look: str) -> list[str]:
    """Wrap a text that overflows to the right to the width of a screen.

    Wide (CJK) characters are wrapped between any two of them, other words stay whole.
    """
    if theme.pixels(text, look) <= SCREEN:
        return [text]
    if theme.cell_width(text) == len(text):
        return textwrap.wrap(text, int(SCREEN * len(text) / theme.pixels(text, look)))
    lines = [""]
    for piece in PIECE.findall(text):
        if theme.pixels(lines[-1] + piece, look) <= SCREEN:
            lines[-1] += piece
        else:
            lines.append(piece.lstrip())
    return lines


def captioned(band: Band) -> bool:
    """True if the formulas are shown above the groups of a band."""
    return band.show_formula and not band.shared


def label_width(group: Group) -> float:
    """Width of a group's row labels in characters."""
    widths = [0.0]
    for labels in group.rows:
        if isinstance(labels, Block):
            widths += labels.widths
        else:
            widths += [theme.cell_width(text) + 0.5 for text in labels]
    return min(max(widths), MAX_WIDTH)


def group_columns(group: Group) -> int:
    """Number of columns of a group, without its row labels."""
    return max(block.cols for block in group.blocks) + sum(side.width for side in group.sides)


def caption_columns(group: Group, label: float) -> int:
    """Number of columns that a group's caption needs, without the row labels."""
    longest = max(len(line) for line in caption_lines(group))
    pixels = PIXELS_A_FORMULA_CHARACTER * (longest + 1) - PIXELS_A_CHARACTER * max(label, 12.0)
    return int(-(-pixels // (8.5 * PIXELS_A_CHARACTER + PIXELS_A_COLUMN)))


def caption(group: Group) -> str:
    """The formula of a group's first block as text, in the braces of an array formula.

    If there are several side by side, the first and the last.
    """
    texts = [f"{{{part.formula}}}" for part in group.blocks[0].parts]
    between = " | ... | " if texts[1:-1] else " | "
    return between.join([*texts[:1], *texts[1:][-1:]])


def caption_lines(group: Group, most: int = MAX_CAPTION_LENGTH) -> list[str]:
    """The caption, wrapped before operators to lines of a number of characters."""
    lines, rest = [], caption(group)
    while len(rest) > most:
        rules = (BREAKS, ANY_BREAK)
        ends = (max((m.start() + 1 for m in rule.finditer(rest[:most])), default=0) for rule in rules)
        end = next((end for end in ends if end > most // 3), most)
        lines.append(rest[:end])
        rest = f"    {rest[end:]}"
    return [*lines, rest]
