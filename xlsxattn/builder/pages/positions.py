"""Positional encodings, rotations, causal and padding masks.

Vaswani et al. 2017, sections 3.2.3 and 3.5; Su et al. 2021, "RoFormer".
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from xlsxattn.builder import ops
from xlsxattn.builder.graph import Band, Group
from xlsxattn.builder.pages.parts import computed, dims_above, numbered, step, typed
from xlsxattn.contract.kinds import PADDING, Model, WithAttention
from xlsxattn.contract.names import RangeName, last
from xlsxattn.contract.values import MASK_VALUE
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from xlsxattn.builder.graph import Block
    from xlsxattn.builder.pages.parts import Lane, Steps

LEARNED_PLACES = "Where is a token? One row of numbers per position, learned in training."
RANDOM_PLACES = "Where is a token? One row of numbers per position: random here, learned in trained models."


def pairs(sheet: WithAttention, d: int) -> list[int]:
    """The pair that each of d columns belongs to: 0, 0, 1, 1, ... or, in halves, 0, 1, ..., 0, 1, ..."""
    if sheet.position == "rotary" and sheet.pairs == "halves":
        return [j % (d // 2) for j in range(d)]
    return [j // 2 for j in range(d)]


def position_bands(sheet: WithAttention, lanes: Sequence[Lane], d_model: int) -> list[Band]:
    """Tables shared by all sentences: frequencies, angles, and encodings or rotations."""
    s, n = RangeName(sheet.id), max(lane.n for lane in lanes)
    # if a lane reads row by row, the tables are computed so as well: IronCalc may read 0 in later rows
    lane = next((lane for lane in lanes if lane.growing), lanes[0])
    if sheet.position == "none":
        return []
    if sheet.position == "learned":
        block = _named_by_lane(typed(s["P"], "input", sheet.weights["P"]), lanes, s, "P")
        why = LEARNED_PLACES if sheet.seed is None else RANDOM_PLACES
        group = Group((block,), (_places(n),), numbered("d", d_model), title="P")
        return [Band("Learned positions P", why, (group,), shared=True, show_formula=False)]
    d = d_model if sheet.position == "sinusoidal" else sheet.d_k
    pair = typed(s["Pair"], "count", [[float(i) for i in pairs(sheet, d)]], "constant")
    position = typed(s["Position"], "position", [[float(i)] for i in range(n)], "constant")
    names = {"position": position.name, "frequency": s["Frequency"]}
    op, operands = lane.reading(ops.positions.ANGLE, names)
    angle = computed(s["Angle"], (n, d), op, "weight", **operands)
    tables = [*_frequencies(sheet, pair, d), _shared(angle, ops.positions.ANGLE, d, (position,))]
    if sheet.position == "sinusoidal":
        odd = typed(s["Odd"], "count", [[float(j % 2) for j in range(d)]], "constant")
        op, operands = lane.reading(ops.positions.SINUSOIDAL, {"odd": odd.name, "angle": angle.name})
        block = computed(s["P"], (n, d), op, "embedding", **operands)
        group = Group((odd,), (("cosine",),), numbered("d", d), title="Which columns are cosines")
        tables += [
            Band(
                "Sine or cosine",
                "0: sine, 1: cosine, alternating.",
                (group,),
                shared=True,
                show_formula=False,
            ),
            _shared(_named_by_lane(block, lanes, s, "P"), ops.positions.SINUSOIDAL, d, (_places(n),)),
        ]
        return tables
    for name, table_op in (("Cos", ops.positions.COSINES), ("Sin", ops.positions.SINES)):
        op, operands = lane.reading(table_op, {"angle": angle.name})
        block = computed(s[name], (n, d), op, "weight", **operands)
        tables.append(_shared(_named_by_lane(block, lanes, s, name), op, d, (_places(n),)))
    return [*tables, _turn(sheet, d)]


def _frequencies(sheet: WithAttention, pair: Block, d: int) -> list[Band]:
    """The frequency of each pair of columns (1 × d); in several steps with RoPE scaling."""
    s = RangeName(sheet.id)

    def row(name: str, op: ops.Op, **names: str) -> Block:
        return computed(s[name], (1, d), op, "weight", **names)

    def band(block: Block, op: ops.Op, label: str, above: tuple[Block, ...] = (), paper: str = "") -> Band:
        labels = (*((("pair i",),) if above else ()), (label,))
        group = Group((*above, block), labels, numbered("d", d), title=_text(block))
        return Band(op.maths, op.why, (group,), shared=True, paper=paper)

    base = {"base": s["Base"], "pair": pair.name}
    if not isinstance(sheet, Model) or sheet.stretch is None:
        return [
            band(
                row("Frequency", ops.positions.FREQUENCY, **base),
                ops.positions.FREQUENCY,
                "frequency",
                (pair,),
            )
        ]
    theta = row("Theta", ops.positions.THETA, **base)
    ratio = row("Ratio", ops.positions.RATIO, trained=s["Trained"], theta=theta.name)
    ramp = row("Ramp", ops.positions.RAMP, ratio=ratio.name, low=s["Low"], high=s["High"])
    names = {"ramp": ramp.name, "theta": theta.name, "stretch": s["Stretch"]}
    frequency = row("Frequency", ops.positions.STRETCHED_FREQUENCY, **names)
    return [
        band(theta, ops.positions.THETA, "θ", (pair,), ops.positions.THETA.paper),
        band(ratio, ops.positions.RATIO, "turns", paper=ops.positions.RATIO.paper),
        band(ramp, ops.positions.RAMP, "ramp", paper=ops.positions.RAMP.paper),
        band(
            frequency,
            ops.positions.STRETCHED_FREQUENCY,
            "frequency",
            paper=ops.positions.STRETCHED_FREQUENCY.paper,
        ),
    ]


def stretch_settings(sheet: Model) -> list[tuple[str, Block]]:
    """The settings of RoPE scaling: text and cell of each."""
    if sheet.stretch is None:
        return []
    stretch, s = sheet.stretch, RangeName(sheet.id)
    cells = (
        ("factor s =", "Stretch", stretch.factor),
        ("α =", "Low", stretch.low),
        ("β =", "High", stretch.high),
        ("original length L =", "Trained", stretch.trained),
    )
    return [(words, typed(s[name], "setting", ((value,),))) for words, name, value in cells]


def _turn(sheet: WithAttention, d: int) -> Band:
    """The matrix that rotates each pair of columns by 90 degrees (d × d)."""
    pair_of = pairs(sheet, d)
    matrix = [[0.0] * d for _ in range(d)]
    for i in range(d // 2):
        a, b = (j for j in range(d) if pair_of[j] == i)
        matrix[b][a], matrix[a][b] = -1.0, 1.0
    block = typed(RangeName(sheet.id)["Turn"], "count", matrix, "constant")
    labels = tuple(say("pair {i}", i=i + 1) for i in pair_of)
    why = "x · Turn maps each pair (a, b) to (−b, a)."
    group = Group((block,), (labels,), labels, title="Turn")
    return Band("Rotation by 90°", why, (group,), shared=True, show_formula=False)


def _shared(block: Block, op: ops.Op, d: int, rows: tuple[Block | tuple[str, ...], ...]) -> Band:
    group = Group((block,), rows, numbered("d", d), title=_text(block))
    return Band(op.maths, op.why, (group,), shared=True, paper=op.paper, more=op.more)


def _text(block: Block) -> str:
    return f"{{{block.parts[0].formula}}}"


def _places(n: int) -> tuple[str, ...]:
    return tuple(say("position {i}", i=i) for i in range(n))


def _named_by_lane(block: Block, lanes: Iterable[Lane], s: RangeName, name: str) -> Block:
    """The block with a name for each sentence, for as many rows as it has positions."""
    return replace(block, tops=tuple((s.at(context=lane.id)[name], lane.n) for lane in lanes))


def input_step(sheet: WithAttention, lane: Lane, d_model: int) -> Steps:
    """The input of a model, or of an attention sheet with positions: X + P (n × d_model)."""
    p = lane.prefix
    scaled = isinstance(sheet, Model) and sheet.scale_embeddings
    op = ops.positions.INPUT[f"{'√' * scaled}X{'P' * sheet.adds_places}"]
    names = {"x": p["X"], **({"p": p["P"]} if sheet.adds_places else {})}
    name = "Sum" if isinstance(sheet, Model) and sheet.embedding_norm else "Input"
    block = lane.block(p[name], d_model, op, "embedding", **names)
    return {name: step(op, lane, lane.group(block, dims_above(block.name, d_model)))}


# --- masks -------------------------------------------------------------------------------------------------


def mask_steps(sheet: WithAttention, lane: Lane, mask: str, *, longest: bool) -> Steps:
    """The mask of a sentence, shared by all heads (n × n)."""
    p, n = lane.prefix, lane.n
    steps = padding_step(lane) if mask in PADDING else {}
    row = typed(p["RowIdx"], "index", [[float(i + 1)] for i in range(n)], "constant")
    col = typed(p["ColIdx"], "index", [[float(i + 1) for i in range(n)]], "constant")
    if longest:
        row = replace(row, slices=((RangeName(sheet.id)["RowIdx"], 0, 1),))
        col = replace(col, slices=((RangeName(sheet.id)["ColIdx"], 0, n),))
    op = {"padding": ops.attention.KEYS_EXIST, "causal": ops.attention.MASK}.get(
        mask, ops.attention.CAUSAL_MASK
    )
    names = {"row": row.name} | ({"padding": p["PaddingMask"]} if mask == "padding" else {"col": col.name})
    both = mask == "causal+padding"
    first = computed(p["CausalMask" if both else "Mask"], (n, n), op, "mask", **names)
    steps[last(first.name)] = step(op, lane, Group((first,), (row,), col))
    if both:
        names = {"causal": first.name, "padding": p["PaddingMask"]}
        joined = computed(p["Mask"], (n, n), ops.attention.BOTH_MASKS, "mask", **names)
        count = tuple(str(i + 1) for i in range(n))
        steps["Mask"] = step(ops.attention.BOTH_MASKS, lane, Group((joined,), (count,), count))
    return steps


def padding_step(lane: Lane) -> Steps:
    """The padding mask: 1 for a word, 0 for a blank cell (n × 1)."""
    (block,) = lane.column(
        lane.prefix["PaddingMask"], ops.attention.PADDING_MASK, "mask", tokens=lane.own["Tokens"]
    )
    count = tuple(say("token {i}", i=i + 1) for i in range(lane.n))
    return {"PaddingMask": step(ops.attention.PADDING_MASK, lane, Group((block,), (count,)))}


def cross_mask_step(lane: Lane, keys: Lane, name: str) -> Steps:
    """The padding mask of another sentence's keys, the same for every query (n_queries × n_keys)."""
    row = typed(lane.prefix["RowIdx"], "index", [[float(i + 1)] for i in range(lane.n)], "constant")
    names = {"row": row.name, "padding": keys.prefix["PaddingMask"]}
    mask = lane.block(lane.prefix[name], keys.n, ops.attention.KEYS_EXIST, "mask", **names)
    return {name: step(ops.attention.KEYS_EXIST, lane, Group((mask,), (row,), numbered("", keys.n)))}


def minus_infinity(sheet: WithAttention) -> Block:
    """The value of masked cells (1 × 1)."""
    return typed(RangeName(sheet.id)["MaskValue"], "minus infinity", ((MASK_VALUE,),), "constant")
