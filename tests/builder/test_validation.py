"""Data validation of input cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import openpyxl
import pytest
from openxml_audit import OpenXmlValidator

from dev import prebuilt
from xlsxattn.builder import theme
from xlsxattn.checker.reading.book import read

if TYPE_CHECKING:
    from pathlib import Path

POSITIVE, NUMBER = theme.TAKES["positive"][0], theme.TAKES["number"][0]
CLAMPED = ("_Temperature", "_Base", "_Epsilon")


@pytest.fixture(scope="module", params=["en", "zh"])
def made(request, tmp_path_factory) -> tuple[str, Path]:
    """A workbook with a temperature, an epsilon and a base, in each language."""
    path = tmp_path_factory.mktemp("taken") / "llama.xlsx"
    return request.param, prebuilt.build("llama", path, request.param)


def test_numeric_inputs_accept_only_numbers(made):
    lang, path = made
    book = read(path)
    workbook = openpyxl.load_workbook(path)
    rules = [(ws.title, rule) for ws in workbook for rule in ws.data_validations.dataValidation]
    by_name = {}
    for name in book.manifest.inputs:
        area = book.names[name]
        corner = area.address().rpartition("!")[2].split(":")[0]
        found = [rule for tab, rule in rules if tab == area.sheet and corner in rule.sqref]
        assert len(found) == (name not in ("vocab_Tokens", "vocab_Dims")), name
        if found:
            by_name[name] = found[0]
    assert (
        {name for name, rule in by_name.items() if rule.operator == "greaterThan"}
        == {name for name in by_name if name.endswith(CLAMPED)}
        != set()
    )
    for name, rule in by_name.items():
        if name.endswith("_Tokens") or name == "vocab_Focus":
            assert (rule.type, rule.showErrorMessage) == ("list", False)
            continue
        title, words, _ = theme.TAKES["positive" if name.endswith(CLAMPED) else "number"]
        assert (rule.type, rule.errorStyle, rule.showErrorMessage) == ("decimal", "warning", True)
        assert ((rule.errorTitle, rule.error) == (title, words)) is (lang == "en")
        assert len(rule.errorTitle) <= 32  # Excel's limit


def test_the_file_has_no_validation_errors(made):
    assert not OpenXmlValidator().validate(str(made[1])).errors
