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
_NUMBER = re.compile(
    r"[-+]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|nan|inf(?:inity)?)", re.IGNORECASE
)
"""The numbers of these files: float() also accepts 1_000 and digits of other scripts."""
_GZIP, _PICKLE, _NPY = b"\x1f\x8b", b"\x80", b"\x93NUMPY"
_NO_TEXT = (
    (b"PK\x03\x04", say("an archive (.zip)")),
    (b"BZh", say("compressed with bzip2")),
    (b"\xfd7zXZ", say("compressed with xz")),
    (b"\xff\xfe", say("in UTF-16")),
    (b"\xfe\xff", say("in UTF-16")),
    (b"\xba\x16\x4f\x2f", say("a binary fastText file")),
)
"""How files start that are not text in UTF-8, and what they are."""
_BINARY_WORD2VEC = re.compile(rb"\d+ \d+\n[^\n]*[\x00-\x08\x0e-\x1f]")
_START = 512
_SPACES = re.compile("[ \t]+")


@dataclass(slots=True)
class Content:
    """Rows of the requested words, names of the columns, and words that differ only in case."""

    rows: dict[str, list[float]] = field(default_factory=dict)
    dimensions: tuple[str, ...] = ()
    similar: dict[str, str] = field(default_factory=dict)


def from_text(path: Path, words: Sequence[str]) -> Content:
    """Read text of GloVe or word2vec, a word and its numbers per line; or CSV or TSV."""
    name = path.name.lower().removesuffix(".gz")
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
    with path.open("rb") as file:
        if (start := file.read(len(_NPY))) and start != _NPY:
            raise SpecError(say("{path}: is not an .npy file, which np.save writes", path=path))
    try:
        matrix = np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError as error:
        raise SpecError(say("{path}: is not an array of numbers: {error}", path=path, error=error)) from None
    if matrix.ndim != 2 or matrix.dtype.kind not in "fiu":  # noqa: PLR2004 - words × dimensions
        sentence = "{path}: has the shape {shape} of {dtype}, expected a matrix of numbers"
        raise SpecError(say(sentence, path=path, shape=matrix.shape, dtype=matrix.dtype))
    content, wanted, count = Content(), _Wanted(words), 0
    with _lines(word_list) as lines:
        for line in lines:
            word = line.rstrip("\r\n")
            if count < len(matrix) and wanted.takes(word, content):
                with np.errstate(over="ignore"):  # infinite numbers have their own message
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

    def has(self, word: str) -> bool:
        return unicodedata.normalize("NFC", word) in self.words

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
        start = raw.read(_START)
        kind = next((kind for mark, kind in _NO_TEXT if start.startswith(mark)), None)
        if _BINARY_WORD2VEC.match(start):
            kind = say("a binary word2vec file")
        if kind:
            raise SpecError(say("{path}: is {kind}; save it as text in UTF-8", path=path, kind=kind))
        if start[:1] == _PICKLE:
            sentence = "{path}: is pickled, so loading it can run arbitrary code; save it as text"
            raise SpecError(say(sentence, path=path))
        raw.seek(0)
        unpacked = gzip.GzipFile(fileobj=raw) if start.startswith(_GZIP) else raw
        text = io.TextIOWrapper(unpacked, encoding="utf-8-sig", newline="\n")
        try:
            yield _checked(path, text)
        finally:
            text.detach()


def _checked(path: Path, text: io.TextIOWrapper) -> Iterator[str]:
    """The lines of a file; the first shows whether it is text.

    Raises:
        SpecError: a line is too long, ends in a carriage return only, or is not text.
    """
    number = 0
    while line := text.readline(MAX_LINE_LENGTH):
        number += 1
        problem = None
        if len(line) == MAX_LINE_LENGTH:
            problem = say("has more than {most:,} characters", most=MAX_LINE_LENGTH)
        elif number == 1 and "\0" in line:
            problem = say("contains the character NUL, so this is not text in UTF-8")
        elif number == 1 and "\r" in line.rstrip("\r\n"):
            problem = say("contains a carriage return; end lines with a line feed")
        if problem:
            raise SpecError(say("{path}: line {line} {problem}", path=path, line=number, problem=problem))
        yield line


def _from_lines(path: Path, lines: Iterator[str], words: Sequence[str]) -> Content:
    content, wanted, d = Content(), _Wanted(words), 0
    for number, line in enumerate(lines, 1):
        parts = _SPACES.sub(" ", line.strip(" \t\r\n")).split(" ")
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
        if len(parts) > d + 1 and wanted.has(parts[0]) and all(map(_is_number, parts[1:])):
            raise _too_few(path, number, len(parts) - 1, d)
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
        sentence = "{path}: line 1 has {n} columns, expected a word and its numbers"
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
    sentence = "{path}: line {line} has {n} numbers, expected {needed}"
    return SpecError(say(sentence, path=path, line=line, n=count, needed=needed))


def _numbers(path: Path, line: int, word: str, parts: Sequence[str]) -> list[float]:
    wrong = next((part for part in parts if not _is_number(part)), None)
    if wrong is not None and _is_number(_with_point(wrong)):
        sentence = "{path}: line {line}: the word {word!r} has {wrong}: write {right}, not {wrong}"
        raise SpecError(say(sentence, path=path, line=line, word=word, wrong=wrong, right=_with_point(wrong)))
    if wrong is not None:
        sentence = "{path}: line {line}: the word {word!r} has {wrong!r} where a number is expected"
        raise SpecError(say(sentence, path=path, line=line, word=word, wrong=wrong[:40]))
    return [float(part) for part in parts]


def _with_point(text: str) -> str:
    """A number with a decimal point instead of a comma."""
    return text.replace(",", ".")


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text.strip(" \t")) is not None


def _same_length(path: Path, content: Content) -> None:
    lengths = {word: len(row) for word, row in content.rows.items()}
    if len(set(lengths.values())) > 1:
        (a, b) = (min(lengths, key=lengths.__getitem__), max(lengths, key=lengths.__getitem__))
        sentence = "{path}: {a!r} has {n} numbers and {b!r} has {m}; all words need the same number"
        raise SpecError(say(sentence, path=path, a=a, n=lengths[a], b=b, m=lengths[b]))
