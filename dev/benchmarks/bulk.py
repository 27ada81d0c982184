"""Large blocks of numbers: compared with XlsxWriter and with compression alone; memory; time of the check.

python -m dev.benchmarks.bulk                  one layer of the size of MiniLM, with random weights
python -m dev.benchmarks.bulk --whole          one and six layers: time and peak memory of separate processes
python -m dev.benchmarks.bulk --proof FILE     the check of a workbook, compared with loading it in IronCalc
"""

from __future__ import annotations

import resource
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
from zlib_ng import zlib_ng

from xlsxattn.builder import layout, writer
from xlsxattn.builder.graph import Band, Group, Page, WorkbookPages
from xlsxattn.builder.pages.parts import typed
from xlsxattn.builder.writer import packing
from xlsxattn.checker import check

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from xlsxattn.builder.layout.placed import PlacedSheet

D, FF, TIMES = 384, 1536, 3
LAYER = {**dict.fromkeys(("W_Q", "W_K", "W_V", "W_O"), (D, D)), "W_1": (D, FF), "W_2": (FF, D)}
PART = "xl/worksheets/sheet{}.xml"


def sheets(layers: int) -> list[PlacedSheet]:
    """One sheet for each layer, with random float32 weights."""
    rng = np.random.default_rng(20_170_612)
    pages = []
    for k in range(1, layers + 1):
        blocks = [
            typed(f"enc_l{k}_{name}", "input", rng.normal(0.0, 0.05, shape).astype(np.float32))
            for name, shape in LAYER.items()
        ]
        groups = tuple(Group((block,)) for block in blocks)
        pages.append(Page(f"enc_l{k}", f"Layer {k}", "", bands=(Band("Weights", "", groups, shared=True),)))
    return layout.lay_out(WorkbookPages("Weights", tuple(pages)))


def ours(laid_out: Sequence[PlacedSheet], path: Path) -> None:
    """Write laid-out sheets to a file with xlsxattn."""
    writer.write(path, "Weights", laid_out)


def cell_by_cell(laid_out: Sequence[PlacedSheet], path: Path) -> None:
    """Write the same numbers and formats with XlsxWriter, one call per cell."""
    book = Workbook(str(path))
    look = book.add_format({"num_format": "0.00", "border": 1, "bg_color": "#FFF4CC"})
    for sheet in laid_out:
        worksheet = book.add_worksheet(sheet.tab)
        for placed in sheet.placed:
            for i, row in enumerate(np.asarray(placed.block.values).tolist()):
                for j, value in enumerate(row):
                    worksheet.write_number(placed.row + i, placed.col + j, value, look)
    book.close()


def deflate(xml: bytes, path: Path) -> None:
    """Only compress the XML of the file, with the same library and level."""
    packer = zlib_ng.compressobj(packing.LEVEL, zlib_ng.DEFLATED, packing.RAW)
    path.write_bytes(packer.compress(xml) + packer.flush())


def usual(xml: bytes, path: Path) -> None:
    """Only compress the XML with Python's zlib, at the same level."""
    packer = zlib.compressobj(packing.LEVEL, zlib.DEFLATED, packing.RAW)
    path.write_bytes(packer.compress(xml) + packer.flush())


def seconds(action: Callable[[], object]) -> NDArray[np.float64]:
    """Wall-clock time and processor time of an action."""
    start, busy = time.perf_counter(), time.process_time()
    action()
    return np.array([time.perf_counter() - start, time.process_time() - busy])


def one_layer(folder: Path) -> None:
    """Compare xlsxattn, zlib-ng, zlib and XlsxWriter in turn."""
    laid_out, path = sheets(1), folder / "ours"
    ours(laid_out, path)
    xml = zipfile.ZipFile(path).read(PART.format(1))
    rivals: dict[str, Callable[[], object]] = {
        "ours": lambda: ours(laid_out, path),
        "deflate alone": lambda: deflate(xml, folder / "deflate alone"),
        "zlib alone": lambda: usual(xml, folder / "zlib alone"),
        "XlsxWriter": lambda: cell_by_cell(laid_out, folder / "XlsxWriter"),
    }
    rounds = [{name: seconds(action) for name, action in rivals.items()} for _ in range(TIMES)]
    took = {name: np.median([each[name] for each in rounds], axis=0) for name in rivals}
    cells = sum(p.block.rows * p.block.cols for sheet in laid_out for p in sheet.placed)
    print(f"{cells:,} numbers; medians of {TIMES}")
    for name in rivals:
        clock, busy = took[name]
        ratio, size = took["ours"] / took[name], (folder / name).stat().st_size
        print(
            f"{name:14s} {clock:6.2f} s wall clock, {busy:6.2f} s processor, {size / 1e6:6.2f} MB: "
            f"ours/this {ratio[0]:.2f}, {ratio[1]:.2f} (this/ours {1 / ratio[0]:.1f}, {1 / ratio[1]:.1f}), "
            f"size {path.stat().st_size / size:.2f}"
        )


def whole(path: Path, layers: int) -> None:
    """Write some layers, and print time and peak memory."""
    laid_out = sheets(layers)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    start = time.perf_counter()
    ours(laid_out, path)
    took, most = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    cells = sum(p.block.rows * p.block.cols for sheet in laid_out for p in sheet.placed)
    print(
        f"{layers} layers, {cells:,} numbers: {took:.1f} s, {path.stat().st_size / 1e6:.1f} MB, "
        f"peak memory {most:.0f} MB, of which {before:.0f} MB are the program and the numbers"
    )


def proof(path: Path) -> None:
    """Load a workbook with IronCalc and check it, twice."""
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
                subprocess.run([sys.executable, "-m", "dev.benchmarks.bulk", "--layers", layers], check=True)
        else:
            one_layer(folder)


if __name__ == "__main__":
    main(sys.argv[1:])
