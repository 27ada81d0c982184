"""The kinds of sheets that show attention step by step."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal, TypeAlias

from xlsxattn.contract.keys import (
    IF_FALSE,
    IF_GROUPED,
    IF_PLACED,
    IF_SET,
    IF_SET_TRUE,
    TRUE_OR_FALSE,
    WHOLE,
    ContextId,
    Count,
    Flag,
    SomeOf,
)
from xlsxattn.contract.kinds.base import (
    Base,
    Heads,
    KVHeads,
    Maps,
    Matrices,
    PaddingMask,
    Pairs,
    Position,
    Temperature,
    WithAttention,
)

Queries: TypeAlias = Annotated[str, ContextId("the context of the queries; default: the first"), WHOLE]
Keys: TypeAlias = Annotated[str, ContextId("the context of the keys and values; default: the second"), WHOLE]
Biases: TypeAlias = Annotated[
    bool | Sequence[Literal["Q", "K", "V", "O"]],
    SomeOf("which of queries, keys, values and outputs have a bias: all, none, or a list"),
    IF_SET,
]
DOut: TypeAlias = Annotated[
    int, Count("columns of the output; default: from W_O, or d_model; without W_O: heads · d_v")
]
OutProj: TypeAlias = Annotated[
    bool, Flag("whether W_O projects the heads' outputs; otherwise they are concatenated"), IF_FALSE
]


@dataclass(frozen=True, kw_only=True)
class AttentionSheet(WithAttention):
    """A sheet that shows attention step by step."""

    weights: Annotated[Matrices, TRUE_OR_FALSE] = field(default_factory=dict)
    temperature: Annotated[Temperature, IF_SET_TRUE] = 0.0

    @property
    def tempered(self) -> bool:
        """Whether it has a temperature cell."""
        return self.temperature > 0


@dataclass(frozen=True, kw_only=True)
class InSentence(AttentionSheet):
    """Attention within a sentence; a compare sheet can follow it."""

    position: Annotated[Position, IF_PLACED] = "none"
    base: Base = 10_000
    pairs: Annotated[Pairs, IF_PLACED] = "adjacent"


@dataclass(frozen=True, kw_only=True)
class SelfAttention(InSentence):
    """Every word attends to every word. Without weights, sizes and a seed, Q = K = V = X."""

    kind = "self-attention"
    headed = False


@dataclass(frozen=True, kw_only=True)
class MultiHead(InSentence):
    """Several heads attend in parallel, each in its own subspace; W_O joins them."""

    kind = "multi-head"
    heads: Heads = 1
    kv_heads: Annotated[KVHeads, IF_GROUPED] = 0
    d_out: DOut = 0
    out_proj: OutProj = True
    bias: Biases = False
    maps: Maps = None

    @property
    def projects_out(self) -> bool:
        """Whether W_O projects the heads' outputs."""
        return self.out_proj


@dataclass(frozen=True, kw_only=True)
class CrossAttention(AttentionSheet):
    """The words of one context attend to the words of another."""

    kind = "cross-attention"
    queries: Queries = ""
    keys: Keys = ""
    mask: PaddingMask = "none"
    heads: Heads = 0

    @property
    def contexts(self) -> Sequence[str]:
        """The context of the queries, and that of the keys."""
        return self.queries, self.keys

    @property
    def headed(self) -> bool:
        """Whether its head is numbered; otherwise it has a single, unnumbered one."""
        return self.heads > 0
