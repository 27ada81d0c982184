"""A layer of a Transformer: attention, cross-attention, feed-forward, norms, residuals.

Vaswani et al. 2017, section 3.1 (post-norm); Xiong et al. 2020 (pre-norm); Ba et al. 2016 (layer norm); Zhang
and Sennrich 2019 (RMS norm); Shazeer 2020 (gates).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from xlsxattn.builder import ops
from xlsxattn.builder.graph import Band, Group
from xlsxattn.builder.pages.attention import (
    Attending,
    attention_weights,
    drift,
    head_weights,
    many_heads,
    some_heads,
)
from xlsxattn.builder.pages.norms import norm_step, norm_weights
from xlsxattn.builder.pages.parts import Lane, learned, numbered, step
from xlsxattn.contract.kinds import PADDING, Model
from xlsxattn.contract.names import RangeName, last, weight
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from xlsxattn.builder.pages.parts import Steps
    from xlsxattn.language import Phrase

NORMS_OF_HEADS = ("QNorm", "KNorm")


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer, for one sentence.

    Attributes:
        sheet: the model's settings.
        lane: the sentence.
        p: prefix of the ranges' names, ``<sheet>_<context>_l1``.
        w: prefix of the weights' names, ``<sheet>_l1``.
        stream: the input of the layer, n × d_model.
        d_model: columns of the input.
        memory: the encoder's sentence and output, for cross-attention.
        heads: the selected heads, if only heads are shown.
    """

    sheet: Model
    lane: Lane
    p: RangeName
    w: RangeName
    stream: str
    d_model: int
    memory: tuple[Lane, str] | None = None
    heads: tuple[int, ...] = ()

    def steps(self) -> Steps:
        """All sublayers with norms and residuals, and the check of the attention's row sums.

        Only the selected heads if there is a selection.
        """
        if self.heads:
            x, before = self.stream, {}
            if self.sheet.residual == "pre-norm":
                x = self.p["Norm1"]
                before = norm_step(self.sheet, self.lane, x, self.w["Norm1"], self.stream, self.d_model)
            heads = before | some_heads(self._attending(x), self.heads)
            return heads | drift(self.lane, self.p, heads)
        sublayers = [self._attention, *([self._cross] if self.memory else []), self._feed_forward]
        steps: Steps = {}
        stream = self.stream
        for i, sublayer in enumerate(sublayers, 1):
            sublayer_steps, stream = self._sublayer(i, stream, sublayer)
            steps |= sublayer_steps
        return steps | drift(self.lane, self.p, steps)

    @property
    def output(self) -> str:
        """The output of the layer, and input of the next one, n × d_model."""
        last = 3 if self.memory else 2
        return self.p[f"{'Residual' if self.sheet.residual == 'pre-norm' else 'Norm'}{last}"]

    def _sublayer(
        self, i: int, stream: str, sublayer: Callable[[str], tuple[Steps, str]]
    ) -> tuple[Steps, str]:
        """A sublayer, with its norm before it (pre-norm) or after the residual (post-norm)."""
        name, weights = self.p[f"Norm{i}"], self.w[f"Norm{i}"]
        added = self.p[f"Residual{i}"]
        if self.sheet.residual == "pre-norm":
            steps, result = sublayer(name)
            norm = norm_step(self.sheet, self.lane, name, weights, stream, self.d_model)
            return norm | steps | self._residual(added, stream, result), added
        steps, result = sublayer(stream)
        norm = norm_step(self.sheet, self.lane, name, weights, added, self.d_model)
        return steps | self._residual(added, stream, result) | norm, name

    def _residual(self, name: str, stream: str, added: str) -> Steps:
        """Residual = stream + added (n × d_model)."""
        block = self.lane.block(
            name, self.d_model, ops.layers.RESIDUAL, "embedding", stream=stream, found=added
        )
        return {last(name): step(ops.layers.RESIDUAL, self.lane, self.lane.group(block))}

    def _attention(self, x: str) -> tuple[Steps, str]:
        return many_heads(self._attending(x), "MultiHead", "embedding", dims=False), self.p["MultiHead"]

    def _attending(self, x: str) -> Attending:
        masked = self.sheet.mask != "none" or self.memory is not None
        mask = self.lane.prefix["Mask"] if masked and not self.lane.growing else ""
        rotary = self.lane.prefix if self.sheet.position == "rotary" else None
        p, w = self.p, self.w
        return Attending(
            self.sheet, self.lane, self.lane, p, p, w, x, x, self.d_model, mask=mask, rotary=rotary
        )

    def _cross(self, x: str) -> tuple[Steps, str]:
        assert self.memory is not None
        keys, memory = self.memory
        p, w = self.p.at(cross=True), self.w.at(cross=True)
        mask = self.lane.prefix["CrossMask"] if self.sheet.mask in PADDING else ""
        a = Attending(self.sheet, self.lane, keys, p, p, w, x, memory, self.d_model, mask=mask)
        steps = many_heads(a, "MultiHead", "embedding", dims=False)
        named = {
            f"Cross_{k}": s._replace(title=_of("Cross-attention. {title}", s.title)) for k, s in steps.items()
        }
        return named, p["MultiHead"]

    def _feed_forward(self, x: str) -> tuple[Steps, str]:
        """Hidden = x W_1 + b_1 and its activation (n × d_ff), times W_2, plus b_2 (n × d_model)."""
        sheet, lane, p = self.sheet, self.lane, self.p
        steps: Steps = {}

        def linear(name: str, source: str, number: int, cols: int, op: ops.Op, biased: ops.Op) -> None:
            back = name == "FeedForward"  # n × d_ff → n × d_model
            names = {"h" if back else "x": source, "w": self.w[f"W_{number}"]}
            if sheet.bias:
                op, names = biased, {**names, "b": self.w[f"b_{number}"]}
            block = lane.block(p[name], cols, op, "embedding", **names)
            steps[name] = step(op, lane, lane.group(block, numbered("x" if back else "f", cols)))

        linear("Hidden", x, 1, sheet.d_ff, ops.layers.HIDDEN, ops.layers.HIDDEN_BIASED)
        names = {"h": p["Hidden"]}
        if sheet.gated:
            linear("Up", x, 3, sheet.d_ff, ops.layers.UP, ops.layers.UP_BIASED)
            names["up"] = p["Up"]
        op = ops.layers.ACTIVATIONS[sheet.activation]
        block = lane.block(p["Activation"], sheet.d_ff, op, "embedding", **names)
        steps["Activation"] = step(op, lane, lane.group(block, numbered("f", sheet.d_ff)))
        linear(
            "FeedForward",
            block.name,
            2,
            self.d_model,
            ops.layers.FEED_FORWARD,
            ops.layers.FEED_FORWARD_BIASED,
        )
        return steps, p["FeedForward"]


# --- weights -----------------------------------------------------------------------------------------------


def layer_weights(
    sheet: Model, w: RangeName, d_model: int, *, crossed: bool, heads: tuple[int, ...] = ()
) -> list[Band]:
    """The weights of a layer, or of some of its heads; ``w`` is the prefix of their names."""
    names = [name for name in map(weight, sheet.weights) if (name.side, name.layer) == (w.side, w.layer)]
    norms = [name for name in names if name.is_of_norm]
    if heads:
        first = [name for name in norms if name.block == "Norm1"]
        norm = [norm_weights(sheet, first)] if first else []
        return [head_weights(sheet, w, heads), *norm, *_norms_of_heads(sheet, norms)]
    weight_bands = [_titled(band, "Attention: {title}") for band in attention_weights(sheet, w, d_model)]
    if crossed:
        cross = attention_weights(sheet, w.at(cross=True), d_model)
        weight_bands += [_titled(band, "Cross-attention: {title}") for band in cross]
    groups = []
    for number in ("1", "3", "2") if sheet.gated else ("1", "2"):
        kinds = ("W", "b") if sheet.bias else ("W",)
        blocks = [w.at(block=f"{kind}_{number}") for kind in kinds]
        letters = ("f", "x") if number == "2" else ("x", "f")
        groups += [_weight(sheet, name, *letters) for name in blocks]
    why = "Every token passes through the same products, independently of the others."
    weight_bands.append(Band("Feed-forward weights", why, tuple(groups), shared=True, show_formula=False))
    outer = [name for name in norms if name.block not in NORMS_OF_HEADS]
    return [*weight_bands, norm_weights(sheet, outer), *_norms_of_heads(sheet, norms)]


def _norms_of_heads(sheet: Model, norms: Sequence[RangeName]) -> list[Band]:
    """γ of the norms of queries and keys (1 × d_k), if there are any."""
    inner = [name for name in norms if name.block in NORMS_OF_HEADS]
    if not inner:
        return []
    return [replace(norm_weights(sheet, inner, ""), title="Norm weights of queries and keys")]


def _weight(sheet: Model, name: RangeName, down: str, across: str) -> Group:
    """A weight or bias of the feed-forward; ``down`` and ``across``: letters of its rows and columns."""
    block = learned(sheet, name)
    labels = ("+",) if name.is_bias else numbered(down, block.rows)
    return Group((block,), (labels,), numbered(across, block.cols), title=name.block)


def _titled(band: Band, sentence: str) -> Band:
    return replace(band, title=_of(sentence, f"{band.title[0].lower()}{band.title[1:]}"))


def _of(sentence: str, title: str) -> Phrase:
    return say(sentence, title=say(title))
