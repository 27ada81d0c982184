"""The expected values of all computed ranges of the contract, by name.

The mathematics is in the other modules of this package, from the papers. No formula of a sheet is replayed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from xlsxattn.checker.reference.attention import Expected
from xlsxattn.checker.reference.attention_sheets import attention_sheet, cross_sheet
from xlsxattn.checker.reference.choices import Counted
from xlsxattn.checker.reference.comparing import (
    classifier_sheet,
    compare_sheet,
    decoder_sheet,
    encoder_decoder_sheet,
    encoder_sheet,
)
from xlsxattn.checker.reference.details import details
from xlsxattn.checker.reference.first_screen import first_screen
from xlsxattn.checker.reference.training import training_sheet
from xlsxattn.checker.reference.words import (
    ShapesDisagree,
    SheetInfo,
    look_up,
    mark,
    shaped,
    unknown,
    uses_blanks,
    vocabulary,
)
from xlsxattn.contract.kinds import (
    Classifier,
    Compare,
    CrossAttention,
    Decoder,
    Encoder,
    EncoderDecoder,
    Model,
    MultiHead,
    SelfAttention,
    Training,
)
from xlsxattn.contract.names import START, STATUS, VOCABULARY, RangeName, last, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from xlsxattn.checker.cells import Grid
    from xlsxattn.checker.reference.attention import Ranges
    from xlsxattn.checker.reference.attention_sheets import Trail
    from xlsxattn.checker.reference.words import ContextWords, Inputs

__all__ = ["Expected", "ShapesDisagree", "SheetInfo", "expected"]

KINDS: dict[str, Callable[[SheetInfo, Sequence[ContextWords], Inputs, Trail], Ranges]] = {
    SelfAttention.kind: attention_sheet,
    MultiHead.kind: attention_sheet,
    CrossAttention.kind: cross_sheet,
    Encoder.kind: encoder_sheet,
    Decoder.kind: decoder_sheet,
    EncoderDecoder.kind: encoder_decoder_sheet,
    Classifier.kind: classifier_sheet,
    Compare.kind: compare_sheet,
}


def maps(sheet: SheetInfo, found: Ranges) -> Ranges:
    """Copies of every head's Attention with labels and headings, if a sheet or model has maps."""
    if not sheet.is_a(MultiHead, Model) or not sheet.maps:
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


@np.errstate(all="ignore")
def expected(
    sheets: Sequence[SheetInfo],
    contexts: Sequence[str],
    inputs: Inputs,
    *,
    read: Mapping[str, Grid] | None = None,
    front: Mapping[str, Any] | None = None,
    language: str = "",
) -> dict[str, Expected]:
    """All computed and constant ranges of the contract, and the heads' slices of the weights, by name.

    Within a sheet and context, ranges come after their precedents: the first that overflows is a cause.
    `inputs` contains every input range as (rows, cols), float64 or objects that are str. `read` contains the
    ranges of training sheets as an engine computed them, from which the proof of each step starts. `front` is
    the content of the first screen, in the language with the code `language`.

    Raises:
        ShapesDisagree: inputs do not fit each other.
        KeyError: an input or a setting is missing.
        ValueError: the kind or a setting of a sheet is unknown.
    """
    E = inputs["vocab_E"]  # (n_vocab, d_model)
    shaped(inputs, "vocab_Dims", 1, E.shape[1], "vocab_E")
    trail: Trail = {}
    sentences = [look_up(name, inputs) for name in contexts]
    known = shaped(inputs, "vocab_Tokens", len(E), 1, "vocab_E")[:, 0]
    found = vocabulary(sentences, list(known), blanks=uses_blanks(sheets))
    by_id = {sheet.id: sheet for sheet in sheets}
    for sheet in sorted(sheets, key=lambda sheet: sheet.is_a(Training)):  # after the sheets that they train
        if sheet.is_a(Training):
            found |= training_sheet(sheet, by_id[sheet.trains], sentences, inputs, found, read or {})
            continue
        if sheet.kind not in KINDS:
            raise unknown(sheet.id, "kind", sheet.kind)
        ranges = KINDS[sheet.kind](sheet, sentences, inputs, trail)
        found |= ranges | maps(sheet, ranges)
    if found["vocab_Status"].values.item() == "✗":
        found |= {name: found["vocab_Status"] for name in found if last(name) == STATUS}
    owners = [VOCABULARY, *(sheet.id for sheet in sheets)]
    repeated = {START.at(of=owner)[STATUS]: found[RangeName(owner)[STATUS]] for owner in owners}
    good = all(status.values.item() != "✗" for status in repeated.values())
    worst = max(status.amplification for status in repeated.values())
    found |= repeated | {START[STATUS]: mark(good=good, amplification=worst)}
    if not front:
        return found
    if "details" in front:
        found |= details(front["details"], sheets, sentences, inputs, trail)
    return found | first_screen(front, language, sheets, sentences, inputs, found)
