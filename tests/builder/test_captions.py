"""A caption names exactly the ranges that its formula reads."""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise

import pytest
from model_specs import ACTIVATIONS, drawn
from specs import plain

from xlsxattn import templates
from xlsxattn.builder import layout, ops, pages
from xlsxattn.builder import specification as spec
from xlsxattn.builder.pages import positions

WORDS = {
    "RowMax": "row maximum", "LogitMax": "row maximum", "RowSum": "row sum", "LogitSum": "row sum",
    "Scale": "√d_k", "Temperature": "temperature", "MaskValue": "−∞", "RowIdx": "row", "ColIdx": "column",
    "Mean": "mean", "Variance": "variance", "MeanSquare": "mean square", "Epsilon": "ε", "Gamma": "γ",
    "Beta": "β", "Angle": "angle", "Frequency": "frequency", "Position": "position", "Base": "base",
    "Pair": "i", "Cos": "cos", "Sin": "sin", "Mask": "mask", "CrossMask": "mask",
    "PaddingMask": "padding mask", "CausalMask": "causal mask", "Tokens": "word", "Ids": "words",
    "Goal": "target", "Count": "number of examples",
}  # fmt: skip
"""Words in captions for ranges that are not named."""
MASKS = {"Padding mask": "PaddingMask", "Causal mask": "CausalMask", "Mask": "CrossMask"}
"""Words in captions for results."""
UNSAID = {
    *("Odd", "Index"),  # which columns are cosines, and which rows are words: "in turn", "rows" in captions
    *("Ones", "Present"),  # vectors of ones for row sums, and counted words: "row sum", Σ in captions
    *("Columns", "ColumnsV"),  # the columns of a head: its number in captions
}
SYMBOL = re.compile(r"(?:\w+_)?d?[A-Z]\w*")
FUNCTIONS = {"ReLU", "GELU", "SiLU", "LayerNorm", "RMSNorm", "PE", "Φ"}
SPECS = {
    "scale off": plain(
        [3, 2], 4, {"id": "a", "scale": False}, {"id": "c", "scale": False, "temperature": 2.0}
    ),
    "sines without weights": plain([3], 4, {"id": "a", "position": "sinusoidal", "mask": "causal+padding"}),
    "biases": plain(
        [3], 4, {"id": "a", "kind": "multi-head", "heads": 2, "bias": True, "position": "rotary"}
    ),
    "activations": plain(
        [2], 2, *({"id": f"a{i}", "kind": "encoder", "activation": one} for i, one in enumerate(ACTIVATIONS))
    ),
    "masks": plain([3, 4], 4, {"id": "a", "kind": "cross-attention", "mask": "padding", "heads": 2}),
    "similarity": plain([3, 2], 4, {"id": "a", "kind": "encoder", "similarity": True, "layers": 2}),
}


DRAWN = {f"drawn {seed}": seed for seed in range(12)}
BOOKS = [*templates.names(), *SPECS, *DRAWN]


@cache
def book_of(name):
    if name in DRAWN:
        return pages.book(spec.parse(drawn(DRAWN[name]), "drawn"))
    if name in SPECS:
        return pages.book(spec.parse(SPECS[name], name))
    return pages.book(spec.load(templates.path(name), {"lang": "en"}))


def captions(book):
    """Title and block of every band whose title is an equation."""
    for page in book.pages[:-1]:
        for band in page.bands:
            title = re.sub(
                r"^(Cross-attention\. )?((Head|Group) \d+: |Forward: |Backward: )?", "", band.title
            )
            title = re.sub(r" \(head \d+\)$", "", title)
            for group in filter(None, band.groups):
                found = [block for block in group.blocks if block.kind == "formula"]
                if " = " in title and found:
                    yield title, found[-1]


def last(name: str) -> str:
    """The last part of a range's name; for a weight or bias, its symbol."""
    weight = re.search(r"_([Wb]_\w+)$", name)
    return weight[1] if weight else name.rpartition("_")[2]


def read(block) -> set[str]:
    formulas = (part.formula for part in block.parts)
    return {name for text in formulas for name in re.findall(r"[A-Za-z]\w*_\w+", re.sub('"[^"]*"', "", text))}


def meant(said: str) -> set[str]:
    """The short names of the ranges on the right side of an equation."""
    found = {word.rpartition("_")[2] if word[0] not in "Wb" else word for word in SYMBOL.findall(said)}
    found -= FUNCTIONS
    return found - {"O"} if "W_O" in said else found


def faults(title: str, block) -> list[str]:
    """The errors of a caption."""
    result, said = re.sub("[ᵀ²]", "", title).split(" = ", 1)
    if said == "the heads' outputs side by side":  # columns of all heads, described in words
        return []
    if result == "dW" or result.startswith("Update: "):  # one caption for all learned matrices
        return []
    names = {last(name) for name in read(block)}
    wrong = []
    own = last(block.name)
    if MASKS.get(result, result).casefold() != own.casefold() and result != own:
        wrong.append(f"{result} is called {own}")
    for name in names - UNSAID:
        spelled = WORDS.get(name, name)
        off = name == "Scale" and said.startswith(("Scores / 1", "Scores / (1"))
        off |= name == "Mask" and said.endswith("outside the sentence")
        if not off and not re.search(rf"(?<![A-Za-z]){re.escape(spelled)}(?![A-Z])", said, re.IGNORECASE):
            wrong.append(f"{name} is not said")
    return wrong + [f"{symbol} is not read" for symbol in meant(said) - names]


@pytest.mark.parametrize("name", BOOKS)
def test_a_caption_names_what_its_formula_reads(name):
    found = [(title, block.name, faults(title, block)) for title, block in captions(book_of(name))]
    assert len(found) > 3
    assert [one for one in found if one[2]] == []


@pytest.mark.parametrize(
    ("maths", "wrong"),
    [
        ("Output = Attention · V", ["V is not read", "X is not said"]),
        ("Output = Attention", ["X is not said"]),
        ("Result = Attention · X", ["Result is called Output"]),
    ],
)
def test_a_wrong_caption_is_found(maths, wrong):
    (block,) = (b for b in book_of("walkthrough").blocks() if b.name == "attn_cat_Output")
    assert sorted(faults(maths, block)) == sorted(wrong)


def page(data, page_id="a"):
    return next(p for p in pages.book(spec.parse(data, "data")).pages if p.id == page_id)


def whys(found, title):
    return [band.why for band in found.bands if band.title.endswith(title)]


def test_texts_of_a_classifier_mention_classes_not_next_words():
    said = page(plain([3], 4, {"id": "a", "kind": "classifier", "classes": ["x", "y"]}), "a_out")
    assert whys(said, "Probability = LogitExp / row sum") == [ops.sentences.CLASS_PROBABILITY.why]
    assert not any("next" in band.why for band in said.bands)


def test_similarity_is_mentioned_only_without_weights():
    plain_why, learned = (whys(page(plain([3], 4, {"id": "a", **more})), "ᵀ") for more in ({}, {"seed": 1}))
    assert plain_why == [ops.attention.ALIKE.why]
    assert learned == [ops.attention.SCORES.why]


def test_second_explanations_name_existing_ranges():
    for band in page(plain([3], 4, {"id": "a"})).bands:
        assert not re.search(r"\b[QKV]\b", band.more), band.title


def test_leads_mention_masks_positions_and_heads():
    causal = page(plain([3], 4, {"id": "a", "mask": "causal"}))
    assert "mask" in causal.lead
    one = page(plain([3], 4, {"id": "a", "kind": "multi-head", "position": "rotary"}))
    assert one.subtitle == "1 head, then W_O"
    assert one.lead.startswith("One head")
    assert "rotated" in one.lead
    placed = page(plain([3], 4, {"id": "a", "position": "sinusoidal"}))
    assert "Q = K = V = Input" in placed.lead
    assert placed.subtitle == "Q = K = V = Input"


def test_random_positions_are_not_called_learned():
    data = {"id": "a", "position": "learned"}
    assert whys(page(plain([3], 4, {**data, "seed": 1})), "Learned positions P") == [positions.RANDOM_PLACES]
    square = [[0.1] * 4] * 4
    given = {**data, "weights": {"P": square[:3], "W_Q": square, "W_K": square, "W_V": square}}
    assert whys(page(plain([3], 4, given)), "Learned positions P") == [positions.LEARNED_PLACES]


@pytest.mark.parametrize("name", BOOKS)
def test_no_name_is_wrapped(name):
    lines = [
        text.text for sheet in layout.lay_out(book_of(name)) for text in sheet.texts if text.look == "formula"
    ]
    assert [
        (line, below)
        for line, below in pairwise(lines)
        if below.startswith("    ") and re.search(r"\w$", line) and re.match(r" *\w", below)
    ] == []


def test_no_step_mentions_a_scale_that_is_off():
    for band in page(plain([3], 4, {"id": "a", "scale": False})).bands:
        assert "√d" not in band.title + band.why


@pytest.mark.parametrize("name", BOOKS)
def test_no_placeholders_are_left(name):
    for one in book_of(name).pages:
        for band in one.bands:
            said = (band.title, band.why, band.more)
            assert not any(re.search(r"\{\w", text) for text in said)
