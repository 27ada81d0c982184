"""The statements of the tutorial, tested with the values of every engine, never with the spec.

*cat* and *keyboard* name the contexts. In the copy "swapped", dog stands for cat and screen for keyboard.
"""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tomllib
from functools import cache

import numpy as np
import pytest
from conftest import ROOT
from workbooks import Ranges, evaluate_many, tweaked

from dev import prebuilt
from xlsxattn import templates
from xlsxattn.builder import layout, pages, writer
from xlsxattn.builder.specification import spec
from xlsxattn.checker.reading.book import read

SENSES = {"cat": ("animal", "tech"), "keyboard": ("tech", "animal")}
COMPANIONS = {
    "as built": {"cat": "cat", "keyboard": "keyboard"},
    "swapped": {"cat": "dog", "keyboard": "screen"},
}
WEAK = {"cat": "friends", "keyboard": "useful"}
SINGLE = ("attn", "qkv", "dims")
HEADS = ("heads_{}_h1", "heads_{}_h2")
ATTENTIONS = (*(f"{sheet}_{{}}" for sheet in SINGLE), *HEADS)
TRAINING = ROOT / "dev" / "training" / "walkthrough.py"


@pytest.fixture(scope="session")
def workbooks(walkthrough, tmp_path_factory):
    """The walkthrough, and copies with other words, other weights, and no scale."""
    folder = tmp_path_factory.mktemp("claims")
    as_typed = read(walkthrough)
    words = {c: [as_typed.typed[at] for at in as_typed.names[f"{c}_Tokens"].cells()] for c in SENSES}
    swapped = {
        f"{c}_Tokens": [new if word == c else word for word in words[c]]
        for c, new in COMPANIONS["swapped"].items()
    }
    other_values = {
        "qkv_W_V": {(0, 0): -7.5, (3, 1): 2.25},
        "dims_W_V": {(1, 1): 9.0},
        "heads_W_V": {(0, 3): 5.0},
    }
    other_queries = {"qkv_W_Q": {(0, 0): 0.5, (1, 0): 0.25}}
    source = templates.path("walkthrough")
    sheets = [
        sheet | ({"scale": False} if sheet["kind"] in ("self-attention", "multi-head") else {})
        for sheet in tomllib.loads(source.read_text("utf-8"))["sheets"]
        if sheet["kind"] != "training"
    ]
    unscaled = pages.book(spec.load(source, {"sheets": sheets}))
    writer.write(folder / "unscaled.xlsx", unscaled.title, layout.lay_out(unscaled))
    return {
        "as built": walkthrough,
        "swapped": tweaked(walkthrough, swapped, folder / "swapped.xlsx"),
        "other W_V": tweaked(walkthrough, other_values, folder / "values.xlsx"),
        "other W_Q": tweaked(walkthrough, other_queries, folder / "queries.xlsx"),
        "unscaled": folder / "unscaled.xlsx",
    }


@pytest.fixture(scope="session")
def recalculate(workbooks):
    """All copies as an engine computes them; each engine runs once."""

    @cache
    def by(engine):
        found = evaluate_many(list(workbooks.values()), engine)
        return {name: Ranges(values) for name, values in zip(workbooks, found, strict=True)}

    return by


@pytest.fixture
def books(recalculate, engine):
    return recalculate(engine)


@pytest.fixture
def built(books):
    return books["as built"]


@pytest.fixture(params=COMPANIONS)
def version(request):
    """With the words of the lesson, and with dog for cat and screen for keyboard."""
    return request.param


@pytest.fixture(params=SENSES)
def context(request):
    return request.param


def place(values, context, word):
    return values.texts(f"{context}_Tokens").index(word)


def row(values, context, word, block):
    """The word's row of a block of the context, ``attn_{}_X``."""
    return values.array(block.format(context))[place(values, context, word)]


def by_dimension(values, numbers):
    return dict(zip(values.texts("vocab_Dims"), numbers, strict=True))


def ranked(numbers):
    """The names of the numbers, the largest first."""
    return sorted(numbers, key=numbers.get, reverse=True)


def to_companion(values, version, context, block):
    """The attention of mouse to the word that decides its meaning."""
    return row(values, context, "mouse", block)[place(values, context, COMPANIONS[version][context])]


# --- the words ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sheet", [*SINGLE, "heads"])
def test_both_contexts_give_mouse_the_same_input_row(books, version, sheet):
    values = books[version]
    first, second = (row(values, c, "mouse", f"{sheet}_{{}}_X") for c in SENSES)
    assert first.tolist() == second.tolist()
    assert values["compare_cat_X"] == values["compare_keyboard_X"] == [first.tolist()]
    assert first.any()


def test_mouse_has_large_numbers_for_animal_and_tech(built):
    mouse = by_dimension(built, row(built, "cat", "mouse", "attn_{}_X"))
    strongest = by_dimension(built, built.array("vocab_E").max(axis=0))
    assert set(ranked(mouse)[:2]) == {"animal", "tech"}
    assert mouse["animal"] > strongest["animal"] / 2
    assert mouse["tech"] > strongest["tech"] / 2
    assert max(mouse["grammar"], mouse["quality"]) < min(mouse["animal"], mouse["tech"]) / 10


@pytest.mark.parametrize(
    ("word", "context", "dimension"),
    [
        ("cat", "cat", "animal"),
        ("keyboard", "keyboard", "tech"),
        *((word, context, "grammar") for word in ("and", "are") for context in SENSES),
    ],
)
def test_clear_words_have_their_largest_number_in_their_dimension(built, word, context, dimension):
    numbers = by_dimension(built, row(built, context, word, "attn_{}_X"))
    first, second = ranked(numbers)[:2]
    assert first == dimension
    assert numbers[first] > 10 * numbers[second]


def test_friends_and_useful_are_weak(built, context):
    X = built.array(f"attn_{context}_X")
    weak = row(built, context, WEAK[context], "attn_{}_X")
    others = np.delete(X, place(built, context, WEAK[context]), axis=0)
    assert weak.max() <= 1
    assert np.linalg.norm(weak) < 0.7 * np.linalg.norm(others, axis=1).min()


def test_nothing_changes_the_vocabulary(books, workbooks):
    as_typed = read(workbooks["as built"])
    for name in ("vocab_E", "vocab_Tokens"):
        cells = list(as_typed.names[name].cells())
        assert not as_typed.formulas.keys() & set(cells)
        for values in books.values():
            assert [value for grid_row in values[name] for value in grid_row] == [
                as_typed.typed[at] for at in cells
            ]


def test_every_input_row_is_the_row_of_the_vocabulary(books, version, context):
    values = books[version]
    E = dict(zip(values.texts("vocab_Tokens"), values["vocab_E"], strict=True))
    assert values[f"attn_{context}_X"] == [E[word] for word in values.texts(f"{context}_Tokens")]


# --- attention ---------------------------------------------------------------------------------------------


def test_scores_are_symmetric_without_weights(books, version, context):
    Scores = books[version].array(f"attn_{context}_Scores")
    assert np.abs(Scores - Scores.T).max() < 1e-14
    assert np.ptp(Scores) > 1


def test_scores_are_not_symmetric_with_weights(built, context):
    Scores = built.array(f"qkv_{context}_Scores")
    assert np.abs(Scores - Scores.T).max() > 1


@pytest.mark.parametrize("block", ATTENTIONS)
def test_attention_is_positive_and_its_rows_sum_to_1(books, version, context, block):
    Attention = books[version].array(f"{block.format(context)}_Attention")
    assert (Attention > 0).all()
    assert np.abs(Attention.sum(axis=1) - 1).max() < 1e-14


@pytest.mark.parametrize("block", ["attn_{}", "qkv_{}", "dims_{}", "heads_{}_h1"])
def test_mouse_gives_the_largest_weight_to_its_companion(books, version, context, block):
    values = books[version]
    weights = dict(
        zip(
            values.texts(f"{context}_Tokens"),
            row(values, context, "mouse", f"{block}_Attention"),
            strict=True,
        )
    )
    own = weights.pop("mouse")
    assert own > 0
    assert ranked(weights)[0] == COMPANIONS[version][context]


def test_the_weak_word_gets_more_from_mouse_than_the_grammar_words(books, version, context):
    values = books[version]
    given = row(values, context, "mouse", "attn_{}_Attention")
    weak = given[place(values, context, WEAK[context])]
    assert weak > 1.5 * max(given[place(values, context, word)] for word in ("and", "are"))


@pytest.mark.parametrize("block", ["qkv_{}", "dims_{}", "heads_{}_h1"])
def test_mouse_gives_its_companion_at_least_half(books, version, context, block):
    assert to_companion(books[version], version, context, f"{block}_Attention") >= 0.5


def test_without_weights_the_companion_gets_less_than_half(built, context):
    assert to_companion(built, "as built", context, "attn_{}_Attention") < 0.5


@pytest.mark.parametrize("block", ATTENTIONS)
def test_without_the_scale_softmax_is_sharper(books, version, context, block):
    p = block.format(context)
    scaled, unscaled = (books[version].array(f"{p}_{name}") for name in ("Entropy", "EntropyUnscaled"))
    assert (scaled > 0).all()
    assert (unscaled < scaled).all()
    assert scaled.max() <= np.log(len(scaled)) + 1e-12


@pytest.mark.parametrize("block", ATTENTIONS)
def test_a_sheet_built_without_the_scale_has_the_unscaled_entropy(books, context, block):
    p = block.format(context)
    said, found = books["as built"].array(f"{p}_EntropyUnscaled"), books["unscaled"].array(f"{p}_Entropy")
    assert np.abs(found - said).max() < 1e-12
    assert (books["unscaled"].array(f"{p}_Attention").max(axis=1) > built_max(books, p)).all()


def built_max(books, p):
    return books["as built"].array(f"{p}_Attention").max(axis=1)


# --- outputs -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("sheet", "least"), [("attn", 1.3), ("qkv", 3.0), ("dims", 3.0), ("heads", 3.0)])
def test_the_context_decides_what_mouse_becomes(books, version, context, sheet, least):
    values = books[version]
    output = row(values, context, "mouse", f"{sheet}_{{}}_Output")
    animal, tech = (values.texts("vocab_Dims").index(name) for name in ("animal", "tech"))
    meant, other = (animal, tech) if context == "cat" else (tech, animal)
    assert output[meant] / output[other] >= least
    assert output.argmax() == meant
    if sheet == "attn":
        assert np.argsort(output)[-2:].tolist() == [other, meant]


@pytest.mark.parametrize("block", ATTENTIONS)
def test_every_output_lies_within_the_range_of_the_values(books, context, block):
    p = block.format(context)
    for name in ("as built", "swapped", "other W_V"):
        values = books[name]
        V = values.array(f"{p}_V") if f"{p}_V" in values else values.array(f"{p}_X")
        Output = values.array(f"{p}_Output")
        assert Output.shape == V.shape
        slack = 1e-14 * np.abs(V).max()
        assert (Output >= V.min(axis=0) - slack).all()
        assert (Output <= V.max(axis=0) + slack).all()


def test_other_dimensions_leave_attention_square(built, context):
    n = len(built.texts(f"{context}_Tokens"))
    shapes = {
        name: built.array(f"dims_{context}_{name}").shape for name in ("Q", "K", "V", "Attention", "Output")
    }
    assert shapes == {"Q": (n, 3), "K": (n, 3), "V": (n, 2), "Attention": (n, n), "Output": (n, 2)}


def test_the_heads_are_concatenated_and_w_o_mixes_them(built, context):
    Concat = built.array(f"heads_{context}_Concat")
    assert Concat.tolist() == np.hstack([built.array(f"{h.format(context)}_Output") for h in HEADS]).tolist()
    mixed = Concat @ built.array("heads_W_O")
    assert np.abs(built.array(f"heads_{context}_Output") - mixed).max() < 1e-13


# --- weights -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sheet", ["qkv", "dims", "heads_h1", "heads_h2"])
def test_both_contexts_use_the_same_cells_of_weights(workbooks, sheet):
    book = read(workbooks["as built"])
    for letter in "QKV":
        first, second = (
            book.manifest.formulas["_".join((sheet.partition("_")[0], c, *sheet.split("_")[1:], letter))]
            for c in SENSES
        )
        weights = f"{sheet}_W_{letter}"
        assert weights in first[1]
        assert first[1].replace("_cat_", "_keyboard_") == second[1]
        for c in SENSES:
            area = book.names["_".join((sheet.partition("_")[0], c, *sheet.split("_")[1:], letter))]
            assert weights in book.formula_at(area.sheet, area.row, area.col)
    assert not [name for name in book.names if "_W_" in name and any(c in name for c in SENSES)]


def test_other_queries_change_both_contexts(books, context):
    before, after = (books[name].array(f"qkv_{context}_Q") for name in ("as built", "other W_Q"))
    assert np.abs(after - before).max() > 1
    assert books["as built"][f"attn_{context}_Output"] == books["other W_Q"][f"attn_{context}_Output"]


@pytest.mark.parametrize("block", ATTENTIONS[1:])
def test_changing_w_v_leaves_attention_as_it_was(books, context, block):
    p = block.format(context)
    before, after = books["as built"], books["other W_V"]
    assert after[f"{p}_Attention"] == before[f"{p}_Attention"]
    changed = np.abs(after.array(f"{p}_Output") - before.array(f"{p}_Output")).max()
    assert changed > 0.1 or p.endswith("_h1")  # only the second head has other values


# --- training ----------------------------------------------------------------------------------------------


def test_training_again_gives_the_numbers_of_the_template():
    command = [sys.executable, str(TRAINING), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def test_the_words_of_the_claims_are_not_in_the_training_set():
    module_spec = importlib.util.spec_from_file_location("walkthrough_training", TRAINING)
    training = importlib.util.module_from_spec(module_spec)
    module_spec.loader.exec_module(training)
    seen = []

    class Watched(training.Vocabulary):
        def sentences(self, words):
            seen.extend(words)
            return super().sentences(words)

    table = training.tomllib.loads(training.TEMPLATE.read_text(encoding="utf-8"))["vocabulary"]
    Watched(table).training()
    claimed = {"mouse"} | {word for pair in COMPANIONS.values() for word in pair.values()}
    words = {word for sentence in seen for word in sentence}
    assert len(seen) > 100
    assert {"bug", "horse", "phone"} <= words
    assert not claimed & words


# --- real word vectors -------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def glove(tmp_path_factory):
    return prebuilt.build("glove", tmp_path_factory.mktemp("glove") / "glove.xlsx")


def test_real_vectors_bring_mouse_near_to_cat_or_to_keyboard(glove, engine):
    (found,) = evaluate_many([glove], engine)
    values = Ranges(found)
    cat, keyboard = range(2)
    assert values.texts("compare_Tokens") == ["cat", "keyboard"]
    assert values["compare_cat_X"] == values["compare_keyboard_X"]
    friends, usb = (values.array(f"compare_{c}_attn_Near")[:, 0] for c in ("cat", "keyboard"))
    assert friends[cat] > friends[keyboard] + 0.3
    assert usb[keyboard] > usb[cat] + 0.04
    for c, near in (("cat", friends), ("keyboard", usb)):
        row = values.array(f"compare_{c}_attn_Output")[0]
        for word, said in zip(values.array("compare_X"), near, strict=True):
            assert said == pytest.approx(row @ word / np.linalg.norm(row) / np.linalg.norm(word), abs=1e-12)


# --- the template in Chinese -------------------------------------------------------------------------------


def test_pingguo_has_the_results_stated_in_its_texts(tmp_path, engine):
    path = prebuilt.build("pingguo", tmp_path / "pingguo.xlsx")
    (found,) = evaluate_many([path], engine)
    values = Ranges(found)
    said = tomllib.loads(templates.path("pingguo").read_text("utf-8"))["sheets"][1]["about"]
    numbers = [float(number) for number in re.findall(r"\d\.\d\d", said)]
    (fruit, firm), (other_fruit, other_firm) = (
        values.array(f"compare_{c}_qkv_Output")[0][:2].round(2).tolist() for c in ("fruit", "tech")
    )
    assert numbers == [fruit, firm, other_firm, other_fruit]
    plain = [values.array(f"compare_{c}_attn_Output")[0] for c in ("fruit", "tech")]
    assert plain[0][0] - plain[0][1] > 0.5
    assert plain[1][1] - plain[1][0] > 0.5


def test_pingguo_has_the_walkthroughs_weights():
    specs = [tomllib.loads(templates.path(name).read_text("utf-8")) for name in ("pingguo", "walkthrough")]
    one, other = ({s["id"]: s for s in data["sheets"]}["qkv"]["weights"] for data in specs)
    assert one == other
