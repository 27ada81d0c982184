"""Reads a table of a spec, and validates its texts, numbers and matrices."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from xlsxattn.builder.specification.toml_hints import binary, decimal_comma, explain
from xlsxattn.contract.values import ID, MAX_ABS, MAX_ID_LENGTH, MAX_TEXT_LENGTH, RESERVED
from xlsxattn.language import MessageError, say
from xlsxattn.suggestions import nearest, no_file, with_near
from xlsxattn.system_errors import reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from xlsxattn.contract.keys import Items
    from xlsxattn.language import Phrase

Matrix: TypeAlias = "tuple[tuple[float, ...], ...] | NDArray[np.floating[Any]]"
"""Numbers row by row; large ones as an array of float32 or float64 (rows × cols)."""

MAX_SHOWN_LENGTH = 40
SENTENCE = "{source}: {place}: {sentence}"


class SpecError(MessageError, ValueError):
    """An invalid spec; the text is a message for the user."""


class Table:
    """A table of the spec, its location in the file, and its allowed keys.

    ``folder`` is the folder of its data files; ``sheet`` the id of the sheet that it belongs to.
    """

    def __init__(
        self,
        data: Mapping[str, Any],
        source: str,
        place: str,
        keys: Iterable[str] | None,
        folder: Path | None = None,
        sheet: str = "",
    ) -> None:
        self.data, self.source, self.place, self.folder, self.sheet = data, source, place, folder, sheet
        for key in data if keys is not None else ():
            known = tuple(keys or ())
            if key not in known:
                near = nearest(key, known, 0.5)
                hint = say("did you mean '{near}'?", near=near) if near else known_here(known)
                raise self.error(key, "there is no such key; {hint}", hint=hint)

    def error(self, key: str, sentence: str, /, **values: object) -> SpecError:
        """An error about one key, with its location in the file; arguments as for `say`."""
        place = ".".join(part for part in (self.place, key) if part)
        sheet = self.sheet if key != "id" else ""
        where = say("{place} (sheet {sheet!r})" if sheet else "{place}", place=place, sheet=sheet)
        return SpecError(say(SENTENCE, source=self.source, place=where, sentence=say(sentence, **values)))

    def table(self, key: str, keys: Iterable[str] | None) -> Table:
        """The table of a key, which is required."""
        if key not in self.data:
            raise self.error(key, "is missing")
        if not isinstance(self.data[key], dict):
            raise self.error(key, "found {found}, expected a table", found=show(self.data[key]))
        place = f"{self.place}.{key}" if self.place else key
        return Table(self.data[key], self.source, place, keys, self.folder, self.sheet)

    def with_keys(self, keys: Iterable[str]) -> Table:
        """The same table, with its allowed keys."""
        return Table(self.data, self.source, self.place, keys, self.folder, self.sheet)

    def data_file(self, key: str, name: str) -> Table:
        """Read the data file named by a key: a TOML file with tables ``tokens`` and ``weights``."""
        path = (self.folder or Path()) / name
        place = f"{self.place}.{key}"
        data = read_toml(path, say(SENTENCE, source=self.source, place=place, sentence=name))
        return Table(data, str(path), "", ("tokens", "weights"), path.parent)

    def prose(self, key: str, value: object, most: int = MAX_TEXT_LENGTH) -> str:
        """Validate a sentence or paragraph; whitespace, including line breaks, becomes single spaces."""
        return self.word(key, " ".join(value.split()) if isinstance(value, str) else value, most)

    def word(self, key: str, value: object, most: int = MAX_TEXT_LENGTH) -> str:
        """Validate a text for a cell, of at most ``most`` characters; return it in Unicode NFC."""
        if not isinstance(value, str):
            raise self.error(key, "found {found}, expected text", found=show(value))
        value = unicodedata.normalize("NFC", value)
        if not value.strip():
            raise self.error(key, "is empty, expected text")
        n = len(value.encode("utf-16-le", "surrogatepass")) // 2
        if n > most:
            sentence = "has {n} characters; at most {most} are allowed"
            if n > len(value):
                sentence = "has {n} characters (those like 🙂 count twice); at most {most} are allowed"
            raise self.error(key, sentence, n=n, most=most)
        odd = next((c for c in value if unicodedata.category(c) in ("Cc", "Cs") or c in "\ufffe\uffff"), None)
        if odd is not None or re.search("_x[0-9A-Fa-f]{4}_", value):
            control = say("the control character U+{number:04X}", number=ord(odd or " "))
            found = control if odd else say("a sequence like {part}", part="_x0041_")
            raise self.error(key, "contains {found}, which a workbook cannot store", found=found)
        return value

    def token(self, key: str, value: object) -> str:
        """Validate a word: a text without surrounding spaces."""
        word = self.word(key, value)
        if word != word.strip():
            raise self.error(
                key, "the word {word!r} begins or ends with a space, which is invisible", word=word
            )
        return word

    def flag(self, key: str, value: object) -> bool:
        """Validate a boolean."""
        if not isinstance(value, bool):
            raise self.error(key, "found {found}, expected true or false", found=show(value))
        return value

    def whole(self, key: str, value: object, least: int, most: int | None) -> int:
        """Validate a whole number from ``least`` to ``most``, or without upper limit if ``most`` is None."""
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= (most or value):
            return value
        if most is None:
            sentence = "found {found}, expected a whole number of at least {least}"
            raise self.error(key, sentence, found=show(value), least=least)
        sentence = "found {found}, expected a whole number from {least} to {most}"
        raise self.error(key, sentence, found=show(value), least=least, most=most)

    def one_of(self, key: str, value: object, known: Sequence[str]) -> str:
        """Validate one of the known words."""
        if not isinstance(value, str) or value not in known:
            sentence = "found {found}, expected one of {known}"
            message = say(sentence, found=show(value), known=", ".join(known))
            raise self.error(key, with_near(message, value, known))
        return value

    def positive(self, key: str, value: object) -> float:
        """Validate a positive number."""
        (number,) = self.vector(key, [value])
        if not number > 0:
            raise self.error(key, "found {found}, expected a number above 0", found=show(value))
        return number

    def items(self, key: str, value: object, listed: Items) -> list[object]:
        """Validate the length of a list, and that its items are unique; items are not validated."""
        if not isinstance(value, list) or not listed.least <= len(value) <= listed.most:
            sentence = (
                "found {found}, expected a list of {least} to {most:,} {items}"
                if listed.least
                else "found {found}, expected a list of at most {most:,} {items}"
            )
            values = {"least": listed.least} if listed.least else {}
            raise self.error(
                key, sentence, found=show(value), most=listed.most, items=say(listed.named), **values
            )
        duplicate = next((one for i, one in enumerate(value) if one in value[:i]), None)
        if listed.unique and duplicate is not None:
            raise self.error(key, "has {item} twice; items must be unique", item=show(duplicate))
        return value

    def vector(self, key: str, value: object) -> tuple[float, ...]:
        """Validate a list of finite numbers."""
        if not isinstance(value, list) or not value:
            raise self.error(key, "found {found}, expected a list of numbers", found=show(value))
        for i, item in enumerate(value):
            if isinstance(item, bool) or not isinstance(item, int | float):
                raise self.error(key, "item {i} is {item}, expected a number", i=i + 1, item=show(item))
            if not abs(item) <= MAX_ABS:
                sentence = "number {i} is {item}, expected a number within ±{largest:g}"
                raise self.error(key, sentence, i=i + 1, item=show(item), largest=MAX_ABS)
        return tuple(float(item) for item in value)

    def matrix(self, key: str, *, row: bool = False) -> Matrix:
        """Validate the rows of numbers of a key, all of the same length; ``row``: a flat list is one row."""
        value = self.data[key]
        if row and isinstance(value, list) and value and not isinstance(value[0], list):
            value = [value]
        if not isinstance(value, list) or not value:
            raise self.error(key, "found {found}, expected a list of rows", found=show(value))
        rows = tuple(self.vector(f"{key}[{i + 1}]", one) for i, one in enumerate(value))
        for i, one in enumerate(rows):
            if len(one) != len(rows[0]):
                sentence = "row {i} has {n} numbers and row 1 has {first}; all rows need the same number"
                raise self.error(key, sentence, i=i + 1, n=len(one), first=len(rows[0]))
        return rows


def known_here(known: Iterable[str]) -> Phrase:
    """A hint that lists the known keys."""
    return say("known here: {known}", known=", ".join(known))


def identifier(table: Table, key: str, value: object, what: str) -> str:
    """Validate the id of a sheet or a context."""
    if not isinstance(value, str) or not re.fullmatch(ID, value):
        form = say(
            "lower-case Latin letters and digits, starting with a letter, at most {most}", most=MAX_ID_LENGTH
        )
        sentence = "{found} cannot be the id of {what}: use {form}"
        raise table.error(key, sentence, found=show(value), what=what, form=form)
    if re.fullmatch(RESERVED, value):
        raise table.error(key, "{value!r} is reserved; choose another id for {what}", value=value, what=what)
    return value


def read_toml(path: Path, named: str) -> dict[str, Any]:
    """Read a TOML file; ``named`` is the beginning of error messages.

    Raises:
        SpecError: the file cannot be read, or is not TOML.
    """
    try:
        blocks = path.is_fifo()
        content = b"" if blocks else path.read_bytes()
    except FileNotFoundError:
        raise SpecError(no_file(path, named)) from None
    except (OSError, ValueError) as error:
        raise SpecError(say("{named}: cannot be read: {why}", named=named, why=reason(error))) from None
    if blocks:
        raise SpecError(say("{named}: this is not a file", named=named))
    if what := binary(content):
        raise SpecError(say("{named}: {what}", named=named, what=what))
    text = ""
    try:
        text = content.decode("utf-8").removeprefix("\ufeff")
        data = tomllib.loads(text)
    except UnicodeDecodeError as error:
        sentence = "{named}: byte {start} is not UTF-8: save the file in that encoding"
        raise SpecError(say(sentence, named=named, start=error.start)) from None
    except tomllib.TOMLDecodeError as error:
        raise SpecError(say("{named}: {what}", named=named, what=explain(text, error))) from None
    except RecursionError:
        raise SpecError(say("{named}: its lists or tables are nested too deeply", named=named)) from None
    except ValueError:  # limit of int()
        raise SpecError(say("{named}: a number in it has more than 4,300 digits", named=named)) from None
    if what := decimal_comma(text):
        raise SpecError(say("{named}: {what}", named=named, what=what))
    return data


def show(value: object) -> str:
    """A value as quoted in an error: shortened, in TOML syntax."""
    if isinstance(value, dt.date | dt.time):
        return str(value)
    if isinstance(value, str):
        short = len(repr(value)) <= MAX_SHOWN_LENGTH
        return say("{text!r}", text=value if short else f"{value[: MAX_SHOWN_LENGTH - 5]}...")
    try:
        text = "true" if value is True else "false" if value is False else repr(value)
    except ValueError:  # limit of str()
        return say("a number of more than 4,300 digits")
    return text if len(text) <= MAX_SHOWN_LENGTH else f"{text[: MAX_SHOWN_LENGTH - 3]}..."
