"""Blocks of plain numbers: against XlsxWriter cell by cell, against deflate alone; memory; build and proof.

python benchmarks/bulk.py                  one layer of MiniLM's size, seeded random weights
python benchmarks/bulk.py --whole          six layers: time and peak memory, each in a process of its own
python benchmarks/bulk.py --proof FILE     build's last half on any workbook of ours: check against loading
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time
import zipfile
import zlib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import ironcalc
import numpy as np
from xlsxwriter import Workbook

from xlsxattn.builder import layout, packing, writer
from xlsxattn.builder.graph import Band, Book, Group, Page
from xlsxattn.builder.parts import typed
from xlsxattn.checker import check

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from xlsxattn.builder.placed import Sheet

D, FF, TIMES = 384, 1536, 3
LAYER = {**dict.fromkeys(("W_Q", "W_K", "W_V", "W_O"), (D, D)), "W_1": (D, FF), "W_2": (FF, D)}
PART = "xl/worksheets/sheet{}.xml"


def sheets(layers: int) -> list[Sheet]:
    """Sheets of weights alone, one a layer, drawn by a seed as float32."""
    rng = np.random.default_rng(20_170_612)
    pages = []
    for k in range(1, layers + 1):
        blocks = [
            typed(f"enc_l{k}_{name}", "input", rng.normal(0.0, 0.05, shape).astype(np.float32))
            for name, shape in LAYER.items()
        ]
        groups = tuple(Group((block,)) for block in blocks)
        pages.append(Page(f"enc_l{k}", f"Layer {k}", "", bands=(Band("Weights", "", groups, shared=True),)))
    return layout.lay_out(Book("Weights", tuple(pages)))


def ours(laid_out: Sequence[Sheet], path: Path) -> None:
    """Everything from laid-out sheets to the file."""
    writer.write(path, "Weights", laid_out)


def cell_by_cell(laid_out: Sequence[Sheet], path: Path) -> None:
    """The same numbers and looks by XlsxWriter, a call a cell; and nothing else."""
    book = Workbook(str(path))
    look = book.add_format({"num_format": "0.00", "border": 1, "bg_color": "#FFF4CC"})
    for sheet in laid_out:
        worksheet = book.add_worksheet(sheet.tab)
        for placed in sheet.placed:
            for i, row in enumerate(np.asarray(placed.block.values).tolist()):
                for j, value in enumerate(row):
                    worksheet.write_number(placed.row + i, placed.col + j, value, look)
    book.close()


def deflate(xml: Sequence[bytes], path: Path, strategy: int = zlib.Z_FILTERED) -> None:
    """Deflate alone, on the XML of our file, with the library, level and strategy of ours."""
    with path.open("wb") as file:
        for part in xml:
            packer = zlib.compressobj(packing.LEVEL, zlib.DEFLATED, packing.RAW, packing.MEMORY, strategy)
            file.write(packer.compress(part) + packer.flush())


def seconds(action: Callable[[], object]) -> float:
    """How long an action takes, by the processor: other work on the machine counts less."""
    start = time.process_time()
    action()
    return time.process_time() - start


def one_layer(folder: Path) -> None:
    """Measure in turn: ours, deflate alone, and (once, as it takes long) XlsxWriter."""
    laid_out, path = sheets(1), folder / "ours.xlsx"
    ours(laid_out, path)
    xml = [zipfile.ZipFile(path).read(PART.format(1))]
    own, alone, ratios = [], [], []
    for _ in range(TIMES):
        own.append(seconds(lambda: ours(laid_out, path)))
        alone.append(seconds(lambda: deflate(xml, folder / "deflated")))
        ratios.append(own[-1] / alone[-1])
    slow = seconds(lambda: cell_by_cell(laid_out, folder / "theirs.xlsx"))
    deflate(xml, folder / "usual", zlib.Z_DEFAULT_STRATEGY)
    fast, size = statistics.median(own), path.stat().st_size
    cells = sum(p.block.rows * p.block.cols for sheet in laid_out for p in sheet.placed)
    print(f"{cells:,} numbers, processor time")
    print(f"ours                             {fast:6.2f} s  {size / 1e6:6.2f} MB")
    for name, took, file in (
        ("XlsxWriter, cell by cell", slow, "theirs.xlsx"),
        ("deflate alone", statistics.median(alone), "deflated"),
    ):
        other = (folder / file).stat().st_size
        print(
            f"{name:32s} {took:6.2f} s  {other / 1e6:6.2f} MB: time ours/this {fast / took:.2f} "
            f"(this/ours {took / fast:.1f}), size ours/this {size / other:.2f}"
        )
    print(f"ours against deflate alone, pair by pair: {min(ratios):.2f} to {max(ratios):.2f}")
    print(f"with zlib's usual strategy the XML takes {(folder / 'usual').stat().st_size / 1e6:.2f} MB")


def whole(path: Path, layers: int) -> None:
    """Write some layers, and say how long it took and how much memory."""
    laid_out = sheets(layers)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    start = time.perf_counter()
    ours(laid_out, path)
    took, most = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    cells = sum(p.block.rows * p.block.cols for sheet in laid_out for p in sheet.placed)
    print(
        f"{layers} layers, {cells:,} numbers: {took:.1f} s, {path.stat().st_size / 1e6:.1f} MB, "
        f"peak memory {most:.0f} MB, of which the numbers and the program are {before:.0f} MB"
    )


def proof(path: Path) -> None:
    """Check a workbook, and load it with IronCalc, in turn."""
    for _ in range(2):
        start = time.perf_counter()
        ironcalc.load_from_xlsx(str(path))
        loaded = time.perf_counter()
        report = check.check(path)
        took = time.perf_counter() - loaded
        assert report.holds, report.every_finding
        print(f"IronCalc loads it in {loaded - start:.1f} s")
        print(f"check takes {took:.1f} s, {took / (loaded - start):.1f} times as long")


def main(arguments: Sequence[str]) -> None:
    """Measure and print."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        if arguments[:1] == ["--proof"]:
            proof(Path(arguments[1]))
        elif arguments[:1] == ["--layers"]:
            whole(folder / "layers.xlsx", int(arguments[1]))
        elif arguments == ["--whole"]:
            for layers in ("1", "6"):
                subprocess.run([sys.executable, __file__, "--layers", layers], check=True)
        else:
            one_layer(folder)


if __name__ == "__main__":
    main(sys.argv[1:])
