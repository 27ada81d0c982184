"""Separate pages of weights, after the others: a summary of each matrix, then the collapsed matrices."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from xlsxattn.builder import ops
from xlsxattn.builder.graph import Band, Group, Page, Side
from xlsxattn.builder.pages.parts import computed, typed
from xlsxattn.contract.names import FEW_COLUMNS, FEW_ROWS, parse, part_of
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlsxattn.builder.graph import Block
    from xlsxattn.contract.names import RangeName

WIDE = 8
LEAD = "Learned in training, then fixed. Open the groups at the left edge to see every number."


def weights_page(w: RangeName, title: str, bands: Sequence[Band]) -> Page:
    """The page of a layer's weights; ``w`` is the prefix of their names, ``<sheet>_l1``."""
    blocks = [block for band in bands for group in band.groups if group for block in group.blocks]
    wide = [block for block in blocks if block.rows > 1 and block.cols >= WIDE]
    folded = [replace(band, level=1) for band in bands]
    return Page(
        w["weights"],
        say("{title}, weights", title=say(title)),
        LEAD,
        bands=(*([_summary(w, wide)] if wide else []), *folded),
        subtitle="learned numbers",
        behind=True,
    )


def _summary(w: RangeName, wide: Sequence[Block]) -> Band:
    why = "The first rows with their first and last columns, and |W|, the root of the sum of squares."
    return Band("Summary", why, tuple(_ends(w, b) for b in wide), shared=True, show_formula=False)


def _ends(w: RangeName, b: Block) -> Group:
    """The first and last columns of a matrix's first rows, as printed by NumPy, and its Frobenius norm."""
    m, rows = b.name, min(FEW_ROWS, b.rows)

    def counted(name: str, count: int, *, down: bool) -> Block:
        numbers = [float(i + 1) for i in range(count)]
        return typed(part_of(m, name), "index", [[i] for i in numbers] if down else [numbers], "constant")

    places = counted("First_Rows", rows, down=True)
    first = counted("First_Cols", FEW_COLUMNS, down=False)
    last = computed(
        part_of(m, "Last_Cols"),
        (1, FEW_COLUMNS),
        ops.large_models.LAST_COLUMNS,
        "index",
        m=m,
        first=first.name,
    )
    left, right = (
        computed(
            part_of(m, end),
            (rows, FEW_COLUMNS),
            ops.large_models.PART_OF,
            "number",
            m=m,
            rows=places.name,
            columns=columns.name,
        )
        for end, columns in (("First", first), ("Last", last))
    )
    norm = computed(part_of(m, "Frobenius"), (1, 1), ops.large_models.FROBENIUS, "number", m=m)
    sides = (Side("...", words=("...",) * rows), Side("", (right,), last), Side("|W|", (norm,)))
    return Group((left,), (places,), first, sides, title=f"{parse(m).relative(w)}  {b.rows} × {b.cols}")
