"""Where tokens stand and which may be looked at: positional encodings, rotations, causal and padding masks.

Vaswani et al. 2017, sections 3.2.3 and 3.5; Su et al. 2021, "RoFormer".
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from xlsxattn.builder import ops
from xlsxattn.builder.graph import Band, Group
from xlsxattn.builder.pages.parts import MINUS_INFINITY, computed, dims_above, numbered, step, typed
from xlsxattn.builder.specification.settings import PADDING
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from xlsxattn.builder.graph import Block
    from xlsxattn.builder.pages.parts import Lane, Steps
    from xlsxattn.builder.specification.settings import SheetSpec


def pairs(sheet: SheetSpec, d: int) -> list[int]:
    """Which pair of columns each column belongs to: 0, 0, 1, 1, ... or, in halves, 0, 1, ..., 0, 1, ..."""
    if sheet.position == "rotary" and sheet.pairs == "halves":
        return [j % (d // 2) for j in range(d)]
    return [j // 2 for j in range(d)]


def position_bands(sheet: SheetSpec, lanes: Sequence[Lane], d_model: int) -> list[Band]:
    """The tables that all sentences share: frequencies, angles, and what is made of them."""
    s, n = sheet.id, max(lane.n for lane in lanes)
    # where a lane reads row by row, so are the tables made: IronCalc may read 0 in a block's later rows
    lane = next((lane for lane in lanes if lane.growing), lanes[0])
    if sheet.position == "none":
        return []
    if sheet.position == "learned":
        block = _named_by_lane(typed(f"{s}_P", "input", sheet.weights["P"]), lanes, s, "P")
        why = "Where does a token stand? One row of numbers for each position, which training fills."
        group = Group((block,), (_places(n),), numbered("d", d_model), title="P")
        return [Band("Learned positions P", why, (group,), shared=True, show_formula=False)]
    d = d_model if sheet.position == "sinusoidal" else sheet.d_k
    pair = typed(f"{s}_Pair", "count", [[float(i) for i in pairs(sheet, d)]], "constant")
    position = typed(f"{s}_Position", "index", [[float(i)] for i in range(n)], "constant")
    names = {"position": position.name, "frequency": f"{s}_Frequency"}
    op, read = lane.reading(ops.ANGLE, names)
    angle = computed(f"{s}_Angle", (n, d), op, "weight", **read)
    table = [
        *_frequencies(sheet, pair, d),
        _shared(angle, ops.ANGLE, d, (position,)),
    ]
    if sheet.position == "sinusoidal":
        odd = typed(f"{s}_Odd", "count", [[float(j % 2) for j in range(d)]], "constant")
        op, read = lane.reading(ops.SINUSOIDAL, {"odd": odd.name, "angle": angle.name})
        block = computed(f"{s}_P", (n, d), op, "embedding", **read)
        group = Group((odd,), (("cosine",),), title="Which columns are cosines")
        table += [
            Band("Sine or cosine", "0: sine, 1: cosine, in turn.", (group,), shared=True, show_formula=False),
            _shared(_named_by_lane(block, lanes, s, "P"), ops.SINUSOIDAL, d, (_places(n),)),
        ]
        return table
    for name, turned in (("Cos", ops.COSINES), ("Sin", ops.SINES)):
        op, read = lane.reading(turned, {"angle": angle.name})
        block = computed(f"{s}_{name}", (n, d), op, "weight", **read)
        table.append(_shared(_named_by_lane(block, lanes, s, name), op, d, (_places(n),)))
    return [*table, _turn(sheet, d)]


def _frequencies(sheet: SheetSpec, pair: Block, d: int) -> list[Band]:
    """How fast each pair of columns turns (1 × d); where rotations are stretched, in steps."""
    s = sheet.id

    def row(name: str, op: ops.Op, **names: str) -> Block:
        return computed(f"{s}_{name}", (1, d), op, "weight", **names)

    def band(block: Block, op: ops.Op, label: str, above: tuple[Block, ...] = ()) -> Band:
        labels = (*((("pair i",),) if above else ()), (label,))
        group = Group((*above, block), labels, numbered("d", d), title=_text(block))
        return Band(op.maths, op.why, (group,), shared=True, paper=op.paper if sheet.stretch else "")

    base = {"base": f"{s}_Base", "pair": pair.name}
    if sheet.stretch is None:
        return [band(row("Frequency", ops.FREQUENCY, **base), ops.FREQUENCY, "frequency", (pair,))]
    theta = row("Theta", ops.THETA, **base)
    ratio = row("Ratio", ops.RATIO, trained=f"{s}_Trained", theta=theta.name)
    ramp = row("Ramp", ops.RAMP, ratio=ratio.name, low=f"{s}_Low", high=f"{s}_High")
    names = {"ramp": ramp.name, "theta": theta.name, "stretch": f"{s}_Stretch"}
    frequency = row("Frequency", ops.STRETCHED_FREQUENCY, **names)
    return [
        band(theta, ops.THETA, "θ", (pair,)),
        band(ratio, ops.RATIO, "turns"),
        band(ramp, ops.RAMP, "ramp"),
        band(frequency, ops.STRETCHED_FREQUENCY, "frequency"),
    ]


def stretch_settings(sheet: SheetSpec) -> list[tuple[str, Block]]:
    """The cells that say how rotations are stretched, each with the words before it."""
    if sheet.stretch is None:
        return []
    found = sheet.stretch
    cells = (
        ("stretch s =", "Stretch", found.factor),
        ("α =", "Low", found.low),
        ("β =", "High", found.high),
        ("first trained length L =", "Trained", found.trained),
    )
    return [(words, typed(f"{sheet.id}_{name}", "setting", ((value,),))) for words, name, value in cells]


def _turn(sheet: SheetSpec, d: int) -> Band:
    """The matrix that turns every pair of columns by 90 degrees (d × d)."""
    own = pairs(sheet, d)
    matrix = [[0.0] * d for _ in range(d)]
    for i in range(d // 2):
        a, b = (j for j in range(d) if own[j] == i)
        matrix[b][a], matrix[a][b] = -1.0, 1.0
    block = typed(f"{sheet.id}_Turn", "mask", matrix, "constant")
    labels = tuple(say("pair {i}", i=i + 1) for i in own)
    why = "x · Turn puts −b in a's place and a in b's place, for the two numbers a, b of every pair."
    group = Group((block,), (labels,), labels, title="Turn")
    return Band("A turn by 90°", why, (group,), shared=True, show_formula=False)


def _shared(block: Block, op: ops.Op, d: int, rows: tuple[Block | tuple[str, ...], ...]) -> Band:
    group = Group((block,), rows, numbered("d", d), title=_text(block))
    return Band(op.maths, op.why, (group,), shared=True, paper=op.paper, more=op.more)


def _text(block: Block) -> str:
    return f"{{{block.parts[0].formula}}}"


def _places(n: int) -> tuple[str, ...]:
    return tuple(say("position {i}", i=i) for i in range(n))


def _named_by_lane(block: Block, lanes: Iterable[Lane], s: str, name: str) -> Block:
    """The block, with a name for each sentence over the rows of its positions."""
    return replace(block, tops=tuple((f"{s}_{lane.id}_{name}", lane.n) for lane in lanes))


def input_step(sheet: SheetSpec, lane: Lane, d_model: int) -> Steps:
    """What a model reads, or an attention sheet with positions: word and place, added up (n × d_model)."""
    p = lane.prefix
    op = ops.INPUT[f"{'√' * sheet.scale_embeddings}X{'P' * sheet.adds_places}"]
    names = {"x": f"{p}_X", **({"p": f"{p}_P"} if sheet.adds_places else {})}
    name = "Sum" if sheet.embedding_norm else "Input"
    block = lane.block(f"{p}_{name}", d_model, op, "embedding", **names)
    return {name: step(op, lane, lane.group(block, dims_above(block.name, d_model)))}


# --- masks -------------------------------------------------------------------------------------------------


def mask_steps(sheet: SheetSpec, lane: Lane, *, longest: bool) -> Steps:
    """Which token may look where and which keys exist, drawn once for all heads (n × n)."""
    p, n = lane.prefix, lane.n
    steps = padding_step(lane) if sheet.mask in PADDING else {}
    row = typed(f"{p}_RowIdx", "index", [[float(i + 1)] for i in range(n)], "constant")
    col = typed(f"{p}_ColIdx", "index", [[float(i + 1) for i in range(n)]], "constant")
    if longest:
        row = replace(row, slices=((f"{sheet.id}_RowIdx", 0, 1),))
        col = replace(col, slices=((f"{sheet.id}_ColIdx", 0, n),))
    op = {"padding": ops.KEYS_EXIST, "causal": ops.MASK}.get(sheet.mask, ops.CAUSAL_MASK)
    names = {"row": row.name} | (
        {"padding": f"{p}_PaddingMask"} if sheet.mask == "padding" else {"col": col.name}
    )
    both = sheet.mask == "causal+padding"
    first = computed(f"{p}_{'CausalMask' if both else 'Mask'}", (n, n), op, "mask", **names)
    steps[first.name.rpartition("_")[2]] = step(op, lane, Group((first,), (row,), col))
    if both:
        names = {"causal": first.name, "padding": f"{p}_PaddingMask"}
        mask = computed(f"{p}_Mask", (n, n), ops.BOTH_MASKS, "mask", **names)
        count = tuple(str(i + 1) for i in range(n))
        steps["Mask"] = step(ops.BOTH_MASKS, lane, Group((mask,), (count,), count))
    return steps


def padding_step(lane: Lane) -> Steps:
    """Which keys exist: 1 for a word, 0 for a blank cell (n × 1)."""
    (block,) = lane.column(f"{lane.prefix}_PaddingMask", ops.PADDING_MASK, "mask", tokens=f"{lane.id}_Tokens")
    count = tuple(say("token {i}", i=i + 1) for i in range(lane.n))
    return {"PaddingMask": step(ops.PADDING_MASK, lane, Group((block,), (count,)))}


def cross_mask_step(lane: Lane, keys: Lane, name: str) -> Steps:
    """Which of another sentence's keys exist, the same for every query (n_queries × n_keys)."""
    row = typed(f"{lane.prefix}_RowIdx", "index", [[float(i + 1)] for i in range(lane.n)], "constant")
    names = {"row": row.name, "padding": f"{keys.prefix}_PaddingMask"}
    mask = lane.block(f"{lane.prefix}_{name}", keys.n, ops.KEYS_EXIST, "mask", **names)
    return {name: step(ops.KEYS_EXIST, lane, Group((mask,), (row,)))}


def minus_infinity(sheet: SheetSpec) -> Block:
    """What masked cells get."""
    return typed(f"{sheet.id}_MaskValue", "minus infinity", ((MINUS_INFINITY,),), "constant")
