"""One layer of a Transformer: attention, cross-attention where there is one, feed-forward; norms, residuals.

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
    """A layer in one sentence.

    Attributes:
        sheet: the model's settings.
        lane: the sentence.
        p: what the ranges' names begin with, ``<sheet>_<context>_l1``.
        w: what the weights' names begin with, ``<sheet>_l1``.
        stream: the range that comes in.
        d_model: its columns.
        memory: the other sentence and the range of its encoder's output, where there is cross-attention.
        heads: the numbers of the heads, where nothing but some heads is wanted.
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
        """All sublayers, each with its norm and residual, and the check of the attention's rows.

        Where only some heads are wanted, these are all.
        """
        if self.heads:
            x, before = self.stream, {}
            if self.sheet.residual == "pre-norm":
                x = self.p["Norm1"]
                before = norm_step(self.sheet, self.lane, x, self.w["Norm1"], self.stream, self.d_model)
            found = before | some_heads(self._attending(x), self.heads)
            return found | drift(self.lane, self.p, found)
        sublayers = [self._attention, *([self._cross] if self.memory else []), self._feed_forward]
        steps: Steps = {}
        stream = self.stream
        for i, sublayer in enumerate(sublayers, 1):
            found, stream = self._sublayer(i, stream, sublayer)
            steps |= found
        return steps | drift(self.lane, self.p, steps)

    @property
    def leaves(self) -> str:
        """The range that it leaves: what the next layer reads."""
        last = 3 if self.memory else 2
        return self.p[f"{'Residual' if self.sheet.residual == 'pre-norm' else 'Norm'}{last}"]

    def _sublayer(
        self, i: int, stream: str, sublayer: Callable[[str], tuple[Steps, str]]
    ) -> tuple[Steps, str]:
        """A sublayer with its norm before it (pre-norm) or after the residual (post-norm)."""
        name, weights = self.p[f"Norm{i}"], self.w[f"Norm{i}"]
        added = self.p[f"Residual{i}"]
        if self.sheet.residual == "pre-norm":
            found, result = sublayer(name)
            norm = norm_step(self.sheet, self.lane, name, weights, stream, self.d_model)
            return norm | found | self._residual(added, stream, result), added
        found, result = sublayer(stream)
        norm = norm_step(self.sheet, self.lane, name, weights, added, self.d_model)
        return found | self._residual(added, stream, result) | norm, name

    def _residual(self, name: str, stream: str, found: str) -> Steps:
        block = self.lane.block(name, self.d_model, ops.RESIDUAL, "embedding", stream=stream, found=found)
        return {_short(name): step(ops.RESIDUAL, self.lane, self.lane.group(block))}

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
        """Hidden = x W_1 + b_1, its activation, and back to d_model by W_2 + b_2."""
        sheet, lane, p = self.sheet, self.lane, self.p
        steps: Steps = {}

        def linear(name: str, read: str, number: int, cols: int, op: ops.Op, biased: ops.Op) -> None:
            back = name == "FeedForward"  # W_2 reads the activation, and gives d_model columns
            names = {"h" if back else "x": read, "w": self.w[f"W_{number}"]}
            if sheet.bias:
                op, names = biased, {**names, "b": self.w[f"b_{number}"]}
            block = lane.block(p[name], cols, op, "embedding", **names)
            labels = None if back else numbered("f", cols)
            steps[name] = step(op, lane, lane.group(block, labels))

        linear("Hidden", x, 1, sheet.d_ff, ops.HIDDEN, ops.HIDDEN_BIASED)
        names = {"h": p["Hidden"]}
        if sheet.gated:
            linear("Up", x, 3, sheet.d_ff, ops.UP, ops.UP_BIASED)
            names["up"] = p["Up"]
        op = ops.ACTIVATIONS[sheet.activation]
        block = lane.block(p["Activation"], sheet.d_ff, op, "embedding", **names)
        steps["Activation"] = step(op, lane, lane.group(block, numbered("f", sheet.d_ff)))
        linear("FeedForward", block.name, 2, self.d_model, ops.FEED_FORWARD, ops.FEED_FORWARD_BIASED)
        return steps, p["FeedForward"]


def _short(name: str) -> str:
    """A range's last part, as a title says it."""
    return last(name)


# --- weights -----------------------------------------------------------------------------------------------


def layer_weights(
    sheet: Model, w: RangeName, d_model: int, *, crossed: bool, heads: tuple[int, ...] = ()
) -> list[Band]:
    """All that one layer has learned, or some of its heads; ``w`` begins the names, ``<sheet>_l1``."""
    norms = [
        at for at in map(weight, sheet.weights) if (at.side, at.layer) == (w.side, w.layer) and at.is_of_norm
    ]
    if heads:
        first = [at for at in norms if at.block == "Norm1"]
        outer = [norm_weights(sheet, first)] if first else []
        return [head_weights(sheet, w, heads), *outer, *_norms_of_heads(sheet, norms)]
    found = [_titled(band, "Attention: {title}") for band in attention_weights(sheet, w, d_model)]
    if crossed:
        cross = attention_weights(sheet, w.at(cross=True), d_model)
        found += [_titled(band, "Cross-attention: {title}") for band in cross]
    groups = []
    for number in ("1", "3", "2") if sheet.gated else ("1", "2"):
        letters = ("W", "b") if sheet.bias else ("W",)
        names = [w.at(block=f"{letter}_{number}") for letter in letters]
        groups += [_weight(sheet, name, "f" if number == "2" else "x") for name in names]
    why = "Every token passes through the same products; no token looks at another here."
    found.append(Band("Feed-forward weights", why, tuple(groups), shared=True, show_formula=False))
    own = [at for at in norms if at.block not in NORMS_OF_HEADS]
    return [*found, norm_weights(sheet, own), *_norms_of_heads(sheet, norms)]


def _norms_of_heads(sheet: Model, norms: Sequence[RangeName]) -> list[Band]:
    """γ of the norms of queries and keys (1 × d_k), where there are such norms."""
    own = [at for at in norms if at.block in NORMS_OF_HEADS]
    return [replace(norm_weights(sheet, own), title="Norm weights of queries and keys")] if own else []


def _weight(sheet: Model, at: RangeName, letter: str) -> Group:
    block = learned(sheet, at)
    labels = ("+",) if at.is_bias else numbered(letter, block.rows)
    return Group((block,), (labels,), title=at.block)


def _titled(band: Band, sentence: str) -> Band:
    return replace(band, title=_of(sentence, f"{band.title[0].lower()}{band.title[1:]}"))


def _of(sentence: str, title: str) -> Phrase:
    return say(sentence, title=say(title))
