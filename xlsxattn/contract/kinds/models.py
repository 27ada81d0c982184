"""The kinds of Transformers: encoder, decoder, encoder-decoder, classifier."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal, TypeAlias

from xlsxattn.contract.keys import (
    IF_FIRST,
    IF_SET,
    IF_SET_TRUE,
    WHOLE,
    Choice,
    ContextId,
    Count,
    Flag,
    Items,
    Positive,
    Text,
)
from xlsxattn.contract.kinds.base import (
    _MASK,
    Base,
    Generate,
    Heads,
    KVHeads,
    Maps,
    Mask,
    PaddingMask,
    Pairs,
    Position,
    Temperature,
    WithAttention,
)
from xlsxattn.contract.values import MAX_CLASSES, MAX_CONTEXTS, MAX_D_FF, MAX_LAYERS, MAX_LISTED, MIN_EPSILON

CausalMask: TypeAlias = Annotated[Literal["causal", "causal+padding"], _MASK, WHOLE]
Contexts: TypeAlias = Annotated[
    Sequence[str],
    Items("the contexts it runs on; default: all", ContextId("a context"), "contexts' ids", MAX_CONTEXTS),
    WHOLE,
]
Source: TypeAlias = Annotated[str, ContextId("the encoder's context; default: the first"), WHOLE]
Target: TypeAlias = Annotated[str, ContextId("the decoder's context; default: the second"), WHOLE]
Layers: TypeAlias = Annotated[
    int, Count("number of layers; in an encoder-decoder, of each side", MAX_LAYERS), WHOLE
]
DFF: TypeAlias = Annotated[
    int,
    Count("columns of the hidden layer of the feed-forward network; default: 4 · d_model", MAX_D_FF),
    WHOLE,
]
Norm: TypeAlias = Annotated[Literal["layer", "rms"], Choice("LayerNorm, or RMSNorm"), WHOLE]
Epsilon: TypeAlias = Annotated[float, Positive("ε, which the norms add to the variance", least=MIN_EPSILON)]
Residual: TypeAlias = Annotated[
    Literal["pre-norm", "post-norm"],
    Choice("whether the norm is before each sublayer or after its residual connection"),
    WHOLE,
]
Activation: TypeAlias = Annotated[
    Literal["relu", "gelu", "gelu-tanh", "silu", "swiglu", "geglu", "geglu-tanh"],
    Choice("activation function of the feed-forward network"),
    WHOLE,
]
GATED = {"swiglu": "silu", "geglu": "gelu", "geglu-tanh": "gelu-tanh"}
"""Gated activations, and the activation of the gate (W_1); W_3 is the other linear layer."""
Bias: TypeAlias = Annotated[
    bool, Flag("whether the linear layers of attention and feed-forward have a bias"), WHOLE
]
ScaleEmbeddings: TypeAlias = Annotated[bool, Flag("whether embeddings are multiplied by √d_model"), WHOLE]
EmbeddingNorm: TypeAlias = Annotated[bool, Flag("whether there is a norm before the first layer"), WHOLE]
FinalNorm: TypeAlias = Annotated[
    bool | None,
    Flag("whether there is a norm after the last layer; default: true if residual is pre-norm"),
    WHOLE,
]
Tied: TypeAlias = Annotated[
    bool, Flag("whether the embeddings are also the output projection; otherwise a matrix W_U is"), WHOLE
]
TopK: TypeAlias = Annotated[int, Count("number of most likely words to list; default: 3", MAX_LISTED), WHOLE]
Similarity: TypeAlias = Annotated[
    bool,
    Flag("whether sentences are compared with each other, and the focus word is followed through the layers"),
    IF_SET,
]
Pool: TypeAlias = Annotated[
    Literal["mean", "first"], Choice("what is classified: the mean of all words, or the first word"), WHOLE
]
Classes: TypeAlias = Annotated[
    Sequence[str], Items("the names of the classes", Text("a class"), "names", MAX_CLASSES, least=2)
]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Scaling of rotary frequencies for longer texts than in pre-training (Peng et al. 2023, section 3.2).

    Attributes:
        factor: s, by which the frequencies of slow pairs are divided.
        low: α, the number of turns within ``trained`` positions below which a pair is slow.
        high: β, the number of turns above which a pair keeps its frequency.
        trained: L, the context length of pre-training.
    """

    factor: float
    low: float
    high: float
    trained: float


@dataclass(frozen=True, kw_only=True)
class Model(WithAttention):
    """A Transformer with its own pages.

    Layers of a trained model may be left out: ``taken`` are the numbers (from 1) of those included, () for
    all. The input of a layer that follows a gap is typed in, as the weight ``<context>_l<k>_Input``.
    ``only`` maps each layer to its included heads if the workbook has nothing but heads. ``apart``: weights
    are on pages of their own. ``browse``: the layer and head that the head browser shows first.
    ``stretch``: scaling of rotary frequencies. ``qk_norm``: queries and keys are normed before rotation.
    """

    similarity = False

    mask: Mask = None
    position: Position = "sinusoidal"
    base: Base = 10_000
    pairs: Pairs = "adjacent"
    layers: Layers = 1
    heads: Heads = 1
    kv_heads: KVHeads = 0
    d_ff: DFF = 0
    norm: Norm = "layer"
    epsilon: Epsilon = 1e-5
    residual: Residual = "post-norm"
    activation: Activation = "relu"
    bias: Bias = True
    scale_embeddings: ScaleEmbeddings = False
    embedding_norm: EmbeddingNorm = False
    final_norm: FinalNorm = None
    maps: Maps = None

    taken: Annotated[tuple[int, ...], IF_SET] = ()
    only: Annotated[Mapping[int, tuple[int, ...]], IF_SET] = field(default_factory=dict)
    apart: Annotated[bool, IF_SET] = False
    browse: Annotated[tuple[int, ...], IF_SET] = ()
    stretch: Annotated[Stretch | None, IF_SET_TRUE] = None
    qk_norm: Annotated[bool, IF_SET] = False

    @property
    def ends_with_norm(self) -> bool:
        """Whether its output is the result of a norm."""
        return bool(self.final_norm) or self.residual == "post-norm"

    @property
    def gated(self) -> bool:
        """Whether the feed-forward is gated, and so has weights W_3."""
        return self.activation in GATED

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of the included layers."""
        return self.taken or tuple(range(1, self.layers + 1))

    def heads_of(self, layer: int) -> tuple[int, ...]:
        """The numbers of the included heads of a layer."""
        return self.only.get(layer, tuple(range(1, self.heads + 1)))

    def follows_gap(self, layer: int) -> bool:
        """Whether the previous layer was left out, so that its output is typed in."""
        return layer > 1 and (layer - 1 not in self.numbers or bool(self.only))

    @property
    def has_typed_rows(self) -> bool:
        """Whether the input of any layer is typed in; such rows are valid only for their words."""
        return any(map(self.follows_gap, self.numbers))


@dataclass(frozen=True, kw_only=True)
class Writer(Model):
    """A model that predicts the next word."""

    tied: Tied = True
    top_k: TopK = 0
    temperature: Temperature = 1.0
    generate: Generate = False


@dataclass(frozen=True, kw_only=True)
class Encoder(Model):
    """An encoder of one or more layers."""

    kind = "encoder"
    contexts: Contexts = ()
    similarity: Similarity = False
    pool: Annotated[str, IF_FIRST] = "mean"


@dataclass(frozen=True, kw_only=True)
class Decoder(Writer):
    """A decoder of one or more layers, which predicts the next word."""

    kind = "decoder"
    contexts: Contexts = ()
    mask: CausalMask = "causal"
    position: Position = "learned"
    residual: Residual = "pre-norm"
    activation: Activation = "gelu"


@dataclass(frozen=True, kw_only=True)
class EncoderDecoder(Writer):
    """An encoder of a source, and a decoder that attends to it."""

    kind = "encoder-decoder"
    source: Source = ""
    target: Target = ""
    mask: PaddingMask = None
    scale_embeddings: ScaleEmbeddings = True

    @property
    def contexts(self) -> Sequence[str]:
        """The source and the target."""
        return self.source, self.target


@dataclass(frozen=True, kw_only=True)
class Classifier(Model):
    """An encoder with a classification head."""

    kind = "classifier"
    classes: Classes
    contexts: Contexts = ()
    pool: Pool = "mean"
