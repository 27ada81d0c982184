"""Encoders of the BERT architecture (Devlin et al. 2019): BERT, RoBERTa, ELECTRA, DistilBERT."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from xlsxattn.builder.specification.table import show
from xlsxattn.contract.kinds import Encoder
from xlsxattn.contract.names import BETA, GAMMA, part_of
from xlsxattn.contract.values import MIN_EPSILON
from xlsxattn.language import say
from xlsxattn.weights.parts import Plan, TensorPart

if TYPE_CHECKING:
    from xlsxattn.language import Phrase
    from xlsxattn.weights.config import Config
    from xlsxattn.weights.parts import Parts
    from xlsxattn.weights.tensor import Tensor

TABLE, POSITIONS = "embeddings.word_embeddings.weight", "embeddings.position_embeddings.weight"
TYPES = "embeddings.token_type_embeddings.weight"
EPSILON, ROBERTA_PADDING, ELECTRA_EMBEDDING = 1e-12, 1, 128
"""Defaults of the transformers library: ε, id of the padding token, width of the embeddings."""


@dataclass(frozen=True, slots=True)
class BertNames:
    """Names of a family's tensors, after the number of the layer, and of its config keys."""

    layer: str
    linear: dict[str, str]
    norm1: str
    norm2: str
    d_model: tuple[str, ...] = ("hidden_size",)
    layers: tuple[str, ...] = ("num_hidden_layers",)
    heads: tuple[str, ...] = ("num_attention_heads",)
    d_ff: str = "intermediate_size"
    activation: str = "hidden_act"
    epsilon: str = "layer_norm_eps"
    has_types: bool = True


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
    ("dim", "hidden_size"),
    ("n_layers", "num_hidden_layers"),
    ("n_heads", "num_attention_heads"),
    "hidden_dim",
    "activation",
    "",
    has_types=False,
)


def plan_bert(parts: Parts, config: Config) -> Plan:
    """BERT: positions start at row 0 of the table."""
    width = config.get("embedding_size", default=config.get("hidden_size"))
    return _plan(parts, config, BERT, "BERT", width=width)


def plan_electra(parts: Parts, config: Config) -> Plan:
    """ELECTRA (Clark et al. 2020): a BERT whose embeddings may be narrower than its layers."""
    width = config.get("embedding_size", default=ELECTRA_EMBEDDING)
    return _plan(parts, config, BERT, "BERT", width=width)


def plan_roberta(parts: Parts, config: Config) -> Plan:
    """RoBERTa (Liu et al. 2019): positions start after the row of the padding token."""
    pad = config.data.get("pad_token_id", ROBERTA_PADDING)
    if type(pad) is not int or pad < 0:
        raise config.error(
            "pad_token_id", "found {found}, expected a whole number of at least 0", found=show(pad)
        )
    plan = _plan(parts, config, BERT, "RoBERTa", first=pad + 1)
    return replace(plan, padding=pad)


def plan_distilbert(parts: Parts, config: Config) -> Plan:
    """DistilBERT (Sanh et al. 2019): BERT without token types, under other names."""
    return _plan(parts, config, DISTIL, "DistilBERT")


def _plan(
    parts: Parts, config: Config, names: BertNames, family: str, *, first: int = 0, width: object = None
) -> Plan:
    model, d_model = _model(config, names, family), config.count(*names.d_model)
    if width is not None and width != d_model:
        sentence = "found {found}, embeddings narrower than the layers ({d_model}) are not supported"
        raise config.error("embedding_size", sentence, found=show(width), d_model=d_model)
    n_vocab, listed = config.count("vocab_size"), config.count("max_position_embeddings")
    if listed <= first:
        sentence = "found {found}, expected at least {least}"
        raise config.error("max_position_embeddings", sentence, found=listed, least=first + 1)
    table = parts.check(TABLE, n_vocab, d_model)
    positions = parts.check(POSITIONS, listed, d_model)
    types: Tensor | None = None
    notes: tuple[Phrase, ...] = ()
    if names.has_types:
        types = parts.check(TYPES, config.count("type_vocab_size", default=2), d_model)
        notes = (say("Row 0 of the token types is added to every position: each text is one segment."),)
    P = TensorPart("P", (listed - first, d_model), positions, first=first, added=types)
    return Plan(
        model,
        d_model,
        n_vocab,
        listed - first,
        table,
        None,
        (P, *_norm(parts, "Input", "embeddings.LayerNorm", d_model)),
        tuple(_layer(parts, names, k, d_model, model.d_ff) for k in range(model.layers)),
        notes,
    )


def _model(config: Config, names: BertNames, family: str) -> Encoder:
    d_model, heads = config.count(*names.d_model), config.count(*names.heads)
    d_k = config.divided(d_model, names.heads[0], heads)
    epsilon = EPSILON
    if names.epsilon:
        epsilon = config.positive(names.epsilon, default=EPSILON, minimum=MIN_EPSILON)
    return Encoder(
        id="bert",
        title=family,
        layers=config.count(*names.layers),
        heads=heads,
        kv_heads=heads,
        d_k=d_k,
        d_v=d_k,
        d_ff=config.count(names.d_ff),
        norm="layer",
        epsilon=epsilon,
        residual="post-norm",
        activation=config.activation(names.activation, default="gelu"),
        bias=True,
        mask="none",
        position="learned",
        scale=True,
        scale_embeddings=False,
        embedding_norm=True,
        final_norm=False,
    )


def _layer(parts: Parts, names: BertNames, k: int, d_model: int, d_ff: int) -> tuple[TensorPart, ...]:
    prefix = f"{names.layer}.{k}."
    weights: list[TensorPart] = []
    for which, name in names.linear.items():
        rows, columns = {"1": (d_model, d_ff), "2": (d_ff, d_model)}.get(which, (d_model, d_model))
        weights.append(parts.linear(f"W_{which}", f"{prefix}{name}.weight", rows, columns, transposed=True))
        weights.append(parts.row(f"b_{which}", f"{prefix}{name}.bias", columns))
    weights.extend(_norm(parts, "Norm1", prefix + names.norm1, d_model))
    weights.extend(_norm(parts, "Norm2", prefix + names.norm2, d_model))
    return tuple(weights)


def _norm(parts: Parts, name: str, tensor: str, d_model: int) -> tuple[TensorPart, TensorPart]:
    """γ and β, 1 × d_model; named gamma and beta in the first checkpoints."""
    old = parts.has(f"{tensor}.gamma")
    return (
        parts.row(part_of(name, GAMMA), f"{tensor}.gamma" if old else f"{tensor}.weight", d_model),
        parts.row(part_of(name, BETA), f"{tensor}.beta" if old else f"{tensor}.bias", d_model),
    )
