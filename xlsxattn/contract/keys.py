"""The types of a spec's keys, and the keys that a table declares.

A table is a dataclass, and its fields are its keys. The type of a field is ``Annotated`` with a `Key` and, in
a sheet, with the rule by which the manifest stores its value. None, 0, "" and () mean that the key is not
given and its value is inferred from the rest of the spec. Names that are reserved in Python have a trailing
underscore.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields, replace
from typing import Any, get_args

from xlsxattn.contract.values import MAX_COLUMNS, MAX_TEXT_LENGTH


@dataclass(frozen=True, slots=True)
class Key:
    """The description of a key; subclasses give the type of its value."""

    means: str


class Flag(Key):
    """True or false."""


@dataclass(frozen=True, slots=True)
class Choice(Key):
    """One of the values of a ``Literal``, which `keys` fills in."""

    options: tuple[str, ...] = ()


class SomeOf(Choice):
    """A list of values of a ``Literal``; true for all of them, false for none."""


class Id(Key):
    """The id of the sheet itself."""


class ContextId(Key):
    """The id of a context."""


class Word(Key):
    """A word: a text without leading or trailing whitespace."""


class LanguageCode(Key):
    """A language code."""


class Weights(Key):
    """Matrices by name, or the name of a data file."""


class Part(Key):
    """A part of a spec with its own structure."""


@dataclass(frozen=True, slots=True)
class Text(Key):
    """A single-line text of at most ``most`` characters."""

    most: int = MAX_TEXT_LENGTH


class Prose(Text):
    """A text whose line breaks are replaced by spaces."""


@dataclass(frozen=True, slots=True)
class Count(Key):
    """An integer between limits; no upper limit if ``most`` is None.

    ``usual`` is the effective default where the declared default only means "not given".
    """

    most: int | None = MAX_COLUMNS
    least: int = 1
    usual: int | None = None


@dataclass(frozen=True, slots=True)
class Positive(Key):
    """A number above 0, or between limits that workbooks support; ``usual`` as in `Count`."""

    usual: float | None = None
    least: float | None = None
    most: float | None = None


@dataclass(frozen=True, slots=True)
class Within(Key):
    """A number from ``least`` to ``most``."""

    most: float
    least: float = 0.0


class Words(Key):
    """A sentence: a text, which is split on whitespace, or a list of words."""


class SheetRef(Key):
    """The id of a previous sheet."""


class TargetValues(Key):
    """Numbers, or words, for the mean of their embeddings."""


@dataclass(frozen=True, slots=True)
class Items(Key):
    """A list of ``least`` to ``most`` items, which messages call ``named``."""

    item: Key
    named: str
    most: int
    least: int = 1
    unique: bool = True


@dataclass(frozen=True, slots=True)
class TableList(Key):
    """A list of up to ``most`` tables of type ``form``."""

    form: type
    most: int


class Axes(Items):
    """Two of the dimensions, or the only one."""


@dataclass(frozen=True, slots=True)
class ManifestRule:
    """How the manifest stores a key of a sheet; a value of None omits the key."""

    value: Callable[[Any, Any], Any]


WHOLE = ManifestRule(lambda _, value: value)
IF_SET = ManifestRule(lambda _, value: value or None)
IF_FALSE = ManifestRule(lambda _, value: None if value else False)
IF_SET_TRUE = ManifestRule(lambda _, value: True if value else None)
TRUE_OR_FALSE = ManifestRule(lambda _, value: bool(value))
IF_FIRST = ManifestRule(lambda sheet, value: value if sheet.similarity and value == "first" else None)
IF_GROUPED = ManifestRule(lambda sheet, value: value if sheet.grouped else None)
IF_PLACED = ManifestRule(lambda sheet, value: value if sheet.position != "none" else None)


@dataclass(frozen=True, slots=True)
class Declared:
    """A key of a table: its name in TOML and in Python, its type, its default."""

    name: str
    attribute: str
    key: Key
    default: Any

    @property
    def is_needed(self) -> bool:
        """Whether the key is required."""
        return self.default is MISSING

    @property
    def has_default(self) -> bool:
        """Whether its default is a value rather than a marker for "not given"."""
        return not self.is_needed and (self.default is False or bool(self.default))


def keys(table: type) -> Mapping[str, Declared]:
    """The keys of a kind of sheet, of the vocabulary or of a spec, by their names in TOML.

    >>> from xlsxattn.contract.kinds import Compare, Decoder
    >>> list(keys(Compare)), keys(Decoder)["mask"].key.options
    (['id', 'title', 'about', 'try', 'axes', 'near'], ('causal', 'causal+padding'))
    """
    found = {}
    for each in fields(table):
        for key in (part for part in get_args(each.type) if isinstance(part, Key)):
            name = each.name.rstrip("_")
            filled = replace(key, options=tuple(_literals(each.type))) if isinstance(key, Choice) else key
            found[name] = Declared(name, each.name, filled, default_of(each))
    return found


def default_of(each: Field[Any]) -> Any:
    """The default of a field, or ``MISSING``."""
    return each.default if each.default_factory is MISSING else each.default_factory()


def _literals(hint: object) -> Iterator[str]:
    """The values of a ``Literal`` anywhere in a type."""
    for part in get_args(hint):
        if isinstance(part, str):
            yield part
        else:
            yield from _literals(part)
