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
    d_model, n_heads = inputs["vocab_E"].shape[1], heads or 1
    groups = n_heads if kv_heads is None else kv_heads
    queries, keys, values = (linear(w, letter, d_model, "vocab_E", inputs, bias=bias) for letter in PROJECTED)
    if groups == n_heads:
        shaped(inputs, f"{w}_W_K", None, queries.W.shape[1], f"{w}_W_Q")
    kind = "h" if groups == heads else "g"
    Q = _split(f"{w}_W_Q", queries, _names("h", heads))
    K = _split(f"{w}_W_K", keys, _names(kind, heads and groups))
    V = _split(f"{w}_W_V", values, _names(kind, heads and groups))
    d_k, width, d_v = (next(iter(part.values())).W.shape[1] for part in (Q, K, V))
    if d_k != width:
        shaped(inputs, f"{w}_W_K", None, d_k * groups, f"{w}_W_Q")
    # head k reads the keys and values of group ⌈k · groups / heads⌉
    group = {name: list(K)[-(-k * groups // n_heads) - 1] for k, name in enumerate(Q, 1)}
    if heads is None:
        return Projections(Q, K, V, group)
    shaped(inputs, f"{w}_W_O", d_v * n_heads, None, f"{w}_W_V")
    shaped(inputs, f"{w}_W_O", None, d_model, "vocab_E")
    return Projections(Q, K, V, group, linear(w, "O", None, "", inputs, bias=bias))


def _names(kind: str, number: int | None) -> list[str]:
    """What parts are called behind their sheet: _h1, _h2, ...; nothing where there is only one."""
    return [""] if number is None else [f"_{kind}{j}" for j in range(1, number + 1)]


def _split(name: str, whole: Linear, names: Sequence[str]) -> dict[str, Linear]:
    """A matrix (d_model × parts·d) and its bias, cut into parts of d columns."""
    rows, cols = whole.W.shape
    if cols % len(names):
        raise ShapesDisagree(name, shape=shape_text(rows, cols), rows=rows, heads=len(names))
    W = np.split(whole.W, len(names), axis=1)
    b = [None] * len(names) if whole.b is None else np.split(whole.b, len(names), axis=1)
    return {part: Linear(own, added) for part, own, added in zip(names, W, b, strict=True)}
