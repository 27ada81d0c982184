"""Measures two actions alternately, so that other load on the machine affects both alike."""

from __future__ import annotations

import gc
import os
import statistics
import subprocess
import sys
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Action = Callable[[], object]

HEADING = """\
| case | compared with | ratio: min | median | max | pairs | ms (median) |
|---|---|--:|--:|--:|--:|--:|"""


def seconds(action: Action) -> float:
    """Time an action, after collecting garbage of earlier ones."""
    gc.collect()
    start = perf_counter()
    action()
    return perf_counter() - start


def process(*arguments: str) -> Action:
    """A whole Python process, with compiled modules as after an installation with pip."""
    command = [sys.executable, *arguments]
    variables = {name: v for name, v in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=variables)


def compare(a: tuple[str, Action], b: tuple[str, Action], pairs: int) -> str:
    """A row of the table: the ratios A / B of all pairs, after a warm-up pair.

    Args:
        a: the name and the action to measure.
        b: the name and the action to compare with.
        pairs: number of pairs.
    """
    times = [(seconds(a[1]), seconds(b[1])) for _ in range(pairs + 1)][1:]
    ratios = [ours / theirs for ours, theirs in times]
    middle = [1000 * statistics.median(column) for column in zip(*times, strict=True)]
    least, median, most = min(ratios), statistics.median(ratios), max(ratios)
    return (
        f"| {a[0]} | {b[0]} | {least:.2f} | **{median:.2f}** | {most:.2f} | {pairs} "
        f"| {middle[0]:.0f} / {middle[1]:.0f} |"
    )


def show(rows: Sequence[str]) -> None:
    """Print the table."""
    print(HEADING, *rows, sep="\n")
