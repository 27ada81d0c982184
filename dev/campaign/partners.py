"""Which range a hand slips to: the one of the same shape that stands for something else."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from dev.campaign.formulas import inside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from xlsxattn.checker.cells import Area
    from xlsxattn.checker.reading.book import Book

MAX_COUNT = {"block": 2}
"""How many are tried of each sort, 1 where nothing is said: the others only repeat the fault."""
OWN = ("Q", "K", "V", "X", "W_Q", "W_K", "W_V")
SIDES = ("enc", "dec", "in", "out")


class Place(NamedTuple):
    """What a name says, "" where it says nothing: the sheet, and of a model the side and the layer.

    Then the context, whether it belongs to cross-attention, the head, the group of heads, and the block.
    """

    sheet: str
    side: str
    context: str
    layer: str
    cross: str
    head: str
    group: str
    block: str


ROLES = Place._fields[:-1]


def place(book: Book, name: str) -> Place:
    """A name taken apart by the manifest's sheets and contexts."""
    return _places(_Key(book))(name)


@lru_cache(maxsize=8)
def _places(key: _Key) -> Callable[[str], Place]:
    manifest = key.book.manifest
    sheets = "|".join(["vocab", "xlsxattn", *(sheet.id for sheet in manifest.sheets)])
    contexts = "|".join(manifest.contexts)
    sides = "|".join(side for side in SIDES if side not in manifest.contexts)
    parts = re.compile(
        rf"(?:(?P<sheet>{sheets})_)?(?:(?P<side>{sides})_)?(?:(?P<before>l\d+)_)?(?:(?P<context>{contexts})_)?"
        r"(?:(?P<layer>l\d+)_)?(?:(?P<cross>Cross)_)?(?:(?P<head>h\d+)_)?(?:(?P<group>g\d+)_)?(?P<block>\w+)"
    )

    @cache
    def taken_apart(name: str) -> Place:
        found = parts.fullmatch(name)
        assert found, name
        said = {part: text or "" for part, text in found.groupdict().items()}
        before = said.pop("before")
        return Place(**{**said, "layer": said["layer"] or before})

    return taken_apart


def partners(book: Book, name: str) -> Iterator[tuple[str, str]]:
    """Ranges of the same shape in the role of another block, context, head, layer, ..., with that role."""
    given: dict[str, int] = {}
    for role, other in _by_distance(_Key(book), name):
        given[role] = given.get(role, 0) + 1
        if given[role] <= MAX_COUNT.get(role, 1):
            yield role, other


class _Key:
    """A workbook as a key of the cache: by identity, as its parts cannot be hashed."""

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
            found.append((mine.block in OWN and its.block not in OWN, abs(order[other] - here), role, other))
    return [(role, other) for _, _, role, other in sorted(found)]


@lru_cache(maxsize=8)
def _order(key: _Key) -> tuple[dict[str, int], dict[tuple[int, int], list[str]]]:
    """The ranges in the manifest's order, then the other names, and those of each shape."""
    book = key.book
    order = dict.fromkeys([*book.manifest.inputs, *book.manifest.formulas])
    order |= dict.fromkeys(name for name in book.names if not name.startswith("xlsxattn_"))
    by_shape: dict[tuple[int, int], list[str]] = {}
    for name in order:
        if (area := book.names.get(name)) is not None:
            by_shape.setdefault((area.rows, area.cols), []).append(name)
    return {name: place for place, name in enumerate(order)}, by_shape


def _role(mine: Place, other: Place) -> str:
    """In what one place differs from another, if in one thing only."""
    words = ("_Rows", "_Cols")
    if mine[:-1] == other[:-1]:
        return "block" if mine.block.endswith(words) == other.block.endswith(words) else ""
    if mine.block != other.block:
        return ""
    differ = [part for part in ROLES if getattr(mine, part) != getattr(other, part)]
    return differ[0] if len(differ) == 1 else ""


def home(book: Book, area: Area) -> str:
    """The smallest named range that holds an area, "" when none does."""
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
