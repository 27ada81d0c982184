"""How much rounding can do to a long computation, measured while it runs.

A bound multiplied through layers would leave nothing decidable. So the computation runs several times side by
side: once as it is, and a few times with random noise of relative size 2^−43 in what every operation gives,
a thousand times what rounding does there. How far those runs drift apart, scaled down, is what rounding can
do: Monte Carlo arithmetic (Parker 1997; Vignes 1974). Where the exact GELU is used, more runs say what an
engine with a coarse Φ would do: its error may go one way in all cells, or any way in each, and what later
layers subtract from one another does not cancel it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from xlsxattn.checker.reference.attention import FREE, MIN_MAGNITUDE, TOLERANCE, Expected

if TYPE_CHECKING:
    from xlsxattn.checker.reference.attention import Array
    from xlsxattn.contract.names import RangeName

SEED = 19_740_101
DRAWS = 6
NOISE = 2.0**-43
UNIT = 2.0**-53  # what one rounding does, relative
SAFETY = 40.0  # so many times as much is allowed: runs are few, and an engine may add up in another order
COARSE_DRAWS = 9  # one with the same error in all cells, the others with one that is drawn for each
COARSE_PHI = 2.5e-11  # the largest error of IronCalc's NORMSDIST
COARSE_SAFETY = 4.0


class NoisyArray(NamedTuple):
    """The same numbers in every run, (runs, rows, cols) or (1, rows, cols) where no run differs.

    The first run is the one without noise; size is, cell by cell, Σ|terms| of the last operation.
    """

    values: Array
    size: Array

    @property
    def clean(self) -> Array:
        """The numbers without noise, (rows, cols)."""
        first: Array = self.values[0]
        return first

    def spread(self) -> Array:
        """What rounding can do to each cell, (rows, cols), with a margin."""
        return self._apart(slice(1, 1 + DRAWS)) * (SAFETY * UNIT / NOISE)

    def coarse(self) -> Array:
        """What an engine with a coarse Φ can do to each cell, (rows, cols), with a margin."""
        return self._apart(slice(1 + DRAWS, None)) * COARSE_SAFETY

    def _apart(self, which: slice) -> Array:
        noisy = self.values[which]
        return np.abs(noisy - self.clean).max(axis=0) if len(noisy) else np.zeros(self.clean.shape)

    def rows(self, n: int) -> NoisyArray:
        """The first n rows."""
        return NoisyArray(self.values[:, :n], self.size[:n])


def exact(values: Array) -> NoisyArray:
    """Numbers that are the same for everybody."""
    values = np.asarray(values, dtype=float)
    return NoisyArray(values[None], np.abs(values))


def expect(x: NoisyArray, shown: Array | None = None) -> Expected:
    """A range of numbers and how closely an engine must hold them; blank cells where `shown` is false."""
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
    """Makes noise, the same every time; `coarse` says that the exact GELU is used.

    Attributes:
        maps: every head's Attention, by what the names of its ranges begin with.
    """

    def __init__(self, *, coarse: bool) -> None:
        self._random = np.random.default_rng(SEED)
        self.maps: dict[RangeName, NoisyArray] = {}
        self._runs = 1 + DRAWS + (COARSE_DRAWS if coarse else 0)

    def rounded(self, values: Array, size: Array, doubt: Array | None = None) -> NoisyArray:
        """The result of one operation, (runs or 1, rows, cols), with noise of its doubt or else its size."""
        noisy = np.array(np.broadcast_to(values, (self._runs, *values.shape[1:])))
        noise = self._random.normal(size=(DRAWS, *values.shape[1:]))
        noisy[1 : 1 + DRAWS] += NOISE * noise * (size if doubt is None else doubt)
        return NoisyArray(noisy, size)

    def phi(self, x: NoisyArray, h: Array) -> NoisyArray:
        """The noise of a coarse Φ in h Φ(h): once as if all were too large, else normal for each cell.

        Its deviation is the largest error. Signs alone would not do: where one cell is taken from another,
        all of a few runs may happen to have the same sign in both, and nothing would be allowed.
        """
        noisy = x.values.copy()
        noise = self._random.normal(size=(COARSE_DRAWS, *h.shape))
        noise[0] = 1.0
        noisy[1 + DRAWS :] += COARSE_PHI * np.abs(h) * noise
        return NoisyArray(noisy, x.size)

    def product(self, a: NoisyArray, b: NoisyArray) -> NoisyArray:
        """(n, d) times (d, m) in every run."""
        size = np.einsum("nd,dm->nm", np.abs(a.clean), np.abs(b.clean), optimize=True)
        if len(b.values) == 1:
            runs, n, d = a.values.shape
            flat = np.einsum("nd,dm->nm", a.values.reshape(runs * n, d), b.clean, optimize=True)
            return self.rounded(flat.reshape(runs, n, -1), size)
        both = [np.broadcast_to(x.values, (self._runs, *x.clean.shape)) for x in (a, b)]
        return self.rounded(np.einsum("rnd,rdm->rnm", *both), size)

    def total(self, a: NoisyArray, b: NoisyArray) -> NoisyArray:
        """The sum of two, either of one row or of as many as the other."""
        values = a.values + b.values
        return self.rounded(values, np.broadcast_to(np.abs(a.clean) + np.abs(b.clean), values.shape[1:]))

    def times(self, a: NoisyArray, factor: Array | float, roundings: float = 1.0) -> NoisyArray:
        """Each number times another that is sure."""
        values = a.values * factor
        size = np.abs(values[0])
        return self.rounded(values, size, size * roundings)
