"""Whatever is typed into input cells, no engine shows an error, and the proof holds.

A case is one change to one workbook's inputs. IronCalc tries the cases of a workbook in turn, in one process
as in a check. The files of all cases of LibreOffice are recalculated together: its start costs more than a
file. Of the changes to models, each model tries half. IronCalc tries all cases, each other engine a sixth;
with XLSXATTN_THOROUGH=1, all engines try everything.
"""

from __future__ import annotations

from itertools import cycle, islice

import numpy as np
import pytest
from conftest import THOROUGH, require
from workbooks import answers, answers_in_turn, changed, edits_of, errors_in, job

from dev import prebuilt
from xlsxattn import press
from xlsxattn.checker import engines
from xlsxattn.checker.check import prove
from xlsxattn.checker.reading.book import read
from xlsxattn.contract.names import is_text

MIXED = """
title = "Every setting, a sentence of one word and one of six"
focus = "a"
[vocabulary.tokens]
a = [1.0, 0.5, -2.0]
b = [0.25, -1.0, 0.0]
c = [0.0, 0.0, 0.0]
d = [3.0, 1.5, 0.125]
us = [1.0, 0.0, 0.0]
US = [0.0, 1.0, 0.0]
[contexts]
one = "a"
six = "us c US a b a"
[[sheets]]
id = "plain"
scale = false
[[sheets]]
id = "masked"
mask = "causal"
seed = 1
[[sheets]]
id = "heads"
kind = "multi-head"
heads = 2
d_k = 2
d_v = 1
mask = "causal"
seed = 2
[[sheets]]
id = "sharp"
kind = "multi-head"
heads = 3
scale = false
seed = 3
[[sheets]]
id = "compare"
kind = "compare"
"""

LIKE_NUMBERS = ("2024", "TRUE", "1e5", "1/2", "007", "-3", "5%", "1,5")
LIKE_FORMULAS = ("=1+1", "+a", "-a", "@a", "'a", "#N/A", "*", "?", "~", '"', "<&>", "=")
UNICODE = ("ß", "ss", "né", "ne", "注意", "🐭", "👩‍🔬", "Ａ", "A", "ﬁ", "fi", "مرحبا", "İ", "ı", "Σ", "ς")


# --- the changes, each from a workbook's input ranges ------------------------------------------------------


def embeddings(value):
    return lambda _: {"vocab_E": value}


def extremes(book):
    """±1,000 at random."""
    area = book.names["vocab_E"]
    signs = np.random.default_rng(5).choice([-1000.0, 1000.0], (area.rows, area.cols))
    return {"vocab_E": signs.tolist()}


def extremes_for_words(book):
    """Only the words of sentences that agree in all dimensions, or in none: scores of ±1,000,000 · d."""
    area = book.names["vocab_E"]
    return {"vocab_E": [[1000.0 * (-1) ** i] * area.cols for i in range(area.rows)]}


def weights(value):
    return lambda book: {name: value for name in numeric(book) if "_W_" in name}


def large_weights(book):
    return extremes(book) | weights(1000.0)(book)


def numeric(book):
    return [name for name in book.manifest.inputs if not is_text(name)]


def sentences(book):
    return [f"{context}_Tokens" for context in book.manifest.contexts]


def all_numbers_zero(book):
    return dict.fromkeys(numeric(book), 0)


def a_number_cleared(book):
    return {name: {(0, 0): None} for name in numeric(book)}


def a_row_of_numbers_cleared(book):
    row = word_rows(book)[0]
    return {"vocab_E": {(row, j): None for j in range(book.names["vocab_E"].cols)}}


def a_vocabulary_row_cleared(book):
    row = word_rows(book)[0]
    return a_row_of_numbers_cleared(book) | {"vocab_Tokens": {row: None}}


def a_vocabulary_word_cleared(book):
    return {"vocab_Tokens": {word_rows(book)[-1]: None}}


def word_rows(book):
    """For the words of the first sentence, their rows in the vocabulary."""
    vocabulary = texts(book, "vocab_Tokens")
    return [vocabulary.index(word) for word in texts(book, sentences(book)[0])]


def texts(book, name):
    return [book.typed[at] for at in book.names[name].cells()]


def a_token_cleared(book):
    return {name: {0: None} for name in sentences(book)}


def everything_cleared(book):
    return dict.fromkeys(book.manifest.inputs)


def one_word_left(book):
    return {name: dict.fromkeys(range(1, book.names[name].rows)) for name in sentences(book)}


def the_same_word(book):
    return dict.fromkeys(sentences(book), texts(book, "vocab_Tokens")[0])


def words_repeated(book):
    vocabulary = texts(book, "vocab_Tokens")
    return {name: list(islice(cycle(vocabulary[1:3]), book.names[name].rows)) for name in sentences(book)}


def tokens(first):
    """The first words of every sentence."""
    return lambda book: {name: {0: first} for name in sentences(book)}


def unknown_words(book):
    return dict.fromkeys(sentences(book), "quokka")


def odd_focus(_):
    return {"vocab_Focus": "quokka"}


def a_word_twice_in_the_vocabulary(book):
    """The word of the first row is also in the second, with other numbers: the first one is used."""
    word = texts(book, "vocab_Tokens")[0]
    return {"vocab_Tokens": {1: word}} | tokens(word)(book)


def capitals(book):
    """us and US and Us in the vocabulary's first rows; the sentences use them, and uS, which is unknown."""
    return new_words(("us", "US", "Us"), ("Us", "uS", "US", "us"))(book)


def new_words(known, used=None):
    """Words in the vocabulary's first rows, and sentences made of them."""

    def change(book):
        listed = known[: book.names["vocab_Tokens"].rows]
        said = cycle(used or known)
        changes = {name: list(islice(said, book.names[name].rows)) for name in sentences(book)}
        return changes | {"vocab_Tokens": dict(enumerate(listed)), "vocab_Focus": (used or known)[0]}

    return change


def setting(end, value):
    """One of a model's settings, in each model that has it."""
    return lambda book: {name: value for name in book.manifest.inputs if name.endswith(f"_{end}")}


def numbers_for_words(book):
    """Numbers in cells for words."""
    return new_words((2024, 1.5, 0), (1.5, 2024, "2024", 0))(book) | {"vocab_Dims": {(0, 0): 7}}


NUMBERS = {
    "embeddings of ±1,000": extremes,
    "embeddings that agree or oppose": extremes_for_words,
    "embeddings all 1,000": embeddings(1000),
    "embeddings all -1,000": embeddings(-1000),
    "embeddings all zero": embeddings(0),
    "embeddings cleared": embeddings(None),
    "tiny embeddings": embeddings(1e-200),
    "weights of 1,000": large_weights,
    "weights zero": weights(0),
    "weights cleared": weights(None),
    "all numbers zero": all_numbers_zero,
    "a number of each range cleared": a_number_cleared,
    "a word's numbers cleared": a_row_of_numbers_cleared,
    "a row of the vocabulary cleared": a_vocabulary_row_cleared,
    "all tokens cleared": lambda book: dict.fromkeys(sentences(book)),
    "dimensions cleared": lambda _: {"vocab_Dims": None},
    "the focus word cleared": lambda _: {"vocab_Focus": None},
    "everything cleared": everything_cleared,
    "one word left": one_word_left,
    "all words the same": the_same_word,
    "unknown words": unknown_words,
}
WORDS = {
    "a word of the vocabulary cleared": a_vocabulary_word_cleared,
    "the vocabulary's words cleared": lambda _: {"vocab_Tokens": None},
    "a token cleared": a_token_cleared,
    "a focus word of no sentence": odd_focus,
    "words repeated": words_repeated,
    "a blank for a word": tokens(" "),
    "blanks around a word": tokens("  us  US "),
    "a word twice in the vocabulary": a_word_twice_in_the_vocabulary,
    "capitals": capitals,
    "words like numbers": new_words(LIKE_NUMBERS),
    "words like formulas": new_words(LIKE_FORMULAS),
    "words of many scripts": new_words(UNICODE),
    "words of many scripts, reversed": new_words(UNICODE[::-1]),
    "numbers for words": numbers_for_words,
    "a long word": new_words(("w" * 255, "W" * 255)),
}
MODELS = {
    f"{end} {value}": setting(end, value)
    for end, values in {
        "Epsilon": (0, -1, None, 1e6),
        "Temperature": (0, -1, None, 1e-300, 1e300),
        "Base": (0, 1, -2, None, 1e-300, 1e300),
    }.items()
    for value in values
}
MODELS |= {
    "no ε and embeddings all alike": lambda book: {"vocab_E": 1000} | setting("Epsilon", 0)(book),
    "no ε and no embeddings": lambda book: {"vocab_E": None} | setting("Epsilon", None)(book),
    "an empty prompt": lambda book: dict.fromkeys(sentences(book)),
    "a prompt that begins with an unknown word": tokens("quokka"),
    "a blank before the first word": tokens(None),
    "every cell typed": the_same_word,
    "unknown words": unknown_words,
    "weights of 1,000": large_weights,
    "weights cleared": weights(None),
    "all numbers zero": all_numbers_zero,
    "classes cleared": setting("Classes", None),
    "the vocabulary's words cleared": lambda _: {"vocab_Tokens": None},
    "everything cleared": everything_cleared,
}
TWEAKS = NUMBERS | WORDS | MODELS
WORKING = {
    "sort": [tweak for tweak in MODELS if not tweak.startswith(("Base", "classes"))],
    "reverse": [tweak for tweak in MODELS if not tweak.startswith("classes")],
    "mouse": [tweak for tweak in MODELS if not tweak.startswith("Temperature")],
    "llama": [tweak for tweak in MODELS if not tweak.startswith("classes")],
}
"""Models, and the changes that affect them."""
SAME_ON_ALL = ("embeddings all 1,000", "embeddings all -1,000", "embeddings cleared", "dimensions cleared")
NOT_ON_INPUTS_ALONE = [tweak for tweak in NUMBERS if tweak not in SAME_ON_ALL]
CASES = [
    *(("causal", tweak) for tweak in NUMBERS | WORDS),
    *(("walkthrough", tweak) for tweak in NOT_ON_INPUTS_ALONE),
    *(
        (model, tweak)
        for start, (model, tweaks) in enumerate(WORKING.items())
        for tweak in (tweaks if THOROUGH else tweaks[start % 2 :: 2])
    ),
    *(("mixed", tweak) for tweak in (*NOT_ON_INPUTS_ALONE, "a token cleared", "words repeated", "capitals")),
]
FIRST = {"libreoffice": 0, "gnumeric": 3}
"""Slow engines: each tries a different sixth of the cases, from this one on."""
TRIED = [
    (case, engine)
    for engine in engines.ENGINES
    for case in (CASES if THOROUGH or engine not in FIRST else CASES[FIRST[engine] :: 6])
]
NAMED = [
    ("walkthrough", "weights of 1,000"),
    ("mixed", "weights of 1,000"),
    ("walkthrough", "unknown words"),
    ("walkthrough", "embeddings all zero"),
]
"""Cases that tests name themselves."""
UNDECIDABLE = ("weights of 1,000", "tiny embeddings", "no ε and embeddings all alike")
"""Scores whose rounding errors dominate after the softmax; lengths whose square overflows."""


@pytest.fixture(scope="session")
def mixed(tmp_path_factory):
    """All settings on sheets of their own, in a sentence of one word and one of six."""
    folder = tmp_path_factory.mktemp("mixed")
    spec = folder / "mixed.toml"
    spec.write_text(MIXED, encoding="utf-8")
    pressed = press.build(spec, folder / "mixed.xlsx")
    assert pressed.report.holds
    return pressed.path


@pytest.fixture(scope="session")
def sources(walkthrough, causal, mixed, tmp_path_factory):
    """The workbooks as built."""
    folder = tmp_path_factory.mktemp("models")
    models = {name: prebuilt.build(name, folder / f"{name}.xlsx") for name in WORKING}
    return {"walkthrough": walkthrough, "causal": causal, "mixed": mixed, **models}


@pytest.fixture(scope="session")
def books(sources):
    """The workbooks as read; a tweak moves no range and no formula."""
    return {name: read(path) for name, path in sources.items()}


@pytest.fixture(scope="session")
def outcomes(request, books, tmp_path_factory):
    """(workbook, tweak, engine) → its values, for all the tests that will run."""
    items = [item for item in request.session.items if "outcomes" in getattr(item, "fixturenames", ())]
    asked: dict[str, dict[tuple[str, str], None]] = {}
    for item in items:
        params = item.callspec.params
        asked.setdefault(params["engine"], {}).update(
            dict.fromkeys([params["case"]] if "case" in params else NAMED)
        )
    folder = tmp_path_factory.mktemp("tweaks")
    cases = dict.fromkeys(case for cases in asked.values() for case in cases)
    edits = {(name, tweak): edits_of(books[name], TWEAKS[tweak](books[name])) for name, tweak in cases}

    def evaluated(engine):
        if engine not in FIRST:
            for name, book in books.items():
                own = [case for case in asked[engine] if case[0] == name]
                found = answers_in_turn(book, folder / f"{name}.xlsx", [edits[case] for case in own])
                yield from zip(own, found, strict=True)
            return
        jobs = [
            job(books[case[0]], folder / f"{engine}-{n}.xlsx", edits[case])
            for n, case in enumerate(asked[engine])
        ]
        yield from zip(asked[engine], answers(engine, jobs), strict=True)

    present = [engine for engine in asked if engines.missing(engine) is None]
    return {(*case, engine): values for engine in present for case, values in evaluated(engine)}


@pytest.mark.parametrize(("case", "engine"), TRIED, ids=str)
def test_no_engine_shows_an_error_and_the_proof_holds(outcomes, books, case, engine):
    require(engine)
    values = outcomes[*case, engine]
    assert errors_in(values) == []
    report = prove(books[case[0]], engine, values)
    assert report.findings == ()
    undecided = [result.range for result in report.results if result.verdict == "not decidable"]
    assert not undecided or case[1] in UNDECIDABLE


def test_undecidable_values_are_reported(outcomes, books, engine):
    for name in ("walkthrough", "mixed"):
        report = prove(books[name], engine, outcomes[name, "weights of 1,000", engine])
        undecided = {result.range for result in report.results if result.verdict == "not decidable"}
        assert any(each.endswith("_Attention") for each in undecided)
        assert not any(each.endswith(("_Ids", "_X", "_Q")) for each in undecided)


def test_an_unknown_word_is_noted_next_to_it(outcomes, books, engine):
    """0 is shown as these words, the row of X is zeros, and the live checks fail."""
    values, book = outcomes["walkthrough", "unknown words", engine], books["walkthrough"]
    for context in book.manifest.contexts:
        assert {number for (number,) in values[f"{context}_Ids"]} == {0.0}
        assert {number for row in values[f"attn_{context}_X"] for number in row} == {0.0}
        area = book.names[f"{context}_Ids"]
        for _, row, col in area.cells():
            shown = book.workbook[area.sheet].cell(row + 1, col + 1).number_format
            assert shown.split(";")[2] == '"not in the vocabulary"'
    assert values["vocab_Status"][0][0].startswith("✗")
    for sheet in ("attn", "qkv", "dims", "heads", "compare"):
        assert values[f"{sheet}_Status"] == values["vocab_Status"]
    assert values["xlsxattn_Status"][0][0].startswith("✗")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"vocab_E": {(3, 1): "many"}}, "✗ the vocabulary has a text where a number is needed"),
        ({"vocab_Tokens": {3: "cat"}}, "✗ cat occurs twice in the vocabulary"),
        ({"cat_Tokens": {2: None}}, "✗ a word is blank or not in the vocabulary"),
    ],
    ids=lambda given: given if isinstance(given, str) else next(iter(given)),
)
def test_every_sheet_says_what_is_wrong_with_the_words(walkthrough, tmp_path, change, said):
    values = answers("ironcalc", [job(changed(walkthrough, change), tmp_path / "typed.xlsx")])[0]
    for sheet in ("vocab", "attn", "qkv", "dims", "heads", "compare"):
        assert values[f"{sheet}_Status"] == [[said]]
    assert values["xlsxattn_Status"][0][0].startswith("✗")


def test_a_sentence_without_the_focus_word_names_no_words(walkthrough, tmp_path):
    changes = changed(walkthrough, {"vocab_Focus": "cat"})
    values = answers("ironcalc", [job(changes, tmp_path / "typed.xlsx")])[0]
    assert {*values["attn_keyboard_FocusWords"][0]} == {"–"}
    assert values["attn_cat_FocusWords"][0][0] == "cat"
    assert values["compare_Status"] == [["– only one sentence contains “cat”: nothing to compare"]]
    assert values["attn_Status"][0][0] == "✓ every row sums to 1"


@pytest.mark.parametrize(
    ("case", "ids"),
    [
        (("causal", "capitals"), [3, 0, 2, 1, 3]),
        (("causal", "a word twice in the vocabulary"), [1]),
        (("causal", "words like numbers"), [1, 2, 3, 4, 5]),
        (("causal", "words like formulas"), [1, 2, 3, 4, 5]),
        (("causal", "words of many scripts"), [1, 2, 3, 4, 5]),
        (("causal", "numbers for words"), [2, 1, 1, 3, 2]),
        (("causal", "a blank for a word"), [0]),
        (("causal", "a row of the vocabulary cleared"), [0]),
    ],
    ids=str,
)
def test_words_are_found_exactly(outcomes, case, ids, engine):
    values = outcomes[*case, engine]
    assert [number for (number,) in values["chase_Ids"]][: len(ids)] == ids
    for place, row in enumerate(ids):
        assert values["causal_chase_X"][place] == (
            [value or 0.0 for value in values["vocab_E"][row - 1]] if row else [0.0] * 4
        )


def test_with_zero_embeddings_attention_is_uniform(outcomes, engine):
    values = outcomes["walkthrough", "embeddings all zero", engine]
    for p in ("attn_cat", "qkv_keyboard", "dims_cat", "heads_cat_h2"):
        assert {value for row in values[f"{p}_Attention"] for value in row} == {0.2}
    assert {values[f"compare_{c}_Cosine"][0][0] for c in ("cat", "keyboard")} == {"–"}
