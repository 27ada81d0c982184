"""Built exercises: presets, waiting ranges, hidden answers, bad input, personal copies."""

from __future__ import annotations

import json
import re
import stat
import tomllib
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import numpy as np
import pytest
from commands import run
from conftest import THOROUGH
from live import in_workbook
from openpyxl import load_workbook

import xlsxattn
from xlsxattn import exercises, precompute, press, students, templates
from xlsxattn.builder import answer_selection, layout, pages, writer
from xlsxattn.builder import specification as specs
from xlsxattn.checker.finding_kinds import Kind
from xlsxattn.checker.findings import Finding
from xlsxattn.checker.report import Report
from xlsxattn.cli import build_command
from xlsxattn.contract.exercise import RIGHT, WAITING, answered, mark_of, region, region_of
from xlsxattn.contract.names import parse
from xlsxattn.language import language
from xlsxattn.students import StudentsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LEVELS = ("first", "middle", "whole")


def evaluated(spec: specs.Spec, folder: Path) -> Mapping[str, Any]:
    """The values of all formulas of a spec's workbook."""
    book = pages.book(spec)
    return precompute.evaluated(book.title, layout.lay_out(book), folder / "draft.xlsx")


def written(spec: specs.Spec, path: Path) -> Path:
    """The workbook of a spec, with its values, not proved."""
    book = pages.book(spec)
    sheets = layout.lay_out(book)
    values = precompute.evaluated(book.title, sheets, path.with_suffix(".draft.xlsx"))
    writer.write(path, book.title, sheets, values, book.language)
    return path


def asks(template: str, level: str = "middle", *blank: str, **wishes: Any) -> specs.Spec:
    """A template as an exercise."""
    spec = exercises._written_out(specs.load(templates.path(template)), template)
    spec = replace(spec, exercise_table=replace(spec.exercise_table, **wishes))
    asked = answer_selection.exercise(spec, template, level, blank)
    return replace(exercises._in_one_step(spec, asked), exercise=asked)


def test_a_training_has_one_step_or_is_left_out():
    assert "learn" not in {sheet.id for sheet in asks("walkthrough", "middle", "attn_cat_Attention").sheets}
    steps = {sheet.id: getattr(sheet, "steps", 0) for sheet in asks("learning", "whole").sheets}
    assert steps == {"attn": 0, "learn": 1}
    with pytest.raises(
        xlsxattn.SpecError, match="learn_Shown_dQ and attn_cat_Scores cannot be in one exercise"
    ):
        asks("learning", "middle", "attn_cat_Scores", "learn_Shown_dQ")


def shown_numbers(values: Any) -> Iterator[tuple[float, ...]]:
    """Every row and column of numbers in a range, to 6 digits."""
    grid = np.array([[x if isinstance(x, float) else np.nan for x in row] for row in values], float)
    for lines in (grid, grid.T):
        yield from (tuple(line) for line in lines.round(6).tolist())


def holds(line: tuple[float, ...], part: tuple[float, ...]) -> bool:
    return any(line[i : i + len(part)] == part for i in range(len(line) - len(part) + 1))


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
def test_a_backward_pass_is_not_shown_elsewhere(optimizer, tmp_path):
    """Neither its numbers, by rows or columns, nor its formulas; nothing reads the step that waits for it."""
    data = tomllib.loads(templates.path("learning").read_text("utf-8"))
    data["sheets"][1] |= {"optimizer": optimizer, "learns": ["W_Q", "W_K", "W_V"], "weight_decay": 0.1}
    data["sheets"][1]["examples"][0]["target"] = [1, 0.3]
    spec = specs.parse(data, "spec")
    asked = answer_selection.exercise(spec, "spec", "whole")
    assert {parse(name).part for name in asked.answers} >= {"dAttention", "dScaled", "dQ", "dK", "dV", "dW_Q"}
    assert ("learn_Shown_Proposed_W_Q" in asked.answers) == (optimizer == "sgd")
    spec = replace(exercises._in_one_step(spec, asked), exercise=asked)
    plain = replace(spec, exercise=None)
    usual, blank = evaluated(plain, tmp_path), evaluated(spec, tmp_path)
    solved = evaluated(replace(spec, solved=True), tmp_path)
    assert [name for name, values in usual.items() if not alike(solved.get(name, values), values)] == []
    shown = {name: [*shown_numbers(values)] for name, values in blank.items() if name not in asked.answers}
    for answer in asked.answers:
        for row in np.array(usual[answer], float).round(6).tolist():
            odd = len({*row} - {0.0}) > 1
            assert not [
                n for n, lines in shown.items() if odd and any(holds(x, tuple(row)) for x in lines)
            ], answer
        assert blank[answered(answer)] == [[0.0]]
    assert blank["learn_CheckNumeric"] == [[WAITING]]
    operations = {b.parts[0].op.formula for b in pages.book(plain).blocks() if b.name in asked.answers}
    others = [b for b in pages.book(spec).blocks() if b.parts and b.name not in asked.answers]
    assert [b.name for b in others if b.parts[0].op.formula in operations] == []


def alike(one: Any, other: Any) -> bool:
    """Whether two blocks have the same texts and, up to rounding, the same numbers."""
    pairs = zip(np.ravel(np.array(one, object)), np.ravel(np.array(other, object)), strict=True)
    return all(
        abs(a - b) <= 1e-9 * max(1, abs(b)) if isinstance(a, float) and isinstance(b, float) else a == b
        for a, b in pairs
    )


# --- presets -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("template", templates.names())
def test_a_blank_exercise_waits_and_its_solutions_are_the_ordinary_workbook(template, tmp_path):
    more = ("causal", "walkthrough") if THOROUGH else ("causal",)
    ordinary = evaluated(replace(asks(template), exercise=None), tmp_path)
    for level in LEVELS if template in more else ("middle",):
        spec = asks(template, level)
        assert spec.exercise is not None
        blank = evaluated(spec, tmp_path)
        solved = evaluated(replace(spec, solved=True), tmp_path)
        gone = {name for name in ordinary if name not in solved}
        assert all(re.search("_(Cell|FocusBefore|FocusAfter)", name) for name in gone)
        usual = {name: values for name, values in ordinary.items() if name not in gone}
        for name in spec.exercise.answers:
            assert blank[answered(name)] == [[0.0]], name
            assert {value or "" for row in blank[mark_of(name)] for value in row} == {""}, name
            marks = [value for row in solved[mark_of(name)] for value in row if value is not None]
            rows, cols = np.shape(usual[name])
            place = region(spec.exercise.answers[name], rows, cols)
            assert marks == [language(spec.lang).tell(RIGHT)] * place.size, name
        assert blank["xlsxattn_Progress"] == [[0.0]]
        assert solved["xlsxattn_Progress"] == [[1.0]]
        assert [name for name, values in usual.items() if not alike(solved[name], values)] == []
        others = [name for name in usual if name not in spec.exercise.answers]
        waits = [name for name in others if {*np.ravel(np.array(blank[name], object))} == {WAITING}]
        assert len(waits) > len(spec.exercise.answers)
        assert [name for name in others if name not in waits and not alike(blank[name], usual[name])] == []


@pytest.mark.parametrize(("template", "level"), [("walkthrough", "middle"), ("causal", "first")])
def test_the_file_does_not_contain_the_answers(template, level, tmp_path):
    spec = asks(template, level)
    assert spec.exercise is not None
    plain = replace(spec, exercise=None)
    blocks = {block.name: block for block in pages.book(plain).blocks()}
    usual = evaluated(plain, tmp_path)
    with zipfile.ZipFile(written(spec, tmp_path / "blank.xlsx")) as archive:
        text = "\n".join(archive.read(name).decode() for name in archive.namelist() if name.endswith("xml"))
    for name, place in spec.exercise.answers.items():
        assert escape(blocks[name].parts[0].formula.removeprefix("="), {'"': "&quot;"}) not in text
        assert blocks[name].parts[0].formula.removeprefix("=") not in text
        rows, cols = np.shape(usual[name])
        r = region(place, rows, cols)
        asked = np.array(usual[name], float)[r.row : r.row + r.rows, r.col : r.col + r.cols]
        long = [f"{value:.12g}" for value in asked.ravel() if len(f"{value:.12g}".lstrip("-0.")) > 9]
        assert [value for value in long if value in text] == []


def test_no_other_range_shows_how_an_answer_is_computed():
    spec = asks("walkthrough")
    assert spec.exercise is not None
    answers = spec.exercise.answers
    usual = {block.name: block for block in pages.book(replace(spec, exercise=None)).blocks()}
    blank = {block.name: block for block in pages.book(spec).blocks()}
    operations = {usual[name].parts[0].op.formula for name in answers}
    twins = [
        b for b in usual.values() if b.parts and b.parts[0].op.formula in operations and b.name not in answers
    ]
    assert {b.name for b in twins} >= {"attn_cat_Scores", "qkv_keyboard_Attention", "heads_cat_h1_Output"}
    for twin in twins:
        assert twin.parts[0].formula.removeprefix("=") not in blank[twin.name].parts[0].formula, twin.name
    for name in answers:  # words that both sentences have would show its numbers
        assert answered(name) in blank[name.replace("_cat_", "_keyboard_")].parts[0].formula


def test_ranges_that_would_show_an_answer_wait():
    """Computed alike from the same inputs, on another sheet; but not with the weights of a decoder."""
    shown = {block.name: block for block in pages.book(asks("padding")).blocks()}
    assert answered("pad_short_Scores") in shown["both_short_Scores"].parts[0].formula
    assert answered("pad_short_Scores") in shown["both_long_Scores"].parts[0].formula
    assert "_Answered" not in shown["both_short_Mask"].parts[0].formula  # causal, so another mask
    shown = {block.name: block for block in pages.book(asks("reverse")).blocks()}
    assert "_Answered" not in shown["rev_written_l1_h1_Scores"].parts[0].formula


def test_the_dash_is_aligned_like_numbers(tmp_path):
    book = load_workbook(written(asks("causal"), tmp_path / "blank.xlsx"))
    for name, align in (("causal_chase_RowMax", "right"), ("causal_Status", None)):
        ((tab, cells),) = book.defined_names[name].destinations
        first = cells.replace("$", "").partition(":")[0]
        assert book[tab][first].alignment.horizontal == align, name


def test_only_the_scratch_sheet_is_not_protected():
    spec = asks("causal")
    book = pages.book(spec)
    sheets = layout.lay_out(book)
    assert [sheet.id for sheet in sheets if not sheet.protected] == ["scratch"]
    assert not any(sheet.levels for sheet in sheets)


def test_an_examination_has_no_marks(tmp_path):
    values = evaluated(asks("causal", marks=False, hints=False), tmp_path)
    assert not [name for name in values if name.endswith(("_Mark", "_Progress"))]
    assert values[answered("causal_chase_Scores")] == [[0.0]]


def test_points_weigh_the_progress():
    points = {"causal_*_Scores": 3}
    spec = asks("causal", "middle", "causal_chase_Scores", "causal_chase_Scaled", points=points)
    progress = next(b for b in pages.book(spec).blocks() if b.name == "xlsxattn_Progress")
    assert progress.parts[0].formula.startswith("=(3*SUM(--(causal_chase_Scores_Mark=")
    assert progress.parts[0].formula.endswith("/25)/4")


def test_build_ignores_the_table_of_the_exercise():
    plain = specs.load(templates.path("causal"))
    spec = specs.load(templates.path("causal"), {"exercise": {"blank": ["causal_chase_Scores"]}})
    assert spec.exercise_table.blank == ("causal_chase_Scores",)
    one, other = ([*pages.book(each).blocks()] for each in (plain, spec))
    assert [block.name for block in one] == [block.name for block in other]


def test_marks_work_on_the_live_page(tmp_path):
    spec = asks("causal", "middle", "causal_chase_Scores")
    path = written(spec, tmp_path / "blank.xlsx")
    scores = evaluated(replace(spec, exercise=None), tmp_path)["causal_chase_Scores"]
    typed = """
      const area = calculation.area("causal_chase_Scores");
      const cells = request.scores.flatMap((line, i) => line.map((value, j) =>
        ({ sheet: area.sheet, row: area.row + i, col: area.col + j, value })));
      cells[1].value += 0.5;
      calculation.set(cells);
      return ranges();
    """
    names = [mark_of("causal_chase_Scores"), answered("causal_chase_Scores"), "causal_chase_Output"]
    found = in_workbook(path, typed, scores=scores, names=names)
    assert found[names[0]] == [["✓ right", "✗ not yet", *["✓ right"] * 3], *[["✓ right"] * 5] * 4]
    assert found[names[1]] == [[1]]
    assert isinstance(found[names[2]][0][0], float | int)


def test_views_show_marks_without_formulas_and_typed_decimals(tmp_path):
    path = written(asks("causal", "middle", "causal_chase_Mask"), tmp_path / "blank.xlsx")
    seen = xlsxattn.look(path).matrices
    assert seen[mark_of("causal_chase_Mask")].formula == ""
    assert seen[answered("causal_chase_Mask")].formula
    assert seen["causal_chase_Mask"].digits == 2
    assert seen["xlsxattn_Progress"].label == "Right so far"
    assert [seen["xlsxattn_Progress"].text(part) for part in (0.0, 0.365, 1.0)] == ["0%", "37%", "100%"]
    ((tab, cells),) = (book := load_workbook(path)).defined_names["causal_chase_Mask"].destinations
    assert book[tab][cells.replace("$", "").partition(":")[0]].number_format == "General"


def test_a_vocabulary_as_long_as_a_sentence_is_no_matrix_of_its_words(tmp_path):
    """Both ranges have three rows and columns, but no cell of one belongs to the same cell of the other."""
    tokens = {"a": [1.5, 0.0, 2.0], "b": [-0.5, 1.0, 0.3], "c": [0.7, 0.1, -1.0]}
    sheet = {"id": "s", "kind": "self-attention"}
    data = {
        "focus": "a", "vocabulary": {"tokens": tokens}, "contexts": {"one": "b a c"}, "sheets": [sheet]
    }  # fmt: skip
    spec = specs.parse(data, "spec")
    spec = replace(spec, exercise=answer_selection.exercise(spec, "spec", blank=["s_one_X[1]"]), solved=True)
    assert evaluated(spec, tmp_path)[mark_of("s_one_X")][0] == [RIGHT] * 3


# --- bad input ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("blank", "sentence"),
    [
        ("causal_chase_Score", "there is no range 'causal_chase_Score'; did you mean 'causal_chase_Scor"),
        ("vocab_E", "vocab_E cannot be left blank: it holds typed values"),
        ("causal_chase_Entropy", "causal_chase_Entropy cannot be left blank"),
        ("causal_chase_Scores[9]", "causal_chase_Scores has 5 rows and 5 columns"),
        ("causal_chase_Scores[1,6]", "causal_chase_Scores has 5 rows and 5 columns"),
        ("Scores!", "'Scores!' is not the name of a range"),
        ("vocab_*", "vocab_* cannot be left blank: it holds typed values"),
        (5, "there is no range '5'"),
        ("zzz*", "there is no range 'zzz*'; an example is causal_chase_X"),
    ],
)
def test_ranges_that_cannot_be_asked_for(blank, sentence):
    with pytest.raises(xlsxattn.SpecError) as error:
        asks("causal", "middle", blank)
    assert sentence in str(error.value)


def test_a_range_with_two_places_is_refused():
    with pytest.raises(xlsxattn.SpecError, match="is already left blank"):
        asks("causal", "middle", "causal_chase_Scores[1]", "causal_chase_Scores[2]")


def test_points_of_other_ranges_are_refused():
    with pytest.raises(xlsxattn.SpecError, match=r"causal_chase_Scored is not left blank, .*; did you mean"):
        asks("causal", points={"causal_chase_Scored": 2})


def test_errors_name_the_key_of_the_spec():
    with pytest.raises(xlsxattn.SpecError, match=r"causal: exercise\.blank: there is no range 'zzz'"):
        asks("causal", blank=("zzz",))
    with pytest.raises(xlsxattn.SpecError, match=r"vocab_E is not left blank, only causal_chase_Mask, .*, …"):
        asks("causal", "whole", points={"vocab_E": 2})


def test_a_spec_too_large_for_a_spreadsheet_is_refused(monkeypatch):
    monkeypatch.setattr(layout.formulas, "MAX_FORMULA_LENGTH", 9)
    with pytest.raises(xlsxattn.SpecError, match=r"causal: the formula of .* would have"):
        exercises._story(specs.load(templates.path("causal")), "causal")


@pytest.mark.parametrize("solutions", ["missing/s.xlsx", "folder.xlsx", "s.txt", "X.XLSX"])
def test_an_exercise_is_not_written_without_its_solutions(solutions, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.xlsx").mkdir()
    said = run("exercise", "causal", "--level", "first", "-o", "x.xlsx", "--solutions", solutions)
    assert (said.code, len(said.err.strip().splitlines())) == (2, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["folder.xlsx"]


def test_a_wrong_range_is_one_sentence_and_writes_nothing(tmp_path):
    said = run("exercise", "causal", "--blank", "nothing_at_all", "-o", str(tmp_path / "x.xlsx"))
    assert said.code == 2
    assert len(said.err.strip().splitlines()) == 1
    assert said.err.startswith("xlsxattn: causal: ")  # the template, not its file in the package
    assert [*tmp_path.iterdir()] == []


# --- personal copies ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "ids"),
    [
        (b"id,name\na1,Ann\nb2,Bo\n", ["a1", "b2"]),
        ("\ufeffName;ID\nÄnne;a1\nBo;b2\n".encode(), ["a1", "b2"]),
        ("Name;ID\nÄnne;a1\n".encode("cp1252"), ["a1"]),
        ("name\tid\nBo\tb2\n".encode("utf-16"), ["b2"]),
        ("学号,姓名\n7,王\n".encode(), ["7"]),
        ("学号,姓名\n7,王\n".encode("gbk"), ["7"]),
        (b"sep=;\r\nid;name\r\na1;x\r\n", ["a1"]),
        (b"id\ra1\rb2\r", ["a1", "b2"]),
        (b'"Last, first, middle";id\n"x, y, z";a1\n', ["a1"]),
        ("id\ne\u0301\n".encode(), ["é"]),
    ],
)
def test_lists_of_students(content, ids, tmp_path):
    path = tmp_path / "class.csv"
    path.write_bytes(content)
    assert students.read_ids(path) == ids


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"id\na\nA\n", "line 3: the id 'A' is in line 2 already"),
        ("id\né\ne\u0301\n".encode(), "line 3: the id 'é' is in line 2 already"),
        (b"id\n../x\n", "line 2: the id '../x' cannot be the name of a file"),
        (b"id\na/b\n", "cannot be the name of a file"),
        (b"id\nCon\n", "cannot be the name of a file"),
        (b"id\nlpt1.a\n", "cannot be the name of a file"),
        (b"id\na.\n", "cannot be the name of a file"),
        (b"id\n" + b"x" * 65, "cannot be the name of a file"),
        (b"id,name\na,x\n,y\n", "line 3: the id is missing"),
        (b"Ada\nBlaise\n", "line 1: no column is called id: found Ada"),
        ("id\nMüller\n".encode("cp1252"), "the encoding of its ids is unknown"),
        (b"", "is empty"),
        (b'id,name\n"a,b\n', "not a CSV file"),
        (b"id\n" + b"x" * 200_000, "not a CSV file"),
        ("id\n".encode("utf-16")[:-1], "not a CSV file"),
        (b"name,age\nx,3\n", "no column is called id"),
        (b"id\n", "lists 0 students"),
        (b"PK\0\0", "not a CSV file"),
    ],
)
def test_bad_lists_of_students(content, sentence, tmp_path):
    path = tmp_path / "class.csv"
    path.write_bytes(content)
    with pytest.raises(StudentsError) as error:
        students.read_ids(path)
    assert sentence in str(error.value)


def test_a_key_is_created_once_outside_the_folder(tmp_path):
    path, folder = tmp_path / "key", tmp_path / "out"
    key = students.read_key(path, folder)
    assert students.read_key(path, folder) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(StudentsError, match="must not be in"):
        students.read_key(folder / "key", folder)
    (link := tmp_path / "link").symlink_to(folder / "key")
    with pytest.raises(StudentsError, match="must not be in"):
        students.read_key(link, folder)
    with pytest.raises(StudentsError, match="cannot be read or written"):
        students.read_key(tmp_path, folder)
    (loop := tmp_path / "loop").symlink_to(loop)
    with pytest.raises(StudentsError, match="cannot be read or written"):
        students.read_key(loop, folder)
    for text in ("", "secret", "xlsxattn key abcd", "xlsxattn key é"):
        path.write_text(text, "utf-8")
        with pytest.raises(StudentsError, match="not a key"):
            students.read_key(path, folder)


def test_numbers_of_a_copy_follow_from_key_and_id():
    spec = specs.load(templates.path("walkthrough"))
    spec = replace(spec, sheets=tuple(sheet for sheet in spec.sheets if sheet.id == "qkv"))
    key, story = bytes(32), exercises._story(spec, "spec")
    one, again, other = (exercises._varied(spec, "spec", key, who, story) for who in ("a1", "a1", "b2"))
    weights = [
        sheet.weights["W_Q"] for copy in (one, again, other) for sheet in copy.sheets if sheet.id == "qkv"
    ]
    assert weights[0] == weights[1] != weights[2]
    usual = next(sheet.weights["W_Q"] for sheet in spec.sheets if sheet.id == "qkv")
    assert 0 < np.abs(np.array(weights[0]) - np.array(usual)).max() <= 0.2 + 1e-9
    assert one.vocabulary == spec.vocabulary


def test_a_training_starts_from_other_weights_in_each_copy():
    spec = asks("learning", "whole")
    story = exercises._story(spec, "spec")
    copies = [exercises._varied(spec, "spec", bytes(32), who, story) for who in ("a1", "b2")]
    one, other = (copy.sheets[1].matrices["W_Q"] for copy in copies)
    assert one != other


def test_without_weights_the_embeddings_vary():
    spec = specs.load(templates.path("causal"))
    copy = exercises._varied(spec, "spec", bytes(32), "a1", exercises._story(spec, "spec"))
    change = np.abs(np.array(copy.vocabulary.E) - np.array(spec.vocabulary.E))
    assert 0 < change.max() <= 0.3 + 1e-9


def test_a_personal_copy_is_sealed_and_has_no_name(tmp_path):
    (tmp_path / "class.csv").write_text("id,name\na1,Annabelle\n")
    asked = {"level": "first", "force": False}
    (made,) = exercises.personal_copies(
        templates.path("causal"), tmp_path / "class.csv", tmp_path / "key", tmp_path / "out", **asked
    )
    assert made.report.holds
    with zipfile.ZipFile(made.path) as archive:
        text = "".join(archive.read(name).decode() for name in archive.namelist() if name.endswith("xml"))
    assert "Annabelle" not in text
    key = students.read_key(tmp_path / "key", tmp_path / "out")
    assert exercises._digest(key, "seal", "a1").hex() in text
    assert key.hex() not in text


def class_of(folder: Path, *ids: str) -> tuple[Any, ...]:
    (folder / "class.csv").write_text("\n".join(["id", *ids]))
    return templates.path("causal"), folder / "class.csv", folder / "key", folder / "out"


def test_if_a_copy_cannot_be_built_none_is_written(tmp_path, monkeypatch):
    """A new key is not kept either, because the same students would fail again."""
    real = exercises._varied

    def varied(spec, named, key, student, story):
        if student == "b2":
            monkeypatch.setattr(exercises, "MAX_DRAWS", 0)
        return real(spec, named, key, student, story)

    monkeypatch.setattr(exercises, "_varied", varied)
    with pytest.raises(xlsxattn.PressError, match="no numbers of 'b2' keep"):
        exercises.personal_copies(*class_of(tmp_path, "a1", "b2"), level="first")
    assert {path.name for path in tmp_path.rglob("*")} == {"class.csv"}


def test_an_interrupt_leaves_earlier_copies_as_they_were(tmp_path, monkeypatch):
    given = class_of(tmp_path, "a1", "b2")
    key = students.read_key(given[2], given[3])
    monkeypatch.setattr(press, "_drafted", interrupted)
    with pytest.raises(KeyboardInterrupt):
        exercises.personal_copies(*given, level="first")
    assert not given[3].exists()
    assert students.read_key(given[2], given[3]) == key


def test_a_copy_whose_proof_fails_is_the_only_one_that_is_written(tmp_path, monkeypatch):
    def drafted(_book, _sheets, target, draft):
        draft.write_bytes(b"")
        findings = (Finding(Kind.MISSING, "vocab_E"),) if target.stem == "b2" else ()
        return Report(str(draft), (), findings)

    monkeypatch.setattr(press, "_drafted", drafted)
    (failed,) = exercises.personal_copies(*class_of(tmp_path, "a1", "b2", "c3"), level="first")
    assert failed.path == tmp_path / "out/b2.failed.xlsx"
    assert [*(tmp_path / "out").iterdir()] == [failed.path]


def interrupted(*_: Any) -> None:
    raise KeyboardInterrupt


def test_the_hint_after_an_exercise_mentions_green_cells():
    pressed = press.Pressed(Path("x.xlsx"), Report("x.xlsx", (), ()), ("Start",), exercise=True)
    assert "fill in the green cells" in build_command._open(pressed)


def test_the_folder_of_copies_is_created(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    class_of(tmp_path, "a1")
    said = run("exercise", "causal", "--level", "first", "--students", "class.csv", "--key", "key")
    assert (said.code, said.err) == (0, "")
    assert [path.name for path in (tmp_path / "output/causal-exercises").iterdir()] == ["a1.xlsx"]


# --- from Python -------------------------------------------------------------------------------------------


def test_an_exercise_and_its_solutions_are_proved(tmp_path):
    made = xlsxattn.exercise(
        "causal", tmp_path / "x.xlsx", blank=["causal_chase_Scores[2,1]"], solutions=tmp_path / "s.xlsx"
    )
    assert made.report.holds
    assert made.solutions == tmp_path / "s.xlsx"
    solved = xlsxattn.check(tmp_path / "s.xlsx", inputs="as-saved")
    assert solved.answers == {"causal_chase_Scores": "right"}
    names = xlsxattn.look(tmp_path / "x.xlsx").matrices
    assert names[region_of("causal_chase_Scores")].shape == (1, 1)
    manifest = xlsxattn.look(tmp_path / "x.xlsx").manifest.exercise
    assert json.dumps(manifest.data()["answers"]) == '{"causal_chase_Scores": [2, 1]}'
