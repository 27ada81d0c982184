"""Which family a checkpoint is of, and what its tensors are in the words of a spec; what is too much is said.

The names are those of Hugging Face's checkpoints, whatever stands before them (``bert.``, ``model.``).
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from functools import reduce
from typing import TYPE_CHECKING

from xlsxattn.builder.specification.table import show
from xlsxattn.language import say
from xlsxattn.weights import config_keys
from xlsxattn.weights.bert import plan_bert, plan_distilbert, plan_electra, plan_roberta
from xlsxattn.weights.config import Config
from xlsxattn.weights.gpt2 import plan_gpt2
from xlsxattn.weights.llama import (
    plan_glass,
    plan_llama,
    plan_mistral,
    plan_original,
    plan_qwen2,
    plan_qwen3,
)
from xlsxattn.weights.parts import Parts, Plan

if TYPE_CHECKING:
    from collections.abc import Callable

    from xlsxattn.language import Phrase
    from xlsxattn.weights.checkpoint import Checkpoint


@dataclass(frozen=True, slots=True)
class Family:
    """How a family is known.

    Attributes:
        types: the config's model_type.
        name: what a sentence calls it.
        sign: a tensor that every checkpoint of the family has.
        plan: makes its plan.
        keys: the keys of its config.
        beside: tensors that may stand by and have no part in what a workbook computes.
        untyped: its configs may have no model_type.
    """

    types: tuple[str, ...]
    name: str
    sign: str
    plan: Callable[[Parts, Config], Plan]
    keys: config_keys.FamilyKeys
    beside: str
    untyped: bool = False


_HEADS = (
    r"pooler\..*|cls\..*|classifier\..*|qa_outputs\..*|lm_head\..*|score\..*|discriminator_predictions\..*"
    r"|generator_predictions\..*|generator_lm_head\..*"
)
_BERT = rf"{_HEADS}|embeddings\.position_ids|embeddings\.token_type_ids"
_BERT_SIGN, _LLAMA_SIGN = "encoder.layer.0.attention.self.query.weight", "layers.0.self_attn.q_proj.weight"
_LLAMA = r"(layers\.\d+\.self_attn\.)?rotary_emb\.inv_freq|score\..*"
FAMILIES = (
    Family(("bert",), "BERT", _BERT_SIGN, plan_bert, config_keys.BERT, _BERT),
    Family(("electra",), "ELECTRA", _BERT_SIGN, plan_electra, config_keys.BERT, _BERT),
    Family(
        ("roberta", "xlm-roberta", "camembert"),
        "RoBERTa",
        _BERT_SIGN,
        plan_roberta,
        config_keys.ROBERTA,
        _BERT,
    ),
    Family(
        ("distilbert",),
        "DistilBERT",
        "transformer.layer.0.attention.q_lin.weight",
        plan_distilbert,
        config_keys.DISTILBERT,
        rf"{_BERT}|vocab_\w+\..*|pre_classifier\..*",
    ),
    Family(
        ("gpt2",),
        "GPT-2",
        "h.0.attn.c_attn.weight",
        plan_gpt2,
        config_keys.GPT2,
        r"h\.\d+\.attn\.(masked_)?bias|score\..*|classifier\..*",
    ),
    Family(("llama",), "Llama", _LLAMA_SIGN, plan_llama, config_keys.LLAMA, _LLAMA),
    Family(("mistral",), "Mistral", _LLAMA_SIGN, plan_mistral, config_keys.MISTRAL, _LLAMA),
    Family(("qwen2",), "Qwen2", _LLAMA_SIGN, plan_qwen2, config_keys.QWEN2, _LLAMA),
    Family(("qwen3",), "Qwen3", _LLAMA_SIGN, plan_qwen3, config_keys.QWEN3, _LLAMA),
    Family(
        ("llama", "mistral"),
        "Llama",
        "layers.0.attention.wq.weight",
        plan_original,
        config_keys.ORIGINAL,
        r"rope\.freqs",
        untyped=True,
    ),
    Family((), "GlassLM", "blocks.0.attn.W_Q", plan_glass, config_keys.GLASS, "(?!)", untyped=True),
)


def plan(checkpoint: Checkpoint) -> Plan:
    """Understand a checkpoint: every tensor is there and has the right shape; hardly a number is read yet.

    Raises:
        CheckpointError: its family is not known, a tensor is lacking or too much, a shape or setting wrong.
    """
    config = Config(checkpoint.config, checkpoint.config_path)
    family, prefix = _family(checkpoint, config)
    notes = config_keys.check_keys(config, family.keys, family.name)
    parts = Parts(checkpoint, prefix)
    made = family.plan(parts, config)
    return replace(made, notes=(*made.notes, *notes, *_left_over(parts, family)))


def known() -> str:
    """The families, as an error's sentence lists them."""
    return ", ".join(dict.fromkeys(name for family in FAMILIES for name in family.types))


def _family(checkpoint: Checkpoint, config: Config) -> tuple[Family, str]:
    """The family, and what stands before its names."""
    kind = config.get("model_type")
    possible = [family for family in FAMILIES if kind in family.types or (kind is None and family.untyped)]
    if not possible:
        sentence = "found {found}, one of the known families is needed: {known}"
        raise config.error("model_type", sentence, found=show(kind), known=known())
    found = {
        name.removesuffix(family.sign): family
        for family in reversed(possible)
        for name in checkpoint.tensors
        if name == family.sign or name.endswith("." + family.sign)
    }
    if len(found) > 1:
        begin = ", ".join(map(repr, found))
        raise checkpoint.error(
            "holds several models, whose names begin with one of {begin}; one is needed", begin=begin
        )
    if not found and kind is None:
        sentence = "is missing, one of the known families is needed: {known}"
        raise config.error("model_type", sentence, known=known())
    if not found:
        signs = ", ".join(dict.fromkeys(repr(family.sign) for family in possible))
        one = say("is a {kind} by its config and lacks the tensor {signs}")
        more = say("is a {kind} by its config and has none of the tensors {signs}")
        raise checkpoint.error(one if len(possible) == 1 else more, kind=kind, signs=signs)
    ((prefix, family),) = found.items()
    return family, prefix


def _left_over(parts: Parts, family: Family) -> tuple[str, ...]:
    """A note on what has no part in the workbook.

    Raises:
        CheckpointError: a tensor of the model itself was not asked for, so the model computes something else.
    """
    rest = sorted(set(parts.checkpoint.tensors) - parts.taken)
    own = [name.removeprefix(parts.prefix) for name in rest]
    odd = [name for name, bare in zip(rest, own, strict=True) if not re.fullmatch(family.beside, bare)]
    if parts.prefix:  # whatever stands outside the model's own names is no part of it
        odd = [name for name in odd if name.startswith(parts.prefix)]
    if odd:
        sentence = (
            "has tensors that such a model does not have: {names}; "
            "it would compute something else than the workbook"
        )
        raise parts.error(sentence, names=config_keys.listed(odd))
    return (say("Left out: {names}.", names=_counted(own)),) if rest else ()


def _counted(names: list[str]) -> Phrase:
    """Tensors by the part of the model that they belong to, with their number: classifier (2 tensors)."""
    groups = Counter(_part(name) for name in names)
    one, more = "{name} ({n} tensor)", "{name} ({n} tensors)"
    counted = [say(one if n == 1 else more, name=name, n=n) for name, n in sorted(groups.items())]
    return reduce(lambda before, name: say("{before}, {name}", before=before, name=name), counted)


def _part(name: str) -> str:
    """What a tensor is a part of: the head that stands beside a model, or a kind of tensor in its layers."""
    if re.match(r"(\w+\.)?(h|layers?|embeddings)\.", name):
        return re.sub(r"\.\d+\.", ".*.", name)
    return name.partition(".")[0]
