"""Writing the workbook of a template, compared with a plain XlsxWriter script that writes the same bytes.

`plain` generates the script from the calls of the writer; the difference is the overhead of xlsxattn.
"""

from __future__ import annotations

import importlib
import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from dev.benchmarks import plain
from dev.benchmarks.pairs import compare, process, show
from xlsxattn import templates
from xlsxattn.builder import layout, pages, writer
from xlsxattn.builder import specification as spec
from xlsxattn.checker.engines import DEFAULT_ENGINE
from xlsxattn.checker.reading.book import read
from xlsxattn.checker.recalculate import recalculated

PAIRS = 40
FROM_SPEC = """
import sys
from pathlib import Path
from xlsxattn.builder import layout, pages, specification, writer
book = pages.book(specification.load(Path(sys.argv[1])))
writer.write(Path(sys.argv[2]), book.title, layout.lay_out(book))
"""


def rows(template: str, folder: Path) -> list[str]:
    """Measure one template."""
    source, ours, theirs = templates.path(template), folder / "ours.xlsx", folder / "theirs.xlsx"
    book = pages.book(spec.load(source))
    sheets = layout.lay_out(book)
    writer.write(ours, book.title, sheets)
    values = recalculated(read(ours), DEFAULT_ENGINE)
    full, empty = f"{template}_full", f"{template}_empty"
    calls = plain.make(folder / f"{full}.py", book.title, sheets, values)
    plain.make(folder / f"{empty}.py", book.title, sheets, None)

    def from_spec() -> None:
        again = pages.book(spec.load(source))
        writer.write(ours, again.title, layout.lay_out(again), values)

    call = f"import sys; sys.path.append(sys.argv[1]); import {empty}; {empty}.write(sys.argv[2])"
    script = (f"plain script, {calls} calls", partial(importlib.import_module(full).write, str(theirs)))
    process_script = ("plain script, whole process", process("-c", call, str(folder), str(theirs)))
    from_sheets = partial(writer.write, ours, book.title, sheets, values)
    process_from_spec = process("-c", FROM_SPEC, str(source), str(ours))
    found = []
    for name, action, against in (
        ("laid-out sheets to file", from_sheets, script),
        ("spec to file", from_spec, script),
        ("spec to file, whole process", process_from_spec, process_script),
    ):
        found.append(compare((f"{template}: {name}", action), against, PAIRS))
        assert ours.read_bytes() == theirs.read_bytes(), "the two files differ"
    return found


def main() -> None:
    """Measure and print, for the given templates or for the walkthrough."""
    with TemporaryDirectory() as name:
        sys.path.append(name)
        show([row for template in sys.argv[1:] or ["walkthrough"] for row in rows(template, Path(name))])


if __name__ == "__main__":
    main()
