"""Declarations of all kinds of sheets, with the type, limits, default and description of each key.

A kind is a frozen dataclass, and its fields are its keys. The spec parser, ``xlsxattn schema``, the Python
API, the settings in a workbook's manifest and ``docs/reference/spec.md`` are derived from these declarations.
A key is a type alias, ``Annotated`` with its type and description; a kind gives it a default.
"""

from typing import TypeGuard

from xlsxattn.contract.kinds.attention import (
    AttentionSheet,
    CrossAttention,
    InSentence,
    MultiHead,
    SelfAttention,
)
from xlsxattn.contract.kinds.base import CAUSAL, PADDING, PROJECTED, Sheet, WithAttention
from xlsxattn.contract.kinds.compare_sheet import Compare
from xlsxattn.contract.kinds.models import (
    GATED,
    Classifier,
    Decoder,
    Encoder,
    EncoderDecoder,
    Model,
    Stretch,
    Writer,
)
from xlsxattn.contract.kinds.training import Example, Training

__all__ = [
    "CAUSAL",
    "DEFAULT_KIND",
    "GATED",
    "KINDS",
    "PADDING",
    "PROJECTED",
    "AttentionSheet",
    "Classifier",
    "Compare",
    "CrossAttention",
    "Decoder",
    "Encoder",
    "EncoderDecoder",
    "Example",
    "InSentence",
    "Model",
    "MultiHead",
    "SelfAttention",
    "Sheet",
    "Stretch",
    "Training",
    "WithAttention",
    "Writer",
    "can_be_followed",
]

KINDS: dict[str, type[Sheet]] = {
    kind.kind: kind
    for kind in (
        *(SelfAttention, MultiHead, CrossAttention),
        *(Encoder, Decoder, EncoderDecoder, Classifier),
        *(Compare, Training),
    )
}
"""All kinds of sheets by their name in a spec."""
DEFAULT_KIND = SelfAttention


def can_be_followed(sheet: Sheet, every: tuple[str, ...]) -> TypeGuard[InSentence | Encoder]:
    """Whether a compare sheet can follow it: attention within a sentence, or an encoder of all sentences."""
    return isinstance(sheet, InSentence) or (isinstance(sheet, Encoder) and {*sheet.contexts} == {*every})
