"""Every text of a command can be translated.

The commands run in a language that marks every text and leaves the values in it outside the marks. What is
then left without a mark are names, numbers, and what a person or another program has written.
"""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
from commands import run
from marks import marked, unmarked
from source_texts import described

from dev import prebuilt
from xlsxattn import spec_schema, templates
from xlsxattn.cli.commands import cli
from xlsxattn.cli.language import translated, use_language
from xlsxattn.language import Language

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def book(tmp_path_factory) -> Path:
    """A workbook whose tabs have no English words."""
    return prebuilt.build("causal", tmp_path_factory.mktemp("zh") / "book.xlsx", "zh")


@pytest.fixture(scope="module")
def faulty(book) -> Path:
    """The workbook with a number in place of a formula."""
    changed = openpyxl.load_workbook(book)
    tab, cell = next(iter(changed.defined_names["causal_Scale"].destinations))
    changed[tab][cell.replace("$", "")] = 3
    changed.save(path := book.with_name("faulty.xlsx"))
    return path


@pytest.fixture
def here(tmp_path, monkeypatch, book, faulty) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "book.xlsx").write_bytes(book.read_bytes())
    (tmp_path / "faulty.xlsx").write_bytes(faulty.read_bytes())
    (tmp_path / "not.xlsx").write_bytes(b"no")
    (tmp_path / "folder.xlsx").mkdir()
    for name, text in SPECS.items():
        (tmp_path / f"{name}.toml").write_text(text, "utf-8")
    return tmp_path


WORDS = "[vocabulary.tokens]\na = [1.0]\nsea = [2.0]\n"
SPECS = {
    "half": 'title = "a',
    "bare": "title\n",
    "twice": "[sheets]\n[sheets]\n",
    "open": "sheets = [1,",
    "control": 'title = "\x01"',
    "key": "lenght = 3  # length\n",
    "kind": f'{WORDS}[contexts]\na = "a"\n[[sheets]]\nid = "x"\nkind = "magic"\n',
    "heads": f'{WORDS}[contexts]\na = "a"\n[[sheets]]\nid = "x"\nweights = {{W_O = [[1.0]]}}\n',
    "word": f'{WORDS}[contexts]\na = "see"\n[[sheets]]\nid = "x"\n',
    "vectors": '[vocabulary]\nfrom = "none.txt"\n[contexts]\na = "a"\n[[sheets]]\nid = "x"\n',
}
COMMANDS = (
    *("--help", "--version", "", "nonsense", "buidl", "--nonsense"),
    *(f"{name} --help" for name in cli.commands),
    *("templates", "new causal", "new causal a.txt", "new casual", "new causal half.toml"),
    *(
        "build casual",
        "build nonsense",
        "build none.toml",
        "build folder.xlsx/x.toml",
        "build book.xlsx/a.toml",
    ),
    *(f"build {name}.toml" for name in SPECS),
    *("build", "build causal more", "build causal -o a.txt", "build causal -o none/a.xlsx"),
    *("build causal -o folder.xlsx", "build causal -o half.toml/a.xlsx", "build causal -o faulty.xlsx"),
    *("build causal -o a.xlsx -v --lang zh", "build causal --explain much", "build causal -o"),
    *(
        "check book.xlsx -v",
        "check book.xlsx none.xlsx",
        "check not.xlsx",
        "check folder.xlsx",
        "check faulty.xlsx",
    ),
    *("check faulty.xlsx --strict book.xlsx --inputs as-saved", "check book.xlsx --engine saved", "check"),
    *("check faulty.xlsx none.xlsx --format github", "check faulty.xlsx --engine saved"),
    *(
        "show book.xlsx",
        "show book.xlsx --list",
        "show book.xlsx causal_chase_Score",
        "show book.xlsx nonsense",
    ),
    *("show none.xlsx", "show faulty.xlsx", "preview none.xlsx", "preview book.xlsx -o a.txt"),
    *(
        "preview book.xlsx",
        "preview book.xlsx -o a.html --sheet causal",
        "preview book.xlsx -o a.png --sheet none",
    ),
    *("preview book.xlsx -o none/a.html", "completion", "completion tcsh"),
    *(
        "import none --sentence a",
        "import not.xlsx --sentence a",
        "import . --sentence a --write 99",
        "import x",
    ),
)


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("line", COMMANDS)
def test_every_text_of_a_command_is_translated(line):
    ended = marked(*shlex.split(line))
    typed = line, templates.path("causal").read_text("utf-8"), *SPECS.values()
    out = re.sub(r"\{=[^{}]*\}", " ", ended.out)  # a formula may be wrapped
    assert unmarked(out, *typed) == [], ended.out
    assert unmarked(ended.err, *typed) == [], ended.err
    assert "⟦" in ended.out + ended.err or line == "--version"


@pytest.mark.usefixtures("here")
def test_untranslated_texts_are_found(monkeypatch):
    monkeypatch.setattr("xlsxattn.cli.build_command.tell", str)
    assert unmarked(marked("new", "causal", "a.txt").err) == ["spec", "name", "must", "end"]


@pytest.mark.usefixtures("here")
def test_a_missing_engine_is_reported_translated(monkeypatch):
    monkeypatch.setenv("PATH", "")
    ended = marked("check", "book.xlsx", "--engine", "gnumeric")
    assert ended.code == 2
    assert set(unmarked(ended.err)) <= {"ssconvert", "gnumeric"}


@pytest.mark.parametrize("style", ["json", "junit"])
@pytest.mark.usefixtures("here")
def test_messages_in_machine_readable_reports_are_translated(style):
    out = marked("check", "faulty.xlsx", "none.xlsx", "--format", style).out
    if style == "json":
        files = json.loads(out)["files"]
        messages = [one["message"] for one in files] + [
            f["message"] for one in files for f in one["findings"]
        ]
    else:
        messages = re.findall('message="([^"]*)"', out)
    assert len(messages) > 10
    assert [text for text in messages if unmarked(text) or (text and "⟦" not in text)] == []


def test_the_schema_is_described_in_every_language():
    kept = {"kind", "title", "id"}
    theirs, ours = list(described(spec_schema.schema("zh"))), list(described(spec_schema.schema()))
    assert len(theirs) == len(ours)
    assert not set(theirs) & set(ours) - kept
    assert json.loads(run("schema", "--lang", "zh").out) == spec_schema.schema("zh")
    assert _bare(spec_schema.schema("zh")) == _bare(spec_schema.schema())


def _bare(node: Any) -> Any:
    if isinstance(node, list):
        return [_bare(one) for one in node]
    if not isinstance(node, dict):
        return node
    told = ("description", "title") if "$schema" in node else ("description",)
    return {key: _bare(one) for key, one in node.items() if not (key in told and isinstance(one, str))}


@pytest.mark.parametrize("usage", ["用法：", "Uzo: "])
def test_the_usage_is_followed_by_a_space_except_in_wide_characters(usage):
    chosen = Language("xx", {"Usage:": usage.rstrip()})
    with use_language(chosen):
        command = translated(cli, chosen)
        shown = command.get_help(command.context_class(command, info_name="xlsxattn"))
    assert shown.startswith(f"{usage}xlsxattn")
