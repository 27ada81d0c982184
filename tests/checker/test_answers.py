"""Exercises are checked by NumPy: right and wrong answers, marks, and ranges that wait for answers."""

from __future__ import annotations

import json
import shutil
import tomllib
from dataclasses import replace
from functools import cache
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from answers import MISTAKES, RIGHT, Answer, enter
from commands import run
from conftest import THOROUGH
from openpyxl import load_workbook
from openpyxl.worksheet.formula import ArrayFormula
from workbooks import evaluate, evaluate_many

from xlsxattn import api, templates
from xlsxattn.checker import check as checking
from xlsxattn.checker.cells import listed
from xlsxattn.checker.finding_kinds import Kind
from xlsxattn.checker.reading.book import read
from xlsxattn.contract import exercise as texts
from xlsxattn.contract.exercise import answered, mark_of, region_of
from xlsxattn.contract.values import ENGINES
from xlsxattn.proof import check

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

PLACE = "dims_cat", "dims"
RANGES = ("Q", "Scores", "Scaled", "Exp", "RowSum", "Attention", "Output")
ASKED = [f"dims_cat_{block}" for block in RANGES]


def built(folder: Path, **exercise: Any) -> tuple[Path, Path]:
    """An exercise on the sheet whose queries have three dimensions, and its solutions."""
    spec = tomllib.loads(templates.path("walkthrough").read_text("utf-8"))
    spec["sheets"] = [sheet for sheet in spec["sheets"] if sheet["id"] == "dims"]
    spec["exercise"] = {"blank": ASKED, "hints": False, **exercise}
    blank, solved = folder / "blank.xlsx", folder / "solved.xlsx"
    made = api.exercise(spec, blank, solutions=solved)
    assert made.report.holds, made.report.every_finding
    return blank, solved


@pytest.fixture(scope="module")
def exercise(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return built(tmp_path_factory.mktemp("formulas"))


@pytest.fixture(scope="module")
def by_hand(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return built(tmp_path_factory.mktemp("numbers"), ask="number", points={"dims_cat_Scores": 3})


def states(path: Path, **options: Any) -> dict[str, str]:
    """The answers of a workbook in which everything else agrees."""
    report = check(path, few=True, **options)
    errors = [f for f in report.every_finding if f.severity == "error" and f.kind is not Kind.WRONG_ANSWER]
    assert not errors, errors
    return {name.removeprefix("dims_cat_"): state for name, state in report.answers.items()}


reading = cache(read)
"""Workbooks that several tests edit are read once."""


def edited(path: Path, out: Path, *changes: Callable[[Any], None]) -> Path:
    """A copy with changes to its book."""
    book = replace(reading(path), workbook=load_workbook(path))
    for change in changes:
        change(book)
    book.workbook.save(out)
    return out


def entered(answer: Answer) -> Callable[[Any], None]:
    return lambda book: enter(book, PLACE, answer)


def typed(block: str, cells: Any) -> Callable[[Any], None]:
    """Type numbers (rows, cols), or one thing into one cell."""

    def change(book: Any) -> None:
        area = book.names[f"dims_cat_{block}"]
        ws = book.workbook[area.sheet]
        values = cells.items() if isinstance(cells, dict) else np.ndenumerate(cells)
        for (i, j), value in values:
            ws.cell(area.row + i + 1, area.col + j + 1).value = value

    return change


def formula(name: str, text: str) -> Callable[[Any], None]:
    """Replace all formulas of a range, also in the manifest."""

    def change(book: Any) -> None:
        area = book.names[name]
        ws = book.workbook[area.sheet]
        for _, row, col in area.cells():
            cell = ws.cell(row + 1, col + 1)
            if isinstance(cell.value, ArrayFormula):
                cell.value = ArrayFormula(cell.value.ref, text)
            elif cell.value is not None:
                cell.value = text

    return change


def copies(
    solved: Path, folder: Path, answers: Sequence[Answer], engine: str, *, apart: bool
) -> Iterator[tuple[Path, list[Answer]]]:
    """Copies with the answers that the engine can compute, for different ranges in each.

    Mistakes are kept `apart`: exchanged weights and exchanged queries, for example, are right together.
    """
    pairs = [[("Q", "Scores"), ("Output",)], [("Scaled",), ("Attention",)]]
    for n, blocks in enumerate(pairs if apart else [[(block,) for block in RANGES]]):
        able = [[a for a in answers if a.range in names and engine in a.engines] for names in blocks]
        for k, row in enumerate(zip_longest(*able)):
            some = [answer for answer in row if answer]
            yield edited(solved, folder / f"{n}-{k}.xlsx", *map(entered, some)), some


def marks(values: Any, block: str) -> set[str]:
    return {str(mark) for row in listed(values[mark_of(f"dims_cat_{block}")]) for mark in row}


def test_a_blank_exercise_is_open_and_a_solved_one_right(exercise: tuple[Path, Path]) -> None:
    blank, solved = exercise
    assert states(blank) == dict.fromkeys(RANGES, "open")
    assert states(solved) == dict.fromkeys(RANGES, "right")
    ended = run("check", blank)
    assert (ended.code, ended.out.splitlines()[-1].split(": ", 1)[1]) == (
        0,
        "exercise: 7 answers, 0 right, 7 open; everything else agrees (ironcalc)",
    )
    file = json.loads(run("check", "--format", "json", solved).out)["files"][0]
    assert (file["exercise"], file["answers"]) == (True, dict.fromkeys(ASKED, "right"))


def test_right_answers_hold_under_other_inputs(
    exercise: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without filling in other answers: those replace the answers of the file, and the same for each copy."""
    monkeypatch.setattr(checking, "_filled_in", lambda _, runs, *__: runs)
    assert len(RIGHT) >= 40
    for path, some in copies(exercise[1], tmp_path, RIGHT, "ironcalc", apart=False):
        assert states(path) == dict.fromkeys(RANGES, "right"), [*map(str, some)]


def test_mistakes_are_wrong(exercise: tuple[Path, Path], tmp_path: Path) -> None:
    assert len(MISTAKES) >= 20
    for path, some in copies(exercise[1], tmp_path, MISTAKES, "ironcalc", apart=True):
        wrong = {answer.range for answer in some}
        assert states(path, inputs="as-saved") == {
            block: "wrong" if block in wrong else "right" for block in RANGES
        }, [*map(str, some)]


def test_every_engine_marks_right_answers_and_mistakes(
    exercise: tuple[Path, Path], tmp_path: Path, engine: str
) -> None:
    third = slice(None) if THOROUGH else slice(ENGINES.index(engine), None, 3)
    for answers, right in ((RIGHT[third], True), (MISTAKES[third], False)):
        (folder := tmp_path / str(right)).mkdir()
        made = [*copies(exercise[1], folder, answers, engine, apart=not right)]
        for values, (_, some) in zip(evaluate_many([path for path, _ in made], engine), made, strict=True):
            for block in RANGES:
                good = right or block not in {answer.range for answer in some}
                assert (marks(values, block) == {texts.RIGHT}) == good, (block, [*map(str, some)])


@pytest.fixture(scope="module")
def rounded(by_hand: tuple[Path, Path]) -> dict[str, Any]:
    """The right answers at two decimals."""
    values = evaluate(by_hand[1], "ironcalc")
    return {block: np.array(values[f"dims_cat_{block}"]).round(2) for block in RANGES}


def test_numbers_typed_at_two_decimals(
    by_hand: tuple[Path, Path], rounded: dict[str, Any], tmp_path: Path, engine: str
) -> None:
    changes = [typed(block, values) for block, values in rounded.items()]
    path = edited(by_hand[0], tmp_path / "typed.xlsx", *changes)
    values = evaluate(path, engine)
    upstream = {"Q", "Scores", "Scaled", "Exp", "RowSum", "Attention"}
    for block in upstream - {"Scores"}:  # sums of products of rounded numbers have larger errors
        assert marks(values, block) == {texts.RIGHT}, block
    assert states(path, engine=engine, inputs="as-saved")["Attention"] == "right"
    off = rounded["Attention"] + 0.03
    path = edited(path, tmp_path / "off.xlsx", typed("Attention", off))
    assert states(path, inputs="as-saved")["Attention"] == "wrong"


def test_answers_that_are_not_numbers_are_marked(
    exercise: tuple[Path, Path], tmp_path: Path, engine: str
) -> None:
    cells = {(0, 0): "0,5", (1, 1): "=1/0", (2, 2): '=""', (3, 3): None}
    path = edited(exercise[1], tmp_path / "typed.xlsx", typed("Scaled", dict.fromkeys(np.ndindex(5, 5), 1.0)))
    path = edited(path, tmp_path / "said.xlsx", typed("Scaled", cells))
    shown = listed(evaluate(path, engine)["dims_cat_Scaled_Mark"])
    assert [shown[i][i] for i in range(5)] == [
        texts.NO_NUMBER,
        texts.ERROR,
        texts.NO_NUMBER,
        texts.BLANK,
        texts.NO_FORMULA,
    ]
    assert states(path, engine=engine, inputs="as-saved") == {
        "Q": "right",
        "Scores": "right",
        "Scaled": "open",
        **dict.fromkeys(("Exp", "RowSum", "Attention", "Output"), "open"),
    }


def test_an_answer_that_waits_is_not_wrong(exercise: tuple[Path, Path], tmp_path: Path) -> None:
    """TRUE is not a number, but results computed from it are."""
    path = edited(exercise[1], tmp_path / "true.xlsx", typed("Scores", {(0, 0): "=TRUE"}))
    right = dict.fromkeys(("Q", "Exp", "RowSum", "Attention", "Output"), "right")
    assert states(path, inputs="as-saved") == {"Scores": "open", "Scaled": "open", **right}


def test_a_wrong_answer_is_a_finding(exercise: tuple[Path, Path], tmp_path: Path) -> None:
    mistake = next(answer for answer in MISTAKES if answer.why == "√d_model instead of √d_k")
    path = edited(exercise[1], tmp_path / "wrong.xlsx", entered(mistake))
    ended = run("check", path)
    assert ended.code == 1
    assert "exercise: 7 answers, 6 right, 1 wrong, 0 open; everything else agrees (ironcalc)" in ended.out
    (finding,) = (f for f in check(path, inputs="as-saved").every_finding if f.severity == "error")
    assert (finding.kind, finding.range, finding.more) == (Kind.WRONG_ANSWER, "dims_cat_Scaled", 24)


def test_an_answer_right_only_for_the_saved_inputs_is_wrong(
    exercise: tuple[Path, Path], tmp_path: Path
) -> None:
    """The mark in the file is right for the reader's inputs; the check tries others."""
    right = np.array(evaluate(exercise[1], "ironcalc")["dims_cat_Scaled"])
    numbers = np.vectorize(lambda x: f"={x!r}", otypes=[object])(right)
    path = edited(exercise[1], tmp_path / "numbers.xlsx", typed("Scaled", numbers))
    assert marks(evaluate(path, "ironcalc"), "Scaled") == {texts.RIGHT}
    assert states(path)["Scaled"] == "wrong"
    assert states(path, inputs="as-saved")["Scaled"] == "right"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (mark_of("dims_cat_Scaled"), '="✓ right"'),
        (answered("dims_cat_Scores"), "=1"),
        ("xlsxattn_Progress", "=1"),
        ("dims_cat_RowMax", "=MAX(dims_cat_Scaled)"),
        ("dims_cat_AttentionSum", "=1"),
        ("dims_Status", '="✓ every row sums to 1"'),
    ],
)
def test_changed_marks_and_readers_are_found(
    exercise: tuple[Path, Path], tmp_path: Path, name: str, text: str
) -> None:
    for n, source in enumerate(exercise):
        path = edited(source, tmp_path / f"{n}.xlsx", formula(name, text))
        report = check(path, few=True)
        assert not report.holds
        assert name in {finding.range for finding in report.every_finding}


def test_the_name_of_asked_cells_is_checked(exercise: tuple[Path, Path], tmp_path: Path) -> None:
    book = load_workbook(exercise[0])
    book.defined_names[region_of("dims_cat_Scaled")].value = book.defined_names["dims_cat_RowMax"].value
    book.save(path := tmp_path / "moved.xlsx")
    report = check(path, inputs="as-saved")
    assert (Kind.MOVED, region_of("dims_cat_Scaled")) in {(f.kind, f.range) for f in report.every_finding}


@pytest.mark.parametrize(
    "damage",
    [{"answers": {}}, {"answers": {"R": [0]}}, {"ask": "x"}, {"decimals": 99}, {"points": {"R": 0}}],
)
def test_a_damaged_exercise_is_refused(damage: dict[str, Any]) -> None:
    data = texts.Exercise({"R": (3, 1)}, points={"R": 2}).data()
    assert texts.parsed(data).data() == data
    with pytest.raises(ValueError, match="answers"):
        texts.parsed({**data, **damage})


def test_a_part_of_a_range(tmp_path: Path) -> None:
    blank, solved = built(tmp_path, blank=["dims_cat_Scores[3,1]", "dims_cat_Attention[2]"], ask="either")
    assert states(blank) == {"Scores": "open", "Attention": "open"}
    half = shutil.copyfile(solved, tmp_path / "half.xlsx")
    half = edited(half, tmp_path / "typed.xlsx", typed("Scores", {(2, 0): None}))
    assert states(half) == {"Scores": "open", "Attention": "open"}
