"""What a sheet or a model is made like: its kind and its settings, as docs/spec-models.md lists them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xlsxattn.builder.specification.table import Matrix

ATTENTION = {"self-attention": "Self-attention", "multi-head": "Multi-head"}
MODELS = {
    "encoder": "Encoder",
    "decoder": "Decoder",
    "encoder-decoder": "Encoder-decoder",
    "classifier": "Classifier",
}
KINDS = {**ATTENTION, "cross-attention": "Cross-attention", **MODELS, "compare": "Compare"}
WRITERS = ("decoder", "encoder-decoder")
CAUSAL, PADDING = ("causal", "causal+padding"), ("padding", "causal+padding")
MASKS = ("none", "causal", "padding", "causal+padding")
POSITIONS = ("none", "sinusoidal", "learned", "rotary")
PAIRS, NORMS, RESIDUALS = ("adjacent", "halves"), ("layer", "rms"), ("pre-norm", "post-norm")
ACTIVATIONS = ("relu", "gelu", "gelu-tanh", "silu", "swiglu")
POOLS = ("mean", "first")


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


@dataclass(frozen=True, slots=True)
class SheetSpec:
    """One sheet or model: its id, kind and settings, as docs/spec-models.md lists them.

    ``weights`` holds all its matrices by their ranges' names without the sheet's id; none: Q = K = V = X.
    ``tempered``: an attention sheet with a temperature of its own to play with.
    ``maps``: a page shows all heads' attention at a glance.
    ``contexts`` are the ids it runs on: in cross-attention queries and keys, in an encoder-decoder source and
    target.
    ``about`` is the line below its title, "" for the usual one, and ``tries`` what it invites to try.

    Of a trained model some layers may be left out. ``taken`` are those that are there, by their numbers from
    1 (none: all); what comes into one that follows on a gap is typed, a weight ``<context>_l<k>_Input``.
    ``only`` are the heads of each of them, where nothing but heads is wanted. ``apart``: weights stand on
    pages of their own. ``seed`` has drawn the weights, where they were not given. ``browse``: the layer and
    head that a page for looking at any head shows at first. ``stretch``: how rotations are stretched.
    ``qk_norm``: queries and keys are normed before they are turned.
    """

    id: str
    kind: str
    title: str
    contexts: tuple[str, ...] = ()
    scale: bool = True
    mask: str = "none"
    position: str = "none"
    base: float = 10_000.0
    pairs: str = "adjacent"
    stretch: Stretch | None = None
    qk_norm: bool = False
    heads: int = 1
    kv_heads: int = 1
    headed: bool = False
    d_k: int = 0
    d_v: int = 0
    bias: bool = False
    layers: int = 0
    d_ff: int = 0
    norm: str = "layer"
    epsilon: float = 1e-5
    residual: str = "post-norm"
    activation: str = "relu"
    scale_embeddings: bool = False
    embedding_norm: bool = False
    final_norm: bool = False
    similarity: bool = False
    tied: bool = True
    top_k: int = 0
    temperature: float = 1.0
    tempered: bool = False
    maps: bool = False
    generate: bool = False
    pool: str = "mean"
    classes: tuple[str, ...] = ()
    weights: Mapping[str, Matrix] = field(default_factory=dict)
    seed: int | None = None
    axes: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    taken: tuple[int, ...] = ()
    only: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    apart: bool = False
    browse: tuple[int, int] = (0, 0)
    about: str = ""
    tries: tuple[str, ...] = ()

    @property
    def is_model(self) -> bool:
        """Whether it is a whole model, with pages of its own."""
        return self.kind in MODELS

    @property
    def adds_places(self) -> bool:
        """Whether numbers that say where a word stands are added to its embedding."""
        return self.position in ("sinusoidal", "learned")

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of the layers that are there."""
        return self.taken or tuple(range(1, self.layers + 1))

    @property
    def browses(self) -> bool:
        """Whether a page for looking at any head is wanted."""
        return self.browse > (0, 0)

    def heads_of(self, layer: int) -> tuple[int, ...]:
        """The numbers of a layer's heads that are there."""
        return self.only.get(layer, tuple(range(1, self.heads + 1)))

    def follows_gap(self, layer: int) -> bool:
        """Whether the layer before is not there, so that what comes in is typed."""
        return layer > 1 and (layer - 1 not in self.numbers or bool(self.only))

    @property
    def uses_blanks(self) -> bool:
        """Whether a blank cell of a sentence is meant: as padding, or to be written into."""
        return self.mask in PADDING or self.generate
