"""Whole sentences: pooling, similarity, and classification."""

from __future__ import annotations

from dataclasses import replace

from xlsxattn.builder.ops.next_word import PROBABILITY
from xlsxattn.builder.ops.op import Op

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
    why="How well does the sentence match each class?",
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
