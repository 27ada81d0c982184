"""Words: their places in the vocabulary, labels, and embeddings."""

from __future__ import annotations

from xlsxattn.builder.ops.op import Op

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


def joined(tokens: str, n: int) -> str:
    """The n words of a sentence, joined by spaces, as a part of a formula."""
    return '&" "&'.join(f"{tokens}[{i + 1}]" for i in range(n))


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
