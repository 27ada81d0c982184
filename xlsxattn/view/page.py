"""Renders a workbook as a single HTML page: its data as JSON, a style sheet and scripts.

A live page has the workbook itself, and recalculates it; a still page has its values. The page makes no
network requests; its content security policy forbids them. Its own texts are translated: ``{{=text}}`` in
page.html, ``say("text")`` in the scripts. Texts of the workbook are shown unchanged.
"""

from __future__ import annotations

import json
import re
import zlib
from html import escape
from importlib import resources
from typing import TYPE_CHECKING, Any, get_args

from xlsxattn.contract.kinds import Compare
from xlsxattn.contract.names import START, is_text, of_context
from xlsxattn.language import say
from xlsxattn.view.labelled import Role
from xlsxattn.view.pack import embedded, packed
from xlsxattn.view.steps import lanes, pages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xlsxattn.checker.cells import Area, Value
    from xlsxattn.language import Language
    from xlsxattn.view.look import OpenWorkbook
    from xlsxattn.view.matrix import Matrix
    from xlsxattn.view.steps import Figure, ShownSheet

DATA_VERSION = 1
TOO_LARGE = say("a still page: the workbook is too large to be recalculated here")
CONTEXT = {"tokens": "Tokens", "sentence": "Sentence", "focus": "Focus"}
CALCULATION = ("tokens", "parse", "values", "functions", "evaluate", "archive", "workbook")
"""Scripts that read, recalculate and write a workbook, in order, as each needs the earlier ones."""
LIVE = ("session", "panel", "attention", "charts", "start")
"""Scripts of the live page, after those that compute and draw."""
MAX_LIVE = 2_000_000
"""Maximum size of a workbook's file in a live page, in bytes."""
MAX_TABLE = 10_000
"""Maximum number of cells of a table; larger ranges are only named."""
TAGS = {"zh": "zh-CN"}
_PLACEHOLDER = re.compile(r"\{\{[a-z]+\}\}")
_IN_PAGE, _IN_SCRIPT = re.compile(r"\{\{=(.+?)\}\}"), re.compile(r'\bsay\("([^"]+)"')


def render(seen: OpenWorkbook, language: Language | None = None, *, live: bool = False) -> str:
    """Render the page as HTML; its own texts in ``language``, by default the workbook's.

    A workbook that is too large for a live page gets a still page, which gives the reason.
    """
    why = TOO_LARGE if live and seen.path.stat().st_size > MAX_LIVE else ""
    live = live and not why
    workbook, numbers = packed(seen.path) if live else ("", "")
    language = language or seen.language
    texts = {text: language.tell(text) for text in script_texts()} if language.texts else {}
    content = data(seen, live=live) | ({"why": why} if why else {})
    parts = {
        "{{lang}}": escape(_tag(language)),
        "{{own}}": "" if language == seen.language else f' lang="{escape(_tag(seen.language))}"',
        "{{style}}": _asset("page.css"),
        "{{script}}": _scripts(live=live),
        "{{words}}": _embedded(texts),
        "{{title}}": escape(seen.title),
        "{{kind}}": "text/plain" if live else "application/json",
        "{{data}}": embedded(_json(content).encode()) if live else _embedded(content),
        "{{workbook}}": workbook,
        "{{numbers}}": numbers,
    }
    page = _IN_PAGE.sub(lambda match: escape(language.tell(say(match[1]))), _asset("page.html"))
    # in one pass, as a title may contain a placeholder
    return _PLACEHOLDER.sub(lambda match: parts[match[0]], page)


def _tag(language: Language) -> str:
    """The language tag of a page; Chinese texts are in simplified characters."""
    return TAGS.get(language.code, language.code)


def page_texts() -> list[str]:
    """Texts of the page itself, in English."""
    return _IN_PAGE.findall(_asset("page.html"))


def script_texts() -> list[str]:
    """Texts of the script, in English."""
    return [*_IN_SCRIPT.findall(_scripts(live=True)), *get_args(Role), TOO_LARGE]


def _scripts(*, live: bool) -> str:
    """The scripts of the page in order."""
    page = _asset("page.js")
    parts = [page, 'data = parsed("data");\ndraw();\n']
    if live:
        parts = [calculation(), page, *(_asset(f"live/{name}.js") for name in LIVE)]
    return "".join(('(() => {\n"use strict";\n', *parts, "})();\n"))


def data(seen: OpenWorkbook, *, live: bool = False) -> dict[str, Any]:
    """The data that the page shows, which other programs can read as well.

    Keys: ``version``, ``title``, ``file``, ``lanes`` (context → sentence), ``ranges`` (name → values, labels,
    role, formula, cell, heat map; no values if they are too many for a table), and ``pages`` with their
    steps, which refer to ranges by name. In a live page they are compressed, and values, addresses and
    formulas are in its workbook: the formulas in the range ``formulas``. A link's changes are for a page with
    the same ``fingerprint``, the checksum of the file.
    """
    in_workbook = {"fingerprint": f"{zlib.crc32(seen.path.read_bytes()):x}", "formulas": START["Formulas"]}
    return (in_workbook if live else {}) | {
        "version": DATA_VERSION,
        "title": seen.title,
        "file": seen.path.name,
        "values": seen.engine,
        "lanes": lanes(seen),
        "contexts": {context: _context(seen, context) for context in seen.manifest.contexts},
        "heads": list(_heads(seen)),
        "ranges": {name: _range(matrix, live=live) for name, matrix in seen.matrices.items()},
        "labels": {name: _label(seen, name) for name in seen.labels} if live else {},
        "pages": [_page(page, number) for number, page in enumerate(pages(seen), 1)],
    }


def _context(seen: OpenWorkbook, context: str) -> dict[str, str]:
    """The names of a context's ranges: words, sentence, and the place of the focus word."""
    names = {key: of_context(context)[block] for key, block in CONTEXT.items()}
    return {key: name for key, name in names.items() if name in seen.matrices}


def _heads(seen: OpenWorkbook) -> Iterator[dict[str, Any]]:
    """The attention matrices, with their places in the model."""
    comparing = [sheet.id for sheet in seen.manifest.sheets if sheet.is_a(Compare)]
    for text, matrix in seen.matrices.items():
        name = seen.manifest.parse(text)
        if name.last == name.block == "Attention" and name.context and name.sheet not in comparing:
            cross = "cross" if name.cross else ""
            place = {"sheet": name.sheet, "side": cross, "layer": name.layer, "head": name.head}
            yield {"name": text, "context": name.context, "tab": matrix.area.sheet, **place}


def _cells(name: str, area: Area) -> dict[str, Any]:
    """Where a range is, its shape, and whether it holds texts."""
    return {"area": [area.sheet, area.row, area.col], "shape": [area.rows, area.cols], "text": is_text(name)}


def _label(seen: OpenWorkbook, name: str) -> dict[str, Any]:
    return _cells(name, seen.labels[name]) | {"pattern": seen.patterns.get(name, "")}


def _range(matrix: Matrix, *, live: bool) -> dict[str, Any]:
    large = matrix.area.rows * matrix.area.cols > MAX_TABLE
    grid = () if large else matrix.grid
    not_in_workbook = {
        "large": large,
        "rowsFrom": matrix.rows_from,
        "colsFrom": matrix.cols_from,
        "rows": list(matrix.rows),
        "cols": list(matrix.cols),
        "role": matrix.role,
        "label": matrix.label,
        "heat": matrix.scale.kind,
        "digits": matrix.digits,
        "scientific": matrix.scientific,
        "pattern": matrix.pattern,
    }
    in_workbook = {
        "values": [[_plain(value) for value in row] for row in grid],
        "formula": matrix.formula,
        "cell": matrix.area.address(),
        "largest": matrix.scale.largest,
    }
    return _cells(matrix.name, matrix.area) | not_in_workbook | ({} if live else in_workbook)


def _plain(value: Value) -> Value:
    """A value for JSON; infinite numbers and errors become the text of the cell."""
    if isinstance(value, str):
        return str(value)
    return value if value is None or abs(value) < float("inf") else str(value)


def _page(page: ShownSheet, number: int) -> dict[str, Any]:
    return {
        "id": f"sheet{number}",
        "title": page.title,
        "lead": list(page.lead),
        "facts": [matrix.name for matrix in page.facts],
        "steps": [
            {
                "title": step.title,
                "notes": list(step.notes),
                "figures": [_figure(figure) for figure in step.figures],
                "facts": [matrix.name for matrix in step.facts],
            }
            for step in page.steps
        ],
        "tab": page.tab,
        "closing": list(page.closing),
        "triesTitle": page.tries_title,
        "tries": [{"question": question, "answer": answer} for question, answer in page.tries],
    }


def _figure(figure: Figure) -> dict[str, Any]:
    return {
        "main": figure.main.name,
        "sides": [matrix.name for matrix in figure.sides],
        "lane": figure.lane,
        "below": [_figure(row) for row in figure.below],
        "label": figure.label,
    }


def _embedded(content: dict[str, Any]) -> str:
    """JSON escaped for a script element, so that a workbook's text cannot end the element."""
    return _json(content).replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _json(content: dict[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def calculation() -> str:
    """The scripts that read, recalculate and write a workbook."""
    return "".join(_asset(f"live/{name}.js") for name in CALCULATION)


def _asset(name: str) -> str:
    return resources.files("xlsxattn.view").joinpath(name).read_text("utf-8")
