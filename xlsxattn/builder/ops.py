"""The formula book: every operation once, with its maths, its formula, and the question it answers.

In a formula, ``{x}`` is replaced by a range's name. How it is entered decides what else it may say:

* ``block``: one array formula over the whole range.
* ``cells``: an ordinary formula in each cell; ``NAME[row]`` is the row of that range level with the cell,
  ``NAME[cell]`` its cell at the same row and column, ``NAME[..row]`` its first column down to the cell's row,
  ``NAME[3]`` its third cell.
* ``cell arrays``: the same, each entered as an array formula.

Only functions that Excel 2010, LibreOffice, Gnumeric and IronCalc evaluate alike are used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Entered = Literal["block", "cells", "cell arrays"]


@dataclass(frozen=True, slots=True)
class Op:
    """One operation: its maths as the paper writes it, its formula, how that is entered, why it is there."""

    maths: str
    formula: str
    entered: Entered = "block"
    why: str = ""


# --- words -------------------------------------------------------------------------------------------------

INDEX = Op("1, 2, ...", "=ROWS({tokens}[..row])", "cells")

# MATCH over EXACT: case counts, the first of two equal words wins, and no number has to be typed beside a new
# word. Blank cells are kept apart, or an empty row of the vocabulary would answer for them; &"" makes texts
# of numbers, which LibreOffice never finds equal. MATCH refuses a list of one cell in every engine tried:
# there the sum of EXACT is the answer, 1 or 0; and it is 0 as well in a longer list that lacks the word.
IDS = Op(
    "position in the vocabulary",
    '=IF({tokens}[cell]="",0,IFERROR(MATCH(TRUE,EXACT({vocabulary}&"",{tokens}[cell]),0),'
    'SUM(--EXACT({vocabulary}&"",{tokens}[cell]))))',
    "cell arrays",
    "Which row of the vocabulary is this word? An exact match: capitals count.",
)
FIND = Op(
    "position of the focus word",
    '=IF({focus}="",0,IFERROR(MATCH(TRUE,EXACT({tokens}&"",{focus}&""),0),'
    'SUM(--EXACT({tokens}&"",{focus}&""))))',
    "cell arrays",
    "Where does the focus word stand? 0 when it is not in the sentence.",
)
SENTENCE = Op("the words joined", "=TRIM({words})", "cells")
SAME_TEXT = Op("the same text", "={source}", "cells")
ROW_LABELS = Op("labels", '={texts}&""')
COL_LABELS = Op("labels", '=TRANSPOSE({texts}&"")')

# A row of 0s and a single 1 for each word, times the table: the textbook's one-hot look-up. The positions are
# counted from the rows themselves, so that a row inserted into the vocabulary takes part at once.
EMBED = Op(
    "X = one-hot(words) · E",
    "=MMULT(--({ids}=TRANSPOSE(ROW({table})-MIN(ROW({table}))+1)),0+{table})",
    why="Each word's embedding, looked up in the vocabulary: one row a word, one column a dimension.",
)

# --- attention (Vaswani et al. 2017, equation 1) -----------------------------------------------------------

PROJECT = {
    "Q": Op("Q = X · W_Q", "=MMULT({x},0+{w})", why="Queries: what is each word looking for?"),
    "K": Op("K = X · W_K", "=MMULT({x},0+{w})", why="Keys: by what can each word be found?"),
    "V": Op("V = X · W_V", "=MMULT({x},0+{w})", why="Values: what does each word pass on?"),
}
SCORES = Op(
    "Scores = Q · Kᵀ",
    "=MMULT({q},TRANSPOSE({k}))",
    why="How similar are these two words? Every cell is the dot product of a row word and a column word.",
)
SCALE = Op("√d_k", "=SQRT(COLUMNS({k}))", "cells")
NO_SCALE = Op("1", "=1", "cells")
SCALED = Op(
    "Scaled = Scores / √d_k",
    "={scores}/{scale}",
    why="Dot products grow with the number of dimensions; dividing by √d_k keeps the softmax from getting "
    "too sharp.",
)
MASK = Op(
    "Mask = 1 where column ≤ row",
    "=--({col}<={row})",
    why="Which token may look where? Each word sees itself and what came before, never what comes later.",
)
MASKED = Op(
    "Masked = Scaled, and −∞ where the mask is 0",
    "=IF({mask}=1,{scaled},{minus_infinity})",
    why="What may not be seen gets −∞, and exp(−∞) is 0: no attention at all.",
)
ROW_MAX = Op("row maximum", "=MAX({scaled}[row])", "cells")
EXP = Op(
    "Exp = exp(Scaled − row maximum)",
    "=EXP({scaled}-{row_max})",
    why="The first half of the softmax. Taking off the row's maximum changes nothing in the end "
    "and keeps EXP from overflowing.",
)
ROW_SUM = Op("row sum", "=SUM({exp}[row])", "cells")
# Without the scale a score is √d_k times as large. Not Exp^√d_k: LibreOffice shows #NUM! where that vanishes.
UNSCALED_SUM = Op("row sum without √d_k", "=SUM(EXP({scale}*({scaled}[row]-{row_max}[cell])))", "cell arrays")
ATTENTION = Op(
    "Attention = Exp / row sum",
    "={exp}/{row_sum}",
    why="How much does each word look at every other? Positive weights; every row sums to 1.",
)
ATTENTION_SUM = Op("row sum", "=SUM({attention}[row])", "cells")
ENTROPY = Op(
    "entropy −Σ a ln a",
    "=-SUM({attention}[row]*LN({attention}[row]+({attention}[row]=0)))",
    "cell arrays",
)
# With t = √d_k (s − max s): −Σ p ln p = ln Σ exp t − Σ t exp t / Σ exp t.
ENTROPY_UNSCALED = Op(
    "entropy without √d_k",
    "=LN({unscaled_sum}[cell])-{scale}*SUM(EXP({scale}*({scaled}[row]-{row_max}[cell]))"
    "*({scaled}[row]-{row_max}[cell]))/{unscaled_sum}[cell]",
    "cell arrays",
)
OUTPUT = Op(
    "Output = Attention · V",
    "=MMULT({attention},{v})",
    why="What has each word become? A weighted average of the values of all the words it looks at.",
)
CONCAT = Op(
    "Concat = the heads' outputs side by side",
    "={head}",
    why="Every head has mixed the words in a subspace of its own; here they stand side by side.",
)
PROJECT_OUT = Op(
    "Output = Concat · W_O",
    "=MMULT({concat},0+{w_o})",
    why="One last learned projection mixes the heads and brings them back to the size of the embeddings.",
)
DRIFT = Op("max |row sum − 1|", "=MAX({terms})", "cell arrays")

# --- the focus word, followed ------------------------------------------------------------------------------

PICK = Op("the row of the focus word", "=MMULT(TRANSPOSE(--({index}={focus})),{of})")
COSINE = Op(
    "cosine similarity a · b / (|a| |b|)",
    '=IF(OR(SUMSQ({a})=0,SUMSQ({b})=0),"–",SUMPRODUCT({a},{b})/SQRT(SUMSQ({a})*SUMSQ({b})))',
    "cells",
)

# --- live checks -------------------------------------------------------------------------------------------


def status(condition: str, good: str, bad: str) -> Op:
    """A live check: formulas for what to say, beginning with ✓ or ✗; ✗ too when a cell shows an error."""
    formula = f'=IFERROR(IF({condition},{good},{bad}),"✗ a cell shows an error")'
    return Op("a live check", formula, "cells")
