"""Trainings are proved with some sets of inputs; then the other sheets with others, without the trainings."""

from pathlib import Path

import pytest

from xlsxattn.checker.check import check
from xlsxattn.checker.finding_kinds import Kind
from xlsxattn.checker.perturb import perturbed
from xlsxattn.checker.reading.book import read
from xlsxattn.checker.without_trainings import is_trained, without_trainings


def test_what_is_computed_from_a_training_is_left_out(learning):
    book = read(learning)
    rest = without_trainings(book)
    assert is_trained(book)
    assert not is_trained(rest)
    assert {"learn_Loss", "learn_cat_Trained", "xlsxattn_Status"} <= rest.left_out
    assert {"attn_cat_Scores", "xlsxattn_cat_Says", "vocab_Status"}.isdisjoint(rest.left_out)
    assert rest.manifest.inputs
    assert rest.left_out.isdisjoint((*rest.manifest.inputs, *rest.manifest.formulas))


@pytest.mark.parametrize(
    ("name", "fault", "late"),
    [
        ("attn_cat_Scores", "*(SUMSQ(vocab_E)>0.01)", True),  # small numbers are tried without the training
        ("learn_Ids", '*(vocab_Focus<>"")', False),
    ],
)
def test_a_fault_that_only_other_inputs_reveal_is_found(
    learning: Path, tmp_path: Path, name: str, fault: str, *, late: bool
) -> None:
    book = read(learning)
    area = book.names[name]
    cell = book.workbook[area.sheet].cell(area.row + 1, area.col + 1)
    if isinstance(cell.value, str):
        cell.value += fault
    else:
        cell.value.text += fault
    book.workbook.save(wrong := tmp_path / "wrong.xlsx")
    report = check(wrong)
    values = [finding for finding in report.every_finding if finding.kind is Kind.VALUE]
    assert values[0].range == name
    assert (values[0].round > len(perturbed(book))) is late
    assert next(r for r in report.runs[0].results if r.range == name).verdict == "differs"
