"""The next word: logits, their softmax, and the most likely words."""

from __future__ import annotations

from xlsxattn.builder.ops.op import VASWANI, Op

COLUMNS_OF = Op("a size", "=COLUMNS({of})", "cells")
ROOT = Op("√d_k", "=SQRT({d_k})", "cells")
TIED_LOGITS = Op(
    "Logits = Output · Eᵀ",
    "=MMULT({x},TRANSPOSE(0+{e}))",
    why="How well does each row match each word of the vocabulary? The embeddings are used again.",
    paper=VASWANI.format("3.4"),
    more="The dot product with a word's embedding is large where the row points the same way.",
)
LOGITS = Op(
    "Logits = Output · W_U",
    "=MMULT({x},0+{w})",
    why="How well does each row match each word of the vocabulary?",
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
    "Their positions in the vocabulary",
    "=SMALL(IF(SIGN({logits}[row]-LARGE({logits}[row],{rank}[col]))=0,"
    "COLUMN({logits}[row])-MIN(COLUMN({logits}[row]))+1),"
    "{rank}[col]-SUM(--(SIGN({logits}[row]-LARGE({logits}[row],{rank}[col]))>0)))",
    "cell arrays",
    "Which column has the k-th largest logit? Equal logits are in the order of the columns.",
)
TOP_TOKENS = Op(
    "The most likely words",
    '=INDEX({words},{ids}[cell])&""',
    "cells",
    "Which words are most likely to come next, the most likely first?",
)
TOP_PROBABILITIES = Op(
    "Their probabilities",
    "=INDEX({probability}[row],1,{ids}[cell])",
    "cells",
    "Looked up in the softmax by their positions in the vocabulary, below.",
)
ONLY_PROBABILITY = Op("the only probability", "={probability}[cell]", "cells")
GROWN = Op(
    "typed, or written by the model",
    '=IF({typed}[cell]="",{next}[above],{typed}[cell])&""',
    "cells",
    "A typed word is kept; a blank cell gets the next word predicted in the row above.",
    paper="Radford et al. 2019",
)
