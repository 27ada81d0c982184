"""One Transformer: its settings and weights, its layers one after another, and what it writes.

Sources: Vaswani et al. 2017, §3 (post-norm); Xiong et al. 2020 (pre-norm). A model that writes runs again on
every longer prefix, as a plain loop.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from xlsxattn.checker.reference.attention import Sized
from xlsxattn.checker.reference.layers import (
    ACTIVATIONS,
    Visibility,
    drift_of,
    feed_forward,
    multi_head_of,
    norm,
)
from xlsxattn.checker.reference.projections import Linear, Projections, linear, of_heads, projections
from xlsxattn.checker.reference.rounding import NoisyArray, Rounding, exact, expect
from xlsxattn.checker.reference.words import ShapesDisagree, embedded, labels, numbered, shaped, unknown
from xlsxattn.language import say

if TYPE_CHECKING:
    from xlsxattn.checker.reference.attention import Array, Ranges
    from xlsxattn.checker.reference.positions import Positions
    from xlsxattn.checker.reference.words import Inputs, SheetInfo

MIN_EPSILON = 1e-24
"""A norm's ε counts as no less: a row of equal numbers has the variance 0, and nothing divides by 0."""


class Memory(NamedTuple):
    """What a decoder looks across at: the source's Output, its words (m, 1), which of them exist or None."""

    Output: NoisyArray
    words: Array
    exists: Array | None


class Tower(NamedTuple):
    """A stack of layers: the model, the prefix of its weights, whether it looks across, and its positions."""

    sheet: SheetInfo
    w: str
    inputs: Inputs
    places: Positions
    cross: bool = False

    @property
    def numbers(self) -> list[int]:
        """The numbers of the layers that are there, from 1."""
        s = self.sheet.settings
        return list(s.get("taken") or range(1, s["layers"] + 1))

    @property
    def first(self) -> str:
        """What the names of the first layer's weights begin with."""
        return f"{self.w}_l{self.numbers[0]}"

    def stream(self, p: str, k: int, before: NoisyArray, n: int) -> NoisyArray:
        """What comes into layer k: what the layer before left, or typed numbers where that is not there."""
        if k == 1 or (k - 1 in self.numbers and "only" not in self.sheet.settings):
            return before
        return exact(shaped(self.inputs, f"{p}_l{k}_Input", n, self.inputs["vocab_E"].shape[1]))

    @property
    def bias(self) -> bool:
        """Whether linear layers add a row."""
        return bool(self.sheet.settings["bias"])

    def attention(self, w: str) -> Projections:
        """The weights of one attention."""
        s = self.sheet.settings
        if "only" in s:
            heads = s["only"][w.rpartition("_l")[2]]
            return of_heads(w, heads, self.inputs, bias=self.bias)
        return projections(w, s["heads"], self.inputs, kv_heads=s["kv_heads"], bias=self.bias)

    def feed_forward(self, w: str) -> dict[str, Linear]:
        """The weights of one feed-forward."""
        d_model = self.inputs["vocab_E"].shape[1]
        first = linear(w, "1", d_model, "vocab_E", self.inputs, bias=self.bias)
        shaped(self.inputs, f"{w}_W_2", first.W.shape[1], d_model, f"{w}_W_1")
        found = {"1": first, "2": linear(w, "2", None, "", self.inputs, bias=self.bias)}
        if self.sheet.settings["activation"] == "swiglu":
            shaped(self.inputs, f"{w}_W_3", d_model, first.W.shape[1], f"{w}_W_1")
            found["3"] = linear(w, "3", None, "", self.inputs, bias=self.bias)
        return found

    def norm(self, r: Rounding, B: str, x: NoisyArray, learned: str) -> tuple[Ranges, NoisyArray]:
        """The norm B of x, with the learned γ and β."""
        d_model = self.inputs["vocab_E"].shape[1]
        gamma = shaped(self.inputs, f"{learned}_Gamma", 1, d_model, "vocab_Dims")
        layer = self.sheet.settings["norm"] == "layer"
        beta = shaped(self.inputs, f"{learned}_Beta", 1, d_model, "vocab_Dims") if layer else None
        epsilon = shaped(self.inputs, f"{self.sheet.id}_Epsilon", 1, 1)[0, 0]
        return norm(r, B, x, gamma, beta, max(float(epsilon), MIN_EPSILON))


class Pass(NamedTuple):
    """What one run of a tower over some tokens leaves: its ranges, its Output, and its rows at each depth.

    The depths are what the first layer reads, then what each layer leaves.
    """

    ranges: Ranges
    Output: NoisyArray
    depths: tuple[NoisyArray, ...] = ()


def checked(sheet: SheetInfo) -> None:
    """Refuse settings that nothing here was written for."""
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
    """√d_k, or 1 with the setting scale false."""
    return math.sqrt(tower.attention(tower.first).d_k) if tower.sheet.settings["scale"] else 1.0


def entered(tower: Tower, r: Rounding, p: str, tokens: Array) -> Pass:
    """Embeddings, with their positions, and normed where the model asks for it: X, Sum, Input."""
    s, d_model, n = tower.sheet.settings, tower.inputs["vocab_E"].shape[1], len(tokens)
    dims = tower.inputs["vocab_Dims"]
    X = exact(embedded(numbered(list(tokens[:, 0]), tower.inputs), tower.inputs))
    stream = r.times(X, math.sqrt(d_model)) if s["scale_embeddings"] else X
    if tower.places.P is not None:
        P = tower.places.first(n)
        place = exact(P.value)
        if tower.places.angle is not None:  # sines of large angles are unsure
            place = r.rounded(place.values, P.size, P.size * (1 + 2 * np.abs(tower.places.angle[:n])))
        stream = r.total(stream, place)
    found: Ranges = {f"{p}_X": expect(X)} | labels(f"{p}_X", tokens, dims)
    if s["embedding_norm"]:
        found |= {f"{p}_Sum": expect(stream)} | labels(f"{p}_Sum", tokens, dims)
        ranges, stream = tower.norm(r, f"{p}_Input", stream, f"{tower.sheet.id}_Input")
        found |= ranges
    found[f"{p}_Input"] = expect(stream)
    return Pass(found | labels(f"{p}_Input", tokens, dims), stream)


def layer(
    tower: Tower, r: Rounding, p: str, k: int, stream: NoisyArray, seen: Visibility, memory: Memory | None
) -> Pass:
    """One layer: attention, perhaps attention across, feed-forward, each with its residual and its norm."""
    s, q, w, scale = tower.sheet.settings, f"{p}_l{k}", f"{tower.w}_l{k}", scale_of(tower)
    found: Ranges = {}
    drifts = [0.0]

    def attend(x: NoisyArray) -> NoisyArray:
        weights = tower.attention(w)
        ranges, out, drift = multi_head_of(r, q, x, x, weights, scale, seen, tower.places.rotary)
        found.update(ranges | weights.parts(w))
        drifts.append(drift)
        return out

    def attend_across(x: NoisyArray) -> NoisyArray:
        if memory is None:
            raise ValueError(say("a decoder that looks across needs a source"))
        weights, n = tower.attention(f"{w}_Cross"), len(x.clean)
        allowed = None if memory.exists is None else np.tile(memory.exists, (n, 1))
        across = Visibility(allowed, triangle=False, queries=seen.queries, keys=memory.words)
        made = multi_head_of(r, f"{q}_Cross", x, memory.Output, weights, scale, across, None)
        found.update(made[0] | weights.parts(f"{w}_Cross"))
        drifts.append(made[2])
        return made[1]

    def think(x: NoisyArray) -> NoisyArray:
        weights = tower.feed_forward(w)
        ranges, out = feed_forward(r, q, x, weights, s["activation"], seen.queries)
        found.update(ranges)
        return out

    if "only" in s:
        ranges, x = (
            tower.norm(r, f"{q}_Norm1", stream, f"{w}_Norm1") if s["residual"] == "pre-norm" else ({}, stream)
        )
        found |= ranges | (labels(f"{q}_Norm1", seen.queries) if ranges else {})
        attend(x)
        return Pass(found | drift_of(q, float(np.max(drifts))), stream)
    for i, part in enumerate([attend, *([attend_across] if tower.cross else []), think], 1):
        pre, B = s["residual"] == "pre-norm", f"{q}_Norm{i}"
        ranges, x = tower.norm(r, B, stream, f"{w}_Norm{i}") if pre else ({}, stream)
        stream = r.total(stream, part(x))
        found |= {f"{q}_Residual{i}": expect(stream)} | labels(f"{q}_Residual{i}", seen.queries)
        if not pre:
            ranges, stream = tower.norm(r, B, stream, f"{w}_Norm{i}")
        found |= ranges | labels(B, seen.queries)
    return Pass(found | drift_of(q, float(np.max(drifts))), stream)


def run(
    tower: Tower, r: Rounding, p: str, tokens: Array, seen: Visibility, memory: Memory | None = None
) -> Pass:
    """The whole tower over some tokens, (n, 1): from X to Output."""
    s = tower.sheet.settings
    found, stream, _ = entered(tower, r, p, tokens)
    found, depths = dict(found), [stream]
    for k in tower.numbers:
        entering = tower.stream(p, k, stream, len(tokens))
        if entering is not stream:
            found |= labels(f"{p}_l{k}_Input", tokens)
        ranges, stream, _ = layer(tower, r, p, k, entering, seen, memory)
        depths.append(stream)
        found |= ranges
    if "only" in s:
        return Pass(found, stream)
    if s["final_norm"]:
        ranges, stream = tower.norm(r, f"{p}_Output", stream, f"{tower.w}_Output")
        found |= ranges
    found[f"{p}_Output"] = expect(stream)
    found |= labels(f"{p}_Output", tokens, tower.inputs["vocab_Dims"])
    return Pass(found, stream, tuple(depths))


def followed(x: NoisyArray, amplification: float) -> Sized:
    """An Output as a comparing sheet takes it: no cell is surer than the range is."""
    return (
        Sized(x.clean, np.where(x.size > 0, x.size.max(), 0.0))
        if math.isfinite(amplification)
        else Sized(x.clean, np.full(x.size.shape, math.inf))
    )


def sure_top_k(sheet: SheetInfo, n_vocab: int) -> int:
    """How many of the largest logits a model shows.

    Raises:
        ShapesDisagree: the vocabulary has fewer words.
    """
    k = int(sheet.settings["top_k"])
    if k > n_vocab:
        raise ShapesDisagree("vocab_Tokens", rows=n_vocab, sheet_id=sheet.id, k=k)
    return k
