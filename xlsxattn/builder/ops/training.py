"""The formulas of a training: forward and backward pass, optimizers, the gradient check.

``[step]`` and the like are added to names in formulas that are repeated in every step. Formulas avoid ``^``,
which is an error in LibreOffice if it underflows, and ``a>0`` for numbers that may be tiny.
"""

from __future__ import annotations

from xlsxattn.builder.ops.attention import MIX_HEADS, OUTPUT, PROJECT
from xlsxattn.builder.ops.op import VASWANI, Op

RUMELHART, KINGMA, SUTSKEVER = "Rumelhart et al. 1986", "Kingma and Ba 2015", "Sutskever et al. 2013"
LIMIT = "1E6"
"""Typed numbers are limited to this size, so that nothing overflows. Larger weights have diverged."""


def clamp(least: str, most: str) -> Op:
    """The operation that limits a number to a range."""
    return Op("value used", f"=MIN(MAX({{x}},{least}),{most})", "cells")


CLAMPED = Op("value used", f"=IF({{x}}>{LIMIT},{LIMIT},IF({{x}}<-{LIMIT},-{LIMIT},0+{{x}}))")
EMBED = Op(
    "X",
    "=MMULT(--({ids}=TRANSPOSE(ROW({table})-MIN(ROW({table}))+1)),"
    f"IF({{table}}>{LIMIT},{LIMIT},IF({{table}}<-{LIMIT},-{LIMIT},0+{{table}})))",
)
ASKED_ROW = Op(
    "its row",
    '=IF({asked}[cell]="",0,IFERROR(MATCH(1,({example}={number}[cell])*EXACT({tokens}&"",{asked}[cell]&""),0),'
    'SUM(({example}={number}[cell])*EXACT({tokens}&"",{asked}[cell]&""))))',
    "cell arrays",
)
PRESENT = Op("used", "=--({row}>0)")
COUNT = Op("examples used", "=MAX(SUM({present}),1)", "cells")
PICK = Op("the rows of the target words", "=MMULT(--({row}=TRANSPOSE({index})),{x})")
MASK = Op("Mask", "=--({number}=TRANSPOSE({example}))")
CAUSAL_MASK = Op("Mask", "=({number}=TRANSPOSE({example}))*(TRANSPOSE({index})<={row})")

# --- forward -----------------------------------------------------------------------------------------------

PRODUCTS = {
    block: Op(maths, "=MMULT({x},{w})", why=why)
    for block, maths, why in (
        ("Q", "Q = Asked_X · W_Q", PROJECT["Q"].why),
        ("K", "K = X · W_K", PROJECT["K"].why),
        ("V", "V = X · W_V", PROJECT["V"].why),
        ("Output", "Output = Concat · W_O", MIX_HEADS),
    )
}
MASKED = Op(
    "Masked = Q · Kᵀ / √d_k, and −∞ outside the sentence",
    "=IF({mask}=1,MMULT({q},TRANSPOSE({k}))/{scale},{minus_infinity})",
    why="How well does the target word's query match every key? The mask excludes the other sentences.",
    paper=VASWANI.format("3.2.1"),
)
ROW_MAX = Op("row maximum", "=MAX({masked}[row])", "cells")
EXP = Op(
    "Exp = exp(Masked − row maximum)",
    "=EXP({masked}-{row_max})",
    why="The first half of the softmax.",
    paper=VASWANI.format("3.2.1"),
)
ATTENTION = Op(
    "Attention = Exp / row sum",
    "={exp}/MMULT({exp},{ones})",
    why="Where does the target word look? MMULT with a column of ones is the row's sum.",
    paper=VASWANI.format("3.2.1"),
)
WEIGHTED_SUMS = {
    "Output": Op("Output = Attention · V", "=MMULT({a},{b})", why=OUTPUT.why),
    "Concat": Op("Concat = Attention · V", "=MMULT({a},{b})", why=OUTPUT.why),
}
"""Output or, if there is a W_O, Concat: a sum over heads."""
ERROR = Op(
    "Error = Output − target",
    "=({output}-{goal})*{present}",
    why="How far off is each word? The error of an example whose word is not in its sentence is 0.",
)
LOSS = Op(
    "Loss = sum of Error² / number of examples",
    "=SUMSQ({error})/{count}",
    "cells",
    "One number for all examples: the smaller, the better.",
)

# --- backward (Rumelhart et al. 1986: the chain rule, from the loss back to the weights) -------------------

D_OUTPUT = Op(
    "dOutput = 2 · Error / number of examples",
    "=2*{error}/{count}",
    why="The backward pass begins: how does the loss change if a number of Output grows a little?",
    paper=RUMELHART,
)
D_CONCAT = Op(
    "dConcat = dOutput · W_Oᵀ",
    "=MMULT({d},TRANSPOSE({w}))",
    why="The gradient of Output, passed back to the heads through W_O.",
    paper=RUMELHART,
)
D_VALUES = {
    d: Op(
        f"dV = Attentionᵀ · {d}",
        "=MMULT(TRANSPOSE({a}),{b})",
        why="Each value receives the gradients of the words that look at it, times their attention.",
        paper=RUMELHART,
    )
    for d in ("dOutput", "dConcat")
}
"""By the gradient that the heads receive: dOutput if there is no W_O."""
D_ATTENTION = {
    d: Op(
        f"dAttention = {d} · Vᵀ",
        "=MMULT({d},TRANSPOSE({v}))",
        why="Below 0: more attention to this word would lower the loss.",
        paper=RUMELHART,
    )
    for d in D_VALUES
}
D_SCALED = Op(
    "dScaled = Attention ∘ (dAttention − Σ dAttention ∘ Attention)",
    "={attention}*({d}-MMULT({attention}*{d},{ones}))",
    why="Back through the softmax: a row sums to 1, so only words that are better than the row's average "
    "gain weight.",
    paper=RUMELHART,
)
D_SCORES = Op("dScores = dScaled / √d_k", "={d}/{scale}", why="Back through the scale.", paper=RUMELHART)
D_QUERIES = Op(
    "dQ = dScores · K",
    "=MMULT({a},{b})",
    why="Each query should move towards the keys that it should have found.",
    paper=RUMELHART,
)
D_KEYS = Op(
    "dK = dScoresᵀ · Q",
    "=MMULT(TRANSPOSE({a}),{b})",
    why="Each key should move towards the queries that should have found it.",
    paper=RUMELHART,
)
D_WEIGHTS = {
    letter: Op(
        "dW = the input, transposed · the gradient of the output",
        "=MMULT(TRANSPOSE({x}),{d})",
        why=why,
        paper=RUMELHART,
    )
    for letter, why in (
        ("Q", "How should W_Q change, so that the target words attend where this lowers the loss?"),
        ("K", "How should W_K change, so that queries find the right words?"),
        ("V", "How should W_V change, so that the values fit the targets?"),
        ("O", "How should W_O change, so that the projected heads fit the targets?"),
    )
}

# --- the update (torch.optim's SGD and Adam) ---------------------------------------------------------------

GRADIENT = "{dw}+{decay}*{w}"
KEEP = Op("the weights", "={x}")
NEW = Op("W after", "=IF({alive}=1,{proposed},{w})")
STEP_OF_SGD = Op(
    "W after = W − rate · dW",
    f"={{w}}-{{rate}}*({GRADIENT})",
    why="A step of gradient descent: against the gradient.",
)
FIRST_VELOCITY = Op("Velocity", f"={GRADIENT}")
VELOCITY = Op(
    "Velocity = momentum · the one before + dW",
    f"={{mu}}*{{old}}+{GRADIENT}",
    why="Part of the last step is kept, so that steps in the same direction add up.",
    paper=SUTSKEVER,
)
STEP_OF_MOMENTUM = Op(
    "W after = W − rate · Velocity",
    "={w}-{rate}*{velocity}",
    why="A step of gradient descent, with momentum.",
    paper=SUTSKEVER,
)
FIRST_MOMENT1 = Op("m", f"=(1-{{b}})*({GRADIENT})")
MOMENT1 = Op(
    "m = β₁ · m before + (1 − β₁) · dW",
    f"={{b}}*{{old}}+(1-{{b}})*({GRADIENT})",
    why="A running mean of the gradients.",
    paper=KINGMA,
)
FIRST_MOMENT2 = Op("v", f"=(1-{{b}})*(({GRADIENT})*({GRADIENT}))")
MOMENT2 = Op(
    "v = β₂ · v before + (1 − β₂) · dW ∘ dW",
    f"={{b}}*{{old}}+(1-{{b}})*(({GRADIENT})*({GRADIENT}))",
    why="A running mean of their squares: how large are they?",
    paper=KINGMA,
)
FIRST_CORRECTION = Op("1 − β", "=1-{b}")
# IronCalc forgets the parentheses of x+(1-b), and 1-b is small: so it comes first
CORRECTION = Op("1 − βᵏ", "=1-{b}+{b}*{old}")
STEP_OF_ADAM = Op(
    "W after = W − rate · (m / (1 − β₁ᵏ)) / (√(v / (1 − β₂ᵏ)) + ε)",
    "={w}-{rate}*({m}/{c1})/(SQRT({v}/{c2})+{eps})",
    why="A step of about the rate in every weight; m and v start at 0, which the two divisions correct.",
    paper=KINGMA,
)
LARGEST = Op("the largest weight", "={largest}")
ALIVE_AT_FIRST = Op("1", "=1")
ALIVE = Op("1 while no weight is too large", f"=IF({{largest}}<{LIMIT},{{alive}},0)")

# --- what the page shows -----------------------------------------------------------------------------------

CHOSEN = Op("the step that is shown", "=INT(MIN(MAX({x},1),{steps}))", "cells")
TAKEN = Op(
    "the band of a step",
    "=INDEX({of},({band}-1)*ROWS({like})+ROWS({like}[..row]),COLUMNS({like}[..cell]))",
    "cells",
)
TAKEN_BEFORE = Op(
    "the band of the step before",
    "=IF({band}<2,0,INDEX({of},(MAX({band},2)-2)*ROWS({like})+ROWS({like}[..row]),COLUMNS({like}[..cell])))",
    "cells",
)
TAKEN_CELL = Op("a step's number", "=INDEX({of},{band},1)", "cells")
NOTHING_BEFORE = Op("nothing, as there is one step", "=0", "cells")
CHECK_ENTRY = Op("the weight that is checked", "={choice}", "cells")
NUDGED = Op("W ± h at one place", "={w}{sign}({entry}={chosen})*{h}")
NUMERIC = Op("(L(w + h) − L(w − h)) / 2h", "=({plus}-{minus})/(2*{h})", "cells")
CHOSEN_GRADIENT = Op("the backward pass's number", "={terms}", "cell arrays")
DIFFERENCE = Op("difference", "=ABS({a}-{b})", "cells")
ALLOWED = Op("what rounding may make", "=2^-50*MAX({losses})/{h}", "cells")
HELD_OUT = Op("Scaled", "=MMULT({qk},TRANSPOSE({x}))/{scale}")
HELD_OUT_CAUSAL = Op(
    "Scaled", "=IF(TRANSPOSE({index})<={focus},MMULT({qk},TRANSPOSE({x}))/{scale},{minus_infinity})"
)
HELD_OUT_EXP = Op("Exp", "=EXP({scaled}-MAX({scaled}))")
HELD_OUT_ATTENTION = Op("Attention", "=IF({focus}=0,0,{exp}/SUM({exp}))")
SAME = Op("the same", "={x}")
PLOTTED = Op("at most four times the first", "=MIN({loss}[cell],4*{loss}[1])", "cells")
DIVERGED = Op("the step that diverged", "=IF(SUM({alive})=ROWS({alive}),0,SUM({alive}))", "cells")
