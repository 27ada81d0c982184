"""The comparison of values, its tolerances and findings, with hand-computed values."""

from __future__ import annotations

import math

import numpy as np
import pytest

from xlsxattn.checker.cells import Area, CellError
from xlsxattn.checker.compare import compare, decidable, distance, tolerance
from xlsxattn.checker.finding_kinds import Kind
from xlsxattn.checker.reference.attention import Expected

INFINITY = math.inf


def wanted(*rows, kind="number", **more) -> Expected:
    values = np.array(rows, dtype=float if kind == "number" and not _texts(rows) else object)
    return Expected(values, kind, **more)


def _texts(rows) -> bool:
    return any(isinstance(value, str) for row in rows for value in row)


def run(expected: Expected, *rows, name="s_c_Scores"):
    """The result and the findings of a range at Sheet!C5."""
    area = Area("Sheet", 4, 2, len(rows), len(rows[0]))
    ((result, findings),) = compare({name: expected}, {name: area}, {name: [list(row) for row in rows]})
    return result, findings


# --- tolerances --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("magnitude", "amplification", "allowed"),
    [
        (1.0, 1.0, 1e-12),
        (8.0, 1.0, 8e-12),
        (8.0, 50.0, 8e-12),  # below 100 the scores' size does not count
        (8.0, 100.0, 8e-12),
        (8.0, 500.0, 4e-11),
        (0.25, 1e6, 2.5e-9),
        (1e-290, 1.0, 1e-302),
    ],
)
def test_the_tolerance_is_1e_12_of_the_largest_sum_times_m_over_100(magnitude, amplification, allowed):
    found = tolerance(wanted([1.0], magnitude=magnitude, amplification=amplification))
    assert found == pytest.approx(allowed, rel=1e-15)


@pytest.mark.parametrize(
    ("magnitude", "amplification", "said"),
    [
        (1.0, 1.0, True),
        (1.0, 0.999e8, True),  # 1e-12 × 1e8 / 100 = 1e-6
        (1.0, 1.001e8, False),
        (1e300, 1.0, True),  # relative to the range's size
        (1.0, INFINITY, False),
        (INFINITY, 1.0, False),
    ],
)
def test_above_one_in_a_million_it_is_not_decidable(magnitude, amplification, said):
    assert decidable(wanted([1.0], magnitude=magnitude, amplification=amplification)) == said


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("amplification", "allowed"), [(1.0, 8e-12), (500.0, 4e-11), (5e7, 4e-6)])
def test_a_cell_just_within_the_tolerance_holds_and_one_just_beyond_is_found(amplification, allowed, sign):
    expected = wanted([0.0, 0.5], [0.25, 0.0], magnitude=8.0, amplification=amplification)
    result, findings = run(expected, [0.0, 0.5], [0.25, sign * 0.999 * allowed])
    assert (result.verdict, findings) == ("ok", [])
    assert result.error == pytest.approx(0.999 * allowed)
    assert result.allowed == pytest.approx(allowed)

    result, (finding,) = run(expected, [0.0, 0.5], [0.25, sign * 1.001 * allowed])
    assert result.verdict == "differs"
    assert (finding.kind, finding.range, finding.cell) == (Kind.VALUE, "s_c_Scores", "Sheet!D6")
    assert (finding.found, finding.expected) == (sign * 1.001 * allowed, 0.0)


def test_a_range_has_one_tolerance_for_all_cells():
    expected = wanted([1000.0, 1e-9], magnitude=1000.0)
    assert run(expected, [1000.0, 1e-9 + 0.9e-9])[1] == []
    assert len(run(expected, [1000.0, 1e-9 + 1.1e-9])[1]) == 1


def test_a_cell_as_expected_has_no_error_and_every_wrong_cell_is_found():
    expected = wanted([1.0, 2.0], [3.0, 4.0])
    result, findings = run(expected, [1.0, 2.0], [3.0, 4.0])
    assert (result.error, result.verdict, result.shape, result.tab) == (0.0, "ok", (2, 2), "Sheet")
    result, findings = run(expected, [1.5, 2.0], [5.0, 4.0])
    assert [finding.cell for finding in findings] == ["Sheet!C5", "Sheet!C6"]
    assert result.error == 2.0


# --- minus infinity ----------------------------------------------------------------------------------------


def test_minus_infinity_is_compared_exactly_and_does_not_widen_the_tolerance():
    expected = wanted([-1e300, 2.0], magnitude=2.0)
    assert run(expected, [-1e300, 2.0])[1] == []
    nearly = np.nextafter(-1e300, 0.0)
    for wrong in (float(nearly), -1e299, 0.0, 1e300, -INFINITY):
        result, findings = run(expected, [wrong, 2.0])
        assert [finding.cell for finding in findings] == ["Sheet!C5"]
        assert result.error == INFINITY
    assert len(run(expected, [-1e300, 2.0 + 1e-11])[1]) == 1


def test_minus_infinity_where_a_number_belongs_is_found_however_large_the_range():
    assert distance(-1e300, 2.0, "number") == INFINITY
    assert len(run(wanted([-1e299], magnitude=1e300), [-1e300])[1]) == 1


# --- cells that hold no number -----------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["1", "", "–", True, False, math.nan, INFINITY, -INFINITY, 1])
def test_only_finite_numbers_are_accepted(value):
    assert distance(value, 1.0, "number") == INFINITY
    result, (finding,) = run(wanted([1.0]), [value])
    assert (result.verdict, finding.kind) == ("differs", Kind.VALUE)


def test_an_empty_cell_is_found_where_a_number_belongs():
    result, (finding,) = run(wanted([0.0]), [None])
    assert (result.verdict, finding.kind, finding.found) == ("differs", Kind.EMPTY, None)


def test_empty_cells_are_accepted_only_where_the_contract_allows_them():
    expected = wanted([1.0], [2.0], [3.0], blank_ok=True)
    assert run(expected, [1.0], [None], [3.0])[1] == []
    _, findings = run(expected, [1.0], [None], [2.0])
    assert [finding.cell for finding in findings] == ["Sheet!C7"]
    assert len(run(expected, [1.0], [""], [3.0])[1]) == 1


@pytest.mark.parametrize("kind", ["number", "text", "mark"])
def test_an_error_value_is_found_in_any_range(kind):
    right = {"number": 1.0, "text": "#N/A", "mark": "✓"}[kind]
    result, (finding,) = run(wanted([right], kind=kind), [CellError("#N/A")])
    assert (result.verdict, finding.kind, finding.found) == ("differs", Kind.ERROR_VALUE, "#N/A")


# --- texts -------------------------------------------------------------------------------------------------


def test_texts_are_compared_case_sensitively():
    expected = wanted(["us", "US"], kind="text")
    assert run(expected, ["us", "US"])[1] == []
    _, findings = run(expected, ["US", "US "])
    assert [finding.cell for finding in findings] == ["Sheet!C5", "Sheet!D5"]


def test_a_cell_without_text_is_an_empty_text():
    expected = wanted([""], kind="text")
    assert run(expected, [None])[1] == []
    assert run(expected, [""])[1] == []
    assert len(run(wanted(["a"], kind="text"), [None])[1]) == 1


@pytest.mark.parametrize(("value", "text"), [(0.0, ""), (False, ""), (1.0, "1"), (True, "TRUE"), (-0.0, "")])
def test_a_number_is_no_text_and_zero_is_not_empty(value, text):
    assert distance(value, text, "text") == INFINITY


def test_a_text_that_looks_like_an_error_is_a_text():
    assert run(wanted(["#N/A"], kind="text"), ["#N/A"])[1] == []


def test_a_cosine_is_a_number_or_a_dash():
    number, dash = Expected(np.array([[0.5]], dtype=object), "number"), wanted(["–"])
    assert run(number, [0.5])[1] == []
    assert run(dash, ["–"])[1] == []
    assert len(run(number, ["–"])[1]) == 1
    for wrong in (0.0, 1.0, None, "-", ""):
        assert len(run(dash, [wrong])[1]) == 1


# --- marks -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["✓", "✓ every row sums to 1", "✓ jede Zeile ergibt 1"])
def test_a_mark_is_its_first_character(text):
    assert run(wanted(["✓"], kind="mark"), [text])[1] == []
    _, (finding,) = run(wanted(["✗"], kind="mark"), [text])
    assert (finding.kind, finding.values) == (Kind.VALUE, {"mark": "✗"})


@pytest.mark.parametrize("value", [None, "", " ✓", "yes", 1.0, True, CellError("#VALUE!")])
def test_other_values_are_not_marks(value):
    assert len(run(wanted(["✓"], kind="mark"), [value])[1]) == 1


# --- not decidable -----------------------------------------------------------------------------------------


def test_numbers_are_undecided_if_rounding_explains_the_difference():
    result, findings = run(wanted([1.0, 0.0], amplification=1e9), [0.0, 1.0])
    assert (result.verdict, findings) == ("not decidable", [])


@pytest.mark.parametrize("amplification", [1e9, INFINITY])
@pytest.mark.parametrize("value", [math.nan, INFINITY, CellError("#NUM!"), None, "abc", "", "–", True])
def test_non_numbers_are_wrong_at_any_magnitude(value, amplification):
    result, (finding,) = run(wanted([1.0, 0.0], amplification=amplification), [value, 0.0])
    assert (result.verdict, finding.cell) == ("differs", "Sheet!C5")


def test_a_cosine_that_cannot_be_decided_may_be_a_dash_but_no_other_text():
    unsure = Expected(np.array([[0.5]], dtype=object), "number", amplification=INFINITY)
    assert run(unsure, ["–"])[0].verdict == run(unsure, [0.9])[0].verdict == "not decidable"
    assert run(unsure, ["abc"])[0].verdict == "differs"


def test_a_mark_that_cannot_be_decided_must_still_be_a_mark():
    unsure = wanted(["✓"], kind="mark", amplification=INFINITY)
    assert run(unsure, ["✗ a row does not sum to 1"])[0].verdict == "not decidable"
    for value in ("", "yes", 1.0, None):
        assert run(unsure, [value])[0].verdict == "differs"


# --- lower triangles, chosen words, coarse engines ---------------------------------------------------------


def test_only_cells_right_of_the_diagonal_must_be_blank():
    triangle = wanted([1.0, math.nan], [2.0, 3.0])
    assert run(triangle, [1.0, None], [2.0, 3.0])[1] == []
    assert run(triangle, [1.0, ""], [2.0, 3.0])[1] == []
    for value in (0.0, -1e300, "x", True, 1e-300, math.nan):
        result, (finding,) = run(triangle, [1.0, value], [2.0, 3.0])
        assert (result.verdict, finding.kind, finding.cell) == ("differs", Kind.VALUE, "Sheet!D5")
        assert finding.expected is None
    assert run(triangle, [1.0, CellError("#N/A")], [2.0, 3.0])[1][0].kind is Kind.ERROR_VALUE
    assert [f.cell for f in run(triangle, [None, None], [2.0, None])[1]] == ["Sheet!C5", "Sheet!D6"]


@pytest.mark.parametrize("value", [0.0, "x", CellError("#NUM!")])
def test_a_value_in_a_blank_cell_is_wrong_at_any_magnitude(value):
    triangle = wanted([1.0, math.nan], amplification=INFINITY)
    assert run(triangle, [7.0, None])[0].verdict == "not decidable"
    assert run(triangle, [7.0, value])[0].verdict == "differs"


def test_an_undecided_word_may_be_any_word():
    chosen = wanted(["a", "b"], kind="text", amplification=INFINITY)
    for value in ("c", "", None, "3"):
        assert run(chosen, [value, "b"])[0].verdict == "not decidable"
    for value in (CellError("#N/A"), 3.0, True):
        assert run(chosen, [value, "b"])[0].verdict == "differs"


def engine_run(expected, value, engine):
    area = Area("Sheet", 4, 2, 1, 1)
    ((result, findings),) = compare({"s": expected}, {"s": area}, {"s": [[value]]}, engine)
    return result.verdict, result.coarse, len(findings)


def test_the_tolerance_for_a_coarse_phi_applies_only_to_engines_that_have_it():
    after = wanted([1.0], coarse=1e-10)
    assert tolerance(after) == tolerance(after, "gnumeric") == 1e-12
    assert tolerance(after, "ironcalc") == pytest.approx(1.01e-10)
    assert engine_run(after, 1.0 + 0.9e-10, "ironcalc") == ("ok", True, 0)
    assert engine_run(after, 1.0 + 1.1e-10, "ironcalc") == ("differs", True, 1)
    for engine in ("libreoffice", "gnumeric", ""):
        assert engine_run(after, 1.0 + 0.9e-10, engine) == ("differs", False, 1)
    assert engine_run(wanted([1.0]), 1.0 + 0.9e-10, "ironcalc") == ("differs", False, 1)


def test_a_choice_undecided_by_a_coarse_phi_is_decided_in_other_engines():
    chosen = wanted(["a"], kind="text", coarse=INFINITY)
    assert engine_run(chosen, "b", "ironcalc")[0] == "not decidable"
    assert engine_run(chosen, "b", "gnumeric")[0] == "differs"


# --- ranges ------------------------------------------------------------------------------------------------


def test_a_missing_range_is_found_by_name():
    ((result, (finding,)),) = compare({"s_c_Q": wanted([1.0, 2.0])}, {}, {})
    assert (result.verdict, result.shape, result.error) == ("missing", (1, 2), INFINITY)
    assert (finding.kind, finding.range) == (Kind.MISSING, "s_c_Q")


@pytest.mark.parametrize("shape", [(2, 1), (1, 1), (1, 3), (2, 2)])
def test_a_range_of_another_size_is_found_and_its_cells_are_not_compared(shape):
    area = Area("Sheet", 0, 27, *shape)
    values = {"s_c_Q": [[1.0] * shape[1] for _ in range(shape[0])]}
    ((result, (finding,)),) = compare({"s_c_Q": wanted([1.0, 1.0])}, {"s_c_Q": area}, values)
    assert (result.verdict, finding.kind, finding.cell) == ("differs", Kind.RESIZED, "Sheet!AB1")
    assert finding.values == {"shape": f"{shape[0]} × {shape[1]}", "right_shape": "1 × 2"}


def test_results_are_in_the_order_of_the_expected_ranges():
    expected = {"b_b": wanted([1.0]), "a_a": wanted([2.0]), "c_c": wanted([3.0])}
    areas = {name: Area("Sheet", i, 0, 1, 1) for i, name in enumerate(("a_a", "b_b"))}
    results = [result for result, _ in compare(expected, areas, {"a_a": [[2.0]], "b_b": [[9.0]]})]
    assert [(r.range, r.verdict) for r in results] == [("b_b", "differs"), ("a_a", "ok"), ("c_c", "missing")]
