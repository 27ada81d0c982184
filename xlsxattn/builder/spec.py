"""The spec: what a person asks for, read from TOML and found sound before anything is built.

Every error is one sentence that names the file, the key, what was found and what would be right.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xlsxattn.builder.sheets import KINDS, MODELS, SheetSpec, parse_sheets
from xlsxattn.builder.table import RESERVED, SpecError, Table, identifier, nearest, read_toml, show

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xlsxattn.builder.table import Matrix

__all__ = ["KINDS", "RESERVED", "Context", "SheetSpec", "Spec", "SpecError", "Vocabulary", "load", "parse"]

MOST_WORDS, MOST_CONTEXTS, MOST_COLUMNS = 256, 100, 1024
MODELS_OWN = ("in", "out", "enc", "dec")
"""Parts of a model's names, which no context may have as its id beside one."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Words, their embeddings E (n_vocab × d_model), and the names of the d_model dimensions."""

    dimensions: tuple[str, ...]
    tokens: tuple[str, ...]
    E: Matrix

    @property
    def d_model(self) -> int:
        """Length of an embedding."""
        return len(self.dimensions)


@dataclass(frozen=True, slots=True)
class Context:
    """One sentence: its id and its words, blanks ("") for cells without a word."""

    id: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Spec:
    """All that a workbook is made from."""

    title: str
    focus: str
    vocabulary: Vocabulary
    contexts: tuple[Context, ...]
    sheets: tuple[SheetSpec, ...]

    def context(self, context_id: str) -> Context:
        """The context with an id."""
        return next(context for context in self.contexts if context.id == context_id)


def load(path: Path) -> Spec:
    """Read and check a spec.

    Raises:
        SpecError: the file cannot be read, is not TOML, or asks for what cannot be built.
    """
    return parse(read_toml(path, str(path)), str(path), path.parent)


def parse(data: Mapping[str, Any], source: str, folder: Path | None = None) -> Spec:
    """Check a spec that is already in memory.

    Args:
        data: the tables and keys, as TOML has them.
        source: names the spec in errors.
        folder: where the data files stand that it names.
    """
    top = Table(data, source, "", ("title", "focus", "length", "vocabulary", "contexts", "sheets"), folder)
    vocabulary = _vocabulary(top.table("vocabulary", ("dimensions", "tokens", "from")))
    contexts = _contexts(top, vocabulary)
    focus = _focus(top, contexts)
    title = top.text("title", "Attention")
    sheets = parse_sheets(_sheets(top), vocabulary, contexts, padded="length" in data)
    if any(sheet.kind in MODELS for sheet in sheets):
        for context in contexts:
            if context.id in MODELS_OWN:
                raise top.error(f"contexts.{context.id}", "this id is a model's own, choose another")
    return Spec(title, focus, vocabulary, contexts, sheets)


def _sheets(top: Table) -> list[Table]:
    listed = top.data.get("sheets")
    if not isinstance(listed, list) or not listed or not all(isinstance(item, dict) for item in listed):
        raise top.error("sheets", "at least one [[sheets]] table is needed")
    return [Table(item, top.source, f"sheets[{i + 1}]", None, top.folder) for i, item in enumerate(listed)]


def _token(table: Table, key: str, value: object) -> str:
    word = table.word(key, value)
    if word != word.strip():
        raise table.error(key, f"the word {word!r} begins or ends with a blank, which nobody would see")
    return word


def _words(table: Table) -> Table:
    """The words with their embeddings: in the spec itself, or in the data file that it names."""
    if "from" not in table.data:
        return table.table("tokens", None)
    if "tokens" in table.data:
        raise table.error("from", "stands beside tokens, give one of the two")
    name = table.text("from", "")
    return table.data_file("from", name).table("tokens", None)


def _vocabulary(table: Table) -> Vocabulary:
    tokens = _words(table)
    if not tokens.data:
        raise table.error("tokens", "is empty, at least one word is needed")
    E = {}
    twins: dict[str, str] = {}
    for key, value in tokens.data.items():
        word = _token(tokens, key, key)
        twin = twins.setdefault(unicodedata.normalize("NFKC", word), word)
        if twin != word or word in E:
            raise tokens.error(
                key, f"{word!r} and {twin!r} look alike (the same text in Unicode NFKC), keep one"
            )
        E[word] = tokens.vector(key, value)
    found = table.data.get("dimensions", [f"d{i + 1}" for i in range(len(next(iter(E.values()))))])
    if not isinstance(found, list) or not found:
        raise table.error("dimensions", f"found {show(found)}, a list of names is needed")
    if len(found) > MOST_COLUMNS:
        raise table.error("dimensions", f"has {len(found)} names, at most {MOST_COLUMNS} are possible")
    dimensions = tuple(table.word(f"dimensions[{i + 1}]", name) for i, name in enumerate(found))
    for i, name in enumerate(dimensions):
        if name in dimensions[:i]:
            raise table.error("dimensions", f"has {name!r} twice, every dimension needs a name of its own")
    for word, vector in E.items():
        if len(vector) != len(dimensions):
            raise tokens.error(
                word, f"has {len(vector)} numbers, {len(dimensions)} are needed, one a dimension"
            )
    return Vocabulary(dimensions, tuple(E), tuple(E.values()))


def _contexts(top: Table, vocabulary: Vocabulary) -> tuple[Context, ...]:
    table = top.table("contexts", None)
    if not 1 <= len(table.data) <= MOST_CONTEXTS:
        raise top.error(
            "contexts", f"has {len(table.data)} sentences, from 1 to {MOST_CONTEXTS} are possible"
        )
    found = tuple(
        Context(identifier(table, key, key, "a context"), _sentence(table, key, value, vocabulary))
        for key, value in table.data.items()
    )
    return _padded(top, found) if "length" in top.data else found


def _padded(top: Table, contexts: tuple[Context, ...]) -> tuple[Context, ...]:
    """The contexts, each with so many cells as the spec's length says; blank ones follow its words."""
    length = top.count("length", 1, MOST_WORDS)
    for c in contexts:
        if len(c.words) > length:
            raise top.error(
                f"contexts.{c.id}", f"has {len(c.words)} words, and length gives it {length} cells"
            )
    return tuple(replace(c, words=c.words + ("",) * (length - len(c.words))) for c in contexts)


def _sentence(table: Table, key: str, value: object, vocabulary: Vocabulary) -> tuple[str, ...]:
    if not isinstance(value, str | list):
        raise table.error(key, f"found {show(value)}, a sentence or a list of words is needed")
    found = value.split() if isinstance(value, str) else value
    if not found:
        raise table.error(key, "the sentence is empty, at least one word is needed")
    if len(found) > MOST_WORDS:
        raise table.error(key, f"the sentence has {len(found)} words, at most {MOST_WORDS} are possible")
    words = tuple(_token(table, key, word) for word in found)
    for word in words:
        if word not in vocabulary.tokens:
            near = nearest(word, vocabulary.tokens)
            hint = f", did you mean {near!r}?" if near else f": add {word!r} to vocabulary.tokens"
            said = " ".join(words)
            said = said if len(said) <= 80 else f"{said[:77]}..."  # noqa: PLR2004
            raise table.error(key, f"the vocabulary lacks the word {word!r} of the sentence {said!r}{hint}")
    return words


def _focus(top: Table, contexts: tuple[Context, ...]) -> str:
    if "focus" in top.data:
        focus = top.text("focus", "")
        if not any(focus in context.words for context in contexts):
            raise top.error("focus", f"no sentence has the word {focus!r}, give a word that stands in one")
        return focus
    first = contexts[0].words
    return next((word for word in first if all(word in c.words for c in contexts)), first[0])
