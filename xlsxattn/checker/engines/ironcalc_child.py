"""Recalculates one workbook with IronCalc: a program of its own, because IronCalc may take its process down.

Usage: ``python ironcalc_child.py ORDER ANSWER``, both JSON files. The order names the workbook, the areas to
read and the limits; the answer holds either the values or what went wrong. Standard output is IronCalc's: it
prints warnings there. Nothing of xlsxattn and nothing heavy is imported, so that a start costs little.
"""

from __future__ import annotations

import json
import sys
from array import array
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ironcalc

if TYPE_CHECKING:
    from collections.abc import Callable

try:
    import resource
except ImportError:  # Windows has no such limits
    resource = None  # type: ignore[assignment]


def limit(memory: int, seconds: int) -> None:
    """Bound what this process may take, as far as the system lets it.

    Args:
        memory: address space in bytes.
        seconds: processor time; the parent's clock should strike first, this is for a parent that died.
    """
    if resource is None:
        return
    wanted = {resource.RLIMIT_AS: memory, resource.RLIMIT_CPU: seconds, resource.RLIMIT_CORE: 0}
    for kind, amount in wanted.items():
        _, most = resource.getrlimit(kind)
        with suppress(ValueError, OSError):  # macOS refuses some of them
            resource.setrlimit(kind, (amount if most == resource.RLIM_INFINITY else min(amount, most), most))


Grids = dict[str, list[list[object]]]
PASSES = 8


def recalculate(
    path: str,
    areas: dict[str, list[Any]],
    edits: list[list[list[Any]]],
    runs: list[list[Any]],
    numbers: str,
) -> list[Grids]:
    """The values of the areas after IronCalc has calculated every formula, once for each set of edits.

    Args:
        path: the workbook.
        areas: per name the sheet's tab, first row and column from 0, height and width.
        edits: per set the cells to type into: tab, row, column, number or text, "" for a blank cell. Earlier
            sets stay typed in.
        runs: what to type in before: tab, row, first column and how many numbers.
        numbers: the file that holds the runs' numbers, one after the other.

    Returns:
        Per set and name the rows; an error value is ``{"error": "#VALUE!"}``, so that no text passes for it.

    Raises:
        KeyError: the workbook has no such sheet.
    """
    model = ironcalc.load_from_xlsx(path)
    tabs = {sheet["name"]: place for place, sheet in enumerate(model.get_worksheets_properties())}

    def value(tab: int, row: int, col: int) -> object:
        shown = model.get_cell_value(tab, row, col)
        if isinstance(shown, str) and shown.startswith("#"):  # the type is only asked for where it matters
            is_error = model.get_cell_type(tab, row, col) == ironcalc.CellType.ErrorValue
            return {"error": shown} if is_error else shown
        return shown

    def grid(sheet: str, top: int, left: int, rows: int, cols: int) -> list[list[object]]:
        if sheet not in tabs:
            raise KeyError(f"there is no sheet {sheet!r}")
        across = range(left + 1, left + cols + 1)
        return [[value(tabs[sheet], row, col) for col in across] for row in range(top + 1, top + rows + 1)]

    with Path(numbers).open("rb") as file:
        for sheet, row, col, count in runs:
            values = array("d", file.read(8 * count))
            for place, number in enumerate(values, col + 1):
                model.update_cell_with_number(tabs[sheet], row + 1, place, number)
    answers: list[Grids] = []
    for cells in edits:
        for sheet, row, col, typed in cells:
            if typed == "":  # what a person has emptied is blank, and no text
                model.clear_cell_contents(tabs[sheet], row + 1, col + 1)
                continue
            write = model.update_cell_with_text if isinstance(typed, str) else model.update_cell_with_number
            write(tabs[sheet], row + 1, col + 1, typed)
        answers.append(settled(model.evaluate, lambda: {name: grid(*area) for name, area in areas.items()}))
    return answers


def settled(calculate: Callable[[], None], show: Callable[[], Grids]) -> Grids:
    """Calculate until the areas show the same twice, and return what they show.

    In a workbook just loaded, IronCalc reads 0 where a formula asks for cells of a block, but not for its
    first, before it has come to the block. A circle may never settle, and is an error anyway.
    """
    calculate()
    shown = show()
    for _ in range(PASSES):
        calculate()
        before, shown = shown, show()
        if before == shown:
            break
    return shown


def main(order_file: str, answer_file: str) -> None:
    """Carry out the order and write the answer, whatever IronCalc does short of killing the process."""
    order = json.loads(Path(order_file).read_text("utf-8"))
    limit(order["memory"], order["seconds"])
    try:
        what = (order[key] for key in ("path", "areas", "edits", "runs", "numbers"))
        text = json.dumps({"areas": recalculate(*what)})
    except MemoryError:
        text = json.dumps({"failed": "memory", "why": ""})
    except Exception as error:  # noqa: BLE001 - whatever it is becomes the answer
        text = json.dumps({"failed": "error", "why": " ".join(map(str, error.args))})
    except BaseException as panic:  # noqa: BLE001 - a panic in Rust arrives outside Exception
        text = json.dumps({"failed": "panic", "why": str(panic)})
    Path(answer_file).write_text(text, "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
