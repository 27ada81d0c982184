"""Decoders of the GPT-2 architecture (Radford et al. 2019)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from xlsxattn.contract.kinds import Decoder
from xlsxattn.contract.names import BETA, GAMMA, part_of
from xlsxattn.contract.values import MIN_EPSILON
from xlsxattn.weights.parts import Plan, TensorPart, unembedding

if TYPE_CHECKING:
    from xlsxattn.weights.config import Config
    from xlsxattn.weights.parts import Parts


def plan_gpt2(parts: Parts, config: Config) -> Plan:
    """GPT-2: linear layers ("Conv1D") are stored as in × out; Q, K and V side by side in one tensor."""
    d_model, n_vocab = config.count("n_embd", "hidden_size"), config.count("vocab_size")
    n_positions = config.count("n_positions", "max_position_embeddings")
    model = _model(config, d_model)
    table = parts.check("wte.weight", n_vocab, d_model)
    head, notes = unembedding(parts, table, tied=config.flag("tie_word_embeddings", default=True))
    P = TensorPart("P", (n_positions, d_model), parts.check("wpe.weight", n_positions, d_model), first=0)
    return Plan(
        replace(model, tied=head is None),
        d_model,
        n_vocab,
        n_positions,
        table,
        head,
        (P, *_norm(parts, "Output", "ln_f", d_model)),
        tuple(_layer(parts, k, d_model, model.d_ff) for k in range(model.layers)),
        notes,
    )


def _model(config: Config, d_model: int) -> Decoder:
    heads = config.count("n_head", "num_attention_heads")
    d_k = config.divided(d_model, "n_head", heads)
    return Decoder(
        id="gpt",
        title="GPT-2",
        layers=config.count("n_layer", "num_hidden_layers"),
        heads=heads,
        kv_heads=heads,
        d_k=d_k,
        d_v=d_k,
        d_ff=config.count("n_inner", default=4 * d_model),
        norm="layer",
        epsilon=config.positive("layer_norm_epsilon", default=1e-5, minimum=MIN_EPSILON),
        residual="pre-norm",
        activation=config.activation("activation_function", default="gelu_new"),
        bias=True,
        mask="causal",
        position="learned",
        scale=config.flag("scale_attn_weights", default=True),
        scale_embeddings=False,
        embedding_norm=False,
        final_norm=True,
    )


def _layer(parts: Parts, k: int, d_model: int, d_ff: int) -> tuple[TensorPart, ...]:
    prefix = f"h.{k}."
    weights: list[TensorPart] = []
    weight = parts.check(f"{prefix}attn.c_attn.weight", d_model, 3 * d_model)
    bias = parts.check(f"{prefix}attn.c_attn.bias", 3 * d_model)
    for i, which in enumerate("QKV"):
        columns = slice(i * d_model, (i + 1) * d_model)
        weights.append(TensorPart(f"W_{which}", (d_model, d_model), weight, columns=columns))
        weights.append(TensorPart(f"b_{which}", (1, d_model), bias, columns=columns))
    for which, name, rows, columns_out in (
        ("O", "attn.c_proj", d_model, d_model),
        ("1", "mlp.c_fc", d_model, d_ff),
        ("2", "mlp.c_proj", d_ff, d_model),
    ):
        weights.append(
            parts.linear(f"W_{which}", f"{prefix}{name}.weight", rows, columns_out, transposed=False)
        )
        weights.append(parts.row(f"b_{which}", f"{prefix}{name}.bias", columns_out))
    weights.extend(_norm(parts, "Norm1", f"{prefix}ln_1", d_model))
    weights.extend(_norm(parts, "Norm2", f"{prefix}ln_2", d_model))
    return tuple(weights)


def _norm(parts: Parts, name: str, tensor: str, d_model: int) -> tuple[TensorPart, TensorPart]:
    return (
        parts.row(part_of(name, GAMMA), f"{tensor}.weight", d_model),
        parts.row(part_of(name, BETA), f"{tensor}.bias", d_model),
    )
