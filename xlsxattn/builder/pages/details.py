"""The focus word before and after an attention sheet, and one of its scores in numbers.

docs/contract.md, "Before and after, and one score in numbers".
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from xlsxattn.builder import ops
from xlsxattn.builder.graph import Group, Side
from xlsxattn.builder.pages.attention import output_columns
from xlsxattn.builder.pages.parts import Step, computed, dims_above, numbered, typed
from xlsxattn.contract.first_screen import BEFORE, THEN
from xlsxattn.contract.kinds import InSentence
from xlsxattn.contract.names import of_context, rows_of

if TYPE_CHECKING:
    from xlsxattn.builder.graph import Block, Labels
    from xlsxattn.builder.pages.parts import Lane, Steps
    from xlsxattn.builder.specification import Spec
    from xlsxattn.builder.specification.words import Context
    from xlsxattn.contract.kinds import AttentionSheet

MAX_NUMBERS, MAX_COLUMNS = 6, 12
"""Maximum numbers of a word and columns of a step for which lanes are side by side, with room for details."""
ONE_SCORE = (
    "Choose a row and a column of Scores by their positions. The numbers of the two words are multiplied one "
    "by one, and added up."
)


def detailed(spec: Spec) -> list[str]:
    """The ids of the attention sheets that are small enough for details."""
    return [sheet.id for sheet in spec.sheets if isinstance(sheet, InSentence) and has_details(spec, sheet)]


def has_details(spec: Spec, sheet: AttentionSheet) -> bool:
    """True if every number of a word and every step fits a lane."""
    if spec.exercise:  # details would show how a score is computed
        return False
    d_model = spec.vocabulary.d_model
    widest = sheet.heads * max(sheet.d_k, sheet.d_v) if sheet.weights else d_model
    longest = max(len(context.words) for context in spec.contexts)
    return max(d_model, output_columns(sheet, d_model)) <= MAX_NUMBERS and max(widest, longest) <= MAX_COLUMNS


def absent(spec: Spec, context: Context) -> str:
    """The condition that a sentence lacks the focus word or has an unknown word or an invalid blank."""
    names, blanks = of_context(context.id), any(sheet.uses_blanks for sheet in spec.sheets)
    if blanks:
        return has_no_result(context, f"{names['Focus']}=0")
    return f"=MIN({names['Focus']},{names['Ids']})=0"


def has_no_result(context: Context, condition: str) -> str:
    """A condition, or an unknown word in a sentence that may have blanks."""
    names = of_context(context.id)
    return f'=OR({condition},SUMPRODUCT(({names["Ids"]}=0)*({names["Tokens"]}<>""))>0)'


def before_and_after(spec: Spec, lane: Lane, cols: int) -> tuple[Group, ...]:
    """The focus word's rows of X (1 × d_model) and of Output (1 × cols)."""
    p, d_model, hidden = lane.prefix, spec.vocabulary.d_model, absent(spec, lane.context)
    names = {"index": lane.own["Index"], "focus": lane.own["Focus"]}
    before = computed(p["FocusBefore"], (1, d_model), ops.focus.PICK, "own number", of=p["X"], **names)
    after = computed(p["FocusAfter"], (1, cols), ops.focus.PICK, "result", of=p["Output"], **names)
    labels = (_focus(before.name, BEFORE), _focus(after.name, THEN))
    dims = dims_above(before.name, d_model)
    if cols == d_model:
        return (Group((before, after), labels, dims, absent=hidden),)
    above, below = labels
    return (
        Group((before,), (above,), dims, absent=hidden),
        Group((after,), (below,), numbered("v", cols), absent=hidden),
    )


def _focus(of: str, number_format: str) -> Block:
    block = computed(rows_of(of), (1, 1), ops.first_screen.FOCUS, "result label", focus="vocab_Focus")
    return replace(block, number_format=number_format)


def one_score(spec: Spec, lane: Lane, d: int, q: str, k: str) -> Steps:
    """One cell of Scores: the rows of two words (1 × d each), their products, and the sum of these."""
    p, focus = lane.prefix, spec.focus
    words = lane.context.words
    row = words.index(focus) if focus in words else 0
    col = next((i for i, word in enumerate(words) if word not in ("", focus)), 0)
    places = [typed(p[name], "setting", ((i + 1.0,),)) for name, i in (("CellRow", row), ("CellCol", col))]
    blocks: list[Block] = []
    labels: list[Labels] = []
    for name, place, of in zip(("CellQuery", "CellKey"), places, (q, k), strict=True):
        at = f"INT(MIN(MAX({place.name},1),MAX({lane.own['Index']})))"
        names = {"index": lane.own["Index"], "focus": at, "of": of}
        blocks.append(computed(p[name], (1, d), ops.focus.PICK, "number", **names))
        op = ops.focus.WORD_AT if lane.n > 1 else ops.large_models.ONLY_WORD
        labels.append(computed(rows_of(p[name]), (1, 1), op, "row label", words=lane.tokens, at=at))
    query, key = blocks
    products = computed(p["CellProducts"], (1, d), ops.focus.PRODUCTS, "number", a=query.name, b=key.name)
    score = computed(p["CellScore"], (1, 1), ops.focus.TOTAL, "result number", of=products.name)
    cols = dims_above(query.name, d) if q == k else numbered("", d)
    rows = (*labels, ("product",), ("sum = score",))
    group = Group((query, key, products, score), rows, cols, (Side("position", tuple(places)),))
    return {"Cell": Step("One score in numbers", ONE_SCORE, {lane.id: group}, show_formula=False)}
