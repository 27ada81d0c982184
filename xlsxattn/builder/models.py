"""Attention as the papers have it, block by block.

Vaswani et al. 2017, "Attention Is All You Need": equation 1 and section 3.2.2.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from xlsxattn.builder import ops
from xlsxattn.builder.graph import Band, Block, Fact, Group, Page, Part, Side
from xlsxattn.builder.theme import cell_width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlsxattn.builder.graph import Labels
    from xlsxattn.builder.ops import Op
    from xlsxattn.builder.spec import Context, SheetSpec, Spec
    from xlsxattn.builder.table import Matrix

MINUS_INFINITY = -1e300
LEADS = {
    False: "No learned weights yet: queries, keys and values are the embeddings themselves (Q = K = V = X).",
    True: "Learned projections decide what is compared (W_Q, W_K) and what is passed on (W_V). "
    "The same weights serve every sentence.",
}
HEADS_LEAD = (
    "Several heads look at the sentence at once, each in a subspace of its own; "
    "their outputs stand side by side and W_O mixes them."
)


def computed(name: str, shape: tuple[int, int], op: Op, look: str, **names: str) -> Block:
    """A block of one operation; ``names`` says which ranges it is applied to."""
    rows, cols = shape
    return Block(name, rows, cols, "formula", look, parts=(Part(op, names, cols),))


def typed(name: str, look: str, values: Sequence[Sequence[float | str]], kind: str = "input") -> Block:
    """A block of typed values: an input, or a constant."""
    rows = tuple(tuple(row) for row in values)
    return Block(name, len(rows), len(rows[0]), "input" if kind == "input" else "constant", look, values=rows)


def words_beside(name: str, context: Context) -> Block:
    """The sentence's words as labels of a block's rows."""
    shape = (len(context.words), 1)
    block = computed(f"{name}_Rows", shape, ops.ROW_LABELS, "word label", texts=f"{context.id}_Tokens")
    return replace(block, widths=(max(cell_width(word) for word in context.words) + 1.0,))


def words_above(name: str, context: Context) -> Block:
    """The sentence's words as labels of a block's columns."""
    shape = (1, len(context.words))
    return computed(f"{name}_Cols", shape, ops.COL_LABELS, "col label", texts=f"{context.id}_Tokens")


def dims_above(name: str, d_model: int) -> Block:
    """The names of the dimensions as labels of a block's columns."""
    return computed(f"{name}_Cols", (1, d_model), ops.ROW_LABELS, "col label", texts="vocab_Dims")


def numbered(letter: str, count: int) -> tuple[str, ...]:
    """Labels of columns that have no name of their own: q1, q2, ..."""
    return tuple(f"{letter}{j + 1}" for j in range(count))


def attention_page(spec: Spec, sheet: SheetSpec) -> Page:
    """One attention sheet: weights that all sentences share, then the steps, a lane for each sentence."""
    lanes = [_lane(spec, sheet, context) for context in spec.contexts]
    bands = _weights(spec, sheet)
    for step, (title, why, _) in lanes[0].items():
        bands.append(Band(title, why, tuple(lane[step][2] for lane in lanes)))
    lead = HEADS_LEAD if sheet.kind == "multi-head" else LEADS[bool(sheet.weights)]
    headings = tuple(
        computed(f"{sheet.id}_{c.id}_Heading", (1, 1), ops.SAME_TEXT, "lane", source=f"{c.id}_Sentence")
        for c in spec.contexts
    )
    return Page(sheet.id, sheet.title, lead, _facts(spec, sheet), headings, tuple(bands))


Steps = dict[str, tuple[str, str, Group]]
"""The steps of one lane: title, what it answers, and the cells; the keys are the same in every lane."""


def _lane(spec: Spec, sheet: SheetSpec, context: Context) -> Steps:
    p = f"{sheet.id}_{context.id}"
    n, d_model = len(context.words), spec.vocabulary.d_model
    X = computed(f"{p}_X", (n, d_model), ops.EMBED, "embedding", ids=f"{context.id}_Ids", table="vocab_E")
    over = dims_above(X.name, d_model)
    steps: Steps = {"X": ("Input X", ops.EMBED.why, Group((X,), (words_beside(X.name, context),), over))}
    if sheet.mask != "none":
        steps["Mask"] = (ops.MASK.maths, ops.MASK.why, _mask(spec, sheet, context))
    if sheet.kind == "multi-head":
        steps |= _multi_head(spec, sheet, context, X.name)
    else:
        steps |= _self_attention(spec, sheet, context, X.name)
    sums = [name for name in _names(steps) if name.endswith("_AttentionSum")]
    drift = computed(
        f"{p}_Drift", (1, 1), ops.DRIFT, "tiny", terms=",".join(f"ABS({name}-1)" for name in sums)
    )
    words = (ops.DRIFT.maths,)
    steps["Drift"] = ("Check", "Every row of the attention must sum to 1.", Group((drift,), (words,)))
    return steps


def _names(steps: Steps) -> list[str]:
    return [block.name for _, _, group in steps.values() for block in group.every_block()]


def _self_attention(spec: Spec, sheet: SheetSpec, context: Context, x: str) -> Steps:
    p, d_model = f"{sheet.id}_{context.id}", spec.vocabulary.d_model
    steps = _projections(sheet, context, x, p, f"{sheet.id}_") if sheet.weights else {}
    q, k, v = (f"{p}_{letter}" if sheet.weights else x for letter in "QKV")
    d_v = sheet.d_v if sheet.weights else d_model
    steps |= _attention(sheet, context, p, (q, k, v))
    output = computed(
        f"{p}_Output", (len(context.words), d_v), ops.OUTPUT, "output", attention=f"{p}_Attention", v=v
    )
    over: Labels = dims_above(output.name, d_model) if d_v == d_model else numbered("v", d_v)
    title = ops.OUTPUT.maths if sheet.weights else "Output = Attention · X"
    steps["Output"] = (title, ops.OUTPUT.why, Group((output,), (words_beside(output.name, context),), over))
    return steps


def _multi_head(spec: Spec, sheet: SheetSpec, context: Context, x: str) -> Steps:
    """MultiHead = Concat(head_1, ..., head_h) W_O, with head_i = Attention(X W_Q_i, X W_K_i, X W_V_i)."""
    p, n, d_model = f"{sheet.id}_{context.id}", len(context.words), spec.vocabulary.d_model
    steps: Steps = {}
    for h in range(1, sheet.heads + 1):
        hp = f"{p}_h{h}"
        head = _projections(sheet, context, x, hp, f"{sheet.id}_h{h}_")
        head |= _attention(sheet, context, hp, (f"{hp}_Q", f"{hp}_K", f"{hp}_V"))
        names = {"attention": f"{hp}_Attention", "v": f"{hp}_V"}
        output = computed(f"{hp}_Output", (n, sheet.d_v), ops.OUTPUT, "output", **names)
        labels = words_beside(output.name, context)
        head["Output"] = (
            ops.OUTPUT.maths,
            ops.OUTPUT.why,
            Group((output,), (labels,), numbered("v", sheet.d_v)),
        )
        steps |= {f"h{h}_{key}": (f"Head {h}: {step[0]}", *step[1:]) for key, step in head.items()}
    heads = range(1, sheet.heads + 1)
    parts = tuple(Part(ops.CONCAT, {"head": f"{p}_h{h}_Output"}, sheet.d_v) for h in heads)
    concat = Block(f"{p}_Concat", n, sheet.heads * sheet.d_v, "formula", "output", parts=parts)
    over = tuple(f"h{h} v{j + 1}" for h in heads for j in range(sheet.d_v))
    steps["Concat"] = (
        ops.CONCAT.maths,
        ops.CONCAT.why,
        Group((concat,), (words_beside(concat.name, context),), over),
    )
    names = {"concat": concat.name, "w_o": f"{sheet.id}_W_O"}
    output = computed(f"{p}_Output", (n, d_model), ops.PROJECT_OUT, "output", **names)
    labels = words_beside(output.name, context)
    group = Group((output,), (labels,), dims_above(output.name, d_model))
    steps["Output"] = (ops.PROJECT_OUT.maths, ops.PROJECT_OUT.why, group)
    return steps


def _projections(sheet: SheetSpec, context: Context, x: str, p: str, w: str) -> Steps:
    """Q = X W_Q, K = X W_K, V = X W_V (n × d_k, d_k, d_v)."""
    steps: Steps = {}
    for letter, size in (("Q", sheet.d_k), ("K", sheet.d_k), ("V", sheet.d_v)):
        op = ops.PROJECT[letter]
        shape = (len(context.words), size)
        block = computed(f"{p}_{letter}", shape, op, "embedding", x=x, w=f"{w}W_{letter}")
        labels = words_beside(block.name, context)
        steps[letter] = (op.maths, op.why, Group((block,), (labels,), numbered(letter.lower(), size)))
    return steps


def _attention(sheet: SheetSpec, context: Context, p: str, qkv: tuple[str, str, str]) -> Steps:
    """softmax(Q Kᵀ / √d_k), in steps that a reader can follow; all n × n, helpers n × 1."""
    s, n = sheet.id, len(context.words)

    def square(step: str, op: Op, look: str, *sides: Side, **names: str) -> Group:
        block = computed(f"{p}_{step}", (n, n), op, look, **names)
        rows, cols = words_beside(block.name, context), words_above(block.name, context)
        return Group((block,), (rows,), cols, sides)

    def column(step: str, op: Op, look: str = "weight", **names: str) -> tuple[Block]:
        return (computed(f"{p}_{step}", (n, 1), op, look, **names),)

    q, k, _ = qkv
    top = f"{p}_Scaled" if sheet.mask == "none" else f"{p}_Masked"
    row_max = Side("row max", column("RowMax", ops.ROW_MAX, "number", scaled=top))
    scaled = {"scores": f"{p}_Scores", "scale": f"{s}_Scale"}
    exp, total = f"{p}_Exp", f"{p}_UnscaledSum"
    unscaled = {"scaled": top, "row_max": f"{p}_RowMax", "scale": f"{s}_Scale"}
    steps: Steps = {}
    own = "Scores = X · Xᵀ"
    title = ops.SCORES.maths if sheet.weights else own
    steps["Scores"] = (title, ops.SCORES.why, square("Scores", ops.SCORES, "scores", q=q, k=k))
    sides: tuple[Side, ...] = (row_max,) if sheet.mask == "none" else ()
    steps["Scaled"] = (
        ops.SCALED.maths,
        ops.SCALED.why,
        square("Scaled", ops.SCALED, "scores", *sides, **scaled),
    )
    if sheet.mask != "none":
        names = {
            "mask": f"{s}_{context.id}_Mask",
            "minus_infinity": f"{s}_MaskValue",
            "scaled": f"{p}_Scaled",
        }
        steps["Masked"] = (
            ops.MASKED.maths,
            ops.MASKED.why,
            square("Masked", ops.MASKED, "masked", row_max, **names),
        )
    sides = (
        Side("row sum", column("RowSum", ops.ROW_SUM, exp=exp)),
        Side("row sum without √d", column("UnscaledSum", ops.UNSCALED_SUM, **unscaled)),
    )
    steps["Exp"] = (
        ops.EXP.maths,
        ops.EXP.why,
        square("Exp", ops.EXP, "exp", *sides, scaled=top, row_max=f"{p}_RowMax"),
    )
    attention = f"{p}_Attention"
    without = {"unscaled_sum": total, **unscaled}
    sides = (
        Side("row sum", column("AttentionSum", ops.ATTENTION_SUM, attention=attention)),
        Side("entropy", column("Entropy", ops.ENTROPY, attention=attention)),
        Side("entropy without √d", column("EntropyUnscaled", ops.ENTROPY_UNSCALED, **without)),
    )
    group = square("Attention", ops.ATTENTION, "attention", *sides, exp=exp, row_sum=f"{p}_RowSum")
    why = f"{ops.ATTENTION.why} Low entropy: a sharp look at few words; without √d it is sharper."
    steps["Attention"] = (ops.ATTENTION.maths, why, group)
    return steps


def _mask(spec: Spec, sheet: SheetSpec, context: Context) -> Group:
    """Which token may look where, drawn once for all heads: 1 up to the word itself, 0 after it."""
    p, n = f"{sheet.id}_{context.id}", len(context.words)
    longest = max(spec.contexts, key=lambda c: len(c.words))
    count = range(1, n + 1)
    row = typed(f"{p}_RowIdx", "index", tuple((float(i),) for i in count), "constant")
    col = typed(f"{p}_ColIdx", "index", (tuple(float(i) for i in count),), "constant")
    if context is longest:
        row = replace(row, slices=((f"{sheet.id}_RowIdx", 0, 1),))
        col = replace(col, slices=((f"{sheet.id}_ColIdx", 0, n),))
    mask = computed(f"{p}_Mask", (n, n), ops.MASK, "mask", row=row.name, col=col.name)
    return Group((mask,), (row,), col)


def _facts(spec: Spec, sheet: SheetSpec) -> tuple[Fact, ...]:
    s = sheet.id
    k = f"{s}_h1_W_K" if sheet.kind == "multi-head" else f"{s}_W_K" if sheet.weights else "vocab_E"
    op, words = (ops.SCALE, "√d_k =") if sheet.scale else (ops.NO_SCALE, "scale (off) =")
    facts = [Fact(words, computed(f"{s}_Scale", (1, 1), op, "weight", k=k))]
    if sheet.mask != "none":
        value = typed(f"{s}_MaskValue", "minus infinity", ((MINUS_INFINITY,),), "constant")
        facts.append(Fact("masked cells get", value))
    drifts = ",".join(f"{s}_{context.id}_Drift" for context in spec.contexts)
    check = ops.status(f"MAX({drifts})<1E-9", '"✓ every row sums to 1"', '"✗ a row does not sum to 1"')
    return (*facts, Fact("", computed(f"{s}_Status", (1, 1), check, "status")))


def _weights(spec: Spec, sheet: SheetSpec) -> list[Band]:
    if not sheet.weights:
        return []
    d_model = spec.vocabulary.d_model
    groups = []
    for letter, size in (("Q", sheet.d_k), ("K", sheet.d_k), ("V", sheet.d_v)):
        name = f"{sheet.id}_W_{letter}"
        rows = computed(f"{name}_Rows", (d_model, 1), ops.COL_LABELS, "row label", texts="vocab_Dims")
        block = _weight(sheet, name, sheet.weights[f"W_{letter}"], size)
        cols: tuple[str, ...] = numbered(letter.lower(), size)
        if sheet.kind == "multi-head":
            cols = tuple(f"h{h + 1} {label}" for h in range(sheet.heads) for label in cols)
        groups.append(Group((block,), (rows,), cols, title=f"W_{letter}"))
    why = "Learned in training, then fixed. All sentences share them: change a number and every lane follows."
    bands = [Band("Weights", why, tuple(groups), shared=True, show_formula=False)]
    if sheet.kind == "multi-head":
        block = typed(f"{sheet.id}_W_O", "input", sheet.weights["W_O"])
        labels = tuple(f"h{h + 1} v{j + 1}" for h in range(sheet.heads) for j in range(sheet.d_v))
        group = Group((block,), (labels,), dims_above(block.name, d_model), title="W_O")
        bands.append(Band("Output weights", ops.PROJECT_OUT.why, (group,), shared=True, show_formula=False))
    return bands


def _weight(sheet: SheetSpec, name: str, matrix: Matrix, size: int) -> Block:
    """A weight matrix; in a multi-head sheet each head has a name over its own columns of the same cells."""
    block = typed(name, "input", matrix)
    if sheet.kind != "multi-head":
        return block
    own = name.removeprefix(f"{sheet.id}_")
    slices = tuple((f"{sheet.id}_h{h + 1}_{own}", h * size, size) for h in range(sheet.heads))
    return replace(block, slices=slices)
