"""Which range a hand slips to: the one of the same shape that stands for something else."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from campaign.formulas import inside

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xlsxattn.checker.cells import Area
    from xlsxattn.checker.reader import Book

MOST = {"block": 2, "context": 1, "head": 1, "sheet": 1}
"""How many are tried of each sort: the nearest, because the others only repeat the fault."""
OWN = ("Q", "K", "V", "X", "W_Q", "W_K", "W_V")


class Place(NamedTuple):
    """What a name says: its sheet, context and head, "" where it has none, and the block."""

    sheet: str
    context: str
    head: str
    block: str


def place(book: Book, name: str) -> Place:
    """A name taken apart by the manifest's sheets and contexts."""
    sheets = "|".join(["vocab", "xlsxattn", *(sheet.id for sheet in book.manifest.sheets)])
    contexts = "|".join(book.manifest.contexts)
    found = re.fullmatch(rf"(?:({sheets})_)?(?:({contexts})_)?(?:(h\d+)_)?(\w+)", name)
    assert found, name
    return Place(*(part or "" for part in found.groups()))


def partners(book: Book, name: str) -> Iterator[tuple[str, str]]:
    """Ranges of the same shape in the role of another block, context, head or sheet, with that role."""
    given: dict[str, int] = {}
    for role, other in _by_distance(_Key(book), name):
        given[role] = given.get(role, 0) + 1
        if given[role] <= MOST[role]:
            yield role, other


class _Key:
    """A workbook as a key of the cache: by identity, as its parts cannot be hashed."""

    def __init__(self, book: Book) -> None:
        self.book = book

    def __hash__(self) -> int:
        return id(self.book.names)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and other.book.names is self.book.names


@lru_cache(maxsize=4096)
def _by_distance(key: _Key, name: str) -> list[tuple[str, str]]:
    book, mine, area = key.book, place(key.book, name), key.book.names[name]
    order = [*book.manifest.inputs, *book.manifest.formulas]
    order += [other for other in book.names if other not in {*order} and not other.startswith("xlsxattn_")]
    here, found = order.index(name) if name in order else 0, []
    for there, other in enumerate(order):
        to = book.names.get(other)
        if to is None or other == name or (to.rows, to.cols) != (area.rows, area.cols):
            continue
        role = _role(mine, place(book, other))
        if role:
            found.append(
                (mine.block in OWN and place(book, other).block not in OWN, abs(there - here), role, other)
            )
    return [(role, other) for _, _, role, other in sorted(found)]


def _role(mine: Place, other: Place) -> str:
    """In what one place differs from another, if in one thing only."""
    words = ("_Rows", "_Cols")
    if mine[:3] == other[:3]:
        return "block" if mine.block.endswith(words) == other.block.endswith(words) else ""
    if mine.block != other.block:
        return ""
    differ = [part for part in ("sheet", "context", "head") if getattr(mine, part) != getattr(other, part)]
    return differ[0] if len(differ) == 1 else ""


def home(book: Book, area: Area) -> str:
    """The smallest named range that holds an area."""
    holders = [name for name, outer in book.names.items() if inside(area, outer)]
    return min(holders, key=lambda name: book.names[name].rows * book.names[name].cols, default="")
