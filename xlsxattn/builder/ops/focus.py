"""The focus word: its rows, its cosines, and the composition of its output."""

from __future__ import annotations

from xlsxattn.builder.ops.op import Op

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
SEEN = Op("how many words the focus word may look at", "=SUM(({index}={focus})*{mask})", "cell arrays")
FOCUS_WORDS = Op("the words", '=IF({focus}=0,"–",INDEX({words},{ids}[cell])&"")', "cells")
FOCUS_WORD = Op("the only word", '=IF({focus}=0,"–",{words}&"")', "cells")
SEEN_WORDS = Op("the words", '=IF({rank}[col]>{seen},"–",INDEX({words},{ids}[cell])&"")', "cells")
SEEN_WORD = Op("the only word", '=IF({seen}=0,"–",{words}&"")', "cells")


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
