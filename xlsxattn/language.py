"""Translation: English texts are in the code, other languages in one catalogue file each.

A catalogue, such as ``lang/zh.toml``, maps each English text to its translation. Texts with placeholders are
created by `say`, which keeps the sentence and the values apart, so that a translation may reorder them. Texts
are translated only when they are shown or written into a workbook.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, Self, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

FOLDER = Path(__file__).parent / "lang"
Tell: TypeAlias = "Callable[[str], str]"
"""Translates a text."""
QUOTED = "'{text}'"
"""The catalogue key of the quotation marks around values such as {word!r}."""


class Phrase(str):
    """An English text with its sentence (``"layer {k}"``) and values, so that it can be translated."""

    __slots__ = ("sentence", "values")
    sentence: str
    values: Mapping[str, object]

    def __new__(cls, sentence: str, values: Mapping[str, object]) -> Self:
        """Fill in the values."""
        self = super().__new__(cls, sentence.format(**values) if values else sentence)
        self.sentence, self.values = sentence, values
        return self

    def __str__(self) -> str:
        """Return itself, so that ``str(exception)`` can still be translated."""
        return self

    def __getnewargs__(self) -> tuple[str, Mapping[str, object]]:  # type: ignore[override]
        return self.sentence, self.values


def say(sentence: str, /, **values: object) -> Phrase:
    """Mark a text as translatable, with values for its placeholders; values may be phrases themselves.

    >>> say("{title}, layer {k}", title=say("Decoder"), k=2)
    'Decoder, layer 2'
    """
    return sentence if isinstance(sentence, Phrase) and not values else Phrase(sentence, values)


@dataclass(frozen=True, slots=True)
class Language:
    """A language: its code, as in ``lang`` and ``--lang``, and its translations of English texts.

    ``quotes`` is the format of values with ``!r``, such as ``“{text}”``; "" for Python's ``repr``.
    """

    code: str
    texts: Mapping[str, str] = field(default_factory=dict)
    quotes: str = ""

    def tell(self, text: str) -> str:
        """Translate a text; without a translation, it stays English.

        >>> language("zh").tell(say("{title}, layer {k}", title=say("Decoder"), k=2))
        '解码器，第 2 层'
        """
        if not isinstance(text, Phrase):
            return self.texts.get(text, text)
        sentence = self.texts.get(text.sentence, text.sentence)
        values = {
            name: self.tell(value) if isinstance(value, Phrase) else value
            for name, value in text.values.items()
        }
        if self.quotes and "!r}" in sentence:
            return _QuotingFormatter(self.quotes).vformat(sentence, (), values)
        return sentence.format(**values) if values else sentence


class _QuotingFormatter(Formatter):
    """A formatter that puts ``!r`` strings into the language's own quotation marks."""

    def __init__(self, quotes: str) -> None:
        self.quotes = quotes

    def convert_field(self, value: object, conversion: str | None) -> object:
        if conversion == "r" and isinstance(value, str):
            return self.quotes.format(text=repr(value)[1:-1])
        return super().convert_field(value, conversion)


ENGLISH = Language("en")
MAX_MESSAGE_LENGTH = 300
_VALUE_LENGTHS = (200, 140, 100, 70, 40, 20)
"""Maximum lengths of the values in a long message; the first that makes it short enough is used."""
_INVISIBLE = (
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    "\ufff9-\ufffc\ud800-\udfff\U000e0000-\U000e0fff]"
)
"""Invisible characters and those that reorder text: control and zero-width characters, surrogates."""


def visible(text: str) -> str:
    r"""Escape invisible characters, except line breaks.

    >>> print(visible("a\x1b[31m\u200bb"))
    a\x1b[31m\u200bb
    """
    return re.sub(_INVISIBLE, lambda match: match[0].encode("unicode_escape").decode(), text)


def message(text: str) -> str:
    """Prepare a message for display: escape invisible characters, and shorten a long message."""
    return _cut(visible(text), MAX_MESSAGE_LENGTH)


def _cut(text: str, length: int) -> str:
    """Replace the middle of a long text by an ellipsis."""
    end = length // 3
    return text if len(text) <= length else f"{text[: length - end - 3]}...{text[-end:]}"


def bounded(text: str) -> str:
    """Shorten a long message; a phrase can still be translated, as its values are shortened.

    >>> len(bounded(say("{file}: there is no such file", file="x" * 1000)))
    223
    """
    if len(visible(text)) <= MAX_MESSAGE_LENGTH:
        return text
    if not isinstance(text, Phrase):
        return message(text)
    for length in _VALUE_LENGTHS:
        shorter = _with_short_values(text, length)
        if len(visible(shorter)) <= MAX_MESSAGE_LENGTH:
            return shorter
    return message(text)


def _with_short_values(phrase: Phrase, length: int) -> Phrase:
    def shorter(value: object) -> object:
        if isinstance(value, Phrase):
            return _with_short_values(value, length)
        return _cut(value, length) if isinstance(value, str) else value

    return Phrase(phrase.sentence, {name: shorter(value) for name, value in phrase.values.items()})


class MessageError(Exception):
    """An error whose text is a message for the user: translatable, and not too long."""

    def __str__(self) -> str:
        """The message, shortened if it is long."""
        return bounded(super().__str__())


def is_wide(character: str) -> bool:
    """Whether a character is two columns wide, such as CJK characters."""
    return unicodedata.east_asian_width(character) in "WF"


def codes() -> tuple[str, ...]:
    """The codes of the available languages, English first."""
    return (ENGLISH.code, *sorted(path.stem for path in FOLDER.glob("*.toml")))


@cache
def language(code: str) -> Language:
    """Load a language by its code; the names of the tables in its catalogue do not matter.

    Raises:
        KeyError: there is no such language.
    """
    if code not in codes():
        raise KeyError(code)
    if code == ENGLISH.code:
        return ENGLISH
    import tomllib  # noqa: PLC0415 - English needs no catalogue, and --help must start fast

    tables = tomllib.loads((FOLDER / f"{code}.toml").read_text("utf-8")).values()
    texts = {english: text for table in tables for english, text in table.items()}
    return Language(code, texts, texts.get(QUOTED, ""))


def language_of(texts: Iterable[str]) -> Language:
    """The language in which most of these texts are known: the language of a workbook.

    >>> language_of(["the cat", "开始", "目录"]).code, language_of(["开始", "Start", "Contents"]).code
    ('zh', 'en')
    """
    shown = set(texts)
    others = [language(code) for code in codes()[1:]]
    known = {ENGLISH.code: {english for one in others for english in one.texts}}
    known |= {one.code: set(one.texts.values()) for one in others}
    return language(max(known, key=lambda code: len(known[code] & shown)))
