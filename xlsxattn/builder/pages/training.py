"""The pages of a training: the main page, and after it a page of every step, in collapsed groups."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from xlsxattn.builder import ops as usual
from xlsxattn.builder.graph import FORMULA, Band, Chart, Fact, Group, Page, Series, Side
from xlsxattn.builder.ops import training as ops
from xlsxattn.builder.pages.experiments import LEARNING
from xlsxattn.builder.pages.parts import Lane, computed, numbered, typed
from xlsxattn.builder.pages.training_passes import (
    Place,
    Sizes,
    backward,
    chosen,
    continues,
    forward,
    held_out,
    loss,
    once,
    unrolled,
    update,
)
from xlsxattn.builder.theme import cell_width
from xlsxattn.contract.names import SHOWN, RangeName, cols_of, ends_in, of_context, parse, rows_of
from xlsxattn.contract.values import MASK_VALUE
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from xlsxattn.builder.graph import Block, Labels
    from xlsxattn.builder.pages.training_passes import Quantity
    from xlsxattn.builder.specification import Spec
    from xlsxattn.contract.kinds import Training

LEAD = (
    "How are weights learned? Compute how far off the words are, propagate the error back to each "
    "weight, take a step, and repeat. Every step is computed by formulas."
)
BEHIND = (
    "Every quantity of every step, from top to bottom. Open the groups at the left edge to see the numbers."
)
NARROW, MAX_COLUMNS_BESIDE = (6.3,), 22


class Setting(NamedTuple):
    """A setting of an optimizer: its label, the name of its clamped value, and the limits of that."""

    label: str
    counts: str
    least: str
    most: str


SETTINGS = {
    "LearningRate": Setting("learning rate", "Rate", "0", "1E6"),
    "Momentum": Setting("momentum", "Mu", "0", "1"),
    "Beta1": Setting("β₁", "B1", "0", "1-1/1048576"),
    "Beta2": Setting("β₂", "B2", "0", "1-1/1048576"),
    "Epsilon": Setting("ε", "Eps", "1E-12", "1E6"),
    "WeightDecay": Setting("weight decay", "Decay", "0", "1E6"),
}
HAS = {
    "sgd": ("LearningRate", "WeightDecay"),
    "momentum": ("LearningRate", "Momentum", "WeightDecay"),
    "adam": ("LearningRate", "Beta1", "Beta2", "Epsilon", "WeightDecay"),
}
"""The settings of each optimizer."""
OF_TOKENS = ("K", "V", "dK", "dV")
"""Blocks with a row for each word of the examples; others have one for each example."""
OVER_TOKENS = ("Mask", "Masked", "Exp", "Attention", "dAttention", "dScaled", "dScores")
"""Blocks with a column for each word of the examples."""
SINGLE = ("Loss", "Chosen", "Correction1", "Correction2")
"""Blocks of one number."""
OF_OUTPUTS = ("Targets", "Goal", "Output", "dOutput", "Error", "W_O", "dW_O")
"""Blocks whose columns are those of the output."""
CHECKED = ("CheckRow", "CheckCol", "CheckH")


def training_pages(spec: Spec, sheet: Training) -> list[Page]:
    """The main page, and the page of all steps after it."""
    if sheet.form is None:
        raise NotImplementedError(sheet.trains)
    page = _Lesson(spec, sheet, Sizes(sheet, sheet.form, spec.vocabulary.d_model))
    return [page.lesson(), page.steps()]


def _band(title: str, why: str, groups: Sequence[Group], paper: str = "") -> Band:
    """A band of groups whose formulas are not above it."""
    return Band(title, why, tuple(groups), shared=True, show_formula=False, paper=paper)


def _joined(texts: Iterable[str]) -> str:
    first, *rest = map(say, texts)
    for more in rest:
        first = say("{lead} {more}", lead=first, more=more)
    return first


def _in_lines(lanes: Sequence[Lane]) -> list[list[Lane]]:
    """Lines of sentences side by side, as many as fit a screen."""
    lines: list[list[Lane]] = [[]]
    for lane in lanes:
        if lines[-1] and sum(one.n + 1 for one in (*lines[-1], lane)) > MAX_COLUMNS_BESIDE:
            lines.append([])
        lines[-1].append(lane)
    return lines


class _Lesson:
    """The two pages of one training."""

    def __init__(self, spec: Spec, sheet: Training, sizes: Sizes) -> None:
        self.spec, self.sheet, self.z = spec, sheet, sizes
        self.s, self.every, self.shown = RangeName(sheet.id), Place(sizes), Place(sizes, SHOWN)
        self.lanes = [
            Lane(context, RangeName(sheet.id, context=context.id), of_context(context.id)["Tokens"])
            for context in spec.contexts
        ]
        self.held = {lane.id: held_out(self.every, lane.id, lane.n) for lane in self.lanes}
        self.checks = [Place(sizes, "Plus"), Place(sizes, "Minus")]

    # --- the main page -------------------------------------------------------------------------------------

    def lesson(self) -> Page:
        """The main page, which explains training from the question to the result."""
        s, sheet = self.s, self.sheet
        bands = (
            self._question(),
            *self._held_out(),
            self._loss(),
            self._settings(),
            self._weights(),
            *self._shown(),
            self._check(),
            self._examples(),
            self._constants(),
        )
        chart = Chart(
            "line",
            0,
            "Loss",
            "number of steps",
            "",
            (Series("loss", (s["Plotted"],)),),
            s["StepNumber"],
            after=0,
        )
        step = typed(s["Step"], "setting", ((float(sheet.steps),),))
        return Page(
            sheet.id,
            sheet.title,
            sheet.about or LEAD,
            (Fact("step shown:", step), Fact("", self._status())),
            (),
            bands,
            (chart,) if sheet.steps > 1 else (),
            {s["Tokens"]: "vocab_Tokens", s["Asked"]: "vocab_Tokens", s["CheckMatrix"]: s["Matrices"]},
            subtitle=say("{steps} steps of learning", steps=sheet.steps)
            if sheet.steps > 1
            else say("one step of learning"),
            tries=tuple(sheet.try_) or LEARNING,
        )

    def _status(self) -> Block:
        s = self.s
        numbers = [s["Step"], *(s[name] for name in HAS[self.sheet.optimizer])]
        numbers += [s[name] for name in CHECKED]
        given = "*".join(f"ISNUMBER({name})" for name in numbers)
        check = usual.live_checks.status(
            "✓ every example is used",
            usual.live_checks.WORDS,
            (f"MIN({s['Ids']})>0", "✗ a word of the examples is not in the vocabulary"),
            (f"MIN({s['AskedRow']})>0", "✗ the target word of an example is not in its sentence"),
            (f"{given}=1", "✗ a number is missing"),
        )
        return computed(s["Status"], (1, 1), check, "status", words="vocab_Status")

    def _question(self) -> Band:
        s, z = self.s, self.z
        asked = replace(
            typed(s["Asked"], "token", [(one.word,) for one in self.sheet.examples]), widths=self._widths()
        )
        targets = typed(s["Targets"], "input", [one.target for one in self.sheet.examples])
        number = typed(s["Number"], "index", [(float(i + 1),) for i in range(z.examples)], "constant")
        names = {"asked": asked.name, "example": s["Example"], "number": number.name, "tokens": s["Tokens"]}
        row = computed(s["AskedRow"], (z.examples, 1), ops.ASKED_ROW, "count", **names)
        present = computed(s["Present"], (z.examples, 1), ops.PRESENT, "count", row=row.name)
        why = (
            "Each example is a sentence (below), one of its words, and the target of this word's output. "
            "The loss says how far off all of them are; a step changes the weights so that it falls."
        )
        sides = (Side("example", (number,)), Side("its row", (row,)), Side("used", (present,)))
        group = Group((targets,), (asked,), self._columns(targets), sides, corner="word")
        return _band("The question: how far off is each word?", why, (group,))

    def _held_out(self) -> Iterable[Band]:
        why = (
            "Where does the focus word look in the sentences on Start? Row k: with the weights after k "
            "steps. Last row: with the weights of “{form}”."
        )
        for i, h in enumerate(self.z.heads):
            title = (
                say("The sentences on Start, head {h}", h=h)
                if h
                else "The sentences on Start: attention of the focus word after each step"
            )
            said = say(why, form=self._form()) if i == 0 else ""
            groups = [self._beside(lanes, i) for lanes in _in_lines(self.lanes)]
            yield _band(title, said, groups)

    def _beside(self, lanes: list[Lane], i: int) -> Group:
        """Sentences side by side: a head's attention after every step, and the trained sheet's own below."""
        steps = tuple(str(k) for k in range(self.sheet.steps + 1))
        sides: list[Side] = []
        for lane in lanes:
            both = [self._narrow(self.held[lane.id][block][i]) for block in ("Attention", "Trained")]
            words = self._narrow(lane.words_above(both[0].name)) if i == 0 else None
            sides += [Side(""), Side("", tuple(both), words)]
        _, first, *others = sides
        labels = (steps, (say("“{form}”", form=self._form()),))
        return Group(first.blocks, labels, first.cols, tuple(others), corner="steps")

    def _form(self) -> str:
        return say(self.z.form.title)

    def _loss(self) -> Band:
        s, n = self.s, self.sheet.steps
        number = typed(s["StepNumber"], "index", [(float(k),) for k in range(n + 1)], "constant")
        diverged = computed(s["Diverged"], (1, 1), ops.DIVERGED, "count", alive=self.every.name("Alive"))
        good = "✓ the loss is lower at the end"
        first, last = f"INDEX({s['Loss']},1,1)", f"INDEX({s['Loss']},{n + 1},1)"
        same = "– the loss does not change: the learning rate is 0, or there is nothing to learn"
        check = usual.live_checks.status(
            good,
            ("{diverged}=0", "✗ diverged at step {diverged}: the weights grew beyond a million"),
            (f"{last}<={first}*1.000000001", "– the loss is higher at the end"),
            (f"{last}<{first}*0.999999999", same),
        )
        verdict = computed(s["Verdict"], (1, 1), check, "status", diverged=diverged.name)
        plotted = computed(s["Plotted"], (n + 1, 1), ops.PLOTTED, "number", loss=s["Loss"])
        why = (
            "The loss with the weights after each step. The chart ends at four times the first loss, "
            "so that it stays readable if the training diverges."
        )
        sides = (Side("in the chart", (plotted,)),)
        groups = (
            Group((loss(self.every),), (number,), ("loss",), sides, corner="steps"),
            Group((diverged, verdict), (("diverged (0: no)",), ("result",))),
        )
        return _band("The loss, step by step", why, groups)

    def _settings(self) -> Band:
        s, sheet, names = self.s, self.sheet, HAS[self.sheet.optimizer]
        values = {"LearningRate": sheet.lr, "Momentum": sheet.momentum, "Epsilon": sheet.eps}
        values |= {"Beta1": sheet.betas[0], "Beta2": sheet.betas[1], "WeightDecay": sheet.weight_decay}
        inputs = tuple(typed(s[name], "setting", ((float(values[name]),),)) for name in names)
        counted = []
        for name in names:
            one = SETTINGS[name]
            block = computed(s[one.counts], (1, 1), ops.clamp(one.least, one.most), "any number", x=s[name])
            counted.append(block)
        count = computed(s["Count"], (1, 1), ops.COUNT, "count", present=s["Present"])
        labels = tuple((SETTINGS[name].label,) for name in names)
        why = {
            "sgd": "Plain gradient descent: each weight changes by −rate times its gradient.",
            "momentum": "Gradient descent with momentum: part of the last step is kept.",
            "adam": "Adam: a step of about the learning rate in each weight, whatever the gradient's size.",
        }[sheet.optimizer]
        groups = (
            Group(inputs, labels, ("typed",), (Side("value used", tuple(counted)),)),
            Group((count,), (("examples used",),)),
        )
        return _band("The optimizer", why, groups)

    def _weights(self) -> Band:
        s, z, groups = self.s, self.z, []
        for matrix in self.sheet.matrices:
            rows, cols = z.shape(matrix)
            given = typed(s[matrix], "input", self.sheet.matrices[matrix])
            start = computed(s[f"Start_{matrix}"], (rows, cols), ops.CLAMPED, "embedding", x=given.name)
            sides = [Side("", words=("→",) * rows), Side("before", (self._narrow(start),))]
            if matrix in z.learns:
                names = {"of": self.every.name(matrix), "band": str(self.sheet.steps + 1), "like": given.name}
                final = computed(s[f"Final_{matrix}"], (rows, cols), ops.TAKEN, "output", **names)
                sides += [Side("", words=("→",) * rows), Side("after", (self._narrow(final),))]
            title = matrix if matrix in z.learns else say("{matrix} (not learned)", matrix=matrix)
            block = tuple(map(self._narrow, (given,)))
            groups.append(
                Group(block, (numbered("x", rows),), numbered(matrix[-1].lower(), cols), tuple(sides), title)
            )
        why = "The initial weights (yellow: you can change them), and the weights after all steps."
        return _band("The weights, before and after", why, groups)

    def _shown(self) -> Iterable[Band]:
        """One step in full: the weights before it, forward, backward, update."""
        s, z, p = self.s, self.z, self.shown
        picked = computed(s["Chosen"], (1, 1), ops.CHOSEN, "count", x=s["Step"], steps=str(self.sheet.steps))
        taken = list(chosen(p))
        before = [self._group(block) for block in taken]
        why = "Choose the step in the yellow cell at the top of the page. These are the weights before it."
        groups = [Group((picked,), (("step",),)), *before]
        yield _band("One step in full: the weights before it", why, groups)
        for title, passed in (("Forward", forward(p)), ("Backward", backward(p)), ("Update", update(p))):
            yield from self._pass(title, passed)
        alive = continues(p)
        groups = [Group((alive,), (("1: continue",),))]
        for matrix in z.learns:
            names = {"alive": alive.name, "proposed": p.name(f"Proposed_{matrix}"), "w": p.name(matrix)}
            groups.append(
                self._group(computed(p.name(f"New_{matrix}"), z.shape(matrix), ops.NEW, "output", **names))
            )
        why = "The proposed weights become the weights unless one of them has grown beyond a million."
        yield _band("Update: the weights after the step", why, groups)

    def _pass(self, title: str, passed: Iterable[Quantity]) -> Iterable[Band]:
        """A band for each quantity of a pass; for all heads, and all matrices, together."""
        bands: dict[str, list[tuple[Quantity, Group]]] = {}
        aside: dict[int, Block] = {}
        listed = list(passed)
        for q in listed:
            if q.block == "RowMax":
                aside[q.head] = self.shown.block(q)
        for q in listed:
            if q.block == "RowMax":
                continue
            sides = (Side("row maximum", (aside[q.head],)),) if q.block == "Masked" else ()
            key = q.block if q.block[1:2] != "W" and "_" not in q.block else q.op.maths
            bands.setdefault(key, []).append((q, self._group(self.shown.block(q), sides)))
        for made in bands.values():
            why, paper = _joined(dict.fromkeys(q.op.why for q, _ in made)), made[0][0].op.paper
            for q, group in made:
                named = self._title(title, q, alone=len(made) == 1)
                yield _band(named, why, (group,), paper)
                why = paper = ""  # once for all heads or matrices

    def _title(self, title: str, q: Quantity, *, alone: bool) -> str:
        """The title of one quantity; of several matrices or heads, which one it is."""
        said = say("{title}: {maths}", title=say(title), maths=say(q.op.maths))
        if alone:
            return said
        which = say("head {h}", h=q.head) if q.head else say("W_{letter}", letter=q.block[-1])
        return say("{title} ({which})", title=said, which=which)

    def _group(self, block: Block, sides: tuple[Side, ...] = ()) -> Group:
        """A block of the shown step with its formula above it, and words beside and above it."""
        name, quantity = block.name, parse(block.name).quantity
        rows: Labels = numbered("x", block.rows)
        cols: Labels | None = self._columns(block)
        if quantity in SINGLE:
            rows, cols = (" ",), None
        elif not ends_in(name, (*self.z.learns, *(f"d{matrix}" for matrix in self.z.learns))):
            rows = self._words(name, "Tokens" if quantity in OF_TOKENS else "Asked")
            if quantity in OVER_TOKENS:
                words = computed(
                    cols_of(name),
                    (1, self.z.words),
                    usual.words.COL_LABELS,
                    "col label",
                    texts=self.s["Tokens"],
                )
                cols = self._narrow(words)
        return Group((self._narrow(block),), (rows,), cols, sides, FORMULA)

    def _words(self, name: str, texts: str) -> Block:
        """The words beside a block: the target words, or all words of the examples."""
        rows = self.z.examples if texts == "Asked" else self.z.words
        block = computed(rows_of(name), (rows, 1), usual.words.ROW_LABELS, "row label", texts=self.s[texts])
        return replace(block, widths=self._widths())

    def _narrow(self, block: Block) -> Block:
        return replace(block, widths=NARROW)

    def _widths(self) -> tuple[float]:
        words = [word for one in self.sheet.examples for word in one.sentence]
        return (max(cell_width(word) for word in words) + 2.0,)

    def _columns(self, block: Block) -> tuple[str, ...]:
        """Headings of columns that are not words: dimensions, or numbered columns of Q, K, V."""
        dims, last = self.spec.vocabulary.dimensions, block.name[-1]
        letter = last.lower() if last in "QKVO" else "o"
        is_output = ends_in(block.name, OF_OUTPUTS) and len(dims) == block.cols
        return dims if is_output or ends_in(block.name, "X") else numbered(letter, block.cols)

    def _check(self) -> Band:
        s, z = self.s, self.z
        matrices = typed(s["Matrices"], "row label", [(m,) for m in z.learns], "constant")
        wanted = typed(s["CheckMatrix"], "token", ((z.learns[0],),))
        values = {"CheckRow": 1.0, "CheckCol": 1.0, "CheckH": 1e-5}
        inputs = [typed(s[name], "setting", ((values[name],),)) for name in CHECKED]
        h = computed(s["Distance"], (1, 1), ops.clamp("1E-8", "0.1"), "any number", x=s["CheckH"])
        entry = computed(s["CheckEntry"], (1, 1), ops.CHECK_ENTRY, "count", choice=self._choice())
        plus, minus = (p.name("Loss") for p in self.checks)
        numeric = computed(
            s["CheckNumeric"], (1, 1), ops.NUMERIC, "any number", plus=plus, minus=minus, h=h.name
        )
        terms = "+".join(
            f"SUM(({s[f'Entry_{m}']}={entry.name})*{self.shown.name(f'd{m}')})" for m in z.learns
        )
        gradient = computed(s["CheckGradient"], (1, 1), ops.CHOSEN_GRADIENT, "any number", terms=terms)
        ab = {"a": numeric.name, "b": gradient.name}
        difference = computed(s["CheckDifference"], (1, 1), ops.DIFFERENCE, "tiny", **ab)
        losses = {"losses": f"{s['Loss']},{plus},{minus}", "h": h.name}
        allowed = computed(s["CheckAllowed"], (1, 1), ops.ALLOWED, "tiny", **losses)
        labels = [("matrix",), ("row",), ("column",), ("h",)]
        labels += [("weight number",), ("h used",), ("finite difference",)]
        labels += [("backward pass",), ("difference",), ("rounding error",)]
        column = (wanted, *inputs, entry, h, numeric, gradient, difference, allowed)
        why = (
            "Is the backward pass right? Change one weight of the shown step by ±h: the difference of the "
            "losses, divided by 2h, is its gradient, up to small errors from h and rounding."
        )
        groups = (Group(column, tuple(labels), sides=(Side("learned matrices", (matrices,)),)),)
        return _band("Gradient check", why, groups)

    def _choice(self) -> str:
        """The formula of the number of the checked weight, without its equals sign."""
        s, before, ways = self.s, 0, []
        for matrix in self.z.learns:
            rows, cols = self.z.shape(matrix)
            row, col = (
                f"INT(MIN(MAX({s[name]},1),{most}))"
                for name, most in (("CheckRow", rows), ("CheckCol", cols))
            )
            ways.append((matrix, f"{before}+({row}-1)*{cols}+{col}"))
            before += rows * cols
        found = ways[0][1]
        for matrix, way in reversed(ways[1:]):
            found = f'IF(EXACT({s["CheckMatrix"]},"{matrix}"),{way},{found})'
        return found

    def _examples(self) -> Band:
        s, z = self.s, self.z
        words = [(word,) for one in self.sheet.examples for word in one.sentence]
        tokens = replace(typed(s["Tokens"], "token", words), widths=self._widths())
        ids = computed(
            s["Ids"],
            (z.words, 1),
            usual.words.IDS,
            "word number",
            tokens=tokens.name,
            vocabulary="vocab_Tokens",
        )
        of = [(float(i),) for i, one in enumerate(self.sheet.examples, 1) for _ in one.sentence]
        example = typed(s["Example"], "index", of, "constant")
        index = typed(s["Index"], "index", [(float(i + 1),) for i in range(z.words)], "constant")
        ones = typed(s["Ones"], "index", [(1.0,)] * z.words, "constant")
        X = computed(s["X"], (z.words, z.d_model), ops.EMBED, "embedding", ids=ids.name, table="vocab_E")
        sides = (Side("example", (example,)), Side("row", (index,)), Side("one", (ones,)))
        beside = Group((tokens,), (ids,), ("word",), sides, corner="row in the vocabulary")
        dims = self.spec.vocabulary.dimensions
        rows = self._words(X.name, "Tokens")
        why = "The words of all sentences, one below the other, and their embeddings X."
        groups = (beside, Group((X,), (rows,), dims))
        return _band("The examples' sentences", why, groups)

    def _constants(self) -> Band:
        """What is computed from the examples once, and constants that formulas read."""
        s, z = self.s, self.z
        goal = computed(s["Goal"], (z.examples, z.d_out), ops.CLAMPED, "embedding", x=s["Targets"])
        names = {"row": s["AskedRow"], "index": s["Index"], "x": s["X"]}
        asked = computed(s["Asked_X"], (z.examples, z.d_model), ops.PICK, "embedding", **names)
        names = {"number": s["Number"], "example": s["Example"], "index": s["Index"], "row": s["AskedRow"]}
        op = ops.CAUSAL_MASK if z.form.mask == "causal" else ops.MASK
        mask = computed(s["Mask"], (z.examples, z.words), op, "mask", **names)
        infinity = typed(s["MaskValue"], "minus infinity", ((MASK_VALUE,),), "constant")
        groups = [
            Group((self._narrow(goal),), (numbered("", z.examples),), self._columns(goal), title=FORMULA),
            self._group(asked),
            self._group(mask),
            Group((infinity,), (("masked cells get",),), title=" "),
        ]
        before = 0
        for matrix in z.learns:
            rows, cols = z.shape(matrix)
            numbers = [[float(before + i * cols + j + 1) for j in range(cols)] for i in range(rows)]
            entry = typed(s[f"Entry_{matrix}"], "index", numbers, "constant")
            groups.append(
                Group((entry,), (numbered("x", rows),), title=say("numbers of {matrix}", matrix=matrix))
            )
            before += rows * cols
        for h in z.heads if z.form.headed else ():
            for block, matrix in (("Columns", "W_Q"), ("ColumnsV", "W_V")):
                width = z.shape(matrix)[1] // len(z.heads)
                row = [[float(j // width == h - 1) for j in range(z.shape(matrix)[1])]]
                columns = typed(s.at(head=h)[block], "index", row, "constant")
                groups.append(
                    Group(
                        (columns,),
                        ((say("head {h}", h=h),),),
                        title=say("columns of {matrix}", matrix=matrix),
                    )
                )
        why = "The targets as used, the rows of the target words, the mask, and constants for formulas."
        return _band("What every step uses", why, groups)

    # --- the page of steps ---------------------------------------------------------------------------------

    def steps(self) -> Page:
        """All steps, a range for each quantity, in collapsed groups; and the passes of the gradient check."""
        blocks = [*once(self.z), *unrolled(self.every)]
        for lane in self.lanes:
            asked = of_context(lane.id)
            names = {"index": asked["Index"], "focus": asked["Focus"]}
            names["of"] = RangeName(self.z.form.id, context=lane.id)["X"]
            blocks.append(
                computed(lane.prefix["Asked_X"], (1, self.z.d_model), usual.focus.PICK, "embedding", **names)
            )
            blocks += [*self.held[lane.id]["Scaled"], *self.held[lane.id]["Exp"]]
        for p, sign in zip(self.checks, "+-", strict=True):
            blocks += list(self._nudged(p, sign))
        bands = tuple(
            Band(block.name, "", (Group((block,)),), shared=True, show_formula=False, level=1)
            for block in blocks
        )
        title = say("{title}, steps", title=say(self.sheet.title))
        return Page(self.s["steps"], title, BEHIND, bands=bands, subtitle="all numbers", behind=True)

    def _nudged(self, p: Place, sign: str) -> Iterable[Block]:
        s = self.s
        for matrix in self.z.learns:
            names = {"w": self.shown.name(matrix), "entry": s[f"Entry_{matrix}"]}
            names |= {"chosen": s["CheckEntry"], "h": s["Distance"], "sign": sign}
            yield computed(p.name(matrix), self.z.shape(matrix), ops.NUDGED, "number", **names)
        yield from (p.block(q) for q in forward(p))
