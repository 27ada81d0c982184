"""How learned weights are shared out among heads and groups of heads.

Sources: Vaswani et al. 2017, §3.2.2 (heads); Ainslie et al. 2023, "GQA" (groups of queries that share keys).
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
"""The linear layers that may have a bias, by their letters."""

ALONE = RangeName()
"""The only head of a sheet whose ranges name none."""


class Linear(NamedTuple):
    """x W + b: W is (d, m), b is (1, m) or None."""

    W: Array
    b: Array | None = None


class Projections(NamedTuple):
    """W^Q, W^K, W^V by head or group, ``RangeName(head=1)``, each head's group, and W^O.

    A sheet with a single head has ``ALONE`` for its only head.
    """

    Q: dict[RangeName, Linear]
    K: dict[RangeName, Linear]
    V: dict[RangeName, Linear]
    group: dict[RangeName, RangeName]
    out: Linear | None = None

    def parts(self, w: RangeName) -> Ranges:
        """The names over a head's or a group's columns of the weights and biases."""
        found: Ranges = {}
        for letter in PROJECTED:
            for part, (W, b) in getattr(self, letter).items():
                if part != ALONE:
                    found[w.under(part)[f"W_{letter}"]] = constant(W)
                    found |= {} if b is None else {w.under(part)[f"b_{letter}"]: constant(b)}
        return found

    @property
    def d_k(self) -> int:
        """Columns of one head's keys."""
        return int(next(iter(self.K.values())).W.shape[1])

    @property
    def d_v(self) -> int:
        """Columns of one head's values."""
        return int(next(iter(self.V.values())).W.shape[1])


def linear(w: RangeName, letter: str, rows: int | None, why: str, inputs: Inputs, *, bias: str) -> Linear:
    """W and, where its letter is among those with a bias, b of one linear layer, whose names end alike."""
    W = shaped(inputs, w[f"W_{letter}"], rows, None, why)
    return Linear(W, shaped(inputs, w[f"b_{letter}"], 1, W.shape[1]) if letter in bias else None)


def of_heads(w: RangeName, heads: Sequence[int], inputs: Inputs, *, bias: str) -> Projections:
    """The weights of some heads by their numbers, each with matrices of its own and without W^O.

    Raises:
        ShapesDisagree: the matrices do not fit the embeddings or each other.
    """
    d_model, numbered = inputs["vocab_E"].shape[1], [RangeName(head=h) for h in heads]
    split: list[dict[RangeName, Linear]] = [
        {h: linear(w.under(h), letter, d_model, "vocab_E", inputs, bias=bias) for h in numbered}
        for letter in PROJECTED
    ]
    for h in numbered:
        shaped(inputs, w.under(h)["W_K"], None, split[0][h].W.shape[1], w.under(h)["W_Q"])
    return Projections(split[0], split[1], split[2], {h: h for h in numbered})


def projections(
    w: RangeName, heads: int | None, inputs: Inputs, *, kv_heads: int | None = None, bias: str = "",
    out_proj: bool = True, any_width: bool = False,
) -> Projections:  # fmt: skip
    """The weights `<w>_W_Q`, `_W_K`, `_W_V`, `_W_O` by head; heads None: a single one without W^O.

    Args:
        w: what the weights' names begin with.
        heads: how many heads.
        inputs: the weights.
        kv_heads: how many heads of keys and values.
        bias: the letters of the linear layers that have a bias.
        out_proj: whether there is a W^O.
        any_width: whether W^O may have other than d_model columns.

    Raises:
        ShapesDisagree: the matrices do not fit the embeddings, the heads or each other.
    """
    d_model, n_heads = inputs["vocab_E"].shape[1], heads or 1
    groups = n_heads if kv_heads is None else kv_heads
    queries, keys, values = (linear(w, letter, d_model, "vocab_E", inputs, bias=bias) for letter in PROJECTED)
    if groups == n_heads:
        shaped(inputs, w["W_K"], None, queries.W.shape[1], w["W_Q"])
    kind = "head" if groups == heads else "group"
    Q = _split(w["W_Q"], queries, _parts("head", heads))
    K = _split(w["W_K"], keys, _parts(kind, heads and groups))
    V = _split(w["W_V"], values, _parts(kind, heads and groups))
    d_k, width, d_v = (next(iter(part.values())).W.shape[1] for part in (Q, K, V))
    if d_k != width:
        shaped(inputs, w["W_K"], None, d_k * groups, w["W_Q"])
    # head k reads the keys and values of group ⌈k · groups / heads⌉
    group = {name: list(K)[-(-k * groups // n_heads) - 1] for k, name in enumerate(Q, 1)}
    if heads is None or not out_proj:
        return Projections(Q, K, V, group)
    shaped(inputs, w["W_O"], d_v * n_heads, None, w["W_V"])
    if not any_width:
        shaped(inputs, w["W_O"], None, d_model, "vocab_E")
    return Projections(Q, K, V, group, linear(w, "O", None, "", inputs, bias=bias))


def _parts(kind: str, number: int | None) -> list[RangeName]:
    """What parts are called behind their sheet: heads, groups; nothing where there is only one."""
    if number is None:
        return [ALONE]
    each = range(1, number + 1)
    return [RangeName(head=j) if kind == "head" else RangeName(group=j) for j in each]


def _split(name: str, whole: Linear, names: Sequence[RangeName]) -> dict[RangeName, Linear]:
    """A matrix (d_model × parts·d) and its bias, cut into parts of d columns."""
    rows, cols = whole.W.shape
    if cols % len(names):
        raise ShapesDisagree(name, shape=shape_text(rows, cols), rows=rows, heads=len(names))
    W = np.split(whole.W, len(names), axis=1)
    b = [None] * len(names) if whole.b is None else np.split(whole.b, len(names), axis=1)
    return {part: Linear(own, added) for part, own, added in zip(names, W, b, strict=True)}
