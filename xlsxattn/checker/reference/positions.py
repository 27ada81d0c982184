"""Positional encodings: sinusoidal, learned and rotary, computed with complex numbers.

Sources: Vaswani et al. 2017, "Attention Is All You Need", §3.5; Su et al. 2021, "RoFormer", eq. (34); Peng et
al. 2023, "YaRN", §3.2 (scaled rotary frequencies for longer contexts).
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from xlsxattn.checker.reference.attention import TOLERANCE, Sized, given, numbers
from xlsxattn.checker.reference.words import ShapesDisagree, constant, shaped, unknown
from xlsxattn.contract.names import RangeName
from xlsxattn.contract.values import MIN_BASE
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlsxattn.checker.reference.attention import Array, Expected, Ranges
    from xlsxattn.checker.reference.words import ContextWords, Inputs, SheetInfo

DIGITS = 100.0
"""Angles beyond this amplify their rounding errors in sine and cosine."""

MIN_STRETCH, MIN_RAMP = 1e-3, 1e-3
"""Minimum scaling factor, and minimum width of the ramp in turns."""


class Rotary(NamedTuple):
    """Angles (..., N, d_k), their Σ|terms|, and the columns of both halves of each pair, (d_k / 2,)."""

    angle: Array
    size: Array
    first: Array
    second: Array

    def rotate(self, x: Array) -> Array:
        """Multiply each pair of columns of (..., n, d_k), as a complex number, by e^(i·angle)."""
        angle = self.angle[..., : x.shape[-2], self.first]  # (..., n, d_k / 2)
        z = (x[..., self.first] + 1j * x[..., self.second]) * np.exp(1j * angle)  # (..., n, d_k / 2)
        out = np.empty_like(x)
        out[..., self.first], out[..., self.second] = z.real, z.imag
        return out

    def sizes(self, x: Array) -> Array:
        """Σ|terms| of the rotated cells of (..., n, d_k): |x_a cos| + |x_b sin|."""
        angle, partner = self.angle[..., : x.shape[-2], :], np.empty_like(x)
        partner[..., self.first], partner[..., self.second] = x[..., self.second], x[..., self.first]
        size: Array = np.abs(x) * np.abs(np.cos(angle)) + np.abs(partner) * np.abs(np.sin(angle))
        return size

    def sized(self, x: Sized) -> Sized:
        """Rotate numbers together with their magnitudes."""
        size = self.sizes(x.size) * (1 + self.size[..., : x.size.shape[-2], :] / DIGITS)
        return Sized(self.rotate(x.value), size)


class Positions(NamedTuple):
    """The positions of a sheet: ranges, and what is added, (..., N, d_model), or rotated, if any."""

    ranges: Ranges
    P: Sized | None = None
    rotary: Rotary | None = None
    angle: Array | None = None

    def of_context(self, p: RangeName, n: int) -> Ranges:
        """The ranges of a context, which are the first n rows."""
        found: Ranges = {}
        for block in ("P", "Cos", "Sin"):
            whole = self.ranges.get(RangeName(p.sheet)[block])
            if whole is not None:
                found[p[block]] = _top(whole, n)
        if self.P is not None and p["P"] not in found:  # a learned table is an input
            found[p["P"]] = numbers(self.first(n))
        return found

    def first(self, n: int) -> Sized:
        """P's first n rows, (..., n, d_model)."""
        if self.P is None:
            raise ValueError(say("there are no positions to add"))
        return Sized(self.P.value[..., :n, :], self.P.size[..., :n, :])

    def beside(self, x: Array) -> Array:
        """The rows of x, (..., n, d), and their positions, which a large x absorbs in some programs only."""
        added = None if self.P is None else self.P.value
        turned = None if self.rotary is None else self.rotary.angle
        own = [rows[..., : x.shape[-2], :] for rows in (added, turned) if rows is not None]
        shapes = [np.broadcast_to(rows, (*x.shape[:-1], rows.shape[-1])) for rows in own]
        return np.concatenate([x, *shapes], axis=-1)


def _top(whole: Expected, n: int) -> Expected:
    return replace(whole, values=whole.values[..., :n, :])


def positions(sheet: SheetInfo, contexts: Sequence[ContextWords], d_k: int, inputs: Inputs) -> Positions:
    """A sheet's positions for its longest context; d_k is the width of a head's keys.

    Raises:
        ShapesDisagree: a learned table of the wrong size, a base of several cells, or an odd d_k to rotate.
        ValueError: the setting is unknown.
    """
    s, kind = RangeName(sheet.id), sheet.position
    N, d_model = max(c.ids.shape[-2] for c in contexts), inputs["vocab_E"].shape[-1]
    if kind == "none":
        return Positions({})
    if kind == "learned":
        return Positions({}, given(shaped(inputs, s["P"], N, d_model)))
    if kind not in ("sinusoidal", "rotary"):
        raise unknown(sheet.id, "position", kind)
    d = d_model if kind == "sinusoidal" else d_k
    halves = kind == "rotary" and sheet.pairs == "halves"
    if kind == "rotary" and d % 2:
        raise ShapesDisagree(s["W_K"], columns=d)
    pair = np.arange(d) % (d // 2) if halves else np.arange(d) // 2  # (d,)
    base = np.maximum(shaped(inputs, s["Base"], 1, 1), MIN_BASE)  # (..., 1, 1)
    theta = np.exp(-2.0 * pair / d * np.log(base))  # base^(−2i/d), (..., 1, d)
    stretches = kind == "rotary" and sheet.stretch
    steps, frequency = stretched(s, theta, inputs) if stretches else ({}, given(theta))
    angle, angle_size = (np.arange(N)[:, None] * a for a in frequency)  # (..., N, d)
    ranges: Ranges = steps | {
        s["Position"]: constant(np.arange(float(N))[:, None]),
        s["Pair"]: constant(pair[None, :].astype(float)),
        s["Frequency"]: numbers(frequency),
        s["Angle"]: numbers(Sized(angle, angle_size)),
    }
    size = 1 + angle_size / DIGITS
    wave = np.exp(1j * angle)  # (..., N, d)
    if kind == "sinusoidal":
        odd = np.arange(d) % 2
        P = Sized(np.where(odd, wave.real, wave.imag), size)  # sine first, then cosine
        ranges |= {s["Odd"]: constant(odd[None, :].astype(float)), s["P"]: numbers(P)}
        return Positions(ranges, P, angle=angle)
    ranges |= {s["Cos"]: numbers(Sized(wave.real, size)), s["Sin"]: numbers(Sized(wave.imag, size))}
    first = np.arange(d // 2) if halves else np.arange(0, d, 2)
    second = first + (d // 2 if halves else 1)
    turn = np.zeros((d, d))
    turn[second, first], turn[first, second] = -1.0, 1.0
    return Positions(ranges | {s["Turn"]: constant(turn)}, None, Rotary(angle, angle_size, first, second))


def stretched(s: RangeName, theta: Array, inputs: Inputs) -> tuple[Ranges, Sized]:
    """Scaled rotary frequencies (..., 1, d): "NTK-by-parts", Peng et al. 2023, §3.2.

    r is the number of turns of a pair within the training context. A large r keeps the frequency, a small r
    divides it by s, and a ramp γ interpolates between them. Frequencies beyond the ramp are exact.
    """
    stretch, low, high, trained = (
        shaped(inputs, s[name], 1, 1) for name in ("Stretch", "Low", "High", "Trained")
    )  # (..., 1, 1)
    stretch, width = np.maximum(stretch, MIN_STRETCH), np.maximum(high - low, MIN_RAMP)
    turns = trained / math.tau * theta  # r, (1, d): one turn takes 2π/θ positions
    raw = (turns - low) / width  # (1, d)
    of_width = np.where(high - low > MIN_RAMP, np.abs(raw) * (np.abs(high) + np.abs(low)), 0.0)
    size = (np.abs(turns) + np.abs(low) + of_width) / width
    ramp = np.clip(raw, 0.0, 1.0)  # γ, (1, d)
    doubt = np.where(np.abs(raw - ramp) > TOLERANCE * size, 0.0, size)
    ranges = {
        s["Theta"]: constant(theta),
        s["Ratio"]: constant(turns),
        s["Ramp"]: numbers(Sized(ramp, np.maximum(ramp, doubt))),
    }
    slowed = ramp + (1 - ramp) / stretch  # factor of each frequency, (1, d)
    return ranges, Sized(theta * slowed, theta * (slowed + doubt * np.abs(1 - 1 / stretch)))
