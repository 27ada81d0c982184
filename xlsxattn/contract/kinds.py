"""Every key of a spec and every kind of sheet: declared here once, with type, limits, default and meaning.

A kind is a frozen dataclass, and its fields are its keys. What follows from the declarations: reading a spec,
``xlsxattn schema``, the Python API, the settings in a workbook's manifest, and ``docs/reference/spec.md``.

A key is an alias, ``Annotated`` with what it is and means; a kind gives it a default. None, 0, "" and ()
stand for a key that is not given and gets its value from the rest of the spec. A name that Python reserves
has an underscore behind it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields, replace
from typing import Annotated, Any, ClassVar, Literal, Protocol, TypeAlias, TypeGuard, cast, get_args

from xlsxattn.contract.values import (
    MAX_ABOUT_LENGTH,
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
    MAX_WORDS,
)

# --- what a key is ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Key:
    """What a key means; its subclasses say what its value is."""

    means: str


class Flag(Key):
    """True or false."""


@dataclass(frozen=True, slots=True)
class Choice(Key):
    """One of the words of a ``Literal``, which `keys` fills in."""

    options: tuple[str, ...] = ()


class SomeOf(Choice):
    """A list of some of the words of a ``Literal``; true for all of them, false for none."""


class Id(Key):
    """An id of its own."""


class ContextId(Key):
    """The id of a context."""


class Word(Key):
    """A word: a text without blanks around it."""


class LanguageCode(Key):
    """The code of a language."""


class Weights(Key):
    """Matrices by name, or the name of a data file."""


class Part(Key):
    """A part of a spec with a structure of its own."""


@dataclass(frozen=True, slots=True)
class Text(Key):
    """A text of one line; ``most`` counts characters."""

    most: int = MAX_TEXT_LENGTH


class Prose(Text):
    """A text whose line breaks are blanks."""


@dataclass(frozen=True, slots=True)
class Count(Key):
    """A whole number between limits; ``most`` None: without an upper one.

    ``usual`` is its value if it is not given, where the default only says that it is not.
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
    """A number from ``least`` to ``most``; the latter itself only where ``closed``."""

    most: float
    least: float = 0.0
    closed: bool = True


class Words(Key):
    """A sentence: a text, split on white space, or a list of words."""


class SheetRef(Key):
    """The id of a sheet that stands before."""


class TargetValues(Key):
    """Numbers, or words whose embeddings' mean they are."""


@dataclass(frozen=True, slots=True)
class Items(Key):
    """A list of ``least`` to ``most`` items, called ``named``."""

    item: Key
    named: str
    most: int
    least: int = 1
    unique: bool = True


@dataclass(frozen=True, slots=True)
class Tables(Key):
    """A list of up to ``most`` tables of a form."""

    form: type
    most: int


class Axes(Items):
    """Two of the dimensions, or the only one."""


# --- what of it the manifest holds -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Manifest:
    """The value that a sheet's settings in the manifest have for a key; None: the key is left out."""

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

SheetId: TypeAlias = Annotated[str, Id("a short id, from which the names of all its ranges are made")]
SheetTitle: TypeAlias = Annotated[
    str, Text("the title on the sheet and on its tab; otherwise the kind's name")
]
SheetAbout: TypeAlias = Annotated[
    str, Prose("the line below the title: what there is to see; otherwise what the kind is")
]
Tries: TypeAlias = Annotated[
    Sequence[str],
    Items(
        "what to try on the sheet and what to look for, in place of the usual sentences",
        *(Prose("a sentence"), "sentences", MAX_TRIES),
        unique=False,
    ),
]
Scale: TypeAlias = Annotated[bool, Flag("whether scores are divided by √d_k"), WHOLE]
_MASK = Choice("what may not be seen: nothing, later words, blank cells, or both")
Mask: TypeAlias = Annotated[
    Literal["none", "causal", "padding", "causal+padding"] | None, _MASK, WHOLE
]  # None: padding, where the spec gives its contexts a length
CausalMask: TypeAlias = Annotated[Literal["causal", "causal+padding"], _MASK, WHOLE]
PaddingMask: TypeAlias = Annotated[Literal["none", "padding"] | None, _MASK, WHOLE]
Position: TypeAlias = Annotated[
    Literal["none", "sinusoidal", "learned", "rotary"],
    Choice(
        "how places become numbers: not at all, by adding sines and cosines, by adding a learned table, "
        "or by turning queries and keys"
    ),
    WHOLE,
]
Base: TypeAlias = Annotated[float, Positive("the base of the frequencies of sinusoidal and rotary positions")]
Pairs: TypeAlias = Annotated[
    Literal["adjacent", "halves"],
    Choice("which columns rotary positions turn together: neighbours, or those half a width apart"),
    WHOLE,
]
Contexts: TypeAlias = Annotated[
    Sequence[str],
    Items("the contexts it runs on; otherwise all", ContextId("a context"), "contexts' ids", MAX_CONTEXTS),
    WHOLE,
]
Source: TypeAlias = Annotated[str, ContextId("the encoder's context; otherwise the first"), WHOLE]
Target: TypeAlias = Annotated[str, ContextId("the decoder's context; otherwise the second"), WHOLE]
Queries: TypeAlias = Annotated[str, ContextId("the context whose words look; otherwise the first"), WHOLE]
Keys: TypeAlias = Annotated[
    str, ContextId("the context whose words are looked at; otherwise the second"), WHOLE
]
Layers: TypeAlias = Annotated[
    int, Count("how many layers; in an encoder-decoder on each side", MAX_LAYERS), WHOLE
]
Heads: TypeAlias = Annotated[int, Count("how many heads", MAX_HEADS, usual=1), IF_SET]
KVHeads: TypeAlias = Annotated[
    int,
    Count("how many heads of keys and values, shared by groups of heads; otherwise heads", MAX_HEADS),
    WHOLE,
]
DK: TypeAlias = Annotated[
    int,
    Count("columns of a head's queries and keys; otherwise as the weights have, or d_model / heads"),
    IF_SET,
]
DV: TypeAlias = Annotated[
    int, Count("columns of a head's values; otherwise as the weights have, or d_k"), IF_SET
]
DFF: TypeAlias = Annotated[
    int, Count("columns inside the feed-forward layers; otherwise 4 · d_model", MAX_D_FF), WHOLE
]
Norm: TypeAlias = Annotated[Literal["layer", "rms"], Choice("LayerNorm, or RMSNorm"), WHOLE]
Epsilon: TypeAlias = Annotated[float, Positive("what the norms add to the variance")]
Residual: TypeAlias = Annotated[
    Literal["pre-norm", "post-norm"], Choice("whether a norm stands before each part or after the sum"), WHOLE
]
Activation: TypeAlias = Annotated[
    Literal["relu", "gelu", "gelu-tanh", "silu", "swiglu", "geglu", "geglu-tanh"],
    Choice("inside the feed-forward"),
    WHOLE,
]
GATED = {"swiglu": "silu", "geglu": "gelu", "geglu-tanh": "gelu-tanh"}
"""The activations with a gate, and the one that its own linear layer passes through; W_3 makes the other."""
Bias: TypeAlias = Annotated[
    bool, Flag("whether the linear layers of attention and feed-forward add a bias"), WHOLE
]
Biases: TypeAlias = Annotated[
    bool | Sequence[Literal["Q", "K", "V", "O"]],
    SomeOf("whether queries, keys, values and outputs add a bias: all, none, or a list of those that do"),
    IF_SET,
]
DOut: TypeAlias = Annotated[
    int, Count("columns of the output; otherwise as W_O has, or d_model; without W_O heads · d_v")
]
OutProj: TypeAlias = Annotated[
    bool, Flag("whether W_O projects the heads' outputs; if not, they stand side by side"), IF_FALSE
]
ScaleEmbeddings: TypeAlias = Annotated[bool, Flag("whether embeddings are multiplied by √d_model"), WHOLE]
EmbeddingNorm: TypeAlias = Annotated[bool, Flag("whether a norm stands before the first layer"), WHOLE]
FinalNorm: TypeAlias = Annotated[
    bool | None,
    Flag("whether a norm stands after the last layer; otherwise as if residual is pre-norm"),
    WHOLE,
]
Tied: TypeAlias = Annotated[
    bool, Flag("whether logits are made with the embeddings; if not, with a matrix W_U"), WHOLE
]
TopK: TypeAlias = Annotated[
    int, Count("how many of the likeliest words are listed; otherwise 3", MAX_LISTED), WHOLE
]
Temperature: TypeAlias = Annotated[
    float,
    Positive(
        "what the logits are divided by; on an attention sheet a cell to play with, dividing scores",
        usual=1.0,
    ),
]
Maps: TypeAlias = Annotated[
    bool | None,
    Flag("whether a page shows all heads' attention at a glance; otherwise where they are few"),
    IF_SET,
]
Generate: TypeAlias = Annotated[bool, Flag("whether blank cells are written by the model"), WHOLE]
Similarity: TypeAlias = Annotated[
    bool,
    Flag("whether sentences are held against each other, and the focus word followed through the layers"),
    IF_SET,
]
Pool: TypeAlias = Annotated[
    Literal["mean", "first"],
    Choice("what the classes are read from: the mean of all words, or the first"),
    WHOLE,
]
Classes: TypeAlias = Annotated[
    Sequence[str], Items("the names of the classes", Text("a class"), "names", MAX_CLASSES, least=2)
]
Matrices: TypeAlias = Annotated[
    Any, Weights("the learned weights by name, row by row, or the name of a data file")
]  # a mapping of rows of numbers, or a text
Seed: TypeAlias = Annotated[
    int | None, Count("draws the weights if none are given", most=None, least=0, usual=0)
]
ChartAxes: TypeAlias = Annotated[
    Sequence[str],
    Axes("the two dimensions of the chart; otherwise the first two", Text("a dimension"), "dimensions", 2),
    WHOLE,
]
Trains: TypeAlias = Annotated[str, SheetRef("the attention sheet before it whose form is trained"), WHOLE]
Learns: TypeAlias = Annotated[
    Sequence[Literal["W_Q", "W_K", "W_V", "W_O"]],
    Items(
        "the matrices that learn, otherwise all that the trained sheet has; the others stay as they start",
        *(Choice("a matrix", ("W_Q", "W_K", "W_V", "W_O")), "matrices", 4),
    ),
    WHOLE,
]
Start: TypeAlias = Annotated[
    Literal["given", "identity", "random"],
    Choice(
        "what the weights start from: those of the trained sheet, the identity, or numbers that are drawn"
    ),
]
StartSeed: TypeAlias = Annotated[int, Count('draws the weights, with start = "random"', most=None, least=0)]
Deviation: TypeAlias = Annotated[float, Positive("their standard deviation; otherwise 1/√d_model")]
TrainingSteps: TypeAlias = Annotated[int, Count("how many steps are made", MAX_STEPS), WHOLE]
Optimizer: TypeAlias = Annotated[
    Literal["sgd", "momentum", "adam"], Choice("what makes a step of a gradient, as in torch.optim"), WHOLE
]
LearningRate: TypeAlias = Annotated[float, Positive("the learning rate, a cell to play with")]
Momentum: TypeAlias = Annotated[float, Within("how much of the step before is kept, with momentum", 1.0)]
Betas: TypeAlias = Annotated[
    Sequence[float],
    Items(
        "how much of the moments before is kept, with adam",
        *(Within("a number", 1.0, closed=False), "numbers", 2, 2),
        unique=False,
    ),
]
AdamEpsilon: TypeAlias = Annotated[float, Positive("what adam adds to the root of the second moment")]
WeightDecay: TypeAlias = Annotated[float, Within("how much of each weight is added to its gradient", 1.0)]
Sentence: TypeAlias = Annotated[str | Sequence[str], Words("a sentence")]
Asked: TypeAlias = Annotated[str, Word("one of its words")]
Wanted: TypeAlias = Annotated[
    Any, TargetValues("what it is to become: numbers, or words, for the mean of their embeddings")
]
Near: TypeAlias = Annotated[
    Sequence[str],
    Items(
        "words that the focus word's inputs and outputs are held against",
        *(Word("a word"), "words", MAX_NEAR, 0),
    ),
    IF_SET_TRUE,
]

# --- the kinds of sheets -----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One sheet or model of a workbook. A kind's docstring says what it is, to readers of a spec as well."""

    kind: ClassVar[str]
    id: SheetId
    title: SheetTitle = ""
    about: SheetAbout = ""
    try_: Tries = ()

    @property
    def uses_blanks(self) -> bool:
        """Whether a blank cell of a sentence is meant: as padding, or to be written into."""
        return False


@dataclass(frozen=True, kw_only=True)
class WithAttention(Sheet):
    """What computes attention: a sheet or a model. Plain attributes are for kinds that lack the key."""

    position, base, pairs = "none", 10_000.0, "adjacent"
    heads, generate = 1, False
    bias = cast("bool | Sequence[str]", False)  # noqa: FBT003 - what it is without the key

    scale: Scale = True
    mask: Mask = "none"
    d_k: DK = 0
    d_v: DV = 0
    weights: Matrices = field(default_factory=dict)
    seed: Seed = None

    @property
    def contexts(self) -> Sequence[str]:
        """The contexts it runs on; in roles, the one that is looked at second. () for all."""
        return ()

    @property
    def headed(self) -> bool:
        """Whether it has heads; without, there is one alone."""
        return True

    @property
    def projects_out(self) -> bool:
        """Whether W_O projects the heads' outputs."""
        return self.headed

    @property
    def biases(self) -> Sequence[str]:
        """The letters of Q, K, V and O that add a bias."""
        if not isinstance(self.bias, bool):
            return self.bias
        letters = PROJECTED if self.projects_out else PROJECTED[:-1]
        return letters if self.bias else ()

    @property
    def tempered(self) -> bool:
        """Whether it has a temperature to play with."""
        return False

    @property
    def kv_heads(self) -> int:
        """How many heads of keys and values."""
        return self.heads

    @property
    def maps(self) -> bool | None:
        """Whether a page shows all heads' attention at a glance."""
        return False

    @property
    def grouped(self) -> bool:
        """Whether groups of heads share their keys and values."""
        return self.kv_heads < self.heads

    @property
    def adds_places(self) -> bool:
        """Whether numbers that say where a word stands are added to its embedding."""
        return self.position in ("sinusoidal", "learned")

    @property
    def uses_blanks(self) -> bool:
        """Whether a blank cell of a sentence is meant: as padding, or to be written into."""
        return self.mask in PADDING or self.generate


@dataclass(frozen=True, kw_only=True)
class AttentionSheet(WithAttention):
    """One sheet that shows attention step by step."""

    weights: Annotated[Matrices, TRUE_OR_FALSE] = field(default_factory=dict)
    temperature: Annotated[Temperature, IF_SET_TRUE] = 0.0

    @property
    def tempered(self) -> bool:
        """Whether it has a temperature to play with."""
        return self.temperature > 0


@dataclass(frozen=True, kw_only=True)
class InSentence(AttentionSheet):
    """Words look at words of their own sentence; a compare sheet can follow it."""

    position: Annotated[Position, IF_PLACED] = "none"
    base: Base = 10_000
    pairs: Annotated[Pairs, IF_PLACED] = "adjacent"


@dataclass(frozen=True, kw_only=True)
class SelfAttention(InSentence):
    """Every word looks at every word. Without weights, sizes and a seed, Q = K = V = X."""

    kind = "self-attention"
    headed = False


@dataclass(frozen=True, kw_only=True)
class MultiHead(InSentence):
    """Several heads look at once, each in a subspace of its own; W_O joins them."""

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
    """The words of one context look at those of another."""

    kind = "cross-attention"
    queries: Queries = ""
    keys: Keys = ""
    mask: PaddingMask = "none"
    heads: Heads = 0

    @property
    def contexts(self) -> Sequence[str]:
        """The queries' context and the keys'."""
        return self.queries, self.keys

    @property
    def headed(self) -> bool:
        """Whether it has heads; without, there is one alone."""
        return self.heads > 0


@dataclass(frozen=True, slots=True)
class Stretch:
    """How rotations are stretched for texts longer than those of the first training (Peng et al. 2023, 3.2).

    Attributes:
        factor: s, by which slow pairs are slowed.
        low: α, the turns within ``trained`` positions below which a pair counts as slow.
        high: β, the turns from which on a pair keeps its frequency.
        trained: L, the positions of the first training.
    """

    factor: float
    low: float
    high: float
    trained: float


@dataclass(frozen=True, kw_only=True)
class Model(WithAttention):
    """A whole Transformer, with pages of its own.

    Of a trained model some layers may be left out. ``taken`` are those that are there, by their numbers from
    1 (none: all); what comes into one that follows on a gap is typed, a weight ``<context>_l<k>_Input``.
    ``only`` are the heads of each of them, where nothing but heads is wanted. ``apart``: weights stand on
    pages of their own. ``browse``: the layer and head that a page for looking at any head shows at first.
    ``stretch``: how rotations are stretched. ``qk_norm``: queries and keys are normed before they are turned.
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
    def gated(self) -> bool:
        """Whether the feed-forward has a gate, and so weights W_3."""
        return self.activation in GATED

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of the layers that are there."""
        return self.taken or tuple(range(1, self.layers + 1))

    def heads_of(self, layer: int) -> tuple[int, ...]:
        """The numbers of a layer's heads that are there."""
        return self.only.get(layer, tuple(range(1, self.heads + 1)))

    def follows_gap(self, layer: int) -> bool:
        """Whether the previous layer was left out, so that its output is typed in."""
        return layer > 1 and (layer - 1 not in self.numbers or bool(self.only))

    @property
    def has_typed_rows(self) -> bool:
        """Whether rows are typed into any layer: they belong to the words they were computed for."""
        return any(map(self.follows_gap, self.numbers))


@dataclass(frozen=True, kw_only=True)
class Writer(Model):
    """A model that says which word comes next."""

    tied: Tied = True
    top_k: TopK = 0
    temperature: Temperature = 1.0
    generate: Generate = False


@dataclass(frozen=True, kw_only=True)
class Encoder(Model):
    """A whole encoder."""

    kind = "encoder"
    contexts: Contexts = ()
    similarity: Similarity = False
    pool: Annotated[str, IF_FIRST] = "mean"


@dataclass(frozen=True, kw_only=True)
class Decoder(Writer):
    """A whole decoder: it tells the next word."""

    kind = "decoder"
    contexts: Contexts = ()
    mask: CausalMask = "causal"
    position: Position = "learned"
    residual: Residual = "pre-norm"
    activation: Activation = "gelu"


@dataclass(frozen=True, kw_only=True)
class EncoderDecoder(Writer):
    """An encoder for a source, and a decoder that looks at it."""

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
    """An encoder, and the classes it tells."""

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
    """A sentence to learn from, and what one of its words is to become."""

    sentence: Sentence
    word: Asked
    target: Wanted


Examples: TypeAlias = Annotated[
    Sequence[Example | Mapping[str, Any]],
    Tables("what it learns from: sentences, and what one of their words is to become", Example, MAX_EXAMPLES),
]


@dataclass(frozen=True, kw_only=True)
class Training(Sheet):
    """Trains an attention sheet's form by gradient descent: every step stands there, in formulas.

    ``form`` is the trained sheet, ``matrices`` are the weights that it starts from.
    """

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
    form: SelfAttention | MultiHead | None = None
    matrices: Mapping[str, Any] = field(default_factory=dict)


def can_be_followed(sheet: Sheet, every: tuple[str, ...]) -> TypeGuard[InSentence | Encoder]:
    """Whether a compare sheet can follow it: attention in a sentence, or an encoder of every sentence."""
    return isinstance(sheet, InSentence) or (isinstance(sheet, Encoder) and tuple(sheet.contexts) == every)


PROJECTED = ("Q", "K", "V", "O")
"""What an attention's weights W make: queries, keys, values, and outputs."""
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
"""Every kind of sheet by the word that a spec has for it."""
DEFAULT_KIND = SelfAttention

# --- the whole spec ----------------------------------------------------------------------------------------


class Frame(Protocol):
    """A table as pandas has it: words as index, dimensions as columns."""

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
            "a name for each number of an embedding; otherwise d1, d2, ...",
            *(Text("a dimension"), "names", MAX_COLUMNS),
        ),
    ] = ()
    tokens: Annotated[Mapping[str, Any], Part("each word and its embedding, all of one length")] = field(
        default_factory=dict
    )
    from_: Annotated[
        str,
        Text(
            "a file, in place of tokens: a data file with a table [tokens], or word vectors as GloVe or "
            "word2vec write them (gzip too), as CSV, or as an .npy beside a list of its words"
        ),
    ] = ""
    words: Annotated[
        Sequence[str],
        Items(
            "words that are taken from a file of word vectors, beside those of the sentences",
            *(Word("a word"), "words", MAX_LISTED, 0),
        ),
    ] = ()
    components: Annotated[int, Count("keep only so many principal components of the words' vectors")] = 0


@dataclass(frozen=True)
class Spec:
    """What a workbook is made from."""

    vocabulary: Annotated[Frame | Mapping[str, Any] | Vocabulary, Part("the words and their embeddings")]
    contexts: Annotated[
        Mapping[str, str | Sequence[str]],
        Part("the sentences by id: a text, split on white space, or a list of words"),
    ]
    sheets: Annotated[Sequence[Sheet | Mapping[str, Any]], Part("the sheets in order")]
    title: Annotated[str, Text("the workbook's title")] = "Attention"
    focus: Annotated[
        str,
        Word("the word that is outlined and compared; otherwise the first that all sentences share"),
    ] = ""
    length: Annotated[
        int, Count("how many token cells every context gets: its words, then blank ones", MAX_WORDS)
    ] = 0
    explain: Annotated[
        Literal["short", "full"],
        Choice("how much the workbook says beside its numbers: a sentence a step, or a second one as well"),
    ] = "short"
    lang: Annotated[str, LanguageCode("the language of the workbook's texts; --lang overrides it")] = "en"
    about: Annotated[
        str,
        Prose("what the workbook shows: the paragraph on Start, in place of the usual one", MAX_ABOUT_LENGTH),
    ] = ""


# --- reading the declarations ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Declared:
    """One key of a table: its name in TOML and in Python, what it is, its default."""

    name: str
    attribute: str
    key: Key
    default: Any

    @property
    def is_needed(self) -> bool:
        """Whether a spec must give it."""
        return self.default is MISSING

    @property
    def has_default(self) -> bool:
        """Whether its default is a value, and does not stand for a key that is not given."""
        return not self.is_needed and (self.default is False or bool(self.default))


def keys(table: type) -> Mapping[str, Declared]:
    """Every key of a kind of sheet, of the vocabulary or of a spec, by its name in TOML.

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
    """What a record says beside its defaults, by the names that TOML has.

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
    """What the manifest says of a sheet, as JSON has it.

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
    """A setting as a manifest says it, or else as a sheet of the kind has it that leaves it out.

    >>> [setting(MultiHead, {"heads": 2}, name) for name in ("heads", "bias", "generate")]
    [2, False, False]

    Raises:
        KeyError: no sheet of this kind leaves it out.
        AttributeError: no kind has it.
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
    """The words of a ``Literal``, wherever it stands in a type."""
    for part in get_args(hint):
        if isinstance(part, str):
            yield part
        else:
            yield from _literals(part)
