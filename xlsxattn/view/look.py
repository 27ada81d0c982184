"""Reads a workbook into matrices that know their labels, their formulas and their colours."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from fnmatch import fnmatchcase
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from xlsxattn.checker.engines import DEFAULT_ENGINE
from xlsxattn.checker.reading.book import read, saved, saved_results
from xlsxattn.checker.reading.limits import guarded
from xlsxattn.checker.recalculate import recalculated
from xlsxattn.language import ENGLISH, language_of, say
from xlsxattn.suggestions import one_of, with_near
from xlsxattn.view.heat import scale_of
from xlsxattn.view.labelled import Role, printable
from xlsxattn.view.matrix import Matrix
from xlsxattn.view.notebook import figure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xlsxattn.checker.cells import Area, Grid, Value
    from xlsxattn.checker.reading.book import Book
    from xlsxattn.checker.reading.manifest import Manifest
    from xlsxattn.language import Language

Source = Literal["saved", "ironcalc", "libreoffice", "gnumeric"]
"""Whose values are shown: those in the file, or an engine's that recalculates it."""
SAVED: Source = "saved"
MANIFEST = re.compile(r"xlsxattn_(Version|Sheets|Contexts|Inputs|Formulas)")
GENERAL, SHOWN_DIGITS = "General", 10
"""The format of a cell that has none, and the significant digits that are shown in it."""
SQUARE = ("Mask", "CausalMask")
STORY = ("Attention", "Output", "Probability", "Class")
HEAD_ROWS = 4
"""Rows of a sheet's head, in which nothing stands below a label of its own."""
LABEL_ENDS = " =:："


@dataclass(frozen=True, slots=True)
class OpenWorkbook:
    """A workbook as it is seen.

    Attributes:
        path: the file.
        title: what stands in its first cell.
        matrices: every named range but labels and the manifest, by name, as they stand in the workbook.
        engine: whose values these are: ``saved``, or the engine that has recalculated the file.
        manifest: what the workbook says of itself.
        notes: tab → the texts that were typed there: (row, column) → text.
        tabs: the sheets' tabs in order, hidden ones left out.
        language: the language of the texts that are the program's own.
        contract: the tab with what the workbook says of itself.
    """

    path: Path
    title: str
    matrices: Mapping[str, Matrix]
    engine: str
    manifest: Manifest
    notes: Mapping[str, Mapping[tuple[int, int], str]]
    tabs: tuple[str, ...]
    language: Language = ENGLISH
    contract: str = ""

    def __getitem__(self, name: str) -> Matrix:
        """The range of a name.

        Raises:
            KeyError: there is none.
        """
        if name not in self.matrices:
            said = say("{path}: there is no range {name!r}", path=self.path, name=name)
            raise KeyError(with_near(said, name, self.matrices))
        return self.matrices[name]

    def matching(self, patterns: Sequence[str]) -> list[Matrix]:
        """The ranges whose names match one of the patterns (``attn_*``), capitals counting."""
        return [m for m in self.matrices.values() if any(fnmatchcase(m.name, p) for p in patterns)]

    def story(self) -> list[Matrix]:
        """The ranges that tell most: the attention matrices, and what comes out at the end."""
        heads = re.compile(r"_(h|l)\d+_(?!.*Attention)")
        followed = tuple(f"{sheet.id}_" for sheet in self.manifest.sheets if sheet.kind == "compare")
        told = [
            m
            for m in self.matrices.values()
            if m.step in STORY and not heads.search(m.name) and not (followed and m.name.startswith(followed))
        ]
        return told or list(self.matrices.values())

    def _repr_html_(self) -> str:
        """The heat maps that a notebook shows."""
        return "".join(f"<div>{figure(matrix)}</div>" for matrix in self.story())


def look(path: str | Path, engine: Source = SAVED) -> OpenWorkbook:
    """Read a workbook to be shown.

    Args:
        path: the workbook.
        engine: ``saved`` takes the values in the file (and recalculates it where one is missing); else
            ``ironcalc``, ``libreoffice`` or ``gnumeric``, which recalculates it.

    Raises:
        NotCheckableError: the file cannot be read, or is not one of ours.
        engines.EngineMissing: the engine is not installed.
        engines.EngineFailed: the engine could not recalculate the file.
        ValueError: there is no such engine.
    """
    one_of("engine", engine, get_args(Source))
    with guarded(path):
        book = read(Path(path))
        # some programs drop the values of formulas and keep the cells beside
        if engine == SAVED and any(value is None for value in saved_results(book)):
            engine = DEFAULT_ENGINE
        values = saved(book) if engine == SAVED else recalculated(book, engine)
        return _seen(book, values, engine)


def _seen(book: Book, values: Mapping[str, Grid], engine: str) -> OpenWorkbook:
    worksheets: list[Any] = book.workbook.worksheets
    notes: dict[str, dict[tuple[int, int], str]] = {}
    for (tab, row, col), value in book.typed.items():
        if isinstance(value, str):
            notes.setdefault(tab, {})[row, col] = value
    tabs = tuple(ws.title for ws in worksheets if ws.sheet_state == "visible")
    first = notes.get(tabs[0], {}) if tabs else {}
    title = printable(first.get((0, 0), Path(book.path).stem))
    labels = _Labels(book, values)
    spoken = language_of([text for texts in notes.values() for text in texts.values()])
    order = {ws.title: i for i, ws in enumerate(worksheets)}
    placed = sorted(book.names.items(), key=lambda item: (order[item[1].sheet], item[1].row, item[1].col))
    matrices = {
        name: _matrix(book, name, values[name], labels, spoken.code)
        for name, _ in placed
        if name in values and not MANIFEST.fullmatch(name) and not labels.is_label(name)
    }
    contract = book.names["xlsxattn_Formulas"].sheet  # which the manifest was read from
    return OpenWorkbook(book.path, title, matrices, engine, book.manifest, notes, tabs, spoken, contract)


def _matrix(book: Book, name: str, grid: Grid, labels: _Labels, lang: str) -> Matrix:
    area = book.names[name]
    rows = grid if isinstance(grid, list) else grid.tolist()
    _, formula = book.manifest.formulas.get(name, ("", ""))
    role: Role = "computed" if formula else "input" if name in book.manifest.inputs else "constant"
    look_of = str(book.workbook[area.sheet].cell(area.row + 1, area.col + 1).number_format).partition(";")[0]
    step = name.rsplit("_", 1)[-1]
    return Matrix(
        name,
        area,
        tuple(tuple(row) for row in rows),
        labels.rows(name),
        labels.cols(name),
        role,
        f"{{{formula}}}" if formula else "",
        scale_of(step, rows, whole=look_of == "0"),
        _decimals(look_of, rows),
        "E+" in look_of,
        lang,
        labels.beside(name),
    )


def _decimals(look_of: str, rows: Sequence[Sequence[Value]]) -> int:
    """How many decimals a number format shows; one of no cell's own shows numbers whole."""
    if look_of != GENERAL:
        found = re.search(r"0\.(0+)", look_of)
        return len(found[1]) if found else 0 if look_of == "0" else 2
    numbers = [value for row in rows for value in row if isinstance(value, float) and isfinite(value)]
    exponents = [Decimal(f"{value:.{SHOWN_DIGITS}g}").normalize().as_tuple().exponent for value in numbers]
    return max([0, *(-exponent for exponent in exponents if isinstance(exponent, int))])


class _Labels:
    """The labels of ranges: those beside them, else the words and dimensions that must be meant."""

    def __init__(self, book: Book, values: Mapping[str, Grid]) -> None:
        self.names, self.values = book.names, values
        self.contexts = book.manifest.contexts
        self.comparing = [sheet.id for sheet in book.manifest.sheets if sheet.kind == "compare"]
        self.notes = book.typed
        self.single = {(a.sheet, a.row, a.col) for a in book.names.values() if (a.rows, a.cols) == (1, 1)}

    @staticmethod
    def is_label(name: str) -> bool:
        """Whether a range only labels another one."""
        return name.endswith(("_Rows", "_Cols"))

    def rows(self, name: str) -> tuple[str, ...]:
        """The labels of a range's rows, or nothing."""
        area = self.names[name]
        wanted = [f"{name}_Rows", *(["vocab_Tokens"] if name in ("vocab_E", "vocab_Index") else [])]
        if not name.endswith("_Tokens"):
            wanted += self._words(name)
        if re.search(r"_W_[QKV]$", name):
            wanted.append("vocab_Dims")
        if name.split("_", maxsplit=1)[0] in self.comparing:
            wanted.append("vocab_Focus")
        return self._first(wanted, area.rows)

    def cols(self, name: str) -> tuple[str, ...]:
        """The labels of a range's columns, or nothing."""
        area, step, parts = self.names[name], name.rsplit("_", 1)[-1], name.split("_")
        wanted = [f"{name}_Cols"]
        if parts[0] in self.comparing and len(parts) > 3:  # noqa: PLR2004 - compare, context, sheet, step
            wanted += [f"{parts[0]}_{parts[1]}_{step}_Cols", f"{parts[2]}_{parts[1]}_{step}_Cols"]
        if name == "vocab_E":
            wanted.append("vocab_Dims")
        if step in SQUARE:
            wanted += self._words(name)
        return self._first(wanted, area.cols) or self._above(area) or ((step,) if area.cols == 1 else ())

    def _words(self, name: str) -> list[str]:
        """The ranges of words that a range's rows can belong to; a model's own words come first."""
        parts = name.split("_")
        here = [i for i, part in enumerate(parts) if part in self.contexts]
        own = ["_".join([*parts[: here[0] + 1], "Tokens"])] if here else []
        return [*own, *(f"{parts[i]}_Tokens" for i in here)]

    def _first(self, wanted: Sequence[str], length: int) -> tuple[str, ...]:
        for name in wanted:
            found = [value for row in self.values.get(name, []) for value in row]
            if len(found) == length:
                return tuple(_label(value) for value in found)
        return ()

    def beside(self, name: str) -> str:
        """What was typed on the left of a single cell, which may run on over another column; or nothing."""
        area = self.names[name]
        for col in (area.col - 1, area.col - 2) if (area.rows, area.cols) == (1, 1) else ():
            at = area.sheet, area.row, col
            if at in self.single:
                break
            if isinstance(text := self.notes.get(at), str):
                return printable(text).rstrip(LABEL_ENDS)
        return ""

    def _above(self, area: Area) -> tuple[str, ...]:
        """What was typed right above every column, or nothing."""
        if area.row < HEAD_ROWS:
            return ()
        found = [self.notes.get((area.sheet, area.row - 1, area.col + j)) for j in range(area.cols)]
        texts = [printable(text) for text in found if isinstance(text, str) and text[:1] not in ("{", "=")]
        return tuple(texts) if len(texts) == area.cols else ()


def _label(value: Value) -> str:
    if value is None:
        return ""
    return printable(f"{value:g}" if isinstance(value, float) else str(value))
