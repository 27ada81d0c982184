"""A Transformer: its settings and weights, and its layers.

Sources: Vaswani et al. 2017, §3 (post-norm); Xiong et al. 2020 (pre-norm).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from xlsxattn.checker.reference.attention import Sized
from xlsxattn.checker.reference.layers import (
    ACTIVATIONS,
    HeadNorms,
    Visibility,
    drift_of,
    feed_forward,
    multi_head_of,
    norm,
)
from xlsxattn.checker.reference.projections import BIASED, Linear, Projections, linear, of_heads, projections
from xlsxattn.checker.reference.rounding import NoisyArray, Rounding, exact, expect
from xlsxattn.checker.reference.words import (
    ShapesDisagree,
    embedded,
    labels,
    numbered,
    optional,
    output_labels,
    shaped,
    unknown,
)
from xlsxattn.contract.kinds import GATED
from xlsxattn.contract.names import BETA, GAMMA, TYPED_FOR, RangeName, of_context, part_of
from xlsxattn.contract.values import MIN_EPSILON
from xlsxattn.language import say

if TYPE_CHECKING:
    from xlsxattn.checker.reference.attention import Array, Ranges
    from xlsxattn.checker.reference.positions import Positions
    from xlsxattn.checker.reference.words import ContextWords, Inputs, SheetInfo


class Memory(NamedTuple):
    """The source of cross-attention: its Output, its words (m, 1), its padding mask or None."""

    Output: NoisyArray
    words: Array
    exists: Array | None


class Tower(NamedTuple):
    """A stack of layers: the model, its weights' prefix, its positions, whether it has cross-attention."""

    sheet: SheetInfo
    w: RangeName
    inputs: Inputs
    places: Positions
    cross: bool = False

    @property
    def numbers(self) -> list[int]:
        """The numbers of the included layers, from 1."""
        s = self.sheet
        return list(s.taken or range(1, s.layers + 1))

    @property
    def first(self) -> RangeName:
        """The prefix of the weights of the first layer."""
        return self.w.at(layer=self.numbers[0])

    def is_typed(self, k: int) -> bool:
        """Whether the input of layer k is typed, as the previous layer was left out."""
        return k > 1 and (k - 1 not in self.numbers or self.sheet.only)

    def is_outdated(self, c: ContextWords) -> bool:
        """Whether a sentence has other words than those of its typed rows, if these are stated."""
        name = RangeName(self.sheet.id, context=c.id)[TYPED_FOR]
        if name not in self.inputs or not any(map(self.is_typed, self.numbers)):
            return False
        words = shaped(self.inputs, name, len(c.tokens), 1, of_context(c.id)["Tokens"])
        return not np.array_equal(words, c.tokens)

    def stream(self, p: RangeName, k: int, previous: NoisyArray, n: int) -> NoisyArray:
        """The input of layer k: the output of the previous layer, or typed rows."""
        if not self.is_typed(k):
            return previous
        return exact(shaped(self.inputs, p.at(layer=k)["Input"], n, self.inputs["vocab_E"].shape[1]))

    @property
    def bias(self) -> str:
        """The letters of the linear layers that have a bias."""
        return BIASED if self.sheet.bias else ""

    def attention(self, w: RangeName) -> Projections:
        """The weights of an attention sublayer."""
        s = self.sheet
        if s.only:
            heads = s.only[str(w.layer)]
            return of_heads(w, heads, self.inputs, bias=self.bias)
        return projections(w, s.heads, self.inputs, kv_heads=s.kv_heads, bias=self.bias)

    def feed_forward(self, w: RangeName) -> dict[str, Linear]:
        """The weights of a feed-forward sublayer."""
        d_model = self.inputs["vocab_E"].shape[1]
        first = linear(w, "1", d_model, "vocab_E", self.inputs, bias=self.bias)
        shaped(self.inputs, w["W_2"], first.W.shape[1], d_model, w["W_1"])
        found = {"1": first, "2": linear(w, "2", None, "", self.inputs, bias=self.bias)}
        if self.sheet.activation in GATED:
            shaped(self.inputs, w["W_3"], d_model, first.W.shape[1], w["W_1"])
            found["3"] = linear(w, "3", None, "", self.inputs, bias=self.bias)
        return found

    @property
    def epsilon(self) -> float:
        """ε of the norms."""
        return max(float(shaped(self.inputs, RangeName(self.sheet.id)["Epsilon"], 1, 1)[0, 0]), MIN_EPSILON)

    def head_norms(self, w: RangeName, d_k: int) -> HeadNorms | None:
        """The norms of a layer's queries and keys, if it has any."""
        if not self.sheet.qk_norm:
            return None
        gamma = {x: shaped(self.inputs, part_of(w[f"{x}Norm"], GAMMA), 1, d_k) for x in "QK"}
        return HeadNorms(gamma, self.epsilon)

    def norm(self, r: Rounding, B: str, x: NoisyArray, learned: str) -> tuple[Ranges, NoisyArray]:
        """The norm of x, with the learned γ and β, as the range B."""
        d_model = self.inputs["vocab_E"].shape[1]
        gamma = shaped(self.inputs, part_of(learned, GAMMA), 1, d_model, "vocab_Dims")
        layer = self.sheet.norm == "layer"
        beta = shaped(self.inputs, part_of(learned, BETA), 1, d_model, "vocab_Dims") if layer else None
        return norm(r, B, x, gamma, beta, self.epsilon)


class TowerResult(NamedTuple):
    """The result of a tower: its ranges, its Output, and the residual stream at each depth.

    The depths are the input of the first layer and the output of each layer.
    """

    ranges: Ranges
    Output: NoisyArray
    depths: tuple[NoisyArray, ...] = ()


def checked(sheet: SheetInfo) -> None:
    """Raise an error for unsupported settings."""
    known = {
        "norm": ("layer", "rms"),
        "residual": ("pre-norm", "post-norm"),
        "activation": tuple(ACTIVATIONS),
        "pairs": ("adjacent", "halves"),
    }
    for key, values in known.items():
        if sheet.settings[key] not in values:
            raise unknown(sheet.id, key, sheet.settings[key])


def scale_of(tower: Tower) -> float:
    """√d_k, or 1 if scaling is off."""
    return math.sqrt(tower.attention(tower.first).d_k) if tower.sheet.scale else 1.0


def embed(tower: Tower, r: Rounding, p: RangeName, tokens: Array) -> TowerResult:
    """Embeddings with positions, normed if the model has an embedding norm: X, Sum, Input."""
    s, d_model, n = tower.sheet, tower.inputs["vocab_E"].shape[1], len(tokens)
    dims = tower.inputs["vocab_Dims"]
    X = exact(embedded(numbered(list(tokens[:, 0]), tower.inputs), tower.inputs))
    stream = r.own(p["X"], X)
    stream = r.times(stream, math.sqrt(d_model)) if s.scale_embeddings else stream
    if tower.places.P is not None:
        P = tower.places.first(n)
        place = exact(P.value)
        if tower.places.angle is not None:  # sines of large angles have larger errors
            place = r.rounded(place.values, P.size, P.size * (1 + 2 * np.abs(tower.places.angle[:n])))
        stream = r.total(stream, place)
    found: Ranges = {p["X"]: expect(X)} | labels(p["X"], tokens, dims)
    if s.embedding_norm:
        found |= {p["Sum"]: expect(stream)} | labels(p["Sum"], tokens, dims)
        stream = r.own(p["Sum"], stream)
        ranges, stream = tower.norm(r, p["Input"], stream, RangeName(tower.sheet.id)["Input"])
        found |= ranges
    found[p["Input"]] = expect(stream)
    found |= labels(p["Input"], tokens) | optional(
        labels(p["Input"], None, dims), lacking=bool(s.embedding_norm)
    )
    return TowerResult(found, r.own(p["Input"], stream))


def layer(
    tower: Tower,
    r: Rounding,
    p: RangeName,
    k: int,
    stream: NoisyArray,
    seen: Visibility,
    memory: Memory | None,
) -> TowerResult:
    """A layer: attention, optional cross-attention and feed-forward, each with residual and norm."""
    s, q, w, scale = tower.sheet, p.at(layer=k), tower.w.at(layer=k), scale_of(tower)
    found: Ranges = {}
    drifts = [0.0]

    def attend(x: NoisyArray) -> NoisyArray:
        weights = tower.attention(w)
        norms = tower.head_norms(w, weights.d_k)
        ranges, out, drift = multi_head_of(r, q, x, x, weights, scale, seen, tower.places.rotary, norms)
        found.update(ranges | weights.parts(w))
        drifts.append(drift)
        return out

    def cross_attend(x: NoisyArray) -> NoisyArray:
        if memory is None:
            raise ValueError(say("a decoder with cross-attention needs a source"))
        weights, n = tower.attention(w.at(cross=True)), len(x.clean)
        allowed = None if memory.exists is None else np.tile(memory.exists, (n, 1))
        across = Visibility(allowed, triangle=False, queries=seen.queries, keys=memory.words)
        p_cross = q.at(cross=True)
        ranges, out, drift = multi_head_of(r, p_cross, x, memory.Output, weights, scale, across, None)
        found.update(ranges | weights.parts(w.at(cross=True)))
        drifts.append(drift)
        return out

    def feed(x: NoisyArray) -> NoisyArray:
        weights = tower.feed_forward(w)
        ranges, out = feed_forward(r, q, x, weights, s.activation, seen.queries)
        found.update(ranges)
        return out

    if s.only:
        ranges, x = (
            tower.norm(r, q["Norm1"], stream, w["Norm1"]) if s.residual == "pre-norm" else ({}, stream)
        )
        x = r.own(q["Norm1"], x)
        found |= ranges | (labels(q["Norm1"], seen.queries) if ranges else {})
        attend(x)
        return TowerResult(found | drift_of(q, float(np.max(drifts))), stream)
    for i, part in enumerate([attend, *([cross_attend] if tower.cross else []), feed], 1):
        pre, B = s.residual == "pre-norm", q[f"Norm{i}"]
        ranges, x = tower.norm(r, B, stream, w[f"Norm{i}"]) if pre else ({}, stream)
        found |= ranges
        stream = r.total(stream, part(r.own(B, x) if pre else x))
        found |= {q[f"Residual{i}"]: expect(stream)} | labels(q[f"Residual{i}"], seen.queries)
        stream = r.own(q[f"Residual{i}"], stream)
        if not pre:
            ranges, stream = tower.norm(r, B, stream, w[f"Norm{i}"])
            found |= ranges
            stream = r.own(B, stream)
        found |= labels(B, seen.queries)
    return TowerResult(found | drift_of(q, float(np.max(drifts))), stream)


def run(
    tower: Tower, r: Rounding, p: RangeName, tokens: Array, seen: Visibility, memory: Memory | None = None
) -> TowerResult:
    """Run a tower on tokens, (n, 1): from X to Output."""
    s = tower.sheet
    found, stream, _ = embed(tower, r, p, tokens)
    found, depths = dict(found), [stream]
    for k in tower.numbers:
        layer_input = tower.stream(p, k, stream, len(tokens))
        if layer_input is not stream:
            found |= labels(p.at(layer=k)["Input"], tokens)
        ranges, stream, _ = layer(tower, r, p, k, layer_input, seen, memory)
        depths.append(stream)
        found |= ranges
    if s.only:
        return TowerResult(found, stream)
    if s.final_norm:
        ranges, stream = tower.norm(r, p["Output"], stream, tower.w["Output"])
        found |= ranges
    found[p["Output"]] = expect(stream)
    found |= output_labels(s, p["Output"], tokens, tower.inputs["vocab_Dims"])
    return TowerResult(found, r.own(p["Output"], stream), tuple(depths))


def followed(x: NoisyArray, amplification: float) -> Sized:
    """An Output for a compare sheet, with the magnitude of the range in every cell."""
    return (
        Sized(x.clean, np.where(x.size > 0, x.size.max(), 0.0))
        if math.isfinite(amplification)
        else Sized(x.clean, np.full(x.size.shape, math.inf))
    )


def checked_top_k(sheet: SheetInfo, n_vocab: int) -> int:
    """The number of largest logits that a model shows.

    Raises:
        ShapesDisagree: the vocabulary has fewer words.
    """
    k = int(sheet.top_k)
    if k > n_vocab:
        raise ShapesDisagree("vocab_Tokens", rows=n_vocab, sheet_id=sheet.id, k=k)
    return k
