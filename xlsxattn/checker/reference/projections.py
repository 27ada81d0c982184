"""The learned weights of attention by head and group of heads.

Sources: Vaswani et al. 2017, §3.2.2 (heads); Ainslie et al. 2023, "GQA" (grouped-query attention).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from xlsxattn.checker.findings import shape_text
from xlsxattn.checker.reference.attention import PROJECTED
from xlsxattn.checker.reference.words import ShapesDisagree, constant, shaped
from xlsxattn.contract.names import RangeName

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlsxattn.checker.reference.attention import Array, Ranges
    from xlsxattn.checker.reference.words import Inputs


BIASED = "QKVO123"
"""The letters of the linear layers that may have a bias."""

ALONE = RangeName()
"""The single head of a sheet whose range names have no head."""


class Linear(NamedTuple):
    """x W + b: W is (..., d, m), b is (..., 1, m) or None."""

    W: Array
    b: Array | None = None


class Projections(NamedTuple):
    """W^Q, W^K, W^V by head or group, such as ``RangeName(head=1)``, the group of each head, and W^O.

    The single head of a sheet without numbered heads is ``ALONE``.
    """

    Q: dict[RangeName, Linear]
    K: dict[RangeName, Linear]
    V: dict[RangeName, Linear]
    group: dict[RangeName, RangeName]
    out: Linear | None = None

    def parts(self, w: RangeName) -> Ranges:
        """The ranges of each head's or group's columns of weights and biases."""
        found: Ranges = {}
        for letter in PROJECTED:
            for part, (W, b) in getattr(self, letter).items():
                if part != ALONE:
                    found[w.under(part)[f"W_{letter}"]] = constant(W)
                    found |= {} if b is None else {w.under(part)[f"b_{letter}"]: constant(b)}
        return found

    @property
    def d_k(self) -> int:
        """The number of columns of a head's keys."""
        return int(next(iter(self.K.values())).W.shape[-1])

    @property
    def d_v(self) -> int:
        """The number of columns of a head's values."""
        return int(next(iter(self.V.values())).W.shape[-1])


def linear(w: RangeName, letter: str, rows: int | None, why: str, inputs: Inputs, *, bias: str) -> Linear:
    """The weights W and, if its letter is in ``bias``, the bias b of a linear layer."""
    W = shaped(inputs, w[f"W_{letter}"], rows, None, why)
    return Linear(W, shaped(inputs, w[f"b_{letter}"], 1, W.shape[-1]) if letter in bias else None)


def of_heads(w: RangeName, heads: Sequence[int], inputs: Inputs, *, bias: str) -> Projections:
    """The weights of some heads, each with its own matrices and without W^O.

    Raises:
        ShapesDisagree: the matrices do not fit the embeddings or each other.
    """
    d_model, numbered = inputs["vocab_E"].shape[-1], [RangeName(head=h) for h in heads]
    split: list[dict[RangeName, Linear]] = [
        {h: linear(w.under(h), letter, d_model, "vocab_E", inputs, bias=bias) for h in numbered}
        for letter in PROJECTED
    ]
    for h in numbered:
        shaped(inputs, w.under(h)["W_K"], None, split[0][h].W.shape[-1], w.under(h)["W_Q"])
    return Projections(split[0], split[1], split[2], {h: h for h in numbered})


def projections(
    w: RangeName, heads: int | None, inputs: Inputs, *, kv_heads: int | None = None, bias: str = "",
    out_proj: bool = True, any_width: bool = False,
) -> Projections:  # fmt: skip
    """Split the weights `<w>_W_Q`, `_W_K`, `_W_V` by head.

    Args:
        w: the prefix of the weights' names.
        heads: number of heads; None for a single one without W^O.
        inputs: the weights.
        kv_heads: number of key and value heads.
        bias: the letters of the linear layers that have a bias.
        out_proj: whether there is a W^O.
        any_width: whether the number of columns of W^O may differ from d_model.

    Raises:
        ShapesDisagree: the matrices do not fit the embeddings, the heads or each other.
    """
    d_model, n_heads = inputs["vocab_E"].shape[-1], heads or 1
    groups = n_heads if kv_heads is None else kv_heads
    queries, keys, values = (linear(w, letter, d_model, "vocab_E", inputs, bias=bias) for letter in PROJECTED)
    if groups == n_heads:
        shaped(inputs, w["W_K"], None, queries.W.shape[-1], w["W_Q"])
    kind = "head" if groups == heads else "group"
    Q = _split(w["W_Q"], queries, _parts("head", heads))
    K = _split(w["W_K"], keys, _parts(kind, heads and groups))
    V = _split(w["W_V"], values, _parts(kind, heads and groups))
    d_k, width, d_v = (next(iter(part.values())).W.shape[-1] for part in (Q, K, V))
    if d_k != width:
        shaped(inputs, w["W_K"], None, d_k * groups, w["W_Q"])
    # head k uses the keys and values of group ⌈k · groups / heads⌉
    group = {name: list(K)[-(-k * groups // n_heads) - 1] for k, name in enumerate(Q, 1)}
    if heads is None or not out_proj:
        return Projections(Q, K, V, group)
    shaped(inputs, w["W_O"], d_v * n_heads, None, w["W_V"])
    if not any_width:
        shaped(inputs, w["W_O"], None, d_model, "vocab_E")
    return Projections(Q, K, V, group, linear(w, "O", None, "", inputs, bias=bias))


def _parts(kind: str, number: int | None) -> list[RangeName]:
    """The names of heads or groups; ``ALONE`` for a single head."""
    if number is None:
        return [ALONE]
    each = range(1, number + 1)
    return [RangeName(head=j) if kind == "head" else RangeName(group=j) for j in each]


def _split(matrix: str, whole: Linear, names: Sequence[RangeName]) -> dict[RangeName, Linear]:
    """Split a matrix (..., d_model, parts · d) and its bias into parts of d columns."""
    rows, cols = whole.W.shape[-2:]
    if cols % len(names):
        raise ShapesDisagree(matrix, shape=shape_text(rows, cols), rows=rows, heads=len(names))
    W = np.split(whole.W, len(names), axis=-1)
    b = [None] * len(names) if whole.b is None else np.split(whole.b, len(names), axis=-1)
    return {name: Linear(W_i, b_i) for name, W_i, b_i in zip(names, W, b, strict=True)}
