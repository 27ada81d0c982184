"""Gradient descent: the loss of an attention, its gradients, and the steps of an optimizer.

Sources: Vaswani et al. 2017, eq. (1) and §3.2.2 (the forward pass); Squire and Trapp 1998, "Using complex
variables to estimate derivatives of real functions", eq. (6): L'(w) = Im L(w + ih) / h, with h so small that
h² vanishes; Polyak 1964, eq. (9) (momentum); Kingma and Ba 2015, "Adam", algorithm 1.

No derivatives are derived by hand. The gradient of a weight is a complex step in the weight, and the gradient
of an intermediate result (Scores, Q, ...) a complex step in that. Each example has its own loss, so a single
step at the same place of all examples gives all their gradients.

Shapes: E examples, H heads, T words in the longest example, S steps in parallel. Only unmasked words are
computed, so of N words, each row has T.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from xlsxattn.contract.names import MEMORY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import TypeAlias

    from xlsxattn.checker.reference.attention import Array

    Blocks: TypeAlias = dict[str, Array]

H_STEP = 1e-30
"""The complex step, whose square vanishes next to any number of a run."""
STEEPEST = 700.0
"""Differences of scores are clipped here: exp(−700) is 1e-304."""
MAX_WEIGHT = 1e6
"""A run stops before a step that would make weights this large, and keeps its weights."""
WEIGHTS = ("W_Q", "W_K", "W_V", "W_O")
MAX_NUMBERS = 4_000_000
"""Maximum number of complex numbers of a batch of steps."""


@dataclass(frozen=True)
class Lesson:
    """The data of a training, which stays constant while weights are learned.

    Attributes:
        X: the embeddings of the words, (N, d_model).
        Asked: the embeddings of the target words, (E, d_model); zeros if the sentence lacks the word.
        Targets: the target outputs, (E, d_out).
        seen: the mask, (E, N), bool.
        present: the valid examples, (E,), bool.
        scale: the divisor of the scores.
        heads: the number of heads.
    """

    X: Array
    Asked: Array
    Targets: Array
    seen: Array
    present: Array
    scale: float
    heads: int

    @cached_property
    def places(self) -> tuple[Array, Array]:
        """The unmasked columns of each row in order, (E, T), and which of them are valid, (E, T), bool."""
        T = max(1, int(self.seen.sum(axis=1).max(initial=0)))
        columns = np.argsort(~self.seen, axis=1, kind="stable")[:, :T]  # (E, T)
        return columns, np.take_along_axis(self.seen, columns, axis=1)

    @cached_property
    def words(self) -> Array:
        """The embeddings of the unmasked words of each row, (E, T, d_model)."""
        columns, there = self.places
        return np.asarray(self.X[columns] * there[..., None])

    @cached_property
    def count(self) -> int:
        """The number of valid examples, at least 1."""
        return max(1, int(self.present.sum()))


class Optimizer(NamedTuple):
    """An optimizer with its parameters, as in torch.optim."""

    name: str
    rate: float
    decay: float = 0.0
    momentum: float = 0.0
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8


def softmax(S: Array, there: Array) -> Array:
    """A_j = 1 / Σ_k exp(s_k − s_j) over the last axis; 0 where masked.

    If S has complex steps s + ib along its first axis, s is the same in all of them. For such small b,
    exp(ib) is 1 + ib and 1 / (t + iu) is 1 / t − iu / t², to the last digit.
    """
    s = S.real[:1] if np.iscomplexobj(S) else S
    apart = np.minimum(s[..., None, :] - s[..., :, None], STEEPEST)  # [j, k]: s_k − s_j
    terms = np.where(there[..., None, :], np.exp(apart), 0.0)
    t = terms.sum(axis=-1)
    A = np.where(there, 1 / np.where(there, t, 1.0), 0.0)
    if not np.iscomplexobj(S):
        return np.asarray(A)
    u = rows_by(terms, S.imag) - t * S.imag
    return np.asarray(A * (1 - 1j * A * u))


def summed(subscripts: str, *arrays: Array) -> Array:
    """`np.einsum` as an array."""
    return np.asarray(np.einsum(subscripts, *arrays))


def rows_by(A: Array, x: Array) -> Array:
    """Σ_k A_jk x_k: (..., j, k) and (..., k) as (..., j)."""
    return np.asarray((A @ x[..., None])[..., 0])


def by_head(W: Array, heads: int) -> Array:
    """(..., d, H k) as (..., d, H, k)."""
    return W.reshape(*W.shape[:-1], heads, -1)


def side_by_side(heads: Array) -> Array:
    """(..., H, k) as (..., H k)."""
    return heads.reshape(*heads.shape[:-2], -1)


def of_words(lesson: Lesson, W: Array) -> Array:
    """K or V of the unmasked words, (..., E, H, T, k), from weights (..., d, H k)."""
    return np.swapaxes(by_head(lesson.words @ W[..., None, :, :], lesson.heads), -2, -3)


def losses(lesson: Lesson, Output: Array) -> Array:
    """The loss of each example, (..., E): |Output − Target|² / number of valid examples."""
    Error = Output - lesson.Targets  # (..., E, d_out)
    return summed("...eo,...eo,e->...e", Error, Error, lesson.present / lesson.count)


def project(_: Lesson, blocks: Mapping[str, Array]) -> Array:
    """Concat(head_1, ..., head_H) W_O, or without W_O the concatenated heads: §3.2.2."""
    Concat = side_by_side(blocks["Heads"])  # (..., E, H d_v)
    return summed("...ec,...co->...eo", Concat, blocks["W_O"]) if "W_O" in blocks else Concat


PASS: dict[str, tuple[tuple[str, ...], Callable[[Lesson, Mapping[str, Array]], Array]]] = {
    "Q": (("W_Q",), lambda x, b: by_head(x.Asked @ b["W_Q"], x.heads)),  # (..., E, H, d_k)
    "K": (("W_K",), lambda x, b: of_words(x, b["W_K"])),  # (..., E, H, T, d_k)
    "V": (("W_V",), lambda x, b: of_words(x, b["W_V"])),  # (..., E, H, T, d_v)
    "Scores": (("Q", "K"), lambda _, b: rows_by(b["K"], b["Q"])),  # (..., E, H, T)
    "Scaled": (("Scores",), lambda x, b: b["Scores"] / x.scale),
    "Attention": (("Scaled",), lambda x, b: softmax(b["Scaled"], x.places[1][:, None, :])),
    "Heads": (("Attention", "V"), lambda _, b: rows_by(np.swapaxes(b["V"], -1, -2), b["Attention"])),
    "Output": (("Heads", "W_O"), project),
}
"""The forward pass in order: the sources of each block and how to compute it; eq. (1)."""


def forward(lesson: Lesson, given: Mapping[str, Array]) -> Blocks:
    """The blocks of the forward pass from weights of shape (..., rows, columns); given blocks are kept."""
    blocks = dict(given)
    for name, (_, compute) in PASS.items():
        if name not in blocks:
            blocks[name] = compute(lesson, blocks)
    return blocks


def changed_by(name: str) -> set[str]:
    """A weight or block and its dependents."""
    found = {name}
    for block, (sources, _) in PASS.items():
        if found & {*sources}:
            found.add(block)
    return found


def gradient(lesson: Lesson, blocks: Mapping[str, Array], name: str) -> Array:
    """∂L/∂ a weight (S, rows, columns) or a block (S, E, ...) of a forward pass, by complex steps."""
    values, weight = blocks[name], name in WEIGHTS
    inner = values.shape[1:] if weight else values.shape[2:]
    kept = {key: x for key, x in blocks.items() if key not in changed_by(name)}
    size = math.prod(inner)
    units = np.eye(size).reshape(size, *([1] * (values.ndim - len(inner))), *inner)
    slopes = losses(lesson, forward(lesson, kept | {name: values + 1j * H_STEP * units})["Output"])
    found = slopes.imag / H_STEP  # (size, S, E)
    return np.moveaxis(found.sum(axis=-1) if weight else found, 0, -1).reshape(values.shape)


def attention_gradient(lesson: Lesson, blocks: Mapping[str, Array], V: Array, h: int) -> Array:
    """∂L/∂ Attention of head h, from 0, at all words, (S, E, N); V is (S, N, H, d_v).

    Heads = Attention V, so that a complex step in the attention at a word adds that word's V to the head.
    """
    added = np.zeros((V.shape[1], *blocks["Heads"].shape), dtype=complex)  # (N, S, E, H, d_v)
    added[:, :, :, h] = 1j * H_STEP * np.swapaxes(V[:, :, h], 0, 1)[:, :, None]
    stepped = {name: x for name, x in blocks.items() if name not in ("Heads", "Output")}
    slopes = losses(lesson, forward(lesson, stepped | {"Heads": blocks["Heads"] + added})["Output"])
    return np.moveaxis(slopes.imag / H_STEP, 0, -1)


def in_parts(blocks: Mapping[str, Array], each: int, compute: Callable[[slice], Array]) -> Array:
    """Compute all steps in batches that fit into memory; `each` is the number of values of a step."""
    S, most = len(blocks["Output"]), max(1, MAX_NUMBERS // max(1, each))
    return np.concatenate([compute(slice(at, at + most)) for at in range(0, S, most)])


def gradients(lesson: Lesson, blocks: Mapping[str, Array], names: Iterable[str]) -> Blocks:
    """The gradients of some weights and blocks of a forward pass."""
    _, E, H, T = blocks["Scores"].shape
    wide = E * H * T * max(T, blocks["K"].shape[-1], blocks["V"].shape[-1])
    return {
        name: in_parts(
            blocks,
            wide * math.prod(blocks[name].shape[1 if name in WEIGHTS else 2 :]),
            lambda part, name=name: gradient(lesson, {key: x[part] for key, x in blocks.items()}, name),  # type: ignore[misc]
        )
        for name in names
    }


def corrected(o: Optimizer, k: Array) -> Blocks:
    """The divisors of Adam's moments in step k (from 1), 1 − βᵏ: algorithm 1, bias correction."""
    betas = (o.beta1, o.beta2) if o.name == "adam" else ()
    return {
        f"Correction{i}": -np.expm1(k * np.log(beta)) if beta else np.ones(k.shape)
        for i, beta in enumerate(betas, 1)
    }


def update(
    o: Optimizer, corrections: Sequence[Array], W: Array, gradient: Array, before: Mapping[str, Array],
    kept: Callable[[str, Array], Array],
) -> Blocks:  # fmt: skip
    """One step for a matrix: its new velocity or moments, and the proposed weights.

    As in torch.optim.SGD and Adam: weight decay adds the gradient of decay/2 · |W|², and the velocity starts
    with the first gradient. `before` contains the velocity or the moments of the previous step; the proposed
    weights are computed from what `kept` returns for the new ones and from Adam's `corrections` of the step.
    """
    g, found = gradient + o.decay * W, {}
    taken = g
    if o.name == "momentum":
        found["Velocity"] = o.momentum * before["Velocity"] + g
        taken = kept("Velocity", found["Velocity"])
    if o.name == "adam":
        found["Moment1"] = o.beta1 * before["Moment1"] + (1 - o.beta1) * g
        found["Moment2"] = o.beta2 * before["Moment2"] + (1 - o.beta2) * g * g
        m, v = (kept(name, found[name]) for name in MEMORY["adam"])
        taken = m / corrections[0] / (np.sqrt(v / corrections[1]) + o.epsilon)
    return found | {"Proposed": W - o.rate * taken}


def descend(
    lesson: Lesson, o: Optimizer, start: Mapping[str, Array], learns: Sequence[str], steps: int,
    seen: Mapping[str, Array] | None = None,
) -> Blocks:  # fmt: skip
    """A run of n steps by name: W_Q (n + 1, ...), dW_Q (n, ...), Moment1_W_Q, ..., Largest, Alive.

    Numbers in `seen`, such as those of a workbook, replace the computed ones, and the run continues from
    them; missing ranges and NaN are computed.
    """
    known = seen or {}
    run: dict[str, list[Array]] = {}

    def kept(name: str, own: Array) -> Array:
        band = len(run.setdefault(name, []))
        there = known[name][band] if name in known else np.full(np.shape(own), np.nan)
        run[name].append(np.where(np.isnan(there), own, there))
        return run[name][-1]

    W = {m: kept(m, start[m]) for m in learns}
    alive = kept("Alive", np.ones((1, 1)))
    for k in range(1, steps + 1):
        blocks = forward(lesson, {m: x[None] for m, x in (dict(start) | W).items()})
        slopes, proposed = gradients(lesson, blocks, learns), {}
        corrections = [kept(name, own) for name, own in corrected(o, np.full((1, 1), k)).items()]
        for m in learns:
            before = {x: run[f"{x}_{m}"][-1] if k > 1 else np.zeros_like(W[m]) for x in MEMORY[o.name]}
            dW = kept(f"d{m}", slopes[m][0])
            new = update(o, corrections, W[m], dW, before, lambda x, own, m=m: kept(f"{x}_{m}", own))  # type: ignore[misc]
            proposed[m] = kept(f"Proposed_{m}", new["Proposed"])
        largest = kept("Largest", np.max([np.abs(x).max() for x in proposed.values()]).reshape(1, 1))
        alive = kept("Alive", np.where(largest < MAX_WEIGHT, alive, 0.0))
        W = {m: kept(m, proposed[m] if alive == 1 else W[m]) for m in learns}
    return {name: np.array(bands) for name, bands in run.items()}
