"""The first screen, computed by hand: attention, texts about results, and texts with two acceptable forms."""

import numpy as np
import pytest
from random_models import column, model

from xlsxattn.checker.cells import Area
from xlsxattn.checker.compare import compare
from xlsxattn.checker.reference import SheetInfo, comparing, expected
from xlsxattn.checker.reference.attention import Expected
from xlsxattn.checker.reference.choices import OneOf, own
from xlsxattn.checker.reference.first_screen import Screen, continuous, leaning, trained
from xlsxattn.checker.reference.words import mark
from xlsxattn.contract import first_screen as said

PLAIN = {"weights": False, "scale": True, "mask": "none"}
DIMS = {"sheets": ["s"], "contexts": ["c", "d"], "columns": "dims", "full": True}
WORDS = {"a": [0, 0], "b": [2, 0], "e": [0, 2], "t": [1, 1], "n": [1, 1.005]}
"""A word of zeros attends to all words equally, so next to another one its output is half of that."""


def run(c, d, front=None, focus="a", sheets=None, language="", dims=("x", "y"), **inputs):
    given = {
        "vocab_Tokens": column(WORDS),
        "vocab_Dims": column(dims).T,
        "vocab_E": np.array([*WORDS.values()], dtype=float),
        "vocab_Focus": column([focus]),
        "c_Tokens": column(c),
        "d_Tokens": column(d),
        **inputs,
    }
    own_sheets = sheets or [SheetInfo("s", "self-attention", PLAIN)]
    return expected(own_sheets, ["c", "d"], given, front=DIMS | (front or {}), language=language)


def only(found, name):
    return own(found[name].values.item())


@pytest.mark.parametrize(
    ("c", "d", "focus", "sentence"),
    [
        ("ab", "az", "a", said.NOT_YET),
        ("ab", "ae", "", said.NO_FOCUS),
        ("bb", "ee", "a", said.NEITHER_HAS.format(focus="a")),
        ("ab", "ee", "a", said.ONE_HAS.format(focus="a")),
        ("at", "at", "a", said.BOTH_UNDECIDED),
        ("at", "ab", "a", said.FIRST_UNDECIDED.format(there="x")),
        ("ab", "at", "a", said.SECOND_UNDECIDED.format(here="x")),
        ("ab", "ab", "a", said.SAME.format(here="x")),
        ("ab", "ae", "a", said.DIFFER.format(here="x", there="y")),
    ],
)
def test_the_closing_text_compares_the_results_of_two_sentences(c, d, focus, sentence):
    assert only(run(c, d, focus=focus), "xlsxattn_Closing") == sentence


@pytest.mark.parametrize(
    ("c", "focus", "sentence"),
    [
        (["a", "Z", ""], "a", said.UNKNOWN.format(word="Z")),
        (["a", "", "b"], "a", said.BLANK),
        ("ab", "", said.NO_FOCUS),
        ("bb", "a", said.ABSENT.format(focus="a")),
        ("at", "a", said.UNDECIDED.format(focus="a", lead="x", other="y")),
        ("aab", "a", said.LEANS.format(focus="a", lead="x") + said.TWICE),
    ],
)
def test_a_sentence_has_a_text_about_its_result(c, focus, sentence):
    assert only(run(c, "ab", focus=focus), "xlsxattn_c_Says") == sentence


def test_blank_cells_are_allowed_if_the_workbook_uses_them():
    padded = [SheetInfo("s", "self-attention", PLAIN | {"mask": "padding"})]
    found = run(["a", "b", ""], "ab", sheets=padded)
    assert only(found, "xlsxattn_c_Says") == said.LEANS.format(focus="a", lead="x")


def test_numbers_of_the_first_screen_are_those_of_the_sheets():
    found = run("ab", "te")
    np.testing.assert_allclose(found["xlsxattn_c_Look"].values, [[0.5], [0.5]])
    np.testing.assert_array_equal(found["xlsxattn_c_X"].values, [[0, 0], [2, 0]])
    np.testing.assert_array_equal(found["xlsxattn_c_s_Output"].values, [[1, 0]])
    np.testing.assert_array_equal(found["xlsxattn_d_s_Output"].values, [[0, 0]])  # without the focus word
    np.testing.assert_array_equal(found["xlsxattn_d_Look"].values, [[0], [0]])
    assert found["xlsxattn_c_Said"].values.item() == found["s_c_FocusSaid"].values.item()
    labels = {name for name in found if name.startswith("xlsxattn_c") and name.endswith(("_Rows", "_Cols"))}
    assert labels == {f"xlsxattn_c_{x}" for x in ("Look_Cols", "X_Cols", "Before_Rows", "s_Output_Rows")}


def test_the_short_form_has_the_output_of_the_last_sheet_as_a_column():
    sheets = [
        SheetInfo("s", "self-attention", PLAIN),
        SheetInfo("z", "self-attention", PLAIN | {"mask": "causal"}),
    ]
    found = run("ba", "ab", {"full": False, "sheets": ["s", "z"]}, sheets=sheets)
    np.testing.assert_array_equal(
        found["xlsxattn_d_Answer"].values, [[0], [0]]
    )  # it is first: it attends to itself
    assert found["xlsxattn_c_Answer_Rows"].values.tolist() == [["x"], ["y"]]
    assert "xlsxattn_c_X" not in found
    assert only(found, "xlsxattn_Closing") == said.SECOND_UNDECIDED.format(here="x")


def test_near_words_replace_dimensions():
    compare = SheetInfo("z", "compare", {"near": True, "axes": ["x", "y"]})
    sheets = [SheetInfo("s", "self-attention", PLAIN), compare]
    front = {"columns": "near", "compare": "z"}
    found = run("ab", "be", front, sheets=sheets, z_Tokens=column("eb"))
    np.testing.assert_array_equal(
        found["xlsxattn_c_Before"].values, [[0, 0]]
    )  # a row of zeros has no direction
    np.testing.assert_array_equal(found["xlsxattn_c_s_Output"].values, [[0, 1]])
    assert found["xlsxattn_c_Before_Cols"].values.tolist() == [["e", "b"]]
    assert only(found, "xlsxattn_c_Says") == said.CLOSEST.format(focus="a", lead="b")
    assert "xlsxattn_c_X" not in found


def test_only_what_is_wrong_is_said_with_one_column_or_none():
    found = run("ab", "ee", {"columns": "none"})
    assert only(found, "xlsxattn_c_Says") == ""
    assert only(found, "xlsxattn_d_Says") == said.ABSENT.format(focus="a")
    assert not {"xlsxattn_Closing", "xlsxattn_c_Before"} & {*found}
    one = np.array([[0.0], [1], [2], [3], [4]])
    found = run("ab", "ae", vocab_E=one, dims=("x",))
    assert "xlsxattn_c_Before" in found
    assert only(found, "xlsxattn_c_Says") == ""
    assert "xlsxattn_Closing" not in found


def test_cross_attention_says_what_is_wrong_with_its_sentences():
    settings = {"queries": "c", "keys": "d", "weights": False, "scale": True, "mask": "none"}
    found = run(["a", "Z"], ["b", "e"], sheets=[SheetInfo("s", "cross-attention", settings)])
    assert only(found, "xlsxattn_c_Says") == said.UNKNOWN.format(word="Z")
    assert only(found, "xlsxattn_d_Says") == ""


TRAINING = SheetInfo("t", "training", {"steps": 2})


def closing_of(losses, verdict="✓", diverged=0.0, vocabulary="✓", magnitude=1.0, amplification=1.0):
    made = {
        "t_Loss": Expected(np.array([losses], dtype=float).T, "number", magnitude),
        "t_Verdict": Expected(np.array([[verdict]], dtype=object), "mark", amplification=amplification),
        "t_Diverged": Expected(np.array([[diverged]]), "number"),
        "vocab_Status": Expected(np.array([[vocabulary]], dtype=object), "mark"),
    }
    own = {"made": made, "training": TRAINING, "tell": lambda text, **values: text.format(**values)}
    return trained(Screen(**dict.fromkeys(Screen._fields) | own), TRAINING)


@pytest.mark.parametrize(
    ("losses", "how", "sentence"),
    [
        ([4, 3, 1], {}, said.LEARNED.format(steps=2, percent=75)),
        ([200, 2, 1.02], {}, said.LEARNED.format(steps=2, percent=99)),
        ([200, 2, 0], {}, said.LEARNED.format(steps=2, percent=100)),
        ([200, 900, 198.8], {}, said.LEARNED.format(steps=2, percent=1)),  # 0.6 %
        ([200, 900, 199.6], {}, said.SLIGHTLY_LEARNED.format(steps=2)),  # 0.2 %
        ([0, 0, 0], {"verdict": "–"}, said.NOT_LEARNED.format(steps=2)),
        ([4, 3, 5], {"verdict": "–"}, said.NOT_LEARNED.format(steps=2)),
        ([4, 9, 9], {"verdict": "✗", "diverged": 2.0}, said.DIVERGED.format(step=2)),
        ([4, 3, 1], {"vocabulary": "✗"}, said.NOT_YET),
    ],
)
def test_the_closing_text_of_a_training_is_by_how_much_the_loss_falls(losses, how, sentence):
    assert own(closing_of(losses, **how).values.item()) == sentence


def test_half_a_percent_may_be_rounded_up_or_down():
    value = closing_of([200, 2, 1]).values.item()  # 99.5 %
    assert sorted(value.values) == [said.LEARNED.format(steps=2, percent=p) for p in (100, 99)]


@pytest.mark.parametrize(
    ("last", "texts"),
    [
        (199 - 1e-9, [said.LEARNED.format(steps=2, percent=1)]),
        (199, [said.LEARNED.format(steps=2, percent=1), said.SLIGHTLY_LEARNED.format(steps=2)]),
        (199 + 1e-9, [said.SLIGHTLY_LEARNED.format(steps=2)]),
    ],
)
def test_a_loss_that_falls_by_half_a_percent_may_have_either_text(last, texts):
    value = closing_of([200, 900, last]).values.item()
    assert sorted(value.values if isinstance(value, OneOf) else (value,)) == texts


def test_a_loss_within_rounding_errors_may_fall_by_any_percentage():
    value = closing_of([1e-12, 1, 1e-13]).values.item()
    percents = [said.LEARNED.format(steps=2, percent=p) for p in range(1, 101)]
    assert sorted(value.values) == sorted([*percents, said.SLIGHTLY_LEARNED.format(steps=2)])


def test_a_verdict_within_rounding_errors_leaves_two_texts():
    """The text follows the mark, which may be either: other texts are wrong."""
    unsure = {"verdict": "–", "amplification": np.inf}
    ways = closing_of([4, 4, 4 - 4e-9], **unsure).values.item().values
    assert ways == (said.NOT_LEARNED.format(steps=2), said.SLIGHTLY_LEARNED.format(steps=2))
    ways = closing_of([4, 4, 4 - 4e-9], **unsure | {"verdict": "✓"}).values.item().values
    assert ways == (said.SLIGHTLY_LEARNED.format(steps=2), said.NOT_LEARNED.format(steps=2))


NUMBERED = {"columns": "numbered"}


def test_unnamed_columns_have_the_text_mixed():
    found = run("ab", "aae", NUMBERED)
    assert only(found, "xlsxattn_c_Says") == said.MIXED.format(focus="a")
    assert only(found, "xlsxattn_d_Says") == said.MIXED.format(focus="a") + said.TWICE
    assert "xlsxattn_c_s_Output_Cols" not in found
    assert found["xlsxattn_c_X_Cols"].values.tolist() == [["x", "y"]]


@pytest.mark.parametrize(
    ("other", "ways"),
    [
        ([2, 0], (said.SAME_NUMBERS,)),
        ([2.008, 0], (said.SAME_NUMBERS,)),
        ([2.008, 0.008], (said.OTHER_NUMBERS,)),  # each number differs by 0.004, the rows by 0.0057
        ([0, 2], (said.OTHER_NUMBERS,)),
        ([2, 0.01], (said.OTHER_NUMBERS, said.SAME_NUMBERS)),
        ([2, 0.01 + 1e-13], (said.OTHER_NUMBERS, said.SAME_NUMBERS)),
        ([2, 0.01 + 1e-10], (said.OTHER_NUMBERS,)),
        ([2, 0.01 - 1e-10], (said.SAME_NUMBERS,)),
    ],
)
def test_the_closing_text_of_unnamed_columns_depends_on_the_distance(other, ways):
    found = run("ab", "an", NUMBERED, vocab_E=np.array([[0, 0], [2, 0], [0, 2], [1, 1], other], dtype=float))
    value = found["xlsxattn_Closing"].values.item()
    assert sorted(value.values if isinstance(value, OneOf) else (value,)) == sorted(ways)


def test_the_cases_before_the_distance_are_those_of_named_columns():
    assert only(run("ab", "az", NUMBERED), "xlsxattn_Closing") == said.NOT_YET
    assert only(run("ab", "ab", NUMBERED, focus=""), "xlsxattn_Closing") == said.NO_FOCUS
    assert only(run("bb", "bb", NUMBERED), "xlsxattn_Closing") == said.NEITHER_HAS.format(focus="a")
    assert only(run("ab", "bb", NUMBERED), "xlsxattn_Closing") == said.ONE_HAS.format(focus="a")
    assert "xlsxattn_Closing" not in run("ab", "ab", NUMBERED | {"contexts": ["c"]})


def test_a_failed_check_of_the_compare_sheet_comes_before_the_distance(monkeypatch):
    monkeypatch.setattr(comparing, "sameness", lambda _: mark(good=False))
    compare_sheet = SheetInfo("z", "compare", {"axes": ["x", "y"]})
    both, one = (
        run("ab", d, NUMBERED, sheets=[SheetInfo("s", "self-attention", PLAIN), compare_sheet])
        for d in ("ab", "bb")
    )
    assert only(both, "xlsxattn_Closing") == said.DIFFERENT_INPUTS.format(focus="a")
    assert only(one, "xlsxattn_Closing") == said.ONE_HAS.format(focus="a")


def test_the_distance_of_huge_outputs_is_not_decidable():
    huge = np.array([[0, 0], [2e14, 0], [0, 2], [1, 1], [2e14, 0.01]])
    assert np.isinf(run("ab", "an", NUMBERED, vocab_E=huge)["xlsxattn_Closing"].amplification)


def test_the_texts_are_in_the_workbooks_language():
    assert only(run("ab", "ae", language="xx"), "xlsxattn_Closing") == said.DIFFER.format(here="x", there="y")


def lean(a, magnitude=1.0, amplification=1.0):
    a = np.array([a], dtype=float)
    return leaning(Expected(a, "number", magnitude, amplification), np.array(["x", "y", "z"][: a.size]))


def test_half_of_the_last_shown_digit_decides():
    assert lean([0, 0.004, 0])[:3] == ((True,), ("x",), ("z",))
    assert lean([1, 0.996, 0])[:3] == ((True,), ("x",), ("y",))
    assert lean([0.994, 1, 0])[:3] == ((False,), ("y",), ("y",))
    assert lean([0, 1, 1])[:3] == ((True,), ("y",), ("z",))


def test_both_texts_are_accepted_if_rounding_could_decide():
    near = lean([1, 0.995, 0])
    assert [*map(sorted, near[:3])] == [[False, True], ["x"], ["x", "y"]]
    near = lean([0.995, 1, 0])
    assert [*map(sorted, near[:3])] == [[False, True], ["x", "y"], ["y"]]
    found = run("an", "an", vocab_E=np.array([[0, 0], [2, 0], [0, 2], [1, 1], [2, 2.01]]))["xlsxattn_c_Says"]
    ways = found.values.item()
    assert isinstance(ways, OneOf)
    undecided = said.UNDECIDED.format(focus="a", lead="x", other="y")
    leans = said.LEANS.format(focus="a", lead="y")
    assert {undecided, leans} <= {*ways.values}
    for text, wrong in ((undecided, False), (leans, False), (said.BLANK, True)):
        [(_, findings)] = compare({"n": found}, {"n": Area("t", 0, 0, 1, 1)}, {"n": [[text]]})
        assert bool(findings) is wrong


def test_differences_below_two_decimals_decide_nothing():
    huge = lean([1e14, 1e14 + 1, 0], 1e14)
    assert np.isinf(huge.numbers.amplification)
    assert np.isinf(lean([1, np.nan, 0]).numbers.amplification)
    [(result, findings)] = compare(
        {"n": huge.text(["right"])}, {"n": Area("t", 0, 0, 1, 1)}, {"n": [["another"]]}
    )
    assert (result.verdict, findings) == ("not decidable", [])


def of_model(kind, contexts, front, given=None, **settings):
    rng = np.random.default_rng(5)
    sheet, inputs = model(rng, kind, 4, contexts, **settings)
    inputs |= given or {}
    return expected([sheet], [*contexts], inputs, front={"sheets": ["s"], "contexts": [*contexts], **front})


@pytest.mark.parametrize("pool", ["mean", "first"])
def test_the_attention_of_a_classifier_is_that_of_pooled_rows(pool):
    words = ["w1", "", "w2"]
    found = of_model("classifier", {"c": words}, {}, pool=pool, mask="padding")
    A = np.mean([found[f"s_c_l2_h{h}_Attention"].values for h in (1, 2)], axis=0)
    wanted = A[0] if pool == "first" else (A[0] + A[2]) / 2
    np.testing.assert_allclose(found["xlsxattn_c_Look"].values[:, 0], wanted, rtol=1e-14)
    np.testing.assert_array_equal(found["xlsxattn_c_Answer"].values.T, found["s_c_Probability"].values)
    assert only(found, "xlsxattn_c_Says") == said.CLASS.format(lead=only(found, "s_c_Class"))


def test_a_classifier_without_words_to_read_says_so():
    found = of_model("classifier", {"c": ["", "w1"]}, {}, pool="first", mask="padding")
    assert only(found, "xlsxattn_c_Says") == said.NO_CLASS
    found = of_model("classifier", {"c": ["w1", "w99"]}, {}, pool="first", mask="padding")
    assert only(found, "xlsxattn_c_Says") == said.UNKNOWN.format(word="w99")


UNDECIDED = said.CLASS_UNDECIDED.format


@pytest.mark.parametrize(
    ("chances", "ways"),
    [
        ([0.4, 0.392, 0.208], {UNDECIDED(lead="yes", other="no")}),
        ([0.392, 0.208, 0.4], {UNDECIDED(lead="yes", other="perhaps")}),
        ([0.33, 0.332, 0.338], {UNDECIDED(lead="yes", other="perhaps")}),
        ([0.388, 0.4, 0.212], {said.CLASS.format(lead="no")}),
        (
            [0.4, 0.39, 0.21],
            {
                said.CLASS.format(lead="yes"),
                UNDECIDED(lead="yes", other="no"),
                UNDECIDED(lead="yes", other="yes"),
            },
        ),
    ],
)
def test_classes_are_undecided_up_to_a_difference_of_one_percent(chances, ways):
    """Without W_C, the probabilities are those of the biases."""
    head = {"s_W_C": np.zeros((4, 3)), "s_b_C": np.log([chances])}
    found = of_model("classifier", {"c": ["w1", "w2"]}, {}, given=head)["xlsxattn_c_Says"].values.item()
    assert {*found.values} == ways if len(ways) > 1 else {found} == ways


@pytest.mark.parametrize(
    ("prompt", "sentence"),
    [
        (["", "", ""], said.NO_PROMPT),
        (["", "w1", ""], said.NO_PROMPT),
        (["", "w1", "w99"], said.UNKNOWN.format(word="w99")),
        (["w1", "", "w2"], ""),
    ],
)
def test_a_prompt_without_a_first_word_has_a_text(prompt, sentence):
    of_decoder = of_model("decoder", {"c": prompt}, {"rivals": 1}, top_k=3, generate=True, mask="causal")
    assert only(of_decoder, "xlsxattn_c_Says") == sentence
    for source, target in ((prompt, ["w1", "", ""]), (["w1", "", ""], prompt)):
        contexts = {"c": source, "t": target}
        found = of_model("encoder-decoder", contexts, {"rivals": 2}, target="t", top_k=2, generate=True)
        texts = [only(found, f"xlsxattn_{c}_Says") for c in contexts]
        assert texts == [sentence if words is prompt else "" for words in (source, target)]


def test_a_blank_cell_comes_before_a_missing_prompt_where_blanks_are_an_error():
    found = of_model("decoder", {"c": ["", "w1"]}, {"rivals": 1}, mask="causal")
    assert only(found, "xlsxattn_c_Says") == said.BLANK


def test_a_decoder_shows_the_most_likely_words_and_the_generated_text():
    found = of_model("decoder", {"c": ["w1", "", ""]}, {"rivals": 1}, top_k=3, generate=True, mask="causal")
    np.testing.assert_array_equal(found["xlsxattn_c_TopTokens"].values, found["s_c_TopTokens"].values[:, :1])
    np.testing.assert_array_equal(found["xlsxattn_c_Written"].values, found["s_c_Tokens"].values)
    assert found["xlsxattn_c_Text"].values == found["s_c_Text"].values
    assert continuous(np.array(["O", "n", "ce", "▁up", "on", "<U+000A>", "▁a", "▁"])) == "Once upon a"


def test_an_encoder_decoder_shows_the_attention_of_the_target_to_the_source():
    contexts = {"c": ["w1", "w2", "w3"], "t": ["w4", "w5"]}
    found = of_model("encoder-decoder", contexts, {"rivals": 2}, target="t", top_k=2, generate=False)
    A = np.mean([found[f"s_t_l2_Cross_h{h}_Attention"].values for h in (1, 2)], axis=0)
    np.testing.assert_allclose(found["xlsxattn_t_Alignment"].values, A, rtol=1e-14)
    assert found["xlsxattn_t_Alignment_Cols"].values.tolist() == [contexts["c"]]
    assert {name for name in found if name.startswith("xlsxattn_c")} == {"xlsxattn_c_Says"}


def test_cross_attention_names_the_word_with_the_most_attention():
    sheets = [SheetInfo("s", "cross-attention", PLAIN | {"queries": "c", "keys": "d"})]
    found = run(["b", "e", ""], "tbe", {"columns": "none"}, sheets=sheets)
    assert [own(x) for x in found["xlsxattn_c_Most"].values[:, 0]] == ["b", "e", "–"]
    np.testing.assert_array_equal(found["xlsxattn_c_Alignment"].values, found["s_c_Attention"].values)
    assert found["xlsxattn_c_Said"].values.item() == found["s_c_FocusSaid"].values.item()
    zeros = run("aa", "te", {"columns": "none"}, sheets=sheets)["xlsxattn_c_Most"].values[0, 0]
    assert zeros == OneOf(("t", "e"))  # equal: the first, or by rounding the other
