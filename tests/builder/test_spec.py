"""Validation of specs, with one sentence per error."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import numpy as np
import pytest
from commands import refusal

from xlsxattn.builder import layout, pages
from xlsxattn.builder import specification as spec
from xlsxattn.builder.layout import formulas
from xlsxattn.builder.layout.placed import places
from xlsxattn.builder.specification import SpecError

GOOD = """
title = "Two words"
focus = "cat"

[vocabulary]
dimensions = ["animal", "tech", "size"]
[vocabulary.tokens]
cat = [1.0, 0.0, 0.5]
mouse = [0.5, 0.5, 0]

[contexts]
one = "cat mouse"
two = ["mouse", "cat", "mouse"]

[[sheets]]
id = "attn"
title = "Plain"

[[sheets]]
id = "heads"
kind = "multi-head"
heads = 3

[[sheets]]
id = "qkv"
[sheets.weights]
W_Q = [[1, 0], [0, 1], [0, 0]]
W_K = [[1, 0], [0, 1], [0, 0]]
W_V = [[1], [0], [0]]

[[sheets]]
id = "compare"
kind = "compare"
axes = ["animal", "tech"]
"""

HUGE = "1" + "0" * 400
ENDLESS = "1" * 5000
HEX = "0x" + "f" * 5000
SHEETS = ("attn", "heads", "qkv", "compare")
ATTN, HEADS, QKV, COMPARE = (f"sheets[{i}]" for i in range(1, 5))
GIVEN = "[sheets.weights]\n"
EYES = "\n".join(f"W_{letter} = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]" for letter in "QKVO")
CAT, W_Q, W_V = "cat = [1.0, 0.0, 0.5]", "W_Q = [[1, 0], [0, 1], [0, 0]]", "W_V = [[1], [0], [0]]"


def edited(old, new):
    assert GOOD.count(old) == 1, f"{old!r} must stand once in the good spec"
    return GOOD.replace(old, new)


def case(name, old, new, key, *right):
    return pytest.param(old, new, key, right, id=name)


UNKNOWN_KEYS = [
    case("top", 'title = "Two words"', 'titel = "x"', "titel", "no such key; did you mean 'title'?"),
    case("vocabulary", "dimensions =", "dimension =", "vocabulary.dimension", "did you mean 'dimensions'?"),
    case("attention sheet", 'title = "Plain"', "maks = 1", f"{ATTN}.maks", "did you mean 'mask'?"),
    case("heads on one head", 'title = "Plain"', "heads = 2", f"{ATTN}.heads", "no such key"),
    case("multi-head sheet", "heads = 3", "haeds = 3", f"{HEADS}.haeds", "did you mean 'heads'?"),
    case("compare sheet", "axes =", "axis =", f"{COMPARE}.axis", "did you mean 'axes'?"),
    case("weights", "W_Q =", "W_q =", f"{QKV}.weights.W_q", "did you mean 'W_Q'?"),
    case("W_O on one head", "W_Q =", "W_O = [[1]]\nW_Q =", f"{QKV}.weights.W_O", "no such key"),
    case(
        "nothing near",
        "focus",
        "zzz",
        "zzz",
        "known here: vocabulary, contexts, sheets, title, focus, length, explain, lang, about",
    ),
]

WORDS = [
    case("word missing in a text", '"cat mouse"', '"cat and mouse"', "contexts.one", "'and'", "'cat and mouse'"),
    case("word missing in a list", '["mouse", "cat', '["mouse", "dog', "contexts.two", "'dog'", "'mouse dog mouse'"),
    case("capital", '"cat mouse"', '"CAT mouse"', "contexts.one", "'CAT'", "did you mean 'cat'? (punctuation and"),
    case("full stop", '"cat mouse"', '"cat mouse."', "contexts.one", "'mouse.'", "did you mean 'mouse'? (punctuation and case are"),
    case("all of a sentence", '"cat mouse"', '"Cat, and mouses"', "contexts.one", "lacks 3 words: 'Cat,' (did you mean 'cat'?), 'and', 'mouses' (did you mean 'mouse'?); add them", "(punctuation"),
    case("more than eight", '"cat mouse"', f'"{" ".join(f"{c}{c}{c}{c}" for c in "abdefghijk")}"', "contexts.one", "lacks 10 words: 'aaaa', ", "'iiii', 2 more; add"),
    case("a point", CAT, f"{CAT}\nU.S = [1, 2, 3]", "vocabulary.tokens.U", 'a word that contains a point needs quotes: "U.S"'),
    case("empty sentence", '"cat mouse"', '""', "contexts.one", "the sentence is empty", "at least one word"),
    case("blank sentence", '"cat mouse"', '" \\t "', "contexts.one", "the sentence is empty"),
    case("empty list", '["mouse", "cat", "mouse"]', "[]", "contexts.two", "the sentence is empty"),
    case("empty word", '["mouse", "cat", "mouse"]', '["cat", ""]', "contexts.two", "is empty, expected text"),
    case("number for a word", '["mouse", "cat", "mouse"]', '["cat", 1]', "contexts.two", "found 1, expected text"),
    case("number for a sentence", '"cat mouse"', "7", "contexts.one", "found 7, expected a sentence or a list"),
    case("word with a blank edge", '["mouse", "cat"', '["mouse ", "cat"', "contexts.two", "'mouse '", "a space"),
    case("too many words", '"cat mouse"', f'"{"cat " * 20_000}"', "contexts.one", "20000 words; at most 256"),
    case("focus nowhere", 'focus = "cat"', 'focus = "dog"', "focus", "no sentence contains the word 'dog'"),
    case("focus empty", 'focus = "cat"', 'focus = ""', "focus", "is empty, expected text"),
    case("focus a number", 'focus = "cat"', "focus = 1", "focus", "found 1, expected text"),
    case("look-alikes", CAT, f'{CAT}\n"\uff43at" = [1, 2, 3]', "vocabulary.tokens.\uff43at", "'cat'", "are equal in Unicode NFKC"),
    case("ligature", CAT, '"ﬁg" = [1, 2, 3]\nfig = [1, 2, 3]', "vocabulary.tokens.fig", "'ﬁg'", "are equal in Unicode NFKC"),
    case("accents", CAT, '"é" = [1, 2, 3]\n"e\u0301" = [1, 2, 3]', "vocabulary.tokens.e\u0301", "are equal in Unicode NFKC"),
    case("control in a word", CAT, f'{CAT}\n"a\\u0007b" = [1, 2, 3]', "vocabulary.tokens.a\\x07b", "U+0007"),
    case("line feed in a title", '"Two words"', '"Two\\nwords"', "title", "the control character U+000A"),
    case("control in a sheet's title", '"Plain"', '"a\\u0000"', f"{ATTN}.title", "U+0000"),
    case("a non-character", '"Plain"', '"a\\uFFFE"', f"{ATTN}.title", "U+FFFE"),
    case("an escape of Excel's", '"Plain"', '"_x0041_"', f"{ATTN}.title", "_x0041_"),
    case("control in a dimension", '"animal", "tech", "size"', '"a", "\\u001b", "c"', "vocabulary.dimensions[2]", "U+001B"),
    case("long title", '"Two words"', f'"{"x" * 256}"', "title", "256 characters; at most 255"),
    case("empty title", '"Two words"', '" "', "title", "is empty, expected text"),
    case("long word", '["mouse", "cat", "mouse"]', f'["{"x" * 300}"]', "contexts.two", "300 characters"),
]  # fmt: skip

NUMBERS = [
    case("too short", CAT, "cat = [1.0, 0.0]", "vocabulary.tokens.cat", "has 2 numbers, expected 3"),
    case("too long", CAT, "cat = [1, 2, 3, 4]", "vocabulary.tokens.cat", "has 4 numbers, expected 3"),
    case("empty", CAT, "cat = []", "vocabulary.tokens.cat", "found [], expected a list of numbers"),
    case("NaN", CAT, "cat = [1, nan, 3]", "vocabulary.tokens.cat", "number 2 is nan", "within ±1e+50"),
    case("infinity", CAT, "cat = [1, 2, inf]", "vocabulary.tokens.cat", "number 3 is inf", "within ±1e+50"),
    case("-infinity", CAT, "cat = [-inf, 2, 3]", "vocabulary.tokens.cat", "number 1 is -inf"),
    case("overflow", CAT, "cat = [1e999, 2, 3]", "vocabulary.tokens.cat", "number 1 is inf"),
    case("text", CAT, 'cat = [1, "2", 3]', "vocabulary.tokens.cat", "item 2 is '2', expected a number"),
    case("boolean", CAT, "cat = [true, 2, 3]", "vocabulary.tokens.cat", "item 1 is true, expected a number"),
    case("date", CAT, "cat = [2020-01-31, 2, 3]", "vocabulary.tokens.cat", "item 1 is 2020-01-31, expected a"),
    case("list", CAT, "cat = [[1], 2, 3]", "vocabulary.tokens.cat", "item 1 is [1], expected a number"),
    case("one number", CAT, "cat = 1.0", "vocabulary.tokens.cat", "found 1.0, expected a list of numbers"),
    case("huge", CAT, f"cat = [{HUGE}, 2, 3]", "vocabulary.tokens.cat", "number 1 is 1000", "within ±1e+50"),
    case("hexadecimal", CAT, f"cat = [{HEX}, 2, 3]", "vocabulary.tokens.cat", "number 1", "±1e+50"),
    case("NaN in weights", W_Q, "W_Q = [[1, 0], [0, nan], [0, 0]]", f"{QKV}.weights.W_Q[2]", "number 2 is nan"),
    case("text in weights", W_Q, 'W_Q = [["1"], [0], [0]]', f"{QKV}.weights.W_Q[1]", "item 1 is '1'"),
    case("huge in weights", W_Q, f"W_Q = [[{HUGE}]]", f"{QKV}.weights.W_Q[1]", "within ±1e+50"),
    case("heads 0", "heads = 3", "heads = 0", f"{HEADS}.heads", "found 0, expected a whole number from 1 to 64"),
    case("heads 65", "heads = 3", "heads = 65", f"{HEADS}.heads", "found 65, expected a whole number from 1 to 64"),
    case("heads a text", "heads = 3", 'heads = "3"', f"{HEADS}.heads", "found '3', expected a whole number"),
    case("heads a float", "heads = 3", "heads = 3.0", f"{HEADS}.heads", "found 3.0, expected a whole number"),
    case("heads a boolean", "heads = 3", "heads = true", f"{HEADS}.heads", "found true, expected a whole number"),
    case("heads huge", "heads = 3", f"heads = {HUGE}", f"{HEADS}.heads", "a whole number from 1 to 64"),
    case("d_k negative", 'title = "Plain"', "d_k = -1", f"{ATTN}.d_k", "found -1, expected a whole number from 1"),
    case("d_v NaN", 'title = "Plain"', "d_v = nan", f"{ATTN}.d_v", "found nan, expected a whole number"),
    case("seed negative", 'title = "Plain"', "seed = -1", f"{ATTN}.seed", "found -1, expected a whole number of at least 0"),
    case("seed beside weights", 'id = "qkv"', 'id = "qkv"\nseed = "x"', f"{QKV}.seed", "found 'x', expected a whole"),
    case("scale a number", 'title = "Plain"', "scale = 1", f"{ATTN}.scale", "found 1, expected true or false"),
]  # fmt: skip

SHAPES = [
    case("a bias of no letter", "heads = 3", 'heads = 3\nbias = ["X"]', f"{HEADS}.bias[1]", "found 'X', expected one of Q, K, V, O"),
    case("biases as text", "heads = 3", 'heads = 3\nbias = "Q"', f"{HEADS}.bias", "found 'Q', expected true, false or a list of some of"),
    case("a bias twice", "heads = 3", 'heads = 3\nbias = ["Q", "Q"]', f"{HEADS}.bias", "has 'Q' twice"),
    case("b_O without W_O", "heads = 3", 'heads = 3\nout_proj = false\nbias = ["O"]', f"{HEADS}.bias", "contains 'O', but out_proj = false"),
    case("d_out without W_O", "heads = 3", "heads = 3\nout_proj = false\nd_out = 2", f"{HEADS}.d_out", "found 2, but the concatenated heads have 3 columns"),
    case("W_O given in vain", "heads = 3", f"heads = 3\nout_proj = false\n{GIVEN}W_o = [[1]]", f"{HEADS}.weights.W_o", "it belongs to out_proj = true"),
    case("a bias given in vain", "heads = 3", f'heads = 3\nbias = ["O"]\n{GIVEN}b_V = [1]', f"{HEADS}.weights.b_V", 'it belongs to a bias list with "V"'),
    case("weights as PyTorch code calls them", "heads = 3", f"heads = 3\n{GIVEN}W_query = [[1]]", f"{HEADS}.weights.W_query", "did you mean 'W_Q'?"),
    case("d_out unlike W_O", "heads = 3", f"heads = 3\nd_out = 2\n{GIVEN}{EYES}", f"{HEADS}.weights.W_O", "shape 3 × 3, expected 3 × 2"),
    case("too few rows", W_Q, "W_Q = [[1, 0], [0, 1]]", f"{QKV}.weights.W_Q", "shape 2 × 2, expected 3 × 2"),
    case("W_Q unlike W_K", W_Q, "W_Q = [[1], [0], [0]]", f"{QKV}.weights.W_Q", "shape 3 × 1, expected 3 × 2"),
    case("W_V too tall", W_V, "W_V = [[1], [0], [0], [0]]", f"{QKV}.weights.W_V", "shape 4 × 1, expected 3 × 1"),
    case("ragged", W_Q, "W_Q = [[1, 0], [0], [0, 0]]", f"{QKV}.weights.W_Q", "row 2 has 1 numbers and row 1 has 2"),
    case("no rows", W_Q, "W_Q = []", f"{QKV}.weights.W_Q", "found [], expected a list of rows"),
    case("not rows", W_Q, "W_Q = [1, 2]", f"{QKV}.weights.W_Q[1]", "found 1, expected a list of numbers"),
    case("only some", W_V, "", f"{QKV}.weights.W_V", "is missing: give all of W_Q, W_K, W_V"),
    case("no W_O", "heads = 3", "weights = {W_Q = [[1], [1], [1]], W_K = [[1], [1], [1]], W_V = [[1], [1], [1]]}", f"{HEADS}.weights.W_O", "W_O"),
    case("not a table", 'title = "Plain"', "weights = 1", f"{ATTN}.weights", "found 1, expected a table"),
    case("d_k against weights", 'id = "qkv"', 'id = "qkv"\nd_k = 3', f"{QKV}.weights.W_Q", "shape 3 × 2, expected 3 × 3"),
    case("d_v against weights", 'id = "qkv"', 'id = "qkv"\nd_v = 2', f"{QKV}.weights.W_V", "shape 3 × 1, expected 3 × 2"),
    case("heads do not divide", "heads = 3", "heads = 2", f"{HEADS}.heads", "found 2", "3 dimensions", "give d_k"),
    case("too wide", "heads = 3", "heads = 64\nd_k = 256", "", "'Multi-head' would need", "16,384"),
]  # fmt: skip

IDS = [
    case(f"{name}: {what}", old, old.replace(was, f'"{bad}"' if at == "id" else bad), key, *right)
    for name, old, was, at in (
        ("sheet", 'id = "attn"', '"attn"', "id"),
        ("context", 'one = "cat mouse"', "one", "key"),
    )
    for what, bad, right in (
        ("capital", "Attn", ("'Attn' cannot be the id of", "lower-case Latin letters and digits")),
        ("underscore", "a_b", ("'a_b' cannot be the id of", "lower-case Latin letters and digits")),
        ("digit first", "1a", ("'1a' cannot be the id of", "starting with a letter")),
        ("long", "a" * 33, ("cannot be the id of", "at most 32")),
        ("vocab", "vocab", ("'vocab' is reserved",)),
        ("xlsxattn", "xlsxattn", ("'xlsxattn' is reserved",)),
        ("w", "w", ("'w' is reserved",)),
        ("b", "b", ("'b' is reserved",)),
        ("h1", "h1", ("'h1' is reserved",)),
        ("l12", "l12", ("'l12' is reserved",)),
    )
    for key in ((f"{ATTN}.id" if at == "id" else f"contexts.{bad}"),)
]
IDS += [
    case("sheet: a letter beyond ASCII", 'id = "attn"', 'id = "ä"', f"{ATTN}.id", "'ä' cannot be the id"),
    case("sheet: empty", 'id = "attn"', 'id = ""', f"{ATTN}.id", "'' cannot be the id of a sheet"),
    case("sheet: a number", 'id = "attn"', "id = 1", f"{ATTN}.id", "1 cannot be the id of a sheet"),
    case("sheet: none", 'id = "attn"', "", f"{ATTN}.id", "is missing"),
    case("sheet: line feed", 'id = "attn"', 'id = "a\\n"', f"{ATTN}.id", "cannot be the id of a sheet"),
    case("sheet twice", 'id = "heads"', 'id = "attn"', f"{HEADS}.id", "'attn' is already used by sheets[1]"),
    case(
        "sheet as a context",
        'id = "heads"',
        'id = "one"',
        f"{HEADS}.id",
        "'one' is already used by contexts.one",
    ),
]

STRUCTURE = [
    case("no vocabulary", GOOD[GOOD.index("[vocabulary]") : GOOD.index("[contexts]")], "", "vocabulary", "is missing"),
    case("vocabulary a text", GOOD[GOOD.index("[vocabulary]") : GOOD.index("[contexts]")], 'vocabulary = "x"\n', "vocabulary", "found 'x', expected a table"),
    case("no tokens", GOOD[GOOD.index("[vocabulary.tokens]") : GOOD.index("[contexts]")], "", "vocabulary.tokens", "is missing"),
    case("empty tokens", "cat = [1.0, 0.0, 0.5]\nmouse = [0.5, 0.5, 0]\n", "", "vocabulary.tokens", "is empty, expected at least one word"),
    case("no contexts", GOOD[GOOD.index("[contexts]") : GOOD.index('[[sheets]]\nid = "attn"')], "", "contexts", "is missing"),
    case("empty contexts", 'one = "cat mouse"\ntwo = ["mouse", "cat", "mouse"]\n', "", "contexts", "has 0 sentences, expected 1 to 100"),
    case("no sheets", GOOD[GOOD.index('[[sheets]]\nid = "attn"') :], "", "sheets", "at least one [[sheets]] table is needed"),
    case("sheets a list of numbers", GOOD[GOOD.index('title = "Two') : GOOD.index("focus")], "sheets = [1]\n", "", "not TOML"),
    case("unknown kind", 'kind = "multi-head"', 'kind = "x"', f"{HEADS}.kind", "found 'x', expected one of self-attention, multi-head, cross-attention, encoder"),
    case("kind without its hyphen", 'kind = "multi-head"', 'kind = "multihead"', f"{HEADS}.kind", "; did you mean 'multi-head'?"),
    case("kind by another word", 'kind = "compare"', 'kind = "comparison"', f"{COMPARE}.kind", "; did you mean 'compare'?"),
    case("mask misspelt", 'title = "Plain"', 'mask = "casual"', f"{ATTN}.mask", "; did you mean 'causal'?"),
    case("axes misspelt", '["animal", "tech"]\n', '["animal", "teck"]\n', f"{COMPARE}.axes", "; did you mean 'tech'?"),
    case("near misspelt", 'axes = ["animal', 'near = ["mose"]\naxes = ["animal', f"{COMPARE}.near", "lacks the word 'mose'; did you mean 'mouse'?"),
    case("kind a list", 'kind = "multi-head"', "kind = []", f"{HEADS}.kind", "found [], expected one of self-attention"),
    case("unknown mask", 'title = "Plain"', 'mask = "x"', f"{ATTN}.mask", "found 'x', expected one of none, causal"),
    case("mask a table", 'title = "Plain"', "mask = {}", f"{ATTN}.mask", "found {}, expected one of none, causal"),
    case("compare first", 'id = "attn"', 'id = "attn"\nkind = "compare"', f"{ATTN}.kind", "no attention sheet before it"),
    case("axes unknown", '["animal", "tech"]\n', '["animal", "colour"]\n', f"{COMPARE}.axes", "'colour'", "(animal, tech, size)"),
    case("axes one", '["animal", "tech"]\n', '["animal"]\n', f"{COMPARE}.axes", "two of the dimensions"),
    case("axes three", '["animal", "tech"]\n', '["animal", "tech", "size"]\n', f"{COMPARE}.axes", "two of the dimensions"),
    case("axes alike", '["animal", "tech"]\n', '["tech", "tech"]\n', f"{COMPARE}.axes", "two of the dimensions"),
    case("axes a text", '["animal", "tech"]\n', '"animal"\n', f"{COMPARE}.axes", "found 'animal', expected two of"),
    case("axes numbers", '["animal", "tech"]\n', "[1, 2]\n", f"{COMPARE}.axes", "found [1, 2], expected two of"),
    case("dimensions alike", '"animal", "tech", "size"', '"a", "b", "a"', "vocabulary.dimensions", "'a' twice"),
    case("dimensions a text", '["animal", "tech", "size"]', '"a"', "vocabulary.dimensions", "found 'a', expected a list of 1 to 1,024 names"),
    case("dimensions a number", '["animal", "tech", "size"]', '["a", 2, "c"]', "vocabulary.dimensions[2]", "found 2, expected text"),
    case("dimensions empty", '["animal", "tech", "size"]', "[]", "vocabulary.dimensions", "found [], expected a list of 1 to 1,024 names"),
    case("about a list", 'focus = "cat"', 'about = ["x"]', "about", "found ['x'], expected text"),
    case("about empty", 'focus = "cat"', 'about = " \\n "', "about", "is empty, expected text"),
    case("long title of emoji", '"Two words"', f'"{"🙂" * 128}"', "title", "256 characters (those like 🙂 count twice); at most 255"),
    case("about long", 'focus = "cat"', f'about = "{"x" * 1001}"', "about", "1001 characters; at most 1000"),
    case("about with a control character", 'focus = "cat"', 'about = "a\\u0007"', "about", "U+0007"),
    case("a sheet's about a number", 'title = "Plain"', "about = 1", f"{ATTN}.about", "found 1, expected text"),
    case("a sheet's about long", 'title = "Plain"', f'about = "{"x" * 256}"', f"{ATTN}.about", "256 characters; at most 255"),
    case("try a text", 'title = "Plain"', 'try = "x"', f"{ATTN}.try", "found 'x', expected a list of 1 to 3 sentences"),
    case("try empty", 'title = "Plain"', "try = []", f"{ATTN}.try", "found [], expected a list of 1 to 3 sentences"),
    case("try of four", 'title = "Plain"', 'try = ["a", "b", "c", "d"]', f"{ATTN}.try", "'d'], expected a list of 1 to 3"),
    case("try a number", 'title = "Plain"', 'try = ["a", 2]', f"{ATTN}.try[2]", "found 2, expected text"),
    case("try blank", "axes =", 'try = [""]\naxes =', f"{COMPARE}.try[1]", "is empty, expected text"),
    case("trys", 'title = "Plain"', 'trys = ["a"]', f"{ATTN}.trys", "did you mean 'try'?"),
]  # fmt: skip


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_unedited_spec_is_valid():
    Path("spec.toml").write_text(GOOD, "utf-8")
    found = spec.load(Path("spec.toml"))
    assert [sheet.id for sheet in found.sheets] == ["attn", "heads", "qkv", "compare"]
    assert found.contexts[1].words == ("mouse", "cat", "mouse")


@pytest.mark.parametrize(
    ("old", "new", "key", "right"), UNKNOWN_KEYS + WORDS + NUMBERS + SHAPES + IDS + STRUCTURE
)
def test_a_bad_spec_is_refused_in_one_sentence_and_nothing_is_written(old, new, key, right):
    Path("spec.toml").write_text(edited(old, new), "utf-8")
    sentence = refusal("build", "spec.toml")
    place = f"spec.toml: {key}" if key else "spec.toml"
    assert sentence.startswith(place)
    of, _, _ = sentence.removeprefix(place).partition(": ")
    assert of in ("", f" (sheet {SHEETS[int(key[7]) - 1]!r})" if key.startswith("sheets[") else "")
    assert [part for part in right if part not in sentence] == [], sentence


@pytest.mark.parametrize(
    ("content", "right"),
    [
        pytest.param(b"title = ", "not TOML: Invalid value", id="syntax"),
        pytest.param(b"= 1", "line 1: found = 1, which is not TOML", id="no key"),
        pytest.param(b"title = '\xff'", "byte 9 is not UTF-8", id="not UTF-8"),
        pytest.param("title = 'x'".encode("utf-16"), "not UTF-8", id="UTF-16"),
        pytest.param(b"PK\x03\x04\x00\x00", "this is not text; a spec", id="a zip"),
        pytest.param(b"a = " + b"[" * 100_000, "nested too deeply", id="deep"),
        pytest.param(f"a = {ENDLESS}".encode(), "more than 4,300 digits", id="endless number"),
        pytest.param(b"", "vocabulary: is missing", id="empty"),
    ],
)
def test_a_file_that_is_not_toml_is_refused_in_one_sentence(content, right):
    Path("spec.toml").write_bytes(content)
    sentence = refusal("build", "spec.toml")
    assert sentence.startswith("spec.toml: ")
    assert right in sentence


SLIPS = [
    ("two words = [1]", 'line 3: found two words = [1]; put the word in quotes: "two words" = [1]'),
    ("don't = [1]", 'put the word in quotes: "don\'t" = [1]'),
    ("don’t = [1]", 'put the word in quotes: "don’t" = [1]'),
    (
        "Fledermäuse = [1.0, 2]",
        'line 3: a word with letters other than a to z needs quotes before the =: "Fledermäuse" = [1.0, 2]',
    ),
    ("é = [1]", 'needs quotes before the =: "é" = [1]'),
    ("cave. = [1]", 'put the word in quotes: "cave." = [1]'),
    ("x = the cat sat # so", 'found x = the cat sat # so; put the text in quotes: x = "the cat sat"'),
    ("x = “the cat”", 'use straight quotes: x = "the cat"'),
    ("x = „the cat”", 'use straight quotes: x = "the cat"'),
    ("“a cat” = 1", 'use straight quotes: "a cat" = 1'),
    ("“猫”＝[1，2]", 'use straight quotes, and use half-width characters: "猫"=[1,2]'),
    ("猫：［1， 2］", 'use half-width characters, and write = between a word and its value: "猫" = [1, 2]'),
    ("x: 1", "write = between a word and its value: x = 1"),
    ("a b = c d", 'put the word in quotes, and put the text in quotes: "a b" = "c d"'),
    ('x = "the cat # c', 'the closing quote is missing: x = "the cat"'),
    ('"the cat = 1', 'the closing quote is missing: "the cat" = 1'),
    ('x = the cat"', 'the opening quote is missing: x = "the cat"'),
    ('x = ["a", "b]', 'the closing quote is missing: x = ["a", "b"]'),
    ('x = ["a", b"]', 'the opening quote is missing: x = ["a", "b"]'),
    ("x = 'it's'", 'use the other kind of quotes: x = "it\'s"'),
    ("x = [a, b]", 'put each word in quotes: x = ["a", "b"]'),
    ('x = ["a" "b"]', 'a comma is missing: x = ["a", "b"]'),
    ("x = [[1, 2] [3, 4]]", "a comma is missing: x = [[1, 2], [3, 4]]"),
    ("x = [3,0, 0,5]", "line 3: found x = [3,0, 0,5]; write 3.0, not 3,0: x = [3.0, 0.5]"),
    ("x = [[1,5, 2,0], [0,1]]", "write 1.5, not 1,5: x = [[1.5, 2.0], [0,1]]"),
    ("x = [0,5; -0,25]", "write 0.5, not 0,5: x = [0.5, -0.25]"),
    ("x = [0,5 0,05]", "write 0.5, not 0,5: x = [0.5, 0.05]"),
    ("x = [\n  1,0, 2,0,\n]", "line 4: found 1,0, 2,0,; write 1.0, not 1,0: 1.0, 2.0,"),
    ("temperature = 0,5", "write 0.5, not 0,5: temperature = 0.5"),
    ("x = 1.0, 2.", "write numbers in brackets, separated by commas: x = [1.0, 2.0]"),
    ("x = [.5 -02; 1e3]", "write numbers in brackets, separated by commas: x = [0.5, -2, 1e3]"),
    ("x = .5", "digits on both sides of the point, and no leading zeros: x = 0.5"),
    ("x = True", "write it in lower case: x = true"),
    ("x = [1, 2\ny = 2", "line 3: found x = [1, 2; a closing bracket is missing: x = [1, 2]"),
    ("x = [\n [1, 2]\n [3, 4],\n]", "line 4: found [1, 2]; a comma is missing: [1, 2],"),
    ("x = [\n [1, 2],\n [3, 4\n]\ny=1", "line 5: found [3, 4; a closing bracket is missing: [3, 4]"),
    ("x = [1, 2]]", "an opening bracket is missing: x = [[1, 2]]"),
    ("[[sheets]\nid = 1", "line 3: found [[sheets]; its brackets must match: [[sheets]]"),
    ("x = 1\nx = 2\ny = 3", "line 4: x is already defined in line 3; keep one of them"),
    ("x = [\n1,\n]\n'x' = [\n2,\n]", "line 6: x is already defined in line 3; keep one of them"),
    ("[a]\nx = 1\n[b]\nx = 1\n[a]", "line 7: [a] is already defined in line 3; keep one of them"),
    ("[s]\nx = 1\n[[s]]\nx = 1", "line 3: found [s]; each table of a list needs double brackets: [[s]]"),
    ("[[s]]\nx = 1\n[[s]]\nx = 1\nx = 2", "line 7: x is already defined in line 6; keep one of them"),
    ("x = {a = 1, a = 2}", "which is not TOML: Duplicate inline table key 'a'"),
    ("so it is", "line 3: found so it is, which is not TOML: Expected '='"),
    (f"x = [{'1 ' * 600}]", "which is not TOML: Unclosed array"),
]


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize(("text", "right"), SLIPS)
def test_a_syntax_error_is_explained_with_its_line_and_a_correction(text, right, ends):
    Path("spec.toml").write_bytes(f'title = "\u2028"\n\n{text}\n# the end\n'.replace("\n", ends).encode())
    sentence = refusal("build", "spec.toml")
    assert sentence.startswith("spec.toml: line ")
    assert right in sentence


@pytest.mark.parametrize(
    "numbers", ["[3,0,0]", "[3,0,5,]", "[0, 0,0]", "[1.5,0, 2]", "[\n3,0,\n0]", "[3, 0, 5] # 3,0, 0,5"]
)
def test_separators_are_not_decimal_commas(numbers):
    Path("spec.toml").write_text(edited(CAT, f"cat = {numbers}"), "utf-8")
    assert len(spec.load(Path("spec.toml")).vocabulary.E[0]) == 3


def test_decimal_commas_in_a_file_of_vectors_are_reported():
    head = {"v.csv": "word;a;b\n", "bare.csv": "", "v.txt": ""}
    for name, first in head.items():
        line = "cat 3,0 0,5\n" if name == "v.txt" else "cat;3,0;0,5\n"
        Path(name).write_text(f"{first}{line}", "utf-8")
        text = f'vocabulary.from = "{name}"\ncontexts.one = "cat"\n[[sheets]]\nid = "a"\n'
        Path("spec.toml").write_text(text, "utf-8")
        assert "the word 'cat' has 3,0: write 3.0, not 3,0" in refusal("build", "spec.toml")


def test_a_workbook_is_refused_as_a_spec(causal):
    Path("a.xlsx").write_bytes(causal.read_bytes())
    message = "a.xlsx: this is a workbook, use 'xlsxattn check'; a spec is a text file that ends in .toml"
    assert refusal("build", "a.xlsx") == message
    assert refusal("build", "./a.xlsx") == message


def test_a_file_that_is_missing_is_refused_in_one_sentence():
    assert refusal("build", "spec.toml") == "spec.toml: there is no such file"


def test_a_spec_with_a_similar_name_is_suggested():
    Path("bat4.toml").write_text(GOOD, "utf-8")
    assert refusal("build", "batt4.toml") == "batt4.toml: there is no such file; did you mean 'bat4.toml'?"
    assert refusal("build", "xy.toml") == "xy.toml: there is no such file"
    assert refusal("build", "bat4") == "there is no template 'bat4'; did you mean 'bat4.toml'?"
    assert refusal("build", "batt4") == "there is no template 'batt4'; did you mean 'bat4.toml'?"


def test_a_folder_is_refused_in_one_sentence():
    Path("spec.toml").mkdir()
    assert refusal("build", "spec.toml") == "spec.toml: cannot be read: Is a directory"
    Path("lessons").mkdir()
    sentence = "lessons: this is a folder; name a spec in it, a text file that ends in .toml"
    assert refusal("build", "lessons") == sentence


def test_a_byte_order_mark_and_windows_line_ends_are_accepted():
    Path("spec.toml").write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert spec.load(Path("spec.toml")).title == "Two words"


def test_words_are_normalized_to_nfc():
    apart = unicodedata.normalize("NFD", "é")
    text = (
        GOOD.replace("mouse =", '"é" =')
        .replace("cat mouse", f"cat {apart}")
        .replace('"mouse"', f'"{apart}"')
        .replace('["animal", "tech", "size"]', '["é", "tech", "size"]')
        .replace('["animal", "tech"]', f'["{apart}", "tech"]')
        .replace('focus = "cat"', f'focus = "{apart}"')
    )
    Path("spec.toml").write_text(text, "utf-8")
    found = spec.load(Path("spec.toml"))
    assert found.contexts[0].words == ("cat", "é")
    assert (found.focus, found.sheets[-1].axes) == ("é", ("é", "tech"))


def parsed(text):
    Path("spec.toml").write_text(text, "utf-8")
    return spec.load(Path("spec.toml"))


def test_defaults_of_a_spec():
    text = edited('focus = "cat"', "").replace('axes = ["animal", "tech"]', "")
    text = text.replace('dimensions = ["animal", "tech", "size"]', "").replace('title = "Two words"', "")
    found = parsed(text)
    attn, heads, qkv, compare = found.sheets
    assert found.focus == "cat"  # the first that all sentences share
    assert found.vocabulary.dimensions == ("d1", "d2", "d3")
    assert (attn.kind, attn.scale, attn.mask, dict(attn.weights)) == ("self-attention", True, "none", {})
    assert (heads.d_k, heads.d_v, qkv.d_k, qkv.d_v) == (1, 1, 2, 1)
    assert compare.axes == ("d1", "d2")


def test_about_replaces_the_default_text():
    text = edited('focus = "cat"', 'about = """\n  What\n  this is.\n"""')
    text = text.replace('title = "Plain"', 'about = "Nothing learned."\ntry = ["Do this.", "=Do that."]')
    text = text.replace('axes = ["animal"', 'about = "Side by side."\ntry = ["Look."]\naxes = ["animal"')
    found = {page.id: page for page in pages.book(parsed(text)).pages}
    assert found["guide"].paragraphs[0] == "What this is."
    assert (found["attn"].lead, found["attn"].tries) == ("Nothing learned.", ("Do this.", "=Do that."))
    assert (found["compare"].lead, found["compare"].tries) == ("Side by side.", ("Look.",))
    assert len(found["qkv"].tries) == 3


def test_about_of_a_model_is_on_its_first_page():
    sheet = 'about = "Small."\ntry = ["Look below."]\nkind = "decoder"\nid = "gpt"'
    found = {page.id: page for page in pages.book(parsed(edited('id = "attn"', sheet))).pages}
    assert (found["gpt"].lead, found["gpt"].tries) == ("Small.", ("Look below.",))
    assert found["gpt_in"].tries != found["gpt"].tries != found["gpt_out"].tries


def test_missing_weights_are_random_from_the_seed_in_the_order_q_k_v_o():
    heads = parsed(edited("heads = 3", "heads = 2\nd_k = 2\nd_v = 1\nseed = 7")).sheets[1]
    rng = np.random.default_rng(7)
    shapes = {"W_Q": (3, 4), "W_K": (3, 4), "W_V": (3, 2), "W_O": (2, 3)}
    assert list(heads.weights) == list(shapes)
    for name, shape in shapes.items():
        np.testing.assert_array_equal(heads.weights[name], rng.normal(0, 1 / np.sqrt(3), shape).round(2))


def test_the_longest_sentence_and_the_largest_number_are_accepted():
    text = edited('"cat mouse"', f'"{"cat " * 256}"').replace(CAT, "cat = [1e50, -1e50, 0]")
    assert len(parsed(text).contexts[0].words) == 256


def names_of(text):
    return list(places(layout.lay_out(pages.book(parsed(text)))))


PARTS = """
tokens index ids focus sentence e dims status heading x q k v scale rowidx colidx maskvalue mask scores scaled
masked rowmax exp rowsum unscaledsum attention attentionsum entropy entropyunscaled output concat drift cosine
rows cols start inputs contract a1 r1c1 r c true
"""


@pytest.mark.parametrize("part", PARTS.split())
def test_range_names_are_unique_for_any_ids(part):
    for old, new in (("one =", f"{part} ="), ('"attn"', f'"{part}"'), ('"compare"\nkind', f'"{part}"\nkind')):
        formulas.check_names(names_of(edited(old, new)))


def test_a_spec_in_memory_is_named_in_its_errors():
    with pytest.raises(SpecError, match=r"^a lesson: vocabulary: is missing$"):
        spec.parse({}, "a lesson")


# --- word vectors from a file ------------------------------------------------------------------------------

VECTORS = """
[vocabulary]
from = "v.txt"
{more}

[contexts]
one = "cat mouse"

[[sheets]]
id = "attn"
"""


def with_vectors(
    folder: Path, more: str = "", text: str = "the 9 9 9\ncat 1 2 3\ndog 0 1 0\nmouse 3 2 1\n"
) -> Path:
    (folder / "v.txt").write_text(text, "utf-8")
    path = folder / "s.toml"
    path.write_text(VECTORS.format(more=more), "utf-8")
    return path


def test_vectors_are_taken_for_the_words_of_the_sentences_and_those_listed(tmp_path):
    found = spec.load(with_vectors(tmp_path, 'words = ["dog", "cat"]')).vocabulary
    assert found.tokens == ("cat", "mouse", "dog")
    assert np.asarray(found.E).tolist() == [[1, 2, 3], [3, 2, 1], [0, 1, 0]]
    assert found.dimensions == ("d1", "d2", "d3")
    assert found.said == "The numbers: 3 dimensions of v.txt."


def test_components_are_mentioned_on_inputs(tmp_path):
    made = spec.load(with_vectors(tmp_path, "components = 1"))
    assert made.vocabulary.dimensions == ("PC1",)
    assert np.abs(np.asarray(made.vocabulary.E)).round(12).tolist() == [[round(2**0.5, 12)]] * 2
    whys = [band.why for page in pages.book(made).pages for band in page.bands]
    message = "The numbers: the first principal component of the 3 dimensions of v.txt, 100% of these words' variance."
    assert any(why.endswith(message) for why in whys)


@pytest.mark.parametrize(
    ("more", "text", "message"),
    [
        ("", "cat 1 2\nMouse 2 1\n", "s.toml: vocabulary.from: {v}: lacks the word 'mouse'; it has 'Mouse'"),
        ("components = 3", "cat 1 2\nmouse 2 1\n", "s.toml: vocabulary.from: {v}: components: found 3, expected 1 to 2 for 2 words and 2 dimensions"),
        ("components = 0", "", "s.toml: vocabulary.components: found 0, expected a whole number from 1 to 1024"),
        ('words = "dog"', "", "s.toml: vocabulary.words: found 'dog', expected a list of at most 1,000,000 words"),
        ('dimensions = ["x"]', "cat 1 2\nmouse 2 1\n", "{v}: cat: has 2 numbers, expected 1, one per dimension"),
    ],
)  # fmt: skip
def test_bad_vectors_are_refused(more, text, message, tmp_path):
    path = with_vectors(tmp_path, more, text)
    with pytest.raises(SpecError) as caught:
        spec.load(path)
    assert str(caught.value) == (f"{tmp_path}/" if message.startswith("s.toml") else "") + message.format(
        v=tmp_path / "v.txt"
    )


def test_words_and_components_require_a_file():
    with pytest.raises(
        SpecError, match=r"vocabulary\.components: needs a file of word vectors, named by the key from"
    ):
        spec.parse(
            {
                "vocabulary": {"tokens": {"a": [1.0]}, "components": 1},
                "contexts": {"c": "a"},
                "sheets": [{"id": "attn"}],
            },
            "s",
        )


def test_near_words_must_be_known():
    data = {
        "vocabulary": {"tokens": {"a": [1.0, 2.0]}},
        "contexts": {"c": "a"},
        "sheets": [{"id": "attn"}, {"id": "x", "kind": "compare", "near": ["b"]}],
    }
    with pytest.raises(
        SpecError, match=r"sheets\[2\]\.near \(sheet 'x'\): the vocabulary lacks the word 'b'"
    ):
        spec.parse(data, "s")
