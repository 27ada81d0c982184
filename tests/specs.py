"""Hypothesis strategies for all documented specs, and conversion to TOML."""

from __future__ import annotations

import json
import random
import re
import unicodedata
from collections.abc import Mapping
from functools import partial
from typing import Any

from hypothesis import strategies as st

from xlsxattn.contract.values import RESERVED

Data = dict[str, Any]

CHINESE_SPEC = """title = "苹果"
lang = "zh"
[vocabulary]
dimensions = ["水果", "公司"]
[vocabulary.tokens]
"苹果" = [2.0, 2.0]
"香蕉" = [3.0, 0.0]
"电脑" = [0.0, 3.0]
"和" = [0.1, 0.1]
"很" = [0.1, 0.1]
"好吃" = [0.6, 0.0]
[contexts]
fruit = "香蕉 和 苹果"
firm = "电脑 和 苹果"
[[sheets]]
id = "attn"
"""
"""A spec with Chinese words, whose sentences are separated by spaces."""

AWKWARD_WORDS = (
    "=1+1", "+a", "-b", "@c", "'d", '"', "TRUE", "1", "1.5", "1e5", "#N/A", "*", "?", "~", "us", "US", "ß",
    "SS", "naïve", "日本語", "العربية", "🦊", "e\u0301", "a_b", "R1C1", "&amp;", "<b>", "–", "✓", "İ", "ı",
    "x" * 60,
)  # fmt: skip
"""Words that a spreadsheet may misinterpret; all differ in Unicode NFKC."""

AWKWARD_TITLES = (
    "It's", "a/b\\c", "[x]:*?", "'", "History", "start", "Start", "Inputs", "Contract", "=1+1", "x" * 100,
    "日本語", "🦊" * 40, "heads", "Heads", "a  b", "R1C1",
)  # fmt: skip
"""Titles that are invalid or duplicate as sheet names."""

AWKWARD_IDS = ("r", "c", "rc", "r1", "r1c1", "x1", "true", "sum", "x", "attention", "e5", "focus", "a" * 32)

identifiers = st.one_of(
    st.sampled_from(AWKWARD_IDS), st.from_regex(r"[a-z][a-z0-9]{0,6}", fullmatch=True)
).filter(lambda text: not re.fullmatch(RESERVED, text))


def _keepable(word: str) -> bool:
    """Whether a workbook can store a word: no invisible ends, no escape of Excel's such as ``_x0041_``."""
    return (
        bool(word.strip())
        and word == word.strip()
        and not any(c in "\ufffe\uffff" for c in word)
        and len(word.split()) == 1
        and not re.search("_x[0-9A-Fa-f]{4}_", word)
    )


any_words = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=8).filter(_keepable)
"""Unicode text without control characters and spaces."""

words = st.one_of(st.sampled_from(AWKWARD_WORDS), any_words)


def random_rows(seed: int, rows: int, cols: int, size: float) -> list[list[float]]:
    """Numbers with two decimals from a seed, as hypothesis is slow at drawing many."""
    draw = random.Random(seed)
    return [[round(draw.uniform(-size, size), 2) for _ in range(cols)] for _ in range(rows)]


seeds = st.integers(0, 2**16)


@st.composite
def specs(
    draw: st.DrawFn,
    most_words: int = 12,
    most_dimensions: int = 12,
    most_contexts: int = 4,
    most_sheets: int = 3,
) -> Data:
    """A spec: vocabulary, sentences, and sheets of all kinds with random settings."""
    normalized = partial(unicodedata.normalize, "NFKC")
    tokens = draw(st.lists(words, min_size=1, max_size=most_words, unique_by=normalized))
    d_model = draw(st.integers(1, most_dimensions))
    size = draw(st.sampled_from([2.0, 2.0, 0.0, 30.0]))
    E = random_rows(draw(seeds), len(tokens), d_model, size)
    count = draw(st.integers(1, most_contexts))
    ids = draw(st.lists(identifiers, min_size=count + 1, max_size=count + most_sheets, unique=True))
    contexts = {}
    for name in ids[:count]:
        said = draw(st.lists(st.sampled_from(tokens), min_size=1, max_size=most_words))
        contexts[name] = draw(st.sampled_from([said, " ".join(said)]))
    vocabulary: Data = {"tokens": dict(zip(tokens, E, strict=True))}
    if draw(st.booleans()):
        vocabulary["dimensions"] = [f"d {j}" for j in range(d_model)]
    sheets: list[Data] = []
    for i, name in enumerate(ids[count:]):
        kinds = ["self-attention", "multi-head"] + ["compare"] * (i > 0)
        sheets.append(draw(_sheets(name, draw(st.sampled_from(kinds)), d_model)))
    data: Data = {"vocabulary": vocabulary, "contexts": contexts, "sheets": sheets}
    if draw(st.booleans()):
        data["title"] = draw(st.sampled_from(AWKWARD_TITLES))
    if draw(st.booleans()):
        sentence = contexts[draw(st.sampled_from(ids[:count]))]
        data["focus"] = draw(st.sampled_from(sentence.split() if isinstance(sentence, str) else sentence))
    return data


@st.composite
def _sheets(draw: st.DrawFn, name: str, kind: str, d_model: int) -> Data:
    sheet: Data = {"id": name, "kind": kind}
    if draw(st.booleans()):
        sheet["title"] = draw(st.sampled_from(AWKWARD_TITLES))
    if kind == "compare":
        return sheet
    sheet |= draw(st.fixed_dictionaries({}, optional={"scale": st.booleans()}))
    sheet |= draw(st.fixed_dictionaries({}, optional={"mask": st.sampled_from(["none", "causal"])}))
    sizes = st.fixed_dictionaries({}, optional={"d_k": st.integers(1, 5), "d_v": st.integers(1, 5)})
    if kind == "multi-head":
        asked = draw(sizes)
        dividing = [h for h in range(1, 5) if d_model % h == 0 or "d_k" in asked]
        sheet |= {"heads": draw(st.sampled_from(dividing)), **asked}
        sheet["seed"] = draw(seeds)
        if draw(st.booleans()):
            sheet |= _given(sheet.pop("seed"), sheet, d_model)
        return sheet
    weights = draw(st.sampled_from(["none", "drawn", "given"]))
    if weights == "none":
        return sheet
    sheet |= {**draw(sizes), "seed": draw(seeds)}
    return sheet if weights == "drawn" else sheet | _given(sheet.pop("seed"), sheet, d_model)


def _given(seed: int, sheet: Data, d_model: int) -> Data:
    """Explicit weights of the shapes that a sheet needs."""
    heads = sheet.get("heads", 1)
    d_k = sheet.get("d_k", d_model // heads)
    d_v = sheet.get("d_v", d_k)
    shapes = {"W_Q": (d_model, heads * d_k), "W_K": (d_model, heads * d_k), "W_V": (d_model, heads * d_v)}
    if sheet["kind"] == "multi-head":
        shapes["W_O"] = (heads * d_v, d_model)
    return {
        "weights": {
            name: random_rows(seed + i, *shape, 1.0) for i, (name, shape) in enumerate(shapes.items())
        }
    }


def plain(lengths: list[int], d_model: int, *sheets: Data, n_vocab: int = 0, seed: int = 0) -> Data:
    """A spec of given sizes: sentences c1, c2, ... of random words w1, w2, ..."""
    draw = random.Random(seed)
    known = [f"w{i + 1}" for i in range(n_vocab or max(lengths))]
    rows = random_rows(seed, len(known), d_model, 2.0)
    return {
        "vocabulary": {"tokens": dict(zip(known, rows, strict=True))},
        "contexts": {f"c{i + 1}": draw.choices(known, k=n) for i, n in enumerate(lengths)},
        "sheets": list(sheets),
    }


def toml(data: Mapping[str, Any]) -> str:
    """A spec in TOML."""
    return "".join(f"{_text(key)} = {_value(value)}\n" for key, value in data.items())


def _text(text: str) -> str:
    return json.dumps(
        text, ensure_ascii=False
    )  # JSON and TOML have the same escapes, except for control characters


def _value(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return _text(value)
        case Mapping():
            return "{" + ", ".join(f"{_text(key)} = {_value(item)}" for key, item in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_value, value)) + "]"
        case _:
            return repr(value)
