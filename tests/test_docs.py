"""The documentation agrees with the program."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from xlsxattn import press, templates
from xlsxattn.builder import pages
from xlsxattn.builder import specification as spec
from xlsxattn.checker.reading.book import read
from xlsxattn.contract.keys import keys
from xlsxattn.contract.kinds import KINDS, Model

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
CONTRACT = (ROOT / "docs/contract.md").read_text("utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", README, re.DOTALL)


def test_ci_runs_the_test_command_of_the_readme():
    command = "python3 -m venv .venv && .venv/bin/pip install -e '.[test]' && .venv/bin/pytest"
    assert command in [text.strip() for _, text in BLOCKS]
    assert command in (ROOT / ".ci/run").read_text("utf-8").splitlines()


def test_the_readmes_spec_builds_and_proves(tmp_path: Path):
    (text,) = (text for language, text in BLOCKS if language == "toml" and "[vocabulary]" in text)
    source = tmp_path / "bank.toml"
    source.write_text(text, "utf-8")
    assert press.build(source, tmp_path / "bank.xlsx").report.holds


def test_the_readme_lists_every_template():
    for name in templates.names():
        assert f"| `{name}` |" in README


def keys_of(document: str, heading: str) -> set[str]:
    """The keys in the first column of a table that has this heading."""
    table = document[document.index(f"| {heading} |") :].split("\n\n", maxsplit=1)[0]
    return {key for row in table.splitlines()[2:] for key in re.findall(r"`(\w+)`", row.split("|")[1])}


def test_the_documents_list_every_key_of_a_sheet_and_no_other():
    models = {key for kind in KINDS.values() if issubclass(kind, Model) for key in ("kind", *keys(kind))}
    others = {key for kind in KINDS.values() if not issubclass(kind, Model) for key in ("kind", *keys(kind))}
    of_models = keys_of((ROOT / "docs/spec-models.md").read_text("utf-8"), "key")
    assert keys_of((ROOT / "docs/how-to/own-sentences.md").read_text("utf-8"), "key of a sheet") == others
    assert models - others <= of_models <= models


@pytest.mark.parametrize("name", ["walkthrough", "causal"])
def test_every_range_of_a_workbook_is_in_the_contract(name, request: pytest.FixtureRequest):
    book = read(request.getfixturevalue(name))
    ids = {"sheet": {sheet.id for sheet in book.manifest.sheets}, "context": set(book.manifest.contexts)}
    known = set(re.findall(r"`[^`\s]*_(\w+)`", CONTRACT)) | set(re.findall(r"`_(\w+)`", CONTRACT))
    for range_name in book.names:
        parts = [part for part in range_name.split("_") if part not in ids["sheet"] | ids["context"]]
        tail = "_".join(part for part in parts if not re.fullmatch(r"h\d+|vocab|xlsxattn", part))
        for label in ("_Rows", "_Cols"):
            tail = tail.removesuffix(label) if tail.removesuffix(label) in known else tail
        assert tail in known or tail.split("_")[-1] in known, range_name


def test_names_in_the_documentation_exist_in_the_walkthrough():
    book = pages.book(spec.load(templates.path("walkthrough")))
    steps = {block.name.split("_")[-1] for block in book.blocks()}
    page = (ROOT / "docs/how-to/look.md").read_text("utf-8")
    table = page[page.index("| name | holds |") :].split("\n\n")[0]
    masked = {"MaskValue", "Masked"}  # these need a mask, which the walkthrough does not have
    listed = {
        name.split("_")[-1]
        for row in table.splitlines()[2:]
        for name in re.findall(r"`([^`]+)`", row.split("|")[1])
    }
    assert listed - masked <= steps
    assert {"Scores", "Attention", "Output", "E", "Q"} <= listed
