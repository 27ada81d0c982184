"""One page of HTML for a workbook: its data as JSON, a look, and the script that joins them.

The page asks nobody for anything: no font, no picture, no script comes from elsewhere, and its own policy
forbids it. Its own words are told in the reader's language: ``{{=words}}`` in page.html, ``say("words")`` in
page.js; what it shows of the workbook stays as it is.
"""

from __future__ import annotations

import json
import re
from html import escape
from importlib import resources
from typing import TYPE_CHECKING, Any, get_args

from xlsxattn.language import say
from xlsxattn.view.labelled import Role
from xlsxattn.view.steps import lanes, pages

if TYPE_CHECKING:
    from xlsxattn.checker.cells import Value
    from xlsxattn.language import Language
    from xlsxattn.view.look import OpenWorkbook
    from xlsxattn.view.matrix import Matrix
    from xlsxattn.view.steps import SheetView

DATA_VERSION = 1
TAGS = {"zh": "zh-CN"}
_PLACE = re.compile(r"\{\{[a-z]+\}\}")
_IN_PAGE, _IN_SCRIPT = re.compile(r"\{\{=(.+?)\}\}"), re.compile(r'\bsay\("([^"]+)"')


def render(seen: OpenWorkbook, language: Language | None = None) -> str:
    """The whole page, as text; its own words in a language, the workbook's without one."""
    language = language or seen.language
    texts = {text: language.tell(text) for text in script_texts()} if language.texts else {}
    parts = {
        "{{lang}}": escape(_tag(language)),
        "{{own}}": "" if language == seen.language else f' lang="{escape(_tag(seen.language))}"',
        "{{style}}": _asset("page.css"),
        "{{script}}": _asset("page.js"),
        "{{words}}": _embedded(texts),
        "{{title}}": escape(seen.title),
        "{{data}}": _embedded(data(seen)),
    }
    page = _IN_PAGE.sub(lambda found: escape(language.tell(say(found[1]))), _asset("page.html"))
    return _PLACE.sub(lambda place: parts[place[0]], page)  # at once: a title may look like a place


def _tag(language: Language) -> str:
    """A language as a page names it; the texts in Chinese are those of the mainland."""
    return TAGS.get(language.code, language.code)


def page_texts() -> list[str]:
    """The page's own words, in English."""
    return _IN_PAGE.findall(_asset("page.html"))


def script_texts() -> list[str]:
    """What the script says, in English."""
    return [*_IN_SCRIPT.findall(_asset("page.js")), *get_args(Role)]


def data(seen: OpenWorkbook) -> dict[str, Any]:
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
        "label": matrix.label,
        "cell": matrix.area.address(),
        "heat": matrix.scale.kind,
        "largest": matrix.scale.largest,
        "digits": matrix.digits,
        "scientific": matrix.scientific,
    }


def _plain(value: Value) -> Value:
    """A value as JSON has it; a number that JSON lacks, and an error, is the text that the cell shows."""
    if isinstance(value, str):
        return str(value)
    return value if value is None or abs(value) < float("inf") else str(value)


def _page(page: SheetView, number: int) -> dict[str, Any]:
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
