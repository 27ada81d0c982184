"""The expected values of all computed ranges of the contract, by name.

The mathematics is in the other modules of this package, from the papers. No formula of a sheet is replayed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from xlsxattn.checker.reference.attention import Expected, Sized, stacked
from xlsxattn.checker.reference.attention_sheets import attention_sheet, cross_sheet
from xlsxattn.checker.reference.choices import Counted
from xlsxattn.checker.reference.comparing import compare_sheet, encoder_sheet
from xlsxattn.checker.reference.details import details
from xlsxattn.checker.reference.first_screen import first_screen
from xlsxattn.checker.reference.models import classifier, decoder, encoder_decoder
from xlsxattn.checker.reference.training import training_sheet
from xlsxattn.checker.reference.words import (
    ContextWords,
    ShapesDisagree,
    SheetInfo,
    look_up,
    mark,
    shaped,
    unknown,
    uses_blanks,
    vocabulary,
)
from xlsxattn.contract import kinds
from xlsxattn.contract.names import START, STATUS, VOCABULARY, RangeName, last, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from xlsxattn.checker.cells import Grid
    from xlsxattn.checker.reference.attention import Ranges
    from xlsxattn.checker.reference.attention_sheets import Trail
    from xlsxattn.checker.reference.words import Inputs

__all__ = ["Expected", "ShapesDisagree", "SheetInfo", "expected", "expected_of_sets"]

SheetRanges: TypeAlias = "Callable[[SheetInfo, Sequence[ContextWords], Inputs, Trail], Ranges]"

AT_ONCE: dict[str, SheetRanges] = {
    kinds.SelfAttention.kind: attention_sheet,
    kinds.MultiHead.kind: attention_sheet,
    kinds.CrossAttention.kind: cross_sheet,
}
"""The kinds whose ranges are computed for all sets of inputs at once."""

ONE_BY_ONE: dict[str, SheetRanges] = {
    kinds.Encoder.kind: encoder_sheet,
    kinds.Decoder.kind: decoder,
    kinds.EncoderDecoder.kind: encoder_decoder,
    kinds.Classifier.kind: classifier,
    kinds.Compare.kind: compare_sheet,
}
"""The kinds whose ranges are computed for one set of inputs after the other."""


def maps(sheet: SheetInfo, found: Ranges) -> Ranges:
    """Copies of every head's Attention with labels and headings, if a sheet or model has maps."""
    if not sheet.is_a(kinds.MultiHead, kinds.Model) or not sheet.maps:
        return {}
    headings = {
        RangeName(sheet.id, page="maps", head=h)["Heading"]: Expected(
            np.array([[Counted(h)]], dtype=object), "text"
        )
        for h in range(1, sheet.heads + 1)
    }
    places = {name: parse(name) for name in found}
    heads = {name: at for name, at in places.items() if at.head and at.block == "Attention"}
    return {str(at.at(block="Map")): found[name] for name, at in heads.items()} | headings


class OneSet(Mapping[str, Expected]):
    """The ranges with one of several sets of inputs."""

    def __init__(self, found: Ranges, number: int) -> None:
        self._found, self._number = found, number

    def __getitem__(self, name: str) -> Expected:
        return self._found[name].of(self._number)

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


def expected(
    sheets: Sequence[SheetInfo],
    contexts: Sequence[str],
    inputs: Inputs,
    *,
    read: Mapping[str, Grid] | None = None,
    front: Mapping[str, Any] | None = None,
    language: str = "",
) -> dict[str, Expected]:
    """All ranges with one set of inputs, as in `expected_of_sets`."""
    every = expected_of_sets(sheets, contexts, [inputs], read=[read or {}], front=front, language=language)
    return {name: x.of(0) for name, x in every.items()}


@np.errstate(all="ignore")
def expected_of_sets(
    sheets: Sequence[SheetInfo],
    contexts: Sequence[str],
    sets: Sequence[Inputs],
    *,
    read: Sequence[Mapping[str, Grid]],
    front: Mapping[str, Any] | None = None,
    language: str = "",
) -> Ranges:
    """All computed and constant ranges of the contract, and the heads' slices of the weights, by name.

    Within a sheet and context, ranges come after their precedents: the first that overflows is a cause. The
    sets of inputs are the leading axis of the ranges that depend on them.

    A set contains every input range as (rows, cols), float64 or objects that are str. For each set, `read`
    contains the ranges of training sheets as an engine computed them, from which the proof of each step
    starts. `front` is the content of the first screen, in the language with the code `language`.

    Raises:
        ShapesDisagree: inputs do not fit each other.
        KeyError: an input or a setting is missing.
        ValueError: the kind or a setting of a sheet is unknown.
    """
    n_vocab, d_model = sets[0]["vocab_E"].shape
    shaped(sets[0], "vocab_Dims", 1, d_model, "vocab_E")
    sentences = [[look_up(name, inputs) for name in contexts] for inputs in sets]
    trails: list[Trail] = [{} for _ in sets]
    words = [list(shaped(inputs, "vocab_Tokens", n_vocab, 1, "vocab_E")[:, 0]) for inputs in sets]
    blanks, by_id = uses_blanks(sheets), {sheet.id: sheet for sheet in sheets}
    found = stacked([vocabulary(said, words[i], blanks=blanks) for i, said in enumerate(sentences)])
    needed = sets[0] if any(sheet.kind in AT_ONCE for sheet in sheets) else ()  # weights may be large
    every = {name: np.stack([inputs[name] for inputs in sets]) for name in needed}
    at_once = [stacked_context(each) for each in zip(*sentences, strict=True)]
    whole: Trail = {}
    for sheet in sorted(
        sheets, key=lambda sheet: sheet.is_a(kinds.Training)
    ):  # after the sheets that they train
        if sheet.kind in AT_ONCE:
            ranges = AT_ONCE[sheet.kind](sheet, at_once, every, whole)
            for i, trail in enumerate(trails if sheet.id in whole else ()):
                trail[sheet.id] = {context: trace.of(i) for context, trace in whole[sheet.id].items()}
        else:
            ranges = stacked(
                [
                    one_by_one(sheet, by_id, sentences[i], inputs, trails[i], OneSet(found, i), read[i])
                    for i, inputs in enumerate(sets)
                ]
            )
        found |= ranges | maps(sheet, ranges)
    found |= statuses(sheets, found)
    if not front:
        return found
    if "details" in front:
        found |= details(front["details"], sheets, at_once, every, whole)
    shown = [
        first_screen(front, language, sheets, said, sets[i], OneSet(found, i))
        for i, said in enumerate(sentences)
    ]
    return found | stacked(shown)


def one_by_one(
    sheet: SheetInfo, by_id: Mapping[str, SheetInfo], sentences: Sequence[ContextWords], inputs: Inputs,
    trail: Trail, found: Mapping[str, Expected], read: Mapping[str, Grid],
) -> Ranges:  # fmt: skip
    """The ranges of a sheet with one set of inputs."""
    if sheet.is_a(kinds.Training):
        return training_sheet(sheet, by_id[sheet.trains], sentences, inputs, found, read)
    if sheet.kind not in ONE_BY_ONE:
        raise unknown(sheet.id, "kind", sheet.kind)
    return ONE_BY_ONE[sheet.kind](sheet, sentences, inputs, trail)


def stacked_context(sets: Sequence[ContextWords]) -> ContextWords:
    """A sentence with several sets of inputs, which are the leading axis of its arrays."""
    tokens, ids, focus = (np.array([getattr(c, of) for c in sets]) for of in ("tokens", "ids", "focus"))
    X = Sized(*(np.array([getattr(c.X, of) for c in sets]) for of in ("value", "size")))
    return ContextWords(sets[0].id, tokens, ids, focus, X)


def statuses(sheets: Sequence[SheetInfo], found: Ranges) -> Ranges:
    """The statuses of the sheets, ✗ where that of the vocabulary is, and the statuses on Start."""
    unknown_words = found["vocab_Status"].values == "✗"  # (sets, 1, 1)
    marks: Ranges = {}
    for name in [name for name in found if last(name) == STATUS]:
        decided = np.where(unknown_words[:, 0, 0], 1.0, found[name].amplification)  # (sets,)
        values = np.where(unknown_words, "✗", found[name].values)
        marks[name] = Expected(values, "mark", amplification=decided)
    owners = [VOCABULARY, *(sheet.id for sheet in sheets)]
    repeated = {START.at(of=owner)[STATUS]: marks[RangeName(owner)[STATUS]] for owner in owners}
    good = np.all([status.values[:, 0, 0] != "✗" for status in repeated.values()], axis=0)  # (sets,)
    worst = np.max([status.amplification for status in repeated.values()], axis=0)
    return marks | repeated | {START[STATUS]: mark(good=good, amplification=worst)}
