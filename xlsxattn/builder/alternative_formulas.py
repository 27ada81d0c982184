"""Alternative formulas for exercises: for marks, and for twins, which must not show the method.

They are keyed by the formula of the operation. In an alternative formula, ``{x}`` is the cell of the operand
x in the same place, or in the same row or column if x is a vector. ``{x}[row]`` and the like
are as in formulas.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from xlsxattn.builder import ops
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xlsxattn.builder.graph import Part

    Shape = tuple[int, int]


class Alternative(NamedTuple):
    """An alternative formula of a cell, and a description of the usual method.

    Attributes:
        formula: the alternative formula.
        words: the usual method in words.
        usual: the usual formula of a single cell; "" if it is the formula of the block.
        operands: the operands that ``words`` names, as a, b, c.
        precise: a more accurate alternative formula for values that other cells read; marks tolerate more.
    """

    formula: str
    words: str
    usual: str = ""
    operands: tuple[str, ...] = ()
    precise: str = ""

    def in_words(self, names: Mapping[str, str]) -> str:
        """The usual method in words, with the names of its operands."""
        return say(self.words, **dict(zip("abc", (names[key] for key in self.operands), strict=False)))


OPERAND = re.compile(r"\{(\w+)\}(\[[\w.]+\])?")
PRODUCT = re.compile(
    r"=MMULT\((TRANSPOSE\()?\{(\w+)\}\)?,(TRANSPOSE\()?(?:0\+)?\{(\w+)\}\)?\)(?:\+\{(\w+)\})?"
)
"""A · B, Aᵀ · B or A · Bᵀ, with an optional bias."""
BY_COLUMNS = (
    "Multiply each number in the row of {a} by the number in the same place of the column of {b}, and "
    "add up the products."
)
BY_ROWS = (
    "Take the row of {a} for the row's word and the row of {b} for the column's word; multiply them "
    "element by element, and add up the products."
)
BY_BOTH_COLUMNS = (
    "Take the column of {a} whose number is that of the row, and the column of {b}; multiply them element "
    "by element, and add up the products."
)
BY_COLUMNS_BIASED = (
    "Multiply each number in the row of {a} by the number in the same place of the column of {b}, add "
    "up the products, and add the number of {c} for the column."
)


def _dot(a: str, b: str) -> str:
    """A · b by polarization: (|a + b|² − |a − b|²) / 4."""
    return f"(SUMSQ({a}+{b})-SUMSQ({a}-{b}))/4"


_SCALED = Alternative("{scores}*{scale}/({scale}*{scale})", "Divide the score by the square root of d_k.")
_TEMPERED = Alternative(
    "{scores}/{scale}/MAX({temperature},1E-6)",
    "Divide the score by the square root of d_k and by the temperature.",
)
_DIVIDED = "Divide the number by the sum of its row."


def _exp(operand: str) -> Alternative:
    """The exponential of an operand minus its row maximum."""
    return Alternative(
        f"EXP(({{{operand}}}-{{row_max}})/2)*EXP(({{{operand}}}-{{row_max}})/2)",
        "Subtract the largest number of the row, then raise e to the power of the result.",
    )


_MASK = Alternative("1-({col}>{row})", "1 where the column's number is not above the row's, otherwise 0.")
_NORM = "{gamma}*({x}-{mean})*({variance}+MAX({epsilon},1E-24))^-0.5"
_SIGMOID = "{h}/(1+EXP(-MAX({h},-700)))*({h}>-700)"

ALTERNATIVES: Mapping[str, Alternative] = {
    # attention
    ops.words.EMBED.formula: Alternative(
        "SUM(({ids}=ROW({table}[column])-MIN(ROW({table}[column]))+1)*{table}[column])",
        "Look up the row of the word in the vocabulary, and take the number in the same column.",
        "IF({ids}=0,0,INDEX({table}[column],{ids}))",
    ),
    ops.attention.SCALED.formula: _SCALED,
    ops.attention.SCALED_BY_TEMPERATURE.formula: _TEMPERED,
    ops.attention.MASK.formula: _MASK,
    ops.attention.PADDING_MASK.formula: Alternative(
        "SIGN(LEN({tokens}))", "1 where there is a word, 0 where the cell is blank."
    ),
    ops.attention.KEYS_EXIST.formula: Alternative(
        "MIN({row},{padding}[across])",
        "The number of the padding mask for the column's word, in every row.",
        "{padding}[across]",
    ),
    ops.attention.BOTH_MASKS.formula: Alternative(
        "MIN({causal},{padding}[across])",
        "1 where the causal mask is 1 and the padding mask of the column's word is 1, otherwise 0.",
        "{causal}*{padding}[across]",
    ),
    ops.attention.MASKED.formula: Alternative(
        "IF({mask}<>1,{minus_infinity},{scaled})",
        "Where the mask is 1, keep the number; elsewhere, use −1E300, which stands for −∞.",
    ),
    ops.attention.ROW_MAX.formula: Alternative("LARGE({scaled}[row],1)", "The largest number of the row."),
    ops.attention.EXP.formula: _exp("scaled"),
    ops.attention.ROW_SUM.formula: Alternative(
        "AVERAGE({exp}[row])*COLUMNS({exp}[row])", "Add up the numbers of the row."
    ),
    ops.attention.ATTENTION.formula: Alternative("{exp}*(1/{row_sum})", _DIVIDED),
    # positions
    ops.positions.ANGLE.formula: Alternative(
        "{position}/(1/{frequency})", "The position times the frequency of the column."
    ),
    ops.positions.SINUSOIDAL.formula: Alternative(
        "SIN({angle}+{odd}*PI()/2)",
        "The sine of the angle in the first, third, ... column, the cosine in the others.",
    ),
    ops.positions.COSINES.formula: Alternative("SIN({angle}+PI()/2)", "The cosine of the angle."),
    ops.positions.SINES.formula: Alternative("COS({angle}-PI()/2)", "The sine of the angle."),
    ops.positions.INPUT["XP"].formula: Alternative(
        "SUM({x},{p})", "Add the number of the position to that of the word."
    ),
    ops.positions.ROTATE["Q"].formula: Alternative(
        f"{{x}}*{{cos}}+{{sin}}*{_dot('{x}[row]', 'TRANSPOSE({turn}[column])')}",
        "The number times the cosine, plus the sine times the number in the same place of the row after "
        "rotation by 90°.",
        "{x}*{cos}+SUM({x}[row]*TRANSPOSE({turn}[column]))*{sin}",
        precise="{sin}*SUM(MMULT(TRANSPOSE({turn}[column]),TRANSPOSE({x}[row])))+{x}*{cos}",
    ),
    # layers
    ops.layers.MEAN.formula: Alternative(
        "SUM({x}[row])/COLUMNS({x}[row])", "The sum of the row, divided by the number of its cells."
    ),
    ops.layers.VARIANCE.formula: Alternative(
        "DEVSQ({x}[row])/COLUMNS({x}[row])",
        "The mean of the squared distances from the mean of the row; divide by d, not by d − 1.",
    ),
    ops.layers.MEAN_SQUARE.formula: Alternative(
        "AVERAGE({x}[row]*{x}[row])", "The mean of the squares of the row."
    ),
    ops.layers.LAYER_NORM.formula: Alternative(
        f"{{beta}}+{_NORM}",
        "Subtract the row's mean, divide by √(variance + ε), multiply by the column's γ, and add its β.",
    ),
    ops.layers.RMS_NORM.formula: Alternative(
        "{gamma}*{x}*({mean_square}+MAX({epsilon},1E-24))^-0.5",
        "Divide by √(mean square + ε), and multiply by the column's γ.",
    ),
    ops.layers.RESIDUAL.formula: Alternative(
        "SUM({stream},{found})", "Add the sublayer's input and its output."
    ),
    ops.layers.ACTIVATIONS["relu"].formula: Alternative(
        "MAX({h},0)", "The number if it is above 0, otherwise 0."
    ),
    ops.layers.ACTIVATIONS["silu"].formula: Alternative(_SIGMOID, "The number h, divided by 1 + e^(−h)."),
    ops.next_word.PROBABILITY.formula: Alternative("{numerator}*(1/{row_sum})", _DIVIDED),
    ops.next_word.LOGIT_EXP.formula: _exp("x"),
    # training
    ops.training.D_OUTPUT.formula: Alternative(
        "({error}+{error})/{count}", "Twice the error, divided by the number of examples used."
    ),
    ops.training.D_SCALED.formula: Alternative(
        "{attention}*{d}-{attention}*SUM({attention}[row]*{d}[row])",
        "Subtract from dAttention the sum of Attention · dAttention over the row, and multiply by Attention.",
        "{attention}*({d}-SUMPRODUCT({attention}[row],{d}[row]))",
    ),
    ops.training.D_SCORES.formula: Alternative(
        "{d}*{scale}/({scale}*{scale})", "Divide by the square root of d_k."
    ),
    ops.training.STEP_OF_SGD.formula: Alternative(
        "{w}*(1-{rate}*{decay})-{rate}*{dw}",
        "The weight minus the learning rate times its gradient; with weight decay, decay times "
        "the weight is added to the gradient first.",
    ),
}


def alternative_of(part: Part) -> Alternative | None:
    """The alternative formula of a part of a block; None if there is none."""
    formula = part.op.formula
    if part.op.entered in ("rows", "lower rows", "steps"):  # each row is computed from those before it
        return None
    if match := PRODUCT.fullmatch(formula):
        a_transposed, a, b_transposed, b, bias = match.groups()
        row = f"TRANSPOSE({{{a}}}[down])" if a_transposed else f"{{{a}}}[row]"
        column = f"{{{b}}}[across]" if b_transposed else f"TRANSPOSE({{{b}}}[column])"
        words = BY_COLUMNS_BIASED if bias else BY_COLUMNS
        words = BY_BOTH_COLUMNS if a_transposed else BY_ROWS if b_transposed else words
        more = f"+{{{bias}}}" if bias else ""
        precise = f"SUM(MMULT(0+{column},TRANSPOSE({row}))){more}"
        operands = (a, b, bias) if bias else (a, b)
        return Alternative(
            f"{_dot(row, column)}{more}", words, f"SUM({row}*{column}){more}", operands, precise
        )
    return ALTERNATIVES.get(formula)


def at_cell(formula: str, part: Part, shape: Shape, shapes: Mapping[str, Shape]) -> str | None:
    """A formula for each cell of a block; None if the shape of an operand does not match the block."""
    missing = False

    def operand(match: re.Match[str]) -> str:
        nonlocal missing
        key, explicit = match.groups()
        name = part.names[key]
        if name not in shapes:  # an expression
            missing = True
            return name
        if explicit:
            return f"{name}{explicit}"
        suffix = _suffix(shapes[name], shape)
        missing |= suffix is None
        return f"{name}{suffix}"

    text = OPERAND.sub(operand, formula)
    return None if missing else text


def _suffix(operand: Shape, block: Shape) -> str | None:
    """The suffix that selects the part of an operand for a cell of a block."""
    if operand == (1, 1):
        return ""
    if operand == block:
        return "[cell]"
    if operand == (block[0], 1):
        return "[first]"
    return "[col]" if operand == (1, block[1]) else None
