"""How long a check takes, as ratios of whole processes run in turn.

Against a script that opens the same file twice with openpyxl and once with IronCalc (what any check must do),
and against the same check with LibreOffice. Then its growth with tokens and with dimensions.

Usage: python -m dev.benchmarks.checking [RUNS]
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from xlsxattn import press, templates

PEER = """
import sys, warnings, openpyxl, ironcalc
warnings.simplefilter("ignore")
openpyxl.load_workbook(sys.argv[1])
openpyxl.load_workbook(sys.argv[1], data_only=True)
model = ironcalc.load_from_xlsx(sys.argv[1])
model.evaluate()
"""


def seconds(command: list[str]) -> float:
    """Wall-clock seconds of one whole process; its output is thrown away."""
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


def ratios(first: list[str], second: list[str], runs: int) -> list[float]:
    """The first over the second, pair by pair, after a warm-up of each."""
    seconds(first), seconds(second)
    return [seconds(first) / seconds(second) for _ in range(runs)]


def show(words: str, found: list[float]) -> None:
    """One line: smallest, median, largest."""
    print(f"{words:62} {min(found):6.2f} {statistics.median(found):6.2f} {max(found):6.2f}")


def spec(folder: Path, n: int, d: int) -> Path:
    """A spec of one sentence with n words and d dimensions."""
    vectors = np.random.default_rng(0).normal(size=(n, d)).round(2).tolist()
    lines = ["[vocabulary.tokens]", *(f"w{i} = {vector}" for i, vector in enumerate(vectors))]
    lines += [
        "[contexts]",
        f'c = "{" ".join(f"w{i}" for i in range(n))}"',
        "[[sheets]]",
        'id = "s"',
        "seed = 1",
    ]
    path = folder / f"{n}x{d}.toml"
    path.write_text("\n".join(lines), "utf-8")
    return path


def main(runs: int) -> None:
    """Print all ratios."""
    check = [sys.executable, "-m", "xlsxattn.cli", "check"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        book = folder / "walkthrough.xlsx"
        press.build(templates.path("walkthrough"), book)
        peer = [sys.executable, "-c", PEER, str(book)]
        saved = [*check, str(book), "--inputs", "as-saved"]
        print(f"{'':62}    min median    max")
        show("check as saved / open twice and IronCalc once (aim 1.5)", ratios(saved, peer, runs))
        show("check with perturbation / the same (aim 3)", ratios([*check, str(book)], peer, runs))
        for words, one, times in (
            ("as saved", saved, runs),
            ("with perturbation (aim 5)", [*check, str(book)], max(1, runs // 2)),
        ):
            found = ratios([*one, "--engine", "libreoffice"], one, times)
            show(f"check with LibreOffice / with IronCalc, {words}", found)
        base = folder / "base.xlsx"
        press.build(spec(folder, 16, 16), base)
        for n, d in ((32, 16), (64, 16), (128, 16), (16, 32), (16, 64), (16, 128)):
            other = folder / f"{n}x{d}.xlsx"
            press.build(spec(folder, n, d), other)
            show(
                f"check of {n} words, {d} dimensions / 16, 16",
                ratios([*check, str(other)], [*check, str(base)], 3),
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
