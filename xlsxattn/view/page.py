"""One page of HTML for a workbook: its data as JSON, a look, and the script that joins them.

The page asks nobody for anything: no font, no picture, no script comes from elsewhere, and its own policy
forbids it.
"""

from __future__ import annotations

import json
from html import escape
from importlib import resources
from typing import TYPE_CHECKING, Any

from xlsxattn.view.steps import lanes, pages

if TYPE_CHECKING:
    from xlsxattn.view.look import Seen
    from xlsxattn.view.matrix import Matrix
    from xlsxattn.view.steps import Page

DATA_VERSION = 1


def render(seen: Seen) -> str:
    """The whole page, as text."""
    parts = {
        "{{title}}": escape(seen.title),
        "{{style}}": _asset("page.css"),
        "{{script}}": _asset("page.js"),
        "{{data}}": _embedded(data(seen)),  # last, so that no text of a workbook is taken for a place
    }
    page = _asset("page.html")
    for place, part in parts.items():
        page = page.replace(place, part)
    return page


def data(seen: Seen) -> dict[str, Any]:
    """What the page shows, and nothing about how: a program may read it as well.

    Keys: ``version``, ``title``, ``file``, ``lanes`` (context → sentence), ``ranges`` (name → values, labels,
    role, formula, place, heat map), and ``pages`` with their steps, which name ranges.
    """
    return {
        "version": DATA_VERSION,
        "title": seen.title,
        "file": seen.path.name,
        "values": seen.engine,
        "lanes": lanes(seen),
        "ranges": {name: _range(matrix) for name, matrix in seen.matrices.items()},
        "pages": [_page(page, number) for number, page in enumerate(pages(seen), 1)],
    }


def _range(matrix: Matrix) -> dict[str, Any]:
    return {
        "values": [[_plain(value) for value in row] for row in matrix.grid],
        "rows": list(matrix.rows),
        "cols": list(matrix.cols),
        "role": matrix.role,
        "formula": matrix.formula,
        "cell": matrix.area.address(),
        "heat": matrix.scale.kind,
        "largest": matrix.scale.largest,
        "digits": matrix.digits,
        "scientific": matrix.scientific,
    }


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever a cell holds
    """A value as JSON has it; a number that JSON lacks, and an error, is the text that the cell shows."""
    if isinstance(value, str):
        return str(value)
    return value if value is None or abs(value) < float("inf") else str(value)


def _page(page: Page, number: int) -> dict[str, Any]:
    return {
        "id": f"sheet{number}",
        "title": page.title,
        "lead": list(page.lead),
        "facts": [matrix.name for matrix in page.facts],
        "steps": [
            {
                "title": step.title,
                "notes": list(step.notes),
                "figures": [
                    {"main": f.main.name, "sides": [m.name for m in f.sides], "lane": f.lane}
                    for f in step.figures
                ],
            }
            for step in page.steps
        ],
    }


def _embedded(found: dict[str, Any]) -> str:
    """JSON that can stand in a page: no text of a workbook can end the element that holds it."""
    text = json.dumps(found, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _asset(name: str) -> str:
    return resources.files("xlsxattn.view").joinpath(name).read_text("utf-8")
