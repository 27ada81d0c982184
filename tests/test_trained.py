"""The trained models: other inputs are typed into their workbooks, and the formulas give the right results.

The embedded engine runs in this process, as thousands of inputs are typed.
"""

from __future__ import annotations

import re
import tomllib
from itertools import product
from typing import TYPE_CHECKING

import ironcalc
import pytest
from conftest import ROOT, THOROUGH

from dev import prebuilt
from xlsxattn import templates
from xlsxattn.checker.reading.book import read

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


APART = 13 if THOROUGH else 65
"""Of all words of four letters, one in this many is written backwards."""
PROMPTS = slice(None) if THOROUGH else slice(None, None, 3)
"""The prompts that are sorted, of all."""


class Typewriter:
    """A template's workbook, into whose cells words are typed."""

    def __init__(self, template: str, folder: Path) -> None:
        path = prebuilt.build(template, folder / f"{template}.xlsx")
        self.names = read(path).names
        self.model = ironcalc.load_from_xlsx(str(path))
        self.model.evaluate()  # after loading, it must be calculated twice
        self.tabs = {one["name"]: i for i, one in enumerate(self.model.get_worksheets_properties())}

    def type(self, name: str, words: Iterable[str]) -> None:
        for (sheet, row, col), word in zip(self.names[name].cells(), words, strict=False):
            self.model.update_cell_with_text(self.tabs[sheet], row + 1, col + 1, word)
        self.model.evaluate()

    def read(self, name: str) -> list[object]:
        cells = self.names[name].cells()
        return [self.model.get_cell_value(self.tabs[tab], row + 1, col + 1) for tab, row, col in cells]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("trained")


def test_the_decoder_sorts_prompts(folder):
    gpt = Typewriter("sort", folder)
    wrong = []
    for letters in [*product("abcd", repeat=4)][PROMPTS]:
        gpt.type("prompt_Tokens", [*letters, "|"])
        if gpt.read("gpt_prompt_Tokens") != [*letters, "|", *sorted(letters)]:
            wrong.append("".join(letters))
    assert wrong == []


def test_the_encoder_decoder_writes_words_backwards(folder):
    rev = Typewriter("reverse", folder)
    words = ["".join(letters) for k in (1, 2) for letters in product("anopst", repeat=k)]
    words += [
        "stop",
        "pots",
        "spot",
        "tops",
        "snap",
        "pans",
        "span",
        "naps",
        "tap",
        "pat",
        "top",
        "pot",
        "not",
        "ton",
        "nap",
        "pan",
        "son",
        "post",
        "past",
        "oats",
    ]
    words += ["".join(letters) for i, letters in enumerate(product("anopst", repeat=4)) if i % APART == 0]
    wrong = []
    for word in words:
        rev.type("word_Tokens", [*word, *[""] * (6 - len(word))])
        if rev.read("rev_written_Tokens") != ["<", *reversed(word), *[">"] * (5 - len(word))]:
            wrong.append(word)
    assert wrong == []


HELD_OUT = {"animal": ("cat", "dog"), "device": ("keyboard", "screen")}


@pytest.fixture(scope="module")
def classifier(folder):
    return Typewriter("mouse", folder)


def classify(classifier, words):
    """Class, probabilities, and attention of the first word to the six cells."""
    classifier.type("cat_Tokens", [*words, *[""] * (6 - len(words))])
    blocks = [classifier.read(f"cls_cat_{block}") for block in ("Class", "Probability", "l1_h1_Attention")]
    return blocks[0][0], blocks[1], blocks[2][:6]


def test_attention_shows_the_reason_for_held_out_words(classifier):
    wrong, looks = [], {meant: [] for meant in HELD_OUT}
    for meant, other in (("animal", "device"), ("device", "animal")):
        for friend, joined, weak in product(HELD_OUT[meant], ("and", "or"), ("friends", "useful", "small")):
            sentences = [["mouse", joined, friend], ["mouse", joined, friend, "are", weak]]
            sentences += [["mouse", joined, weak, friend]]
            sentences += [["mouse", joined, friend, "are", "near", far] for far in HELD_OUT[other]]
            for said in sentences:
                decided, _, attention = classify(classifier, said)
                looks[meant].append(attention[said.index(friend)])
                if decided != meant or looks[meant][-1] < 0.9:
                    wrong.append((" ".join(said), decided, looks[meant][-1]))
    assert wrong == []
    assert abs(min(looks["animal"]) - min(looks["device"])) < 0.05  # both classes alike


def test_the_classifier_is_undecided_if_nothing_decides(classifier):
    said = [
        "mouse",
        "mouse are small",
        "mouse are new",
        "mouse and fast",
        "mouse and bug",
        "mouse and ram are old",
    ]
    even = {words: classify(classifier, words.split())[1] for words in said}
    assert all(0.4 < value < 0.6 for both in even.values() for value in both), even


def test_the_weights_that_a_page_gives_for_other_words_are_the_walkthroughs():
    page = (ROOT / "docs/how-to/own-sentences.md").read_text("utf-8")
    (block,) = [
        text for text in re.findall(r"^```toml\n(.*?)^```$", page, re.DOTALL | re.MULTILINE) if "W_Q" in text
    ]
    template = tomllib.loads(templates.path("walkthrough").read_text("utf-8"))
    learned = {sheet["id"]: sheet.get("weights") for sheet in template["sheets"]}
    assert [sheet["weights"] for sheet in tomllib.loads(block)["sheets"]] == [learned["qkv"]]
