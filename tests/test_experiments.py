"""What the workbooks invite to try is tried: every experiment of every template, in the embedded engine.

An experiment is a sentence on a page. Its test does what the sentence says and asserts what it promises; an
experiment without a test fails. A test is found by the name of the sentence in `experiments`, or, for what a
template says in its own words, by template, page and place in the page's list.
"""

from __future__ import annotations

import re
import tempfile
import tomllib
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import ironcalc
import numpy as np
import pytest

from dev import prebuilt
from xlsxattn import press, templates
from xlsxattn.builder import layout, pages
from xlsxattn.builder.pages import experiments
from xlsxattn.builder.specification import spec
from xlsxattn.checker.reading.book import read
from xlsxattn.contract.kinds import Model
from xlsxattn.language import language
from xlsxattn.view.look import look

if TYPE_CHECKING:
    from xlsxattn.view.look import OpenWorkbook

NAMES = {text: name for name, text in vars(experiments).items() if name.isupper() and isinstance(text, str)}
NAMES |= {chinese: NAMES[text] for text, chinese in language("zh").texts.items() if text in NAMES}
"""The sentences of the code, in English and Chinese → their names."""
STEPS = ("X", "Scores", "Scaled", "Exp", "Attention", "Output")
CHANGED, SAME, VISIBLE = 1e-3, 1e-12, 0.1
"""How far values move at least, at most by rounding alone, and to be seen."""


@cache
def book_of(template):
    return pages.book(spec.load(templates.path(template), {"lang": "en"}))


@cache
def spec_of(template):
    return spec.load(templates.path(template))


CASES = [(name, page.id, i) for name in templates.names() for page in book_of(name).pages
         for i in range(len(page.tries))]  # fmt: skip


def key_of(template, page, place) -> str:
    text = page.tries[place]
    return NAMES.get(getattr(text, "sentence", text), f"{template} {page.id} {place}")


def sheet_of(one, page):
    return next((s for s in one.sheets if page.id == s.id or page.id.startswith(f"{s.id}_")), None)


@pytest.fixture(scope="module")
def path_of(tmp_path_factory):
    folder = tmp_path_factory.mktemp("experiments")
    return cache(lambda template: prebuilt.build(template, folder / f"{template}.xlsx", "en"))


@cache
def names_of(path):
    return read(path).names


def far(one, other) -> float:
    """The largest difference of two ranges."""
    return np.abs(np.subtract(one, other)).max()


class Bench:
    """A workbook under an experiment: its page, its values as they are now, and cells to type into."""

    def __init__(self, path, page, place) -> None:
        self.template, self.page, self.values = path.stem, page, getattr(page.tries[place], "values", {})
        self.spec = spec_of(path.stem)
        self.sheet = sheet_of(self.spec, page)
        self.names = names_of(path)
        self.model = ironcalc.load_from_xlsx(str(path))
        self.tabs = {one["name"]: i for i, one in enumerate(self.model.get_worksheets_properties())}
        self.model.evaluate()  # once loaded, it has to be calculated twice
        self.calculated = False

    def put(self, name, value, row=None, col=None) -> None:
        """Type a value into a range, or into one row, column or cell of it; None empties."""
        area = self.names[name]
        for n, (tab, r, c) in enumerate(area.cells()):
            i, j = divmod(n, area.cols)
            cell = self.tabs[tab], r + 1, c + 1
            if row not in (None, i) or col not in (None, j):
                continue
            if value is None:
                self.model.clear_cell_contents(*cell)
            elif isinstance(value, str):
                self.model.update_cell_with_text(*cell, value)
            else:
                self.model.update_cell_with_number(*cell, float(value))
        self.calculated = False

    def cells(self, name):
        if not self.calculated:
            self.model.evaluate()
            self.calculated = True
        area = self.names[name]
        found = [self.model.get_cell_value(self.tabs[t], r + 1, c + 1) for t, r, c in area.cells()]
        return [found[i : i + area.cols] for i in range(0, len(found), area.cols)]

    def get(self, name):
        return np.array([[value or 0.0 for value in row] for row in self.cells(name)], dtype=float)

    def text(self, name) -> str:
        return str(self.cells(name)[0][0])

    def words(self, context) -> list[str]:
        return [str(value or "") for (value,) in self.cells(f"{context}_Tokens")]

    def write(self, context, words) -> None:
        """Write a sentence, blanks after it."""
        said = words.split()
        for place in range(len(self.words(context))):
            self.put(f"{context}_Tokens", said[place] if place < len(said) else None, place)

    def exchange(self, context, place) -> None:
        """Put another word into a place of a sentence, if possible one that it lacks, of another size."""
        said, known = self.words(context), self.spec.vocabulary.tokens
        sizes = dict(zip(known, self.get("vocab_E").sum(axis=1), strict=True))
        lacking = [word for word in known if word not in said]
        lacking.sort(key=lambda word: sizes[word] == sizes.get(said[place]))
        self.put(f"{context}_Tokens", next(w for w in (*lacking, *known) if w != said[place]), place)

    def swap(self, context, one, other) -> None:
        """Let two words change places."""
        places = {one: other, other: one}
        for place, word in enumerate(self.words(context)):
            if word in places:
                self.put(f"{context}_Tokens", places[word], place)

    # --- what an experiment is about -----------------------------------------------------------------------

    @property
    def id(self) -> str:
        return self.sheet.id

    @property
    def contexts(self) -> list[str]:
        listed = list(getattr(self.sheet, "contexts", ()))
        return listed or [c.id for c in self.spec.contexts]

    @property
    def context(self) -> str:
        """The first sentence."""
        return self.contexts[0]

    @property
    def p(self) -> str:
        """What the names of the first sentence's ranges begin with."""
        return f"{self.id}_{self.context}"

    @property
    def keys(self) -> str:
        """The sentence that is looked at."""
        return self.contexts[-1] if self.sheet.kind == "cross-attention" else self.context

    def heads(self, context) -> list[str]:
        """What the names of the heads' ranges begin with."""
        p = f"{self.id}_{context}"
        return [f"{p}_h{h + 1}" for h in range(self.sheet.heads)] if self.sheet.headed else [p]

    def looks(self, context) -> str:
        """What the names of an attention begin with whose keys are a sentence's."""
        return self.heads(self.context if self.sheet.kind == "cross-attention" else context)[0]

    def with_focus(self) -> tuple[str, int]:
        """A sentence that has the focus word, and its place."""
        found = next(c for c in self.contexts if self.spec.focus in self.words(c))
        return found, self.words(found).index(self.spec.focus)

    def position(self, context) -> tuple[int, str]:
        """The first place of a sentence with a word, and that word."""
        return next((i, word) for i, word in enumerate(self.words(context)) if word)

    def row(self, word) -> int:
        return self.spec.vocabulary.tokens.index(word)

    def all(self, names) -> dict:
        return {name: self.cells(name) for name in names}

    def move(self, names, change) -> None:
        """A change moves at least one of these ranges far enough to be seen."""
        before = {name: self.get(name) for name in names}
        assert before
        change()
        assert any(far(self.get(name), was) > CHANGED for name, was in before.items())

    def rows_alike(self, p, steps, one, other) -> None:
        for step in steps:
            rows = self.get(f"{p}_{step}")
            assert rows[one].tolist() == rows[other].tolist(), step


TESTS = {}


def shows(*keys, **arguments):
    """Mark a function as the test of experiments, some of them with arguments."""

    def mark(function):
        assert TESTS.keys().isdisjoint(keys)
        TESTS.update(dict.fromkeys(keys, partial(function, **arguments)))
        return function

    return mark


@pytest.mark.parametrize(("template", "page_id", "place"), CASES)
def test_an_experiment_shows_what_it_promises(path_of, template, page_id, place):
    page = next(page for page in book_of(template).pages if page.id == page_id)
    TESTS[key_of(template, page, place)](Bench(path_of(template), page, place))


def test_opposite_targets_hold_each_other_back(path_of):
    """A text of trainings that no template shows."""
    page = next(page for page in book_of("learning").pages if page.id == "learn")
    TESTS["OWN_TARGET"](Bench(path_of("learning"), page, 0))


def test_no_test_is_of_an_experiment_that_is_gone():
    pages_of = {(name, page.id): page for name in templates.names() for page in book_of(name).pages}
    asked = {key_of(template, pages_of[template, id_], i) for template, id_, i in CASES}
    assert {key for key in TESTS if " " in key} <= asked
    assert {key for key in TESTS if " " not in key} == set(NAMES.values())


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
    """The range of what a model reads: words and places together."""
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
        assert len(set(row) - {0.0}) == 1  # alike, but for what a mask closes


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


@shows("PULLED")
def pulled(b):
    b.move(outputs(b, b.with_focus()[0]), lambda: double(b, b.spec.focus))


@shows("SHARED")
def shared(b):
    b.put("vocab_Focus", b.values["word"])
    assert b.text(f"{b.page.id}_Status").startswith("✓")
    assert all(b.get(f"{c.id}_Focus")[0, 0] > 0 for c in b.spec.contexts)
    assert all(isinstance(b.cells(f"{b.page.id}_{c.id}_Cosine")[0][0], float) for c in b.spec.contexts)


# --- models ------------------------------------------------------------------------------------------------


@shows("MODEL_WORD")
@shows("READ_WORD", step="Output")
def model_word(b, *, step="Input"):
    place = b.position(b.context)[0]
    before = b.get(f"{b.p}_{step}")[place]
    b.exchange(b.context, place)
    assert far(b.get(f"{b.p}_{step}")[place], before) > CHANGED


@shows("SAME_WORD", "SAME_WORD_TURNED")
@shows("SAME_WORD_PLACED", placed=True)
def same_word(b, *, placed=False):
    context = next(c for c in b.contexts if len(b.words(c)) > 1)
    word = b.position(context)[1]
    for place in (0, 1):
        b.put(f"{context}_Tokens", word, place)
    b.rows_alike(f"{b.id}_{context}", ("X",), 0, 1)
    first, second = b.get(f"{b.id}_{context}_Input")[:2]
    assert far(first, second) > CHANGED if placed else far(first, second) == 0


def layer_names(b) -> tuple[str, str]:
    """What the names of a layer's weights begin with, and of its ranges in a sentence."""
    here = [block.name for block in b.page.blocks() if block.name.endswith("_FeedForward")]
    return b.page.id, here[0].removesuffix("_FeedForward")


@shows("NO_FEED_FORWARD", "NO_FEED_FORWARD_BIASED")
def no_feed_forward(b):
    w, p = layer_names(b)
    silence(b, w, p, b.values["residual"], b.values["stream"])


@shows("encoder paper 0", w="paper_l1", p="paper_cat_l1", stream="Norm1")
@shows("encoder modern 1", w="modern_l2", p="modern_cat_l2", stream="Residual1")
def silence(b, w, p, residual="Residual2", stream="Residual1"):
    assert b.get(f"{p}_FeedForward").any()
    for name in ("W_2", "b_2"):
        if f"{w}_{name}" in b.names:
            b.put(f"{w}_{name}", 0)
    assert not b.get(f"{p}_FeedForward").any()
    assert b.cells(f"{p}_{residual}") == b.cells(f"{p}_{stream}")


@shows("NORM_COLUMN", "RMS_NORM_COLUMN")
def norm_column(b):
    w, p = layer_names(b)
    b.put(f"{w}_Norm1_Gamma", 0, 0, 1)
    beta = b.get(f"{w}_Norm1_Beta")[0, 1] if f"{w}_Norm1_Beta" in b.names else 0.0
    assert (b.get(f"{p}_Norm1")[:, 1] == beta).all()


@shows("PROMPT", "SOURCE")
def prompt(b):
    text = f"{b.id}_{b.contexts[-1]}_Text"
    before = b.text(text)
    turned_round(b)
    assert b.text(text) != before


@shows("ORDER")
def another_order(b):
    turned_round(b)
    assert b.text(f"{b.p}_Class") in b.sheet.classes


def turned_round(b):
    """Write the words of a sentence in the reverse order, each blank where it was."""
    places = [i for i, word in enumerate(b.words(b.context)) if word]
    words = [b.words(b.context)[i] for i in places]
    for place, word in zip(places, reversed(words), strict=True):
        b.put(f"{b.context}_Tokens", word, place)


@shows("NO_LOOK_AHEAD")
def rows_above(b):
    context = b.contexts[-1]
    name, last = f"{b.id}_{context}_Next", len(b.words(context)) - 1
    probability = f"{b.id}_{context}_Probability"
    before, was = b.cells(name), b.get(probability)
    b.exchange(context, last)
    assert b.cells(name)[:last] == before[:last]
    assert far(b.get(probability)[last], was[last]) > 1e-6


@shows("MODEL_TEMPERATURE", "sort gpt 2", "llama llama 0")
def cooled(b):
    p, seen = f"{b.id}_{b.contexts[-1]}", []
    for value in (0.1, 1, 10):
        b.put(f"{b.id}_Temperature", value)
        seen.append((b.cells(f"{p}_Next"), b.get(f"{p}_Probability").max(axis=1)))
    (cold, sharp), (usual, largest), (warm, level) = seen
    assert cold == usual == warm
    assert (sharp >= largest).all()
    assert (largest >= level).all()
    assert far(sharp, level) > 0.01
    if b.sheet.id == "llama":  # which says so of its logits, too
        logits = b.cells(f"{p}_Logits")
        b.put(f"{b.id}_Temperature", 0.1)
        assert b.cells(f"{p}_Logits") == logits


@shows("RIVALS")
def rivals(b):
    top = b.get(f"{b.id}_{b.contexts[-1]}_TopLogits")
    assert (top[:, 0] >= top[:, 1]).all()


@shows("CLASSIFIED")
def class_logits(b):
    before, moved_by = b.get(f"{b.p}_Logits"), []
    for place, word in enumerate(b.words(b.context)):
        if word:
            b.exchange(b.context, place)
            moved_by.append(far(b.get(f"{b.p}_Logits"), before))
            b.put(f"{b.context}_Tokens", word, place)
    assert max(moved_by) > VISIBLE


@shows("CLASS_COLUMN")
def class_column(b):
    b.put(f"{b.id}_W_C", 0, None, 0)
    assert b.get(f"{b.p}_Logits")[0, 0] == b.get(f"{b.id}_b_C")[0, 0]


@shows("READ_TWICE", "READ_THROUGH", "READ_AT_ONCE")
def read_through(b):
    assert b.get(f"{b.p}_X").shape == b.get(f"{b.p}_Output").shape


# --- trainings ---------------------------------------------------------------------------------------------


def losses(b, rate):
    """The loss before each step and after the last, at a learning rate."""
    b.put("learn_LearningRate", rate)
    return b.get("learn_Loss")[:, 0]


@shows("NUDGE")
def nudges(b):
    found = []
    for h in (0.1, 1e-5, 1e-8):
        b.put("learn_CheckH", h)
        found.append(b.get("learn_CheckDifference").item())
    assert found[0] > found[1] < found[2]


@shows("OWN_TARGET")
def opposite_targets(b):
    usual = b.get("learn_Loss")[-1]
    for col, number in enumerate(b.get("learn_Targets")[1]):
        b.put("learn_Targets", -number, 0, col)
    assert b.get("learn_Loss")[-1] > usual + VISIBLE


@shows("learning learn 0")
def slow_and_fast(b):
    usual, slow, fast = (losses(b, rate) for rate in (2, 0.2, 20))
    assert slow[0] > slow[-1] > usual[-1]
    assert fast[0] - fast[1] > 0.9 * (fast[0] - fast[-1])
    assert np.abs(b.get("learn_dW_Q_Steps")[2:]).max() < VISIBLE


@shows("learning learn 2")
def step_by_hand(b):
    b.put("learn_Step", 1)
    W_Q, dW_Q = b.get("learn_Shown_W_Q"), b.get("learn_Shown_dW_Q")
    assert W_Q.tolist() == b.get("learn_Start_W_Q").tolist()
    assert far(b.get("learn_Shown_New_W_Q"), W_Q - b.get("learn_Rate") * dW_Q) < SAME


@shows("RATE", "walkthrough learn 0")
def jumps(b):
    assert np.ptp(losses(b, 0)) == 0
    found = losses(b, 50)
    assert np.diff(found).max() > VISIBLE
    assert found[-1] > found[0]


def trained_otherwise(path, rate) -> OpenWorkbook:
    """The walkthrough's training by gradient descent of all three matrices."""
    data = tomllib.loads(templates.path("walkthrough").read_text("utf-8"))
    data["sheets"] = [sheet for sheet in data["sheets"] if sheet["id"] in ("qkv", "learn")]
    training = data["sheets"][-1]
    del training["learns"]
    training |= {"optimizer": "sgd", "lr": rate}
    return look(press.build(data, path).path)


@shows("walkthrough learn 1")
def diverges(_):
    with tempfile.TemporaryDirectory() as folder:
        seen = trained_otherwise(Path(folder) / "book.xlsx", 0.5)
    assert seen["learn_Diverged"].grid == ((17.0,),)


@shows("walkthrough learn 2")
def looks_away(_):
    with tempfile.TemporaryDirectory() as folder:
        seen = trained_otherwise(Path(folder) / "book.xlsx", 0.1)
    loss = [value for (value,) in seen["learn_Loss"].grid]
    assert loss[-1] < loss[0]
    attention = [row[0] for row in seen["learn_cat_Attention_Steps"].grid]  # of “mouse” to “cat”
    assert (round(attention[0], 2), round(attention[-1], 2)) == (0.26, 0.04)


# --- the templates' own ------------------------------------------------------------------------------------


@shows("walkthrough attn 0", context="cat", left="and and mouse are friends")
@shows("pingguo attn 0", context="fruit", left="和 和 苹果 很 好吃")
def nobody_pulls(b, *, context, left):
    for place, word in enumerate(left.split()[:1]):
        b.put(f"{context}_Tokens", word, place)
    one, other = b.get(f"attn_{context}_Output")[2, :2]
    assert abs(one - other) < 0.05


@shows("walkthrough attn 1", context="cat", word="mouse")
@shows("pingguo attn 1", context="fruit", word="苹果")
def too_far_to_be_pulled(b, *, context, word):
    for dimension, value in enumerate((1.6, 2.4)):
        b.put("vocab_E", value, b.row(word), dimension)
    attn, learned = (b.get(f"{sheet}_{context}_Output")[2] for sheet in ("attn", "qkv"))
    assert attn[0] < attn[1]
    assert learned[0] > 2 * learned[1]


@shows("walkthrough qkv 2", words={"cat": "dog", "keyboard": "screen"})
@shows("pingguo qkv 0", words={"fruit": "葡萄", "tech": "手机"})
def words_of_no_lesson(b, *, words):
    for context, word in words.items():
        b.put(f"{context}_Tokens", word, 0)
    assert all(b.get(f"qkv_{context}_Attention")[2, 0] > 0.5 for context in words)


@shows("walkthrough dims 0")
def no_first_value(b):
    before = b.cells("dims_cat_Attention")
    b.put("dims_W_V", 0, None, 0)
    assert not b.get("dims_cat_Output")[:, 0].any()
    assert b.cells("dims_cat_Attention") == before


@shows("walkthrough dims 2")
def nothing_of_grammar(b):
    assert np.abs(b.get("dims_cat_Output")[[1, 3]]).max() < VISIBLE


@shows("walkthrough heads 1")
def two_bars(b):
    bars = [f"heads_cat_h{h}_FocusAttention" for h in (1, 2)]
    companion, other = (b.get(name)[0, 0] for name in bars)
    assert companion > 2 * other
    assert [one.blocks for one in b.page.charts[0].series] == [(name,) for name in bars]


@shows("walkthrough compare 1")
def a_cosine_of_nothing(b):
    b.put("vocab_Focus", "and")
    assert all(np.abs(b.get(f"compare_{c}_dims_Output")).max() < 0.06 for c in ("cat", "keyboard"))
    assert round(b.get("compare_keyboard_dims_Cosine")[0, 0], 3) == -0.717


@shows("causal causal 0")
def first_and_second_the(b):
    b.rows_alike("causal_chase", ("X",), 0, 3)
    X, output = b.get("causal_chase_X"), b.get("causal_chase_Output")
    assert output[0].tolist() == X[0].tolist()
    assert far(output[3], X[3]) > VISIBLE


@shows("causal causal 1")
def places_matter_by_the_mask(b):
    before, scaled = b.get("causal_chase_Output")[2], b.get("causal_chase_Scaled")[2]
    b.swap("chase", "cat", "mouse")
    assert b.get("causal_chase_Output")[2, 3] < before[3] - 0.01  # of animal
    assert sorted(b.get("causal_chase_Scaled")[2]) == pytest.approx(sorted(scaled))


@shows("padding both 0")
def first_word_cleared(b):
    b.put("short_Tokens", None, 0)
    assert set(b.get("both_short_Attention")[0]) == {1 / 6}


@shows("positions none 1", change=0.0)
@shows("positions sine 1", change=VISIBLE)
def rows_trade_places(b, *, change):
    before = b.get(f"{b.id}_dog_Output")[[1, 4]]
    b.swap("dog", "dog", "man")
    moved_by = far(before, b.get(f"{b.id}_dog_Output")[[4, 1]])
    assert moved_by > change if change else moved_by < SAME


@shows("positions sine 2")
def alike_but_for_the_place(b):
    b.rows_alike("sine_dog", ("X",), 0, 3)
    for step in ("Input", "Output"):
        first, second = b.get(f"sine_dog_{step}")[[0, 3]]
        assert far(first, second) > VISIBLE
    looks = b.get("sine_dog_Attention")[[0, 3]]
    assert looks.argmax(axis=1).tolist() == [0, 3]
    assert looks[[0, 1], [0, 3]] == pytest.approx([0.46, 0.51], abs=0.005)


@shows("positions table 1")
def same_place(b):
    for col, value in enumerate(b.get("table_P")[0]):
        b.put("table_P", value, 3, col)
    b.rows_alike("table_dog", ("Input", "Q", "Attention", "Output"), 0, 3)


@shows("cross cross 0")
def any_order(b):
    before = b.get("cross_english_Attention")
    assert (before[:3].argmax(axis=1) == [0, 1, 2]).all()
    b.write("german", " ".join(reversed([word for word in b.words("german") if word])))
    assert far(b.get("cross_english_Attention")[:, :3], before[:, 2::-1]) < SAME


@shows("cross cross 2")
def dog_and_hund(b):
    b.put("english_Tokens", "dog", 1)
    assert b.get("cross_english_Attention")[1, 1] == pytest.approx(0.92, abs=0.005)
    b.put("german_Tokens", "Hund", 1)
    assert b.get("cross_english_Attention")[1, 1] == pytest.approx(0.95, abs=0.005)
    assert b.get("cross_english_Output")[1, 3] < -VISIBLE  # quiet


@shows("encoder paper 1")
def less_stretched(b):
    before = b.get("paper_cat_l1_Norm1").std(axis=1)
    b.put("paper_Epsilon", 1)
    assert (b.get("paper_cat_l1_Norm1").std(axis=1) < 0.9 * before).all()


@shows("encoder paper 2")
def twice_as_large(b):
    before, hidden = b.get("paper_cat_l1_Norm1"), b.get("paper_cat_l1_Hidden")
    b.put("paper_l1_Norm1_Gamma", 2)
    assert far(b.get("paper_cat_l1_Norm1"), 2 * before) < SAME
    assert far(b.get("paper_cat_l1_Hidden"), 2 * hidden) < SAME


@shows("encoder modern 0")
def sharper_by_gamma(b):
    before, scores = b.get("modern_cat_l1_h1_Attention").max(axis=1).mean(), b.get("modern_cat_l1_h1_Scores")
    b.put("modern_l1_Norm1_Gamma", 2)
    assert b.get("modern_cat_l1_h1_Attention").max(axis=1).mean() > before + 0.05
    assert far(b.get("modern_cat_l1_h1_Scores"), 4 * scores) < 1e-9


@shows("encoder modern 2")
def no_order(b):
    b.put("modern_P", 0)
    before = b.get("modern_cat_Output")[[0, 2]]
    b.swap("cat", "cat", "mouse")
    assert far(b.get("modern_cat_Output")[[2, 0]], before) < 1e-9


@shows("glove compare 0")
def keyboard_for_cat(b):
    before = b.get("compare_cat_attn_Near")[:, 0]
    b.put("cat_Tokens", "keyboard", b.words("cat").index("cat"))
    after = b.get("compare_cat_attn_Near")[:, 0]
    assert [*before, *after] == pytest.approx([0.87, 0.52, 0.76, 0.68], abs=0.006)


@shows("glove compare 1")
def friends_and_usb(b):
    for place, word in enumerate(("friends", "usb")):
        b.put("compare_Tokens", word, place)
    first, second = (b.get(f"compare_{c}_attn_Near")[:, 0] for c in ("cat", "keyboard"))
    assert first[0] > second[0]
    assert second[1] > first[1]


@shows("llama llama 1")
def same_queries(b):
    one, other = (f"llama_said_l1_h{h}_Attention" for h in (1, 2))
    assert far(b.get(one), b.get(other)) > 0.01
    W_Q = b.get("llama_l1_W_Q")
    for i, j in np.ndindex(len(W_Q), 2):
        b.put("llama_l1_W_Q", W_Q[i, j], i, j + 2)
    assert b.cells(one) == b.cells(other)


@shows("llama llama 2")
def gate_shut(b):
    assert b.get("llama_said_l1_FeedForward").any()
    b.put("llama_l1_W_1", 0)
    assert not b.get("llama_said_l1_FeedForward").any()
    assert b.cells("llama_said_l1_Residual2") == b.cells("llama_said_l1_Residual1")


@shows("mouse cls 0")
def trap(b):
    assert b.text("cls_trap_Class") == "device"
    b.swap("trap", "keyboard", "dog")
    assert b.text("cls_trap_Class") == "animal"


@shows("mouse cls 1", context="keyboard", answer="cls_keyboard_Class", said={"cat and keyboard": "animal"})
@shows("sort gpt 0", context="prompt", answer="gpt_prompt_Text", said={"d d a c |": "d d a c | a c d d"})
@shows("reverse rev 2", context="word", answer="rev_written_Text", said={"p o s t s": "< t s o p >"})
@shows("reverse rev 0", context="word", answer="rev_written_Text",
       said={"s n a p": "< p a n s >", "o n": "< n o > > >"})  # fmt: skip
def answers(b, *, context, answer, said):
    for words, answered in said.items():
        b.write(context, words)
        assert b.text(answer) == answered


@shows("mouse cls 2")
def undecided(b):
    for words in ("mouse", "mouse are small"):
        b.write("keyboard", words)
        assert np.abs(np.asarray(b.get("cls_keyboard_Probability"), float) - 0.5).max() < 0.1


@shows("sort gpt 1")
def not_sorted(b):
    b.write("prompt", "b a |")
    assert b.text("gpt_prompt_Text") == "b a | | | a a b a"


@shows("reverse rev 1")
def backwards(b):
    rows = b.get("rev_written_l1_Cross_h2_Attention")
    assert rows[:4].argmax(axis=1).tolist() == [3, 2, 1, 0]


@shows("pingguo compare 0")
def millet(b):
    for context in ("fruit", "tech"):
        b.put(f"{context}_Tokens", "小米", 2)
    b.put("vocab_Focus", "小米")
    for context, (mine, other) in {"fruit": (0, 1), "tech": (1, 0)}.items():
        assert b.get(f"qkv_{context}_Attention")[2, 0] > 0.5  # of “小米” to its companion
        output = b.get(f"compare_{context}_qkv_Output")[0]
        assert output[mine] > 2.5
        assert output[other] < 0.5
