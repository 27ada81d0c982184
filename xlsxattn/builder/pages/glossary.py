"""The glossary: the terms that a workbook uses, their meanings, first occurrences and papers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from xlsxattn.builder import ops
from xlsxattn.builder.graph import GlossaryEntry, Page
from xlsxattn.contract.names import endings
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Sequence


class Term(NamedTuple):
    """A term, its meaning, the endings of names of ranges that show it, and the paper.

    ``else_by``: such an ending for workbooks without these ranges.
    """

    term: str
    says: str
    shown_by: str | tuple[str, ...]
    paper: str = ""
    else_by: str = ""


TERMS = (
    Term("Token", "A word or a part of one: the unit of a sentence.", "Tokens"),
    Term("Vocabulary", "All known tokens, each with its embedding.", "vocab_Tokens"),
    Term(
        "Embedding",
        "The vector that represents a token, the same wherever it appears.",
        "vocab_E",
        "Mikolov et al. 2013",
    ),
    Term("d_model", "How many numbers an embedding has.", "vocab_Dims", ops.op.VASWANI.format("3.1")),
    Term("Focus word", "The word that is followed through the workbook: its row is outlined.", "vocab_Focus"),
    Term("Lane", "The columns of a sheet for one sentence, below its heading.", "Heading"),
    Term(
        "Array formula",
        "A formula in curly brackets: one that fills a whole block of cells, or a single cell.",
        "X",
    ),
    Term(
        "Matrix product, MMULT",
        "Every cell is the dot product of a row of the first matrix and a column of the second.",
        "X",
    ),
    Term(
        "Dot product",
        "Two vectors, multiplied number by number and summed: large if both are large in the same "
        "dimensions.",
        "Scores",
    ),
    Term("--", "Before a comparison: converts TRUE to 1 and FALSE to 0.", "X"),
    Term("Weights", "The parameters of a model, the same for every sentence; learned in training.", "W_Q"),
    Term(
        "Projection",
        "A matrix product with weights, which maps words to queries, keys or values.",
        "Q",
        ops.op.VASWANI.format("3.2.2"),
    ),
    Term("Query, Q", "What a token is looking for.", "Q", ops.op.VASWANI.format("3.2"), "Scores"),
    Term("Key, K", "What a token can be found by.", "K", ops.op.VASWANI.format("3.2"), "Scores"),
    Term(
        "Value, V",
        "What a token passes on to tokens that look at it.",
        "V",
        ops.op.VASWANI.format("3.2"),
        "Output",
    ),
    Term("d_k", "How many numbers a query has, and a key.", "K", ops.op.VASWANI.format("3.2.1")),
    Term("d_v", "How many numbers a value has.", "V", ops.op.VASWANI.format("3.2.1")),
    Term(
        "Score",
        "The dot product of a query and a key: how well they match.",
        "Scores",
        ops.op.VASWANI.format("3.2.1"),
    ),
    Term(
        "√d_k",
        "The square root of the length of a key. Scores are divided by it, so that they do not grow with "
        "d_k.",
        "Scale",
        ops.op.VASWANI.format("3.2.1"),
    ),
    Term(
        "Mask",
        "Which keys a token may look at; the others get −∞ before the softmax, so their weight is 0.",
        "Mask",
        ops.op.VASWANI.format("3.2.3"),
    ),
    Term("Padding", "Blank cells at the end of a short sentence, which get no attention.", "PaddingMask"),
    Term(
        "Row maximum",
        "The largest number of a row. It is subtracted before exp, which keeps numbers small and does not "
        "change the weights.",
        "RowMax",
    ),
    Term(
        "exp",
        "2.718... to the power of a number: positive, and 2.7 times as large for a number larger by 1.",
        "Exp",
    ),
    Term(
        "Softmax",
        "exp of each number, divided by the sum: positive weights that sum to 1.",
        "Exp",
        ops.op.VASWANI.format("3.2.1"),
    ),
    Term(
        "Temperature",
        "A number by which scores are divided before a softmax: a low one makes it sharp, a high one even.",
        "Temperature",
    ),
    Term(
        "Attention",
        "The softmax of the scores: how much each token looks at every other.",
        "Attention",
        ops.op.VASWANI.format("3.2"),
    ),
    Term(
        "Entropy",
        "How spread out a row of the attention is: 0 for a single token, ln n if all n tokens have the "
        "same weight.",
        "Entropy",
    ),
    Term(
        "Entropy without √d",
        "The entropy if scores were not divided by √d_k, which shows the effect of the division.",
        "EntropyUnscaled",
    ),
    Term(
        "Head",
        "One of several parallel attentions, each in its own subspace.",
        "h1_Attention",
        ops.op.VASWANI.format("3.2.2"),
    ),
    Term("Grouped queries", "Several heads that share keys and values.", "g1_K", "Ainslie et al. 2023"),
    Term("Concat", "The outputs of all heads, concatenated.", "Concat", ops.op.VASWANI.format("3.2.2")),
    Term("W_O", "The learned matrix that mixes the heads' outputs.", "W_O", ops.op.VASWANI.format("3.2.2")),
    Term(
        "Cross-attention",
        "Queries come from one sentence, keys and values from another.",
        "Cross_h1_Attention",
        ops.op.VASWANI.format("3.2.3"),
    ),
    Term(
        "Positional encoding",
        "Numbers that encode the position of a token; without them, the order of words would be lost.",
        "P",
        ops.op.VASWANI.format("3.5"),
    ),
    Term(
        "Rotary positions",
        "Pairs of columns of Q and K are rotated by an angle that grows with the position.",
        "QRot",
        "Su et al. 2021",
    ),
    Term(
        "Residual",
        "The input of a sublayer is added to its output, so nothing is lost.",
        "Residual1",
        ops.op.VASWANI.format("3.1"),
    ),
    Term(
        "Layer norm",
        "Each row is normalized to mean 0 and variance 1, then scaled by γ and shifted by β.",
        "Norm1_Variance",
        "Ba et al. 2016",
    ),
    Term(
        "RMS norm",
        "Each row is normalized to mean square 1, then scaled by γ.",
        "Norm1_MeanSquare",
        "Zhang and Sennrich 2019",
    ),
    Term(
        "Feed-forward",
        "Two matrix products with an activation between them, for each token separately.",
        "FeedForward",
        ops.op.VASWANI.format("3.3"),
    ),
    Term(
        "Activation",
        "A nonlinear function: negative numbers are dropped or damped. Without it, two products would "
        "equal a single one.",
        "Activation",
        ops.op.VASWANI.format("3.3"),
    ),
    Term(
        "Pooling",
        "One row for a whole sentence, computed from the rows of its tokens.",
        "Pooled",
        "Devlin et al. 2019",
    ),
    Term(
        "Logit", "The score of a word or a class before the softmax.", "Logits", ops.op.VASWANI.format("3.4")
    ),
    Term(
        "Greedy decoding",
        "The word with the largest logit is generated, and becomes the next input token.",
        "Next",
        "Radford et al. 2019",
    ),
    Term(
        "Cosine",
        "How similar the directions of two vectors are: 1 same, 0 orthogonal, −1 opposite; lengths do "
        "not matter.",
        ("Cosine", "Near", "Similarity"),
    ),
    Term("Loss", "One number that says how far off the outputs are; learning makes it small.", "Loss"),
    Term(
        "Gradient",
        "For each weight, how much the loss grows if the weight grows a little.",
        ("dW_Q", "dW_K", "dW_V", "dW_O"),
        "Rumelhart et al. 1986",
    ),
    Term(
        "Chain rule",
        "How gradients are computed: from the loss backwards, each from that of the next quantity.",
        "dOutput",
        "Rumelhart et al. 1986",
    ),
    Term("Learning rate", "How far a step goes along the gradient.", "LearningRate"),
    Term(
        "Momentum",
        "Part of the last step is kept, so that steps in one direction add up.",
        "Momentum",
        "Sutskever et al. 2013",
    ),
    Term(
        "Adam",
        "Steps of about the learning rate in each weight, from running means of gradients and their squares.",
        ("Moment1_W_Q", "Moment1_W_K", "Moment1_W_V", "Moment1_W_O"),
        "Kingma and Ba 2015",
    ),
)
PAPERS = {
    "Ainslie et al. 2023": "GQA: Training Generalized Multi-Query Transformer Models from Multi-Head "
    "Checkpoints",
    "Ba et al. 2016": "Layer Normalization",
    "Devlin et al. 2019": "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding",
    "Elfwing et al. 2017": "Sigmoid-Weighted Linear Units for Neural Network Function Approximation in "
    "Reinforcement Learning",
    "Hendrycks and Gimpel 2016": "Gaussian Error Linear Units (GELUs)",
    "Kingma and Ba 2015": "Adam: A Method for Stochastic Optimization",
    "Mikolov et al. 2013": "Efficient Estimation of Word Representations in Vector Space",
    "Peng et al. 2023": "YaRN: Efficient Context Window Extension of Large Language Models",
    "Radford et al. 2019": "Language Models are Unsupervised Multitask Learners",
    "Rumelhart et al. 1986": "Learning Representations by Back-Propagating Errors",
    "Shazeer 2020": "GLU Variants Improve Transformer",
    "Su et al. 2021": "RoFormer: Enhanced Transformer with Rotary Position Embedding",
    "Sutskever et al. 2013": "On the Importance of Initialization and Momentum in Deep Learning",
    "Vaswani et al. 2017": "Attention Is All You Need",
    "Yang et al. 2025": "Qwen3 Technical Report",
    "Zhang and Sennrich 2019": "Root Mean Square Layer Normalization",
}
"""Titles of the cited papers."""


def glossary_page(pages: Sequence[Page]) -> Page:
    """An entry for each term shown on some page, with a link to its first occurrence."""
    names = [block.name for page in pages for block in page.blocks()]
    shown: dict[str, int] = {}  # each ending, and the first of the names that have it
    for i, name in enumerate(names):
        for ending in endings(name):
            shown.setdefault(ending, i)
    entries = []
    for term in TERMS:
        shown_by = (term.shown_by,) if isinstance(term.shown_by, str) else term.shown_by
        found = [shown[ending] for ending in shown_by if ending in shown]
        if not found and term.else_by in shown:
            found = [shown[term.else_by]]
        if found:
            first = names[min(found)]
            entries.append(GlossaryEntry(term.term, term.says, first, term.paper))
    lead = "What the terms mean. Click a term to go to its first occurrence; in LibreOffice, Ctrl+click."
    cited = {entry.paper for entry in entries} | {band.paper for page in pages for band in page.bands}
    short = {paper.partition(", §")[0] for paper in cited if paper}
    papers = tuple(
        (name, say("{title}", title=PAPERS[name])) for name in sorted(short)
    )  # titles are not translated
    return Page(
        "glossary", "Glossary", lead, entries=tuple(entries), papers=papers, subtitle="what the words mean"
    )
