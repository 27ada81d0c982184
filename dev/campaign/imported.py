"""Small models in the layout of `xlsxattn import`, with pages that no template has.

Their weights are random. Only the faults of these pages are tested: the comparison of sentences, the map of a
selected head, the summaries of weights, and the words of typed rows. Everything else is in templates as well.
"""

from __future__ import annotations

import zlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from xlsxattn.builder import specification as specs
from xlsxattn.checker.structure import PAGES, PAGES_OF_CONTEXTS
from xlsxattn.contract.kinds import Model
from xlsxattn.contract.names import TYPED_FOR, RangeName, parse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dev.campaign.mutants import Mutant

SEED, WORDS, D_MODEL = 1810, 6, 8
"""Month of the BERT paper; size of the vocabulary; the smallest size that has summaries of weights."""
SIZES = {"layers": 2, "heads": 2, "d_ff": D_MODEL, "maps": False}
MODELS: Mapping[str, Mapping[str, Any]] = {
    "bert": {
        "kind": "encoder",
        "activation": "gelu",
        "position": "learned",
        "embedding_norm": True,
        "similarity": True,
    },
    "gpt2": {"kind": "decoder", "activation": "gelu-tanh", "generate": True},
    "tinyllama": {
        "kind": "decoder",
        "activation": "swiglu",
        "norm": "rms",
        "bias": False,
        "kv_heads": 1,
        "position": "rotary",
        "pairs": "halves",
        "base": 500.0,
        "tied": False,
        "generate": True,
    },
    "partial": {"kind": "encoder", "activation": "gelu", "position": "learned", "similarity": True},
}
"""Settings of each family, as in its checkpoints, and of a model without its first layer."""
PARTIAL = "partial"
PAIR = {"s1": ["w3", "w0", "w4"], "s2": ["w3", "w2", "w5", "w1"]}
SENTENCES = {"bert": PAIR, PARTIAL: PAIR}
PROMPT = {"s1": ["w3", "w0"]}
BLANKS = 2
OWN_BLOCKS = {*PAGES, *PAGES_OF_CONTEXTS, TYPED_FOR} - {"X", "Sum", "Input", "Output"}
OWN_PAGES = ("heads", "similar")
"""The blocks and pages that no template has, except for the summaries."""
ONE_OF = 8
"""Summaries of all matrices are alike, so only one of this many of their faults is tested."""


def spec(name: str) -> specs.Spec:
    """The spec of a small model of a family."""
    rng = np.random.default_rng(SEED)
    E = {f"w{i}": rng.normal(0, 1, D_MODEL).round(2).tolist() for i in range(WORDS)}
    data: dict[str, Any] = {
        "vocabulary": {"tokens": E},
        "contexts": SENTENCES.get(name, PROMPT),
        "sheets": [{"id": name, "title": name, "seed": SEED, **SIZES, **MODELS[name]}],
    }
    if MODELS[name]["kind"] == "decoder":
        data["length"] = len(PROMPT["s1"]) + BLANKS
        data["sheets"][0]["mask"] = "causal"
    found = specs.parse(data, name)
    (sheet,) = found.sheets
    assert isinstance(sheet, Model)
    if name == PARTIAL:
        sheet = _without_first(sheet, found, rng)
    return replace(found, sheets=(replace(sheet, apart=True, browse=(sheet.numbers[0], 1)),))


def _without_first(sheet: Model, spec: specs.Spec, rng: np.random.Generator) -> Model:
    """The model without its first layer: the rows that the second one reads are typed, for these words."""
    weights = {name: array for name, array in sheet.weights.items() if parse(f"x_{name}").layer != 1}
    for context in spec.contexts:
        name = RangeName(context=context.id, layer=2)["Input"]
        weights[name] = rng.normal(0, 1, (len(context.words), D_MODEL)).round(2)
    return replace(sheet, taken=(2,), layers=1, weights=weights)


def selected(made: Sequence[Mutant]) -> list[Mutant]:
    """The mutants of a small model that are tested."""
    return [mutant for mutant in made if any(_is_selected(mutant, parse(name)) for name in mutant.ranges)]


def _is_selected(mutant: Mutant, at: RangeName) -> bool:
    if at.is_summary:
        return zlib.crc32(mutant.what.encode()) % ONE_OF == 0
    return at.page in OWN_PAGES or at.block in OWN_BLOCKS or f"_{TYPED_FOR}" in mutant.what
