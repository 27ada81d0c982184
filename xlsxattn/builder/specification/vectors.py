"""Reads the vectors of some words from a large file, in full or reduced to principal components.

Supported formats: text of GloVe (Pennington et al. 2014) and word2vec (Mikolov et al. 2013), CSV, all also
gzipped; .npy with a list of words; a TOML data file with a table ``[tokens]``.
"""

from __future__ import annotations

import csv
import tomllib
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from xlsxattn.builder.specification import vector_files
from xlsxattn.builder.specification.table import SpecError
from xlsxattn.contract.values import MAX_ABS
from xlsxattn.language import say
from xlsxattn.suggestions import nearest, no_file
from xlsxattn.system_errors import not_toml, reason

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

MAX_NAMED = 5


@dataclass(frozen=True, slots=True)
class Vectors:
    """Vectors of words.

    Attributes:
        dimensions: names of the columns.
        E: words × dimensions, in the requested order of the words.
        said: a note for the sheet on the source of the vectors, and how they were processed.
    """

    dimensions: tuple[str, ...]
    E: Array
    said: str


def load(path: Path, words: Sequence[str], components: int | None = None) -> Vectors:
    """Read the vectors of some words.

    Args:
        path: the file of vectors.
        words: the words, without duplicates.
        components: reduce the vectors of these words to this number of principal components.

    Raises:
        SpecError: the file cannot be read or lacks a word, or ``components`` is too large.
    """
    content = _read(path, words)
    missing = [word for word in words if word not in content.rows]
    if missing:
        raise SpecError(say("{path}: {said}", path=path, said=_missing(missing, content)))
    E = np.array([content.rows[word] for word in words], dtype=np.float64)
    wrong = ~np.isfinite(E)
    if wrong.any():
        row, col = np.argwhere(wrong)[0]
        sentence = "{path}: number {i} of the word {word!r} is {found}, expected a finite number"
        raise SpecError(say(sentence, path=path, i=col + 1, word=words[row], found=E[row, col]))
    if (large := np.abs(E) > MAX_ABS).any():
        row, col = np.argwhere(large)[0]
        sentence = "{path}: number {i} of the word {word!r} is {found}, expected a number within ±{largest:g}"
        values = {"i": col + 1, "word": words[row], "found": E[row, col], "largest": MAX_ABS}
        raise SpecError(say(sentence, path=path, **values))
    d = E.shape[1]
    if components is None:
        return Vectors(
            content.dimensions or tuple(f"d{i + 1}" for i in range(d)),
            E,
            say("{d} dimensions of {file}", d=d, file=path.name),
        )
    if isinstance(components, bool) or not 1 <= components <= min(E.shape):
        sentence = "{path}: components: found {found}, expected 1 to {most} for {n} words and {d} dimensions"
        raise SpecError(say(sentence, path=path, found=components, most=min(E.shape), n=len(words), d=d))
    return principal(E, components, path.name)


def principal(E: Array, components: int, file: str) -> Vectors:
    """The first principal components of the rows of E, words × components.

    The sign of each direction makes its largest entry positive, so that results are reproducible.
    """
    centred = E - E.mean(axis=0)
    _, singular, directions = np.linalg.svd(centred, full_matrices=False)
    directions = directions[:components]
    largest = np.abs(directions).argmax(axis=1)
    directions = directions * np.sign(directions[np.arange(components), largest])[:, None]
    total = float((singular**2).sum())
    share = 1.0 if total == 0 else float((singular[:components] ** 2).sum()) / total
    one, more = say("the first principal component"), say("the first {n} principal components", n=components)
    first = one if components == 1 else more
    sentence = "{first} of the {d} dimensions of {file}, {share:.0%} of these words' variance"
    source = say(sentence, first=first, d=E.shape[1], file=file, share=share)
    return Vectors(tuple(f"PC{i + 1}" for i in range(components)), centred @ directions.T, source)


def _read(path: Path, words: Sequence[str]) -> vector_files.Content:
    try:
        if path.suffix.lower() == ".npy":
            return vector_files.from_npy(path, words)
        if path.suffix.lower() == ".toml":
            return vector_files.from_toml(path, words)
        return vector_files.from_text(path, words)
    except FileNotFoundError as error:
        raise SpecError(no_file(Path(error.filename or path))) from None
    except UnicodeDecodeError as error:
        sentence = "{path}: is not text in UTF-8: {why} at byte {start} of a line"
        raise SpecError(say(sentence, path=path, why=say(error.reason), start=error.start)) from None
    except tomllib.TOMLDecodeError as error:
        raise SpecError(say("{named}: not TOML: {error}", named=path, error=not_toml(error))) from None
    except csv.Error as error:
        raise SpecError(
            say("{path}: cannot be read as CSV: {error}", path=path, error=say(str(error)))
        ) from None
    except (OSError, EOFError, zlib.error) as error:  # including those of gzip
        raise SpecError(say("{named}: cannot be read: {why}", named=path, why=reason(error))) from None


def _missing(missing: Sequence[str], content: vector_files.Content) -> str:
    named = ", ".join(repr(word) for word in missing[:MAX_NAMED])
    if len(missing) > MAX_NAMED:
        named = say("{names} and {n} more", names=named, n=len(missing) - MAX_NAMED)
    hints: Mapping[str, str] = content.similar
    near = hints.get(missing[0].casefold()) or nearest(missing[0], content.rows)
    one, more = say("lacks the word {words}"), say("lacks the words {words}")
    message = say(one if len(missing) == 1 else more, words=named)
    return say("{said}; it has {near!r}", said=message, near=near) if near else message
