"""The perturbed inputs: their limits, and the lengths of sentences."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise, permutations
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from specs import plain

from dev import prebuilt
from xlsxattn.builder import layout, pages, writer
from xlsxattn.builder.specification import parse
from xlsxattn.checker import check as proof
from xlsxattn.checker.cells import Area
from xlsxattn.checker.perturb import perturbed
from xlsxattn.checker.perturb.first_screen import unreadable
from xlsxattn.checker.reading.book import Book, Manifest, read
from xlsxattn.checker.reading.limits import NotCheckableError
from xlsxattn.checker.reading.manifest import affordable
from xlsxattn.checker.reference import SheetInfo

SHAPES = {
    "vocab_Tokens": (4, 1), "vocab_Dims": (1, 2), "vocab_E": (4, 16), "vocab_Focus": (1, 1),
    "c_Tokens": (5, 1),
    "s_l1_W_1": (16, 3), "s_l1_b_1": (1, 3), "s_l1_W_Q": (4, 3), "s_Epsilon": (1, 1), "s_Base": (1, 1),
    "s_Temperature": (1, 1), "s_P": (5, 16), "s_Classes": (1, 2),
}  # fmt: skip


def book_of(kind="decoder", said=("a", "b", None, None, None), **settings):
    names, typed, row = {}, {}, 0
    for name, (rows, cols) in SHAPES.items():
        names[name] = area = Area("S", row, 0, rows, cols)
        row += rows
        if name in ("vocab_Tokens", "vocab_Dims", "vocab_Focus", "s_Classes"):
            typed |= {at: f"{'abcd'[i % 4]}" for i, at in enumerate(area.cells())}
    typed |= {at: word for at, word in zip(names["c_Tokens"].cells(), said, strict=True) if word}
    sheet = SheetInfo("s", kind, settings)
    manifest = Manifest((sheet,), ("c",), tuple(SHAPES), {})
    return Book(Path("any.xlsx"), names, {}, typed, manifest, openpyxl.Workbook())


def values(book, edits, name):
    return [edits[at] for at in book.names[name].cells() if at in edits]


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("s_Epsilon", 0.01, 1), ("s_Base", 2, 1000), ("s_Temperature", 0.5, 2), ("vocab_E", -2, 2),
        ("s_P", -2, 2),
        ("s_l1_W_1", -1, 1), ("s_l1_W_Q", -2, 2), ("s_l1_b_1", -2, 2),
    ],
)  # fmt: skip
def test_numbers_are_drawn_within_their_limits_in_every_round(name, low, high):
    book = book_of(generate=True)
    rounds = [values(book, edits, name) for edits in perturbed(book)[:-1]]
    drawn = [value for found in rounds for value in found]
    assert drawn
    assert all(low <= value <= high for value in drawn)
    if low < 0:
        assert min(drawn) < 0.7 * low
        assert max(drawn) > 0.7 * high
    assert len(set(drawn)) > len(rounds) / 2


def test_a_build_is_proved_on_every_fourth_set_and_the_last():
    book = book_of(generate=True)
    every, few = perturbed(book), perturbed(book, few=True)
    assert len(every) > 30
    assert few == [*every[:-1:4], every[-1]]


def test_the_temperature_of_an_attention_sheet_is_once_below_zero():
    for kind in ("self-attention", "multi-head", "cross-attention"):
        book = book_of(kind, mask="none")
        rounds = perturbed(book)[:-1]
        (cold,) = [edits for edits in rounds if values(book, edits, "s_Temperature") == [-1.0]]
        small = [v for name in ("vocab_E", "s_l1_W_Q", "s_P") for v in values(book, cold, name)]
        assert 0.15 < max(small) <= 0.2
        assert -0.2 <= min(small) < -0.15
        assert 2 <= values(book, cold, "s_Base")[0] <= 1000
        assert all(0.5 <= values(book, edits, "s_Temperature")[0] <= 2 for edits in rounds if edits != cold)


def test_weights_of_plain_sheets_keep_their_limits():
    book = book_of("multi-head")
    drawn = [value for edits in perturbed(book) for value in values(book, edits, "s_l1_W_1")]
    assert max(drawn) > 1.5


def test_prompts_of_every_length_are_tried_where_blank_cells_mean_something():
    book = book_of(generate=True)
    patterns = {
        tuple(bool(word) for word in words)
        for edits in perturbed(book)
        if len(words := values(book, edits, "c_Tokens")) == 5
    }
    full, none, one = (True,) * 5, (False,) * 5, (True,) + (False,) * 4
    assert {full, none, one} <= patterns
    assert any(not pattern[0] and any(pattern) for pattern in patterns)
    assert any(pattern[0] and not pattern[1] and any(pattern[2:]) for pattern in patterns)


def test_blank_cells_stay_blank_where_they_mean_nothing():
    book = book_of("multi-head", mask="none")
    assert all(len(values(book, edits, "c_Tokens")) <= 2 for edits in perturbed(book))
    padded = book_of("multi-head", mask="padding")
    assert any(len(values(padded, edits, "c_Tokens")) == 5 for edits in perturbed(padded))


def test_duplicate_words_are_counted_differently_in_neighbouring_rows():
    book = book_of("multi-head", said=("a", "b", "c", "d", "a"), mask="none")
    known = [values(book, edits, "vocab_Tokens") for edits in perturbed(book)]
    times = [[words.count(word) for word in words] for words in known if len(set(words)) < len(words)]
    assert [4, 4, 4, 4] in times
    assert all(above != below for above, below in pairwise(zip(*times, strict=True)))


def test_the_focus_word_follows_words_and_blank_cells():
    """Otherwise a padding mask and a causal mask would allow the same number of words."""
    book = book_of("multi-head", said=("a", "b", "c", "d", "a"), mask="causal+padding")
    book = replace(book, names={**book.names, "s_c_FocusSeen": Area("S", 99, 0, 1, 1)})
    found = set()
    for edits in perturbed(book):
        words, focus = values(book, edits, "c_Tokens"), values(book, edits, "vocab_Focus")
        if len(words) == 5 and focus and words.count(*focus) == 1 and words.count("") <= 1:
            at = words.index(*focus)
            found.add((at, at > 0 and not words[at - 1], words.count("")))
    assert found >= {(0, False, 0), *((at, blank, int(blank)) for at in (1, 2, 3) for blank in (False, True))}


def test_classes_and_words_are_not_numbers():
    book = book_of(generate=True)
    for edits in perturbed(book):
        assert all(isinstance(name, str) for name in values(book, edits, "s_Classes"))
        assert all(isinstance(word, str) for word in values(book, edits, "c_Tokens"))


@pytest.mark.parametrize("behind", [1, 2])
def test_the_last_word_ranks_second_and_third_in_its_attention(behind):
    book = book_of("multi-head", said=("a", "b", "c", "d", "a"))
    wanted = [*"abcd"[-behind:], *"a" * (4 - behind), "abcd"[-1 - behind]]
    found = [edits for edits in perturbed(book) if values(book, edits, "c_Tokens") == wanted]
    assert [values(book, edits, "vocab_Focus") for edits in found] == [[wanted[-1]]]
    E = np.reshape(values(book, found[0], "vocab_E"), (4, 16))
    assert (np.diff(E, axis=0) > 0).all()
    scores = E @ E["abcd".index(wanted[-1])]
    assert np.argsort(-scores).tolist().index("abcd".index(wanted[-1])) == behind


def test_the_values_of_a_word_vanish_on_each_sheet_without_each_other(tmp_path):
    sheets = [{"id": name, "kind": "self-attention", "seed": 1} for name in "stu"]
    written = pages.book(parse(plain([2, 2], 2, *sheets, {"id": "c", "kind": "compare"}), "three sheets"))
    writer.write(tmp_path / "three.xlsx", written.title, layout.lay_out(written))
    book, met = read(tmp_path / "three.xlsx"), set()
    last = str(book.typed[[*book.names["vocab_Tokens"].cells()][-1]])
    for edits in perturbed(book):
        E = np.reshape(values(book, edits, "vocab_E") or [[1] * 4], (2, 2))
        if E[1, 0] == 0 != E[1, 1] and E[0, 1] == 0 != E[0, 0]:
            gone = {s for s in "stu" if values(book, edits, f"{s}_W_V")[-2:] == [0, 0]}
            said = {c for c in ("c1", "c2") if set(values(book, edits, f"{c}_Tokens")) == {last}}
            met |= {(s, other, c) for s in gone for other in {*"stu"} - gone for c in said}
    assert met >= {(s, other, c) for s, other in permutations("stu", 2) for c in ("c1", "c2")}


@pytest.mark.parametrize("layers", [1, 2, 6])
def test_of_any_two_depths_each_vanishes_once_without_the_other(layers):
    norms = ["s_Input", *(f"s_l{k}_Norm2" for k in range(1, layers + 1))]
    shapes = {
        name: SHAPES[name] for name in ("vocab_Tokens", "vocab_Dims", "vocab_E", "vocab_Focus", "c_Tokens")
    }
    shapes |= {f"{norm}_{part}": (1, 16) for norm in norms for part in ("Gamma", "Beta")}
    names = {name: Area(name, 0, 0, *shape) for name, shape in shapes.items()}
    texts = {name: names[name] for name in ("vocab_Tokens", "vocab_Dims", "c_Tokens")}
    typed = {at: "abcd"[i % 4] for area in texts.values() for i, at in enumerate(area.cells())}
    settings = {"similarity": True, "residual": "post-norm", "layers": layers}
    manifest = Manifest((SheetInfo("s", "encoder", settings),), ("c",), tuple(shapes), {})
    book = Book(Path("any.xlsx"), names, {}, typed, manifest, openpyxl.Workbook())
    depths = {"X": ["vocab_E"], **{norm: [f"{norm}_Gamma", f"{norm}_Beta"] for norm in norms}}
    gone = [
        {
            depth
            for depth, own in depths.items()
            if not any(v for name in own for v in values(book, edits, name))
        }
        for edits in perturbed(book)
        if values(book, edits, "vocab_E") and values(book, edits, "vocab_Focus") == ["d"]
    ]
    for one, other in permutations(depths, 2):
        assert any(one in vanished and other not in vanished for vanished in gone), (one, other)


# Limits of the reference


def cost(kind, n, typed=None, **settings):
    words = np.array([["a" if i < (n if typed is None else typed) else ""] for i in range(n)], dtype=object)
    inputs = {"c_Tokens": words, "d_Tokens": words, "vocab_E": np.zeros((10, 4)), "s_W_Q": np.zeros((4, 4))}
    manifest = Manifest((SheetInfo("s", kind, settings),), ("c", "d"), (), {})
    affordable(Path("any.xlsx"), manifest, inputs)


MODEL = {"contexts": ["c"], "layers": 2, "heads": 2, "source": "c", "target": "d"}


@pytest.mark.parametrize(
    ("kind", "n", "settings"),
    [
        ("encoder", 500, MODEL),
        ("decoder", 60, {**MODEL, "generate": True}),
        ("encoder-decoder", 300, MODEL),
        ("cross-attention", 1000, {"queries": "c", "keys": "d"}),
        ("self-attention", 1000, {}),
    ],
)
def test_sheets_of_an_ordinary_size_are_affordable(kind, n, settings):
    cost(kind, n, **settings)


@pytest.mark.parametrize(
    ("kind", "n", "settings"),
    [
        ("encoder", 2000, MODEL),
        ("encoder", 10, {**MODEL, "layers": 10**9}),
        ("decoder", 10, {**MODEL, "heads": 10**9}),
        ("decoder", 200, {**MODEL, "generate": True}),
        ("encoder-decoder", 1500, MODEL),
        ("cross-attention", 3000, {"queries": "c", "keys": "d"}),
        ("self-attention", 3000, {}),
    ],
)
def test_sheets_that_are_too_large_are_refused_in_one_sentence(kind, n, settings):
    with pytest.raises(
        NotCheckableError, match=r"any\.xlsx: its sheets would need [\d,]+ scores, the limit is"
    ):
        cost(kind, n, 1, **settings)


@pytest.mark.parametrize(
    ("settings", "written", "blanks"),
    [
        ({}, (), False),
        ({"mask": "causal+padding"}, (), True),
        ({"generate": True}, (), True),
        ({"generate": True, "contexts": ["a", "b"]}, ("a", "b"), True),
        ({"generate": True, "source": "a", "target": "b"}, ("b",), True),
    ],
)
def test_generated_contexts_are_known_without_settings(settings, written, blanks):
    sheet = SheetInfo("gpt", "decoder", settings)
    assert (sheet.writes_into, sheet.uses_blanks) == (written, blanks)


TRAINING = {
    "vocab_Tokens": (4, 1), "vocab_Dims": (1, 2), "vocab_E": (4, 2), "vocab_Focus": (1, 1),
    "c_Tokens": (3, 1), "t_W_Q": (2, 2), "s_Tokens": (5, 1), "s_Asked": (2, 1), "s_W_Q": (2, 2),
    "s_LearningRate": (1, 1), "s_WeightDecay": (1, 1), "s_CheckMatrix": (1, 1),
    "s_Step": (1, 1), "s_CheckH": (1, 1),
}  # fmt: skip
TEXTS = ("vocab_Tokens", "vocab_Dims", "vocab_Focus", "c_Tokens", "s_Tokens", "s_Asked", "s_CheckMatrix")


def training_rounds():
    """What is typed in each round, with what stays typed from the rounds before it, and the book."""
    names = {name: Area("S", 0, 9 * k, *shape) for k, (name, shape) in enumerate(TRAINING.items())}
    typed = {at: "abcd"[i % 4] for name in TEXTS for i, at in enumerate(names[name].cells())}
    settings = {"trains": "t", "examples": [3, 2], "learns": ["W_Q"], "steps": 3, "optimizer": "sgd"}
    sheets = (SheetInfo("t", "self-attention", {"weights": True}), SheetInfo("s", "training", settings))
    book = Book(
        Path("any.xlsx"), names, {}, typed, Manifest(sheets, ("c",), tuple(TRAINING), {}), openpyxl.Workbook()
    )
    known = dict(typed)
    for edits in perturbed(book):
        known |= edits
        yield dict(known), book


def test_one_example_lacks_its_word_in_every_third_round():
    lacking, said = [], set()
    for known, book in training_rounds():
        words, asked = ([known[at] for at in book.names[name].cells()] for name in ("s_Tokens", "s_Asked"))
        there = [asked[0] in words[:3], asked[1] in words[3:]]
        lacking += [asked[there.index(False)]] if not all(there) else []
        assert any(there)
        said |= {word for word, own in zip(asked, there, strict=True) if own}
    assert "" in lacking
    assert len({*lacking}) > 2
    assert len(said) > 3


def test_each_example_lacks_its_word_once_where_nothing_else_is_wrong():
    lacking = set()
    for known, book in training_rounds():
        names = ("vocab_Tokens", "s_Tokens", "s_Asked")
        vocabulary, words, asked = ([known[at] for at in book.names[name].cells()] for name in names)
        if len({*vocabulary}) == len(vocabulary) and {*words} <= {*vocabulary} - {""}:
            lacking |= {e for e, own in enumerate((words[:3], words[3:])) if asked[e] not in own}
    assert lacking == {0, 1}


def test_trainings_start_small_but_go_beyond_their_limits():
    every = [known for known, _ in training_rounds()]
    book = next(training_rounds())[1]
    (rate,), weights = book.names["s_LearningRate"].cells(), list(book.names["s_W_Q"].cells())
    rates = [known[rate] for known in every]
    assert max(rates) > 1e6
    assert min(rates) < -1e6
    assert 10.0 in rates  # with a decay of 1, each step makes weights nine times as large
    far = [known for known in every if any(abs(known[at]) > 1e6 for at in weights)]
    for at in (rate, *weights):  # each one once below, once within, and once above
        assert sorted(max(-1e6, min(known[at], 1e6)) for known in far)[::2] == [-1e6, 1e6]
    mild = [known for known in every[:-1] if 0.005 <= known[rate] <= 0.05 and known not in far]
    assert len(mild) > len(every) / 3
    assert max(abs(known[at]) for known in mild for at in weights) <= 0.5


def test_the_loss_of_a_training_falls_slightly_once():
    rates = []
    for known, book in training_rounds():
        rate, decay = (
            known[at] for name in ("LearningRate", "WeightDecay") for at in book.names[f"s_{name}"].cells()
        )
        rates += [rate] if 0 < rate < 1e-4 and decay == 0 else []
    assert rates == [pytest.approx(1e-4 / 3)]


def test_positions_of_words_are_also_missing_fractions_and_beyond_the_sentence():
    book = book_of("self-attention", mask="none")
    before = perturbed(book)
    inputs = [f"s_c_{block}" for block in ("CellRow", "CellCol")]
    areas = {name: Area("S", 99, k, 1, 1) for k, name in enumerate(inputs)}
    manifest = replace(book.manifest, inputs=(*book.manifest.inputs, *inputs))
    rounds = perturbed(replace(book, names={**book.names, **areas}, manifest=manifest))
    assert len(rounds) == len(before)
    both = [tuple(edits[area.sheet, area.row, area.col] for area in areas.values()) for edits in rounds]
    assert {(0.0, 1.5), (1.5, 99.0), (99.0, ""), ("", 0.0)} <= {*both}
    usual = [pair for pair in both[:-1] if not {*pair} & {0.0, 1.5, 99.0, ""}]
    assert len(usual) == len(rounds) - 5
    assert len({int(row) for row, _ in usual}) > 5  # words, and positions before and after them
    assert all(0 <= position <= 7 for pair in usual for position in pair)


def test_unreadable_cells_differ_between_any_two_sentences():
    names = {f"{c}_Tokens": Area(c, 0, 0, 3, 1) for c in "cde"} | {"vocab_Focus": Area("v", 0, 0, 1, 1)}
    manifest = Manifest((), ("c", "d", "e"), (), {}, front={"contexts": ["c", "d", "e"]})
    book = Book(Path("any.xlsx"), names, {}, {}, manifest, openpyxl.Workbook())
    rounds = list(unreadable(book, ["a", "b"]))
    told = {c: [tuple(edits[c, i, 0] for i in range(3)) for edits in rounds] for c in "cde"}
    unknown = next(word for words in told["c"] for word in words if word not in ("a", ""))
    assert all(("", unknown, "a") in words and ("a", "", "a") in words for words in told.values())
    blank = {c: [words == ("", "a", "a") for words in each] for c, each in told.items()}
    assert all(blank[one] != blank[other] for one, other in permutations("cde", 2))


@pytest.mark.parametrize(("context", "limit"), [("cat", "0.005"), ("keyboard", "0.02")])
def test_another_limit_of_undecided_classes_is_found(tmp_path, context, limit):
    book, says = read(prebuilt.build("mouse", tmp_path / "mouse.xlsx")), f"xlsxattn_{context}_Says"
    area = book.names[says]
    formula = book.workbook[area.sheet].cell(area.row + 1, area.col + 1).value
    assert "0.01" in formula.text
    formula.text = formula.text.replace("0.01", limit)
    book.workbook.save(path := tmp_path / "some.xlsx")
    assert says in {finding.range for finding in proof.check(path).runs[0].findings}


@pytest.mark.parametrize("fault", ["", "*(SUMSQ(vocab_E)>0.01)"])  # small numbers are among the last sets
def test_sets_proved_at_once_have_the_same_report_as_one_by_one(causal, tmp_path, monkeypatch, fault):
    book = read(causal)
    area = book.names[next(name for name in book.manifest.formulas if name.endswith("_Scores"))]
    book.workbook[area.sheet].cell(area.row + 1, area.col + 1).value.text += fault
    book.workbook.save(path := tmp_path / "some.xlsx")
    at_once = proof.check(path).runs
    assert max((finding.round for finding in at_once[0].findings), default=0) > 1 or not fault
    monkeypatch.setattr(proof, "_all_right", lambda *_: None)
    assert proof.check(path).runs == at_once
