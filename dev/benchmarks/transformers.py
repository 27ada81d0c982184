"""Growth of a decoder's cells, file size and recalculation time with its layers, tokens and d_model.

The decoders have 4 heads, random weights and no saved values. In this process, IronCalc loads and
recalculates a file, and openpyxl reads it. The last rows are the target: with 8 layers, 64 tokens and d_model
64, IronCalc should take no longer than openpyxl; also for a decoder that generates. A second table has the
exponents of growth, fitted to the medians of each series.
"""

from __future__ import annotations

import math
import random
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from statistics import linear_regression, median
from tempfile import TemporaryDirectory
from typing import Any

import ironcalc
import openpyxl

from dev.benchmarks.pairs import seconds
from xlsxattn.builder import layout, pages, writer
from xlsxattn.builder import specification as spec
from xlsxattn.text_table import text_table

LAYERS, TOKENS, SIZES, ROUNDS = (1, 2, 4, 8), (8, 16, 32, 64), (8, 16, 32, 64), 3


@dataclass
class Case:
    """The workbook of a decoder: its sizes, its number of computed cells, and the measured times."""

    layers: int
    n: int
    d: int
    generate: bool
    path: Path
    computed: int = 0
    calculating: list[float] = field(default_factory=list)
    reading: list[float] = field(default_factory=list)

    def write(self) -> None:
        """Write the workbook and count its computed cells."""
        random.seed(self.layers * self.n * self.d)
        tokens = {f"w{i}": [round(random.gauss(0, 0.5), 2) for _ in range(self.d)] for i in range(16)}
        sheet: dict[str, Any] = {"id": "gpt", "kind": "decoder", "layers": self.layers, "heads": 4}
        sheet |= {"generate": self.generate, "activation": "relu"}
        said = [f"w{i % 16}" for i in range(2 if self.generate else self.n)]
        data = {
            "length": self.n,
            "vocabulary": {"tokens": tokens},
            "contexts": {"c": said},
            "sheets": [sheet],
        }
        book = pages.book(spec.parse(data, "growth"))
        sheets = layout.lay_out(book)
        blocks = [block for block in book.blocks() if block.kind == "formula"]
        self.computed = sum(block.rows * block.cols for block in blocks)
        writer.write(self.path, book.title, sheets)

    def measure(self) -> None:
        """Measure one round: IronCalc, then openpyxl."""

        def calculate() -> None:
            model = ironcalc.load_from_xlsx(str(self.path))
            model.evaluate()

        self.calculating.append(seconds(calculate))
        self.reading.append(seconds(lambda: openpyxl.load_workbook(self.path)))

    def row(self) -> tuple[Any, ...]:
        """Its row in the table."""
        ratios = [a / b for a, b in zip(self.calculating, self.reading, strict=True)]
        return (
            f"{self.layers} layers, {self.n} tokens, d {self.d}{', generating' if self.generate else ''}",
            f"{self.computed:,}",
            f"{self.path.stat().st_size / 1024:,.0f}",
            f"{1000 * median(self.calculating):,.0f}",
            f"{1000 * median(self.reading):,.0f}",
            f"{min(ratios):.2f} **{median(ratios):.2f}** {max(ratios):.2f}",
        )


def powers(name: str, cases: list[Case], grown: str) -> tuple[str, ...]:
    """The exponents of growth of cells, bytes and times, and the ratios for the last doubling."""
    x = [math.log(getattr(case, grown)) for case in cases]
    found = [name]
    for measured in (
        [case.computed for case in cases],
        [case.path.stat().st_size for case in cases],
        [median(case.calculating) for case in cases],
        [median(case.reading) for case in cases],
    ):
        slope = linear_regression(x, [math.log(y) for y in measured]).slope
        found.append(f"{slope:.2f} (last doubling × {measured[-1] / measured[-2]:.2f})")
    return tuple(found)


def main() -> None:
    """Write all workbooks, measure them in turn, print the table."""
    warnings.filterwarnings("ignore", module="openpyxl")
    sizes = [(layers, 16, 16, False) for layers in LAYERS]
    sizes += [(2, n, 16, False) for n in TOKENS]
    sizes += [(2, 32, d, False) for d in SIZES]
    sizes += [(8, 64, 64, False), (8, 64, 64, True)]
    with TemporaryDirectory() as folder:
        cases = [Case(*size, Path(folder) / f"{i}.xlsx") for i, size in enumerate(sizes)]
        for case in cases:
            case.write()
        for _ in range(ROUNDS):
            for case in cases:
                case.measure()
        heads = ("decoder", "computed cells", "kB", "IronCalc ms", "openpyxl ms", "IronCalc / openpyxl")
        print(text_table(heads, [case.row() for case in cases]))
        fitted = [
            powers("layers, 16 tokens, d 16", cases[:4], "layers"),
            powers("tokens, 2 layers, d 16", cases[4:8], "n"),
            powers("d, 2 layers, 32 tokens", cases[8:12], "d"),
        ]
        by = ("exponent for", "computed cells", "file size", "IronCalc", "openpyxl")
        print(f"\n{text_table(by, fitted)}")


if __name__ == "__main__":
    main()
