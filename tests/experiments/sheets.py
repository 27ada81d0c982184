"""Experiments of Inputs, attention sheets and compare sheets."""

from __future__ import annotations

import re
from functools import cache

import numpy as np
import pytest

from experiments.bench import CHANGED, SAME, STEPS, book_of, far, shows
from xlsxattn.builder import layout
from xlsxattn.contract.kinds import Model

# --- Inputs ------------------------------------------------------------------------------------------------


@shows("FOCUS", "FOCUS_IN_CHARTS", "FOCUS_HERE", "MODEL_FOCUS", "LAYER_FOCUS")
def another_focus(b):
    context, word = next((c, w) for c in b.contexts for w in b.words(c) if w and w != b.spec.focus)
    book = book_of(b.template)
    series = [n for page in book.pages for chart in page.charts for one in chart.series for n in one.blocks]
    before = b.all(series)
    b.put("vocab_Focus", word)
    assert b.get(f"{context}_Focus")[0, 0] == b.words(context).index(word) + 1
    placed = {sheet.id: sheet.placed for sheet in layout_of(b.template)}
    outlined = [p for p in book.pages if p.lanes and p.bands and not p.compact and p.id != "compare"]
    shown = [page for page in outlined if b.page.id in ("vocab", page.id)]
    assert all(any(p.word for p in placed[page.id]) for page in shown)
    assert b.page.id != "vocab" or not series or b.all(series) != before


@cache
def layout_of(template):
    return layout.lay_out(book_of(template))


@shows("OTHER_WORD")
def another_word(b):
    context = b.spec.contexts[0].id
    maps = [name for name in b.names if name.endswith("_Attention") and f"_{context}_" in name]
    before = b.all(maps)
    b.exchange(context, b.position(context)[0])
    assert b.all(maps) != before


@shows("NEVER_NEGATIVE")
@shows("ZERO_SCORES", negative=True)
def zero_scores(b, *, negative=False):
    b.sheet = next(sheet for sheet in b.spec.sheets if sheet.title == b.values["sheet"])
    place, word = b.position(b.keys)
    p = b.looks(b.keys)
    b.put("vocab_E", 0, b.row(word))
    assert not b.get(f"{p}_Scores")[:, place].any()
    assert b.get(f"{p}_Attention")[:, place].max() > 0
    scores = [b.get(name).min() for name in b.names if re.fullmatch(rf"{b.id}(_\w+)?_Scores", name)]
    assert min(scores) < 0 or not negative or b.template == "learning"  # where no number is negative


@shows("ZERO", "ZERO_ALONE")
@shows("ZERO_BUT_PLACE", placed=True)
def zero_row(b, *, placed=False):
    b.sheet = b.spec.sheets[0]
    place, word = b.position(b.context)
    assert b.get(f"{b.p}_X")[place].any()
    b.put("vocab_E", 0, b.row(word))
    assert not b.get(f"{b.p}_X")[place].any()
    if placed:
        assert b.get(entering(b))[place].tolist() == b.get(f"{b.p}_P")[place].tolist()


def entering(b) -> str:
    """The range of the input of a model: words plus positions."""
    return f"{b.p}_Sum" if f"{b.p}_Sum" in b.names else f"{b.p}_Input"


# --- attention sheets --------------------------------------------------------------------------------------


@shows("NEIGHBOUR")
@shows("NEIGHBOUR_BEFORE", after=False)
def neighbour(b, *, after=True):
    context, place = b.with_focus()
    said = b.words(context)
    beside = [i for i in (place - 1, *[place + 1] * after) if 0 <= i < len(said) and said[i]]
    looked = {f"{p}_FocusAttention" for p in b.heads(context)}
    output = f"{b.id}_{context}_Output"
    was = b.get(output)[place]
    b.move(looked, lambda: b.exchange(context, beside[0]))
    assert far(b.get(output)[place], was) > CHANGED
    assert looked <= {name for chart in b.page.charts for one in chart.series for name in one.blocks}


@shows("NO_WEIGHTS")
def larger_number(b):
    place, word = b.position(b.context)
    scores = f"{b.looks(b.context)}_Scores"
    was = b.get(scores)[place, place]
    double(b, word)
    assert b.get(scores)[place, place] > was


def double(b, word):
    """Make a word's largest number twice as large."""
    numbers = b.get("vocab_E")[b.row(word)]
    largest = int(np.abs(numbers).argmax())
    b.put("vocab_E", 2 * numbers[largest], b.row(word), largest)


@shows("WEIGHTS")
@shows("WEIGHTS_BIASED", names=("W_Q", "b_Q"))
def no_queries(b, *, names=("W_Q",)):
    assert ("b_Q" in names) == (f"{b.id}_b_Q" in b.names)
    for name in names:
        b.put(f"{b.id}_{name}", 0)
    p = b.looks(b.context)
    assert not b.get(f"{p}_Scores").any()
    for row in b.get(f"{p}_Attention"):
        assert len(set(row) - {0.0}) == 1  # equal, except for masked cells


@shows("HEADS", "walkthrough heads 0")
def without_a_head(b):
    before, rows = b.get(f"{b.p}_Output"), b.sheet.d_v
    part = b.get(f"{b.p}_Concat")[:, :rows] @ b.get(f"{b.id}_W_O")[:rows]
    for row in range(rows):
        b.put(f"{b.id}_W_O", 0, row)
    after = b.get(f"{b.p}_Output")
    assert far(before - part, after) < SAME
    assert np.abs(part).max() > CHANGED
    if b.template == "walkthrough" and b.page.id == "heads":
        assert np.abs(before[2, :2]).max() > 1  # "mouse"
        assert np.abs(after[2, :2]).max() < 0.05


@shows("CAUSAL_MASK")
def last_word(b):
    last = max(i for i, word in enumerate(b.words(b.context)) if word)
    before = {p: b.get(f"{p}_Attention") for p in b.heads(b.context)}
    b.exchange(b.context, last)
    after = {p: b.get(f"{p}_Attention") for p in before}
    assert all(after[p][:last].tolist() == was[:last].tolist() for p, was in before.items())
    assert any((after[p] != was).any() for p, was in before.items())


@shows("PADDING_OPENS", "padding both 1")
def blank_filled(b):
    context = next(c for c in reversed(b.contexts) if "" in b.words(c))
    place, first = b.words(context).index(""), "causal" in b.sheet.mask
    attention = f"{b.looks(context)}_Attention"
    assert not b.get(attention)[:, place].any()
    b.put(f"{context}_Tokens", b.position(context)[1], place)
    column = b.get(attention)[:, place]
    assert column[place * first :].min() > 0
    assert not column[: place * first].any()


@shows("PADDING_MASK", "padding pad 1")
@shows("cross cross 1", cat=1)
def cell_emptied(b, *, cat=None):
    attention = f"{b.looks(b.keys)}_Attention"
    before = b.get(attention)
    assert before[:, 1].any()
    b.put(f"{b.keys}_Tokens", None, 1)
    assert not b.get(attention)[:, 1].any()
    if cat is not None:
        both = [*before[cat], *b.get(attention)[cat]]
        assert both == pytest.approx([0.04, 0.91, 0.05, 0, 0.42, 0, 0.58, 0], abs=0.006)


@shows("TEMPERATURE")
def temperature(b):
    entropies = [f"{p}_FocusEntropy" for p in b.heads(b.with_focus()[0])]
    found = []
    for value in (0.1, 1, 10):
        b.put(f"{b.id}_Temperature", value)
        found.append([b.get(name)[0, 0] for name in entropies])
    assert (np.diff(found, axis=0) > 0).all()


@shows("SCALE")
def sharper(b):
    p = b.heads(b.context)[0]
    less = b.get(f"{p}_Entropy") - b.get(f"{p}_EntropyUnscaled")
    assert less.min() >= 0  # 0 where all scores are equal
    assert less.max() > CHANGED


@shows("TWICE", "padding pad 2", "positions none 0")
def twice(b):
    repeated = [(c, w) for c in b.contexts for w in b.words(c) if w and b.words(c).count(w) > 1]
    said = {word: context for context, word in repeated}
    word = b.values.get("word", "the")
    context = said[word]
    one, other = [i for i, w in enumerate(b.words(context)) if w == word][:2]
    b.rows_alike(f"{b.id}_{context}", STEPS, one, other)


@shows("BASE")
def base(b):
    frequency, angle = b.get(f"{b.id}_Frequency")[0, -1], b.get(f"{b.id}_Angle")
    b.put(f"{b.id}_Base", 2)
    assert b.get(f"{b.id}_Frequency")[0, -1] > 2 * frequency
    assert far(b.get(f"{b.id}_Angle"), angle) > 0.5


@shows("PLACES")
def no_place(b):
    assert b.get(f"{b.id}_P")[1].any()
    b.put(f"{b.id}_P", 0, 1)
    scaled = isinstance(b.sheet, Model) and b.sheet.scale_embeddings
    grown = np.sqrt(b.spec.vocabulary.d_model) if scaled else 1.0
    assert far(b.get(entering(b))[1], grown * b.get(f"{b.p}_X")[1]) < SAME


@shows("DISTANCE")
def distance(b):
    b.put(f"{b.context}_Tokens", b.position(b.context)[1])
    scores = b.get(f"{b.looks(b.context)}_Scores")
    assert far(scores[1:, 1:], scores[:-1, :-1]) < 1e-9
    assert np.ptp(scores) > CHANGED


@shows("CROSS")
def other_key(b):
    b.move([f"{b.looks(b.keys)}_Attention"], lambda: b.exchange(b.keys, 1))


# --- comparing ---------------------------------------------------------------------------------------------


def outputs(b, context) -> list[str]:
    return [name for name in b.names if re.fullmatch(rf"{b.page.id}_{context}_\w*Output", name)]


@shows("MOVED")
def moved(b):
    context, place = b.with_focus()
    b.move(outputs(b, context), lambda: b.exchange(context, place - 1 if place else place + 1))


@shows("LARGER_NUMBER")
def larger_number_of_focus(b):
    b.move(outputs(b, b.with_focus()[0]), lambda: double(b, b.spec.focus))


@shows("SHARED")
def shared(b):
    b.put("vocab_Focus", b.values["word"])
    assert b.text(f"{b.page.id}_Status").startswith("✓")
    assert all(b.get(f"{c.id}_Focus")[0, 0] > 0 for c in b.spec.contexts)
    assert all(isinstance(b.cells(f"{b.page.id}_{c.id}_Cosine")[0][0], float) for c in b.spec.contexts)
