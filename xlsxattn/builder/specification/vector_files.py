"""Reads files of word vectors line by line, and keeps the rows of the requested words."""

from __future__ import annotations

import csv
import gzip
import io
import re
import tomllib
import unicodedata
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from xlsxattn.builder.specification.table import SpecError, Table
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

LISTS = (".txt", ".words", ".vocab", ".csv", ".tsv")
MAX_LINE_LENGTH = 1_000_000
_WORD2VEC = re.compile(r"\d+ (\d+)")
"""The first line of word2vec's text format: number of words, number of dimensions."""
_GZIP, _PICKLE = b"\x1f\x8b", b"\x80"


@dataclass(slots=True)
class Content:
    """Rows of the requested words, names of the columns, and words that differ only in case."""

    rows: dict[str, list[float]] = field(default_factory=dict)
    dimensions: tuple[str, ...] = ()
    similar: dict[str, str] = field(default_factory=dict)


def from_text(path: Path, words: Sequence[str]) -> Content:
    """Read text of GloVe or word2vec, a word and its numbers per line; or CSV or TSV."""
    name = path.name.removesuffix(".gz")
    with _lines(path) as lines:
        if name.endswith((".csv", ".tsv")):
            return _from_table(path, lines, words, "\t" if name.endswith(".tsv") else None)
        return _from_lines(path, lines, words)


def from_toml(path: Path, words: Sequence[str]) -> Content:
    """Read a TOML data file with a table ``[tokens]``."""
    data = tomllib.loads(path.read_bytes().decode("utf-8").removeprefix("\ufeff"))
    tokens = Table(data, str(path), "", None).table("tokens", None)
    content, wanted = Content(), _Wanted(words)
    for key, value in tokens.data.items():
        if wanted.takes(key, content):
            content.rows[wanted.word(key)] = list(tokens.vector(key, value))
    _same_length(path, content)
    return content


def from_npy(path: Path, words: Sequence[str]) -> Content:
    """Read an .npy matrix, with the words of its rows in a text file of the same name."""
    word_list = next((path.with_suffix(s) for s in LISTS if path.with_suffix(s).is_file()), None)
    if word_list is None:
        names = ", ".join(path.with_suffix(suffix).name for suffix in LISTS)
        sentence = "{path}: the list of its words is missing: one of {names}, with a word per line"
        raise SpecError(say(sentence, path=path, names=names))
    try:
        matrix = np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError as error:
        raise SpecError(say("{path}: is not an array of numbers: {error}", path=path, error=error)) from None
    if matrix.ndim != 2 or matrix.dtype.kind not in "fiu":  # noqa: PLR2004 - words × dimensions
        sentence = "{path}: has the shape {shape} of {dtype}, a matrix of numbers is needed"
        raise SpecError(say(sentence, path=path, shape=matrix.shape, dtype=matrix.dtype))
    content, wanted, count = Content(), _Wanted(words), 0
    with _lines(word_list) as lines:
        for line in lines:
            word = line.rstrip("\r\n")
            if count < len(matrix) and wanted.takes(word, content):
                content.rows[wanted.word(word)] = matrix[count].astype(np.float64).tolist()
            count += 1
    if count != len(matrix):
        sentence = "{beside}: has {n:,} words, but {name} has {rows:,} rows"
        raise SpecError(say(sentence, beside=word_list, n=count, name=path.name, rows=len(matrix)))
    return content


class _Wanted:
    """The requested words in their original spelling; compared with files in Unicode NFC."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = {unicodedata.normalize("NFC", word): word for word in words}
        self.folded = {word.casefold() for word in self.words}

    def word(self, word: str) -> str:
        return self.words[unicodedata.normalize("NFC", word)]

    def takes(self, word: str, content: Content) -> bool:
        """True if a word's row is needed; of duplicates, the first one, since frequent words come first."""
        word = unicodedata.normalize("NFC", word)
        if word in self.words:
            return self.words[word] not in content.rows
        folded = word.casefold()
        if folded in self.folded:
            content.similar.setdefault(folded, word)
        return False


@contextmanager
def _lines(path: Path) -> Iterator[Iterator[str]]:
    """The lines of a text file, decompressed if gzipped."""
    with path.open("rb") as raw:
        start = raw.read(2)
        if start[:1] == _PICKLE:
            sentence = "{path}: is pickled, so loading it can run arbitrary code; save it as text"
            raise SpecError(say(sentence, path=path))
        raw.seek(0)
        unpacked = gzip.GzipFile(fileobj=raw) if start == _GZIP else raw
        text = io.TextIOWrapper(unpacked, encoding="utf-8", newline="\n")
        try:
            yield iter(lambda: text.readline(MAX_LINE_LENGTH), "")
        finally:
            text.detach()


def _from_lines(path: Path, lines: Iterator[str], words: Sequence[str]) -> Content:
    content, wanted, d = Content(), _Wanted(words), 0
    for number, line in enumerate(lines, 1):
        parts = line.rstrip().replace("\t", " ").split(" ")
        if number == 1 and (counts := _WORD2VEC.fullmatch(" ".join(parts))):
            d = int(counts[1])
            continue
        if not d:
            d = next(
                (i for i, part in enumerate(reversed(parts)) if not _is_number(_with_point(part))),
                len(parts) - 1,
            )
        if d < 1 or len(parts) <= d:
            if line.strip():
                raise _too_few(path, number, len(parts) - 1, max(d, 1))
            continue
        word = " ".join(parts[:-d])  # some of GloVe's words contain spaces
        if wanted.takes(word, content):
            content.rows[wanted.word(word)] = _numbers(path, number, word, parts[-d:])
            if len(content.rows) == len(wanted.words):
                break
    return content


def _from_table(path: Path, lines: Iterator[str], words: Sequence[str], delimiter: str | None) -> Content:
    content, wanted = Content(), _Wanted(words)
    first = next(lines, "")
    if delimiter is None:
        delimiter = ";" if first.count(";") >= max(1, first.count(",")) else ","
    head = next(csv.reader([first], delimiter=delimiter), [])
    d = len(head) - 1
    if d < 1:
        sentence = "{path}: line 1 has {n} columns, a word and its numbers are needed"
        raise SpecError(say(sentence, path=path, n=d + 1))
    rows = csv.reader(lines, delimiter=delimiter)
    if all(_is_number(_with_point(part)) for part in head[1:]):
        rows = csv.reader([first, *lines], delimiter=delimiter)
    else:
        content.dimensions = tuple(part.strip() for part in head[1:])
    for number, row in enumerate(rows, 1 if not content.dimensions else 2):
        if row and len(row) != d + 1:
            raise _too_few(path, number, len(row) - 1, d)
        if row and wanted.takes(row[0], content):
            content.rows[wanted.word(row[0])] = _numbers(path, number, row[0], row[1:])
    return content


def _too_few(path: Path, line: int, count: int, needed: int) -> SpecError:
    sentence = "{path}: line {line} has {n} numbers, {needed} are needed"
    return SpecError(say(sentence, path=path, line=line, n=count, needed=needed))


def _numbers(path: Path, line: int, word: str, parts: Sequence[str]) -> list[float]:
    wrong = next((part for part in parts if not _is_number(part)), None)
    if wrong is not None and _is_number(_with_point(wrong)):
        sentence = "{path}: line {line}: the word {word!r} has {wrong}: write {right}, not {wrong}"
        raise SpecError(say(sentence, path=path, line=line, word=word, wrong=wrong, right=_with_point(wrong)))
    if wrong is not None:
        sentence = "{path}: line {line}: the word {word!r} has {wrong!r} where a number is needed"
        raise SpecError(say(sentence, path=path, line=line, word=word, wrong=wrong[:40]))
    return [float(part) for part in parts]


def _with_point(text: str) -> str:
    """A number with a decimal point instead of a comma."""
    return text.replace(",", ".")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _same_length(path: Path, content: Content) -> None:
    lengths = {word: len(row) for word, row in content.rows.items()}
    if len(set(lengths.values())) > 1:
        (a, b) = (min(lengths, key=lengths.__getitem__), max(lengths, key=lengths.__getitem__))
        sentence = "{path}: {a!r} has {n} numbers and {b!r} has {m}, all words need the same number"
        raise SpecError(say(sentence, path=path, a=a, n=lengths[a], b=b, m=lengths[b]))
