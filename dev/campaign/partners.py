"""Ranges that could be used by mistake: same shape, other meaning."""

from __future__ import annotations

from dataclasses import fields
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from dev.campaign.formulas import inside
from xlsxattn.contract.names import FRONT, RangeName

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from xlsxattn.checker.cells import Area
    from xlsxattn.checker.reading.book import Book

MAX_COUNT = {"block": 2}
"""Number of partners of each role, by default 1; more would repeat the same fault."""
OWN = ("Q", "K", "V", "X", "W_Q", "W_K", "W_V")
ROLES = [field.name for field in fields(RangeName) if field.name not in ("block", "part", "label")]
"""Parts of names by which two ranges may differ."""
ALSO = {"page": "side"}
"""Parts that count as another part."""


def place(book: Book, name: str) -> RangeName:
    """Parse a name with the sheets and contexts of the manifest."""
    return book.manifest.parse(name)


def partners(book: Book, name: str) -> Iterator[tuple[str, str]]:
    """Ranges of the same shape that differ in one role (block, context, head, layer, ...), with that role."""
    given: dict[str, int] = {}
    for role, other in _by_distance(_Key(book), name):
        given[role] = given.get(role, 0) + 1
        if given[role] <= MAX_COUNT.get(role, 1):
            yield role, other


class _Key:
    """A workbook as a cache key, by identity, because its parts are not hashable."""

    def __init__(self, book: Book) -> None:
        self.book = book

    def __hash__(self) -> int:
        return id(self.book.names)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and other.book.names is self.book.names


@cache
def _by_distance(key: _Key, name: str) -> list[tuple[str, str]]:
    book, mine, area = key.book, place(key.book, name), key.book.names[name]
    order, by_shape = _order(key)
    here, found = order.get(name, 0), []
    for other in by_shape.get((area.rows, area.cols), ()):
        its = place(book, other)
        if other != name and (role := _role(mine, its)):
            found.append((_is_own(mine) and not _is_own(its), abs(order[other] - here), role, other))
    return [(role, other) for _, _, role, other in sorted(found)]


@lru_cache(maxsize=8)
def _order(key: _Key) -> tuple[dict[str, int], dict[tuple[int, int], list[str]]]:
    """The names in the order of the manifest, then the others; and the names of each shape."""
    book = key.book
    order = dict.fromkeys([*book.manifest.inputs, *book.manifest.formulas])
    order |= dict.fromkeys(name for name in book.names if place(book, name).sheet != FRONT)
    by_shape: dict[tuple[int, int], list[str]] = {}
    for name in order:
        if (area := book.names.get(name)) is not None:
            by_shape.setdefault((area.rows, area.cols), []).append(name)
    return {name: place for place, name in enumerate(order)}, by_shape


def _role(mine: RangeName, other: RangeName) -> str:
    """The role in which two ranges differ, or "" if they differ in several."""
    here, there = _where(mine), _where(other)
    if here == there:
        return "block" if bool(mine.label) == bool(other.label) else ""
    if _what(mine) != _what(other):
        return ""
    differ = [part for part in ROLES if getattr(here, part) != getattr(there, part)]
    return ALSO.get(differ[0], differ[0]) if len(differ) == 1 else ""


def _where(at: RangeName) -> RangeName:
    """The position of a range; ranges that follow another sheet have the same position."""
    return at.lane if at.of else at.place


def _what(at: RangeName) -> RangeName:
    """What a range contains, without its position."""
    return at.at(sheet="", context="") if at.of else RangeName(block=at.block, part=at.part, label=at.label)


def _is_own(at: RangeName) -> bool:
    """Whether a range is one of the basic blocks, which are preferred as partners of each other."""
    return at.block in OWN and not at.part and not at.label


def home(book: Book, area: Area) -> str:
    """The smallest named range that contains an area, or ""."""
    return _homes(_Key(book))(area)


@lru_cache(maxsize=8)
def _homes(key: _Key) -> Callable[[Area], str]:
    names = key.book.names
    by_size = sorted(names, key=lambda name: names[name].rows * names[name].cols)
    on_sheet: dict[str, list[str]] = {}
    for name in by_size:
        on_sheet.setdefault(names[name].sheet, []).append(name)

    @cache
    def holder(area: Area) -> str:
        return next((name for name in on_sheet.get(area.sheet, ()) if inside(area, names[name])), "")

    return holder
