"""Detects the family of a checkpoint and maps its tensors to the weights of a spec.

Names are those of Hugging Face's checkpoints, after any prefix (``bert.``, ``model.``).
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
from xlsxattn.weights.llama import plan_glass, plan_llama, plan_mistral, plan_original, plan_qwen2, plan_qwen3
from xlsxattn.weights.parts import Parts, Plan

if TYPE_CHECKING:
    from collections.abc import Callable

    from xlsxattn.language import Phrase
    from xlsxattn.weights.checkpoint import Checkpoint


@dataclass(frozen=True, slots=True)
class Family:
    """How a model family is recognized and read.

    Attributes:
        types: values of model_type in its configs.
        name: its name in messages.
        marker: a tensor that every checkpoint of the family has.
        plan: makes its plan.
        keys: the keys of its configs.
        unused: pattern of tensors that a workbook does not need.
        untyped: its configs may lack model_type.
    """

    types: tuple[str, ...]
    name: str
    marker: str
    plan: Callable[[Parts, Config], Plan]
    keys: config_keys.FamilyKeys
    unused: str
    untyped: bool = False


_HEADS = (
    r"pooler\..*|cls\..*|classifier\..*|qa_outputs\..*|lm_head\..*|score\..*|discriminator_predictions\..*"
    r"|generator_predictions\..*|generator_lm_head\..*"
)
_BERT = rf"{_HEADS}|embeddings\.position_ids|embeddings\.token_type_ids"
_BERT_MARKER, _LLAMA_MARKER = (
    "encoder.layer.0.attention.self.query.weight",
    "layers.0.self_attn.q_proj.weight",
)
_LLAMA = r"(layers\.\d+\.self_attn\.)?rotary_emb\.inv_freq|score\..*"
FAMILIES = (
    Family(("bert",), "BERT", _BERT_MARKER, plan_bert, config_keys.BERT, _BERT),
    Family(("electra",), "ELECTRA", _BERT_MARKER, plan_electra, config_keys.BERT, _BERT),
    Family(
        ("roberta", "xlm-roberta", "camembert"),
        "RoBERTa",
        _BERT_MARKER,
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
    Family(("llama",), "Llama", _LLAMA_MARKER, plan_llama, config_keys.LLAMA, _LLAMA),
    Family(("mistral",), "Mistral", _LLAMA_MARKER, plan_mistral, config_keys.MISTRAL, _LLAMA),
    Family(("qwen2",), "Qwen2", _LLAMA_MARKER, plan_qwen2, config_keys.QWEN2, _LLAMA),
    Family(("qwen3",), "Qwen3", _LLAMA_MARKER, plan_qwen3, config_keys.QWEN3, _LLAMA),
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
    """Map a checkpoint to a model; check that all its tensors exist and have the right shape.

    Raises:
        CheckpointError: the family is unknown, a tensor is missing or unexpected, or a shape or setting is
            wrong.
    """
    config = Config(checkpoint.config, checkpoint.config_path)
    family, prefix = _family(checkpoint, config)
    notes = config_keys.check_keys(config, family.keys, family.name)
    parts = Parts(checkpoint, prefix)
    family_plan = family.plan(parts, config)
    return replace(family_plan, notes=(*family_plan.notes, *notes, *_unused_note(parts, family)))


def known() -> str:
    """Model types of all families, as a list for errors."""
    return ", ".join(dict.fromkeys(name for family in FAMILIES for name in family.types))


def _family(checkpoint: Checkpoint, config: Config) -> tuple[Family, str]:
    """The family, and the prefix of its names."""
    kind = config.get("model_type")
    possible = [family for family in FAMILIES if kind in family.types or (kind is None and family.untyped)]
    if not possible:
        sentence = "found {found}, expected one of the known families: {known}"
        raise config.error("model_type", sentence, found=show(kind), known=known())
    matches = {
        name.removesuffix(family.marker): family
        for family in reversed(possible)
        for name in checkpoint.tensors
        if name == family.marker or name.endswith("." + family.marker)
    }
    if len(matches) > 1:
        prefixes = ", ".join(map(repr, matches))
        raise checkpoint.error("contains several models, with the prefixes {begin}", begin=prefixes)
    if not matches and kind is None:
        sentence = "is missing, expected one of the known families: {known}"
        raise config.error("model_type", sentence, known=known())
    if not matches:
        markers = ", ".join(dict.fromkeys(repr(family.marker) for family in possible))
        one = say("is a {kind} according to its config, but lacks the tensor {signs}")
        more = say("is a {kind} according to its config, but has none of the tensors {signs}")
        raise checkpoint.error(one if len(possible) == 1 else more, kind=kind, signs=markers)
    ((prefix, family),) = matches.items()
    return family, prefix


def _unused_note(parts: Parts, family: Family) -> tuple[str, ...]:
    """A note on tensors that are not imported.

    Raises:
        CheckpointError: a tensor of the model itself is unused, so the model computes something else.
    """
    rest = sorted(set(parts.checkpoint.tensors) - parts.used)
    bare = [name.removeprefix(parts.prefix) for name in rest]
    unexpected = [
        full for full, name in zip(rest, bare, strict=True) if not re.fullmatch(family.unused, name)
    ]
    if parts.prefix:  # tensors without the prefix are not part of the model
        unexpected = [name for name in unexpected if name.startswith(parts.prefix)]
    if unexpected:
        sentence = (
            "has unexpected tensors for such a model: {names}; "
            "the workbook would compute something else than the model"
        )
        raise parts.error(sentence, names=config_keys.listed(unexpected))
    return (say("Not imported: {names}.", names=_counted(bare)),) if rest else ()


def _counted(names: list[str]) -> Phrase:
    """Number of tensors by the part of the model that they belong to: classifier (2 tensors)."""
    groups = Counter(_part(name) for name in names)
    one, more = "{name} ({n} tensor)", "{name} ({n} tensors)"
    counted = [say(one if n == 1 else more, name=name, n=n) for name, n in sorted(groups.items())]
    return reduce(lambda before, name: say("{before}, {name}", before=before, name=name), counted)


def _part(name: str) -> str:
    """The part that a tensor belongs to: a head next to the model, or a kind of tensor in its layers."""
    if re.match(r"(\w+\.)?(h|layers?|embeddings)\.", name):
        return re.sub(r"\.\d+\.", ".*.", name)
    return name.partition(".")[0]
