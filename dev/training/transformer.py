"""The models of docs/spec-models.md in PyTorch, for training; settings, weights and names as in the contract.

Tokens are ids (batch × n): the position in the vocabulary from 1, or 0 for a blank cell. Only what the
trained templates use is implemented: no RMS norm, rotary positions, gated activations or grouped queries.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import gelu

from xlsxattn.contract.names import GAMMA, weight

Weights = dict[str, Tensor]
Sight = tuple[Tensor, Tensor]  # keys, batch × m × d_model, and a mask, batch (or 1) × n (or 1) × m

EPSILON = 1e-5
ACTIVATIONS = {"relu": torch.relu, "gelu": gelu}


@dataclass(frozen=True, slots=True)
class Model:
    """The settings of a sheet, with the defaults of docs/spec-models.md."""

    kind: str
    n: int
    d_model: int
    layers: int
    heads: int
    d_k: int
    d_v: int
    d_ff: int
    activation: str
    pre_norm: bool
    bias: bool
    position: str
    scale_embeddings: bool
    final_norm: bool
    pool: str


def read_model(sheet: dict[str, Any], n: int, d_model: int) -> Model:
    """Read the settings of a sheet of a spec; every context has n token cells."""
    decoder = sheet["kind"] == "decoder"
    heads = sheet.get("heads", 1)
    d_k = sheet.get("d_k", d_model // heads)
    pre_norm = sheet.get("residual", "pre-norm" if decoder else "post-norm") == "pre-norm"
    return Model(
        kind=sheet["kind"],
        n=n,
        d_model=d_model,
        layers=sheet.get("layers", 1),
        heads=heads,
        d_k=d_k,
        d_v=sheet.get("d_v", d_k),
        d_ff=sheet.get("d_ff", 4 * d_model),
        activation=sheet.get("activation", "gelu" if decoder else "relu"),
        pre_norm=pre_norm,
        bias=sheet.get("bias", True),
        position=sheet.get("position", "learned" if decoder else "sinusoidal"),
        scale_embeddings=sheet.get("scale_embeddings", sheet["kind"] == "encoder-decoder"),
        final_norm=sheet.get("final_norm", pre_norm),
        pool=sheet.get("pool", "mean"),
    )


def shapes(model: Model, n_vocab: int = 0, n_classes: int = 0) -> dict[str, tuple[int, int]]:
    """Names and shapes of all weights; with n_vocab also of the embeddings E (Logits = Output · Eᵀ)."""
    d = model.d_model
    found = {"E": (n_vocab, d)} if n_vocab else {}
    if model.position == "learned":
        found["P"] = (model.n, d)
    two_sides = model.kind == "encoder-decoder"
    for side in ("enc_", "dec_") if two_sides else ("",):
        for k in range(1, model.layers + 1):
            found |= _layer_shapes(model, f"{side}l{k}_", cross=side == "dec_")
        if model.final_norm:
            found |= {f"{side}Output_Gamma": (1, d), f"{side}Output_Beta": (1, d)}
    if n_classes:
        found |= {"W_C": (d, n_classes), "b_C": (1, n_classes)}
    return found


def _layer_shapes(model: Model, layer: str, *, cross: bool) -> dict[str, tuple[int, int]]:
    d = model.d_model
    columns = {"Q": model.heads * model.d_k, "K": model.heads * model.d_k, "V": model.heads * model.d_v}
    found: dict[str, tuple[int, int]] = {}
    for attention in (layer, f"{layer}Cross_") if cross else (layer,):
        found |= {f"{attention}W_{letter}": (d, width) for letter, width in columns.items()}
        found[f"{attention}W_O"] = (columns["V"], d)
        if model.bias:
            found |= {f"{attention}b_{letter}": (1, width) for letter, width in columns.items()}
            found[f"{attention}b_O"] = (1, d)
    found |= {f"{layer}W_1": (d, model.d_ff), f"{layer}W_2": (model.d_ff, d)}
    if model.bias:
        found |= {f"{layer}b_1": (1, model.d_ff), f"{layer}b_2": (1, d)}
    for number in range(1, 4 if cross else 3):
        found |= {f"{layer}Norm{number}_Gamma": (1, d), f"{layer}Norm{number}_Beta": (1, d)}
    return found


def start(wanted: dict[str, tuple[int, int]], generator: torch.Generator) -> Weights:
    """Initial weights: γ 1, β and biases 0, others normal with deviation 1/√rows (E and P: 0.5)."""
    W = {}
    for name, (rows, columns) in wanted.items():
        drawn = torch.randn(rows, columns, generator=generator)
        if weight(name).part == GAMMA:
            W[name] = torch.ones(1, columns)
        elif rows == 1:
            W[name] = torch.zeros(1, columns)
        else:
            W[name] = drawn * (0.5 if name in ("E", "P") else rows**-0.5)
    return W


def sinusoidal(n: int, d_model: int) -> Tensor:
    """P (n × d_model): sin in even columns, cos in odd ones (Vaswani et al. 2017, 3.5)."""
    pair = torch.arange(d_model, dtype=torch.float64) // 2
    angle = torch.arange(n, dtype=torch.float64)[:, None] * 10000 ** (-2 * pair / d_model)
    return torch.where(torch.arange(d_model) % 2 == 1, angle.cos(), angle.sin())


def norm(W: Weights, name: str, x: Tensor) -> Tensor:
    """(x − mean) / √(variance + ε) ∘ γ + β, with the population variance (Ba et al. 2016)."""
    centred = x - x.mean(-1, keepdim=True)
    variance = (centred**2).mean(-1, keepdim=True)
    return centred / (variance + EPSILON).sqrt() * W[f"{name}_Gamma"] + W[f"{name}_Beta"]


def linear(W: Weights, layer: str, letter: str, x: Tensor) -> Tensor:
    """The linear layer x W (+ b)."""
    y = x @ W[f"{layer}W_{letter}"]
    return y + W[f"{layer}b_{letter}"] if f"{layer}b_{letter}" in W else y


def _heads(model: Model, W: Weights, layer: str, letter: str, x: Tensor) -> Tensor:
    """Queries, keys or values of all heads: batch × heads × n × d_k."""
    y = linear(W, layer, letter, x)
    return y.reshape(*y.shape[:-1], model.heads, -1).transpose(-2, -3)


def attention_weights(model: Model, W: Weights, layer: str, x: Tensor, looks_at: Sight) -> Tensor:
    """The attention of x (queries) to keys: batch × heads × n × m, each row sums to 1."""
    keys, mask = looks_at
    Q, K = _heads(model, W, layer, "Q", x), _heads(model, W, layer, "K", keys)
    scaled = Q @ K.transpose(-1, -2) / math.sqrt(model.d_k)
    return scaled.masked_fill(~mask[:, None], -math.inf).softmax(-1)


def attention(model: Model, W: Weights, layer: str, x: Tensor, looks_at: Sight) -> Tensor:
    """Multi-head attention of x (queries) to keys (Vaswani et al. 2017, 3.2.2)."""
    weights = attention_weights(model, W, layer, x, looks_at)
    concat = (weights @ _heads(model, W, layer, "V", looks_at[0])).transpose(-2, -3)
    return linear(W, layer, "O", concat.reshape(*concat.shape[:-2], -1))


def self_attention(model: Model, W: Weights, layer: str, mask: Tensor, x: Tensor) -> Tensor:
    """Self-attention of x."""
    return attention(model, W, layer, x, (x, mask))


def feed_forward(model: Model, W: Weights, layer: str, x: Tensor) -> Tensor:
    """activation(x W_1 + b_1) W_2 + b_2 (Vaswani et al. 2017, 3.3)."""
    return linear(W, layer, "2", ACTIVATIONS[model.activation](linear(W, layer, "1", x)))


def sublayer(model: Model, W: Weights, name: str, x: Tensor, step: Callable[[Tensor], Tensor]) -> Tensor:
    """A sublayer with its residual, and its norm before (pre-norm) or after it (post-norm)."""
    return x + step(norm(W, name, x)) if model.pre_norm else norm(W, name, x + step(x))


def run_layers(model: Model, W: Weights, side: str, x: Tensor, seen: tuple[Tensor, Sight | None]) -> Tensor:
    """All layers of one side and its final norm, if any: batch × n × d_model.

    `seen` is the mask of its tokens and, for cross-attention, the Output of the encoder with its mask.
    """
    mask, source = seen
    for k in range(1, model.layers + 1):
        layer = f"{side}l{k}_"
        x = sublayer(model, W, f"{layer}Norm1", x, partial(self_attention, model, W, layer, mask))
        if source is not None:
            cross = partial(attention, model, W, f"{layer}Cross_", looks_at=source)
            x = sublayer(model, W, f"{layer}Norm2", x, cross)
        last = f"{layer}Norm{2 if source is None else 3}"
        x = sublayer(model, W, last, x, partial(feed_forward, model, W, layer))
    return norm(W, f"{side}Output", x) if model.final_norm else x


def embed(model: Model, W: Weights, E: Tensor, ids: Tensor) -> Tensor:
    """Input: embeddings (zeros for a blank), multiplied by √d_model if set, plus positions."""
    X = torch.cat([torch.zeros_like(E[:1]), E])[ids]
    if model.scale_embeddings:
        X = X * math.sqrt(model.d_model)
    if model.position == "none":
        return X
    P = W["P"] if model.position == "learned" else sinusoidal(model.n, model.d_model).to(E.dtype)
    return X + P[: ids.shape[-1]]


def causal(n: int) -> Tensor:
    """The causal mask, 1 × n × n: true if the column is not after the row."""
    return torch.ones(1, n, n, dtype=torch.bool).tril()


def decode(model: Model, W: Weights, ids: Tensor) -> Tensor:
    """Logits (batch × n × n_vocab) of a decoder with tied embeddings, for ids (batch × n)."""
    x = embed(model, W, W["E"], ids)
    return run_layers(model, W, "", x, (causal(ids.shape[-1]), None)) @ W["E"].transpose(-1, -2)


def translate(model: Model, W: Weights, source: Tensor, target: Tensor) -> Tensor:
    """Logits (batch × n × n_vocab) of an encoder–decoder with tied embeddings and a padding mask."""
    exists = source[:, None, :] > 0
    memory = run_layers(model, W, "enc_", embed(model, W, W["E"], source), (exists, None))
    x = embed(model, W, W["E"], target)
    out = run_layers(model, W, "dec_", x, (causal(target.shape[-1]), (memory, exists)))
    return out @ W["E"].transpose(-1, -2)


def classify(model: Model, W: Weights, E: Tensor, ids: Tensor) -> Tensor:
    """Logits (batch × n_classes) of a classifier with a padding mask."""
    exists = ids[:, None, :] > 0
    out = run_layers(model, W, "", embed(model, W, E, ids), (exists, None))
    real = exists.transpose(-1, -2).to(out.dtype)
    pooled = out[:, 0] if model.pool == "first" else (out * real).sum(-2) / real.sum(-2)
    return pooled @ W["W_C"] + W["b_C"]
