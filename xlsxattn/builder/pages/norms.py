"""Layer norms and RMS norms, with learned γ and β (Ba et al. 2016; Zhang and Sennrich 2019)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xlsxattn.builder import ops
from xlsxattn.builder.graph import Band, Group, Side
from xlsxattn.builder.pages.parts import learned, numbered, step
from xlsxattn.contract.names import BETA, GAMMA, RangeName, last, part_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlsxattn.builder.pages.parts import Lane, Steps
    from xlsxattn.contract.kinds import Model

WHY_GAMMA, WHY_GAMMA_BETA = (
    "γ scales each column of a norm's result.",
    "γ scales each column of a norm's result, β shifts it.",
)
_MEAN_SQUARE = ("mean square", "MeanSquare", ops.layers.MEAN_SQUARE, "mean_square")


def norm_step(sheet: Model, lane: Lane, name: str, weights: str, x: str, d_model: int) -> Steps:
    """A layer norm or RMS norm of each row (n × d_model), with its mean and variance (n × 1)."""
    names = {"x": x, "epsilon": RangeName(sheet.id)["Epsilon"], "gamma": part_of(weights, "Gamma")}
    if sheet.norm == "rms":
        op, helpers = ops.layers.RMS_NORM, [_MEAN_SQUARE]
    else:
        op, names = ops.layers.LAYER_NORM, {**names, "beta": part_of(weights, "Beta")}
        helpers = [
            ("mean", "Mean", ops.layers.MEAN, "mean"),
            ("variance", "Variance", ops.layers.VARIANCE, "variance"),
        ]
    return _normed(lane, name, op, names, numbered("x", d_model), helpers)


def norm_of_heads(sheet: Model, lane: Lane, p: RangeName, letter: str, w: RangeName) -> Steps:
    """The RMS norm of a head's queries or keys, before rotation (n × d_k); Yang et al. 2025."""
    gamma = part_of(w[f"{letter}Norm"], "Gamma")
    names = {"x": p[letter], "epsilon": RangeName(sheet.id)["Epsilon"], "gamma": gamma}
    cols = numbered(letter.lower(), sheet.d_k)
    return _normed(lane, p[f"{letter}Norm"], ops.layers.NORM_OF_HEADS[letter], names, cols, [_MEAN_SQUARE])


def _normed(
    lane: Lane,
    name: str,
    op: ops.Op,
    names: dict[str, str],
    cols: tuple[str, ...],
    helpers: list[tuple[str, str, ops.Op, str]],
) -> Steps:
    sides = []
    for heading, part, column, key in helpers:
        sides.append(Side(heading, lane.column(part_of(name, part), column, x=names["x"])))
        names[key] = part_of(name, part)
    block = lane.block(name, len(cols), op, "embedding", **names)
    return {last(name): step(op, lane, lane.group(block, cols, sides))}


def norm_weights(sheet: Model, names: Sequence[RangeName], letter: str = "x") -> Band:
    """γ and β of some norms (1 × d_model); ``names`` as in the spec, ``letter`` of their columns."""
    blocks = tuple(learned(sheet, name.at(sheet=sheet.id)) for name in names)
    letters = {GAMMA: "γ", BETA: "β"}
    labels = tuple((f"{name.block} {letters[name.part]}",) for name in names)
    cols = numbered(letter, blocks[0].cols)
    why = WHY_GAMMA_BETA if any(name.part == BETA for name in names) else WHY_GAMMA
    return Band("Norm weights", why, (Group(blocks, labels, cols),), shared=True, show_formula=False)
