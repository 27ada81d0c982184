"""Renders a workbook as a single HTML page: its data as JSON, a style sheet and a script.

The page makes no network requests; its content security policy forbids them. Its own texts are translated:
``{{=text}}`` in page.html, ``say("text")`` in page.js. Texts of the workbook are shown unchanged.
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
    from xlsxattn.view.steps import ShownSheet

DATA_VERSION = 1
CALCULATION = ("tokens", "parse", "values", "functions", "evaluate", "workbook")
"""Scripts of the live page in order, as each needs the earlier ones."""
TAGS = {"zh": "zh-CN"}
_PLACEHOLDER = re.compile(r"\{\{[a-z]+\}\}")
_IN_PAGE, _IN_SCRIPT = re.compile(r"\{\{=(.+?)\}\}"), re.compile(r'\bsay\("([^"]+)"')


def render(seen: OpenWorkbook, language: Language | None = None) -> str:
    """Render the page as HTML; its own texts in ``language``, by default the workbook's."""
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
    page = _IN_PAGE.sub(lambda match: escape(language.tell(say(match[1]))), _asset("page.html"))
    return _PLACEHOLDER.sub(
        lambda match: parts[match[0]], page
    )  # in one pass: a title may contain a placeholder


def _tag(language: Language) -> str:
    """The language tag of a page; Chinese texts are in simplified characters."""
    return TAGS.get(language.code, language.code)


def page_texts() -> list[str]:
    """Texts of the page itself, in English."""
    return _IN_PAGE.findall(_asset("page.html"))


def script_texts() -> list[str]:
    """Texts of the script, in English."""
    return [*_IN_SCRIPT.findall(_asset("page.js")), *get_args(Role)]


def data(seen: OpenWorkbook) -> dict[str, Any]:
    """The data that the page shows, which other programs can read as well.

    Keys: ``version``, ``title``, ``file``, ``lanes`` (context → sentence), ``ranges`` (name → values, labels,
    role, formula, cell, heat map), and ``pages`` with their steps, which refer to ranges by name.
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
                "figures": [
                    {"main": f.main.name, "sides": [m.name for m in f.sides], "lane": f.lane}
                    for f in step.figures
                ],
            }
            for step in page.steps
        ],
    }


def _embedded(content: dict[str, Any]) -> str:
    """JSON escaped for a script element, so that a workbook's text cannot end the element."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def calculation() -> str:
    """The scripts that read, recalculate and write a workbook."""
    return "".join(_asset(f"live/{name}.js") for name in CALCULATION)


def _asset(name: str) -> str:
    return resources.files("xlsxattn.view").joinpath(name).read_text("utf-8")
