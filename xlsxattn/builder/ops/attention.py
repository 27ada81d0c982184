"""Attention (Vaswani et al. 2017, equation 1): projections, masks, softmax, output, heads."""

from __future__ import annotations

from dataclasses import replace

from xlsxattn.builder.ops.op import VASWANI, Op

PROJECT = {
    "Q": Op(
        "Q = {x} · W_Q",
        "=MMULT({x},0+{w})",
        why="Queries: what is each word looking for?",
        paper=VASWANI.format("3.2"),
        more="Each column of W_Q is a feature to look for; q_i says how much word i looks for each.",
    ),
    "K": Op(
        "K = {x} · W_K",
        "=MMULT({x},0+{w})",
        why="Keys: what can each word be found by?",
        paper=VASWANI.format("3.2"),
        more="Scores compare queries with keys; a word may be found by other features than it looks for.",
    ),
    "V": Op(
        "V = {x} · W_V",
        "=MMULT({x},0+{w})",
        why="Values: what does each word pass on?",
        paper=VASWANI.format("3.2"),
        more="What is passed on need not be what was compared.",
    ),
}
PROJECT_BIASED = {
    letter: Op(
        f"{letter} = {{x}} · W_{letter} + b_{letter}",
        "=MMULT({x},0+{w})+{b}",
        why=PROJECT[letter].why,
        paper=VASWANI.format("3.2"),
        more=PROJECT[letter].more,
    )
    for letter in "QKV"
}
SCORES = Op(
    "Scores = {q} · {k}ᵀ",
    "=MMULT({q},TRANSPOSE({k}))",
    why="How well does the row word's query match the column word's key? Every cell is the dot product of "
    "the two.",
    paper=VASWANI.format("3.2.1"),
    more="TRANSPOSE makes columns of the rows of {k}; MMULT multiplies row i of {q} with column j, number by "
    "number, and adds up.",
)
ALIKE = replace(
    SCORES,
    why="How similar are these two words? Every cell is the dot product of a row word and a column word.",
)
ALIKE_IN_PLACE = replace(
    SCORES,
    why="How similar are these two words, including their positions? Every cell is the dot product of two "
    "rows of Input.",
)
SCALE = Op("√d_k", "=SQRT(COLUMNS({k}))", "cells")
NO_SCALE = Op("1", "=1", "cells")
SCALED = Op(
    "Scaled = Scores / √d_k",
    "={scores}/{scale}",
    why="Dot products grow with the number of dimensions; dividing by √d_k keeps the softmax from getting "
    "too sharp.",
    paper=VASWANI.format("3.2.1"),
    more="If the numbers of two rows are independent and have variance 1, their dot product has variance "
    "d_k; divided by √d_k it has variance 1 again.",
)
NOT_SCALED = Op(
    "Scaled = Scores / 1",
    "={scores}/{scale}",
    why="Not scaled: scores grow with the number of dimensions, which makes the softmax sharper.",
)
SCALED_BY_TEMPERATURE = Op(
    "Scaled = Scores / (√d_k · temperature)",
    "={scores}/({scale}*MAX({temperature},1E-6))",
    why="Divided by √d_k and by a temperature that you can change: below 1 the attention becomes sharper, "
    "above 1 more even.",
    paper=VASWANI.format("3.2.1"),
    more=(
        "At temperature 1 this is the paper's formula. A large temperature makes scores more equal, a "
        "small one gives nearly all weight to the largest."
    ),
)
NOT_SCALED_BY_TEMPERATURE = replace(
    SCALED_BY_TEMPERATURE,
    maths="Scaled = Scores / (1 · temperature)",
    why="Not scaled, but divided by a temperature that you can change: below 1 the attention becomes "
    "sharper, above 1 more even.",
    more="",
)
MASK = Op(
    "Mask = 1 where column ≤ row",
    "=--({col}<={row})",
    why="Which token may look where? Each word sees itself and earlier words, never later ones.",
    paper=VASWANI.format("3.2.3"),
    more="A word that is being generated cannot look at later words, which do not exist yet, so only the "
    "lower triangle remains.",
)
PADDING_MASK = Op(
    "Padding mask = 1 where there is a word",
    '=--({tokens}<>"")',
    why="Which keys exist? 1 for a word, 0 for a blank cell: padding, which gets no attention.",
    paper="Devlin et al. 2019",
    more="Sentences of one length are easier to compute with; the blank cells at the end must not "
    "count as words.",
)
KEYS_EXIST = Op(
    "Mask = padding mask, the same in every row",
    "=({row}>0)*TRANSPOSE({padding})",
    why="Which keys exist? 1 if the key of the column exists; the column of a blank cell is 0.",
)
CAUSAL_MASK = Op("Causal mask = 1 where column ≤ row", "=--({col}<={row})", why=MASK.why)
BOTH_MASKS = Op(
    "Mask = causal mask × padding mask",
    "={causal}*TRANSPOSE({padding})",
    why="Both at once: a token may look at keys that exist and that the causal mask allows.",
)
MASKED = Op(
    "Masked = Scaled, and −∞ where the mask is 0",
    "=IF({mask}=1,{scaled},{minus_infinity})",
    why="Masked cells get −∞; exp(−∞) is 0, so they get no attention.",
    paper=VASWANI.format("3.2.3"),
    more="−∞ is written as −1E300, since a cell cannot hold infinity; its EXP is exactly 0.",
)
ROW_MAX = Op("row maximum", "=MAX({scaled}[row])", "cells")
EXP = Op(
    "Exp = exp({scaled} − row maximum)",
    "=EXP({scaled}-{row_max})",
    why="The first half of the softmax. Subtracting the row's maximum does not change the result, and "
    "keeps EXP from overflowing.",
    paper=VASWANI.format("3.2.1"),
    more="exp makes every number positive and turns differences into ratios: a score larger by 1 gets 2.7 "
    "times the weight.",
)
ROW_SUM = Op("row sum", "=SUM({exp}[row])", "cells")
# Unscaled scores are √d_k times as large. Exp^√d_k is not used: LibreOffice returns #NUM! if it underflows.
UNSCALED_SUM = Op("row sum without √d_k", "=SUM(EXP({scale}*({scaled}[row]-{row_max}[cell])))", "cell arrays")
ATTENTION = Op(
    "Attention = Exp / row sum",
    "={exp}/{row_sum}",
    why="How much does each word look at every other? Positive weights; every row sums to 1.",
    paper=VASWANI.format("3.2.1"),
    more="Divided by its sum, a row becomes shares: 0.62 means that this word takes 62 % of its "
    "output from that one.",
)
ATTENTION_SUM = Op("row sum", "=SUM({attention}[row])", "cells")
ENTROPY = Op(
    "entropy −Σ a ln a", "=-SUM({attention}[row]*LN({attention}[row]+({attention}[row]=0)))", "cell arrays"
)
# With t = √d_k (s − max s): −Σ p ln p = ln Σ exp t − Σ t exp t / Σ exp t.
ENTROPY_UNSCALED = Op(
    "entropy without √d_k",
    "=LN({unscaled_sum}[cell])-{scale}*SUM(EXP({scale}*({scaled}[row]-{row_max}[cell]))"
    "*({scaled}[row]-{row_max}[cell]))/{unscaled_sum}[cell]",
    "cell arrays",
)
OUTPUT = Op(
    "Output = Attention · {v}",
    "=MMULT({attention},{v})",
    why="What has each word become? A weighted average of the values of all the words it looks at.",
    paper=VASWANI.format("3.2.1"),
    more="Row i of the product adds up the rows of {v}, each times the share that word i gives it.",
)
CONCAT = Op(
    "{name} = the heads' outputs side by side",
    "={head}",
    why="Each head has mixed the words in its own subspace; here the results are concatenated.",
    paper=VASWANI.format("3.2.2"),
    more="Nothing is computed here: columns of several blocks are read as one block.",
)
PROJECT_OUT = Op(
    "{name} = Concat · W_O",
    "=MMULT({concat},0+{w_o})",
    why="One last projection mixes the heads and brings them back to the size of the embeddings.",
    paper=VASWANI.format("3.2.2"),
)
PROJECT_OUT_BIASED = replace(
    PROJECT_OUT, maths="{name} = Concat · W_O + b_O", formula="=MMULT({concat},0+{w_o})+{b}"
)
MIX_HEADS = "One last projection mixes the heads."
"""Explanation of W_O if outputs have another size than embeddings."""
DRIFT = Op("max |row sum − 1|", "=MAX({terms})", "cell arrays")
