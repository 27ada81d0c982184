"""Takes the vectors of a few words out of a large file of word vectors, whole or as principal components.

Known are the texts of GloVe (Pennington et al. 2014) and word2vec (Mikolov et al. 2013) and CSV, packed by
gzip or not, an .npy beside a list of its words, and a data file in TOML with a table ``[tokens]``.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from xlsxattn.builder.specification import vector_files
from xlsxattn.builder.specification.table import SpecError
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
    """Words' vectors.

    Attributes:
        dimensions: the names of the columns.
        E: words × dimensions, in the order in which the words were asked for.
        said: a sentence for the sheet: where the vectors come from, and what was done to them.
    """

    dimensions: tuple[str, ...]
    E: Array
    said: str


def load(path: Path, words: Sequence[str], components: int | None = None) -> Vectors:
    """The vectors of some words.

    Args:
        path: the file of vectors.
        words: the words, each once.
        components: keep only so many principal components of these words' vectors.

    Raises:
        SpecError: the file cannot be read or lacks a word; there are fewer components than asked for.
    """
    found = _read(path, words)
    lacking = [word for word in words if word not in found.rows]
    if lacking:
        raise SpecError(say("{path}: {said}", path=path, said=_lacking(lacking, found)))
    E = np.array([found.rows[word] for word in words], dtype=np.float64)
    wrong = ~np.isfinite(E)
    if wrong.any():
        row, col = np.argwhere(wrong)[0]
        sentence = "{path}: number {i} of the word {word!r} is {found}, a finite one is needed"
        raise SpecError(say(sentence, path=path, i=col + 1, word=words[row], found=E[row, col]))
    d = E.shape[1]
    if components is None:
        return Vectors(
            found.dimensions or tuple(f"d{i + 1}" for i in range(d)),
            E,
            say("{d} dimensions of {file}", d=d, file=path.name),
        )
    if isinstance(components, bool) or not 1 <= components <= min(E.shape):
        sentence = (
            "{path}: components: found {found}, from 1 to {most} are possible "
            "with {n} words and {d} dimensions"
        )
        raise SpecError(say(sentence, path=path, found=components, most=min(E.shape), n=len(words), d=d))
    return principal(E, components, path.name)


def principal(E: Array, components: int, named: str) -> Vectors:
    """The first principal components of the rows of E: their places along the directions of largest variance.

    Each direction's sign is such that its largest entry is positive: the same file gives the same numbers.
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
    said = say(sentence, first=first, d=E.shape[1], file=named, share=share)
    return Vectors(tuple(f"PC{i + 1}" for i in range(components)), centred @ directions.T, said)


def _read(path: Path, words: Sequence[str]) -> vector_files.Found:
    try:
        if path.suffix == ".npy":
            return vector_files.from_npy(path, words)
        if path.suffix == ".toml":
            return vector_files.from_toml(path, words)
        return vector_files.from_text(path, words)
    except FileNotFoundError as error:
        raise SpecError(no_file(Path(error.filename or path))) from None
    except UnicodeDecodeError as error:
        sentence = "{path}: is no text in UTF-8: {why} at byte {start} of a line"
        raise SpecError(say(sentence, path=path, why=say(error.reason), start=error.start)) from None
    except tomllib.TOMLDecodeError as error:
        raise SpecError(say("{named}: not TOML: {error}", named=path, error=not_toml(error))) from None
    except (OSError, EOFError) as error:  # gzip's complaints among them
        raise SpecError(say("{named}: cannot be read: {why}", named=path, why=reason(error))) from None


def _lacking(lacking: Sequence[str], found: vector_files.Found) -> str:
    named = ", ".join(repr(word) for word in lacking[:MAX_NAMED])
    if len(lacking) > MAX_NAMED:
        named = say("{names} and {n} more", names=named, n=len(lacking) - MAX_NAMED)
    hints: Mapping[str, str] = found.alike
    near = hints.get(lacking[0].casefold()) or nearest(lacking[0], found.rows)
    one, more = say("lacks the word {words}"), say("lacks the words {words}")
    said = say(one if len(lacking) == 1 else more, words=named)
    return say("{said}; it has {near!r}", said=said, near=near) if near else said
