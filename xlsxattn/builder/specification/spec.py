"""The spec: what a person asks for, read from TOML and found sound before anything is built.

Every error is one sentence that names the file, the key, what was found and what would be right.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xlsxattn.builder.specification.settings import KINDS, SheetSpec
from xlsxattn.builder.specification.sheets import parse_sheets
from xlsxattn.builder.specification.table import ID, MAX_ID_LENGTH, RESERVED, SpecError, Table, read_toml
from xlsxattn.builder.specification.words import (
    Context,
    Vocabulary,
    parse_contexts,
    parse_sentences,
    parse_vocabulary,
    spoken,
)
from xlsxattn.language import codes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

__all__ = ["KINDS", "RESERVED", "Context", "SheetSpec", "Spec", "SpecError", "Vocabulary", "load", "parse"]

TOP = ("title", "about", "lang", "focus", "length", "explain", "vocabulary", "contexts", "sheets")
MAX_ABOUT_LENGTH = 1000
"""Characters of the paragraph on Start."""
EXPLAIN = ("short", "full")
"""How much a workbook says beside its numbers."""
MODELS_OWN = ("in", "out", "enc", "dec", "similar")
"""Parts of a model's names, which no context may have as its id beside one."""


@dataclass(frozen=True, slots=True)
class Spec:
    """All that a workbook is made from.

    ``lang`` is the language of its texts, ``about`` the paragraph on Start, "" for the usual one.
    """

    title: str
    focus: str
    vocabulary: Vocabulary
    contexts: tuple[Context, ...]
    sheets: tuple[SheetSpec, ...]
    explain: str = EXPLAIN[0]
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
    texts += [text for s in spec.sheets for text in (s.title, s.about, *s.tries)]
    quoted = [one or other for text in texts for one, other in QUOTED.findall(text)]
    known = {*spec.vocabulary.tokens, *spec.vocabulary.dimensions, *(c.id for c in spec.contexts)}
    known |= {*titles} | {name for s in spec.sheets for name in (s.id, s.title, *s.classes)}
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
    top = Table(data, source, "", TOP, folder)
    words = top.table("vocabulary", ("dimensions", "tokens", "from", "words", "components"))
    sentences = parse_sentences(top) if "from" in words.data else {}
    vocabulary = parse_vocabulary(words, spoken(sentences))
    contexts = parse_contexts(top, sentences or parse_sentences(top), vocabulary)
    focus = _focus(top, contexts)
    title = top.text("title", "Attention")
    sheets = parse_sheets(_sheets(top), vocabulary, contexts, padded="length" in data)
    if any(sheet.is_model for sheet in sheets):
        for context in contexts:
            if context.id in MODELS_OWN:
                raise top.error(f"contexts.{context.id}", "this id is a model's own, choose another")
    explain = top.one_of("explain", EXPLAIN, EXPLAIN[0])
    lang = top.one_of("lang", codes(), "en")
    about = top.prose("about", data["about"], MAX_ABOUT_LENGTH) if "about" in data else ""
    return Spec(title, focus, vocabulary, contexts, sheets, explain, lang, about)


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
    return found if isinstance(found, str) and ID.fullmatch(found) and len(found) <= MAX_ID_LENGTH else ""


def _focus(top: Table, contexts: tuple[Context, ...]) -> str:
    if "focus" in top.data:
        focus = top.text("focus", "")
        if not any(focus in context.words for context in contexts):
            raise top.error(
                "focus", "no sentence has the word {focus!r}, give a word that stands in one", focus=focus
            )
        return focus
    first = contexts[0].words
    words = [word for word in first if word] or list(first)
    return next((word for word in words if all(word in c.words for c in contexts)), words[0])
