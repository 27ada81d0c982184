"""Translates pages: texts are translated; names, formulas and user data are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from xlsxattn.builder.graph import Block
from xlsxattn.builder.ops import Op
from xlsxattn.contract.names import is_name
from xlsxattn.language import Phrase

if TYPE_CHECKING:
    from xlsxattn.builder.graph import Cell
    from xlsxattn.language import Language

    T = TypeVar("T")

KEPT = {
    "id",
    "name",
    "kind",
    "look",
    "target",
    "slices",
    "tops",
    "drop_downs",
    "values",
    "names",
    "labels",
    "number_format",
}
"""Fields of pages and blocks with names or user data."""


def translated(thing: T, language: Language) -> T:
    """Translate the texts of a page or a part of it; English is unchanged."""
    result: T = _translated(thing, language) if language.texts else thing
    return result


def _translated(thing: Any, language: Language) -> Any:  # noqa: ANN401 - whatever pages are made of
    if isinstance(thing, str):
        return thing if is_name(thing) else language.tell(thing)
    if isinstance(thing, tuple):
        return tuple(_translated(one, language) for one in thing)
    if isinstance(thing, Mapping):
        return {key: _translated(one, language) for key, one in thing.items()}
    if isinstance(thing, Op):  # pages show only the texts in its formula
        return replace(thing, texts=_translated(thing.texts, language)) if thing.texts else thing
    if not is_dataclass(thing) or isinstance(thing, type):
        return thing
    shown = {
        f.name: _translated(getattr(thing, f.name), language) for f in fields(thing) if f.name not in KEPT
    }
    if isinstance(thing, Block) and thing.kind == "constant" and isinstance(thing.values, tuple):
        shown["values"] = tuple(tuple(_program_text(cell, language) for cell in row) for row in thing.values)
    return replace(thing, **shown)


def _program_text(cell: Cell, language: Language) -> Cell:
    """Translate a constant cell if it is the program's own text."""
    return language.tell(cell) if isinstance(cell, Phrase) else cell
