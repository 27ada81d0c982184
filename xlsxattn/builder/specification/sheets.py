"""Validates the sheets of a spec: their kinds, settings and weights.

Errors are one sentence each: file, key, what was found, and what is expected.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from xlsxattn.builder.specification import training
from xlsxattn.builder.specification import weights as learned
from xlsxattn.builder.specification.key_readers import read
from xlsxattn.builder.specification.table import show
from xlsxattn.contract.keys import ContextId, Items, keys
from xlsxattn.contract.kinds import (
    CAUSAL,
    DEFAULT_KIND,
    KINDS,
    PADDING,
    Compare,
    Model,
    MultiHead,
    Sheet,
    Training,
    WithAttention,
    Writer,
    can_be_followed,
)
from xlsxattn.language import say
from xlsxattn.suggestions import nearest, with_near

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlsxattn.builder.specification.table import Table
    from xlsxattn.builder.specification.words import Context, Vocabulary

    A = TypeVar("A", bound=WithAttention)

MAX_MAPS, MAX_MAPPED_LENGTH = 32, 16
"""Maximum number of heads and words for a page of all heads by default."""
DEFAULT_TOP_K = 3
KEYS = {name: ("kind", *keys(kind)) for name, kind in KINDS.items()}


def parse_sheets(
    listed: Sequence[Table], vocabulary: Vocabulary, contexts: Sequence[Context], *, padded: bool
) -> tuple[Sheet, ...]:
    """Validate all ``[[sheets]]`` tables; ``padded``: the spec sets a length of its contexts."""
    used = {context.id: f"contexts.{context.id}" for context in contexts}
    sheets: list[Sheet] = []
    for bare in listed:
        kind = _kind(bare)
        table = bare.with_keys(KEYS[kind.kind])
        sheet = kind(**read(table, kind))
        if sheet.id in used:
            sentence = "{sheet_id!r} is already used by {taken}; ids must be unique"
            raise table.error("id", sentence, sheet_id=sheet.id, taken=used[sheet.id])
        used[sheet.id] = table.place
        sheet = replace(sheet, title=sheet.title or kind.kind.capitalize())
        resolver = _Resolver(table, vocabulary, {c.id: c for c in contexts}, padded=padded)
        sheets.append(resolver.resolved(sheet, sheets))
    return tuple(sheets)


def _kind(bare: Table) -> type[Sheet]:
    """The kind of a table; rejects keys that belong to other kinds."""
    kind = bare.data.get("kind", DEFAULT_KIND.kind)
    if not isinstance(kind, str) or kind not in KINDS:
        message = say("found {found}, expected one of {known}", found=show(kind), known=", ".join(KINDS))
        raise bare.error("kind", with_near(message, kind, KINDS))
    for key in bare.data:
        others = _kinds_with(key)
        if others and kind not in others:
            sentence = "sheets of kind {kind!r} have no such key; it belongs to {kinds}"
            raise bare.error(key, sentence, kind=kind, kinds=", ".join(others))
    if near := _elsewhere(bare, kind):
        key, meant = near
        sentence = "there is no such key; {near!r} belongs to {kinds}"
        raise bare.error(key, sentence, near=meant, kinds=", ".join(_kinds_with(meant)))
    return KINDS[kind]


def _kinds_with(key: str) -> list[str]:
    return [kind for kind, names in KEYS.items() if key in names]


def _elsewhere(bare: Table, kind: str) -> tuple[str, str] | None:
    """An unknown key, and the most similar known key, if it belongs to other kinds."""
    known = {key: None for names in KEYS.values() for key in names}
    for key in bare.data:
        near = nearest(key, known, 0.5) if key not in known else None
        if near and near not in KEYS[kind]:
            return key, near
    return None


class _Resolver:
    """Fills in a sheet's settings that depend on the rest of the spec, and validates combinations."""

    def __init__(
        self, table: Table, vocabulary: Vocabulary, contexts: dict[str, Context], *, padded: bool
    ) -> None:
        self.table, self.vocabulary, self.contexts, self.padded = table, vocabulary, contexts, padded

    def resolved(self, sheet: Sheet, before: Sequence[Sheet]) -> Sheet:
        """The sheet with all its settings."""
        if isinstance(sheet, WithAttention):
            return self._weighted(self._in_contexts(sheet))
        if isinstance(sheet, Compare):
            return self._compare(sheet, before)
        if isinstance(sheet, Training):
            return training.resolved(self.table, sheet, before, self.vocabulary)
        return sheet

    def _compare(self, sheet: Compare, before: Sequence[Sheet]) -> Compare:
        if not any(can_be_followed(one, tuple(self.contexts)) for one in before):
            raise self.table.error("kind", "there is no attention sheet before it to compare; add one first")
        for word in sheet.near:
            if word not in self.vocabulary.tokens:
                message = say("the vocabulary lacks the word {word!r}", word=word)
                raise self.table.error("near", with_near(message, word, self.vocabulary.tokens))
        return replace(sheet, axes=self._axes(sheet.axes))

    def _axes(self, value: object) -> tuple[str, ...]:
        dimensions = self.vocabulary.dimensions
        if value == ():
            return dimensions[:2]
        listed = value if isinstance(value, list) else []
        axes = tuple(self.table.word("axes", axis) for axis in listed if isinstance(axis, str))
        two = len(listed) == len(set(axes)) == min(2, len(dimensions))
        if not two or not set(axes) <= set(dimensions):
            known = ", ".join(dimensions[:8])
            sentence = "found {found}, expected two of the dimensions ({known})"
            unknown = next((axis for axis in axes if axis not in dimensions), None)
            message = say(sentence, found=show(value), known=known)
            raise self.table.error("axes", with_near(message, unknown, dimensions))
        return axes

    def _in_contexts(self, sheet: A) -> A:
        """The sheet with its contexts: one for each of its roles, or the listed ones, by default all."""
        every: tuple[str, ...] = tuple(self.contexts)
        resolved: dict[str, Any] = {}
        roles = [one for one in keys(type(sheet)).values() if isinstance(one.key, ContextId)]
        if roles and len(every) < len(roles):
            raise self.table.error("kind", "{kind} needs two contexts, the spec has one", kind=sheet.kind)
        for one in keys(type(sheet)).values():
            value = getattr(sheet, one.attribute)
            if isinstance(one.key, ContextId):
                resolved[one.attribute] = self._context(one.name, value or every[roles.index(one)])
            elif isinstance(one.key, Items) and isinstance(one.key.item, ContextId):
                listed = [self._context(f"{one.name}[{i}]", each) for i, each in enumerate(value, 1)]
                resolved[one.attribute] = tuple(listed) or every
        if roles and len({*resolved.values()}) < len(roles):
            sentence = "is also {both!r}; the two contexts must differ"
            raise self.table.error(roles[1].name, sentence, both=resolved[roles[1].attribute])
        return replace(sheet, **resolved)

    def _context(self, key: str, value: object) -> str:
        if not isinstance(value, str) or value not in self.contexts:
            known = ", ".join(list(self.contexts)[:8])
            message = say("found {found}; the contexts are: {known}", found=show(value), known=known)
            raise self.table.error(key, with_near(message, value, self.contexts))
        return value

    def _weighted(self, sheet: WithAttention) -> WithAttention:
        """The sheet with its sizes and its weights, given or random."""
        table, d_model, given = self.table, self.vocabulary.d_model, sheet.weights
        with_weights = sheet.headed or bool(given) or sheet.d_k + sheet.d_v > 0 or sheet.seed is not None
        sheet = self._grouped(sheet)
        if isinstance(sheet, Model):
            sheet = self._model(sheet)
        sheet = learned.sized(table, sheet, d_model)
        self._check_position(sheet, with_weights=with_weights)
        if not with_weights:
            return replace(sheet, d_k=0, d_v=0)
        n = max(len(self.contexts[c].words) for c in sheet.contexts or self.contexts)
        shapes = learned.shapes(sheet, d_model, len(self.vocabulary.tokens), n)
        if given:
            return replace(sheet, weights=learned.shaped(table, sheet, given, shapes), seed=None)
        seed = sheet.seed or 0
        return replace(sheet, weights=learned.drawn(seed, shapes, d_model), seed=seed)

    def _grouped(self, sheet: WithAttention) -> WithAttention:
        """The sheet with its number of key and value heads, and whether it has a page of all heads."""
        if not isinstance(sheet, MultiHead | Model):
            return sheet
        if sheet.kv_heads and sheet.heads % sheet.kv_heads:
            sentence = "found {found}, which does not divide the {heads} heads"
            raise self.table.error("kv_heads", sentence, found=sheet.kv_heads, heads=sheet.heads)
        layers = sheet.layers if isinstance(sheet, Model) else 1
        few = sheet.heads * layers in range(2, MAX_MAPS + 1)
        shown = sheet.contexts or self.contexts
        short = max(len(self.contexts[c].words) for c in shown) <= MAX_MAPPED_LENGTH
        maps = few and short if sheet.maps is None else sheet.maps
        return replace(sheet, kv_heads=sheet.kv_heads or sheet.heads, maps=maps)

    def _model(self, sheet: Model) -> Model:
        if sheet.generate and sheet.mask in CAUSAL and sheet.mask in PADDING:
            raise self.table.error(
                "mask",
                "'causal+padding' cannot be combined with generate, which fills all blank cells: use "
                "'causal'",
            )
        final_norm = sheet.residual == "pre-norm" if sheet.final_norm is None else sheet.final_norm
        mask = sheet.mask or ("padding" if self.padded else "none")
        sheet = replace(sheet, mask=mask, final_norm=final_norm)
        if isinstance(sheet, Writer):
            words = len(self.vocabulary.tokens)
            top_k = sheet.top_k or min(DEFAULT_TOP_K, words)
            return replace(sheet, top_k=self.table.whole("top_k", top_k, 1, words))
        return sheet

    def _check_position(self, sheet: WithAttention, *, with_weights: bool) -> None:
        if sheet.position == "learned" and not with_weights:
            sentence = "'learned' adds a table of weights: set weights, d_k or seed"
            raise self.table.error("position", sentence)
        if sheet.position != "rotary":
            return
        if not with_weights:
            raise self.table.error(
                "position", "'rotary' rotates Q and K, which need weights: set weights, d_k or seed"
            )
        if sheet.d_k % 2:
            sentence = "'rotary' rotates pairs of columns, but d_k is {d_k}; it must be even"
            raise self.table.error("position", sentence, d_k=sheet.d_k)
