"""Precomputed rows of omitted layers are valid only for their words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import checkpoints
import openpyxl
import pytest
from conftest import import_library

from xlsxattn import check, press
from xlsxattn.builder.pages import experiments, first_screen, frame
from xlsxattn.checker.finding_kinds import Kind
from xlsxattn.checker.reading.book import read
from xlsxattn.checker.recalculate import recalculated
from xlsxattn.weights.model import read_model
from xlsxattn.weights.model_spec import spec_of

if TYPE_CHECKING:
    from pathlib import Path

import_library("tokenizers", "models")
SWAPS = (
    *(first_screen.CHANGE_WORD, frame.CHANGE, frame.SENTENCES, frame.VOCABULARY, "Change any number"),
    *(experiments.OTHER_WORD, experiments.MODEL_WORD, experiments.SAME_WORD_PLACED),
    *(experiments.READ_WORD, experiments.READ_TWICE, experiments.NO_LOOK_AHEAD),
)


@pytest.mark.parametrize(
    ("config", "grain"),
    [(checkpoints.BERT, {"layers": "1"}), (checkpoints.GPT2, {"heads": "1.2"})],
    ids=["a layer of bert", "a head of gpt2"],
)
def test_a_swapped_word_is_an_error(config: Any, grain: dict[str, str], tmp_path: Path) -> None:
    folder = checkpoints.write(tmp_path / "tiny", config, checkpoints.draw(config))
    spec = spec_of(read_model(folder, ["w1 w2 w3", "w4"], **grain))
    pressed = press.build(spec, tmp_path / "tiny.xlsx")
    assert pressed.report.holds  # with other words the reference expects ✗
    assert pressed.keeps_words
    book = openpyxl.load_workbook(pressed.path)
    texts = [str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row if cell.value]
    assert not [swap for swap in SWAPS for text in texts if swap in text]
    tab, cells = book.defined_names["s1_Tokens"].attr_text.rsplit("!", 1)
    book[tab.strip("'")][cells.replace("$", "").split(":")[0]] = "w3"
    book.save(pressed.path)
    report = check(pressed.path, inputs="as-saved")
    (found,) = [finding for finding in report.findings if finding.severity == "error"]
    assert (found.kind, found.range, found.found) == (Kind.TYPED_ROWS, "s1_Tokens", "w3")
    assert found.values["words"] == "w1 w2 w3"
    status = recalculated(read(pressed.path), "ironcalc")["xlsxattn_Status"]
    assert status == [["✗ some rows were computed for other words: see “How to read”"]]
