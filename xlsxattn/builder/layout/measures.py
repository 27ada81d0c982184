"""How wide groups are, and the formula above each as text: what the layout measures before it places them."""

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
"""Rows that stay in view, and the row where the first band begins."""
MARGIN, GAP = 1, 1
"""Empty columns: one left of everything, one between lanes."""
BAND_GAP, MAX_WIDTH = 1, 28.0
"""Empty rows after a band; characters of the widest column."""
MAX_CAPTION_LENGTH = 92
BREAKS = re.compile(r"(?:[^-+*/,(=<>E]|(?<!\d)E)(?=[-+*/,])|,(?!$)")
"""Where a formula may go on in another line: before an operator, though not within 1E-24, after a comma."""
SCREEN = 1250
"""Pixels of a line of words: what a laptop's screen shows beside the margin."""
PIXELS_A_FORMULA_CHARACTER = theme.PIXELS["formula"]


def folded(text: str, look: str) -> list[str]:
    """The lines of words that run on to the right: one where they fit a screen, else broken between words.

    Wide (CJK) characters have no blanks between words, and are broken anywhere.
    """
    if theme.pixels(text, look) <= SCREEN:
        return [text]
    many = int(SCREEN * len(text) / theme.pixels(text, look))
    if theme.cell_width(text) > len(text):
        return [text[i : i + many] for i in range(0, len(text), many)]
    return textwrap.wrap(text, many)


def captioned(band: Band) -> bool:
    """Whether its groups have their formulas above them."""
    return band.show_formula and not band.shared


def label_width(group: Group) -> float:
    """Characters that the words beside a group take."""
    found = [0.0]
    for labels in group.rows:
        found += (
            labels.widths if isinstance(labels, Block) else [theme.cell_width(text) + 2 for text in labels]
        )
    return min(max(found), MAX_WIDTH)


def group_columns(group: Group) -> int:
    """Columns of a group beside its labels."""
    return max(block.cols for block in group.blocks) + sum(side.width for side in group.sides)


def caption_columns(group: Group, label: float) -> int:
    """Columns that a lane needs beside its labels for the formula's text to fit."""
    longest = max(len(line) for line in caption_lines(group))
    pixels = PIXELS_A_FORMULA_CHARACTER * (longest + 1) - PIXELS_A_CHARACTER * max(label, 12.0)
    return int(-(-pixels // (8.5 * PIXELS_A_CHARACTER + PIXELS_A_COLUMN)))


def caption(group: Group) -> str:
    """The formula of a group's first block as text, in the braces of an array formula.

    Of several side by side it has the first and the last.
    """
    texts = [f"{{{part.formula}}}" for part in group.blocks[0].parts]
    between = " | ... | " if texts[1:-1] else " | "
    return between.join([*texts[:1], *texts[1:][-1:]])


def caption_lines(group: Group) -> list[str]:
    """The caption, broken before an operator where it is longer than a line."""
    lines, rest = [], caption(group)
    while len(rest) > MAX_CAPTION_LENGTH:
        spots = [m.start() + 1 for m in BREAKS.finditer(rest[:MAX_CAPTION_LENGTH])]
        at = spots[-1] if spots and spots[-1] > MAX_CAPTION_LENGTH // 3 else MAX_CAPTION_LENGTH
        lines.append(rest[:at])
        rest = f"    {rest[at:]}"
    return [*lines, rest]
