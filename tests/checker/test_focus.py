"""The focus row, temperatures and maps of all heads, computed by hand; texts with two acceptable forms."""

import math
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from random_models import column, model

from xlsxattn.checker.cells import Area, CellError
from xlsxattn.checker.compare import compare, either
from xlsxattn.checker.finding_kinds import Kind
from xlsxattn.checker.reading.book import Book, Formula, Manifest
from xlsxattn.checker.reference import ShapesDisagree, SheetInfo, expected
from xlsxattn.checker.reference.attention import Expected
from xlsxattn.checker.reference.choices import OneOf, Wording, own
from xlsxattn.checker.reference.focus import rounded, wording
from xlsxattn.checker.stale import stale

PLAIN = {"weights": False, "scale": True, "mask": "none"}
E, LN = math.e, math.log


def run(embeddings, focus, sentences, settings=None, kind="self-attention", **matrices):
    """The ranges of a sheet `s` with embeddings of a, b, c, ... and matrices such as W_Q."""
    rows = np.array(embeddings, dtype=float)
    inputs = {
        "vocab_Tokens": column("abcdefgh"[: len(rows)]),
        "vocab_Dims": column(f"d{i}" for i in range(rows.shape[1])).T,
        "vocab_E": rows,
        "vocab_Focus": column([focus]),
        **{f"{c}_Tokens": column(words) for c, words in sentences.items()},
        **{f"s_{name}": np.array(w, dtype=float) for name, w in matrices.items()},
    }
    return expected([SheetInfo("s", kind, {**PLAIN, **(settings or {})})], list(sentences), inputs)


def heads(focus="b", settings=None, **matrices):
    W = {f"W_{x}": np.eye(2) for x in "QKVO"} | matrices
    return run([[0, 1], [1, 0]], focus, {"c": "ab"}, {"heads": 2, **(settings or {})}, "multi-head", **W)


def across(*weights):
    """A query of 1, "a", attends to words "b", "c", ... whose keys are the logarithms of these weights."""
    said, asked = "bcdefgh"[: len(weights)], {"queries": "q", "keys": "m", "scale": False}
    embeddings = [[1.0], *([LN(w)] for w in weights)]
    return run(embeddings, "a", {"q": "a", "m": said}, asked, "cross-attention")


def near(actual, wanted):
    np.testing.assert_allclose(np.asarray(actual.values, dtype=float), wanted, rtol=1e-13, atol=1e-15)


def same(actual, wanted):
    assert [[own(value) for value in row] for row in actual.values] == wanted


def verdict_on(expected, value):
    """The verdict on a cell, and the kinds of its findings."""
    area = Area("S", 0, 0, 1, 1)
    ((result, findings),) = compare({"x": expected}, {"x": area}, {"x": [[value]]})
    return result.verdict, [finding.kind for finding in findings]


def holds(expected, value):
    return verdict_on(expected, value)[0] == "ok"


# The row


def test_the_row_of_the_focus_word_and_its_largest_weights_in_descending_order():
    found = run([[0], [1], [2], [3]], "b", {"c": "cabd"})  # scores 2, 0, 1, 3
    Z = 1 + E + E**2 + E**3
    near(found["s_c_FocusAttention"], [[E**2 / Z, 1 / Z, E / Z, E**3 / Z]])
    near(found["s_c_FocusWeights"], [[E**3 / Z, E**2 / Z, E / Z]])  # 0.644, 0.237, 0.087
    same(found["s_c_FocusPlaces"], [[4, 1, 3]])
    same(found["s_c_FocusWords"], [["d", "c", "b"]])
    same(found["s_c_FocusSaid"], [["0.64 × d + 0.24 × c + 0.09 × b + ..."]])
    same(found["s_c_FocusAttention_Cols"], [["c", "a", "b", "d"]])
    same(found["s_Rank"], [[1, 2, 3]])
    assert found["s_c_FocusSaid"].kind == found["s_c_FocusWords"].kind == "text"
    assert "s_c_FocusEntropy" not in found


def test_all_of_three_words_or_two_words_are_named():
    found = run([[0], [1]], "b", {"c": "aba", "d": "ba"})
    three, two = E / (2 + E), E / (1 + E)  # 0.576, 0.731
    near(found["s_c_FocusWeights"], [[three, (1 - three) / 2, (1 - three) / 2]])
    same(found["s_c_FocusSaid"], [["0.58 × b + 0.21 × a + 0.21 × a"]])
    near(found["s_d_FocusWeights"], [[two, 1 - two]])
    same(found["s_d_FocusSaid"], [["0.73 × b + 0.27 × a"]])
    same(found["s_Rank"], [[1, 2, 3]])
    same(run([[0], [1]], "b", {"d": "ba"})["s_Rank"], [[1, 2]])


def test_one_word_looks_at_itself():
    found = run([[3]], "a", {"c": "a"})
    same(found["s_c_FocusSaid"], [["1 × a"]])
    same(found["s_Rank"], [[1]])


@pytest.mark.parametrize("focus", ["", "z"])
def test_without_the_focus_word_weights_are_zero(focus):
    found = run([[0], [1]], focus, {"c": "baab"}, {"temperature": True}, Temperature=[[1]])
    same(found["s_c_FocusAttention"], [[0, 0, 0, 0]])
    same(found["s_c_FocusWeights"], [[0, 0, 0]])
    same(found["s_c_FocusPlaces"], [[1, 2, 3]])
    same(found["s_c_FocusWords"], [["–", "–", "–"]])
    same(found["vocab_Status"], [["–"]])
    same(found["s_Status"], [["✓"]])
    same(found["s_c_FocusSaid"], [["–"]])
    same(found["s_c_FocusEntropy"], [[0]])
    assert found["s_c_FocusAttention"].magnitude < 1e-200  # only exact zeros


def test_masked_words_have_weight_0_and_rank_last():
    found = run([[0], [1]], "b", {"c": "abab"}, {"mask": "causal"})
    same(found["s_c_FocusPlaces"], [[2, 1, 3]])
    same(found["s_c_FocusSeen"], [[2]])
    same(found["s_c_FocusWords"], [["b", "a", "–"]])
    same(found["s_c_FocusSaid"], [["0.73 × b + 0.27 × a"]])
    padded = run([[-9], [1]], "b", {"c": ["b", "", "a", ""]}, {"mask": "padding"})
    same(padded["s_c_FocusPlaces"], [[1, 3, 2]])
    same(padded["s_c_FocusWords"], [["b", "a", "–"]])
    same(padded["s_c_FocusSaid"], [["1 × b + 0 × a"]])


def test_the_focus_word_of_the_queries_attends_to_the_words_of_the_keys():
    found = run([[0], [1]], "b", {"m": "aabb", "q": "ab"}, {"queries": "q", "keys": "m"}, "cross-attention")
    near(found["s_q_FocusAttention"], found["s_q_Attention"].values[1:])
    same(found["s_q_FocusWords"], [["b", "b", "a"]])
    same(found["s_q_FocusPlaces"], [[3, 4, 1]])
    same(found["s_q_FocusAttention_Cols"], [["a", "a", "b", "b"]])
    same(found["s_Rank"], [[1, 2, 3]])
    assert not [name for name in found if name.startswith("s_m_Focus")]


def test_each_head_has_its_row_and_the_words_are_shared():
    found = heads()
    near(found["s_c_h1_FocusAttention"], [[1 / (1 + E), E / (1 + E)]])
    same(found["s_c_h1_FocusSaid"], [["0.73 × b + 0.27 × a"]])
    near(found["s_c_h2_FocusAttention"], [[0.5, 0.5]])
    same(found["s_c_h2_FocusSaid"], [["0.5 × a + 0.5 × b"]])
    labels = [name for name in found if "Focus" in name and name.endswith(("_Rows", "_Cols"))]
    assert labels == ["s_c_FocusAttention_Cols"]


def test_the_row_has_the_tolerance_of_attention():
    found = run([[0], [1], [2], [30]], "d", {"c": "abcd"}, {"temperature": True}, Temperature=[[0.5]])
    for block in ("FocusAttention", "FocusWeights", "FocusEntropy"):
        assert found[f"s_c_{block}"].amplification == found["s_c_Attention"].amplification == 1800


# Weights that are nearly equal


def test_the_same_word_twice_is_a_tie_that_the_first_wins_in_every_program():
    found = run([[0], [1]], "b", {"c": "babb"})
    same(found["s_c_FocusPlaces"], [[1, 3, 4]])
    assert not [v for v in found["s_c_FocusPlaces"].values[0] if isinstance(v, OneOf)]
    assert not [v for v in found["s_c_FocusWords"].values[0] if isinstance(v, OneOf)]


@pytest.mark.parametrize(
    ("position", "word"), [("sinusoidal", [1e20, 1e20, 1e20, 1e20]), ("rotary", [0.0, 0.0, 1.0, 1.0])]
)
def test_the_same_word_at_positions_that_its_numbers_absorb_is_no_certain_tie(position, word):
    """Some programs have more digits, in which the positions still differ."""
    settings = {"position": position, "pairs": "adjacent", "weights": True}
    inputs = {"Base": [[1e50]], **{f"W_{x}": np.eye(4) for x in "QKV"}}
    found = run([[0.0, 0.0, 0.0, 0.0], word], "b", {"c": "abb"}, settings, **inputs)
    assert found["s_c_FocusPlaces"].values[0, 0] == OneOf((2.0, 3.0))


def test_of_different_words_with_equal_scores_either_may_come_first():
    found = run([[1, 0], [0, 1], [1, 1]], "c", {"c": "abc"}, {"scale": False})
    places, words = found["s_c_FocusPlaces"].values[0], found["s_c_FocusWords"].values[0]
    assert [own(place) for place in places] == [3, 1, 2]
    assert places[0] == 3
    assert set(places[1].values) == set(places[2].values) == {1, 2}
    assert set(words[1].values) == {"a", "b"}
    said = found["s_c_FocusSaid"]  # 0.576, 0.212, 0.212
    for text in ("0.58 × c + 0.21 × a + 0.21 × b", "0.58 × c + 0.21 × b + 0.21 × a"):
        assert holds(said, text)
    assert not holds(said, "0.58 × a + 0.21 × c + 0.21 × b")


@pytest.mark.parametrize(("apart", "sure"), [(1e-14, False), (1e-13, False), (1e-9, True)])
def test_weights_within_1e_12_are_ties(apart, sure):
    found = run([[1], [0.5], [0.5 + apart]], "a", {"c": "abc"})
    places = found["s_c_FocusPlaces"].values[0]
    assert isinstance(places[1], OneOf) is isinstance(places[2], OneOf) is not sure
    if sure:
        assert list(places) == [1, 3, 2]


@pytest.mark.parametrize("size", [1e10, 1e21])
@pytest.mark.parametrize("focus", "abc")
def test_of_huge_scores_that_differ_only_by_rounding_either_may_come_first(size, focus):
    """With equal weights they have the first two ranks; otherwise c, whose weight is 0, may be second."""
    embeddings = [[size], [np.nextafter(size, math.inf)], [size / 2]]
    places = run(embeddings, focus, {"c": "cab"}, {"scale": False})["s_c_FocusPlaces"].values[0]
    assert [set(place.values) for place in places] == [{2, 3}, {1, 2, 3}, {1, 2, 3}]
    certain = run([[size], [size / 2]], "a", {"c": "ba"}, {"scale": False})["s_c_FocusPlaces"].values[0]
    assert certain[0] == 2


def test_an_unknown_focus_word_attends_to_all_words_equally():
    found = run([[1], [2]], "z", {"c": "bzab"})
    near(found["s_c_FocusAttention"], [[0.25] * 4])
    same(found["s_c_FocusSaid"], [["0.25 × b + 0.25 × z + 0.25 × a + ..."]])
    assert list(found["s_c_FocusPlaces"].values[0]) == [1, 2, 3]  # 0 is the sum of zeros: no program differs


def test_a_completely_masked_row_attends_to_all_words_in_order():
    found = run([[1], [2]], "b", {"m": ["", ""], "q": "b"}, {"mask": "padding", "queries": "q", "keys": "m"},
                "cross-attention")  # fmt: skip
    assert list(found["s_q_FocusPlaces"].values[0]) == [1, 2]
    near(found["s_q_FocusAttention"], [[0.5, 0.5]])


def test_vanishing_weights_rank_last_in_any_order():
    found = run([[1], [-99], [-999], [-9999]], "a", {"c": "dcba"}, {"scale": False})
    places = found["s_c_FocusPlaces"].values[0]
    assert places[0] == 4
    assert set(places[1].values) == {1, 2, 3}


def test_after_an_overflow_it_is_not_decidable():
    found = run([[1e200], [-1e200]], "a", {"c": "ab"}, {"temperature": True}, Temperature=[[1]])
    for block in ("Attention", "Weights", "Places", "Words", "Said", "Entropy"):
        assert found[f"s_c_Focus{block}"].amplification == math.inf, block
    assert verdict_on(found["s_c_FocusSaid"], CellError("#NUM!")) == ("differs", ["error value"])


# Texts


def test_a_weight_halfway_between_hundredths_may_be_rounded_either_way():
    said = across(5, 3)["s_q_FocusSaid"]  # 5/8 and 3/8
    for text in ("0.63 × b + 0.38 × c", "0.62 × b + 0.37 × c", "0.62 × b + 0.38 × c"):
        assert holds(said, text)


@pytest.mark.parametrize(
    "text",
    [
        "0.64 × b + 0.38 × c",
        "0.61 × b + 0.38 × c",
        "0.625 × b + 0.38 × c",  # not rounded
        "0.62 × c + 0.38 × b",
        "0.62 × b + 0.38 × b",
        "0.62 × b",
        "0.62 × b + 0.38 × c + ...",
        "0.62 × b + 0.38 × c ",
        " 0.62 × b + 0.38 × c",
        "0.62 x b + 0.38 x c",
        "0.62 × b+0.38 × c",
        "0.62 × b + 0.38 × C",
        "-0.62 × b + 0.38 × c",
        "× b + 0.38 × c",
        ".62 × b + 0.38 × c",
        "–",
        "",
        None,
        0.62,
        CellError("#N/A"),
    ],
)
def test_a_wrong_word_a_missing_term_and_a_number_off_by_more_are_found(text):
    said = across(5, 3)["s_q_FocusSaid"]
    assert verdict_on(said, text)[0] == "differs"


def test_numbers_are_the_hundredths_however_a_program_writes_them():
    said = across(54, 27, 19)["s_q_FocusSaid"]
    assert own(said.values[0, 0]) == "0.54 × b + 0.27 × c + 0.19 × d"
    assert holds(said, "0.54000000000000000002 × b + 0.27 × c + 0.19 × d")  # Gnumeric's long double
    assert holds(said, "0,54 × b + 0,27 × c + 0,19 × d")
    assert not holds(said, "0.5400001 × b + 0.27 × c + 0.19 × d")


def test_trailing_zeros_are_not_written_by_the_reference():
    assert own(across(6, 4)["s_q_FocusSaid"].values[0, 0]) == "0.6 × b + 0.4 × c"
    assert own(Wording(((1.0,), (" × ",), ("a",), (" + ",), (0.0,)))) == "1 × a + 0"


def test_omitted_words_leave_dots():
    said = across(4, 3, 2, 1)["s_q_FocusSaid"]
    assert holds(said, "0.4 × b + 0.3 × c + 0.2 × d + ...")
    assert not holds(said, "0.4 × b + 0.3 × c + 0.2 × d")
    assert not holds(said, "0.4 × b + 0.3 × c + 0.2 × d + ...…")


@pytest.mark.parametrize(
    ("weight", "slack", "wanted"),
    [
        (0.0, 0.0, (0.0,)),
        (1.0, 1e-12, (1.0,)),
        (0.994, 1e-12, (0.99,)),
        (0.995, 1e-12, (0.99, 1.0)),
        (0.625 + 2e-12, 1e-12, (0.63,)),
        (0.625 - 2e-12, 1e-12, (0.62,)),
        (0.625 + 2e-12, 1e-11, (0.63, 0.62)),
        (0.62, 0.01, (0.62, 0.61, 0.63)),
        (math.nan, 0.0, (0.0,)),
    ],
)
def test_two_decimals_and_what_rounding_allows_beside_them(weight, slack, wanted):
    found = rounded(weight, slack)
    assert found[0] in wanted[:2]
    assert set(found) == set(wanted)


def test_words_may_contain_the_separators():
    said = wording(np.array([0.5, 0.3]), [("a + 0.3 × b",), ("×", "×  + ")], 0.0, more=True)
    assert str(said) == "0.5 × a + 0.3 × b + 0.3 × × + ..."
    assert said.fits("0.5 × a + 0.3 × b + 0.3 × ×  +  + ...")
    assert not said.fits("0.5 × a + 0.3 × b + ...")


def test_a_position_is_one_of_its_choices():
    places = Expected(np.array([[OneOf((1.0, 3.0))]], dtype=object), "number")
    assert holds(places, 1.0)
    assert holds(places, 3.0)
    for value in (2.0, None, "1", True, CellError("#REF!")):
        assert not holds(places, value)
    ((_, (finding,)),) = compare({"x": places}, {"x": Area("S", 0, 0, 1, 1)}, {"x": [[2.0]]})
    assert finding.expected == 1.0
    assert finding.found == 2.0


def test_findings_on_words_name_the_acceptable_ones():
    said = across(5, 3)["s_q_FocusSaid"]
    ((_, (finding,)),) = compare({"x": said}, {"x": Area("S", 0, 0, 1, 1)}, {"x": [["0.7 × b"]]})
    assert finding.expected in {f"0.{i} × b + 0.{j} × c" for i in (62, 63) for j in (37, 38)}
    assert type(finding.expected) is str


def test_two_programs_may_choose_differently_only_where_both_are_right():
    values = np.array([[OneOf((1.0, 2.0)), Wording(((0.62, 0.63), (" × b",))), "word"]], dtype=object)
    unsure = Expected(values, "text")
    assert either(unsure, 0, 0, (1.0, 2.0))
    assert not either(unsure, 0, 0, (1.0, 3.0))
    assert either(unsure, 0, 1, ("0.62 × b", "0.63 × b"))
    assert not either(unsure, 0, 1, ("0.62 × b", "0.64 × b"))
    assert not either(unsure, 0, 2, ("word", "word"))  # there is no choice


def fresh_and_saved(saved, fresh, right):
    names, formulas = (
        {"x": Area("S", 0, 0, 1, 1)},
        {("S", 0, 0): Formula("=1", Area("S", 0, 0, 1, 1), array=False)},
    )
    manifest = Manifest((), (), (), {"x": ("cells", "=1")})
    book = Book(Path("any.xlsx"), names, formulas, {}, manifest, openpyxl.Workbook())
    return list(stale(book, {"x": [[saved]]}, {"x": [[fresh]]}, "gnumeric", lambda: {"x": right}))


def test_a_saved_text_is_stale_only_where_it_is_wrong():
    said = across(5, 3)["s_q_FocusSaid"]
    fresh = "0.62 × b + 0.38 × c"
    for text in (fresh, "0.63 × b + 0.38 × c", "0,63 × b + 0,37 × c"):
        assert fresh_and_saved(text, fresh, said) == []
    for text in ("0.64 × b + 0.38 × c", "0.62 × c + 0.38 × b", ""):
        assert [f.kind for f in fresh_and_saved(text, fresh, said)] == [Kind.STALE_VALUE]
    assert fresh_and_saved("a", "b", Expected(np.array([["b"]], dtype=object), "text"))


# A temperature


def test_scores_are_divided_by_scale_and_temperature_and_unscaled_ones_by_the_temperature():
    found = run([[0, 0, 0, 0], [1, 1, 1, 1]], "b", {"c": "ab"}, {"temperature": True}, Temperature=[[4]])
    same(found["s_c_Scores"], [[0, 0], [0, 4]])
    same(found["s_Scale"], [[2]])
    near(found["s_c_Scaled"], [[0, 0], [0, 0.5]])
    near(found["s_c_RowSum"], [[2], [1 + E**-0.5]])
    near(found["s_c_UnscaledSum"], [[2], [1 + E**-1]])
    p, u = 1 / (1 + E**0.5), 1 / (1 + E)
    near(found["s_c_FocusEntropy"], [[-p * LN(p) - (1 - p) * LN(1 - p)]])
    near(found["s_c_FocusEntropy"], found["s_c_Entropy"].values[1:])
    near(found["s_c_EntropyUnscaled"], [[LN(2)], [-u * LN(u) - (1 - u) * LN(1 - u)]])
    assert found["s_c_Attention"].amplification == 1
    assert found["s_c_Scaled"].magnitude == 0.5


@pytest.mark.parametrize("temperature", [0.0, -1.0, 1e-7])
def test_no_temperature_is_lower_than_a_millionth(temperature):
    found = run([[0], [3e-6]], "b", {"c": "ab"}, {"temperature": True}, Temperature=[[temperature]])
    near(found["s_c_Scaled"], [[0, 0], [0, 9e-6]])
    cold = run([[0], [2]], "b", {"c": "ab"}, {"temperature": True}, Temperature=[[temperature]])
    near(cold["s_c_Scaled"], [[0, 0], [0, 4e6]])
    assert cold["s_c_Attention"].amplification == 4e6


def test_a_temperature_applies_to_cross_attention_and_every_head():
    W = {f"W_{x}": [[2]] for x in "QKV"} | {"Temperature": [[8]]}
    asked = {"queries": "q", "keys": "m", "temperature": True, "weights": True}
    found = run([[0], [1]], "b", {"q": "b", "m": "ab"}, asked, "cross-attention", **W)
    near(found["s_q_Scaled"], [[0, 0.5]])
    assert {"s_q_FocusEntropy"} < found.keys()
    many = heads(settings={"temperature": True}, Temperature=[[0.5]])
    near(many["s_c_h1_Scaled"], [[0, 0], [0, 2]])
    near(many["s_c_h2_FocusEntropy"], [[LN(2)]])


def test_without_the_setting_there_is_no_temperature():
    found = run([[0], [1]], "b", {"c": "ab"}, {"temperature": False}, Temperature=[[4]])
    near(found["s_c_Scaled"], [[0, 0], [0, 1]])
    assert "s_c_FocusEntropy" not in found


def test_a_temperature_must_be_a_single_cell():
    with pytest.raises(ShapesDisagree) as raised:
        run([[0], [1]], "b", {"c": "ab"}, {"temperature": True}, Temperature=[[4, 4]])
    assert raised.value.finding.range == "s_Temperature"
    assert raised.value.finding.values == {"shape": "1 × 2", "needed": "1 × 1"}
    with pytest.raises(KeyError, match="s_Temperature"):
        run([[0], [1]], "b", {"c": "ab"}, {"temperature": True})


# Maps


def mapped(found):
    return {name for name in found if "_Map" in name}


def test_every_head_has_a_map_with_its_labels():
    found = heads(settings={"maps": True})
    for k in (1, 2):
        for side in ("", "_Rows", "_Cols"):
            same(found[f"s_c_h{k}_Map{side}"], found[f"s_c_h{k}_Attention{side}"].values.tolist())
    assert mapped(found) == {f"s_c_h{k}_Map{side}" for k in (1, 2) for side in ("", "_Rows", "_Cols")}
    assert not mapped(heads()) | mapped(heads(settings={"maps": False}))


@pytest.mark.parametrize("kind", ["encoder", "decoder", "encoder-decoder", "classifier"])
def test_models_have_a_map_of_every_head(kind):
    mask = "causal" if kind == "decoder" else "none"
    said = {"c": ["w0", "w1", "w2"], "t": ["w3", "w4"]}
    sheet, inputs = model(np.random.default_rng(1), kind, 4, said, mask=mask, maps=True)
    found = expected([sheet], ["c", "t"], inputs)
    both = kind == "encoder-decoder"
    prefixes = [f"s_c_l{k}" for k in (1, 2)]
    prefixes += [f"s_t_l{k}{cross}" for k in (1, 2) for cross in ("", "_Cross")] if both else []
    names = {f"{p}_h{h}_Map{side}" for p in prefixes for h in (1, 2) for side in ("", "_Rows", "_Cols")}
    assert mapped(found) == names
    for name in names:
        right = found[name.replace("_Map", "_Attention")]
        np.testing.assert_array_equal(found[name].values, right.values)


def test_maps_of_a_generating_model_are_blank_right_of_the_diagonal():
    said = {"c": ["w0", "", ""]}
    sheet, inputs = model(
        np.random.default_rng(1), "decoder", 4, said, mask="causal", maps=True, generate=True
    )
    found = expected([sheet], ["c"], inputs)
    values = found["s_c_l2_h1_Map"].values
    assert np.isnan(values).tolist() == [[False, True, True], [False, False, True], [False] * 3]
    assert found["s_c_l2_h1_Map_Rows"].values[0, 0] == "w0"


def test_cross_attention_sheets_have_no_maps():
    W = {"W_Q": [[1, 0]], "W_K": [[1, 1]], "W_V": [[2, 3]], "W_O": [[1], [10]]}
    asked = {"queries": "q", "keys": "m", "weights": True, "heads": 2, "maps": True}
    found = run([[0], [1]], "b", {"q": "b", "m": "ab"}, asked, "cross-attention", **W)
    assert {"s_q_h1_FocusSaid", "s_q_h2_FocusSaid", "s_q_FocusAttention_Cols"} < found.keys()
    assert not mapped(found)
