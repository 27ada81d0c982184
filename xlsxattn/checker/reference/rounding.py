"""Estimates of rounding errors in long computations, by simulation.

A bound multiplied through the layers would leave nothing decidable. So the computation runs several times in
parallel: once exactly, and a few times with random noise of relative size 2^−43 in the result of every
operation, which is a thousand times the rounding error. The scaled-down spread of these runs estimates the
rounding error: Monte Carlo arithmetic (Parker 1997; Vignes 1974). With the exact GELU, more runs simulate an
engine with a coarse Φ, whose error may have the same sign in all cells or any sign in each, and does not
cancel when later layers subtract values.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from xlsxattn.checker.reference.attention import FREE, MIN_MAGNITUDE, TOLERANCE, Expected

if TYPE_CHECKING:
    from xlsxattn.checker.reference.attention import Array
    from xlsxattn.checker.reference.words import Inputs
    from xlsxattn.contract.names import RangeName

SEED = 19_740_101
DRAWS = 6
NOISE = 2.0**-43
UNIT = 2.0**-53  # relative error of one rounding
SAFETY = 40.0  # safety factor: there are few runs, and engines sum in other orders
COARSE_DRAWS = 9  # one run with the same error in all cells, the others with random errors
COARSE_PHI = 2.5e-11  # the largest error of IronCalc's NORMSDIST
COARSE_SAFETY = 4.0


class NoisyArray(NamedTuple):
    """Numbers in all runs, (runs, rows, cols), or (1, rows, cols) if they are the same in all runs.

    The first run has no noise; ``size`` is Σ|terms| of the last operation, (rows, cols).
    """

    values: Array
    size: Array

    @property
    def clean(self) -> Array:
        """The numbers of the run without noise, (rows, cols)."""
        first: Array = self.values[0]
        return first

    def spread(self) -> Array:
        """The estimated rounding error of each cell with a margin, (rows, cols)."""
        return self._apart(slice(1, 1 + DRAWS)) * (SAFETY * UNIT / NOISE)

    def coarse(self) -> Array:
        """The estimated error of an engine with a coarse Φ with a margin, (rows, cols)."""
        return self._apart(slice(1 + DRAWS, None)) * COARSE_SAFETY

    def _apart(self, which: slice) -> Array:
        noisy = self.values[which]
        return np.abs(noisy - self.clean).max(axis=0) if len(noisy) else np.zeros(self.clean.shape)

    def covering(self, parts: NoisyArray) -> NoisyArray:
        """The same numbers, in each row and run at least as far apart from the clean run as any of its parts.

        If two huge scores differ only by rounding, either wins in a run and the sum of the row is 1 in all
        runs, as are its sorted weights 1 and 0; but in an engine the scores may be equal.
        """
        apart = np.abs(parts.values - parts.clean).max(axis=2, keepdims=True)  # (runs, rows, 1)
        return NoisyArray(self.clean + np.maximum(np.abs(self.values - self.clean), apart), self.size)

    def rows(self, n: int) -> NoisyArray:
        """The first n rows."""
        return NoisyArray(self.values[:, :n], self.size[:n])


def exact(values: Array) -> NoisyArray:
    """Numbers without rounding errors."""
    values = np.asarray(values, dtype=float)
    return NoisyArray(values[None], np.abs(values))


def expect(x: NoisyArray, shown: Array | None = None) -> Expected:
    """A range of numbers with its tolerances; cells are blank where `shown` is false."""
    size, spread, coarse = x.size, x.spread(), x.coarse()
    if shown is not None:
        size, spread, coarse = (np.where(shown, a, 0.0) for a in (size, spread, coarse))
    values = x.clean if shown is None else np.where(shown, x.clean, np.nan)
    magnitude, apart = float(size.max(initial=0.0)), float(spread.max(initial=0.0))
    whole = x.clean if shown is None else x.clean[shown]
    if not (np.isfinite(whole).all() and math.isfinite(magnitude) and math.isfinite(apart)):
        return Expected(values, "number", math.inf, math.inf)
    magnitude = max(MIN_MAGNITUDE, magnitude)
    amplification = max(1.0, FREE * (apart / TOLERANCE / magnitude))
    return Expected(values, "number", magnitude, amplification, coarse=float(coarse.max(initial=0.0)))


class Rounding:
    """Generates noise with a fixed seed; `coarse` is set if the exact GELU is used.

    Attributes:
        maps: the Attention of every head, by the prefix of its ranges.
        inputs: the inputs of the workbook, with a reader's answers to an exercise.
    """

    def __init__(self, *, coarse: bool, inputs: Inputs | None = None) -> None:
        self.inputs = inputs or {}
        self._random = np.random.default_rng(SEED)
        self.maps: dict[RangeName, NoisyArray] = {}
        self._runs = 1 + DRAWS + (COARSE_DRAWS if coarse else 0)

    def own(self, name: str, x: NoisyArray) -> NoisyArray:
        """The numbers of a range, or a reader's answer, which is NaN in cells that need not be computed."""
        answer = self.inputs.get(name)
        if answer is None or answer.shape != x.clean.shape:
            return x
        asked = ~np.isnan(answer)
        return NoisyArray(np.where(asked, answer, x.values), np.where(asked, np.abs(answer), x.size))

    def rounded(self, values: Array, size: Array, error: Array | None = None) -> NoisyArray:
        """Add noise to a result, (runs or 1, rows, cols), proportional to its error or size."""
        noisy = np.array(np.broadcast_to(values, (self._runs, *values.shape[1:])))
        noise = self._random.normal(size=(DRAWS, *values.shape[1:]))
        noisy[1 : 1 + DRAWS] += NOISE * noise * (size if error is None else error)
        return NoisyArray(noisy, size)

    def phi(self, x: NoisyArray, h: Array) -> NoisyArray:
        """Add the error of a coarse Φ in h Φ(h): too large everywhere in one run, normal in the others.

        The standard deviation is the largest error. Random signs alone would not suffice: if cells are
        subtracted, all runs may happen to have equal signs in both, and the tolerance would vanish.
        """
        noisy = x.values.copy()
        noise = self._random.normal(size=(COARSE_DRAWS, *h.shape))
        noise[0] = 1.0
        noisy[1 + DRAWS :] += COARSE_PHI * np.abs(h) * noise
        return NoisyArray(noisy, x.size)

    def product(self, a: NoisyArray, b: NoisyArray) -> NoisyArray:
        """The matrix product of (n, d) and (d, m) in every run."""
        size = np.abs(a.clean) @ np.abs(b.clean)  # (n, m)
        if len(b.values) == 1:
            runs, n, d = a.values.shape
            flat = a.values.reshape(runs * n, d) @ b.clean
            return self.rounded(flat.reshape(runs, n, -1), size)
        both = [np.broadcast_to(x.values, (self._runs, *x.clean.shape)) for x in (a, b)]
        return self.rounded(np.einsum("rnd,rdm->rnm", *both), size)

    def total(self, a: NoisyArray, b: NoisyArray) -> NoisyArray:
        """The sum of two arrays, with broadcasting of a single row."""
        values = a.values + b.values
        return self.rounded(values, np.broadcast_to(np.abs(a.clean) + np.abs(b.clean), values.shape[1:]))

    def times(self, a: NoisyArray, factor: Array | float, roundings: float = 1.0) -> NoisyArray:
        """The product with exact factors."""
        values = a.values * factor
        size = np.abs(values[0])
        return self.rounded(values, size, size * roundings)
