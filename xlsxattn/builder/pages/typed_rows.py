"""Precomputed inputs of layers whose previous layer is left out, and the words they were computed for.

They do not change with the sentence; a live check fails if it has other words.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from xlsxattn.builder import ops
from xlsxattn.builder.graph import Side
from xlsxattn.builder.pages.parts import Step, typed
from xlsxattn.builder.theme import cell_width
from xlsxattn.contract.names import TYPED_FOR
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xlsxattn.builder.graph import Block
    from xlsxattn.builder.ops import Entered
    from xlsxattn.builder.pages.parts import Lane, Steps
    from xlsxattn.contract.kinds import Model

MAX_SHOWN = 100
"""Maximum number of words, in all sentences, quoted in a live check, as Excel limits formulas in length."""
OTHER_WORDS = "✗ these rows were computed for other words: {typed_for}"
OTHER_WORDS_THAN_SHOWN = "✗ some rows were computed for other words, which are shown beside them"


def input_step(sheet: Model, lane: Lane, k: int) -> Steps:
    """The input of a layer whose previous layer is left out: constants (n × d_model)."""
    name = lane.prefix.at(layer=k, block="Input")
    block = typed(str(name), "input", sheet.weights[name.key])
    why = say(
        "Layer {k} is not in this workbook. Its output was computed by NumPy in float64, for these "
        "sentences. With other words the rows are wrong, and the check fails.",
        k=k - 1,
    )
    first = k == next(filter(sheet.follows_gap, sheet.numbers))  # show the words only once
    sides = (Side("computed for", (_words(lane),)),) if first else ()
    title = say("Input of layer {k}, precomputed", k=k)
    return {"Input": Step(title, why, {lane.id: lane.group(block, sides=sides)}, show_formula=False)}


def _words(lane: Lane) -> Block:
    """The words of a sentence for which its rows were computed (n × 1)."""
    words = lane.context.words
    block = typed(lane.prefix[TYPED_FOR], "word label", [(word,) for word in words], "constant")
    return replace(block, widths=(max(map(cell_width, words)) + 1.0,))


class SameWords(NamedTuple):
    """The part of a live check on the words of precomputed rows.

    Attributes:
        demands: the condition, and the message if it does not hold.
        names: names in the message.
        entered: how the check is entered: Gnumeric compares two ranges only in array formulas.
    """

    demands: tuple[tuple[str, str], ...] = ()
    names: Mapping[str, str] = {}
    entered: Entered = "cells"


def same_words(lanes: Sequence[Lane]) -> SameWords:
    """Check that sentences have the words of their precomputed rows; the message quotes these words."""
    same = [are_same(lane.own["Tokens"], _of(lane)) for lane in lanes]
    condition = f"AND({','.join(same)})"
    if sum(lane.n for lane in lanes) > MAX_SHOWN:
        return SameWords(((condition, OTHER_WORDS_THAN_SHOWN),), {}, "cell arrays")
    quotes = (f'IF({holds},"","“"&{_joined(lane)}&"” ")' for holds, lane in zip(same, lanes, strict=True))
    names = {"typed_for": f"TRIM({'&'.join(quotes)})"}
    return SameWords(((condition, OTHER_WORDS),), names, "cell arrays")


def are_same(tokens: str, typed_for: str) -> str:
    """The condition that a sentence has the words of its precomputed rows."""
    return f"SUM(--EXACT({tokens},{typed_for}))=ROWS({typed_for})"


def _of(lane: Lane) -> str:
    return lane.prefix[TYPED_FOR]


def _joined(lane: Lane) -> str:
    return ops.words.joined(_of(lane), lane.n)
