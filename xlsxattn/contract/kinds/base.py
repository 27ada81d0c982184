"""What all kinds of sheets declare, and all that compute attention."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal, TypeAlias, cast

from xlsxattn.contract.keys import (
    IF_SET,
    WHOLE,
    Choice,
    Count,
    Flag,
    Id,
    Items,
    Positive,
    Prose,
    Text,
    Weights,
)
from xlsxattn.contract.values import MAX_HEADS, MAX_TRIES, MAX_TRY_LENGTH, MIN_BASE, MIN_TEMPERATURE

SheetId: TypeAlias = Annotated[str, Id("a short id, with which the names of all its ranges start")]
SheetTitle: TypeAlias = Annotated[
    str, Text("the title on the sheet and on its tab; default: the name of its kind")
]
SheetAbout: TypeAlias = Annotated[
    str, Prose("the line below the title: what the sheet shows; default: a description of its kind")
]
Tries: TypeAlias = Annotated[
    Sequence[str],
    Items(
        "what to try on the sheet, instead of the default texts; the text after ` → ` is the answer",
        *(Prose("a sentence", MAX_TRY_LENGTH), "sentences", MAX_TRIES),
        unique=False,
    ),
]
Scale: TypeAlias = Annotated[bool, Flag("whether scores are divided by √d_k"), WHOLE]
_MASK = Choice("what is masked: nothing, later words, blank cells, or both")
Mask: TypeAlias = Annotated[
    Literal["none", "causal", "padding", "causal+padding"] | None, _MASK, WHOLE
]  # None: padding, where the spec gives its contexts a length
PaddingMask: TypeAlias = Annotated[Literal["none", "padding"] | None, _MASK, WHOLE]
CAUSAL, PADDING = ("causal", "causal+padding"), ("padding", "causal+padding")
"""The masks that hide later words, and those that hide blank cells."""
Position: TypeAlias = Annotated[
    Literal["none", "sinusoidal", "learned", "rotary"],
    Choice(
        "how positions are encoded: not at all, by adding sines and cosines, by adding a learned "
        "table, or by rotating queries and keys"
    ),
    WHOLE,
]
Base: TypeAlias = Annotated[
    float, Positive("the base of the frequencies of sinusoidal and rotary positions", least=MIN_BASE)
]
Pairs: TypeAlias = Annotated[
    Literal["adjacent", "halves"],
    Choice(
        "which columns rotary positions rotate as pairs: adjacent columns, or columns half the width apart"
    ),
    WHOLE,
]
Heads: TypeAlias = Annotated[int, Count("number of heads", MAX_HEADS, usual=1), IF_SET]
KVHeads: TypeAlias = Annotated[
    int, Count("number of key and value heads, shared by groups of heads; default: heads", MAX_HEADS), WHOLE
]
DK: TypeAlias = Annotated[
    int, Count("columns of a head's queries and keys; default: from the weights, or d_model / heads"), IF_SET
]
DV: TypeAlias = Annotated[int, Count("columns of a head's values; default: from the weights, or d_k"), IF_SET]
Temperature: TypeAlias = Annotated[
    float,
    Positive(
        "divisor of the logits; on an attention sheet, adds a cell that divides the scores",
        usual=1.0,
        least=MIN_TEMPERATURE,
    ),
]
Maps: TypeAlias = Annotated[
    bool | None,
    Flag("whether one page shows the attention of all heads; default: if there are few heads"),
    IF_SET,
]
Generate: TypeAlias = Annotated[bool, Flag("whether the model fills blank cells"), WHOLE]
Matrices: TypeAlias = Annotated[
    Any, Weights("the learned weights by name, each a list of rows, or the name of a data file")
]  # a mapping of rows of numbers, or a text
Seed: TypeAlias = Annotated[
    int | None, Count("seed of the random weights, if no weights are given", most=None, least=0, usual=0)
]
PROJECTED = ("Q", "K", "V", "O")
"""The letters of the projections W: queries, keys, values and output."""


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A sheet or model of a workbook. The docstring of a kind is also its description in the schema."""

    kind: ClassVar[str]
    id: SheetId
    title: SheetTitle = ""
    about: SheetAbout = ""
    try_: Tries = ()

    @property
    def uses_blanks(self) -> bool:
        """Whether blank cells of a sentence have a meaning: as padding, or to be filled by the model."""
        return False


@dataclass(frozen=True, kw_only=True)
class WithAttention(Sheet):
    """A sheet or model that computes attention. Plain attributes are for kinds without the key."""

    position, base, pairs = "none", 10_000.0, "adjacent"
    heads, generate = 1, False
    bias = cast("bool | Sequence[str]", False)  # noqa: FBT003 - the value for kinds without the key

    scale: Scale = True
    mask: Mask = "none"
    d_k: DK = 0
    d_v: DV = 0
    weights: Matrices = field(default_factory=dict)
    seed: Seed = None

    @property
    def contexts(self) -> Sequence[str]:
        """The contexts it runs on, () for all; with two roles, the queries' or the source first."""
        return ()

    @property
    def headed(self) -> bool:
        """Whether its head is numbered; otherwise it has a single, unnumbered one."""
        return True

    @property
    def projects_out(self) -> bool:
        """Whether W_O projects the heads' outputs."""
        return self.headed

    @property
    def biases(self) -> Sequence[str]:
        """Which of Q, K, V and O have a bias."""
        if not isinstance(self.bias, bool):
            return self.bias
        letters = PROJECTED if self.projects_out else PROJECTED[:-1]
        return letters if self.bias else ()

    @property
    def tempered(self) -> bool:
        """Whether it has a temperature cell."""
        return False

    @property
    def kv_heads(self) -> int:
        """Number of key and value heads."""
        return self.heads

    @property
    def maps(self) -> bool | None:
        """Whether one page shows the attention of all heads."""
        return False

    @property
    def grouped(self) -> bool:
        """Whether heads share keys and values in groups."""
        return self.kv_heads < self.heads

    @property
    def adds_places(self) -> bool:
        """Whether positional encodings are added to the embeddings."""
        return self.position in ("sinusoidal", "learned")

    @property
    def uses_blanks(self) -> bool:
        """Whether blank cells of a sentence have a meaning: as padding, or to be filled by the model."""
        return self.mask in PADDING or self.generate
