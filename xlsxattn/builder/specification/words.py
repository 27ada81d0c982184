"""Validates the words of a spec: the vocabulary with its embeddings, and the sentences."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING

from xlsxattn.builder.specification import vectors
from xlsxattn.builder.specification.key_readers import read
from xlsxattn.builder.specification.table import SpecError, Table, identifier, show
from xlsxattn.contract import spec_tables
from xlsxattn.contract.values import MAX_COLUMNS, MAX_CONTEXTS, MAX_WORDS
from xlsxattn.language import is_wide, say
from xlsxattn.suggestions import nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from xlsxattn.builder.specification.table import Matrix
    from xlsxattn.language import Phrase

MAX_NAMED = 8
"""Maximum number of unknown words named in an error."""
MAX_QUOTED = 80
"""Maximum length of a sentence quoted in an error."""
MAX_LEGEND_LENGTH, MAX_SPLIT_LENGTH = 40, 300
"""Maximum length of a sentence in a chart's legend; of a text that is searched for words."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Words, their embeddings E (n_vocab × d_model), and the names of the d_model dimensions.

    ``said`` describes the source of E if it was read from a file of word vectors.
    """

    dimensions: tuple[str, ...]
    tokens: tuple[str, ...]
    E: Matrix
    said: str = ""

    @property
    def d_model(self) -> int:
        """Length of an embedding."""
        return len(self.dimensions)


@dataclass(frozen=True, slots=True)
class Context:
    """A sentence: its id, its words ("" for blank cells), and its number, counted from 1."""

    id: str
    words: tuple[str, ...]
    number: int = 1

    @property
    def named(self) -> Phrase:
        """Its name on pages, where the words can change and ids are not shown."""
        return say("sentence {i}", i=self.number)

    @property
    def is_short(self) -> bool:
        """True if its words fit in a chart's legend."""
        return len(" ".join(self.words)) <= MAX_LEGEND_LENGTH


def _words(
    table: Table, keys: spec_tables.Vocabulary, used: Sequence[str]
) -> tuple[Table, Sequence[str], str]:
    """The words with their embeddings, names of the dimensions if a file has them, and a note on the source.

    They are in the spec itself, in a data file, or in a file of word vectors. From the latter, only the words
    of the sentences and those listed in the spec are read.
    """
    if not keys.from_:
        for key in ("words", "components"):
            if key in table.data:
                raise table.error(key, "needs a file of word vectors, named by the key from")
        return table.table("tokens", None), (), ""
    if "tokens" in table.data:
        raise table.error("from", "and tokens are both given; keep one of them")
    if keys.from_.endswith(".toml") and not (keys.words or keys.components):
        return table.data_file("from", keys.from_).table("tokens", None), (), ""
    path = (table.folder or Path()) / keys.from_
    words = tuple(dict.fromkeys((*used, *keys.words)))
    try:
        loaded = vectors.load(path, words, keys.components or None)
    except SpecError as error:
        raise table.error("from", str(error)) from None
    rows = dict(zip(words, loaded.E.tolist(), strict=True))
    return (
        Table(rows, str(path), "", None),
        loaded.dimensions,
        say("The numbers: {said}.", said=say(loaded.said)),
    )


def words_of(sentences: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The words of all sentences, each once."""
    return tuple(dict.fromkeys(word for sentence in sentences.values() for word in sentence))


def parse_vocabulary(table: Table, used: Sequence[str] = ()) -> Vocabulary:
    """Validate the table of the vocabulary; ``used``: the words of the sentences."""
    keys = spec_tables.Vocabulary(**read(table, spec_tables.Vocabulary))
    tokens, file_dimensions, source = _words(table, keys, used)
    if not tokens.data:
        raise table.error("tokens", "is empty, expected at least one word")
    E = {}
    twins: dict[str, str] = {}
    for key, value in tokens.data.items():
        word = tokens.token(key, key)
        twin = twins.setdefault(unicodedata.normalize("NFKC", word), word)
        if twin != word or word in E:
            raise tokens.error(
                key, "{word!r} and {twin!r} are equal in Unicode NFKC; keep one of them", word=word, twin=twin
            )
        E[word] = _embedding(tokens, key, value)
    numbered = [f"d{i + 1}" for i in range(len(next(iter(E.values()))))]
    of_file = (tokens.word(f"dimensions[{i}]", name) for i, name in enumerate(file_dimensions, 1))
    dimensions = tuple(keys.dimensions) or tuple(of_file) or tuple(numbered)
    if len(dimensions) > MAX_COLUMNS:
        sentence = "has {n} names; at most {most} are allowed"
        raise table.error("dimensions", sentence, n=len(dimensions), most=MAX_COLUMNS)
    for word, vector in E.items():
        if len(vector) != len(dimensions):
            sentence = "has {n} numbers, expected {needed}, one per dimension"
            raise tokens.error(word, sentence, n=len(vector), needed=len(dimensions))
    return Vocabulary(dimensions, tuple(E), tuple(E.values()), source)


def _embedding(tokens: Table, key: str, value: object) -> tuple[float, ...]:
    if isinstance(value, dict) and value:  # TOML parses a.b as a nested table
        quoted = f'"{key}.{next(iter(value))}"'
        raise tokens.error(key, "a word that contains a point needs quotes: {right}", right=quoted)
    return tokens.vector(key, value)


def parse_sentences(top: Table) -> dict[str, tuple[str, ...]]:
    """The sentences by context id, split into words, which are not validated yet."""
    table = top.table("contexts", None)
    if not 1 <= len(table.data) <= MAX_CONTEXTS:
        sentence = "has {n} sentences, expected 1 to {most}"
        raise top.error("contexts", sentence, n=len(table.data), most=MAX_CONTEXTS)
    return {
        identifier(table, key, key, say("a context")): sentence_of(table, key, value)
        for key, value in table.data.items()
    }


def parse_contexts(
    top: Table, sentences: Mapping[str, tuple[str, ...]], vocabulary: Vocabulary, length: int
) -> tuple[Context, ...]:
    """Validate the words of the sentences, and pad each sentence to ``length``, unless it is 0."""
    _check_known(top, sentences, vocabulary)
    contexts = tuple(Context(key, words, i) for i, (key, words) in enumerate(sentences.items(), 1))
    return _padded(top, contexts, length) if length else contexts


def _padded(top: Table, contexts: tuple[Context, ...], length: int) -> tuple[Context, ...]:
    """Pad each context with blank cells to ``length``."""
    for c in contexts:
        if len(c.words) > length:
            sentence = "has {n} words, but length is {length}: shorten it, or set length to {n} or more"
            raise top.error(f"contexts.{c.id}", sentence, n=len(c.words), length=length)
    return tuple(replace(c, words=c.words + ("",) * (length - len(c.words))) for c in contexts)


def sentence_of(table: Table, key: str, value: object) -> tuple[str, ...]:
    """The words of a sentence, a text or a list, that are not looked up yet."""
    if not isinstance(value, str | list):
        raise table.error(key, "found {found}, expected a sentence or a list of words", found=show(value))
    words = value.split() if isinstance(value, str) else value
    if not words:
        raise table.error(key, "the sentence is empty, expected at least one word")
    if len(words) > MAX_WORDS:
        raise table.error(
            key, "the sentence has {n} words; at most {most} are allowed", n=len(words), most=MAX_WORDS
        )
    return tuple(table.token(key, word) for word in words)


def _check_known(top: Table, sentences: Mapping[str, Sequence[str]], vocabulary: Vocabulary) -> None:
    """Check that all words are in the vocabulary; the error names all unknown words."""
    tokens = set(vocabulary.tokens)
    unknown = dict.fromkeys(word for words in sentences.values() for word in words if word not in tokens)
    if not unknown:
        return
    keys = [key for key, words in sentences.items() if not tokens.issuperset(words)]
    place = f"contexts.{keys[0]}" if len(keys) == 1 else "contexts"
    if separated := _separated(sentences, unknown, tokens):
        sentence = "words must be separated by spaces: {said}; or given as a list"
        raise top.error(place, sentence, said=separated)
    meant = {word: _meant(word, vocabulary.tokens) for word in list(unknown)[:MAX_NAMED]}
    if len(unknown) > 1:
        named = [_named(word, near) for word, near in meant.items()]
        if more := len(unknown) - len(named):
            named.append(say("{n} more", n=more))
        words = reduce(lambda one, other: say("{one}, {other}", one=one, other=other), named)
        sentence = "the vocabulary lacks {n} words: {words}; add them to vocabulary.tokens or correct them"
        message = say(sentence, n=len(unknown), words=words)
    else:
        ((word, near),) = meant.items()
        sentence = " ".join(sentences[keys[0]])
        sentence = sentence if len(sentence) <= MAX_QUOTED else f"{sentence[: MAX_QUOTED - 3]}..."
        message = say(
            "the vocabulary lacks the word {word!r} of the sentence {said!r}; did you mean {near!r}?"
            if near
            else "the vocabulary lacks the word {word!r} of the sentence {said!r}: "
            "add {word!r} to vocabulary.tokens",
            word=word,
            said=sentence,
            near=near,
        )
    if any(near and _bare(near) == _bare(word) != "" for word, near in meant.items()):
        message = say("{said} (punctuation and case are part of a word)", said=message)
    raise top.error(place, message)


def _separated(
    sentences: Mapping[str, Sequence[str]], unknown: Collection[str], tokens: Collection[str]
) -> Phrase | None:
    """Sentences typed without spaces, corrected; None if there are none."""
    parted = {word: parts for word in unknown if (parts := parts_of(word, tokens))}
    lines = [
        say("{line}", line=f'{key} = "{" ".join(p for word in words for p in parted.get(word, (word,)))}"')
        for key, words in sentences.items()
        if not parted.keys().isdisjoint(words)
    ]
    return reduce(lambda one, other: say("{one}; {other}", one=one, other=other), lines) if lines else None


def parts_of(word: str, tokens: Collection[str]) -> tuple[str, ...]:
    """Split a text without spaces into words, ignoring punctuation; () if this is not possible.

    There must be at least two words, all in the vocabulary; a text in wide (CJK) characters may also contain
    unknown words if most of its characters are in known ones. Unknown characters, then words are minimized.

    >>> parts_of("香蕉和苹果很好吃。", {"香蕉", "和", "苹果", "很", "好吃"})
    ('香蕉', '和', '苹果', '很', '好吃')
    >>> parts_of("cat,mouse", {"cat", "mouse"}), parts_of("cats", {"cat"}), parts_of("concat", {"cat"})
    (('cat', 'mouse'), (), ())
    """
    if word in tokens or len(word) > MAX_SPLIT_LENGTH:
        return ()
    longest = max(map(len, tokens), default=0)
    best: list[tuple[int, int, tuple[tuple[str, bool], ...]]] = [(0, 0, ())]
    for end, last in enumerate(word, 1):
        unknown, n, parts = best[-1]
        if unicodedata.category(last)[0] in "PZ" and last not in tokens:
            options = [(unknown, n, (*parts, ("", True)))]
        elif parts and not parts[-1][1]:
            options = [(unknown + 1, n, (*parts[:-1], (parts[-1][0] + last, False)))]
        else:
            options = [(unknown + 1, n + 1, (*parts, (last, False)))]
        for start in range(max(0, end - longest), end):
            if word[start:end] in tokens:
                unknown, n, parts = best[start]
                options.append((unknown, n + 1, (*parts, (word[start:end], True))))
        best.append(min(options, key=lambda one: one[:2]))
    unknown, _, parts = best[-1]
    known = [part for part, is_known in parts if is_known and part]
    too_unknown = unknown and (not all(map(is_wide, word)) or 2 * unknown >= len(word))
    several = len(known) > 1
    return tuple(part for part, _ in parts if part) if several and not too_unknown else ()


def _named(word: str, near: str | None) -> Phrase:
    return (
        say("{word!r} (did you mean {near!r}?)", word=word, near=near) if near else say("{word!r}", word=word)
    )


def _meant(word: str, tokens: Sequence[str]) -> str | None:
    """The word that is equal except for punctuation and case, else the most similar one."""
    same = {_bare(token): token for token in reversed(tokens)}
    return (_bare(word) and same.get(_bare(word))) or nearest(word, tokens)


def _bare(word: str) -> str:
    """A word in lower case without surrounding punctuation."""
    return re.sub(r"^[\W_]+|[\W_]+$", "", word).casefold()
