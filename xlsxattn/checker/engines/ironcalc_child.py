"""Recalculates one workbook with IronCalc: a program of its own, because IronCalc may take its process down.

Usage: ``python ironcalc_child.py ORDER ANSWER``, both JSON files. The order names the workbook, the areas to
read, the limits and the file for the values; the answer says what went wrong. Standard output is IronCalc's:
it prints warnings there. Nothing of xlsxattn and nothing heavy is imported, so that a start costs little.
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


PASSES = 8
NAN, NONE = float("nan"), type(None)
PLAIN = {float, NONE}


class Answers:
    """What a workbook's areas show, as it is written, one set of edits after the other.

    A set is the length of a JSON text (8 bytes, the first the lowest), the text, then doubles. Areas of
    numbers and blanks are doubles, one after the other and row by row, a blank cell being NaN. The others
    stand in the text, by their place among all: their cells row by row, an error value as
    ``{"error": "#VALUE!"}``, so that no text passes for it.
    """

    def __init__(self, model: Any, areas: list[list[Any]]) -> None:  # noqa: ANN401 - IronCalc has no types
        self.model = model
        self.tabs = {sheet["name"]: place for place, sheet in enumerate(model.get_worksheets_properties())}
        for sheet, *_ in areas:
            if sheet not in self.tabs:
                raise KeyError(f"there is no sheet {sheet!r}")
        self.areas = [
            (self.tabs[sheet], range(top + 1, top + rows + 1), range(left + 1, left + cols + 1))
            for sheet, top, left, rows, cols in areas
        ]

    def read(self) -> tuple[bytes, bytes]:
        """What the areas show now: the text, and the doubles."""
        get, numbers, others = self.model.get_cell_value, array("d"), dict[int, list[object]]()
        for place, (tab, rows, cols) in enumerate(self.areas):
            cells = [get(tab, row, col) for row in rows for col in cols]
            kinds = set(map(type, cells))
            if NONE in kinds and kinds <= PLAIN:
                numbers.extend([NAN if value is None else value for value in cells])
            elif kinds == {float} and not isnan(sum(cells)):  # a NaN of the engine's own is no blank
                numbers.extend(cells)
            else:
                at = ((tab, row, col) for row in rows for col in cols)
                others[place] = [self.other(where, value) for where, value in zip(at, cells, strict=True)]
        return json.dumps(others).encode(), numbers.tobytes()

    def other(self, at: tuple[int, int, int], shown: object) -> object:
        """What a cell shows; its type is only asked for where it matters."""
        if isinstance(shown, str) and shown.startswith("#"):
            error = self.model.get_cell_type(*at) == ironcalc.CellType.ErrorValue
            return {"error": shown} if error else shown
        return shown

    def settled(self) -> tuple[bytes, bytes]:
        """Calculate until the areas show the same twice, and return what they show.

        In a workbook just loaded, IronCalc reads 0 where a formula asks for cells of a block, but not for its
        first, before it has come to the block. A circle may never settle, and is an error anyway.
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
    path: str,
    areas: list[list[Any]],
    edits: str,
    runs: list[list[Any]],
    numbers: str,
    values: str,
) -> None:
    """Write the values of the areas after IronCalc has calculated every formula, for each set of edits.

    Args:
        path: the workbook.
        areas: the sheet's tab, first row and column from 0, height and width of each.
        edits: the file that holds a set a line, as JSON, of cells to type into: tab, row, column, number or
            text, "" for a blank cell. Earlier sets stay typed in.
        runs: what to type in before: tab, row, first column and how many numbers.
        numbers: the file that holds the runs' numbers, one after the other.
        values: the file that is written, as `Answers` says.

    Raises:
        KeyError: the workbook has no such sheet.
    """
    model = ironcalc.load_from_xlsx(path)
    answers = Answers(model, areas)
    tabs = answers.tabs
    with Path(numbers).open("rb") as file:
        for sheet, row, col, count in runs:
            own = array("d", file.read(8 * count))
            for place, number in enumerate(own, col + 1):
                model.update_cell_with_number(tabs[sheet], row + 1, place, number)
    with Path(values).open("wb") as file, Path(edits).open("rb") as sets:
        for turn, cells in enumerate(sets):
            for sheet, row, col, typed in json.loads(cells):
                if typed == "":  # what a person has emptied is blank, and no text
                    model.clear_cell_contents(tabs[sheet], row + 1, col + 1)
                    continue
                text = isinstance(typed, str)
                write = model.update_cell_with_text if text else model.update_cell_with_number
                write(tabs[sheet], row + 1, col + 1, typed)
            if turn:  # every block has its cells from the first set on
                model.evaluate()
            texts, shown = answers.read() if turn else answers.settled()
            file.write(len(texts).to_bytes(8, "little") + texts + shown)


def main(order_file: str, answer_file: str) -> None:
    """Carry out the order and write the answer, whatever IronCalc does short of killing the process."""
    order = json.loads(Path(order_file).read_text("utf-8"))
    limit(order["memory"], order["seconds"])
    try:
        recalculate(*(order[key] for key in ("path", "areas", "edits", "runs", "numbers", "values")))
        text = "{}"
    except MemoryError:
        text = json.dumps({"failed": "memory", "why": ""})
    except Exception as error:  # noqa: BLE001 - whatever it is becomes the answer
        text = json.dumps({"failed": "error", "why": " ".join(map(str, error.args))})
    except BaseException as panic:  # noqa: BLE001 - a panic in Rust arrives outside Exception
        text = json.dumps({"failed": "panic", "why": str(panic)})
    Path(answer_file).write_text(text, "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
