"""Faults of whole models: positions, norms, residuals, feed-forward networks and outputs."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from dev.campaign.formulas import address, calls, inside, moved, put
from dev.campaign.partners import home, place
from dev.campaign.site import Fault
from xlsxattn.contract.kinds import GATED
from xlsxattn.contract.names import RangeName

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dev.campaign.formulas import Operand
    from dev.campaign.site import Faults, Site

CHOSEN = ("Next", "Class", "LogitMax", "TopLogits", "TopIds", "TopTokens")
"""Blocks that select the largest numbers."""
ACTIVATIONS = {
    "relu": "{h}*({h}>0)",
    "silu": "{h}/(1+EXP(-{h}))",
    "tanh": "TANH({h})",
}


def _block(s: Site) -> str:
    return place(s.book, s.range).block


def _name(s: Site, op: Operand) -> str:
    """The range of an operand, by its name or by its address."""
    return op.name or home(s.book, op.area)


def _ops(s: Site, *blocks: str) -> Iterator[Operand]:
    """The operands in these blocks."""
    named = ((op, place(s.book, name)) for op in s.reads if (name := _name(s, op)))
    return (op for op, at in named if at.block in blocks and not at.part and not at.label)


def _means(s: Site) -> Iterator[Operand]:
    """The operands in the mean of a norm."""
    named = ((op, place(s.book, name)) for op in s.reads if (name := _name(s, op)))
    return (op for op, at in named if at.part == "Mean")


def _elsewhere(s: Site, op: Operand, other: str) -> str:
    """The cells of another range at the position of the operand; the name if it is the whole range."""
    to, own = s.book.names[other], s.book.names[_name(s, op)]
    if op.name:
        return other
    there = replace(
        op.area, sheet=to.sheet, row=op.area.row - own.row + to.row, col=op.area.col - own.col + to.col
    )
    return address(there, s.area.sheet)


def query_bias(s: Site) -> Faults:
    """The bias of Q in K and V."""
    for op in _ops(s, "b_K", "b_V"):
        name = _name(s, op)
        other = place(s.book, name)["b_Q"]
        a, b = s.book.names[name], s.book.names.get(other)
        if b and (a.rows, a.cols) == (b.rows, b.cols):
            yield Fault("Q's bias in K and V", put(s.text, [op], _elsewhere(s, op, other)), (name, other))


def first_token(s: Site) -> Faults:
    """A feed-forward network that uses the first token for every token."""
    if _block(s) not in ("Hidden", "Up"):
        return
    n = s.whole.rows
    for op in s.reads:
        if not (outer := s.book.names.get(_name(s, op))) or outer.rows != n or n == 1:
            continue
        first = address(replace(op.area, row=outer.row, rows=1), s.area.sheet)
        text = f"(0*{op.text}+{first})" if op.area.rows > 1 else first
        yield Fault("the first token in every MLP", put(s.text, [op], text))


def first_stream(s: Site) -> Faults:
    """From the second layer on, the residual adds the input of the model instead of that of the layer."""
    own = place(s.book, s.range)
    if own.block != "Residual1" or own.layer <= 1:
        return
    start = own.lane["Input"]
    for op in s.reads:
        name = _name(s, op)
        if start in s.book.names and name not in ("", start) and place(s.book, name).block != "MultiHead":
            yield Fault(
                "the residual adds the input", put(s.text, [op], _elsewhere(s, op, start)), (name, start)
            )


def one_bias(s: Site) -> Faults:
    """Every column of a feed-forward network has the bias of one column, as with an absolute reference."""
    for op in _ops(s, "b_1", "b_2", "b_3"):
        if op.area.cols > 1:
            last = moved(replace(op.area, cols=1), 0, op.area.cols - 1)
            yield Fault("one column's bias", put(s.text, [op], address(last, s.area.sheet)))
        elif not s.formula.array and (outer := s.book.names[_name(s, op)]).cols > 1:
            step = -1 if op.area.col > outer.col else 1
            yield Fault(
                "one column's bias", put(s.text, [op], address(moved(op.area, 0, step), s.area.sheet))
            )


def norms(s: Site) -> Faults:
    """A norm with the sample variance, without ε, or without subtracting the mean."""
    if place(s.book, s.range).part == "Variance":
        sample = re.sub(r"\bVARP\(", "VAR(", s.text)
        sample = re.sub(r"/(COLUMNS\([^()]*\)|\w+_DModel)", r"/(\1-1)", sample)
        yield Fault("sample variance", sample)
    for op in _ops(s, "Epsilon"):
        floor = re.compile(r",1E-24\)").match(s.text, op.end)
        start, end = (op.start - len("MAX("), floor.end()) if floor else (op.start, op.end)
        before, after = s.text[start - 1], s.text[end : end + 1]
        if before == "+":
            yield Fault("ε left out", s.text[: start - 1] + s.text[end:])
        elif after == "+":
            yield Fault("ε left out", s.text[:start] + s.text[end + 1 :])
    for op in _means(s):
        if s.text[op.start - 1] == "-":
            yield Fault("mean not subtracted", s.text[: op.start - 1] + s.text[op.end :])


def activation(s: Site) -> Faults:
    """Another activation."""
    if _block(s) != "Activation":
        return
    sheet = place(s.book, s.range).sheet
    own = next((i.settings.get("activation") for i in s.book.manifest.sheets if i.id == sheet), "")
    hidden, up = next(_ops(s, "Hidden"), None), next(_ops(s, "Up"), None)
    if hidden is None:
        return
    gate = f"*{up.text}" if up else ""
    for name, text in ACTIVATIONS.items():
        if name != GATED.get(str(own), own):
            yield Fault("wrong activation", f"={text.format(h=hidden.text)}{gate}")
    if up and s.text[up.start - 1] == "*":  # without the gate
        yield Fault("wrong activation", s.text[: up.start - 1] + s.text[up.end :])


def positions(s: Site) -> Faults:
    """Positions off by one, sine for cosine, a pair rotated backwards."""
    for op in _ops(s, "Position"):
        yield Fault("positions off by one", put(s.text, [op], f"({op.text}+1)"))
    if _block(s) in ("Input", "Sum", "QRot", "KRot"):
        for op in _ops(s, "P", "Cos", "Sin"):
            at = place(s.book, _name(s, op))
            table = s.book.names.get(RangeName(at.sheet)[at.block])
            near = [there for step in (1, -1) if table and inside(there := moved(op.area, step), table)]
            for there in near[:1]:
                yield Fault("positions off by one", put(s.text, [op], address(there, s.area.sheet)))
    turned = re.sub(r"\b(SIN|COS)\(", lambda found: {"S": "COS(", "C": "SIN("}[found[0][0]], s.text)
    yield Fault("sine and cosine exchanged", turned)
    for op in _ops(s, "Turn"):
        yield Fault("rotated backwards", put(s.text, [op], f"(0-{op.text})"))


def words(s: Site) -> Faults:
    """An output without its temperature, or with the least likely word."""
    for start, _, end in calls(s.text, "MAX"):
        if s.text[start - 1] == "/" and "_Temperature" in s.text[start:end]:
            yield Fault("temperature left out", s.text[: start - 1] + s.text[end + 1 :])
    for op in _ops(s, "Temperature"):
        if s.text[op.start - 1] == "/":
            yield Fault("temperature left out", s.text[: op.start - 1] + s.text[op.end :])
    if _block(s) in CHOSEN:
        least = re.sub(r"\bMAX\(", "MIN(", re.sub(r"\bLARGE\(", "SMALL(", s.text))
        yield Fault("the smallest in place of the largest", least)


def pooling(s: Site) -> Faults:
    """A mean that includes padding."""
    if _block(s) == "Pooled" and (masks := [*_ops(s, "PaddingMask")]):
        yield Fault("pooled over padding", put(s.text, masks, lambda op: f"(0*{op.text}+1)"))


MODEL_FAULTS: tuple[Callable[[Site], Faults], ...] = (
    query_bias,
    first_token,
    first_stream,
    one_bias,
    norms,
    activation,
    positions,
    words,
    pooling,
)
"""Faults of models; on other sheets they do not apply."""
