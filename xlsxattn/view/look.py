"""Reads a workbook into matrices with labels, formulas and heat maps."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from fnmatch import fnmatchcase
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from xlsxattn.checker.engines import DEFAULT_ENGINE
from xlsxattn.checker.reading.book import read, saved, saved_results
from xlsxattn.checker.reading.limits import guarded
from xlsxattn.checker.recalculate import recalculated
from xlsxattn.contract.exercise import mark_of, region_of
from xlsxattn.contract.kinds import Compare
from xlsxattn.contract.names import FRONT, START, WORDS, RangeName, cols_of, last, of_context, rows_of
from xlsxattn.contract.values import SAVED, Source
from xlsxattn.language import ENGLISH, bounded, language_of, say
from xlsxattn.suggestions import one_of, with_near
from xlsxattn.view.heat import scale_of
from xlsxattn.view.labelled import LABEL_ENDS, PERCENT, Role, printable
from xlsxattn.view.matrix import Matrix
from xlsxattn.view.notebook import overview

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from xlsxattn.checker.cells import Area, Grid, Value
    from xlsxattn.checker.reading.book import Book
    from xlsxattn.checker.reading.manifest import Manifest
    from xlsxattn.language import Language

GENERAL, SHOWN_DIGITS, ANSWER_DECIMALS = "General", 10, 2
"""The default cell format, the significant digits that it shows, and the least decimals of answers."""
SQUARE = ("Mask", "CausalMask")
FROM_WORDS = ("W_Q", "W_K", "W_V")
"""Weights whose rows are labelled by the dimensions of the words, unless they have other labels."""
RANKED = ("FocusWords", "FocusWeights", "FocusPlaces")
"""Rows with one column for each rank."""
MAIN_STEPS = ("Attention", "Output", "Probability", "Class", "Loss")
HEAD_ROWS = 4
"""Rows of a sheet's head, where labels are never above their cells."""
LITERAL = r'((?:"[^"]*")*)'
AROUND = re.compile(rf"{LITERAL}(@|0(?:\.0+)?){LITERAL}")
"""A cell format that shows a value between texts."""
PERCENT_FORMAT = "0%"


@dataclass(frozen=True, slots=True)
class OpenWorkbook:
    """A workbook that was read for display.

    Attributes:
        path: the file.
        title: the first text of its first sheet.
        matrices: named ranges by name, in the order of the workbook, without labels and the manifest.
        engine: source of the values: ``saved``, or the engine that recalculated the file.
        manifest: the workbook's manifest.
        notes: tab → constant texts: (row, column) → text.
        tabs: tabs in order, without hidden ones.
        language: language of the program's own texts.
        contract: the tab of the manifest.
        labels: the cells of the ranges that label others.
        patterns: of these ranges, how a label is shown, with @ for its value; those that show only the value
            are absent.
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
    labels: Mapping[str, Area] = field(default_factory=dict)
    patterns: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Matrix:
        """Get a range by name.

        Raises:
            KeyError: there is no such range.
        """
        if name not in self.matrices:
            raise no_range(self.path, name, self)
        return self.matrices[name]

    def matching(self, patterns: Sequence[str]) -> list[Matrix]:
        """The ranges whose names match one of the patterns (``attn_*``), case-sensitively."""
        return [m for m in self.matrices.values() if any(fnmatchcase(m.name, p) for p in patterns)]

    def story(self) -> list[Matrix]:
        """The main ranges: attention matrices and final outputs."""
        others = [FRONT, *(sheet.id for sheet in self.manifest.sheets if sheet.is_a(Compare))]

        def is_main(text: str) -> bool:
            name = self.manifest.parse(text)
            inner = (name.layer or name.head) and name.block != "Attention"
            return name.last in MAIN_STEPS and not (inner or name.part) and name.sheet not in others

        main = [m for m in self.matrices.values() if is_main(m.name)]
        return main or list(self.matrices.values())

    def __iter__(self) -> Iterator[str]:
        """The names of the ranges, in the order of the workbook."""
        return iter(self.matrices)

    def __contains__(self, name: object) -> bool:
        return name in self.matrices

    def __len__(self) -> int:
        return len(self.matrices)

    def __repr__(self) -> str:
        return f"<OpenWorkbook {self.path}: {self.title!r}, {len(self)} ranges, {self.engine}>"

    def _repr_html_(self) -> str:
        """The overview in a notebook: the title and the main ranges."""
        return overview(self.title, self.path.name, [m.name for m in self.story()], len(self))


def no_range(path: Path, name: str, known: Iterable[str]) -> KeyError:
    """Error for a name that a workbook lacks, with the most similar name that it has."""
    message = say("{path}: there is no range {name!r}", path=path, name=name)
    return KeyError(bounded(with_near(message, name, known)))


def look(path: str | Path, engine: Source = SAVED) -> OpenWorkbook:
    """Read a workbook for display.

    Args:
        path: the workbook.
        engine: ``saved`` uses the values in the file (if any is missing, the file is recalculated);
            ``ironcalc``, ``libreoffice`` or ``gnumeric`` recalculates it.

    Raises:
        NotCheckableError: the file cannot be read, or was not made by xlsxattn.
        engines.EngineMissing: the engine is not installed.
        engines.EngineFailed: the engine could not recalculate the file.
        ValueError: there is no such engine.
    """
    one_of("engine", engine, get_args(Source))
    with guarded(path):
        book = read(Path(path))
        # some programs drop the values of formulas
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
    title = printable(first[min(first)] if first else Path(book.path).stem)
    labels = _Labels(book, values)
    language = language_of([text for texts in notes.values() for text in texts.values()])
    order = {ws.title: i for i, ws in enumerate(worksheets)}
    ordered = sorted(book.names.items(), key=lambda item: (order[item[1].sheet], item[1].row, item[1].col))
    matrices = {
        name: _matrix(book, name, values[name], labels, language.code)
        for name, _ in ordered
        if name in values and not (parsed := book.manifest.parse(name)).is_manifest and not parsed.label
    }
    contract = book.names[START["Formulas"]].sheet  # the tab of the manifest
    areas = {name: area for name, area in ordered if book.manifest.parse(name).label}
    seen = book.path, title, matrices, engine, book.manifest, notes, tabs
    patterns = {name: pattern for name, area in areas.items() if (pattern := _pattern(book, area))}
    return OpenWorkbook(*seen, language, contract, areas, patterns)


def _pattern(book: Book, area: Area) -> str:
    """How a cell format shows a value between texts, with @ for the value: ``no. @``; "" if it shows none."""
    number_format = _format(book, area)
    if number_format == PERCENT_FORMAT:
        return PERCENT
    match = AROUND.fullmatch(number_format)
    before, _, after = (part.replace('"', "") for part in match.groups()) if match else ("", "", "")
    return f"{before}@{after}" if before or after else ""


def _format(book: Book, area: Area) -> str:
    return str(book.workbook[area.sheet].cell(area.row + 1, area.col + 1).number_format)


def _matrix(book: Book, name: str, grid: Grid, labels: _Labels, lang: str) -> Matrix:
    area = book.names[name]
    cells = grid if isinstance(grid, list) else grid.tolist()
    _, formula = book.manifest.formulas.get(name, ("", ""))
    asked = book.manifest.exercise.answers if book.manifest.exercise else {}
    typed = name in book.manifest.inputs or name in asked or name in map(region_of, asked)
    role: Role = "computed" if formula else "input" if typed else "constant"
    number_format = _format(book, area).partition(";")[0]
    rows_from, rows = labels.rows(name)
    cols_from, cols = labels.cols(name)
    return Matrix(
        name,
        area,
        tuple(tuple(row) for row in cells),
        rows,
        cols,
        role,
        f"{{{formula}}}" if formula and name not in map(mark_of, asked) else "",
        scale_of(last(name), cells, whole=number_format == "0"),
        max(_decimals(number_format, cells), ANSWER_DECIMALS if name in asked else 0),
        "E+" in number_format,
        lang,
        labels.beside(name),
        rows_from,
        cols_from,
        _pattern(book, area),
    )


def _decimals(number_format: str, rows: Sequence[Sequence[Value]]) -> int:
    """Number of decimals that a number format shows; General shows all of them."""
    if number_format != GENERAL:
        if match := re.search(r"0\.(0+)", number_format):
            return len(match[1])
        return 0 if number_format in ("0", PERCENT_FORMAT) else 2
    numbers = [value for row in rows for value in row if isinstance(value, float) and isfinite(value)]
    exponents = [Decimal(f"{value:.{SHOWN_DIGITS}g}").normalize().as_tuple().exponent for value in numbers]
    return max([0, *(-exponent for exponent in exponents if isinstance(exponent, int))])


class _Labels:
    """Labels of ranges: those next to them, or else words and dimensions of the same length."""

    def __init__(self, book: Book, values: Mapping[str, Grid]) -> None:
        self.book, self.names, self.values = book, book.names, values
        self.parse = book.manifest.parse
        self.comparing = [sheet.id for sheet in book.manifest.sheets if sheet.is_a(Compare)]
        self.notes = book.typed
        self.single = {(a.sheet, a.row, a.col) for a in book.names.values() if (a.rows, a.cols) == (1, 1)}

    def rows(self, name: str) -> tuple[str, tuple[str, ...]]:
        """The range with the labels of a range's rows, and the labels; or empty."""
        area, parsed = self.names[name], self.parse(name)
        sources = [rows_of(name), *([WORDS["Tokens"]] if name in (WORDS["E"], WORDS["Index"]) else [])]
        if parsed.block != "Tokens":
            sources += self._words(parsed)
        if parsed.block in FROM_WORDS and not parsed.part:
            sources.append(WORDS["Dims"])
        if parsed.sheet in self.comparing:
            sources.append(WORDS["Focus"])
        source, labels = self._first(sources, area.rows)
        return source, labels or self._left(area)

    def cols(self, name: str) -> tuple[str, tuple[str, ...]]:
        """The range with the labels of a range's columns, or "", and the labels, or empty."""
        area, parsed = self.names[name], self.parse(name)
        sources = [cols_of(name)]
        if parsed.sheet in self.comparing and parsed.of:
            lane = parsed.lane
            sources += [cols_of(lane[parsed.block]), cols_of(lane.at(sheet=parsed.of)[parsed.block])]
        if name == WORDS["E"]:
            sources.append(WORDS["Dims"])
        if parsed.block == "FocusAttention":
            sources.append(cols_of(parsed.lane[parsed.block]))
        if parsed.block in RANKED:
            sources.append(RangeName(parsed.sheet)["Rank"])
        if parsed.sheet == FRONT and area.rows == 1:
            sources += [cols_of(parsed.lane["X"]), cols_of(parsed.lane["Before"])]
        if parsed.block in SQUARE:
            sources += self._words(parsed)
        single = (parsed.last,) if area.cols == 1 else ()
        source, labels = self._first(sources, area.cols)
        return source, labels or self._above(area) or single

    @staticmethod
    def _words(name: RangeName) -> list[str]:
        """Ranges of words that may label a range's rows; the words of its own model come first."""
        return [name.lane["Tokens"], of_context(name.context)["Tokens"]] if name.context else []

    def _first(self, sources: Sequence[str], length: int) -> tuple[str, tuple[str, ...]]:
        """The first source that has the right length, and its values; or empty."""
        for name in sources:
            values = [value for row in self.values.get(name, []) for value in row]
            if len(values) == length:
                pattern = _pattern(self.book, self.names[name]) or "@"
                return name, tuple(pattern.replace("@", _label(value)) for value in values)
        return "", ()

    def beside(self, name: str) -> str:
        """The text on the left of a single cell, or ""; three columns away only if it ends like a label."""
        area = self.names[name]
        if (area.rows, area.cols) != (1, 1):
            return ""
        for col in range(area.col - 1, area.col - 4, -1):
            position = area.sheet, area.row, col
            if position in self.single:
                break
            text = self.notes.get(position)
            near = col >= area.col - 2 or name == WORDS["Focus"]
            if isinstance(text, str) and (near or text.rstrip()[-1:] in LABEL_ENDS.strip()):
                return printable(text).rstrip(LABEL_ENDS)
        return ""

    def _left(self, area: Area) -> tuple[str, ...]:
        """The texts right on the left of all rows, or numbers further on the left, or empty."""
        for col in range(area.col - 1, -1, -1):
            texts = [self.notes.get((area.sheet, area.row + i, col)) for i in range(area.rows)]
            labels = tuple(printable(text) for text in texts if isinstance(text, str))
            is_label = col == area.col - 1 or all(text.isdecimal() for text in labels)
            if is_label and area.rows > 1 and len(set(labels)) == area.rows:
                return labels
        return ()

    def _above(self, area: Area) -> tuple[str, ...]:
        """The texts right above all columns, or empty."""
        if area.row < HEAD_ROWS:
            return ()
        above = [self.notes.get((area.sheet, area.row - 1, area.col + j)) for j in range(area.cols)]
        texts = [printable(text) for text in above if isinstance(text, str) and text[:1] not in ("{", "=")]
        if len(texts) == 1 < area.cols:  # one text above several columns
            return tuple(f"{texts[0]} {j + 1}" for j in range(area.cols))
        return tuple(texts) if len(texts) == area.cols else ()


def _label(value: Value) -> str:
    if value is None:
        return ""
    return printable(f"{value:g}" if isinstance(value, float) else str(value))
