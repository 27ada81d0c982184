"""Reads a spec from TOML and validates it.

Errors are one sentence each: file, key, what was found, and what is expected.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from xlsxattn.builder.specification.key_readers import read
from xlsxattn.builder.specification.sheets import parse_sheets
from xlsxattn.builder.specification.table import SpecError, Table, read_toml
from xlsxattn.builder.specification.words import (
    Context,
    Vocabulary,
    parse_contexts,
    parse_sentences,
    parse_vocabulary,
    words_of,
)
from xlsxattn.contract import kinds, spec_tables
from xlsxattn.contract.keys import keys
from xlsxattn.contract.values import ID, MAX_POINTS, MODEL_RESERVED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from xlsxattn.contract.exercise import Exercise

__all__ = ["Context", "Spec", "SpecError", "Vocabulary", "load", "parse"]


@dataclass(frozen=True, slots=True)
class Spec:
    """A validated spec.

    ``lang`` is the language of the texts, ``about`` the paragraph on Start, "" for the default.
    ``exercise_table`` is the table [exercise] of the spec. ``exercise`` is the exercise, None for an
    ordinary workbook, ``solved`` is true for its solutions, ``seal`` identifies the copy of a student.
    """

    title: str
    focus: str
    vocabulary: Vocabulary
    contexts: tuple[Context, ...]
    sheets: tuple[kinds.Sheet, ...]
    explain: str = "short"
    lang: str = "en"
    about: str = ""
    exercise_table: spec_tables.ExerciseKeys = field(default_factory=spec_tables.ExerciseKeys)
    exercise: Exercise | None = None
    solved: bool = False
    seal: str = ""

    def context(self, context_id: str) -> Context:
        """Get a context by id."""
        return next(context for context in self.contexts if context.id == context_id)


QUOTED = re.compile(r'“([^\s“”"]+)”|(?<!= )"([^\s“”"]+)"')
"""A single word in quotes, but not the value of a key: optimizer = "sgd"."""


def unknown_quoted_words(spec: Spec, titles: Iterable[str] = ()) -> tuple[str, ...]:
    """Words quoted in a spec's texts that are not in its vocabulary; the texts may belong to another spec.

    Only single words are checked. Dimensions, classes, and titles of pages (``titles``) may be quoted too.
    """
    texts = [spec.title, spec.about]
    texts += [text for s in spec.sheets for text in (s.title, s.about, *s.try_)]
    quoted = [one or other for text in texts for one, other in QUOTED.findall(text)]
    known = {*spec.vocabulary.tokens, *spec.vocabulary.dimensions, *(c.id for c in spec.contexts)}
    known |= {*titles} | {name for s in spec.sheets for name in (s.id, s.title)}
    known |= {name for s in spec.sheets if isinstance(s, kinds.Classifier) for name in s.classes}
    return tuple(dict.fromkeys(word for word in quoted if word not in known))


def uncompared_focus(spec: Spec) -> str:
    """The focus word if a sheet compares sentences but only one contains it, else ""."""
    compared = any(sheet.kind == "compare" for sheet in spec.sheets)
    return spec.focus if compared and sum(spec.focus in c.words for c in spec.contexts) == 1 else ""


def load(path: Path, changed: Mapping[str, Any] | None = None) -> Spec:
    """Read and validate a spec; ``changed`` overrides keys of the file.

    Raises:
        SpecError: the file cannot be read, is not TOML, or is not a valid spec.
    """
    return parse({**read_toml(path, str(path)), **(changed or {})}, str(path), path.parent)


def parse(data: Mapping[str, Any], source: str, folder: Path | None = None) -> Spec:
    """Validate a spec given as a dictionary.

    Args:
        data: tables and keys, as in TOML.
        source: name of the spec in errors.
        folder: folder of its data files.
    """
    top = Table(data, source, "", keys(spec_tables.SpecKeys), folder)
    declared = spec_tables.SpecKeys({}, {}, (), **read(top, spec_tables.SpecKeys))
    words = top.table("vocabulary", keys(spec_tables.Vocabulary))
    sentences = parse_sentences(top) if "from" in words.data else {}
    vocabulary = parse_vocabulary(words, words_of(sentences))
    contexts = parse_contexts(top, sentences or parse_sentences(top), vocabulary, declared.length)
    focus = _focus(top, declared.focus, contexts)
    sheets = parse_sheets(_sheets(top), vocabulary, contexts, padded=declared.length > 0)
    _check_blanks(top, contexts, sheets)
    if any(isinstance(sheet, kinds.Model) for sheet in sheets):
        for context in contexts:
            if context.id in MODEL_RESERVED:
                raise top.error(f"contexts.{context.id}", "this id is reserved for models; choose another")
    table = _exercise_table(top)
    return Spec(
        declared.title,
        focus,
        vocabulary,
        contexts,
        sheets,
        declared.explain,
        declared.lang,
        declared.about,
        table,
    )


def _check_blanks(top: Table, contexts: tuple[Context, ...], sheets: tuple[kinds.Sheet, ...]) -> None:
    """Reject a length that adds blank cells if no sheet gives them a meaning."""
    if any("" in context.words for context in contexts) and not any(sheet.uses_blanks for sheet in sheets):
        sentence = (
            "adds blank cells, but no sheet has a padding mask or generates words: set mask = 'padding' or "
            "'causal+padding' on a sheet, or remove length"
        )
        raise top.error("length", sentence)


def _exercise_table(top: Table) -> spec_tables.ExerciseKeys:
    """The table [exercise]; its ranges are not known yet."""
    if "exercise" not in top.data:
        return spec_tables.ExerciseKeys()
    table = top.table("exercise", keys(spec_tables.ExerciseKeys))
    given = read(table, spec_tables.ExerciseKeys)
    if "points" in table.data:
        points = table.table("points", None)
        given["points"] = {name: points.whole(name, n, 1, MAX_POINTS) for name, n in points.data.items()}
    return spec_tables.ExerciseKeys(**given)


def _sheets(top: Table) -> list[Table]:
    listed = top.data.get("sheets")
    if not isinstance(listed, list) or not listed or not all(isinstance(item, dict) for item in listed):
        raise top.error("sheets", "at least one [[sheets]] table is needed")
    return [
        Table(item, top.source, f"sheets[{i + 1}]", None, top.folder, _id(item))
        for i, item in enumerate(listed)
    ]


def _id(sheet: Mapping[str, Any]) -> str:
    """The id of a sheet if it is valid, else ""."""
    sheet_id = sheet.get("id")
    return sheet_id if isinstance(sheet_id, str) and re.fullmatch(ID, sheet_id) else ""


def _focus(top: Table, focus: str, contexts: tuple[Context, ...]) -> str:
    """The focus word: the given one, or the first word that all sentences share."""
    if focus:
        if not any(focus in context.words for context in contexts):
            raise top.error(
                "focus", "no sentence contains the word {focus!r}; choose a word of a sentence", focus=focus
            )
        return focus
    first = contexts[0].words
    words = [word for word in first if word] or list(first)
    return next((word for word in words if all(word in c.words for c in contexts)), words[0])
