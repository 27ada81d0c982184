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
from xlsxattn.contract.kinds import Compare
from xlsxattn.contract.names import START, WORDS, cols_of, last, of_context, rows_of
from xlsxattn.contract.values import EngineName
from xlsxattn.language import ENGLISH, language_of, say
from xlsxattn.suggestions import one_of, with_near
from xlsxattn.view.heat import scale_of
from xlsxattn.view.labelled import Role, printable
from xlsxattn.view.matrix import Matrix
from xlsxattn.view.notebook import overview

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from xlsxattn.checker.cells import Area, Grid, Value
    from xlsxattn.checker.reading.book import Book
    from xlsxattn.checker.reading.manifest import Manifest
    from xlsxattn.contract.names import RangeName
    from xlsxattn.language import Language

Source = Literal["saved", EngineName]
"""Whose values are shown: those in the file, or an engine's that recalculates it."""
SAVED: Source = "saved"
GENERAL, SHOWN_DIGITS = "General", 10
"""The format of a cell that has none, and the significant digits that are shown in it."""
SQUARE = ("Mask", "CausalMask")
FROM_WORDS = ("W_Q", "W_K", "W_V")
"""Weights whose rows are the dimensions of the words, where nothing else labels them."""
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
            raise no_range(self.path, name, self)
        return self.matrices[name]

    def matching(self, patterns: Sequence[str]) -> list[Matrix]:
        """The ranges whose names match one of the patterns (``attn_*``), capitals counting."""
        return [m for m in self.matrices.values() if any(fnmatchcase(m.name, p) for p in patterns)]

    def story(self) -> list[Matrix]:
        """The ranges that tell most: the attention matrices, and what comes out at the end."""
        followed = [sheet.id for sheet in self.manifest.sheets if sheet.is_a(Compare)]

        def tells(name: str) -> bool:
            at = self.manifest.parse(name)
            inner = (at.layer or at.head) and at.block != "Attention"
            return at.last in STORY and not inner and at.sheet not in followed

        told = [m for m in self.matrices.values() if tells(m.name)]
        return told or list(self.matrices.values())

    def __iter__(self) -> Iterator[str]:
        """The ranges' names, as they stand in the workbook."""
        return iter(self.matrices)

    def __contains__(self, name: object) -> bool:
        return name in self.matrices

    def __len__(self) -> int:
        return len(self.matrices)

    def __repr__(self) -> str:
        return f"<OpenWorkbook {self.path}: {self.title!r}, {len(self)} ranges, {self.engine}>"

    def _repr_html_(self) -> str:
        """What there is to see, for a notebook: the title, and the ranges that tell most."""
        return overview(self.title, self.path.name, [m.name for m in self.story()], len(self))


def no_range(path: Path, name: str, known: Iterable[str]) -> KeyError:
    """That a workbook has no range of this name, and the name that is most like it."""
    return KeyError(with_near(say("{path}: there is no range {name!r}", path=path, name=name), name, known))


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
        if name in values and not (at := book.manifest.parse(name)).is_manifest and not at.label
    }
    contract = book.names[START["Formulas"]].sheet  # which the manifest was read from
    return OpenWorkbook(book.path, title, matrices, engine, book.manifest, notes, tabs, spoken, contract)


def _matrix(book: Book, name: str, grid: Grid, labels: _Labels, lang: str) -> Matrix:
    area = book.names[name]
    cells = grid if isinstance(grid, list) else grid.tolist()
    _, formula = book.manifest.formulas.get(name, ("", ""))
    role: Role = "computed" if formula else "input" if name in book.manifest.inputs else "constant"
    look_of = str(book.workbook[area.sheet].cell(area.row + 1, area.col + 1).number_format).partition(";")[0]
    return Matrix(
        name,
        area,
        tuple(tuple(row) for row in cells),
        labels.rows(name),
        labels.cols(name),
        role,
        f"{{{formula}}}" if formula else "",
        scale_of(last(name), cells, whole=look_of == "0"),
        _decimals(look_of, cells),
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
        self.parse = book.manifest.parse
        self.comparing = [sheet.id for sheet in book.manifest.sheets if sheet.is_a(Compare)]
        self.notes = book.typed
        self.single = {(a.sheet, a.row, a.col) for a in book.names.values() if (a.rows, a.cols) == (1, 1)}

    def rows(self, name: str) -> tuple[str, ...]:
        """The labels of a range's rows, or nothing."""
        area, at = self.names[name], self.parse(name)
        wanted = [rows_of(name), *([WORDS["Tokens"]] if name in (WORDS["E"], WORDS["Index"]) else [])]
        if at.block != "Tokens":
            wanted += self._words(at)
        if at.block in FROM_WORDS and not at.part:
            wanted.append(WORDS["Dims"])
        if at.sheet in self.comparing:
            wanted.append(WORDS["Focus"])
        return self._first(wanted, area.rows)

    def cols(self, name: str) -> tuple[str, ...]:
        """The labels of a range's columns, or nothing."""
        area, at = self.names[name], self.parse(name)
        wanted = [cols_of(name)]
        if at.sheet in self.comparing and at.of:
            wanted += [cols_of(at.lane[at.block]), cols_of(at.lane.at(sheet=at.of)[at.block])]
        if name == WORDS["E"]:
            wanted.append(WORDS["Dims"])
        if at.block in SQUARE:
            wanted += self._words(at)
        return self._first(wanted, area.cols) or self._above(area) or ((at.last,) if area.cols == 1 else ())

    @staticmethod
    def _words(at: RangeName) -> list[str]:
        """The ranges of words that a range's rows can belong to; a model's own words come first."""
        return [at.lane["Tokens"], of_context(at.context)["Tokens"]] if at.context else []

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
