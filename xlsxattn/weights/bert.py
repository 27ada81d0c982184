"""Encoders that are built like BERT (Devlin et al. 2019): BERT, RoBERTa, ELECTRA, DistilBERT."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xlsxattn.builder.specification.table import show
from xlsxattn.contract.names import BETA, GAMMA, part_of
from xlsxattn.language import say
from xlsxattn.weights.parts import Plan, TensorPart

if TYPE_CHECKING:
    from xlsxattn.weights.config import Config
    from xlsxattn.weights.parts import Parts

TYPES = "embeddings.token_type_embeddings.weight"
TABLE, POSITIONS = "embeddings.word_embeddings.weight", "embeddings.position_embeddings.weight"


@dataclass(frozen=True, slots=True)
class BertNames:
    """How a family calls the tensors of a layer, after the layer's number."""

    layer: str
    linear: dict[str, str]
    norm1: str
    norm2: str


BERT = BertNames(
    "encoder.layer",
    {
        "Q": "attention.self.query",
        "K": "attention.self.key",
        "V": "attention.self.value",
        "O": "attention.output.dense",
        "1": "intermediate.dense",
        "2": "output.dense",
    },
    "attention.output.LayerNorm",
    "output.LayerNorm",
)
DISTIL = BertNames(
    "transformer.layer",
    {
        "Q": "attention.q_lin",
        "K": "attention.k_lin",
        "V": "attention.v_lin",
        "O": "attention.out_lin",
        "1": "ffn.lin1",
        "2": "ffn.lin2",
    },
    "sa_layer_norm",
    "output_layer_norm",
)


def plan_bert(parts: Parts, config: Config) -> Plan:
    """BERT and ELECTRA: positions count from 0."""
    return _plan(parts, config, BERT, "BERT", first=0)


def plan_roberta(parts: Parts, config: Config) -> Plan:
    """RoBERTa (Liu et al. 2019): the table's first rows belong to padding, a sentence starts after them."""
    pad = config.get("pad_token_id", default=1)
    if type(pad) is not int or pad < 0:
        raise config.error("pad_token_id", "found {found}, a whole number from 0 is needed", found=show(pad))
    return _plan(parts, config, BERT, "RoBERTa", first=pad + 1)


def plan_distilbert(parts: Parts, config: Config) -> Plan:
    """DistilBERT (Sanh et al. 2019): BERT without token types, under other names."""
    return _plan(parts, config, DISTIL, "DistilBERT", first=0)


def _plan(parts: Parts, config: Config, names: BertNames, family: str, *, first: int) -> Plan:
    _refuse(config)
    settings = _settings(config)
    d_model = config.count("hidden_size", "dim")
    n_vocab, listed = config.count("vocab_size"), config.count("max_position_embeddings")
    if listed <= first:
        sentence = "found {found}, at least {least} are needed"
        raise config.error("max_position_embeddings", sentence, found=listed, least=first + 1)
    table = parts.check(TABLE, n_vocab, d_model)
    positions = parts.check(POSITIONS, listed, d_model)
    types = (
        parts.check(TYPES, config.count("type_vocab_size", default=2), d_model) if parts.has(TYPES) else None
    )
    note = say("Row 0 of the token types is added to every position: all tokens are of one sentence.")
    P = TensorPart("P", (listed - first, d_model), positions, first=first, added=types)
    return Plan(
        family,
        "encoder",
        settings,
        d_model,
        n_vocab,
        listed - first,
        table,
        None,
        (P, *_norm(parts, "Input", "embeddings.LayerNorm", d_model)),
        tuple(_layer(parts, names, k, d_model, settings["d_ff"]) for k in range(settings["layers"])),
        (note,) if types else (),
    )


def _refuse(config: Config) -> None:
    config.refuse("position_embedding_type", ("absolute",))
    config.refuse("is_decoder", (False,))
    config.refuse("add_cross_attention", (False,))
    width = config.get("embedding_size")
    if width is not None and width != config.count("hidden_size", "dim"):
        sentence = "found {found}: embeddings that are widened are not supported"
        raise config.error("embedding_size", sentence, found=show(width))


def _settings(config: Config) -> dict[str, Any]:
    d_model, heads = config.count("hidden_size", "dim"), config.count("num_attention_heads", "n_heads")
    d_k = config.divided(d_model, "num_attention_heads", heads)
    return {
        "layers": config.count("num_hidden_layers", "n_layers"),
        "heads": heads,
        "kv_heads": heads,
        "d_k": d_k,
        "d_v": d_k,
        "d_ff": config.count("intermediate_size", "hidden_dim"),
        "norm": "layer",
        "epsilon": config.positive("layer_norm_eps", default=1e-12),
        "residual": "post-norm",
        "activation": config.activation("hidden_act", "activation", default="gelu"),
        "bias": True,
        "mask": "none",
        "position": "learned",
        "scale": True,
        "scale_embeddings": False,
        "embedding_norm": True,
        "final_norm": False,
    }


def _layer(parts: Parts, names: BertNames, k: int, d_model: int, d_ff: int) -> tuple[TensorPart, ...]:
    at = f"{names.layer}.{k}."
    pieces: list[TensorPart] = []
    for which, name in names.linear.items():
        rows, columns = {"1": (d_model, d_ff), "2": (d_ff, d_model)}.get(which, (d_model, d_model))
        pieces.append(parts.linear(f"W_{which}", f"{at}{name}.weight", rows, columns, turned=True))
        pieces.append(parts.row(f"b_{which}", f"{at}{name}.bias", columns))
    pieces.extend(_norm(parts, "Norm1", at + names.norm1, d_model))
    pieces.extend(_norm(parts, "Norm2", at + names.norm2, d_model))
    return tuple(pieces)


def _norm(parts: Parts, name: str, tensor: str, d_model: int) -> tuple[TensorPart, TensorPart]:
    """γ and β; the first checkpoints called them gamma and beta."""
    old = parts.has(f"{tensor}.gamma")
    return (
        parts.row(part_of(name, GAMMA), f"{tensor}.gamma" if old else f"{tensor}.weight", d_model),
        parts.row(part_of(name, BETA), f"{tensor}.beta" if old else f"{tensor}.bias", d_model),
    )
