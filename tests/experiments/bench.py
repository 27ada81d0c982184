"""The workbook of a template in the embedded engine, and the functions of experiments by name."""

from __future__ import annotations

from functools import cache, partial

import ironcalc
import numpy as np

from xlsxattn import templates
from xlsxattn.builder import pages
from xlsxattn.builder.pages import experiments
from xlsxattn.builder.specification import spec
from xlsxattn.checker.reading.book import read
from xlsxattn.language import language

NAMES = {text: name for name, text in vars(experiments).items() if name.isupper() and isinstance(text, str)}
NAMES |= {chinese: NAMES[text] for text, chinese in language("zh").texts.items() if text in NAMES}
"""The sentences of the code, in English and Chinese → their names."""
STEPS = ("X", "Scores", "Scaled", "Exp", "Attention", "Output")
CHANGED, SAME, VISIBLE = 1e-3, 1e-12, 0.1
"""Minimum change of a value; maximum change due to rounding; minimum visible change."""


@cache
def book_of(template):
    return pages.book(spec.load(templates.path(template), {"lang": "en"}))


@cache
def spec_of(template):
    return spec.load(templates.path(template))


def key_of(template, page, place) -> str:
    text = page.tries[place]
    return NAMES.get(getattr(text, "sentence", text), f"{template} {page.id} {place}")


def sheet_of(one, page):
    return next((s for s in one.sheets if page.id == s.id or page.id.startswith(f"{s.id}_")), None)


@cache
def names_of(path):
    return read(path).names


@cache
def loaded(path) -> bytes:
    """A workbook in the embedded engine, calculated once: after loading, it must be calculated twice."""
    model = ironcalc.load_from_xlsx(str(path))
    model.evaluate()
    return model.to_bytes()


def far(one, other) -> float:
    """The largest difference of two ranges."""
    return np.abs(np.subtract(one, other)).max()


class Bench:
    """The workbook of an experiment: its page, its current values, and cells to type into."""

    def __init__(self, path, page, place) -> None:
        self.template, self.page, self.values = path.stem, page, getattr(page.tries[place], "values", {})
        self.spec = spec_of(path.stem)
        self.sheet = sheet_of(self.spec, page)
        self.names = names_of(path)
        self.model = ironcalc.load_from_bytes(loaded(path))
        self.tabs = {one["name"]: i for i, one in enumerate(self.model.get_worksheets_properties())}
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
        """Replace a word of a sentence, if possible by one that the sentence lacks, of another magnitude."""
        said, known = self.words(context), self.spec.vocabulary.tokens
        sizes = dict(zip(known, self.get("vocab_E").sum(axis=1), strict=True))
        lacking = [word for word in known if word not in said]
        lacking.sort(key=lambda word: sizes[word] == sizes.get(said[place]))
        self.put(f"{context}_Tokens", next(w for w in (*lacking, *known) if w != said[place]), place)

    def swap(self, context, one, other) -> None:
        """Swap two words."""
        places = {one: other, other: one}
        for place, word in enumerate(self.words(context)):
            if word in places:
                self.put(f"{context}_Tokens", places[word], place)

    # --- the subject of an experiment----------------------------------------------------------------------

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
        """The prefix of the ranges of the first sentence."""
        return f"{self.id}_{self.context}"

    @property
    def keys(self) -> str:
        """The sentence of the keys."""
        return self.contexts[-1] if self.sheet.kind == "cross-attention" else self.context

    def heads(self, context) -> list[str]:
        """The prefixes of the ranges of heads."""
        p = f"{self.id}_{context}"
        return [f"{p}_h{h + 1}" for h in range(self.sheet.heads)] if self.sheet.headed else [p]

    def looks(self, context) -> str:
        """The prefix of an attention whose keys are from a sentence."""
        return self.heads(self.context if self.sheet.kind == "cross-attention" else context)[0]

    def with_focus(self) -> tuple[str, int]:
        """A sentence that contains the focus word, and its position."""
        found = next(c for c in self.contexts if self.spec.focus in self.words(c))
        return found, self.words(found).index(self.spec.focus)

    def position(self, context) -> tuple[int, str]:
        """The first position of a sentence with a word, and that word."""
        return next((i, word) for i, word in enumerate(self.words(context)) if word)

    def row(self, word) -> int:
        return self.spec.vocabulary.tokens.index(word)

    def all(self, names) -> dict:
        return {name: self.cells(name) for name in names}

    def move(self, names, change) -> None:
        """Assert that a change visibly changes at least one of these ranges."""
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
