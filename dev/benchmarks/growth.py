"""How recalculation grows: with the number n of tokens at d = 64, and with d at n = 64 tokens.

One sentence of n different words and attention without weights, so that nothing but the mechanism is
computed. No values are saved in the workbooks, and each is first proved against NumPy. IronCalc loads and
calculates in this process. With ``--libreoffice`` also LibreOffice, which cannot be timed from inside: what
eight further files cost in one run, an eighth of it; loading, calculating and saving together.
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
    """One workbook, and the seconds that it took, a number a round."""

    n: int
    d: int
    path: Path
    calculating: list[float] = field(default_factory=list)
    loading: list[float] = field(default_factory=list)
    converting: list[float] = field(default_factory=list)

    def write(self) -> None:
        """Write the workbook and prove it."""
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
        """One more round."""
        models: list[ironcalc.Model] = []
        self.loading.append(seconds(lambda: models.append(ironcalc.load_from_xlsx(str(self.path)))))
        self.calculating.append(seconds(models[0].evaluate))

    def convert(self) -> None:
        """One more round with LibreOffice."""
        job = engines.Job(self.path, {})
        one = seconds(lambda: engines.evaluate("libreoffice", [job]))
        many = seconds(lambda: engines.evaluate("libreoffice", [job] * 9))
        self.converting.append((many - one) / 8)


def power(times: Sequence[float]) -> float:
    """The slope of a straight line through the logarithms: time grows as the size to this power."""
    return linear_regression([log(size) for size in SIZES], [log(time) for time in times]).slope


def row(title: str, times: Sequence[Sequence[float]]) -> str:
    """A row of the table: what each doubling multiplies the time by, and the power fitted to the medians."""
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
    print(f"| doubling: min **median** max | {steps} | power | ms (median) |\n|---|--:|--:|--:|--:|---|")
    for title, cases in ((f"n, d = {FIXED}", by_n), (f"d, n = {FIXED}", by_d)):
        print(row(f"{title}: IronCalc calculates", [case.calculating for case in cases]))
        print(row(f"{title}: IronCalc loads", [case.loading for case in cases]))
    if office:
        print(row(f"n, d = {FIXED}: LibreOffice, all", [case.converting for case in by_n]))


if __name__ == "__main__":
    main()
