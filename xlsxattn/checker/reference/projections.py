"""How learned weights are shared out among heads and groups of heads.

Sources: Vaswani et al. 2017, §3.2.2 (heads); Ainslie et al. 2023, "GQA" (groups of queries that share keys).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from xlsxattn.checker.findings import shape_text
from xlsxattn.checker.reference.attention import PROJECTED
from xlsxattn.checker.reference.words import ShapesDisagree, constant, shaped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlsxattn.checker.reference.attention import Array, Ranges
    from xlsxattn.checker.reference.words import Inputs


class Linear(NamedTuple):
    """x W + b: W is (d, m), b is (1, m) or None."""

    W: Array
    b: Array | None = None


class Projections(NamedTuple):
    """W^Q, W^K, W^V by head ("_h1" ...) or group ("_g1" ...), each head's group, and W^O.

    A sheet with a single head has "" for its only head.
    """

    Q: dict[str, Linear]
    K: dict[str, Linear]
    V: dict[str, Linear]
    group: dict[str, str]
    out: Linear | None = None

    def parts(self, w: str) -> Ranges:
        """The names over a head's or a group's columns of the weights and biases."""
        found: Ranges = {}
        for letter in PROJECTED:
            for part, (W, b) in getattr(self, letter).items():
                if part:
                    found[f"{w}{part}_W_{letter}"] = constant(W)
                    found |= {} if b is None else {f"{w}{part}_b_{letter}": constant(b)}
        return found

    @property
    def d_k(self) -> int:
        """Columns of one head's keys."""
        return int(next(iter(self.K.values())).W.shape[1])

    @property
    def d_v(self) -> int:
        """Columns of one head's values."""
        return int(next(iter(self.V.values())).W.shape[1])


def linear(w: str, letter: str, rows: int | None, why: str, inputs: Inputs, *, bias: bool) -> Linear:
    """W and, with bias, b of one linear layer, whose names end alike."""
    W = shaped(inputs, f"{w}_W_{letter}", rows, None, why)
    return Linear(W, shaped(inputs, f"{w}_b_{letter}", 1, W.shape[1]) if bias else None)


def of_heads(w: str, heads: Sequence[int], inputs: Inputs, *, bias: bool) -> Projections:
    """The weights of some heads by their numbers, each with matrices of its own and without W^O.

    Raises:
        ShapesDisagree: the matrices do not fit the embeddings or each other.
    """
    d_model = inputs["vocab_E"].shape[1]
    split: list[dict[str, Linear]] = [
        {f"_h{h}": linear(f"{w}_h{h}", letter, d_model, "vocab_E", inputs, bias=bias) for h in heads}
        for letter in PROJECTED
    ]
    for h in heads:
        shaped(inputs, f"{w}_h{h}_W_K", None, split[0][f"_h{h}"].W.shape[1], f"{w}_h{h}_W_Q")
    return Projections(split[0], split[1], split[2], {f"_h{h}": f"_h{h}" for h in heads})


def projections(
    w: str, heads: int | None, inputs: Inputs, *, kv_heads: int | None = None, bias: bool = False
) -> Projections:
    """The weights `<w>_W_Q`, `_W_K`, `_W_V`, `_W_O` by head; heads None: a single one without W^O.

    Raises:
        ShapesDisagree: the matrices do not fit the embeddings, the heads or each other.
    """
    many, d_model = heads is not None, inputs["vocab_E"].shape[1]
    groups = (heads or 1) if kv_heads is None else kv_heads
    whole = [linear(w, letter, d_model, "vocab_E", inputs, bias=bias) for letter in PROJECTED]
    if groups == (heads or 1):
        shaped(inputs, f"{w}_W_K", None, whole[0].W.shape[1], f"{w}_W_Q")
    split = []
    for letter, part, number in zip(PROJECTED, whole, (heads or 1, groups, groups), strict=True):
        if part.W.shape[1] % number:
            shape = shape_text(d_model, part.W.shape[1])
            raise ShapesDisagree(f"{w}_W_{letter}", shape=shape, rows=d_model, heads=number)
        kind = "g" if groups != heads and letter != "Q" else "h"
        names = [f"_{kind}{j + 1}" if many else "" for j in range(number)]
        W = np.split(part.W, number, axis=1)
        b: list[Array] | list[None] = [None] * number if part.b is None else np.split(part.b, number, axis=1)
        split.append({name: Linear(own, added) for name, own, added in zip(names, W, b, strict=True)})
    widths = [next(iter(part.values())).W.shape[1] for part in split]
    if widths[0] != widths[1]:
        shaped(inputs, f"{w}_W_K", None, widths[0] * groups, f"{w}_W_Q")
    group = {q: list(split[1])[-(-(k * groups) // (heads or 1)) - 1] for k, q in enumerate(split[0], 1)}
    if not many:
        return Projections(split[0], split[1], split[2], group)
    shaped(inputs, f"{w}_W_O", widths[2] * (heads or 1), None, f"{w}_W_V")
    shaped(inputs, f"{w}_W_O", None, d_model, "vocab_E")
    return Projections(split[0], split[1], split[2], group, linear(w, "O", None, "", inputs, bias=bias))
