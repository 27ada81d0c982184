"""The spec: what a person asks for, read from TOML and found sound before anything is built.

Every error is one sentence that names the file, the key, what was found and what would be right.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xlsxattn.builder.specification.keys import read
from xlsxattn.builder.specification.sheets import parse_sheets
from xlsxattn.builder.specification.table import SpecError, Table, read_toml
from xlsxattn.builder.specification.words import (
    Context,
    Vocabulary,
    parse_contexts,
    parse_sentences,
    parse_vocabulary,
    spoken,
)
from xlsxattn.contract import kinds
from xlsxattn.contract.values import ID, MODEL_RESERVED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

__all__ = ["Context", "Spec", "SpecError", "Vocabulary", "load", "parse"]


@dataclass(frozen=True, slots=True)
class Spec:
    """All that a workbook is made from.

    ``lang`` is the language of its texts, ``about`` the paragraph on Start, "" for the usual one.
    """

    title: str
    focus: str
    vocabulary: Vocabulary
    contexts: tuple[Context, ...]
    sheets: tuple[kinds.Sheet, ...]
    explain: str = "short"
    lang: str = "en"
    about: str = ""

    def context(self, context_id: str) -> Context:
        """The context with an id."""
        return next(context for context in self.contexts if context.id == context_id)


QUOTED = re.compile(r'“([^\s“”"]+)”|"([^\s“”"]+)"')
"""A single word in quotes."""


def quoted_in_vain(spec: Spec, titles: Iterable[str] = ()) -> tuple[str, ...]:
    """The words that a spec's texts quote and its vocabulary lacks: they may speak of another spec's words.

    Only single words are looked at; a dimension, a class or a page's title, of ``titles``, may be quoted too.
    """
    texts = [spec.title, spec.about]
    texts += [text for s in spec.sheets for text in (s.title, s.about, *s.try_)]
    quoted = [one or other for text in texts for one, other in QUOTED.findall(text)]
    known = {*spec.vocabulary.tokens, *spec.vocabulary.dimensions, *(c.id for c in spec.contexts)}
    known |= {*titles} | {name for s in spec.sheets for name in (s.id, s.title)}
    known |= {name for s in spec.sheets if isinstance(s, kinds.Classifier) for name in s.classes}
    return tuple(dict.fromkeys(word for word in quoted if word not in known))


def compared_with_none(spec: Spec) -> str:
    """The focus word where a sheet compares its sentences and only one has it, else nothing."""
    compared = any(sheet.kind == "compare" for sheet in spec.sheets)
    return spec.focus if compared and sum(spec.focus in c.words for c in spec.contexts) == 1 else ""


def load(path: Path, changed: Mapping[str, Any] | None = None) -> Spec:
    """Read and check a spec; ``changed``: keys that take the place of the file's own.

    Raises:
        SpecError: the file cannot be read, is not TOML, or asks for what cannot be built.
    """
    return parse({**read_toml(path, str(path)), **(changed or {})}, str(path), path.parent)


def parse(data: Mapping[str, Any], source: str, folder: Path | None = None) -> Spec:
    """Check a spec that is already in memory.

    Args:
        data: the tables and keys, as TOML has them.
        source: names the spec in errors.
        folder: where the data files stand that it names.
    """
    top = Table(data, source, "", kinds.keys(kinds.Spec), folder)
    keys = kinds.Spec({}, {}, (), **read(top, kinds.Spec))
    words = top.table("vocabulary", kinds.keys(kinds.Vocabulary))
    sentences = parse_sentences(top) if "from" in words.data else {}
    vocabulary = parse_vocabulary(words, spoken(sentences))
    contexts = parse_contexts(top, sentences or parse_sentences(top), vocabulary, keys.length)
    focus = _focus(top, keys.focus, contexts)
    sheets = parse_sheets(_sheets(top), vocabulary, contexts, padded=keys.length > 0)
    if any(isinstance(sheet, kinds.Model) for sheet in sheets):
        for context in contexts:
            if context.id in MODEL_RESERVED:
                raise top.error(f"contexts.{context.id}", "this id is a model's own, choose another")
    return Spec(keys.title, focus, vocabulary, contexts, sheets, keys.explain, keys.lang, keys.about)


def _sheets(top: Table) -> list[Table]:
    listed = top.data.get("sheets")
    if not isinstance(listed, list) or not listed or not all(isinstance(item, dict) for item in listed):
        raise top.error("sheets", "at least one [[sheets]] table is needed")
    return [
        Table(item, top.source, f"sheets[{i + 1}]", None, top.folder, _id(item))
        for i, item in enumerate(listed)
    ]


def _id(sheet: Mapping[str, Any]) -> str:
    """The id of a sheet, where it has one that can be."""
    found = sheet.get("id")
    return found if isinstance(found, str) and re.fullmatch(ID, found) else ""


def _focus(top: Table, focus: str, contexts: tuple[Context, ...]) -> str:
    """The word to follow: the one asked for, else the first that all sentences share."""
    if focus:
        if not any(focus in context.words for context in contexts):
            raise top.error(
                "focus", "no sentence has the word {focus!r}, give a word that stands in one", focus=focus
            )
        return focus
    first = contexts[0].words
    words = [word for word in first if word] or list(first)
    return next((word for word in words if all(word in c.words for c in contexts)), words[0])
