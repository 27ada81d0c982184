"""Layer norms and RMS norms, and their learned γ and β (Ba et al. 2016; Zhang and Sennrich 2019)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xlsxattn.builder import ops
from xlsxattn.builder.graph import Band, Group, Side
from xlsxattn.builder.pages.parts import step, typed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xlsxattn.builder.pages.parts import Lane, Steps
    from xlsxattn.builder.specification.settings import SheetSpec
    from xlsxattn.builder.specification.table import Matrix

STRETCHED, SHIFTED = (
    "γ stretches each column of a norm's result.",
    "γ stretches each column of a norm's result, β shifts it.",
)


def norm_step(sheet: SheetSpec, lane: Lane, name: str, weights: str, x: str, d_model: int) -> Steps:
    """A layer norm or RMS norm of each row (n × d_model), its mean and variance in columns of their own."""
    names = {"x": x, "epsilon": f"{sheet.id}_Epsilon", "gamma": f"{weights}_Gamma"}
    if sheet.norm == "rms":
        op, beside = ops.RMS_NORM, [("mean square", "MeanSquare", ops.MEAN_SQUARE, "mean_square")]
    else:
        op, names = ops.LAYER_NORM, {**names, "beta": f"{weights}_Beta"}
        beside = [
            ("mean", "Mean", ops.MEAN, "mean"),
            ("variance", "Variance", ops.VARIANCE, "variance"),
        ]
    return _normed(lane, name, op, names, d_model, beside)


def norm_of_heads(sheet: SheetSpec, lane: Lane, p: str, letter: str, weights: str) -> Steps:
    """The RMS norm of one head's queries or keys, before they are turned (n × d_k); Yang et al. 2025."""
    names = {"x": f"{p}_{letter}", "epsilon": f"{sheet.id}_Epsilon", "gamma": f"{weights}_{letter}Norm_Gamma"}
    beside = [("mean square", "MeanSquare", ops.MEAN_SQUARE, "mean_square")]
    op = ops.NORM_OF_HEADS[letter]
    return _normed(lane, f"{p}_{letter}Norm", op, names, sheet.d_k, beside)


def _normed(
    lane: Lane,
    name: str,
    op: ops.Op,
    names: dict[str, str],
    cols: int,
    beside: list[tuple[str, str, ops.Op, str]],
) -> Steps:
    sides = []
    for heading, part, column, key in beside:
        sides.append(Side(heading, lane.column(f"{name}_{part}", column, x=names["x"])))
        names[key] = f"{name}_{part}"
    block = lane.block(name, cols, op, "embedding", **names)
    return {name.rpartition("_")[2]: step(op, lane, lane.group(block, None, sides))}


def norm_weights(own: Mapping[str, Matrix], w: str, names: list[str]) -> Band:
    """γ and β of some norms (1 × d_model)."""
    blocks = tuple(typed(f"{w}_{name}", "input", own[name]) for name in names)
    spelled = {"Gamma": "γ", "Beta": "β"}
    labels = tuple(("{} {}".format(n.split("_")[-2], spelled[n.split("_")[-1]]),) for n in names)
    shifted = any(name.endswith("_Beta") for name in names)
    why = SHIFTED if shifted else STRETCHED
    return Band("Norm weights", why, (Group(blocks, labels),), shared=True, show_formula=False)
