"""Which family a checkpoint is of, and what its tensors are in the words of a spec; what is too much is said.

The names are those of Hugging Face's checkpoints, whatever stands before them (``bert.``, ``model.``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from xlsxattn.builder.specification.table import show
from xlsxattn.language import say
from xlsxattn.weights.bert import plan_bert, plan_distilbert, plan_roberta
from xlsxattn.weights.config import Config
from xlsxattn.weights.gpt2 import plan_gpt2
from xlsxattn.weights.llama import plan_glass, plan_llama, plan_original
from xlsxattn.weights.parts import Parts, Plan

if TYPE_CHECKING:
    from collections.abc import Callable

    from xlsxattn.weights.checkpoint import Checkpoint

MAX_NAMED = 8


@dataclass(frozen=True, slots=True)
class Family:
    """How a family is known.

    Attributes:
        types: the config's model_type; nothing where the config has none.
        sign: a tensor that every checkpoint of the family has.
        plan: makes its plan.
        beside: tensors that may stand by and have no part in what a workbook computes.
    """

    types: tuple[str, ...]
    sign: str
    plan: Callable[[Parts, Config], Plan]
    beside: str


_HEADS = (
    r"pooler\..*|cls\..*|classifier\..*|qa_outputs\..*|lm_head\..*|score\..*|discriminator_predictions\..*"
)
_BERT = rf"{_HEADS}|embeddings\.position_ids|embeddings\.token_type_ids"
_SIGN = "encoder.layer.0.attention.self.query.weight"
FAMILIES = (
    Family(("bert", "electra"), _SIGN, plan_bert, _BERT),
    Family(("roberta", "xlm-roberta", "camembert"), _SIGN, plan_roberta, _BERT),
    Family(
        ("distilbert",),
        "transformer.layer.0.attention.q_lin.weight",
        plan_distilbert,
        rf"{_BERT}|vocab_\w+\..*|pre_classifier\..*",
    ),
    Family(
        ("gpt2",),
        "h.0.attn.c_attn.weight",
        plan_gpt2,
        r"h\.\d+\.attn\.(masked_)?bias|score\..*|classifier\..*",
    ),
    Family(
        ("llama", "mistral", "qwen2"),
        "layers.0.self_attn.q_proj.weight",
        plan_llama,
        r"(layers\.\d+\.self_attn\.)?rotary_emb\.inv_freq|score\..*",
    ),
    Family(("llama", "mistral"), "layers.0.attention.wq.weight", plan_original, r"rope\.freqs"),
    Family((), "blocks.0.attn.W_Q", plan_glass, "(?!)"),
)


def plan(checkpoint: Checkpoint) -> Plan:
    """Understand a checkpoint: no number is read yet, but every tensor is there and has the right shape.

    Raises:
        CheckpointError: its family is not known, a tensor is lacking or too much, a shape or setting wrong.
    """
    config = Config(checkpoint.config, checkpoint.config_path)
    family, prefix = _family(checkpoint, config)
    parts = Parts(checkpoint, prefix)
    made = family.plan(parts, config)
    return replace(made, notes=(*made.notes, *_left_over(parts, family)))


def known() -> str:
    """The families, as an error's sentence lists them."""
    return ", ".join(dict.fromkeys(name for family in FAMILIES for name in family.types))


def _family(checkpoint: Checkpoint, config: Config) -> tuple[Family, str]:
    """The family, and what stands before its names."""
    kind = config.get("model_type")
    possible = [family for family in FAMILIES if kind is None or kind in family.types]
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
    if not found:
        signs = ", ".join(dict.fromkeys(repr(family.sign) for family in possible))
        if kind is None:
            sentence = "is of no known family ({known}): it has none of the tensors {signs}"
            raise checkpoint.error(sentence, known=known(), signs=signs)
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
        raise parts.error(sentence, names=_listed(odd))
    return (say("Left out: {names}.", names=_listed(rest)),) if rest else ()


def _listed(names: list[str]) -> str:
    listed, more = ", ".join(names[:MAX_NAMED]), len(names) - MAX_NAMED
    return say("{names} and {n} more", names=listed, n=more) if more > 0 else listed
