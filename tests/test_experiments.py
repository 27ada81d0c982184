"""What the workbooks invite to try is tried: every experiment of every template, in the embedded engine.

An experiment is a sentence on a page. Each has a function here that does what it says and asserts what it
promises; a sentence without one fails.
"""

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
from xlsxattn.builder import experiments as e
from xlsxattn.builder import layout, pages, spec
from xlsxattn.checker.reader import read
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from xlsxattn.builder.graph import Book, Page
    from xlsxattn.builder.settings import SheetSpec
    from xlsxattn.builder.spec import Spec


@cache
def book_of(template: str):
    return pages.book(spec.load(templates.path(template)))


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
        made = press.build(templates.path(template), folder / f"{template}.xlsx")
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
    sheet: SheetSpec | None
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
    b.sheet = b.spec.sheets[0]
    place, word = b.position(b.keys)
    p = b.looks(b.keys)
    b.put("vocab_E", 0, b.row(word))
    assert not b.get(f"{p}_Scores")[:, place].any()
    assert b.get(f"{p}_Attention")[:, place].max() > 0


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


def probabilities(b: Bench) -> None:
    context = b.contexts[0]
    name = f"{b.sheet.id}_{context}_Probability"
    before, moved_by = b.get(name), []
    for place, word in enumerate(b.words(context)):
        if word:
            b.exchange(context, place)
            moved_by.append(np.abs(b.get(name) - before).max())
            b.put(f"{context}_Tokens", word, place)
    assert max(moved_by) > 1e-3


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
    e.ZERO_SCORES: zero_scores,
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
    e.CLASSIFIED: probabilities,
    e.ORDER: another_order,
    e.CLASS_COLUMN: class_column,
    e.READ_WORD: read_word,
    e.READ_TWICE: read_through,
    e.READ_THROUGH: read_through,
    e.READ_AT_ONCE: read_through,
}
"""What each experiment promises, done and asserted."""


def sheet_of(one: Spec, page: Page) -> SheetSpec | None:
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
    found = {name: (spec.load(templates.path(name)), book_of(name)) for name in templates.names()}
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
            there &= bool(charts) or not re.search(r"\b(chart|bar)s?\b", text)
            there &= {*re.findall("“(.+?)”", text)} <= titles | {*one.vocabulary.tokens}
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
