"""Colours of numbers: heat maps that look like those of the workbook."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING

from xlsxattn.contract.values import HIDDEN_BELOW

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from xlsxattn.checker.cells import Value

MINUS_INFINITY = HIDDEN_BELOW
"""Smaller numbers mean −∞: masks use −1E300."""

WEIGHTS = frozenset(
    {"Attention", "Exp", "Mask", "CausalMask", "PaddingMask", "CrossMask"}
    | {"FocusAttention", "FocusWeights", "Look", "Alignment", "Map"}
)
CHANCES = frozenset({"LogitExp", "Probability", "TopProbabilities"})
"""Steps with a fixed scale from 0 to 1, so that sheets and sentences can be compared."""

INK, PAPER, GREY = "#1F2933", "#FFFFFF", "#D9DEE3"
BELOW, ABOVE, FULL, CHANCE = "#F4B183", "#7FC4B5", "#9F8FD0", "#BAC3CB"
"""Colours below zero, above zero, of a weight and a probability of 1; INK on their tints passes WCAG AA."""


@dataclass(frozen=True, slots=True)
class Scale:
    """A heat map.

    Attributes:
        kind: ``weights`` or ``chances`` (0 to 1), ``diverging`` (around 0) or "" for none.
        largest: the number with the full colour.
    """

    kind: str
    largest: float = 1.0

    def strength(self, value: Value) -> float | None:
        """Intensity of a cell's colour, from −1 to 1; None for no colour."""
        if not self.kind or not isinstance(value, float) or value <= MINUS_INFINITY or isnan(value):
            return None
        share = value / self.largest
        return min(1.0, max(-1.0 if self.kind == "diverging" else 0.0, share))

    def colour(self, value: Value) -> str | None:
        """The cell's colour as ``#RRGGBB``; None for no colour."""
        if self.kind and isinstance(value, float) and value <= MINUS_INFINITY:
            return GREY
        strength = self.strength(value)
        if strength is None:
            return None
        full = {"weights": FULL, "chances": CHANCE}.get(self.kind, ABOVE if strength > 0 else BELOW)
        return mixed(full, PAPER, abs(strength))


NO_SCALE = Scale("")


def scale_of(step: str, grid: Sequence[Sequence[Value]], *, whole: bool) -> Scale:
    """Choose the heat map of a range.

    Args:
        step: the last part of its name.
        grid: its values.
        whole: True if numbers are shown without decimals: counts and positions have no heat map.
    """
    numbers = [value for row in grid for value in row if isinstance(value, float)]
    if not numbers:
        return NO_SCALE
    if step in WEIGHTS:
        return Scale("weights")
    if step in CHANCES:
        return Scale("chances")
    if whole or len(grid[0]) == 1:
        return NO_SCALE
    return Scale("diverging", _largest(numbers))


def _largest(numbers: Iterable[float]) -> float:
    sizes = [abs(number) for number in numbers if MINUS_INFINITY < number < -MINUS_INFINITY]
    return max(sizes, default=0.0) or 1.0


def mixed(one: str, two: str, share: float) -> str:
    """Mix two colours; ``share`` is the part of the first one."""
    parts = [
        round(share * int(one[i : i + 2], 16) + (1 - share) * int(two[i : i + 2], 16)) for i in (1, 3, 5)
    ]
    return "#{:02X}{:02X}{:02X}".format(*parts)
