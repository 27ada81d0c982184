"""Recalculates a workbook with IronCalc, in a separate process because IronCalc may crash it.

Usage: ``python ironcalc_child.py ORDER ANSWER``, both JSON files. The order contains the workbook, the areas
to read, the limits and the output file; the answer reports a failure. IronCalc prints warnings to standard
output. To start fast, this script imports neither xlsxattn nor large packages.
"""

from __future__ import annotations

import json
import sys
from array import array
from contextlib import suppress
from math import isnan
from pathlib import Path
from typing import Any

import ironcalc

try:
    import resource
except ImportError:  # Windows has no such limits
    resource = None  # type: ignore[assignment]


def limit(memory: int, seconds: int) -> None:
    """Limit the resources of this process, as far as the system supports it.

    Args:
        memory: address space in bytes.
        seconds: CPU time; the parent's timeout should come first, this is for a parent that has died.
    """
    if resource is None:
        return
    wanted = {resource.RLIMIT_AS: memory, resource.RLIMIT_CPU: seconds, resource.RLIMIT_CORE: 0}
    for kind, amount in wanted.items():
        _, most = resource.getrlimit(kind)
        with suppress(ValueError, OSError):  # macOS refuses some of them
            resource.setrlimit(kind, (amount if most == resource.RLIM_INFINITY else min(amount, most), most))


PASSES = 8
NAN, NONE = float("nan"), type(None)
PLAIN = {float, NONE}


class Answers:
    """The values of a workbook's areas in output format, one record per set of edits.

    A record is the length of a JSON text (8 bytes, little-endian), the text, then doubles. Areas of numbers
    and blanks are written as doubles, row by row, with NaN for a blank cell. Other areas are in the JSON
    text, by their index: their cells row by row, with error values as ``{"error": "#VALUE!"}`` to tell them
    from text.
    """

    def __init__(self, model: Any, tabs: dict[str, int], areas: list[list[Any]]) -> None:  # noqa: ANN401 - IronCalc has no types
        self.model = model
        for sheet, *_ in areas:
            if sheet not in tabs:
                raise KeyError(f"there is no sheet {sheet!r}")
        self.areas = [
            (tabs[sheet], range(top + 1, top + rows + 1), range(left + 1, left + cols + 1))
            for sheet, top, left, rows, cols in areas
        ]

    def read(self) -> tuple[bytes, bytes]:
        """Read the current values: the text, and the doubles."""
        get, numbers, others = self.model.get_cell_value, array("d"), dict[int, list[object]]()
        for place, (tab, rows, cols) in enumerate(self.areas):
            cells = [get(tab, row, col) for row in rows for col in cols]
            kinds = set(map(type, cells))
            if NONE in kinds and kinds <= PLAIN:
                numbers.fromlist([NAN if value is None else value for value in cells])
            elif kinds == {float} and not isnan(sum(cells)):  # a NaN computed by the engine is not a blank
                numbers.fromlist(cells)  # faster than extend
            else:
                at = ((tab, row, col) for row in rows for col in cols)
                others[place] = [self.other(where, value) for where, value in zip(at, cells, strict=True)]
        return json.dumps(others).encode(), numbers.tobytes()

    def other(self, at: tuple[int, int, int], shown: object) -> object:
        """The JSON form of a value; its type is queried only if it may be an error."""
        if isinstance(shown, str) and shown.startswith("#"):
            error = self.model.get_cell_type(*at) == ironcalc.CellType.ErrorValue
            return {"error": shown} if error else shown
        return shown

    def settled(self) -> tuple[bytes, bytes]:
        """Calculate until the values no longer change, and return them.

        In a workbook that was just loaded, IronCalc reads 0 for cells of a block other than the first, until
        it has computed the block. A circular reference may never settle, but is an error anyway.
        """
        self.model.evaluate()
        shown = self.read()
        for _ in range(PASSES):
            self.model.evaluate()
            before, shown = shown, self.read()
            if before == shown:
                break
        return shown


def recalculate(
    path: str, parts: list[dict[str, Any]], runs: list[list[Any]], numbers: str, values: str
) -> None:
    """Recalculate the workbook for each set of edits, and write the values of the areas.

    Args:
        path: the workbook.
        parts: each clears some areas (``cleared``), and then reads others (``areas``) after each set of
            edits. An area is its tab, first row and column (from 0), number of rows and columns. ``edits`` is
            a file with one set per line, as JSON: tab, row, column, number or text, "" for a blank cell.
            Earlier sets stay in effect.
        runs: numbers to enter first: tab, row, first column and count of each run.
        numbers: the file with the numbers of all runs.
        values: the output file, in the format of `Answers`.

    Raises:
        KeyError: the workbook has no such sheet.
    """
    model = ironcalc.load_from_xlsx(path)
    tabs = {sheet["name"]: place for place, sheet in enumerate(model.get_worksheets_properties())}
    settled = False
    with Path(numbers).open("rb") as file:
        for sheet, row, col, count in runs:
            run = array("d", file.read(8 * count))
            for column, number in enumerate(run, col + 1):
                model.update_cell_with_number(tabs[sheet], row + 1, column, number)
    with Path(values).open("wb") as file:
        for part in parts:
            for sheet, row, col, rows, cols in part["cleared"]:
                model.range_clear_all(tabs[sheet], row + 1, col + 1, row + rows, col + cols)
            answers = Answers(model, tabs, part["areas"])
            for cells in Path(part["edits"]).read_bytes().splitlines():
                enter(model, tabs, json.loads(cells))
                if settled:  # after the first set, all blocks are computed
                    model.evaluate()
                text, doubles = answers.read() if settled else answers.settled()
                file.write(len(text).to_bytes(8, "little") + text + doubles)
                settled = True


def enter(model: Any, tabs: dict[str, int], cells: list[list[Any]]) -> None:  # noqa: ANN401 - IronCalc has no types
    """Enter a set of edits."""
    for sheet, row, col, typed in cells:
        if typed == "":  # a cleared cell is blank, not an empty text
            model.clear_cell_contents(tabs[sheet], row + 1, col + 1)
            continue
        write = model.update_cell_with_text if isinstance(typed, str) else model.update_cell_with_number
        write(tabs[sheet], row + 1, col + 1, typed)


def main(order_file: str, answer_file: str) -> None:
    """Execute the order and write the answer, also after errors of IronCalc that do not end the process."""
    order = json.loads(Path(order_file).read_text("utf-8"))
    limit(order["memory"], order["seconds"])
    try:
        recalculate(*(order[key] for key in ("path", "parts", "runs", "numbers", "values")))
        text = "{}"
    except MemoryError:
        text = json.dumps({"failed": "memory", "why": ""})
    except Exception as error:  # noqa: BLE001 - any error becomes the answer
        text = json.dumps({"failed": "error", "why": " ".join(map(str, error.args))})
    except BaseException as panic:  # noqa: BLE001 - a Rust panic is not an Exception
        text = json.dumps({"failed": "panic", "why": str(panic)})
    Path(answer_file).write_text(text, "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
