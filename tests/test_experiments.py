"""What the workbooks invite to try is tried: every experiment of every template, in the embedded engine.

An experiment is a sentence on a page. Each has a function here that does what it says and asserts what it
promises; a sentence without one fails.
"""

# ruff: noqa: E501 - sentences are quoted as they stand

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any

import ironcalc
import numpy as np
import pytest
from model_specs import drawn
from specs import plain

from xlsxattn import press, templates
from xlsxattn.builder import layout, pages
from xlsxattn.builder.pages import experiments as e
from xlsxattn.builder.specification import spec
from xlsxattn.checker.reading.book import read
from xlsxattn.language import language, say

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from xlsxattn.builder.graph import Book, Page
    from xlsxattn.builder.specification import Spec
    from xlsxattn.contract.kinds import Sheet


CHINESE, ENGLISH = language("zh"), {"lang": "en"}


@cache
def book_of(template: str):
    return pages.book(spec.load(templates.path(template), ENGLISH))


def tried(template: str) -> list[tuple[str, str, int]]:
    """Template, page, place in the list: of every experiment."""
    found = book_of(template).pages
    return [(template, page.id, i) for page in found for i in range(len(page.tries))]


CASES = [case for template in templates.names() for case in tried(template)]


def sentence(text: str) -> str:
    """A text without the values in it."""
    return getattr(text, "sentence", text)


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Callable[[str], Path]:
    folder = tmp_path_factory.mktemp("experiments")

    @cache
    def path(template: str) -> Path:
        made = press.build(templates.path(template), folder / f"{template}.xlsx", changed=ENGLISH)
        assert made.report.holds
        return made.path

    return path


@cache
def names_of(path: Path):
    return read(path).names


@dataclass
class Bench:
    """A workbook under an experiment: its page, its values as they are now, and cells to type into."""

    path: Path
    spec: Spec
    page: Page
    sheet: Sheet | None
    values: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.names = names_of(self.path)
        self.model = ironcalc.load_from_xlsx(str(self.path))
        self.tabs = {one["name"]: i for i, one in enumerate(self.model.get_worksheets_properties())}

    def put(self, name: str, value: object, row: int | None = None, col: int | None = None) -> None:
        """Type a value into a range, or into one row, column or cell of it; None empties."""
        area = self.names[name]
        for n, (tab, r, c) in enumerate(area.cells()):
            i, j = divmod(n, area.cols)
            if row not in (None, i) or col not in (None, j):
                continue
            if value is None:
                self.model.clear_cell_contents(self.tabs[tab], r + 1, c + 1)
            elif isinstance(value, str):
                self.model.update_cell_with_text(self.tabs[tab], r + 1, c + 1, value)
            else:
                self.model.update_cell_with_number(self.tabs[tab], r + 1, c + 1, float(value))
        self.model.evaluate()
        self.model.evaluate()

    def cells(self, name: str) -> list[list[Any]]:
        area = self.names[name]
        found = [self.model.get_cell_value(self.tabs[t], r + 1, c + 1) for t, r, c in area.cells()]
        return [found[i : i + area.cols] for i in range(0, len(found), area.cols)]

    def get(self, name: str) -> Any:
        return np.array([[value or 0.0 for value in row] for row in self.cells(name)], dtype=float)

    def text(self, name: str) -> str:
        return str(self.cells(name)[0][0])

    def words(self, context: str) -> list[str]:
        return [str(value or "") for (value,) in self.cells(f"{context}_Tokens")]

    # --- what an experiment is about -----------------------------------------------------------------------

    @property
    def contexts(self) -> list[str]:
        assert self.sheet is not None
        return list(self.sheet.contexts) or [c.id for c in self.spec.contexts]

    @property
    def keys(self) -> str:
        """The sentence that is looked at."""
        assert self.sheet is not None
        return self.contexts[-1] if self.sheet.kind == "cross-attention" else self.contexts[0]

    def heads(self, context: str) -> list[str]:
        """What the names of the heads' ranges begin with."""
        assert self.sheet is not None
        p = f"{self.sheet.id}_{context}"
        return [f"{p}_h{h + 1}" for h in range(self.sheet.heads)] if self.sheet.headed else [p]

    def looks(self, context: str) -> str:
        """What the names of an attention begin with whose keys are a sentence's."""
        assert self.sheet is not None
        queries = self.contexts[0] if self.sheet.kind == "cross-attention" else context
        return self.heads(queries)[0]

    def other(self, context: str, place: int) -> str:
        """Another word than stands in a place, if possible one that the sentence lacks."""
        said = self.words(context)
        lacking = [word for word in self.spec.vocabulary.tokens if word not in said]
        return next(word for word in (*lacking, *self.spec.vocabulary.tokens) if word != said[place])

    def exchange(self, context: str, place: int) -> None:
        """Put another word into a place of a sentence."""
        self.put(f"{context}_Tokens", self.other(context, place), place)

    def with_focus(self) -> tuple[str, int]:
        """A sentence that has the focus word, and its place."""
        return next(
            (c, self.words(c).index(self.spec.focus))
            for c in self.contexts
            if self.spec.focus in self.words(c)
        )

    def position(self, context: str) -> tuple[int, str]:
        """The first place of a sentence with a word, and that word."""
        return next((i, word) for i, word in enumerate(self.words(context)) if word)

    def row(self, word: str) -> int:
        return self.spec.vocabulary.tokens.index(word)


# --- Inputs ------------------------------------------------------------------------------------------------


def another_focus(b: Bench) -> None:
    contexts = [c.id for c in b.spec.contexts] if b.sheet is None else b.contexts
    context, word = next((c, word) for c in contexts for word in b.words(c) if word and word != b.spec.focus)
    charts = [chart for page in book_of(b.path.stem).pages for chart in page.charts]
    series = [name for chart in charts for one in chart.series for name in one.blocks]
    before = {name: b.cells(name) for name in series}
    b.put("vocab_Focus", word)
    assert b.get(f"{context}_Focus")[0, 0] == b.words(context).index(word) + 1
    book = book_of(b.path.stem)
    sheets = {sheet.id: sheet for sheet in layout.lay_out(book)}
    assert all(any(p.word for p in sheets[page.id].placed) for page in shown(b))
    if "chart" in b.page.tries[0] and b.page.id == "vocab":
        assert series
        assert any(b.cells(name) != values for name, values in before.items())


def shown(b: Bench) -> list[Page]:
    """The pages that an experiment with the focus word speaks of, of those with sentences on them."""
    every = [
        page
        for page in book_of(b.path.stem).pages
        if page.lanes and not page.compact and page.id != "compare"
    ]
    return [page for page in every if b.page.id in ("vocab", page.id) and page.bands]


def another_word(b: Bench) -> None:
    context = b.spec.contexts[0].id
    maps = [name for name in b.names if name.endswith("_Attention") and f"_{context}_" in name]
    before = [b.cells(name) for name in maps]
    place, _ = b.position(context)
    b.exchange(context, place)
    assert [b.cells(name) for name in maps] != before


def zero_scores(b: Bench) -> None:
    title = b.page.tries[b.values["place"]].values["sheet"]
    b.sheet = next(sheet for sheet in b.spec.sheets if sheet.title == title)
    place, word = b.position(b.keys)
    p = b.looks(b.keys)
    b.put("vocab_E", 0, b.row(word))
    assert not b.get(f"{p}_Scores")[:, place].any()
    assert b.get(f"{p}_Attention")[:, place].max() > 0


def zero_beats_negative_scores(b: Bench) -> None:
    zero_scores(b)
    scores = [b.get(name) for name in b.names if re.fullmatch(rf"{b.sheet.id}(_\w+)?_Scores", name)]
    assert min(x.min() for x in scores) < 0


def zero_but_place(b: Bench) -> None:
    p, place = zero_row(b)
    read_first = f"{p}_Sum" if f"{p}_Sum" in b.names else f"{p}_Input"
    assert b.get(read_first)[place].tolist() == b.get(f"{p}_P")[place].tolist()


def zero_row(b: Bench) -> tuple[str, int]:
    b.sheet = b.spec.sheets[0]
    place, word = b.position(b.contexts[0])
    p = f"{b.sheet.id}_{b.contexts[0]}"
    assert b.get(f"{p}_X")[place].any()
    b.put("vocab_E", 0, b.row(word))
    assert not b.get(f"{p}_X")[place].any()
    return p, place


# --- attention sheets --------------------------------------------------------------------------------------


def neighbour(b: Bench, *, before: bool = False) -> None:
    context, place = b.with_focus()
    said = b.words(context)
    beside = [i for i in (place - 1, *([] if before else [place + 1])) if 0 <= i < len(said) and said[i]]
    looked = {p: b.get(f"{p}_FocusAttention") for p in b.heads(context)}
    output = f"{b.sheet.id}_{context}_Output"
    was = b.get(output)[place]
    b.exchange(context, beside[0])
    assert any(np.abs(b.get(f"{p}_FocusAttention") - row).max() > 1e-3 for p, row in looked.items())
    assert np.abs(b.get(output)[place] - was).max() > 1e-3
    assert {series for chart in b.page.charts for one in chart.series for series in one.blocks} >= {
        f"{p}_FocusAttention" for p in looked
    }


def neighbour_before(b: Bench) -> None:
    neighbour(b, before=True)


def larger_number(b: Bench) -> None:
    place, word = b.position(b.contexts[0])
    numbers = b.get("vocab_E")[b.row(word)]
    largest = int(np.abs(numbers).argmax())
    scores = f"{b.looks(b.contexts[0])}_Scores"
    was = b.get(scores)[place, place]
    b.put("vocab_E", 2 * numbers[largest], b.row(word), largest)
    assert b.get(scores)[place, place] > was


def no_queries(b: Bench) -> None:
    for name in ("W_Q", "b_Q"):
        if f"{b.sheet.id}_{name}" in b.names:
            assert name in b.page.tries[b.values["place"]]
            b.put(f"{b.sheet.id}_{name}", 0)
    p = b.looks(b.contexts[0])
    assert not b.get(f"{p}_Scores").any()
    for row in b.get(f"{p}_Attention"):
        assert len(set(row) - {0.0}) == 1  # alike, but for what a mask closes


def without_a_head(b: Bench) -> None:
    p = f"{b.sheet.id}_{b.contexts[0]}"
    before, rows = b.get(f"{p}_Output"), b.sheet.d_v
    part = b.get(f"{p}_Concat")[:, :rows] @ b.get(f"{b.sheet.id}_W_O")[:rows]
    assert b.sheet.heads > 1
    for i in range(rows):
        b.put(f"{b.sheet.id}_W_O", 0, i)
    assert np.abs(before - part - b.get(f"{p}_Output")).max() < 1e-12
    assert np.abs(part).max() > 1e-3


def last_word(b: Bench) -> None:
    context = b.contexts[0]
    last = max(i for i, word in enumerate(b.words(context)) if word)
    before = {p: b.get(f"{p}_Attention") for p in b.heads(context)}
    b.exchange(context, last)
    for p, was in before.items():
        assert b.get(f"{p}_Attention")[:last].tolist() == was[:last].tolist()
    assert any((b.get(f"{p}_Attention") != was).any() for p, was in before.items())


def blank_filled(b: Bench) -> None:
    context = next(c for c in reversed(b.contexts) if "" in b.words(c))
    place = b.words(context).index("")
    attention = f"{b.looks(context)}_Attention"
    assert not b.get(attention)[:, place].any()
    b.put(f"{context}_Tokens", b.position(context)[1], place)
    assert b.get(attention)[place:, place].min() > 0 or b.get(attention)[:, place].min() > 0


def cell_emptied(b: Bench) -> None:
    context, place = b.keys, 1
    attention = f"{b.looks(context)}_Attention"
    assert b.get(attention)[:, place].any()
    b.put(f"{context}_Tokens", None, place)
    assert not b.get(attention)[:, place].any()


def temperature(b: Bench) -> None:
    entropies = [f"{p}_FocusEntropy" for p in b.heads(b.with_focus()[0])]
    found = []
    for value in (0.1, 1, 10):
        b.put(f"{b.sheet.id}_Temperature", value)
        found.append([b.get(name)[0, 0] for name in entropies])
    cold, usual, warm = np.array(found)
    assert (cold < usual).all()
    assert (usual < warm).all()


def sharper(b: Bench) -> None:
    p = b.heads(b.contexts[0])[0]
    assert (b.get(f"{p}_EntropyUnscaled") < b.get(f"{p}_Entropy")).all()


def twice(b: Bench) -> None:
    word = b.page.tries[b.values["place"]].values["word"]
    context = next(c for c in b.contexts if b.words(c).count(word) > 1)
    first, second = [i for i, w in enumerate(b.words(context)) if w == word][:2]
    p = f"{b.sheet.id}_{context}"
    for name in ("X", "Scores", "Scaled", "Exp", "Attention", "Output"):
        rows = b.get(f"{p}_{name}")
        assert rows[first].tolist() == rows[second].tolist()


def base(b: Bench) -> None:
    s = b.sheet.id
    frequency, angle = b.get(f"{s}_Frequency")[0, -1], b.get(f"{s}_Angle")
    b.put(f"{s}_Base", 2)
    assert b.get(f"{s}_Frequency")[0, -1] > 2 * frequency
    assert np.abs(b.get(f"{s}_Angle") - angle).max() > 0.5


def no_place(b: Bench) -> None:
    p = f"{b.sheet.id}_{b.contexts[0]}"
    assert b.get(f"{b.sheet.id}_P")[1].any()
    b.put(f"{b.sheet.id}_P", 0, 1)
    grown = np.sqrt(b.spec.vocabulary.d_model) if b.sheet.scale_embeddings else 1.0
    name = f"{p}_Sum" if f"{p}_Sum" in b.names else f"{p}_Input"
    assert np.allclose(b.get(name)[1], grown * b.get(f"{p}_X")[1], atol=1e-12)


def distance(b: Bench) -> None:
    context = b.contexts[0]
    b.put(f"{context}_Tokens", b.position(context)[1])
    scores = b.get(f"{b.looks(context)}_Scores")
    assert np.abs(scores[1:, 1:] - scores[:-1, :-1]).max() < 1e-9
    assert np.ptp(scores) > 1e-3


def other_key(b: Bench) -> None:
    attention = f"{b.looks(b.keys)}_Attention"
    before = b.get(attention)
    b.exchange(b.keys, 1)
    assert np.abs(b.get(attention) - before).max() > 1e-3


# --- comparing ---------------------------------------------------------------------------------------------


def outputs(b: Bench, context: str) -> dict[str, Any]:
    p = f"{b.page.id}_{context}_"
    found = [name for name in b.names if name.startswith(p) and name.endswith("_Output")]
    assert found
    return {name: b.get(name) for name in found}


def moved(b: Bench) -> None:
    context, place = b.with_focus()
    before = outputs(b, context)
    beside = place - 1 if place else place + 1
    b.exchange(context, beside)
    assert any(np.abs(b.get(name) - was).max() > 1e-3 for name, was in before.items())


def shared(b: Bench) -> None:
    word = b.page.tries[b.values["place"]].values["word"]
    b.put("vocab_Focus", word)
    assert b.text(f"{b.page.id}_Status").startswith("✓")
    assert all(b.get(f"{c.id}_Focus")[0, 0] > 0 for c in b.spec.contexts)
    assert all(isinstance(b.cells(f"{b.page.id}_{c.id}_Cosine")[0][0], float) for c in b.spec.contexts)


def pulled(b: Bench) -> None:
    context, _ = b.with_focus()
    before = outputs(b, context)
    numbers = b.get("vocab_E")[b.row(b.spec.focus)]
    largest = int(np.abs(numbers).argmax())
    b.put("vocab_E", 2 * numbers[largest], b.row(b.spec.focus), largest)
    assert any(np.abs(b.get(name) - was).max() > 1e-3 for name, was in before.items())


# --- models ------------------------------------------------------------------------------------------------


def model_word(b: Bench) -> None:
    p, place = f"{b.sheet.id}_{b.contexts[0]}", b.position(b.contexts[0])[0]
    before = b.get(f"{p}_Input")
    b.exchange(b.contexts[0], place)
    assert np.abs(b.get(f"{p}_Input")[place] - before[place]).max() > 1e-3


def same_word(b: Bench) -> tuple[Any, Any]:
    context = next(c for c in b.contexts if len(b.words(c)) > 1)
    p = f"{b.sheet.id}_{context}"
    b.put(f"{context}_Tokens", b.position(context)[1], 0)
    b.put(f"{context}_Tokens", b.position(context)[1], 1)
    X = b.get(f"{p}_X")
    assert X[0].tolist() == X[1].tolist()
    first, second = b.get(f"{p}_Input")[:2]
    return first, second


def same_word_placed(b: Bench) -> None:
    first, second = same_word(b)
    assert np.abs(first - second).max() > 1e-3


def same_word_alike(b: Bench) -> None:
    first, second = same_word(b)
    assert first.tolist() == second.tolist()


def layer_names(b: Bench) -> tuple[str, str]:
    """What the names of a layer's weights begin with, and of its ranges in a sentence."""
    k = b.page.id.rpartition("_")[2]
    context = next(name for name in b.names if re.fullmatch(rf"{b.sheet.id}_\w+_{k}_FeedForward", name)
                   and lane_of(b, name))  # fmt: skip
    return b.page.id, context.removesuffix("_FeedForward")


def lane_of(b: Bench, name: str) -> bool:
    return any(block.name == name for block in b.page.blocks())


def no_feed_forward(b: Bench) -> None:
    w, p = layer_names(b)
    values = b.page.tries[b.values["place"]].values
    assert b.get(f"{p}_FeedForward").any()
    b.put(f"{w}_W_2", 0)
    if f"{w}_b_2" in b.names:
        b.put(f"{w}_b_2", 0)
    assert not b.get(f"{p}_FeedForward").any()
    assert b.get(f"{p}_{values['residual']}").tolist() == b.get(f"{p}_{values['stream']}").tolist()


def norm_column(b: Bench) -> None:
    w, p = layer_names(b)
    b.put(f"{w}_Norm1_Gamma", 0, 0, 1)
    beta = b.get(f"{w}_Norm1_Beta")[0, 1] if f"{w}_Norm1_Beta" in b.names else 0.0
    assert (b.get(f"{p}_Norm1")[:, 1] == beta).all()


def prompt(b: Bench) -> None:
    context = b.contexts[0]
    text = f"{b.sheet.id}_{b.contexts[-1]}_Text"
    before = b.text(text)
    places = [i for i, word in enumerate(b.words(context)) if word]
    for place, word in zip(places, reversed([b.words(context)[i] for i in places]), strict=True):
        b.put(f"{context}_Tokens", word, place)
    assert b.text(text) != before


def rows_above(b: Bench) -> None:
    context = b.contexts[-1]
    name, last = f"{b.sheet.id}_{context}_Next", len(b.words(context)) - 1
    probability = f"{b.sheet.id}_{context}_Probability"
    before, was = b.cells(name), b.get(probability)
    b.exchange(context, last)
    assert b.cells(name)[:last] == before[:last]
    assert np.abs(b.get(probability)[last] - was[last]).max() > 1e-6


def cooled(b: Bench) -> None:
    p = f"{b.sheet.id}_{b.contexts[-1]}"
    assert any(page.title == b.sheet.title for page in book_of(b.path.stem).pages)
    seen = []
    for value in (1, 0.1, 10):
        b.put(f"{b.sheet.id}_Temperature", value)
        seen.append((b.cells(f"{p}_Next"), b.get(f"{p}_Probability")))
    assert seen[0][0] == seen[1][0] == seen[2][0]
    assert (seen[1][1].max(axis=1) >= seen[0][1].max(axis=1)).all()
    assert (seen[2][1].max(axis=1) <= seen[0][1].max(axis=1)).all()


def rivals(b: Bench) -> None:
    top = b.get(f"{b.sheet.id}_{b.contexts[-1]}_TopLogits")
    assert (top[:, 0] >= top[:, 1]).all()


def class_logits(b: Bench) -> None:
    context = b.contexts[0]
    name = f"{b.sheet.id}_{context}_Logits"
    before, moved_by = b.get(name), []
    for place, word in enumerate(b.words(context)):
        if word:
            b.exchange(context, place)
            moved_by.append(np.abs(b.get(name) - before).max())
            b.put(f"{context}_Tokens", word, place)
    assert max(moved_by) > 0.1  # of two decimals shown


def another_order(b: Bench) -> None:
    context = b.contexts[0]
    said = [word for word in b.words(context) if word]
    for place, word in enumerate(reversed(said)):
        b.put(f"{context}_Tokens", word, place)
    assert b.text(f"{b.sheet.id}_{context}_Class") in b.sheet.classes


def class_column(b: Bench) -> None:
    s = b.sheet.id
    b.put(f"{s}_W_C", 0, None, 0)
    assert b.get(f"{s}_{b.contexts[0]}_Logits")[0, 0] == b.get(f"{s}_b_C")[0, 0]


def read_through(b: Bench) -> None:
    p = f"{b.sheet.id}_{b.contexts[0]}"
    assert b.get(f"{p}_X").shape == b.get(f"{p}_Output").shape


def read_word(b: Bench) -> None:
    p, place = f"{b.sheet.id}_{b.contexts[0]}", b.position(b.contexts[0])[0]
    before = b.get(f"{p}_Output")
    b.exchange(b.contexts[0], place)
    assert np.abs(b.get(f"{p}_Output")[place] - before[place]).max() > 1e-3


DONE: dict[str, Callable[[Bench], object]] = {
    e.FOCUS: another_focus,
    e.FOCUS_IN_CHARTS: another_focus,
    e.OTHER_WORD: another_word,
    e.ZERO_SCORES: zero_beats_negative_scores,
    e.NEVER_NEGATIVE: zero_scores,
    e.ZERO_BUT_PLACE: zero_but_place,
    e.ZERO: zero_row,
    e.NEIGHBOUR: neighbour,
    e.NEIGHBOUR_BEFORE: neighbour_before,
    e.FOCUS_HERE: another_focus,
    e.NO_WEIGHTS: larger_number,
    e.WEIGHTS: no_queries,
    e.WEIGHTS_BIASED: no_queries,
    e.HEADS: without_a_head,
    e.CAUSAL_MASK: last_word,
    e.PADDING_MASK: cell_emptied,
    e.PADDING_OPENS: blank_filled,
    e.TEMPERATURE: temperature,
    e.SCALE: sharper,
    e.TWICE: twice,
    e.BASE: base,
    e.PLACES: no_place,
    e.DISTANCE: distance,
    e.CROSS: other_key,
    e.MOVED: moved,
    e.SHARED: shared,
    e.PULLED: pulled,
    e.MODEL_WORD: model_word,
    e.SAME_WORD_PLACED: same_word_placed,
    e.SAME_WORD_TURNED: same_word_alike,
    e.SAME_WORD: same_word_alike,
    e.MODEL_FOCUS: another_focus,
    e.LAYER_FOCUS: another_focus,
    e.NO_FEED_FORWARD: no_feed_forward,
    e.NO_FEED_FORWARD_BIASED: no_feed_forward,
    e.NORM_COLUMN: norm_column,
    e.RMS_NORM_COLUMN: norm_column,
    e.PROMPT: prompt,
    e.SOURCE: prompt,
    e.NO_LOOK_AHEAD: rows_above,
    e.MODEL_TEMPERATURE: cooled,
    e.RIVALS: rivals,
    e.CLASSIFIED: class_logits,
    e.ORDER: another_order,
    e.CLASS_COLUMN: class_column,
    e.READ_WORD: read_word,
    e.READ_TWICE: read_through,
    e.READ_THROUGH: read_through,
    e.READ_AT_ONCE: read_through,
}
"""What each experiment promises, done and asserted."""


# --- the templates' own ------------------------------------------------------------------------------------


def say_in(b: Bench, context: str, words: str) -> None:
    """Write a sentence, blanks after it."""
    said, cells = words.split(), len(b.words(context))
    for place in range(cells):
        b.put(f"{context}_Tokens", said[place] if place < len(said) else None, place)


def swap(b: Bench, context: str, one: str, other: str) -> None:
    words = b.words(context)
    say_in(b, context, " ".join({one: other, other: one}.get(word, word) for word in words))


def nobody_pulls(b: Bench) -> None:
    say_in(b, "cat", "and and mouse are friends")
    animal, tech = b.get("attn_cat_Output")[2, :2]
    assert abs(animal - tech) < 0.05


def more_tech(b: Bench) -> None:
    for dimension, value in enumerate((1.6, 2.4)):
        b.put("vocab_E", value, b.row("mouse"), dimension)
    assert b.get("attn_cat_Output")[2, 0] < b.get("attn_cat_Output")[2, 1]
    assert b.get("qkv_cat_Output")[2, 0] > 2 * b.get("qkv_cat_Output")[2, 1]


def words_of_no_lesson(b: Bench) -> None:
    b.put("cat_Tokens", "dog", 0)
    b.put("keyboard_Tokens", "screen", 0)
    assert all(b.get(f"qkv_{c}_Attention")[2, 0] > 0.5 for c in ("cat", "keyboard"))


def no_first_value(b: Bench) -> None:
    before = b.get("dims_cat_Attention")
    b.put("dims_W_V", 0, None, 0)
    assert not b.get("dims_cat_Output")[:, 0].any()
    assert b.get("dims_cat_Attention").tolist() == before.tolist()


def nothing_of_grammar(b: Bench) -> None:
    assert b.get("vocab_E").shape[1] == 4
    assert np.abs(b.get("dims_cat_Output")[[1, 3]]).max() < 0.1


def without_head_1(b: Bench) -> None:
    assert np.abs(b.get("heads_cat_Output")[2, :2]).max() > 1
    for row in range(2):
        b.put("heads_W_O", 0, row)
    assert np.abs(b.get("heads_cat_Output")[2, :2]).max() < 0.05


def two_bars(b: Bench) -> None:
    looks = [b.get(f"heads_cat_h{h}_FocusAttention")[0, 0] for h in (1, 2)]
    assert looks[0] > 2 * looks[1]
    assert [one.blocks for one in b.page.charts[0].series] == [
        (f"heads_cat_h{h}_FocusAttention",) for h in (1, 2)
    ]


def a_cosine_of_nothing(b: Bench) -> None:
    b.put("vocab_Focus", "and")
    for c in ("cat", "keyboard"):
        assert np.abs(b.get(f"compare_{c}_dims_Output")).max() < 0.06
    assert round(b.get("compare_keyboard_dims_Cosine")[0, 0], 3) == -0.717


def first_and_second_the(b: Bench) -> None:
    rows = b.get("causal_chase_X")[[0, 3]]
    assert rows[0].tolist() == rows[1].tolist() == b.get("causal_chase_Output")[0].tolist()
    assert np.abs(b.get("causal_chase_Output")[3] - rows[1]).max() > 0.1


def places_matter_by_the_mask(b: Bench) -> None:
    before, scaled = b.get("causal_chase_Output")[2], b.get("causal_chase_Scaled")[2]
    swap(b, "chase", "cat", "mouse")
    assert np.abs(b.get("causal_chase_Output")[2] - before).max() > 0.01
    assert sorted(b.get("causal_chase_Scaled")[2]) == pytest.approx(sorted(scaled))


def word_cleared(b: Bench) -> None:
    b.put("long_Tokens", None, 2)
    assert not b.get("pad_long_Attention")[:, 2].any()


def twice_in_the_second(b: Bench) -> None:
    for name in ("X", "Scores", "Attention", "Output"):
        rows = b.get(f"pad_long_{name}")[[0, 3]]
        assert rows[0].tolist() == rows[1].tolist()


def first_word_cleared(b: Bench) -> None:
    b.put("short_Tokens", None, 0)
    assert set(b.get("both_short_Attention")[0]) == {1 / 6}


def opens_from_its_row(b: Bench) -> None:
    place = b.words("short").index("")
    b.put("short_Tokens", "dog", place)
    column = b.get("both_short_Attention")[:, place]
    assert not column[:place].any()
    assert column[place:].min() > 0


def alike_everywhere(b: Bench) -> None:
    for c, (first, second) in {"dog": (0, 3), "man": (0, 3)}.items():
        for name in ("X", "Scores", "Scaled", "Exp", "Attention", "Output"):
            rows = b.get(f"none_{c}_{name}")
            assert rows[first].tolist() == rows[second].tolist()


def traded(b: Bench) -> tuple[Any, Any]:
    before = b.get(f"{b.sheet.id}_dog_Output")
    swap(b, "dog", "dog", "man")
    return before[[1, 4]], b.get(f"{b.sheet.id}_dog_Output")[[4, 1]]


def rows_trade_places(b: Bench) -> None:
    before, after = traded(b)
    assert np.abs(before - after).max() < 1e-12


def rows_change(b: Bench) -> None:
    before, after = traded(b)
    assert np.abs(before - after).max() > 0.1


def the_and_the(b: Bench) -> None:
    for name, differ in (("X", False), ("Input", True), ("Output", True)):
        first, second = b.get(f"sine_dog_{name}")[[0, 3]]
        assert (np.abs(first - second).max() > 0.1) == differ


def same_place(b: Bench) -> None:
    for col, value in enumerate(b.get("table_P")[0]):
        b.put("table_P", value, 3, col)
    for name in ("Input", "Q", "Attention", "Output"):
        first, second = b.get(f"table_dog_{name}")[[0, 3]]
        assert first.tolist() == second.tolist()


def any_order(b: Bench) -> None:
    before = b.get("cross_english_Attention")
    said = [word for word in b.words("german") if word]
    say_in(b, "german", " ".join(reversed(said)))
    assert np.abs(b.get("cross_english_Attention")[:, :3] - before[:, 2::-1]).max() < 1e-12
    assert (before[:3].argmax(axis=1) == [0, 1, 2]).all()


def without_katze(b: Bench) -> None:
    assert b.get("cross_english_Attention")[1].argmax() == 1
    b.put("german_Tokens", None, 1)
    assert not b.get("cross_english_Attention")[:, 1].any()


def dog_and_hund(b: Bench) -> None:
    b.put("english_Tokens", "dog", 1)
    near = b.get("cross_english_Attention")[1, 1]
    assert near > 0.9
    b.put("german_Tokens", "Hund", 1)
    assert b.get("cross_english_Attention")[1, 1] > near


def silent(b: Bench, layer: str, stream: str) -> None:
    assert b.get(f"{b.sheet.id}_cat_{layer}_FeedForward").any()
    b.put(f"{b.sheet.id}_{layer}_W_2", 0)
    b.put(f"{b.sheet.id}_{layer}_b_2", 0)
    p = f"{b.sheet.id}_cat_{layer}"
    assert not b.get(f"{p}_FeedForward").any()
    assert b.get(f"{p}_Residual2").tolist() == b.get(f"{p}_{stream}").tolist()


def less_stretched(b: Bench) -> None:
    before = b.get("paper_cat_l1_Norm1").std(axis=1)
    b.put("paper_Epsilon", 1)
    assert (b.get("paper_cat_l1_Norm1").std(axis=1) < 0.9 * before).all()


def twice_as_large(b: Bench) -> None:
    before, hidden = b.get("paper_cat_l1_Norm1"), b.get("paper_cat_l1_Hidden")
    assert not b.get("paper_l1_Norm1_Beta").any()
    b.put("paper_l1_Norm1_Gamma", 2)
    assert np.allclose(b.get("paper_cat_l1_Norm1"), 2 * before, atol=1e-12)
    assert np.abs(b.get("paper_cat_l1_Hidden") - hidden).max() > 0.1


def sharper_by_gamma(b: Bench) -> None:
    before = b.get("modern_cat_l1_h1_Attention").max(axis=1)
    b.put("modern_l1_Norm1_Gamma", 2)
    assert b.get("modern_cat_l1_h1_Attention").max(axis=1).mean() > before.mean() + 0.05


def no_order(b: Bench) -> None:
    b.put("modern_P", 0)
    before = b.get("modern_cat_Output")
    swap(b, "cat", "cat", "mouse")
    assert np.abs(b.get("modern_cat_Output")[[0, 2]] - before[[2, 0]]).max() < 1e-9


def keyboard_for_cat(b: Bench) -> None:
    before = b.get("compare_cat_attn_Near")[:, 0]
    b.put("cat_Tokens", "keyboard", b.words("cat").index("cat"))
    after = b.get("compare_cat_attn_Near")[:, 0]
    assert after[1] > before[1] + 0.1
    assert after[0] < before[0] - 0.1


def friends_and_usb(b: Bench) -> None:
    for place, word in enumerate(("friends", "usb")):
        b.put("compare_Tokens", word, place)
    first, second = (b.get(f"compare_{c}_attn_Near")[:, 0] for c in ("cat", "keyboard"))
    assert first[0] > second[0]
    assert second[1] > first[1]


def llama_cooled(b: Bench) -> None:
    logits, chances = b.get("llama_said_Logits"), b.get("llama_said_Probability")
    b.put("llama_Temperature", 0.1)
    assert b.get("llama_said_Logits").tolist() == logits.tolist()
    assert np.abs(b.get("llama_said_Probability") - chances).max() > 0.01


def same_queries(b: Bench) -> None:
    one, other = (f"llama_said_l1_h{h}_Attention" for h in (1, 2))
    assert np.abs(b.get(one) - b.get(other)).max() > 0.01
    W_Q = b.get("llama_l1_W_Q")
    for i, j in np.ndindex(len(W_Q), 2):
        b.put("llama_l1_W_Q", W_Q[i, j], i, j + 2)
    assert b.get(one).tolist() == b.get(other).tolist()


def gate_shut(b: Bench) -> None:
    assert b.get("llama_said_l1_FeedForward").any()
    b.put("llama_l1_W_1", 0)
    assert not b.get("llama_said_l1_FeedForward").any()


def trap(b: Bench) -> None:
    assert b.text("cls_trap_Class") == "device"
    swap(b, "trap", "keyboard", "dog")
    assert b.text("cls_trap_Class") == "animal"


def said_as(words: str, meant: str) -> Callable[[Bench], None]:
    def done(b: Bench) -> None:
        say_in(b, "keyboard", words)
        assert b.text("cls_keyboard_Class") == meant

    return done


def written(template: str, words: str, text: str) -> Callable[[Bench], None]:
    context, name = {"gpt": ("prompt", "gpt_prompt_Text"), "rev": ("word", "rev_written_Text")}[template]

    def done(b: Bench) -> None:
        say_in(b, context, words)
        assert b.text(name) == text

    return done


def not_sorted(b: Bench) -> None:
    say_in(b, "prompt", "b a |")
    letters = b.text("gpt_prompt_Text").split()[3:]
    assert letters != sorted(letters)


def words_reversed(b: Bench) -> None:
    written("rev", "s n a p", "< p a n s >")(b)
    written("rev", "o n", "< n o > > >")(b)


def backwards(b: Bench) -> None:
    rows = b.get("rev_written_l1_Cross_h2_Attention")
    assert rows[:2].argmax(axis=1).tolist() == [3, 2]


def nobody_pulls_the_apple(b: Bench) -> None:
    b.put("fruit_Tokens", "和", 0)
    fruit, firm = b.get("attn_fruit_Output")[2, :2]
    assert abs(fruit - firm) < 0.05


def more_of_the_firm(b: Bench) -> None:
    for dimension, value in enumerate((1.6, 2.4)):
        b.put("vocab_E", value, b.row("苹果"), dimension)
    assert b.get("attn_fruit_Output")[2, 0] < b.get("attn_fruit_Output")[2, 1]
    assert b.get("qkv_fruit_Output")[2, 0] > 2 * b.get("qkv_fruit_Output")[2, 1]


def grapes_and_phones(b: Bench) -> None:
    b.put("fruit_Tokens", "葡萄", 0)
    b.put("tech_Tokens", "手机", 0)
    assert all(b.get(f"qkv_{c}_Attention")[2, 0] > 0.5 for c in ("fruit", "tech"))


def millet(b: Bench) -> None:
    for context in ("fruit", "tech"):
        b.put(f"{context}_Tokens", "小米", 2)
    b.put("vocab_Focus", "小米")
    for context, (mine, other) in {"fruit": (0, 1), "tech": (1, 0)}.items():
        output = b.get(f"compare_{context}_qkv_Output")[0]
        assert output[mine] > 2.5
        assert output[other] < 0.5


DONE |= {
    "On Inputs, write “and” in the place of “cat”. What does “mouse” become when no word pulls at it?": nobody_pulls,
    "On Inputs, give “mouse” 1.6 of animal and 2.4 of tech. Here “cat” can no longer pull it over; on “Learned Q, K, V” it still can.": more_tech,
    "On Inputs, write “dog” for “cat” and “screen” for “keyboard”. No training sentence had these words, and “mouse” finds them all the same.": words_of_no_lesson,
    "Set the first column of W_V to 0. The first number of every output becomes 0; the attention stays as it was. Why?": no_first_value,
    "Look at the outputs of “and” and “are”: nearly 0. Neither of the two numbers that come out speaks of grammar.": nothing_of_grammar,
    "Set the first two rows of W_O to 0: they belong to head 1. “mouse” is left with next to nothing of animal and tech.": without_head_1,
    "Compare the two bars of “cat” below: which head has learned to look for the companion?": two_bars,
    "Choose “and” as the focus word. On “Changing dimensions” its output is nearly 0 in both sentences: there even a cosine of −0.717 says nothing.": a_cosine_of_nothing,
    "“the” stands here twice with the same numbers. Compare its two rows of Output: only the second has words before it to mix in.": first_and_second_the,
    "On Inputs, let “cat” and “mouse” change places. Without a mask their order would make no difference to “chased”; here its output changes.": places_matter_by_the_mask,
    "On Inputs, clear a word in the middle of a sentence: its column becomes 0, nobody looks at its place any more.": word_cleared,
    "“the” stands twice in the second sentence: its two rows are alike in every block, for nothing here says where a word stands.": twice_in_the_second,
    "On Inputs, clear the first word of a sentence. Its row may look at nothing then: all columns are masked, all weights are equal. Why?": first_word_cleared,
    "On Inputs, type a word into a blank cell of a sentence: its column of the attention opens, from its own row down.": opens_from_its_row,
    "“the” stands twice in each sentence. Compare its two rows in any block: they are the same.": alike_everywhere,
    "On Inputs, let “dog” and “man” change places in one sentence. Their rows of Output only trade places, too.": rows_trade_places,
    "On Inputs, let “dog” and “man” change places in one sentence: here their rows of Output do not just trade places, they change.": rows_change,
    "Compare the two rows of “the”: the same in X, not the same in Input. What does the attention make of that?": the_and_the,
    "Copy the first row of P over the fourth: the two rows of “the” are alike again.": same_place,
    "On Inputs, write the German words in another order: the English words still find theirs. Order plays no part.": any_order,
    "On Inputs, clear “Katze”: its column closes, and “cat”, which asked for it, must look elsewhere.": without_katze,
    "On Inputs, write “dog” for “cat”: it looks at “Katze”, the nearest there is. Then write “Hund” for “Katze”.": dog_and_hund,
    "On “Encoder of 2017, layer 1”, set all of W_2 and b_2 to 0: the feed-forward adds nothing, and Residual2 shows it.": lambda b: silent(b, "l1", "Norm1"),
    "Set ε above to 1: on “Encoder of 2017, layer 1” rows of small variance are no longer stretched so far.": less_stretched,
    "On “Encoder of 2017, layer 1”, set every γ of Norm1 to 2: Norm1 becomes twice as large, and the feed-forward reads that.": twice_as_large,
    "On “Pre-norm encoder, layer 1”, set every γ of Norm1 to 2: queries and keys grow, and the attention gets sharper.": sharper_by_gamma,
    "On “Pre-norm encoder, layer 2”, set all of W_2 and b_2 to 0: the feed-forward adds nothing, and Residual2 shows it.": lambda b: silent(b, "l2", "Residual1"),
    "On “Pre-norm encoder, input”, set all of P to 0: order is lost. Let two words change places: their rows of Output only trade places.": no_order,
    "On Inputs, write “keyboard” for “cat” in the first sentence: there “mouse” comes nearer to “keyboard”, and moves away from “cat”.": keyboard_for_cat,
    "Above, choose other words to hold “mouse” against, such as “friends” and “usb”: each output is nearer to the word of its own sentence.": friends_and_usb,
    "Set the temperature above to 0.1, then to 10: on “Small Llama, output” the same logits give other probabilities.": llama_cooled,
    "On “Small Llama, layer 1”, copy the first two columns of W_Q over the last two: both heads see the same then, for they share K and V.": same_queries,
    "On “Small Llama, layer 1”, set all of W_1 to 0: the gate is shut, and the feed-forward is silent.": gate_shut,
    "The third sentence is a trap: “dog” is only near. On Inputs, let “keyboard” and “dog” change places: the same words, another class.": trap,
    "On Inputs, write “cat and keyboard” into a sentence and leave the rest blank: an animal, for a clear word is what it is.": said_as("cat and keyboard", "animal"),
    "On Inputs, write “mouse” alone, the rest blank. With no company at all it is taken for a device.": said_as("mouse", "device"),
    "On Inputs, write another prompt, “d d a c |”: the text above goes on with “a c d d”.": written("gpt", "d d a c |", "d d a c | a c d d"),
    "Write only “b a |” and leave the rest blank. It was never shown so short a prompt, and what it writes is not sorted.": not_sorted,
    "Set the temperature above to 10: on “Decoder, output” the probabilities level out, and the word with the largest stays.": cooled,
    "On Inputs, write another word, “s n a p”, or “o n” with blank cells after it. The text above is the word in reverse.": words_reversed,
    "Follow head 2 of the cross-attention on “Decoder, layer 1”: the row of “<” looks most at the last letter, the next at the one before.": backwards,
    "Write five letters, “p o s t s”. It was never shown such a word, and leaves the fifth out.": written("rev", "p o s t s", "< t s o p >"),
}  # fmt: skip
"""What the templates say in their own words."""
DONE |= {CHINESE.texts[text]: done for text, done in DONE.items() if text in CHINESE.texts}
DONE |= {
    "在“输入数据”表中，把“香蕉”换成“和”。没有词拉它时，“苹果”变成什么？": nobody_pulls_the_apple,
    "在“输入数据”表中，把“苹果”的水果设为 1.6、科技设为 2.4。在这里“香蕉”再也拉不动它；在“学习得到的 Q、K、V”表上仍然拉得动。": more_of_the_firm,
    "在“输入数据”表中，把“香蕉”换成“葡萄”、“电脑”换成“手机”：“苹果”照样找得到它们。": grapes_and_phones,
    "在“输入数据”表中，把两个句子里的“苹果”都换成“小米”，焦点词也选“小米”：它同样分成两种意思。": millet,
}
"""What a template in Chinese says; some of it is what others say, told in Chinese."""


def sheet_of(one: Spec, page: Page) -> Sheet | None:
    return next((s for s in one.sheets if page.id == s.id or page.id.startswith(f"{s.id}_")), None)


@pytest.mark.parametrize(("template", "page_id", "place"), CASES)
def test_an_experiment_shows_what_it_promises(built, template, page_id, place):
    one = spec.load(templates.path(template))
    page = next(p for p in book_of(template).pages if p.id == page_id)
    bench = Bench(built(template), one, page, sheet_of(one, page), {"place": place})
    DONE[sentence(page.tries[place])](bench)


def test_every_experiment_that_the_code_has_is_done():
    said = {text for name, text in vars(e).items() if name.isupper() and isinstance(text, str)}
    assert said == {text for text in DONE if text in said}


# --- nothing is spoken of that is not there ----------------------------------------------------------------

SYMBOLS = re.compile(r"\b(?:W_\w|b_\w|γ|P|X|Input|FeedForward|Norm\d|Residual\d)(?!\w)")
SPECS = {
    "one word": plain([1], 2, {"id": "a"}, {"id": "c", "kind": "compare"}),
    "one head": plain([3], 4, {"id": "a", "kind": "multi-head"}, {"id": "c", "kind": "compare"}),
    "biases": plain([3], 4, {"id": "a", "kind": "multi-head", "heads": 2, "bias": True}),
    "two columns": plain([3, 2], 2, {"id": "a", "position": "sinusoidal"}),
    "an encoder alone": plain([3, 2], 2, {"id": "a", "kind": "encoder"}),
    "without places": plain(
        [3], 2, {"id": "a", "kind": "classifier", "position": "none", "classes": ["x", "y"]}
    ),
}


def some_books():
    loaded = {name: spec.load(templates.path(name)) for name in templates.names()}
    found = {name: (one, pages.book(one)) for name, one in loaded.items()}
    for name, data in {**SPECS, **{f"drawn {seed}": drawn(seed) for seed in range(8)}}.items():
        one = spec.parse(data, name)
        found[name] = one, pages.book(one)
    return found


@pytest.mark.parametrize("name", some_books())
def test_no_text_speaks_of_what_the_workbook_lacks(name):
    one, book = some_books()[name]
    assert lacking(one, book) == []


def lacking(one: Spec, book: Book) -> list[str]:
    """Texts that speak of ranges, charts, sheets or words that are not there."""
    names, titles = {block.name for block in book.blocks()}, {page.title for page in book.pages}
    found = []
    for page in book.pages[1:-1]:
        sheet = sheet_of(one, page)
        own = {n for n in names if sheet is None or n.startswith(f"{sheet.id}_")}
        ends = {n.rpartition("_")[2] for n in own} | {"_".join(n.split("_")[-2:]) for n in own}
        charts = page.charts or (page.id == "vocab" and any(p.charts for p in book.pages))
        for text in (page.lead, *page.tries):
            needed = [{"γ": "Gamma"}.get(symbol, symbol) for symbol in SYMBOLS.findall(text)]
            needed += [word.capitalize() for word in ("base", "temperature") if word in text.split()]
            there = set(needed) <= ends
            there &= bool(charts) or not re.search(r"\b(charts?|bars)\b", text)
            known = titles | {*one.vocabulary.tokens}
            there &= all(q in known or {*q.split()} <= known for q in re.findall("“(.+?)”", text))
            if text in page.tries and "neighbour" in text:
                there &= any(len(set(c.words) - {""}) > 1 for c in one.contexts)
            if text in page.tries and "blank cell" in text:
                there &= any("" in c.words for c in one.contexts)
            found += [] if there else [f"{page.title}: {text}"]
    return found


def test_a_text_about_what_is_not_there_would_be_found():
    one = spec.parse(SPECS["one head"], "one head")
    book = pages.book(one)
    for text in (e.HEADS.replace("W_O", "W_U"), e.TEMPERATURE, e.PADDING_OPENS, say(e.TWICE, word="quokka")):
        changed = [replace(page, tries=(text,)) if page.id == "a" else page for page in book.pages]
        assert len(lacking(one, replace(book, pages=tuple(changed)))) == 1
