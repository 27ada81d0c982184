"""Declarations of all keys of a spec and all kinds of sheets, with type, limits, default and description.

A kind is a frozen dataclass, and its fields are its keys. The spec parser, ``xlsxattn schema``, the Python
API, the settings in a workbook's manifest and ``docs/reference/spec.md`` are derived from these declarations.

A key is a type alias, ``Annotated`` with its type and description; a kind gives it a default. None, 0, ""
and () mean that the key is not given and its value is inferred from the rest of the spec. Names that are
reserved in Python have a trailing underscore.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields, replace
from typing import Annotated, Any, ClassVar, Literal, Protocol, TypeAlias, TypeGuard, cast, get_args

from xlsxattn.contract.values import (
    MAX_ABOUT_LENGTH,
    MAX_BLANKS,
    MAX_CLASSES,
    MAX_COLUMNS,
    MAX_CONTEXTS,
    MAX_D_FF,
    MAX_EXAMPLES,
    MAX_HEADS,
    MAX_LAYERS,
    MAX_LISTED,
    MAX_NEAR,
    MAX_STEPS,
    MAX_TEXT_LENGTH,
    MAX_TRIES,
    MAX_TRY_LENGTH,
    MAX_WORDS,
)

# --- types of keys --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Key:
    """The description of a key; subclasses give the type of its value."""

    means: str


class Flag(Key):
    """True or false."""


@dataclass(frozen=True, slots=True)
class Choice(Key):
    """One of the values of a ``Literal``, which `keys` fills in."""

    options: tuple[str, ...] = ()


class SomeOf(Choice):
    """A list of values of a ``Literal``; true for all of them, false for none."""


class Id(Key):
    """The id of the sheet itself."""


class ContextId(Key):
    """The id of a context."""


class Word(Key):
    """A word: a text without leading or trailing whitespace."""


class LanguageCode(Key):
    """A language code."""


class Weights(Key):
    """Matrices by name, or the name of a data file."""


class Part(Key):
    """A part of a spec with its own structure."""


@dataclass(frozen=True, slots=True)
class Text(Key):
    """A single-line text of at most ``most`` characters."""

    most: int = MAX_TEXT_LENGTH


class Prose(Text):
    """A text whose line breaks are replaced by spaces."""


@dataclass(frozen=True, slots=True)
class Count(Key):
    """An integer between limits; no upper limit if ``most`` is None.

    ``usual`` is the effective default where the declared default only means "not given".
    """

    most: int | None = MAX_COLUMNS
    least: int = 1
    usual: int | None = None


@dataclass(frozen=True, slots=True)
class Positive(Key):
    """A number above 0; ``usual`` as in `Count`."""

    usual: float | None = None


@dataclass(frozen=True, slots=True)
class Within(Key):
    """A number from ``least`` to ``most``, including ``most`` only if ``closed``."""

    most: float
    least: float = 0.0
    closed: bool = True


class Words(Key):
    """A sentence: a text, which is split on whitespace, or a list of words."""


class SheetRef(Key):
    """The id of a previous sheet."""


class TargetValues(Key):
    """Numbers, or words, for the mean of their embeddings."""


@dataclass(frozen=True, slots=True)
class Items(Key):
    """A list of ``least`` to ``most`` items, which messages call ``named``."""

    item: Key
    named: str
    most: int
    least: int = 1
    unique: bool = True


@dataclass(frozen=True, slots=True)
class Tables(Key):
    """A list of up to ``most`` tables of type ``form``."""

    form: type
    most: int


class Axes(Items):
    """Two of the dimensions, or the only one."""


# --- settings in the manifest ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Manifest:
    """How the manifest stores a key of a sheet; a value of None omits the key."""

    value: Callable[[Any, Any], Any]


WHOLE = Manifest(lambda _, value: value)
IF_SET = Manifest(lambda _, value: value or None)
IF_FALSE = Manifest(lambda _, value: None if value else False)
IF_SET_TRUE = Manifest(lambda _, value: True if value else None)
TRUE_OR_FALSE = Manifest(lambda _, value: bool(value))
IF_FIRST = Manifest(lambda sheet, value: value if sheet.similarity and value == "first" else None)
IF_GROUPED = Manifest(lambda sheet, value: value if sheet.grouped else None)
IF_PLACED = Manifest(lambda sheet, value: value if sheet.position != "none" else None)

# --- the keys of sheets ------------------------------------------------------------------------------------

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
CausalMask: TypeAlias = Annotated[Literal["causal", "causal+padding"], _MASK, WHOLE]
PaddingMask: TypeAlias = Annotated[Literal["none", "padding"] | None, _MASK, WHOLE]
Position: TypeAlias = Annotated[
    Literal["none", "sinusoidal", "learned", "rotary"],
    Choice(
        "how positions are encoded: not at all, by adding sines and cosines, by adding a learned "
        "table, or by rotating queries and keys"
    ),
    WHOLE,
]
Base: TypeAlias = Annotated[float, Positive("the base of the frequencies of sinusoidal and rotary positions")]
Pairs: TypeAlias = Annotated[
    Literal["adjacent", "halves"],
    Choice(
        "which columns rotary positions rotate as pairs: adjacent columns, or columns half the width apart"
    ),
    WHOLE,
]
Contexts: TypeAlias = Annotated[
    Sequence[str],
    Items("the contexts it runs on; default: all", ContextId("a context"), "contexts' ids", MAX_CONTEXTS),
    WHOLE,
]
Source: TypeAlias = Annotated[str, ContextId("the encoder's context; default: the first"), WHOLE]
Target: TypeAlias = Annotated[str, ContextId("the decoder's context; default: the second"), WHOLE]
Queries: TypeAlias = Annotated[str, ContextId("the context of the queries; default: the first"), WHOLE]
Keys: TypeAlias = Annotated[str, ContextId("the context of the keys and values; default: the second"), WHOLE]
Layers: TypeAlias = Annotated[
    int, Count("number of layers; in an encoder-decoder, of each side", MAX_LAYERS), WHOLE
]
Heads: TypeAlias = Annotated[int, Count("number of heads", MAX_HEADS, usual=1), IF_SET]
KVHeads: TypeAlias = Annotated[
    int,
    Count("number of key and value heads, shared by groups of heads; default: heads", MAX_HEADS),
    WHOLE,
]
DK: TypeAlias = Annotated[
    int,
    Count("columns of a head's queries and keys; default: from the weights, or d_model / heads"),
    IF_SET,
]
DV: TypeAlias = Annotated[int, Count("columns of a head's values; default: from the weights, or d_k"), IF_SET]
DFF: TypeAlias = Annotated[
    int,
    Count("columns of the hidden layer of the feed-forward network; default: 4 · d_model", MAX_D_FF),
    WHOLE,
]
Norm: TypeAlias = Annotated[Literal["layer", "rms"], Choice("LayerNorm, or RMSNorm"), WHOLE]
Epsilon: TypeAlias = Annotated[float, Positive("ε, which the norms add to the variance")]
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
Temperature: TypeAlias = Annotated[
    float,
    Positive(
        "divisor of the logits; on an attention sheet, adds a cell that divides the scores",
        usual=1.0,
    ),
]
Maps: TypeAlias = Annotated[
    bool | None,
    Flag("whether one page shows the attention of all heads; default: if there are few heads"),
    IF_SET,
]
Generate: TypeAlias = Annotated[bool, Flag("whether the model fills blank cells"), WHOLE]
Similarity: TypeAlias = Annotated[
    bool,
    Flag("whether sentences are compared with each other, and the focus word is followed through the layers"),
    IF_SET,
]
Pool: TypeAlias = Annotated[
    Literal["mean", "first"],
    Choice("what is classified: the mean of all words, or the first word"),
    WHOLE,
]
Classes: TypeAlias = Annotated[
    Sequence[str], Items("the names of the classes", Text("a class"), "names", MAX_CLASSES, least=2)
]
Matrices: TypeAlias = Annotated[
    Any, Weights("the learned weights by name, each a list of rows, or the name of a data file")
]  # a mapping of rows of numbers, or a text
Seed: TypeAlias = Annotated[
    int | None, Count("seed of the random weights, if no weights are given", most=None, least=0, usual=0)
]
ChartAxes: TypeAlias = Annotated[
    Sequence[str],
    Axes("the two dimensions of the chart; default: the first two", Text("a dimension"), "dimensions", 2),
    WHOLE,
]
Trains: TypeAlias = Annotated[str, SheetRef("the previous attention sheet that is trained"), WHOLE]
Learns: TypeAlias = Annotated[
    Sequence[Literal["W_Q", "W_K", "W_V", "W_O"]],
    Items(
        "the matrices to train; default: all matrices of the trained sheet; the others keep their "
        "initial values",
        *(Choice("a matrix", ("W_Q", "W_K", "W_V", "W_O")), "matrices", 4),
    ),
    WHOLE,
]
Start: TypeAlias = Annotated[
    Literal["given", "identity", "random"],
    Choice("initial weights: those of the trained sheet, identity matrices, or random numbers"),
]
StartSeed: TypeAlias = Annotated[
    int, Count('seed of the initial weights if start = "random"', most=None, least=0)
]
Deviation: TypeAlias = Annotated[
    float, Positive('standard deviation of the initial weights if start = "random"; default: 1/√d_model')
]
TrainingSteps: TypeAlias = Annotated[int, Count("number of training steps", MAX_STEPS), WHOLE]
Optimizer: TypeAlias = Annotated[
    Literal["sgd", "momentum", "adam"], Choice("the optimizer, as in torch.optim"), WHOLE
]
LearningRate: TypeAlias = Annotated[float, Positive("the learning rate, an input cell")]
Momentum: TypeAlias = Annotated[float, Within("momentum factor, for the optimizer momentum", 1.0)]
Betas: TypeAlias = Annotated[
    Sequence[float],
    Items(
        "decay rates of the first and second moments, for adam",
        *(Within("a number", 1.0, closed=False), "numbers", 2, 2),
        unique=False,
    ),
]
AdamEpsilon: TypeAlias = Annotated[
    float, Positive("ε, which adam adds to the square root of the second moment")
]
WeightDecay: TypeAlias = Annotated[
    float, Within("weight decay: the multiple of each weight that is added to its gradient", 1.0)
]
Sentence: TypeAlias = Annotated[str | Sequence[str], Words("a sentence")]
Asked: TypeAlias = Annotated[str, Word("the word of the sentence that has the target")]
Wanted: TypeAlias = Annotated[
    Any, TargetValues("the target output of the word: numbers, or words whose embeddings are averaged")
]
Near: TypeAlias = Annotated[
    Sequence[str],
    Items(
        "words with which the inputs and outputs of the focus word are compared",
        *(Word("a word"), "words", MAX_NEAR, 0),
    ),
    IF_SET_TRUE,
]

# --- the kinds of sheets -----------------------------------------------------------------------------------


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


@dataclass(frozen=True, kw_only=True)
class Compare(Sheet):
    """Follows the focus word through the sheets before it."""

    kind = "compare"
    axes: ChartAxes = ()
    near: Near = ()


@dataclass(frozen=True, kw_only=True)
class Example:
    """A training example: a sentence, and the target output of one of its words."""

    sentence: Sentence
    word: Asked
    target: Wanted


Examples: TypeAlias = Annotated[
    Sequence[Example],
    Tables(
        "training examples: sentences, each with the target output of one of its words", Example, MAX_EXAMPLES
    ),
    Manifest(lambda _, value: [len(example.sentence) for example in value]),
]


@dataclass(frozen=True, kw_only=True)
class Training(Sheet):
    """Trains an attention sheet by gradient descent; every training step is computed by formulas."""

    kind = "training"
    trains: Trains
    examples: Examples
    learns: Learns = ()
    start: Start = "given"
    seed: StartSeed = 0
    deviation: Deviation = 0.0
    steps: TrainingSteps = 20
    optimizer: Optimizer = "adam"
    lr: LearningRate = 0.1
    momentum: Momentum = 0.9
    betas: Betas = (0.9, 0.999)
    eps: AdamEpsilon = 1e-8
    weight_decay: WeightDecay = 0.0
    # the trained sheet, and the weights that it starts from
    form: SelfAttention | MultiHead | None = None
    matrices: Mapping[str, Any] = field(default_factory=dict)


def can_be_followed(sheet: Sheet, every: tuple[str, ...]) -> TypeGuard[InSentence | Encoder]:
    """Whether a compare sheet can follow it: attention within a sentence, or an encoder of all sentences."""
    return isinstance(sheet, InSentence) or (isinstance(sheet, Encoder) and tuple(sheet.contexts) == every)


PROJECTED = ("Q", "K", "V", "O")
"""The letters of the projections W: queries, keys, values and output."""
CAUSAL, PADDING = ("causal", "causal+padding"), ("padding", "causal+padding")
"""The masks that hide later words, and those that hide blank cells."""
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

# --- the whole spec ----------------------------------------------------------------------------------------


class Frame(Protocol):
    """A pandas DataFrame: words as index, dimensions as columns."""

    @property
    def index(self) -> Any: ...
    @property
    def columns(self) -> Any: ...
    def to_numpy(self) -> Any: ...


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """The words and their embeddings, in the spec or in a file."""

    dimensions: Annotated[
        Sequence[str],
        Items(
            "a name for each number of an embedding; default: d1, d2, ...",
            *(Text("a dimension"), "names", MAX_COLUMNS),
        ),
    ] = ()
    tokens: Annotated[
        Mapping[str, Any], Part("each word and its embedding; all embeddings have the same length")
    ] = field(default_factory=dict)
    from_: Annotated[
        str,
        Text(
            "a file instead of tokens: a data file with a table [tokens], or word vectors in the "
            "format of GloVe or word2vec (optionally gzipped), as CSV, or as .npy next to a list "
            "of its words"
        ),
    ] = ""
    words: Annotated[
        Sequence[str],
        Items(
            "words to take from a file of word vectors, in addition to those of the sentences",
            *(Word("a word"), "words", MAX_LISTED, 0),
        ),
    ] = ()
    components: Annotated[int, Count("number of principal components of the word vectors to keep")] = 0


@dataclass(frozen=True, kw_only=True)
class Exercise:
    """What ``xlsxattn exercise`` leaves for the reader to compute."""

    blank: Annotated[
        Sequence[str],
        Items(
            "the ranges to compute, with * for any part of a name; [3] for a row, [3,1] for a cell of them",
            *(Text("a range"), "names of ranges", MAX_BLANKS),
        ),
    ] = ()
    ask: Annotated[
        Literal["formula", "number", "either"],
        Choice("what the reader types: formulas, numbers computed by hand, or either"),
    ] = "formula"
    decimals: Annotated[int, Count("decimals of numbers computed by hand", 10)] = 2
    points: Annotated[Mapping[str, int], Part("points of a range, if not 1")] = field(default_factory=dict)
    hints: Annotated[bool, Flag("whether there are three hints for each range")] = True
    marks: Annotated[
        bool, Flag("whether marks below the answers show if they are right; false for examinations")
    ] = True


@dataclass(frozen=True)
class Spec:
    """The specification of a workbook."""

    vocabulary: Annotated[Frame | Mapping[str, Any] | Vocabulary, Part("the words and their embeddings")]
    contexts: Annotated[
        Mapping[str, str | Sequence[str]],
        Part("the sentences by id: a text, which is split on whitespace, or a list of words"),
    ]
    sheets: Annotated[Sequence[Sheet | Mapping[str, Any]], Part("the sheets in order")]
    title: Annotated[str, Text("the workbook's title")] = "Attention"
    focus: Annotated[
        str,
        Word("the word that is outlined and compared; default: the first word that all sentences share"),
    ] = ""
    length: Annotated[
        int, Count("number of token cells of every context: its words, then blank cells", MAX_WORDS)
    ] = 0
    explain: Annotated[
        Literal["short", "full"],
        Choice("how much the workbook explains: one sentence per step, or two"),
    ] = "short"
    lang: Annotated[str, LanguageCode("the language of the workbook's texts; --lang overrides it")] = "en"
    about: Annotated[
        str,
        Prose(
            "what the workbook shows: the paragraph on Start, instead of the default one", MAX_ABOUT_LENGTH
        ),
    ] = ""
    exercise: Annotated[
        Mapping[str, Any],
        Part("what `xlsxattn exercise` leaves for the reader to compute; `build` ignores it"),
    ] = field(default_factory=dict)


# --- access to the declarations ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Declared:
    """A key of a table: its name in TOML and in Python, its type, its default."""

    name: str
    attribute: str
    key: Key
    default: Any

    @property
    def is_needed(self) -> bool:
        """Whether the key is required."""
        return self.default is MISSING

    @property
    def has_default(self) -> bool:
        """Whether its default is a value rather than a marker for "not given"."""
        return not self.is_needed and (self.default is False or bool(self.default))


def keys(table: type) -> Mapping[str, Declared]:
    """The keys of a kind of sheet, of the vocabulary or of a spec, by their names in TOML.

    >>> list(keys(Compare)), keys(Decoder)["mask"].key.options
    (['id', 'title', 'about', 'try', 'axes', 'near'], ('causal', 'causal+padding'))
    """
    found = {}
    for each in fields(table):
        for key in (part for part in get_args(each.type) if isinstance(part, Key)):
            name = each.name.rstrip("_")
            filled = replace(key, options=tuple(_literals(each.type))) if isinstance(key, Choice) else key
            found[name] = Declared(name, each.name, filled, _default(each))
    return found


def given(record: Any) -> dict[str, Any]:
    """The values of a record that differ from the defaults, by their names in TOML.

    >>> given(MultiHead(id="heads", heads=2))
    {'kind': 'multi-head', 'id': 'heads', 'heads': 2}
    """
    found = {"kind": record.kind} if isinstance(record, Sheet) else {}
    for each in fields(record):
        value = getattr(record, each.name)
        if _default(each) is MISSING or not (value is None or value in ("", _default(each))):
            found[each.name.rstrip("_")] = value
    return found


def settings(sheet: Sheet) -> dict[str, Any]:
    """The settings of a sheet in the manifest, as JSON values.

    >>> settings(Compare(id="compare", axes=("animal", "tech")))
    {'axes': ('animal', 'tech')}
    """
    found: dict[str, Any] = {}
    for each in fields(sheet):
        rules = [part for part in get_args(each.type) if isinstance(part, Manifest)]
        value = rules[-1].value(sheet, getattr(sheet, each.name)) if rules else None
        found |= {} if value is None else {each.name: value}
    return found


def setting(kind: type[Sheet], said: Mapping[str, Any], name: str) -> Any:
    """A setting from a manifest, or the default of its kind if the manifest omits it.

    >>> [setting(MultiHead, {"heads": 2}, name) for name in ("heads", "bias", "generate")]
    [2, False, False]

    Raises:
        KeyError: a manifest must not omit it for this kind.
        AttributeError: no kind has this setting.
    """
    if name in said:
        return said[name]
    for each in fields(kind):
        if each.name == name:
            if {WHOLE, TRUE_OR_FALSE} & {*get_args(each.type)[-1:]}:
                raise KeyError(name)
            return _default(each)
    if not any(hasattr(one, name) or name in keys(one) for one in KINDS.values()):
        raise AttributeError(name)
    plain = getattr(kind, name, None)
    return None if isinstance(plain, property) else plain


def _default(each: Field[Any]) -> Any:
    return each.default if each.default_factory is MISSING else each.default_factory()


def _literals(hint: object) -> Iterator[str]:
    """The values of a ``Literal`` anywhere in a type."""
    for part in get_args(hint):
        if isinstance(part, str):
            yield part
        else:
            yield from _literals(part)
