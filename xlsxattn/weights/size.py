"""Estimates the size of a model's workbook before it is built, and rejects one that is too large."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from xlsxattn.contract.kinds import Writer
from xlsxattn.language import say
from xlsxattn.weights.tensor import CheckpointError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlsxattn.weights.parts import Plan

MB = 1_000_000
BYTES_OF_NUMBER, BYTES_OF_FORMULA_CELL = 8.2, 25.0
"""Measured size of a cell in the file: the shortest text of a float32, deflated; a formula's result with
16 digits and its share of the labels."""
MEMORY_FIXED, MEMORY_OF_NUMBER, MEMORY_OF_FORMULA_CELL = 250 * MB, 12.0, 400.0
"""A number is briefly held twice as an array element; a computed cell is a Python object while written."""
WEB_LIMIT = 25 * MB
"""Largest file that Excel for the web opens."""


@dataclass(frozen=True, slots=True)
class Size:
    """Estimated size of a workbook: cells, bytes of the file, bytes of memory needed to build it."""

    numbers: int
    computed: int

    @property
    def cells(self) -> int:
        """Numbers and computed cells."""
        return self.numbers + self.computed

    @property
    def bytes(self) -> float:
        """Size of the file in bytes."""
        return self.numbers * BYTES_OF_NUMBER + self.computed * BYTES_OF_FORMULA_CELL

    @property
    def memory(self) -> float:
        """Memory needed to build it, in bytes."""
        return MEMORY_FIXED + self.numbers * MEMORY_OF_NUMBER + self.computed * MEMORY_OF_FORMULA_CELL

    def __str__(self) -> str:
        size = f"{self.bytes / MB:,.0f} MB" if self.bytes >= MB else f"{self.bytes / 1000:,.0f} kB"
        sentence = "the workbook will have {cells} cells, about {size}"
        web = "{said}; too large for Excel for the web"
        text = say(sentence, cells=_count(self.cells), size=size)
        return say(web, said=text) if self.bytes > WEB_LIMIT else text


def estimate(
    plan: Plan, layers: Sequence[int], lengths: Sequence[int], n_vocab: int, heads: int | None = None
) -> Size:
    """Count the cells of a model's workbook.

    Args:
        plan: the model.
        layers: the selected layers, counted from 0.
        lengths: lengths of the sentences, in tokens.
        n_vocab: size of the workbook's vocabulary.
        heads: number of selected heads if only heads are imported.
    """
    model, d, longest = plan.model, plan.d_model, max(lengths)
    writes = isinstance(model, Writer)
    numbers = n_vocab * d * (1 if plan.unembedding is None else 2)
    numbers += sum(p.shape[0] * p.shape[1] for p in plan.outer if p.name != "P")
    numbers += longest * d if any(p.name == "P" for p in plan.outer) else 0
    if heads is None:
        numbers += sum(p.shape[0] * p.shape[1] for k in layers for p in plan.layers[k])
    else:
        numbers += heads * (d + 1) * (2 * model.d_k + model.d_v) + len(layers) * sum(lengths) * d
    computed = 0
    extra = 2 * (model.position == "rotary") + 2 * model.qk_norm
    for n in lengths:
        squares = 4 + (model.mask != "none")
        head = n * ((2 + extra) * model.d_k + 2 * model.d_v + squares * n + 5)
        if heads is not None:
            computed += heads * head + 3 * n * d
            continue
        layer = model.heads * (head + n * model.d_v) + n * (5 * d + (2 + model.gated) * model.d_ff + 4)
        computed += len(layers) * layer + 3 * n * d + (4 * n * n_vocab if writes else 0)
    return Size(numbers, computed)


def check_room(size: Size, source: Path, target: Path) -> None:
    """Check that this machine has enough memory and disk space for a workbook.

    Raises:
        CheckpointError: it does not have enough.
    """
    text = str(size)
    free = shutil.disk_usage(target.parent if target.parent.is_dir() else ".").free
    if size.bytes * 3 > free:  # the finished file and two temporary copies
        sentence = (
            "{source}: {size}; building it needs three times that on the disk, which has {free:,.0f} MB "
            "free: select fewer layers with --layers"
        )
        raise CheckpointError(say(sentence, source=source, size=text, free=free / MB))
    available = _available()
    if available is not None and size.memory > available:
        sentence = (
            "{source}: {size}; building it needs about {needed:,.0f} MB of memory, and {free:,.0f} MB are "
            "free: select fewer layers with --layers"
        )
        raise CheckpointError(
            say(sentence, source=source, size=text, needed=size.memory / MB, free=available / MB)
        )


def _available() -> int | None:
    """Bytes of free memory, if the system reports it."""
    try:
        with Path("/proc/meminfo").open(encoding="ascii") as file:
            fields = dict(line.split(":", 1) for line in file)
        return int(fields["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return None


def _count(cells: int) -> str:
    return f"{cells / 1e6:,.1f} M" if cells >= MB else f"{cells:,}"
