"""How wide groups are, and the formula above each as text: what the layout measures before it places them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xlsxattn.builder import theme
from xlsxattn.builder.graph import Block
from xlsxattn.builder.printing import PIXELS_A_CHARACTER, PIXELS_A_COLUMN

if TYPE_CHECKING:
    from xlsxattn.builder.graph import Band, Group

HEAD_ROWS, FIRST_BAND = 4, 5
"""Rows that stay in view, and the row where the first band begins."""
MARGIN, GAP = 1, 1
"""Empty columns: one left of everything, one between lanes."""
BAND_GAP, WIDEST = 1, 28.0
"""Empty rows after a band; characters of the widest column."""
LONGEST_CAPTION = 92
BREAKS = re.compile(r"[^-+*/,(=<>](?=[-+*/,])|,(?!$)")
"""Where a formula may go on in another line: before an operator, after a comma."""
PIXELS_A_FORMULA_CHARACTER = theme.PIXELS["formula"]


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
    return min(max(found), WIDEST)


def group_columns(group: Group) -> int:
    """Columns of a group beside its labels."""
    return max(block.cols for block in group.blocks) + len(group.sides)


def caption_columns(group: Group, label: float) -> int:
    """Columns that a lane needs beside its labels for the formula's text to fit."""
    longest = max(len(line) for line in caption_lines(group))
    pixels = PIXELS_A_FORMULA_CHARACTER * (longest + 1) - PIXELS_A_CHARACTER * max(label, 12.0)
    return int(-(-pixels // (8.5 * PIXELS_A_CHARACTER + PIXELS_A_COLUMN)))


def caption(group: Group) -> str:
    """The formula of a group's first block as text, in the braces of an array formula."""
    texts = [f"{{{part.formula}}}" for part in group.blocks[0].parts]
    return "".join(texts[:1]) if len(texts) < 3 else f"{texts[0]}  ...  {texts[-1]}"  # noqa: PLR2004


def caption_lines(group: Group) -> list[str]:
    """The caption, broken before an operator where it is longer than a line."""
    lines, rest = [], caption(group)
    while len(rest) > LONGEST_CAPTION:
        spots = [m.start() + 1 for m in BREAKS.finditer(rest[:LONGEST_CAPTION])]
        at = spots[-1] if spots and spots[-1] > LONGEST_CAPTION // 3 else LONGEST_CAPTION
        lines.append(rest[:at])
        rest = f"    {rest[at:]}"
    return [*lines, rest]
