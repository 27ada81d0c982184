"""Weights on pages of their own, behind the others: a summary of every matrix, then the matrices, folded."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from xlsxattn.builder import ops
from xlsxattn.builder.graph import Band, Group, Page, Side
from xlsxattn.builder.parts import computed, typed
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlsxattn.builder.graph import Block

WIDE = 8
ENDS = (1.0, 2.0, 3.0, -3.0, -2.0, -1.0)
LEAD = "Learned in training, then fixed. Open the groups at the left edge to see every number."


def weights_page(w: str, title: str, bands: Sequence[Band]) -> Page:
    """The page of one layer's weights; ``w`` begins their names, ``<sheet>_l1``."""
    blocks = [block for band in bands for group in band.groups if group for block in group.blocks]
    wide = [block for block in blocks if block.rows > 1 and block.cols >= WIDE]
    folded = [replace(band, level=1) for band in bands]
    return Page(
        f"{w}_weights",
        say("{title}, weights", title=say(title)),
        LEAD,
        bands=(*([_summary(w, wide)] if wide else []), *folded),
        subtitle="learned numbers",
        behind=True,
    )


def _summary(w: str, wide: Sequence[Block]) -> Band:
    columns = typed(f"{w}_EndColumns", "index", [ENDS], "constant")
    ends = tuple(
        computed(f"{b.name}_Ends", (1, len(ENDS)), ops.ENDS, "number", m=b.name, columns=columns.name)
        for b in wide
    )
    norms = tuple(computed(f"{b.name}_Frobenius", (1, 1), ops.FROBENIUS, "number", m=b.name) for b in wide)
    labels = tuple((f"{b.name.removeprefix(w)[1:]}  {b.rows} × {b.cols}",) for b in wide)
    group = Group(ends, labels, columns, (Side("|W|", norms),))
    why = "The first row's first and last columns (−1: the last), and |W|, the root of the sum of squares."
    return Band("Summary", why, (group,), shared=True, show_formula=False)
