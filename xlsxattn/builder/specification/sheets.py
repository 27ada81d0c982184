"""The sheets of a spec: which kind each is, its settings, and the weights that it needs.

Every error is one sentence that names the file, the key, what was found and what would be right.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from xlsxattn.builder.specification import weights as learned
from xlsxattn.builder.specification.settings import (
    ACTIVATIONS,
    ATTENTION,
    CAUSAL,
    KINDS,
    MASKS,
    MODELS,
    NORMS,
    PAIRS,
    POOLS,
    POSITIONS,
    RESIDUALS,
    WRITERS,
    SheetSpec,
)
from xlsxattn.builder.specification.table import identifier, show
from xlsxattn.language import say
from xlsxattn.suggestions import nearest, with_near

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xlsxattn.builder.specification.table import Table
    from xlsxattn.builder.specification.words import Context, Vocabulary

MAX_MAPS, MAX_MAPPED_LENGTH = 32, 16
"""Heads and words up to which a page of all heads' attention is made without being asked for."""
MAX_HEADS, MAX_LAYERS, MAX_COLUMNS, MAX_CLASSES, MAX_NEAR = 64, 64, 4096, 256, 256
MAX_TRIES = 3

_OWN = ("id", "title", "kind", "about", "try")
_SIZES = ("d_k", "d_v", "seed", "weights")
_ATTENTION = ("scale", "mask", "position", "base", "pairs")
_MODEL = (
    *_ATTENTION,
    *("contexts", "layers", "heads", "kv_heads", "d_ff", "norm", "epsilon", "residual", "activation", "bias"),
    *("scale_embeddings", "embedding_norm", "final_norm", "maps"),
    *_SIZES,
)
_WRITING = ("tied", "top_k", "temperature", "generate")
KEYS = {
    "self-attention": (*_OWN, *_ATTENTION, "temperature", *_SIZES),
    "multi-head": (*_OWN, *_ATTENTION, "temperature", "heads", "kv_heads", "bias", "maps", *_SIZES),
    "cross-attention": (*_OWN, "queries", "keys", "scale", "mask", "temperature", "heads", *_SIZES),
    "encoder": (*_OWN, *_MODEL, "similarity"),
    "decoder": (*_OWN, *_MODEL, *_WRITING),
    "encoder-decoder": (*_OWN, "source", "target", *(k for k in _MODEL if k != "contexts"), *_WRITING),
    "classifier": (*_OWN, *_MODEL, "pool", "classes"),
    "compare": (*_OWN, "axes", "near"),
}


def parse_sheets(
    listed: Sequence[Table], vocabulary: Vocabulary, contexts: Sequence[Context], *, padded: bool
) -> tuple[SheetSpec, ...]:
    """Check all ``[[sheets]]`` tables; ``padded``: the spec gives its contexts a length."""
    taken = {context.id: f"contexts.{context.id}" for context in contexts}
    sheets: list[SheetSpec] = []
    for bare in listed:
        kind = bare.data.get("kind", "self-attention")
        if not isinstance(kind, str) or kind not in KINDS:
            said = say("found {found}, one of {known} is needed", found=show(kind), known=", ".join(KINDS))
            raise bare.error("kind", with_near(said, kind, KINDS))
        for key in bare.data:
            others = [name for name, keys in KEYS.items() if key in keys]
            if others and kind not in others:
                raise bare.error(
                    key,
                    "there is no such key on a sheet of kind {kind!r}, leave it out; it belongs to {kinds}",
                    kind=kind,
                    kinds=", ".join(others),
                )
        if near := _elsewhere(bare, kind):
            raise bare.error(
                near[0],
                "there is no such key; {near!r} belongs to {kinds}",
                near=near[1],
                kinds=", ".join(name for name, keys in KEYS.items() if near[1] in keys),
            )
        table = bare.knowing(KEYS[kind])
        if "id" not in table.data:
            raise table.error("id", "is missing")
        sheet_id = identifier(table, "id", table.data["id"], say("a sheet"))
        if sheet_id in taken:
            raise table.error(
                "id",
                "{sheet_id!r} is taken by {taken}, ids must differ",
                sheet_id=sheet_id,
                taken=taken[sheet_id],
            )
        taken[sheet_id] = table.place
        reader = _Reader(table, sheet_id, kind, vocabulary, contexts, padded=padded)
        sheet = reader.compare(sheets) if kind == "compare" else reader.sheet()
        sheets.append(replace(sheet, about=reader.about(), tries=reader.tries()))
    return tuple(sheets)


def _elsewhere(bare: Table, kind: str) -> tuple[str, str] | None:
    """A key that no sheet has, and the one of other kinds that it is most like, more than any of its own."""
    every = {key: None for keys in KEYS.values() for key in keys}
    for key in bare.data:
        near = nearest(key, every, 0.5) if key not in every else None
        if near and near not in KEYS[kind]:
            return key, near
    return None


class _Reader:
    """Reads one sheet's table, for its kind."""

    def __init__(
        self,
        table: Table,
        sheet_id: str,
        kind: str,
        vocabulary: Vocabulary,
        contexts: Sequence[Context],
        *,
        padded: bool,
    ) -> None:
        self.table, self.id, self.kind = table, sheet_id, kind
        self.vocabulary, self.contexts, self.padded = vocabulary, {c.id: c for c in contexts}, padded
        self.model, self.writes = kind in MODELS, kind in WRITERS
        self.title = table.text("title", KINDS[kind])

    def about(self) -> str:
        """The line below the title."""
        return self.table.prose("about", self.table.data["about"]) if "about" in self.table.data else ""

    def tries(self) -> tuple[str, ...]:
        """What the sheet invites to try."""
        found = self.table.data.get("try", [""])
        if not isinstance(found, list) or not 1 <= len(found) <= MAX_TRIES:
            raise self.table.error(
                "try",
                "found {found}, a list of one to {most} sentences is needed",
                found=show(found),
                most=MAX_TRIES,
            )
        listed = found if "try" in self.table.data else []
        return tuple(self.table.prose(f"try[{i}]", text) for i, text in enumerate(listed, 1))

    def compare(self, before: Sequence[SheetSpec]) -> SheetSpec:
        table, vocabulary = self.table, self.vocabulary
        every = tuple(self.contexts)
        if not any(s.kind in ATTENTION or (s.kind == "encoder" and s.contexts == every) for s in before):
            raise table.error("kind", "there is no attention sheet before it to compare, put one first")
        found = table.data.get("axes", list(vocabulary.dimensions[:2]))
        named = isinstance(found, list) and all(isinstance(axis, str) for axis in found)
        axes = tuple(table.word("axes", axis) for axis in found) if named else ()
        two = len(axes) == len(set(axes)) == min(2, vocabulary.d_model)
        if not two or not set(axes) <= set(vocabulary.dimensions):
            known = ", ".join(vocabulary.dimensions[:8])
            sentence = "found {found}, two of the dimensions ({known}) are needed"
            unknown = next((axis for axis in axes if axis not in vocabulary.dimensions), None)
            said = say(sentence, found=show(found), known=known)
            raise table.error("axes", with_near(said, unknown, vocabulary.dimensions))
        return SheetSpec(self.id, "compare", self.title, axes=axes, near=self._near())

    def _near(self) -> tuple[str, ...]:
        table, found = self.table, self.table.data.get("near", [])
        if not isinstance(found, list) or len(found) > MAX_NEAR:
            raise table.error(
                "near",
                "found {found}, a list of at most {most} words is needed",
                found=show(found),
                most=MAX_NEAR,
            )
        words = tuple(table.word("near", word) for word in found)
        for word in words:
            if word not in self.vocabulary.tokens:
                said = say("the vocabulary lacks the word {word!r}", word=word)
                raise table.error("near", with_near(said, word, self.vocabulary.tokens))
        return words

    def sheet(self) -> SheetSpec:
        table, d_model = self.table, self.vocabulary.d_model
        contexts = self._contexts()
        given, seed = learned.given(table), learned.seed_of(table)
        headed = self.model or self.kind == "multi-head" or "heads" in table.data
        settings: dict[str, Any] = {
            "scale": table.flag("scale", default=True),
            "mask": self._mask(),
            "headed": headed,
            "heads": table.count("heads", 1, MAX_HEADS),
            "bias": table.flag("bias", default=self.model),
            **self._positions(),
            **(self._model() if self.model else {}),
            **(self._writer() if self.writes else {}),
        }
        if not self.model:
            settings |= {
                "temperature": table.positive("temperature", 1.0),
                "tempered": "temperature" in table.data,
            }
        if "maps" in KEYS[self.kind]:
            few = settings["heads"] * settings.get("layers", 1) in range(2, MAX_MAPS + 1)
            short = max(len(self.contexts[c].words) for c in contexts) <= MAX_MAPPED_LENGTH
            settings["maps"] = table.flag("maps", default=few and short)
        if settings.get("generate") and settings["mask"] == "causal+padding":
            raise table.error(
                "mask",
                "'causal+padding' stands beside generate, which fills every blank cell: 'causal' is needed",
            )
        settings["kv_heads"] = self._kv_heads(settings["heads"])
        with_weights = headed or bool(given) or any(key in table.data for key in ("d_k", "d_v", "seed"))
        prefix = "enc_l1_" if self.kind == "encoder-decoder" else "l1_" if self.model else ""
        settings |= learned.sizes(table, given, settings["heads"], settings["kv_heads"], d_model, prefix)
        self._check_pairs(settings, with_weights=with_weights)
        sheet = SheetSpec(self.id, self.kind, self.title, contexts, **settings)
        if not with_weights:
            return sheet
        n = max(len(self.contexts[c].words) for c in contexts)
        shapes = learned.shapes(sheet, d_model, len(self.vocabulary.tokens), n)
        weights = learned.shaped(table, given, shapes) if given else learned.drawn(seed, shapes, d_model)
        settings |= {"weights": weights, "seed": None if given else seed}
        return SheetSpec(self.id, self.kind, self.title, contexts, **settings)

    def _contexts(self) -> tuple[str, ...]:
        every = tuple(self.contexts)
        pairs = {"cross-attention": ("queries", "keys"), "encoder-decoder": ("source", "target")}
        if self.kind in pairs:
            roles = pairs[self.kind]
            if len(every) < len(roles):
                raise self.table.error("kind", "{kind} needs two contexts, the spec has one", kind=self.kind)
            both = tuple(self._context(k, self.table.data.get(k, every[i])) for i, k in enumerate(roles))
            if both[0] == both[1]:
                raise self.table.error(
                    roles[1], "is {both!r} as well, two different contexts are needed", both=both[1]
                )
            return both
        listed = self.table.data.get("contexts", list(every))
        if not isinstance(listed, list) or not listed:
            raise self.table.error(
                "contexts", "found {found}, a list of contexts' ids is needed", found=show(listed)
            )
        chosen = tuple(self._context("contexts", one) for one in listed)
        if len(set(chosen)) < len(chosen):
            raise self.table.error("contexts", "has a context twice, each can stand once")
        return chosen

    def _context(self, key: str, value: object) -> str:
        if not isinstance(value, str) or value not in self.contexts:
            known = ", ".join(list(self.contexts)[:8])
            said = say("found {found}, the contexts are: {known}", found=show(value), known=known)
            raise self.table.error(key, with_near(said, value, self.contexts))
        return value

    def _mask(self) -> str:
        default = "padding" if self.padded and self.model else "none"
        possible: tuple[str, ...] = MASKS
        if self.kind == "decoder":
            default, possible = "causal", CAUSAL
        elif self.kind in ("cross-attention", "encoder-decoder"):
            possible = ("none", "padding")
        return self.table.one_of("mask", possible, default)

    def _positions(self) -> dict[str, Any]:
        default = "none" if not self.model else "learned" if self.kind == "decoder" else "sinusoidal"
        position = "none"
        if "position" in KEYS[self.kind]:
            position = self.table.one_of("position", POSITIONS, default)
        return {
            "position": position,
            "base": self.table.positive("base", 10_000.0),
            "pairs": self.table.one_of("pairs", PAIRS, PAIRS[0]),
        }

    def _kv_heads(self, heads: int) -> int:
        found = self.table.count("kv_heads", heads, MAX_HEADS)
        if heads % found:
            raise self.table.error(
                "kv_heads", "found {found}, which does not divide the {heads} heads", found=found, heads=heads
            )
        return found

    def _check_pairs(self, settings: Mapping[str, Any], *, with_weights: bool) -> None:
        if settings["position"] != "rotary":
            return
        if not with_weights:
            raise self.table.error(
                "position", "'rotary' turns Q and K, which need weights: give weights, d_k or a seed"
            )
        if settings["d_k"] % 2:
            raise self.table.error(
                "position",
                "'rotary' turns pairs of columns, and d_k is {d_k}, an even d_k is needed",
                d_k=settings["d_k"],
            )

    def _model(self) -> dict[str, Any]:
        table, post = self.table, self.kind != "decoder"
        residual = table.one_of("residual", RESIDUALS, RESIDUALS[post])
        found: dict[str, Any] = {
            "layers": table.count("layers", 1, MAX_LAYERS),
            "d_ff": table.count("d_ff", 4 * self.vocabulary.d_model, MAX_COLUMNS),
            "norm": table.one_of("norm", NORMS, NORMS[0]),
            "epsilon": table.positive("epsilon", 1e-5),
            "residual": residual,
            "activation": table.one_of("activation", ACTIVATIONS, "relu" if post else "gelu"),
            "scale_embeddings": table.flag("scale_embeddings", default=self.kind == "encoder-decoder"),
            "embedding_norm": table.flag("embedding_norm", default=False),
            "final_norm": table.flag("final_norm", default=residual == "pre-norm"),
        }
        if self.kind == "encoder":
            found["similarity"] = table.flag("similarity", default=False)
        if self.kind == "classifier":
            found |= {"pool": table.one_of("pool", POOLS, POOLS[0]), "classes": self._classes()}
        return found

    def _writer(self) -> dict[str, Any]:
        table, words = self.table, len(self.vocabulary.tokens)
        return {
            "tied": table.flag("tied", default=True),
            "top_k": table.count("top_k", min(3, words), words),
            "temperature": table.positive("temperature", 1.0),
            "generate": table.flag("generate", default=False),
        }

    def _classes(self) -> tuple[str, ...]:
        found = self.table.data.get("classes")
        if not isinstance(found, list) or not 1 < len(found) <= MAX_CLASSES:
            sentence = say(
                "found {found}, a list of two to {most} names is needed",
                found=show(found),
                most=MAX_CLASSES,
            )
            raise self.table.error("classes", "is missing" if found is None else sentence)
        classes = tuple(self.table.word("classes", name) for name in found)
        if len(set(classes)) < len(classes):
            raise self.table.error("classes", "has a name twice, every class needs a name of its own")
        return classes
