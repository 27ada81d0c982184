"""The quantities of a training, in the order in which they are computed: names, shapes, formulas.

A pass is written once. A `Place` says where it is computed: in every step of the unrolled training, at the
step that is shown, or with one weight nudged, for the gradient check.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from xlsxattn.builder import theme
from xlsxattn.builder.graph import Block, Part
from xlsxattn.builder.ops import training as ops
from xlsxattn.contract.kinds import PROJECTED
from xlsxattn.contract.names import MEMORY, SHOWN, STEPS, RangeName, parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from xlsxattn.builder.ops import Entered, Op
    from xlsxattn.contract.kinds import MultiHead, SelfAttention, Training

COLOURED = ("diverging", "weights")
"""Heat maps of the main page; the thousands of rows of all steps have none."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """The sizes of a training, and the shapes of its quantities."""

    sheet: Training
    form: SelfAttention | MultiHead
    d_model: int

    @property
    def examples(self) -> int:
        """Number of examples."""
        return len(self.sheet.examples)

    @property
    def words(self) -> int:
        """Words of all examples."""
        return sum(len(one.sentence) for one in self.sheet.examples)

    @property
    def heads(self) -> tuple[int, ...]:
        """The numbers of the heads; 0 for a single head, which has none."""
        return tuple(range(1, self.form.heads + 1)) if self.form.headed else (0,)

    @property
    def learns(self) -> tuple[str, ...]:
        """The learned matrices."""
        return tuple(self.sheet.learns)

    def shape(self, matrix: str) -> tuple[int, int]:
        """Rows and columns of a matrix."""
        values = self.sheet.matrices[matrix]
        return len(values), len(values[0])

    @property
    def projects_out(self) -> bool:
        """Whether there is a W_O."""
        return "W_O" in self.sheet.matrices

    @property
    def d_out(self) -> int:
        """Columns of the output."""
        return self.shape("W_O" if self.projects_out else "W_V")[1]


@dataclass(frozen=True, slots=True)
class Quantity:
    """One quantity of a pass: its block, its shape in one step, its formula applied to ranges.

    ``first`` is its formula in the first step, if that differs.
    """

    block: str
    shape: tuple[int, int]
    op: Op
    names: dict[str, str]
    look: str = "embedding"
    head: int = 0
    first: Op | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a pass is computed; ``word`` is the prefix of its names, "" for the pass of every step."""

    sizes: Sizes
    word: str = ""

    @property
    def s(self) -> RangeName:
        """The prefix of the sheet's names."""
        return RangeName(self.sizes.sheet.id)

    def name(self, block: str, head: int = 0) -> str:
        """The range of a quantity."""
        at = self.s.at(head=head)
        if self.word:
            return at[f"{self.word}_{block}"]
        return at[block] if block == "Loss" else at[f"{block}_{STEPS}"]

    def read(self, block: str, head: int = 0, band: str = "step") -> str:
        """A quantity as formulas read it: computed once, or at this place."""
        learned = f"W_{block}" if block in PROJECTED[:-1] else block
        if learned in self.sizes.sheet.matrices and learned not in self.sizes.learns:
            return self.fixed(self.s[block] if block in PROJECTED[:-1] else self.s[f"Start_{block}"])
        return self.name(block, head) if self.word else f"{self.name(block, head)}[{band}]"

    def fixed(self, name: str) -> str:
        """A range that no step changes, as formulas read it."""
        return name if self.word else f"{name}[all]"

    def own(self, block: str, head: int = 0) -> str:
        """A range of the sheet that no step changes, as formulas read it."""
        return self.fixed(self.s.at(head=head)[block])

    def in_head(self, text: str, head: int, *, values: bool = False) -> str:
        """A matrix of all heads, with zeros outside the columns of one."""
        return f"{text}*{self.own('ColumnsV' if values else 'Columns', head)}" if head else text

    def block(self, q: Quantity) -> Block:
        """The range of a quantity."""
        name, (rows, cols) = self.name(q.block, q.head), q.shape
        look = "number" if theme.LOOKS[q.look].heat in COLOURED and self.word != SHOWN else q.look
        if self.word:
            return Block(name, rows, cols, "formula", look, parts=(Part(q.op, q.names, cols),))
        bands = parse(name).bands(self.sizes.sheet.steps)
        entered: Entered = "cells" if q.block == "RowMax" else "steps"
        ways = [replace(op, entered=entered) for op in (q.first, q.op) if op]
        parts = tuple(Part(op, q.names, cols) for op in ways)
        return Block(name, bands * rows, cols, "formula", look, parts=parts, bands=bands)


def once(sizes: Sizes) -> Iterator[Block]:
    """Queries, keys and values whose matrix is not learned, so that no step changes them."""
    s = RangeName(sizes.sheet.id)
    for letter in PROJECTED[:-1]:
        if f"W_{letter}" not in sizes.learns:
            rows, x = (sizes.examples, "Asked_X") if letter == "Q" else (sizes.words, "X")
            cols = sizes.shape(f"W_{letter}")[1]
            names = {"x": s[x], "w": s[f"Start_W_{letter}"]}
            part = Part(ops.PRODUCTS[letter], names, cols)
            yield Block(s[letter], rows, cols, "formula", "embedding", parts=(part,))


def forward(p: Place) -> Iterator[Quantity]:
    """The forward pass: queries of the target words, keys and values of all, attention, output, loss."""
    z, examples, words = p.sizes, p.sizes.examples, p.sizes.words
    for letter in PROJECTED[:-1]:
        if f"W_{letter}" in z.learns:
            rows, x = (examples, "Asked_X") if letter == "Q" else (words, "X")
            names = {"x": p.own(x), "w": p.read(f"W_{letter}")}
            yield Quantity(letter, (rows, z.shape(f"W_{letter}")[1]), ops.PRODUCTS[letter], names)
    for h in z.heads:
        names = {"q": p.in_head(p.read("Q"), h), "k": p.read("K"), "mask": p.own("Mask")}
        names |= {"scale": p.fixed(RangeName(z.form.id)["Scale"]), "minus_infinity": p.own("MaskValue")}
        yield Quantity("Masked", (examples, words), ops.MASKED, names, "masked", h)
        row_max = {"masked": p.name("Masked", h)}
        yield Quantity("RowMax", (examples, 1), ops.ROW_MAX, row_max, "weight", h)
        names = {"masked": p.read("Masked", h), "row_max": p.read("RowMax", h)}
        yield Quantity("Exp", (examples, words), ops.EXP, names, "exp", h)
        names = {"exp": p.read("Exp", h), "ones": p.own("Ones")}
        yield Quantity("Attention", (examples, words), ops.ATTENTION, names, "attention", h)
    mixed = [(p.read("Attention", h), p.in_head(p.read("V"), h, values=True)) for h in z.heads]
    joined = "Concat" if z.projects_out else "Output"
    op, names = _over_heads(ops.WEIGHTED_SUMS[joined], mixed)
    yield Quantity(joined, (examples, z.shape("W_V")[1]), op, names, "output")
    if z.projects_out:
        names = {"x": p.read("Concat"), "w": p.read("W_O")}
        yield Quantity("Output", (examples, z.d_out), ops.PRODUCTS["Output"], names, "output")
    names = {"output": p.read("Output"), "goal": p.own("Goal"), "present": p.own("Present")}
    yield Quantity("Error", (examples, z.d_out), ops.ERROR, names)
    names = {"error": p.read("Error"), "count": p.own("Count")}
    yield Quantity("Loss", (1, 1), ops.LOSS, names, "weight")


def _over_heads(op: Op, pairs: Sequence[tuple[str, str]]) -> tuple[Op, dict[str, str]]:
    """The sum over heads of a product of two matrices, as a formula and its operands."""
    if not pairs[1:]:
        return op, dict(zip("ab", pairs[0], strict=True))
    terms = [op.formula.removeprefix("=").format(a=a, b=b) for a, b in pairs]
    return replace(op, formula="={terms}"), {"terms": "+".join(terms)}


def backward(p: Place) -> Iterator[Quantity]:
    """The backward pass: from the loss back to each learned matrix, as far as one needs it."""
    z, examples, words = p.sizes, p.sizes.examples, p.sizes.words
    inner = [letter for letter in PROJECTED[:-1] if f"W_{letter}" in z.learns]
    names = {"error": p.read("Error"), "count": p.own("Count")}
    yield Quantity("dOutput", (examples, z.d_out), ops.D_OUTPUT, names)
    d = "dOutput"
    if z.projects_out and inner:
        names = {"d": p.read("dOutput"), "w": p.read("W_O")}
        yield Quantity("dConcat", (examples, z.shape("W_O")[0]), ops.D_CONCAT, names)
        d = "dConcat"
    d_of = {h: p.in_head(p.read(d), h, values=True) for h in z.heads}
    if "V" in inner:
        op, names = _over_heads(ops.D_VALUES[d], [(p.read("Attention", h), d_of[h]) for h in z.heads])
        yield Quantity("dV", (words, z.shape("W_V")[1]), op, names)
    if {"Q", "K"} & {*inner}:
        for h in z.heads:
            names = {"d": d_of[h], "v": p.read("V")}
            yield Quantity("dAttention", (examples, words), ops.D_ATTENTION[d], names, head=h)
            names = {"attention": p.read("Attention", h), "d": p.read("dAttention", h), "ones": p.own("Ones")}
            yield Quantity("dScaled", (examples, words), ops.D_SCALED, names, head=h)
            names = {"d": p.read("dScaled", h), "scale": p.fixed(RangeName(z.form.id)["Scale"])}
            yield Quantity("dScores", (examples, words), ops.D_SCORES, names, head=h)
    if "Q" in inner:
        pairs = [(p.read("dScores", h), p.in_head(p.read("K"), h)) for h in z.heads]
        op, names = _over_heads(ops.D_QUERIES, pairs)
        yield Quantity("dQ", (examples, z.shape("W_Q")[1]), op, names)
    if "K" in inner:
        pairs = [(p.read("dScores", h), p.in_head(p.read("Q"), h)) for h in z.heads]
        op, names = _over_heads(ops.D_KEYS, pairs)
        yield Quantity("dK", (words, z.shape("W_K")[1]), op, names)
    for matrix in z.learns:
        letter = matrix[-1]
        x = {"Q": p.own("Asked_X"), "O": p.read("Concat") if z.projects_out else ""}.get(letter, p.own("X"))
        names = {"x": x, "d": p.read("dOutput" if letter == "O" else f"d{letter}")}
        yield Quantity(f"d{matrix}", z.shape(matrix), ops.D_WEIGHTS[letter], names)


def update(p: Place) -> Iterator[Quantity]:
    """The step that an optimizer makes of each gradient, up to the proposed weights."""
    optimizer = p.sizes.sheet.optimizer
    if optimizer == "adam" and not p.word:
        for k in "12":
            names = {"b": p.own(f"B{k}"), "old": p.read(f"Correction{k}", band="before")}
            yield Quantity(
                f"Correction{k}", (1, 1), ops.CORRECTION, names, "weight", first=ops.FIRST_CORRECTION
            )
    for matrix in p.sizes.learns:
        shape = p.sizes.shape(matrix)
        g = {"dw": p.read(f"d{matrix}"), "decay": p.own("Decay"), "w": p.read(matrix), "rate": p.own("Rate")}

        def old(block: str, matrix: str = matrix) -> str:
            named = f"{block}_{matrix}"
            return p.name(f"Old{named}") if p.word else p.read(named, band="before")

        if optimizer == "momentum":
            names = {**g, "mu": p.own("Mu"), "old": old("Velocity")}
            yield Quantity(f"Velocity_{matrix}", shape, ops.VELOCITY, names, first=ops.FIRST_VELOCITY)
            g["velocity"] = p.read(f"Velocity_{matrix}")
        if optimizer == "adam":
            moments = ((ops.FIRST_MOMENT1, ops.MOMENT1), (ops.FIRST_MOMENT2, ops.MOMENT2))
            for k, (first, op) in zip("12", moments, strict=True):
                names = {**g, "b": p.own(f"B{k}"), "old": old(f"Moment{k}")}
                yield Quantity(f"Moment{k}_{matrix}", shape, op, names, first=first)
            g |= {"m": p.read(f"Moment1_{matrix}"), "v": p.read(f"Moment2_{matrix}"), "eps": p.own("Eps")}
            g |= {f"c{k}": p.read(f"Correction{k}") for k in "12"}
        step = {"sgd": ops.STEP_OF_SGD, "momentum": ops.STEP_OF_MOMENTUM, "adam": ops.STEP_OF_ADAM}[optimizer]
        yield Quantity(f"Proposed_{matrix}", shape, step, g)


def weights(p: Place) -> Iterator[Quantity]:
    """In the steps: the weights after each step; after a divergence they stay the same."""
    for matrix in p.sizes.learns:
        names = {"x": p.own(f"Start_{matrix}"), "w": p.read(matrix, band="before")}
        names |= {"alive": p.read("Alive"), "proposed": p.read(f"Proposed_{matrix}", band="before")}
        yield Quantity(matrix, p.sizes.shape(matrix), ops.NEW, names, first=ops.KEEP)


def bounds(p: Place) -> Iterator[Quantity]:
    """In the steps: the largest proposed weight, and whether all so far were small enough."""
    yield Quantity("Largest", (1, 1), ops.LARGEST, {"largest": _largest(p)}, "tiny")
    names = {"largest": p.read("Largest", band="before"), "alive": p.read("Alive", band="before")}
    yield Quantity("Alive", (1, 1), ops.ALIVE, names, "count", first=ops.ALIVE_AT_FIRST)


def _largest(p: Place) -> str:
    """The largest absolute value of the proposed weights."""
    proposed = [p.read(f"Proposed_{matrix}") for matrix in p.sizes.learns]
    ends = ",".join(f"MAX({one}),-MIN({one})" for one in proposed)
    return f"MAX({ends})"


def unrolled(p: Place) -> list[Block]:
    """Every quantity of every step but the loss, which is on the training's first page."""
    every = (*weights(p), *forward(p), *backward(p), *update(p), *bounds(p))
    return [p.block(q) for q in every if q.block != "Loss"]


def loss(p: Place) -> Block:
    """The loss after every number of steps."""
    return next(p.block(q) for q in forward(p) if q.block == "Loss")


def held_out(p: Place, context: str, n: int) -> dict[str, list[Block]]:
    """The focus word's attention in a sentence after every step, with the blocks before it, by head."""
    z, at = p.sizes, p.s.at(context=context)
    trained, own = RangeName(z.form.id, context=context), RangeName(context=context)
    asked = f"{at['Asked_X']}[all]"
    causal = z.form.mask == "causal"
    bands = z.sheet.steps + 1
    found: dict[str, list[Block]] = {"Scaled": [], "Exp": [], "Attention": [], "Trained": []}
    for h in z.heads:
        here = at.at(head=h)
        query = p.in_head(f"MMULT({asked},{p.read('W_Q')})", h)
        names = {
            "qk": f"MMULT({query},TRANSPOSE({p.read('W_K')}))",
            "x": f"{trained['X']}[all]",
            "scale": p.fixed(RangeName(z.form.id)["Scale"]),
            "index": f"{own['Index']}[all]",
            "focus": f"{own['Focus']}[all]",
            "minus_infinity": p.own("MaskValue"),
        }
        rows = (
            ("Scaled", ops.HELD_OUT_CAUSAL if causal else ops.HELD_OUT, "masked", names),
            ("Exp", ops.HELD_OUT_EXP, "number", {"scaled": f"{here[f'Scaled_{STEPS}']}[step]"}),
            (
                "Attention",
                ops.HELD_OUT_ATTENTION,
                "attention",
                {**names, "exp": f"{here[f'Exp_{STEPS}']}[step]"},
            ),
        )
        for block, op, look, of in rows:  # rows of scores and exponents are on the second page
            part = Part(replace(op, entered="steps"), of, n)
            name = here[f"{block}_{STEPS}"]
            found[block].append(Block(name, bands, n, "formula", look, parts=(part,), bands=bands))
        names = {"x": trained.at(head=h)["FocusAttention"]}
        found["Trained"].append(
            Block(here["Trained"], 1, n, "formula", "attention", parts=(Part(ops.SAME, names, n),))
        )
    return found


def chosen(p: Place) -> Iterator[Block]:
    """At the shown step: the weights before it, and what an optimizer keeps of the steps before."""
    if p.sizes.sheet.steps == 1:
        yield from map(p.block, _at_first(p))
        return
    z, steps, s = p.sizes, Place(p.sizes), p.s

    def taken(block: str, like: str, op: Op, look: str = "embedding", old: str = "") -> Block:
        rows, cols = z.shape(like) if like else (1, 1)
        names = {"of": steps.name(block), "band": s["Chosen"], "like": s[like] if like else ""}
        return Block(p.name(f"{old}{block}"), rows, cols, "formula", look, parts=(Part(op, names, cols),))

    for matrix in z.learns:
        yield taken(matrix, matrix, ops.TAKEN)
        for block in MEMORY[z.sheet.optimizer]:
            yield taken(f"{block}_{matrix}", matrix, ops.TAKEN_BEFORE, old="Old")
    if z.sheet.optimizer == "adam":
        for k in "12":
            yield taken(f"Correction{k}", "", ops.TAKEN_CELL, "weight")


def _at_first(p: Place) -> Iterator[Quantity]:
    """The same at the only step, not read from the page of the steps, which waits in an exercise."""
    for matrix in p.sizes.learns:
        shape = p.sizes.shape(matrix)
        yield Quantity(matrix, shape, ops.KEEP, {"x": p.own(f"Start_{matrix}")})
        for block in MEMORY[p.sizes.sheet.optimizer]:
            yield Quantity(f"Old{block}_{matrix}", shape, ops.NOTHING_BEFORE, {})
    if p.sizes.sheet.optimizer == "adam":
        for k in "12":
            yield Quantity(f"Correction{k}", (1, 1), ops.FIRST_CORRECTION, {"b": p.own(f"B{k}")}, "weight")


def continues(p: Place) -> Block:
    """Whether the weights after the shown step are small enough to continue (1 × 1)."""
    if p.sizes.sheet.steps == 1:
        return p.block(Quantity("Alive", (1, 1), ops.ALIVE, {"largest": _largest(p), "alive": "1"}, "count"))
    names = {"of": Place(p.sizes).name("Alive"), "band": f"{p.s['Chosen']}+1"}
    return p.block(Quantity("Alive", (1, 1), ops.TAKEN_CELL, names, "count"))
