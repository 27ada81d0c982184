"""The reference pages, made from the code: keys of a spec, ranges, commands; and the gallery's page."""

from __future__ import annotations

import json
import re
from html import escape
from typing import TYPE_CHECKING, Any

import click

from dev.gallery.pictures import card
from xlsxattn import templates
from xlsxattn.checker.findings import Kind
from xlsxattn.cli.commands import cli
from xlsxattn.contract.kinds import KINDS, Compare
from xlsxattn.spec_schema import schema
from xlsxattn.view.look import look
from xlsxattn.view.steps import pages

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from xlsxattn.view.look import OpenWorkbook

MADE = "<!-- made by `python -m dev.gallery`: change the code, not this page -->"
OUTPUT = "https://github.com/xlsxattn/xlsxattn/blob/main/output"
"""Where the ready workbooks are: the site has the pictures only."""
WIDTH = 100
TYPES = {
    "string": "a text",
    "boolean": "true or false",
    "number": "a number above 0",
    "array": "a list",
    "object": "a table",
}


def write(root: Path, fresh: Mapping[str, Path]) -> None:
    """Write every page anew."""
    for name, text in _pages(fresh).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")


def stale(root: Path, fresh: Mapping[str, Path]) -> Iterator[str]:
    """A sentence for every page that is not what the code says now."""
    for name, text in _pages(fresh).items():
        place = root / name
        if not place.is_file() or place.read_text("utf-8") != text:
            yield f"{name}: it is not what the code says now"


def _pages(fresh: Mapping[str, Path]) -> dict[str, str]:
    return {
        "docs/reference/spec.md": spec_page(),
        "docs/reference/ranges.md": ranges_page({name: look(path) for name, path in fresh.items()}),
        "docs/reference/commands.md": commands_page(),
        "docs/reference/findings.md": findings_page(),
        "docs/reference/spec.schema.json": json.dumps(schema(), ensure_ascii=False, indent=1) + "\n",
        "docs/gallery.md": gallery_page(),
    }


# --- the keys of a spec ------------------------------------------------------------------------------------


def spec_page() -> str:
    """Every key of a spec and of each kind of sheet, with what it may be, its default and its meaning."""
    lines = [MADE, "# Keys of a spec", ""]
    lines += [
        "What a whole spec looks like, the pages on [your own sentences](../how-to/own-sentences.md) and on"
    ]
    lines += ["[models](../spec-models.md) show. Editors take [the schema](spec.schema.json).", ""]
    spec = schema()
    lines += ["## The spec", "", *_table(spec)]
    lines += ["", "## `[vocabulary]`", "", *_table(spec["definitions"]["vocabulary"])]
    for kind in KINDS:
        sheet = spec["definitions"][kind]
        lines += ["", f'## `kind = "{kind}"`', "", sheet["description"], "", *_table(sheet)]
        for key, node in sheet["properties"].items():
            if node.get("items", {}).get("type") == "object":
                lines += ["", f"### `[[sheets.{key}]]`", "", *_table(node["items"])]
    return "\n".join(lines) + "\n"


def _table(table: Mapping[str, Any]) -> Iterator[str]:
    yield "| key | may be | default | means |"
    yield "|---|---|---|---|"
    for key, node in table["properties"].items():
        default = f"`{json.dumps(node['default'])}`" if "default" in node else ""
        default = "needed" if key in table.get("required", ()) else default
        yield f"| `{key}` | {_may_be(node)} | {default} | {node['description']} |"


def _may_be(node: Mapping[str, Any]) -> str:
    if options := node.get("enum", [node["const"]] if "const" in node else []):
        return ", ".join(f"`{option}`" for option in options)
    if "exclusiveMaximum" in node or (node.get("type") == "number" and "minimum" in node):
        below = "below " if "exclusiveMaximum" in node else ""
        return f"a number from {node['minimum']:g} to {below}{node.get('exclusiveMaximum', node.get('maximum')):g}"
    if node.get("items", {}).get("type") == "object":
        return "tables"
    if "$ref" in node:
        return {"row": "a list", "sentence": "a text, or a list of words"}[node["$ref"].rpartition("/")[2]]
    if "anyOf" in node:
        return ", or ".join(_may_be(each) for each in node["anyOf"])
    if node.get("type") == "integer":
        most = f" to {node['maximum']}" if "maximum" in node else ""
        return f"a whole number from {node['minimum']}{most}"
    named = {"id": "an id", "word": "a word", "weights": "a table, or a file's name", "vocabulary": "a table"}
    named["sentence"] = "a text, or a list of words"
    if "allOf" in node:
        return named[node["allOf"][0]["$ref"].rpartition("/")[2]]
    if "enum" in node.get("items", ()):
        return f"a list of some of {_may_be(node['items'])}"
    return TYPES.get(node["type"], "")


# --- the ranges of workbooks -------------------------------------------------------------------------------


def ranges_page(seen: Mapping[str, OpenWorkbook]) -> str:
    """Every kind of range that the templates' workbooks have, with its step and its formula."""
    rows: dict[str, tuple[str, list[str], list[str]]] = {}
    for template, book in seen.items():
        for name, heading, formula in _ranges(book):
            step, formulas, where = rows.setdefault(name, (heading, [], []))
            if formula not in formulas:
                formulas.append(formula)
            if template not in where:
                where.append(template)
            rows[name] = (step or heading, formulas, where)
    lines = [MADE, "# Ranges", ""]
    lines += [
        "All that the workbooks of the templates hold, as the workbooks themselves say. What each holds is in"
    ]
    lines += ["[the contract](../contract.md).", "", "| range | step | formula | in |", "|---|---|---|---|"]
    for name, (step, formulas, where) in sorted(rows.items()):
        said = "<br>".join(
            f"`{_cell(formula)}`" if "(" in formula or "=" in formula else formula for formula in formulas
        )
        seen_in = where[0] if len(where) == 1 else f"{where[0]} and {len(where) - 1} more"
        lines.append(f"| `{name}` | {_cell(step)} | {said} | {seen_in} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    """A text that can stand in a table."""
    return text.replace("|", "\\|")


def _ranges(book: OpenWorkbook) -> Iterator[tuple[str, str, str]]:
    """Name, heading and formula of every range, with ids in place of the template's own."""
    sheets = {
        info.id: "<compare>" if info.kind == Compare.kind else "<sheet>" for info in book.manifest.sheets
    }
    ids = {**sheets, **dict.fromkeys(book.manifest.contexts, "<context>")}
    headings = {
        m.name: step.title
        for page in pages(book)
        for step in page.steps
        for figure in step.figures
        for m in (figure.main, *figure.sides)
    }
    for name, matrix in book.matrices.items():
        formula = re.sub(r"[A-Za-z]\w*_\w+", lambda found: _general(found[0], ids), matrix.formula)
        heading = re.sub(r"^Head \d+: ", "", headings.get(name, ""))
        yield (
            _general(name, ids),
            heading,
            re.sub(r'(&" "&[^&]+\[\d+\])+', '&" "&...', formula) or matrix.role,
        )


def _general(name: str, ids: Mapping[str, str]) -> str:
    numbered = {"h": "h<k>", "l": "l<n>", "g": "g<j>"}
    parts = [
        ids.get(part) or (numbered[part[0]] if re.fullmatch(r"[hlg]\d+", part) else part)
        for part in name.split("_")
    ]
    return "_".join(parts)


# --- the commands ------------------------------------------------------------------------------------------


def commands_page() -> str:
    """The help of every command, as it prints it."""
    lines = [MADE, "# Commands", ""]
    lines += [
        "Results go to standard output, messages to standard error. Exit codes: 0 done, or all holds; 1 a"
    ]
    lines += [
        "proof failed, or there are findings; 2 bad input, or an engine that is missing; 130 interrupted."
    ]
    lines += ["`NO_COLOR` leaves out colours and bold.", ""]
    top = click.Context(cli, info_name="xlsxattn", terminal_width=WIDTH, max_content_width=WIDTH)
    lines += ["```text", cli.get_help(top), "```"]
    for name, command in sorted(cli.commands.items()):
        ctx = click.Context(command, top, info_name=name, terminal_width=WIDTH, max_content_width=WIDTH)
        lines += ["", f"## xlsxattn {name}", "", "```text", command.get_help(ctx), "```"]
    return "\n".join(lines) + "\n"


# --- the findings ----------------------------------------------------------------------------------------


def findings_page() -> str:
    """Every kind of finding: its identifier, how severe it is, what it is about, what it says."""
    lines = [MADE, "# Findings", ""]
    lines += [
        "What `xlsxattn check` may find. The kind is the same in every language and format. A warning may be"
    ]
    lines += [
        "an error in some places: another formula is one where values differ because of it.",
        "",
        "| kind | severity | about | says |",
        "|---|---|---|---|",
    ]
    for kind in Kind:
        says = "; or<br>".join(escape(sentence.replace("!r}", "}")) for sentence in kind.sentences)
        lines += [f"| `{kind}` | {kind.severity} | {kind.about.name.lower()} | {says} |"]
    return "\n".join(lines) + "\n"


# --- the gallery -------------------------------------------------------------------------------------------


def gallery_page() -> str:
    """Every template's workbook: the top of its first computing sheet, the whole sheet, and the file."""
    lines = [MADE, "# Gallery", ""]
    lines += [
        "A workbook of every template, as `xlsxattn build` makes it, ready to be opened. Each picture shows"
    ]
    lines += ["the top of its first computing sheet, or of a model's outcome, as LibreOffice prints it."]
    for name in templates.names():
        shown = f"The top of a sheet of {name}: {templates.title(name)}".replace('"', "'")
        lines += ["", f"## {name}", "", f"{templates.title(name)}: [the workbook]({OUTPUT}/{name}.xlsx),"]
        lines += [f"[the whole sheet]({OUTPUT}/{name}.png).", ""]
        lines += [f"![{shown}]({card(name).removeprefix('docs/')})"]
    return "\n".join(lines) + "\n"
