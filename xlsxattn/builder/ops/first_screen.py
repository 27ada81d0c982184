"""The first screen: copies of ranges, and sentences that describe them."""

from __future__ import annotations

from xlsxattn.builder.ops.op import Op

HALF_DIGIT = "0.005"
"""Half of the last digit that two decimals show: numbers as near as this count as equal."""
PERCENT = "0.01"
"""The last digit that percentages show: classes as near as this may be shown with equal probabilities."""
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
JOINED = Op("tokens put together", '=TRIM(SUBSTITUTE(SUBSTITUTE({words},"▁"," "),"<U+000A>"," "))', "cells")

LOOK_THE_SAME = f"SIGN(SUMPRODUCT(({{a}}-{{b}})*({{a}}-{{b}}))-{HALF_DIGIT}^2)<1"
"""The condition that two rows differ by no more than half of the last digit that is shown.

SUMXMY2 is not used: in IronCalc it does not accept names of single cells (d_model = 1).
"""


def is_undecided(numbers: str, limit: str = HALF_DIGIT) -> str:
    """The condition that the two largest numbers of a row or column are equal as they are shown."""
    return f"SIGN(MAX({numbers})-LARGE({numbers},2)-{limit})<1"


def lead(numbers: str, names: str, across: str = "1,", *, limit: str = HALF_DIGIT) -> str:
    """The first name whose number is displayed like the largest; ``across``: the names are in a row."""
    return f"INDEX({names},{across}MATCH(1,SIGN({numbers}-MAX({numbers})+{limit}),0))"


def other(
    numbers: str, names: str, across: str = "1,", along: str = "COLUMN", *, limit: str = HALF_DIGIT
) -> str:
    """The last such name; ``along``: the function that counts the numbers, COLUMN or ROW."""
    near = f"(SIGN({numbers}-MAX({numbers})+{limit})>0)"
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
