"""The words of a spec: the vocabulary with its embeddings, and the sentences made of it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING

from xlsxattn.builder.specification import vectors
from xlsxattn.builder.specification.keys import read
from xlsxattn.builder.specification.table import SpecError, Table, identifier, show
from xlsxattn.contract import kinds
from xlsxattn.contract.values import MAX_COLUMNS, MAX_CONTEXTS, MAX_WORDS
from xlsxattn.language import is_wide, say
from xlsxattn.suggestions import nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from xlsxattn.builder.specification.table import Matrix
    from xlsxattn.language import Phrase

MAX_NAMED = 8
"""Words that an error names, of those that the vocabulary lacks."""
MAX_QUOTED = 80
"""Characters of a sentence that an error quotes."""
MAX_TOLD_LENGTH, MAX_PARTED_LENGTH = 40, 300


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Words, their embeddings E (n_vocab × d_model), and the names of the d_model dimensions.

    ``said`` is a sentence on where E comes from, where it is taken from a file of word vectors.
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
    """One sentence: its id, its words, blanks ("") for cells without one, and its number, from 1."""

    id: str
    words: tuple[str, ...]
    number: int = 1

    @property
    def named(self) -> Phrase:
        """What a page calls it: an id is for names, and words may be changed on the page."""
        return say("sentence {i}", i=self.number)

    @property
    def is_short(self) -> bool:
        """Whether its words fit in a chart's legend."""
        return len(" ".join(self.words)) <= MAX_TOLD_LENGTH


def _words(table: Table, keys: kinds.Vocabulary, spoken: Sequence[str]) -> tuple[Table, Sequence[str], str]:
    """The words with their embeddings; the dimensions' names where a file has them; and what is said of it.

    They stand in the spec itself, in the data file that it names, or in a file of word vectors; of that only
    the words of the sentences are taken, and those that the spec lists.
    """
    if not keys.from_:
        for key in ("words", "components"):
            if key in table.data:
                raise table.error(key, "is for a file of word vectors, which from names")
        return table.table("tokens", None), (), ""
    if "tokens" in table.data:
        raise table.error("from", "stands beside tokens, give one of the two")
    if keys.from_.endswith(".toml") and not (keys.words or keys.components):
        return table.data_file("from", keys.from_).table("tokens", None), (), ""
    path = (table.folder or Path()) / keys.from_
    words = tuple(dict.fromkeys((*spoken, *keys.words)))
    try:
        found = vectors.load(path, words, keys.components or None)
    except SpecError as error:
        raise table.error("from", str(error)) from None
    rows = dict(zip(words, found.E.tolist(), strict=True))
    return (
        Table(rows, str(path), "", None),
        found.dimensions,
        say("The numbers: {said}.", said=say(found.said)),
    )


def spoken(sentences: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The words of all sentences, each once."""
    return tuple(dict.fromkeys(word for sentence in sentences.values() for word in sentence))


def parse_vocabulary(table: Table, spoken: Sequence[str] = ()) -> Vocabulary:
    """Check the vocabulary's table; ``spoken``: the words of the sentences."""
    keys = kinds.Vocabulary(**read(table, kinds.Vocabulary))
    tokens, named, said = _words(table, keys, spoken)
    if not tokens.data:
        raise table.error("tokens", "is empty, at least one word is needed")
    E = {}
    twins: dict[str, str] = {}
    for key, value in tokens.data.items():
        word = tokens.token(key, key)
        twin = twins.setdefault(unicodedata.normalize("NFKC", word), word)
        if twin != word or word in E:
            raise tokens.error(
                key,
                "{word!r} and {twin!r} look alike (the same text in Unicode NFKC), keep one",
                word=word,
                twin=twin,
            )
        E[word] = _embedding(tokens, key, value)
    numbered = [f"d{i + 1}" for i in range(len(next(iter(E.values()))))]
    dimensions = tuple(keys.dimensions) or tuple(named) or tuple(numbered)
    if len(dimensions) > MAX_COLUMNS:
        sentence = "has {n} names, at most {most} are possible"
        raise table.error("dimensions", sentence, n=len(dimensions), most=MAX_COLUMNS)
    for word, vector in E.items():
        if len(vector) != len(dimensions):
            raise tokens.error(
                word,
                "has {n} numbers, {needed} are needed, one a dimension",
                n=len(vector),
                needed=len(dimensions),
            )
    return Vocabulary(dimensions, tuple(E), tuple(E.values()), said)


def _embedding(tokens: Table, key: str, value: object) -> tuple[float, ...]:
    if isinstance(value, dict) and value:  # TOML reads a point as the way into a table
        quoted = f'"{key}.{next(iter(value))}"'
        raise tokens.error(key, "a word with a point in it needs quotes: {right}", right=quoted)
    return tokens.vector(key, value)


def parse_sentences(top: Table) -> dict[str, tuple[str, ...]]:
    """The sentences by their contexts' ids, split into words that are not looked up yet."""
    table = top.table("contexts", None)
    if not 1 <= len(table.data) <= MAX_CONTEXTS:
        raise top.error(
            "contexts",
            "has {n} sentences, from 1 to {most} are possible",
            n=len(table.data),
            most=MAX_CONTEXTS,
        )
    return {
        identifier(table, key, key, say("a context")): sentence_of(table, key, value)
        for key, value in table.data.items()
    }


def parse_contexts(
    top: Table, sentences: Mapping[str, tuple[str, ...]], vocabulary: Vocabulary, length: int
) -> tuple[Context, ...]:
    """Find every word of the sentences in the vocabulary, and give each sentence its length; 0: its own."""
    _known(top, sentences, vocabulary)
    found = tuple(Context(key, words, i) for i, (key, words) in enumerate(sentences.items(), 1))
    return _padded(top, found, length) if length else found


def _padded(top: Table, contexts: tuple[Context, ...], length: int) -> tuple[Context, ...]:
    """The contexts, each with so many cells as the spec's length says; blank ones follow its words."""
    for c in contexts:
        if len(c.words) > length:
            raise top.error(
                f"contexts.{c.id}",
                "has {n} words, and length gives it {length} cells: shorten it, or make length {n} or more",
                n=len(c.words),
                length=length,
            )
    return tuple(replace(c, words=c.words + ("",) * (length - len(c.words))) for c in contexts)


def sentence_of(table: Table, key: str, value: object) -> tuple[str, ...]:
    """The words of a sentence, a text or a list, that are not looked up yet."""
    if not isinstance(value, str | list):
        raise table.error(key, "found {found}, a sentence or a list of words is needed", found=show(value))
    found = value.split() if isinstance(value, str) else value
    if not found:
        raise table.error(key, "the sentence is empty, at least one word is needed")
    if len(found) > MAX_WORDS:
        raise table.error(
            key, "the sentence has {n} words, at most {most} are possible", n=len(found), most=MAX_WORDS
        )
    return tuple(table.token(key, word) for word in found)


def _known(top: Table, sentences: Mapping[str, Sequence[str]], vocabulary: Vocabulary) -> None:
    """Find every word in the vocabulary, or name all that it lacks at once."""
    tokens = set(vocabulary.tokens)
    lacking = dict.fromkeys(word for words in sentences.values() for word in words if word not in tokens)
    if not lacking:
        return
    keys = [key for key, words in sentences.items() if not tokens.issuperset(words)]
    place = f"contexts.{keys[0]}" if len(keys) == 1 else "contexts"
    if said := _apart(sentences, lacking, tokens):
        raise top.error(
            place, "words stand apart, with blanks between them: {said}; or write a list of words", said=said
        )
    meant = {word: _meant(word, vocabulary.tokens) for word in list(lacking)[:MAX_NAMED]}
    if len(lacking) > 1:
        found = [_named(word, near) for word, near in meant.items()]
        if more := len(lacking) - len(found):
            found.append(say("{n} more", n=more))
        words = reduce(lambda one, other: say("{one}, {other}", one=one, other=other), found)
        said = say(
            "the vocabulary lacks {n} words: {words}; add them to vocabulary.tokens or write them as there",
            n=len(lacking),
            words=words,
        )
    else:
        ((word, near),) = meant.items()
        sentence = " ".join(sentences[keys[0]])
        sentence = sentence if len(sentence) <= MAX_QUOTED else f"{sentence[: MAX_QUOTED - 3]}..."
        said = say(
            "the vocabulary lacks the word {word!r} of the sentence {said!r}, did you mean {near!r}?"
            if near
            else "the vocabulary lacks the word {word!r} of the sentence {said!r}: "
            "add {word!r} to vocabulary.tokens",
            word=word,
            said=sentence,
            near=near,
        )
    if any(near and _bare(near) == _bare(word) != "" for word, near in meant.items()):
        said = say("{said} (punctuation and capitals are part of a word)", said=said)
    raise top.error(place, said)


def _apart(
    sentences: Mapping[str, Sequence[str]], lacking: Collection[str], tokens: Collection[str]
) -> Phrase | None:
    """The sentences that were typed without blanks, as they would be right; None where there are none."""
    parted = {word: parts for word in lacking if (parts := parts_of(word, tokens))}
    lines = [
        say("{line}", line=f'{key} = "{" ".join(p for word in words for p in parted.get(word, (word,)))}"')
        for key, words in sentences.items()
        if not parted.keys().isdisjoint(words)
    ]
    return reduce(lambda one, other: say("{one}; {other}", one=one, other=other), lines) if lines else None


def parts_of(word: str, tokens: Collection[str]) -> tuple[str, ...]:
    """The words that a text without blanks is made of, punctuation between them aside; () where it is a word.

    All parts are known words, two at least; among wide (CJK) characters, most of which belong to such, there
    may be others too, words that the vocabulary lacks. The parts are as few and as known as can be.

    >>> parts_of("香蕉和苹果很好吃。", {"香蕉", "和", "苹果", "很", "好吃"})
    ('香蕉', '和', '苹果', '很', '好吃')
    >>> parts_of("cat,mouse", {"cat", "mouse"}), parts_of("cats", {"cat"}), parts_of("concat", {"cat"})
    (('cat', 'mouse'), (), ())
    """
    if word in tokens or len(word) > MAX_PARTED_LENGTH:
        return ()
    longest = max(map(len, tokens), default=0)
    best: list[tuple[int, int, tuple[tuple[str, bool], ...]]] = [(0, 0, ())]
    for end, last in enumerate(word, 1):
        strange, n, parts = best[-1]
        if unicodedata.category(last)[0] in "PZ" and last not in tokens:
            found = [(strange, n, (*parts, ("", True)))]
        elif parts and not parts[-1][1]:
            found = [(strange + 1, n, (*parts[:-1], (parts[-1][0] + last, False)))]
        else:
            found = [(strange + 1, n + 1, (*parts, (last, False)))]
        for start in range(max(0, end - longest), end):
            if word[start:end] in tokens:
                strange, n, parts = best[start]
                found.append((strange, n + 1, (*parts, (word[start:end], True))))
        best.append(min(found, key=lambda one: one[:2]))
    strange, _, parts = best[-1]
    known = [part for part, is_known in parts if is_known and part]
    foreign = strange and (not all(map(is_wide, word)) or 2 * strange >= len(word))
    several = len(known) > 1
    return tuple(part for part, _ in parts if part) if several and not foreign else ()


def _named(word: str, near: str | None) -> Phrase:
    return (
        say("{word!r} (did you mean {near!r}?)", word=word, near=near) if near else say("{word!r}", word=word)
    )


def _meant(word: str, tokens: Sequence[str]) -> str | None:
    """The word that is the same but for punctuation and capitals, else the one most like it."""
    same = {_bare(token): token for token in reversed(tokens)}
    return (_bare(word) and same.get(_bare(word))) or nearest(word, tokens)


def _bare(word: str) -> str:
    """A word without punctuation around it and without capitals."""
    return re.sub(r"^[\W_]+|[\W_]+$", "", word).casefold()
