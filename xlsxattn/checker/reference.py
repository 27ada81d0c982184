"""What every computed range of the contract must hold, by name: the second witness.

The mathematics is in `xlsxattn.checker.attention`, from the papers. No sheet's formula is repeated here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from xlsxattn.checker.attention import (
    MASK_VALUE,
    PROJECTED,
    Expected,
    Sized,
    Trace,
    causal_mask,
    cosine,
    given,
    multi_head,
    numbers,
    product,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from xlsxattn.checker.attention import Array, Heads, Ranges

    Inputs: TypeAlias = Mapping[str, Array]
    Trail: TypeAlias = dict[str, dict[str, Trace]]  # sheet → context → what it left

__all__ = ["Expected", "ShapesDisagree", "SheetInfo", "expected"]

SUMS_TO_ONE = 1e-9  # how far from 1 a row of Attention may sum
SQUARE = ("Scores", "Scaled", "Masked", "Exp", "Attention")  # blocks with the words above them as well
MANY = "multi-head"


class ShapesDisagree(ValueError):  # noqa: N818 - the name says what is wrong
    """The inputs do not fit each other; the sentence names the range and both shapes."""


@dataclass(frozen=True, slots=True)
class SheetInfo:
    """One row of the manifest: a sheet's id, its kind and its settings as the contract lists them."""

    id: str
    kind: str
    settings: Mapping[str, Any]


class Context(NamedTuple):
    """One sentence: Tokens (n, 1), Ids (n, 1), the focus word's position or 0, and X (n, d_model)."""

    id: str
    tokens: Array
    ids: Array
    focus: int
    X: Sized


def count(n: int) -> Sized:
    """1, 2, ..., n as (n, 1)."""
    return given(np.arange(1.0, n + 1)[:, None])


def mark(*, good: bool, amplification: float = 1.0) -> Expected:
    """✓ or ✗, (1, 1)."""
    return Expected(np.array([["✓" if good else "✗"]], dtype=object), "mark", amplification=amplification)


def index(p: str, n: int) -> Ranges:
    """The mask's index vectors, (n, 1) and (1, n)."""
    return {f"{p}_RowIdx": numbers(count(n)), f"{p}_ColIdx": numbers(given(count(n).value.T))}


def labels(block: str, rows: Array | None = None, cols: Array | None = None) -> Ranges:
    """Words or dims beside a block, (rows, 1), and above it, (1, columns), where it has them."""
    beside = {} if rows is None else {f"{block}_Rows": Expected(rows.reshape(-1, 1), "text")}
    return beside | ({} if cols is None else {f"{block}_Cols": Expected(cols.reshape(1, -1), "text")})


def shaped(inputs: Inputs, name: str, rows: int | None, cols: int | None, why: str = "") -> Array:
    """An input with the rows and columns (None: any) that the input `why` asks for, or ShapesDisagree."""
    have = inputs[name].shape
    want = (have[0] if rows is None else rows, have[1] if cols is None else cols)
    if have != want:
        because = f", as {why} is {' × '.join(map(str, inputs[why].shape))}" if why else ""
        raise ShapesDisagree(f"{name} is {have[0]} × {have[1]} but must be {want[0]} × {want[1]}{because}.")
    return inputs[name]


def look_up(name: str, inputs: Inputs) -> Context:
    """A sentence's Ids and X: exact words, the first where one stands twice, 0 and zeros for the unknown."""
    E = inputs["vocab_E"]  # (n_vocab, d_model)
    known = list(shaped(inputs, "vocab_Tokens", len(E), 1, "vocab_E")[:, 0])
    tokens = shaped(inputs, f"{name}_Tokens", None, 1)  # (n, 1)
    words, focus = list(tokens[:, 0]), shaped(inputs, "vocab_Focus", 1, 1)[0, 0]
    ids = [known.index(word) + 1 if word and word in known else 0 for word in words]
    X = np.array([E[i - 1] if i else np.zeros(E.shape[1]) for i in ids])  # (n, d_model)
    position = words.index(focus) + 1 if focus and focus in words else 0
    return Context(name, tokens, np.array(ids, dtype=float)[:, None], position, given(X))


def sentence(c: Context) -> Expected:
    """The words joined by single blanks, (1, 1)."""
    words = filter(None, " ".join(c.tokens[:, 0]).split(" "))
    return Expected(np.array([[" ".join(words)]], dtype=object), "text")


def vocabulary(contexts: Sequence[Context], n_vocab: int) -> Ranges:
    """The computed ranges of the words and of each sentence."""
    found = {"vocab_Index": numbers(count(n_vocab), blank_ok=True)}
    for c in contexts:
        found |= {f"{c.id}_Index": numbers(count(len(c.ids))), f"{c.id}_Ids": numbers(given(c.ids))}
        found |= {f"{c.id}_Sentence": sentence(c), f"{c.id}_Focus": numbers(given([[c.focus]]))}
    return found | {"vocab_Status": mark(good=all(c.ids.all() for c in contexts))}


def weights(sheet: SheetInfo, inputs: Inputs) -> Heads:
    """W_i^Q, W_i^K, W_i^V, (d_model, d_k), d_k, d_v, by the head's suffix: §3.2.2, columns of the whole."""
    many, d_model = sheet.kind == MANY, inputs["vocab_E"].shape[1]
    if not many and not sheet.settings["weights"]:
        return {"": []}
    heads = sheet.settings["heads"] if many else 1
    names = [f"{sheet.id}_W_{letter}" for letter in PROJECTED]
    W = [shaped(inputs, name, d_model, None, "vocab_E") for name in names]
    shaped(inputs, names[1], None, W[0].shape[1], names[0])
    for name, w in zip(names, W, strict=True):
        if w.shape[1] % heads:
            want = f"{d_model} × a multiple of {heads}, the number of heads"
            raise ShapesDisagree(f"{name} is {d_model} × {w.shape[1]} but must be {want}.")
    if many:
        shaped(inputs, f"{sheet.id}_W_O", W[2].shape[1], None, names[2])
        shaped(inputs, f"{sheet.id}_W_O", None, d_model, "vocab_E")
    by_head = zip(*(np.split(w, heads, axis=1) for w in W), strict=True)
    return {f"_h{k}" if many else "": [given(w) for w in head] for k, head in enumerate(by_head, 1)}


def frame(sheet: SheetInfo, heads: Heads, longest: int, inputs: Inputs) -> Ranges:
    """What a sheet holds once: Scale, the mask's constants, the weights' labels, the heads' slices."""
    s, dims, W = sheet.id, inputs["vocab_Dims"], next(iter(heads.values()))
    d_k = W[1].value.shape[1] if W else dims.shape[1]
    found = {f"{s}_Scale": numbers(given([[math.sqrt(d_k) if sheet.settings["scale"] else 1.0]]))}
    if sheet.settings["mask"] == "causal":
        found |= {f"{s}_MaskValue": numbers(given([[MASK_VALUE]]))} | index(s, longest)
    for h, head in heads.items():
        for letter, w in zip(PROJECTED, head, strict=False):  # without weights there is no w
            found |= labels(f"{s}_W_{letter}", dims) | ({f"{s}{h}_W_{letter}": numbers(w)} if h else {})
    return found | (labels(f"{s}_W_O", None, dims) if sheet.kind == MANY else {})


def one_context(sheet: SheetInfo, c: Context, heads: Heads, inputs: Inputs) -> tuple[Ranges, Trace]:
    """The ranges of one sentence: its heads; of many, Output = Concat(head_1, ..., head_h) W^O: §3.2.2."""
    p, dims, n = f"{sheet.id}_{c.id}", inputs["vocab_Dims"], len(c.ids)
    causal = sheet.settings["mask"] == "causal"
    done = multi_head(c.X, heads, scale=sheet.settings["scale"], causal=causal)
    found = {f"{p}_Heading": sentence(c), f"{p}_X": numbers(c.X)} | labels(f"{p}_X", c.tokens, dims)
    found |= index(p, n) | {f"{p}_Mask": numbers(given(causal_mask(n)))} if causal else {}
    for h, head in done.items():
        for block, values in head.blocks.items():
            rows = c.tokens if block in (*SQUARE, *PROJECTED, "Output") else None
            found |= labels(f"{p}{h}_{block}", rows, c.tokens if block in SQUARE else None)
            found[f"{p}{h}_{block}"] = values
    each = list(done.values())
    M, Output = float(np.max([head.M for head in each])), each[0].Output
    if sheet.kind == MANY:
        Concat = Sized(*(np.hstack(parts) for parts in zip(*(head.Output for head in each), strict=True)))
        Output = product("nv,vd->nd", Concat, given(inputs[f"{sheet.id}_W_O"]))  # (n, d_model)
        found |= {f"{p}_Concat": numbers(Concat, M)} | labels(f"{p}_Concat", c.tokens)
    found |= {f"{p}_Output": numbers(Output, M)}
    found |= labels(f"{p}_Output", c.tokens, dims if Output.value.shape[1] == dims.shape[1] else None)
    drift = np.max([np.abs(head.Attention.value.sum(axis=1) - 1).max() for head in each])
    found[f"{p}_Drift"] = numbers(Sized(np.array([[drift]]), np.ones((1, 1))), M)
    return found, Trace(Output, M, done)


def attention_sheet(sheet: SheetInfo, contexts: Sequence[Context], inputs: Inputs, trail: Trail) -> Ranges:
    """The ranges of a sheet with one head or many; leaves in the trail what a comparing sheet follows."""
    heads = weights(sheet, inputs)
    found, trail[sheet.id] = frame(sheet, heads, max(len(c.ids) for c in contexts), inputs), {}
    for c in contexts:
        ranges, trail[sheet.id][c.id] = one_context(sheet, c, heads, inputs)
        found |= ranges
    drifts = [found[f"{sheet.id}_{c.id}_Drift"] for c in contexts]
    lost = any(math.isinf(drift.amplification) for drift in drifts)
    good = all(drift.values.item() <= SUMS_TO_ONE for drift in drifts)
    return found | {f"{sheet.id}_Status": mark(good=good, amplification=math.inf if lost else 1.0)}


def compare_sheet(sheet: SheetInfo, contexts: Sequence[Context], inputs: Inputs, trail: Trail) -> Ranges:
    """The focus word's row of X and of every Output and Attention before this sheet, and its cosines."""
    first = contexts[0]
    found: Ranges = {}
    X = {c.id: Trace(c.X, 1.0, {}) for c in contexts}
    for c in contexts:
        p = f"{sheet.id}_{c.id}"
        found |= {f"{p}_Heading": sentence(c)}
        found |= labels(f"{p}_X", None, inputs["vocab_Dims"]) | labels(f"{p}_Attention", None, c.tokens)
        for name, left in {"X": X, **trail}.items():
            (Output, M, heads), start = left[c.id], left[first.id]
            q = p if left is X else f"{p}_{name}"
            row = Output.row(c.focus)
            found[f"{q}_X" if left is X else f"{q}_Output"] = numbers(row, M if c.focus else 1.0)
            found[f"{q}_Cosine"] = cosine(row, start.Output.row(first.focus), M, start.M)
            for h, head in heads.items():
                found[f"{q}{h}_Attention"] = numbers(head.Attention.row(c.focus), head.M if c.focus else 1.0)
    rows = [c.X.row(c.focus).value for c in contexts if c.focus]
    same = all(np.array_equal(row, rows[0]) for row in rows)
    return found | {f"{sheet.id}_Status": mark(good=same and (len(contexts) > 1 or bool(rows)))}


KINDS: dict[str, Callable[[SheetInfo, Sequence[Context], Inputs, Trail], Ranges]] = {
    "self-attention": attention_sheet,
    MANY: attention_sheet,
    "compare": compare_sheet,
}


@np.errstate(all="ignore")
def expected(sheets: Sequence[SheetInfo], contexts: Sequence[str], inputs: Inputs) -> dict[str, Expected]:
    """Every computed and constant range of the contract, and the heads' slices of the weights, by name.

    `inputs` holds every input range as (rows, cols), float64 or objects that are str.

    Raises:
        ShapesDisagree: inputs do not fit each other.
        KeyError: an input or a setting is missing.
        ValueError: a sheet's kind is unknown.
    """
    E = inputs["vocab_E"]  # (n_vocab, d_model)
    shaped(inputs, "vocab_Dims", 1, E.shape[1], "vocab_E")
    trail: Trail = {}
    sentences = [look_up(name, inputs) for name in contexts]
    found = vocabulary(sentences, len(E))
    for sheet in sheets:
        if sheet.kind not in KINDS:
            raise ValueError(f"There is no reference for the kind {sheet.kind} of the sheet {sheet.id}.")
        found |= KINDS[sheet.kind](sheet, sentences, inputs, trail)
    names = ["vocab", *(sheet.id for sheet in sheets)]
    repeated = {f"xlsxattn_{name}_Status": found[f"{name}_Status"] for name in names}
    good = all(status.values.item() == "✓" for status in repeated.values())
    worst = max(status.amplification for status in repeated.values())
    return found | repeated | {"xlsxattn_Status": mark(good=good, amplification=worst)}
