"""Reading one table of a spec: keys, texts, numbers and matrices, each checked where it stands."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from xlsxattn.builder.specification.toml_hints import binary, slip
from xlsxattn.language import say
from xlsxattn.suggestions import nearest, with_near
from xlsxattn.system_errors import reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from xlsxattn.language import Phrase

Matrix: TypeAlias = "tuple[tuple[float, ...], ...] | NDArray[np.floating[Any]]"
"""Numbers row by row; where there are very many, an array of float32 or float64 (rows × cols)."""

MAX_TEXT_LENGTH = 255
MAX_ABS = 1e50
MAX_SHOWN_LENGTH = 40
RESERVED = re.compile(r"vocab|xlsxattn|w|b|[hlg]\d+")
ID = re.compile(r"[a-z][a-z0-9]*")
MAX_ID_LENGTH = 32
SENTENCE = "{source}: {place}: {sentence}"


class SpecError(ValueError):
    """A spec that cannot be built; its text is the sentence a person reads."""


class Table:
    """One table of the spec, its place in the file, and the keys it may have.

    ``folder`` is where the data files stand that it names; ``sheet`` the id of the sheet that it belongs to.
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
        """An error about one key, with its place in the file; what it says, as `say` takes it."""
        place = ".".join(part for part in (self.place, key) if part)
        sheet = self.sheet if key != "id" else ""
        where = say("{place} (sheet {sheet!r})" if sheet else "{place}", place=place, sheet=sheet)
        return SpecError(say(SENTENCE, source=self.source, place=where, sentence=say(sentence, **values)))

    def table(self, key: str, keys: Iterable[str] | None) -> Table:
        """The table under a key, which must be there."""
        if key not in self.data:
            raise self.error(key, "is missing")
        if not isinstance(self.data[key], dict):
            raise self.error(key, "found {found}, a table is needed", found=show(self.data[key]))
        place = f"{self.place}.{key}" if self.place else key
        return Table(self.data[key], self.source, place, keys, self.folder, self.sheet)

    def knowing(self, keys: Iterable[str]) -> Table:
        """The same table, with the keys that it may have."""
        return Table(self.data, self.source, self.place, keys, self.folder, self.sheet)

    def data_file(self, key: str, name: str) -> Table:
        """The data file that a key names, a TOML file with the tables ``tokens`` and ``weights``."""
        path = (self.folder or Path()) / name
        place = f"{self.place}.{key}"
        data = read_toml(path, say(SENTENCE, source=self.source, place=place, sentence=name))
        return Table(data, str(path), "", ("tokens", "weights"), path.parent)

    def text(self, key: str, default: str) -> str:
        """The text under a key, or the default."""
        return self.word(key, self.data.get(key, default))

    def prose(self, key: str, value: object, most: int = MAX_TEXT_LENGTH) -> str:
        """Check a sentence or a paragraph; its line breaks, and blanks beside them, are one blank each."""
        return self.word(key, " ".join(value.split()) if isinstance(value, str) else value, most)

    def word(self, key: str, value: object, most: int = MAX_TEXT_LENGTH) -> str:
        """Check a text that will stand in a cell, of so many characters at most; give it in Unicode NFC."""
        if not isinstance(value, str):
            raise self.error(key, "found {found}, text is needed", found=show(value))
        value = unicodedata.normalize("NFC", value)
        if not value.strip():
            raise self.error(key, "is empty, text is needed")
        if len(value.encode("utf-16-le", "surrogatepass")) > 2 * most:
            raise self.error(key, "has {n} characters, at most {most} are possible", n=len(value), most=most)
        odd = next((c for c in value if unicodedata.category(c) in ("Cc", "Cs") or c in "\ufffe\uffff"), None)
        if odd is not None or re.search("_x[0-9A-Fa-f]{4}_", value):
            control = say("the control character U+{number:04X}", number=ord(odd or " "))
            found = control if odd else say("a part like {part}", part="_x0041_")
            raise self.error(key, "holds {found}, which a workbook cannot keep", found=found)
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        """The true or false under a key, or the default."""
        value = self.data.get(key, default)
        if not isinstance(value, bool):
            raise self.error(key, "found {found}, true or false is needed", found=show(value))
        return value

    def count(self, key: str, default: int, most: int) -> int:
        """The whole number from 1 to ``most`` under a key, or the default."""
        value = self.data.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            raise self.error(
                key, "found {found}, a whole number from 1 to {most} is needed", found=show(value), most=most
            )
        return value

    def one_of(self, key: str, known: Sequence[str], default: str) -> str:
        """The one of some words under a key, or the default."""
        value = self.data.get(key, default)
        if not isinstance(value, str) or value not in known:
            sentence = "found {found}, one of {known} is needed"
            said = say(sentence, found=show(value), known=", ".join(known))
            raise self.error(key, with_near(said, value, known))
        return value

    def positive(self, key: str, default: float) -> float:
        """The number above 0 under a key, or the default."""
        (value,) = self.vector(key, [self.data.get(key, default)])
        if not value > 0:
            raise self.error(key, "found {found}, a number above 0 is needed", found=show(self.data[key]))
        return value

    def vector(self, key: str, value: object) -> tuple[float, ...]:
        """Check a list of finite numbers."""
        if not isinstance(value, list) or not value:
            raise self.error(key, "found {found}, a list of numbers is needed", found=show(value))
        for i, item in enumerate(value):
            if isinstance(item, bool) or not isinstance(item, int | float):
                raise self.error(key, "number {i} is {item}, a number is needed", i=i + 1, item=show(item))
            if not abs(item) <= MAX_ABS:
                raise self.error(
                    key,
                    "number {i} is {item}, a number within ±{largest:g} is needed",
                    i=i + 1,
                    item=show(item),
                    largest=MAX_ABS,
                )
        return tuple(float(item) for item in value)

    def matrix(self, key: str, *, row: bool = False) -> Matrix:
        """The rows of numbers under a key, all of one length; ``row``: a plain list is taken as one row."""
        value = self.data[key]
        if row and isinstance(value, list) and value and not isinstance(value[0], list):
            value = [value]
        if not isinstance(value, list) or not value:
            raise self.error(key, "found {found}, a list of rows is needed", found=show(value))
        rows = tuple(self.vector(f"{key}[{i + 1}]", one) for i, one in enumerate(value))
        for i, one in enumerate(rows):
            if len(one) != len(rows[0]):
                raise self.error(
                    key,
                    "row {i} has {n} numbers and row 1 has {first}, all rows need the same number",
                    i=i + 1,
                    n=len(one),
                    first=len(rows[0]),
                )
        return rows


def known_here(known: Iterable[str]) -> Phrase:
    """A hint at what could have been meant."""
    return say("known here: {known}", known=", ".join(known))


def identifier(table: Table, key: str, value: object, what: str) -> str:
    """Check an id: of a sheet, of a context."""
    if not isinstance(value, str) or not ID.fullmatch(value) or len(value) > MAX_ID_LENGTH:
        form = say("small Latin letters and digits, a letter first, at most {most}", most=MAX_ID_LENGTH)
        raise table.error(
            key,
            "{found} cannot be the id of {what}: {form} are needed",
            found=show(value),
            what=what,
            form=form,
        )
    if RESERVED.fullmatch(value):
        raise table.error(key, "{value!r} is reserved, choose another id for {what}", value=value, what=what)
    return value


def read_toml(path: Path, named: str) -> dict[str, Any]:
    """What a TOML file holds; ``named`` is what an error's sentence begins with.

    Raises:
        SpecError: it cannot be read, or is not TOML.
    """
    if path.is_fifo():
        raise SpecError(say("{named}: this is not a file", named=named))  # one would wait for what is written
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise SpecError(_no_file(path, named)) from None
    except (OSError, ValueError) as error:
        raise SpecError(say("{named}: cannot be read: {why}", named=named, why=reason(error))) from None
    if what := binary(content):
        raise SpecError(say("{named}: {what}", named=named, what=what))
    text = ""
    try:
        text = content.decode("utf-8").removeprefix("\ufeff")
        return tomllib.loads(text)
    except UnicodeDecodeError as error:
        sentence = "{named}: byte {start} is not UTF-8: save the file in that encoding"
        raise SpecError(say(sentence, named=named, start=error.start)) from None
    except tomllib.TOMLDecodeError as error:
        raise SpecError(say("{named}: {what}", named=named, what=slip(text, error))) from None
    except RecursionError:
        raise SpecError(say("{named}: its lists or tables are nested too deeply", named=named)) from None
    except ValueError:  # Python reads no whole number of more digits
        raise SpecError(say("{named}: a number in it has more than 4,300 digits", named=named)) from None


def _no_file(path: Path, named: str) -> Phrase:
    """That a file is missing, and which one of the same folder is called nearly the same."""
    try:
        beside = [one.name for one in path.parent.iterdir() if one.suffix == path.suffix]
    except OSError:
        beside = []
    if near := nearest(path.name, beside, 0.75):
        sentence = "{named}: there is no such file, did you mean '{near}'?"
        return say(sentence, named=named, near=path.parent / near)
    return say("{named}: there is no such file", named=named)


def show(value: object) -> str:
    """A value as an error's sentence quotes it: short, and as TOML would spell it."""
    if isinstance(value, dt.date | dt.time):
        return str(value)
    if isinstance(value, str):
        short = len(repr(value)) <= MAX_SHOWN_LENGTH
        return say("{text!r}", text=value if short else f"{value[: MAX_SHOWN_LENGTH - 5]}...")
    try:
        text = "true" if value is True else "false" if value is False else repr(value)
    except ValueError:  # Python spells out no whole number of more digits
        return say("a number of more than 4,300 digits")
    return text if len(text) <= MAX_SHOWN_LENGTH else f"{text[: MAX_SHOWN_LENGTH - 3]}..."
