"""Attention step by step: projections, scores, softmax, outputs; with one head or several.

Vaswani et al. 2017, "Attention Is All You Need": equation 1 and section 3.2. Grouped queries: Ainslie et
al. 2023.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from xlsxattn.builder import ops
from xlsxattn.builder.graph import Band, Block, Group, Part, Side
from xlsxattn.builder.pages.norms import norm_of_heads
from xlsxattn.builder.pages.parts import Step, computed, dims_above, learned, names_in, numbered, step
from xlsxattn.contract.kinds import Model, MultiHead, SelfAttention, WithAttention
from xlsxattn.contract.names import RangeName, last, rows_of
from xlsxattn.language import say

if TYPE_CHECKING:
    from xlsxattn.builder.graph import Labels
    from xlsxattn.builder.pages.parts import Lane, Steps

LEARNED = "Learned in training, then fixed. All sentences share them: a changed number affects all of them."
DRAWN = (
    "Random numbers from the seed {seed}, not trained, so the results have no meaning. All sentences "
    "share them."
)

SUMS = (
    "Every row of the attention must sum to 1. This is the largest deviation: a number like 2.2E-16, "
    "with fifteen zeros after the point, is a rounding error, not a mistake."
)

UNSCALED = (
    "The same softmax, of scores that are not divided by √d: they differ more, so the largest gets "
    "more weight, and the entropy is lower."
)

AS_THEY_ARE = "The scores as they are"
NEITHER = "Scores are not scaled on this sheet, so the sums and entropies are the same."


@dataclass(frozen=True, slots=True)
class Attending:
    """An attention: its sentences, weights, and names of ranges.

    Attributes:
        sheet: the settings.
        lane: the sentence of the queries.
        keys: the sentence of the keys and values; the same in self-attention.
        p: prefix of the ranges' names, ``<sheet>_<context>`` or ``<sheet>_<context>_l1``.
        kp: prefix of the names of keys and values.
        w: prefix of the weights' names, ``<sheet>`` or ``<sheet>_l1``.
        x: input of the queries, n × d_model.
        memory: input of the keys and values, n_keys × d_model.
        d_model: columns of both inputs.
        mask: range of the mask, "" for none.
        rotary: prefix of the names of cosines and sines, None without rotary positions.
        entropy: which entropies are shown: "both", "scaled" or "".
        apart: True if keys and values are in the lane of their own sentence.
    """

    sheet: WithAttention
    lane: Lane
    keys: Lane
    p: RangeName
    kp: RangeName
    w: RangeName
    x: str
    memory: str
    d_model: int
    mask: str = ""
    rotary: RangeName | None = None
    entropy: str = ""
    apart: bool = False

    @property
    def crossed(self) -> bool:
        """True if the keys belong to another sentence."""
        return self.lane.id != self.keys.id

    @property
    def grouped(self) -> bool:
        """True if several heads share keys and values."""
        return self.sheet.kv_heads < self.sheet.heads


def one_head(a: Attending) -> Steps:
    """Attention without heads: Q, K, V (the input itself without weights), softmax, Output (n × d_v)."""
    learned = bool(a.sheet.weights)
    steps: Steps = {}
    for letter in "QKV" if learned else "":
        steps |= _projection(a, letter, a.p if letter == "Q" else a.kp, a.w)
    q, k, v = (a.p["Q"], a.kp["K"], a.kp["V"]) if learned else (a.x, a.memory, a.memory)
    steps |= _rotated(a, "Q", a.p) | _rotated(a, "K", a.kp)
    q, k = (f"{q}Rot", f"{k}Rot") if a.rotary else (q, k)
    d_v = a.sheet.d_v if learned else a.d_model
    steps |= _softmax(a, a.p, q, k)
    output = _output(a, a.p, v, d_v)
    cols = dims_above(output.name, a.d_model) if d_v == a.d_model else numbered("v", d_v)
    steps["Output"] = step(ops.attention.OUTPUT, a.lane, a.lane.group(output, cols))
    return steps | _unscaled(a, a.p)


def many_heads(a: Attending, result: str, look: str = "output", *, dims: bool = True) -> Steps:
    """MultiHead = Concat(head_1, ..., head_h) W_O, with head_i = Attention(X W_Q_i, X W_K_i, X W_V_i).

    Without W_O, the concatenation is the result.
    """
    sheet, closed = a.sheet, isinstance(a.sheet, MultiHead)
    steps: Steps = {}
    for g in range(1, sheet.kv_heads + 1) if a.grouped else ():
        kp, w = a.kp.at(group=g), a.w.at(group=g)
        shared = _projection(a, "K", kp, w) | _rotated(a, "K", kp) | _projection(a, "V", kp, w)
        steps |= _outlined(shared, f"g{g}", "Group {part}: {title}", g, closed=closed)
    for h in range(1, sheet.heads + 1):
        steps |= _outlined(_head(a, h), f"h{h}", "Head {part}: {title}", h, closed=closed)
    heads = range(1, sheet.heads + 1)
    parts = []
    for h in heads:
        op, names = a.lane.reading(ops.attention.CONCAT, {"head": a.p.at(head=h)["Output"]})
        parts.append(Part(op, names, sheet.d_v))
    last = "Concat" if sheet.projects_out else result
    concat = Block(a.p[last], a.lane.n, sheet.heads * sheet.d_v, "formula", "output", parts=tuple(parts))
    cols: Labels = tuple(f"h{h} v{j + 1}" for h in heads for j in range(sheet.d_v))
    if not sheet.projects_out and dims and concat.cols == a.d_model:
        cols = dims_above(concat.name, a.d_model)
    steps[last] = step(ops.attention.CONCAT, a.lane, a.lane.group(concat, cols))
    return steps | (_projected_out(a, concat, result, look, dims=dims) if sheet.projects_out else {})


def _projected_out(a: Attending, concat: Block, result: str, look: str, *, dims: bool) -> Steps:
    """Concat W_O + b_O (n × d_out)."""
    d_out = output_columns(a.sheet, a.d_model)
    op, names = ops.attention.PROJECT_OUT, {"concat": concat.name, "w_o": a.w["W_O"]}
    if "O" in a.sheet.biases:
        op, names = ops.attention.PROJECT_OUT_BIASED, {**names, "b": a.w["b_O"]}
    if d_out != a.d_model:
        op = replace(op, why=ops.attention.MIX_HEADS)
    output = a.lane.block(a.p[result], d_out, op, look, **names)
    cols: Labels = numbered("x", d_out)
    if dims:
        cols = dims_above(output.name, d_out) if d_out == a.d_model else numbered("o", d_out)
    return {result: step(op, a.lane, a.lane.group(output, cols))}


def output_columns(sheet: WithAttention, d_model: int) -> int:
    """Number of output columns of an attention."""
    if isinstance(sheet, MultiHead):
        return sheet.d_out
    return sheet.d_v if isinstance(sheet, SelfAttention) and sheet.weights else d_model


def some_heads(a: Attending, heads: tuple[int, ...]) -> Steps:
    """Some heads of an attention, each with its own keys and values."""
    if isinstance(a.sheet, Model):
        a = replace(a, sheet=replace(a.sheet, heads=len(heads), kv_heads=len(heads)))
    return {
        f"h{h}_{k}": s._replace(title=say("Head {part}: {title}", part=h, title=say(s.title)))
        for h in heads
        for k, s in _head(a, h).items()
    }


def _outlined(steps: Steps, key: str, title: str, part: int, *, closed: bool) -> Steps:
    """The steps of a head or group, in outline groups; if they are closed, its attention is in none."""
    levels = {k: int(not (closed and k == "Attention")) for k in steps}
    return {
        f"{key}_{k}": s._replace(
            title=say(title, part=part, title=say(s.title)), level=levels[k], closed=closed and levels[k] > 0
        )
        for k, s in steps.items()
    }


def _head(a: Attending, h: int) -> Steps:
    p, kp, w = a.p.at(head=h), a.kp.at(head=h), a.w.at(head=h)
    steps = _projection(a, "Q", p, w)
    if a.grouped:
        kp = a.kp.at(group=-(-h * a.sheet.kv_heads // a.sheet.heads))
    else:
        steps |= _projection(a, "K", kp, w) | _projection(a, "V", kp, w)
    steps |= _rotated(a, "Q", p) | ({} if a.grouped else _rotated(a, "K", kp))
    rotated = "Rot" if a.rotary else ""
    steps |= _softmax(a, p, p[f"Q{rotated}"], kp[f"K{rotated}"])
    output = _output(a, p, kp["V"], a.sheet.d_v)
    steps["Output"] = step(ops.attention.OUTPUT, a.lane, a.lane.group(output, numbered("v", a.sheet.d_v)))
    return steps | _unscaled(a, p)


def _projection(a: Attending, letter: str, p: RangeName, w: RangeName) -> Steps:
    """Q = X W_Q (n × d_k), K = X W_K (n × d_k) or V = X W_V (n × d_v), plus a bias if there is one."""
    lane, x = (a.lane, a.x) if letter == "Q" else (a.keys, a.memory)
    size = a.sheet.d_v if letter == "V" else a.sheet.d_k
    names = {"x": x, "w": w[f"W_{letter}"]}
    op = ops.attention.PROJECT[letter]
    if letter in a.sheet.biases:
        op, names = ops.attention.PROJECT_BIASED[letter], {**names, "b": w[f"b_{letter}"]}
    block = lane.block(p[letter], size, op, "embedding", **names)
    shown_in = lane if a.apart else a.lane
    return {letter: step(op, shown_in, lane.group(block, numbered(letter.lower(), size)))}


def _rotated(a: Attending, letter: str, p: RangeName) -> Steps:
    """Q or K, normalized if the model does so, with each pair of columns rotated (n × d_k)."""
    if not a.rotary:
        return {}
    steps: Steps = {}
    source = p[letter]
    if isinstance(a.sheet, Model) and a.sheet.qk_norm:
        steps, source = norm_of_heads(a.sheet, a.lane, p, letter, a.w), p[f"{letter}Norm"]
    op, s = ops.positions.ROTATE[letter], RangeName(a.sheet.id)
    names = {"x": source, "cos": a.rotary["Cos"], "sin": a.rotary["Sin"], "turn": s["Turn"]}
    block = a.lane.block(p[f"{letter}Rot"], a.sheet.d_k, op, "embedding", **names)
    half = a.sheet.d_k // 2
    pairs = [j // 2 if a.sheet.pairs == "adjacent" else j % half for j in range(a.sheet.d_k)]
    return steps | {
        f"{letter}Rot": step(op, a.lane, a.lane.group(block, tuple(say("pair {i}", i=i + 1) for i in pairs)))
    }


def _softmax(a: Attending, p: RangeName, q: str, k: str) -> Steps:
    """softmax(Q Kᵀ / √d_k) step by step; matrices n × n_keys, helper columns n × 1."""
    top = p["Masked"] if a.mask else p["Scaled"]
    row_max = _helper(a, p, "row max", "RowMax", ops.attention.ROW_MAX, "number", scaled=top)
    steps: Steps = {}
    op = _scores_op(a)
    steps["Scores"] = step(op, a.lane, _square(a, p, "Scores", op, "scores", q=q, k=k))
    op, names = _scaled_op(a, p)
    sides = () if a.mask else (row_max,)
    steps["Scaled"] = step(op, a.lane, _square(a, p, "Scaled", op, "scores", *sides, **names))
    if a.mask:
        names = {"mask": a.mask, "minus_infinity": RangeName(a.sheet.id)["MaskValue"], "scaled": p["Scaled"]}
        group = _square(a, p, "Masked", ops.attention.MASKED, "masked", row_max, **names)
        steps["Masked"] = step(ops.attention.MASKED, a.lane, group)
    return steps | _exponentials(a, p, top)


def _exponentials(a: Attending, p: RangeName, top: str) -> Steps:
    """Exp = exp(S − row max) and Attention = Exp / row sum (n × n_keys), with sums and entropies (n × 1)."""
    exp, attention, row_sum = p["Exp"], p["Attention"], p["RowSum"]
    sums = [_helper(a, p, "row sum", "RowSum", ops.attention.ROW_SUM, exp=exp)]
    checks = [_helper(a, p, "row sum", "AttentionSum", ops.attention.ATTENTION_SUM, attention=attention)]
    if a.entropy:
        checks.append(_helper(a, p, "entropy", "Entropy", ops.attention.ENTROPY, attention=attention))
    names = {"scaled": top, "row_max": p["RowMax"]}
    numerators = step(
        ops.attention.EXP, a.lane, _square(a, p, "Exp", ops.attention.EXP, "exp", *sums, **names)
    )
    names = {"exp": exp, "row_sum": row_sum}
    group = _square(a, p, "Attention", ops.attention.ATTENTION, "attention", *checks, **names)
    weights = step(ops.attention.ATTENTION, a.lane, group)
    if a.entropy == "both" and a.sheet.scale:
        more = "{why} Low entropy: attention to few words."
        weights = weights._replace(why=say(more, why=say(ops.attention.ATTENTION.why)))
    return {"Exp": numerators, "Attention": weights}


def _unscaled(a: Attending, p: RangeName) -> Steps:
    """The row sums and entropies of the scores that are not divided by √d_k (n × 1 each)."""
    if a.entropy != "both":
        return {}
    top = p["Masked"] if a.mask else p["Scaled"]
    names = {"scaled": top, "row_max": p["RowMax"], "scale": RangeName(a.sheet.id)["Scale"]}
    (sums,) = a.lane.column(p["UnscaledSum"], ops.attention.UNSCALED_SUM, **names)
    names["unscaled_sum"] = sums.name
    entropies = _helper(a, p, "entropy", "EntropyUnscaled", ops.attention.ENTROPY_UNSCALED, **names)
    group = a.lane.group(sums, ("Σ exp",), (entropies,))
    title, why = ("Without √d", UNSCALED) if a.sheet.scale else (AS_THEY_ARE, NEITHER)
    return {"Unscaled": Step(title, why, {a.lane.id: group}, show_formula=False)}


def _scores_op(a: Attending) -> ops.Op:
    """Q Kᵀ, or X Xᵀ without weights (n × n_keys)."""
    if a.sheet.weights:
        return ops.attention.SCORES
    return ops.attention.ALIKE if last(a.x) == "X" else ops.attention.ALIKE_IN_PLACE


def _scaled_op(a: Attending, p: RangeName) -> tuple[ops.Op, dict[str, str]]:
    """Scores / √d_k, or Scores if not scaled, divided by any temperature; and the operands."""
    names = {"scores": p["Scores"], "scale": RangeName(a.sheet.id)["Scale"]}
    if not a.sheet.tempered:
        return ops.attention.SCALED if a.sheet.scale else ops.attention.NOT_SCALED, names
    names["temperature"] = RangeName(a.sheet.id)["Temperature"]
    return (
        ops.attention.SCALED_BY_TEMPERATURE if a.sheet.scale else ops.attention.NOT_SCALED_BY_TEMPERATURE,
        names,
    )


def _square(
    a: Attending, p: RangeName, name: str, op: ops.Op, look: str, *sides: Side, **names: str
) -> Group:
    """A matrix of queries × keys, with the keys' words above it and helper columns on its right."""
    keys = "other" if a.crossed else "own"
    block = a.lane.block(p[name], a.keys.n, op, look, keys, **names)
    return a.lane.group(block, a.keys.words_above(block.name), sides)


def _helper(
    a: Attending, p: RangeName, heading: str, name: str, op: ops.Op, look: str = "weight", **names: str
) -> Side:
    """A helper column with a number for each query (n × 1)."""
    return Side(heading, a.lane.column(p[name], op, look, **names))


def _output(a: Attending, p: RangeName, v: str, d_v: int) -> Block:
    names = {"attention": p["Attention"], "v": v}
    keys = "other" if a.crossed else ""
    return a.lane.block(p["Output"], d_v, ops.attention.OUTPUT, "output", keys, **names)


def drift(lane: Lane, p: RangeName, steps: Steps) -> Steps:
    """The largest deviation of a row sum of the attention from 1, over all heads (1 × 1)."""
    sums = [name for name in names_in(steps) if last(name) == "AttentionSum"]
    terms = ",".join(f"ABS({name}-1)" for name in sums)
    block = computed(p["Drift"], (1, 1), ops.attention.DRIFT, "tiny", terms=terms)
    group = Group((block,), (("deviation",),))
    return {"Drift": Step("Check", SUMS, {lane.id: group}, level=1, closed=True)}


# --- weights -----------------------------------------------------------------------------------------------


def attention_weights(sheet: WithAttention, w: RangeName, d_model: int) -> list[Band]:
    """The weights of an attention, shared by all sentences; ``w`` is the prefix of their names."""
    groups = []
    for letter, size, heads in _columns(sheet):
        name = w[f"W_{letter}"]
        rows = computed(rows_of(name), (d_model, 1), ops.words.COL_LABELS, "row label", texts="vocab_Dims")
        cols: tuple[str, ...] = numbered(letter.lower(), size)
        if sheet.headed:
            part = "g" if heads < sheet.heads else "h"
            cols = tuple(f"{part}{h + 1} {label}" for h in range(heads) for label in cols)
        block = _sliced(sheet, w.at(block=f"W_{letter}"), size, heads)
        labels: Labels = numbered("x", d_model) if isinstance(sheet, Model) else rows
        groups.append(Group((block,), (labels,), cols, title=f"W_{letter}"))
        if letter in sheet.biases:
            block = _sliced(sheet, w.at(block=f"b_{letter}"), size, heads)
            groups.append(Group((block,), (("+",),), cols, title=f"b_{letter}"))
    why = LEARNED if sheet.seed is None else say(DRAWN, seed=sheet.seed)
    weight_bands = [Band("Weights", why, tuple(groups), shared=True, show_formula=False)]
    if sheet.projects_out:
        weight_bands.append(_output_weights(sheet, w, d_model))
    return weight_bands


def _output_weights(sheet: WithAttention, w: RangeName, d_model: int) -> Band:
    """W_O (heads · d_v × d_out) and b_O."""
    block = learned(sheet, w.at(block="W_O"))
    labels = tuple(f"h{h + 1} v{j + 1}" for h in range(sheet.heads) for j in range(sheet.d_v))
    back = block.cols == d_model
    cols: Labels = dims_above(block.name, d_model) if back else numbered("o", block.cols)
    count = numbered("x" if back else "o", block.cols)
    groups = [Group((block,), (labels,), count if isinstance(sheet, Model) else cols, title="W_O")]
    if "O" in sheet.biases:
        groups.append(Group((learned(sheet, w.at(block="b_O")),), (("+",),), count, title="b_O"))
    why = ops.attention.PROJECT_OUT.why if back else ops.attention.MIX_HEADS
    return Band("Output weights", why, tuple(groups), shared=True, show_formula=False)


def head_weights(sheet: WithAttention, w: RangeName, heads: tuple[int, ...]) -> Band:
    """The weights of some heads, each with its own name."""
    groups = []
    for h in heads:
        for letter, size in (("Q", sheet.d_k), ("K", sheet.d_k), ("V", sheet.d_v)):
            cols = numbered(letter.lower(), size)
            for kind in ("W", "b") if letter in sheet.biases else ("W",):
                name = w.at(head=h, block=f"{kind}_{letter}")
                block = learned(sheet, name)
                labels = ("+",) if kind == "b" else numbered("x", block.rows)
                title = say("{name} of head {h}", name=name.block, h=h)
                groups.append(Group((block,), (labels,), cols, title=title))
    why = "Learned in training, then fixed: only the columns of these heads."
    return Band("Weights of the heads", why, tuple(groups), shared=True, show_formula=False)


def _columns(sheet: WithAttention) -> list[tuple[str, int, int]]:
    """Letter, columns of a head, and number of heads in each weight matrix."""
    heads, kv = (sheet.heads, sheet.kv_heads) if sheet.headed else (1, 1)
    return [("Q", sheet.d_k, heads), ("K", sheet.d_k, kv), ("V", sheet.d_v, kv)]


def _sliced(sheet: WithAttention, name: RangeName, size: int, heads: int) -> Block:
    """A weight matrix; with heads, the columns of each head or group have their own name."""
    block = learned(sheet, name)
    if not sheet.headed:
        return block
    grouped = heads < sheet.heads and name.last != "Q"
    parts = [name.at(group=h + 1) if grouped else name.at(head=h + 1) for h in range(heads)]
    slices = tuple((str(part), h * size, size) for h, part in enumerate(parts))
    return replace(block, slices=slices)
