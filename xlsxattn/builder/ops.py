"""All operations, each with its maths, its formula, and an explanation.

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
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from string import Formatter
from typing import TYPE_CHECKING, Literal

from xlsxattn.contract.kinds import GATED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

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
    return "&".join(parts)


# --- words -------------------------------------------------------------------------------------------------

# IronCalc treats numbers as equal if they differ by less than 2.2e-16, whatever their size (1E-17>0 is
# FALSE), so numbers that may be tiny are compared by SIGN, which is exact in all engines.

INDEX = Op("1, 2, ...", "=ROWS({tokens}[..row])", "cells")

# MATCH over EXACT is case-sensitive, finds the first of two equal words, and needs no index column. Blank
# cells are excluded, or they would match an empty row of the vocabulary; &"" converts numbers to texts, since
# LibreOffice never finds numbers equal. MATCH fails for a list of one cell in all engines; the sum of EXACT
# is then the result, 1 or 0. It is also 0 for a longer list without the word.
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
    "Where is the focus word? 0 if it is not in the sentence.",
)
# One formula per row, so that rows can be inserted; EXACT, because it is case-sensitive.
TIMES = Op(
    "how often the word occurs in the vocabulary",
    '=({tokens}[cell]<>"")*SUM(--EXACT({tokens}&"",{tokens}[cell]&""))',
    "cell arrays",
)
SENTENCE = Op("the words joined", "=TRIM({words})", "cells")
SAME_TEXT = Op("the same text", "={source}", "cells")
ROW_LABELS = Op("labels", '={texts}&""')
COL_LABELS = Op("labels", '=TRANSPOSE({texts}&"")')

# One-hot rows times the table. Row numbers are computed from the range, so that rows inserted into the
# vocabulary are included.
EMBED = Op(
    "X = one-hot(words) · E",
    "=MMULT(--({ids}=TRANSPOSE(ROW({table})-MIN(ROW({table}))+1)),0+{table})",
    why="Each word's embedding, looked up in the vocabulary: one row per word, one column per dimension.",
    paper="Mikolov et al. 2013",
    more="The formula builds a one-hot row for each word: 1 in the word's column, 0 elsewhere. Its product "
    "with the table picks one row.",
)

# --- attention (Vaswani et al. 2017, equation 1) -----------------------------------------------------------

PROJECT = {
    "Q": Op(
        "Q = {x} · W_Q",
        "=MMULT({x},0+{w})",
        why="Queries: what is each word looking for?",
        paper=VASWANI.format("3.2"),
        more="Each column of W_Q asks one question; q_i is what word i answers to all of them.",
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
    why="How well does the row word's query fit the column word's key? Every cell is the dot product of "
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
    more="At temperature 1 this is the paper's formula. A large temperature makes all scores alike, "
    "a small one lets the largest win.",
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
    why="Which token may look where? Each word sees itself and what came before, never what comes later.",
    paper=VASWANI.format("3.2.3"),
    more="A word that is being generated cannot look at later words, which do not exist yet; only the "
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
    why="Which keys exist? 1 where the column's key does; a blank cell's column is 0.",
)
CAUSAL_MASK = Op("Causal mask = 1 where column ≤ row", "=--({col}<={row})", why=MASK.why)
BOTH_MASKS = Op(
    "Mask = causal mask × padding mask",
    "={causal}*TRANSPOSE({padding})",
    why="Both at once: a token may look where the causal mask lets it, at keys that exist.",
)
MASKED = Op(
    "Masked = Scaled, and −∞ where the mask is 0",
    "=IF({mask}=1,{scaled},{minus_infinity})",
    why="Masked cells get −∞; exp(−∞) is 0, so they get no attention.",
    paper=VASWANI.format("3.2.3"),
    more="−∞ is written as −1E300, since a cell holds no infinity; its EXP is 0 exactly.",
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

# --- the focus word, followed ------------------------------------------------------------------------------

PICK = Op(
    "the row of the focus word",
    "=MMULT(TRANSPOSE(--({index}={focus})),{of})",
    why="Where does the focus word look? Its own row of the attention.",
)
WORD_AT = Op("a word", '=INDEX({words},{at})&""', "cells")
PRODUCTS = Op("the products", "={a}*{b}")
TOTAL = Op("their sum", "=SUM({of})", "cells")
FOCUS_ENTROPY = Op(
    "entropy −Σ a ln a of the focus word", "=-SUM({attention}*LN({attention}+({attention}=0)))", "cell arrays"
)
MAP = Op("the attention once more", "={attention}")
COSINE = Op(
    "cosine similarity a · b / (|a| |b|)",
    '=IF(SIGN(SUMSQ({a}))*SIGN(SUMSQ({b}))=0,"–",SUMPRODUCT({a},{b})/(SQRT(SUMSQ({a}))*SQRT(SUMSQ({b}))))',
    "cells",
)
COSINE_OF_ROW = Op(
    COSINE.maths,
    '=IF(SIGN(SUMSQ({a}))*SIGN(SUMSQ({b}[row]))=0,"–",'
    "SUMPRODUCT({a},{b}[row])/(SQRT(SUMSQ({a}))*SQRT(SUMSQ({b}[row]))))",
    "cells",
)

# --- positions (Vaswani et al. 2017, section 3.5; Su et al. 2021) ------------------------------------------

FREQUENCY = Op(
    "frequency = base^(−2i/d)",
    "=MAX({base},0.001)^(-2*{pair}/COLUMNS({pair}))",
    why="Each pair of columns rotates at its own frequency: the first fast, the last slowly.",
    paper=VASWANI.format("3.5"),
    more="Wavelengths grow from 2π to 2π times the base, like the hands of a clock: seconds, minutes, hours.",
)
THETA = replace(FREQUENCY, maths="θ = base^(−2i/d)", more="")
RATIO = Op(
    "Ratio = L · θ / 2π",
    "={trained}*{theta}/(2*PI())",
    why="How many turns does each pair make within L, the length of the original training?",
    paper="Peng et al. 2023",
)
RAMP = Op(
    "Ramp = (Ratio − α) / (β − α), from 0 to 1",
    "=IF({ratio}<{low},0,IF({ratio}-{low}>MAX({high}-{low},0.001),1,"
    "({ratio}-{low})/MAX({high}-{low},0.001)))",
    why="How much of its frequency does each pair keep? 1 for fast pairs, which keep all of it; 0 for "
    "slow pairs, which are slowed down.",
    paper="Peng et al. 2023",
)
STRETCHED_FREQUENCY = Op(
    "frequency = (1 − Ramp) · θ / s + Ramp · θ",
    "=(1-{ramp})*{theta}/MAX({stretch},0.001)+{ramp}*{theta}",
    why="Slow pairs rotate s times more slowly, so that texts s times as long stay within the angles "
    "seen in training.",
    paper="Peng et al. 2023",
    more="Fast pairs distinguish neighbours, and keep their frequency.",
)
ANGLE = Op(
    "angle = position · frequency",
    "={position}*{frequency}",
    why="How far is each pair rotated at this position? In radians; the first token is at position 0.",
    paper=VASWANI.format("3.5"),
)
SINUSOIDAL = Op(
    "P = sin(angle) or cos(angle), in turn: PE(pos, 2i) = sin(pos / base^(2i/d)), PE(pos, 2i+1) = cos(...)",
    "=(1-{odd})*SIN({angle})+{odd}*COS({angle})",
    why="Where is a token? One row per position, one column per dimension: sines and cosines of the angles.",
    paper=VASWANI.format("3.5"),
    more="Any two positions k apart differ by the same rotation, so distances can be recognized.",
)
COSINES = Op(
    "Cos = cos(angle)",
    "=COS({angle})",
    why="The factor of each number when its pair is rotated.",
    paper="Su et al. 2021",
)
SINES = Op(
    "Sin = sin(angle)",
    "=SIN({angle})",
    why="The factor of the pair's other number when it is rotated.",
    paper="Su et al. 2021",
)
ROTATE = {
    letter: Op(
        f"{letter}Rot = {{x}} ∘ cos + ({{x}} · Turn) ∘ sin",
        "={x}*{cos}+MMULT({x},{turn})*{sin}",
        why=f"Each pair of {letter} is turned by its position's angle; so scores depend on the distance "
        "between two tokens.",
        paper="Su et al. 2021",
    )
    for letter in "QK"
}
INPUT = {
    "XP": Op(
        "{name} = X + P",
        "={x}+{p}",
        why="Embedding plus position: the input of the next steps.",
        paper=VASWANI.format("3.5"),
    ),
    "√XP": Op(
        "{name} = √d_model · X + P",
        "=SQRT(COLUMNS({x}))*{x}+{p}",
        why="The embedding times √d_model, plus the position: the input of the first layer.",
        paper=VASWANI.format("3.5"),
    ),
    "X": Op(
        "{name} = X", "={x}", why="The input of the first layer: embeddings only, no positions are added."
    ),
    "√X": Op(
        "{name} = √d_model · X",
        "=SQRT(COLUMNS({x}))*{x}",
        why="The embedding times √d_model: the input of the first layer.",
    ),
}

# --- norms (Ba et al. 2016; Zhang and Sennrich 2019), residuals, feed-forward ------------------------------

MEAN = Op("mean", "=AVERAGE({x}[row])", "cells")
VARIANCE = Op("variance", "=MAX(0,VARP({x}[row]))", "cells")
MEAN_SQUARE = Op("mean square", "=SUMSQ({x}[row])/COLUMNS({x}[row])", "cells")
LAYER_NORM = Op(
    "{name} = LayerNorm({x}) = (x − mean) / √(variance + ε) ∘ γ + β",
    "=({x}-{mean})/SQRT({variance}+MAX({epsilon},1E-24))*{gamma}+{beta}",
    why="Each row is normalized to mean 0 and variance 1, then scaled by γ and shifted by β.",
    paper="Ba et al. 2016",
    more="This is the population variance: the mean squared deviation from the mean.",
)
RMS_NORM = Op(
    "{name} = RMSNorm({x}) = x / √(mean square + ε) ∘ γ",
    "={x}/SQRT({mean_square}+MAX({epsilon},1E-24))*{gamma}",
    why="Each row is normalized to mean square 1, then scaled by γ; the mean is not subtracted.",
    paper="Zhang and Sennrich 2019",
)
NORM_OF_HEADS = {
    letter: replace(
        RMS_NORM,
        why=f"Each row of {letter} is brought to mean square 1, then stretched by γ: no score grows large.",
        paper="Yang et al. 2025",
    )
    for letter in "QK"
}
RESIDUAL = Op(
    "{name} = {stream} + {found}",
    "={stream}+{found}",
    why="The input is kept: the layer only adds to it.",
    paper=VASWANI.format("3.1"),
    more="A sublayer that outputs 0 leaves its input unchanged; this makes it possible to stack many layers.",
)
HIDDEN = Op(
    "Hidden = {x} · W_1",
    "=MMULT({x},0+{w})",
    why="Each word by itself: which features does it have?",
    paper=VASWANI.format("3.3"),
    more="Each column of W_1 is a pattern; the dot product says how well a word matches it.",
)
HIDDEN_BIASED = Op(
    "Hidden = {x} · W_1 + b_1",
    "=MMULT({x},0+{w})+{b}",
    why=HIDDEN.why,
    paper=VASWANI.format("3.3"),
)
UP = Op(
    "Up = {x} · W_3",
    "=MMULT({x},0+{w})",
    why="The values that pass through the gate.",
    paper="Shazeer 2020",
)
UP_BIASED = Op(
    "Up = {x} · W_3 + b_3",
    "=MMULT({x},0+{w})+{b}",
    why=UP.why,
    paper="Shazeer 2020",
)
SIGMOID = "h σ(h), with σ(h) = ½ (1 + tanh(h/2))"
ACTIVATIONS = {
    "relu": Op(
        "Activation = ReLU({h}), ReLU(h) = max(0, h)",
        "={h}*(SIGN({h})>0)",
        why="What is below zero is dropped.",
        paper=VASWANI.format("3.3"),
    ),
    "gelu": Op(
        "Activation = GELU({h}), GELU(h) = h Φ(h)",
        "={h}[cell]*NORMSDIST({h}[cell])",
        "cells",
        "Each number times the probability that a standard normal variable is smaller: a smooth step.",
        paper="Hendrycks and Gimpel 2016",
    ),
    "gelu-tanh": Op(
        "Activation = GELU({h}), GELU(h) ≈ ½ h (1 + tanh(√(2/π) (h + 0.044715 h³)))",
        "=0.5*{h}*(1+TANH(SQRT(2/PI())*({h}+0.044715*{h}*{h}*{h})))",
        why="GELU approximated with tanh: a smooth step.",
        paper="Hendrycks and Gimpel 2016",
    ),
    "silu": Op(
        f"Activation = SiLU({{h}}), SiLU(h) = {SIGMOID}",
        "={h}*(1+TANH({h}/2))/2",
        why="Each number times its own sigmoid.",
        paper="Elfwing et al. 2017",
    ),
}


def _gate(plain: Op) -> Op:
    """The gated version of an activation: activation(Hidden) ∘ Up."""
    up = "{up}[cell]" if plain.entered == "cells" else "{up}"
    return replace(
        plain,
        maths=plain.maths.replace("({h})", "({h}) ∘ {up}"),
        formula=f"{plain.formula}*{up}",
        why="A gate: Hidden decides how much of Up passes.",
        paper="Shazeer 2020",
    )


ACTIVATIONS |= {name: _gate(ACTIVATIONS[plain]) for name, plain in GATED.items()}
FEED_FORWARD = Op(
    "FeedForward = Activation · W_2",
    "=MMULT({h},0+{w})",
    why="The features of each word, projected back to the size of the embeddings.",
    paper=VASWANI.format("3.3"),
)
FEED_FORWARD_BIASED = Op(
    "FeedForward = Activation · W_2 + b_2",
    "=MMULT({h},0+{w})+{b}",
    why=FEED_FORWARD.why,
    paper=VASWANI.format("3.3"),
)
COPY = Op(
    "{name} = {x}", "={x}", why="What has each word become after all layers? The output of the last one."
)

# --- what a model says -------------------------------------------------------------------------------------

COLUMNS_OF = Op("a size", "=COLUMNS({of})", "cells")
ROOT = Op("√d_k", "=SQRT({d_k})", "cells")
TIED_LOGITS = Op(
    "Logits = Output · Eᵀ",
    "=MMULT({x},TRANSPOSE(0+{e}))",
    why="How much does each row point to each word of the vocabulary? The embeddings are used again.",
    paper=VASWANI.format("3.4"),
    more="The dot product with a word's embedding is large where the row points the same way.",
)
LOGITS = Op(
    "Logits = Output · W_U",
    "=MMULT({x},0+{w})",
    why="How much does each row point to each word of the vocabulary?",
    paper=VASWANI.format("3.4"),
)
TEMPERED = Op(
    "Tempered = Logits / temperature",
    "={logits}/MAX({temperature},1E-6)",
    why="A low temperature makes the largest logit win, a high one evens them out. Try 0.1, 1 and 10.",
)
LOGIT_MAX = Op("row maximum", "=MAX({x}[row])", "cells")
LOGIT_EXP = Op(
    "LogitExp = exp({x} − row maximum)", "=EXP({x}-{row_max})", why="The first half of the softmax."
)
LOGIT_SUM = Op("row sum", "=SUM({x}[row])", "cells")
PROBABILITY = Op(
    "Probability = {numerator} / row sum",
    "={numerator}/{row_sum}",
    why="How likely is each word to come next? The softmax is complete: every row sums to 1.",
    paper=VASWANI.format("3.4"),
)
NEXT = Op(
    "the word with the largest logit",
    '=INDEX({words},MATCH(0,SIGN({logits}[row]-MAX({logits}[row])),0))&""',
    "cell arrays",
)
TOP_LOGITS = Op(
    "The largest logits",
    "=LARGE({logits}[row],{rank}[col])",
    "cells",
    "The largest logits of each row, in descending order: those of the most likely words.",
)
TOP_IDS = Op(
    "Their places in the vocabulary",
    "=SMALL(IF(SIGN({logits}[row]-LARGE({logits}[row],{rank}[col]))=0,"
    "COLUMN({logits}[row])-MIN(COLUMN({logits}[row]))+1),"
    "{rank}[col]-SUM(--(SIGN({logits}[row]-LARGE({logits}[row],{rank}[col]))>0)))",
    "cell arrays",
    "Which column has the k-th largest logit? Of equal ones, the first comes first.",
)
TOP_TOKENS = Op(
    "The most likely words",
    '=INDEX({words},{ids}[cell])&""',
    "cells",
    "Which words are most likely to come next, the likeliest first?",
)
SEEN = Op("how many words the focus word may look at", "=SUM(({index}={focus})*{mask})", "cell arrays")
FOCUS_WORDS = Op("the words", '=IF({focus}=0,"–",INDEX({words},{ids}[cell])&"")', "cells")
FOCUS_WORD = Op("the only word", '=IF({focus}=0,"–",{words}&"")', "cells")
SEEN_WORDS = Op("the words", '=IF({rank}[col]>{seen},"–",INDEX({words},{ids}[cell])&"")', "cells")
SEEN_WORD = Op("the only word", '=IF({seen}=0,"–",{words}&"")', "cells")
TOP_PROBABILITIES = Op(
    "Their probabilities",
    "=INDEX({probability}[row],1,{ids}[cell])",
    "cells",
    "Looked up in the softmax by their places in the vocabulary, below.",
)
ONLY_PROBABILITY = Op("the only probability", "={probability}[cell]", "cells")
GROWN = Op(
    "typed, or written by the model",
    '=IF({typed}[cell]="",{next}[above],{typed}[cell])&""',
    "cells",
    "A typed word is kept; a blank cell gets the next word predicted in the row above.",
    paper="Radford et al. 2019",
)
POOL_MEAN = Op(
    "Pooled = mean of the rows of {x}",
    "=MMULT(TRANSPOSE(--({index}>0))/ROWS({x}),{x})",
    why="One row for the whole sentence: the mean of its words.",
    paper="Devlin et al. 2019",
)
POOL_MASKED = Op(
    "Pooled = mean of the rows of {x} where the padding mask is 1",
    "=MMULT(TRANSPOSE({padding})/MAX(1,SUM({padding})),{x})",
    why="One row for the whole sentence: the mean of its words; blank cells do not count.",
    paper="Devlin et al. 2019",
)
POOL_FIRST = Op(
    "Pooled = the first row of {x}",
    "=MMULT(TRANSPOSE(--({index}=1)),{x})",
    why="One row for the whole sentence: that of its first token.",
    paper="Devlin et al. 2019",
)
NORMED = Op(
    "Normed = Pooled / |Pooled|",
    "={x}/MAX(SQRT(SUMSQ({x})),1E-12)",
    why="Scaled to length 1, so that a dot product is a cosine.",
)
SIMILARITY = Op(
    "Similarity = Normed · Normed of the first sentence",
    "=SUMPRODUCT({a},{b})",
    "cells",
    "How similar are two sentences? The cosine of their embeddings: 1 for the same direction, 0 for "
    "orthogonal ones.",
)
CLASS_LOGITS = Op(
    "Logits = Pooled · W_C + b_C",
    "=MMULT({x},0+{w})+{b}",
    why="How much does the sentence point to each class?",
    paper="Devlin et al. 2019",
)
CLASS_PROBABILITY = replace(
    PROBABILITY,
    why="How likely is each class? The softmax is complete: the probabilities sum to 1.",
    paper="Devlin et al. 2019",
)
CLASS = Op(
    "the class with the largest logit",
    '=INDEX({classes},1,MATCH(0,SIGN({logits}[row]-MAX({logits}[row])),0))&""',
    "cell arrays",
)
CLASS_OF_FIRST = replace(CLASS, formula=f'=IF({{tokens}}[1]="","–",{CLASS.formula[1:]})')
CLASS_OF_WORDS = replace(CLASS, formula=f'=IF(SUM({{padding}})=0,"–",{CLASS.formula[1:]})')


# --- large models ------------------------------------------------------------------------------------------

PART_OF = Op("a part of a matrix", "=INDEX({m},{rows}[first],{columns}[col])", "cells")
LAST_COLUMNS = Op("its last columns", "=COLUMNS({m})-COLUMNS({first})+{first}[cell]", "cells")
FROBENIUS = Op("|W|", "=SQRT(SUMSQ({m}))", "cells")
CHOSEN_HEAD = Op(
    "the chosen head's place",
    "=(MAX(1,SUM(--({layers}<={layer})))-1)*ROWS({heads})+MAX(1,MIN(ROWS({heads}),INT({head})))",
    "cell arrays",
)
CHOSEN_MAP = Op(
    "Attention of the chosen head",
    "=CHOOSE({chosen},{maps})",
    why="How much does each word look at every other one in this head?",
)
# LibreOffice's CHOOSE takes at most 31 values: choose a layer, then a head.
CHOSEN_MAP_OF_MANY = replace(CHOSEN_MAP, formula="=CHOOSE(ROUNDUP({chosen}/{size},0),{maps})")
PAIR_WEIGHTS = Op("the largest weights", "=LARGE({map},{rank}[cell])", "cells")
# As for the largest logits: of equal weights, the first in reading order.
PAIR_PLACES = Op(
    "their cells, counted row by row",
    "=SMALL(IF(SIGN({map}-LARGE({map},{rank}[cell]))=0,"
    "(ROW({map})-MIN(ROW({map})))*COLUMNS({map})+COLUMN({map})-MIN(COLUMN({map}))+1),"
    "{rank}[cell]-SUM(--(SIGN({map}-LARGE({map},{rank}[cell]))>0)))",
    "cell arrays",
)
PAIR_FROM = Op("who looks", '=INDEX({words},INT(({places}[cell]-1)/COLUMNS({map}))+1)&""', "cells")
ONLY_WORD = Op("the only word", '={words}&""', "cells")  # not all engines accept a single cell in INDEX
PAIR_TO = Op("at whom", '=INDEX({words},MOD({places}[cell]-1,COLUMNS({map}))+1)&""', "cells")


def mixture(terms: int, *, more: bool) -> Op:
    """An output as a text: the largest weights with their words, and "..." for the rest."""
    joined = '&" + "&'.join(_terms(terms))
    rest = '&" + ..."' if more else ""
    return Op("what it is made of", f'=IF({{focus}}=0,"–",{joined}{rest})', "cells")


def seen_mixture(terms: int, *, more: bool) -> Op:
    """The same with a mask: only words that the focus word may look at."""
    first, *others = _terms(terms)
    joined = "&".join([first, *(f'IF({{seen}}<{i},""," + "&{term})' for i, term in enumerate(others, 2))])
    rest = f'&IF({{seen}}>{terms}," + ...","")' if more else ""
    return Op("what it is made of", f'=IF({{seen}}=0,"–",{joined}{rest})', "cells")


def _terms(terms: int) -> list[str]:
    if terms == 1:  # not all engines accept a single cell in INDEX
        return ['FIXED({weights},2)&" × "&{words}']
    each = range(1, terms + 1)
    return [f'FIXED(INDEX({{weights}},1,{i}),2)&" × "&INDEX({{words}},1,{i})' for i in each]


# --- the first screen --------------------------------------------------------------------------------------

HALF_DIGIT = "0.005"
"""Half of the last digit that two decimals show: numbers as near as this count as equal."""
FOCUS = Op("the focus word", '={focus}&""', "cells")
COPIED_WORDS = Op("the same words", '={source}[cell]&""', "cells")
COPIED = Op("the same numbers", "={source}[cell]", "cells")
UPRIGHT = Op("the same, upright", "=TRANSPOSE({source})")
LOOK = Op("how much each word is looked at", "=MMULT(TRANSPOSE({attention}),{rows})/{heads}")
BECOMES = Op("what the focus word becomes", "=MMULT(TRANSPOSE({of}),--({index}={focus}))")
NEAR = Op("cosines", '=IF({near}="–",0,{near})')
NEAR_ROW = Op("cosines", '=TRANSPOSE(IF({near}="–",0,{near}))')
MEAN_OF_HEADS = Op("mean of the heads", "=({heads})/{count}")
MOST = Op(
    "the word that is looked at most",
    '=IF({tokens}[cell]="","–",INDEX({words},MATCH(0,SIGN({map}[row]-MAX({map}[row])),0))&"")',
    "cell arrays",
)
JOINED = Op(
    "tokens put together",
    '=TRIM(SUBSTITUTE(SUBSTITUTE({words},"▁"," "),"<U+000A>"," "))',
    "cells",
)


LOOK_THE_SAME = f"SIGN(SUMXMY2({{a}},{{b}})-{HALF_DIGIT}^2)<1"
"""The condition that two rows differ by no more than half of the last digit that is shown."""


def is_torn(numbers: str) -> str:
    """The condition that the two largest numbers of a row or column are equal as they are shown."""
    return f"SIGN(MAX({numbers})-LARGE({numbers},2)-{HALF_DIGIT})<1"


def lead(numbers: str, names: str, across: str = "1,") -> str:
    """The first name whose number is displayed like the largest; ``across``: the names are in a row."""
    return f"INDEX({names},{across}MATCH(1,SIGN({numbers}-MAX({numbers})+{HALF_DIGIT}),0))"


def other(numbers: str, names: str, across: str = "1,", along: str = "COLUMN") -> str:
    """The last such name; ``along``: the function that counts the numbers, COLUMN or ROW."""
    near = f"(SIGN({numbers}-MAX({numbers})+{HALF_DIGIT})>0)"
    return f"INDEX({names},{across}MAX({near}*({along}({numbers})-MIN({along}({numbers}))+1)))"


def first_case(*cases: tuple[str, str], else_: str, also: tuple[str, str] | None = None) -> Op:
    """The text of the first case whose condition holds, or else ``else_``.

    ``also``: a condition, and a text that is then appended to ``else_`` and to the text of the last case.
    """
    shown, texts = "{case0}", {"case0": else_}
    for i, (condition, text) in reversed([*enumerate(cases, 1)]):
        texts[f"case{i}"] = text
        shown = f"IF({condition},{{case{i}}},{shown})"
        if also and i == len(cases):
            shown, texts["also"] = f'{shown}&IF({also[0]},{{also}},"")', also[1]
    return Op("what is to be seen", f"={shown}", "cell arrays", texts=texts)


# --- live checks -------------------------------------------------------------------------------------------


WORDS = 'LEFT({words},1)<>"✗"', "{words}"
"""If the live check of the words fails, all sheets repeat its message."""


def status(good: str, *demands: tuple[str, str]) -> Op:
    """A live check: the message of the first condition that does not hold (✗), or ``good`` (✓).

    A message that begins with – is a note, and not a failure.
    """
    formula, texts = "{good}", {"good": good, "failed": "✗ a cell shows an error"}
    for i, (condition, bad) in reversed([*enumerate(demands, 1)]):
        formula, texts[f"bad{i}"] = f"IF({condition},{formula},{{bad{i}}})", bad
    return Op("a live check", f"=IFERROR({formula},{{failed}})", "cells", texts=texts)


def are_numbers(settings: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Conditions of a live check: no setting is a text, which formulas would treat as nearly 0."""
    return tuple((f"NOT(ISTEXT({name}))", message) for name, message in settings.items())


def sums_to_one(drifts: Sequence[str], demands: Sequence[tuple[str, str]] = ()) -> Op:
    """The live check of an attention sheet or a layer: all rows of the softmax sum to 1.

    ``demands``: conditions checked before that, with their messages.
    """
    near = f"MAX({','.join(drifts)})<1E-9", "✗ a row does not sum to 1"
    return status("✓ every row sums to 1", WORDS, *demands, near)


def no_failure(statuses: Iterable[str]) -> str:
    """The condition that no live check fails, that is, begins with ✗."""
    return "AND({})".format(",".join(f'LEFT({name},1)<>"✗"' for name in statuses))
