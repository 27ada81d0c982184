"""The ranges of the forward and backward passes of all steps of a training.

`learning` computes the numbers; this module adds the Σ|terms| of each, which bound the rounding errors.
Shapes: S steps, E examples, H heads, T words of an example, N words of all examples.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from xlsxattn.checker.reference.attention import Expected, Sized, given, numbers
from xlsxattn.checker.reference.learning import (
    attention_gradient,
    by_head,
    forward,
    gradients,
    in_parts,
    losses,
    side_by_side,
    summed,
)
from xlsxattn.contract.values import MASK_VALUE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import TypeAlias

    from xlsxattn.checker.reference.attention import Array, Ranges
    from xlsxattn.checker.reference.learning import Blocks, Lesson

    Called: TypeAlias = Callable[[str, int], str]
    """The name of a block's range for a head (from 0), or −1 for no head."""

WHOLE = -1
"""Used instead of the number of a head: all heads together."""


def stacked(values: Array, sizes: Array | None = None, amplification: float = 1.0) -> Expected:
    """Bands below each other, from (S, rows, columns), with their Σ|terms|."""
    rows = values.reshape(-1, values.shape[-1])
    return numbers(given(rows) if sizes is None else Sized(rows, sizes.reshape(rows.shape)), amplification)


def summed_in(both: tuple[Array, Array], part: slice, amplification: float = 1.0) -> Expected:
    """A part of the bands of numbers and of their sizes."""
    return stacked(both[0][part], both[1][part], amplification)


@dataclass(frozen=True)
class Pass:
    """The passes with S sets of weights of shape (S, rows, columns)."""

    lesson: Lesson
    weights: Mapping[str, Array]
    learns: Sequence[str]

    @cached_property
    def blocks(self) -> Blocks:
        """The blocks of the forward pass."""
        return self._attending(forward(self.lesson, self.weights), self.values)

    @cached_property
    def sizes(self) -> Blocks:
        """Σ|terms| of these blocks."""
        lesson = replace(self.lesson, X=np.abs(self.lesson.X), Asked=np.abs(self.lesson.Asked))
        magnitudes = {name: np.abs(W) for name, W in self.weights.items()}
        sizes = forward(lesson, magnitudes | {"Attention": self.blocks["Attention"]})
        return self._attending(sizes, self.of_all("W_V", size=True))

    def _attending(self, blocks: Blocks, V: Array) -> Blocks:
        """The same where a completely masked row attends equally to all words, of values V."""
        blind = ~self.lesson.seen.any(axis=1)
        if not blind.any():
            return blocks
        blocks["Heads"][:, blind] = V.mean(axis=1)[:, None]
        return forward(self.lesson, {name: x for name, x in blocks.items() if name != "Output"})

    @cached_property
    def values(self) -> Array:
        """The values of all words, (S, N, H, d_v)."""
        return self.of_all("W_V")

    @cached_property
    def largest(self) -> Array:
        """The largest Σ|terms| of a score in each set, (S,), which amplifies rounding errors."""
        return np.asarray(self.sizes["Scaled"].max(axis=(1, 2, 3)))

    def of_all(self, m: str, *, size: bool = False) -> Array:
        """X W_m of all words, (S, N, H, d), or its Σ|terms|."""
        X, W = self.lesson.X, self.weights[m]
        X, W = (np.abs(X), np.abs(W)) if size else (X, W)
        return by_head(X @ W, self.lesson.heads)

    def wide(self, x: Array, fill: float = 0.0) -> Array:
        """(S, E, T) as (S, E, N), with `fill` where masked."""
        columns, there = self.lesson.places
        found = np.full((*x.shape[:2], len(self.lesson.X)), fill)
        np.put_along_axis(found, columns[None], np.where(there, x, fill), axis=2)
        return found

    def tall(self, x: Array) -> Array:
        """(S, E, H, T, d) as (S, N, H d): each word is unmasked in at most one row, that of its example."""
        columns, there = self.lesson.places
        found = np.zeros((len(x), len(self.lesson.X), *x.shape[2::2]))
        for e, t in zip(*np.nonzero(there), strict=True):
            found[:, columns[e, t]] = x[:, e, :, t]
        return side_by_side(found)

    def once(self, called: Called) -> Ranges:
        """Q, K and V of matrices that are not learned."""
        return {
            called(letter, WHOLE): summed_in(self.projected(letter), slice(1))
            for letter in "QKV"
            if f"W_{letter}" not in self.learns
        }

    def projected(self, letter: str) -> tuple[Array, Array]:
        """Q of the target words, K or V of all words, and their sizes."""
        if letter == "Q":
            return side_by_side(self.blocks["Q"]), side_by_side(self.sizes["Q"])
        name = f"W_{letter}"
        return side_by_side(self.of_all(name)), side_by_side(self.of_all(name, size=True))

    def forward(self, called: Called, part: slice) -> Ranges:
        """The forward pass of some sets of weights; `called` names its ranges."""
        ranges, blocks, sizes, lesson = {}, self.blocks, self.sizes, self.lesson
        M = float(self.largest[part].max())
        for letter in (m[-1] for m in ("W_Q", "W_K", "W_V") if m in self.learns):
            ranges[called(letter, WHOLE)] = summed_in(self.projected(letter), part)
        blind = ~lesson.seen.any(axis=1)
        for h in range(lesson.heads):
            scaled, size = blocks["Scaled"][part, :, h], sizes["Scaled"][part, :, h]
            Masked, size = self.wide(scaled, MASK_VALUE), self.wide(size)
            RowMax = Masked.max(axis=2, keepdims=True)
            Attention = self.wide(blocks["Attention"][part, :, h])
            Attention[:, blind] = 1 / len(lesson.X)
            ranges[called("Masked", h)] = stacked(Masked, size)
            ranges[called("RowMax", h)] = stacked(RowMax, size.max(axis=2, keepdims=True))
            ranges[called("Exp", h)] = stacked(np.exp(Masked - RowMax), amplification=M)
            ranges[called("Attention", h)] = stacked(Attention, amplification=M)
        if "W_O" in self.weights:
            Concat = side_by_side(blocks["Heads"]), side_by_side(sizes["Heads"])
            ranges[called("Concat", WHOLE)] = summed_in(Concat, part, M)
        Output, size = blocks["Output"][part], sizes["Output"][part]
        there, far = lesson.present[:, None], size + np.abs(lesson.Targets)
        ranges[called("Output", WHOLE)] = stacked(Output, size, M)
        ranges[called("Error", WHOLE)] = stacked((Output - lesson.Targets) * there, far * there, M)
        Loss = losses(lesson, Output).sum(axis=1)[:, None]  # (S, 1)
        squares = summed("seo,seo,e->s", far, far, lesson.present / lesson.count)[:, None]
        return ranges | {called("Loss", WHOLE): stacked(Loss, squares, M)}

    @cached_property
    def inner(self) -> list[str]:
        """The blocks with a gradient, from the output back to the learned matrices."""
        inner = ["Output", *(["Heads"] if "W_O" in self.weights and {*self.learns} - {"W_O"} else [])]
        inner += ["Scaled", "Scores"] if self.attends else []
        return inner + [m[-1] for m in self.learns if m != "W_O"]

    @cached_property
    def attends(self) -> bool:
        """Whether the attention weights depend on a learned matrix."""
        return bool({"W_Q", "W_K"} & {*self.learns})

    @cached_property
    def gradients(self) -> Blocks:
        """The gradients of these blocks and of the learned matrices, for all sets of weights at once."""
        return gradients(self.lesson, self.blocks, [*self.inner, *self.learns])

    @cached_property
    def by_attention(self) -> list[Array]:
        """The gradient of each head's attention at all words, (S, E, N)."""
        lesson, blocks, V = self.lesson, self.blocks, self.values
        each = len(lesson.X) * blocks["Heads"][0].size
        return [
            in_parts(blocks, each, lambda p, h=h: attention_gradient(lesson, of(blocks, p), V[p], h))  # type: ignore[misc]
            for h in range(lesson.heads)
        ]

    def backward(self, called: Called, part: slice) -> Ranges:
        """The backward pass of some sets of weights, up to the learned matrices."""
        M, slopes, sizes = float(self.largest[part].max()), of(self.gradients, part), self.slopes(part)
        names = {"Heads": "dConcat", **{m: f"d{m}" for m in slopes if m != "Heads"}}
        shaped: dict[str, Callable[[Array], Array]] = {"Heads": side_by_side, "Q": side_by_side}
        shaped |= {"K": self.tall, "V": self.tall}
        ranges: Ranges = {}
        for name in slopes:
            if name in ("Scaled", "Scores"):
                continue
            shape = shaped.get(name, np.asarray)
            ranges[called(names[name], WHOLE)] = stacked(shape(slopes[name]), shape(sizes[name]), M)
        for h in range(self.lesson.heads) if self.attends else ():
            ranges[called("dAttention", h)] = stacked(
                self.by_attention[h][part], sizes["Attention"][:, :, h], M
            )
            for name in ("Scaled", "Scores"):
                wide, size = (self.wide(x[name][:, :, h]) for x in (slopes, sizes))
                ranges[called(names[name], h)] = stacked(wide, size, M)
        return ranges

    def slopes(self, part: slice) -> Blocks:
        """Σ|terms| of the gradients, which bound their rounding errors."""
        lesson, A, size = self.lesson, self.blocks["Attention"][part], of(self.sizes, part)
        far, counted = size["Output"] + np.abs(lesson.Targets), 2 * lesson.present / lesson.count
        found = {"Output": far * counted[:, None]}  # (S, E, d_out)
        back = found["Output"]
        if "W_O" in self.weights:
            back = summed("seo,sco->sec", back, np.abs(self.weights["W_O"][part]))
            found["W_O"] = summed("sec,seo->sco", side_by_side(size["Heads"]), found["Output"])
        found["Heads"] = by_head(back, lesson.heads)  # (S, E, H, d_v)
        found["Attention"] = summed("sehv,snhv->sehn", found["Heads"], self.of_all("W_V", size=True)[part])
        own = summed("sehv,sehtv->seht", found["Heads"], size["V"])
        found["Scaled"] = A * (own + (A * own).sum(axis=3, keepdims=True))
        found["Scores"] = found["Scaled"] / lesson.scale
        found["Q"] = summed("seht,sehtk->sehk", found["Scores"], size["K"])
        found["K"] = summed("seht,sehk->sehtk", found["Scores"], size["Q"])
        found["V"] = summed("seht,sehv->sehtv", A, found["Heads"])
        asked, words = np.abs(lesson.Asked), np.abs(lesson.words)
        weights = {"W_Q": summed("ed,sehk->sdhk", asked, found["Q"])}
        weights |= {f"W_{x}": summed("etd,sehtk->sdhk", words, found[x]) for x in "KV"}
        return found | {name: side_by_side(x) for name, x in weights.items()}


def of(blocks: Mapping[str, Array], part: slice) -> Blocks:
    """A part of the sets of all blocks."""
    return {name: x[part] for name, x in blocks.items()}
