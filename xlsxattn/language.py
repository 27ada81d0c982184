"""Texts in the reader's language: English stands in the code, every other language in one catalogue file.

A catalogue, ``lang/zh.toml``, gives for each English text the one that is shown in its place. A text with
values in it is made by `say`, which keeps the sentence and the values apart, so that a language may put them
in another order. Nothing is translated before it is shown, or written into a workbook.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FOLDER = Path(__file__).parent / "lang"
QUOTED = "'{text}'"
"""How a catalogue calls the quotes of its language, which stand around a text spelled out: {word!r}."""


class Phrase(str):
    """A text in English that remembers its sentence (``"layer {k}"``) and the values in it."""

    __slots__ = ("sentence", "values")
    sentence: str
    values: Mapping[str, object]

    def __new__(cls, sentence: str, values: Mapping[str, object]) -> Self:
        """Fill in the values."""
        self = super().__new__(cls, sentence.format(**values) if values else sentence)
        self.sentence, self.values = sentence, values
        return self

    def __str__(self) -> str:
        """Itself, so that what ``str`` takes out of an exception can still be told in another language."""
        return self

    def __getnewargs__(self) -> tuple[str, Mapping[str, object]]:  # type: ignore[override]
        return self.sentence, self.values


def say(sentence: str, /, **values: object) -> Phrase:
    """A text to be shown, with values for the names in braces; values that are phrases are told as well.

    >>> say("{title}, layer {k}", title=say("Decoder"), k=2)
    'Decoder, layer 2'
    """
    return sentence if isinstance(sentence, Phrase) and not values else Phrase(sentence, values)


@dataclass(frozen=True, slots=True)
class Language:
    """A language: its code, as ``lang`` and ``--lang`` take it, and for each English text its own.

    ``quotes`` stand around a text that a sentence spells out, as in ``“{text}”``; "" for Python's.
    """

    code: str
    texts: Mapping[str, str] = field(default_factory=dict)
    quotes: str = ""

    def tell(self, text: str) -> str:
        """A text in this language; in English where the catalogue lacks it.

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
            return _Spelling(self.quotes).vformat(sentence, (), values)
        return sentence.format(**values) if values else sentence


class _Spelling(Formatter):
    """Fills in values; a text that is spelled out stands in a language's own quotes, escaped as before."""

    def __init__(self, quotes: str) -> None:
        self.quotes = quotes

    def convert_field(self, value: object, conversion: str | None) -> object:
        if conversion == "r" and isinstance(value, str):
            return self.quotes.format(text=repr(value)[1:-1])
        return super().convert_field(value, conversion)


ENGLISH = Language("en")
MAX_MESSAGE_LENGTH = 300
_UNSEEN = (
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    "\ufff9-\ufffc\ud800-\udfff\U000e0000-\U000e0fff]"
)
"""Characters that are not seen, or that move others: control characters, those of no width, surrogates."""


def visible(text: str) -> str:
    r"""A text whose unseen characters are shown as escapes, but for the ends of lines.

    >>> print(visible("a\x1b[31m\u200bb"))
    a\x1b[31m\u200bb
    """
    return re.sub(_UNSEEN, lambda found: found[0].encode("unicode_escape").decode(), text)


def message(text: str) -> str:
    """A message as it is shown: all its characters are seen, and too long ones lose their middle."""
    shown = visible(text)
    if len(shown) <= MAX_MESSAGE_LENGTH:
        return shown
    end = MAX_MESSAGE_LENGTH // 3
    return f"{shown[: MAX_MESSAGE_LENGTH - end - 3]}...{shown[-end:]}"


def is_wide(character: str) -> bool:
    """Whether a character is as wide as two, as CJK characters are."""
    return unicodedata.east_asian_width(character) in "WF"


def codes() -> tuple[str, ...]:
    """The languages there are, English first."""
    return (ENGLISH.code, *sorted(path.stem for path in FOLDER.glob("*.toml")))


@cache
def language(code: str) -> Language:
    """A language by its code; every table of its catalogue is read, whatever it is called.

    Raises:
        KeyError: there is none with this code.
    """
    if code not in codes():
        raise KeyError(code)
    if code == ENGLISH.code:
        return ENGLISH
    import tomllib  # noqa: PLC0415 - English needs no catalogue, and --help is to answer at once

    tables = tomllib.loads((FOLDER / f"{code}.toml").read_text("utf-8")).values()
    texts = {english: text for table in tables for english, text in table.items()}
    return Language(code, texts, texts.get(QUOTED, ""))


def language_of(texts: Iterable[str]) -> Language:
    """The language of most of the texts that a catalogue knows: what a workbook is written in.

    >>> language_of(["the cat", "开始", "目录"]).code, language_of(["开始", "Start", "Contents"]).code
    ('zh', 'en')
    """
    shown = set(texts)
    others = [language(code) for code in codes()[1:]]
    known = {ENGLISH.code: {english for one in others for english in one.texts}}
    known |= {one.code: set(one.texts.values()) for one in others}
    return language(max(known, key=lambda code: len(known[code] & shown)))
