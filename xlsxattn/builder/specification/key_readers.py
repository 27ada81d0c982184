"""Reads the declared keys of a table, and validates each value by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xlsxattn.builder.specification import weights
from xlsxattn.builder.specification.table import Table, identifier, show
from xlsxattn.contract import keys
from xlsxattn.language import codes, say

if TYPE_CHECKING:
    from collections.abc import Callable

    Reader = Callable[[Table, str, Any, Any], Any]


def read(table: Table, declared: type[Any]) -> dict[str, Any]:
    """Read the given keys of a table, by attribute name.

    Contexts and axes are not validated, and nested tables are omitted.

    Raises:
        SpecError: a value is invalid, or a required key is missing.
    """
    values = {}
    for name, one in keys.keys(declared).items():
        if isinstance(one.key, keys.Part):
            continue
        if name in table.data:
            values[one.attribute] = _value(table, name, table.data[name], one.key)
        elif one.is_needed:
            raise table.error(name, "is missing")
    return values


def _value(table: Table, name: str, value: object, key: keys.Key) -> Any:  # noqa: ANN401 - as declared
    return _READERS[type(key)](table, name, value, key)


def _items(table: Table, name: str, value: object, key: keys.Items) -> tuple[Any, ...]:
    listed = table.items(name, value, key)
    return tuple(_value(table, f"{name}[{i}]", item, key.item) for i, item in enumerate(listed, 1))


def _some_of(table: Table, name: str, value: object, key: keys.SomeOf) -> bool | tuple[str, ...]:
    if isinstance(value, bool):
        return value
    if not isinstance(value, list):
        known = ", ".join(key.options)
        sentence = "found {found}, expected true, false or a list of some of {known}"
        raise table.error(name, sentence, found=show(value), known=known)
    some = keys.Items(key.means, key, say("letters"), len(key.options), least=0)
    listed = table.items(name, value, some)
    return tuple(table.one_of(f"{name}[{i}]", item, key.options) for i, item in enumerate(listed, 1))


def _tables(table: Table, name: str, value: object, key: keys.TableList) -> tuple[Any, ...]:
    """Tables of a form, each with its own place in the spec."""
    some = keys.Items(key.means, key, say("tables"), key.most, unique=False)
    found = []
    for i, row in enumerate(table.items(name, value, some), 1):
        if not isinstance(row, dict):
            raise table.error(f"{name}[{i}]", "found {found}, expected a table", found=show(row))
        place = f"{table.place}.{name}[{i}]"
        one = Table(row, table.source, place, keys.keys(key.form), table.folder, table.sheet)
        found.append(key.form(**read(one, key.form)))
    return tuple(found)


def _within(table: Table, name: str, value: object, key: keys.Within) -> float:
    (number,) = table.vector(name, [value])
    if not key.least <= number <= key.most:
        sentence = "found {found}, expected a number from {least:g} to {most:g}"
        raise table.error(name, sentence, found=show(value), least=key.least, most=key.most)
    return number


def _positive(table: Table, name: str, value: object, key: keys.Positive) -> float:
    number = table.positive(name, value)
    if key.least is not None and number < key.least:
        sentence = "found {found}, workbooks support {least} or more"
        raise table.error(name, sentence, found=show(value), least=key.least)
    if key.most is not None and number > key.most:
        sentence = "found {found}, workbooks support {most:,.0f} or less"
        raise table.error(name, sentence, found=show(value), most=key.most)
    return number


def _unread(_: Table, __: str, value: object, ___: keys.Key) -> object:
    return value


_READERS: dict[type[keys.Key], Reader] = {
    keys.Flag: lambda table, name, value, _: table.flag(name, value),
    keys.Choice: lambda table, name, value, key: table.one_of(name, value, key.options),
    keys.SomeOf: _some_of,
    keys.LanguageCode: lambda table, name, value, _: table.one_of(name, value, codes()),
    keys.Id: lambda table, name, value, _: identifier(table, name, value, say("a sheet")),
    keys.Text: lambda table, name, value, key: table.word(name, value, key.most),
    keys.Prose: lambda table, name, value, key: table.prose(name, value, key.most),
    keys.Word: lambda table, name, value, _: table.token(name, value),
    keys.Count: lambda table, name, value, key: table.whole(name, value, key.least, key.most),
    keys.Positive: _positive,
    keys.Weights: lambda table, name, _, __: weights.given(table, name),
    keys.Items: _items,
    keys.TableList: _tables,
    keys.Within: _within,
    keys.SheetRef: lambda table, name, value, _: table.word(name, value),
    keys.Words: _unread,
    keys.TargetValues: _unread,
    keys.ContextId: _unread,
    keys.Axes: _unread,
}
