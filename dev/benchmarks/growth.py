"""Growth of the recalculation time with the number n of tokens at d = 64, and with d at n = 64 tokens.

The workbooks have one sentence of n different words, attention without weights, and no saved values; each
is checked first. IronCalc loads and calculates them in this process. ``--libreoffice`` also measures
LibreOffice, by the additional time of eight more files in one run, for loading, calculating and saving.
"""

from __future__ import annotations

import random
import sys
from dataclasses import dataclass, field
from itertools import pairwise
from math import log
from pathlib import Path
from statistics import linear_regression, median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import ironcalc

from dev.benchmarks.pairs import seconds
from xlsxattn.builder import layout, pages, writer
from xlsxattn.builder import specification as spec
from xlsxattn.checker import engines
from xlsxattn.checker.check import check

if TYPE_CHECKING:
    from collections.abc import Sequence

SIZES, FIXED, ROUNDS, OFFICE_ROUNDS = (16, 32, 64, 128), 64, 15, 3


@dataclass
class Case:
    """A workbook, and its times in seconds, one for each round."""

    n: int
    d: int
    path: Path
    calculating: list[float] = field(default_factory=list)
    loading: list[float] = field(default_factory=list)
    converting: list[float] = field(default_factory=list)

    def write(self) -> None:
        """Write and check the workbook."""
        random.seed(self.n * self.d)
        tokens = {f"w{i}": [round(random.gauss(0, 0.5), 2) for _ in range(self.d)] for i in range(self.n)}
        data = {
            "vocabulary": {"tokens": tokens},
            "contexts": {"one": list(tokens)},
            "sheets": [{"id": "attn"}],
        }
        book = pages.book(spec.parse(data, "growth"))
        writer.write(self.path, book.title, layout.lay_out(book))
        report = check(self.path)
        assert report.holds, report.every_finding

    def measure(self) -> None:
        """Measure one round."""
        models: list[ironcalc.Model] = []
        self.loading.append(seconds(lambda: models.append(ironcalc.load_from_xlsx(str(self.path)))))
        self.calculating.append(seconds(models[0].evaluate))

    def convert(self) -> None:
        """Measure one round with LibreOffice."""
        job = engines.Job(self.path, {})
        one = seconds(lambda: engines.evaluate("libreoffice", [job]))
        many = seconds(lambda: engines.evaluate("libreoffice", [job] * 9))
        self.converting.append((many - one) / 8)


def power(times: Sequence[float]) -> float:
    """The exponent of the growth: the slope of a line through the logarithms."""
    return linear_regression([log(size) for size in SIZES], [log(time) for time in times]).slope


def row(title: str, times: Sequence[Sequence[float]]) -> str:
    """A row of the table: the ratio for each doubling, and the exponent fitted to the medians."""
    middle = [median(case) for case in times]
    steps = [[b / a for a, b in zip(*pair, strict=True)] for pair in pairwise(times)]
    shown = " | ".join(f"{min(step):.1f} **{median(step):.1f}** {max(step):.1f}" for step in steps)
    return f"| {title} | {shown} | **{power(middle):.2f}** | {', '.join(f'{1000 * t:.0f}' for t in middle)} |"


def main() -> None:
    """Measure and print."""
    with TemporaryDirectory() as folder:
        by_n = [Case(n, FIXED, Path(folder, f"n{n}.xlsx")) for n in SIZES]
        by_d = [Case(FIXED, d, Path(folder, f"d{d}.xlsx")) for d in SIZES]
        for case in by_n + by_d:
            case.write()
        for case in ROUNDS * (by_n + by_d):
            case.measure()
        if office := "--libreoffice" in sys.argv:
            for case in OFFICE_ROUNDS * by_n:
                case.convert()
    steps = " | ".join(f"{a} to {b}" for a, b in pairwise(SIZES))
    print(f"| doubling: min **median** max | {steps} | exponent | ms (median) |\n|---|--:|--:|--:|--:|---|")
    for title, cases in ((f"n, d = {FIXED}", by_n), (f"d, n = {FIXED}", by_d)):
        print(row(f"{title}: IronCalc calculates", [case.calculating for case in cases]))
        print(row(f"{title}: IronCalc loads", [case.loading for case in cases]))
    if office:
        print(row(f"n, d = {FIXED}: LibreOffice, all", [case.converting for case in by_n]))


if __name__ == "__main__":
    main()
