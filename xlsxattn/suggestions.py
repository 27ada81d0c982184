"""Checks of values against known ones, with "did you mean" suggestions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xlsxattn.language import bounded, say

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from xlsxattn.language import Phrase

ALIKE_FILES = 0.75
"""Minimum similarity of file names without their suffix, from 0 to 1, for a suggestion."""

OWN_SUFFIXES = (".toml", ".xlsx")


def one_of(what: str, found: object, known: Iterable[str]) -> None:
    """Raise an error for a value that is not one of the known ones.

    Raises:
        ValueError: the value is unknown; the message lists the known ones and suggests the nearest.

    >>> one_of("engine", "saved", ["saved", "all"])
    >>> one_of("engine", "safed", ["saved", "all"])
    Traceback (most recent call last):
    ValueError: engine: found 'safed', expected one of saved, all; did you mean 'saved'?
    """
    known = [*known]
    if found not in known:
        sentence = "{what}: found {found!r}, expected one of {known}"
        said = say(sentence, what=what, found=found, known=", ".join(known))
        raise ValueError(bounded(with_near(said, found, known)))


def with_near(said: Phrase, found: object, known: Iterable[str]) -> Phrase:
    """Append the known value nearest to an unknown one, if any is similar."""
    near = nearest(found, known) if isinstance(found, str) else None
    return say("{said}; did you mean {near!r}?", said=said, near=near) if near else said


def no_file(path: Path, named: object = None) -> Phrase:
    """The message for a missing file; suggests a similar one, next to it or in ``output``."""
    named = path if named is None else named
    suffix = nearest(path.suffix, OWN_SUFFIXES) or path.suffix
    for folder in (path.parent, path.parent / "output"):
        try:
            beside = [one.stem for one in folder.iterdir() if one.suffix == suffix and one.exists()]
        except OSError:
            continue
        if near := nearest(path.stem, beside, ALIKE_FILES):
            sentence = "{named}: there is no such file; did you mean '{near}'?"
            return say(sentence, named=named, near=folder / f"{near}{suffix}")
    return say("{named}: there is no such file", named=named)


def nearest(word: str, known: Iterable[str], alike: float = 0.6) -> str | None:
    """The most similar known word, ignoring case, with a similarity of at least ``alike`` (0 to 1)."""
    folded: dict[str, str] = {}
    for one in known:
        folded.setdefault(one.casefold(), one)
    import difflib  # noqa: PLC0415 - needed only for errors, and --help must start fast

    near = difflib.get_close_matches(word.casefold(), folded, 1, alike)
    return folded[near[0]] if near else None
