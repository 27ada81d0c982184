"""The words of a spec: the vocabulary with its embeddings, and the sentences made of it."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from xlsxattn.builder.table import identifier, nearest, show

if TYPE_CHECKING:
    from xlsxattn.builder.table import Matrix, Table

MOST_WORDS, MOST_CONTEXTS, MOST_COLUMNS = 256, 100, 1024


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


def parse_vocabulary(table: Table) -> Vocabulary:
    """Check the vocabulary's table."""
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


def parse_contexts(top: Table, vocabulary: Vocabulary) -> tuple[Context, ...]:
    """Check the sentences, and give each its length."""
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
                f"contexts.{c.id}",
                f"has {len(c.words)} words, and length gives it {length} cells: shorten it, or make length "
                f"{len(c.words)} or more",
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
