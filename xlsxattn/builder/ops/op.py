"""An operation, and the syntax of its formula.

In a formula, ``{x}`` is replaced by the name of a range. Other syntax depends on how it is entered:

* ``block``: one array formula over the whole range.
* ``cells``: a formula in each cell; ``NAME[row]`` is the range's row at the position of the cell,
  ``NAME[first]`` the first cell of that row, ``NAME[col]`` the first cell of the same column,
  ``NAME[cell]`` the cell in the same row and column, ``NAME[..cell]`` the row up to that cell,
  ``NAME[..row]`` the first column down to that row, ``NAME[3]`` the third cell, ``NAME[above]`` the cell one
  row above ("" in the first row).
* ``cell arrays``: the same, each entered as an array formula.
* ``rows``: one array formula per row, for rows computed one by one; ``NAME[..rows]`` is the range down to the
  row. ``lower rows``: the same up to the diagonal; ``NAME[..diagonal]`` is the row up to the diagonal.
* ``steps``: one array formula per training step, over a band of rows; ``NAME[step]`` is the band of the same
  step, ``NAME[before]`` that of the previous step, ``NAME[all]`` the whole range.

A name in braces may also be a key of ``texts``, the texts that the formula shows: they are inserted as
``"..."``, with the text of a range for its name in braces.

Only functions with the same results in Excel 2010, LibreOffice, Gnumeric and IronCalc are used.
IronCalc treats numbers as equal if they differ by less than 2.2e-16, whatever their size (1E-17>0 is FALSE),
so numbers that may be tiny are compared by SIGN, which is exact in all engines.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from string import Formatter
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

VASWANI = "Vaswani et al. 2017, §{}"
Entered = Literal["block", "cells", "cell arrays", "rows", "lower rows", "steps"]


@dataclass(frozen=True, slots=True)
class Op:
    """An operation: its maths as in the paper, its formula, how it is entered, and an explanation.

    ``paper`` is its source, ``more`` a further explanation, shown on request. In these texts, ``{x}`` is the
    short name of the operand x, ``{name}`` that of the result.
    """

    maths: str
    formula: str
    entered: Entered = "block"
    why: str = ""
    paper: str = ""
    more: str = ""
    texts: Mapping[str, str] = field(default_factory=dict)

    def spelled(self, names: Mapping[str, str]) -> str:
        """The formula with the names of its operands."""
        words = {key: _shown(text, names) for key, text in self.texts.items()}
        return self.formula.format(**names, **words)


def _shown(text: str, names: Mapping[str, str]) -> str:
    """A text as a formula: ``"✓ "&vocab_Focus&" is in the sentence"``."""
    parts: list[str] = []
    for words, name, _, _ in Formatter().parse(text):
        doubled = words.replace('"', '""')
        parts += [f'"{doubled}"'] * bool(words) + ([names[name]] if name else [])
    return "&".join(parts) or '""'
