"""The ranges of a training sheet, proved by induction.

A run of many steps amplifies rounding errors until nothing is decidable. So only the first step is computed
from the inputs. Each later step starts from the weights and the optimizer's state that the workbook has for
the previous step, which have been compared themselves. Every quantity of every step is compared; missing
numbers of the workbook are replaced by those of the reference's own run.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from xlsxattn.checker.reference import learning
from xlsxattn.checker.reference.attention import (
    FREE,
    MIN_MAGNITUDE,
    TOLERANCE,
    Expected,
    Sized,
    given,
    numbers,
)
from xlsxattn.checker.reference.choices import OneOf, one_of
from xlsxattn.checker.reference.training_pass import WHOLE, Pass, stacked
from xlsxattn.checker.reference.words import (
    constant,
    count,
    embedded,
    labels,
    mark,
    numbered,
    shaped,
    unknown,
)
from xlsxattn.contract.kinds import MultiHead
from xlsxattn.contract.names import MEMORY, RangeName
from xlsxattn.contract.values import MASK_VALUE, MAX_BETA, MIN_ADAM_EPSILON

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xlsxattn.checker.cells import Grid
    from xlsxattn.checker.reference.attention import Array, Ranges
    from xlsxattn.checker.reference.training_pass import Called
    from xlsxattn.checker.reference.words import ContextWords, Inputs, SheetInfo

LIMIT = 1e6
"""Typed numbers are clipped to this magnitude."""
MIN_DISTANCE, MAX_DISTANCE = 1e-8, 0.1
EPSILON = 2.0**-52
SNAPS = 2.0**-48
"""LibreOffice treats numbers as equal if their relative difference is smaller."""
LOWER = 1 - 1e-9
"""A loss has decreased if it is below this fraction of the first."""
MAX_PLOTTED = 4
"""The chart's limit, in units of the first loss."""


@dataclass(frozen=True)
class Course:
    """A training sheet: what it trains, its inputs, and its ranges in the workbook.

    Attributes:
        sheet: the sheet.
        trained: the attention sheet whose form is trained.
        inputs: every input of the workbook.
        read: the sheet's own ranges as an engine computed them.
        found: the expected ranges of other sheets.
    """

    sheet: SheetInfo
    trained: SheetInfo
    inputs: Inputs
    read: Mapping[str, Grid]
    found: Mapping[str, Expected]

    @cached_property
    def s(self) -> RangeName:
        """The prefix of its ranges."""
        return RangeName(self.sheet.id)

    @cached_property
    def steps(self) -> int:
        """The number of steps."""
        return int(self.sheet.steps)

    @cached_property
    def heads(self) -> int:
        """The number of heads."""
        return int(self.trained.heads) if self.many else 1

    @cached_property
    def many(self) -> bool:
        """Whether heads are numbered in range names."""
        return self.trained.is_a(MultiHead)

    @cached_property
    def scale(self) -> float:
        """The divisor of the scores."""
        return float(self.found[RangeName(self.trained.id)["Scale"]].values.item())

    @cached_property
    def matrices(self) -> list[str]:
        """The matrices that it has."""
        return [m for m in learning.WEIGHTS if self.s[m] in self.inputs]

    @cached_property
    def learns(self) -> list[str]:
        """The matrices that are learned."""
        return list(self.sheet.learns)

    @cached_property
    def start(self) -> dict[str, Array]:
        """The weights before the first step."""
        t = RangeName(self.trained.id)
        return {
            m: clamp(shaped(self.inputs, self.s[m], len(self.inputs[t[m]]), self.inputs[t[m]].shape[1], t[m]))
            for m in self.matrices
        }

    def number(self, name: str) -> float:
        """A scalar input."""
        return float(shaped(self.inputs, self.s[name], 1, 1).item())

    @cached_property
    def optimizer(self) -> learning.Optimizer:
        """The optimizer with its settings, clipped to their limits.

        Raises:
            ValueError: it is unknown.
        """
        name = self.sheet.optimizer
        if name not in MEMORY:
            raise unknown(self.sheet.id, "optimizer", name)
        o = learning.Optimizer(
            name, clamp(self.number("LearningRate"), 0), clamp(self.number("WeightDecay"), 0)
        )
        if name == "momentum":
            return o._replace(momentum=clamp(self.number("Momentum"), 0, 1))
        if name == "adam":
            betas = (clamp(self.number(f"Beta{i}"), 0, MAX_BETA) for i in (1, 2))
            return o._replace(
                **dict(zip(("beta1", "beta2"), betas, strict=True)),
                epsilon=clamp(self.number("Epsilon"), MIN_ADAM_EPSILON),
            )
        return o

    def part(self, name: str, shape: tuple[int, ...]) -> Array:
        """A range of the workbook; NaN for cells that are not numbers, and if the shape differs."""
        grid = self.read.get(name)
        if grid is None:
            return np.full(shape, np.nan)
        values = grid if isinstance(grid, np.ndarray) and grid.dtype == float else _only_numbers(grid)
        whole = values.size == np.prod(shape) and values.shape[1] == shape[-1]
        return (
            np.where(np.isfinite(values), values, np.nan).reshape(shape) if whole else np.full(shape, np.nan)
        )

    def kept(self, name: str, own: Array) -> Array:
        """A range of the workbook, with missing numbers replaced by the computed ones."""
        held = self.part(name, own.shape)
        return np.where(np.isnan(held), own, held)

    @cached_property
    def run(self) -> dict[str, Array]:
        """The run in the format of `descend`: that of the workbook, with missing numbers computed."""
        n, shapes = self.steps, {"Largest": (self.steps, 1, 1), "Alive": (self.steps + 1, 1, 1)}
        for m in self.learns:
            own = self.start[m].shape
            shapes[m] = (n + 1, *own)
            shapes |= {f"{x}_{m}": (n, *own) for x in (*MEMORY[self.optimizer.name], "Proposed")}
            shapes[f"d{m}"] = (n, *own)
        if self.optimizer.name == "adam":
            shapes |= {f"Correction{i}": (n, 1, 1) for i in (1, 2)}
        seen = {name: self.part(self.s[f"{name}_Steps"], shape) for name, shape in shapes.items()}
        if not any(np.isnan(x).any() for x in seen.values()):
            return seen
        return learning.descend(self.lesson, self.optimizer, self.start, self.learns, n, seen)

    # --- words ---------------------------------------------------------------------------------------------

    @cached_property
    def tokens(self) -> Array:
        """The words of all examples, (N, 1)."""
        return shaped(self.inputs, self.s["Tokens"], None, 1)

    @cached_property
    def example(self) -> Array:
        """The example of each word, (N,), from 0.

        Raises:
            ValueError: the lengths of the examples do not add up to the number of words.
        """
        lengths = [int(n) for n in self.sheet.examples]
        if min(lengths, default=0) < 1 or sum(lengths) != len(self.tokens):
            raise unknown(self.sheet.id, "examples", lengths)
        return np.repeat(np.arange(len(lengths)), lengths)

    @cached_property
    def asked(self) -> Array:
        """The target word of each example, (E, 1)."""
        return shaped(self.inputs, self.s["Asked"], int(self.example[-1]) + 1, 1)

    @cached_property
    def rows(self) -> Array:
        """The positions of the target words, (E,), from 1; 0 if the example lacks the word."""
        found = []
        for e, word in enumerate(self.asked[:, 0]):
            places = [
                j for j in np.flatnonzero(self.example == e) if word != "" and self.tokens[j, 0] == word
            ]
            found.append(places[0] + 1 if places else 0)
        return np.array(found)

    @cached_property
    def ids(self) -> list[int]:
        """The positions of the words in the vocabulary."""
        return numbered(list(self.tokens[:, 0]), self.inputs)

    @cached_property
    def lesson(self) -> learning.Lesson:
        """The data of the training."""
        X = clamp(embedded(self.ids, self.inputs))
        places, seen = np.arange(1, len(X) + 1), self.example[None, :] == np.arange(len(self.rows))[:, None]
        if self.trained.mask == "causal":
            seen &= places[None, :] <= self.rows[:, None]
        Asked = np.vstack([np.zeros(X.shape[1]), X])[self.rows]  # (E, d_model)
        last = self.start.get("W_O", self.start["W_V"])
        Goal = clamp(shaped(self.inputs, self.s["Targets"], len(self.rows), last.shape[1], self.s["Asked"]))
        return learning.Lesson(X, Asked, Goal, seen, self.rows > 0, self.scale, self.heads)


def clamp(x: Any, low: float = -LIMIT, high: float = LIMIT) -> Any:  # noqa: ANN401 - a number, or an array
    """Clip to limits."""
    return np.clip(x, low, high) if isinstance(x, np.ndarray) else min(max(x, low), high)


def _only_numbers(grid: Grid) -> Array:
    """A range as an array, with NaN for cells that are not numbers."""
    held = [[x if isinstance(x, float) else np.nan for x in row] for row in np.asarray(grid, object)]
    return np.array(held, dtype=float).reshape(len(held), -1)


def training_sheet(
    sheet: SheetInfo, trained: SheetInfo, contexts: Sequence[ContextWords], inputs: Inputs,
    found: Mapping[str, Expected], read: Mapping[str, Grid],
) -> Ranges:  # fmt: skip
    """The ranges of a training sheet; `read` contains its ranges as an engine computed them."""
    x = Course(sheet, trained, inputs, read, found)
    n, chosen, at = x.steps, whole(x, "Step", x.steps), entry(x)
    W = {m: x.kept(x.s[f"Shown_{m}"], x.run[m][chosen - 1]) for m in x.learns}
    sides = {"Plus": nudged(W, at, 1), "Minus": nudged(W, at, -1)}
    sets = {m: np.stack([*x.run[m], W[m], *(side[m] for side in sides.values())]) for m in x.learns}
    fixed = {m: np.broadcast_to(w, (n + 4, *w.shape)) for m, w in x.start.items()}
    every = Pass(x.lesson, fixed | sets, x.learns)
    steps, step = place(x, "Steps"), place(x, "Shown")
    ranges = constants(x) | clamped(x) | words(x) | every.once(lambda block, _: x.s[block])
    ranges |= every.forward(steps, slice(n + 1)) | every.backward(steps, slice(n)) | updates(x)
    ranges |= every.forward(step, slice(n + 1, n + 2)) | every.backward(step, slice(n + 1, n + 2))
    ranges |= shown(x, ranges, chosen, W)
    for i, (side, weights) in enumerate(sides.items(), n + 2):
        ranges |= {x.s[f"{side}_{m}"]: constant(w) for m, w in weights.items()}
        ranges |= every.forward(place(x, side), slice(i, i + 1))
    ranges |= check(x, ranges, at)
    for c in contexts:
        ranges |= held_out(x, c)
    return ranges | verdicts(x, ranges) | shown_labels(x, ranges)


def place(x: Course, name: str) -> Called:
    """The names of the ranges of all steps, of the shown step, or of another group."""

    def called(block: str, head: int) -> str:
        at = x.s.at(head=head + 1) if x.many and head >= 0 else x.s
        if name == "Steps":
            return at["Loss"] if block == "Loss" else at[f"{block}_Steps"]
        return at[f"{name}_{block}"]

    return called


def constants(x: Course) -> Ranges:
    """Typed constants: numbers of words, examples, steps and entries, columns of heads."""
    s, N = x.s, len(x.tokens)
    found = {
        s["Example"]: constant(x.example[:, None] + 1.0),
        s["Index"]: numbers(count(N)),
        s["Ones"]: constant(np.ones((N, 1))),
        s["Number"]: numbers(count(len(x.rows))),
        s["StepNumber"]: constant(np.arange(x.steps + 1.0)[:, None]),
        s["Matrices"]: Expected(np.array(x.learns, dtype=object)[:, None], "text"),
        s["MaskValue"]: constant([[MASK_VALUE]]),
    }
    first = 1.0
    for m in x.learns:
        W = x.start[m]
        found[s[f"Entry_{m}"]] = constant(first + np.arange(W.size).reshape(W.shape))
        first += W.size
    for name, m in (("Columns", "W_K"), ("ColumnsV", "W_V")) if x.many else ():
        own = np.repeat(np.eye(x.heads), x.start[m].shape[1] // x.heads, axis=1)  # (H, H d)
        found |= {s.at(head=h + 1)[name]: constant(own[h : h + 1]) for h in range(x.heads)}
    return found


def clamped(x: Course) -> Ranges:
    """Typed inputs, clipped to their limits."""
    s, o = x.s, x.optimizer
    settings = {"Rate": o.rate, "Decay": o.decay}
    settings |= {"Mu": o.momentum} if o.name == "momentum" else {}
    settings |= {"B1": o.beta1, "B2": o.beta2, "Eps": o.epsilon} if o.name == "adam" else {}
    found = {s[name]: constant([[value]]) for name, value in settings.items()}
    return (
        found
        | {s[f"Start_{m}"]: constant(W) for m, W in x.start.items()}
        | {s["Goal"]: constant(x.lesson.Targets)}
    )


def words(x: Course) -> Ranges:
    """The words of the examples, and the target words."""
    s, lesson = x.s, x.lesson
    return {
        s["Ids"]: constant(np.array(x.ids, dtype=float)[:, None]),
        s["X"]: constant(lesson.X),
        s["AskedRow"]: constant(x.rows[:, None].astype(float)),
        s["Present"]: constant(lesson.present[:, None].astype(float)),
        s["Count"]: constant([[float(lesson.count)]]),
        s["Asked_X"]: constant(lesson.Asked),
        s["Mask"]: constant(lesson.seen.astype(float)),
        **labels(s["X"], x.tokens),
        **labels(s["Asked_X"], x.asked),
        **labels(s["Mask"], x.asked, x.tokens),
    }


# --- the steps ---------------------------------------------------------------------------------------------


def before(bands: Array) -> Array:
    """The bands of the previous step; zeros in the first step."""
    return np.concatenate([np.zeros_like(bands[:1]), bands[:-1]])


def updated(
    o: learning.Optimizer,
    divisors: Sequence[Array],
    W: Array,
    gradient: Array,
    memory: Mapping[str, Array],
    kept: Mapping[str, Array],
) -> dict[str, tuple[Array, Array]]:
    """The steps for a matrix, (n, rows, columns), with Σ|terms|.

    The proposed weights are computed from the `kept` velocity or moments.
    """
    new = learning.update(o, divisors, W, gradient, memory, lambda name, _: kept[name])
    magnitudes = {name: np.abs(x) for name, x in memory.items()}
    sizes = learning.update(
        o._replace(rate=-o.rate),
        divisors,
        np.abs(W),
        np.abs(gradient),
        magnitudes,
        lambda name, _: np.abs(kept[name]),
    )
    return {name: (new[name], sizes[name]) for name in new}


def updates(x: Course) -> Ranges:
    """The updates of each step from the workbook's gradients, and whether the run continues."""
    s, o, run = x.s, x.optimizer, x.run
    k = np.arange(1.0, x.steps + 1)[:, None, None]
    own = learning.corrected(o, k)
    found = {s[f"{name}_Steps"]: correction(value) for name, value in own.items()}
    for m in x.learns:
        memory = {name: before(run[f"{name}_{m}"]) for name in MEMORY[o.name]}
        kept = {name: run[f"{name}_{m}"] for name in MEMORY[o.name]}
        new = updated(o, [run[name] for name in own], run[m][:-1], run[f"d{m}"], memory, kept)
        found |= {s[f"{name}_{m}_Steps"]: stacked(*both) for name, both in new.items()}
        follows = np.where(run["Alive"][1:] == 1, run[f"Proposed_{m}"], run[m][:-1])
        found[s[f"{m}_Steps"]] = stacked(np.concatenate([x.start[m][None], follows]))
        found[s[f"Final_{m}"]] = constant(run[m][-1])
    proposed = [np.abs(run[f"Proposed_{m}"]).max(axis=(1, 2), keepdims=True) for m in x.learns]
    found[s["Largest_Steps"]] = stacked(np.max(proposed, axis=0))
    return found | {s["Alive_Steps"]: alive(run["Largest"].reshape(-1), run["Alive"].reshape(-1))}


def correction(values: Array) -> Expected:
    """The divisors of a moment; engines may compute them by subtracting a number near 1 from 1."""
    return stacked(values, np.ones(values.shape))


def alive(largest: Array, bands: Array) -> Expected:
    """1 until a step proposes a number that is too large; either value near the limit."""
    found: list[object] = [1.0]
    for band, size in zip(bands.tolist(), largest.tolist(), strict=False):
        right = band if size < learning.MAX_WEIGHT else 0.0
        near = abs(size - learning.MAX_WEIGHT) <= TOLERANCE * learning.MAX_WEIGHT
        found.append(one_of(tuple(dict.fromkeys((right, band, 0.0)))) if near else right)
    return Expected(np.array(found, dtype=object if OneOf in map(type, found) else float)[:, None], "number")


# --- the shown step, and the gradient check ----------------------------------------------------------------


def shown(x: Course, ranges: Ranges, chosen: int, W: Mapping[str, Array]) -> Ranges:
    """The update of the shown step, number `chosen`, at its weights W."""
    s, o = x.s, x.optimizer
    divisors = {name: x.run[name][chosen - 1] for name in learning.corrected(o, np.ones(1))}
    alive = x.run["Alive"][chosen].item()
    found = {s["Chosen"]: constant([[float(chosen)]]), s["Shown_Alive"]: constant([[alive]])}
    found |= {s[f"Shown_{name}"]: constant(value) for name, value in divisors.items()}
    for m in x.learns:
        memory = {name: before(x.run[f"{name}_{m}"])[chosen - 1] for name in MEMORY[o.name]}
        dW = x.kept(s[f"Shown_d{m}"], ranges[s[f"Shown_d{m}"]].values)
        own = learning.update(o, [*divisors.values()], W[m], dW, memory, lambda _, own: own)
        kept = {name: x.kept(s[f"Shown_{name}_{m}"], own[name]) for name in own}
        new = updated(o, [*divisors.values()], W[m], dW, memory, kept)
        found |= {s[f"Shown_Old{name}_{m}"]: constant(values) for name, values in memory.items()}
        found |= {s[f"Shown_{name}_{m}"]: numbers(Sized(*both)) for name, both in new.items()}
        found[s[f"Shown_{m}"]] = constant(x.run[m][chosen - 1])
        found[s[f"Shown_New_{m}"]] = constant(kept["Proposed"] if alive == 1 else W[m])
    return found


def whole(x: Course, name: str, most: int) -> int:
    """The integer part of an input, clipped to 1 ... `most`."""
    return int(clamp(x.number(name), 1, most))


class Entry(NamedTuple):
    """The weight of the gradient check: its matrix, row and column (from 0), distance, and number."""

    matrix: str
    row: int
    col: int
    distance: float
    number: int


def entry(x: Course) -> Entry:
    """The chosen weight."""
    name = shaped(x.inputs, x.s["CheckMatrix"], 1, 1).item()
    matrix = name if name in x.learns else x.learns[0]
    rows, cols = x.start[matrix].shape
    row, col = whole(x, "CheckRow", rows), whole(x, "CheckCol", cols)
    first = sum(x.start[m].size for m in x.learns[: x.learns.index(matrix)])
    distance = clamp(x.number("CheckH"), MIN_DISTANCE, MAX_DISTANCE)
    return Entry(matrix, row - 1, col - 1, distance, first + (row - 1) * cols + col)


def nudged(W: Mapping[str, Array], at: Entry, sign: int) -> dict[str, Array]:
    """The weights with the chosen one increased or decreased."""
    found = {m: values.copy() for m, values in W.items()}
    found[at.matrix][at.row, at.col] += sign * at.distance
    return found


def check(x: Course, ranges: Ranges, at: Entry) -> Ranges:
    """The gradient check: (L(w + h) − L(w − h)) / 2h compared with the gradient."""
    s, h = x.s, at.distance
    gradient = ranges[s[f"Shown_d{at.matrix}"]]
    both = [s[f"{side}_Loss"] for side in ("Plus", "Minus")]
    losses = [ranges[s["Loss"]], *(ranges[name] for name in both)]
    plus, minus = (x.kept(name, ranges[name].values).item() for name in both)
    numeric, slope = (plus - minus) / (2 * h), gradient.values[at.row, at.col]
    rounding = SNAPS * max(abs(plus), abs(minus)) / h / TOLERANCE
    worst = max(loss.amplification for loss in losses)
    allowed = 4 * EPSILON * max(float(loss.values.max()) for loss in losses) / h
    return {
        s["Distance"]: constant([[h]]),
        s["CheckEntry"]: constant([[float(at.number)]]),
        s["CheckNumeric"]: numbers(Sized(np.array([[numeric]]), np.array([[rounding]]))),
        s["CheckGradient"]: replace(gradient, values=np.array([[slope]])),
        s["CheckDifference"]: replace(
            gradient, values=np.array([[abs(numeric - slope)]]), magnitude=gradient.magnitude + rounding
        ),
        s["CheckAllowed"]: numbers(given([[allowed]]), worst),
    }


# --- held-out sentences and status -------------------------------------------------------------------------


def held_out(x: Course, c: ContextWords) -> Ranges:
    """The attention of the focus word of a sentence with the weights after each step."""
    p, t, n = x.s.at(context=c.id), RangeName(x.trained.id, context=c.id), len(c.tokens)
    row = c.X.row(c.focus)
    found = {p["Asked_X"]: numbers(row)}
    seen = np.arange(n) < (c.focus if x.trained.mask == "causal" else n)  # (n,)
    W = [learning.by_head(x.run[m] if m in x.learns else x.start[m][None], x.heads) for m in ("W_Q", "W_K")]
    scores = [
        learning.summed("d,sdhk,sehk,je->shj", a, *Ws, X) / x.scale
        for a, Ws, X in ((row.value[0], W, c.X.value), (row.size[0], [*map(np.abs, W)], c.X.size))
    ]
    Scaled, size = (np.broadcast_to(y, (x.steps + 1, *y.shape[1:])) for y in scores)  # (n + 1, H, n_c)
    A, M = learning.softmax(Scaled, np.broadcast_to(seen, Scaled.shape)), float(size.max())
    for h in range(x.heads):
        q, u = (place.at(head=h + 1) if x.many else place for place in (p, t))
        Masked = np.where(seen, Scaled[:, h], MASK_VALUE)
        found[q["Scaled_Steps"]] = numbers(Sized(Masked, np.where(seen, size[:, h], 0)))
        found[q["Exp_Steps"]] = numbers(given(np.exp(Masked - Masked.max(axis=1, keepdims=True))), M)
        found[q["Attention_Steps"]] = numbers(given(A[:, h] if c.focus else np.zeros_like(A[:, h])), M)
        found[q["Trained"]] = x.found[u["FocusAttention"]]
        found |= {} if h else labels(q["Attention_Steps"], None, c.tokens)
    return found


def verdicts(x: Course, ranges: Ranges) -> Ranges:
    """Whether the run diverged, whether the loss decreased, and whether the inputs are complete."""
    s, stops = x.s, np.flatnonzero(x.run["Alive"].reshape(-1)[1:] == 0)
    diverged = int(stops[0]) + 1 if stops.size else 0
    losses, loss = ranges[s["Loss"]], ranges[s["Loss"]].values[:, 0]
    gap = loss[-1] - LOWER * loss[0]
    slack = 2 * TOLERANCE * losses.magnitude * max(1.0, losses.amplification / FREE)
    stays_0 = losses.magnitude <= MIN_MAGNITUDE  # no terms, as if no example contains its word
    unsure = not (diverged or stays_0 or abs(gap) > slack)
    ones = ["LearningRate", "WeightDecay", "Momentum", "Beta1", "Beta2", "Epsilon"]
    ones += ["Step", "CheckRow", "CheckCol", "CheckH"]
    typed = all(np.isfinite(x.part(s[one], (1, 1))).all() for one in ones if s[one] in x.read)
    good = typed and all(x.ids) and bool(x.rows.all()) and x.found["vocab_Status"].values.item() != "✗"
    return {
        s["Plotted"]: replace(losses, values=np.minimum(losses.values, MAX_PLOTTED * loss[0])),
        s["Diverged"]: constant([[float(diverged)]]),
        s["Verdict"]: mark(good=not diverged, noted=not gap < 0, amplification=math.inf if unsure else 1.0),
        s["Status"]: mark(good=good),
    }


def shown_labels(x: Course, ranges: Ranges) -> Ranges:
    """The row and column labels of the shown step."""
    found: Ranges = {}
    square = ("Masked", "Exp", "Attention", "dAttention", "dScaled", "dScores")
    beside = {
        **dict.fromkeys(("Q", "Concat", "Output", "Error", *square), x.asked),
        "K": x.tokens,
        "V": x.tokens,
    }
    beside |= {f"d{name}": words for name, words in beside.items() if name not in square}
    called = place(x, "Shown")
    for block, words in beside.items():
        for name in {called(block, h) for h in (WHOLE, *range(x.heads))} & {*ranges}:
            found |= labels(name, words, x.tokens if block in square else None)
    return found
